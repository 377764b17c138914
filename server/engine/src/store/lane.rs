//! Lanes: who sends to an endpoint, and how that goes.

use chrono::{DateTime, TimeDelta, Utc};
use model::{AttemptError, EndpointId};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// Endpoints to which something is due and nobody sends: those that are switched on and, if not reached, due to be probed.
pub async fn waiting(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    but: &[EndpointId],
    limit: i64,
) -> sqlx::Result<Vec<EndpointId>> {
    let ids = sqlx::query_scalar!(
        "select e.id from endpoint e join endpoint_lane l on l.endpoint_id = e.id
         where e.enabled and e.removed_at is null and (l.lease_until is null or l.lease_until <= $1)
           and (l.open_since is null or l.probe_at <= $1) and e.id <> all($2::uuid[])
           and exists (select from delivery_due d where d.endpoint_id = e.id and d.due_at <= $1)
         limit $3",
        now,
        &but.iter().map(|id| id.0).collect::<Vec<_>>(),
        limit,
    );
    Ok(ids.fetch_all(conn).await?.into_iter().map(EndpointId).collect())
}

/// How an endpoint's lane was left.
#[derive(Clone, Debug)]
pub struct Left {
    /// Whether whoever had it did not give it back, so that what it had claimed must be taken over.
    pub abandoned: bool,
    /// Failures in a row.
    pub failures: i32,
    /// Since when its circuit is open, and when it is probed.
    pub open: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// When a delivery last arrived.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// Why the newest delivery did not arrive.
    pub last_error: Option<AttemptError>,
}

/// Takes a lane that nobody has; none if somebody does.
pub async fn lease(
    conn: &mut PgConnection,
    endpoint: EndpointId,
    token: Uuid,
    now: DateTime<Utc>,
    lease_for: TimeDelta,
) -> sqlx::Result<Option<Left>> {
    let row = sqlx::query!(
        r#"with before as (
               select endpoint_id, lease_token from endpoint_lane
               where endpoint_id = $1 and (lease_until is null or lease_until <= $2) for update
           )
           update endpoint_lane l set lease_until = $3, lease_token = $4 from before where l.endpoint_id = before.endpoint_id
           returning before.lease_token is not null as "abandoned!", l.failures, l.open_since, l.probe_at, l.last_ok_at,
                     l.last_error as "last_error: Json<AttemptError>""#,
        endpoint.0,
        now,
        now + lease_for,
        token,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Left {
        abandoned: row.abandoned,
        failures: row.failures,
        open: row.open_since.zip(row.probe_at),
        last_ok_at: row.last_ok_at,
        last_error: row.last_error.map(|error| error.0),
    }))
}

/// What a lane says of itself with everything it writes.
#[derive(Clone, Debug, Default)]
pub struct Stand {
    /// Failures in a row.
    pub failures: i32,
    /// Since when its circuit is open, and when it is probed.
    pub open: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// When a delivery last arrived.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// Why the newest delivery did not arrive.
    pub last_error: Option<AttemptError>,
}

/// What a lane must know of its endpoint.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// Where to.
    pub url: String,
    /// Whether each of a connection waits for the one before.
    pub ordered: bool,
    /// Whether anything is sent: switched on and not taken away.
    pub sends: bool,
    /// How many at once.
    pub concurrency: usize,
    /// How many a second at most.
    pub rate_per_second: Option<u32>,
    /// Grows with every change by a person.
    pub version: i64,
}

struct Row {
    name: String,
    url: String,
    ordered: bool,
    sends: bool,
    concurrency: i32,
    rate_per_second: Option<i32>,
    version: i64,
}

impl From<Row> for Settings {
    fn from(row: Row) -> Self {
        Self {
            name: row.name,
            url: row.url,
            ordered: row.ordered,
            sends: row.sends,
            concurrency: usize::try_from(row.concurrency).unwrap_or(1).max(1),
            rate_per_second: row.rate_per_second.and_then(|rate| u32::try_from(rate).ok()),
            version: row.version,
        }
    }
}

/// Reads what a lane must know.
pub async fn settings(conn: &mut PgConnection, endpoint: EndpointId) -> sqlx::Result<Option<Settings>> {
    let row = sqlx::query_as!(
        Row,
        r#"select name, url, ordered, enabled and removed_at is null as "sends!", concurrency, rate_per_second, version
           from endpoint where id = $1"#,
        endpoint.0,
    );
    Ok(row.fetch_optional(conn).await?.map(Settings::from))
}

/// Renews a lease, says how the lane stands, and reads what it must know; none if it is somebody else's: then nothing else may
/// be written either.
/// Comes first in every transaction of a lane, and holds its row until the end of that.
pub async fn renew(
    conn: &mut PgConnection,
    endpoint: EndpointId,
    token: Uuid,
    until: DateTime<Utc>,
    stand: &Stand,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Settings>> {
    let row = sqlx::query_as!(
        Row,
        r#"update endpoint_lane l set lease_until = $3, failures = $4, open_since = $5, probe_at = $6, last_ok_at = $7,
                last_error = $8, told_at = case when $5::timestamptz is null then null else coalesce(told_at, $9) end
         from endpoint e where l.endpoint_id = $1 and l.lease_token = $2 and e.id = l.endpoint_id
         returning e.name, e.url, e.ordered, e.enabled and e.removed_at is null as "sends!", e.concurrency, e.rate_per_second,
                   e.version"#,
        endpoint.0,
        token,
        until,
        stand.failures,
        stand.open.map(|open| open.0),
        stand.open.map(|open| open.1),
        stand.last_ok_at,
        stand.last_error.as_ref().map(Json) as _,
        now,
    );
    Ok(row.fetch_optional(conn).await?.map(Settings::from))
}

/// Gives a lane back; not `all` of it where something is still being sent, so that the next one takes that over.
pub async fn release(conn: &mut PgConnection, endpoint: EndpointId, token: Uuid, all: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "update endpoint_lane set lease_until = null, lease_token = case when not $3 then lease_token end
         where endpoint_id = $1 and lease_token = $2",
        endpoint.0,
        token,
        all,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Gives back every lane; what was being sent is still known to be.
pub(super) async fn release_all(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("update endpoint_lane set lease_until = null where lease_until is not null").execute(conn).await?;
    Ok(())
}

/// Endpoints that are switched on and not reached.
pub async fn open(conn: &mut PgConnection) -> sqlx::Result<Vec<EndpointId>> {
    let ids = sqlx::query_scalar!(
        "select l.endpoint_id from endpoint_lane l join endpoint e on e.id = l.endpoint_id
         where l.open_since is not null and e.enabled and e.removed_at is null",
    );
    Ok(ids.fetch_all(conn).await?.into_iter().map(EndpointId).collect())
}

/// Lets an endpoint be probed at once, if it is not reached.
pub async fn probe_now(conn: &mut PgConnection, endpoint: EndpointId, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "update endpoint_lane set probe_at = $2 where endpoint_id = $1 and open_since is not null and probe_at > $2",
        endpoint.0,
        now,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Forgets how it went: an endpoint that was switched on, or has another address, begins anew.
pub async fn reset(conn: &mut PgConnection, endpoint: EndpointId) -> sqlx::Result<()> {
    sqlx::query!(
        "update endpoint_lane set failures = 0, open_since = null, probe_at = null, told_at = null where endpoint_id = $1",
        endpoint.0,
    )
    .execute(conn)
    .await
    .map(drop)
}
