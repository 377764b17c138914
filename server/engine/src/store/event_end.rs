//! What became of events. One that was processed at its first try, as nearly all are, has one narrow row, written once.

use super::event_due::{self, Again, Turn};
use super::retry;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Attempt, AttemptOutcome, AttemptTrigger, ConnectionId, EventId, EventState};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// What became of an event at one turn.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The turn at which the work was done.
    pub turn: Turn,
    /// What became of it.
    pub state: EventState,
    /// Its kind, as upstream names it; none leaves what is there.
    pub kind: Option<String>,
    /// The connection it is about; none leaves what is there.
    pub connection_id: Option<ConnectionId>,
    /// The try, to be added to the others.
    pub attempt: Attempt,
    /// When to try again; none: nothing more is to be done.
    pub due_at: Option<DateTime<Utc>>,
    /// Tries that failed in a row by now.
    pub failures: i32,
}

impl Finished {
    /// When it failed; none when it did not.
    fn failed_at(&self) -> Option<DateTime<Utc>> {
        (self.attempt.outcome != AttemptOutcome::Ok).then_some(self.attempt.started_at)
    }

    /// Why it failed, in a sentence; none when it did not.
    fn why_not(&self) -> Option<String> {
        self.failed_at()?;
        Some(self.attempt.error.as_ref().map_or_else(|| "It failed again".to_owned(), |error| error.message.clone()))
    }

    fn ended_at(&self) -> DateTime<Utc> {
        self.attempt.started_at + TimeDelta::milliseconds(i64::from(self.attempt.duration_ms))
    }

    /// Whether the columns alone say all of the try.
    fn is_plain(&self) -> bool {
        let Attempt { n, trigger, by, outcome, status, error, .. } = &self.attempt;
        matches!(self.state, EventState::Processed | EventState::Superseded)
            && (*n, *trigger, *outcome) == (1, AttemptTrigger::Arrival, AttemptOutcome::Ok)
            && (by.is_none() && status.is_none() && error.is_none())
    }
}

/// The tries as they are told, of what the columns hold.
pub(super) fn attempts(
    kept: Option<Vec<Attempt>>,
    started_at: Option<DateTime<Utc>>,
    duration_ms: Option<i32>,
) -> Vec<Attempt> {
    kept.or_else(|| {
        Some(vec![Attempt {
            n: 1,
            trigger: AttemptTrigger::Arrival,
            by: None,
            started_at: started_at?,
            duration_ms: u32::try_from(duration_ms?).unwrap_or(0),
            outcome: AttemptOutcome::Ok,
            status: None,
            error: None,
        }])
    })
    .unwrap_or_default()
}

/// Ends turns and writes what became of their events, in the caller's transaction. Answers how many turns were ours: if that is
/// fewer than given, the caller must roll back, because some lease was lost meanwhile, and its event is somebody else's.
pub async fn finish(conn: &mut PgConnection, finished: &[Finished]) -> sqlx::Result<u64> {
    if finished.is_empty() {
        return Ok(0);
    }
    let turns: Vec<_> = finished.iter().map(|end| &end.turn).collect();
    let ours = event_due::end(conn, &turns).await?;
    if ours != finished.len() as u64 {
        return Ok(ours);
    }
    let (first, further): (Vec<_>, Vec<_>) = finished.iter().partition(|end| end.turn.earlier == 0);
    insert(conn, &first).await?;
    for end in further {
        update(conn, end).await?;
    }
    let again = finished.iter().filter_map(|end| {
        let tries = i32::try_from(end.turn.earlier + 1).unwrap_or(i32::MAX);
        let Turn { id, received_at, .. } = end.turn;
        Some(Again { id, received_at, due_at: end.due_at?, tries, attempt: end.failures, by: None })
    });
    event_due::add(conn, &again.collect::<Vec<_>>()).await?;
    let asked_for = finished.iter().filter_map(|end| Some((end.turn.retry?, end.turn.id.0, end.why_not())));
    if let Some(last) = finished.iter().map(Finished::ended_at).max() {
        retry::ended(conn, &asked_for.collect::<Vec<_>>(), last).await?;
    }
    Ok(ours)
}

async fn insert(conn: &mut PgConnection, ends: &[&Finished]) -> sqlx::Result<()> {
    if ends.is_empty() {
        return Ok(());
    }
    let attempts = |end: &Finished| (!end.is_plain()).then(|| Json([end.attempt.clone()]));
    sqlx::query!(
        "insert into event_end (id, received_at, started_at, connection_id, duration_ms, state, kind, attempts, failed_at)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::uuid[], $5::integer[], $6::text[],
                              $7::text[], $8::jsonb[], $9::timestamptz[])",
        &ends.iter().map(|end| end.turn.id.0).collect::<Vec<_>>(),
        &ends.iter().map(|end| end.turn.received_at).collect::<Vec<_>>(),
        &ends.iter().map(|end| end.attempt.started_at).collect::<Vec<_>>(),
        &ends.iter().map(|end| end.connection_id.map(|id| id.0)).collect::<Vec<_>>() as &[Option<Uuid>],
        &ends.iter().map(|end| duration(end)).collect::<Vec<_>>(),
        &ends.iter().map(|end| end.state.code()).collect::<Vec<_>>() as &[&str],
        &ends.iter().map(|end| end.kind.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &ends.iter().map(|end| attempts(end)).collect::<Vec<_>>() as &[Option<Json<[Attempt; 1]>>],
        &ends.iter().map(|end| end.failed_at()).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Few events are tried more than once.
async fn update(conn: &mut PgConnection, end: &Finished) -> sqlx::Result<()> {
    sqlx::query!(
        "update event_end set started_at = $3, duration_ms = $4, state = $5, kind = coalesce($6, kind),
                connection_id = coalesce($7, connection_id), attempts = attempts || $8::jsonb,
                failed_at = case when $9::timestamptz is null then null else coalesce(failed_at, $9::timestamptz) end
         where received_at = $1 and id = $2",
        end.turn.received_at,
        end.turn.id.0,
        end.attempt.started_at,
        duration(end),
        end.state.code(),
        end.kind,
        end.connection_id.map(|id| id.0),
        Json([&end.attempt]) as _,
        end.failed_at(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn duration(end: &Finished) -> i32 {
    i32::try_from(end.attempt.duration_ms).unwrap_or(i32::MAX)
}

/// Makes an event due now, because somebody asks for it: one that failed, was not recognised, or is scheduled for later after
/// it failed. False if it is none of these, is under way, or is not there. When it first failed stays, until it is processed.
pub async fn requeue(conn: &mut PgConnection, id: EventId, by: &str, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let Some((from, to)) = crate::clock::made_about(id.0) else { return Ok(false) };
    let ended = sqlx::query!(
        r#"update event_end set state = 'pending'
           where id = $1 and received_at between $2 and $3 and state in ('failed', 'unrecognised')
           returning received_at, jsonb_array_length(attempts) as "tries!""#,
        id.0,
        from,
        to,
    );
    let Some(ended) = ended.fetch_optional(&mut *conn).await? else {
        return event_due::hasten(conn, id, by, now).await;
    };
    let (tries, by) = (ended.tries, Some(by.to_owned()));
    let again = Again { id, received_at: ended.received_at, due_at: now, tries, attempt: 0, by };
    event_due::add(conn, &[again]).await?;
    Ok(true)
}

/// Makes these events due now for a bulk retry: those that rest as failed or were not recognised, and those scheduled for
/// later. Answers which; the others are done or under way.
///
/// They stand behind everything that reached us before this moment, because work is done in the order in which it became due:
/// so a retry of many never holds up what has just come by more than what it lets go at once.
pub async fn release(
    conn: &mut PgConnection,
    events: &[(Uuid, DateTime<Utc>)],
    by: &str,
    retry: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Uuid>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let (ids, received): (Vec<_>, Vec<_>) = events.iter().copied().unzip();
    sqlx::query_scalar!(
        r#"with wanted as materialized (
               select * from unnest($1::uuid[], $2::timestamptz[]) as w (id, received_at)
           ), held as materialized (
               select d.ctid as row from wanted w join event_due d on d.event_id = w.id
               where d.tries > 0 and d.due_at > $5 and d.retry_id is null and (d.lease_until is null or d.lease_until <= $5)
               for update of d skip locked
           ), hastened as (
               update event_due d set due_at = $5, by_name = $3, retry_id = $4, attempt = 0, lease_until = null, lease_token = null
               from held where d.ctid = held.row
               returning d.event_id
           ), rested as (
               update event_end n set state = 'pending' from wanted w
               where n.received_at = w.received_at and n.id = w.id
                 -- hidden from the index of what is unwell, which would be read whole: each is found by its key
                 and coalesce(n.state, '') in ('failed', 'unrecognised')
               returning n.id, n.received_at, jsonb_array_length(n.attempts) as tries
           ), begun as (
               insert into event_due (due_at, event_id, received_at, tries, by_name, retry_id)
               select $5, id, received_at, tries, $3, $4 from rested
               returning event_id
           )
           select event_id as "id!" from hastened union all select event_id from begun"#,
        &ids,
        &received,
        by,
        retry,
        now,
    )
    .fetch_all(conn)
    .await
}
