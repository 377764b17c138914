//! What a webhook says, read leniently: whatever the bytes are, something can be said about them.
//!
//! Names may be spelled as the source's mappings say, or in the other case (`connectionId`); times and keys may be
//! strings or numbers. Nothing in here fails: what cannot be read is absent.

use super::envelope::{self, Envelope, fields};
use chrono::{DateTime, Utc};
use model::{Dialect, EventKind, Mappings, SyncKind, UpstreamStatus};
use reqwest::header::HeaderMap;
use serde_json::value::RawValue;

/// Characters kept of a name, and of a message.
const LONGEST_NAME: usize = 200;
const LONGEST_MESSAGE: usize = 2_000;

/// A webhook, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// Its kind, as upstream names it.
    pub kind_raw: Option<String>,
    /// Its kind, if a mapping knows it.
    pub kind: Option<EventKind>,
    /// Upstream's identifier of the connection it is about.
    pub connection_key: Option<String>,
    /// Its own time, unclamped.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The time that counts: its own, never later than our receipt.
    pub effective_at: DateTime<Utc>,
    /// Whether its own time lay in our future.
    pub clamped: bool,
    /// What it says; none for kinds that say nothing about a connection's state.
    pub news: Option<News>,
    /// Whether it says that records were added or changed: that webhooks come, and nothing of any connection.
    pub of_records: bool,
    /// The ids of those records.
    pub records: Vec<String>,
    /// Whether it says that records were added, changed or deleted, in either dialect. If it names a connection, that is being fed.
    pub of_data: bool,
}

/// What a webhook says about a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The customer must sign in again.
    ReauthorizationRequired {
        /// Upstream's code for the reason.
        code: Option<String>,
        /// The reason in words.
        message: Option<String>,
    },
    /// The customer's system answers again.
    Online,
    /// The customer's system does not answer.
    Offline {
        /// Why, in words.
        message: Option<String>,
    },
    /// A sync ended well.
    SyncCompleted {
        /// When it ended, never later than our receipt.
        finished_at: Option<DateTime<Utc>>,
        /// When it began.
        started_at: Option<DateTime<Utc>>,
        /// What it brought, such as "12 records in assets, vendors".
        summary: Option<String>,
        /// What it carried.
        carried: Carried,
    },
    /// A sync ended badly.
    SyncFailed {
        /// Upstream's code for the reason.
        code: Option<String>,
        /// The reason in words.
        message: Option<String>,
        /// That sync; none where only a status says that one failed.
        run: Option<FailedRun>,
    },
    /// An error that needs attention.
    SystemError {
        /// Upstream's code for it.
        code: Option<String>,
        /// The error in words.
        message: Option<String>,
        /// What it happened to, as far as it is told.
        told: Touched,
    },
}

/// Reads a webhook. Never fails: what cannot be read is absent.
pub fn parse(
    dialect: Dialect,
    mappings: &Mappings,
    headers: &HeaderMap,
    body: &[u8],
    received_at: DateTime<Utc>,
) -> Parsed {
    let envelope = Envelope::read(body, &mappings.fields).unwrap_or_default();
    let details = details(dialect, body, &envelope);
    let kind_raw = envelope.event.and_then(name).or_else(|| header_kind(headers));
    let kind = kind_raw.as_deref().and_then(|name| mappings.event_kind(name));
    let may_be = kind.is_none() && kind_raw.is_some() && dialect == Dialect::Openapi2025;
    let records = if may_be { listed_records(body) } else { None };
    let of_data = kind.is_none() && (records.is_some() || kind_raw.as_deref().is_some_and(is_of_data));
    let occurred_at = envelope.timestamp.and_then(envelope::time);
    Parsed {
        kind,
        connection_key: envelope.connection_id.and_then(name).or_else(|| details.connection_id.and_then(name)),
        occurred_at,
        effective_at: occurred_at.map_or(received_at, |own| own.min(received_at)),
        clamped: occurred_at.is_some_and(|own| own > received_at),
        news: kind.and_then(|kind| details.news(kind, mappings, received_at)),
        of_records: records.is_some(),
        records: records.unwrap_or_default(),
        of_data,
        kind_raw,
    }
}

/// Whether a kind is a word about records, such as `work_orders.updated`, and not about a connection or a sync.
fn is_of_data(kind: &str) -> bool {
    let deeds = ["created", "inserted", "updated", "deleted"];
    kind.rsplit_once('.').is_some_and(|(entity, deed)| {
        let about = entity.split(['.', '_', '-', '/']).next().unwrap_or_default();
        deeds.iter().any(|one| deed.eq_ignore_ascii_case(one))
            && !["", "connection", "connections", "sync", "syncs", "system", "webhook", "webhooks"]
                .iter()
                .any(|one| about.eq_ignore_ascii_case(one))
    })
}

/// The ids in the older dialect's `{"event": "assets.updated", "body": [id, …]}`: neither id nor time nor connection. None where
/// the body is no such list.
fn listed_records(body: &[u8]) -> Option<Vec<String>> {
    let [ids] = str::from_utf8(body).ok().and_then(|text| fields(text, ["body"]).ok())?;
    let ids = ids.filter(|ids| ids.get().starts_with('['))?;
    let read = serde_json::from_str::<Vec<&RawValue>>(ids.get()).unwrap_or_default();
    Some(read.into_iter().filter_map(name).collect())
}

/// What a sync carried, as far as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// What it read.
    pub kind: Option<SyncKind>,
    /// How many records.
    pub records: Option<i64>,
    /// Of which entities, at most ten.
    pub entities: Vec<String>,
}

/// What an error happened to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// What was to be done: an operation, or the method of the request.
    pub operation: Option<String>,
    /// The HTTP status that it was answered with.
    pub status: Option<u16>,
    /// The kinds of records, at most ten.
    pub entities: Vec<String>,
}

/// A sync that ended badly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedRun {
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it failed, never later than our receipt.
    pub failed_at: Option<DateTime<Utc>>,
    /// What it was to carry.
    pub carried: Carried,
}

/// The kind from a header, for sources that send bare data.
fn header_kind(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("x-webhook-event")?.to_str().ok()?;
    clean(value, LONGEST_NAME)
}

/// The fields that details may have, whatever the kind.
#[derive(Default)]
struct Details<'a> {
    /// All of it, for what only some kinds have.
    within: &'a str,
    connection_id: Option<&'a RawValue>,
    status: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    code: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    started_at: Option<&'a RawValue>,
    finished_at: Option<&'a RawValue>,
    failed_at: Option<&'a RawValue>,
    kind: Option<&'a RawValue>,
    records: Option<&'a RawValue>,
    entities: Option<&'a RawValue>,
}

/// Where the details are: in `data`; in the older dialect in `body`, as long as that is no bare list of ids; or beside the kind.
fn details<'a>(dialect: Dialect, body: &'a [u8], envelope: &Envelope<'a>) -> Details<'a> {
    let Ok(whole) = str::from_utf8(body) else { return Details::default() };
    let older = || fields(whole, ["body"]).ok().and_then(|[body]| body);
    let data = envelope.data.or_else(|| if dialect == Dialect::Openapi2025 { older() } else { None });
    let within = data.map(RawValue::get).filter(|text| text.starts_with('{')).unwrap_or(whole);
    let names =
        ["connection_id", "status", "error", "code", "message", "started_at", "finished_at", "records", "entities"];
    let Ok(found) = fields(within, names) else { return Details::default() };
    let [mut connection_id, mut status, error, code, message, started_at, finished_at, records, entities] = found;
    let [failed_at, kind] = fields(within, ["failed_at", "type"]).unwrap_or_default();
    // the older dialect calls them so everywhere else
    if dialect == Dialect::Openapi2025
        && let Ok([key, sync_status]) = fields(within, ["key", "sync_status"])
    {
        (connection_id, status) = (connection_id.or(key), status.or(sync_status));
    }
    Details {
        within,
        connection_id,
        status,
        error,
        code,
        message,
        started_at,
        finished_at,
        failed_at,
        kind,
        records,
        entities,
    }
}

impl Details<'_> {
    fn news(&self, kind: EventKind, mappings: &Mappings, received_at: DateTime<Utc>) -> Option<News> {
        let (code, message) = self.error();
        Some(match kind {
            EventKind::ReauthorizationRequired => News::ReauthorizationRequired { code, message },
            EventKind::StatusChanged => match mappings.status(&envelope::text(self.status?)?)? {
                UpstreamStatus::Active | UpstreamStatus::Synchronizing | UpstreamStatus::InProgress => News::Online,
                UpstreamStatus::Offline => News::Offline { message: message.or(code) },
                UpstreamStatus::Fail => News::ReauthorizationRequired { code, message },
                UpstreamStatus::Error => News::SyncFailed { code, message, run: None },
                UpstreamStatus::Pending | UpstreamStatus::Inactive | UpstreamStatus::Disconnected => return None,
            },
            EventKind::SyncCompleted => News::SyncCompleted {
                finished_at: self.finished_at.and_then(envelope::time).map(|at| at.min(received_at)),
                started_at: self.started_at.and_then(envelope::time).map(|at| at.min(received_at)),
                summary: self.summary(),
                carried: self.carried(),
            },
            EventKind::SyncFailed => {
                let at = |value: Option<&RawValue>| value.and_then(envelope::time).map(|at| at.min(received_at));
                let failed_at = at(self.failed_at).or_else(|| at(self.finished_at));
                let run = FailedRun { started_at: at(self.started_at), failed_at, carried: self.carried() };
                News::SyncFailed { code, message, run: Some(run) }
            }
            EventKind::SystemError => News::SystemError { code, message, told: self.touched() },
        })
    }

    /// Code and message: from `error`, an object or words; otherwise from beside it.
    fn error(&self) -> (Option<String>, Option<String>) {
        let within = self.error.and_then(|error| fields(error.get(), ["code", "message"]).ok());
        let [code, message] = within.unwrap_or_default();
        let words = self.error.and_then(self::message);
        (
            code.or(self.code).and_then(name),
            message.and_then(self::message).or(words).or_else(|| self.message.and_then(self::message)),
        )
    }

    /// What an error happened to, said beside it or within it.
    fn touched(&self) -> Touched {
        let names = ["operation", "method", "entity", "status_code"];
        let [operation, method, entity, status] = fields(self.within, names).unwrap_or_default();
        let within = self.error.and_then(|error| fields(error.get(), ["operation", "method", "entity", "status"]).ok());
        let [its_operation, its_method, its_entity, its_status] = within.unwrap_or_default();
        let operation = operation.or(its_operation).or(method).or(its_method);
        let entities = self.entities.or(entity).or(its_entity);
        Touched {
            operation: operation.and_then(name),
            status: status.or(its_status).and_then(name).and_then(|status| status.parse().ok()),
            entities: entities.map(words_of).unwrap_or_default(),
        }
    }

    fn carried(&self) -> Carried {
        Carried {
            kind: self.kind.and_then(name).and_then(|kind| kind.to_lowercase().parse().ok()),
            records: self
                .records
                .and_then(name)
                .and_then(|records| records.parse().ok())
                .filter(|records| *records >= 0),
            entities: self.entities.map(words_of).unwrap_or_default(),
        }
    }

    fn summary(&self) -> Option<String> {
        let records = self.records.and_then(name);
        let entities = self.entities.map(words_of).filter(|words| !words.is_empty());
        let summary = match (records, entities) {
            (Some(records), Some(entities)) => format!("{records} records in {}", entities.join(", ")),
            (Some(records), None) => format!("{records} records"),
            (None, Some(entities)) => entities.join(", "),
            (None, None) => return None,
        };
        clean(&summary, LONGEST_MESSAGE)
    }
}

/// The words of a list, or the keys of an object, at most ten.
fn words_of(raw: &RawValue) -> Vec<String> {
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
        return list.into_iter().filter_map(name).take(10).collect();
    }
    let keyed = serde_json::from_str::<std::collections::BTreeMap<String, serde::de::IgnoredAny>>(raw.get());
    match keyed {
        Ok(keyed) => keyed.into_keys().filter_map(|key| clean(&key, LONGEST_NAME)).take(10).collect(),
        Err(_) => name(raw).into_iter().collect(),
    }
}

fn name(raw: &RawValue) -> Option<String> {
    clean(&envelope::text(raw)?, LONGEST_NAME)
}

fn message(raw: &RawValue) -> Option<String> {
    clean(&envelope::text(raw)?, LONGEST_MESSAGE)
}

/// Fit for a text column: bounded, and without the one character that Postgres cannot keep.
pub(super) fn clean(text: &str, longest: usize) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(longest).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn read(body: &str) -> Parsed {
        parse(Dialect::FaqV1, &Mappings::default(), &HeaderMap::new(), body.as_bytes(), now())
    }

    #[test]
    fn every_kind_says_what_it_should() {
        let some = |text: &str| Some(text.to_owned());
        for (event, data, news) in [
            (
                "connection.reauthorization_required",
                r#"{"error":{"code":"AUTHENTICATION_FAILED","message":"Invalid password"}}"#,
                News::ReauthorizationRequired {
                    code: some("AUTHENTICATION_FAILED"),
                    message: some("Invalid password"),
                },
            ),
            ("connection.status_changed", r#"{"status":"online"}"#, News::Online),
            (
                "connection.status_changed",
                r#"{"status":"Offline","message":"no route"}"#,
                News::Offline { message: some("no route") },
            ),
            (
                "sync.completed",
                r#"{"started_at":"2026-11-22T11:00:00Z","finishedAt":1795345200,"records":12,"entities":["assets","vendors"]}"#,
                News::SyncCompleted {
                    finished_at: "2026-11-22T11:00:00Z".parse().ok(),
                    started_at: "2026-11-22T11:00:00Z".parse().ok(),
                    summary: some("12 records in assets, vendors"),
                    carried: Carried {
                        kind: None,
                        records: Some(12),
                        entities: vec!["assets".to_owned(), "vendors".to_owned()],
                    },
                },
            ),
            (
                "sync.failed",
                r#"{"error":{"code":504,"message":"timed out"}}"#,
                News::SyncFailed { code: some("504"), message: some("timed out"), run: Some(FailedRun::default()) },
            ),
            (
                "sync.failed",
                r#"{"error":"timed out","type":"Full","failed_at":"2026-11-22T11:58:00Z"}"#,
                News::SyncFailed {
                    code: None,
                    message: some("timed out"),
                    run: Some(FailedRun {
                        failed_at: "2026-11-22T11:58:00Z".parse().ok(),
                        carried: Carried { kind: Some(SyncKind::Full), ..Carried::default() },
                        ..FailedRun::default()
                    }),
                },
            ),
            (
                "system.error",
                r#"{"message":"disk \u0000 full"}"#,
                News::SystemError { code: None, message: some("disk \u{fffd} full"), told: Touched::default() },
            ),
            (
                "system.error",
                r#"{"error":{"code":"RECORD_LOCKED","message":"no changes after approval","status":409},"operation":"update","entities":["purchase_orders"]}"#,
                News::SystemError {
                    code: some("RECORD_LOCKED"),
                    message: some("no changes after approval"),
                    told: Touched {
                        operation: some("update"),
                        status: Some(409),
                        entities: vec!["purchase_orders".to_owned()],
                    },
                },
            ),
        ] {
            let body = format!(
                r#"{{"id":"evt_1","event":"{event}","timestamp":"2026-11-22T11:59:00Z","connection_id":"con_1","data":{data}}}"#
            );
            let parsed = read(&body);
            assert_eq!(parsed.news, Some(news), "{body}");
            assert_eq!(parsed.connection_key.as_deref(), Some("con_1"));
            assert_eq!(parsed.kind_raw.as_deref(), Some(event));
            assert_eq!((parsed.effective_at, parsed.clamped), ("2026-11-22T11:59:00Z".parse().unwrap(), false));
        }
    }

    #[test]
    fn what_is_about_data_is_told_from_what_is_about_connections() {
        let of_data = |event: &str| read(&format!(r#"{{"event":"{event}","connection_id":"c1"}}"#)).of_data;
        for event in ["work_orders.updated", "purchase-orders.inserted", "eam.assets.created", "Assets.Deleted"] {
            assert!(of_data(event), "{event}");
        }
        for event in
            ["sync.completed", "connection.updated", "connection_tokens.created", "updated", ".updated", "flow.done"]
        {
            assert!(!of_data(event), "{event}");
        }
    }

    #[test]
    fn a_stamp_in_the_future_is_clamped_and_said_to_be() {
        let parsed = read(
            r#"{"event":"sync.completed","timestamp":"2026-11-22T12:00:09Z","data":{"finished_at":"2027-01-01T00:00:00Z"}}"#,
        );
        assert!(parsed.clamped);
        assert_eq!(parsed.effective_at, now());
        assert_eq!(parsed.occurred_at, "2026-11-22T12:00:09Z".parse().ok());
        assert_eq!(
            parsed.news,
            Some(News::SyncCompleted {
                finished_at: Some(now()),
                started_at: None,
                summary: None,
                carried: Carried::default()
            })
        );
    }

    #[test]
    fn other_spellings_other_names_and_unknown_kinds() {
        let parsed =
            read(r#"{"Event":"sync.failed","connectionId":9000207611898,"timestamp":1795348740000,"code":"X"}"#);
        assert_eq!(parsed.connection_key.as_deref(), Some("9000207611898"));
        assert_eq!(parsed.occurred_at, "2026-11-22T11:59:00Z".parse().ok());
        assert_eq!(
            parsed.news,
            Some(News::SyncFailed { code: Some("X".into()), message: None, run: Some(FailedRun::default()) })
        );

        let parsed = read(r#"{"event":"assets.updated","body":["16c69269-0432-4382-b48f-eb3538b4b3d7"]}"#);
        assert_eq!((parsed.kind_raw.as_deref(), parsed.kind, parsed.news), (Some("assets.updated"), None, None));
        assert_eq!((parsed.occurred_at, parsed.effective_at), (None, now()));

        let mappings: Mappings = serde_json::from_str(
            r#"{"fields":{"event":"type","connection_id":"conn"},"events":{"conn.dead":"connection.status_changed"},"statuses":{"tot":"offline"}}"#,
        )
        .unwrap();
        let body = br#"{"type":"conn.dead","conn":"c","body":{"status":"tot"}}"#;
        let parsed = parse(Dialect::Openapi2025, &mappings, &HeaderMap::new(), body, now());
        assert_eq!(parsed.news, Some(News::Offline { message: None }));
    }

    fn older(body: &str) -> Parsed {
        parse(Dialect::Openapi2025, &Mappings::default(), &HeaderMap::new(), body.as_bytes(), now())
    }

    #[test]
    fn the_older_dialect_tells_of_records_and_of_connections() {
        let records = older(r#"{"event":"assets.updated","body":["16c69269-0432-4382-b48f-eb3538b4b3d7"]}"#);
        assert!(records.of_records);
        assert!(!records.records.is_empty());
        assert_eq!((records.kind_raw.as_deref(), records.kind, &records.news), (Some("assets.updated"), None, &None));
        assert_eq!((records.connection_key, records.occurred_at), (None, None), "of whom and when it does not say");
        assert!(older(r#"{"event":"work_orders.inserted","body":[]}"#).of_records);
        for other in [
            r#"{"event":"assets.updated","body":{"key":"1"}}"#,
            r#"{"event":"assets.updated"}"#,
            r#"{"body":["16c69269-0432-4382-b48f-eb3538b4b3d7"]}"#,
            r#"{"event":"sync.failed","body":[]}"#,
            "[]",
        ] {
            assert!(!older(other).of_records, "{other}");
        }
        assert!(!read(r#"{"event":"assets.updated","body":[]}"#).of_records, "no word of the other dialect");

        let refused = older(
            r#"{"event":"connection.status_changed","body":{"key":"09000207611898","sync_status":"fail","message":"no"}}"#,
        );
        assert_eq!(refused.connection_key.as_deref(), Some("09000207611898"));
        assert_eq!(refused.news, Some(News::ReauthorizationRequired { code: None, message: Some("no".into()) }));
        let common = older(
            r#"{"id":"evt_1","event":"sync.completed","timestamp":"2026-11-22T11:59:00Z","connection_id":"1","data":{"key":"2"}}"#,
        );
        assert_eq!(common.connection_key.as_deref(), Some("1"), "the published place goes first");
        assert!(matches!(common.news, Some(News::SyncCompleted { .. })));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".*".prop_map(Into::into),
            prop_oneof![Just("online"), Just("offline"), Just("fail"), Just("2026-11-22T12:00:00Z")]
                .prop_map(Into::into),
        ];
        let key = prop_oneof![
            "[a-z_]{0,8}",
            proptest::sample::select(vec![
                "id",
                "event",
                "timestamp",
                "connection_id",
                "data",
                "body",
                "error",
                "code",
                "message",
                "status",
                "entities",
                "records",
                "finished_at",
            ])
            .prop_map(str::to_owned),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::btree_map(key.clone(), inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let parsed = parse(Dialect::Openapi2025, &Mappings::default(), &HeaderMap::new(), &bytes, now());
            prop_assert!(parsed.effective_at <= now());
        }

        #[test]
        fn any_json_is_survived_and_what_is_read_fits_a_column(
            mut body in json(),
            event in proptest::option::of(proptest::sample::select(EventKind::ALL)),
        ) {
            if let (Some(object), Some(event)) = (body.as_object_mut(), event) {
                object.insert("event".into(), event.code().into());
            }
            let parsed = read(&body.to_string());
            prop_assert!(parsed.effective_at <= now());
            let printed = format!("{parsed:?}");
            prop_assert!(!printed.contains("\\0"), "{}", printed);
        }
    }
}
