//! Messages on their way: a row is also the work "send it".

use super::channel::Target;
use super::{notification_again, retry, word};
use crate::notify::Message;
use chrono::{DateTime, Utc};
use model::{AlertId, Attempt, AttemptOutcome, ChannelId, NotificationId, NotificationReason, NotificationState};
use sqlx::{PgConnection, Result, types::Json};
use uuid::Uuid;

/// A message to keep.
#[derive(Clone, Debug)]
pub struct NewNotification {
    /// Its id.
    pub id: NotificationId,
    /// The group that it tells of.
    pub group: Option<Uuid>,
    /// Where to.
    pub channel: ChannelId,
    /// The alerts that it tells of.
    pub alerts: Vec<AlertId>,
    /// Why.
    pub reason: NotificationReason,
    /// What it says.
    pub content: Message,
    /// What belongs together.
    pub thread: Option<String>,
}

/// Keeps messages, due now.
pub async fn insert(conn: &mut PgConnection, new: &[NewNotification], now: DateTime<Utc>) -> Result<()> {
    for one in new {
        let alerts: Vec<Uuid> = one.alerts.iter().map(|id| id.0).collect();
        sqlx::query!(
            "insert into notification (id, group_id, channel_id, alert_ids, reason, subject, content, thread, state, created_at, due_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $9)",
            one.id.0,
            one.group,
            one.channel.0,
            &alerts,
            one.reason.code(),
            one.content.title,
            serde_json::json!(one.content),
            one.thread,
            now
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// How many new things each channel was told of since: a digest counts as this many.
pub async fn recent(conn: &mut PgConnection, since: DateTime<Utc>, digest: usize) -> Result<Vec<(ChannelId, usize)>> {
    let rows = sqlx::query!(
        r#"select channel_id, count(*) filter (where reason = 'first') as "firsts!", count(*) filter (where reason = 'digest') as "digests!"
           from notification where created_at > $1 and reason in ('first', 'digest') and instead_of is null group by channel_id"#,
        since
    )
    .fetch_all(conn)
    .await?;
    let count = |n: i64| usize::try_from(n).unwrap_or(0);
    Ok(rows
        .into_iter()
        .map(|row| (ChannelId(row.channel_id), count(row.firsts) + count(row.digests) * digest))
        .collect())
}

/// A message that is being sent.
#[derive(Clone, Debug)]
pub struct Leased {
    /// Its id.
    pub id: NotificationId,
    /// The group that it tells of.
    pub group: Option<Uuid>,
    /// Why.
    pub reason: NotificationReason,
    /// What it says.
    pub content: Message,
    /// What belongs together.
    pub thread: Option<String>,
    /// It may have been told before.
    pub maybe_repeat: bool,
    /// Failures in a row.
    pub attempt: i32,
    /// How often it was tried.
    pub tries: i32,
    /// Who asked for this try; none: the schedule.
    pub by: Option<String>,
    /// The retry of many that asked for it.
    pub retry: Option<Uuid>,
    /// When somebody asked for a try last.
    pub again_at: Option<DateTime<Utc>>,
    /// When it first failed.
    pub failed_at: Option<DateTime<Utc>>,
    /// Proves that the lease is still ours.
    pub token: Uuid,
}

/// The messages that wait for a channel and can be told as one: never tried, and about alerts. Oldest first.
pub async fn mergeable(
    conn: &mut PgConnection,
    channel: ChannelId,
    now: DateTime<Utc>,
) -> Result<Vec<(NotificationId, Vec<AlertId>)>> {
    let rows = sqlx::query!(
        "select id, alert_ids from notification where channel_id = $1 and due_at <= $2 and state = 'pending' and attempt = 0 \
         and reason not in ('test', 'silence_ends', 'digest') and instead_of is null order by created_at, id for update",
        channel.0,
        now
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (NotificationId(row.id), row.alert_ids.into_iter().map(AlertId).collect())).collect())
}

/// These are told in that one, and end as it ends.
pub async fn merge(conn: &mut PgConnection, ids: &[NotificationId], into: NotificationId) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query!("update notification set told_in = $2, due_at = null where id = any($1)", &ids, into.0)
        .execute(conn)
        .await
        .map(drop)
}

/// Leases the oldest message of a channel. One that was being sent when its lease ran out may have been told.
pub async fn lease(
    conn: &mut PgConnection,
    channel: &Target,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    token: Uuid,
) -> Result<Option<Leased>> {
    let row = sqlx::query!(
        r#"update notification set maybe_repeat = maybe_repeat or state = 'sending', state = 'sending', lease_until = $3, lease_token = $4
           where id = (select id from notification where channel_id = $1 and due_at <= $2 and (lease_until is null or lease_until < $2)
                       order by created_at, id limit 1 for update skip locked)
           returning id, group_id, reason, content as "content: Json<Message>", thread, maybe_repeat, attempt, jsonb_array_length(attempts) as "tries!",
             failed_at, by_name, retry_id, again_at"#,
        channel.id.0,
        now,
        until,
        token
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Leased {
            id: NotificationId(row.id),
            group: row.group_id,
            reason: word(&row.reason)?,
            content: row.content.0,
            thread: row.thread,
            maybe_repeat: row.maybe_repeat,
            attempt: row.attempt,
            tries: row.tries,
            by: row.by_name,
            retry: row.retry_id,
            again_at: row.again_at,
            failed_at: row.failed_at,
            token,
        })
    })
    .transpose()
}

/// What came of a try.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The try.
    pub attempt: Attempt,
    /// When it is tried again; none: it rests.
    pub due_at: Option<DateTime<Utc>>,
    /// The channel may have it, although it did not say so.
    pub may_have_arrived: bool,
}

/// Writes what came of a try. False if the lease was lost: somebody else has it.
pub async fn finish(conn: &mut PgConnection, leased: &Leased, tried: &Tried, now: DateTime<Utc>) -> Result<bool> {
    let attempt = &tried.attempt;
    let sent = attempt.outcome == AttemptOutcome::Ok;
    let state = match (sent, tried.due_at) {
        (true, _) => NotificationState::Sent,
        (false, Some(_)) => NotificationState::Pending,
        (false, None) => NotificationState::Failed,
    };
    let done = sqlx::query!(
        "update notification set state = $3, attempts = attempts || $4::jsonb, due_at = $5, lease_until = null, lease_token = null, \
         sent_at = case when $6 then $7::timestamptz end, failed_at = case when $6 then null else coalesce(failed_at, $7) end, \
         attempt = case when $6 then 0 else attempt + 1 end, error_class = $8, error_message = $9, \
          maybe_repeat = maybe_repeat or $10, by_name = null, retry_id = null where id = $1 and lease_token = $2",
        leased.id.0,
        leased.token,
        state.code(),
        serde_json::json!([attempt]),
        tried.due_at,
        sent,
        now,
        attempt.error.as_ref().map(|error| error.class.clone()),
        attempt.error.as_ref().map(|error| error.message.clone()),
        tried.may_have_arrived
    )
    .execute(&mut *conn)
    .await?;
    if leased.reason == NotificationReason::Digest && state != NotificationState::Pending {
        sqlx::query!(
            "update notification set state = $2, sent_at = case when $3 then $4::timestamptz end, \
             failed_at = case when $3 then null else $4::timestamptz end, error_class = $5, error_message = $6 where told_in = $1",
            leased.id.0,
            state.code(),
            sent,
            now,
            attempt.error.as_ref().map(|error| error.class.clone()),
            attempt.error.as_ref().map(|error| error.message.clone())
        )
        .execute(&mut *conn)
        .await?;
    }
    let ours = done.rows_affected() == 1;
    if ours {
        let why = attempt.error.as_ref().map(|error| error.message.as_str());
        notification_again::tried(conn, leased, why, now).await?;
    }
    Ok(ours)
}

/// Keeps a message that is sent at once by who made it: a test.
pub async fn insert_test(
    conn: &mut PgConnection,
    new: &NewNotification,
    token: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into notification (id, channel_id, alert_ids, reason, subject, content, thread, state, created_at, lease_token) \
         values ($1, $2, '{}', $3, $4, $5, $6, 'sending', $7, $8)",
        new.id.0,
        new.channel.0,
        new.reason.code(),
        new.content.title,
        serde_json::json!(new.content),
        new.thread,
        now,
        token
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Tests under way since before this ended with the process that sent them: nobody waits for them, and nobody sends them again.
pub async fn give_up_tests(conn: &mut PgConnection, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update notification set state = 'failed', lease_token = null, failed_at = $2, error_class = 'ended', \
         error_message = 'Linewatch was stopped while it sent this test. Send another one.' \
         where state = 'sending' and reason = 'test' and due_at is null and created_at < $1",
        before,
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// A person has one that failed, or that waits, tried again at once. False if it is sent, being sent, or not there.
pub async fn requeue(conn: &mut PgConnection, id: NotificationId, by: &str, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query_scalar!(
        "with was as (select id, retry_id from notification where id = $1 for update) \
         update notification n set state = 'pending', due_at = $2, attempt = 0, by_name = $3, retry_id = null, again_at = $2, told_in = null \
         from was where n.id = was.id and (state = 'failed' or (state = 'pending' and lease_token is null)) returning was.retry_id",
        id.0,
        now,
        by
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(Some(replaced)) = done {
        retry::ended(conn, &[(replaced, id.0, Some("A person tried it by hand instead".to_owned()))], now).await?;
    }
    sqlx::query!(
        "update channel set free_at = null from notification n where n.id = $1 and channel.id = n.channel_id and channel.enabled",
        id.0
    )
    .execute(conn)
    .await?;
    Ok(done.is_some())
}

/// Copies for channels that take over: everything unsent of a channel that has failed since `before`, once. Answers how many.
pub async fn take_over(conn: &mut PgConnection, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<u64> {
    let rows = sqlx::query!(
        r#"select n.id, f.id as fallback, c.name from notification n join channel c on c.id = n.channel_id
           join channel f on f.id = c.fallback_id and f.enabled and f.removed_at is null
           where c.failing_since <= $1 and n.state in ('pending', 'failed') and n.told_in is null and n.instead_of is null
             and n.reason <> 'test' and (n.failed_at >= c.failing_since or n.due_at is not null)
             and not exists (select 1 from notification o where o.instead_of = n.id)
           order by n.created_at, n.id limit 1000"#,
        before
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        sqlx::query!(
            "insert into notification (id, group_id, channel_id, alert_ids, reason, subject, content, thread, state, instead_of, created_at, due_at) \
             select $2, group_id, $3, alert_ids, reason, subject, jsonb_set(content, '{instead_of}', to_jsonb($4::text)), thread, 'pending', id, $5, $5 \
             from notification where id = $1 on conflict (instead_of) where instead_of is not null do nothing",
            row.id,
            crate::clock::new_id(),
            row.fallback,
            row.name,
            now
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(rows.len() as u64)
}
