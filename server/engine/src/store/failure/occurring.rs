//! What can be filtered by: the classes of errors, and the connections, among what failed last.

use super::{Refusal, internal, kinds, parts, planned_once};
use model::{ConnectionId, ConnectionRef, FailureQuery};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use std::cmp::Reverse;
use std::collections::HashMap;
use uuid::Uuid;

/// So many of each kind are looked at, the newest, however many failed.
const NEWEST: i64 = 500;
/// So many are told of each.
const MOST: usize = 30;

#[derive(sqlx::FromRow)]
struct Occurs {
    id: Option<Uuid>,
    name: String,
    n: i64,
}

/// The classes of errors and the connections among the newest 500 of each kind asked for, most frequent first, at most 30 each. Of
/// the other filters kind, endpoint, source and times count.
pub async fn occurring(
    conn: &mut PgConnection,
    query: &FailureQuery,
) -> Result<(Vec<String>, Vec<ConnectionRef>), Refusal> {
    let query = FailureQuery {
        kind: query.kind.clone(),
        endpoint: query.endpoint,
        source: query.source.clone(),
        since: query.since,
        until: query.until,
        ..FailureQuery::default()
    };
    let (mut classes, mut connections) = (HashMap::<String, i64>::new(), HashMap::<(Uuid, String), i64>::new());
    let mut tx = planned_once(conn).await.map_err(internal)?;
    for kind in kinds(&query) {
        let mut sql = QueryBuilder::<Postgres>::new(
            "with g as materialized (select f.class, f.connection_id from (select f.class, f.connection_id from ",
        );
        parts::push(&mut sql, kind, &query);
        sql.push(format_args!(
            " order by f.at desc, f.id desc limit {NEWEST}) f)
             select null::uuid as id, g.class as name, count(*) as n from g group by g.class
             union all select c.id, c.name, count(*) from g join connection c on c.id = g.connection_id group by c.id, c.name"
        ));
        let found: Vec<Occurs> = sql.build_query_as().fetch_all(&mut *tx).await.map_err(internal)?;
        for one in found {
            match one.id {
                Some(id) => *connections.entry((id, one.name)).or_default() += one.n,
                None => *classes.entry(one.name).or_default() += one.n,
            }
        }
    }
    tx.rollback().await.map_err(internal)?;
    let connections = most(connections).into_iter().map(|(id, name)| ConnectionRef { id: ConnectionId(id), name });
    Ok((most(classes), connections.collect()))
}

/// The most frequent, at most [`MOST`]; as many of two, in their own order.
fn most<T: Ord>(counted: HashMap<T, i64>) -> Vec<T> {
    let mut all: Vec<_> = counted.into_iter().map(|(one, n)| (Reverse(n), one)).collect();
    all.sort_unstable();
    all.into_iter().map(|(_, one)| one).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_and_not_too_many() {
        let counted = HashMap::from([("tls", 2), ("dns", 2), ("answer", 9)]);
        assert_eq!(most(counted), ["answer", "dns", "tls"]);
        assert_eq!(most((0..50).map(|n| (n, i64::from(n))).collect::<HashMap<i32, i64>>()).len(), MOST);
    }
}
