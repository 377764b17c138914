//! Who is told, in order.

use super::maybe_word;
use model::{ChannelId, NewRoute, Route, RouteId, RouteMatch};
use sqlx::{PgConnection, Result, types::Json};
use uuid::Uuid;

/// The routes, in order; `only`: this one.
pub async fn list(conn: &mut PgConnection, only: Option<RouteId>) -> Result<Vec<Route>> {
    let rows = sqlx::query!(
        r#"select id, name, position, matching as "matching: Json<RouteMatch>", goes_on, channels, group_by, first_wait_seconds,
                  interval_seconds, repeat_seconds, version
           from route where $1::uuid is null or id = $1 order by position"#,
        only.map(|id| id.0)
    )
    .fetch_all(conn)
    .await?;
    let routes = rows.into_iter().map(|row| {
        Ok(Route {
            id: RouteId(row.id),
            name: row.name,
            position: row.position,
            matching: row.matching.0,
            goes_on: row.goes_on,
            channels: row.channels.into_iter().map(ChannelId).collect(),
            group_by: maybe_word(row.group_by.as_deref())?,
            first_wait_seconds: row.first_wait_seconds,
            interval_seconds: row.interval_seconds,
            repeat_seconds: row.repeat_seconds,
            version: row.version,
        })
    });
    routes.collect()
}

/// Waits until nobody else changes the order of the routes; until the end of the transaction.
pub async fn lock_order(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("lock table route in share row exclusive mode").execute(conn).await.map(drop)
}

/// Makes room at a place for a route, or for a new one: what is there or after it moves down. Answers the place it gets: at most
/// the one after the last.
pub async fn make_room(conn: &mut PgConnection, id: Option<RouteId>, wanted: Option<i32>) -> Result<i32> {
    let others = sqlx::query_scalar!(
        "select id from route where $1::uuid is null or id <> $1 order by position",
        id.map(|id| id.0)
    )
    .fetch_all(&mut *conn)
    .await?;
    let last = i32::try_from(others.len()).unwrap_or(i32::MAX - 1) + 1;
    let place = wanted.unwrap_or(last).clamp(1, last);
    let (ids, places): (Vec<Uuid>, Vec<i32>) =
        others.into_iter().zip((1..).filter(|position| *position != place)).unzip();
    sqlx::query!(
        "update route r set position = n.position from unnest($1::uuid[], $2::int4[]) as n (id, position) where r.id = n.id",
        &ids,
        &places
    )
    .execute(conn)
    .await?;
    Ok(place)
}

/// Adds a route at a place that is free.
pub async fn create(conn: &mut PgConnection, id: RouteId, new: &NewRoute, position: i32) -> Result<()> {
    let channels: Vec<Uuid> = new.channels.iter().map(|id| id.0).collect();
    sqlx::query!(
        "insert into route (id, name, position, matching, goes_on, channels, group_by, first_wait_seconds, interval_seconds, repeat_seconds) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id.0,
        new.name,
        position,
        serde_json::json!(new.matching),
        new.goes_on,
        &channels,
        new.group_by.map(model::GroupBy::code),
        new.first_wait_seconds.unwrap_or(0),
        new.interval_seconds.unwrap_or(300),
        new.repeat_seconds
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Writes a route as it is to be.
pub async fn save(conn: &mut PgConnection, route: &Route) -> Result<()> {
    let channels: Vec<Uuid> = route.channels.iter().map(|id| id.0).collect();
    sqlx::query!(
        "update route set name = $2, position = $3, matching = $4, goes_on = $5, channels = $6, group_by = $7, \
         first_wait_seconds = $8, interval_seconds = $9, repeat_seconds = $10, version = version + 1 where id = $1",
        route.id.0,
        route.name,
        route.position,
        serde_json::json!(route.matching),
        route.goes_on,
        &channels,
        route.group_by.map(model::GroupBy::code),
        route.first_wait_seconds,
        route.interval_seconds,
        route.repeat_seconds
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Takes a route away, with the groups that it told of; those after it move up. False if there is none.
pub async fn remove(conn: &mut PgConnection, id: RouteId) -> Result<bool> {
    let done = sqlx::query!("delete from route where id = $1", id.0).execute(&mut *conn).await?;
    sqlx::query!("delete from alert_group where route_id = $1", id.0).execute(&mut *conn).await?;
    let last = i32::MAX;
    make_room(conn, None, Some(last)).await?;
    Ok(done.rows_affected() == 1)
}
