//! What people do by hand: a sync now, one thing with many, customers, views; and what a connection's past says.

use crate::world::{World, admin, calm};
use engine::work::{BulkWorker, Step};
use model::{
    Ability, AbilityProof, Actor, Backend, Bulk, BulkId, BulkPatch, BulkState, ConnectionId, CustomerPatch,
    CustomerQuery, Eye, NewSync, NewView, Operation, PageQuery, Refusal, Role, SourcePatch, Sync, SyncKind,
    SyncOutcome, TimelineKind, TokenOwnership,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::time::Duration;

/// Who acts in these stories: no more than is needed.
fn anna(role: Role) -> Actor {
    Actor { name: "Anna".to_owned(), role, ..admin() }
}

fn full() -> NewSync {
    NewSync { kind: Some(SyncKind::Full) }
}

/// Lets half a minute pass, as far as the audit log knows.
async fn later(world: &World) {
    sqlx::query("update audit set at = at - interval '31 seconds'").execute(&world.pool).await.unwrap();
}

async fn syncs(world: &World, id: ConnectionId) -> Vec<Sync> {
    world.desk.syncs(&admin(), id, PageQuery::default()).await.unwrap().items
}

async fn told(world: &World, id: ConnectionId) -> String {
    let timeline = world.desk.timeline(&admin(), id, PageQuery::default()).await.unwrap();
    let by_people = timeline.items.into_iter().filter(|item| item.kind == TimelineKind::Person);
    by_people.map(|item| item.text).next().unwrap()
}

fn conflict<T: std::fmt::Debug>(result: Result<T, Refusal>) -> String {
    match result {
        Err(Refusal::Conflict(sentence)) => sentence,
        other => panic!("a conflict was expected: {other:?}"),
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_sync_that_a_person_starts_is_followed_to_its_good_end(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    assert!(matches!(world.desk.start_sync(&anna(Role::Viewer), one.id, full()).await, Err(Refusal::Forbidden(_))));
    let asked = world.desk.start_sync(&anna(Role::Support), one.id, full()).await.unwrap();
    assert!(asked.checking, "the page follows it");
    assert_eq!(told(&world, one.id).await, "Anna started a full sync");

    let at_once = conflict(world.desk.start_sync(&admin(), one.id, full()).await);
    assert!(at_once.contains("30 seconds"), "{at_once}");
    later(&world).await;
    let under_way = conflict(world.desk.start_sync(&admin(), one.id, NewSync::default()).await);
    assert!(under_way.contains("under way already"), "{under_way}");
    assert!(told(&world, one.id).await.starts_with("story could not start a sync: A sync"));

    assert_eq!(syncs(&world, one.id).await, []);
    world.act(&one.key, "finish_sync").await;
    world.round().await;
    let ended_at = world.connection(one.id).await.connection.last_good_sync_at.unwrap();
    let polled = syncs(&world, one.id).await;
    assert_eq!((polled.len(), polled[0].ended_at, polled[0].eye), (1, ended_at, Eye::Poll));

    // the webhook of the same sync comes after all, and knows more
    let started_at = ended_at - chrono::TimeDelta::seconds(90);
    let body = json!({"id": "evt_1", "event": "sync.completed", "timestamp": ended_at, "connection_id": one.key, "data":
        {"type": "full", "started_at": started_at, "finished_at": ended_at, "records": 12, "entities": {"gizmos": 12}}});
    world.hear(&body).await.unwrap();
    let body = json!({"id": "evt_2", "event": "sync.failed", "timestamp": world.clock.now(), "connection_id": one.key, "data":
        {"error": {"code": "PERMISSION_DENIED", "message": "no right"}, "entities": ["vendors"]}});
    world.hear(&body).await.unwrap();
    world.settle().await;
    let heard = syncs(&world, one.id).await;
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert_eq!(
        (heard[0].outcome, heard[0].error.as_deref()),
        (SyncOutcome::Failed, Some("no right (PERMISSION_DENIED)"))
    );
    assert_eq!((heard[1].eye, heard[1].kind, heard[1].records), (Eye::Webhook, Some(SyncKind::Full), Some(12)));
    assert_eq!((heard[1].started_at, heard[1].ended_at), (Some(started_at), ended_at));
    let first = PageQuery { limit: Some(1), ..PageQuery::default() };
    let page = world.desk.syncs(&admin(), one.id, first).await.unwrap();
    let second = PageQuery { cursor: page.next_cursor, limit: Some(1) };
    assert_eq!(world.desk.syncs(&admin(), one.id, second).await.unwrap().items, heard[1..]);

    let can = world.desk.capabilities(&admin(), one.id).await.unwrap();
    let of = |entity: &str, operation| {
        let found = can.iter().find(|can| can.entity == entity && can.operation == operation).unwrap();
        (found.ability, found.proof)
    };
    assert_eq!(of("gizmos", Operation::Read), (Ability::Yes, Some(AbilityProof::Done)));
    assert_eq!(of("gizmos", Operation::Create), (Ability::Unknown, None));
    assert_eq!(of("vendors", Operation::Read), (Ability::No, Some(AbilityProof::Refused)));
    assert_eq!(of("purchase_orders", Operation::Read), (Ability::Yes, Some(AbilityProof::Described)));
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_older_dialect_starts_a_sync_only_with_tokens_that_are_ours(pool: PgPool) {
    let options = simulator::Options { connections: 10, dialect: simulator::Dialect::Openapi2025, ..calm() };
    let world =
        World::with_source(pool, options, |new| new.settings.token_ownership = Some(TokenOwnership::External)).await;
    world.round().await;
    let one = &world.connections().await[0];
    let refused = conflict(world.desk.start_sync(&admin(), one.id, full()).await);
    assert!(refused.contains("the connection's own token"), "{refused}");
    let ours = SourcePatch { token_ownership: Some(TokenOwnership::Linewatch), ..SourcePatch::default() };
    world.desk.change_source(&admin(), world.source.id, ours).await.unwrap();
    later(&world).await;
    world.desk.start_sync(&admin(), one.id, full()).await.unwrap();
    assert!(world.makini.connections().iter().any(|seen| seen.key == one.key && seen.syncing));
    world.act(&one.key, "change_credentials").await;
    later(&world).await;
    let refused = conflict(world.desk.start_sync(&admin(), one.id, full()).await);
    assert!(refused.starts_with("Makini refuses to start a sync: "), "{refused}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_check_that_waits_is_not_doubled_and_the_past_is_counted(pool: PgPool) {
    let world = World::new(pool, 5).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    let first = world.desk.check_connection(&admin(), one.id).await.unwrap();
    let second = world.desk.check_connection(&admin(), one.id).await.unwrap();
    assert!(second.checking);
    assert_eq!(first.connection.version, second.connection.version);
    let asked: i64 = sqlx::query_scalar("select count(*) from audit where action = 'connection.check_asked'")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(asked, 1);
    world.settle().await;
    assert!(
        world.desk.check_connection(&admin(), one.id).await.unwrap().connection.version > second.connection.version
    );

    sqlx::query("update transition set at = at - interval '3 days'").execute(&world.pool).await.unwrap();
    let week = world.desk.availability(&admin(), one.id, 7).await.unwrap();
    assert!((week.up_seconds - 3 * 86_400).abs() < 60 && week.down_seconds == 0, "{week:?}");
    assert_eq!((week.up_seconds + week.apart_seconds, week.percent), (7 * 86_400, Some(100.0)));
    assert!(matches!(world.desk.availability(&admin(), one.id, 8).await, Err(Refusal::Invalid(_))));
}

/// Works until a bulk operation has ended, as its worker would.
async fn work(world: &World, id: BulkId) -> Bulk {
    let worker = worker(world);
    for _ in 0..200 {
        worker.step().await.unwrap();
        let bulk = world.desk.bulk(&admin(), id).await.unwrap();
        if bulk.state != Some(BulkState::Running) {
            return bulk;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not end");
}

fn worker(world: &World) -> BulkWorker {
    let (pool, clock) = (world.pool.clone(), std::sync::Arc::clone(&world.clock));
    BulkWorker::new(pool, clock, world.desk.upstreams.clone(), world.poller.clone())
}

async fn start(world: &World, wish: Value) -> Bulk {
    world.desk.start_bulk(&anna(Role::Support), serde_json::from_value(wish).unwrap()).await.unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_bulk_check_names_the_one_that_cannot_be_seen(pool: PgPool) {
    let world = World::new(pool, 40).await;
    world.round().await;
    let preview = start(&world, json!({"kind": "check", "filter": {"health": "healthy"}, "dry_run": true})).await;
    assert_eq!((preview.id, preview.total, world.count("bulk").await), (None, 40, 0));
    let all = world.connections().await;
    let dark = &all[7];
    let scope = format!("connection:{}", dark.key);
    world.sim("/_sim/faults", json!({"fault": "error_rate", "value": 1, "scope": scope})).await;
    let bulk = start(&world, json!({"kind": "check", "filter": {"health": ["healthy"]}})).await;
    assert_eq!((bulk.state, bulk.remaining), (Some(BulkState::Running), 40));
    let done = work(&world, bulk.id.unwrap()).await;
    assert_eq!(
        (done.state, done.done, done.failed, done.skipped, done.remaining),
        (Some(BulkState::Done), 39, 1, 0, 0)
    );
    assert_eq!(done.failures[0].connection.id, dark.id);
    assert!(done.failures[0].message.starts_with("Makini failed."), "{}", done.failures[0].message);
    let seen = world.connection(all[8].id).await.connection.proof.unwrap();
    assert_eq!(seen.eye, Eye::Check);
    assert_eq!(world.count("evidence").await, 40 + 39, "nothing was said against the one that could not be seen");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_bulk_sync_is_paused_outlives_a_crash_and_is_cancelled(pool: PgPool) {
    let world = World::new(pool, 40).await;
    world.round().await;
    let mut all = world.connections().await;
    all.sort_by_key(|connection| connection.id);
    world.act(&all[0].key, "change_credentials").await;
    let bulk = start(&world, json!({"kind": "sync", "sync": "full"})).await;
    let id = bulk.id.unwrap();
    let worker = worker(&world);
    assert_eq!(worker.step().await.unwrap(), Step::Busy);
    let turn = async |state| world.desk.change_bulk(&admin(), id, BulkPatch { state }).await;
    let paused = turn(BulkState::Paused).await.unwrap();
    assert_eq!((paused.state, paused.done, paused.failed, paused.remaining), (Some(BulkState::Paused), 15, 1, 24));
    assert_eq!(paused.failures[0].connection.id, all[0].id);
    assert!(paused.failures[0].message.starts_with("Makini refuses"), "{}", paused.failures[0].message);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(worker.step().await.unwrap(), Step::Idle, "paused");

    turn(BulkState::Running).await.unwrap();
    // a process that had taken it was killed
    sqlx::query("update bulk set lease_until = now() + interval '5 minutes', lease_token = gen_random_uuid()")
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(worker.step().await.unwrap(), Step::Idle, "it is another's");
    engine::store::release_leases(&mut world.pool.acquire().await.unwrap()).await.unwrap();
    assert_eq!(worker.step().await.unwrap(), Step::Busy);
    let cancelled = world.desk.cancel_bulk(&anna(Role::Support), id).await.unwrap();
    assert_eq!((cancelled.state, cancelled.done, cancelled.remaining), (Some(BulkState::Cancelled), 31, 8));
    assert!(cancelled.ended_at.is_some());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(worker.step().await.unwrap(), Step::Idle);
    assert!(conflict(turn(BulkState::Running).await).contains("it is cancelled"));
    assert_eq!(world.makini.connections().iter().filter(|seen| seen.syncing).count(), 31);
    assert_eq!(told(&world, all[1].id).await, "Anna started a full sync");

    later(&world).await;
    let again = start(&world, json!({"kind": "sync", "filter": {"id": [all[1].id]}})).await;
    let again = work(&world, again.id.unwrap()).await;
    assert_eq!((again.total, again.skipped), (1, 1), "one is under way");
}

#[sqlx::test(migrations = "../../migrations")]
async fn issues_are_acknowledged_and_handed_over_together(pool: PgPool) {
    let world = World::new(pool, 10).await;
    world.round().await;
    let all = world.connections().await;
    for (connection, state) in [(&all[0], "open"), (&all[1], "resolved"), (&all[2], "snoozed")] {
        sqlx::query(
            "insert into issue (id, connection_id, cause, state, opened_at, openings, updated_at) \
             values (gen_random_uuid(), $1, 'late', $2, now(), '{}', now())",
        )
        .bind(connection.id.0)
        .bind(state)
        .execute(&world.pool)
        .await
        .unwrap();
    }
    let read = || async {
        sqlx::query_as::<_, (String, Option<String>, i64, i64)>(
            "select i.state, i.assignee, i.version, (select count(*) from issue_entry e where e.issue_id = i.id) \
             from issue i order by number",
        )
        .fetch_all(&world.pool)
        .await
        .unwrap()
    };
    let bulk = start(&world, json!({"kind": "acknowledge"})).await;
    let bulk = work(&world, bulk.id.unwrap()).await;
    assert_eq!((bulk.done, bulk.skipped, bulk.failed), (1, 9, 0));
    let anna = Some("Anna".to_owned());
    assert_eq!(read().await[0], ("acknowledged".to_owned(), anna, 2, 1));
    let bulk = start(&world, json!({"kind": "assign", "assignee": " Ines "})).await;
    let bulk = work(&world, bulk.id.unwrap()).await;
    assert_eq!((bulk.done, bulk.skipped), (2, 8));
    let ines = || Some("Ines".to_owned());
    assert_eq!(
        read().await,
        [
            ("acknowledged".to_owned(), ines(), 3, 2),
            ("resolved".to_owned(), None, 1, 0),
            ("snoozed".to_owned(), ines(), 2, 1),
        ]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_changed_together_is_taken_back_but_for_what_changed_since(pool: PgPool) {
    let world = World::new(pool, 10).await;
    world.round().await;
    let all = world.connections().await;
    for connection in &all[..3] {
        sqlx::query(
            "insert into issue (id, connection_id, cause, state, opened_at, openings, updated_at) \
             values (gen_random_uuid(), $1, 'late', 'open', now(), '{}', now())",
        )
        .bind(connection.id.0)
        .execute(&world.pool)
        .await
        .unwrap();
    }
    let bulk = start(&world, json!({"kind": "acknowledge"})).await;
    let id = bulk.id.unwrap();
    let early = conflict(world.desk.undo_bulk(&admin(), id).await);
    assert!(early.contains("still under way"), "{early}");
    let bulk = work(&world, id).await;
    assert_eq!((bulk.done, bulk.undone.as_ref()), (3, None));
    let lasts = bulk.undo_until.unwrap() - bulk.ended_at.unwrap();
    assert_eq!(lasts, chrono::TimeDelta::hours(1));
    let viewer = world.desk.undo_bulk(&anna(Role::Viewer), id).await;
    assert!(matches!(viewer, Err(Refusal::Forbidden(_))));

    // somebody resolves one meanwhile
    sqlx::query(
        "update issue set state = 'resolved', resolved_at = now(), version = version + 1 where connection_id = $1",
    )
    .bind(all[1].id.0)
    .execute(&world.pool)
    .await
    .unwrap();
    let undone = world.desk.undo_bulk(&anna(Role::Support), id).await.unwrap();
    let counts = undone.undone.as_ref().map(|undone| (undone.put_back, undone.left, undone.by.as_str()));
    assert_eq!((counts, undone.undo_until), (Some((2, 1, "Anna")), None));
    let states: Vec<(String, Option<String>, i64)> =
        sqlx::query_as("select state, assignee, version from issue order by number")
            .fetch_all(&world.pool)
            .await
            .unwrap();
    let (anna_has, open) = (Some("Anna".to_owned()), ("open".to_owned(), None, 3));
    assert_eq!(states, [open.clone(), ("resolved".to_owned(), anna_has, 3), open]);
    let timeline = world.desk.timeline(&admin(), all[0].id, PageQuery::default()).await.unwrap().items;
    assert!(timeline.iter().any(|item| item.text.contains("Taken back")), "{timeline:?}");

    assert_eq!(world.desk.undo_bulk(&admin(), id).await.unwrap(), undone, "once is enough");
    assert_eq!(world.count("audit where action = 'bulk.undone'").await, 1);

    let given = start(&world, json!({"kind": "assign", "assignee": "Ines"})).await;
    let given = work(&world, given.id.unwrap()).await;
    sqlx::query("update bulk set ended_at = ended_at - interval '61 minutes'").execute(&world.pool).await.unwrap();
    let late = conflict(world.desk.undo_bulk(&admin(), given.id.unwrap()).await);
    assert!(late.contains("too late"), "{late}");
    let check = start(&world, json!({"kind": "check", "filter": {"id": [all[0].id]}})).await;
    assert!(conflict(world.desk.undo_bulk(&admin(), check.id.unwrap()).await).contains("Only acknowledging"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn customers_are_noted_upon_and_nobody_overwrites_another(pool: PgPool) {
    let world = World::new(pool, 60).await;
    world.round().await;
    let ask = |query: &str| {
        let query = CustomerQuery::from_query(query).unwrap();
        async { world.desk.customers(&admin(), query).await.unwrap() }
    };
    let page = ask("limit=3").await;
    let next = ask(&format!("limit=200&cursor={}", page.next_cursor.unwrap())).await;
    assert_eq!(3 + next.items.len() as i64, world.count("customer").await);
    let customers = page.items.iter().chain(&next.items);
    assert_eq!(customers.map(|customer| customer.connections).sum::<u64>(), 60);
    let one = &page.items[1];
    let patch = CustomerPatch {
        tier: Some(Some("gold".into())),
        tags: Some(vec!["VIP".into()]),
        version: Some(one.version),
        ..CustomerPatch::default()
    };
    let changed = world.desk.change_customer(&anna(Role::Support), one.id, patch.clone()).await.unwrap();
    assert_eq!((changed.tier.as_deref(), changed.tags.as_slice()), (Some("gold"), ["vip".to_owned()].as_slice()));
    assert!(conflict(world.desk.change_customer(&admin(), one.id, patch).await).contains(&one.name));
    let name: String = one.name.chars().skip(1).take(5).collect();
    let found = ask(&format!("tier=gold&tag=vip&q={name}")).await.items;
    assert_eq!(found, [changed]);
    assert_eq!(ask("tier=silver").await.items, []);
}

#[sqlx::test(migrations = "../../migrations")]
async fn views_are_kept_counted_and_each_persons_own(pool: PgPool) {
    let world = World::new(pool, 12).await;
    world.round().await;
    let anna = anna(Role::Support);
    let new = |name: &str, shared| NewView { name: name.to_owned(), query: "?health=healthy".to_owned(), shared };
    let mine = world.desk.add_view(&anna, new("Well", false)).await.unwrap();
    assert_eq!((mine.matching, mine.mine, mine.query.as_str()), (12, true, "health=healthy"));
    assert!(matches!(world.desk.add_view(&anna, new("well", true)).await, Err(Refusal::Invalid(_))));
    let shared = world.desk.add_view(&anna, new("All well", true)).await.unwrap();
    let viewer = Actor { name: "Tom".to_owned(), role: Role::Viewer, ..admin() };
    let seen = world.desk.views(&viewer).await.unwrap();
    assert_eq!(seen.iter().map(|view| (view.id, view.mine)).collect::<Vec<_>>(), [(shared.id, false)]);
    assert!(matches!(world.desk.remove_view(&viewer, shared.id).await, Err(Refusal::Forbidden(_))));
    assert!(matches!(world.desk.remove_view(&viewer, mine.id).await, Err(Refusal::NotFound(_))));
    world.desk.remove_view(&anna, mine.id).await.unwrap();
    assert_eq!(world.desk.views(&anna).await.unwrap().len(), 1);
}
