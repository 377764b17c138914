//! Sources of the dialect `openapi_2025`: its list says little of syncs, so health rests on looks and webhooks, or is unknown.

use crate::upstream::{answer, scripted, token};
use crate::world::{World, admin, calm};
use engine::{live, vault::SecretKind};
use model::{
    Authorization, Backend, Cause, Connection, ConnectionQuery, EventQuery, EventState, Eye, Health, NewSource,
    SourcePatch, TokenOwnership,
};
use serde_json::{Value, json};
use simulator::{Dialect, Options};
use sqlx::{PgPool, postgres::PgListener};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

fn older(connections: usize) -> Options {
    Options { dialect: Dialect::Openapi2025, connections, ..calm() }
}

/// A source whose connection tokens are somebody else's.
fn external(new: &mut NewSource) {
    new.settings.token_ownership = Some(TokenOwnership::External);
}

/// Looks at every connection, now.
async fn look_at_all(world: &World) {
    sqlx::query("update connection set check_due_at = now(), check_reason = 'proof' where removed_at is null")
        .execute(&world.pool)
        .await
        .unwrap();
    world.settle().await;
}

/// The first that upstream says is well and has nothing under way.
async fn a_quiet_one(world: &World) -> Connection {
    let all = world.connections().await;
    let quiet = |one: &Connection| world.makini.connection(&one.key).is_some_and(|one| one.status == "active");
    all.into_iter().find(quiet).expect("one is quiet")
}

async fn is(world: &World, one: &Connection) -> Connection {
    world.connection(one.id).await.connection
}

/// The simulator's own webhooks about this connection, oldest first, taken from where it keeps them.
async fn hear_its_webhooks(world: &World, heard: &mut BTreeSet<String>) -> Vec<Value> {
    let mut deliveries = world.makini.deliveries();
    deliveries.sort_by_key(|delivery| delivery.created_at);
    let mut bodies = Vec::new();
    for delivery in deliveries.into_iter().filter(|delivery| heard.insert(delivery.id.clone())) {
        let body: Value = serde_json::from_str(delivery.body.as_ref()).unwrap();
        world.hear(&body).await.unwrap();
        world.processor.step().await.unwrap();
        bodies.push(body);
    }
    bodies
}

#[sqlx::test(migrations = "../../migrations")]
async fn three_hundred_connections_are_listed_page_by_page_and_proved_one_by_one(pool: PgPool) {
    let world = World::with(pool, older(300)).await;
    world.round().await;
    let query = || ConnectionQuery { limit: Some(200), ..ConnectionQuery::default() };
    let page = world.desk.connections(&admin(), query()).await.unwrap();
    assert_eq!((page.matching, page.totals.all()), (300.into(), 300.into()));
    assert_eq!(page.totals.of(Health::Healthy), 0.into(), "nothing has proved anything yet: {:?}", page.totals);
    let upstream = world.makini.connections();
    for connection in &page.items {
        let seen = upstream.iter().find(|seen| seen.key == connection.key).expect("it is upstream's");
        assert_eq!((&connection.platform.slug, &connection.customer.name), (&seen.platform, &seen.customer));
        assert_ne!(connection.platform.name, connection.platform.slug, "the platform's name comes from upstream too");
        assert_eq!(connection.raw_status.as_deref(), Some(seen.status));
    }
    let source = world.desk.source(&admin(), world.source.id).await.unwrap();
    assert_eq!((source.round.listed, source.round.error), (Some(300), None));

    look_at_all(&world).await;
    let quiet = world.makini.connections().iter().filter(|one| one.status == "active" && !one.syncing).count() as u64;
    let totals = world.desk.connections(&admin(), query()).await.unwrap().totals;
    assert!(quiet > 200 && totals.of(Health::Healthy).at_least() >= quiet, "{quiet} should be healthy: {totals:?}");
    assert_eq!(
        totals.of_any(&[Health::Healthy, Health::Unknown]),
        300.into(),
        "what is under way is not proved: {totals:?}"
    );
    let issued = world.makini.counters().connection_tokens;
    assert_eq!(issued, 300);

    let before = (world.count("evidence").await, world.count("transition").await);
    let query = ConnectionQuery { health: vec![Health::Healthy], ..query() };
    let well = world.desk.connections(&admin(), query).await.unwrap().items;
    world.round().await;
    assert_eq!((world.count("evidence").await, world.count("transition").await), before);
    for one in well.iter().filter(|one| one.raw_status.as_deref() == Some("active")) {
        let now = is(&world, one).await;
        assert_eq!((now.health, now.proof), (one.health, one.proof), "a word that tells nothing proves nothing");
    }
    look_at_all(&world).await;
    assert_eq!(world.makini.counters().connection_tokens, issued, "a token is used as long as it lives");
    let again = is(&world, &well[0]).await;
    assert!(again.proof.unwrap().at > well[0].proof.unwrap().at && again.proof.unwrap().eye == Eye::Check);
    let written = world.count("evidence").await - before.0;
    assert!(written < 50, "looks that only confirm are not written down one by one: {written}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_tokens_of_ours_nothing_is_healthy_but_what_a_webhook_proved(pool: PgPool) {
    let world = World::with_source(pool, older(20), external).await;
    world.round().await;
    look_at_all(&world).await;
    for connection in world.connections().await {
        assert_eq!((connection.health, connection.authorization), (Health::Unknown, Authorization::Unknown));
        let cause = connection.cause.unwrap();
        assert_eq!(cause.code, Cause::NoProof);
        assert!(cause.summary.contains("Makini does not say whether its data flows"), "{}", cause.summary);
    }
    assert_eq!(world.makini.counters().connection_tokens, 0, "never issued");

    let one = a_quiet_one(&world).await;
    let tell = async |event: &str, id: &str| {
        let body =
            json!({"id": id, "event": event, "timestamp": world.clock.now(), "connection_id": one.key, "data": {}});
        world.hear(&body).await.unwrap();
        world.settle().await;
        is(&world, &one).await
    };
    let well = tell("sync.completed", "evt_1").await;
    assert_eq!((well.health, well.proof.unwrap().eye), (Health::Healthy, Eye::Webhook));
    world.round().await;
    assert_eq!(is(&world, &one).await.proof, well.proof, "the list adds nothing to that");

    let refused = tell("connection.reauthorization_required", "evt_2").await;
    assert_eq!(refused.health, Health::ReauthorizationRequired);
    for _ in 0..2 {
        world.round().await;
        world.settle().await;
        assert_eq!(is(&world, &one).await.health, Health::ReauthorizationRequired, "“active” does not undo that");
    }
    // one that was sent before the last round, and came after it, is no older than what is proved
    let sent = world.clock.now() - chrono::TimeDelta::seconds(20);
    sqlx::query("update connection set authorization_at = $1, flow_at = $1 where id = $2")
        .bind(sent - chrono::TimeDelta::seconds(60))
        .bind(one.id.0)
        .execute(&world.pool)
        .await
        .unwrap();
    sqlx::query("update connection_proof set proof_at = $1, event_at = null where connection_id = $2")
        .bind(sent - chrono::TimeDelta::seconds(60))
        .bind(one.id.0)
        .execute(&world.pool)
        .await
        .unwrap();
    world.round().await;
    let late =
        json!({"id": "evt_3", "event": "sync.completed", "timestamp": sent, "connection_id": one.key, "data": {}});
    world.hear(&late).await.unwrap();
    world.settle().await;
    assert_eq!(is(&world, &one).await.health, Health::Healthy, "a late webhook still counts where no poll could tell");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_the_list_says_itself_it_also_takes_back(pool: PgPool) {
    let world = World::with_source(pool, older(20), external).await;
    world.round().await;
    let one = a_quiet_one(&world).await;
    for (action, undo, health, cause) in [
        ("change_credentials", "reconnect", Health::ReauthorizationRequired, Cause::CredentialsChanged),
        ("go_offline", "come_online", Health::Offline, Cause::PlatformUnreachable),
        ("fail_sync", "finish_sync", Health::Failing, Cause::SyncError),
    ] {
        world.act(&one.key, action).await;
        world.round().await;
        world.settle().await;
        let broken = is(&world, &one).await;
        assert_eq!((broken.health, broken.cause.map(|cause| cause.code)), (health, Some(cause)), "{action}");
        world.act(&one.key, undo).await;
        world.round().await;
        world.settle().await;
        let after = is(&world, &one).await;
        assert_eq!((after.health, after.cause.unwrap().code), (Health::Unknown, Cause::NoProof), "{undo}: not healthy");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn tokens_that_were_revoked_are_replaced_ours_and_a_connections(pool: PgPool) {
    let world = World::with(pool, older(5)).await;
    world.round().await;
    look_at_all(&world).await;
    let pairs = world.makini.counters().token_pairs;
    let mut conn = world.pool.acquire().await.unwrap();
    let kept = world.desk.vault.newest(&mut conn, world.source.id.0, SecretKind::AdminToken).await.unwrap().unwrap();
    let kept: Value = serde_json::from_str(kept.secret.expose()).unwrap();
    drop(conn);
    // somebody else uses our refresh token: our pair is dead
    let options = Options::default();
    let body = json!({
        "grant_type": "refresh_token", "refresh_token": kept["refresh_token"],
        "client_id": options.client_id, "client_secret": options.client_secret,
    });
    world.sim("/link/token", body).await;
    world.round().await;
    assert_eq!(world.makini.counters().token_pairs, pairs + 2, "theirs, and our new one");
    let source = world.desk.source(&admin(), world.source.id).await.unwrap();
    assert_eq!(source.round.error, None);

    // the customer signs in again, which kills the connection's token at once
    let one = a_quiet_one(&world).await;
    let issued = world.makini.counters().connection_tokens;
    world.act(&one.key, "change_credentials").await;
    world.act(&one.key, "reconnect").await;
    world.act(&one.key, "finish_sync").await;
    world.desk.check_connection(&admin(), one.id).await.unwrap();
    world.settle().await;
    assert_eq!(world.makini.counters().connection_tokens, issued + 1);
    let well = is(&world, &one).await;
    assert_eq!((well.health, well.proof.unwrap().eye), (Health::Healthy, Eye::Check));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_changed_password_is_heard_confirmed_and_over_after_the_reconnect(pool: PgPool) {
    let world = World::with(pool, older(20)).await;
    world.round().await;
    look_at_all(&world).await;
    world.makini.set_webhook_url("http://127.0.0.1:9/".to_owned());
    let (one, mut heard) = (a_quiet_one(&world).await, BTreeSet::new());
    world.act(&one.key, "change_credentials").await;
    let told = hear_its_webhooks(&world, &mut heard).await;
    assert!(told.iter().any(|body| body["event"] == "connection.reauthorization_required"), "{told:?}");
    let refused = is(&world, &one).await;
    assert_eq!((refused.health, refused.proof.unwrap().eye), (Health::ReauthorizationRequired, Eye::Webhook));
    world.settle().await;
    world.round().await;
    world.settle().await;
    let refused = is(&world, &one).await;
    assert_eq!(
        (refused.health, refused.cause.unwrap().code),
        (Health::ReauthorizationRequired, Cause::CredentialsChanged)
    );
    assert_eq!(refused.raw_status.as_deref(), Some("fail"));

    world.act(&one.key, "reconnect").await;
    world.act(&one.key, "finish_sync").await;
    world.round().await;
    world.settle().await;
    assert_eq!(is(&world, &one).await.health, Health::Healthy, "the list's word changed, and a look proved why");
    let told = hear_its_webhooks(&world, &mut heard).await;
    world.settle().await;
    assert_eq!(is(&world, &one).await.health, Health::Healthy);
    assert!(told.iter().any(|body| body["body"].is_array()), "records came with the sync: {told:?}");
    for event in world.desk.events(&admin(), EventQuery::default()).await.unwrap().items {
        assert!(!matches!(event.state, EventState::Pending | EventState::Failed), "{event:?}");
        let of_records = event.webhook_id.is_none();
        assert_eq!((of_records, of_records), (event.maybe_repeat, event.connection_id.is_none()), "{event:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_failing_sync_and_a_system_that_is_down_are_told_apart_and_stay_so(pool: PgPool) {
    let world = World::with(pool, older(20)).await;
    world.round().await;
    look_at_all(&world).await;
    let all: Vec<_> = world.connections().await.into_iter().filter(|one| one.health == Health::Healthy).collect();
    let (failing, offline) = (&all[0], &all[1]);
    world.act(&failing.key, "fail_sync").await;
    world.act(&offline.key, "go_offline").await;
    world.round().await;
    world.settle().await;
    let transitions = world.count("transition").await;
    for _ in 0..2 {
        look_at_all(&world).await;
        world.round().await;
        world.settle().await;
        let now = (is(&world, failing).await, is(&world, offline).await);
        assert_eq!((now.0.health, now.1.health), (Health::Failing, Health::Offline));
        assert_eq!(now.0.cause.unwrap().code, Cause::SyncError);
        assert_eq!(now.1.authorization, Authorization::Authorized, "which had been proved");
    }
    assert_eq!(world.count("transition").await, transitions, "list and looks do not argue");
    world.act(&failing.key, "finish_sync").await;
    world.act(&offline.key, "come_online").await;
    world.act(&offline.key, "finish_sync").await;
    world.round().await;
    world.settle().await;
    assert_eq!(
        (is(&world, failing).await.health, is(&world, offline).await.health),
        (Health::Healthy, Health::Healthy)
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_deleted_is_removed_after_a_look(pool: PgPool) {
    let world = World::with(pool, older(120)).await;
    world.round().await;
    let one = a_quiet_one(&world).await;
    world.act(&one.key, "delete").await;
    world.round().await;
    assert!(world.connection(one.id).await.removed_at.is_none(), "missing from a list is not yet gone");
    world.settle().await;
    assert!(world.connection(one.id).await.removed_at.is_some());
    let left = world.desk.connections(&admin(), ConnectionQuery::default()).await.unwrap();
    assert_eq!(left.matching, 119.into(), "and nothing else, though none of the others is proved");
}

/// What a scripted upstream lists: its pages, each with the total it claims; and which keys it still knows.
struct Script {
    pages: Vec<(Vec<&'static str>, u64)>,
    known: Vec<&'static str>,
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_list_that_moves_while_it_is_read_removes_nothing_that_is_there(pool: PgPool) {
    let script = Arc::new(Mutex::new(Script { pages: Vec::new(), known: Vec::new() }));
    let told = Arc::clone(&script);
    let (url, asked) = scripted(move |request| {
        let line = request.lines().next().unwrap_or_default().to_owned();
        let script = told.lock().unwrap();
        let one = |key: &str| json!({"key": key, "name": key, "status": "active", "integration_name": "sap"});
        if line.starts_with("POST /link/token") {
            token()
        } else if let Some(key) = line.split("/connections/").nth(1).and_then(|rest| rest.split('/').next()) {
            match script.known.contains(&key) {
                true => answer("200 OK", "", &json!({"data": [one(key)]}).to_string()),
                false => {
                    answer("404 Not Found", "", r#"{"error":{"code":"NOT_FOUND","message":"no such connection"}}"#)
                }
            }
        } else if line.contains("/api/system/connections?") {
            let page: usize = line.split("page=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok()).unwrap();
            let (keys, total) = script.pages[page - 1].clone();
            let data: Vec<_> = keys.iter().map(|key| one(key)).collect();
            let meta = json!({"current_page": page, "last_page": script.pages.len(), "total": total});
            answer("200 OK", "x-makini-version: v4\r\n", &json!({"data": data, "links": {}, "meta": meta}).to_string())
        } else {
            answer("404 Not Found", "", "")
        }
    })
    .await;
    let world = World::with_source(pool, older(1), |new| {
        external(new);
        new.base_url = url;
    })
    .await;
    let there = async || {
        let mut keys: Vec<_> = world.connections().await.into_iter().map(|one| one.key).collect();
        keys.sort();
        keys.join("")
    };
    let round = async |pages: &[(&[&'static str], u64)], known: &[&'static str]| {
        *script.lock().unwrap() = Script {
            pages: pages.iter().map(|(keys, total)| (keys.to_vec(), *total)).collect(),
            known: known.to_vec(),
        };
        asked.lock().unwrap().clear();
        world.round().await;
        world.settle().await;
        asked.lock().unwrap().iter().filter(|line| line.contains("/metadata")).count()
    };
    assert_eq!(round(&[(&["a", "b"], 4), (&["c", "d"], 4)], &["a", "b", "c", "d"]).await, 0);
    assert_eq!(there().await, "abcd");
    // “a” is deleted after the first page was read, and “c” moves up to it: seen on no page
    assert_eq!(round(&[(&["a", "b"], 4), (&["d"], 3)], &["b", "c", "d"]).await, 0, "the list moved: no conclusions");
    assert_eq!(there().await, "abcd");
    // one is added meanwhile, and “b” moves down: seen twice
    assert_eq!(round(&[(&["a", "b"], 4), (&["b", "c"], 4)], &["a", "b", "c", "d"]).await, 0);
    assert_eq!(there().await, "abcd");
    // one added and one deleted leave no trace: what is missing is asked for, and is there
    assert_eq!(round(&[(&["a", "b"], 3), (&["e"], 3)], &["a", "b", "c", "d", "e"]).await, 2, "“c” and “d”");
    assert_eq!(there().await, "abcde");
    // at last “a” is missing from a list that stood still, and is gone when asked for
    assert_eq!(round(&[(&["b", "c"], 4), (&["d", "e"], 4)], &["b", "c", "d", "e"]).await, 1);
    assert_eq!(there().await, "bcde");
    // a server that does not know page numbers cannot keep us for ever
    assert_eq!(round(&[(&["b", "c"], 9), (&["b", "c"], 9), (&["b", "c"], 9)], &["b", "c", "d", "e"]).await, 0);
    assert_eq!(asked.lock().unwrap().iter().filter(|line| line.contains("connections?page")).count(), 2);
    assert_eq!(there().await, "bcde");
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_version_of_the_api_is_kept_with_the_source_and_told(pool: PgPool) {
    let world = World::with(pool, older(3)).await;
    let source = async || world.desk.source(&admin(), world.source.id).await.unwrap();
    let new = source().await;
    assert_eq!((new.api_version, new.api_version_since, new.api_version_before), (None, None, None));
    let mut changes = PgListener::connect_with(&world.pool).await.unwrap();
    changes.listen(live::CHANNEL).await.unwrap();
    let mut told = async || {
        let mut told = Vec::new();
        while let Ok(Ok(one)) = tokio::time::timeout(Duration::from_millis(300), changes.recv()).await {
            told.push(one.payload().to_owned());
        }
        told.iter().filter(|payload| payload.contains(&world.source.id.to_string())).count()
    };
    world.round().await;
    let first = source().await;
    assert_eq!((first.api_version.as_deref(), &first.api_version_before), (Some("v4"), &None));
    assert!(first.api_version_since.is_some());
    assert_eq!(told().await, 1, "the source as such");
    world.round().await;
    assert_eq!((source().await.api_version_since, told().await), (first.api_version_since, 0));

    sqlx::query("update source set api_version = 'v3'").execute(&world.pool).await.unwrap();
    world.round().await;
    let drifted = source().await;
    assert_eq!((drifted.api_version.as_deref(), drifted.api_version_before.as_deref()), (Some("v4"), Some("v3")));
    assert!(drifted.api_version_since > first.api_version_since);
    assert_eq!(told().await, 1);
    world.round().await;
    let still = source().await;
    assert_eq!(
        (still.api_version_since, still.api_version_before),
        (drifted.api_version_since, drifted.api_version_before)
    );

    let moved = SourcePatch { base_url: Some("http://127.0.0.1:9".to_owned()), ..SourcePatch::default() };
    let moved = world.desk.change_source(&admin(), world.source.id, moved).await.unwrap();
    assert_eq!((moved.api_version, moved.api_version_before), (None, None), "another upstream has no past");
}

#[sqlx::test(migrations = "../../migrations")]
async fn trying_it_out_says_whose_account_it_is(pool: PgPool) {
    let world = World::with(pool, older(120)).await;
    let test = world.desk.test_source(&admin(), world.source.id).await.unwrap();
    let said: Vec<_> = test.steps.iter().map(|step| (step.name.as_str(), step.ok, step.detail.as_str())).collect();
    assert_eq!(
        said,
        [
            ("Sign in", true, "The client credentials are good."),
            ("Account", true, "The account is “Linewatch demo”."),
            ("List connections", true, "Connections: 120."),
            ("API version", true, "Answers name version v4."),
        ]
    );
}
