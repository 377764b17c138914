//! Drawing records: what is common to all of them.

use super::key::{self, Kind, mix};
use super::{Entity, Record, orders, things};
use crate::clock::{self, Moment};
use crate::connection::Profile;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::time::Duration;

/// When the first record of a connection was made, 2023-06-01, and how long it went on. All of it is past: a record does not
/// change because somebody looks at it later.
const FIRST: i64 = 1_685_577_600;
const SPAN: f64 = 900.0 * 86_400.0;
const DAY: f64 = 86_400.0;

/// A connection as records are drawn from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) root: u64,
    volume: u64,
}

impl Origin {
    pub(super) fn new(seed: u64, profile: &Profile) -> Self {
        Self { root: key::root(seed, &profile.id), volume: profile.volume.into() }
    }

    /// How many records there were before anybody wrote one.
    pub(super) fn count(self, entity: Entity) -> u64 {
        match entity {
            Entity::PurchaseOrders => 30 + self.volume,
            Entity::WorkOrders => 40 + 2 * self.volume,
            Entity::Assets => 25 + self.volume,
            Entity::Inventories => 40 + 2 * self.volume,
        }
    }

    /// How many vendors there are.
    pub(super) fn vendors(self) -> u64 {
        5 + self.volume / 8
    }

    /// The key of something of this kind.
    pub(super) fn key(self, kind: Kind, place: u64) -> String {
        key::write(self.root, kind, place)
    }

    /// The place that a key of this kind leads to.
    pub(super) fn place(self, kind: Kind, key: &str) -> Option<u64> {
        key::read(self.root, kind, key)
    }

    /// The record at this place, as it was before anybody wrote to it.
    pub(super) fn draw(self, entity: Entity, place: u64) -> Record {
        let mut draw = Draw::new(self, entity, place);
        let (created, updated) = draw.life();
        let mut record = match entity {
            Entity::PurchaseOrders => orders::purchase_order(&mut draw, created),
            Entity::WorkOrders => orders::work_order(&mut draw, created, updated),
            Entity::Assets => things::asset(&mut draw, created),
            Entity::Inventories => things::inventory(&mut draw),
        };
        frame(&mut record, self, entity, place, created);
        record.insert("updatedAt".to_owned(), clock::stamp(updated).into());
        record
    }
}

/// Puts in what every record has.
pub(super) fn frame(record: &mut Record, origin: Origin, entity: Entity, place: u64, created: Moment) {
    record.insert("key".to_owned(), origin.key(entity.into(), place).into());
    record.insert("id".to_owned(), json!(key::id(origin.root, entity, place)));
    record.insert("createdAt".to_owned(), clock::stamp(created).into());
    record.insert("updatedAt".to_owned(), clock::stamp(created).into());
    record.insert("deletedAt".to_owned(), Value::Null);
}

/// The fields of a record from a list of pairs.
pub(super) fn record<const N: usize>(fields: [(&str, Value); N]) -> Record {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// One record being drawn.
pub(super) struct Draw {
    pub(super) origin: Origin,
    pub(super) place: u64,
    count: u64,
    dice: StdRng,
}

impl Draw {
    fn new(origin: Origin, entity: Entity, place: u64) -> Self {
        let dice = StdRng::seed_from_u64(mix(&[origin.root, Kind::from(entity) as u64, place]));
        Self { origin, place, count: origin.count(entity), dice }
    }

    /// When it was made and when it last changed; later places were made later.
    fn life(&mut self) -> (Moment, Moment) {
        let share = (self.place as f64 + self.share()) / self.count as f64;
        let created = Moment::from_timestamp(FIRST, 0).unwrap_or_default() + Duration::from_secs_f64(share * SPAN);
        (created, self.after(created, 45.0))
    }

    /// A moment up to so many days later.
    pub(super) fn after(&mut self, moment: Moment, days: f64) -> Moment {
        moment + Duration::from_secs_f64(self.share() * days * DAY)
    }

    /// From 0 to 1.
    pub(super) fn share(&mut self) -> f64 {
        self.dice.random()
    }

    /// From 0 to one less.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.dice.random_range(0..bound.max(1))
    }

    /// One of these.
    pub(super) fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        from.choose(&mut self.dice).copied().unwrap_or_default()
    }

    /// A price, with two places.
    pub(super) fn price(&mut self, most: f64) -> f64 {
        (self.share().powi(2) * most * 100.0).round() / 100.0 + 0.5
    }

    /// The key of some other thing out of so many.
    pub(super) fn other(&mut self, kind: Kind, count: u64) -> Value {
        let place = self.below(count);
        self.origin.key(kind, place).into()
    }

    /// What the customer added to the platform's own fields: of one record in four, and of the fourth in any case.
    pub(super) fn custom(&mut self) -> Value {
        if self.place % 4 != 3 {
            return json!({});
        }
        json!({ "costCenter": format!("CC-{}", 4_000 + self.below(60) * 10), "project": self.pick(&PROJECTS) })
    }
}

const PROJECTS: [&str; 5] = ["Line 4", "Boiler house", "Energy 2025", "New warehouse", "Turnaround"];
