//! Totals that nobody counts: what the database keeps by itself agrees with the rows, whoever writes at the same time.

use crate::world::{World, admin, calm};
use engine::clock::{Clock, SystemClock};
use engine::health::State;
use engine::store::{connection, connection_count, fleet};
use model::{Backend, ConnectionId, ConnectionPatch, ConnectionQuery, Count, Health, Tally};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

/// What the counters say and what the rows say, where they differ.
async fn differences(conn: &mut PgConnection) -> Vec<String> {
    let sql = "with kept as ( \
           select tag, source_id, platform_slug, health, sum(n)::int8 as n \
           from (select * from connection_count union all select * from connection_count_delta) c group by 1, 2, 3, 4 \
         ), counted as ( \
           select tag, source_id, platform_slug, health, count(*) as n from connection \
           cross join lateral (select '' as tag union select unnest(tags)) t where removed_at is null group by 1, 2, 3, 4 \
         ) \
         select tag, platform_slug, health, coalesce(kept.n, 0) as kept, coalesce(counted.n, 0) as counted \
         from kept full join counted using (tag, source_id, platform_slug, health) \
         where coalesce(kept.n, 0) <> coalesce(counted.n, 0)";
    let rows = sqlx::query(sql).fetch_all(conn).await.unwrap();
    let said = |row: sqlx::postgres::PgRow| {
        let words = ["tag", "platform_slug", "health"].map(|name| row.get::<String, _>(name));
        format!("{words:?}: kept {}, counted {}", row.get::<i64, _>("kept"), row.get::<i64, _>("counted"))
    };
    rows.into_iter().map(said).collect()
}

/// Changes some connections at random through the store: health, platform, removed and back, tags; some are saved as they are.
async fn change_some(pool: &PgPool, ids: &[Uuid], platforms: &[String], rng: &mut StdRng) {
    let now = SystemClock.now();
    let some: Vec<Uuid> = ids.iter().copied().filter(|_| rng.random_ratio(1, 4)).collect();
    let mut tx = pool.begin().await.unwrap();
    let mut states: Vec<State> = connection::lock(&mut tx, &some).await.unwrap();
    for state in &mut states {
        state.version += 1;
        match rng.random_range(0..6) {
            0..=2 => state.health = Health::ALL[rng.random_range(0..Health::ALL.len())],
            3 => state.platform_slug = platforms[rng.random_range(0..platforms.len())].clone(),
            4 => state.removed_at = if state.removed_at.is_some() { None } else { Some(now) },
            _ => {}
        }
    }
    connection::save(&mut tx, &states, now).await.unwrap();
    if let Some(one) = some.first() {
        let tags = ["vip", "emea", "vip"].into_iter().filter(|_| rng.random_ratio(1, 2)).map(str::to_owned).collect();
        let patch = ConnectionPatch { tags: Some(tags), ..ConnectionPatch::default() };
        connection::change(&mut tx, ConnectionId(*one), &patch, now).await.unwrap();
    }
    if rng.random_ratio(1, 8) {
        tx.rollback().await.unwrap();
    } else {
        tx.commit().await.unwrap();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn counters_agree_with_the_rows_whoever_writes_meanwhile(pool: PgPool) {
    let world = World::with(pool, simulator::Options { connections: 160, ..calm() }).await;
    world.round().await;
    let mut conn = world.pool.acquire().await.unwrap();
    assert_eq!(differences(&mut conn).await, [""; 0], "after a round");
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from connection order by id").fetch_all(&mut *conn).await.unwrap();
    let platforms: Vec<String> = sqlx::query_scalar("select slug from platform").fetch_all(&mut *conn).await.unwrap();
    let writer = |seed: u64| {
        let (pool, ids, platforms) = (&world.pool, &ids, &platforms);
        async move {
            let mut rng = StdRng::seed_from_u64(seed);
            for _ in 0..60 {
                change_some(pool, ids, platforms, &mut rng).await;
            }
        }
    };
    let folding = async {
        let mut folded = 0;
        for _ in 0..40 {
            let mut conn = world.pool.acquire().await.unwrap();
            folded += connection_count::fold(&mut conn).await.unwrap();
            assert_eq!(differences(&mut conn).await, [""; 0], "while others write");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        folded
    };
    let (.., folded) = tokio::join!(writer(1), writer(2), folding);
    assert!(folded > 100, "there was something to fold: {folded}");
    assert_eq!(differences(&mut conn).await, [""; 0], "in the end");
    let totals = fleet::totals(&mut conn).await.unwrap();
    connection_count::fold(&mut conn).await.unwrap();
    assert_eq!(world.count("connection_count_delta").await, 0);
    assert_eq!(differences(&mut conn).await, [""; 0], "after all is folded");
    assert_eq!(fleet::totals(&mut conn).await.unwrap(), totals, "folding changes no total");
    let there: i64 = sqlx::query_scalar("select count(*) from connection where removed_at is null")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(totals.all(), there as u64);
    // what changes nothing that counts leaves nothing behind
    sqlx::query("update connection set updated_at = now(), note = 'seen'").execute(&mut *conn).await.unwrap();
    assert_eq!(world.count("connection_count_delta").await, 0);
    // and each trigger is needed: without it this test would have failed
    for (trigger, change) in [
        ("update", "update connection set health = 'late' where health <> 'late' and removed_at is null"),
        (
            "delete",
            "delete from connection where removed_at is null and id = (select id from connection where removed_at is null order by id desc limit 1)",
        ),
    ] {
        sqlx::query("delete from transition").execute(&mut *conn).await.unwrap();
        let drop = format!("drop trigger connection_counted_{trigger} on connection");
        sqlx::query(sqlx::AssertSqlSafe(drop)).execute(&mut *conn).await.unwrap();
        let before = differences(&mut conn).await;
        sqlx::query(change).execute(&mut *conn).await.unwrap();
        assert_ne!(differences(&mut conn).await, before, "{trigger}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_many_is_counted_to_the_limit_and_no_further(pool: PgPool) {
    let world = World::new(pool, 3).await;
    world.round().await;
    let mut conn = world.pool.acquire().await.unwrap();
    // 12,000 alike, a few of them unwell
    sqlx::query(
        "insert into connection (id, source_id, key, name, customer_id, platform_slug, authorization_, authorization_at, \
         authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, tags, search, \
         first_seen_at, updated_at) \
         select gen_random_uuid(), c.source_id, 'many-' || i, 'Many', c.customer_id, c.platform_slug, 'authorized', now(), 'poll', \
         'good', now(), 'poll', 'authorized', 'fresh', case when i <= 7 then 'late' else 'healthy' end, \
         case when i <= 7 then 3 else 8 end, now() - make_interval(secs => i), \
         case when i % 100 = 0 then '{odd,even}'::text[] else '{even}' end, 'many of a kind ' || i, now(), now() \
         from generate_series(1, 12000) i, (select * from connection order by id limit 1) c",
    )
    .execute(&mut *conn)
    .await
    .unwrap();
    let ask = async |query: &str| {
        let query = ConnectionQuery::from_query(query).unwrap();
        world.desk.connections(&admin(), query).await.unwrap()
    };
    // alone, a tag is counted exactly, however many have it; also together with a platform or a source
    for query in ["tag=even", "tag=even&source=makini"] {
        let page = ask(query).await;
        assert_eq!((page.matching, page.totals.of(Health::Late)), (12_000.into(), 7.into()), "{query}");
        assert!(page.items[..7].iter().all(|row| row.health == Health::Late) && page.items.len() == 50, "{query}");
    }
    assert_eq!((ask("tag=odd").await.matching, ask("tag=odd").await.items.len()), (120.into(), 50));
    assert_eq!(ask("tag=nobody").await.items, []);
    // a search or several tags stop counting, but say of each health what is true
    for query in ["q=many", "tag=odd&tag=even", "q=kind+of&tag=even"] {
        let page = ask(query).await;
        let mut expected = Tally::from(&model::Totals::default());
        expected.0.insert(Health::Healthy, Count::stopped(10_001));
        expected.0.insert(Health::Late, 7.into());
        assert_eq!((page.matching, page.totals), (Count::stopped(10_001), expected), "{query}");
        assert!(page.items[..7].iter().all(|row| row.health == Health::Late) && page.items.len() == 50, "{query}");
    }
    let late = ask("q=many&health=late").await;
    assert_eq!((late.matching, late.items.len()), (7.into(), 7));
    let two = ask("health=late&health=healthy&q=kind&limit=10").await;
    assert_eq!((two.items.len(), two.items.iter().filter(|row| row.health == Health::Late).count()), (10, 7));
    // to the last page, each row once
    for query in ["q=many", "q=many&sort=-worst", "tag=odd", "tag=even&health=late&health=healthy", "q=7&sort=since"] {
        let mut query = ConnectionQuery { limit: Some(200), ..ConnectionQuery::from_query(query).unwrap() };
        let (mut ids, mut pages) = (Vec::new(), 0);
        loop {
            let page = world.desk.connections(&admin(), query.clone()).await.unwrap();
            ids.extend(page.items.iter().map(|row| row.id));
            pages += 1;
            query.cursor = page.next_cursor;
            if query.cursor.is_none() || pages > 100 {
                break;
            }
        }
        let rows: i64 = sqlx::query_scalar(
            "select count(*) from connection where ($1 = '' or search like '%' || $1 || '%') and tags @> $2",
        )
        .bind(query.q.clone().unwrap_or_default())
        .bind(&query.tag)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
        assert_eq!(ids.len() as i64, rows, "{query:?}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len() as i64, rows, "{query:?}: each row once");
    }
}
