//! Received webhooks as rows of work, and as a list.

use crate::door::{Doorway, event, noon, until};
use chrono::TimeDelta;
use engine::store::event_due::{self, Backlog, Turn};
use engine::store::event_end::{self, Finished};
use engine::store::event_list;
use engine::store::{Plans, lane};
use engine::{clock::Clock as _, webhook::process::Processor, work::Step};
use model::{Attempt, AttemptOutcome, AttemptTrigger, EventQuery, EventState, Refusal};
use sqlx::PgPool;
use std::sync::Arc;

const LEASE: TimeDelta = TimeDelta::seconds(180);

fn ended(turn: &Turn, state: EventState) -> Finished {
    Finished {
        turn: turn.clone(),
        state,
        kind: Some("sync.completed".to_owned()),
        connection_id: None,
        attempt: Attempt {
            n: turn.earlier + 1,
            trigger: turn.trigger(),
            by: None,
            started_at: noon(),
            duration_ms: 1,
            outcome: if state == EventState::Failed { AttemptOutcome::Failed } else { AttemptOutcome::Ok },
            status: None,
            error: None,
        },
        due_at: None,
        failures: turn.attempt + 1,
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
        event_due::backlog(&mut conn, now).await.unwrap(),
        Backlog { count: 3, oldest: Some(noon() + TimeDelta::seconds(1)) }
    );

    let leased = event_due::lease(&mut conn, now, LEASE, 2).await.unwrap();
    let came = event_due::read(&mut conn, &leased).await.unwrap();
    let bodies: Vec<_> = leased.iter().map(|turn| String::from_utf8(came[&turn.id].body.clone()).unwrap()).collect();
    assert_eq!(bodies, [event("evt_0"), event("evt_1")]);
    assert!(came[&leased[0].id].headers.contains_key("x-webhook-signature"));
    assert_eq!((leased[0].attempt, leased[0].trigger()), (0, AttemptTrigger::Arrival));
    assert_eq!(event_due::lease(&mut conn, now, LEASE, 10).await.unwrap().len(), 1);
    assert!(event_due::lease(&mut conn, now, LEASE, 10).await.unwrap().is_empty());
    assert!(event_due::claim(&mut conn, now, 10).await.unwrap().is_empty());

    // one lease ends well, the other runs out: its work no longer counts, and its event is somebody else's
    assert_eq!(event_end::finish(&mut conn, &[ended(&leased[0], EventState::Failed)]).await.unwrap(), 1);
    let later = now + LEASE;
    let taken_over = event_due::lease(&mut conn, later, LEASE, 10).await.unwrap();
    assert_eq!(taken_over.iter().map(|event| event.attempt).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(taken_over[0].trigger(), AttemptTrigger::Schedule);
    assert_eq!(event_end::finish(&mut conn, &[ended(&leased[1], EventState::Processed)]).await.unwrap(), 0);
    let ends: Vec<_> = taken_over.iter().map(|event| ended(event, EventState::Processed)).collect();
    assert_eq!(event_end::finish(&mut conn, &ends).await.unwrap(), 2);
    assert_eq!(event_due::backlog(&mut conn, later).await.unwrap(), Backlog::default());

    assert!(!event_end::requeue(&mut conn, leased[1].id, "Ann", later).await.unwrap());
    assert!(event_end::requeue(&mut conn, leased[0].id, "Ann", later).await.unwrap());
    assert!(!event_end::requeue(&mut conn, leased[0].id, "Ann", later).await.unwrap(), "it waits already");
    let waiting = EventQuery { state: vec![EventState::Pending], ..EventQuery::default() };
    let waiting = event_list::list(&mut conn, &waiting).await.unwrap().items;
    assert_eq!((waiting.len(), waiting[0].id, waiting[0].state), (1, leased[0].id, EventState::Pending));
    let by_hand = event_due::lease(&mut conn, later, LEASE, 10).await.unwrap();
    assert_eq!((by_hand[0].trigger(), by_hand[0].earlier), (AttemptTrigger::Person, 1));
    event_end::finish(&mut conn, &[ended(&by_hand[0], EventState::Processed)]).await.unwrap();
    let detail = event_list::get(&mut conn, leased[0].id).await.unwrap().unwrap();
    assert_eq!(detail.event.attempts.iter().map(|attempt| attempt.n).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(detail.payload, Some(event("evt_0")));
    assert_eq!(detail.headers[0].0, "x-webhook-signature");
}

/// A table of work is nearly always empty, also when Postgres last counted it.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_due_is_found_by_its_index_however_empty_the_table_was(pool: PgPool) {
    sqlx::raw_sql("vacuum (analyze) event_due").execute(&pool).await.unwrap();
    let lane = lane(&pool, 1, Plans::AsAsked);
    // a plan is kept after some turns
    for turn in 0..8 {
        let mut tx = lane.begin().await.unwrap();
        event_due::claim(&mut tx, noon(), 10).await.unwrap();
        let read = "select seq_scan from pg_stat_xact_user_tables where relname = 'event_due'";
        let read: i64 = sqlx::query_scalar(read).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(read, 0, "turn {turn} read all of it");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_claimed_is_nobody_elses_and_due_again_at_once_after_a_crash(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    for n in 0..3 {
        world.post(event(&format!("evt_{n}"))).await.unwrap();
    }
    let mut other = pool.acquire().await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    let turns = event_due::claim(&mut tx, noon(), 2).await.unwrap();
    assert_eq!((turns.len(), turns[0].trigger()), (2, AttemptTrigger::Arrival));
    assert_eq!(event_due::claim(&mut other, noon(), 10).await.unwrap().len(), 1);
    tx.rollback().await.unwrap();
    assert_eq!(event_due::claim(&mut other, noon(), 10).await.unwrap().len(), 3);

    let mut tx = pool.begin().await.unwrap();
    let turns = event_due::claim(&mut tx, noon(), 10).await.unwrap();
    let ends: Vec<_> = turns.iter().map(|turn| ended(turn, EventState::Processed)).collect();
    assert_eq!(event_end::finish(&mut tx, &ends).await.unwrap(), 3);
    tx.commit().await.unwrap();
    assert_eq!(event_due::backlog(&mut other, noon()).await.unwrap(), Backlog::default());
    // nothing but columns is kept of a try that went well at once, and it is told as a try all the same
    let plain: i64 = sqlx::query_scalar("select count(*) from event_end where attempts is null")
        .fetch_one(&mut *other)
        .await
        .unwrap();
    assert_eq!(plain, 3);
    let detail = event_list::get(&mut other, turns[0].id).await.unwrap().unwrap();
    assert_eq!((detail.event.state, detail.event.attempts), (EventState::Processed, vec![ends[0].attempt.clone()]));
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_that_nothing_can_be_done_with_fails_alone_and_one_that_kills_is_given_up(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    sqlx::query("alter table event_end add check (kind <> 'poison' or state = 'failed')").execute(&pool).await.unwrap();
    world.post(event("evt_1")).await.unwrap();
    world.post(r#"{"id":"evt_2","event":"poison"}"#).await.unwrap();
    world.post(event("evt_3")).await.unwrap();
    let processor = Processor::new(pool.clone(), world.clock.clone(), Arc::default());
    // the transaction of a batch that failed may let go of its rows a moment after it is given up
    until(async || {
        while processor.step().await.unwrap() == Step::Busy {}
        let failed = sqlx::query_scalar::<_, i64>("select count(*) from event_end where state = 'failed'");
        failed.fetch_one(&pool).await.unwrap() == 1
    })
    .await;
    let mut conn = pool.acquire().await.unwrap();
    let all = event_list::list(&mut conn, &EventQuery::default()).await.unwrap().items;
    let state = |id: &str| all.iter().find(|event| event.webhook_id.as_deref() == Some(id)).unwrap().state;
    assert_eq!(state("evt_2"), EventState::Failed);
    // nobody knows the connection of the others, which is no reason to give them up
    assert_eq!((state("evt_1"), state("evt_3")), (EventState::Pending, EventState::Pending));

    // a process that ends in the middle leaves its lease behind, time after time
    sqlx::query("delete from event_due").execute(&pool).await.unwrap();
    world.post(event("evt_4")).await.unwrap();
    for _ in 0..7 {
        assert_eq!(event_due::lease(&mut conn, world.clock.now(), LEASE, 1).await.unwrap().len(), 1);
        world.clock.advance(LEASE);
    }
    world.post(event("evt_5")).await.unwrap();
    while processor.step().await.unwrap() == Step::Busy {}
    let all = event_list::list(&mut conn, &EventQuery::default()).await.unwrap().items;
    let of = |id: &str| all.iter().find(|event| event.webhook_id.as_deref() == Some(id)).unwrap();
    assert_eq!((of("evt_4").state, of("evt_5").state), (EventState::Failed, EventState::Pending));
    assert!(of("evt_4").attempts[0].error.as_ref().unwrap().message.contains("ended more than once"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn lists_are_paged_filtered_and_know_what_came_again(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    for n in 0..5 {
        world.post(event(&format!("evt_{n}"))).await.unwrap();
    }
    world.post(event("evt_3")).await.unwrap();
    world.clock.advance(TimeDelta::milliseconds(1));
    world.post(r#"{"event":"assets.updated","body":[]}"#).await.unwrap();
    let mut conn = pool.acquire().await.unwrap();

    let (mut seen, mut query) = (Vec::new(), EventQuery { limit: Some(4), ..EventQuery::default() });
    loop {
        let page = event_list::list(&mut conn, &query).await.unwrap();
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
        event_list::list(&mut conn, &EventQuery::from_query(query).unwrap()).await.unwrap().items.len()
    };
    assert_eq!(count("webhook_id=evt_2").await, 1);
    assert_eq!(count("state=pending").await, 6);
    assert_eq!(count("state=failed&state=unrecognised").await, 0);
    assert_eq!(count("source=demo&source=other").await, 6);
    assert_eq!(count(&format!("source={}", world.source)).await, 6);
    assert_eq!(count("source=other&kind=sync.failed").await, 0);
    assert_eq!(count(&format!("connection={}", world.source)).await, 0);

    let damaged = EventQuery { cursor: Some("nonsense".to_owned()), ..EventQuery::default() };
    let refusal = event_list::list(&mut conn, &damaged).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Invalid(errors) if errors[0].field == "cursor"));
}
