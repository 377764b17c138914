//! What changed, said to every process: one NOTIFY a batch in, a broadcast out.
//!
//! A change says only what to ask for again, so a lost one costs nothing as long as somebody says that there was a gap:
//! whenever the connection that listens had to be made anew, everything counts as changed.

use model::{Change, ChangeTopic};
use sqlx::{
    PgConnection, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

/// The channel in Postgres.
pub const CHANNEL: &str = "linewatch";
/// Changes kept for those who come back.
const KEPT: usize = 4_096;
/// Changes of one topic in one message; more become `*`.
const MOST_OF_A_TOPIC: usize = 50;
/// Postgres takes payloads below 8,000 bytes.
const LONGEST_PAYLOAD: usize = 7_999;
/// After so much silence the listening connection is asked whether it still lives, and given this long to say so.
const SILENCE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(5);
/// Waits between tries to connect.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Tells everybody what changed, once the transaction commits. One call a batch: NOTIFY serialises commits.
pub async fn announce(conn: &mut PgConnection, changes: &[Change]) -> sqlx::Result<()> {
    if let Some(payload) = payload(changes) {
        sqlx::query!("select pg_notify($1, $2)", CHANNEL, payload).execute(conn).await?;
    }
    Ok(())
}

/// The changes as one message: each thing once, with its newest version, quiet only if every change of it was; too many of a
/// topic become `*`. None for no changes.
pub fn payload(changes: &[Change]) -> Option<String> {
    let mut topics: BTreeMap<ChangeTopic, BTreeMap<&str, (i64, bool)>> = BTreeMap::new();
    for change in changes {
        let things = topics.entry(change.topic).or_default();
        let (version, quiet) = things.entry(&change.id).or_insert((change.version, true));
        *version = change.version.max(*version);
        *quiet &= change.quiet;
    }
    for things in topics.values_mut() {
        if things.len() > MOST_OF_A_TOPIC || things.contains_key("*") {
            *things = many(things);
        }
    }
    loop {
        let list: Vec<Told<&str>> = topics
            .iter()
            .flat_map(|(topic, things)| things.iter().map(|(id, (version, quiet))| (*topic, *id, *version, *quiet)))
            .collect();
        let text = serde_json::to_string(&list).ok().filter(|_| !list.is_empty())?;
        if text.len() <= LONGEST_PAYLOAD {
            return Some(text);
        }
        let longest = topics.values_mut().max_by_key(|things| things.keys().map(|id| id.len()).sum::<usize>())?;
        *longest = many(longest);
    }
}

/// Changes of events: each, or all as one when each would not be told anyway.
pub fn of_events(ids: impl ExactSizeIterator<Item = model::EventId>, version: i64) -> Vec<Change> {
    match ids.len() {
        ..=MOST_OF_A_TOPIC => ids.map(|id| Change::new(ChangeTopic::Event, id, version)).collect(),
        _ => vec![Change::many(ChangeTopic::Event)],
    }
}

/// A change as it travels: topic, id, version, quiet.
type Told<Id> = (ChangeTopic, Id, i64, bool);

fn many(things: &BTreeMap<&str, (i64, bool)>) -> BTreeMap<&'static str, (i64, bool)> {
    BTreeMap::from([("*", (0, things.values().all(|(_, quiet)| *quiet)))])
}

/// A change and its place in the order in which this process heard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Its number, from 1.
    pub n: u64,
    /// The change.
    pub change: Change,
}

/// What was missed since an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// Exactly this.
    Missed(Vec<Numbered>),
    /// It cannot be told: ask for everything again.
    Unknown,
}

/// Hears what changed and passes it on. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Shared>);

struct Shared {
    /// Random, so that an id from before a restart or from another process is never mistaken for one of ours.
    boot: String,
    ring: Mutex<Ring>,
    sender: broadcast::Sender<Numbered>,
    listening: watch::Sender<bool>,
}

#[derive(Default)]
struct Ring {
    last: u64,
    kept: VecDeque<Numbered>,
}

impl Live {
    /// Starts to listen, on a connection of its own, until cancelled.
    pub fn start(pool: &PgPool, cancel: CancellationToken) -> Self {
        let live = Self(Arc::new(Shared {
            boot: uuid::Uuid::simple(crate::clock::new_id()).to_string()[20..].to_owned(),
            ring: Mutex::default(),
            sender: broadcast::channel(KEPT).0,
            listening: watch::Sender::new(false),
        }));
        let (shared, options) = (Arc::clone(&live.0), pool.connect_options());
        tokio::spawn(async move {
            cancel.run_until_cancelled(shared.listen(&options)).await;
            shared.listening.send_replace(false);
        });
        live
    }

    /// Waits until changes are heard. What is committed after this is not missed.
    pub async fn ready(&self) {
        let mut listening = self.0.listening.subscribe();
        // it cannot fail: the sender lives in `self`
        let _ = listening.wait_for(|listening| *listening).await;
    }

    /// Whether changes are heard right now.
    pub fn is_listening(&self) -> bool {
        *self.0.listening.borrow()
    }

    /// Every change from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Numbered> {
        self.0.sender.subscribe()
    }

    /// A change's id for `Last-Event-ID`.
    pub fn id(&self, n: u64) -> String {
        format!("{}-{n}", self.0.boot)
    }

    /// What came after this id. Subscribe first, then ask: so nothing falls between, and what comes twice has the same number.
    pub fn since(&self, last_id: &str) -> Since {
        let Some((boot, n)) = last_id.rsplit_once('-') else { return Since::Unknown };
        let Ok(n) = n.parse::<u64>() else { return Since::Unknown };
        let ring = self.0.ring();
        let reaches_back = ring.last - ring.kept.len() as u64;
        if boot != self.0.boot || n > ring.last || n < reaches_back {
            return Since::Unknown;
        }
        Since::Missed(ring.kept.iter().skip((n - reaches_back) as usize).cloned().collect())
    }
}

impl Shared {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        let mut ring = self.ring();
        for change in changes {
            ring.last += 1;
            let numbered = Numbered { n: ring.last, change };
            if ring.kept.len() == KEPT {
                ring.kept.pop_front();
            }
            ring.kept.push_back(numbered.clone());
            // nobody may be listening, and that is fine
            let _ = self.sender.send(numbered);
        }
    }

    fn publish_everything(&self) {
        self.publish(ChangeTopic::ALL.iter().copied().map(Change::many));
    }

    async fn listen(&self, options: &PgConnectOptions) {
        let (shortest, longest) = BACKOFF;
        let mut wait = shortest;
        loop {
            match connect(options).await {
                Ok(mut listener) => {
                    wait = shortest;
                    self.publish_everything();
                    self.listening.send_replace(true);
                    let error = self.hear(&mut listener).await;
                    self.listening.send_replace(false);
                    metrics::counter!("linewatch_live_reconnects_total").increment(1);
                    tracing::warn!(%error, "the connection that hears of changes was lost: {error}");
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot listen for changes, trying again in {wait:?}: {error}");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(longest);
                }
            }
        }
    }

    /// Passes on what comes, until the connection is lost.
    async fn hear(&self, listener: &mut PgListener) -> String {
        loop {
            match tokio::time::timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => self.publish(read(notification.payload())),
                Ok(Ok(None)) => return "it was closed".to_owned(),
                Ok(Err(error)) => return error.to_string(),
                // a connection that died without a word is found only by asking
                Err(_silence) => match tokio::time::timeout(PATIENCE, alive(listener)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return error.to_string(),
                    Err(_) => return "it does not answer".to_owned(),
                },
            }
        }
    }
}

/// A connection beside the pool, which is for those who give back what they take. A new one each time: the one before may
/// hang for minutes while it is given up.
async fn connect(options: &PgConnectOptions) -> sqlx::Result<PgListener> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    // reconnecting is ours: what changed meanwhile must be told
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn alive(listener: &mut PgListener) -> sqlx::Result<()> {
    sqlx::query!("select 1 as one").fetch_one(listener).await.map(drop)
}

/// Reads a message; one that we do not understand, perhaps from a newer version, may mean anything.
fn read(payload: &str) -> Vec<Change> {
    match serde_json::from_str::<Vec<Told<String>>>(payload) {
        Ok(list) => list.into_iter().map(|(topic, id, version, quiet)| Change { topic, id, version, quiet }).collect(),
        Err(_) => ChangeTopic::ALL.iter().copied().map(Change::many).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(topic: ChangeTopic, id: impl ToString, version: i64) -> Change {
        Change::new(topic, id, version)
    }

    #[test]
    fn each_thing_is_said_once_and_many_become_a_star() {
        assert_eq!(payload(&[]), None);
        let few = [
            change(ChangeTopic::Issue, "a", 2),
            change(ChangeTopic::Issue, "a", 1),
            change(ChangeTopic::Event, "b", 0),
        ];
        assert_eq!(payload(&few).as_deref(), Some(r#"[["issue","a",2,false],["event","b",0,false]]"#));

        let mut many: Vec<_> = (0..50).map(|n| change(ChangeTopic::Connection, n, 1)).collect();
        assert_eq!(read(&payload(&many).unwrap()).len(), 50);
        many.push(change(ChangeTopic::Connection, 50, 1));
        many.push(change(ChangeTopic::Outage, "x", 1));
        assert_eq!(payload(&many).as_deref(), Some(r#"[["connection","*",0,false],["outage","x",1,false]]"#));
    }

    #[test]
    fn what_is_quiet_stays_quiet_only_among_its_like() {
        let quiet = |id: usize| Change::quiet(ChangeTopic::Connection, id, 1);
        let loud = change(ChangeTopic::Connection, 0, 2);
        assert_eq!(read(&payload(&[quiet(0)]).unwrap()), [quiet(0)]);
        assert_eq!(read(&payload(&[quiet(0), loud.clone()]).unwrap()), std::slice::from_ref(&loud));
        let mut many: Vec<_> = (0..60).map(quiet).collect();
        assert!(matches!(&read(&payload(&many).unwrap())[..], [star] if star.id == "*" && star.quiet));
        many.push(loud);
        assert!(matches!(&read(&payload(&many).unwrap())[..], [star] if star.id == "*" && !star.quiet));
    }

    #[test]
    fn a_message_always_fits() {
        let all: Vec<_> = ChangeTopic::ALL
            .iter()
            .flat_map(|topic| (0..50).map(|_| change(*topic, crate::clock::new_id(), i64::MAX)))
            .collect();
        let text = payload(&all).unwrap();
        assert!(text.len() < 8_000);
        let changes = read(&text);
        assert!(ChangeTopic::ALL.iter().all(|topic| changes.iter().any(|change| change.topic == *topic)));

        let long = [change(ChangeTopic::System, "x".repeat(9_000), 1), change(ChangeTopic::Event, "e", 0)];
        assert_eq!(payload(&long).as_deref(), Some(r#"[["event","e",0,false],["system","*",0,false]]"#));
    }

    #[test]
    fn what_is_not_understood_may_mean_anything() {
        assert_eq!(read("?").len(), ChangeTopic::ALL.len());
    }

    #[tokio::test]
    async fn the_ring_knows_what_it_knows() {
        let nowhere = PgPoolOptions::new().connect_lazy("postgres://127.0.0.1:1/none").unwrap();
        let cancelled = CancellationToken::new();
        cancelled.cancel();
        let live = Live::start(&nowhere, cancelled);
        assert_eq!(live.since(&live.id(0)), Since::Missed(vec![]));

        live.0.publish((0..5_000).map(|n| change(ChangeTopic::Event, n, 0)));
        let Since::Missed(missed) = live.since(&live.id(4_998)) else { panic!("it is in the ring") };
        assert_eq!(missed.iter().map(|numbered| numbered.n).collect::<Vec<_>>(), [4_999, 5_000]);
        assert_eq!(live.since(&live.id(5_000)), Since::Missed(vec![]));
        assert!(matches!(live.since(&live.id(904)), Since::Missed(missed) if missed.len() == KEPT));
        for id in [live.id(903), live.id(5_001), "other-5000".to_owned(), "5000".to_owned(), String::new()] {
            assert_eq!(live.since(&id), Since::Unknown, "{id}");
        }
    }
}
