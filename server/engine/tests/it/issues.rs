//! Issues and outages: one cause, one thing.

use crate::world::{World, admin, calm};
use chrono::TimeDelta;
use engine::clock::{Clock, SystemClock};
use engine::health::{self, OutagePolicy, RECOVERY_HOLD, Turn};
use engine::work::Step;
use model::{
    Actor, Backend, Cause, ConnectionId, Health, Issue, IssueEntryKind, IssuePatch, IssueQuery, IssueState, NewNote,
    Outage, OutageKind, PageQuery, Role, TimelineKind,
};
use sqlx::PgPool;
use std::time::{Duration, Instant};

const POLICY: OutagePolicy =
    OutagePolicy { at_least: 5, percent: 30, window: TimeDelta::seconds(60), hold: TimeDelta::minutes(5) };

async fn issues(world: &World, state: &[IssueState]) -> Vec<Issue> {
    let query = IssueQuery { state: state.to_vec(), limit: Some(200), ..IssueQuery::default() };
    world.desk.issues(&admin(), query).await.unwrap().items
}

async fn issue(world: &World, id: model::IssueId) -> Issue {
    world.desk.issue(&admin(), id).await.unwrap()
}

/// Lets a table's times lie further back: the clock of these stories is the real one.
async fn pass(world: &World, seconds: i64) {
    for statement in [
        "update issue set well_since = well_since - make_interval(secs => $1), due_at = due_at - make_interval(secs => $1), \
         snooze_until = snooze_until - make_interval(secs => $1), opened_at = opened_at - make_interval(secs => $1)",
        "update transition set at = at - make_interval(secs => $1)",
        "update connection set since = since - make_interval(secs => $1)",
        "update outage set started_at = started_at - make_interval(secs => $1), opened_at = opened_at - make_interval(secs => $1), \
         calm_since = calm_since - make_interval(secs => $1)",
    ] {
        sqlx::query(statement).bind(seconds as f64).execute(&world.pool).await.unwrap();
    }
}

async fn upkeep(world: &World) {
    health::watch(&world.pool, &world.clock, &POLICY, RECOVERY_HOLD).await.unwrap();
    while health::issues_due(&world.pool, &world.clock, RECOVERY_HOLD).await.unwrap() == Step::Busy {}
}

async fn round(world: &World) {
    world.round().await;
    world.settle().await;
}

fn to(state: IssueState) -> IssuePatch {
    IssuePatch { state: Some(state), ..IssuePatch::default() }
}

fn kinds(entries: &[model::IssueEntry]) -> Vec<IssueEntryKind> {
    entries.iter().map(|entry| entry.kind).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_changed_password_is_one_issue_that_the_reconnect_resolves_with_its_proof(pool: PgPool) {
    let world = World::new(pool, 20).await;
    round(&world).await;
    assert!(issues(&world, &[]).await.is_empty(), "who is well has none");
    let one = world.a_healthy_one().await;
    world.act(&one.key, "change_credentials").await;
    round(&world).await;
    round(&world).await;
    let all = issues(&world, &[]).await;
    assert_eq!(all.len(), 1, "{all:?}");
    let opened = &all[0];
    assert_eq!((opened.state, opened.cause.code, opened.recurrences), (IssueState::Open, Cause::CredentialsChanged, 0));
    assert!(opened.cause.summary.len() > Cause::CredentialsChanged.words().len(), "upstream's words: {opened:?}");
    assert_eq!(opened.connection.as_ref().unwrap().id, one.id);
    assert_eq!((opened.customer.as_ref().unwrap(), opened.platform.as_ref().unwrap()), (&one.customer, &one.platform));
    assert_eq!(opened.health, Some(Health::ReauthorizationRequired));
    assert_eq!(world.desk.pulse(&admin()).await.unwrap().issues_open, 1);

    let waiting = world.desk.change_issue(&admin(), opened.id, to(IssueState::WaitingOnCustomer)).await.unwrap();
    assert_eq!((waiting.state, waiting.version), (IssueState::WaitingOnCustomer, opened.version + 1));
    world.act(&one.key, "reconnect").await;
    world.act(&one.key, "finish_sync").await;
    round(&world).await;
    upkeep(&world).await;
    assert_eq!(issue(&world, opened.id).await.state, IssueState::WaitingOnCustomer, "well, but not for long");
    pass(&world, 301).await;
    upkeep(&world).await;
    let resolved = issue(&world, opened.id).await;
    assert_eq!(resolved.state, IssueState::Resolved);
    assert!(resolved.resolved_at.is_some());
    let story = world.desk.issue_entries(&admin(), opened.id).await.unwrap();
    assert_eq!(kinds(&story), [IssueEntryKind::Resolved, IssueEntryKind::Waiting, IssueEntryKind::Opened]);
    assert!(story[0].text.contains("Well for 5 min. Proof: "), "{}", story[0].text);
    assert_eq!((story[0].by.as_deref(), story[1].by.as_deref()), (None, Some("story")));
    let timeline = world.desk.timeline(&admin(), one.id, PageQuery::default()).await.unwrap().items;
    let told: Vec<_> = timeline.iter().filter(|item| item.kind == TimelineKind::Issue).collect();
    assert_eq!(told.len(), 3);
    assert!(told[2].text.starts_with(&format!("Issue #{}: ", opened.number)), "{}", told[2].text);

    world.act(&one.key, "change_credentials").await;
    round(&world).await;
    let again = issue(&world, opened.id).await;
    assert_eq!((again.state, again.recurrences, again.resolved_at), (IssueState::Open, 1, None));
    assert_eq!(issues(&world, &[]).await.len(), 1, "it came again; it is no other");
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_cause_has_its_own_issue_and_the_first_one_goes(pool: PgPool) {
    let world = World::new(pool, 20).await;
    round(&world).await;
    let one = world.a_healthy_one().await;
    world.act(&one.key, "fail_sync").await;
    round(&world).await;
    world.act(&one.key, "go_offline").await;
    round(&world).await;
    let live = issues(&world, &[IssueState::Open]).await;
    assert_eq!(live.len(), 2, "{live:?}");
    pass(&world, 301).await;
    upkeep(&world).await;
    let live = issues(&world, &[IssueState::Open]).await;
    assert_eq!(live.iter().map(|issue| issue.cause.code).collect::<Vec<_>>(), [Cause::PlatformUnreachable]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_gone_upstream_leaves_no_issue(pool: PgPool) {
    let world = World::new(pool, 20).await;
    round(&world).await;
    let one = world.a_healthy_one().await;
    world.act(&one.key, "go_offline").await;
    round(&world).await;
    world.act(&one.key, "delete").await;
    round(&world).await;
    let all = issues(&world, &[]).await;
    assert_eq!((all.len(), all[0].state, all[0].health), (1, IssueState::Resolved, None));
    let story = world.desk.issue_entries(&admin(), all[0].id).await.unwrap();
    assert!(story[0].text.starts_with("Gone from Makini"), "{}", story[0].text);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_sleeping_issue_wakes_at_its_end_as_open(pool: PgPool) {
    let world = World::new(pool, 20).await;
    round(&world).await;
    let one = world.a_healthy_one().await;
    world.act(&one.key, "fail_sync").await;
    round(&world).await;
    let id = issues(&world, &[]).await[0].id;
    let until = SystemClock.now() + TimeDelta::hours(1);
    let snooze =
        IssuePatch { snooze_until: Some(until), assignee: Some(Some("me".to_owned())), ..to(IssueState::Snoozed) };
    let asleep = world.desk.change_issue(&admin(), id, snooze).await.unwrap();
    assert_eq!((asleep.state, asleep.assignee.as_deref()), (IssueState::Snoozed, Some("story")));
    upkeep(&world).await;
    assert_eq!(issue(&world, id).await.state, IssueState::Snoozed);
    let counts = world.desk.issue_counts(&admin()).await.unwrap();
    assert_eq!((counts.open, counts.snoozed, counts.mine), (0, 1, 1));
    pass(&world, 3_601).await;
    upkeep(&world).await;
    let awake = issue(&world, id).await;
    assert_eq!((awake.state, awake.snooze_until), (IssueState::Open, None));
    assert_eq!(awake.assignee.as_deref(), Some("story"));
    let mine = IssueQuery { assignee: vec!["me".to_owned()], ..IssueQuery::default() };
    assert_eq!(world.desk.issues(&admin(), mine).await.unwrap().items.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_looked_at_an_older_version_is_refused_but_resolving_wins_over_taking(pool: PgPool) {
    let world = World::new(pool, 20).await;
    round(&world).await;
    let one = world.a_healthy_one().await;
    world.act(&one.key, "fail_sync").await;
    round(&world).await;
    let seen = issues(&world, &[]).await.remove(0);
    let (id, version) = (seen.id, Some(seen.version));
    let at = |patch: IssuePatch| IssuePatch { version, ..patch };
    world.desk.change_issue(&admin(), id, at(to(IssueState::Acknowledged))).await.unwrap();
    let stale = world.desk.change_issue(&admin(), id, at(to(IssueState::WaitingOnCustomer))).await.unwrap_err();
    assert_eq!(stale.status(), 409);
    assert!(stale.to_string().contains("acknowledged"), "{stale}");
    let note = NewNote { text: "  Called them.  ".to_owned() };
    let note = world.desk.note_issue(&admin(), id, note).await.unwrap();
    assert_eq!((note.kind, note.text.as_str()), (IssueEntryKind::Note, "Called them."));
    let resolved = world.desk.change_issue(&admin(), id, at(to(IssueState::Resolved))).await.unwrap();
    assert_eq!(resolved.state, IssueState::Resolved);
    let late = world.desk.change_issue(&admin(), id, to(IssueState::Acknowledged)).await.unwrap_err();
    assert_eq!(late.status(), 409);
    let reopened = world.desk.change_issue(&admin(), id, to(IssueState::Open)).await.unwrap();
    assert_eq!(reopened.state, IssueState::Open);
    let lost = world.desk.change_issue(&admin(), id, at(to(IssueState::Resolved))).await.unwrap_err();
    assert_eq!(lost.status(), 409, "it was more than taken meanwhile");

    let viewer = Actor { role: Role::Viewer, ..admin() };
    assert_eq!(world.desk.change_issue(&viewer, id, to(IssueState::Resolved)).await.unwrap_err().status(), 403);
    assert!(world.desk.issue(&viewer, id).await.is_ok());
    assert_eq!(world.count("audit where action like 'issue.%'").await, 4);

    // resolved by hand while broken: the next rounds find it as it was, and leave it
    world.desk.change_issue(&admin(), id, to(IssueState::Resolved)).await.unwrap();
    round(&world).await;
    upkeep(&world).await;
    assert_eq!(issue(&world, id).await.state, IssueState::Resolved);
}

/// A platform with enough connections, and some of another.
async fn crowd(world: &World) -> (String, Vec<model::Connection>) {
    let all = world.connections().await;
    let mut by_platform = std::collections::BTreeMap::<String, Vec<model::Connection>>::new();
    for connection in all {
        by_platform.entry(connection.platform.slug.clone()).or_default().push(connection);
    }
    by_platform.into_iter().max_by_key(|(_, of)| of.len()).unwrap()
}

async fn outages(world: &World) -> Vec<Outage> {
    world.desk.outages(&admin(), PageQuery::default()).await.unwrap().items
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_platform_that_goes_is_one_outage_and_what_stays_broken_gets_its_own_issue(pool: PgPool) {
    let world = World::with(pool, simulator::Options { connections: 150, ..calm() }).await;
    round(&world).await;
    let (slug, its) = crowd(&world).await;
    let total = its.len();
    assert!(total >= 10, "{total}");
    world
        .sim(
            "/_sim/faults",
            serde_json::json!({"fault": "outage", "value": 1, "scope": format!("platform:{slug}"), "for_seconds": 600}),
        )
        .await;
    round(&world).await;
    assert_eq!(issues(&world, &[IssueState::Open]).await.len(), total, "nobody has looked yet");
    upkeep(&world).await;
    let begun = outages(&world).await;
    assert_eq!(begun.len(), 1, "{begun:?}");
    let outage = &begun[0];
    assert_eq!((outage.subject.kind, outage.subject.slug.as_str()), (OutageKind::Platform, slug.as_str()));
    assert_eq!((outage.affected, outage.still_broken), (total as i64, total as i64));
    let open = issues(&world, &[IssueState::Open]).await;
    assert_eq!(open.len(), 1, "one thing: {open:?}");
    assert_eq!((open[0].outage_id, open[0].connection.is_none()), (Some(outage.id), true));
    assert_eq!((outage.issue_id, outage.issue_number), (Some(open[0].id), Some(open[0].number)));
    let folded = issues(&world, &[IssueState::Folded]).await;
    assert_eq!(folded.len(), total);
    assert!(folded.iter().all(|issue| issue.outage_id == Some(outage.id)));
    let overview = world.desk.overview(&admin()).await.unwrap();
    assert_eq!(overview.outages.len(), 1);

    // one more cause while it lasts opens nothing
    world.act(&its[0].key, "change_credentials").await;
    round(&world).await;
    upkeep(&world).await;
    assert_eq!(issues(&world, &[IssueState::Open]).await.len(), 1);

    sqlx::query("update source set due_at = now()").execute(&world.pool).await.unwrap();
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .delete(format!("{}/_sim/faults", world.makini.url()))
        .send()
        .await
        .unwrap();
    round(&world).await;
    upkeep(&world).await;
    assert!(outages(&world).await[0].ended_at.is_none(), "calm, but not for long");
    pass(&world, 301).await;
    upkeep(&world).await;
    upkeep(&world).await;
    let over = outages(&world).await.remove(0);
    assert!(over.ended_at.is_some());
    assert_eq!((over.affected, over.still_broken), (total as i64, 1));
    let open = issues(&world, &[IssueState::Open]).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0].connection.as_ref().unwrap().id, its[0].id, "what is still broken gets its own");
    assert_eq!(open[0].cause.code, Cause::CredentialsChanged);
    assert!(issues(&world, &[IssueState::Folded]).await.is_empty());
    assert_eq!(issue(&world, over.issue_id.unwrap()).await.state, IssueState::Resolved);
}

#[sqlx::test(migrations = "../../migrations")]
async fn rounds_that_fail_are_an_outage_of_the_source_until_one_succeeds(pool: PgPool) {
    let world = World::new(pool, 20).await;
    round(&world).await;
    let sets = "update source set round_failing_since = now(), attempt = 3, round_error_class = 'upstream', round_error_message = ''";
    sqlx::query(sets).execute(&world.pool).await.unwrap();
    upkeep(&world).await;
    let outage = outages(&world).await.remove(0);
    assert_eq!((outage.subject.kind, outage.subject.slug.as_str()), (OutageKind::Source, "makini"));
    assert_eq!((outage.affected, outage.still_broken), (20, 0), "none is seen, and none is known to be broken");
    upkeep(&world).await;
    assert_eq!(outages(&world).await.len(), 1);
    assert!(outages(&world).await[0].ended_at.is_none());
    round(&world).await;
    upkeep(&world).await;
    assert!(outages(&world).await[0].ended_at.is_some());
    assert!(issues(&world, &[IssueState::Open]).await.is_empty());
}

fn turn(id: ConnectionId, before: Health, after: Health, world: &World) -> Turn {
    let cause = |health| (health != Health::Healthy).then_some(Cause::PlatformUnreachable);
    Turn {
        connection: id,
        platform: "none".to_owned(),
        source: world.source.id,
        before: Some((before, cause(before))),
        after: Some((after, cause(after))),
        detail: Some("connection refused".to_owned()),
        evidence: Some("Offline".to_owned()),
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn ten_thousand_at_once_are_told_in_a_moment(pool: PgPool) {
    let world = World::new(pool, 1).await;
    world.round().await;
    sqlx::query(
        "insert into connection (id, source_id, key, name, customer_id, platform_slug, authorization_, authorization_at, \
         authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search, first_seen_at, \
         updated_at) select gen_random_uuid(), source_id, 'k' || n, name, customer_id, platform_slug, authorization_, authorization_at, \
         authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search, first_seen_at, \
         updated_at from connection, generate_series(1, 9999) as n",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let ids: Vec<uuid::Uuid> =
        sqlx::query_scalar("select id from connection order by id").fetch_all(&world.pool).await.unwrap();
    assert_eq!(ids.len(), 10_000);
    let turns = |before, after| ids.iter().map(|id| turn(ConnectionId(*id), before, after, &world)).collect::<Vec<_>>();
    let bad = turns(Health::Healthy, Health::Offline);
    let mut conn = world.pool.acquire().await.unwrap();
    let began = Instant::now();
    let changes = health::follow(&mut conn, &bad, SystemClock.now()).await.unwrap();
    let opened = began.elapsed();
    assert_eq!((changes.len(), world.count("issue where state = 'open'").await), (10_000, 10_000));
    assert_eq!(world.count("issue_entry").await, 10_000);
    let began = Instant::now();
    assert!(health::follow(&mut conn, &bad, SystemClock.now()).await.unwrap().is_empty(), "said again");
    let again = began.elapsed();
    health::follow(&mut conn, &turns(Health::Offline, Health::Healthy), SystemClock.now()).await.unwrap();
    assert_eq!(world.count("issue where well_since is not null and due_at is not null").await, 10_000);
    sqlx::query("update issue set well_since = well_since - interval '1 hour', due_at = due_at - interval '1 hour'")
        .execute(&world.pool)
        .await
        .unwrap();
    upkeep(&world).await;
    assert_eq!(world.count("issue where state = 'resolved'").await, 10_000);
    health::follow(&mut conn, &bad, SystemClock.now()).await.unwrap();
    assert_eq!(world.count("issue where state = 'open' and cardinality(openings) = 2").await, 10_000);
    println!("10,000 issues: opened in {opened:?}, said again in {again:?}");
    assert!(opened < Duration::from_secs(10), "{opened:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_outage_over_ten_thousand_connections_is_seen_at_once_and_one_process_leads(pool: PgPool) {
    let world = World::new(pool, 1).await;
    world.round().await;
    sqlx::query(
        "insert into connection (id, source_id, key, name, customer_id, platform_slug, authorization_, authorization_at, \
         authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search, first_seen_at, \
         updated_at) select gen_random_uuid(), source_id, 'k' || n, name, customer_id, platform_slug, authorization_, authorization_at, \
         authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search, first_seen_at, \
         updated_at from connection, generate_series(1, 9999) as n",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    sqlx::query(
        "with hit as (update connection set health = 'offline', health_rank = 1, since = now() \
           where id in (select id from connection where key <> 'k1' order by key limit 4000) returning id) \
         insert into transition (id, connection_id, at, from_health, to_health) select gen_random_uuid(), id, now(), 'healthy', 'offline' from hit",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    sqlx::query("analyze").execute(&world.pool).await.unwrap();
    let began = Instant::now();
    let (one, other) = tokio::join!(
        health::watch(&world.pool, &world.clock, &POLICY, RECOVERY_HOLD),
        health::watch(&world.pool, &world.clock, &POLICY, RECOVERY_HOLD)
    );
    one.unwrap();
    other.unwrap();
    println!("an outage of 4,000 among 10,000 was seen and counted in {:?}", began.elapsed());
    upkeep(&world).await;
    let outages = outages(&world).await;
    assert_eq!(outages.len(), 1);
    assert_eq!((outages[0].affected, outages[0].still_broken), (4_000, 4_000));
    assert_eq!(issues(&world, &[]).await.len(), 1, "there was nothing to fold");
}
