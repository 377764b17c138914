//! How Linewatch says that it is well.

use crate::world::World;
use sqlx::PgPool;

#[sqlx::test(migrations = "../migrations")]
async fn is_alive_and_ready_and_counted(pool: PgPool) {
    let world = World::new(pool).await;
    let nobody = world.anonymous();
    let alive = nobody.get("/livez").await;
    assert_eq!((alive.status, alive.json()["version"].as_str()), (200, Some(server::VERSION)));
    let ready = nobody.get("/readyz").await;
    assert_eq!((ready.status, ready.json()["ready"].as_bool()), (200, Some(true)), "{ready:?}");
    let names: Vec<_> = ready.json()["parts"].as_array().unwrap().iter().map(|part| part["name"].clone()).collect();
    assert_eq!(names, ["running", "database", "migrations", "partitions", "storage", "listener"]);

    let numbers = world.machine().get("/metrics").await;
    assert!(numbers.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert!(
        numbers.text.contains("linewatch_http_requests_total{method=\"GET\",route=\"/livez\",status=\"200\"}"),
        "{}",
        numbers.text
    );
    let names = numbers.text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    for line in names {
        assert!(line.starts_with("linewatch_"), "{line}");
    }
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn says_which_part_is_not_ready(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let parts = |answer: crate::caller::Answer| -> Vec<String> {
        assert_eq!(answer.status, 503, "{answer:?}");
        let parts = answer.json()["parts"].as_array().unwrap().clone();
        parts
            .iter()
            .filter(|part| part["ready"] == false)
            .map(|part| part["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let tomorrow = (engine::clock::Clock::now(&*world.clock) + chrono::TimeDelta::days(1)).format("%Y%m%d");
    let drop_it = sqlx::AssertSqlSafe(format!("drop table evidence_{tomorrow}"));
    sqlx::query(drop_it).execute(&pool).await.unwrap();
    assert_eq!(parts(world.anonymous().get("/readyz").await), ["partitions"]);

    sqlx::query("insert into replica values (gen_random_uuid(), 'one', 'all', '1', $1, $1)")
        .bind(engine::clock::Clock::now(&*world.clock) - chrono::TimeDelta::minutes(1))
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(parts(world.anonymous().get("/readyz").await), ["partitions", "storage"]);

    sqlx::query("delete from _sqlx_migrations").execute(&pool).await.unwrap();
    assert_eq!(parts(world.anonymous().get("/readyz").await), ["migrations", "partitions", "storage"]);
    world.stop().await;
}
