//! The single entrance for evidence, whatever eye saw it.
//!
//! Locks the connections in the order of their ids, weighs each sighting, judges, and writes state, evidence, transitions and
//! proof in the caller's transaction. What only confirms what is known moves the proof and nothing else.

use super::gap::WINDOW;
use super::lull::{self, Lull};
use super::told::{Told, Was};
use super::{
    CheckReason, Described, Facts, Feed, Judgement, Policy, Sighting, State, SyncFact, Turn, follow, judge, unsettled,
    weigh,
};
use crate::alert::Touch;
use crate::clock::new_id;
use crate::live;
use crate::store::{
    self, alert_touch, connection, evidence::NewEvidence, gap, past, reconnect_link, transition::NewTransition,
};
use chrono::{DateTime, TimeDelta, Utc};
use differs::{differs, only_times_differ, proof_differs, shown_differs, times_differ};
use model::{Applied, Authorization, Change, ChangeTopic, ConnectionId, CustomerId, Eye, Health};
use sqlx::{PgConnection, Result};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// How long evidence that only confirms is not recorded again.
const RECORD_EVERY: TimeDelta = TimeDelta::hours(1);

/// What upstream's list says of a connection beside its condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its contact.
    pub email: Option<String>,
    /// Its customer.
    pub customer: CustomerId,
    /// Its platform's slug.
    pub platform: String,
    /// Their names, and everything upstream says.
    pub described: Arc<Described>,
}

/// A sighting of a connection of ours.
#[derive(Clone, Debug)]
pub struct Sighted {
    /// Of which.
    pub connection: ConnectionId,
    /// What was seen.
    pub sighting: Sighting,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// Upstream's clock minus ours.
    pub skew: TimeDelta,
    /// How its source judges.
    pub policy: Policy,
    /// Upstream's status, letter for letter, where the eye can see it.
    pub raw_status: Option<String>,
    /// How upstream describes it, where the eye can see that.
    pub description: Option<Description>,
    /// Upstream's newest error, where the eye can see whether there is one.
    pub upstream_error: Option<Option<String>>,
    /// The event behind it.
    pub event: Option<Uuid>,
}

/// What a batch of evidence did.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// How many states changed in some way that is shown.
    pub changed: usize,
    /// How many healths changed.
    pub transitions: usize,
    /// Whether closer looks were asked for.
    pub checks: bool,
    /// What others should ask for again.
    pub changes: Vec<Change>,
    /// What each sighting did, in the order given; none for connections that are not there.
    pub applied: Vec<Option<Applied>>,
}

/// Whether a sighting would do more than confirm `state`: decided without a lock, to spare most of a poll the write. That
/// somebody has looked may be news by itself: a deadline that passed unseen is now a sync that is late.
pub fn tells_something(state: &State, sighted: &Sighted, now: DateTime<Utc>) -> bool {
    let mut trial = Trial::default();
    let mut after = state.clone();
    apply(&mut after, sighted, now, &mut trial);
    trial.recorded || differs(state, &after) || times_differ(state, &after)
}

/// Weighs sightings, writes what follows, and announces it. The order within one connection is kept.
pub async fn observe(conn: &mut PgConnection, sightings: &[Sighted], now: DateTime<Utc>) -> Result<Observed> {
    let observed = take_in(conn, sightings, now).await?;
    live::announce(conn, &observed.changes).await?;
    Ok(observed)
}

/// The same, for who announces it together with what else the transaction has changed.
pub async fn take_in(conn: &mut PgConnection, sightings: &[Sighted], now: DateTime<Utc>) -> Result<Observed> {
    let mut ids: Vec<Uuid> = sightings.iter().map(|sighted| sighted.connection.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let locked = match sightings.iter().any(|sighted| sighted.description.is_some()) {
        true => connection::lock_described(conn, &ids).await?,
        false => connection::lock(conn, &ids).await?,
    };
    let before: BTreeMap<ConnectionId, State> = locked.into_iter().map(|state| (state.id, state)).collect();
    let mut after = before.clone();
    let mut trial = Trial::default();
    let mut observed = Observed::default();
    let (mut expected, mut came) = (Vec::new(), Vec::new());
    for sighted in sightings {
        let applied = after.get_mut(&sighted.connection).map(|state| {
            let was = Was::of(state);
            let applied = apply(state, sighted, now, &mut trial);
            match was.told(state, sighted) {
                Some(Told::Expected(one)) => expected.push(one),
                Some(Told::Came(one)) => came.push(one),
                None => {}
            }
            applied
        });
        observed.applied.push(applied);
    }
    observed.checks = trial.checks;
    write(conn, before, after, trial, now, &mut observed).await?;
    if !expected.is_empty() {
        gap::expect(conn, &expected, WINDOW, now).await?;
    }
    if !came.is_empty() {
        gap::came(conn, &came, WINDOW, now).await?;
    }
    Ok(observed)
}

/// Judges connections again because time, or what is asked of them, has changed.
pub async fn reconsider(
    conn: &mut PgConnection,
    ids: &[Uuid],
    policies: &HashMap<model::SourceId, Policy>,
    now: DateTime<Utc>,
) -> Result<Observed> {
    let before: BTreeMap<ConnectionId, State> =
        connection::lock(conn, ids).await?.into_iter().map(|state| (state.id, state)).collect();
    let mut after = before.clone();
    let mut trial = Trial::default();
    for state in after.values_mut() {
        if let Some(policy) = policies.get(&state.source_id) {
            rejudge(state, policy, now, None, &mut trial);
        }
    }
    let mut observed = Observed::default();
    write(conn, before, after, trial, now, &mut observed).await?;
    live::announce(conn, &observed.changes).await?;
    Ok(observed)
}

/// The same for connections whose proof has become too old. A sweep of its own, because a proof has no index.
pub async fn fade(
    conn: &mut PgConnection,
    policies: &HashMap<model::SourceId, Policy>,
    now: DateTime<Utc>,
) -> Result<Observed> {
    let ids = connection::faded(conn, now, 1_000).await?;
    if ids.is_empty() { Ok(Observed::default()) } else { reconsider(conn, &ids, policies, now).await }
}

/// A connection is gone upstream: out of lists and totals, history kept.
pub async fn remove(conn: &mut PgConnection, id: ConnectionId, now: DateTime<Utc>) -> Result<()> {
    let Some(before) = connection::lock(conn, &[id.0]).await?.pop().filter(|state| state.removed_at.is_none()) else {
        return Ok(());
    };
    let mut after = before.clone();
    after.removed_at = Some(now);
    (after.check_due_at, after.check_reason, after.judge_due_at) = (None, None, None);
    after.version += 1;
    store::transition::append(
        conn,
        &[NewTransition {
            id: new_id(),
            connection_id: id,
            at: now,
            from: Some(before.health),
            to: None,
            cause: None,
            cause_detail: None,
            eye: Some(Eye::Check),
            evidence_id: None,
            evidence_text: Some("Makini no longer knows this connection".to_owned()),
            lasted_seconds: Some((now - before.since).num_seconds()),
        }],
    )
    .await?;
    alert_touch::append(conn, &[Touch { connection: id, at: now, health: None }]).await?;
    let mut changes = vec![Change::new(ChangeTopic::Connection, id, after.version)];
    changes.extend(follow(conn, &[turn(&before, &after, None)], now).await?);
    connection::save(conn, &[after], now).await?;
    live::announce(conn, &changes).await
}

#[derive(Default)]
struct Trial {
    recorded: bool,
    checks: bool,
    evidence: Vec<NewEvidence>,
    transitions: Vec<NewTransition>,
    /// The cadences of those of which something new came, as they were until then.
    cadences: HashMap<ConnectionId, Option<i64>>,
}

fn apply(state: &mut State, sighted: &Sighted, now: DateTime<Utc>, trial: &mut Trial) -> Applied {
    let sighting = &sighted.sighting;
    let weighed = weigh(&state.known, sighting, sighted.skew, now);
    let first = state.version == 0 && state.proof.is_none();
    let due = state.recorded_at.is_none_or(|at| now - at >= RECORD_EVERY);
    // a sync that no webhook told is on the record all the same
    let noticed = match sighting.eye {
        Eye::Webhook => None,
        Eye::Poll | Eye::Check => SyncFact::noticed(state.known.last_good_sync_at, weighed.known.last_good_sync_at),
    };
    let by_webhook = sighting.eye == Eye::Webhook;
    let of_data = by_webhook && sighting.facts.of_data;
    // webhooks about data may be many, and one is like the other
    let told =
        !matches!(weighed.applied, Applied::Confirmed) || sighting.eye != Eye::Poll && !of_data || noticed.is_some();
    let evidence_id = (first || due || told).then(|| {
        let id = new_id();
        trial.recorded = true;
        state.recorded_at = Some(now);
        trial.evidence.push(NewEvidence {
            id,
            received_at: sighted.received_at,
            connection_id: state.id,
            eye: sighting.eye,
            at: sighting.at,
            applied: weighed.applied,
            text: sighting.facts.text(),
            facts: Facts { sync: sighting.facts.sync.clone().or(noticed), ..sighting.facts.clone() }.to_json(),
            event_id: sighted.event,
        });
        id
    });
    let newest = |known: &super::Known| (known.event_at, known.last_good_sync_at);
    if of_data || newest(&state.known) != newest(&weighed.known) {
        let feed = |state: &State| sighted.policy.feed(&state.known, state.cadence_set, now);
        trial.cadences.entry(state.id).or_insert_with(|| feed(state).cadence());
    }
    let was_in_order = state.known.is_in_order();
    state.known = weighed.known;
    let is_in_order = state.known.is_in_order();
    let pulse = &mut state.known.pulse;
    if by_webhook {
        pulse.note(sighted.received_at, of_data, was_in_order);
    }
    if of_data {
        pulse.brought(sighting.at);
    }
    pulse.settle(was_in_order, is_in_order, now);
    // data that came proves that one is in order which is fed by it; one without a time of its own may have been long on its way
    let proves = weighed.proves
        || of_data
            && sighting.own_at.is_some()
            && is_in_order
            && matches!(sighted.policy.feed(&state.known, state.cadence_set, now), Feed::RealTime(_));
    if (proves || !by_webhook) && state.proof.is_none_or(|(at, _)| sighting.at >= at) {
        state.proof = Some((sighting.at, sighting.eye));
    }
    if let Some(reason) = weighed.check {
        ask(state, reason, now);
        trial.checks = true;
    }
    describe(state, sighted);
    let basis = Basis { eye: sighting.eye, evidence_id, text: sighting.facts.text() };
    rejudge(state, &sighted.policy, now, Some(&basis), trial);
    weighed.applied
}

fn ask(state: &mut State, reason: CheckReason, now: DateTime<Utc>) {
    if state.check_due_at.is_none_or(|due| due > now) {
        state.check_due_at = Some(now);
        state.check_reason = Some(reason.code().to_owned());
    }
}

fn describe(state: &mut State, sighted: &Sighted) {
    if sighted.sighting.eye != Eye::Webhook {
        if sighted.raw_status.is_some() {
            state.raw_status.clone_from(&sighted.raw_status);
        }
        // it is in the list, or answers for itself
        state.absent_since = None;
        state.removed_at = None;
    }
    if let Some(error) = &sighted.upstream_error {
        state.upstream_error.clone_from(error);
    } else if state.known.detail.is_none() {
        state.upstream_error = None;
    }
    if let Some(description) = &sighted.description {
        state.name.clone_from(&description.name);
        state.email.clone_from(&description.email);
        state.customer_id = description.customer;
        state.platform_slug.clone_from(&description.platform);
        state.described = Some(Arc::clone(&description.described));
    }
}

/// What a judgement rests on; nothing when the clock alone did it.
struct Basis {
    eye: Eye,
    evidence_id: Option<Uuid>,
    text: String,
}

fn rejudge(state: &mut State, policy: &Policy, now: DateTime<Utc>, basis: Option<&Basis>, trial: &mut Trial) {
    let judged = judge(&state.known, state.cadence_set, state.proof.map(|(at, _)| at), policy, now);
    let first = state.version == 0 && !trial.transitions.iter().any(|t| t.connection_id == state.id);
    if !first {
        let (before, after) = ((state.authorization, state.data_flow), (judged.authorization, judged.data_flow));
        unsettled::remember(&mut state.flips, before, after, now);
    }
    let Judgement { authorization, data_flow, health, cause, detail, due } =
        unsettled::overlay(judged, &state.flips, now);
    if first || health != state.health {
        trial.transitions.push(NewTransition {
            id: new_id(),
            connection_id: state.id,
            at: now,
            from: (!first).then_some(state.health),
            to: Some(health),
            cause,
            cause_detail: detail.clone(),
            eye: basis.map(|basis| basis.eye),
            evidence_id: basis.and_then(|basis| basis.evidence_id),
            evidence_text: basis.map(|basis| basis.text.clone()),
            lasted_seconds: (!first).then(|| (now - state.since).num_seconds().max(0)),
        });
        state.since = now;
    }
    (state.authorization, state.data_flow, state.health) = (authorization, data_flow, health);
    (state.cause, state.cause_detail, state.judge_due_at) = (cause, detail, due);
}

async fn write(
    conn: &mut PgConnection,
    before: BTreeMap<ConnectionId, State>,
    after: BTreeMap<ConnectionId, State>,
    trial: Trial,
    now: DateTime<Utc>,
    observed: &mut Observed,
) -> Result<()> {
    let moved: Vec<&State> = after.values().filter(|state| proof_differs(&before[&state.id], state)).collect();
    connection::save_proofs(conn, &moved, now).await?;
    let (mut changes, mut changed, mut turns) = (Vec::new(), Vec::new(), Vec::new());
    let mut evidence: HashMap<ConnectionId, &str> = HashMap::new();
    for transition in &trial.transitions {
        evidence.extend(transition.evidence_text.as_deref().map(|text| (transition.connection_id, text)));
    }
    let (mut authorized, mut synced, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let mut touches: Vec<Touch> = Vec::new();
    let (mut lulls, mut flips): (Vec<(ConnectionId, Lull)>, Vec<_>) = (Vec::new(), Vec::new());
    for (id, mut state) in after {
        let before = &before[&id];
        if let Some(cadence) = trial.cadences.get(&id) {
            lulls.extend(lull::ended(&before.known, &state.known, *cadence, now).map(|lull| (id, lull)));
        }
        let turned_now = |state: &State| state.flips.iter().filter(|at| **at == now).count();
        flips.extend((turned_now(before)..turned_now(&state)).map(|_| id));
        let signed_in = |state: &State| state.known.authorization.value == Authorization::Authorized;
        if signed_in(&state) && !signed_in(before) {
            authorized.push(id);
        }
        let good = state.known.last_good_sync_at.filter(|_| times_differ(before, &state));
        synced.extend(good.map(|at| (id, at)));
        let (wide, shown) = (differs(before, &state), shown_differs(before, &state));
        state.version += i64::from(wide && shown);
        if shown {
            let quiet = only_times_differ(before, &state);
            let change = if quiet { Change::quiet } else { Change::new };
            changes.push(change(ChangeTopic::Connection, id, state.version));
        }
        if turned(before, &state) {
            turns.push(turn(before, &state, evidence.get(&id).copied()));
        }
        touches.extend(touch(before, &state, &trial.transitions, now));
        if wide {
            errors.extend((state.upstream_error != before.upstream_error && state.described.is_none()).then_some(id.0));
            changed.push(state);
        }
    }
    observed.changed = changes.len();
    observed.transitions = trial.transitions.len();
    for transition in &trial.transitions {
        let to = transition.to.map_or("removed", Health::code);
        metrics::counter!("linewatch_transitions_total", "to" => to).increment(1);
    }
    for conflict in trial.evidence.iter().filter(|evidence| evidence.applied == Applied::Conflict) {
        metrics::counter!("linewatch_conflicts_total", "eye" => conflict.eye.code()).increment(1);
    }
    store::evidence::append(conn, &trial.evidence).await?;
    store::transition::append(conn, &trial.transitions).await?;
    alert_touch::append(conn, &touches).await?;
    past::append_lulls(conn, &lulls).await?;
    past::append_flips(conn, &flips, now).await?;
    // errors are searched for, together with names
    connection::describe(conn, &mut changed, &errors).await?;
    connection::save(conn, &changed, now).await?;
    changes.extend(follow(conn, &turns, now).await?);
    changes.extend(repaired(conn, &authorized, &synced, now).await?);
    observed.changes = changes;
    Ok(())
}

/// Reconnect links of which this is the proof.
async fn repaired(
    conn: &mut PgConnection,
    authorized: &[ConnectionId],
    synced: &[(ConnectionId, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Result<Vec<Change>> {
    let mut told = Vec::new();
    if !authorized.is_empty() {
        told.extend(reconnect_link::note_turn(conn, authorized, now).await?);
    }
    if !synced.is_empty() {
        told.extend(reconnect_link::note_good_sync(conn, synced, now).await?);
    }
    Ok(told.into_iter().map(|id| Change::new(ChangeTopic::Connection, id, 0)).collect())
}

/// What rules have to look at: each turn by itself, or that something else they ask for has changed.
fn touch(before: &State, after: &State, transitions: &[NewTransition], now: DateTime<Utc>) -> Vec<Touch> {
    let own = transitions.iter().filter(|transition| transition.connection_id == after.id);
    let turns: Vec<_> = own.map(|turn| Touch { connection: after.id, at: turn.at, health: turn.to }).collect();
    let asked = |state: &State| (state.customer_id, state.platform_slug.clone(), state.removed_at.is_some());
    if turns.is_empty() && asked(before) != asked(after) {
        let health = after.removed_at.is_none().then_some(after.health);
        return vec![Touch { connection: after.id, at: now, health }];
    }
    turns
}

/// Whether a connection is shown otherwise than before.
fn turned(before: &State, after: &State) -> bool {
    let shown = |state: &State| (state.health, state.cause, state.removed_at.is_some());
    before.version == 0 || shown(before) != shown(after) || before.cause_detail != after.cause_detail
}

fn turn(before: &State, after: &State, evidence: Option<&str>) -> Turn {
    let shown = |state: &State| state.removed_at.is_none().then_some((state.health, state.cause));
    Turn {
        connection: after.id,
        platform: after.platform_slug.clone(),
        source: after.source_id,
        before: shown(before).filter(|_| before.version > 0),
        after: shown(after),
        detail: after.cause_detail.clone(),
        evidence: evidence.map(str::to_owned),
    }
}

mod differs;
#[cfg(test)]
mod tests;
