//! What a complaint really says of an operation on one kind of record: that it was refused, wholly or within limits. Pure.
//!
//! Codes and statuses go before words, as upstream advises. What does not name exactly one kind of record and exactly one operation
//! is no proof of anything: a value that was wrong, a system that failed and a password that changed refuse no operation.

use super::{Proved, record::entity_of};
use chrono::{DateTime, Utc};
use model::{Ability, EventId, Eye, Operation};
use serde::{Deserialize, Serialize};

/// Characters kept of a limit that upstream words by itself.
const LONGEST_LIMIT: usize = 160;

/// What upstream complained of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Complaint<'a> {
    /// The operation, where it is told in a field of its own: `update`, or a method such as `PUT`.
    pub operation: Option<&'a str>,
    /// The kinds of records that it names.
    pub entities: &'a [String],
    /// Upstream's code.
    pub code: Option<&'a str>,
    /// The HTTP status that the operation was answered with.
    pub status: Option<u16>,
    /// Upstream's words.
    pub message: Option<&'a str>,
}

/// An operation on one kind of record that was refused, as the evidence's `facts.refused` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFact {
    /// The kind of record, as in events.
    pub entity: String,
    /// What was to be done.
    pub operation: Operation,
    /// `no`, or `limited` where only the state of the record stood in the way.
    pub ability: Ability,
    /// The limit in words.
    pub limit: Option<String>,
    /// Upstream's code.
    pub code: Option<String>,
    /// Upstream's words.
    pub message: Option<String>,
}

impl RefusedFact {
    /// What a complaint says. None where it refuses no operation.
    pub fn of(complaint: &Complaint<'_>) -> Option<Self> {
        let [entity] = complaint.entities else { return None };
        let (ability, limit) = verdict(complaint)?;
        // a field that says something else than we know says nothing that could be pinned on an operation
        let operation = match complaint.operation {
            Some(word) => method(word).or_else(|| named(word)),
            None => complaint.code.and_then(named).or_else(|| complaint.message.and_then(named)),
        }?;
        if operation == Operation::Read && ability == Ability::Limited {
            // the state of a record never stands in the way of reading it: something else is meant
            return None;
        }
        Some(Self {
            entity: entity_of(&entity.trim().replace(' ', "_")),
            operation,
            ability,
            limit,
            code: complaint.code.map(str::to_owned),
            message: complaint.message.map(str::to_owned),
        })
    }

    /// As a proof: seen then, through this eye.
    pub fn proved(self, at: DateTime<Utc>, eye: Eye, event: Option<EventId>) -> Proved {
        let Self { entity, operation, ability, limit, code, message } = self;
        Proved { entity, operation, ability, limit, at, eye, code, message, event }
    }

    /// In a sentence.
    pub fn text(&self) -> String {
        let what = match self.operation {
            Operation::Read => "reading",
            Operation::Create => "creating",
            Operation::Update => "updating",
            Operation::Delete => "deleting",
        };
        format!("{what} {} was refused", self.entity.replace('_', " "))
    }
}

/// Whether it refuses, and within which limit. A code or a status decides; words only where there is neither.
fn verdict(complaint: &Complaint<'_>) -> Option<(Ability, Option<String>)> {
    let code = complaint.code.map(str::to_ascii_uppercase);
    let coded = |words: &[&str]| code.as_deref().is_some_and(|code| words.iter().any(|word| code.contains(word)));
    let others =
        ["AUTHENTICATION", "REAUTH", "CREDENTIAL", "ACCOUNT", "USER", "TOKEN", "RATE_LIMIT", "UNREACHABLE", "OFFLINE"];
    if coded(&others) {
        return None;
    }
    let never =
        ["PERMISSION", "FORBIDDEN", "DENIED", "NOT_ALLOWED", "NOT_SUPPORTED", "UNSUPPORTED", "READ_ONLY", "READONLY"];
    let never = coded(&never) || matches!(complaint.status, Some(403 | 405));
    let now = coded(&["LOCKED", "CLOSED", "APPROV", "WORKFLOW"]);
    let says = complaint.message.unwrap_or_default().to_lowercase();
    let said = |phrases: &[&str]| phrases.iter().any(|phrase| says.contains(phrase));
    let state = said(&[
        "after approval",
        "already approved",
        "is approved",
        "once approved",
        "is locked",
        "is closed",
        "workflow",
    ]);
    // these also stand for values that are wrong; only the words tell which
    let may = never
        || matches!(complaint.status, Some(400 | 409 | 422))
        || coded(&["CONFLICT", "INVALID", "REJECTED", "STATE"]);
    let silent = complaint.code.is_none() && complaint.status.is_none();
    if now || state && (may || silent) {
        return Some((Ability::Limited, Some(limit(code.as_deref(), complaint.message, &says))));
    }
    let plainly = [
        "no permission",
        "missing permission",
        "lacks permission",
        "not permitted",
        "not allowed",
        "not supported",
        "read-only",
    ];
    (never || silent && said(&plainly)).then_some((Ability::No, None))
}

fn limit(code: Option<&str>, message: Option<&str>, says: &str) -> String {
    if says.contains("approv") || code.is_some_and(|code| code.contains("APPROV")) {
        return "not after approval".to_owned();
    }
    match message.map(str::trim).filter(|message| !message.is_empty()) {
        Some(message) => message.chars().take(LONGEST_LIMIT).collect(),
        None => "not in every state".to_owned(),
    }
}

/// The one operation that these words name; none where they name none, or more than one.
fn named(words: &str) -> Option<Operation> {
    let words = words.to_ascii_lowercase();
    // what is read-only is refused everything but reading
    let words = ["read_only", "read-only", "read only"].iter().fold(words, |words, only| words.replace(only, ""));
    let mut found = words.split(|c: char| !c.is_ascii_alphabetic()).filter_map(operation);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// The operation of an HTTP method.
fn method(word: &str) -> Option<Operation> {
    Some(match word.trim().to_ascii_uppercase().as_str() {
        "GET" | "HEAD" => Operation::Read,
        "POST" => Operation::Create,
        "PUT" | "PATCH" => Operation::Update,
        _ => return None,
    })
}

fn operation(word: &str) -> Option<Operation> {
    Some(match word {
        "read" | "reading" => Operation::Read,
        "create" | "created" | "creating" | "creation" | "insert" => Operation::Create,
        "update" | "updated" | "updating" | "change" | "changed" | "changes" | "modify" | "modified" => {
            Operation::Update
        }
        "delete" | "deleted" | "deleting" | "deletion" | "remove" | "removed" => Operation::Delete,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(
        operation: Option<&str>,
        entities: &[&str],
        (code, status): (Option<&str>, Option<u16>),
        message: &str,
    ) -> Option<(Operation, Ability, Option<String>)> {
        let entities: Vec<_> = entities.iter().map(|&one| one.to_owned()).collect();
        let message = Some(message).filter(|message| !message.is_empty());
        let complaint = Complaint { operation, entities: &entities, code, status, message };
        RefusedFact::of(&complaint).map(|fact| (fact.operation, fact.ability, fact.limit))
    }

    #[test]
    fn a_refusal_names_an_operation_and_a_kind_of_record() {
        let orders = &["purchase-orders"];
        let no = |operation| Some((operation, Ability::No, None));
        let approved = Some((Operation::Update, Ability::Limited, Some("not after approval".to_owned())));
        for (operation, how, message, meant) in [
            (Some("PUT"), (None, Some(405)), "", no(Operation::Update)),
            (Some("delete"), (Some("OPERATION_NOT_SUPPORTED"), None), "", no(Operation::Delete)),
            (None, (Some("CREATE_NOT_ALLOWED"), None), "", no(Operation::Create)),
            (None, (Some("PERMISSION_DENIED"), Some(403)), "may not create purchase orders", no(Operation::Create)),
            (Some("update"), (None, Some(422)), "No changes after approval", approved.clone()),
            (None, (None, None), "purchase orders cannot be updated after approval", approved),
            (
                Some("update"),
                (Some("RECORD_LOCKED"), Some(409)),
                "the purchase order is completed and takes no changes any more",
                Some((
                    Operation::Update,
                    Ability::Limited,
                    Some("the purchase order is completed and takes no changes any more".to_owned()),
                )),
            ),
        ] {
            assert_eq!(refused(operation, orders, how, message), meant, "{operation:?} {how:?} {message}");
        }
    }

    #[test]
    fn what_refuses_no_operation_proves_nothing() {
        for (operation, entities, how, message) in [
            (Some("update"), vec![], (None, Some(405)), ""),
            (Some("update"), vec!["assets", "vendors"], (None, Some(405)), ""),
            (Some("sync"), vec!["assets"], (None, Some(405)), ""),
            (None, vec!["assets"], (Some("PERMISSION_DENIED"), None), "neither create nor update"),
            (
                None,
                vec!["assets"],
                (Some("INTERNAL_ERROR"), None),
                "3 assets were skipped: a required field has no mapping",
            ),
            (Some("create"), vec!["vendors"], (Some("INVALID_REQUEST"), Some(422)), "the vendor code is unknown"),
            (Some("read"), vec!["assets"], (Some("AUTHENTICATION_FAILED"), Some(403)), "permission"),
            (Some("read"), vec!["assets"], (Some("INTERNAL_ERROR"), Some(500)), "not allowed"),
            (Some("read"), vec!["assets"], (Some("RECORD_LOCKED"), None), ""),
            (None, vec!["assets"], (Some("READ_ONLY"), None), "it is read-only"),
        ] {
            assert_eq!(
                refused(operation, &entities, how, message),
                None,
                "{operation:?} {entities:?} {how:?} {message}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_a_refusal_is_of_one_kind_and_never_a_yes(
            operation in proptest::option::of("[a-zA-Z]{0,8}"),
            entities in proptest::collection::vec("[a-z-]{1,9}", 0..3),
            code in proptest::option::of("[A-Z_]{0,20}|PERMISSION_DENIED|RECORD_LOCKED"),
            status in proptest::option::of(200u16..600),
            message in proptest::option::of("(update|create|after approval|not allowed| |[a-z]{1,4}){0,6}"),
        ) {
            let (op, code, message) = (operation.as_deref(), code.as_deref(), message.as_deref());
            let complaint = Complaint { operation: op, entities: &entities, code, status, message };
            if let Some(fact) = RefusedFact::of(&complaint) {
                prop_assert_eq!(entities.len(), 1);
                prop_assert_eq!(fact.ability == Ability::Limited, fact.limit.is_some());
                prop_assert!(matches!(fact.ability, Ability::No | Ability::Limited));
                prop_assert!(!fact.entity.contains('-'));
                let json = serde_json::to_value(&fact).unwrap();
                prop_assert_eq!(serde_json::from_value::<RefusedFact>(json).unwrap(), fact);
            }
        }
    }
}
