//! One page of a source's list, taken in one transaction.

use super::thin::{self, Word, Worth};
use super::when;
use crate::clock::new_id;
use crate::health::{
    Described, Description, Known, Observed, Policy, Sighted, Sighting, State, facts_of_seen, observe, tells_something,
};
use crate::makini::Seen;
use crate::store::{connection, connection::NewConnection, customer};
use chrono::{DateTime, TimeDelta, Utc};
use model::{Authorization, ConnectionId, CustomerId, DataFlow, Eye, Health, Source};
use sqlx::{PgConnection, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// What a page did.
pub(super) struct Swept {
    /// The connections that it held.
    pub(super) ids: Vec<ConnectionId>,
    /// What they did.
    pub(super) observed: Observed,
}

/// Takes a page: new connections are added, what differs is evidence, the rest only renews its proof; and what proves nothing
/// does not even do that. `policy`: how its source judges, with what is known of its webhooks.
pub(super) async fn sweep(
    conn: &mut PgConnection,
    (source, policy): (&Source, Policy),
    page: &[Seen],
    sent_at: DateTime<Utc>,
    skew: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Swept> {
    let mut known = states(conn, source, page).await?;
    let newcomers: Vec<_> = page.iter().filter(|seen| !known.contains_key(&seen.key)).collect();
    let customers = name_customers(conn, source, page, &known, now).await?;
    if !newcomers.is_empty() {
        let new: Vec<_> = newcomers
            .iter()
            .map(|seen| newcomer(source, seen, &customers, sent_at, when::first_look(source, page.len(), now)))
            .map(|state| NewConnection { state })
            .collect();
        connection::create(conn, &new, now).await?;
        known = states(conn, source, page).await?;
    }
    let (mut loud, mut quiet, mut mute) = (Vec::new(), Vec::new(), Vec::new());
    let mut ids = Vec::with_capacity(page.len());
    for seen in page {
        let Some(state) = known.get(&seen.key) else { continue };
        ids.push(state.id);
        let mut sighted = Sighted { policy, ..sighted(source, seen, state, &customers, sent_at, skew, now) };
        let word = Word { raw: seen.raw_status.as_deref(), status: seen.status, tells: seen.tells };
        let facts = std::mem::take(&mut sighted.sighting.facts);
        match thin::weigh(facts, word, state, source, when::looks_tell(source)) {
            Worth::ALook => mute.push((sighted, true)),
            Worth::Nothing if thin::is_new(state, &sighted) => mute.push((sighted, false)),
            Worth::Nothing => {}
            Worth::Evidence(facts) => {
                sighted.sighting.facts = facts;
                if tells_something(state, &sighted, now) {
                    loud.push(sighted);
                } else {
                    quiet.push((state.id, sent_at, Eye::Poll));
                }
            }
        }
    }
    connection::renew_proofs(conn, &quiet).await?;
    let looks = thin::note(conn, &mute, now).await?;
    let mut observed = if loud.is_empty() { Observed::default() } else { observe(conn, &loud, now).await? };
    observed.checks |= looks;
    Ok(Swept { ids, observed })
}

async fn states(conn: &mut PgConnection, source: &Source, page: &[Seen]) -> Result<HashMap<String, State>> {
    let keys: Vec<_> = page.iter().map(|seen| seen.key.clone()).collect();
    Ok(connection::by_keys(conn, source.id, &keys).await?.into_iter().map(|state| (state.key.clone(), state)).collect())
}

/// Whose connection it is: the value that the source's key names in the metadata, else the connection's own name.
fn customer_of(source: &Source, seen: &Seen) -> (String, String) {
    let text = |key: &str| match seen.metadata.get(key) {
        Some(serde_json::Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(serde_json::Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    match text(&source.customer_key) {
        Some(value) => (format!("meta:{value}"), text("customer_name").unwrap_or(value)),
        None => (format!("name:{}", seen.name), seen.name.clone()),
    }
}

/// Adds the customers and platforms of connections that are new, or that were renamed or handed over.
async fn name_customers(
    conn: &mut PgConnection,
    source: &Source,
    page: &[Seen],
    known: &HashMap<String, State>,
    now: DateTime<Utc>,
) -> Result<HashMap<String, CustomerId>> {
    let moved: Vec<_> = page
        .iter()
        .filter(|seen| {
            known.get(&seen.key).is_none_or(|state| {
                state.platform_slug != seen.platform_slug
                    || state.described.as_ref().is_none_or(|described| {
                        described.customer_name != customer_of(source, seen).1
                            || described.platform_name != seen.platform_name
                    })
            })
        })
        .collect();
    if moved.is_empty() {
        return Ok(HashMap::new());
    }
    let platforms: Vec<_> = moved.iter().map(|seen| (seen.platform_slug.clone(), seen.platform_name.clone())).collect();
    customer::ensure_platforms(conn, &platforms).await?;
    let customers: Vec<_> = moved.iter().map(|seen| customer_of(source, seen)).collect();
    customer::ensure(conn, &customers, now).await
}

fn newcomer(
    source: &Source,
    seen: &Seen,
    customers: &HashMap<String, CustomerId>,
    sent_at: DateTime<Utc>,
    look: Option<DateTime<Utc>>,
) -> State {
    let (customer_key, _) = customer_of(source, seen);
    State {
        id: ConnectionId(new_id()),
        source_id: source.id,
        key: seen.key.clone(),
        name: seen.name.clone(),
        email: None,
        customer_id: customers.get(&customer_key).copied().unwrap_or(CustomerId(uuid::Uuid::nil())),
        platform_slug: seen.platform_slug.clone(),
        tags: Vec::new(),
        raw_status: None,
        described: None,
        upstream_error: None,
        known: Known::nothing(sent_at),
        cadence_set: None,
        proof: None,
        recorded_at: None,
        authorization: Authorization::Unknown,
        data_flow: DataFlow::Unknown,
        health: Health::Unknown,
        cause: None,
        cause_detail: None,
        since: sent_at,
        flips: Vec::new(),
        judge_due_at: None,
        check_due_at: look,
        check_reason: look.map(|_| "proof".to_owned()),
        removed_at: None,
        absent_since: None,
        version: 0,
    }
}

fn sighted(
    source: &Source,
    seen: &Seen,
    state: &State,
    customers: &HashMap<String, CustomerId>,
    sent_at: DateTime<Utc>,
    skew: TimeDelta,
    now: DateTime<Utc>,
) -> Sighted {
    let (customer_key, customer_name) = customer_of(source, seen);
    let customer_id = customers.get(&customer_key).copied().unwrap_or(state.customer_id);
    let mut facts = facts_of_seen(seen);
    // a good sync in the future is upstream's clock, not a promise
    facts.last_good_sync_at = facts.last_good_sync_at.map(|at| at.min(now));
    Sighted {
        connection: state.id,
        sighting: Sighting { eye: Eye::Poll, at: sent_at, own_at: None, facts },
        received_at: now,
        skew,
        policy: Policy::from(source),
        raw_status: seen.raw_status.clone(),
        description: Some(Description {
            name: seen.name.clone(),
            email: seen.email.clone(),
            customer: customer_id,
            platform: seen.platform_slug.clone(),
            described: Arc::new(Described {
                customer_name,
                platform_name: seen.platform_name.clone(),
                upstream: seen.raw.clone(),
            }),
        }),
        upstream_error: None,
        event: None,
    }
}
