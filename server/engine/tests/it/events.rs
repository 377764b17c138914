//! Received webhooks as rows of work, and as a list.

use crate::door::{Doorway, event, noon};
use chrono::TimeDelta;
use engine::store::event::{self as store, Backlog, Finished, Leased};
use model::{Attempt, AttemptOutcome, AttemptTrigger, EventQuery, EventState, Refusal};
use sqlx::PgPool;

const LEASE: TimeDelta = TimeDelta::seconds(180);

fn ended(leased: &Leased, state: EventState) -> Finished {
    Finished {
        id: leased.id,
        received_at: leased.received_at,
        lease_token: leased.lease_token,
        state,
        kind: Some("sync.completed".to_owned()),
        connection_id: None,
        attempts_append: Attempt {
            n: leased.earlier + 1,
            trigger: leased.trigger(),
            by: None,
            started_at: noon(),
            duration_ms: 1,
            outcome: if state == EventState::Failed { AttemptOutcome::Failed } else { AttemptOutcome::Ok },
            status: None,
            error: None,
        },
        due_at: None,
        attempt: leased.attempt + 1,
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_is_leased_once_finished_once_and_retried_by_hand(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    for n in 0..3 {
        world.clock.advance(TimeDelta::seconds(1));
        world.post(event(&format!("evt_{n}"))).await.unwrap();
    }
    let now = noon() + TimeDelta::seconds(10);
    let mut conn = pool.acquire().await.unwrap();
    assert_eq!(
        store::backlog(&mut conn, now).await.unwrap(),
        Backlog { count: 3, oldest: Some(noon() + TimeDelta::seconds(1)) }
    );

    let leased = store::lease_due(&mut conn, now, LEASE, 2).await.unwrap();
    assert_eq!(leased.iter().filter_map(|event| event.webhook_id.as_deref()).collect::<Vec<_>>(), ["evt_0", "evt_1"]);
    assert!(leased[0].headers.contains_key("x-webhook-signature"));
    assert_eq!((leased[0].attempt, leased[0].trigger()), (0, AttemptTrigger::Arrival));
    assert_eq!(store::lease_due(&mut conn, now, LEASE, 10).await.unwrap().len(), 1);
    assert!(store::lease_due(&mut conn, now, LEASE, 10).await.unwrap().is_empty());

    // one lease ends well, the other runs out: its work no longer counts, and its event is somebody else's
    assert_eq!(store::finish(&mut conn, &[ended(&leased[0], EventState::Failed)]).await.unwrap(), 1);
    let later = now + LEASE;
    let taken_over = store::lease_due(&mut conn, later, LEASE, 10).await.unwrap();
    assert_eq!(taken_over.iter().map(|event| event.attempt).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(taken_over[0].trigger(), AttemptTrigger::Schedule);
    assert_eq!(store::finish(&mut conn, &[ended(&leased[1], EventState::Processed)]).await.unwrap(), 0);
    let ends: Vec<_> = taken_over.iter().map(|event| ended(event, EventState::Processed)).collect();
    assert_eq!(store::finish(&mut conn, &ends).await.unwrap(), 2);
    assert_eq!(store::backlog(&mut conn, later).await.unwrap(), Backlog::default());

    assert!(!store::requeue(&mut conn, leased[1].id, later).await.unwrap());
    assert!(store::requeue(&mut conn, leased[0].id, later).await.unwrap());
    let by_hand = store::lease_due(&mut conn, later, LEASE, 10).await.unwrap();
    assert_eq!((by_hand[0].trigger(), by_hand[0].earlier), (AttemptTrigger::Person, 1));
    store::finish(&mut conn, &[ended(&by_hand[0], EventState::Processed)]).await.unwrap();
    let detail = store::get(&mut conn, leased[0].id).await.unwrap().unwrap();
    assert_eq!(detail.event.attempts.iter().map(|attempt| attempt.n).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(detail.payload, Some(event("evt_0")));
    assert_eq!(detail.headers[0].0, "x-webhook-signature");
}

#[sqlx::test(migrations = "../../migrations")]
async fn lists_are_paged_filtered_and_know_what_came_again(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    for n in 0..5 {
        world.post(event(&format!("evt_{n}"))).await.unwrap();
    }
    world.post(event("evt_3")).await.unwrap();
    world.post(r#"{"event":"assets.updated","body":[]}"#).await.unwrap();
    let mut conn = pool.acquire().await.unwrap();

    let (mut seen, mut query) = (Vec::new(), EventQuery { limit: Some(4), ..EventQuery::default() });
    loop {
        let page = store::list(&mut conn, &query).await.unwrap();
        seen.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.is_sorted_by_key(|event| std::cmp::Reverse((event.received_at, event.id))));
    assert!(seen[0].maybe_repeat && seen[0].webhook_id.is_none());
    let again = seen.iter().find(|event| event.duplicates > 0).unwrap();
    assert_eq!((again.webhook_id.as_deref(), again.duplicates, again.source.as_str()), (Some("evt_3"), 1, "demo"));

    let count = async |query: &str| {
        let mut conn = pool.acquire().await.unwrap();
        store::list(&mut conn, &EventQuery::from_query(query).unwrap()).await.unwrap().items.len()
    };
    assert_eq!(count("webhook_id=evt_2").await, 1);
    assert_eq!(count("state=pending").await, 6);
    assert_eq!(count("state=failed&state=unrecognised").await, 0);
    assert_eq!(count("source=demo&source=other").await, 6);
    assert_eq!(count(&format!("source={}", world.source)).await, 6);
    assert_eq!(count("source=other&kind=sync.failed").await, 0);
    assert_eq!(count(&format!("connection={}", world.source)).await, 0);

    let damaged = EventQuery { cursor: Some("nonsense".to_owned()), ..EventQuery::default() };
    let refusal = store::list(&mut conn, &damaged).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Invalid(errors) if errors[0].field == "cursor"));
}
