//! The customer's door: pages for people without a session, which only a button moves.

use crate::caller::Answer;
use crate::world::World;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgPool;

/// A connection, as a round of polling would have made it.
async fn connection(world: &World) -> String {
    let source = world.source("acme").await;
    let (id, customer) = (engine::clock::new_id(), engine::clock::new_id());
    for sql in [
        "insert into platform (slug, name) values ('sap', 'SAP <S/4>')",
        "insert into customer (id, key, name, created_at) values ($2, 'name:x', 'Müller & Söhne', now())",
        "insert into connection (id, source_id, key, name, customer_id, platform_slug, authorization_, authorization_at, \
         authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search, \
         first_seen_at, updated_at) values ($1, $3, '0900', 'plant 7', $2, 'sap', 'reauthorization_required', now(), 'poll', \
         'unknown', now(), 'poll', 'reauthorization_required', 'unknown', 'reauthorization_required', 0, now(), '', now(), now())",
    ] {
        let sql = format!("with given as (select $1::uuid, $2::uuid, $3::uuid) {sql}");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).bind(customer).bind(source.id.0);
        query.execute(&world.parts.pool).await.unwrap();
    }
    id.to_string()
}

async fn links(world: &World, id: &str) -> Vec<Value> {
    world.machine().get(&format!("/api/v1/connections/{id}/reconnect-links")).await.json().as_array().unwrap().clone()
}

/// A new link's address on this server.
async fn make(world: &World, id: &str) -> String {
    let answer = world.machine().call("POST", &format!("/api/v1/connections/{id}/reconnect-links")).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let link = answer.json();
    assert_eq!(link["state"], "made");
    let url = link["url"].as_str().unwrap();
    url.strip_prefix("https://linewatch.example.com").expect("it begins with LINEWATCH_PUBLIC_URL").to_owned()
}

async fn world(pool: PgPool) -> World {
    World::with(pool, &[("LINEWATCH_PUBLIC_URL", "https://linewatch.example.com")]).await
}

/// What every page for customers wears.
#[track_caller]
fn page(answer: &Answer, status: u16, says: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.text.contains(says), "{says}: {}", answer.text);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("x-robots-tag"), Some("noindex, nofollow"));
    assert_eq!(answer.header("set-cookie"), None);
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(!answer.text.contains("<script") && !answer.text.contains("0900"), "{}", answer.text);
}

#[sqlx::test(migrations = "../migrations")]
async fn looking_changes_nothing_and_the_button_opens(pool: PgPool) {
    let world = world(pool).await;
    let id = connection(&world).await;
    let path = make(&world, &id).await;
    let anybody = world.anonymous().with("user-agent", "Link scanner");
    for _ in 0..2 {
        let answer = anybody.get(&path).await;
        page(&answer, 200, "Sign in to SAP &lt;S/4&gt; again");
        assert!(answer.text.contains("Müller &amp; Söhne") && answer.text.contains("<form method=\"post\">"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' https://link.makini.io;"), "{policy}");
        assert_eq!(anybody.call("HEAD", &path).await.status, 200);
        assert!([404, 405].contains(&anybody.call("OPTIONS", &path).await.status));
        assert_eq!(links(&world, &id).await[0]["state"], "made", "scanners do nothing");
    }

    // The button of a page that says no-referrer has a null origin; the address is the key, not where it is used from.
    let browser = world.anonymous().with("origin", "null").with("sec-fetch-site", "same-origin");
    for _ in 0..2 {
        let answer = browser.form(&path, &[]).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let to = answer.header("location").unwrap();
        assert_eq!(to, "https://link.makini.io/oauth/authorize?response_type=code&client_id=client");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
    let link = links(&world, &id).await[0].clone();
    assert_eq!((&link["state"], &link["url"]), (&json!("opened"), &json!(null)), "{link}");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn where_we_take_the_token_the_way_back_is_bound(pool: PgPool) {
    let world = world(pool).await;
    let id = connection(&world).await;
    sqlx::query("update source set redirect = 'ours', authorize_url = 'https://link.example.com/a?connection={key}'")
        .execute(&world.parts.pool)
        .await
        .unwrap();
    let path = make(&world, &id).await;
    let answer = world.anonymous().form(&path, &[]).await;
    let to = answer.header("location").unwrap();
    let begins = "https://link.example.com/a?connection=0900&response_type=code&client_id=client\
                  &redirect_uri=https%3A%2F%2Flinewatch.example.com%2Fr%2Fcallback&state=";
    let state = to.strip_prefix(begins).unwrap_or_else(|| panic!("{to}"));
    assert_eq!(state.len(), 22, "128 bits");

    for query in ["", "?state=of-nobody&code=1", "?code=1"] {
        page(&world.anonymous().get(&format!("/r/callback{query}")).await, 410, "This sign-in is over");
    }
    let broken_off = world.anonymous().get(&format!("/r/callback?state={state}&error=access_denied")).await;
    assert_eq!(broken_off.status, 400, "{broken_off:?}");
    assert!(broken_off.text.contains("You are not signed in yet"), "{}", broken_off.text);
    assert!(broken_off.text.contains("https://link.example.com/a?connection=0900&amp;"), "{}", broken_off.text);
    let again = world.anonymous().get(&format!("/r/callback?state={state}&code=1")).await;
    page(&again, 410, "This sign-in is over");
    assert_eq!(links(&world, &id).await[0]["state"], "opened");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_link_that_is_over_or_unknown_says_so(pool: PgPool) {
    let world = world(pool).await;
    let id = connection(&world).await;
    for path in ["/r/AAECAwQFBgcICQoLDA0ODw", "/r/x"] {
        page(&world.anonymous().get(path).await, 404, "This link is not known");
        page(&world.anonymous().form(path, &[]).await, 404, "This link is not known");
    }
    let (old, path) = (make(&world, &id).await, make(&world, &id).await);
    page(&world.anonymous().get(&old).await, 410, "This link no longer works");
    page(&world.anonymous().get(&path).await, 200, "Continue to sign in");
    world.clock.advance(TimeDelta::days(7));
    for answer in [world.anonymous().get(&path).await, world.anonymous().form(&path, &[]).await] {
        page(&answer, 410, "This link no longer works");
        assert!(answer.text.contains("<button disabled>"), "{}", answer.text);
    }
    assert_eq!(links(&world, &id).await[0]["state"], "expired");
    let timeline = world.machine().get(&format!("/api/v1/connections/{id}/timeline")).await.json();
    let told: Vec<_> =
        timeline["items"].as_array().unwrap().iter().map(|item| item["text"].as_str().unwrap()).collect();
    assert_eq!(told[0], "The link expired", "{told:?}");

    sqlx::query("update reconnect_link set done_at = now()").execute(&world.parts.pool).await.unwrap();
    page(&world.anonymous().get(&path).await, 410, "This is already done");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn only_who_may_makes_links(pool: PgPool) {
    let world = world(pool).await;
    let id = connection(&world).await;
    let path = format!("/api/v1/connections/{id}/reconnect-links");
    world.anonymous().call("POST", &path).await.problem(401, "unauthenticated");
    let viewer = "lw_of-somebody-who-only-looks";
    sqlx::query(
        "insert into api_token (id, name, token_hash, role, created_at) \
         values (gen_random_uuid(), 'viewer', sha256(convert_to($1, 'UTF8')), 'viewer', now())",
    )
    .bind(viewer)
    .execute(&world.parts.pool)
    .await
    .unwrap();
    let viewer = world.anonymous().with("authorization", &format!("Bearer {viewer}"));
    viewer.call("POST", &path).await.problem(403, "forbidden");
    assert_eq!(world.machine().get(&path).await.json(), json!([]));
    world.stop().await;
}
