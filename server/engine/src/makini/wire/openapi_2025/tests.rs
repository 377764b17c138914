use super::*;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::json;

fn read(body: &Value, asked: u64) -> ListPage {
    list(body.to_string().as_bytes(), &Mappings::default(), asked).unwrap()
}

fn time_of(text: &str) -> Option<DateTime<Utc>> {
    Some(text.parse().unwrap())
}

/// A page as the published description has it.
fn page(data: &Value, current: u64, last: u64, total: u64) -> Value {
    let link = |page: u64| format!("https://api.makini.io/api/system/connections?page={page}");
    json!({
        "data": data,
        "links": {
            "first": link(1), "last": link(last), "prev": (current > 1).then(|| link(current - 1)),
            "next": (current < last).then(|| link(current + 1)),
        },
        "meta": {
            "current_page": current, "from": 1, "last_page": last, "path": "https://api.makini.io/api/system/connections",
            "per_page": 100, "to": 1, "total": total,
        },
    })
}

#[test]
fn a_page_as_the_description_has_it() {
    let item = json!({
        "key": "09000207611898", "name": "Hafen Nord", "email": "it@hafen.example", "status": "active",
        "integration_name": "SAP Business One", "redirect": "https://app.example/done", "scopes": "assets sites",
        "tags": ["north"], "user_metadata": { "customer_id": "c-1", "customer_name": "Hafen" }, "client_id": "c",
        "updated_at": "2026-11-22T12:00:01Z", "created_at": "2024-01-01T00:00:00.000000Z",
        "connected_at": "2024-01-01 00:04:00",
    });
    let first = read(&page(&json!([item]), 1, 3, 234), 1);
    assert_eq!((first.next_cursor.as_deref(), first.total, first.undecodable), (Some("2"), Some(234), 0));
    let seen = &first.seen[0];
    assert_eq!((seen.key.as_str(), seen.name.as_str()), ("09000207611898", "Hafen Nord"));
    assert_eq!((seen.platform_slug.as_str(), seen.platform_name.as_str()), ("sap-business-one", "SAP Business One"));
    assert_eq!((seen.status, seen.raw_status.as_deref()), (Some(UpstreamStatus::Active), Some("active")));
    assert_eq!(seen.tells, Tells::SetUp, "it says nothing of syncs, nor of the sign-in");
    assert_eq!((seen.reauthorization_required, seen.last_good_sync_at), (None, None));
    assert_eq!(seen.updated_at, time_of("2026-11-22T12:00:01Z"));
    assert_eq!(seen.metadata["customer_name"], "Hafen");
    assert_eq!(seen.raw["scopes"], "assets sites", "what we do not need is kept");

    let last = read(&page(&json!([item]), 3, 3, 234), 3);
    assert_eq!(last.next_cursor, None);
    assert_eq!(read(&page(&json!([]), 1, 1, 0), 1).next_cursor, None, "an empty account has one page");
    assert_eq!(read(&page(&json!([]), 4, 3, 234), 4).next_cursor, None, "the list became shorter meanwhile");
}

#[test]
fn a_page_as_it_may_be() {
    let body = json!({
        "data": [
            { "key": 42, "status": "Hibernating", "userMetadata": [{ "key": "customer", "value": 7 }, "odd"],
              "name": "a\u{0}b", "integrationName": "  INFOR-E " },
            { "id": "second", "tags": null },
            { "key": "", "name": "no key" }, { "name": "none either" }, { "key": "k".repeat(201) },
            "not an object", 7, null, [],
            { "key": "big", "name": "x".repeat(70_000) },
        ],
        "links": { "next": "https://elsewhere.example/?page=77" },
    });
    let page = read(&body, 6);
    assert_eq!((page.undecodable, page.seen.len(), page.total), (8, 2, None));
    assert_eq!(page.next_cursor.as_deref(), Some("7"), "the next number, wherever the link leads");
    let seen = &page.seen[0];
    assert_eq!((seen.key.as_str(), seen.name.as_str()), ("42", "a\u{fffd}b"));
    assert_eq!((seen.status, seen.raw_status.as_deref(), seen.tells), (None, Some("Hibernating"), Tells::All));
    assert_eq!((seen.platform_slug.as_str(), seen.platform_name.as_str()), ("infor-e", "INFOR-E"));
    assert_eq!(seen.metadata["customer"], 7);
    let bare = &page.seen[1];
    assert_eq!((bare.name.as_str(), bare.platform_slug.as_str()), ("second", "unknown"));
    assert_eq!((bare.raw_status.as_deref(), bare.tells), (None, Tells::SetUp));
    assert_eq!(read(&json!({ "data": [] }), 1).next_cursor, None, "without links and numbers it is all there is");
}

#[test]
fn pages_that_lead_nowhere_are_refused() {
    let refused = |body: Value, asked| list(body.to_string().as_bytes(), &Mappings::default(), asked).unwrap_err();
    assert!(refused(page(&json!([{ "key": "1" }]), 1, 3, 3), 2).contains("page 2 was asked for, and it is page 1"));
    assert!(refused(page(&json!([]), 2, 9, 3), 2).contains("empty"));
    for (body, part) in [
        ("", "ends too early"),
        ("<html>secret</html>", "not JSON"),
        (r#"{"data":{"secret":1}}"#, "another shape"),
        (r#"{"message":"secret"}"#, "another shape"),
        ("[]", "another shape"),
    ] {
        let why = list(body.as_bytes(), &Mappings::default(), 1).unwrap_err();
        assert!(why.contains(part) && !why.contains("secret"), "{body}: {why}");
    }
}

#[test]
fn every_published_word_is_known_in_both_spellings_and_worth_what_it_says() {
    let mappings: Mappings = serde_json::from_value(json!({ "statuses": { "Ready": "active" } })).unwrap();
    for (raw, status, tells) in [
        ("pending", Some(UpstreamStatus::Pending), Tells::Flow),
        ("Synchronizing", Some(UpstreamStatus::Synchronizing), Tells::SetUp),
        ("inprogress", Some(UpstreamStatus::InProgress), Tells::SetUp),
        ("in_progress", Some(UpstreamStatus::InProgress), Tells::SetUp),
        ("In progress", Some(UpstreamStatus::InProgress), Tells::SetUp),
        ("Active", Some(UpstreamStatus::Active), Tells::SetUp),
        ("Ready", Some(UpstreamStatus::Active), Tells::SetUp),
        ("Inactive", Some(UpstreamStatus::Inactive), Tells::Flow),
        ("done", Some(UpstreamStatus::Active), Tells::All),
        ("fulldone", Some(UpstreamStatus::Active), Tells::All),
        ("full_done", Some(UpstreamStatus::Active), Tells::All),
        ("error", Some(UpstreamStatus::Error), Tells::Flow),
        ("offline", Some(UpstreamStatus::Offline), Tells::Flow),
        ("fail", Some(UpstreamStatus::Fail), Tells::All),
        ("hibernating", None, Tells::All),
    ] {
        assert_eq!(word(raw, &mappings), (status, tells), "{raw}");
    }
    let said = read(&json!({ "data": [{ "key": "1", "status": "active", "reauthorization_required": false }] }), 1);
    assert_eq!(said.seen[0].tells, Tells::All, "a flag beside the word says what it leaves open");
}

#[test]
fn a_connections_own_token_shows_its_syncs() {
    let read = |body: Value| current(body.to_string().as_bytes(), &Mappings::default());
    let answer = |word: &str| {
        json!({ "data": {
            "id": "09000207611898", "company_name": "Hafen", "email": "it@hafen.example", "provider": "sap",
            "updated_at": "2026-11-22T12:00:01Z", "sync_status": word, "sync_updated_at": "2026-11-22T12:00:00Z",
        } })
    };
    for word in ["done", "fulldone", "full_done"] {
        let well = read(answer(word)).unwrap();
        assert_eq!((well.status, well.tells, well.raw_status), (Some(UpstreamStatus::Active), Tells::All, None));
        let sync = well.sync.unwrap();
        assert_eq!((sync.status, sync.last_good_sync_at), (SyncStatus::Completed, time_of("2026-11-22T12:00:00Z")));
    }
    for word in ["inprogress", "in_progress"] {
        let under_way = read(answer(word)).unwrap();
        assert_eq!(under_way.tells, Tells::SetUp, "{word}");
        let sync = under_way.sync.unwrap();
        assert_eq!((sync.status, sync.last_good_sync_at), (SyncStatus::InProgress, None), "not when it began");
    }
    let refused = read(answer("fail")).unwrap();
    assert_eq!((refused.status, refused.reauthorization_required), (Some(UpstreamStatus::Fail), Some(true)));
    let broken = read(answer("error")).unwrap();
    assert_eq!((broken.status, broken.tells), (Some(UpstreamStatus::Error), Tells::Flow));
    assert_eq!(broken.sync.unwrap().last_good_sync_at, None);
    assert_eq!(read(answer("pending")).unwrap().status, Some(UpstreamStatus::Pending));
    let odd = read(answer("hibernating")).unwrap();
    assert_eq!((odd.status, odd.raw_status.as_deref()), (None, Some("hibernating")), "kept, so that it can be mapped");
    assert_eq!(odd.sync.unwrap().status, SyncStatus::Unknown("hibernating".into()));

    let flat = read(json!({ "syncStatus": "done", "sync_updated_at": null, "errors": ["slow"] })).unwrap();
    let sync = flat.sync.unwrap();
    assert_eq!((sync.status, sync.last_good_sync_at, sync.errors.len()), (SyncStatus::Completed, None, 1));
    assert_eq!(read(json!({ "status": "done" })).unwrap().status, Some(UpstreamStatus::Active), "as a sample has it");
    for nothing in [json!({}), json!([]), json!(null), json!({ "data": { "sync_status": null } })] {
        assert!(read(nothing).is_err());
    }
}

#[test]
fn metadata_are_the_connection_itself_and_no_others() {
    let read = |body: Value| metadata(body.to_string().as_bytes(), "2", &Mappings::default());
    let one = read(page(&json!([{ "key": "1", "status": "fail" }, { "key": "2", "status": "inactive" }]), 1, 1, 2));
    let one = one.unwrap();
    assert_eq!((one.status, one.tells, one.gone), (Some(UpstreamStatus::Inactive), Tells::Flow, false));
    assert_eq!((one.raw_status.as_deref(), one.sync), (Some("inactive"), None));
    assert_eq!(read(json!({ "data": { "key": 2, "status": "active" } })).unwrap().tells, Tells::SetUp);
    assert_eq!(read(json!({ "key": "2", "status": "error", "error": "no" })).unwrap().error.unwrap().message, "no");
    for other in [page(&json!([]), 1, 1, 0), json!([{ "key": "customer_id", "value": 7 }]), json!({}), json!(1)] {
        let why = read(other).unwrap_err();
        assert!(why.contains("nothing of this connection"), "{why}: what is not said is no reason to call it gone");
    }
}

#[test]
fn platforms_and_the_account_are_read() {
    let body = page(&json!([{ "slug": "INFOR-E", "name": "Infor EAM", "logo": "x" }, { "slug": "sap" }, 7]), 1, 2, 3);
    let PlatformsPage { some, next } = platforms(body.to_string().as_bytes(), 1).unwrap();
    assert_eq!(some, [("INFOR-E".into(), "Infor EAM".into()), ("sap".into(), "sap".into())]);
    assert_eq!(next, Some(2));
    let account = json!({ "id": "5ae0…", "name": "Linewatch demo", "redirects": [], "default_redirect": null });
    assert_eq!(client(account.to_string().as_bytes()).as_deref(), Ok("Linewatch demo"));
    assert_eq!(client(br#"{"data":{"email":"a@b.example"}}"#).as_deref(), Ok("a@b.example"));
    assert!(client(b"{}").is_err() && client(b"[]").is_err() && client(b"").is_err());
}

#[test]
fn paths_are_this_dialects_but_where_a_person_set_others() {
    let usual = paths(&Paths::default());
    assert_eq!((usual.token.as_str(), usual.connections.as_str()), ("/link/token", "/api/system/connections"));
    assert_eq!(usual.status, "/api/system/connections/{id}/metadata");
    assert_eq!(usual.sync_status, "/api/integrations/current");
    let set = Paths { connections: "/proxy/connections".into(), ..Paths::default() };
    assert_eq!(paths(&set).connections, "/proxy/connections");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec!["done", "fulldone", "in_progress", "fail", "active", "2026-11-22T12:00:00Z", "1"])
            .prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "data",
            "links",
            "meta",
            "next",
            "current_page",
            "last_page",
            "total",
            "key",
            "id",
            "status",
            "sync_status",
            "sync_updated_at",
            "integration_name",
            "user_metadata",
            "error",
            "slug",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_item_is_read_or_counted(items in prop::collection::vec(any_json(), 0..8), links in any_json()) {
        let body = json!({ "data": items, "links": links });
        if let Ok(page) = list(body.to_string().as_bytes(), &Mappings::default(), 1) {
            prop_assert_eq!(page.seen.len() + page.undecodable as usize, items.len());
            for seen in &page.seen {
                prop_assert!(!seen.key.is_empty() && !seen.name.is_empty() && !seen.platform_slug.is_empty());
                prop_assert!(!seen.raw.to_string().contains("\\u0000"));
            }
        } else {
            prop_assert!(items.is_empty(), "only an empty page that is not the last is refused");
        }
    }

    #[test]
    fn any_page_ends_or_leads_to_the_next_one(meta in any_json(), links in any_json(), asked in 1u64..1_000) {
        let body = json!({ "data": [{ "key": "1" }], "links": links, "meta": meta });
        if let Ok(page) = list(body.to_string().as_bytes(), &Mappings::default(), asked) {
            prop_assert!(page.next_cursor.is_none_or(|next| next == (asked + 1).to_string()));
        }
    }

    #[test]
    fn any_json_and_any_bytes_are_read_without_a_panic(value in any_json(), bytes: Vec<u8>, asked: u64) {
        for body in [value.to_string().into_bytes(), bytes] {
            let mappings = Mappings::default();
            let _ = list(&body, &mappings, asked);
            let _ = platforms(&body, asked);
            let _ = client(&body);
            for closer in [metadata(&body, "1", &mappings), current(&body, &mappings)].into_iter().flatten() {
                prop_assert!(!closer.gone, "only a refusal can say that");
            }
        }
    }
}

#[test]
fn what_can_be_done_with_records_is_read_where_it_is_said() {
    let body = br#"{"data": [
        {"slug": "sap", "capabilities": [
            {"entity": "assets", "operations": ["read", "Update", "fly"], "limits": {"update": "not after approval", "delete": "never"}},
            {"entity": "vendors"}, "nonsense"]},
        {"slug": "odoo", "description": "says nothing of it"}]}"#;
    let (some, next) = abilities(body, 1).unwrap();
    assert_eq!((some.len(), next), (1, None));
    let (slug, described) = &some[0];
    let of: Vec<_> = described.iter().map(|one| (one.operation, one.ability, one.limit.as_deref())).collect();
    assert_eq!(slug, "sap");
    assert_eq!(
        of,
        [
            (Operation::Read, Ability::Yes, None),
            (Operation::Create, Ability::No, None),
            (Operation::Update, Ability::Limited, Some("not after approval")),
            (Operation::Delete, Ability::No, None),
        ]
    );
}
