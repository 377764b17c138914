//! What is hidden of payloads, and stays so whatever becomes of the rules.

use crate::failed::{endpoint, failed_delivery, failed_event, viewer};
use crate::world::{World, admin};
use chrono::{DateTime, TimeDelta, Utc};
use engine::clock::new_id;
use model::{
    Backend, DeliveryId, DeliveryQuery, EndpointId, FailureQuery, NewRetry, RejectionId, RetentionPatch, RetryFilter,
};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

/// As it came, with blanks that only the bytes themselves have.
const CAME: &str = r#"{"id": "evt_1",  "data": {"Password": "hunter2", "iban": "DE1"}}"#;

async fn hide(world: &World, fields: &[&str]) {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    let patch = RetentionPatch { redacted_fields: Some(fields), ..RetentionPatch::default() };
    world.desk.change_retention(&admin(), patch).await.unwrap();
}

async fn found(world: &World, query: &str) -> Vec<Uuid> {
    let query = FailureQuery::from_query(query).unwrap();
    let page = world.desk.failures(&admin(), query.clone()).await.unwrap();
    let ids: Vec<_> = page.items.iter().map(|one| one.id).collect();
    let counts = world.desk.failure_summary(&admin(), query.clone()).await.unwrap().counts;
    let asked = |kind| query.kind.is_empty() || query.kind.contains(kind);
    let counted: u64 = counts.iter().filter(|(kind, _)| asked(*kind)).map(|(_, n)| n).sum();
    let grouped: u64 = world.desk.failure_groups(&admin(), query).await.unwrap().iter().map(|group| group.count).sum();
    assert_eq!((counted, grouped), (ids.len() as u64, ids.len() as u64), "every question looks alike");
    ids
}

/// How many a retry of all that hold this would take.
async fn would_retry(world: &World, text: &str) -> i64 {
    let filter: RetryFilter = serde_json::from_value(json!({"q": text})).unwrap();
    let wish = NewRetry { filter, dry_run: true, ..NewRetry::default() };
    world.desk.start_retry(&admin(), wish).await.unwrap().total
}

async fn rejection(world: &World, at: DateTime<Utc>, excerpt: &str) -> RejectionId {
    let id = new_id();
    sqlx::query(
        "insert into rejection (id, source_name, received_at, reason, detail, headers, excerpt)
         values ($1, 'makini', $2, 'signature_wrong', 'The signature is wrong.', '[]', $3)",
    )
    .bind(id)
    .bind(at)
    .bind(excerpt.as_bytes())
    .execute(&world.pool)
    .await
    .unwrap();
    RejectionId(id)
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_hidden_when_it_came_stays_hidden_when_the_rules_are_loosened(pool: PgPool) {
    let world = World::new(pool, 1).await;
    let now = world.clock.now();
    let first: Vec<String> = sqlx::query_scalar("select fields from redaction").fetch_one(&world.pool).await.unwrap();
    assert_eq!(first, model::Retention::default().redacted_fields, "what is hidden where nobody has set anything");
    let before = failed_event(&world, now - TimeDelta::hours(1), "internal", CAME).await;
    let shown = async |id| world.desk.event(&admin(), id).await.unwrap().payload.unwrap();
    let hidden = CAME.replace("hunter2", "•••");
    assert_eq!(shown(before).await, hidden);
    assert!(found(&world, "q=hunter2").await.is_empty());
    assert_eq!(found(&world, "q=de1").await, [before.0]);

    // a rule that is added holds for what is there already; one that is taken away uncovers nothing
    hide(&world, &["iban"]).await;
    assert_eq!(shown(before).await, hidden.replace("DE1", "•••"));
    hide(&world, &[]).await;
    hide(&world, &[]).await;
    assert_eq!(world.count("redaction").await, 3, "one for each change");
    assert_eq!(shown(before).await, hidden, "nothing hid the rest when it came");
    for query in ["q=hunter2", "q=hunter2&path=data.Password", "q=unter&path=data"] {
        assert!(found(&world, query).await.is_empty(), "{query}");
    }
    assert_eq!(would_retry(&world, "hunter2").await, 0);
    assert_eq!(found(&world, "q=de1&path=data.iban").await, [before.0]);

    // what comes later is hidden by the rules of then
    let after = failed_event(&world, now + TimeDelta::minutes(10), "internal", CAME).await;
    assert_eq!(shown(after).await, CAME);
    assert_eq!(found(&world, "q=hunter2&path=data.Password").await, [after.0]);
    assert_eq!(would_retry(&world, "hunter2").await, 1);

    // the bytes are there, and who sees them is written down
    assert_eq!(world.desk.reveal_event(&admin(), before).await.unwrap().payload, CAME);
    let of = format!("audit where action = 'event.revealed' and subject_id = '{before}'");
    assert_eq!(world.count(&of).await, 1);
    assert!(world.desk.reveal_event(&viewer(), before).await.is_err());
    let kept: Vec<u8> =
        sqlx::query_scalar("select body from event where id = $1").bind(before.0).fetch_one(&world.pool).await.unwrap();
    assert_eq!(kept, CAME.as_bytes());
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_endpoints_answer_and_what_was_turned_away_is_hidden_alike(pool: PgPool) {
    let world = World::new(pool, 1).await;
    let then = world.clock.now() - TimeDelta::hours(1);
    let event = failed_event(&world, then, "internal", CAME).await;
    let to = endpoint(&world, "erp").await;
    let made = failed_delivery(&world, to, event, then, "http_500").await;
    let delivery = engine::relay::delivery_id(event, then, EndpointId(to));
    let echo = json!([{
        "n": 1, "trigger": "arrival", "by": null, "started_at": then, "duration_ms": 1, "outcome": "failed", "status": 500,
        "error": {"class": "http_500", "message": "Answered 500"}, "answer": r#"{"got": {"Password": "hunter2", "iban": "DE"#,
    }]);
    sqlx::query("update delivery set attempts = $2, id = $3 where id = $1")
        .bind(made)
        .bind(echo)
        .bind(delivery)
        .execute(&world.pool)
        .await
        .unwrap();
    let turned = rejection(&world, then, r#"{"token": "s3cret", "iban": "DE"#).await;
    hide(&world, &["iban"]).await;
    hide(&world, &[]).await;

    let answer = r#"{"got": {"Password": "•••", "iban": "DE"#;
    let read = world.desk.delivery(&viewer(), DeliveryId(delivery)).await.unwrap();
    assert_eq!(read.attempts[0].answer.as_deref(), Some(answer));
    let query = DeliveryQuery { endpoint: Some(EndpointId(to)), ..DeliveryQuery::default() };
    let listed = world.desk.deliveries(&viewer(), query).await.unwrap().items;
    assert_eq!(listed[0].attempts[0].answer.as_deref(), Some(answer));

    let excerpt = world.desk.rejection(&admin(), turned).await.unwrap().excerpt;
    assert_eq!(excerpt, r#"{"token": "•••", "iban": "DE"#);
    assert!(found(&world, "kind=rejection&q=s3cret").await.is_empty());
    assert_eq!(found(&world, "kind=rejection&q=iban").await, [turned.0]);
}
