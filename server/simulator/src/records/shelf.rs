//! The records of one entity of one connection, as they were at one moment: cheap to take under the lock, drawn after it.

use super::draw::Origin;
use super::{Entity, Record};
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The records of one entity of one connection.
#[derive(Debug)]
pub(crate) struct Shelf {
    origin: Origin,
    entity: Entity,
    written: BTreeMap<u64, Arc<Record>>,
}

impl World {
    /// The records of one entity of a connection, as they are now.
    pub(crate) fn shelf(&self, at: usize, entity: Entity) -> Shelf {
        Shelf { origin: self.origin(at), entity, written: self.ledger.all(at, entity) }
    }

    /// What the records of a connection are drawn from.
    pub(super) fn origin(&self, at: usize) -> Origin {
        Origin::new(self.options.seed, &self.connections[at].profile)
    }

    /// The record of this key as it is now, with its place.
    pub(super) fn record(&self, at: usize, entity: Entity, key: &str) -> Option<(u64, Record)> {
        let origin = self.origin(at);
        let place = origin.place(entity.into(), key)?;
        match self.ledger.get(at, entity, place) {
            Some(written) => Some((place, written.clone())),
            None => (place < origin.count(entity)).then(|| (place, origin.draw(entity, place))),
        }
    }
}

impl Shelf {
    /// All records with their places, the oldest first. What was deleted is among them, and says so.
    pub(crate) fn all(&self) -> Vec<(u64, Record)> {
        let drawn = 0..self.origin.count(self.entity);
        let added = self.written.range(drawn.end..).map(|(&place, _)| place);
        drawn.clone().chain(added).map(|place| (place, self.at(place))).collect()
    }

    /// The record of this key.
    pub(crate) fn find(&self, key: &str) -> Option<Record> {
        let place = self.origin.place(self.entity.into(), key)?;
        let there = place < self.origin.count(self.entity) || self.written.contains_key(&place);
        there.then(|| self.at(place))
    }

    fn at(&self, place: u64) -> Record {
        match self.written.get(&place) {
            Some(written) => written.as_ref().clone(),
            None => self.origin.draw(self.entity, place),
        }
    }
}
