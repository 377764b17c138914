//! Writing records: what may be done, and what then stands there.

use super::draw::{Origin, frame};
use super::fields::{self, Shape};
use super::key::Kind;
use super::support::{Support, Update};
use super::{Entity, Record, orders, support};
use crate::clock::{self, Moment};
use crate::error::ApiError;
use crate::platforms::Platform;
use crate::world::World;
use serde_json::Value;

/// What is to be done to a record.
#[derive(Debug)]
pub(crate) enum Write {
    Create(Record),
    Update { key: String, fields: Record },
    Delete { key: String },
}

/// The kind of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
    Delete,
}

impl Write {
    /// Of which kind it is.
    pub(crate) fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Update { .. } => Verb::Update,
            Self::Delete { .. } => Verb::Delete,
        }
    }
}

impl World {
    /// Refuses what a connection's platform does not let be done, and tells what it does.
    pub(crate) fn allow(&self, at: usize, entity: Entity, verb: Verb) -> Result<(), ApiError> {
        let platform = self.connections[at].profile.platform;
        let support = support(platform, entity);
        let (allowed, done) = match verb {
            Verb::Create => (support.create.is_some(), "created"),
            Verb::Update => (support.update != Update::No, "updated"),
            Verb::Delete => (support.delete, "deleted"),
        };
        if allowed {
            return Ok(());
        }
        let message = format!("{} does not let {} be {done}", platform.name, entity.path().replace('-', " "));
        Err(ApiError::unsupported(message, support.methods(verb != Verb::Create)))
    }

    /// Writes to a record, and answers with what it is then. A sandbox answers the same, and nothing is changed.
    pub(crate) fn write(&mut self, at: usize, entity: Entity, write: Write, now: Moment) -> Result<Record, ApiError> {
        self.allow(at, entity, write.verb())?;
        let profile = &self.connections[at].profile;
        let (platform, sandbox) = (profile.platform, profile.sandbox);
        let support = support(platform, entity);
        let pen = Pen { world: self, at, entity, platform, support, origin: self.origin(at), now };
        let (place, record) = match write {
            Write::Create(given) => pen.create(given)?,
            Write::Update { key, fields } => pen.update(&key, fields)?,
            Write::Delete { key } => pen.delete(&key)?,
        };
        if !sandbox {
            self.ledger.keep(at, entity, place, record.clone())?;
        }
        Ok(record)
    }
}

/// What is needed to write one record of one entity of one connection. It changes nothing itself.
struct Pen<'a> {
    world: &'a World,
    at: usize,
    entity: Entity,
    platform: &'static Platform,
    support: Support,
    origin: Origin,
    now: Moment,
}

impl Pen<'_> {
    fn create(&self, mut given: Record) -> Result<(u64, Record), ApiError> {
        let (entity, origin) = (self.entity, self.origin);
        // What only the platform sets may stand there empty, as in a form that was copied.
        given.retain(|name, value| !(value.is_null() && fields::shape(entity, name) == Some(Shape::Ours)));
        let required = self.support.create.unwrap_or_default();
        if let Some(missing) = required.iter().find(|name| given.get(**name).is_none_or(Value::is_null)) {
            return Err(ApiError::invalid(format!("{missing} is missing")));
        }
        self.check(&given)?;
        if given.get("status").is_some_and(|status| status != orders::DRAFT) {
            return Err(ApiError::invalid(format!("a new {} is a {}", entity.one(), orders::DRAFT)));
        }
        let mut record = Record::new();
        for (name, shape) in fields::own(entity) {
            let value = given.remove(*name).unwrap_or_else(|| fields::absent(name, *shape));
            record.insert((*name).to_owned(), value);
        }
        let place = self.world.ledger.next(self.at, entity);
        let (name, text) = match entity {
            Entity::PurchaseOrders => ("number", format!("PO-{}", 45_000_000 + place)),
            Entity::WorkOrders => ("number", format!("WO-{}", 800_000 + place)),
            Entity::Inventories => ("materialKey", origin.key(Kind::Material, place)),
            Entity::Assets => ("code", format!("NEW-{place}")),
        };
        if record[name].is_null() {
            record.insert(name.to_owned(), text.into());
        }
        frame(&mut record, origin, entity, place, self.now);
        self.derive(&mut record);
        Ok((place, record))
    }

    fn update(&self, key: &str, mut given: Record) -> Result<(u64, Record), ApiError> {
        let (place, mut record) = self.there(self.entity, key)?;
        // Whoever sends a whole record back wants to change what differs.
        given.retain(|name, value| record.get(name) != Some(value));
        if given.is_empty() {
            return Ok((place, record));
        }
        if self.entity.is_order() && status(&record) != orders::DRAFT && given.keys().any(|name| name != "status") {
            return Err(self.locked(&record));
        }
        self.check(&given)?;
        if let Update::Only(only) = self.support.update
            && let Some(other) = given.keys().find(|name| !only.contains(&name.as_str()))
        {
            let (name, only) = (self.platform.name, only.join(", "));
            return Err(ApiError::invalid(format!("{other} cannot be changed on {name}, only {only}")));
        }
        if let Some(wanted) = given.get("status").and_then(Value::as_str) {
            self.step(&mut record, wanted)?;
        }
        record.extend(given);
        self.stamp(&mut record, "updatedAt");
        self.derive(&mut record);
        Ok((place, record))
    }

    fn delete(&self, key: &str) -> Result<(u64, Record), ApiError> {
        let (place, mut record) = self.there(self.entity, key)?;
        if self.entity.is_order() && !matches!(status(&record), orders::DRAFT | "cancelled") {
            return Err(self.locked(&record));
        }
        self.stamp(&mut record, "deletedAt");
        self.stamp(&mut record, "updatedAt");
        Ok((place, record))
    }

    /// A record that is there and was not deleted.
    fn there(&self, entity: Entity, key: &str) -> Result<(u64, Record), ApiError> {
        let found = self.world.record(self.at, entity, key);
        let (place, record) =
            found.ok_or_else(|| ApiError::not_found(format!("there is no {} {key}", entity.one())))?;
        if record["deletedAt"].is_null() {
            Ok((place, record))
        } else {
            Err(ApiError::conflict("RECORD_DELETED", format!("the {} {key} was deleted", entity.one())))
        }
    }

    /// Refuses fields that there are not, or that do not take what is given, or that name what is not there.
    fn check(&self, given: &Record) -> Result<(), ApiError> {
        for (name, value) in given {
            let Some(shape) = fields::shape(self.entity, name) else {
                return Err(ApiError::invalid(format!("there is no field {name} in {}", self.entity.path())));
            };
            fields::check(self.origin, name, shape, value)?;
        }
        let custom = given.get("customFields").and_then(Value::as_object);
        if !self.support.custom_fields && custom.is_some_and(|custom| !custom.is_empty()) {
            return Err(ApiError::invalid(format!("customFields cannot be written on {}", self.platform.name)));
        }
        for name in ["assetKey", "parentKey"] {
            if let Some(key) = given.get(name).and_then(Value::as_str) {
                let there = self.there(Entity::Assets, key);
                there.map_err(|_| ApiError::refused("INVALID_ASSET", format!("there is no asset {key}")))?;
            }
        }
        let taken = given.get("materials").and_then(Value::as_array);
        taken.into_iter().flatten().try_for_each(|taken| self.take(taken))
    }

    /// Refuses to take from stock what is not there.
    fn take(&self, taken: &Value) -> Result<(), ApiError> {
        let key = taken["materialKey"].as_str().unwrap_or_default();
        let stock = self.origin.place(Kind::Material, key).map(|place| self.origin.key(Kind::Inventory, place));
        let stock = stock.and_then(|stock| self.world.record(self.at, Entity::Inventories, &stock));
        let (_, stock) = stock.ok_or_else(|| ApiError::invalid(format!("there is no material {key}")))?;
        let there = stock["quantity"].as_f64().unwrap_or_default();
        if taken["quantity"].as_f64().is_some_and(|wanted| wanted > there) {
            let name = stock["name"].as_str().unwrap_or(key);
            return Err(ApiError::refused("OUT_OF_STOCK", format!("there are only {there} of {name}")));
        }
        Ok(())
    }

    /// An order goes on to another status.
    fn step(&self, record: &mut Record, wanted: &str) -> Result<(), ApiError> {
        let (from, open) = (status(record), orders::next(status(record)));
        if open.is_empty() {
            return Err(self.locked(record));
        }
        if !open.contains(&wanted) {
            return Err(ApiError::invalid(format!("what is {from} becomes {}, not {wanted}", open.join(", "))));
        }
        if self.entity == Entity::WorkOrders && wanted == "completed" {
            self.stamp(record, "completedAt");
        }
        Ok(())
    }

    /// What follows from the other fields.
    fn derive(&self, record: &mut Record) {
        if self.entity == Entity::PurchaseOrders {
            let vendor = record["vendorKey"].as_str().and_then(|key| self.origin.place(Kind::Vendor, key));
            record.insert("vendorName".to_owned(), vendor.map(orders::vendor_name).into());
            orders::total(record);
        }
    }

    fn stamp(&self, record: &mut Record, name: &str) {
        record.insert(name.to_owned(), clock::stamp(self.now).into());
    }

    fn locked(&self, record: &Record) -> ApiError {
        let message = format!("the {} is {} and takes no changes any more", self.entity.one(), status(record));
        ApiError::conflict("RECORD_LOCKED", message)
    }
}

fn status(record: &Record) -> &str {
    record.get("status").and_then(Value::as_str).unwrap_or_default()
}
