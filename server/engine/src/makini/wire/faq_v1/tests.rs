use super::*;
use crate::makini::{ReportedError, wire::items::MOST_ITEMS};
use model::UpstreamStatus;
use proptest::prelude::*;
use serde_json::json;

fn read(body: &Value) -> ListPage {
    list(body.to_string().as_bytes(), &Mappings::default()).unwrap()
}

#[test]
fn a_page_as_it_should_be() {
    let item = json!({
        "id": "09000207611898", "name": "Hafen Nord", "email": "it@hafen.example", "status": "active",
        "reauthorization_required": false, "system": { "slug": "sap-pm", "name": "SAP PM" },
        "metadata": { "customer_id": "c-1", "customer_name": "Hafen" },
        "last_successful_sync_at": "2026-11-22T12:00:00Z", "updated_at": "2026-11-22T12:00:01Z", "credits": 4,
    });
    let page = read(&json!({ "data": [item], "next_cursor": "abc", "total": 1234, "more": {} }));
    assert_eq!((page.next_cursor.as_deref(), page.total, page.undecodable), (Some("abc"), Some(1234), 0));
    let seen = &page.seen[0];
    assert_eq!((seen.key.as_str(), seen.name.as_str()), ("09000207611898", "Hafen Nord"));
    assert_eq!((seen.platform_slug.as_str(), seen.platform_name.as_str()), ("sap-pm", "SAP PM"));
    assert_eq!((seen.status, seen.raw_status.as_deref()), (Some(UpstreamStatus::Active), Some("active")));
    assert_eq!(seen.reauthorization_required, Some(false));
    assert_eq!(seen.last_good_sync_at, Some("2026-11-22T12:00:00Z".parse().unwrap()));
    assert_eq!(seen.metadata["customer_name"], "Hafen");
    assert_eq!(seen.raw["credits"], 4, "what we do not know is kept");
}

#[test]
fn a_page_as_it_may_be() {
    let page = read(&json!({
        "data": [
            { "id": 42, "reauthorizationRequired": "1", "lastSuccessfulSyncAt": 1_795_348_800, "status": "Hibernating",
              "system": "UpKeep", "user_metadata": [{ "key": "customer", "value": 7 }, "odd"], "name": "a\u{0}b" },
            { "id": "", "name": "no key" },
            { "name": "none either" },
            { "id": "k".repeat(201) },
            "not an object", 7, null, [],
            { "id": "big", "name": "x".repeat(70_000) },
            { "key": "second" },
        ],
        "nextCursor": null, "total": "10",
    }));
    assert_eq!((page.undecodable, page.seen.len(), page.total, page.next_cursor), (8, 2, Some(10), None));
    let seen = &page.seen[0];
    assert_eq!((seen.key.as_str(), seen.name.as_str()), ("42", "a\u{fffd}b"));
    assert_eq!((seen.status, seen.raw_status.as_deref()), (None, Some("Hibernating")));
    assert_eq!(seen.reauthorization_required, Some(true));
    assert_eq!((seen.platform_slug.as_str(), seen.platform_name.as_str()), ("UpKeep", "UpKeep"));
    assert_eq!(seen.metadata["customer"], 7);
    assert!(seen.last_good_sync_at.is_some());
    let bare = &page.seen[1];
    assert_eq!((bare.name.as_str(), bare.platform_slug.as_str()), ("second", "unknown"));
}

#[test]
fn what_is_no_page_is_refused_without_repeating_it() {
    for (body, part) in [
        ("", "ends too early"),
        ("<html>secret</html>", "not JSON"),
        (r#"{"data":"#, "ends too early"),
        (r#"{"data":{"secret":1}}"#, "another shape"),
        (r#"{"error":"secret"}"#, "another shape"),
        ("[]", "another shape"),
        ("null", "another shape"),
    ] {
        let why = list(body.as_bytes(), &Mappings::default()).unwrap_err();
        assert!(why.contains(part) && !why.contains("secret"), "{body}: {why}");
    }
    let deep = format!(r#"{{"data":[{}{}]}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert!(list(deep.as_bytes(), &Mappings::default()).is_err() || read_deep(&deep) == 1);
    let many = format!(r#"{{"data":[{}0]}}"#, "0,".repeat(MOST_ITEMS));
    assert!(list(many.as_bytes(), &Mappings::default()).is_err());
}

fn read_deep(body: &str) -> u32 {
    list(body.as_bytes(), &Mappings::default()).unwrap().undecodable
}

#[test]
fn a_status_says_what_is_wrong() {
    let read = |body: Value| status(body.to_string().as_bytes(), &Mappings::default());
    let sick = read(json!({
        "id": "1", "status": "error", "reauthorization_required": true,
        "error": { "code": "REAUTHORIZATION_REQUIRED", "type": "t", "message": "SAP\nrefuses the password" },
    }));
    let sick = sick.unwrap();
    assert_eq!((sick.status, sick.reauthorization_required), (Some(UpstreamStatus::Error), Some(true)));
    let said =
        ReportedError { code: Some("REAUTHORIZATION_REQUIRED".into()), message: "SAP refuses the password".into() };
    assert_eq!(sick.error, Some(said));
    let well = read(json!({ "data": { "status": "in_progress", "error": null } })).unwrap();
    assert_eq!((well.status, well.error, well.gone), (Some(UpstreamStatus::InProgress), None, false));
    assert!(read(json!({ "status": null })).is_err());
    assert!(read(json!([])).is_err());
}

#[test]
fn syncs_are_read_in_every_spelling() {
    let read = |body: Value| sync(body.to_string().as_bytes());
    for (raw, status) in [
        ("in_progress", SyncStatus::InProgress),
        ("inprogress", SyncStatus::InProgress),
        ("completed", SyncStatus::Completed),
        ("full_done", SyncStatus::Completed),
        ("Failed", SyncStatus::Failed),
        ("queued", SyncStatus::Unknown("queued".into())),
    ] {
        assert_eq!(read(json!({ "status": raw })).unwrap().status, status, "{raw}");
    }
    let failed = read(json!({
        "last_successful_sync_at": null, "status": "failed", "nextScheduledSyncAt": "2026-11-22T12:00:00Z",
        "errors": ["plain words", { "code": "SYSTEM_UNREACHABLE" }, {}, 7],
    }));
    let failed = failed.unwrap();
    assert_eq!(failed.next_scheduled_at, Some("2026-11-22T12:00:00Z".parse().unwrap()));
    let said: Vec<_> = failed.errors.iter().map(|error| (error.code.as_deref(), error.message.as_str())).collect();
    assert_eq!(said, [(None, "plain words"), (Some("SYSTEM_UNREACHABLE"), "SYSTEM_UNREACHABLE"), (None, "7")]);
    assert!(read(json!({})).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "id",
            "status",
            "system",
            "slug",
            "metadata",
            "error",
            "errors",
            "data",
            "updated_at"
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
    fn any_item_is_read_or_counted(items in prop::collection::vec(any_json(), 0..8)) {
        let page = read(&json!({ "data": items }));
        prop_assert_eq!(page.seen.len() + page.undecodable as usize, items.len());
        for seen in &page.seen {
            prop_assert!(!seen.key.is_empty() && !seen.name.is_empty() && !seen.platform_slug.is_empty());
            prop_assert!(!seen.raw.to_string().contains("\\u0000"));
        }
    }

    #[test]
    fn any_json_and_any_bytes_are_read_without_a_panic(value in any_json(), bytes: Vec<u8>) {
        for body in [value.to_string().into_bytes(), bytes] {
            let _ = list(&body, &Mappings::default());
            let _ = status(&body, &Mappings::default());
            let _ = sync(&body);
        }
    }
}
