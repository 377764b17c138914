//! The columns of the lists about telling.

use super::Record;
use chrono::{DateTime, SecondsFormat, Utc};
use model::{Channel, Maintenance, Notification, Route, Silence};

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn maybe<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn list<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Record for Route {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "position",
        "match",
        "continue",
        "channels",
        "group_by",
        "first_wait_seconds",
        "interval_seconds",
        "repeat_seconds",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.position.to_string(),
            serde_json::json!(self.matching).to_string(),
            self.goes_on.to_string(),
            list(&self.channels),
            maybe(self.group_by),
            self.first_wait_seconds.to_string(),
            self.interval_seconds.to_string(),
            maybe(self.repeat_seconds),
        ]
    }
}

impl Record for Channel {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "kind",
        "to",
        "url",
        "health",
        "error",
        "last_sent_at",
        "failing_since",
        "waiting",
        "fallback_id",
        "enabled",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.kind.to_string(),
            list(&self.settings.to),
            maybe(self.settings.url.as_ref()),
            self.health.to_string(),
            maybe(self.last_error.as_ref().map(|error| &error.message)),
            maybe(self.last_sent_at.map(time)),
            maybe(self.failing_since.map(time)),
            self.waiting.to_string(),
            maybe(self.fallback_id),
            self.enabled.to_string(),
        ]
    }
}

impl Record for Notification {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "created_at",
        "channel",
        "channel_kind",
        "reason",
        "subject",
        "state",
        "maybe_repeat",
        "instead_of",
        "due_at",
        "sent_at",
        "attempts",
        "error",
    ];

    fn fields(&self) -> Vec<String> {
        let error = self.attempts.last().and_then(|attempt| attempt.error.as_ref());
        vec![
            self.id.to_string(),
            time(self.created_at),
            self.channel.clone(),
            self.channel_kind.to_string(),
            self.reason.to_string(),
            self.subject.clone(),
            self.state.to_string(),
            self.maybe_repeat.to_string(),
            maybe(self.instead_of),
            maybe(self.due_at.map(time)),
            maybe(self.sent_at.map(time)),
            self.attempts.len().to_string(),
            maybe(error.map(|error| &error.message)),
        ]
    }
}

impl Record for Silence {
    const COLUMNS: &'static [&'static str] = &["id", "words", "by", "reason", "starts_at", "ends_at", "muting"];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.words.clone(),
            self.by.clone(),
            self.reason.clone(),
            time(self.starts_at),
            time(self.ends_at),
            self.muting.to_string(),
        ]
    }
}

impl Record for Maintenance {
    const COLUMNS: &'static [&'static str] =
        &["id", "scope", "by", "reason", "starts_at", "ends_at", "recurrence", "active", "next_at"];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            serde_json::json!(self.scope).to_string(),
            self.by.clone(),
            self.reason.clone(),
            time(self.starts_at),
            time(self.ends_at),
            maybe(self.recurrence.as_ref().map(|recurrence| serde_json::json!(recurrence))),
            self.active.to_string(),
            maybe(self.next_at.map(time)),
        ]
    }
}
