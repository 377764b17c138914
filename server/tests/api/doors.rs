//! Who passes which door, and what every answer wears.

use crate::world::World;
use sqlx::PgPool;

const ID: &str = "01900000-0000-7000-8000-000000000000";

/// Every operation that the document names, with ids that belong to nothing.
fn operations() -> Vec<(String, String)> {
    let document: serde_json::Value = serde_json::from_str(&server::api::openapi::text()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    let all = paths.into_iter().flat_map(|(path, methods)| {
        let path = path.replace("{id}", ID).replace("{secret}", ID);
        methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    });
    all.collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn machines_are_told_who_may_not(pool: PgPool) {
    let world = World::new(pool).await;
    let mut asked = operations();
    for path in ["/openapi.json", "/metrics", "/api/v1/nothing", "/api", "/api/v2/connections"] {
        asked.push(("GET".into(), path.into()));
    }
    for (method, path) in asked {
        let callers = [
            world.anonymous(),
            world.anonymous().with("authorization", "Bearer lw_wrong"),
            world.anonymous().with("authorization", "Basic YTpi"),
            world.anonymous().with("cookie", "linewatch_session=wrong"),
            // A wrong token counts, even beside a good cookie.
            world.admin().await.with("authorization", "Bearer lw_wrong"),
        ];
        for caller in callers {
            let answer = caller.call(&method, &path).await;
            answer.problem(401, "unauthenticated");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
    }
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_documented_is_there_and_nothing_else(pool: PgPool) {
    let world = World::new(pool).await;
    let machine = world.machine();
    let operations = operations();
    for (method, path) in operations.iter().filter(|(_, path)| !path.ends_with("/changes")) {
        let answer = machine.call(method, path).await;
        assert!([200, 404, 415].contains(&answer.status), "{method} {path}: {answer:?}");
        if answer.status == 404 {
            assert!(!answer.text.contains("This address"), "{method} {path}: {answer:?}");
        }
    }
    let mut paths: Vec<_> = operations.iter().map(|(_, path)| path).collect();
    paths.dedup();
    for path in paths {
        let mut known: Vec<_> = operations.iter().filter(|it| it.1 == *path).map(|it| it.0.as_str()).collect();
        if known.contains(&"GET") {
            known.push("HEAD");
        }
        known.sort_unstable();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
            .iter()
            .filter(|it| !known.contains(it))
        {
            let answer = machine.call(method, path).await;
            answer.problem(405, "method_not_allowed");
            let mut allowed: Vec<_> = answer.header("allow").unwrap().split(',').collect();
            allowed.sort_unstable();
            assert_eq!(allowed, known, "{method} {path}");
        }
    }
    world.stop().await;
}

/// Every address of the API in the router is in the document.
#[test]
fn every_route_is_documented() {
    let router = include_str!("../../src/router.rs");
    let document: serde_json::Value = serde_json::from_str(&server::api::openapi::text()).unwrap();
    let mut routed: Vec<_> = router.split('"').filter(|text| text.starts_with("/api/v1/")).collect();
    let mut documented: Vec<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    routed.sort_unstable();
    documented.sort_unstable();
    assert_eq!(routed, documented);
}

#[sqlx::test(migrations = "../migrations")]
async fn other_addresses_know_their_methods_too(pool: PgPool) {
    let world = World::new(pool).await;
    let nobody = world.anonymous();
    for (method, path, allowed) in [
        ("GET", "/webhooks/demo", "POST"),
        ("TRACE", "/webhooks/demo", "POST"),
        ("POST", "/livez", "GET,HEAD"),
        ("DELETE", "/readyz", "GET,HEAD"),
        ("PUT", "/login", "GET,HEAD,POST"),
        ("GET", "/logout", ""),
        ("POST", "/connections", "GET,HEAD"),
        ("POST", "/pkg/linewatch.js", "GET,HEAD"),
    ] {
        let answer = nobody.call(method, path).await;
        if allowed.is_empty() {
            assert_eq!(answer.status, 303, "{method} {path}: {answer:?}");
            continue;
        }
        answer.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
    nobody.call("POST", "/nothing").await.problem(404, "not_found");
    world.machine().get("/api/v1/nothing").await.problem(404, "not_found");
    world.machine().get("/api/v2/connections").await.problem(404, "not_found");
    world.machine().get("/api/v1/connections/not-an-id").await.problem(404, "not_found");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn every_answer_has_a_number_and_a_version(pool: PgPool) {
    let world = World::new(pool).await;
    let nobody = world.anonymous();
    for path in ["/livez", "/", "/login", "/nothing", "/pkg/nothing.js", "/api/v1/connections", "/webhooks/nothing"] {
        let answer = nobody.get(path).await;
        assert_eq!(answer.header("x-linewatch-version"), Some(server::VERSION), "{path}");
        assert_eq!(answer.header("x-request-id").unwrap().len(), 32, "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(answer.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"), "{path}");
        assert!(answer.header("strict-transport-security").is_none(), "{path}");
    }
    let given = nobody.clone().with("x-request-id", "trace-0190.a_b").get("/api/v1/connections").await;
    assert_eq!(given.problem(401, "unauthenticated")["request_id"], "trace-0190.a_b");
    let harmful = nobody.with("x-request-id", "a\"b c").get("/livez").await;
    assert_eq!(harmful.header("x-request-id").unwrap().len(), 32);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn json_is_compressed_for_who_wants_it(pool: PgPool) {
    let world = World::new(pool).await;
    let answer = world.machine().with("accept-encoding", "br").call("HEAD", "/openapi.json").await;
    assert_eq!(answer.header("content-encoding"), Some("br"));
    let answer = world.machine().get("/openapi.json").await;
    assert_eq!(answer.header("content-encoding"), None);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_another_site_causes_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let cookie = world.sign_in().await;
    let person = world.anonymous().with("cookie", &cookie);
    let path = format!("/api/v1/connections/{ID}/check");
    for caller in [
        person.clone(),
        person.clone().with("origin", "https://evil.example"),
        person.clone().with("origin", "null"),
        person.clone().with("sec-fetch-site", "cross-site"),
        person.clone().with("sec-fetch-site", "same-site"),
    ] {
        caller.call("POST", &path).await.problem(403, "cross_site");
    }
    for caller in [
        person.clone().with("origin", &world.url),
        person.clone().with("sec-fetch-site", "same-origin"),
        person.clone().with("sec-fetch-site", "none"),
        // A browser adds no token by itself.
        world.machine().with("origin", "https://evil.example"),
    ] {
        caller.call("POST", &path).await.problem(404, "not_found");
    }
    assert_eq!(
        person.with("origin", "https://evil.example").get("/api/v1/sources").await.status,
        200,
        "reading changes nothing"
    );
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn over_https_the_cookie_and_the_header_say_so(pool: PgPool) {
    let world = World::with(pool, &[("LINEWATCH_PUBLIC_URL", "https://linewatch.example.com")]).await;
    let nobody = world.anonymous();
    let form = [("email", crate::world::EMAIL), ("password", crate::world::PASSWORD)];
    let signed_in = nobody.clone().with("origin", "https://linewatch.example.com").form("/login", &form).await;
    assert!(signed_in.header("set-cookie").unwrap().ends_with("; HttpOnly; SameSite=Lax; Secure"), "{signed_in:?}");
    assert!(signed_in.header("strict-transport-security").is_some());
    nobody.with("origin", "http://linewatch.example.com").form("/login", &form).await.problem(403, "cross_site");
    world.stop().await;
}
