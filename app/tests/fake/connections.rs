//! One connection for each health, worst first.

use super::sources;
use chrono::{DateTime, TimeDelta, Utc};
use model::{
    Applied, Authorization, CadenceFrom, Cause, CauseView, Connection, ConnectionDetail, ConnectionId, CustomerRef,
    DataFlow, Evidence, Eye, Health, Page, PlatformRef, Proof, SourceRef, TimelineItem, TimelineKind,
};
use uuid::Uuid;

/// The moment of every render.
pub fn now() -> DateTime<Utc> {
    "2026-03-02T14:38:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

struct Line(
    &'static str,
    &'static str,
    Health,
    Option<(Cause, &'static str)>,
    i64,
    Option<i64>,
    Option<(Eye, i64)>,
    Option<&'static str>,
);

/// One for each health, and some more.
pub fn every_health() -> Vec<Connection> {
    use Health as H;
    let changed = "The password of the account MAKINI_RFC was changed, so SAP refuses the sign-in";
    [
        Line(
            "Aldermoor Paper",
            "SAP ECC",
            H::ReauthorizationRequired,
            Some((Cause::CredentialsChanged, changed)),
            14,
            Some(130),
            Some((Eye::Check, 1)),
            Some("Ines"),
        ),
        Line(
            "Brightwater Utilities",
            "NetSuite",
            H::ReauthorizationRequired,
            Some((Cause::Revoked, "The access token was revoked by an administrator")),
            180,
            Some(190),
            Some((Eye::Webhook, 180)),
            Some("Tom"),
        ),
        Line(
            "Corvid Logistics",
            "Dynamics 365",
            H::Offline,
            Some((Cause::PlatformUnreachable, "The system does not answer (timeout after 30 s)")),
            22,
            Some(41),
            Some((Eye::Poll, 1)),
            None,
        ),
        Line(
            "Dunmore Foods",
            "SAP S/4HANA",
            H::Failing,
            Some((Cause::SyncError, "HTTP 503 from /sap/opu/odata")),
            47,
            Some(63),
            Some((Eye::Poll, 1)),
            None,
        ),
        Line(
            "Eastgate Hospitals",
            "IFS",
            H::Late,
            Some((Cause::Late, "The last good sync is 2.3 cadences old")),
            70,
            Some(140),
            Some((Eye::Poll, 2)),
            Some("Ines"),
        ),
        Line(
            "Fairmont Rail",
            "Oracle Fusion Cloud Maintenance",
            H::Unstable,
            Some((Cause::SyncError, "Five changes within an hour")),
            55,
            Some(12),
            Some((Eye::Webhook, 4)),
            None,
        ),
        Line(
            "Ferrous & Sons",
            "Infor EAM",
            H::Unknown,
            Some((Cause::NoProof, "Nothing has proved its state since 09:02")),
            300,
            Some(300),
            None,
            None,
        ),
        Line(
            "Glasswing Energy",
            "Maximo",
            H::FirstSync,
            Some((Cause::ReadingHistory, "Reading 90 days of history, 61 %")),
            38,
            None,
            Some((Eye::Webhook, 0)),
            Some("Tom"),
        ),
        Line(
            "Hollis Ceramics",
            "Business Central",
            H::Paused,
            Some((Cause::NoCredits, "Inactive for lack of credits")),
            2_900,
            Some(2_910),
            Some((Eye::Poll, 1)),
            None,
        ),
        Line("Harrow Steelworks", "SAP Business One", H::Healthy, None, 17_280, Some(3), Some((Eye::Webhook, 3)), None),
        Line("Ilex Pharma", "NetSuite", H::Healthy, None, 59_040, Some(8), Some((Eye::Webhook, 8)), Some("Ines")),
    ]
    .into_iter()
    .enumerate()
    .map(|(i, line)| connection(i as u128 + 1, line))
    .collect()
}

/// A connection.
fn connection(number: u128, Line(customer, platform, health, cause, since, synced, proof, owner): Line) -> Connection {
    let source = if number == 6 { sources::failing_source() } else { sources::source() };
    Connection {
        id: ConnectionId(Uuid::from_u128(number)),
        key: format!("0900020761{number:04}"),
        name: if number == 2 { "Finance, EU".into() } else { customer.into() },
        customer: CustomerRef { id: Uuid::from_u128(1_000 + number).into(), name: customer.into() },
        platform: PlatformRef { slug: platform.to_lowercase().replace(['/', ' '], "-"), name: platform.into() },
        source: SourceRef { id: source.id, name: source.name, environment: source.environment },
        health,
        authorization: match health {
            Health::ReauthorizationRequired => Authorization::ReauthorizationRequired,
            Health::Unknown => Authorization::Unknown,
            _ => Authorization::Authorized,
        },
        data_flow: match health {
            Health::ReauthorizationRequired | Health::Late => DataFlow::Late,
            Health::Offline => DataFlow::Offline,
            Health::Failing => DataFlow::Failing,
            Health::Unknown => DataFlow::Unknown,
            Health::FirstSync => DataFlow::FirstSync,
            Health::Paused => DataFlow::Paused,
            _ => DataFlow::Fresh,
        },
        since: ago(since),
        cause: cause.map(|(code, summary)| CauseView { code, summary: summary.into(), actor: code.actor() }),
        proof: proof.map(|(eye, minutes)| Proof { eye, at: ago(minutes) - TimeDelta::seconds(8) }),
        last_good_sync_at: synced.map(ago),
        cadence_seconds: synced.map(|_| if number.is_multiple_of(3) { 3_600 } else { 900 }),
        cadence_from: synced.map(|_| CadenceFrom::Learned),
        real_time: None,
        owner: owner.map(str::to_owned),
        tags: if number == 1 { vec!["gold".into(), "emea".into()] } else { Vec::new() },
        raw_status: Some(if health == Health::Healthy { "active" } else { "fail" }.into()),
        version: 7,
        updated_at: ago(since),
    }
}

/// Everything on its own page.
pub fn detail(connection: Connection) -> ConnectionDetail {
    ConnectionDetail {
        email: Some("j.olsen@aldermoor.example".into()),
        note: (connection.health == Health::ReauthorizationRequired)
            .then(|| "Their admin is on leave until Thursday; write to the deputy.".into()),
        first_seen_at: ago(60 * 24 * 41),
        removed_at: None,
        late_at: connection.last_good_sync_at.map(|at| at + TimeDelta::minutes(35)),
        webhooks: None,
        cadence_set_seconds: (connection.cadence_from == Some(model::CadenceFrom::Set))
            .then_some(connection.cadence_seconds)
            .flatten(),
        cadence_samples: connection.cadence_seconds.map(|_| 96),
        proof_allowance_seconds: 900,
        checking: false,
        upstream_error: (connection.health == Health::ReauthorizationRequired)
            .then(|| "AUTHENTICATION_FAILED, request req_8f21c0".into()),
        records: None,
        upstream: serde_json::json!({"id": connection.key, "status": connection.raw_status, "platform": {"slug": connection.platform.slug}}),
        connection,
    }
}

/// What happened.
pub fn story(connection: Option<&Connection>) -> Page<TimelineItem> {
    let Some(c) = connection else { return Page { items: Vec::new(), next_cursor: None } };
    let item = |at, kind, from, to, text: &str| TimelineItem {
        at: ago(at),
        kind,
        from,
        to,
        cause: None,
        eye: Some(Eye::Webhook),
        evidence_id: None,
        text: text.into(),
    };
    let minutes = (now() - c.since).num_minutes();
    Page {
        items: vec![
            TimelineItem {
                cause: c.cause.clone(),
                ..item(
                    minutes,
                    TimelineKind::Transition,
                    Some(Health::Healthy),
                    Some(c.health),
                    &format!("{} → {}", Health::Healthy.words(), c.health.words()),
                )
            },
            item(
                minutes + 3,
                TimelineKind::Conflict,
                None,
                None,
                "The poll said healthy, an older webhook said otherwise; a check decided",
            ),
            item(minutes + 200, TimelineKind::Transition, Some(Health::Late), Some(Health::Healthy), "Late → Healthy"),
            item(minutes + 260, TimelineKind::Transition, Some(Health::Healthy), Some(Health::Late), "Healthy → Late"),
            item(minutes + 300, TimelineKind::Gap, None, None, "A sync has finished whose webhook never came"),
            item(minutes + 400, TimelineKind::Person, None, None, "Ines became its owner"),
        ],
        next_cursor: Some("older-one".into()),
    }
}

/// What was seen.
pub fn seen(connection: Option<&Connection>) -> Page<Evidence> {
    let Some(_) = connection else { return Page { items: Vec::new(), next_cursor: None } };
    let one = |n: u128, eye, minutes, applied, text: &str| Evidence {
        id: Uuid::from_u128(5_000 + n).into(),
        eye,
        at: ago(minutes),
        received_at: ago(minutes),
        applied,
        text: text.into(),
        facts: serde_json::json!({"status": "fail", "http": 401}),
    };
    Page {
        items: vec![
            one(
                1,
                Eye::Check,
                1,
                Applied::Confirmed,
                "A read with a fresh token was refused with AUTHENTICATION_FAILED",
            ),
            one(2, Eye::Webhook, 14, Applied::Changed, "connection.reauthorization_required"),
            one(3, Eye::Poll, 15, Applied::Older, "The list said active"),
        ],
        next_cursor: None,
    }
}
