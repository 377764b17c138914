//! Tokens of both kinds, and how often they may ask.

use crate::support::{Bench, calm};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulator::Options;

async fn status(bench: &Bench, token: &str, path: &str) -> StatusCode {
    bench.http.get(bench.at(path)).bearer_auth(token).send().await.expect("an answer").status()
}

async fn connection_token(bench: &Bench, key: &str) -> String {
    let path = format!("/api/system/connections/{key}/token");
    let answer = bench.ask(Method::POST, &path).send().await.expect("an answer");
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["expires_in"], 300);
    body["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn wrong_credentials_and_wrong_tokens_are_401() {
    let bench = Bench::start(calm()).await;
    let ask = [("grant_type", "client_credentials"), ("client_id", "linewatch-demo"), ("client_secret", "guess")];
    let answer = bench.http.post(bench.at("/link/token")).form(&ask).send().await.expect("an answer");
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.json::<Value>().await.expect("JSON")["error"]["code"], "AUTHENTICATION_FAILED");
    assert_eq!(status(&bench, "nonsense", "/api/v1/connections").await, 401);
    let bare = bench.http.get(bench.at("/api/v1/connections")).send().await.expect("an answer");
    assert_eq!(bare.status(), 401);
    let empty = bench.http.post(bench.at("/link/token")).json(&json!({})).send().await.expect("an answer");
    assert_eq!(empty.status(), 400);
}

#[tokio::test]
async fn a_refresh_makes_the_old_pair_worthless() {
    let bench = Bench::start(calm()).await;
    let pair = bench.pair().await;
    let (old, refresh) = (pair["access_token"].as_str().expect("text"), pair["refresh_token"].as_str().expect("text"));
    assert!(pair["expires_in"].as_i64().expect("a number") > 1_700_000_000, "a moment, not a length");
    let ask = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
        ("client_id", "linewatch-demo"),
        ("client_secret", "linewatch-demo-secret"),
    ];
    let post = || bench.http.post(bench.at("/link/token")).form(&ask).send();
    let next: Value = post().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(status(&bench, old, "/api/v1/connections").await, 401);
    assert_eq!(status(&bench, next["access_token"].as_str().expect("text"), "/api/v1/connections").await, 200);
    assert_eq!(post().await.expect("an answer").status(), 401, "a refresh token is used once");
    assert_eq!(status(&bench, &bench.admin, "/api/v1/connections").await, 200, "other pairs live on");
}

#[tokio::test]
async fn a_connection_token_opens_its_own_connection_only() {
    let bench = Bench::start(calm()).await;
    let (own, other) = (bench.key(0), bench.key(1));
    let token = connection_token(&bench, &own).await;
    assert_eq!(status(&bench, &token, &format!("/api/v1/connections/{own}/status")).await, 200);
    assert_eq!(status(&bench, &token, &format!("/api/v1/connections/{own}/sync-status")).await, 200);
    assert_eq!(status(&bench, &token, &format!("/api/v1/connections/{other}/status")).await, 403);
    assert_eq!(status(&bench, &token, "/api/v1/connections").await, 403);
    assert_eq!(status(&bench, &token, "/api/system/webhooks/deliveries").await, 403);
    let next = connection_token(&bench, &own).await;
    assert_eq!(status(&bench, &token, &format!("/api/v1/connections/{own}/status")).await, 401, "revoked at once");
    bench.act(&own, "reconnect").await;
    assert_eq!(status(&bench, &next, &format!("/api/v1/connections/{own}/status")).await, 401, "and by a reconnect");
}

#[tokio::test]
async fn one_request_too_many_is_told_when_to_come_back() {
    let bench = Bench::start(Options { rate_per_minute: 3, ..calm() }).await;
    for _ in 0..3 {
        assert_eq!(status(&bench, &bench.admin, "/api/v1/connections").await, 200);
    }
    let mut forms = Vec::new();
    for _ in 0..2 {
        let answer = bench.ask(Method::GET, "/api/v1/connections").send().await.expect("an answer");
        assert_eq!(answer.status(), 429);
        forms.push(answer.headers()["retry-after"].to_str().expect("text").to_owned());
        assert_eq!(answer.json::<Value>().await.expect("JSON")["error"]["code"], "RATE_LIMIT_EXCEEDED");
    }
    assert!((1..=60).contains(&forms[0].parse::<u64>().expect("seconds")), "{}", forms[0]);
    assert!(forms[1].ends_with(" GMT") && forms[1].len() == 29, "an HTTP date: {}", forms[1]);
    let other = bench.pair().await;
    assert_eq!(status(&bench, other["access_token"].as_str().expect("text"), "/api/v1/connections").await, 200);
}

#[tokio::test]
async fn a_connection_token_may_ask_sixty_times_a_minute() {
    let bench = Bench::start(calm()).await;
    let key = bench.key(0);
    let token = connection_token(&bench, &key).await;
    let path = format!("/api/v1/connections/{key}/status");
    for _ in 0..60 {
        assert_eq!(status(&bench, &token, &path).await, 200);
    }
    assert_eq!(status(&bench, &token, &path).await, 429);
}
