//! The fields of each entity, and what may be written into them.

use super::Entity;
use super::draw::Origin;
use super::key::Kind;
use crate::error::ApiError;
use chrono::{DateTime, NaiveDate};
use serde_json::Value;

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// A text that may not be empty.
    Name,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A number, not below nothing.
    Amount,
    Flag,
    Moment,
    /// The key of a vendor that is there.
    Vendor,
    /// Any key of 14 digits.
    Key,
    /// Lines of a purchase order.
    Lines,
    /// What a work order takes from stock.
    Materials,
    /// Fields that the customer added, and addresses.
    Object,
    /// Where an order stands.
    Status,
    /// Only ever set by the platform.
    Ours,
}

use Shape::{Amount, Flag, Key, Lines, Materials, Moment, Name, Object, Ours, Status, Text, Vendor, Word};

const PURCHASE_ORDERS: &[(&str, Shape)] = &[
    ("number", Ours),
    ("name", Text),
    ("description", Text),
    ("status", Status),
    ("vendorKey", Vendor),
    ("vendorName", Ours),
    ("currency", Name),
    ("terms", Text),
    ("shipTo", Object),
    ("orderedAt", Moment),
    ("dueAt", Moment),
    ("lines", Lines),
    ("total", Ours),
    ("customFields", Object),
];
const WORK_ORDERS: &[(&str, Shape)] = &[
    ("number", Ours),
    ("title", Name),
    ("description", Text),
    ("status", Status),
    ("priority", Word(&["low", "medium", "high", "urgent"])),
    ("type", Word(&["preventive", "corrective", "inspection"])),
    ("assetKey", Key),
    ("siteKey", Key),
    ("teamKey", Key),
    ("scheduledAt", Moment),
    ("dueAt", Moment),
    ("completedAt", Ours),
    ("materials", Materials),
    ("customFields", Object),
];
const ASSETS: &[(&str, Shape)] = &[
    ("code", Text),
    ("name", Name),
    ("description", Text),
    ("serialNumber", Text),
    ("manufacturerName", Text),
    ("modelName", Text),
    ("criticality", Word(&["A", "B", "C"])),
    ("isActive", Flag),
    ("siteKey", Key),
    ("locationKey", Key),
    ("teamKey", Key),
    ("parentKey", Key),
    ("installedAt", Moment),
    ("customFields", Object),
];
const INVENTORIES: &[(&str, Shape)] = &[
    ("code", Name),
    ("name", Name),
    ("materialKey", Ours),
    ("quantity", Amount),
    ("reorderPoint", Amount),
    ("unitCost", Amount),
    ("uom", Name),
    ("locationKey", Key),
    ("storeroomKey", Key),
];
/// What every record has.
const COMMON: &[(&str, Shape)] =
    &[("key", Ours), ("id", Ours), ("createdAt", Ours), ("updatedAt", Ours), ("deletedAt", Ours)];

/// The fields of an entity, those that every record has not among them.
pub(super) fn own(entity: Entity) -> &'static [(&'static str, Shape)] {
    match entity {
        Entity::PurchaseOrders => PURCHASE_ORDERS,
        Entity::WorkOrders => WORK_ORDERS,
        Entity::Assets => ASSETS,
        Entity::Inventories => INVENTORIES,
    }
}

/// What this field of an entity takes, if there is such a field.
pub(super) fn shape(entity: Entity, name: &str) -> Option<Shape> {
    own(entity).iter().chain(COMMON).find(|(known, _)| *known == name).map(|(_, shape)| *shape)
}

/// What a field holds when nobody has said anything.
pub(super) fn absent(name: &str, shape: Shape) -> Value {
    match shape {
        Lines | Materials => Value::Array(Vec::new()),
        Object => Value::Object(serde_json::Map::new()),
        Amount => 0.into(),
        Flag => true.into(),
        Status => super::orders::DRAFT.into(),
        Word(words) => words.get(1).copied().into(),
        Name if name == "currency" => "EUR".into(),
        Name if name == "uom" => "pcs".into(),
        _ => Value::Null,
    }
}

/// Refuses a value that a field does not take.
pub(super) fn check(origin: Origin, name: &str, shape: Shape, value: &Value) -> Result<(), ApiError> {
    let good = match shape {
        Ours => return Err(ApiError::invalid(format!("{name} is set by the platform and cannot be written"))),
        Text => value.is_null() || value.is_string(),
        Name | Status => value.as_str().is_some_and(|text| !text.trim().is_empty()),
        Word(words) => value.as_str().is_some_and(|text| words.contains(&text)),
        Amount => value.as_f64().is_some_and(|amount| amount.is_finite()),
        Flag => value.is_boolean(),
        Moment => value.is_null() || value.as_str().is_some_and(is_moment),
        Key => value.is_null() || value.as_str().is_some_and(is_key),
        Vendor => match value.as_str() {
            None => false,
            Some(key) if origin.place(Kind::Vendor, key).is_some_and(|place| place < origin.vendors()) => true,
            Some(key) => return Err(ApiError::refused("INVALID_VENDOR", format!("there is no vendor {key}"))),
        },
        Lines => value.as_array().is_some_and(|lines| !lines.is_empty() && lines.iter().all(is_line)),
        Materials => value.as_array().is_some_and(|list| list.iter().all(is_material)),
        Object => value.is_object(),
    };
    if !good {
        return Err(ApiError::invalid(format!("{name} takes {}", words(shape))));
    }
    match value.as_f64() {
        Some(amount) if shape == Amount && amount < 0.0 => {
            Err(ApiError::refused("OUT_OF_STOCK", format!("{name} cannot fall below 0")))
        }
        _ => Ok(()),
    }
}

fn words(shape: Shape) -> String {
    match shape {
        Word(words) => format!("one of {}", words.join(", ")),
        Amount => "a number".to_owned(),
        Flag => "true or false".to_owned(),
        Moment => "a date, or a moment such as 2025-03-01T12:00:00Z".to_owned(),
        Key | Vendor => "a key of 14 digits".to_owned(),
        Lines => "at least one line with a quantity above 0 and a unitPrice".to_owned(),
        Materials => "a list of materialKey and quantity".to_owned(),
        Object => "an object".to_owned(),
        Text | Name | Status | Ours => "a text".to_owned(),
    }
}

/// A date, or a moment.
pub(super) fn is_moment(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok() || NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_key(text: &str) -> bool {
    text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_line(line: &Value) -> bool {
    let amount = |name: &str| line.get(name).and_then(Value::as_f64);
    amount("quantity").is_some_and(|quantity| quantity > 0.0) && amount("unitPrice").is_some_and(|price| price >= 0.0)
}

fn is_material(one: &Value) -> bool {
    one.get("materialKey").and_then(Value::as_str).is_some_and(is_key)
        && one.get("quantity").and_then(Value::as_f64).is_some_and(|quantity| quantity > 0.0)
}
