//! Polls: what they show, what they do not say, and what they cost.

use crate::world::{World, admin, calm};
use chrono::TimeDelta;
use engine::{health, work::Workers};
use model::{
    Applied, Authorization, Backend, Cause, ConnectionPatch, ConnectionQuery, Eye, Health, Mappings, PageQuery,
    SourcePatch, TimelineKind, UpstreamStatus,
};
use serde_json::json;
use sqlx::PgPool;

#[sqlx::test(migrations = "../../migrations")]
async fn a_round_shows_every_connection_once(pool: PgPool) {
    let world = World::new(pool, 1_234).await;
    world.round().await;
    let page = world.desk.connections(&admin(), ConnectionQuery::default()).await.unwrap();
    assert_eq!((page.matching, page.totals.all(), page.items.len()), (1_234.into(), 1_234.into(), 50));
    assert_eq!(page.totals.of(Health::Healthy), 1_234.into(), "a frozen story is a healthy one: {:?}", page.totals);
    let seen = world.makini.connections();
    for connection in &page.items {
        let upstream = seen.iter().find(|seen| seen.key == connection.key).expect("it is upstream's");
        assert_eq!(connection.platform.slug, upstream.platform);
        assert_eq!(connection.customer.name, upstream.customer);
        assert_eq!(connection.proof.unwrap().eye, Eye::Poll);
        assert_eq!(connection.version, 1);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_poll_that_only_confirms_writes_proof_and_nothing_else(pool: PgPool) {
    let world = World::new(pool, 300).await;
    world.round().await;
    let before = (world.count("evidence").await, world.count("transition").await);
    let first = world.connections().await;
    world.round().await;
    assert_eq!((world.count("evidence").await, world.count("transition").await), before);
    for (was, is) in first.iter().zip(world.connections().await) {
        assert_eq!(was.version, is.version);
        assert!(is.proof.unwrap().at > was.proof.unwrap().at);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_changed_password_is_seen_explained_and_forgotten_after_the_reconnect(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    world.act(&one.key, "change_credentials").await;
    world.round().await;
    let broken = world.connection(one.id).await;
    assert_eq!(broken.connection.health, Health::ReauthorizationRequired);
    assert!(broken.checking, "the poll asks for a closer look");
    world.settle().await;
    let broken = world.connection(one.id).await;
    let cause = broken.connection.cause.as_ref().unwrap();
    assert_eq!(cause.code, Cause::CredentialsChanged);
    assert!(
        cause.summary.len() > Cause::CredentialsChanged.words().len(),
        "upstream's words are there: {}",
        cause.summary
    );
    assert!(broken.upstream_error.unwrap().contains("request req_"), "the request id can be quoted");
    assert_eq!(broken.connection.proof.unwrap().eye, Eye::Check);
    assert!(!broken.checking);

    world.act(&one.key, "reconnect").await;
    world.act(&one.key, "finish_sync").await;
    world.round().await;
    world.settle().await;
    let well = world.connection(one.id).await;
    assert_eq!((well.connection.health, well.connection.cause, well.upstream_error), (Health::Healthy, None, None));
    let timeline = world.desk.timeline(&admin(), one.id, PageQuery::default()).await.unwrap().items;
    let changes: Vec<_> =
        timeline.iter().filter(|item| item.kind == TimelineKind::Transition).map(|item| (item.from, item.to)).collect();
    assert_eq!(
        changes,
        [
            (Some(Health::ReauthorizationRequired), Some(Health::Healthy)),
            (Some(Health::Healthy), Some(Health::ReauthorizationRequired)),
            (None, Some(Health::Healthy)),
        ]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_a_system_does_is_told_apart(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let all = world.connections().await;
    let (offline, failing) = (&all[0], &all[1]);
    world.act(&offline.key, "go_offline").await;
    world.act(&failing.key, "fail_sync").await;
    world.round().await;
    world.settle().await;
    let offline = world.connection(offline.id).await.connection;
    assert_eq!((offline.health, offline.authorization), (Health::Offline, Authorization::Authorized));
    let failing = world.connection(failing.id).await.connection;
    assert_eq!((failing.health, failing.cause.unwrap().code), (Health::Failing, Cause::SyncError));
    world.act(&offline.key, "come_online").await;
    world.round().await;
    world.settle().await;
    assert_eq!(world.connection(offline.id).await.connection.health, Health::Healthy);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_connection_is_found_by_its_tags_its_error_and_its_customer_whoever_wrote_last(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    let found = async |q: &str| {
        let query = ConnectionQuery { q: Some(q.to_owned()), ..ConnectionQuery::default() };
        let page = world.desk.connections(&admin(), query).await.unwrap();
        page.items.iter().any(|item| item.id == one.id)
    };
    let patch = ConnectionPatch { tags: Some(vec!["Crown".to_owned()]), ..ConnectionPatch::default() };
    world.desk.change_connection(&admin(), one.id, patch).await.unwrap();
    assert!(found("crown").await, "at once");

    world.act(&one.key, "fail_sync").await;
    world.round().await;
    world.settle().await;
    let error = world.connection(one.id).await.upstream_error.expect("a look has told why");
    assert!(found(&error).await && found("crown").await && found(&one.customer.name).await);
    world.act(&one.key, "finish_sync").await;
    world.round().await;
    world.settle().await;
    assert_eq!(world.connection(one.id).await.upstream_error, None);
    assert!(!found(&error).await && found("crown").await && found(&one.customer.name).await);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_first_round_after_the_deadline_finds_it_late_and_a_person_can_set_the_cadence(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    let impatient = ConnectionPatch { cadence_seconds: Some(Some(10)), ..ConnectionPatch::default() };
    world
        .desk
        .change_source(
            &admin(),
            world.source.id,
            SourcePatch { late_factor: Some(1.0), late_grace_seconds: Some(0), ..SourcePatch::default() },
        )
        .await
        .unwrap();
    sqlx::query(
        "update connection_proof set last_good_sync_at = now() - interval '9 seconds' where connection_id = $1",
    )
    .bind(one.id.0)
    .execute(&world.pool)
    .await
    .unwrap();
    let set = world.desk.change_connection(&admin(), one.id, impatient).await.unwrap();
    assert_eq!((set.connection.health, set.connection.cadence_seconds), (Health::Healthy, Some(10)));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    world.round().await;
    let late = world.connection(one.id).await.connection;
    assert_eq!((late.health, late.cause.unwrap().code), (Health::Late, Cause::Late));
}

#[sqlx::test(migrations = "../../migrations")]
async fn our_own_blindness_is_no_evidence_and_old_proof_fades_to_unknown(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    world.sim("/_sim/faults", json!({"fault": "outage", "value": 1, "scope": "all"})).await;
    world.round().await;
    let source = world.desk.source(&admin(), world.source.id).await.unwrap();
    assert_eq!(source.round.error.unwrap().class, "upstream");
    assert!(source.round.failing_since.is_some());
    assert!(world.connections().await.iter().all(|connection| connection.health == Health::Healthy));

    sqlx::query("update connection_proof set proof_at = proof_at - interval '20 minutes'")
        .execute(&world.pool)
        .await
        .unwrap();
    Workers::fade_due(&world.pool, &world.clock).await.unwrap();
    for connection in world.connections().await {
        assert_eq!((connection.health, connection.authorization), (Health::Unknown, Authorization::Unknown));
        assert_eq!(connection.cause.unwrap().code, Cause::NoProof);
    }
    let mut tx = world.pool.begin().await.unwrap();
    let policies = engine::store::source::policies(&mut tx).await.unwrap();
    let again = health::fade(&mut tx, &policies, world.clock.now() + TimeDelta::minutes(1)).await.unwrap();
    assert_eq!(again.transitions, 0, "what is unknown does not fade again");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_gone_upstream_leaves_the_list_and_keeps_its_history(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    world.act(&one.key, "delete").await;
    world.round().await;
    assert_eq!(world.connections().await.len(), 20, "missing from a list is not yet gone");
    world.settle().await;
    let left = world.desk.connections(&admin(), ConnectionQuery::default()).await.unwrap();
    assert_eq!((left.items.len(), left.matching), (19, 19.into()));
    let gone = world.connection(one.id).await;
    assert!(gone.removed_at.is_some());
    let timeline = world.desk.timeline(&admin(), one.id, PageQuery::default()).await.unwrap().items;
    assert_eq!((timeline[0].from, timeline[0].to), (Some(Health::Healthy), None));
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_unknown_status_is_kept_shown_as_unknown_and_can_be_mapped(pool: PgPool) {
    let world = World::new(pool, 5).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    let seen = engine::makini::Seen {
        key: one.key.clone(),
        name: one.name.clone(),
        email: None,
        platform_slug: one.platform.slug.clone(),
        platform_name: one.platform.name.clone(),
        metadata: serde_json::Map::new(),
        raw_status: Some("Hibernating".to_owned()),
        status: None,
        tells: engine::makini::Tells::All,
        reauthorization_required: None,
        last_good_sync_at: None,
        updated_at: None,
        raw: json!({"id": one.key, "status": "Hibernating", "hitherto_unknown": {"kept": true}}),
    };
    let facts = health::facts_of_seen(&seen);
    let sighted = health::Sighted {
        connection: one.id,
        sighting: health::Sighting { eye: Eye::Poll, at: world.clock.now(), own_at: None, facts },
        received_at: world.clock.now(),
        skew: TimeDelta::zero(),
        policy: (&world.source).into(),
        raw_status: seen.raw_status.clone(),
        description: None,
        upstream_error: None,
        event: None,
    };
    let mut tx = world.pool.begin().await.unwrap();
    let observed = health::observe(&mut tx, &[sighted], world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(observed.applied, [Some(Applied::Changed)]);
    let unknown = world.connection(one.id).await.connection;
    assert_eq!((unknown.health, unknown.raw_status.as_deref()), (Health::Unknown, Some("Hibernating")));
    assert!(unknown.cause.unwrap().summary.contains("Hibernating"));
    let mappings =
        Mappings { statuses: [("Hibernating".to_owned(), UpstreamStatus::Offline)].into(), ..Mappings::default() };
    assert_eq!(mappings.status("Hibernating"), Some(UpstreamStatus::Offline));
}

#[sqlx::test(migrations = "../../migrations")]
async fn pages_filters_and_totals_agree_in_every_order(pool: PgPool) {
    let world = World::with(pool, simulator::Options { connections: 230, ..calm() }).await;
    world.round().await;
    for (n, connection) in world.connections().await.iter().take(30).enumerate() {
        let action = ["change_credentials", "go_offline", "fail_sync"][n % 3];
        world.act(&connection.key, action).await;
    }
    world.round().await;
    let totals = world.desk.connections(&admin(), ConnectionQuery::default()).await.unwrap().totals;
    assert_eq!(totals.attention(), 30.into());
    for sort in
        ["worst", "-worst", "customer", "-customer", "platform", "since", "-since", "last_good_sync", "-last_good_sync"]
    {
        let mut query = ConnectionQuery { sort: sort.parse().unwrap(), limit: Some(37), ..ConnectionQuery::default() };
        let mut ids = Vec::new();
        loop {
            let page = world.desk.connections(&admin(), query.clone()).await.unwrap();
            assert_eq!((page.matching, &page.totals), (230.into(), &totals));
            ids.extend(page.items.iter().map(|connection| connection.id));
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => break,
            }
        }
        assert_eq!(ids.len(), 230, "{sort}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 230, "{sort}: each row once");
    }
    let one = world.a_healthy_one().await;
    let found = world
        .desk
        .connections(
            &admin(),
            ConnectionQuery { q: Some(one.customer.name.to_uppercase()), ..ConnectionQuery::default() },
        )
        .await
        .unwrap();
    assert!(found.items.iter().any(|connection| connection.id == one.id));
    assert_eq!(found.matching, (found.items.len() as u64).into());
    let platform = ConnectionQuery {
        platform: vec![one.platform.slug.clone()],
        health: vec![Health::Healthy],
        ..ConnectionQuery::default()
    };
    let page = world.desk.connections(&admin(), platform).await.unwrap();
    assert!(page.items.iter().all(|c| c.platform.slug == one.platform.slug && c.health == Health::Healthy));
    assert_eq!(page.matching, page.totals.of(Health::Healthy));
    assert!(page.totals.all().at_least() >= page.matching.at_least(), "totals apply every filter but health");
    let percent = ConnectionQuery { q: Some("%".to_owned()), ..ConnectionQuery::default() };
    assert_eq!(
        world.desk.connections(&admin(), percent).await.unwrap().matching,
        0.into(),
        "a wildcard is a letter like others"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_overview_tells_one_story(pool: PgPool) {
    let world = World::new(pool, 40).await;
    world.round().await;
    let all = world.connections().await;
    for connection in &all[..3] {
        world.act(&connection.key, "change_credentials").await;
    }
    world.round().await;
    world.settle().await;
    // what goes to and fro leaves no trace in the past
    for action in ["go_offline", "come_online", "go_offline", "come_online"] {
        world.act(&all[4].key, action).await;
        world.round().await;
    }
    world.settle().await;
    let overview = world.desk.overview(&admin()).await.unwrap();
    assert_eq!((overview.totals.all(), overview.totals.attention(), overview.worst.len()), (40, 3, 3));
    assert_eq!((overview.changes.len(), overview.changes_in_all), (7, 7));
    assert_eq!(overview.fleet.last().unwrap().totals, overview.totals);
    assert_eq!(overview.fleet.first().unwrap().totals.all(), 0, "yesterday there was nothing");
    assert!(overview.oldest_proof_seconds.unwrap() < 60);
}
