//! Syncs, availability, abilities, links, customers and views.

use super::{FakeBackend, now};
use chrono::{DateTime, TimeDelta, Utc};
use model::{
    Ability, AbilityProof, Availability, Capability, Cause, Connection, ConnectionId, Customer, CustomerId, Eye,
    Health, LinkState, Operation, Page, ReconnectLink, Refusal, SavedView, Sync, SyncKind, SyncOutcome,
};
use uuid::Uuid;

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

/// Two good ones and one that failed; a connection in its first sync has none.
pub fn syncs(connection: &Connection) -> Page<Sync> {
    let Some(last) = connection.last_good_sync_at else { return Page { items: Vec::new(), next_cursor: None } };
    let failed = Sync {
        started_at: None,
        ended_at: last + TimeDelta::minutes(2),
        outcome: SyncOutcome::Failed,
        kind: None,
        records: None,
        error: Some("AUTHENTICATION_FAILED, request req_8f21c0".into()),
        eye: Eye::Poll,
    };
    let good = |minutes, kind, records, eye| Sync {
        started_at: Some(last - TimeDelta::minutes(minutes) - TimeDelta::seconds(9)),
        ended_at: last - TimeDelta::minutes(minutes),
        outcome: SyncOutcome::Good,
        kind: Some(kind),
        records: Some(records),
        error: None,
        eye,
    };
    let newest = (connection.health == Health::ReauthorizationRequired).then_some(failed);
    let before = [good(0, SyncKind::Incremental, 41, Eye::Webhook), good(15, SyncKind::Full, 12_408, Eye::Webhook)];
    Page { items: newest.into_iter().chain(before).collect(), next_cursor: Some("older-syncs".into()) }
}

/// Down for a while where it is ill, without fault where it is well.
pub fn availability(connection: &Connection, days: u16) -> Availability {
    let whole = i64::from(days) * 86_400;
    let (down, unknown, apart) = match connection.health {
        Health::Healthy => (0, 0, 0),
        _ => (32_400, 7_200, 3_600),
    };
    let up = whole - down - unknown - apart;
    Availability {
        days,
        up_seconds: up,
        down_seconds: down,
        unknown_seconds: unknown,
        apart_seconds: apart,
        maintenance_seconds: 0,
        percent: Some(up as f64 * 100.0 / (up + down) as f64),
        incidents: if down == 0 { 0 } else { 3 },
    }
}

/// Of two kinds of records; nothing of those that are not connected yet.
pub fn capabilities(connection: &Connection) -> Vec<Capability> {
    if connection.health == Health::FirstSync {
        return Vec::new();
    }
    let one = |entity: &str, operation, ability, limit: Option<&str>, proof| Capability {
        entity: entity.into(),
        operation,
        ability,
        limit: limit.map(str::to_owned),
        proof,
        proved_at: proof.map(|_| ago(600)),
        eye: proof.filter(|proof| *proof != AbilityProof::Described).map(|_| Eye::Webhook),
        code: (proof == Some(AbilityProof::Refused)).then(|| "RECORD_LOCKED".into()),
        message: (proof == Some(AbilityProof::Refused)).then(|| "The order takes no changes after approval.".into()),
        event_id: (proof == Some(AbilityProof::Refused)).then(|| Uuid::from_u128(9_001).into()),
    };
    vec![
        one("purchase_orders", Operation::Read, Ability::Yes, None, Some(AbilityProof::Done)),
        one("purchase_orders", Operation::Create, Ability::Yes, None, Some(AbilityProof::Described)),
        one(
            "purchase_orders",
            Operation::Update,
            Ability::Limited,
            Some("not after approval"),
            Some(AbilityProof::Refused),
        ),
        one("purchase_orders", Operation::Delete, Ability::No, None, Some(AbilityProof::Described)),
        one("work_orders", Operation::Read, Ability::Yes, None, Some(AbilityProof::Done)),
    ]
}

/// The first connection has a link that was opened and one that is too old; the second one that was refused.
pub fn links(id: ConnectionId) -> Vec<ReconnectLink> {
    let link = |number: u128, state, minutes| ReconnectLink {
        id: Uuid::from_u128(8_000 + number).into(),
        connection_id: id,
        state,
        url: None,
        made_by: "Ines Ferreira".into(),
        made_at: ago(minutes),
        expires_at: ago(minutes) + TimeDelta::days(7),
        opened_at: None,
        done_at: None,
        proved_at: None,
        refusal: None,
    };
    match id.0.as_u128() {
        1 => vec![
            ReconnectLink { opened_at: Some(ago(4)), ..link(1, LinkState::Opened, 9) },
            link(2, LinkState::Expired, 20_000),
        ],
        2 => vec![ReconnectLink {
            opened_at: Some(ago(40)),
            done_at: Some(ago(38)),
            refusal: Some("The customer signed in to Finance, US, which is another connection.".into()),
            ..link(3, LinkState::Refused, 60)
        }],
        10 => vec![ReconnectLink {
            opened_at: Some(ago(17_290)),
            done_at: Some(ago(17_285)),
            proved_at: Some(ago(17_280)),
            ..link(4, LinkState::Proved, 17_300)
        }],
        _ => Vec::new(),
    }
}

/// The link just made, with its address.
pub fn made(id: ConnectionId) -> ReconnectLink {
    let url = "https://linewatch.example.com/r/Zk3vQp9".to_owned();
    let made = links(id).into_iter().next();
    let made = made.unwrap_or_else(|| links(ConnectionId(Uuid::from_u128(1))).remove(0));
    ReconnectLink { state: LinkState::Made, url: Some(url), connection_id: id, opened_at: None, ..made }
}

/// The customers of the connections, by name.
pub fn customers(desk: &FakeBackend) -> Vec<Customer> {
    let mut customers: Vec<Customer> = Vec::new();
    for connection in &desk.connections {
        match customers.iter_mut().find(|customer| customer.id == connection.customer.id) {
            Some(customer) => {
                customer.connections += 1;
                customer.worst = customer.worst.min(Some(connection.health));
            }
            None => customers.push(customer(connection, desk.note.clone())),
        }
    }
    customers
}

fn customer(connection: &Connection, note: Option<String>) -> Customer {
    let known = connection.owner.is_some();
    Customer {
        id: connection.customer.id,
        name: connection.customer.name.clone(),
        tier: known.then(|| "gold".into()),
        tags: if known { vec!["emea".into(), "pilot".into()] } else { Vec::new() },
        owner: connection.owner.clone(),
        contact: known.then(|| "it@aldermoor.example".into()),
        note,
        connections: 1,
        worst: Some(connection.health),
        version: 4,
        created_at: ago(60_000),
    }
}

/// One of them.
pub fn find_customer(desk: &FakeBackend, id: CustomerId) -> Result<Customer, Refusal> {
    customers(desk).into_iter().find(|customer| customer.id == id).ok_or(Refusal::NotFound("This customer".into()))
}

/// One's own, and one that a colleague made for everybody.
pub fn views() -> Vec<SavedView> {
    let view = |number: u128, name: &str, query: &str, shared, mine, matching| SavedView {
        id: Uuid::from_u128(9_000 + number).into(),
        name: name.into(),
        query: query.into(),
        shared,
        by: if mine { "Ines Ferreira" } else { "Tom Okafor" }.into(),
        mine,
        matching,
        created_at: ago(5_000),
    };
    vec![
        view(1, "Must sign in again", "health=reauthorization_required", true, false, 2),
        view(2, "SAP, mine", "platform=sap-ecc&tag=gold", false, true, 10_000),
    ]
}

/// What stands in the way of a sync: the customer must act first.
pub fn refuses_sync(connection: &Connection) -> Option<Refusal> {
    let cause = connection.cause.as_ref()?.code;
    (cause == Cause::CredentialsChanged)
        .then(|| Refusal::Conflict("A sync cannot read anything until the customer has signed in again.".into()))
}
