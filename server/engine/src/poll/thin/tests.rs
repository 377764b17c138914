use super::*;
use crate::health::{Dimension, Known, facts_of_seen};
use crate::makini::{Seen, SyncRead, SyncStatus, word};
use crate::poll::when::tests::source;
use model::{CustomerId, DataFlow, Eye, Health, SourceId, TokenOwnership};
use proptest::prelude::*;
use std::sync::Arc;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

/// A connection of which this is known; the list's last word was `raw`.
pub(in crate::poll) fn state(authorization: Authorization, flow: Flow, raw: &str) -> State {
    let known = Known {
        authorization: Dimension { value: authorization, at: at(0), eye: Eye::Webhook, cause: None },
        flow: Dimension { value: flow, at: at(0), eye: Eye::Webhook, cause: None },
        last_good_sync_at: (flow == Flow::Good).then(|| at(0)),
        ..Known::nothing(at(0))
    };
    State {
        id: ConnectionId(Uuid::nil()),
        source_id: SourceId(Uuid::nil()),
        key: "1".into(),
        name: "One".into(),
        email: None,
        customer_id: CustomerId(Uuid::nil()),
        platform_slug: "sap".into(),
        tags: Vec::new(),
        raw_status: Some(raw.into()),
        described: Some(Arc::new(Described {
            customer_name: "One".into(),
            platform_name: "SAP".into(),
            upstream: Value::Null,
        })),
        upstream_error: None,
        known,
        cadence_set: None,
        proof: Some((at(0), Eye::Webhook)),
        recorded_at: None,
        authorization,
        data_flow: DataFlow::Unknown,
        health: Health::Unknown,
        cause: None,
        cause_detail: None,
        since: at(0),
        flips: Vec::new(),
        judge_due_at: None,
        check_due_at: None,
        check_reason: None,
        removed_at: None,
        absent_since: None,
        version: 1,
    }
}

fn seen(raw: &str) -> Seen {
    let (status, tells) = word(model::Dialect::Openapi2025, raw, &model::Mappings::default());
    Seen {
        key: "1".into(),
        name: "One".into(),
        email: None,
        platform_slug: "sap".into(),
        platform_name: "SAP".into(),
        metadata: serde_json::Map::new(),
        raw_status: Some(raw.into()),
        status,
        tells,
        reauthorization_required: None,
        last_good_sync_at: None,
        updated_at: None,
        raw: Value::Null,
    }
}

fn worth(raw: &str, state: &State, ownership: TokenOwnership) -> Worth {
    let seen = seen(raw);
    let word = Word { raw: Some(raw), status: seen.status, tells: seen.tells };
    let source = Source { token_ownership: ownership, ..source() };
    weigh(facts_of_seen(&seen), word, state, &source, ownership == TokenOwnership::Linewatch)
}

fn says(raw: &str, state: &State) -> Option<(Option<Authorization>, Option<FlowFact>)> {
    match worth(raw, state, TokenOwnership::External) {
        Worth::Evidence(facts) => Some((facts.authorization.map(|(value, _)| value), facts.flow.map(|(fact, _)| fact))),
        Worth::Nothing => None,
        Worth::ALook => panic!("nobody may look"),
    }
}

const UNKNOWN: Option<(Option<Authorization>, Option<FlowFact>)> =
    Some((Some(Authorization::Unknown), Some(FlowFact::Is(Flow::Unknown))));

#[test]
fn a_word_that_all_is_set_up_undoes_nothing_that_was_proved() {
    use Authorization as A;
    for raw in ["active", "in_progress", "synchronizing"] {
        for (authorization, flow) in [
            (A::Authorized, Flow::Good),
            (A::ReauthorizationRequired, Flow::Good),
            (A::ReauthorizationRequired, Flow::Unknown),
            (A::Authorized, Flow::Offline),
            (A::Unknown, Flow::Failing),
        ] {
            let mut state = state(authorization, flow, raw);
            state.known.last_good_sync_at = Some(at(0));
            assert_eq!(says(raw, &state), None, "{raw} while {authorization} and {flow}");
        }
    }
}

#[test]
fn what_was_never_proved_is_unknown_and_says_why() {
    let mut new = state(Authorization::Unknown, Flow::Unknown, "");
    (new.version, new.raw_status, new.proof) = (0, None, None);
    let Worth::Evidence(facts) = worth("active", &new, TokenOwnership::Linewatch) else { panic!("it must be judged") };
    assert_eq!(facts.authorization, Some((Authorization::Unknown, Some(Cause::NoProof))));
    assert_eq!(facts.flow, Some((FlowFact::Is(Flow::Unknown), Some(Cause::NoProof))));
    assert_eq!(facts.detail.as_deref(), Some("Makini does not say whether its data flows"));
    let back = State { removed_at: Some(at(1)), ..state(Authorization::Authorized, Flow::Good, "active") };
    assert_eq!(says("active", &back), UNKNOWN, "what was gone is proved by nothing");
}

#[test]
fn the_list_takes_back_what_it_said_itself() {
    use Authorization as A;
    assert_eq!(says("active", &state(A::ReauthorizationRequired, Flow::Good, "fail")), UNKNOWN);
    let unknown_flow = Some((None, Some(FlowFact::Is(Flow::Unknown))));
    for (flow, before) in [(Flow::Offline, "offline"), (Flow::Failing, "error"), (Flow::Paused, "inactive")] {
        assert_eq!(says("active", &state(A::Authorized, flow, before)), unknown_flow, "{before}");
        assert_eq!(worth("active", &state(A::Authorized, flow, before), TokenOwnership::Linewatch), Worth::ALook);
    }
    assert_eq!(says("active", &state(A::ReauthorizationRequired, Flow::Good, "error")), None, "a webhook said it");
    let first_sync = state(A::Unknown, Flow::NotConnected, "pending");
    assert_eq!(says("synchronizing", &first_sync), Some((None, Some(FlowFact::Is(Flow::FirstSync)))));
    let synced = state(A::Authorized, Flow::Good, "in_progress");
    assert_eq!(worth("active", &synced, TokenOwnership::Linewatch), Worth::ALook, "a sync has ended: how?");
    assert_eq!(worth("active", &synced, TokenOwnership::External), Worth::Nothing);
}

#[test]
fn words_that_tell_of_syncs_alone_leave_the_sign_in_as_it_is() {
    let refused = state(Authorization::ReauthorizationRequired, Flow::Good, "active");
    for (raw, flow) in [
        ("error", Flow::Failing),
        ("offline", Flow::Offline),
        ("inactive", Flow::Paused),
        ("pending", Flow::NotConnected),
    ] {
        assert_eq!(says(raw, &refused), Some((None, Some(FlowFact::Is(flow)))), "{raw}");
    }
    let done = Some((Some(Authorization::Authorized), Some(FlowFact::Is(Flow::Good))));
    assert_eq!(says("fulldone", &refused), done, "a sync that is done has signed in");
    assert_eq!(says("fail", &refused).unwrap().0, Some(Authorization::ReauthorizationRequired));
}

#[test]
fn beside_the_list_a_look_tells_only_what_the_list_leaves_open() {
    let sync = |status| SyncRead { status, last_good_sync_at: None, next_scheduled_at: None, errors: Vec::new() };
    let look =
        |status, sync_status| Closer { status: Some(status), sync: Some(sync(sync_status)), ..Closer::default() };
    let failed = look(UpstreamStatus::Error, SyncStatus::Failed);
    let offline = state(Authorization::Authorized, Flow::Offline, "offline");
    let both = beside_the_list(&failed, &offline, &source());
    assert_eq!((both.status, both.tells), (Some(UpstreamStatus::Offline), Tells::Flow));
    let well = look(UpstreamStatus::Active, SyncStatus::Completed);
    let active = state(Authorization::Authorized, Flow::Offline, "active");
    assert_eq!(beside_the_list(&well, &active, &source()), well);
    let faq = Source { dialect: model::Dialect::FaqV1, ..source() };
    assert_eq!(beside_the_list(&failed, &offline, &faq), failed, "where both speak the same words, the look's stand");
}

proptest! {
    /// Whatever the list says of connections that nobody may look into: none becomes signed in, or good, by a word that
    /// tells nothing; only by one that says that a sync is done.
    #[test]
    fn nothing_becomes_well_by_a_word_that_tells_nothing(
        authorization in prop::sample::select(Authorization::ALL),
        flow in prop::sample::select(&Flow::ALL[..]),
        before in prop::sample::select(vec!["active", "in_progress", "fail", "error", "offline", "inactive", "pending", "?"]),
        now in prop::sample::select(vec!["active", "in_progress", "synchronizing", "error", "offline", "inactive", "?"]),
        version in 0i64..2,
    ) {
        let state = State { version, ..state(authorization, flow, before) };
        if let Worth::Evidence(facts) = worth(now, &state, TokenOwnership::External) {
            prop_assert_ne!(facts.authorization.map(|(value, _)| value), Some(Authorization::Authorized));
            prop_assert!(!matches!(facts.flow, Some((FlowFact::Is(Flow::Good) | FlowFact::Reachable, _))));
        }
    }
}
