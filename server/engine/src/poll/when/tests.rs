use super::*;
use crate::makini::SyncRead;
use crate::poll::thin::tests::state;
use model::{
    Authorization, Dialect, Environment, Health, Mappings, SourceId, SourceRound, SourceTraffic, UpstreamStatus,
};

/// A source of the dialect whose list does not tell how syncs go, with tokens of its own.
pub(in crate::poll) fn source() -> Source {
    Source {
        id: SourceId(uuid::Uuid::nil()),
        name: "older".into(),
        environment: Environment::Production,
        dialect: Dialect::Openapi2025,
        base_url: "https://api.makini.io".into(),
        client_id: "c".into(),
        token_ownership: TokenOwnership::Linewatch,
        redirect: model::Redirect::Theirs,
        authorize_url: None,
        enabled: true,
        webhook_url: String::new(),
        webhook_secrets: Vec::new(),
        customer_key: "customer_name".into(),
        poll_interval_seconds: 60,
        rate_per_minute: 600,
        cadence_seconds: None,
        late_factor: 2.0,
        late_grace_seconds: 300,
        proof_allowance_seconds: 900,
        mappings: Mappings::default(),
        record_entities: Vec::new(),
        record_minutes: 15,
        record_connections: 50,
        records: None,
        round: SourceRound::default(),
        traffic: SourceTraffic::default(),
        api_version: None,
        api_version_since: None,
        api_version_before: None,
        skew_ms: None,
        connections: 100,
        version: 1,
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_300, 0).unwrap()
}

fn look(status: SyncStatus) -> Closer {
    let sync = SyncRead { status, last_good_sync_at: None, next_scheduled_at: None, errors: Vec::new() };
    let tells = if sync.status == SyncStatus::InProgress { Tells::SetUp } else { Tells::All };
    Closer { status: Some(UpstreamStatus::Active), tells, sync: Some(sync), ..Closer::default() }
}

fn healthy() -> State {
    State { health: Health::Healthy, ..state(Authorization::Authorized, Flow::Good, "active") }
}

fn seconds(source: &Source, closer: &Closer, state: &State) -> Option<(i64, &'static str)> {
    next_look(source, closer, state, now()).map(|(at, why)| ((at - now()).num_seconds(), why))
}

#[test]
fn where_only_looks_tell_a_proof_never_fades_between_two_of_them() {
    let source = source();
    let done = look(SyncStatus::Completed);
    assert_eq!(seconds(&source, &done, &healthy()), Some((600, "proof")), "two thirds of the allowance");
    // its last good sync was 300 s ago
    let hourly = Source { cadence_seconds: Some(3_600), ..source.clone() };
    assert_eq!(seconds(&hourly, &done, &healthy()), Some((600, "proof")));
    let brisk = Source { cadence_seconds: Some(420), ..source.clone() };
    assert_eq!(seconds(&brisk, &done, &healthy()), Some((120, "proof")), "when the next sync should have ended");
    let overdue = Source { cadence_seconds: Some(30), ..source.clone() };
    assert_eq!(seconds(&overdue, &done, &healthy()), Some((60, "proof")), "no more often than the list is read");
    assert_eq!(seconds(&source, &look(SyncStatus::InProgress), &healthy()), Some((60, "proof")));
    let sick = State { health: Health::Failing, ..healthy() };
    assert_eq!(seconds(&source, &look(SyncStatus::Failed), &sick), Some((600, "unwell")));
}

#[test]
fn looks_leave_a_third_of_our_rate_to_the_rounds() {
    let many = Source { connections: 10_000, ..source() };
    let (wait, _) = seconds(&many, &look(SyncStatus::Completed), &healthy()).unwrap();
    let a_minute = 10_000.0 * 60.0 / wait as f64;
    assert!(a_minute * REQUESTS as f64 <= 401.0, "{a_minute} looks a minute");
    let first = first_look(&many, 0, now()).unwrap();
    assert!((now()..now() + TimeDelta::hours(2)).contains(&first), "{first}");
}

#[test]
fn where_a_look_tells_no_more_than_the_list_it_is_rare() {
    let thin = Closer { status: Some(UpstreamStatus::Active), tells: Tells::SetUp, ..Closer::default() };
    let unknown = state(Authorization::Unknown, Flow::Unknown, "active");
    assert_eq!(seconds(&source(), &thin, &unknown), Some((6 * 3_600, "proof")));
    let external = Source { token_ownership: TokenOwnership::External, ..source() };
    assert!(!looks_tell(&external) && looks_tell(&source()));
    let first = first_look(&external, 1, now()).unwrap();
    assert!(first - now() <= TimeDelta::hours(1));
}

#[test]
fn where_the_list_tells_everything_looks_are_as_before() {
    let faq = Source { dialect: Dialect::FaqV1, cadence_seconds: Some(900), ..source() };
    assert!(!looks_tell(&faq));
    assert_eq!(first_look(&faq, 100, now()), None);
    assert_eq!(seconds(&faq, &look(SyncStatus::Completed), &healthy()), None);
    let sick = State { health: Health::Failing, ..healthy() };
    assert_eq!(seconds(&faq, &look(SyncStatus::Failed), &sick), Some((600, "unwell")));
    let learning = Source { cadence_seconds: None, ..faq };
    assert_eq!(seconds(&learning, &look(SyncStatus::Completed), &healthy()), Some((6 * 3_600, "proof")));
}
