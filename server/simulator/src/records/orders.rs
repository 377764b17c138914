//! Purchase orders and work orders: how they are drawn, and the way they go.

use super::Record;
use super::draw::{Draw, record};
use super::key::Kind;
use super::things::{MATERIALS, material};
use crate::clock::{self, Moment};
use serde_json::{Value, json};

/// In which the fields may still be changed.
pub(super) const DRAFT: &str = "draft";

/// Where an order may go from here. From the second status on its fields are closed.
pub(super) fn next(status: &str) -> &'static [&'static str] {
    match status {
        DRAFT => &["approved", "cancelled"],
        "approved" => &["in_progress", "completed", "cancelled"],
        "in_progress" => &["completed", "cancelled"],
        _ => &[],
    }
}

/// The first three are one of each kind; after that as in life.
fn status(draw: &mut Draw) -> &'static str {
    match draw.place {
        0 => DRAFT,
        1 => "approved",
        2 => "completed",
        _ => draw.pick(&[DRAFT, DRAFT, "approved", "approved", "completed", "completed", "completed", "cancelled"]),
    }
}

pub(super) fn purchase_order(draw: &mut Draw, created: Moment) -> Record {
    let vendor = draw.below(draw.origin.vendors());
    let lines: Vec<_> = (0..=draw.below(4))
        .map(|_| {
            let place = draw.below(MATERIALS);
            let quantity = 1 + draw.below(40);
            json!({
                "materialKey": draw.origin.key(Kind::Material, place),
                "name": material(place),
                "quantity": quantity,
                "unitPrice": draw.price(400.0),
            })
        })
        .collect();
    let ordered = draw.after(created, 3.0);
    let mut order = record([
        ("number", format!("PO-{}", 45_000_000 + draw.place).into()),
        ("name", format!("{} and more", lines[0]["name"].as_str().unwrap_or_default()).into()),
        ("description", Value::Null),
        ("status", status(draw).into()),
        ("vendorKey", draw.origin.key(Kind::Vendor, vendor).into()),
        ("vendorName", vendor_name(vendor).into()),
        ("currency", draw.pick(&["EUR", "EUR", "USD", "GBP", "SEK"]).into()),
        ("terms", draw.pick(&["net 14", "net 30", "net 30", "net 60", "2 % 10, net 30"]).into()),
        ("shipTo", json!({ "name": "Goods in", "city": draw.pick(&TOWNS), "country": draw.pick(&COUNTRIES) })),
        ("orderedAt", clock::stamp(ordered).into()),
        ("dueAt", clock::stamp(draw.after(ordered, 40.0)).into()),
        ("lines", lines.into()),
        ("customFields", draw.custom()),
    ]);
    total(&mut order);
    order
}

/// The name of a vendor.
pub(super) fn vendor_name(place: u64) -> String {
    const VENDORS: [&str; 8] = [
        "Bearing House",
        "Nordic Tools",
        "Valve & Seal",
        "Lubritec",
        "Safety Point",
        "Electro Partner",
        "Steel Yard",
        "Packwell",
    ];
    let name = VENDORS[usize::try_from(place).unwrap_or_default() % VENDORS.len()];
    match place / VENDORS.len() as u64 {
        0 => name.to_owned(),
        more => format!("{name} {}", more + 1),
    }
}

/// Numbers the lines and adds them up.
pub(super) fn total(order: &mut Record) {
    let mut sum = 0.0;
    for (place, line) in order.get_mut("lines").and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
        let of = |name: &str| line.get(name).and_then(Value::as_f64).unwrap_or_default();
        let price = (of("quantity") * of("unitPrice") * 100.0).round() / 100.0;
        sum += price;
        line["lineNo"] = (10 * (place + 1)).into();
        line["lineTotal"] = price.into();
    }
    order.insert("total".to_owned(), json!((sum * 100.0).round() / 100.0));
}

pub(super) fn work_order(draw: &mut Draw, created: Moment, updated: Moment) -> Record {
    let assets = draw.origin.count(super::Entity::Assets);
    let scheduled = draw.after(created, 14.0);
    let status = status(draw);
    let materials: Vec<_> = (0..draw.below(3))
        .map(|_| {
            let place = draw.below(MATERIALS);
            json!({ "materialKey": draw.origin.key(Kind::Material, place), "quantity": 1 + draw.below(3) })
        })
        .collect();
    record([
        ("number", format!("WO-{}", 800_000 + draw.place).into()),
        ("title", format!("{} {}", draw.pick(&WORK), draw.pick(&PARTS)).into()),
        ("description", Value::Null),
        ("status", status.into()),
        ("priority", draw.pick(&["low", "medium", "medium", "high", "urgent"]).into()),
        ("type", draw.pick(&["preventive", "preventive", "corrective", "inspection"]).into()),
        ("assetKey", draw.other(Kind::Asset, assets)),
        ("siteKey", draw.other(Kind::Site, 3)),
        ("teamKey", draw.other(Kind::Team, 5)),
        ("scheduledAt", clock::stamp(scheduled).into()),
        ("dueAt", clock::stamp(draw.after(scheduled, 10.0)).into()),
        ("completedAt", if status == "completed" { clock::stamp(updated).into() } else { Value::Null }),
        ("materials", materials.into()),
        ("customFields", draw.custom()),
    ])
}

const TOWNS: [&str; 6] = ["Kassel", "Leeds", "Malmö", "Columbus", "Tacoma", "Linz"];
const COUNTRIES: [&str; 4] = ["DE", "GB", "SE", "US"];
const WORK: [&str; 6] = ["Inspect", "Replace", "Lubricate", "Calibrate", "Repair", "Clean"];
const PARTS: [&str; 8] = [
    "drive bearing",
    "cooling pump",
    "conveyor belt",
    "safety valve",
    "gearbox",
    "pressure sensor",
    "air filter",
    "hoist",
];
