//! Makini Link: what a customer's browser sees, and what the client gets for the code.

use crate::support::{Bench, calm, openapi};
use reqwest::redirect::Policy;
use reqwest::{Response, Url};
use serde_json::{Value, json};
use std::collections::HashMap;

const BACK: &str = "http://127.0.0.1:1/r/callback";

/// What the browser posts, and where it is led.
async fn sign_in(bench: &Bench, fields: &[(&str, &str)]) -> Response {
    let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().expect("a browser");
    let mut form = HashMap::from([("response_type", "code"), ("client_id", "linewatch-demo")]);
    form.extend(fields.iter().copied());
    browser.post(bench.at("/oauth/authorize")).form(&form).send().await.expect("an answer")
}

fn led_to(answer: &Response) -> HashMap<String, String> {
    assert_eq!(answer.status(), 303);
    let place = answer.headers()["location"].to_str().expect("text");
    assert!(place.starts_with(BACK), "{place}");
    Url::parse(place).expect("a URL").query_pairs().into_owned().collect()
}

async fn redeem(bench: &Bench, code: &str, redirect_uri: &str) -> (u16, Value) {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("client_id", "linewatch-demo"),
        ("client_secret", "linewatch-demo-secret"),
    ];
    let answer = bench.http.post(bench.at("/link/token")).form(&form).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn whoever_signs_in_again_gets_a_code_that_becomes_the_connections_token_once() {
    let bench = Bench::start(openapi()).await;
    let key = bench.key(3);
    bench.act(&key, "change_credentials").await;
    let asked =
        format!("/oauth/authorize?response_type=code&client_id=linewatch-demo&redirect_uri={BACK}&connection={key}");
    let page = bench.http.get(bench.at(&asked)).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    let page = page.text().await.expect("text");
    let first = page.find("<option").expect("a chooser");
    assert!(page[first..].starts_with(&format!("<option value=\"{key}\"")), "the one that was asked for comes first");
    assert!(bench.makini.connection(&key).expect("it").reauthorization_required, "to look changes nothing");

    let answer =
        sign_in(&bench, &[("redirect_uri", BACK), ("state", "s 1"), ("connection", &key), ("act", "sign_in")]).await;
    let led = led_to(&answer);
    assert_eq!(led["state"], "s 1");
    assert!(!bench.makini.connection(&key).expect("it").reauthorization_required);
    let (status, pair) = redeem(&bench, &led["code"], BACK).await;
    assert_eq!(status, 200, "{pair}");
    let own = bench.read(pair["access_token"].as_str().expect("a token"), "/api/integrations/current").await;
    assert_eq!(own["data"]["id"], key.as_str());
    assert_eq!(redeem(&bench, &led["code"], BACK).await.0, 401, "a code is good once");
}

#[tokio::test]
async fn a_customer_may_break_off_or_sign_in_to_something_else() {
    let bench = Bench::start(calm()).await;
    let (key, other) = (bench.key(0), bench.key(1));
    let fields = [("redirect_uri", BACK), ("state", "s"), ("connection", &key)];
    let led = led_to(&sign_in(&bench, &[&fields[..], &[("act", "cancel")]].concat()).await);
    assert_eq!((led["error"].as_str(), led["state"].as_str()), ("access_denied", "s"));
    assert!(!led.contains_key("code"));

    let say = |key: Option<&str>| bench.control(reqwest::Method::PUT, "/_sim/link", json!({ "sign_in_as": key }));
    assert_eq!(say(Some("nothing")).await.status(), 404);
    assert_eq!(say(Some(&other)).await.status(), 204);
    let led = led_to(&sign_in(&bench, &fields).await);
    let token = redeem(&bench, &led["code"], BACK).await.1["access_token"].as_str().expect("a token").to_owned();
    bench.read(&token, &format!("/api/v1/connections/{other}")).await;
    assert_eq!(
        bench.say(&token, reqwest::Method::GET, &format!("/api/v1/connections/{key}"), Value::Null).await.0,
        403
    );
    assert_eq!(say(None).await.status(), 204);
    let led = led_to(&sign_in(&bench, &fields).await);
    let token = redeem(&bench, &led["code"], BACK).await.1["access_token"].as_str().expect("a token").to_owned();
    bench.read(&token, &format!("/api/v1/connections/{key}")).await;
}

#[tokio::test]
async fn nobody_is_led_to_where_it_is_not_safe() {
    let bench = Bench::start(calm()).await;
    let key = bench.key(0);
    for (name, value) in
        [("redirect_uri", "javascript:alert(1)"), ("client_id", "somebody"), ("response_type", "token")]
    {
        let answer = sign_in(&bench, &[("connection", &key), (name, value)]).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (400, None), "{name}");
    }
    let unknown = sign_in(&bench, &[("redirect_uri", BACK), ("connection", "\"><script>")]).await;
    assert_eq!(unknown.status(), 400);
    let stays = sign_in(&bench, &[("connection", &key)]).await;
    assert_eq!(stays.status(), 200, "without a way back the customer stays here");
}
