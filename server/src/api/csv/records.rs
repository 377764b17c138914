//! The columns of each list.

use super::Record;
use chrono::{DateTime, SecondsFormat, Utc};
use model::{
    Alert, Connection, Customer, Delivery, Endpoint, Event, Evidence, Failure, Issue, MakiniDelivery, Outage, Rule,
    Source, Sync, TimelineItem,
};

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn maybe<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

impl Record for Connection {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "key",
        "name",
        "customer.id",
        "customer.name",
        "platform.slug",
        "platform.name",
        "source.name",
        "source.environment",
        "health",
        "authorization",
        "data_flow",
        "since",
        "cause.code",
        "cause.summary",
        "cause.actor",
        "proof.eye",
        "proof.at",
        "last_good_sync_at",
        "cadence_seconds",
        "cadence_from",
        "owner",
        "tags",
        "raw_status",
        "updated_at",
    ];

    fn fields(&self) -> Vec<String> {
        let cause = self.cause.as_ref();
        vec![
            self.id.to_string(),
            self.key.clone(),
            self.name.clone(),
            self.customer.id.to_string(),
            self.customer.name.clone(),
            self.platform.slug.clone(),
            self.platform.name.clone(),
            self.source.name.clone(),
            self.source.environment.to_string(),
            self.health.to_string(),
            self.authorization.to_string(),
            self.data_flow.to_string(),
            time(self.since),
            maybe(cause.map(|cause| cause.code)),
            maybe(cause.map(|cause| &cause.summary)),
            maybe(cause.map(|cause| cause.actor)),
            maybe(self.proof.map(|proof| proof.eye)),
            maybe(self.proof.map(|proof| time(proof.at))),
            maybe(self.last_good_sync_at.map(time)),
            maybe(self.cadence_seconds),
            maybe(self.cadence_from),
            maybe(self.owner.as_ref()),
            self.tags.join("; "),
            maybe(self.raw_status.as_ref()),
            time(self.updated_at),
        ]
    }
}

impl Record for Event {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "source",
        "webhook_id",
        "kind",
        "connection_id",
        "occurred_at",
        "received_at",
        "state",
        "maybe_repeat",
        "duplicates",
        "attempts",
        "error",
    ];

    fn fields(&self) -> Vec<String> {
        let error = self.attempts.iter().rev().find_map(|attempt| attempt.error.as_ref());
        vec![
            self.id.to_string(),
            self.source.clone(),
            maybe(self.webhook_id.as_ref()),
            maybe(self.kind.as_ref()),
            maybe(self.connection_id),
            maybe(self.occurred_at.map(time)),
            time(self.received_at),
            self.state.to_string(),
            self.maybe_repeat.to_string(),
            self.duplicates.to_string(),
            self.attempts.len().to_string(),
            maybe(error.map(|error| &error.message)),
        ]
    }
}

impl Record for Delivery {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "event_id",
        "endpoint_id",
        "endpoint",
        "connection_id",
        "kind",
        "state",
        "received_at",
        "due_at",
        "attempts",
        "status",
        "error",
    ];

    fn fields(&self) -> Vec<String> {
        let last = self.attempts.last().map(|sent| &sent.attempt);
        vec![
            self.id.to_string(),
            self.event_id.to_string(),
            self.endpoint_id.to_string(),
            self.endpoint.clone(),
            maybe(self.connection_id),
            maybe(self.kind.as_ref()),
            self.state.to_string(),
            time(self.received_at),
            maybe(self.due_at.map(time)),
            self.attempts.len().to_string(),
            maybe(last.and_then(|attempt| attempt.status)),
            maybe(last.and_then(|attempt| attempt.error.as_ref()).map(|error| &error.message)),
        ]
    }
}

impl Record for Endpoint {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "url",
        "ordered",
        "enabled",
        "concurrency",
        "rate_per_second",
        "owner",
        "health",
        "waiting",
        "last_ok_at",
        "last_error",
        "open_since",
        "created_at",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.url.clone(),
            self.ordered.to_string(),
            self.enabled.to_string(),
            self.concurrency.to_string(),
            maybe(self.rate_per_second),
            maybe(self.owner.as_ref()),
            self.health.to_string(),
            self.waiting.to_string(),
            maybe(self.last_ok_at.map(time)),
            maybe(self.last_error.as_ref().map(|error| &error.message)),
            maybe(self.open_since.map(time)),
            time(self.created_at),
        ]
    }
}

impl Record for Failure {
    const COLUMNS: &'static [&'static str] = &[
        "kind",
        "id",
        "at",
        "source",
        "connection.id",
        "connection.name",
        "endpoint.id",
        "endpoint.name",
        "channel.id",
        "channel.name",
        "what",
        "error.class",
        "error.message",
        "attempts_count",
        "next_due_at",
        "retryable",
    ];

    fn fields(&self) -> Vec<String> {
        let (connection, endpoint) = (self.connection.as_ref(), self.endpoint.as_ref());
        let channel = self.channel.as_ref();
        vec![
            self.kind.to_string(),
            self.id.to_string(),
            time(self.at),
            maybe(self.source.as_ref()),
            maybe(connection.map(|connection| connection.id)),
            maybe(connection.map(|connection| &connection.name)),
            maybe(endpoint.map(|endpoint| endpoint.id)),
            maybe(endpoint.map(|endpoint| &endpoint.name)),
            maybe(channel.map(|channel| channel.id)),
            maybe(channel.map(|channel| &channel.name)),
            maybe(self.what.as_ref()),
            self.error.class.clone(),
            self.error.message.clone(),
            self.attempts_count.to_string(),
            maybe(self.next_due_at.map(time)),
            self.retryable.to_string(),
        ]
    }
}

impl Record for MakiniDelivery {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "kind",
        "connection_key",
        "connection.id",
        "connection.name",
        "status",
        "created_at",
        "next_attempt_at",
        "attempts_count",
        "error",
    ];

    fn fields(&self) -> Vec<String> {
        let connection = self.connection.as_ref();
        vec![
            self.id.clone(),
            self.kind.clone(),
            maybe(self.connection_key.as_ref()),
            maybe(connection.map(|connection| connection.id)),
            maybe(connection.map(|connection| &connection.name)),
            self.status.clone(),
            maybe(self.created_at.map(time)),
            maybe(self.next_attempt_at.map(time)),
            self.attempts_count.to_string(),
            maybe(self.error.as_ref()),
        ]
    }
}

impl Record for Evidence {
    const COLUMNS: &'static [&'static str] = &["id", "eye", "at", "received_at", "applied", "text", "facts"];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.eye.to_string(),
            time(self.at),
            time(self.received_at),
            self.applied.to_string(),
            self.text.clone(),
            self.facts.to_string(),
        ]
    }
}

impl Record for TimelineItem {
    const COLUMNS: &'static [&'static str] =
        &["at", "kind", "from", "to", "cause.code", "cause.summary", "eye", "text"];

    fn fields(&self) -> Vec<String> {
        let cause = self.cause.as_ref();
        vec![
            time(self.at),
            self.kind.to_string(),
            maybe(self.from),
            maybe(self.to),
            maybe(cause.map(|cause| cause.code)),
            maybe(cause.map(|cause| &cause.summary)),
            maybe(self.eye),
            self.text.clone(),
        ]
    }
}

impl Record for Sync {
    const COLUMNS: &'static [&'static str] = &["started_at", "ended_at", "outcome", "kind", "records", "error", "eye"];

    fn fields(&self) -> Vec<String> {
        vec![
            maybe(self.started_at.map(time)),
            time(self.ended_at),
            self.outcome.to_string(),
            maybe(self.kind),
            maybe(self.records),
            maybe(self.error.as_ref()),
            self.eye.to_string(),
        ]
    }
}

impl Record for Customer {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "tier", "tags", "owner", "contact", "note", "connections", "worst", "created_at"];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            maybe(self.tier.as_ref()),
            self.tags.join("; "),
            maybe(self.owner.as_ref()),
            maybe(self.contact.as_ref()),
            maybe(self.note.as_ref()),
            self.connections.to_string(),
            maybe(self.worst),
            time(self.created_at),
        ]
    }
}

impl Record for Source {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "environment",
        "dialect",
        "base_url",
        "client_id",
        "token_ownership",
        "enabled",
        "webhook_url",
        "webhook_secrets",
        "connections",
        "poll_interval_seconds",
        "rate_per_minute",
        "cadence_seconds",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.environment.to_string(),
            self.dialect.to_string(),
            self.base_url.clone(),
            self.client_id.clone(),
            self.token_ownership.to_string(),
            self.enabled.to_string(),
            self.webhook_url.clone(),
            self.webhook_secrets.len().to_string(),
            self.connections.to_string(),
            self.poll_interval_seconds.to_string(),
            self.rate_per_minute.to_string(),
            maybe(self.cadence_seconds),
        ]
    }
}

impl Record for Issue {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "number",
        "connection.id",
        "connection.name",
        "customer.id",
        "customer.name",
        "platform.slug",
        "platform.name",
        "health",
        "outage_id",
        "cause.code",
        "cause.summary",
        "cause.actor",
        "state",
        "assignee",
        "opened_at",
        "resolved_at",
        "snooze_until",
        "recurrences",
        "updated_at",
    ];

    fn fields(&self) -> Vec<String> {
        let (connection, customer) = (self.connection.as_ref(), self.customer.as_ref());
        vec![
            self.id.to_string(),
            self.number.to_string(),
            maybe(connection.map(|connection| connection.id)),
            maybe(connection.map(|connection| &connection.name)),
            maybe(customer.map(|customer| customer.id)),
            maybe(customer.map(|customer| &customer.name)),
            maybe(self.platform.as_ref().map(|platform| &platform.slug)),
            maybe(self.platform.as_ref().map(|platform| &platform.name)),
            maybe(self.health),
            maybe(self.outage_id),
            self.cause.code.to_string(),
            self.cause.summary.clone(),
            self.cause.actor.to_string(),
            self.state.to_string(),
            maybe(self.assignee.as_ref()),
            time(self.opened_at),
            maybe(self.resolved_at.map(time)),
            maybe(self.snooze_until.map(time)),
            self.recurrences.to_string(),
            time(self.updated_at),
        ]
    }
}

impl Record for Outage {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "subject.kind",
        "subject.slug",
        "subject.name",
        "started_at",
        "ended_at",
        "affected",
        "still_broken",
        "issue_id",
        "issue_number",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.subject.kind.to_string(),
            self.subject.slug.clone(),
            self.subject.name.clone(),
            time(self.started_at),
            maybe(self.ended_at.map(time)),
            self.affected.to_string(),
            self.still_broken.to_string(),
            maybe(self.issue_id),
            maybe(self.issue_number),
        ]
    }
}

impl Record for Rule {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "sentence",
        "when.kind",
        "for_seconds",
        "hold_seconds",
        "severity",
        "group_by",
        "repeat_seconds",
        "enabled",
        "firing",
        "note",
        "shipped",
        "updated_at",
        "updated_by",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.sentence.clone(),
            self.when.kind.to_string(),
            self.for_seconds.to_string(),
            self.hold_seconds.to_string(),
            self.severity.to_string(),
            self.group_by.to_string(),
            self.repeat_seconds.to_string(),
            self.enabled.to_string(),
            self.firing.to_string(),
            maybe(self.note.as_ref()),
            maybe(self.shipped.as_ref()),
            time(self.updated_at),
            self.updated_by.clone(),
        ]
    }
}

impl Record for Alert {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "rule_id",
        "rule",
        "severity",
        "subject.kind",
        "subject.id",
        "subject.name",
        "summary",
        "state",
        "since",
        "fired_at",
        "resolved_at",
        "acknowledged_by",
        "muted_by",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.rule_id.to_string(),
            self.rule.clone(),
            self.severity.to_string(),
            self.subject.kind.to_string(),
            self.subject.id.clone(),
            self.subject.name.clone(),
            self.summary.clone(),
            self.state.to_string(),
            time(self.since),
            maybe(self.fired_at.map(time)),
            maybe(self.resolved_at.map(time)),
            maybe(self.acknowledged_by.as_ref()),
            maybe(self.muted_by),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees<T: Record>(row: &T) {
        assert_eq!(row.fields().len(), T::COLUMNS.len());
    }

    #[test]
    fn every_row_has_as_many_fields_as_there_are_columns() {
        let item = serde_json::json!({
            "at": "2026-11-22T10:00:00Z", "kind": "transition", "from": null, "to": "late", "cause": null, "eye": null,
            "evidence_id": null, "text": "First seen: late",
        });
        agrees(&serde_json::from_value::<TimelineItem>(item).unwrap());
        let evidence = serde_json::json!({
            "id": uuid::Uuid::nil(), "eye": "poll", "at": "2026-11-22T10:00:00Z", "received_at": "2026-11-22T10:00:00Z",
            "applied": "changed", "text": "", "facts": {},
        });
        agrees(&serde_json::from_value::<Evidence>(evidence).unwrap());
        let issue = serde_json::json!({
            "id": uuid::Uuid::nil(), "number": 1, "connection": null, "customer": null, "platform": null, "health": null,
            "outage_id": uuid::Uuid::nil(), "cause": {"code": "no_proof", "summary": "", "actor": "us"}, "state": "open",
            "assignee": null, "opened_at": "2026-11-22T10:00:00Z", "resolved_at": null, "snooze_until": null, "recurrences": 0,
            "version": 1, "updated_at": "2026-11-22T10:00:00Z",
        });
        agrees(&serde_json::from_value::<Issue>(issue).unwrap());
        let outage = serde_json::json!({
            "id": uuid::Uuid::nil(), "subject": {"kind": "platform", "slug": "sap", "name": "SAP"},
            "started_at": "2026-11-22T10:00:00Z", "ended_at": null, "affected": 40, "still_broken": 1, "issue_id": null,
            "issue_number": null,
        });
        agrees(&serde_json::from_value::<Outage>(outage).unwrap());
        let sync = serde_json::json!({
            "started_at": null, "ended_at": "2026-11-22T10:00:00Z", "outcome": "good", "kind": "full", "records": 3,
            "error": null, "eye": "webhook",
        });
        agrees(&serde_json::from_value::<Sync>(sync).unwrap());
        let customer = serde_json::json!({
            "id": uuid::Uuid::nil(), "name": "Acme", "tier": null, "tags": ["a"], "owner": null, "contact": null, "note": null,
            "connections": 2, "worst": "late", "version": 1, "created_at": "2026-11-22T10:00:00Z",
        });
        agrees(&serde_json::from_value::<Customer>(customer).unwrap());
    }
}
