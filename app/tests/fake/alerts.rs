//! Rules, alerts, channels in each health, routes, and what was told on a Monday.

use super::{FakeBackend, now};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use model::{
    Alert, AlertQuery, AlertState, Alternative, Attempt, AttemptError, AttemptOutcome, AttemptTrigger, Channel,
    ChannelHealth, ChannelKind, ChannelSettings, Coming, Explanation, Firing, GroupBy, Health, Maintenance, MutedBy,
    NewSilence, Notification, NotificationQuery, NotificationReason, NotificationState, Page, Preview, PreviewWish,
    Recurrence, Refusal, Route, RouteMatch, Rule, RuleChange, Scope, Severity, Silence, SilenceMatch, SilenceOf, Stage,
    Subject, SubjectKind, Told, Weekday, When, WhenKind,
};
use uuid::Uuid;

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

/// Ids from one number for each kind of thing.
fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(n).into()
}

fn subject(n: u128, name: &str) -> Subject {
    Subject { kind: SubjectKind::Connection, id: Uuid::from_u128(n).to_string(), name: name.into() }
}

/// The six that are shipped, one of them switched off.
pub fn rules() -> Vec<Rule> {
    let whens = [
        (
            "Must sign in again",
            When { health: vec![Health::ReauthorizationRequired], ..When::new(WhenKind::ConnectionHealth) },
            Severity::Critical,
            "When a connection must sign in again for 5 min, say so as critical.",
        ),
        (
            "Offline for long",
            When { health: vec![Health::Offline], ..When::new(WhenKind::ConnectionHealth) },
            Severity::Warning,
            "When a connection is offline for 15 min, say so as a warning.",
        ),
        (
            "A sync is late",
            When { cadences: Some(3.0), ..When::new(WhenKind::SyncLate) },
            Severity::Warning,
            "When a connection's last good sync is older than 3 cadences, say so as a warning.",
        ),
        (
            "A source is silent",
            When { seconds: Some(3_600), of: Some(SilenceOf::Source), ..When::new(WhenKind::Silence) },
            Severity::Critical,
            "When no webhook comes of a source for 1 h, say so as critical.",
        ),
        (
            "An outage",
            When::new(WhenKind::UpstreamUnwell),
            Severity::Critical,
            "When a platform or a source is failing, say so as critical.",
        ),
        (
            "Linewatch is unwell",
            When::new(WhenKind::SelfUnwell),
            Severity::Critical,
            "When Linewatch itself is unwell, say so as critical.",
        ),
    ];
    let rule = |(i, (name, when, severity, sentence)): (usize, (&str, When, Severity, &str))| Rule {
        id: id(5_001 + i as u128),
        name: name.into(),
        when,
        scope: if i == 0 {
            Scope { platforms: vec!["sap-ecc".into()], tags: vec!["gold".into()], ..Scope::default() }
        } else {
            Scope::default()
        },
        for_seconds: 300,
        hold_seconds: 600,
        severity,
        group_by: GroupBy::Rule,
        repeat_seconds: if i == 4 { 0 } else { 14_400 },
        note: (i == 0).then(|| "Write to the customer's administrator, with a link.".into()),
        enabled: i != 2,
        shipped: Some(format!("shipped-{i}")),
        sentence: sentence.into(),
        firing: if i == 0 { 2 } else { 0 },
        version: 3,
        updated_at: ago(9_000),
        updated_by: "Ines Ferreira".into(),
    };
    whens.into_iter().enumerate().map(rule).collect()
}

pub fn changes() -> Vec<RuleChange> {
    vec![RuleChange {
        at: ago(9_000),
        by: "Ines Ferreira".into(),
        text: "Patience from 1 min to 5 min: too many blips.".into(),
        sentence: rules()[0].sentence.clone(),
        version: 3,
    }]
}

/// Over two weeks: noise and what lasted.
pub fn preview(wish: &PreviewWish) -> Preview {
    let names = ["Aldermoor Paper", "Brightwater Utilities", "Corvid Logistics"];
    let firing = |i: i64| Firing {
        subject: subject(1 + (i % 3) as u128, names[(i % 3) as usize]),
        from: ago(2_000 + i * 900),
        to: (i != 0).then(|| ago(2_000 + i * 900 - if i % 2 == 0 { 5 } else { 400 })),
    };
    Preview {
        from: now() - TimeDelta::days(30),
        to: now(),
        sentence: format!("{}: a sentence that says the rule back.", wish.rule.name),
        total: 41,
        noise: 30,
        subjects: 12,
        firings: (0..14).map(firing).collect(),
        alternatives: [(0, 61, 0), (300, 41, 0), (900, 6, 0), (3_600, 2, 3)]
            .map(|(for_seconds, firings, missed)| Alternative { for_seconds, firings, missed })
            .to_vec(),
        caveat: Some("Of webhooks only the last 14 days are kept.".into()),
    }
}

/// Firing, taken, muted, pending, over.
pub fn alerts() -> Vec<Alert> {
    let alert = |n: u128, name: &str, state, severity, muted_by, taken: Option<&str>| Alert {
        id: id(5_100 + n),
        rule_id: id(5_001),
        rule: "Must sign in again".into(),
        severity,
        subject: subject(n, name),
        summary: format!("{name} must sign in again: the password was changed."),
        state,
        since: ago(14 + n as i64),
        fired_at: (state != AlertState::Pending).then(|| ago(9 + n as i64)),
        resolved_at: (state == AlertState::Resolved).then(|| ago(3)),
        acknowledged_by: taken.map(str::to_owned),
        muted_by,
        version: 2,
    };
    vec![
        alert(1, "Aldermoor Paper", AlertState::Firing, Severity::Critical, None, None),
        alert(2, "Brightwater Utilities", AlertState::Firing, Severity::Critical, None, Some("Tom")),
        alert(3, "Corvid Logistics", AlertState::Firing, Severity::Warning, Some(MutedBy::Silence), None),
        alert(4, "Dunmore Foods", AlertState::Pending, Severity::Warning, None, None),
        alert(5, "Elmtree Rail", AlertState::Resolved, Severity::Info, Some(MutedBy::Outage), None),
    ]
}

pub fn page(desk: &FakeBackend, query: &AlertQuery) -> Page<Alert> {
    let usual = [AlertState::Pending, AlertState::Firing];
    let states = if query.state.is_empty() { usual.as_slice() } else { query.state.as_slice() };
    Page {
        items: desk.alerts.iter().filter(|alert| states.contains(&alert.state)).cloned().collect(),
        next_cursor: None,
    }
}

pub fn silence(new: Option<&NewSilence>) -> Silence {
    Silence {
        id: id(5_200),
        matching: new.map_or_else(SilenceMatch::default, |new| new.matching.clone()),
        words: "Every alert of the rule “Must sign in again” about Corvid Logistics".into(),
        by: "Tom".into(),
        reason: "Their move to the new data centre".into(),
        starts_at: ago(60),
        ends_at: now() + TimeDelta::hours(3),
        muting: 1,
    }
}

/// Once and now, and every week.
pub fn maintenances() -> Vec<Maintenance> {
    // two hours from 22:00 in Berlin, where the clocks go forward on the 29th
    let coming = |at: &str| {
        let starts_at: DateTime<Utc> = at.parse().unwrap();
        let ends_at = starts_at + TimeDelta::hours(2);
        let day = starts_at.date_naive();
        let local_start = day.and_hms_opt(22, 0, 0).unwrap();
        Coming { starts_at, ends_at, local_start, local_end: local_start + TimeDelta::hours(2) }
    };
    let once = Maintenance {
        id: id(5_300),
        scope: Scope { platforms: vec!["sap-ecc".into()], ..Scope::default() },
        by: "Ines Ferreira".into(),
        reason: "SAP is updated".into(),
        starts_at: ago(30),
        ends_at: now() + TimeDelta::hours(2),
        recurrence: None,
        active: true,
        next_at: None,
        coming: Vec::new(),
    };
    let weekly = Maintenance {
        id: id(5_301),
        scope: Scope { customers: vec![id(1_001)], ..Scope::default() },
        reason: "Their backup on Saturdays".into(),
        recurrence: Some(Recurrence {
            weekdays: vec![Weekday::Saturday, Weekday::Sunday],
            at: NaiveTime::from_hms_opt(22, 0, 0).unwrap(),
            seconds: 7_200,
            time_zone: "Europe/Berlin".into(),
        }),
        active: false,
        next_at: Some(now() + TimeDelta::days(5)),
        coming: ["2026-03-28T21:00:00Z", "2026-03-29T20:00:00Z", "2026-04-04T20:00:00Z"].map(coming).to_vec(),
        ..once.clone()
    };
    vec![once, weekly]
}

/// One in each health, one switched off.
pub fn channels() -> Vec<Channel> {
    let works = Channel {
        id: id(5_400),
        name: "erp-team".into(),
        kind: ChannelKind::Email,
        settings: ChannelSettings { to: vec!["erp-team@example.com".into()], ..ChannelSettings::default() },
        hint: None,
        secret: None,
        health: ChannelHealth::Healthy,
        last_error: None,
        last_sent_at: Some(ago(9)),
        failing_since: None,
        waiting: 0,
        fallback_id: None,
        enabled: true,
        version: 1,
    };
    let fails = Channel {
        id: id(5_401),
        name: "erp-alerts".into(),
        kind: ChannelKind::Slack,
        settings: ChannelSettings::default(),
        hint: Some("9f3c".into()),
        health: ChannelHealth::Failing,
        last_error: Some(AttemptError {
            class: "gone".into(),
            message: "Slack says that this webhook was removed (404, no_service).".into(),
        }),
        failing_since: Some(ago(33)),
        waiting: 4,
        fallback_id: Some(id(5_400)),
        ..works.clone()
    };
    let untried = Channel {
        id: id(5_402),
        name: "pager".into(),
        kind: ChannelKind::Webhook,
        settings: ChannelSettings { url: Some("https://example.com/alerts".into()), ..ChannelSettings::default() },
        hint: Some("a1b2".into()),
        health: ChannelHealth::Untried,
        last_sent_at: None,
        ..works.clone()
    };
    vec![works.clone(), fails, untried, Channel { id: id(5_403), name: "old".into(), enabled: false, ..works }]
}

pub fn routes() -> Vec<Route> {
    let first = Route {
        id: id(5_500),
        name: "SAP team".into(),
        position: 1,
        matching: RouteMatch {
            severities: vec![Severity::Critical],
            rule_ids: vec![id(5_001)],
            platforms: vec!["sap-ecc".into()],
            ..RouteMatch::default()
        },
        goes_on: true,
        channels: vec![id(5_401), id(5_400)],
        group_by: Some(GroupBy::Customer),
        first_wait_seconds: 0,
        interval_seconds: 300,
        repeat_seconds: Some(3_600),
        version: 2,
    };
    let rest = Route {
        id: id(5_501),
        name: "Everything else".into(),
        position: 2,
        matching: RouteMatch::default(),
        goes_on: false,
        channels: vec![id(5_400)],
        group_by: None,
        first_wait_seconds: 30,
        repeat_seconds: None,
        ..first.clone()
    };
    vec![first, rest]
}

pub fn explanation() -> Explanation {
    let stage = |stage: &str, name: Option<&str>, passes, text: &str| Stage {
        stage: stage.into(),
        name: name.map(str::to_owned),
        passes,
        text: text.into(),
    };
    Explanation {
        stages: vec![
            stage("group", None, true, "It is told together with the other alerts of its rule."),
            stage("route", Some("SAP team"), true, "It is critical and about SAP ECC."),
            stage("maintenance", None, true, "No maintenance covers it."),
            stage("silence", Some("Their move"), false, "Tom silenced it until 17:38."),
        ],
        channels: vec![id(5_400)],
    }
}

/// Sent, failed after two tries, waiting in place of another.
pub fn notifications() -> Vec<Notification> {
    let attempt = |n, error: Option<&str>| Attempt {
        n,
        trigger: if n == 1 { AttemptTrigger::Arrival } else { AttemptTrigger::Schedule },
        by: None,
        started_at: ago(9 - i64::from(n)),
        duration_ms: 184,
        outcome: if error.is_some() { AttemptOutcome::Failed } else { AttemptOutcome::Ok },
        status: Some(if error.is_some() { 404 } else { 200 }),
        error: error.map(|message| AttemptError { class: "gone".into(), message: message.into() }),
    };
    let sent = Notification {
        id: id(5_600),
        alert_ids: vec![id(5_101), id(5_102)],
        channel_id: id(5_400),
        channel: "erp-team".into(),
        channel_kind: ChannelKind::Email,
        reason: NotificationReason::First,
        subject: "Aldermoor Paper must sign in again to SAP ECC".into(),
        state: NotificationState::Sent,
        maybe_repeat: true,
        instead_of: None,
        created_at: ago(9),
        due_at: None,
        sent_at: Some(ago(9)),
        attempts: vec![attempt(1, None)],
        text: Some("1 connection needs attention.\n\n* Aldermoor Paper SAP ECC\n  What: must sign in again\n\nOpen in Linewatch: https://linewatch.example/alerts".into()),
    };
    let gone = Some("Slack says that this webhook was removed (404, no_service).");
    let failed = Notification {
        id: id(5_601),
        channel_id: id(5_401),
        channel: "erp-alerts".into(),
        channel_kind: ChannelKind::Slack,
        state: NotificationState::Failed,
        maybe_repeat: false,
        sent_at: None,
        attempts: vec![attempt(1, gone), attempt(2, gone)],
        ..sent.clone()
    };
    let waits = Notification {
        id: id(5_602),
        reason: NotificationReason::Grew,
        state: NotificationState::Pending,
        maybe_repeat: false,
        instead_of: Some(id(5_601)),
        due_at: Some(now() + TimeDelta::seconds(40)),
        sent_at: None,
        attempts: Vec::new(),
        ..sent.clone()
    };
    vec![waits, sent, failed]
}

pub fn log(desk: &FakeBackend, query: &NotificationQuery) -> Page<Notification> {
    let fits = |one: &&Notification| {
        (query.state.is_empty() || query.state.contains(&one.state))
            && query.channel.is_none_or(|channel| channel == one.channel_id)
    };
    // as the real one: what a message says is only told of one
    let bare = |one: &Notification| Notification { text: None, ..one.clone() };
    Page { items: desk.notifications.iter().filter(fits).map(bare).collect(), next_cursor: Some("next-one".into()) }
}

/// Told by mail; once nobody was, because of a silence.
pub fn told(desk: &FakeBackend) -> Vec<Told> {
    let Some(first) = desk.notifications.get(1) else { return Vec::new() };
    let told = Told {
        notification_id: Some(first.id),
        subject: subject(1, "Aldermoor Paper"),
        rule: "Must sign in again".into(),
        channel: Some(first.channel.clone()),
        reason: Some(first.reason),
        at: ago(9),
        state: Some(first.state),
        muted_by: None,
    };
    let muted = Told {
        notification_id: None,
        channel: None,
        reason: None,
        at: ago(4_000),
        state: None,
        muted_by: Some(MutedBy::Silence),
        ..told.clone()
    };
    vec![told, muted]
}

/// Who was told of the outage.
pub fn told_of_outage(desk: &FakeBackend) -> Vec<Told> {
    let sap = Subject { kind: SubjectKind::Platform, id: "sap".into(), name: "SAP".into() };
    let told = told(desk).into_iter().filter(|told| told.muted_by.is_none());
    told.map(|told| Told { subject: sap.clone(), rule: "Outage".into(), ..told }).collect()
}

/// The one with an id, or the refusal that there is none.
pub fn one<T: Clone>(all: &[T], is: impl Fn(&T) -> bool, what: &str) -> Result<T, Refusal> {
    all.iter().find(|one| is(one)).cloned().ok_or(Refusal::NotFound(what.to_owned()))
}
