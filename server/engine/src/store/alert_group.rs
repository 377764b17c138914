//! Alerts that one route tells together.

use chrono::{DateTime, Utc};
use model::{AlertId, RouteId};
use sqlx::{PgConnection, Result};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A group as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: Uuid,
    /// The route that tells of it.
    pub route: RouteId,
    /// Its alerts.
    pub alerts: Vec<Uuid>,
    /// Those that were firing when it was last told.
    pub told: Vec<Uuid>,
    /// When that was.
    pub told_at: Option<DateTime<Utc>>,
    /// When it changed since; none: it has not.
    pub changed_at: Option<DateTime<Utc>>,
    /// How often it was told since it last began.
    pub messages: i32,
    /// What the messages since then have in common.
    pub episode: Option<Uuid>,
}

/// Everything about telling is decided by one at a time, until the end of its transaction: short, and with it no reason is told
/// twice or not at all, however many processes there are.
pub async fn lock(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(7455213600117)").execute(conn).await.map(drop)
}

/// Whether there is anything to tell or to look at now.
pub async fn anything_due(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from alert where tell_due_at <= $1) or exists (select 1 from alert_group where due_at <= $1) as "due!""#,
        now
    )
    .fetch_one(conn)
    .await
}

/// The groups of these alerts.
pub async fn of_alerts(conn: &mut PgConnection, alerts: &[Uuid]) -> Result<Vec<Kept>> {
    sqlx::query_as!(
        Kept,
        r#"select id, route_id as route, alerts, told, told_at, changed_at, messages, episode
           from alert_group where alerts && $1"#,
        alerts
    )
    .fetch_all(conn)
    .await
}

/// One group.
pub async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<Kept>> {
    sqlx::query_as!(
        Kept,
        r#"select id, route_id as route, alerts, told, told_at, changed_at, messages, episode
           from alert_group where id = $1"#,
        id
    )
    .fetch_optional(conn)
    .await
}

/// These groups changed now, if they had not before.
pub async fn changed(conn: &mut PgConnection, ids: &[Uuid], now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update alert_group set changed_at = coalesce(changed_at, $2), due_at = least(due_at, $2) where id = any($1)",
        ids,
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Alerts join groups, which are made where they are not.
pub async fn join(
    conn: &mut PgConnection,
    joins: &[(Uuid, RouteId, String, AlertId)],
    now: DateTime<Utc>,
) -> Result<()> {
    let ids: Vec<Uuid> = joins.iter().map(|(id, ..)| *id).collect();
    let routes: Vec<Uuid> = joins.iter().map(|(_, route, ..)| route.0).collect();
    let keys: Vec<String> = joins.iter().map(|(_, _, key, _)| key.clone()).collect();
    let alerts: Vec<Uuid> = joins.iter().map(|(.., alert)| alert.0).collect();
    sqlx::query!(
        "insert into alert_group as g (id, route_id, key, alerts, changed_at, due_at) \
         select (array_agg(n.id order by n.id))[1], n.route, n.key, array_agg(distinct n.alert), $5::timestamptz, $5::timestamptz \
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) as n (id, route, key, alert) group by n.route, n.key \
         on conflict (route_id, key) do update set \
         alerts = g.alerts || array(select unnest(excluded.alerts) except select unnest(g.alerts)), \
         changed_at = coalesce(g.changed_at, $5), due_at = least(g.due_at, $5)",
        &ids,
        &routes,
        &keys,
        &alerts,
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// The groups that are due, oldest change first; and those that begin and are due by `soon`, which may wait for others.
pub async fn due(conn: &mut PgConnection, now: DateTime<Utc>, soon: DateTime<Utc>) -> Result<Vec<Kept>> {
    sqlx::query_as!(
        Kept,
        r#"select id, route_id as route, alerts, told, told_at, changed_at, messages, episode
           from alert_group where due_at <= $1 or (messages = 0 and due_at <= $2) order by changed_at nulls last, id limit 20000 for update"#,
        now,
        soon
    )
    .fetch_all(conn)
    .await
}

/// Groups wait until then.
pub async fn wait(conn: &mut PgConnection, until: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
    let (ids, times): (Vec<Uuid>, Vec<DateTime<Utc>>) = until.iter().copied().unzip();
    sqlx::query!(
        "update alert_group g set due_at = n.at from unnest($1::uuid[], $2::timestamptz[]) as n (id, at) where g.id = n.id",
        &ids,
        &times
    )
    .execute(conn)
    .await
    .map(drop)
}

/// What became of a group that was due.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Which.
    pub id: Uuid,
    /// Its alerts from now on.
    pub alerts: BTreeSet<AlertId>,
    /// The log from now on.
    pub told: BTreeSet<AlertId>,
    /// When it is due again.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was told; none: it was not.
    pub told_at: Option<DateTime<Utc>>,
    /// How often it was told since it last began.
    pub messages: i32,
    /// What the messages since then have in common.
    pub episode: Option<Uuid>,
}

/// Writes what became of groups. One with nothing left stays for its links, for as long as they open, and is then swept.
pub async fn settle(conn: &mut PgConnection, settled: &[Settled]) -> Result<()> {
    for one in settled {
        let alerts: Vec<Uuid> = one.alerts.iter().map(|id| id.0).collect();
        let told: Vec<Uuid> = one.told.iter().map(|id| id.0).collect();
        sqlx::query!(
            "update alert_group set alerts = $2, told = $3, due_at = $4, told_at = coalesce($5, told_at), changed_at = null, \
             messages = $6, episode = $7, version = version + 1 where id = $1",
            one.id,
            &alerts,
            &told,
            one.due_at,
            one.told_at,
            one.messages,
            one.episode
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Forgets groups with nothing left that were last told before this.
pub async fn sweep(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!(
        "delete from alert_group where alerts = '{}' and due_at is null and coalesce(told_at, $1) <= $1",
        before
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
