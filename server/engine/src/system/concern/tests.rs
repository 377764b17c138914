use super::*;
use model::{Dialect, Environment, Mappings, SourceRound, SourceTraffic, TokenOwnership, WebhookSecret};

fn now() -> DateTime<Utc> {
    "2026-03-02T14:38:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> Option<DateTime<Utc>> {
    Some(now() - TimeDelta::seconds(seconds))
}

/// A source that is seen well.
fn source() -> Source {
    Source {
        id: SourceId(uuid::Uuid::nil()),
        name: "acme".into(),
        environment: Environment::Production,
        dialect: Dialect::FaqV1,
        base_url: "https://api.example.com".into(),
        client_id: "client".into(),
        token_ownership: TokenOwnership::External,
        redirect: model::Redirect::Theirs,
        authorize_url: None,
        enabled: true,
        webhook_url: String::new(),
        webhook_secrets: vec![WebhookSecret {
            id: model::SecretId(uuid::Uuid::nil()),
            hint: "9f3c".into(),
            created_at: now(),
            last_used_at: None,
        }],
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
        round: SourceRound { good_at: ago(30), ..SourceRound::default() },
        traffic: SourceTraffic::default(),
        api_version: Some("v2".into()),
        api_version_since: None,
        api_version_before: None,
        skew_ms: Some(120),
        connections: 12,
        version: 1,
    }
}

fn worker(seen: i64) -> Replica {
    let name = String::from("host:1");
    let (role, version) = ("all".to_owned(), "0.1.0".to_owned());
    Replica { id: uuid::Uuid::nil(), name, role, version, started_at: now(), seen_at: now() - TimeDelta::seconds(seen) }
}

fn look<'a>(change: impl FnOnce(&mut Source, &mut Vec<Replica>, &mut Facts<'a>)) -> Vec<(ConcernCode, Severity)> {
    let (mut source, mut replicas) = (source(), vec![worker(3)]);
    let well = Facts {
        sources: &[],
        silent: &[],
        broken: &[],
        replicas: &[],
        waiting_since: None,
        room_until: Some("2026-03-09".parse().unwrap()),
        certificate: None,
        public_url: "https://linewatch.example.com",
    };
    let mut facts = well;
    change(&mut source, &mut replicas, &mut facts);
    let facts = Facts { sources: std::slice::from_ref(&source), replicas: &replicas, ..facts };
    concerns(facts, now()).into_iter().map(|concern| (concern.code, concern.severity)).collect()
}

#[test]
fn all_is_well() {
    assert_eq!(look(|_, _, _| {}), []);
}

#[test]
fn a_source_that_is_not_polled() {
    use ConcernCode::SourceUnseen;
    use Severity::Critical;
    assert_eq!(look(|source, _, _| source.round.failing_since = ago(5)), [(SourceUnseen, Critical)]);
    assert_eq!(look(|source, _, _| source.round.good_at = ago(170)), [], "three intervals may pass");
    assert_eq!(look(|source, _, _| source.round.good_at = ago(190)), [(SourceUnseen, Critical)], "or hang for ever");
    assert_eq!(look(|source, _, _| (source.poll_interval_seconds, source.round.good_at) = (5, ago(100))), []);
    assert_eq!(look(|source, _, _| source.round.good_at = None), [], "it is new");
    let off = look(|source, _, _| {
        source.enabled = false;
        (source.round.good_at, source.round.failing_since) = (ago(9_999), ago(9_999));
    });
    assert_eq!(off, [], "somebody switched it off");
}

#[test]
fn webhooks_that_have_stopped() {
    let source = SourceId(uuid::Uuid::nil());
    let silent = |missed| Silent { source, missed, fed: 0, since: now() - TimeDelta::hours(1) };
    let (two, three) = ([silent(2)], [silent(3)]);
    assert_eq!(look(|_, _, facts| facts.silent = &two), [], "some are lost on the way");
    let stopped = [(ConcernCode::WebhooksSilent, Severity::Warning)];
    assert_eq!(look(|_, _, facts| facts.silent = &three), stopped);
    let fed = [Silent { fed: 1, ..silent(0) }];
    assert_eq!(look(|_, _, facts| facts.silent = &fed), stopped, "nobody polls what webhooks feed");
    let deaf = look(|source, _, facts| {
        source.webhook_secrets.clear();
        facts.silent = &three;
    });
    assert_eq!(deaf, [(ConcernCode::SourceDeaf, Severity::Warning)], "said once");
}

#[test]
fn webhooks_that_cannot_be_taken() {
    use ConcernCode::{PublicUrl, SourceDeaf, WebhooksRefused};
    use Severity::Warning;
    assert_eq!(look(|source, _, _| source.webhook_secrets.clear()), [(SourceDeaf, Warning)]);
    let refused = |taken: Option<DateTime<Utc>>| {
        look(move |source, _, _| {
            source.traffic.rejections.insert(RejectionReason::SignatureWrong, 4);
            (source.traffic.last_rejection_at, source.traffic.last_event_at) = (ago(60), taken);
        })
    };
    assert_eq!(refused(None), [(WebhooksRefused, Warning)]);
    assert_eq!(refused(ago(3_600)), [(WebhooksRefused, Warning)]);
    assert_eq!(refused(ago(90)), [], "others are taken: somebody else's forgeries");
    assert_eq!(look(|_, _, facts| facts.public_url = "http://linewatch.example.com"), [(PublicUrl, Warning)]);
    assert_eq!(look(|_, _, facts| facts.public_url = "https://localhost:3000"), [(PublicUrl, Warning)]);
    let local = look(|source, _, facts| {
        source.base_url = "http://127.0.0.1:4010".into();
        facts.public_url = "http://127.0.0.1:3000";
    });
    assert_eq!(local, [], "both on this machine, as in the demo");
}

#[test]
fn what_does_the_work() {
    use ConcernCode::{Backlog, NoWorker};
    use Severity::{Critical, Warning};
    assert_eq!(look(|_, replicas, _| replicas.clear()), [(NoWorker, Critical)]);
    assert_eq!(look(|_, replicas, _| replicas[0] = worker(60)), [(NoWorker, Critical)], "it fell silent");
    assert_eq!(look(|_, replicas, _| replicas[0].role = "web".into()), [(NoWorker, Critical)]);
    assert_eq!(look(|_, replicas, _| replicas.push(worker(60))), [], "another one lives");
    assert_eq!(look(|_, _, facts| facts.waiting_since = ago(10)), []);
    assert_eq!(look(|_, _, facts| facts.waiting_since = ago(40)), [(Backlog, Warning)]);
    assert_eq!(look(|_, _, facts| facts.waiting_since = ago(400)), [(Backlog, Critical)]);
}

#[test]
fn another_version_is_news_for_a_week() {
    let drift = |days: i64| {
        look(move |source, _, _| {
            source.api_version_before = Some("v1".into());
            source.api_version_since = ago(days * 86_400);
        })
    };
    assert_eq!(drift(2), [(ConcernCode::VersionDrift, Severity::Info)]);
    assert_eq!(drift(8), []);
}

#[test]
fn room_certificate_and_clocks_worst_first() {
    use ConcernCode::{Certificate, ClockSkew, Partitions};
    use Severity::{Critical, Warning};
    let room = |until: Option<&str>| look(|_, _, facts| facts.room_until = until.map(|day| day.parse().unwrap()));
    assert_eq!(room(None), [(Partitions, Critical)]);
    assert_eq!(room(Some("2026-03-03")), [(Partitions, Critical)]);
    assert_eq!(room(Some("2026-03-04")), []);
    let ends = |days: i64| {
        let certificate =
            model::Certificate { looked_at: now(), ends_at: Some(now() + TimeDelta::days(days)), error: None };
        concerns(
            Facts {
                sources: &[Source { skew_ms: Some(-40_000), ..source() }],
                silent: &[],
                broken: &[],
                replicas: &[worker(1)],
                waiting_since: None,
                room_until: Some("2026-03-09".parse().unwrap()),
                certificate: Some(&certificate),
                public_url: "https://linewatch.example.com",
            },
            now(),
        )
    };
    let codes = |days| ends(days).into_iter().map(|c| (c.code, c.severity)).collect::<Vec<_>>();
    assert_eq!(codes(30), [(ClockSkew, Warning)]);
    assert_eq!(codes(3), [(Certificate, Warning), (ClockSkew, Warning)]);
    assert_eq!(codes(-1), [(Certificate, Critical), (ClockSkew, Warning)]);
    assert!(ends(30)[0].title.contains("40 s behind"), "{:?}", ends(30));
}

#[test]
fn what_we_tell_by_and_forward_to_fails() {
    let id = uuid::Uuid::from_u128(7);
    let broken = [Which::Channel(model::ChannelId(id)), Which::Endpoint(model::EndpointId(id))].map(|which| Broken {
        which,
        name: "it".into(),
        since: now(),
    });
    let seen = look(|_, _, facts| facts.broken = &broken);
    let both = [(ConcernCode::ChannelFails, Severity::Warning), (ConcernCode::EndpointUnreached, Severity::Warning)];
    assert_eq!(seen, both);
}
