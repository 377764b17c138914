//! How many connections there are. Without a search, totals come from counters that the database keeps by triggers (see the
//! migration `connection_count`), so that they cost the same over any number of rows; else rows are counted, up to a limit.

use super::connection_filter::{Conditions, filter};
use super::word;
use model::{ConnectionQuery, Count, Health, Tally, Totals};
use sqlx::{Acquire as _, PgConnection, Postgres, QueryBuilder, Result, Row as _};

/// Keeps two processes from folding at once; until the end of the transaction.
const FOLDING: i64 = 0x6c77_636f_756e_0001;

/// What is counted and what it says of the way to the rows.
pub(super) struct Counted {
    /// Under every filter but `health`.
    pub tally: Tally,
    /// Whether so few rows match that they are best gathered and sorted.
    pub few: bool,
}

/// How many connections match, by health.
pub(super) async fn of(conn: &mut PgConnection, query: &ConnectionQuery) -> Result<Counted> {
    let searched = query.q.as_ref().is_some_and(|q| !q.trim().is_empty());
    let mut tags = query.tag.clone();
    tags.sort_unstable();
    tags.dedup();
    match tags.as_slice() {
        _ if searched => bounded(conn, query).await,
        // a customer has few connections, which its index counts
        _ if !query.customer.is_empty() => {
            Ok(Counted { tally: rows(count_all(query), conn, Count::Exactly).await?, few: false })
        }
        [] => Ok(Counted { tally: Tally::from(&kept(conn, "", query).await?), few: false }),
        [tag] => {
            let tally = Tally::from(&kept(conn, tag, query).await?);
            // what the index holds along which a page may be found: see the indexes' order in the migration
            let source = if query.platform.is_empty() { query.source.clone() } else { Vec::new() };
            let along = ConnectionQuery { source, platform: query.platform.clone(), ..ConnectionQuery::default() };
            let along = Tally::from(&kept(conn, "", &along).await?);
            let [with, along] = [&tally, &along].map(|tally| u128::from(tally.of_any(&query.health).at_least()));
            // along the order, along / with × a page of rows are looked at; to gather and sort them, all that match
            Ok(Counted { tally, few: u128::from(query.limit()) * along > with * with })
        }
        _ => bounded(conn, query).await,
    }
}

/// The totals of the whole fleet.
pub async fn fleet(conn: &mut PgConnection) -> Result<Totals> {
    kept(conn, "", &ConnectionQuery::default()).await
}

/// From the counters: under the query's sources and platforms, and one tag; `''` is every connection. Both tables are read in
/// one statement, so that a row which is being folded counts once.
async fn kept(conn: &mut PgConnection, tag: &str, query: &ConnectionQuery) -> Result<Totals> {
    let rows = sqlx::query!(
        "select health as \"health!\", sum(n)::int8 as \"n!\" from ( \
           select source_id, platform_slug, health, n from connection_count where tag = $1 \
           union all \
           select source_id, platform_slug, health, n from connection_count_delta where tag = $1 \
         ) counted \
         where (cardinality($2::text[]) = 0 \
           or source_id = any(array(select id from source where name = any($2) or id::text = any($2)))) \
         and (cardinality($3::text[]) = 0 or platform_slug = any($3)) \
         group by health",
        tag,
        &query.source,
        &query.platform
    )
    .fetch_all(conn)
    .await?;
    let mut totals = Totals::default();
    for row in rows {
        totals.0.insert(word(&row.health)?, u64::try_from(row.n).unwrap_or(0));
    }
    Ok(totals)
}

/// Counts rows, but none past the limit. Where they are more in all, those that are not healthy are counted apart, and where
/// even these are too many, each health by itself: no health is said to have fewer than it has.
async fn bounded(conn: &mut PgConnection, query: &ConnectionQuery) -> Result<Counted> {
    let tally = rows(count_some(query, ""), conn, Count::Exactly).await?;
    if tally.all().at_least() <= Count::LIMIT {
        return Ok(Counted { tally, few: true });
    }
    let healthy = Health::Healthy.rank();
    let mut tally = rows(count_some(query, &format!(" and c.health_rank < {healthy}")), conn, Count::Exactly).await?;
    let all_counted = tally.all().at_least() <= Count::LIMIT;
    let left = Health::ALL.iter().filter(|health| **health == Health::Healthy || !all_counted);
    for health in left {
        let one = count_some(query, &format!(" and c.health_rank = {}", health.rank()));
        tally.0.insert(*health, rows(one, conn, Count::stopped).await?.of(*health));
    }
    Ok(Counted { tally, few: false })
}

/// Counts by health, at most one row past the limit, under one more condition.
fn count_some(query: &ConnectionQuery, and: &str) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("select c.health, count(*) as n from (select c.health from connection c");
    filter(&mut sql, query, Conditions::AllButHealth);
    sql.push(and).push(" limit ").push(Count::LIMIT + 1).push(") c group by c.health");
    sql
}

fn count_all(query: &ConnectionQuery) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("select c.health, count(*) as n from connection c");
    filter(&mut sql, query, Conditions::AllButHealth);
    sql.push(" group by c.health");
    sql
}

async fn rows(mut sql: QueryBuilder<Postgres>, conn: &mut PgConnection, read: fn(u64) -> Count) -> Result<Tally> {
    let mut tally = Tally::from(&Totals::default());
    // planned anew each time: what a word or a tag fits decides how it is best looked for
    for row in sql.build().persistent(false).fetch_all(conn).await? {
        let n: i64 = row.try_get("n")?;
        tally.0.insert(word(row.try_get("health")?)?, read(u64::try_from(n).unwrap_or(0)));
    }
    Ok(tally)
}

/// Folds what changed into the counters; how many rows of it. Nobody waits for it, and it waits for nobody.
pub async fn fold(conn: &mut PgConnection) -> Result<u64> {
    let mut tx = conn.begin().await?;
    let ours = sqlx::query_scalar!("select pg_try_advisory_xact_lock($1) as \"ours!\"", FOLDING);
    if !ours.fetch_one(&mut *tx).await? {
        return Ok(0);
    }
    let folded = sqlx::query_scalar!(
        "with taken as (delete from connection_count_delta returning tag, source_id, platform_slug, health, n), \
         folded as ( \
           insert into connection_count as c (tag, source_id, platform_slug, health, n) \
           select tag, source_id, platform_slug, health, sum(n) from taken group by 1, 2, 3, 4 having sum(n) <> 0 \
           on conflict (tag, source_id, platform_slug, health) do update set n = c.n + excluded.n \
         ) \
         select count(*) as \"n!\" from taken"
    )
    .fetch_one(&mut *tx)
    .await?;
    if folded > 0 {
        // tags come and go
        sqlx::query!("delete from connection_count where n = 0").execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(u64::try_from(folded).unwrap_or(0))
}
