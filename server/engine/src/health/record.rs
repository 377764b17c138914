//! Webhooks about single records: which were missed. Pure; whoever asks Makini what changed is `poll::records`.
//!
//! A record that changed must have been told of: by a webhook that names it and came after the change. Such a webhook has no time
//! of its own and may be late, doubled or out of order; so one that came after the change tells of it, whichever change it was
//! sent for. What is missed is only what nothing tells of, and only of kinds that are known to come at all.

use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A webhook may come this much before the time that the record says it changed at.
pub const EARLY: TimeDelta = TimeDelta::minutes(1);
/// What has not changed for longer than this since it was made is only made.
const SAME: TimeDelta = TimeDelta::seconds(5);

/// A record as Makini shows it. Nothing else of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id, as webhooks name it.
    pub id: String,
    /// When it was made, where that is said.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub modified_at: DateTime<Utc>,
    /// When it was deleted: no webhook tells of that.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl Record {
    /// The same by our clock, which upstream's is this much ahead of; nothing it says happened after `read_at`.
    #[must_use]
    pub fn by_our_clock(self, skew: TimeDelta, read_at: DateTime<Utc>) -> Self {
        let ours = |at: DateTime<Utc>| (at - skew).min(read_at);
        let (created_at, deleted_at) = (self.created_at.map(ours), self.deleted_at.map(ours));
        Self { modified_at: ours(self.modified_at), created_at, deleted_at, ..self }
    }
}

/// Something that happened to a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// When.
    pub at: DateTime<Utc>,
    /// The id of the record.
    pub record: String,
    /// The kind of webhook that tells of it: `assets.updated`.
    pub kind: String,
}

/// What webhooks have told until now.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The kinds that ever came, and since when.
    pub kinds: BTreeMap<String, DateTime<Utc>>,
    /// When one last named this record.
    pub records: HashMap<String, DateTime<Utc>>,
}

/// The records' name in webhooks: `eam/purchase-orders` are `purchase_orders`.
pub fn entity_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_lowercase().replace('-', "_")
}

/// The entity and the kind that a webhook's own word stands for: `purchase_orders.inserted` is `purchase_orders.created`. None
/// for what is no word about records.
pub fn kind_of(word: &str) -> Option<(String, String)> {
    let (entity, deed) = word.rsplit_once('.')?;
    let entity = entity_of(entity);
    let kind = match deed.to_lowercase().as_str() {
        "inserted" | "created" => format!("{entity}.created"),
        "updated" => format!("{entity}.updated"),
        _ => return None,
    };
    Some((entity, kind))
}

/// What happened to these records after `since`, as far as it still shows: each once, in the order of time.
pub fn changes(entity: &str, records: &[Record], since: DateTime<Utc>) -> BTreeSet<Changed> {
    let mut all = BTreeSet::new();
    for record in records {
        let mut add = |at: DateTime<Utc>, deed: &str| {
            if at > since {
                all.insert(Changed { at, record: record.id.clone(), kind: format!("{entity}.{deed}") });
            }
        };
        if let Some(at) = record.created_at {
            add(at, "created");
        }
        let only_made = record.created_at.is_some_and(|at| record.modified_at - at <= SAME);
        // the last change was then the deleting, and what was before it no longer shows
        let only_deleted = record.deleted_at.is_some_and(|at| record.modified_at - at <= SAME);
        if !only_made && !only_deleted {
            add(record.modified_at, "updated");
        }
    }
    all
}

/// Whether a webhook that came at this moment tells of a change at that one.
pub fn tells(came: DateTime<Utc>, changed: DateTime<Utc>) -> bool {
    came >= changed - EARLY
}

/// Of these, what a webhook must still tell of. What never came is not subscribed, or was not yet: of it nothing can be known.
pub fn expected(changes: BTreeSet<Changed>, heard: &Heard) -> Vec<Changed> {
    let told = |one: &Changed| heard.records.get(&one.record).is_some_and(|came| tells(*came, one.at));
    let comes = |one: &Changed| heard.kinds.get(&one.kind).is_some_and(|since| *since <= one.at);
    changes.into_iter().filter(|one| comes(one) && !told(one)).collect()
}

/// Until when a webhook about this is waited for: a window after the change, and not in the past of who found it.
pub fn due(changed: DateTime<Utc>, found: DateTime<Utc>, window: TimeDelta) -> DateTime<Utc> {
    (changed + window).max(found)
}

/// What became of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There is still time.
    Waits,
    /// It came.
    Came,
    /// It came, after its window.
    Late,
    /// It did not come in its window: it was probably lost at the sender.
    Missed,
}

/// What has become of it `now`. `heard`: when a webhook last named the record.
pub fn end(changed: DateTime<Utc>, due: DateTime<Utc>, heard: Option<DateTime<Utc>>, now: DateTime<Utc>) -> End {
    match heard.filter(|came| tells(*came, changed)) {
        Some(came) if came <= due => End::Came,
        Some(_) => End::Late,
        None if due <= now => End::Missed,
        None => End::Waits,
    }
}

/// What is known of one pair of a connection and what it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// As in the settings: `eam/assets`.
    pub entity: String,
    /// Why Makini does not tell.
    pub refused: Option<String>,
    /// Whether a webhook about such records ever came.
    pub comes: bool,
}

/// Whether lost webhooks about a connection's records can be found, in a sentence or two.
pub fn sentence(asked: &[Asked], minutes: i64) -> String {
    let named = |those: &dyn Fn(&Asked) -> bool| {
        let names: Vec<_> =
            asked.iter().filter(|one| those(one)).map(|one| entity_of(&one.entity).replace('_', " ")).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let mut said = Vec::new();
    if asked.is_empty() {
        said.push(
            "Whether webhooks about its records were lost cannot be known: its source does not ask for them."
                .to_owned(),
        );
    }
    if let Some(names) = named(&|one| one.refused.is_none() && one.comes) {
        said.push(format!(
            "What changed in {names} is asked for, at most every {minutes} min; a change that no webhook told of is a gap."
        ));
    }
    if let Some(names) = named(&|one| one.refused.is_none() && !one.comes) {
        said.push(format!("Of {names} it cannot be known: no webhook about them has come yet."));
    }
    if let Some(names) = named(&|one| one.refused.is_some()) {
        let why = asked.iter().find_map(|one| one.refused.as_deref()).unwrap_or_default();
        said.push(format!("Of {names} it cannot be known: {why}"));
    }
    said.join(" ")
}

#[cfg(test)]
mod tests;
