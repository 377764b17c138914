//! Deliveries: the log of them, and those that are due.

use crate::clock::{self, Moment};
use crate::webhooks::sign;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// How many deliveries are remembered.
const LOG: usize = 50_000;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryStatus {
    /// An attempt is due, scheduled or under way.
    Pending,
    /// Answered with 200.
    Delivered,
    /// Given up; only a person can have it tried again.
    Failed,
    /// Lost on purpose, by a fault or the story: never attempted, and unknown to the API.
    Dropped,
}

/// One try to send a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    #[serde(serialize_with = "clock::write")]
    pub at: Moment,
    /// The status that was answered.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
}

/// One event on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The event's id, the same in every attempt.
    pub id: String,
    /// The kind of event.
    pub event: String,
    /// The connection it is about.
    pub connection_id: String,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// When the event happened.
    #[serde(serialize_with = "clock::write")]
    pub created_at: Moment,
    /// When it is tried next.
    #[serde(serialize_with = "clock::write_option")]
    pub next_attempt_at: Option<Moment>,
    /// All tries.
    pub attempts: Vec<Attempt>,
    /// The very bytes that are sent.
    #[serde(with = "shared_text")]
    pub body: Arc<str>,
    /// Where the connection stands in the list; what a fault's scope is compared with.
    pub(crate) at: usize,
    pub(crate) failures: u32,
    #[serde(skip)]
    pub(crate) ticket: u32,
    #[serde(skip)]
    pub(crate) under_way: u32,
}

mod shared_text {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::sync::Arc;

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(deserializer).map(Arc::from)
    }
}

/// Something to be posted now.
#[derive(Debug)]
pub(crate) struct Send {
    pub(crate) url: String,
    pub(crate) body: Arc<str>,
    pub(crate) signature: String,
    /// The delivery, and whether its schedule depends on how this goes. Nothing for an event of nobody's making.
    pub(crate) delivery: Option<(u64, bool)>,
}

/// The log of deliveries, and those that are due.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) url: Option<String>,
    pub(crate) secret: String,
    pub(crate) log: BTreeMap<u64, Delivery>,
    by_id: HashMap<String, u64>,
    last_seq: u64,
    pub(crate) due: VecDeque<(u64, bool)>,
    pub(crate) strays: VecDeque<(Arc<str>, String)>,
    pub(crate) under_way: usize,
}

/// Why a delivery cannot be retried by hand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoRetry {
    Unknown,
    UnderWay,
}

impl Outbox {
    pub(crate) fn new(url: Option<String>, secret: String) -> Self {
        Self {
            url,
            secret,
            log: BTreeMap::new(),
            by_id: HashMap::new(),
            last_seq: 0,
            due: VecDeque::new(),
            strays: VecDeque::new(),
            under_way: 0,
        }
    }

    /// Remembers a delivery; the oldest that is done makes room.
    pub(crate) fn keep(&mut self, delivery: Delivery) -> u64 {
        if self.log.len() >= LOG {
            let done = self.log.iter().take(256).find(|(_, old)| old.status != DeliveryStatus::Pending);
            let oldest = done.or_else(|| self.log.iter().next()).map(|(&seq, _)| seq);
            if let Some(old) = oldest.and_then(|seq| self.log.remove(&seq)) {
                self.by_id.remove(&old.id);
            }
        }
        self.last_seq += 1;
        self.by_id.insert(delivery.id.clone(), self.last_seq);
        self.log.insert(self.last_seq, delivery);
        self.last_seq
    }

    /// An attempt of the schedule is due.
    pub(crate) fn due(&mut self, seq: u64, ticket: u32) {
        if self.log.get(&seq).is_some_and(|one| one.ticket == ticket && one.status == DeliveryStatus::Pending) {
            self.due.push_back((seq, true));
        }
    }

    /// A second copy is due.
    pub(crate) fn due_again(&mut self, seq: u64) {
        if self.log.contains_key(&seq) {
            self.due.push_back((seq, false));
        }
    }

    /// An event of nobody's making, with a signature that cannot be right.
    pub(crate) fn stray(&mut self, body: String) {
        let signature = sign("whsec_somebody_else", body.as_bytes());
        self.strays.push_back((body.into(), signature));
    }

    /// The delivery of this event.
    pub(crate) fn find(&self, id: &str) -> Option<&Delivery> {
        self.by_id.get(id).and_then(|seq| self.log.get(seq))
    }

    /// Has a delivery tried again at once, whatever became of it.
    pub(crate) fn retry(&mut self, id: &str, now: Moment) -> Result<&Delivery, NoRetry> {
        let seq = *self.by_id.get(id).ok_or(NoRetry::Unknown)?;
        let one = self.log.get_mut(&seq).ok_or(NoRetry::Unknown)?;
        if one.under_way > 0 || self.due.iter().any(|&(due, _)| due == seq) {
            return Err(NoRetry::UnderWay);
        }
        one.status = DeliveryStatus::Pending;
        one.next_attempt_at = Some(now);
        one.ticket += 1;
        self.due.push_front((seq, true));
        Ok(one)
    }
}
