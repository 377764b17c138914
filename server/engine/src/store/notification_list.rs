//! Questions about what was told.

use super::{cursor, internal, word};
use crate::notify::{Addresses, Message, email};
use chrono::{DateTime, Utc};
use model::{AlertId, Attempt, ChannelId, Notification, NotificationId, NotificationQuery, Page, Refusal};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

struct Row {
    id: Uuid,
    alert_ids: Vec<Uuid>,
    channel_id: Uuid,
    channel: String,
    kind: String,
    reason: String,
    subject: String,
    state: String,
    maybe_repeat: bool,
    instead_of: Option<Uuid>,
    created_at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    sent_at: Option<DateTime<Utc>>,
    attempts: Json<Vec<Attempt>>,
}

impl Row {
    fn read(self) -> sqlx::Result<Notification> {
        Ok(Notification {
            id: NotificationId(self.id),
            alert_ids: self.alert_ids.into_iter().map(AlertId).collect(),
            channel_id: ChannelId(self.channel_id),
            channel: self.channel,
            channel_kind: word(&self.kind)?,
            reason: word(&self.reason)?,
            subject: self.subject,
            state: word(&self.state)?,
            maybe_repeat: self.maybe_repeat,
            instead_of: self.instead_of.map(NotificationId),
            created_at: self.created_at,
            due_at: self.due_at,
            sent_at: self.sent_at,
            attempts: self.attempts.0,
            text: None,
        })
    }
}

/// A page of messages, newest first.
pub async fn list(conn: &mut PgConnection, query: &NotificationQuery) -> Result<Page<Notification>, Refusal> {
    let limit = usize::from(query.limit());
    let after = query.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let (after_at, after_id) = after.unzip();
    let states: Vec<String> = query.state.iter().map(|state| state.code().to_owned()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select n.id, n.alert_ids, n.channel_id, c.name as channel, c.kind, n.reason, n.subject, n.state, n.maybe_repeat, n.instead_of,
                  n.created_at, n.due_at, n.sent_at, n.attempts as "attempts: Json<Vec<Attempt>>"
           from notification n join channel c on c.id = n.channel_id
           where ($1::timestamptz is null or (n.created_at, n.id) < ($1, $2::uuid))
             and (cardinality($3::text[]) = 0 or n.state = any($3)) and ($4::uuid is null or n.channel_id = $4)
             and ($5::uuid is null or n.alert_ids @> array[$5::uuid])
             and ($6::text is null or n.alert_ids && array(select a.id from alert a where a.subject_kind = 'connection' and a.subject_id = $6))
           order by n.created_at desc, n.id desc limit $7"#,
        after_at,
        after_id,
        &states,
        query.channel.map(|id| id.0),
        query.alert.map(|id| id.0),
        query.connection.map(|id| id.to_string()),
        i64::from(query.limit()) + 1
    )
    .fetch_all(conn)
    .await
    .map_err(internal)?;
    let more = rows.len() > limit;
    let items = rows.into_iter().take(limit).map(Row::read).collect::<sqlx::Result<Vec<_>>>().map_err(internal)?;
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::write(&(last.created_at, last.id.0)));
    Ok(Page { items, next_cursor })
}

/// One message, with what it says.
pub async fn get(conn: &mut PgConnection, id: NotificationId) -> sqlx::Result<Option<Notification>> {
    let row = sqlx::query_as!(
        Row,
        r#"select n.id, n.alert_ids, n.channel_id, c.name as channel, c.kind, n.reason, n.subject, n.state, n.maybe_repeat, n.instead_of,
                  n.created_at, n.due_at, n.sent_at, n.attempts as "attempts: Json<Vec<Attempt>>"
           from notification n join channel c on c.id = n.channel_id where n.id = $1"#,
        id.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(found) = row.map(Row::read).transpose()? else { return Ok(None) };
    let content =
        sqlx::query_scalar!(r#"select content as "content: Json<Message>" from notification where id = $1"#, id.0);
    let text = content.fetch_optional(conn).await?;
    let text =
        text.map(|content| email::plain(&content.0, &Addresses::default(), found.maybe_repeat).replace("\r\n", "\n"));
    Ok(Some(Notification { text, ..found }))
}
