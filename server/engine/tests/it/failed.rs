//! Everything that failed, as one list: what is in it, in which order, and what is said of it.

use crate::world::{SECRET, World, admin, signed};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use engine::clock::{Clock as _, TestClock, id_at, new_id};
use engine::webhook::process::Processor;
use engine::work::{RetryWorker, Step};
use model::{
    Actor, AttemptTrigger, Backend, ConnectionId, EventId, EventQuery, EventState, Failure, FailureKind, FailureQuery,
    GapId, Refusal, RejectionId, RejectionReason, RetentionPatch, Role, SourcePatch,
};
use serde_json::json;
use sqlx::PgPool;
use std::sync::Arc;
use uuid::Uuid;

pub fn viewer() -> Actor {
    Actor { role: Role::Viewer, ..admin() }
}

/// An event of the world's source that rests as failed since `at`.
pub async fn failed_event(world: &World, at: DateTime<Utc>, class: &str, body: &str) -> EventId {
    let id = id_at(at);
    sqlx::query("insert into event (id, received_at, source_id, headers, body) values ($1, $2, $3, '[]', $4)")
        .bind(id)
        .bind(at)
        .bind(world.source.id.0)
        .bind(body.as_bytes())
        .execute(&world.pool)
        .await
        .unwrap();
    let attempts = json!([{
        "n": 1, "trigger": "arrival", "by": null, "started_at": at, "duration_ms": 1, "outcome": "failed", "status": null,
        "error": {"class": class, "message": format!("It was {class}")},
    }]);
    sqlx::query(
        "insert into event_end (id, received_at, started_at, duration_ms, state, kind, attempts, failed_at)
         values ($1, $2, $2, 1, 'failed', 'sync.completed', $3, $2)",
    )
    .bind(id)
    .bind(at)
    .bind(attempts)
    .execute(&world.pool)
    .await
    .unwrap();
    EventId(id)
}

pub async fn endpoint(world: &World, name: &str) -> Uuid {
    let id = new_id();
    sqlx::query("insert into endpoint (id, name, url, created_at, updated_at) values ($1, $2, 'https://x.example', now(), now())")
        .bind(id)
        .bind(name)
        .execute(&world.pool)
        .await
        .unwrap();
    id
}

pub async fn failed_delivery(world: &World, endpoint: Uuid, event: EventId, at: DateTime<Utc>, class: &str) -> Uuid {
    let id = new_id();
    sqlx::query(
        "insert into delivery (id, received_at, event_id, endpoint_id, kind, state, started_at, duration_ms, failed_at, error_class,
                               error_message)
         select $1, received_at, id, $3, 'sync.completed', 'failed', $4, 1, $4, $5, 'certificate expired'
         from event where id = $2",
    )
    .bind(id)
    .bind(event.0)
    .bind(endpoint)
    .bind(at)
    .bind(class)
    .execute(&world.pool)
    .await
    .unwrap();
    id
}

async fn rejection(world: &World, at: DateTime<Utc>, reason: RejectionReason) -> RejectionId {
    let id = new_id();
    sqlx::query(
        "insert into rejection (id, source_name, received_at, reason, detail, headers, excerpt)
         values ($1, 'makini', $2, $3, 'The signature is wrong.', '[[\"user-agent\", \"x\"]]', 'excerpt')",
    )
    .bind(id)
    .bind(at)
    .bind(reason.code())
    .execute(&world.pool)
    .await
    .unwrap();
    RejectionId(id)
}

async fn counted(world: &World, outcome: &str, n: i64, last_at: DateTime<Utc>) {
    sqlx::query(
        "insert into door_count (source_name, outcome, hour, n, last_at) values ('makini', $1, date_trunc('hour', $3, 'UTC'), $2, $3)
         on conflict (source_name, outcome, hour) do update set n = door_count.n + excluded.n, last_at = excluded.last_at",
    )
    .bind(outcome)
    .bind(n)
    .bind(last_at)
    .execute(&world.pool)
    .await
    .unwrap();
}

async fn gap(world: &World, connection: ConnectionId, at: DateTime<Utc>) -> GapId {
    let id = new_id();
    sqlx::query(
        "insert into gap (id, connection_id, kind, happened_at, found_at, missed_at)
         values ($1, $2, 'sync_completed', $3::timestamptz - interval '10 minutes', $3::timestamptz - interval '9 minutes', $3)",
    )
    .bind(id)
    .bind(connection.0)
    .bind(at)
    .execute(&world.pool)
    .await
    .unwrap();
    GapId(id)
}

fn asked(query: &str) -> FailureQuery {
    FailureQuery::from_query(query).unwrap()
}

async fn pages(world: &World, query: &str, limit: u16) -> Vec<Failure> {
    let mut query = FailureQuery { limit: Some(limit), ..asked(query) };
    let mut all = Vec::new();
    loop {
        let page = world.desk.failures(&admin(), query.clone()).await.unwrap();
        assert!(page.items.len() <= usize::from(limit));
        all.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return all;
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn everything_that_failed_is_one_list_with_pages_filters_counts_and_causes(pool: PgPool) {
    let world = World::new(pool, 3).await;
    world.round().await;
    let connection = world.connections().await[0].id;
    let (erp, crm) = (endpoint(&world, "erp").await, endpoint(&world, "crm").await);
    let now = world.clock.now();
    let ago = |minutes: i64| now - TimeDelta::minutes(minutes);
    for n in 0..6 {
        let body = json!({"id": n, "data": {"error": {"code": format!("Code-{n}")}}}).to_string();
        let class = if n % 2 == 0 { "internal" } else { "unknown_connection" };
        let event = failed_event(&world, ago(4 * n), class, &body).await;
        let to = if n < 4 { erp } else { crm };
        failed_delivery(&world, to, event, ago(4 * n + 1), "tls").await;
        rejection(&world, ago(4 * n + 2), RejectionReason::SignatureWrong).await;
        gap(&world, connection, ago(4 * n + 3)).await;
    }
    let all = pages(&world, "", 5).await;
    assert_eq!(all.len(), 24);
    assert!(all.is_sorted_by_key(|one| std::cmp::Reverse((one.at, one.id))));
    let kinds: Vec<_> = all.iter().take(4).map(|one| one.kind).collect();
    assert_eq!(kinds, [FailureKind::Processing, FailureKind::Delivery, FailureKind::Rejection, FailureKind::Gap]);
    assert!(all.iter().all(|one| one.source.as_deref() == Some("makini")));
    assert_eq!(all[0].error.message, "It was internal");
    assert_eq!(all[1].endpoint.as_ref().map(|endpoint| endpoint.name.as_str()), Some("erp"));
    assert_eq!((all[2].error.class.as_str(), all[2].retryable), ("signature_wrong", false));
    assert_eq!(
        (all[3].error.class.as_str(), all[3].connection.as_ref().map(|one| one.id)),
        ("missing", Some(connection))
    );

    let count = async |query: &str| pages(&world, query, 200).await.len();
    assert_eq!(count("kind=processing&kind=gap").await, 12);
    assert_eq!(count(&format!("endpoint={erp}")).await, 4);
    assert_eq!(count(&format!("connection={connection}")).await, 6);
    assert_eq!(count("error=internal&error=tls").await, 9);
    assert_eq!(count("source=other").await, 0);
    assert_eq!(count(&format!("source={}&source=nobody", world.source.id)).await, 24);
    let encoded = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    assert_eq!(count(&format!("since={}", encoded(ago(3)))).await, 4);
    assert_eq!(count(&format!("until={}", encoded(ago(3)))).await, 20);
    assert_eq!(count(&format!("id={}&id={}", all[0].id, all[3].id)).await, 2);
    assert_eq!(count("q=CERTIFICATE").await, 6, "in the error of deliveries");
    assert_eq!(count("q=code-3").await, 2, "in the payload of an event and of its delivery");
    assert_eq!(count("q=code-3&path=data.error.code").await, 2);
    assert_eq!(count("q=code-3&path=data.code").await, 0);
    assert_eq!(pages(&world, "q=code", 2).await.len(), 12);

    let summary = world.desk.failure_summary(&admin(), asked("kind=gap&q=code-3")).await.unwrap();
    assert_eq!(
        summary.counts.into_iter().collect::<Vec<_>>(),
        [(FailureKind::Processing, 1), (FailureKind::Delivery, 1)]
    );
    let groups = world.desk.failure_groups(&admin(), asked("kind=processing&kind=delivery")).await.unwrap();
    let said: Vec<_> = groups
        .iter()
        .map(|group| (group.error.class.as_str(), group.endpoint.as_ref().map(|one| one.name.as_str()), group.count))
        .collect();
    assert_eq!(said[0], ("tls", Some("erp"), 4));
    assert!(said.contains(&("tls", Some("crm"), 2)) && said.contains(&("internal", None, 3)), "{said:?}");
    assert_eq!(groups[0].last_at, ago(1));
    assert_eq!(groups.iter().find(|group| group.error.class == "internal").unwrap().source.as_deref(), Some("makini"));

    sqlx::query("update endpoint set removed_at = now() where id = $1").bind(crm).execute(&world.pool).await.unwrap();
    assert!(pages(&world, &format!("endpoint={crm}"), 50).await.iter().all(|one| !one.retryable));
    let refused = world.desk.failures(&viewer(), asked("q=code")).await;
    assert!(matches!(refused, Err(Refusal::Forbidden(_))), "who sees no payloads does not feel for them");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_wrong_secret_is_recognised_as_such(pool: PgPool) {
    let world = World::new(pool, 1).await;
    let now = world.clock.now();
    let hints = async || world.desk.failure_summary(&admin(), FailureQuery::default()).await.unwrap().hints;
    counted(&world, "taken", 10, now - TimeDelta::hours(3)).await;
    for n in 0..2 {
        rejection(&world, now - TimeDelta::minutes(100 - n), RejectionReason::SignatureWrong).await;
    }
    counted(&world, "signature_wrong", 2, now - TimeDelta::minutes(99)).await;
    assert!(hints().await.is_empty(), "two may be chance");
    rejection(&world, now, RejectionReason::SignatureWrong).await;
    counted(&world, "signature_wrong", 1, now).await;
    let hint = hints().await.remove(0);
    assert_eq!((hint.source, hint.source_name.as_str(), hint.count), (world.source.id, "makini", 3));
    assert_eq!(hint.since, now - TimeDelta::minutes(100));
    assert!(hint.text.contains("was the webhook secret changed"), "{}", hint.text);
    counted(&world, "not_json", 1, now).await;
    assert!(hints().await.is_empty(), "they fail for more than one reason");
    sqlx::query("delete from door_count where outcome = 'not_json'").execute(&world.pool).await.unwrap();
    counted(&world, "taken", 1, now + TimeDelta::seconds(1)).await;
    assert!(hints().await.is_empty(), "one was taken since");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_gap_says_where_it_was_probably_lost(pool: PgPool) {
    let world = World::new(pool, 1).await;
    world.round().await;
    let connection = world.connections().await[0].id;
    let now = world.clock.now();
    let id = gap(&world, connection, now).await;
    let view = world.desk.gap(&viewer(), id).await.unwrap();
    assert!(view.explanation.contains("No webhook of this source arrived"), "{}", view.explanation);
    counted(&world, "taken", 1, now - TimeDelta::minutes(5)).await;
    let view = world.desk.gap(&viewer(), id).await.unwrap();
    assert!(view.explanation.contains("probably lost at the sender"), "{}", view.explanation);
    let old = gap(&world, connection, now - TimeDelta::days(40)).await;
    assert!(world.desk.gap(&viewer(), old).await.unwrap().explanation.contains("no longer known"));
    assert!(matches!(world.desk.gap(&viewer(), GapId(new_id())).await, Err(Refusal::NotFound(_))));
    let id = rejection(&world, now, RejectionReason::NotJson).await;
    assert_eq!(world.desk.rejection(&admin(), id).await.unwrap().excerpt, "excerpt");
    assert_eq!(world.desk.rejection(&viewer(), id).await.unwrap().excerpt, "");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_secret_in_a_payload_is_shown_only_to_who_asks_and_that_is_written_down(pool: PgPool) {
    let world = World::new(pool, 1).await;
    let id = world
        .hear(&json!({"id": "evt_1", "event": "x", "data": {"Password": "hunter2", "iban": "DE1"}}))
        .await
        .unwrap()
        .id;
    let shown = world.desk.event(&admin(), id).await.unwrap().payload.unwrap();
    assert!(!shown.contains("hunter2") && shown.contains("DE1"), "{shown}");
    assert_eq!(world.desk.event(&viewer(), id).await.unwrap().payload, None);
    assert!(matches!(world.desk.reveal_event(&viewer(), id).await, Err(Refusal::Forbidden(_))));
    let revealed = world.desk.reveal_event(&admin(), id).await.unwrap();
    assert!(revealed.payload.contains("hunter2"));
    assert_eq!(revealed.json["data"]["Password"], "hunter2");
    assert_eq!(world.count("audit where action = 'event.revealed'").await, 1);

    let before = world.desk.retention(&viewer()).await.unwrap();
    let patch = RetentionPatch {
        redacted_fields: Some(vec!["iban".to_owned()]),
        version: Some(before.version),
        ..RetentionPatch::default()
    };
    let after = world.desk.change_retention(&admin(), patch.clone()).await.unwrap();
    assert_eq!((after.version, after.events_days), (before.version + 1, before.events_days));
    assert!(matches!(world.desk.change_retention(&admin(), patch).await, Err(Refusal::Conflict(_))));
    let refused = world.desk.change_retention(&viewer(), RetentionPatch::default()).await;
    assert!(matches!(refused, Err(Refusal::Forbidden(_))));
    let shown = world.desk.event(&admin(), id).await.unwrap().payload.unwrap();
    assert!(!shown.contains("hunter2") && !shown.contains("DE1"), "what was hidden stays hidden: {shown}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_is_in_the_list_from_its_first_failure_until_it_is_processed(pool: PgPool) {
    let world = World::new(pool, 2).await;
    let clock = TestClock::at(world.clock.now());
    let body = Bytes::from(
        json!({"id": "evt_1", "event": "sync.completed", "timestamp": clock.now(), "connection_id": "nobody"})
            .to_string(),
    );
    let id = world.door.accept("makini", &signed(SECRET, &body), body).await.unwrap().id;
    clock.advance(TimeDelta::seconds(5));
    let processor = Processor::new(world.pool.clone(), clock.clone(), Arc::default());
    let settle = async || while processor.step().await.unwrap() == Step::Busy {};
    settle().await;
    let listed = pages(&world, "", 50).await;
    assert_eq!((listed.len(), listed[0].id, listed[0].attempts_count), (1, id.0, 1));
    assert!(listed[0].next_due_at.is_some_and(|at| at > clock.now()) && listed[0].retryable);
    let first = listed[0].at;

    // a person does not wait for the schedule; what follows by itself is the schedule's again
    clock.advance(TimeDelta::seconds(1));
    let mut conn = world.pool.acquire().await.unwrap();
    assert!(engine::store::event_end::requeue(&mut conn, id, "Ann", clock.now()).await.unwrap());
    assert!(!engine::store::event_end::requeue(&mut conn, id, "Bob", clock.now()).await.unwrap(), "it is due by now");
    settle().await;
    clock.advance(TimeDelta::minutes(10));
    settle().await;
    let event = world.desk.event(&admin(), id).await.unwrap().event;
    let told: Vec<_> = event.attempts.iter().map(|attempt| (attempt.trigger, attempt.by.as_deref())).collect();
    assert_eq!(
        told,
        [(AttemptTrigger::Arrival, None), (AttemptTrigger::Person, Some("Ann")), (AttemptTrigger::Schedule, None)]
    );
    assert_eq!(pages(&world, "", 50).await[0].at, first, "when it first failed stays");

    world.round().await;
    let key = world.connections().await[0].key.clone();
    sqlx::query("update event set body = convert_to(replace(convert_from(body, 'UTF8'), 'nobody', $1), 'UTF8')")
        .bind(key)
        .execute(&world.pool)
        .await
        .unwrap();
    clock.advance(TimeDelta::minutes(10));
    settle().await;
    assert!(pages(&world, "", 50).await.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_mended_mapping_tries_again_what_was_not_understood(pool: PgPool) {
    let world = World::new(pool, 2).await;
    world.round().await;
    let key = world.connections().await[0].key.clone();
    for n in 0..3 {
        let body = json!({"id": format!("evt_{n}"), "event": "sync.fertig", "timestamp": world.clock.now(), "connection_id": key});
        world.hear(&body).await.unwrap();
    }
    world.settle().await;
    let of = async |state: EventState| {
        let query = EventQuery { state: vec![state], ..EventQuery::default() };
        world.desk.events(&admin(), query).await.unwrap().items
    };
    assert_eq!(of(EventState::Unrecognised).await.len(), 3);
    let mut mappings = world.source.mappings.clone();
    mappings.events.insert("sync.fertig".to_owned(), model::EventKind::SyncCompleted);
    let patch = SourcePatch { mappings: Some(mappings), ..SourcePatch::default() };
    world.desk.change_source(&admin(), world.source.id, patch.clone()).await.unwrap();
    world.desk.change_source(&admin(), world.source.id, patch).await.unwrap();
    assert_eq!(world.count("retry").await, 1, "the same mappings are no change");

    // what is known of the sources is a second old at most
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let worker = RetryWorker::new(world.pool.clone(), Arc::clone(&world.clock), Arc::default());
    assert_eq!(worker.step().await.unwrap(), Step::Busy);
    world.settle().await;
    assert!(of(EventState::Unrecognised).await.is_empty());
    let again = of(EventState::Processed).await.into_iter().chain(of(EventState::Superseded).await).collect::<Vec<_>>();
    assert_eq!(again.len(), 3);
    let last = again[0].attempts.last().unwrap();
    assert_eq!((last.trigger, last.by.as_deref()), (AttemptTrigger::Bulk, Some("Linewatch")));
}

#[sqlx::test(migrations = "../../migrations")]
async fn makinis_own_failed_webhooks_are_listed_where_a_source_tells_of_them(pool: PgPool) {
    let world = World::new(pool, 2).await;
    world.round().await;
    let mut page = model::PageQuery::default();
    let mut all = Vec::new();
    loop {
        let read = world.desk.makini_deliveries(&viewer(), world.source.id, page.clone()).await.unwrap();
        all.extend(read.items);
        page.cursor = read.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    assert!(all.iter().all(|one| one.status == "pending" || one.status == "failed"));
    let refused = world.desk.retry_makini_delivery(&admin(), world.source.id, "evt_none".to_owned()).await;
    assert!(matches!(refused, Err(Refusal::NotFound(_))), "{refused:?}");
    let refused = world.desk.retry_makini_delivery(&viewer(), world.source.id, "evt_none".to_owned()).await;
    assert!(matches!(refused, Err(Refusal::Forbidden(_))));
}
