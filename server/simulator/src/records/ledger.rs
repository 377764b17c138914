//! What was written, by anybody but the platforms themselves.

use super::{Entity, Record};
use crate::error::ApiError;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The place of the first record that was not drawn.
const FIRST_NEW: u64 = 1_000_000;
/// More written records than these are not kept.
const MOST: usize = 50_000;

/// Written records by connection and entity, then by place.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    written: HashMap<(usize, Entity), BTreeMap<u64, Arc<Record>>>,
    count: usize,
}

/// A written record as it is saved.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    at: usize,
    entity: Entity,
    place: u64,
    #[serde(with = "shared_record")]
    record: Arc<Record>,
}

mod shared_record {
    use crate::records::Record;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::sync::Arc;

    pub(super) fn serialize<S: Serializer>(record: &Arc<Record>, serializer: S) -> Result<S::Ok, S::Error> {
        record.as_ref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Record>, D::Error> {
        Record::deserialize(deserializer).map(Arc::new)
    }
}

impl Ledger {
    /// The written record at this place.
    pub(super) fn get(&self, at: usize, entity: Entity, place: u64) -> Option<&Record> {
        self.written.get(&(at, entity))?.get(&place).map(Arc::as_ref)
    }

    /// All written records of a connection.
    pub(super) fn all(&self, at: usize, entity: Entity) -> BTreeMap<u64, Arc<Record>> {
        self.written.get(&(at, entity)).cloned().unwrap_or_default()
    }

    /// The place of a record that is made now.
    pub(super) fn next(&self, at: usize, entity: Entity) -> u64 {
        let last = self.written.get(&(at, entity)).and_then(|written| written.last_key_value());
        last.map_or(FIRST_NEW, |(place, _)| (place + 1).max(FIRST_NEW))
    }

    /// Keeps a record as it is now.
    pub(super) fn keep(&mut self, at: usize, entity: Entity, place: u64, record: Record) -> Result<(), ApiError> {
        let known = self.get(at, entity, place).is_some();
        if !known && self.count >= MOST {
            return Err(ApiError::invalid(format!("this simulator keeps at most {MOST} written records")));
        }
        self.enter(at, entity, place, Arc::new(record));
        Ok(())
    }

    /// A connection is gone, and with it what was written through it.
    pub(crate) fn forget(&mut self, at: usize) {
        for entity in Entity::ALL {
            self.count -= self.written.remove(&(at, entity)).map_or(0, |written| written.len());
        }
    }

    /// What is to be saved.
    pub(crate) fn save(&self) -> Vec<Kept> {
        let all = self.written.iter().flat_map(|(&(at, entity), written)| {
            written.iter().map(move |(&place, record)| Kept { at, entity, place, record: Arc::clone(record) })
        });
        all.collect()
    }

    fn enter(&mut self, at: usize, entity: Entity, place: u64, record: Arc<Record>) {
        let before = self.written.entry((at, entity)).or_default().insert(place, record);
        self.count += usize::from(before.is_none());
    }
}

impl FromIterator<Kept> for Ledger {
    fn from_iter<I: IntoIterator<Item = Kept>>(saved: I) -> Self {
        let mut ledger = Self::default();
        for Kept { at, entity, place, record } in saved {
            ledger.enter(at, entity, place, record);
        }
        ledger
    }
}
