//! Reads forms into what the desk understands, with a sentence for each field that is wrong.

use super::{ConnectionForm, CustomerForm, SourceForm, ViewForm};
use model::{
    ConnectionId, ConnectionPatch, CustomerId, CustomerPatch, Dialect, Environment, FieldError, NewSource, NewView,
    Redirect, Refusal, SourcePatch, TokenOwnership,
};

impl ConnectionForm {
    /// Reads it.
    pub fn read(&self) -> Result<(ConnectionId, ConnectionPatch), Refusal> {
        let id = self.id.parse().map_err(|_| Refusal::NotFound("This connection".into()))?;
        let mut wrong = Vec::new();
        let cadence = read_cadence(&mut wrong, &self.cadence_seconds);
        let patch = ConnectionPatch {
            owner: Some(some(&self.owner)),
            tags: Some(read_tags(&self.tags)),
            cadence_seconds: Some(cadence),
            note: Some(some(&self.note)),
        };
        if wrong.is_empty() { Ok((id, patch)) } else { Err(Refusal::Invalid(wrong)) }
    }

    /// What was typed, by field.
    pub fn kept(&self) -> Vec<(String, String)> {
        let fields = [
            ("owner", &self.owner),
            ("tags", &self.tags),
            ("cadence_seconds", &self.cadence_seconds),
            ("note", &self.note),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.clone())).to_vec()
    }
}

impl CustomerForm {
    /// Reads it.
    pub fn read(&self) -> Result<(CustomerId, CustomerPatch), Refusal> {
        let id = self.id.parse().map_err(|_| Refusal::NotFound("This customer".into()))?;
        let patch = CustomerPatch {
            tier: Some(some(&self.tier)),
            tags: Some(read_tags(&self.tags)),
            owner: Some(some(&self.owner)),
            contact: Some(some(&self.contact)),
            note: Some(some(&self.note)),
            version: self.version.parse().ok(),
        };
        Ok((id, patch))
    }

    /// What was typed, by field.
    pub fn kept(&self) -> Vec<(String, String)> {
        let fields = [
            ("tier", &self.tier),
            ("tags", &self.tags),
            ("owner", &self.owner),
            ("contact", &self.contact),
            ("note", &self.note),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.chars().take(2_000).collect())).to_vec()
    }
}

impl ViewForm {
    /// Reads it.
    pub fn read(&self) -> Result<NewView, Refusal> {
        let name = some(&self.name).ok_or_else(|| Refusal::invalid("name", "Give the view a name."))?;
        Ok(NewView { name, query: self.query.clone(), shared: !self.shared.is_empty() })
    }

    /// What was typed, by field.
    pub fn kept(&self) -> Vec<(String, String)> {
        [("name", &self.name), ("shared", &self.shared)]
            .map(|(name, value)| (name.to_owned(), value.chars().take(200).collect()))
            .to_vec()
    }
}

impl SourceForm {
    /// Reads a new source.
    pub fn read_new(&self) -> Result<NewSource, Refusal> {
        let mut wrong = Vec::new();
        let environment = read_word(&mut wrong, "environment", &self.environment).unwrap_or(Environment::Production);
        let dialect = read_word(&mut wrong, "dialect", &self.dialect).unwrap_or(Dialect::FaqV1);
        let settings = SourcePatch { enabled: None, environment: None, ..self.settings(&mut wrong) };
        for (field, value, message) in [
            ("name", &self.name, "Give it a short name, for example “production”."),
            ("base_url", &self.base_url, "Say where its API is, for example https://api.makini.io."),
            ("client_id", &self.client_id, "Copy it from Makini's dashboard."),
            ("client_secret", &self.client_secret, "Copy it from Makini's dashboard."),
        ] {
            if value.trim().is_empty() {
                wrong.push(FieldError::new(field, message));
            }
        }
        let new = NewSource {
            name: self.name.trim().to_owned(),
            environment,
            dialect,
            base_url: self.base_url.trim().to_owned(),
            client_id: self.client_id.trim().to_owned(),
            client_secret: self.client_secret.trim().to_owned(),
            webhook_secret: some(&self.webhook_secret),
            settings,
        };
        if wrong.is_empty() { Ok(new) } else { Err(Refusal::Invalid(wrong)) }
    }

    /// Reads a change of a source. An empty secret leaves the old one.
    pub fn read_patch(&self) -> Result<SourcePatch, Refusal> {
        let mut wrong = Vec::new();
        let patch = SourcePatch {
            base_url: some(&self.base_url),
            client_id: some(&self.client_id),
            client_secret: some(&self.client_secret),
            version: self.version.parse().ok(),
            ..self.settings(&mut wrong)
        };
        if wrong.is_empty() { Ok(patch) } else { Err(Refusal::Invalid(wrong)) }
    }

    fn settings(&self, wrong: &mut Vec<FieldError>) -> SourcePatch {
        SourcePatch {
            environment: read_word::<Environment>(wrong, "environment", &self.environment),
            token_ownership: read_word::<TokenOwnership>(wrong, "token_ownership", &self.token_ownership),
            redirect: read_word::<Redirect>(wrong, "redirect", &self.redirect),
            authorize_url: Some(some(&self.authorize_url)),
            enabled: Some(!self.enabled.is_empty()),
            customer_key: some(&self.customer_key),
            poll_interval_seconds: read_duration(wrong, "poll_interval_seconds", &self.poll_interval_seconds),
            rate_per_minute: read_number(wrong, "rate_per_minute", &self.rate_per_minute),
            cadence_seconds: Some(read_cadence(wrong, &self.cadence_seconds)),
            late_factor: read_number(wrong, "late_factor", &self.late_factor),
            late_grace_seconds: read_duration(wrong, "late_grace_seconds", &self.late_grace_seconds),
            proof_allowance_seconds: read_duration(wrong, "proof_allowance_seconds", &self.proof_allowance_seconds),
            mappings: read_json(wrong, "mappings", &self.mappings),
            // a form without these fields leaves them as they are
            record_entities: (!self.records.is_empty()).then(|| read_tags(&self.record_entities)),
            record_minutes: read_number(wrong, "record_minutes", &self.record_minutes),
            record_connections: read_number(wrong, "record_connections", &self.record_connections),
            ..SourcePatch::default()
        }
    }

    /// What was typed, by field; never a secret.
    pub fn kept(&self) -> Vec<(String, String)> {
        let fields = [
            ("name", &self.name),
            ("environment", &self.environment),
            ("dialect", &self.dialect),
            ("base_url", &self.base_url),
            ("client_id", &self.client_id),
            ("token_ownership", &self.token_ownership),
            ("redirect", &self.redirect),
            ("authorize_url", &self.authorize_url),
            ("enabled", &self.enabled),
            ("customer_key", &self.customer_key),
            ("poll_interval_seconds", &self.poll_interval_seconds),
            ("rate_per_minute", &self.rate_per_minute),
            ("cadence_seconds", &self.cadence_seconds),
            ("late_factor", &self.late_factor),
            ("late_grace_seconds", &self.late_grace_seconds),
            ("proof_allowance_seconds", &self.proof_allowance_seconds),
            ("mappings", &self.mappings),
            ("record_entities", &self.record_entities),
            ("record_minutes", &self.record_minutes),
            ("record_connections", &self.record_connections),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.chars().take(2_000).collect())).to_vec()
    }
}

pub(super) fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn read_tags(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn read<T>(
    wrong: &mut Vec<FieldError>,
    field: &str,
    text: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    match read(some(text)?.as_str()) {
        Ok(value) => Some(value),
        Err(message) => {
            wrong.push(FieldError::new(field, message));
            None
        }
    }
}

fn read_word<T: std::str::FromStr<Err = String>>(wrong: &mut Vec<FieldError>, field: &str, value: &str) -> Option<T> {
    read(wrong, field, value, str::parse)
}

pub(super) fn read_number<T: std::str::FromStr>(wrong: &mut Vec<FieldError>, field: &str, value: &str) -> Option<T> {
    read(wrong, field, value, |value| value.parse().map_err(|_| format!("“{value}” is not a number.")))
}

fn read_duration(wrong: &mut Vec<FieldError>, field: &str, value: &str) -> Option<i64> {
    read(wrong, field, value, |value| {
        seconds(value).ok_or_else(|| format!("“{value}” is not a duration. Write it like 45 s, 15 min, 2 h or 1 day."))
    })
}

fn read_cadence(wrong: &mut Vec<FieldError>, value: &str) -> Option<i64> {
    read_duration(wrong, "cadence_seconds", value)
}

fn read_json<T: serde::de::DeserializeOwned>(wrong: &mut Vec<FieldError>, field: &str, value: &str) -> Option<T> {
    read(wrong, field, value, |value| {
        serde_json::from_str(value).map_err(|error| format!("This is not a mapping: {error}."))
    })
}

/// Reads what `text::duration` writes, and what people type instead; a bare number is seconds.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let text = text.trim().to_lowercase();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: i64 = text[..split].parse().ok()?;
    let unit = match text[split..].trim() {
        "" | "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::text;

    #[test]
    fn durations_read_back() {
        for duration in [45, 90, 900, 3_600, 5_400, 86_400, 172_800] {
            assert_eq!(seconds(&text::duration(duration)), Some(duration));
        }
        assert_eq!((seconds("15 Minutes"), seconds("soon")), (Some(900), None));
    }

    #[test]
    fn a_source_needs_an_account_and_says_so_field_by_field() {
        let form = SourceForm { name: "demo".into(), poll_interval_seconds: "often".into(), ..SourceForm::default() };
        let Err(Refusal::Invalid(wrong)) = form.read_new() else { panic!("must be refused") };
        let fields: Vec<_> = wrong.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["poll_interval_seconds", "base_url", "client_id", "client_secret"]);
    }

    #[test]
    fn what_is_emptied_on_a_customer_is_taken_away() {
        let id = uuid::Uuid::from_u128(7).to_string();
        let form = CustomerForm {
            id,
            tags: " gold,, emea ".into(),
            tier: " ".into(),
            version: "4".into(),
            ..CustomerForm::default()
        };
        let (_, patch) = form.read().unwrap();
        assert_eq!((patch.tier, patch.version), (Some(None), Some(4)));
        assert_eq!(patch.tags, Some(vec!["gold".to_owned(), "emea".to_owned()]));
    }

    #[test]
    fn a_view_needs_a_name() {
        let form = ViewForm { name: "  ".into(), query: "q=a".into(), shared: "on".into() };
        assert!(matches!(form.read(), Err(Refusal::Invalid(wrong)) if wrong[0].field == "name"));
        let named = ViewForm { name: " SAP ".into(), ..form };
        assert_eq!(named.read(), Ok(NewView { name: "SAP".into(), query: "q=a".into(), shared: true }));
    }

    #[test]
    fn what_is_kept_never_holds_a_secret() {
        let form = SourceForm { client_secret: "hush".into(), webhook_secret: "hush".into(), ..SourceForm::default() };
        assert!(form.kept().iter().all(|(_, value)| value != "hush"));
    }
}
