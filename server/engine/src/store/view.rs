//! Saved views: questions about connections, kept under a name.

use super::connection_list;
use chrono::{DateTime, Utc};
use model::{Actor, ActorKind, ConnectionQuery, NewView, SavedView, ViewId};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// A view's matches are counted this far.
const COUNTED: i64 = 10_000;

fn person(actor: &Actor) -> Option<Uuid> {
    match actor.kind {
        ActorKind::Person(id) => Some(id.0),
        ActorKind::Token(_) => None,
    }
}

/// The views that somebody may see, by name; `only`: this one, if they may. A machine's are those of its name.
pub async fn list(conn: &mut PgConnection, actor: &Actor, only: Option<ViewId>) -> Result<Vec<SavedView>> {
    let rows = sqlx::query!(
        "select id, name, query, shared, by_name, created_at, \
         (person_id is not distinct from $1::uuid and (person_id is not null or by_name = $2)) as \"mine!\" \
         from saved_view where (shared or (person_id is not distinct from $1 and (person_id is not null or by_name = $2))) \
         and ($3::uuid is null or id = $3) order by lower(name), id",
        person(actor),
        actor.name,
        only.map(|id| id.0)
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        // a filter that is no longer known matches nothing, until somebody looks at it
        let matching = match ConnectionQuery::from_query(&row.query) {
            Ok(query) => count(conn, &query).await?,
            Err(_) => 0,
        };
        views.push(SavedView {
            id: ViewId(row.id),
            name: row.name,
            query: row.query,
            shared: row.shared,
            by: row.by_name,
            mine: row.mine,
            matching,
            created_at: row.created_at,
        });
    }
    Ok(views)
}

async fn count(conn: &mut PgConnection, query: &ConnectionQuery) -> Result<u64> {
    let mut sql = sqlx::QueryBuilder::new("select count(*) from (");
    connection_list::push_matching(&mut sql, "select 1", query, &[]);
    sql.push(" limit ").push_bind(COUNTED).push(") as few");
    let n: i64 = sql.build_query_scalar().fetch_one(conn).await?;
    Ok(n.unsigned_abs())
}

/// Keeps a view. Fails with a unique violation when its maker has one of that name.
pub async fn create(
    conn: &mut PgConnection,
    id: ViewId,
    actor: &Actor,
    new: &NewView,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into saved_view (id, name, query, shared, person_id, by_name, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        id.0,
        new.name,
        new.query,
        new.shared,
        person(actor),
        actor.name,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets a view. False if there is none.
pub async fn remove(conn: &mut PgConnection, id: ViewId) -> Result<bool> {
    let done = sqlx::query!("delete from saved_view where id = $1", id.0).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
