//! The door for Makini.

use crate::caller::{Answer, send};
use crate::world::{WEBHOOK_SECRET, World};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use sqlx::PgPool;
use std::process::Command;

fn sign(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

async fn deliver(world: &World, source: &str, body: impl Into<Vec<u8>>, signature: Option<&str>) -> Answer {
    let body = body.into();
    let signature = signature.map_or_else(|| sign(&body), str::to_owned);
    let request = world.anonymous().request("POST", &format!("/webhooks/{source}"));
    send(request.header("x-webhook-signature", signature).header("content-type", "application/json").body(body)).await
}

const BODY: &str = r#"{"id":"evt_1","event":"sync.completed","timestamp":"2026-01-01T00:00:00Z","connection_id":"09000207611898","data":{}}"#;

#[sqlx::test(migrations = "../migrations")]
async fn takes_what_is_signed_once(pool: PgPool) {
    let world = World::new(pool).await;
    world.source("acme").await;
    let first = deliver(&world, "acme", BODY, None).await;
    assert_eq!((first.status, first.json()["duplicate"].as_bool()), (200, Some(false)), "{first:?}");
    let again = deliver(&world, "acme", BODY, None).await;
    assert_eq!((again.status, again.json()["duplicate"].as_bool()), (200, Some(true)), "{again:?}");
    assert_eq!(first.json()["id"], again.json()["id"]);
    let listed = world.machine().get("/api/v1/events?webhook_id=evt_1").await.json();
    assert_eq!(listed["items"][0]["id"], first.json()["id"], "{listed}");
    let path = format!("/api/v1/events/{}", first.json()["id"].as_str().unwrap());
    assert_eq!(world.machine().get(&path).await.json()["payload"], BODY);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn says_why_it_turns_away(pool: PgPool) {
    let world = World::new(pool).await;
    world.source("acme").await;
    let unsigned = world.anonymous().body("POST", "/webhooks/acme", "application/json", BODY).await;
    unsigned.problem(401, "signature_missing");
    deliver(&world, "acme", BODY, Some(&"0".repeat(64))).await.problem(401, "signature_wrong");
    deliver(&world, "acme", "not json", None).await.problem(400, "not_json");
    deliver(&world, "acme", "", None).await.problem(400, "not_json");
    deliver(&world, "nobody", BODY, None).await.problem(404, "no_such_source");
    deliver(&world, "acme", vec![b' '; (1 << 20) + 1], None).await.problem(413, "too_large");
    deliver(&world, "acme", vec![b' '; 4 << 20], None).await.problem(413, "too_large");
    world.anonymous().body("POST", "/webhooks/%ff", "application/json", BODY).await.problem(404, "not_found");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_body_of_exactly_the_limit_is_taken(pool: PgPool) {
    let world = World::new(pool).await;
    world.source("acme").await;
    let frame = r#"{"event":"sync.completed","timestamp":"2026-01-01T00:00:00Z","data":""}"#;
    let body = frame.replace("\"\"}", &format!("\"{}\"}}", "a".repeat((1 << 20) - frame.len())));
    assert_eq!(body.len(), 1 << 20);
    assert_eq!(deliver(&world, "acme", body, None).await.status, 200);
    world.stop().await;
}

/// As Makini's documentation quotes it: JSON.stringify, HMAC-SHA256, Base64.
#[sqlx::test(migrations = "../migrations")]
async fn takes_what_node_signs(pool: PgPool) {
    let world = World::new(pool).await;
    world.source("acme").await;
    let script = "const data = {event: 'assets.updated', body: ['16c69269-0432-4382-b48f-eb3538b4b3d7', 'é \u{1f680}']};\
         const body = JSON.stringify(data);\
         const hash = require('crypto').createHmac('sha256', process.argv[1]).update(body).digest('base64');\
         process.stdout.write(hash + '\\n' + body);";
    let signed = Command::new("node").args(["-e", script, WEBHOOK_SECRET]).output().expect("node is installed");
    let signed = String::from_utf8(signed.stdout).unwrap();
    let (signature, body) = signed.split_once('\n').unwrap();
    assert_eq!(deliver(&world, "acme", body, Some(signature)).await.status, 200);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_under_way_is_answered_before_the_end(pool: PgPool) {
    let world = World::new(pool).await;
    world.source("acme").await;
    let (out, body) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let stream = reqwest::Body::wrap_stream(tokio_stream::wrappers::ReceiverStream::new(body));
    let request =
        world.anonymous().request("POST", "/webhooks/acme").header("x-webhook-signature", sign(BODY.as_bytes()));
    let answer = tokio::spawn(send(request.body(stream)));
    let (first, rest) = BODY.as_bytes().split_at(20);
    out.send(Ok(first.to_vec())).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let stopping = tokio::spawn(world.stop());
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    out.send(Ok(rest.to_vec())).await.unwrap();
    drop(out);
    assert_eq!(answer.await.unwrap().status, 200);
    stopping.await.unwrap();
}
