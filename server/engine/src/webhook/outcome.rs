//! What an event says of which connection, and what that comes to.

use super::accept::KEYS_ARE_KEPT;
use super::event::{News, Parsed, parse};
use crate::health::{Sighted, Sighting, facts_of_data, facts_of_news};
use crate::store::connection;
use crate::store::event_due::{Came, Turn};
use crate::store::event_end::Finished;
use crate::store::source::Brief;
use crate::work::backoff;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Attempt, AttemptError, AttemptOutcome, ConnectionId, EventState, Eye, SourceId};
use sqlx::PgConnection;
use std::collections::HashMap;

/// How often an event whose connection is not known yet, or that ends its process, is tried before it rests.
pub(super) const TRIES: i32 = 6;

/// What an event came to.
pub(super) struct End {
    pub state: EventState,
    pub outcome: AttemptOutcome,
    pub error: Option<AttemptError>,
    pub due_at: Option<DateTime<Utc>>,
}

impl End {
    /// It went well.
    pub fn done(state: EventState) -> Self {
        Self { state, outcome: AttemptOutcome::Ok, error: None, due_at: None }
    }
}

/// An event, read.
pub(super) struct Heard<'t> {
    pub turn: &'t Turn,
    pub source_id: SourceId,
    pub parsed: Parsed,
}

impl<'t> Heard<'t> {
    pub fn read(turn: &'t Turn, came: Came, briefs: &HashMap<SourceId, Brief>) -> Self {
        let Came { source_id, headers, body } = came;
        let parsed = match briefs.get(&source_id) {
            Some(brief) => parse(brief.dialect, &brief.mappings, &headers, &body, turn.received_at),
            None => {
                let mappings = model::Mappings::default();
                parse(model::Dialect::FaqV1, &mappings, &headers, &body, turn.received_at)
            }
        };
        Self { turn, source_id, parsed }
    }

    /// Its key may be gone by now, so it could have come before: it is kept, but moves nothing.
    pub fn is_too_old(&self) -> bool {
        self.parsed.occurred_at.is_some_and(|at| self.turn.received_at - at > KEYS_ARE_KEPT)
    }

    pub fn connection(&self, all: &HashMap<(SourceId, String), ConnectionId>) -> Option<ConnectionId> {
        let key = self.parsed.connection_key.clone()?;
        all.get(&(self.source_id, key)).copied()
    }
}

/// The connections that these are about, by source and key.
pub(super) async fn find(
    conn: &mut PgConnection,
    all: &[Heard<'_>],
) -> Result<HashMap<(SourceId, String), ConnectionId>, sqlx::Error> {
    let mut named: Vec<_> =
        all.iter().filter_map(|heard| Some((heard.source_id.0, heard.parsed.connection_key.clone()?))).collect();
    named.sort_unstable();
    named.dedup();
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    let (sources, keys): (Vec<_>, Vec<_>) = named.into_iter().unzip();
    let found = connection::ids_by_keys(conn, &sources, &keys).await?;
    Ok(found.into_iter().map(|(source, key, id)| ((source, key), id)).collect())
}

/// An event about a connection that no round has listed yet: it is tried again, because the next one may.
pub(super) fn stranger(turn: &Turn, now: DateTime<Utc>) -> End {
    let again = turn.attempt + 1 < TRIES;
    let wait = backoff(
        u32::try_from(turn.attempt + 1).unwrap_or(1),
        TimeDelta::seconds(5),
        TimeDelta::minutes(5),
        rand::random(),
    );
    End {
        state: if again { EventState::Pending } else { EventState::Failed },
        outcome: if again { AttemptOutcome::Retry } else { AttemptOutcome::Failed },
        error: Some(AttemptError {
            class: "unknown_connection".to_owned(),
            message: "No round has listed the connection that this event is about".to_owned(),
        }),
        due_at: again.then(|| now + wait),
    }
}

/// What an event says, for [`crate::health::observe`]. One without news is about the connection's data.
pub(super) fn sighted(
    turn: &Turn,
    parsed: &Parsed,
    news: Option<&News>,
    connection: ConnectionId,
    brief: &Brief,
) -> Sighted {
    Sighted {
        connection,
        sighting: Sighting {
            eye: Eye::Webhook,
            at: parsed.effective_at,
            own_at: parsed.occurred_at,
            facts: news.map_or_else(facts_of_data, |news| facts_of_news(news, parsed.effective_at)),
        },
        received_at: turn.received_at,
        skew: brief.skew,
        policy: brief.policy,
        raw_status: None,
        description: None,
        upstream_error: None,
        event: Some(turn.id.0),
    }
}

/// The end of a turn.
pub(super) fn finished(
    turn: Turn,
    kind: Option<String>,
    connection_id: Option<ConnectionId>,
    end: End,
    started_at: DateTime<Utc>,
    duration_ms: u32,
) -> Finished {
    let failures = if end.outcome == AttemptOutcome::Ok { 0 } else { turn.attempt + 1 };
    Finished {
        attempt: Attempt {
            n: turn.earlier + 1,
            trigger: turn.trigger(),
            by: turn.by.clone(),
            started_at,
            duration_ms,
            outcome: end.outcome,
            status: None,
            error: end.error,
        },
        state: end.state,
        kind,
        connection_id,
        due_at: end.due_at,
        failures,
        turn,
    }
}
