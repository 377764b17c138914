//! Whole lists, taken away as CSV.

use crate::world::World;
use sqlx::PgPool;

/// `n` connections of the source, each third one late, names that a spreadsheet would run.
async fn connections(pool: &PgPool, source: model::SourceId, n: i32) {
    for statement in [
        "insert into platform (slug, name) values ('sap-ecc', 'SAP ECC')",
        "insert into customer (id, key, name, created_at) \
         select gen_random_uuid(), 'meta:' || n, '=Customer, ' || n, now() from generate_series(1, 3) n",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
    sqlx::query(
        "insert into connection (id, source_id, key, name, customer_id, platform_slug, authorization_, authorization_at, \
           authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search, \
           first_seen_at, updated_at) \
         select gen_random_uuid(), $1, 'key-' || n, 'Site ' || n, (select id from customer where key = 'meta:' || (n % 3 + 1)), \
           'sap-ecc', 'authorized', now(), 'poll', 'good', now(), 'poll', 'authorized', \
           case when n % 3 = 0 then 'late' else 'fresh' end, case when n % 3 = 0 then 'late' else 'healthy' end, \
           case when n % 3 = 0 then 3 else 8 end, now() - make_interval(secs => n), 'site ' || n, now(), now() \
         from generate_series(1, $2) n",
    )
    .bind(source.0)
    .bind(n)
    .execute(pool)
    .await
    .unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn a_whole_list_is_taken_away_as_csv_with_its_filters(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let source = world.source("acme").await;
    connections(&pool, source.id, 450).await;
    let machine = world.machine();

    let all = machine.get("/api/v1/connections?format=csv&limit=2&sort=-since").await;
    assert_eq!(all.status, 200, "{all:?}");
    assert_eq!(all.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(all.header("content-disposition"), Some("attachment; filename=\"connections.csv\""));
    let lines: Vec<_> = all.text.split("\r\n").collect();
    assert_eq!(lines.len(), 1 + 450 + 1, "a head, every row, and the end of the last line");
    assert!(lines[0].starts_with("id,key,name,customer.id,customer.name,"), "{}", lines[0]);
    let page = machine.get("/api/v1/connections?limit=1&sort=-since").await.json();
    assert!(lines[1].starts_with(page["items"][0]["id"].as_str().unwrap()), "in the order asked for");
    assert!(lines[1..=450].iter().all(|line| line.contains(",\"'=Customer, ")), "no cell is a formula");

    let asked = machine.clone().with("accept", "text/csv");
    let late = asked.get("/api/v1/connections?health=late&q=site").await;
    assert_eq!(late.text.lines().count(), 1 + 150);
    machine.get("/api/v1/connections?format=xlsx").await.problem(422, "invalid");
    asked.get("/api/v1/connections?health=fine").await.problem(422, "invalid");
    world.anonymous().get("/api/v1/connections?format=csv").await.problem(401, "unauthenticated");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn every_list_can_be_taken_away(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let source = world.source("acme").await;
    connections(&pool, source.id, 1).await;
    let machine = world.machine();
    let sources = machine.get("/api/v1/sources?format=csv").await;
    assert_eq!(sources.text.lines().count(), 2, "{sources:?}");
    assert!(sources.text.contains(",acme,") && !sources.text.contains("client-secret"), "{sources:?}");
    machine.get("/api/v1/sources?colour=red").await.problem(422, "invalid");

    let id = machine.get("/api/v1/connections").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    for (list, head) in [("timeline", "at,kind,"), ("evidence", "id,eye,at,")] {
        let answer = machine.get(&format!("/api/v1/connections/{id}/{list}?format=csv")).await;
        assert!(answer.text.starts_with(head), "{answer:?}");
        let missing = machine.get(&format!("/api/v1/connections/{}/{list}?format=csv", source.id)).await;
        missing.problem(404, "not_found");
    }
    let events = machine.get("/api/v1/events?format=csv").await;
    assert!(events.text.starts_with("id,source,webhook_id,"), "{events:?}");
    world.stop().await;
}
