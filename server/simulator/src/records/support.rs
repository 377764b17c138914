//! What each platform lets others do. Reading always; writing differs, as it does between the real ones.

use super::Entity;
use crate::platforms::{Kind, Platform};

/// What may be done to an entity on a platform, besides reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Support {
    /// With which fields at least, where records can be made.
    pub(crate) create: Option<&'static [&'static str]>,
    pub(crate) update: Update,
    pub(crate) delete: bool,
    /// Whether the customer's own fields can be written.
    pub(crate) custom_fields: bool,
}

/// Which fields of a record may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    No,
    Any,
    Only(&'static [&'static str]),
}

impl Support {
    /// What may be asked of the whole list, and of one record.
    pub(crate) fn methods(self, of_one: bool) -> String {
        let (create, update) = (self.create.is_some(), self.update != Update::No);
        let allowed = [("POST", create && !of_one), ("PUT", update), ("DELETE", self.delete && of_one)];
        let more = allowed.into_iter().filter(|(_, allowed)| *allowed).map(|(method, _)| method);
        ["GET", "HEAD"].into_iter().chain(more).collect::<Vec<_>>().join(",")
    }
}

const READ: Support = Support { create: None, update: Update::No, delete: false, custom_fields: true };
const ORDER: &[&str] = &["vendorKey", "lines"];
const WORK: &[&str] = &["title"];
const THING: &[&str] = &["name"];
const STOCK: &[&str] = &["code", "name"];

const fn write(required: &'static [&'static str]) -> Support {
    Support { create: Some(required), update: Update::Any, ..READ }
}

const fn change(update: Update) -> Support {
    Support { update, ..READ }
}

/// What this platform lets others do to this entity.
pub(crate) fn support(platform: &Platform, entity: Entity) -> Support {
    let usual = match (platform.kind, entity) {
        (Kind::Erp | Kind::Eam, Entity::PurchaseOrders) => write(ORDER),
        (Kind::Eam, Entity::WorkOrders) => write(WORK),
        (Kind::Eam, Entity::Assets) => write(THING),
        (Kind::Wms, Entity::Inventories) => write(STOCK),
        (_, Entity::Inventories) => change(Update::Only(&["quantity", "unitCost", "reorderPoint"])),
        _ => READ,
    };
    match (platform.slug, entity) {
        // Plant maintenance is part of it, and fields that the customer added cannot be reached from outside.
        ("sap-ecc" | "sap-s4hana", Entity::WorkOrders) => Support { custom_fields: false, ..write(WORK) },
        ("sap-ecc" | "sap-s4hana", Entity::PurchaseOrders) => Support { custom_fields: false, ..usual },
        ("netsuite" | "dynamics-365-bc", Entity::PurchaseOrders) => Support { delete: true, ..usual },
        ("odoo", Entity::PurchaseOrders | Entity::Inventories) => Support { delete: true, ..usual },
        ("odoo", Entity::WorkOrders) => Support { delete: true, ..write(WORK) },
        ("odoo", Entity::Assets) => Support { delete: true, ..write(THING) },
        ("sage-intacct" | "sage-x3", Entity::PurchaseOrders) => Support { update: Update::No, ..usual },
        ("jd-edwards", Entity::Assets) => change(Update::Only(&["description", "criticality", "isActive"])),
        ("infor-eam", Entity::Assets) => {
            change(Update::Only(&["teamKey", "name", "description", "manufacturerName", "serialNumber"]))
        }
        ("upkeep" | "maintainx", Entity::WorkOrders | Entity::Assets) => Support { delete: true, ..usual },
        ("upkeep" | "maintainx" | "limble" | "emaint", Entity::PurchaseOrders) => READ,
        ("emaint", Entity::WorkOrders) => Support {
            create: Some(&["assetKey", "title", "scheduledAt"]),
            update: Update::Only(&["assetKey", "title", "scheduledAt", "dueAt", "description", "status"]),
            ..usual
        },
        ("limble", Entity::Assets) => change(Update::Only(&["name", "description"])),
        ("sage-intacct" | "acumatica", Entity::Inventories) => READ,
        ("tecsys-wms", Entity::Inventories) => Support { delete: true, ..usual },
        ("snapfulfil", Entity::Inventories) => change(Update::Only(&["quantity"])),
        _ => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platforms::{PLATFORMS, find};
    use crate::records::fields;

    #[test]
    fn platforms_differ_and_name_only_fields_that_there_are() {
        let mut seen = Vec::new();
        for platform in &PLATFORMS {
            for entity in Entity::ALL {
                let support = support(platform, entity);
                let only = if let Update::Only(only) = support.update { only } else { &[] };
                for field in support.create.unwrap_or_default().iter().chain(only) {
                    assert!(fields::shape(entity, field).is_some(), "{}: {field}", platform.slug);
                }
                seen.push((entity, support.create.is_some(), support.update != Update::No, support.delete));
            }
        }
        for entity in Entity::ALL {
            let of = |pick: fn(&(Entity, bool, bool, bool)) -> bool| {
                let here = seen.iter().filter(|one| one.0 == entity && pick(one)).count();
                0 < here && here < PLATFORMS.len()
            };
            assert!(
                of(|one| one.1) && of(|one| one.2) && of(|one| one.3),
                "{entity:?} can be written here and not there"
            );
        }
    }

    #[test]
    fn what_may_be_asked_is_named() {
        let odoo = support(find("odoo").expect("there"), Entity::Assets);
        assert_eq!(
            (odoo.methods(false), odoo.methods(true)),
            ("GET,HEAD,POST,PUT".into(), "GET,HEAD,PUT,DELETE".into())
        );
        let sage = support(find("sage-x3").expect("there"), Entity::PurchaseOrders);
        assert_eq!((sage.methods(false), sage.methods(true)), ("GET,HEAD,POST".into(), "GET,HEAD".into()));
    }
}
