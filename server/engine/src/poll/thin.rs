//! Words that tell less than they seem to.
//!
//! Some upstreams say of a connection only that it is set up. Taken for more, such a word would undo what a webhook or a look
//! has just proved, or show as healthy what nobody has seen syncing. So it proves nothing: it is noted beside the connection,
//! moves no proof, and takes back only what an earlier word of the same list had claimed.

use crate::health::{Described, Facts, Flow, FlowFact, Sighted, State};
use crate::live;
use crate::makini::{self, Closer, Tells};
use crate::store::connection;
use chrono::{DateTime, Utc};
use model::{Authorization, Cause, Change, ChangeTopic, ConnectionId, Source, UpstreamStatus};
use serde_json::Value;
use sqlx::{PgConnection, Result};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// What a word is worth.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Worth {
    /// It is evidence, of this.
    Evidence(Facts),
    /// It says nothing of the condition.
    Nothing,
    /// The same, but something has happened: a closer look will tell what.
    ALook,
}

/// A word and how much it tells.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) raw: Option<&'a str>,
    pub(super) status: Option<UpstreamStatus>,
    pub(super) tells: Tells,
}

/// What is left of `facts` when the word behind them counts for no more than it tells. `may_look`: whether a closer look could
/// tell more.
pub(super) fn weigh(mut facts: Facts, word: Word<'_>, state: &State, source: &Source, may_look: bool) -> Worth {
    if word.tells == Tells::All {
        return Worth::Evidence(facts);
    }
    if facts.authorization.is_some_and(|(value, _)| value == Authorization::Authorized) {
        facts.authorization = None;
    }
    if word.tells == Tells::Flow {
        return Worth::Evidence(facts);
    }
    let known = &state.known;
    let never_synced = known.last_good_sync_at.is_none();
    if word.status == Some(UpstreamStatus::Synchronizing) && never_synced && !matches!(known.flow.value, Flow::Good) {
        return Worth::Evidence(facts);
    }
    let before = state.raw_status.as_deref().filter(|before| Some(*before) != word.raw);
    let before = before.and_then(|before| makini::word(source.dialect, before, &source.mappings).0);
    let refused = matches!(before, Some(UpstreamStatus::Fail | UpstreamStatus::Disconnected))
        && matches!(known.authorization.value, Authorization::ReauthorizationRequired | Authorization::Revoked);
    let stopped = match known.flow.value {
        // nothing but the list says so
        Flow::NotConnected | Flow::FirstSync | Flow::Paused => true,
        Flow::Failing | Flow::Offline => matches!(before, Some(UpstreamStatus::Error | UpstreamStatus::Offline)),
        Flow::Good | Flow::Unknown => false,
    };
    // what came back was gone, and nothing of it is known any more
    let first = state.version == 0 || state.removed_at.is_some();
    if (refused || stopped || before == Some(UpstreamStatus::InProgress)) && may_look && !first {
        return Worth::ALook;
    }
    if !(first || refused || stopped) {
        return Worth::Nothing;
    }
    Worth::Evidence(Facts {
        authorization: (first || refused || known.authorization.value == Authorization::Unknown)
            .then_some((Authorization::Unknown, Some(Cause::NoProof))),
        flow: Some((FlowFact::Is(Flow::Unknown), Some(Cause::NoProof))),
        detail: Some("Makini does not say whether its data flows".to_owned()),
        ..Facts::default()
    })
}

/// What a connection's own token shows, beside the list's word for it. Where that one tells something, it stands: it is asked in
/// every round, and has words (offline, inactive) that a sync's status lacks.
pub(super) fn beside_the_list(closer: &Closer, state: &State, source: &Source) -> Closer {
    let mut closer = closer.clone();
    let Some(listed) = state.raw_status.as_deref().filter(|_| closer.sync.is_some()) else { return closer };
    let (status, tells) = makini::word(source.dialect, listed, &source.mappings);
    if !makini::list_tells_syncs(source.dialect) && tells != Tells::SetUp {
        (closer.status, closer.tells, closer.raw_status) = (status, tells, Some(listed.to_owned()));
    }
    closer
}

/// Writes down what words say that prove nothing: the word itself, how the connection is described, and that it is there. Those
/// for which it is `true` are looked at closer.
pub(super) async fn note(conn: &mut PgConnection, words: &[(Sighted, bool)], now: DateTime<Utc>) -> Result<bool> {
    let mut ids: Vec<Uuid> = words.iter().map(|(sighted, _)| sighted.connection.0).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(false);
    }
    let mut states: HashMap<ConnectionId, State> =
        connection::lock_described(conn, &ids).await?.into_iter().map(|state| (state.id, state)).collect();
    let (mut noted, mut looks) = (Vec::new(), false);
    for (sighted, look) in words {
        let Some(mut state) = states.remove(&sighted.connection) else { continue };
        looks |= *look;
        describe(&mut state, sighted);
        if *look && state.check_due_at.is_none_or(|due| due > now) {
            (state.check_due_at, state.check_reason) = (Some(now), Some("changed".to_owned()));
        }
        state.version += 1;
        noted.push(state);
    }
    let changes: Vec<_> =
        noted.iter().map(|state| Change::new(ChangeTopic::Connection, state.id, state.version)).collect();
    connection::save(conn, &noted, now).await?;
    live::announce(conn, &changes).await?;
    Ok(looks)
}

/// Whether there is anything to note.
pub(super) fn is_new(state: &State, sighted: &Sighted) -> bool {
    let mut after = state.clone();
    describe(&mut after, sighted);
    let row = |state: &State| State { described: None, ..state.clone() };
    row(&after) != row(state) || said(&after) != said(state)
}

/// How upstream describes it, without what moves with every sync.
fn said(state: &State) -> Option<impl PartialEq> {
    let Described { customer_name, platform_name, upstream } = state.described.as_deref()?;
    Some((customer_name, platform_name, fixed(upstream)))
}

/// Without what moves with every sync.
fn fixed(upstream: &Value) -> Option<serde_json::Map<String, Value>> {
    let mut map = upstream.as_object()?.clone();
    map.retain(|name, _| !matches!(name.as_str(), "updated_at" | "status"));
    Some(map)
}

fn describe(state: &mut State, sighted: &Sighted) {
    (state.absent_since, state.removed_at) = (None, None);
    if sighted.raw_status.is_some() {
        state.raw_status.clone_from(&sighted.raw_status);
    }
    if let Some(description) = &sighted.description {
        state.name.clone_from(&description.name);
        state.email.clone_from(&description.email);
        state.customer_id = description.customer;
        state.platform_slug.clone_from(&description.platform);
        state.described = Some(Arc::clone(&description.described));
    }
}

#[cfg(test)]
pub(super) mod tests;
