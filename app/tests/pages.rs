//! Every page rendered with a desk that answers from fixtures: snapshots, and what must be true of all of them.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod fake;

use app::{Session, shell};
use axum::{body::Body, http::Request};
use fake::FakeBackend;
use http_body_util::BodyExt;
use leptos::config::LeptosOptions;
use model::{Actor, ActorKind, PersonId, Refusal, Role};
use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};
use uuid::Uuid;

const FIRST: &str = "/connections/00000000-0000-0000-0000-000000000001";
const CUSTOMER: &str = "/customers/00000000-0000-0000-0000-0000000003e9";
const SOURCE: &str = "/settings/sources/00000000-0000-0000-0000-000000000384";

/// A thing of the alerts by the number that its fixture has.
fn alerts_page(tail: &str, n: u128) -> String {
    format!("/alerts/{tail}{}", Uuid::from_u128(n))
}

const CONFLICT: &str = r#"{"refusal":{"conflict":"Tom has acknowledged this issue meanwhile."}}"#;

fn issue_page(n: u128) -> String {
    format!("/issues/{}", Uuid::from_u128(n))
}

fn opened(kind: &str, id: u128) -> String {
    format!("/webhooks?open={kind}%3A{}", Uuid::from_u128(id))
}

/// Listing the routes needs no context and starts the executor. Once and before any render: while it lists, leptos
/// suppresses the loading of resources in the whole process, and a page rendered meanwhile would wait for ever.
static ROUTES: LazyLock<usize> = LazyLock::new(|| leptos_axum::generate_route_list(app::App).len());

/// Renders an address; answers the status and the HTML.
async fn render(desk: FakeBackend, address: &str) -> (u16, String) {
    let (status, _, html) = render_with(desk, address, "").await;
    (status, html)
}

/// The same with cookies; answers those that are set, too.
async fn render_with(desk: FakeBackend, address: &str, cookies: &str) -> (u16, Vec<String>, String) {
    render_as(Role::Admin, desk, address, cookies).await
}

/// The same for somebody of another role.
async fn render_as(role: Role, desk: FakeBackend, address: &str, cookies: &str) -> (u16, Vec<String>, String) {
    assert!(*ROUTES >= 14);
    let desk: app::SharedBackend = Arc::new(desk);
    let ines = Actor { kind: ActorKind::Person(PersonId(Uuid::from_u128(77))), name: "Ines Ferreira".into(), role };
    let context = move || app::provide(desk.clone(), Session(Some(ines.clone())), fake::now());
    let options = LeptosOptions::builder().output_name("linewatch").build();
    let page = leptos_axum::render_app_async_with_context(context, move || shell(options.clone()));
    let request = Request::builder()
        .uri(address)
        .header("accept", "text/html")
        .header("cookie", cookies)
        .body(Body::empty())
        .unwrap();
    let response = page(request).await;
    let status = response.status().as_u16();
    let set = response.headers().get_all("set-cookie").iter().map(|set| set.to_str().unwrap().to_owned()).collect();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, set, String::from_utf8(body.to_vec()).unwrap())
}

/// The page without its scripts, a tag a line.
fn readable(html: &str) -> String {
    let body = html.split_once("<body>").map_or(html, |(_, body)| body);
    let mut plain = String::new();
    for (i, piece) in body.split("<script").enumerate() {
        plain.push_str(if i == 0 { piece } else { piece.split_once("</script>").map_or("", |(_, rest)| rest) });
    }
    plain.replace("<!>", "").replace("<!---->", "").replace("><", ">\n<")
}

/// Renders, checks what must be true of every page, keeps it for looking at, and answers it.
async fn page(name: &str, desk: FakeBackend, address: &str) -> (u16, String) {
    let (status, html) = render(desk, address).await;
    if let Ok(folder) = std::env::var("LINEWATCH_PAGES") {
        std::fs::write(format!("{folder}/{name}.html"), &html).unwrap();
    }
    let html = readable(&html);
    check(name, &html);
    (status, html)
}

fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(&start).skip(1).filter_map(|rest| rest.split_once('"')).map(|(value, _)| value).collect()
}

fn check(name: &str, html: &str) {
    assert!(!html.contains(" style=\""), "{name}: an inline style, which the policy forbids");
    let ids = values(html, "id");
    let distinct: HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{name}: two elements with the same id in {ids:?}");
    for form in html.split("<form").skip(1) {
        let tag = form.split_once('>').map_or(form, |(tag, _)| tag);
        assert!(
            tag.contains("action=\"") || tag.contains("method=\"dialog\""),
            "{name}: a form without an action: {tag}"
        );
    }
    for row in html.split("<tr").skip(1).filter(|row| row.starts_with(" role=\"row\" class=\"row")) {
        let tag = row.split_once('>').map_or(row, |(tag, _)| tag);
        let marked = |one: &str, two: &str| tag.contains(&format!("{one}=\"")) && tag.contains(&format!("{two}=\""));
        assert!(
            marked("data-connection", "data-health")
                || marked("data-issue", "data-state")
                || marked("data-failure", "data-kind")
                || marked("data-event", "data-state"),
            "{name}: {tag}"
        );
    }
    assert_eq!(html.matches("<h1").count(), 1, "{name}: one headline");
    for of in values(html, "aria-labelledby").into_iter().chain(values(html, "for")) {
        assert!(ids.contains(&of), "{name}: nothing has the id {of}");
    }
}

macro_rules! snapshots {
    ($($name:ident: $desk:expr, $address:expr, $status:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let (status, html) = page(stringify!($name), $desk, $address).await;
            assert_eq!(status, $status);
            insta::assert_snapshot!(html);
        }
    )*};
}

snapshots! {
    overview: FakeBackend::rich(), "/", 200;
    overview_empty: FakeBackend::default(), "/", 200;
    system: FakeBackend::rich(), "/system", 200;
    overview_broken: FakeBackend { broken: Some(Refusal::Internal("req-1".into())), ..FakeBackend::default() }, "/", 500;
    connections: FakeBackend::rich(), "/connections", 200;
    connections_filtered: FakeBackend::rich(), "/connections?health=reauthorization_required&sort=customer&q=al", 200;
    connections_none: FakeBackend::rich(), "/connections?q=nobody", 200;
    connections_wrong: FakeBackend::rich(), "/connections?health=fine&colour=red", 422;
    connection: FakeBackend::rich(), FIRST, 200;
    connection_healthy: FakeBackend::rich(), "/connections/00000000-0000-0000-0000-00000000000a?days=7", 200;
    connection_unknown: FakeBackend::rich(), "/connections/00000000-0000-0000-0000-0000000000ff", 404;
    connection_refused_link: FakeBackend::rich(), "/connections/00000000-0000-0000-0000-000000000002?up=90&synced=older", 200;
    connection_failing: FakeBackend::rich(), "/connections/00000000-0000-0000-0000-000000000004", 200;
    connection_first_sync: FakeBackend::rich(), "/connections/00000000-0000-0000-0000-000000000008", 200;
    customers: FakeBackend::rich(), "/customers", 200;
    customers_tagged: FakeBackend::rich(), "/customers?tag=emea&q=al", 200;
    customers_none: FakeBackend::rich(), "/customers?q=nobody", 200;
    customers_wrong: FakeBackend::rich(), "/customers?colour=red", 422;
    customer: FakeBackend::rich(), CUSTOMER, 200;
    customer_unknown: FakeBackend::rich(), "/customers/00000000-0000-0000-0000-0000000000ff", 404;
    issues: FakeBackend::rich(), "/issues", 200;
    issues_all: FakeBackend::rich(), "/issues?state=", 200;
    issues_mine: FakeBackend::rich(), "/issues?assignee=me", 200;
    issues_none: FakeBackend::default(), "/issues", 200;
    issues_of_one: FakeBackend::rich(), "/issues?connection=00000000-0000-0000-0000-000000000001", 200;
    issues_wrong: FakeBackend::rich(), "/issues?state=sleepy", 422;
    issue: FakeBackend::rich(), &issue_page(7_001), 200;
    issue_resolved: FakeBackend::rich(), &issue_page(7_007), 200;
    issue_outage: FakeBackend::rich(), &issue_page(7_000), 200;
    issue_unknown: FakeBackend::rich(), &issue_page(9_999), 404;
    issue_conflict: FakeBackend::rich(), &format!("{}?__path=%2F_app%2Fchange-issue&__err={}", issue_page(7_001), base64(CONFLICT.as_bytes())), 200;
    bulk_new: FakeBackend::rich(), "/bulk/new?kind=check&health=offline&health=failing", 200;
    bulk_new_assign: FakeBackend::rich(), &format!("/bulk/new?kind=assign&health=offline&id={0}&id={0}&id={0}", Uuid::from_u128(1)), 200;
    bulk_new_wrong: FakeBackend::rich(), "/bulk/new?kind=explode", 422;
    bulk: FakeBackend::rich(), &format!("/bulk/{}", Uuid::from_u128(1)), 200;
    bulk_done: FakeBackend::rich(), &format!("/bulk/{}", Uuid::from_u128(2)), 200;
    failed: FakeBackend::rich(), "/webhooks", 200;
    failed_grouped: FakeBackend::rich(), "/webhooks?group=cause", 200;
    failed_filtered: FakeBackend::rich(), &format!("/webhooks?kind=delivery&endpoint={}&since=09:05&q=certificate", Uuid::from_u128(20_001)), 200;
    failed_none: FakeBackend::default(), "/webhooks", 200;
    failed_no_gaps: FakeBackend::default(), "/webhooks?kind=gap", 200;
    failed_wrong: FakeBackend::rich(), "/webhooks?kind=fine&since=soon", 422;
    failed_broken: FakeBackend { broken: Some(Refusal::Unavailable("The database does not answer.".into())), ..FakeBackend::default() }, "/webhooks", 503;
    failed_delivery: FakeBackend::rich(), &opened("delivery", 30_001), 200;
    failed_for_good: FakeBackend::rich(), &opened("delivery", 30_002), 200;
    failed_processing: FakeBackend::rich(), &opened("processing", 40_002), 200;
    failed_rejection: FakeBackend::rich(), &opened("rejection", 50_001), 200;
    failed_gap: FakeBackend::rich(), &opened("gap", 60_001), 200;
    failed_notification: FakeBackend::rich(), &opened("notification", 5_601), 200;
    failed_notifications: FakeBackend::rich(), "/webhooks?kind=notification", 200;
    failed_no_notifications: FakeBackend::default(), "/webhooks?kind=notification", 200;
    failed_of_a_class: FakeBackend::rich(), "/webhooks?error=gone&error=tls", 200;
    failed_about: FakeBackend::rich(), "/webhooks?about=aldermoor", 200;
    failed_about_nobody: FakeBackend::rich(), "/webhooks?about=nobody", 200;
    failed_unknown: FakeBackend::rich(), &opened("delivery", 9), 200;
    retry_new: FakeBackend::rich(), &format!("/webhooks/retries/new?kind=delivery&endpoint={}", Uuid::from_u128(20_001)), 200;
    retry_new_none: FakeBackend::rich(), "/webhooks/retries/new?kind=gap", 200;
    retry_new_wrong: FakeBackend::rich(), "/webhooks/retries/new?kind=fine", 422;
    retry: FakeBackend::rich(), &format!("/webhooks/retries/{}", Uuid::from_u128(1)), 200;
    retry_done: FakeBackend::rich(), &format!("/webhooks/retries/{}", Uuid::from_u128(2)), 200;
    retry_cancelled: FakeBackend::rich(), &format!("/webhooks/retries/{}", Uuid::from_u128(3)), 200;
    retry_new_about: FakeBackend::rich(), "/webhooks/retries/new?about=aldermoor", 422;
    events: FakeBackend::rich(), "/webhooks/events", 200;
    events_failed: FakeBackend::rich(), "/webhooks/events?state=failed", 200;
    events_none: FakeBackend::default(), "/webhooks/events", 200;
    events_wrong: FakeBackend::rich(), "/webhooks/events?state=fine", 422;
    event: FakeBackend::rich(), &format!("/webhooks/events/{}", Uuid::from_u128(40_001)), 200;
    event_failed: FakeBackend::rich(), &format!("/webhooks/events/{}?reveal=1", Uuid::from_u128(40_002)), 200;
    event_unknown: FakeBackend::rich(), &format!("/webhooks/events/{}", Uuid::from_u128(9)), 404;
    endpoints: FakeBackend::rich(), "/webhooks/endpoints", 200;
    endpoints_none: FakeBackend::default(), "/webhooks/endpoints", 200;
    endpoint: FakeBackend::rich(), &format!("/webhooks/endpoints/{}?test=1", Uuid::from_u128(20_001)), 200;
    endpoint_off: FakeBackend::rich(), &format!("/webhooks/endpoints/{}", Uuid::from_u128(20_004)), 200;
    endpoint_unknown: FakeBackend::rich(), &format!("/webhooks/endpoints/{}", Uuid::from_u128(9)), 404;
    endpoint_new: FakeBackend::rich(), "/webhooks/endpoints/new", 200;
    retention: FakeBackend::rich(), "/settings/retention", 200;
    makini_deliveries: FakeBackend::rich(), &format!("{SOURCE}/deliveries"), 200;
    alerts: FakeBackend::rich(), "/alerts", 200;
    alerts_resolved: FakeBackend::rich(), "/alerts?state=resolved", 200;
    alerts_none: FakeBackend::default(), "/alerts", 200;
    alerts_of_a_rule: FakeBackend::rich(), &alerts_page("?state=firing&rule=", 5_001).replace("/alerts/?", "/alerts?"), 200;
    alerts_wrong: FakeBackend::rich(), "/alerts?state=loud", 422;
    rules: FakeBackend::rich(), "/alerts/rules", 200;
    rules_none: FakeBackend::default(), "/alerts/rules", 200;
    rule: FakeBackend::rich(), &alerts_page("rules/", 5_001), 200;
    rule_unknown: FakeBackend::rich(), &alerts_page("rules/", 9_999), 404;
    rule_new: FakeBackend::rich(), "/alerts/rules/new", 200;
    rule_copied: FakeBackend::rich(), &alerts_page("rules/new?from=", 5_003), 200;
    rule_previewed: FakeBackend::rich(), "/alerts/rules/new?form%5Bname%5D=Webhooks&form%5Bkind%5D=failed_webhooks&form%5Bamount%5D=10&form%5Bwhom%5D=all&form%5Btake%5D=900", 200;
    rule_unfinished: FakeBackend::rich(), "/alerts/rules/new?form%5Bname%5D=Late&form%5Bkind%5D=sync_late&form%5Bwhom%5D=only", 200;
    silences: FakeBackend::rich(), "/alerts/silences", 200;
    silences_none: FakeBackend::default(), "/alerts/silences", 200;
    silence_new: FakeBackend::rich(), &alerts_page("silences/new?alert=", 5_101), 200;
    silence_wrong: FakeBackend::rich(), "/alerts/silences/new?severity=loud", 422;
    maintenance_new: FakeBackend::rich(), "/alerts/maintenance/new", 200;
    routes: FakeBackend::rich(), "/alerts/routes", 200;
    routes_none: FakeBackend::default(), "/alerts/routes", 200;
    routes_explained: FakeBackend::rich(), &alerts_page("routes?alert=", 5_101), 200;
    route: FakeBackend::rich(), &alerts_page("routes/", 5_500), 200;
    route_new: FakeBackend::rich(), "/alerts/routes/new", 200;
    channels: FakeBackend::rich(), "/alerts/channels", 200;
    channels_none: FakeBackend::default(), "/alerts/channels", 200;
    channel: FakeBackend::rich(), &alerts_page("channels/", 5_401), 200;
    channel_new: FakeBackend::rich(), "/alerts/channels/new", 200;
    told_log: FakeBackend::rich(), "/alerts/log", 200;
    told_log_failed: FakeBackend::rich(), "/alerts/log?state=failed", 200;
    told_log_none: FakeBackend::default(), "/alerts/log", 200;
    told_message: FakeBackend::rich(), &alerts_page("log/", 5_601), 200;
    told_message_unknown: FakeBackend::rich(), &alerts_page("log/", 9_999), 404;
    sources: FakeBackend::rich(), "/settings", 200;
    sources_empty: FakeBackend::default(), "/settings", 200;
    source_new: FakeBackend::rich(), "/settings/sources/new", 200;
    source: FakeBackend::rich(), &format!("{SOURCE}?test=1"), 200;
    login: FakeBackend::rich(), "/login?error=throttled&wait=40&next=%2Fconnections", 200;
    not_found: FakeBackend::rich(), "/nowhere", 404;
}

#[tokio::test]
async fn totals_agree_with_rows_and_every_row_is_marked() {
    let (_, html) = page("rows", FakeBackend::rich(), "/connections").await;
    let rows = FakeBackend::rich().connections;
    assert_eq!(values(&html, "data-connection").len(), rows.len());
    let healths: Vec<_> = rows.iter().map(|row| row.health.code()).collect();
    assert_eq!(values(&html, "data-health"), healths);
    assert!(html.contains(&format!("{} connections", rows.len())));
}

#[tokio::test]
async fn a_link_is_shown_once_with_a_mail_and_only_for_its_connection() {
    const OTHER: &str = "/connections/00000000-0000-0000-0000-000000000002";
    let url = "https://linewatch.example.com/r/Zk3vQp9";
    let cookie = "made_link=00000000-0000-0000-0000-000000000001.https%3A%2F%2Flinewatch.example.com%2Fr%2FZk3vQp9";
    let (_, set, html) = render_with(FakeBackend::rich(), FIRST, cookie).await;
    let html = readable(&html);
    check("connection_made", &html);
    assert!(html.contains(&format!("<code>{url}</code>")), "{html}");
    assert!(html.contains("mailto:j.olsen@aldermoor.example?subject=Please%20connect%20SAP%20ECC%20again"), "{html}");
    assert!(html.contains("https%3A%2F%2Flinewatch.example.com%2Fr%2FZk3vQp9"), "the mail holds the link");
    assert!(set.iter().any(|set| set.starts_with("made_link=;") && set.contains("Max-Age=0")), "{set:?}");
    let (_, set, html) = render_with(FakeBackend::rich(), OTHER, cookie).await;
    assert!(!html.contains(url) && set.is_empty(), "{set:?}");
    let script = "made_link=00000000-0000-0000-0000-000000000001.javascript%3Aalert%281%29";
    let (_, _, html) = render_with(FakeBackend::rich(), FIRST, script).await;
    assert!(!html.contains("alert(1)"));
}

#[tokio::test]
async fn a_sync_started_by_hand_is_followed_to_its_end() {
    let started = |seconds: i64| format!("{FIRST}?started={}", fake::now().timestamp() - seconds);
    let (_, html) = page("connection_syncing", FakeBackend::rich(), &started(30)).await;
    assert!(html.contains("Makini was asked for a sync 30 s ago."), "{html}");
    let (_, html) = page("connection_synced", FakeBackend::rich(), &started(131 * 60)).await;
    assert!(html.contains("The sync that was started here has succeeded with 41 records after 9 s"), "{html}");
}

#[tokio::test]
async fn a_refused_sync_says_why_in_its_place() {
    let error = r#"{"refusal":{"conflict":"A sync cannot read anything until the customer has signed in again."}}"#;
    let address = format!("{FIRST}?__path=%2F_app%2Fstart-sync&__err={}", base64(error.as_bytes()));
    let (_, html) = page("connection_sync_refused", FakeBackend::rich(), &address).await;
    let by_hand = html.split_once("id=\"by-hand\"").unwrap().1.split_once("</section>").unwrap().0;
    assert!(by_hand.contains("A sync cannot read anything until the customer has signed in again."), "{by_hand}");
}

#[tokio::test]
async fn a_viewer_sees_the_alerts_and_cannot_act() {
    for address in ["/alerts", "/alerts/rules", "/alerts/silences", "/alerts/routes", "/alerts/channels", "/alerts/log"]
    {
        let (status, _, html) = render_as(Role::Viewer, FakeBackend::rich(), address, "").await;
        let html = readable(&html);
        assert_eq!(status, 200, "{address}");
        for word in
            [">Acknowledge<", ">Silence<", "role=\"switch\"", ">End now<", ">Up<", ">Add a channel<", ">Send again<"]
        {
            assert!(!html.replace(">\n<", "><").contains(word), "{address} offers {word}");
        }
    }
}

#[tokio::test]
async fn a_signing_secret_is_shown_once_and_only_for_its_channel() {
    let cookie = format!("made_secret={}.whsec_abc%3D", Uuid::from_u128(5_402));
    let (_, set, html) = render_with(FakeBackend::rich(), &alerts_page("channels/", 5_402), &cookie).await;
    let html = readable(&html);
    assert!(html.contains("<code>whsec_abc=</code>"), "{html}");
    assert!(set.iter().any(|set| set.starts_with("made_secret=;") && set.contains("Max-Age=0")), "{set:?}");
    let (_, set, html) = render_with(FakeBackend::rich(), &alerts_page("channels/", 5_401), &cookie).await;
    assert!(!html.contains("whsec_abc") && set.is_empty(), "{set:?}");
}

#[tokio::test]
async fn a_refused_rule_keeps_every_word_and_says_what_is_wrong_where_it_is() {
    let error = r#"{"refusal":{"invalid":[{"field":"when.seconds","message":"At most 30 days."}]},"kept":[["name","Quiet"],["kind","silence"],["quiet_seconds","90 days"],["whom","only"],["platforms","sap-ecc"]]}"#;
    let address = format!("/alerts/rules/new?__path=%2F_app%2Fsave-rule&__err={}", base64(error.as_bytes()));
    let (_, html) = page("rule_refused", FakeBackend::rich(), &address).await;
    let html = html.replace(">\n<", "><");
    assert!(html.contains(r#"value="90 days""#) && html.contains(r#"value="Quiet""#), "{html}");
    assert!(html.contains(r#"id="s-quiet_seconds-wrong" class="wrong">At most 30 days.<"#), "{html}");
}

#[tokio::test]
async fn a_healthy_fleet_says_so() {
    let mut desk = FakeBackend::rich();
    desk.connections.retain(|c| !c.health.needs_attention());
    desk.sources.pop();
    let (_, html) = page("overview_well", desk, "/").await;
    assert!(html.contains("All 4 connections are well"), "{html}");
}

#[tokio::test]
async fn a_source_says_which_lost_webhooks_about_records_it_finds() {
    let mut desk = FakeBackend::rich();
    let (_, html) = render(FakeBackend::rich(), SOURCE).await;
    assert!(!html.contains("record_entities"), "its webhooks tell of connections");
    let source = &mut desk.sources[0];
    source.dialect = model::Dialect::Openapi2025;
    let (_, html) = render(desk.clone(), SOURCE).await;
    assert!(
        html.contains("no poll of states shows them") && html.contains(r#"name="form[record_entities]""#),
        "{html}"
    );
    let source = &mut desk.sources[0];
    source.record_entities = vec!["eam/assets".to_owned(), "erp/purchase-orders".to_owned()];
    source.records = Some(model::SourceRecords {
        told: vec!["assets.updated".to_owned()],
        asked: 2_360,
        refused: 12,
        refusal: Some("Makini has nothing at this path.".to_owned()),
        last_at: None,
    });
    let (_, html) = render(desk, SOURCE).await;
    for words in
        ["about 400 questions an hour", "found of assets.updated", "12 of 2,360 are refused", "nothing at this path"]
    {
        assert!(html.contains(words), "{words}: {html}");
    }
}

#[tokio::test]
async fn what_was_typed_comes_back_with_what_is_wrong() {
    let error = r#"{"refusal":{"invalid":[{"field":"name","message":"“demo” is taken."}]},"kept":[["name","demo"],["base_url","https://eu.makini.io"]]}"#;
    let address = format!("/settings/sources/new?__path=%2F_app%2Fadd-source&__err={}", base64(error.as_bytes()));
    let (_, html) = page("source_new_wrong", FakeBackend::rich(), &address).await;
    assert!(html.contains("“demo” is taken."));
    assert!(html.contains(r#"value="https://eu.makini.io""#));
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            text.push(if i <= chunk.len() { LETTERS[(bits >> (18 - 6 * i) & 63) as usize] as char } else { '=' });
        }
    }
    text
}

#[tokio::test]
async fn what_upstream_or_a_colleague_writes_is_never_markup() {
    const EVIL: &str = "</title></textarea><meta http-equiv=\"refresh\" content=\"0;url=https://evil.example\">";
    let mut desk = FakeBackend::rich();
    for connection in &mut desk.connections {
        connection.customer.name = EVIL.to_owned();
        connection.owner = Some(EVIL.to_owned());
    }
    for issue in &mut desk.issues {
        issue.assignee = Some(EVIL.to_owned());
        if let Some(customer) = &mut issue.customer {
            customer.name = EVIL.to_owned();
        }
    }
    desk.note = Some(EVIL.to_owned());
    desk.sources[0].name = EVIL.to_owned();
    for alert in &mut desk.alerts {
        alert.subject.name = EVIL.to_owned();
    }
    for rule in &mut desk.rules {
        (rule.name, rule.note) = (EVIL.to_owned(), Some(EVIL.to_owned()));
    }
    for message in &mut desk.notifications {
        message.subject = EVIL.to_owned();
    }
    let addresses = [
        "/",
        "/connections",
        FIRST,
        "/issues",
        "/issues?state=",
        &issue_page(7_001),
        "/customers",
        CUSTOMER,
        "/settings",
        SOURCE,
        "/alerts",
        "/alerts/rules",
        &alerts_page("rules/", 5_001),
        "/alerts/log",
    ];
    for address in addresses {
        let (_, html) = render(desk.clone(), address).await;
        assert!(!html.contains("<meta http-equiv"), "{address}: {html}");
    }
}

#[tokio::test]
async fn a_secret_is_told_once_and_only_by_its_endpoint() {
    let (of, other) = (Uuid::from_u128(20_001), Uuid::from_u128(20_002));
    let cookie = format!("made_secret={of}.whsec_c2VjcmV0%2BQ%3D%3D");
    let (_, set, html) = render_with(FakeBackend::rich(), &format!("/webhooks/endpoints/{of}"), &cookie).await;
    let html = readable(&html);
    check("endpoint_made", &html);
    assert!(html.contains("<code>whsec_c2VjcmV0+Q==</code>"), "{html}");
    assert!(set.iter().any(|set| set.starts_with("made_secret=;") && set.contains("Max-Age=0")), "{set:?}");
    let (_, set, html) = render_with(FakeBackend::rich(), &format!("/webhooks/endpoints/{other}"), &cookie).await;
    assert!(!html.contains("whsec_") && set.is_empty(), "{set:?}");
}

#[tokio::test]
async fn a_refused_endpoint_keeps_what_was_typed_and_ticked() {
    let error = r#"{"refusal":{"invalid":[{"field":"name","message":"“erp-hooks” is taken."}]},"kept":[["name","erp-hooks"],["environments","sandbox"],["ordered","on"]]}"#;
    let address = format!("/webhooks/endpoints/new?__path=%2F_app%2Fadd-endpoint&__err={}", base64(error.as_bytes()));
    let (_, html) = page("endpoint_new_wrong", FakeBackend::rich(), &address).await;
    assert!(html.contains("“erp-hooks” is taken."), "{html}");
    let sandbox = html.split_once("value=\"sandbox\"").unwrap().1.split_once('>').unwrap().0;
    assert!(sandbox.contains("checked"), "{sandbox}");
}

#[tokio::test]
async fn what_makini_or_a_receiver_writes_is_never_markup() {
    const EVIL: &str = "</pre></textarea><meta http-equiv=\"refresh\" content=\"0;url=https://evil.example\">";
    let mut desk = FakeBackend::rich();
    for failure in &mut desk.failures {
        failure.what = Some(EVIL.to_owned());
        failure.error.message = EVIL.to_owned();
    }
    for endpoint in &mut desk.endpoints {
        endpoint.name = EVIL.to_owned();
        endpoint.filter.kinds = vec![EVIL.to_owned()];
    }
    let endpoint = format!("/webhooks/endpoints/{}", Uuid::from_u128(20_001));
    for address in ["/webhooks", "/webhooks?group=cause", &opened("delivery", 30_001), "/webhooks/endpoints", &endpoint]
    {
        let (_, html) = render(desk.clone(), address).await;
        assert!(!html.contains("<meta http-equiv"), "{address}: {html}");
    }
}

#[tokio::test]
async fn a_source_that_does_not_tell_says_so() {
    let address = "/settings/sources/00000000-0000-0000-0000-000000000385/deliveries";
    let (status, html) = page("makini_silent", FakeBackend::rich(), address).await;
    assert_eq!(status, 200);
    assert!(html.contains("This source does not tell of its own failed webhooks."), "{html}");
}
