//! The dialect `openapi_2025`: lists by page, metadata, tokens, the state of one connection.

use crate::support::{Bench, eventually, openapi};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Options, Spelling};
use std::collections::{HashMap, HashSet};

#[tokio::test]
async fn pages_show_every_connection_once_and_lead_to_each_other() {
    let bench = Bench::start(Options { connections: 130, ..openapi() }).await;
    let first = bench.get("/api/system/connections").await;
    assert_eq!(first["data"].as_array().expect("a list").len(), 15, "fifteen unless said");
    let path = bench.at("/api/system/connections");
    assert_eq!(
        first["meta"],
        json!({ "current_page": 1, "from": 1, "last_page": 9, "path": path, "per_page": 15, "to": 15, "total": 130 })
    );
    assert!(first["links"]["prev"].is_null());

    let (mut next, mut keys) = (Some(format!("{path}?per_page=50")), Vec::new());
    while let Some(url) = next {
        let page: Value =
            bench.http.get(url).bearer_auth(&bench.admin).send().await.expect("an answer").json().await.expect("JSON");
        keys.extend(page["data"].as_array().expect("a list").iter().map(|one| one["key"].to_string()));
        assert_eq!(page["meta"]["per_page"], 50);
        next = page["links"]["next"].as_str().map(str::to_owned);
    }
    assert_eq!((keys.len(), keys.iter().collect::<HashSet<_>>().len()), (130, 130));
    let beyond = bench.get("/api/system/connections?page=7&per_page=50").await;
    assert_eq!((&beyond["data"], &beyond["meta"]["from"]), (&json!([]), &Value::Null));
    for wrong in ["page=0", "page=x", "per_page=0", "per_page=101"] {
        let answer =
            bench.ask(Method::GET, &format!("/api/system/connections?{wrong}")).send().await.expect("an answer");
        assert_eq!(answer.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_connection_has_the_documented_fields_and_no_others() {
    let bench = Bench::start(Options { connections: 60, ..openapi() }).await;
    let fields = |one: &Value| one.as_object().expect("an object").keys().cloned().collect::<HashSet<_>>();
    let documented = [
        "key",
        "name",
        "email",
        "status",
        "integration_name",
        "redirect",
        "scopes",
        "tags",
        "user_metadata",
        "client_id",
        "updated_at",
        "created_at",
        "connected_at",
    ];
    let mut documented: HashSet<_> = documented.map(str::to_owned).into();
    let list = bench.get("/api/system/connections?per_page=100").await;
    let one = &list["data"][0];
    assert_eq!(fields(one), documented);
    assert_eq!((&one["key"], &one["status"]), (&json!(bench.key(0)), &json!("active")));
    assert_eq!(one["client_id"], "linewatch-demo");
    assert!(one["user_metadata"]["customer_id"].is_string());
    let tagged = |one: &&Value| one["tags"] == json!(["sandbox"]);
    let sandboxes: HashSet<_> =
        list["data"].as_array().expect("a list").iter().filter(tagged).map(|one| one["key"].to_string()).collect();
    let known = bench.makini.connections().into_iter().filter(|one| one.sandbox).map(|one| format!("{:?}", one.key));
    assert!(!sandboxes.is_empty());
    assert_eq!(sandboxes, known.collect());

    let path = format!("/api/system/connections/{}/metadata", bench.key(0));
    let metadata = bench.get(&path).await;
    documented.remove("tags");
    assert_eq!(fields(&metadata["data"][0]), documented);
    assert_eq!(metadata["meta"]["total"], 1);
}

#[tokio::test]
async fn notes_are_added_replaced_and_taken_back() {
    let bench = Bench::start(openapi()).await;
    let path = format!("/api/system/connections/{}/metadata", bench.key(0));
    let notes = json!([{ "key": "region", "value": "moon" }, { "key": "tier", "value": 2 }, { "key": "customer_name", "value": null }]);
    let (status, answer) = bench.say(&bench.admin, Method::POST, &path, notes).await;
    assert_eq!((status, &answer["data"]["user_metadata"]["tier"]), (200, &json!(2)));
    let list = bench.get("/api/system/connections").await;
    let noted = &list["data"][0]["user_metadata"];
    assert_eq!((&noted["region"], &noted["tier"], &noted["customer_name"]), (&json!("moon"), &json!(2), &Value::Null));
    assert!(noted["customer_id"].is_string(), "what was there is still there");
    for wrong in [
        json!({ "key": "a", "value": "b" }),
        json!([{ "key": "", "value": "b" }]),
        json!([{ "key": "a", "value": [] }]),
    ] {
        assert_eq!(bench.say(&bench.admin, Method::POST, &path, wrong.clone()).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_connection_says_itself_how_it_is() {
    let bench = Bench::start(openapi()).await;
    let key = bench.key(0);
    let token = bench.token(&key).await;
    let current = bench.read(&token, "/api/integrations/current").await;
    let fields: HashSet<_> = current["data"].as_object().expect("an object").keys().map(String::as_str).collect();
    let documented = ["id", "company_name", "email", "provider", "updated_at", "sync_status", "sync_updated_at"];
    assert_eq!(fields, HashSet::from(documented));
    let known = bench.makini.connection(&key).expect("there");
    assert_eq!((&current["data"]["id"], &current["data"]["provider"]), (&json!(key), &json!(known.platform)));
    assert_eq!(current["data"]["sync_status"], "done");
    let (status, refused) = bench.say(&bench.admin, Method::GET, "/api/integrations/current", Value::Null).await;
    assert_eq!((status, &refused["error"]["code"]), (403, &json!("PERMISSION_DENIED")));

    let sync = async |body: Value| bench.say(&token, Method::POST, "/api/integrations/sync", body).await;
    assert_eq!(sync(json!({ "type": "sideways" })).await.0, 400);
    assert_eq!(sync(json!({ "type": "full", "action": null, "scopes": ["assets"] })).await.0, 200);
    assert_eq!(sync(json!({ "type": "incremental" })).await.1["error"]["code"], "SYNC_IN_PROGRESS");
    let status = bench.read(&token, "/api/integrations/sync/status").await;
    assert!(status["status"] == "inprogress" || status["status"] == "in_progress", "{status}");
    bench.act(&key, "finish_sync").await;
    let done = bench.read(&token, "/api/integrations/current").await;
    assert!(done["data"]["sync_status"] == "fulldone" || done["data"]["sync_status"] == "full_done", "{done}");
    let ended = bench.get("/_sim/state").await["connections"][0]["last_successful_sync_at"].clone();
    assert_eq!(done["data"]["sync_updated_at"], ended, "dated by its end");

    bench.act(&key, "fail_sync").await;
    assert_eq!(bench.read(&token, "/api/integrations/current").await["data"]["sync_status"], "error");
    bench.act(&key, "change_credentials").await;
    assert_eq!(bench.read(&token, "/api/integrations/current").await["data"]["sync_status"], "fail");
    assert_eq!(sync(Value::Null).await.1["error"]["code"], "REAUTHORIZATION_REQUIRED");
    assert_eq!(bench.get("/api/system/connections").await["data"][0]["status"], "fail");
    bench.act(&key, "reconnect").await;
    assert_eq!(
        bench.say(&token, Method::GET, "/api/integrations/current", Value::Null).await.0,
        401,
        "a new token is needed"
    );
}

#[tokio::test]
async fn the_list_tells_every_state() {
    let bench = Bench::start(Options { connections: 40, story: true, ..openapi() }).await;
    let [failed, offline, refused] = [0, 1, 2].map(|place| {
        let active = bench.makini.connections().into_iter().filter(|one| one.status == "active");
        active.map(|one| one.key).nth(place).expect("many")
    });
    for (key, action) in [(&failed, "fail_sync"), (&offline, "go_offline"), (&refused, "change_credentials")] {
        bench.act(key, action).await;
    }
    let list = bench.get("/api/system/connections?per_page=100").await;
    let words: HashMap<_, _> = list["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["key"].as_str().expect("text"), one["status"].as_str().expect("text")))
        .collect();
    assert_eq!((words[&*failed], words[&*offline], words[&*refused]), ("error", "offline", "fail"));
    let count = |word| words.values().filter(|status| **status == word).count();
    assert_eq!((count("pending"), count("inactive"), count("synchronizing")), (1, 1, 2));
    let pending = words.iter().find(|(_, status)| **status == "pending").expect("one").0;
    let one = list["data"].as_array().expect("a list").iter().find(|one| one["key"] == *pending);
    assert!(one.expect("there")["connected_at"].is_null());
}

#[tokio::test]
async fn both_spellings_are_spoken_and_one_can_be_chosen() {
    let spoken = async |spelling| {
        let options = Options { sync_status_spelling: spelling, connections: 20, ..openapi() };
        let bench = Bench::start(options).await;
        let mut words = HashSet::new();
        for place in 0..20 {
            let token = bench.token(&bench.key(place)).await;
            let (_, said) = bench.say(&token, Method::POST, "/api/integrations/sync", Value::Null).await;
            words.insert(said["status"].as_str().expect("text").to_owned());
        }
        words
    };
    assert_eq!(spoken(Spelling::Both).await.len(), 2);
    assert_eq!(spoken(Spelling::Joined).await, HashSet::from(["inprogress".to_owned()]));
    assert_eq!(spoken(Spelling::Underscored).await, HashSet::from(["in_progress".to_owned()]));
}

#[tokio::test]
async fn the_account_and_its_platforms_are_told() {
    let bench = Bench::start(openapi()).await;
    let client = bench.get("/api/system/client").await;
    assert_eq!(client["data"]["id"].as_str().expect("text").len(), 36);
    assert!(client["data"]["redirects"].as_array().expect("a list").contains(&client["data"]["default_redirect"]));
    for field in ["name", "logo_url", "email"] {
        assert!(client["data"][field].is_string(), "{field}");
    }
    let platforms = bench.get("/api/system/platforms?per_page=100").await;
    let all = platforms["data"].as_array().expect("a list");
    assert_eq!(platforms["meta"]["total"], all.len());
    assert!(all.iter().any(|one| one["slug"] == "netsuite" && one["name"] == "NetSuite"));
    assert!(all.iter().all(|one| one["description"].is_string() && one["logo"].is_string()));
    let slugs: HashSet<_> = all.iter().map(|one| &one["slug"]).collect();
    let list = bench.get("/api/system/connections").await;
    for one in list["data"].as_array().expect("a list") {
        assert!(slugs.contains(&one["integration_name"]), "{one}");
    }
    let token = bench.token(&bench.key(0)).await;
    for path in ["/api/system/connections", "/api/system/client", "/api/system/platforms"] {
        assert_eq!(bench.say(&token, Method::GET, path, Value::Null).await.0, 403, "{path}");
    }
}

#[tokio::test]
async fn an_added_connection_has_its_own_tokens_and_survives_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options { data_dir: Some(directory.path().to_owned()), time_scale: 600.0, ..openapi() };
    let bench = Bench::start(options.clone()).await;
    let ask = json!({ "name": "Sample", "email": "hey@sample.example", "provider": "odoo", "credentials": { "login": "l", "password": "p" } });
    let add = async |ask: Value| bench.say(&bench.admin, Method::POST, "/api/system/connections", ask).await;
    for (field, wrong) in
        [("provider", json!("fax")), ("email", json!("nobody")), ("name", json!("")), ("credentials", json!({}))]
    {
        let mut ask = ask.clone();
        ask[field] = wrong;
        assert_eq!(add(ask).await.0, 400, "{field}");
    }
    let (status, pair) = add(ask).await;
    assert_eq!(status, 200);
    let pair = &pair["data"];
    assert!(pair["expires_in"].as_i64().expect("a number") > 1_700_000_000, "a moment, not a length");
    let token = pair["access_token"].as_str().expect("text").to_owned();
    let key = bench.read(&token, "/api/integrations/current").await["data"]["id"].as_str().expect("text").to_owned();
    assert_eq!(
        bench.say(&token, Method::GET, "/api/system/connections", Value::Null).await.0,
        403,
        "not the account's"
    );
    assert_eq!(bench.get("/api/system/connections").await["meta"]["total"], 13);
    eventually("its first sync", || bench.makini.connection(&key).filter(|one| one.status == "active")).await;

    let refresh = json!({
        "grant_type": "refresh_token", "refresh_token": pair["refresh_token"],
        "client_id": "linewatch-demo", "client_secret": "linewatch-demo-secret",
    });
    let next: Value = bench
        .http
        .post(bench.at("/link/token"))
        .json(&refresh)
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    assert_eq!(bench.say(&token, Method::GET, "/api/integrations/current", Value::Null).await.0, 401);
    let token = next["access_token"].as_str().expect("text").to_owned();
    let path = format!("/api/system/connections/{key}/metadata");
    bench.say(&bench.admin, Method::POST, &path, json!([{ "key": "customer_id", "value": "C-1" }])).await;
    let inbox = bench.inbox.clone();
    bench.makini.shutdown().await;

    let again = Bench::around(simulator::start(options).await.expect("a simulator"), inbox).await;
    assert_eq!(again.read(&token, "/api/integrations/current").await["data"]["company_name"], "Sample");
    let metadata = again.get(&path).await;
    assert_eq!(metadata["data"][0]["user_metadata"], json!({ "customer_id": "C-1" }));
    assert_eq!(again.say(&token, Method::DELETE, "/api/integrations/current", Value::Null).await, (200, json!({})));
    assert_eq!(again.say(&token, Method::GET, "/api/integrations/current", Value::Null).await.0, 401);
    assert_eq!(again.get("/api/system/connections").await["meta"]["total"], 12);
    let gone = format!("/api/system/connections/{}", again.key(0));
    assert_eq!(again.say(&again.admin, Method::DELETE, &gone, Value::Null).await, (200, json!({})));
    assert_eq!(again.say(&again.admin, Method::DELETE, &gone, Value::Null).await.0, 404);
}

#[tokio::test]
async fn errors_faults_and_the_limit_are_those_of_the_other_dialect() {
    let bench = Bench::start(openapi()).await;
    let answer = bench.ask(Method::GET, "/api/system/connections/1/metadata").send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), &answer.headers()["x-makini-version"]), (404, &"v4".parse().expect("text")));
    let id = answer.headers()["x-request-id"].to_str().expect("text").to_owned();
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!((&body["error"]["code"], &body["error"]["request_id"]), (&json!("NOT_FOUND"), &json!(id)));
    let wrong = bench.ask(Method::PUT, "/api/system/connections").send().await.expect("an answer");
    assert_eq!((wrong.status().as_u16(), &wrong.headers()["allow"]), (405, &"GET,HEAD,POST".parse().expect("text")));
    assert_eq!(bench.say("nonsense", Method::GET, "/api/system/connections", Value::Null).await.0, 401);

    // A fault about one connection strikes where only its token tells that the request is about it.
    let (hit, spared) = (bench.token(&bench.key(0)).await, bench.token(&bench.key(1)).await);
    bench.fault("error_rate", 1.0, &format!("connection:{}", bench.key(0))).await;
    let status = async |token: &str| bench.say(token, Method::GET, "/api/integrations/current", Value::Null).await.0;
    assert!(status(&hit).await >= 500);
    assert_eq!(status(&spared).await, 200);
    for _ in 0..59 {
        assert_eq!(status(&spared).await, 200);
    }
    assert_eq!(status(&spared).await, 429);
}
