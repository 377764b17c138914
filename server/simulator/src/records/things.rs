//! Assets and inventories: how they are drawn.

use super::Record;
use super::draw::{Draw, record};
use super::key::Kind;
use crate::clock::{self, Moment};
use serde_json::Value;

/// Every connection has at least as many inventories; the first of them are of these materials.
pub(super) const MATERIALS: u64 = 40;

pub(super) fn asset(draw: &mut Draw, created: Moment) -> Record {
    let name = draw.pick(&MACHINES);
    // The first few have nothing above them; the others may belong to one of those.
    let parent = if draw.place >= 8 && draw.share() < 0.4 { draw.other(Kind::Asset, 8) } else { Value::Null };
    record([
        ("code", format!("{}-{:04}", &name[..3].to_uppercase(), draw.place).into()),
        ("name", format!("{name} {}", draw.place + 1).into()),
        ("description", Value::Null),
        ("serialNumber", format!("SN{:09}", draw.below(1_000_000_000)).into()),
        ("manufacturerName", draw.pick(&MAKERS).into()),
        ("modelName", format!("{}{}", draw.pick(&["X", "MK", "T", "HD"]), 100 + draw.below(900)).into()),
        ("criticality", draw.pick(&["A", "B", "B", "C", "C"]).into()),
        ("isActive", (draw.share() < 0.93).into()),
        ("siteKey", draw.other(Kind::Site, 3)),
        ("locationKey", draw.other(Kind::Location, 12)),
        ("teamKey", draw.other(Kind::Team, 5)),
        ("parentKey", parent),
        ("installedAt", clock::stamp(draw.after(created, 30.0)).into()),
        ("customFields", draw.custom()),
    ])
}

pub(super) fn inventory(draw: &mut Draw) -> Record {
    let place = draw.place;
    // The fifth is out of stock, and now and then another.
    let quantity = if place == 4 || draw.share() < 0.05 { 0 } else { 1 + draw.below(300) };
    record([
        ("code", format!("MAT-{:05}", 10_000 + place).into()),
        ("name", material(place).into()),
        ("materialKey", draw.origin.key(Kind::Material, place).into()),
        ("quantity", quantity.into()),
        ("reorderPoint", draw.below(25).into()),
        ("unitCost", draw.price(250.0).into()),
        ("uom", draw.pick(&["pcs", "pcs", "pcs", "m", "kg", "l"]).into()),
        ("locationKey", draw.other(Kind::Location, 12)),
        ("storeroomKey", draw.other(Kind::Storeroom, 4)),
    ])
}

/// The name of a material.
pub(super) fn material(place: u64) -> String {
    const SIZES: [&str; 5] = ["", " DN 25", " DN 50", " 6204", " M12"];
    let place = usize::try_from(place).unwrap_or_default();
    format!("{}{}", GOODS[place % GOODS.len()], SIZES[place / GOODS.len() % SIZES.len()])
}

const MACHINES: [&str; 8] =
    ["Pump", "Conveyor", "Compressor", "Boiler", "Mixer", "Packaging machine", "Forklift", "Chiller"];
const MAKERS: [&str; 6] =
    ["Halvorsen", "Brandt Industrie", "Kestrel Works", "Okafor Engineering", "Tanaka Seiki", "Rossi Macchine"];
const GOODS: [&str; 10] = [
    "Ball bearing",
    "Shaft seal",
    "V-belt",
    "Ball valve",
    "Filter cartridge",
    "Hydraulic oil",
    "Hex bolt",
    "Contactor",
    "Pressure gauge",
    "Gasket",
];
