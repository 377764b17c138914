//! Events about records, of the dialect that has them.

use super::{Entity, Verb, key};
use crate::Dialect;
use crate::clock::{self, Moment};
use crate::connection::SyncKind;
use crate::platforms::Kind;
use crate::world::World;
use rand::Rng;
use rand::seq::IndexedRandom;
use uuid::Uuid;

/// The share of good syncs that tell of a record: a fleet has many syncs, and each is told of in any case.
const SHARE: f64 = 0.3;

impl World {
    /// After a good sync, names some records that came with it. After one that a person wanted to see, always.
    pub(crate) fn tell_synced(&mut self, at: usize, kind: SyncKind, now: Moment) {
        if self.options.dialect != Dialect::Openapi2025 {
            return;
        }
        let connection = &self.connections[at];
        let platform = connection.profile.platform.kind;
        if kind == SyncKind::Incremental && !connection.life.touched && !self.dice.random_bool(SHARE) {
            return;
        }
        let told: &[Entity] = match platform {
            Kind::Erp => &[Entity::PurchaseOrders, Entity::Assets],
            Kind::Eam => &[Entity::WorkOrders, Entity::Assets, Entity::PurchaseOrders],
            Kind::Wms => &[Entity::PurchaseOrders, Entity::Assets],
        };
        let entity = told.choose(&mut self.dice).copied().unwrap_or(Entity::Assets);
        let origin = self.origin(at);
        let inserted = kind == SyncKind::Full || self.dice.random_bool(0.25);
        let count = self.dice.random_range(1..=4);
        let first = self.dice.random_range(0..origin.count(entity));
        let places = (first..origin.count(entity)).take(count);
        let ids: Vec<_> = places.map(|place| key::id(origin.root, entity, place)).collect();
        self.emit_bare(now, at, event(entity, inserted), &ids);
    }

    /// Somebody wrote records. Inventories have no events, and deleting has none.
    pub(crate) fn tell_written(&mut self, at: usize, entity: Entity, verb: Verb, ids: &[Uuid], now: Moment) {
        let silent = self.options.dialect != Dialect::Openapi2025
            || entity == Entity::Inventories
            || verb == Verb::Delete
            || self.connections[at].profile.sandbox;
        if !silent && !ids.is_empty() {
            self.emit_bare(now, at, event(entity, verb == Verb::Create), ids);
        }
    }
}

impl World {
    /// Somebody changes an asset in the customer's own system, whatever its API lets others do; told of like any other change.
    pub(crate) fn change_record(&mut self, at: usize, now: Moment) -> Result<(), &'static str> {
        if self.connections[at].profile.sandbox {
            return Err("the records of a sandbox do not change");
        }
        let origin = self.origin(at);
        let place = self.dice.random_range(0..origin.count(Entity::Assets));
        let found = self.record(at, Entity::Assets, &origin.key(Entity::Assets.into(), place));
        let (_, mut record) = found.ok_or("the connection has no assets")?;
        record.insert("updatedAt".to_owned(), clock::stamp(now).into());
        let kept = self.ledger.keep(at, Entity::Assets, place, record);
        kept.map_err(|_| "this simulator keeps no more written records")?;
        self.tell_written(at, Entity::Assets, Verb::Update, &[key::id(origin.root, Entity::Assets, place)], now);
        Ok(())
    }
}

fn event(entity: Entity, inserted: bool) -> String {
    format!("{}.{}", entity.event(), if inserted { "inserted" } else { "updated" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    /// How many bare events follow two hundred good syncs of a connection.
    fn told(dialect: Dialect, touched: bool) -> usize {
        let now = clock::now();
        let webhook_url = Some("http://127.0.0.1:9/".to_owned());
        let options = Options { dialect, webhook_url, connections: 3, story: false, ..Options::default() };
        let mut world = World::new(options, now);
        world.connections[0].life.touched = touched;
        (0..200).for_each(|_| world.sync_completed(0, now));
        let told = world.outbox.log.values().filter(|one| one.body.starts_with(r#"{"event":"#));
        told.map(|one| assert!(one.body.contains(r#"","body":[""#) && !one.event.starts_with("inventories"))).count()
    }

    #[test]
    fn a_part_of_the_syncs_names_records_and_all_that_a_person_wanted() {
        assert_eq!(told(Dialect::FaqV1, true), 0);
        assert_eq!(told(Dialect::Openapi2025, true), 200);
        let part = told(Dialect::Openapi2025, false);
        assert!((35..=90).contains(&part), "{part} of 200");
    }
}
