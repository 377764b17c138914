//! Issues and outages, as machines ask for them.

use crate::world::World;
use model::{BulkId, BulkKind, IssueId, IssueSeen, NewIssueChanges};
use serde_json::json;
use sqlx::PgPool;

const ISSUE: &str = "0193a000-0000-7000-8000-000000000001";
const OUTAGE: &str = "0193a000-0000-7000-8000-000000000002";

/// An outage of a platform, and the issue that stands for it.
async fn outage(pool: &PgPool) {
    for statement in [
        "insert into platform (slug, name) values ('sap-ecc', 'SAP ECC')",
        "insert into outage (id, kind, slug, started_at, opened_at, affected, still_broken) \
         values ('0193a000-0000-7000-8000-000000000002', 'platform', 'sap-ecc', now(), now(), 40, 39)",
        "insert into issue (id, outage_id, cause, cause_detail, state, opened_at, openings, updated_at) \
         values ('0193a000-0000-7000-8000-000000000001', '0193a000-0000-7000-8000-000000000002', 'platform_unreachable', \
           '40 connections of SAP ECC failed together', 'open', now(), array[now() - interval '3 days', now() - interval '40 days', now()], now())",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_issue_is_read_taken_noted_and_resolved(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    outage(&pool).await;
    let (machine, path) = (world.machine(), format!("/api/v1/issues/{ISSUE}"));
    let list = machine.get("/api/v1/issues?state=open&state=acknowledged").await.json();
    let issue = &list["items"][0];
    assert_eq!((issue["id"].as_str(), issue["number"].as_i64()), (Some(ISSUE), Some(1)), "{list}");
    assert_eq!(issue["cause"]["summary"], "40 connections of SAP ECC failed together");
    assert_eq!((&issue["connection"], &issue["outage_id"]), (&json!(null), &json!(OUTAGE)));
    assert_eq!((&issue["platform"]["name"], &issue["recurrences"]), (&json!("SAP ECC"), &json!(1)));
    let version = issue["version"].as_i64().unwrap();

    let taken =
        machine.json("PATCH", &path, json!({"state": "acknowledged", "assignee": "me", "version": version})).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    let name = taken.json()["assignee"].as_str().unwrap().to_owned();
    assert_eq!(machine.get("/api/v1/issues?assignee=me").await.json()["items"][0]["assignee"], json!(name));
    machine.json("PATCH", &path, json!({"state": "open", "version": version})).await.problem(409, "conflict");
    machine.json("PATCH", &path, json!({"state": "folded"})).await.problem(422, "invalid");
    machine.json("PATCH", &path, json!({"state": "snoozed"})).await.problem(422, "invalid");
    machine
        .json("PATCH", &path, json!({"state": "snoozed", "snooze_until": "2020-01-01T00:00:00Z"}))
        .await
        .problem(422, "invalid");
    machine.json("PATCH", &path, json!({"colour": "red"})).await.problem(422, "invalid");

    let notes = format!("{path}/notes");
    let note = machine.json("POST", &notes, json!({"text": "Called SAP."})).await;
    assert_eq!((note.status, &note.json()["by"]), (201, &json!(name)), "{note:?}");
    machine.json("POST", &notes, json!({"text": " "})).await.problem(422, "invalid");
    let story = machine.get(&notes).await.json();
    assert_eq!((&story["items"][0]["kind"], &story["next_cursor"]), (&json!("note"), &json!(null)), "{story}");

    let resolved = machine.json("PATCH", &path, json!({"state": "resolved", "version": version})).await;
    assert_eq!((resolved.status, &resolved.json()["state"]), (200, &json!("resolved")), "{resolved:?}");
    machine.json("PATCH", &path, json!({"state": "acknowledged"})).await.problem(409, "conflict");
    assert_eq!(machine.get("/api/v1/issues?format=csv").await.text.lines().count(), 2);
    machine.get("/api/v1/issues?state=fine").await.problem(422, "invalid");
    machine.get(&format!("/api/v1/issues/{OUTAGE}")).await.problem(404, "not_found");
    world.anonymous().get(&path).await.problem(401, "unauthenticated");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn an_outage_is_read(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    outage(&pool).await;
    let machine = world.machine();
    let list = machine.get("/api/v1/outages?limit=1").await.json();
    let outage = &list["items"][0];
    assert_eq!(outage["subject"], json!({"kind": "platform", "slug": "sap-ecc", "name": "SAP ECC"}), "{list}");
    assert_eq!((&outage["affected"], &outage["still_broken"]), (&json!(40), &json!(39)));
    assert_eq!((&outage["issue_id"], &outage["ended_at"]), (&json!(ISSUE), &json!(null)));
    assert_eq!(machine.get(&format!("/api/v1/outages/{OUTAGE}")).await.json(), *outage);
    assert_eq!(machine.get("/api/v1/outages?format=csv").await.text.lines().count(), 2);
    let told = machine.get(&format!("/api/v1/outages/{OUTAGE}/told")).await.json();
    assert_eq!(told, serde_json::json!({"items": [], "next_cursor": null}));
    machine.get(&format!("/api/v1/outages/{ISSUE}")).await.problem(404, "not_found");
    machine.get(&format!("/api/v1/outages/{ISSUE}/told")).await.problem(404, "not_found");
    world.anonymous().get("/api/v1/outages").await.problem(401, "unauthenticated");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_acknowledged_together_is_taken_back_once_and_within_the_hour(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    outage(&pool).await;
    let (machine, issue) = (world.machine(), format!("/api/v1/issues/{ISSUE}"));
    let id: IssueId = ISSUE.parse().unwrap();
    let acknowledge = async || {
        let new = NewIssueChanges {
            kind: BulkKind::Acknowledge,
            issues: vec![IssueSeen { id, version: None }],
            assignee: None,
        };
        world.parts.backend.change_issues(&world.actor().await, new).await.unwrap().bulk.unwrap()
    };
    let undo = |bulk: BulkId| format!("/api/v1/bulk/{bulk}/undo");
    let state = async || machine.get(&issue).await.json()["state"].as_str().unwrap().to_owned();

    let bulk = acknowledge().await;
    assert_eq!(state().await, "acknowledged");
    let shown = machine.get(&format!("/api/v1/bulk/{bulk}")).await.json();
    assert_eq!((&shown["kind"], &shown["state"]), (&json!("acknowledge"), &json!("done")), "{shown}");
    assert!(shown["undo_until"].is_string() && shown["undone"].is_null(), "{shown}");
    sqlx::query(
        "insert into api_token (id, name, token_hash, role, created_at) \
         values (gen_random_uuid(), 'looks', sha256('lw_a-token-that-only-looks'::bytea), 'viewer', now())",
    )
    .execute(&pool)
    .await
    .unwrap();
    let viewer = world.anonymous().with("authorization", "Bearer lw_a-token-that-only-looks");
    viewer.call("POST", &undo(bulk)).await.problem(403, "forbidden");
    world.anonymous().call("POST", &undo(bulk)).await.problem(401, "unauthenticated");
    let undone = machine.call("POST", &undo(bulk)).await;
    assert_eq!(undone.status, 200, "{undone:?}");
    let undone = undone.json();
    assert_eq!((&undone["undone"]["put_back"], &undone["undone"]["left"]), (&json!(1), &json!(0)), "{undone}");
    assert_eq!((state().await.as_str(), &undone["undo_until"]), ("open", &json!(null)));
    let story = machine.get(&format!("{issue}/notes")).await.json();
    assert!(story["items"][0]["text"].as_str().unwrap().starts_with("Taken back"), "{story}");

    // asked again it changes nothing, whatever the issue has become
    machine.json("PATCH", &issue, json!({"state": "waiting_on_customer"})).await;
    assert_eq!(machine.call("POST", &undo(bulk)).await.json(), undone);
    assert_eq!(state().await, "waiting_on_customer");

    // somebody else was faster
    let bulk = acknowledge().await;
    machine.json("PATCH", &issue, json!({"assignee": "Ines"})).await;
    let left = machine.call("POST", &undo(bulk)).await.json();
    assert_eq!((&left["undone"]["put_back"], &left["undone"]["left"]), (&json!(0), &json!(1)), "{left}");
    assert_eq!(state().await, "acknowledged");

    machine.json("PATCH", &issue, json!({"state": "open"})).await;
    let bulk = acknowledge().await;
    world.clock.advance(chrono::TimeDelta::minutes(61));
    let late = machine.call("POST", &undo(bulk)).await.problem(409, "conflict");
    assert!(late["detail"].as_str().unwrap().contains("too late"), "{late}");
    machine.call("POST", &undo(ISSUE.parse().unwrap())).await.problem(404, "not_found");
    world.stop().await;
}
