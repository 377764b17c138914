//! What may be saved. Every field that is wrong is named, each with a sentence that helps. Pure.

use crate::http::Outbound;
use model::{
    BulkKind, ConnectionPatch, ConnectionQuery, CustomerPatch, Dialect, FieldError, Mappings, NewBulk, NewSource,
    NewView, Refusal, SourcePatch,
};
use std::ops::RangeInclusive;

const MONTH: i64 = 31 * 24 * 3_600;

#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn check(&mut self, field: &str, holds: bool, message: &str) {
        if !holds {
            self.0.push(FieldError::new(field, message));
        }
    }

    fn range(&mut self, field: &str, value: Option<i64>, allowed: RangeInclusive<i64>, message: &str) {
        self.check(field, value.is_none_or(|value| allowed.contains(&value)), message);
    }

    fn length(&mut self, field: &str, text: Option<&str>, most: usize) {
        self.check(
            field,
            text.is_none_or(|text| text.chars().count() <= most && !text.contains('\0')),
            &format!("at most {most} characters"),
        );
    }

    fn tags(&mut self, tags: Option<&[String]>) {
        let tags = tags.unwrap_or_default();
        self.check("tags", tags.len() <= 20, "at most 20 tags");
        self.check(
            "tags",
            tags.iter().all(|tag| tag.chars().count() <= 40 && !tag.contains([',', '\0'])),
            "a tag has at most 40 characters and no comma",
        );
    }

    fn done(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.0)) }
    }
}

fn trim(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn tidy_tags(tags: Vec<String>) -> Vec<String> {
    let mut tags: Vec<_> = tags.iter().map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()).collect();
    tags.sort();
    tags.dedup();
    tags
}

/// Trims what people type, and turns empty text into none.
pub(super) fn customer_patch(mut patch: CustomerPatch) -> Result<CustomerPatch, Refusal> {
    for field in [&mut patch.tier, &mut patch.owner, &mut patch.contact, &mut patch.note] {
        *field = field.take().map(trim);
    }
    patch.tags = patch.tags.map(tidy_tags);
    let mut errors = Errors::default();
    for (name, field, most) in [
        ("tier", &patch.tier, 40),
        ("owner", &patch.owner, 100),
        ("contact", &patch.contact, 200),
        ("note", &patch.note, 5_000),
    ] {
        errors.length(name, field.as_ref().and_then(Option::as_deref), most);
    }
    errors.tags(patch.tags.as_deref());
    errors.done()?;
    Ok(patch)
}

/// What is for one kind of bulk operation only is refused with the others.
pub(super) fn new_bulk(mut new: NewBulk) -> Result<NewBulk, Refusal> {
    new.assignee = trim(new.assignee);
    let mut errors = Errors::default();
    errors.length("assignee", new.assignee.as_deref(), 100);
    errors.check("assignee", new.assignee.is_none() || new.kind == BulkKind::Assign, "only with the kind “assign”");
    errors.check("sync", new.sync.is_none() || new.kind == BulkKind::Sync, "only with the kind “sync”");
    errors.done()?;
    Ok(new)
}

/// The question of a view is kept without its page, and without the sign before it.
pub(super) fn new_view(mut new: NewView) -> Result<NewView, Refusal> {
    new.name = new.name.trim().to_owned();
    let mut errors = Errors::default();
    errors.check("name", !new.name.is_empty(), "give it a name, so that you find it again");
    errors.length("name", Some(&new.name), 80);
    let query = new.query.trim();
    match ConnectionQuery::from_query(query.strip_prefix('?').unwrap_or(query)) {
        Ok(query) => new.query = ConnectionQuery { cursor: None, ..query }.to_query(),
        Err(Refusal::Invalid(wrong)) => {
            let why: Vec<_> = wrong.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
            errors.check("query", false, &why.join("; "));
        }
        Err(other) => return Err(other),
    }
    errors.length("query", Some(&new.query), 4_000);
    errors.done()?;
    Ok(new)
}

/// Trims what people type, and turns empty text into none.
pub(super) fn connection_patch(mut patch: ConnectionPatch) -> Result<ConnectionPatch, Refusal> {
    patch.owner = patch.owner.map(trim);
    patch.note = patch.note.map(trim);
    patch.tags = patch.tags.map(tidy_tags);
    let mut errors = Errors::default();
    errors.length("owner", patch.owner.as_ref().and_then(Option::as_deref), 100);
    errors.length("note", patch.note.as_ref().and_then(Option::as_deref), 5_000);
    errors.tags(patch.tags.as_deref());
    errors.range("cadence_seconds", patch.cadence_seconds.flatten(), 10..=MONTH, "between 10 seconds and 31 days");
    errors.done()?;
    Ok(patch)
}

pub(super) fn new_source(outbound: &Outbound, new: &NewSource) -> Result<(), Refusal> {
    let mut errors = Errors::default();
    let name_holds = (1..=63).contains(&new.name.len())
        && new.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    errors.check("name", name_holds, "1 to 63 lower-case letters, digits and dashes: it ends the webhook address");
    errors.check(
        "client_id",
        !new.client_id.trim().is_empty(),
        "the client id stands in Makini's Application Settings",
    );
    let strange = [&new.client_id, &new.client_secret].into_iter().flat_map(|text| text.chars()).any(char::is_control);
    errors.check("client_id", !strange, "there is a character in the credentials that none of them has");
    errors.check("client_secret", !new.client_secret.is_empty(), "the client secret stands beside the client id");
    errors.length("client_secret", Some(&new.client_secret), 500);
    url(&mut errors, outbound, &new.base_url);
    if let Some(secret) = new.webhook_secret.as_deref().filter(|secret| !secret.is_empty())
        && let Err(Refusal::Invalid(wrong)) = webhook_secret("webhook_secret", secret)
    {
        errors.0.extend(wrong);
    }
    patch(&mut errors, outbound, &new.settings);
    errors.done()
}

pub(super) fn source_patch(outbound: &Outbound, changed: &SourcePatch) -> Result<(), Refusal> {
    let mut errors = Errors::default();
    errors.check(
        "client_id",
        changed.client_id.as_ref().is_none_or(|id| !id.trim().is_empty()),
        "the client id stands in Makini's Application Settings",
    );
    patch(&mut errors, outbound, changed);
    errors.done()
}

pub(super) fn webhook_secret(field: &str, secret: &str) -> Result<(), Refusal> {
    let mut errors = Errors::default();
    errors.check(field, (8..=500).contains(&secret.len()), "paste the secret as Makini shows it: 8 to 500 characters");
    errors.check(field, secret.trim() == secret, "there is a blank before or after the secret");
    errors.done()
}

fn url(errors: &mut Errors, outbound: &Outbound, base_url: &str) {
    match outbound.check_url(base_url) {
        Err(refused) => errors.0.push(FieldError::new("base_url", refused.to_string())),
        Ok(url) => {
            let bare = url.query().is_none() && url.fragment().is_none();
            errors.check("base_url", bare, "an address without anything after ? or #");
        }
    }
}

/// We never send there, but customers: it must be as good an address as those to which we do.
fn authorize_url(errors: &mut Errors, outbound: &Outbound, url: &str) {
    errors.length("authorize_url", Some(url), 500);
    match outbound.check_url(&url.replace("{key}", "key")) {
        Err(refused) => errors.0.push(FieldError::new("authorize_url", refused.to_string())),
        Ok(url) => errors.check("authorize_url", url.fragment().is_none(), "an address without anything after #"),
    }
}

fn patch(errors: &mut Errors, outbound: &Outbound, patch: &SourcePatch) {
    if let Some(base_url) = &patch.base_url {
        url(errors, outbound, base_url);
    }
    if let Some(url) = patch.authorize_url.iter().flatten().map(|url| url.trim()).find(|url| !url.is_empty()) {
        authorize_url(errors, outbound, url);
    }
    errors.length("client_id", patch.client_id.as_deref(), 200);
    let strange = [&patch.client_id, &patch.client_secret, &patch.customer_key].into_iter().flatten();
    let strange = strange.flat_map(|text| text.chars()).any(char::is_control);
    errors.check("client_id", !strange, "there is a character in the credentials or the key that none of them has");
    errors.length("client_secret", patch.client_secret.as_deref(), 500);
    errors.length("customer_key", patch.customer_key.as_deref(), 100);
    errors.range("poll_interval_seconds", patch.poll_interval_seconds, 5..=3_600, "between 5 seconds and one hour");
    errors.range("rate_per_minute", patch.rate_per_minute, 1..=60_000, "between 1 and 60,000 requests a minute");
    errors.range("cadence_seconds", patch.cadence_seconds.flatten(), 10..=MONTH, "between 10 seconds and 31 days");
    errors.range("late_grace_seconds", patch.late_grace_seconds, 0..=86_400, "between 0 and 86,400 seconds");
    errors.range(
        "proof_allowance_seconds",
        patch.proof_allowance_seconds,
        30..=86_400,
        "between 30 seconds and one day; several times the interval between rounds",
    );
    errors.check(
        "late_factor",
        patch.late_factor.is_none_or(|factor| (1.0..=100.0).contains(&factor)),
        "between 1 and 100: late after this many cadences",
    );
    if let Some(mappings) = &patch.mappings {
        mapped(errors, mappings);
    }
    errors.range("record_minutes", patch.record_minutes, 5..=1_440, "between 5 minutes and one day");
    errors.range("record_connections", patch.record_connections, 1..=1_000, "between 1 and 1000 connections");
    if let Some(entities) = &patch.record_entities {
        asked(errors, entities);
    }
}

/// What is asked for becomes part of an address.
fn asked(errors: &mut Errors, entities: &[String]) {
    let is_path = |entity: &String| {
        entity.split_once('/').is_some_and(|(group, name)| {
            let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            matches!(group, "eam" | "erp" | "wms") && plain && (1..=40).contains(&name.len())
        })
    };
    let message = "each is eam/, erp/ or wms/ and the name of the records, such as eam/assets or erp/purchase-orders";
    errors.check("record_entities", entities.iter().all(is_path), message);
    errors.check("record_entities", entities.len() <= 8, "at most 8: each is a question of its own");
    let mut once: Vec<_> = entities.iter().collect();
    once.sort_unstable();
    once.dedup();
    errors.check("record_entities", once.len() == entities.len(), "name each only once");
}

/// Records can be asked for only where webhooks tell of them.
pub(super) fn records_of(dialect: Dialect, patch: &SourcePatch) -> Result<(), Refusal> {
    let asks = patch.record_entities.as_ref().is_some_and(|entities| !entities.is_empty());
    if asks && dialect == Dialect::FaqV1 {
        let message = "this source's webhooks tell of connections, not of records, so there is nothing to find; it works with the \
                       dialect openapi_2025";
        return Err(Refusal::invalid("record_entities", message));
    }
    Ok(())
}

fn mapped(errors: &mut Errors, mappings: &Mappings) {
    for header in [Some(&mappings.signature_header), Some(&mappings.version_header), mappings.id_header.as_ref()] {
        let holds = header.is_none_or(|name| reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_ok());
        errors.check("mappings", holds, "a header's name has only letters, digits and dashes");
    }
    let paths = &mappings.paths;
    for path in [&paths.token, &paths.connections, &paths.status, &paths.sync_status] {
        errors.check("mappings", path.starts_with('/'), "a path begins with /");
    }
    // Where a sync's status is asked with the connection's own token, no id is in its path.
    errors.check("mappings", paths.status.contains("{id}"), "the path of one connection contains {id}");
    let strange = serde_json::to_string(mappings).is_ok_and(|text| text.contains("\\u00"));
    errors.check("mappings", !strange, "there is a character in it that no name or path has");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_wrong_field() {
        let wrong = ConnectionPatch {
            owner: Some(Some("x".repeat(101))),
            cadence_seconds: Some(Some(1)),
            tags: Some(vec!["a,b".to_owned()]),
            ..ConnectionPatch::default()
        };
        let Err(Refusal::Invalid(errors)) = connection_patch(wrong) else { panic!("must be refused") };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["owner", "tags", "cadence_seconds"]);
    }

    #[test]
    fn customers_are_sent_to_good_addresses_only() {
        let outbound = Outbound::new(Vec::new());
        for (url, good) in [
            ("https://link.makini.io/oauth/authorize?connection={key}", true),
            ("  ", true),
            ("javascript:alert(1)", false),
            ("http://link.makini.io/", false),
            ("https://link.makini.io/#a", false),
            ("https://127.0.0.1/", false),
        ] {
            let patch = SourcePatch { authorize_url: Some(Some(url.to_owned())), ..SourcePatch::default() };
            assert_eq!(source_patch(&outbound, &patch).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn what_people_type_is_trimmed_and_empty_is_none() {
        let patch = ConnectionPatch {
            owner: Some(Some("  Ines ".into())),
            note: Some(Some("  ".into())),
            tags: Some(vec![" Gold".into(), "gold".into(), String::new()]),
            ..ConnectionPatch::default()
        };
        let patch = connection_patch(patch).unwrap();
        assert_eq!(patch.owner, Some(Some("Ines".into())));
        assert_eq!(patch.note, Some(None));
        assert_eq!(patch.tags, Some(vec!["gold".to_owned()]));
    }

    #[test]
    fn a_view_keeps_a_question_that_can_be_asked() {
        let view = |query: &str| new_view(NewView { name: " Mine ".into(), query: query.into(), shared: false });
        let kept = view("?health=late&cursor=abc").unwrap();
        assert_eq!((kept.name.as_str(), kept.query.as_str()), ("Mine", "health=late"));
        let Err(Refusal::Invalid(errors)) = view("health=fine&colour=red") else { panic!("must be refused") };
        assert!(errors[0].field == "query" && errors[0].message.contains("colour"), "{errors:?}");
    }

    #[test]
    fn a_customer_is_tidied_and_held_to_its_bounds() {
        let patch =
            CustomerPatch { tier: Some(Some(" gold ".into())), contact: Some(Some(" ".into())), ..Default::default() };
        let patch = customer_patch(patch).unwrap();
        assert_eq!((patch.tier, patch.contact, patch.owner), (Some(Some("gold".into())), Some(None), None));
        let long = CustomerPatch {
            tier: Some(Some("x".repeat(41))),
            contact: Some(Some("x".repeat(201))),
            ..Default::default()
        };
        let Err(Refusal::Invalid(errors)) = customer_patch(long) else { panic!("must be refused") };
        assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["tier", "contact"]);
    }
}
