//! What follows from turns and from time: issues open, recover, wake and resolve.

use super::issue::{Decision, Outlook, Proof, on_time, on_turn};
use super::ledger::{Ledger, Told};
use crate::clock::SharedClock;
use crate::live;
use crate::store::cover::{self, Cover};
use crate::store::issue;
use crate::work::Step;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Cause, Change, ConnectionId, Health, SourceId};
use sqlx::{PgConnection, PgPool, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// What the story says of an issue that an outage stands for.
pub(super) const FOLDED: &str = "An outage stands for it; it is not told by itself while that lasts";

/// So many issues at once.
const BATCH: i64 = 500;

/// A connection is shown otherwise than before: by its health, its cause, or what upstream says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Of which.
    pub connection: ConnectionId,
    /// Its platform's slug.
    pub platform: String,
    /// Its source.
    pub source: SourceId,
    /// What was shown; none at first sight, or after it was gone.
    pub before: Option<(Health, Option<Cause>)>,
    /// What is shown now; none when it is gone upstream.
    pub after: Option<(Health, Option<Cause>)>,
    /// What upstream says of the cause.
    pub detail: Option<String>,
    /// What the evidence behind it says.
    pub evidence: Option<String>,
}

/// Opens issues, lets them recover and ends them as their connections turn. Called with the locks of these connections held, in
/// the transaction that turns them; the caller announces what this answers. It costs nothing when nothing can follow, and at
/// most five statements however many turn. How long a connection must be well before its issues resolve is for
/// [`issues_due`], which looks at once at what begins to recover.
pub async fn follow(conn: &mut PgConnection, turns: &[Turn], now: DateTime<Utc>) -> Result<Vec<Change>> {
    // who is first seen well has no issues: a first round over many costs nothing here
    let turns: Vec<_> = turns
        .iter()
        .filter(|turn| turn.before.is_some() || matches!(Outlook::of(turn.after), Outlook::Bad(_)))
        .collect();
    if turns.is_empty() {
        return Ok(Vec::new());
    }
    let covers = cover::covers(conn).await?;
    let ids: Vec<Uuid> = turns.iter().map(|turn| turn.connection.0).collect();
    let mut ledger = Ledger::new(issue::of_connections(conn, &ids).await?, TimeDelta::zero(), now);
    let mut places: HashMap<ConnectionId, Vec<usize>> = HashMap::new();
    for (place, kept) in ledger.issues() {
        places.extend(kept.connection.filter(|id| !places.contains_key(id)).map(|id| (id, Vec::new())));
        if let Some(own) = kept.connection.and_then(|id| places.get_mut(&id)) {
            own.push(place);
        }
    }
    for turn in turns {
        take(&mut ledger, places.entry(turn.connection).or_default(), turn, &covers, now);
    }
    ledger.write(conn).await
}

fn take(ledger: &mut Ledger, places: &mut Vec<usize>, turn: &Turn, covers: &[Cover], now: DateTime<Utc>) {
    // one that comes back was last seen gone
    let before = Outlook::of(turn.before);
    let after = Outlook::of(turn.after);
    let cover = Cover::of(covers, &turn.platform, turn.source);
    let causes: HashMap<Cause, usize> =
        places.iter().filter_map(|place| Some((ledger.issue(*place)?.standing.cause, *place))).collect();
    if let Outlook::Bad(cause) = after
        && !causes.contains_key(&cause)
    {
        let decision = on_turn(cause, None, (before, after), cover.is_some(), now);
        let place = ledger.add(turn.connection, cause);
        places.push(place);
        ledger.enter(place, decision, told(turn, cause, decision, cover));
    }
    for (cause, place) in causes {
        let Some(kept) = ledger.issue(place) else { continue };
        let decision = on_turn(cause, Some(&kept.standing), (before, after), cover.is_some(), now);
        ledger.enter(place, decision, told(turn, cause, decision, cover));
    }
}

fn told<'a>(turn: &'a Turn, cause: Cause, decision: Decision, cover: Option<model::OutageId>) -> Told<'a> {
    let is_cause = Outlook::of(turn.after) == Outlook::Bad(cause);
    let detail = turn.detail.as_deref().filter(|_| is_cause);
    let text = match decision {
        Decision::Resolve(_) => "Gone from Makini; nothing is left to mend".to_owned(),
        Decision::Unfold => BROKEN_AFTER_OUTAGE.to_owned(),
        Decision::Wake => STILL_BROKEN.to_owned(),
        _ => match turn.evidence.as_deref().or(detail) {
            Some(said) => format!("{}: {said}", cause.words()),
            None => cause.words().to_owned(),
        },
    };
    Told { detail, outage: cover, text }
}

/// What the story says when an outage ends and this does not.
pub(super) const BROKEN_AFTER_OUTAGE: &str = "The outage is over, and this is still broken";
/// What it says when a snooze ends.
const STILL_BROKEN: &str = "The snooze ended, and it is still broken";

/// Wakes and resolves what is due. Busy when there may be more.
pub async fn issues_due(pool: &PgPool, clock: &SharedClock, hold: TimeDelta) -> Result<Step> {
    let now = clock.now();
    let mut tx = pool.begin().await?;
    let due = issue::due(&mut tx, now, BATCH).await?;
    if due.is_empty() {
        return Ok(Step::Idle);
    }
    let ids: Vec<Uuid> = due.iter().filter_map(|kept| kept.connection).map(|id| id.0).collect();
    let shown: HashMap<_, _> =
        issue::shown(&mut tx, &ids).await?.into_iter().map(|shown| (shown.connection, shown)).collect();
    let mut ledger = Ledger::new(due.clone(), hold, now);
    for (place, kept) in due.iter().enumerate() {
        let decision = on_time(&kept.standing, hold, now);
        let text = match (decision, kept.standing.well_since) {
            (Decision::Resolve(Proof::Held), Some(since)) => {
                proof(now - since, kept.connection.and_then(|id| shown.get(&id)))
            }
            _ => STILL_BROKEN.to_owned(),
        };
        ledger.enter(place, decision, Told { detail: None, outage: None, text });
    }
    let changes = ledger.write(&mut tx).await?;
    live::announce(&mut tx, &changes).await?;
    tx.commit().await?;
    Ok(Step::Busy)
}

/// Why an issue is over, in words.
fn proof(lasted: TimeDelta, shown: Option<&issue::Shown>) -> String {
    let lasted = span(lasted);
    let Some(shown) = shown else { return format!("Well for {lasted}") };
    if !matches!(Outlook::of(Some((shown.health, None))), Outlook::Well) {
        return format!("It has not come back for {lasted}; now: {}", shown.health.words().to_lowercase());
    }
    match (&shown.evidence, shown.eye) {
        (Some(evidence), Some(eye)) => format!("Well for {lasted}. Proof: {evidence} ({eye})"),
        (Some(evidence), None) => format!("Well for {lasted}. Proof: {evidence}"),
        (None, _) => format!("Well for {lasted}: {}", shown.health.words().to_lowercase()),
    }
}

fn span(lasted: TimeDelta) -> String {
    match lasted.num_seconds() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}
