//! Issues, outages and bulk work that look like a Monday.

use super::{FakeBackend, now};
use chrono::{DateTime, TimeDelta, Utc};
use model::{
    Bulk, BulkFailure, BulkId, BulkKind, BulkState, ConnectionRef, Health, Issue, IssueCounts, IssueEntry,
    IssueEntryKind, IssueId, IssueQuery, IssueState, NewBulk, Outage, OutageId, OutageKind, OutageSubject, Page,
    Refusal,
};
use uuid::Uuid;

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

/// One for each state, of the connections that are unwell, and one for the outage.
pub fn every_state(connections: &[model::Connection]) -> Vec<Issue> {
    let states = [
        (IssueState::Open, None, 3),
        (IssueState::WaitingOnCustomer, Some("Ines Ferreira"), 0),
        (IssueState::Folded, None, 0),
        (IssueState::Folded, None, 1),
        (IssueState::Snoozed, Some("Ines Ferreira"), 0),
        (IssueState::Acknowledged, Some("Tom"), 10),
        (IssueState::Resolved, Some("Tom"), 0),
    ];
    let mut issues: Vec<_> = connections
        .iter()
        .zip(states)
        .enumerate()
        .filter_map(|(i, (c, (state, assignee, recurrences)))| {
            Some(Issue {
                id: Uuid::from_u128(7_001 + i as u128).into(),
                number: 41 + i as i64,
                connection: Some(ConnectionRef { id: c.id, name: c.name.clone() }),
                customer: Some(c.customer.clone()),
                platform: Some(c.platform.clone()),
                health: Some(c.health),
                outage_id: (state == IssueState::Folded).then(|| outage().id),
                cause: c.cause.clone()?,
                state,
                assignee: assignee.map(str::to_owned),
                opened_at: c.since,
                resolved_at: (state == IssueState::Resolved).then(|| ago(30)),
                snooze_until: (state == IssueState::Snoozed).then(|| now() + TimeDelta::hours(17)),
                recurrences,
                version: 4,
                updated_at: c.since,
            })
        })
        .collect();
    if let Some(failing) = connections.iter().find(|c| c.health == Health::Failing) {
        issues.insert(
            0,
            Issue {
                id: Uuid::from_u128(7_000).into(),
                number: 48,
                connection: None,
                customer: None,
                platform: Some(failing.platform.clone()),
                health: None,
                outage_id: Some(outage().id),
                state: IssueState::Open,
                assignee: None,
                opened_at: ago(33),
                ..issues[0].clone()
            },
        );
    }
    issues
}

/// One that lasts.
pub fn outage() -> Outage {
    Outage {
        id: Uuid::from_u128(8_000).into(),
        subject: OutageSubject { kind: OutageKind::Platform, slug: "sap-s-4hana".into(), name: "SAP S/4HANA".into() },
        started_at: ago(33),
        ended_at: None,
        affected: 12,
        still_broken: 9,
        issue_id: Some(Uuid::from_u128(7_000).into()),
        issue_number: Some(48),
    }
}

/// One that lasts, one that is over.
pub fn outages() -> Vec<Outage> {
    let over = Outage {
        id: Uuid::from_u128(8_001).into(),
        subject: OutageSubject { kind: OutageKind::Source, slug: "trial".into(), name: "trial".into() },
        started_at: ago(75),
        ended_at: Some(ago(20)),
        affected: 24,
        still_broken: 0,
        issue_id: None,
        issue_number: None,
    };
    vec![outage(), over]
}

pub fn page(desk: &FakeBackend, query: &IssueQuery) -> Page<Issue> {
    let me = |name: &String| if name == "me" { "Ines Ferreira".to_owned() } else { name.clone() };
    let fits = |issue: &&Issue| {
        (query.state.is_empty() || query.state.contains(&issue.state))
            && (query.assignee.is_empty() || query.assignee.iter().any(|name| issue.assignee == Some(me(name))))
            && (query.connection.is_empty()
                || issue.connection.as_ref().is_some_and(|c| query.connection.contains(&c.id)))
    };
    let items: Vec<_> = desk.issues.iter().filter(fits).cloned().collect();
    Page { next_cursor: (items.len() > 5).then(|| "next-one".to_owned()), items }
}

pub fn counts(desk: &FakeBackend) -> IssueCounts {
    let of = |state| desk.issues.iter().filter(|issue| issue.state == state).count() as u64;
    let mine = desk.issues.iter().filter(|i| i.state.is_live() && i.assignee.as_deref() == Some("Ines Ferreira"));
    IssueCounts {
        open: of(IssueState::Open),
        mine: mine.count() as u64,
        waiting: of(IssueState::WaitingOnCustomer),
        snoozed: of(IssueState::Snoozed),
        acknowledged: of(IssueState::Acknowledged),
    }
}

pub fn one(desk: &FakeBackend, id: IssueId) -> Result<Issue, Refusal> {
    desk.issues.iter().find(|issue| issue.id == id).cloned().ok_or(Refusal::NotFound("This issue".into()))
}

pub fn one_outage(desk: &FakeBackend, id: OutageId) -> Result<Outage, Refusal> {
    desk.outages.iter().find(|outage| outage.id == id).cloned().ok_or(Refusal::NotFound("This outage".into()))
}

pub fn entries(issue: &Issue) -> Vec<IssueEntry> {
    let minutes = (now() - issue.opened_at).num_minutes();
    let entry = |at, kind, by: Option<&str>, text: &str| IssueEntry {
        at: ago(at),
        kind,
        by: by.map(str::to_owned),
        text: text.into(),
    };
    vec![
        entry(
            minutes - 12,
            IssueEntryKind::Note,
            Some("Tom"),
            "Their admin is on leave until Thursday; wrote to the deputy.",
        ),
        entry(minutes, IssueEntryKind::Reopened, None, "It came again: the sign-in was refused, seen by webhook."),
        entry(minutes + 1_900, IssueEntryKind::Resolved, None, "A good sync proved the repair."),
        entry(minutes + 2_000, IssueEntryKind::Assigned, Some("Ines Ferreira"), "Given to Tom"),
        entry(minutes + 2_040, IssueEntryKind::Opened, None, "The password was changed at the source."),
    ]
}

/// Only counted where that was asked; else one that runs.
pub fn start(desk: &FakeBackend, new: &NewBulk) -> Bulk {
    let total = match (new.filter.0.get("id"), new.filter.0.is_empty()) {
        (Some(ids), _) => ids.len() as i64,
        (None, true) => desk.connections.len() as i64,
        (None, false) => 2,
    };
    Bulk { kind: new.kind, total, remaining: total, done: 0, failed: 0, skipped: 0, ..run(None, None) }
}

/// One under way, and one that is through, by the last digit of its id.
pub fn bulk(id: BulkId) -> Result<Bulk, Refusal> {
    match id.0.as_u128() {
        1 => Ok(run(Some(id), Some(BulkState::Running))),
        2 => Ok(Bulk { done: 309, remaining: 0, ended_at: Some(ago(1)), ..run(Some(id), Some(BulkState::Done)) }),
        _ => Err(Refusal::NotFound("This bulk operation".into())),
    }
}

fn run(id: Option<BulkId>, state: Option<BulkState>) -> Bulk {
    let failure = |n: u128, name: &str, message: &str| BulkFailure {
        connection: ConnectionRef { id: Uuid::from_u128(n).into(), name: name.into() },
        message: message.into(),
    };
    Bulk {
        id,
        kind: BulkKind::Check,
        state,
        total: 318,
        done: 120,
        failed: 2,
        skipped: 7,
        remaining: 189,
        by: "Ines Ferreira".into(),
        started_at: id.map(|_| ago(2)),
        ended_at: None,
        failures: match id {
            Some(_) => vec![
                failure(3, "Corvid Logistics", "Makini answered 429 three times; it asks for patience until 14:41."),
                failure(4, "Dunmore Foods", "The request timed out after 30 s."),
            ],
            None => Vec::new(),
        },
        undo_until: None,
        undone: None,
    }
}
