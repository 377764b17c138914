//! Questions about outages.

use super::{cursor, internal, word};
use chrono::{DateTime, Utc};
use model::{IssueId, Outage, OutageId, OutageKind, OutageSubject, Page, PageQuery, Refusal};
use sqlx::PgConnection;
use uuid::Uuid;

struct Row {
    id: Uuid,
    kind: String,
    slug: String,
    name: Option<String>,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    affected: i64,
    still_broken: i64,
    issue_id: Option<Uuid>,
    issue_number: Option<i64>,
}

impl Row {
    fn read(self) -> sqlx::Result<Outage> {
        let kind: OutageKind = word(&self.kind)?;
        let name = match kind {
            OutageKind::Poller => kind.words().to_owned(),
            OutageKind::Platform | OutageKind::Source => self.name.unwrap_or(self.slug.clone()),
        };
        Ok(Outage {
            id: OutageId(self.id),
            subject: OutageSubject { kind, slug: self.slug, name },
            started_at: self.started_at,
            ended_at: self.ended_at,
            affected: self.affected,
            still_broken: self.still_broken,
            issue_id: self.issue_id.map(IssueId),
            issue_number: self.issue_number,
        })
    }
}

/// The select behind every read; what follows is the rest of the statement.
macro_rules! outages {
    ($rest:literal, $conn:expr $(, $arg:expr)*) => {
        sqlx::query_as!(
            Row,
            "select o.id as \"id!\", o.kind as \"kind!\", o.slug as \"slug!\", p.name as \"name?\", o.started_at as \"started_at!\", \
             o.ended_at, o.affected as \"affected!\", o.still_broken as \"still_broken!\", \
             i.id as \"issue_id?\", i.number as \"issue_number?\" from outage o \
             left join platform p on o.kind = 'platform' and p.slug = o.slug \
             left join issue i on i.outage_id = o.id and i.connection_id is null " + $rest
            $(, $arg)*
        )
        .fetch_all($conn)
        .await?
        .into_iter()
        .map(Row::read)
        .collect::<sqlx::Result<Vec<_>>>()
    };
}

async fn after(conn: &mut PgConnection, after: Option<(DateTime<Utc>, Uuid)>, limit: i64) -> sqlx::Result<Vec<Outage>> {
    let (at, id) = after.unzip();
    outages!(
        "where $1::timestamptz is null or (o.started_at, o.id) < ($1, $2::uuid) order by o.started_at desc, o.id desc limit $3",
        conn,
        at,
        id,
        limit
    )
}

/// A page of outages, newest first.
pub async fn list(conn: &mut PgConnection, page: &PageQuery) -> Result<Page<Outage>, Refusal> {
    let limit = usize::from(page.limit());
    let from = page.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let mut items = after(conn, from, i64::from(page.limit()) + 1).await.map_err(internal)?;
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::write(&(last.started_at, last.id.0)));
    Ok(Page { items, next_cursor })
}

/// One outage.
pub async fn get(conn: &mut PgConnection, id: OutageId) -> sqlx::Result<Option<Outage>> {
    let found: sqlx::Result<Vec<_>> = outages!("where o.id = $1", conn, id.0);
    Ok(found?.pop())
}

/// Those that last, and those that ended since a moment; newest first.
pub async fn current(conn: &mut PgConnection, since: DateTime<Utc>) -> sqlx::Result<Vec<Outage>> {
    outages!(
        "where o.ended_at is null or o.ended_at > $1 order by o.ended_at is not null, o.started_at desc, o.id desc limit 50",
        conn,
        since
    )
}
