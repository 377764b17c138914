//! Reads endpoints, retries and how long things are kept.

use super::{
    EndpointForm, RetentionForm, RetryForm,
    read::{read_number, some},
};
use crate::parts::failed_query;
use chrono::{DateTime, Utc};
use model::{
    BulkFilter, EndpointFilter, EndpointPatch, FieldError, NewEndpoint, NewRetry, Refusal, RetentionPatch, RetryFilter,
};
use std::str::FromStr;

impl EndpointForm {
    /// Reads a new endpoint.
    pub fn read_new(&self) -> Result<NewEndpoint, Refusal> {
        let mut wrong = Vec::new();
        let new = NewEndpoint {
            name: self.needed(&mut wrong, "name", &self.name, "Give it a short name, for example “erp-hooks”."),
            url: self.needed(
                &mut wrong,
                "url",
                &self.url,
                "Say where to, for example https://hooks.example.com/makini.",
            ),
            filter: self.filter(&mut wrong),
            ordered: !self.ordered.is_empty(),
            enabled: None,
            concurrency: read_number(&mut wrong, "concurrency", &self.concurrency),
            rate_per_second: read_number(&mut wrong, "rate_per_second", &self.rate_per_second),
            owner: some(&self.owner),
        };
        if wrong.is_empty() { Ok(new) } else { Err(Refusal::Invalid(wrong)) }
    }

    /// Reads a change of an endpoint.
    pub fn read_patch(&self) -> Result<EndpointPatch, Refusal> {
        let new = self.read_new()?;
        Ok(EndpointPatch {
            name: Some(new.name),
            url: Some(new.url),
            filter: Some(new.filter),
            ordered: Some(new.ordered),
            enabled: None,
            concurrency: new.concurrency,
            rate_per_second: Some(new.rate_per_second),
            owner: Some(new.owner),
            version: self.version.parse().ok(),
        })
    }

    fn needed(&self, wrong: &mut Vec<FieldError>, field: &str, value: &str, message: &str) -> String {
        if value.trim().is_empty() {
            wrong.push(FieldError::new(field, message));
        }
        value.trim().to_owned()
    }

    fn filter(&self, wrong: &mut Vec<FieldError>) -> EndpointFilter {
        let customers: Vec<_> = words(&self.customers);
        EndpointFilter {
            kinds: words(&self.kinds),
            sources: all(wrong, "sources", &self.sources),
            platforms: self.platforms.iter().filter_map(|slug| some(slug)).collect(),
            customers: all(wrong, "customers", &customers),
            environments: all(wrong, "environments", &self.environments),
        }
    }

    /// What was typed, by field; of boxes, those that were ticked.
    pub fn kept(&self) -> Vec<(String, String)> {
        let lists = [
            ("sources", self.sources.join(",")),
            ("platforms", self.platforms.join(",")),
            ("environments", self.environments.join(",")),
        ];
        let fields = [
            ("name", &self.name),
            ("url", &self.url),
            ("kinds", &self.kinds),
            ("customers", &self.customers),
            ("ordered", &self.ordered),
            ("concurrency", &self.concurrency),
            ("rate_per_second", &self.rate_per_second),
            ("owner", &self.owner),
        ];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value.chars().take(2_000).collect()));
        fields.chain(lists.into_iter().map(|(name, value)| (name.to_owned(), value))).collect()
    }
}

impl RetryForm {
    /// Reads it; `now` is what a time of day is of today of.
    pub fn read(&self, now: DateTime<Utc>) -> Result<NewRetry, Refusal> {
        let mut wrong = Vec::new();
        let rate = read_number(&mut wrong, "rate", &self.rate);
        if !wrong.is_empty() {
            return Err(Refusal::Invalid(wrong));
        }
        Ok(NewRetry { filter: retry_filter(&self.wish, now)?, dry_run: false, rate })
    }

    /// What was typed, by field.
    pub fn kept(&self) -> Vec<(String, String)> {
        vec![("rate".to_owned(), self.rate.chars().take(20).collect())]
    }
}

/// The filter that an address of the failed list means. Who selects rows means those alone.
pub fn retry_filter(address: &str, now: DateTime<Utc>) -> Result<RetryFilter, Refusal> {
    let failed_query::Asks { query, about, .. } = failed_query::read(address, Some(now))?;
    if about.is_some() {
        // it may mean many; left out, everything would be meant
        return Err(Refusal::invalid("about", "choose the connection in the list of what failed first"));
    }
    let mut filter = BulkFilter::default();
    for (name, value) in failed_query::pairs(&query) {
        if query.id.is_empty() || name == "id" {
            filter.0.entry(name.to_owned()).or_default().push(value);
        }
    }
    Ok(RetryFilter(filter))
}

impl RetentionForm {
    /// Reads it.
    pub fn read(&self) -> Result<RetentionPatch, Refusal> {
        let mut wrong = Vec::new();
        let patch = RetentionPatch {
            events_days: read_number(&mut wrong, "events_days", &self.events_days),
            deliveries_days: read_number(&mut wrong, "deliveries_days", &self.deliveries_days),
            evidence_days: read_number(&mut wrong, "evidence_days", &self.evidence_days),
            rejections_days: read_number(&mut wrong, "rejections_days", &self.rejections_days),
            gaps_days: read_number(&mut wrong, "gaps_days", &self.gaps_days),
            notifications_days: read_number(&mut wrong, "notifications_days", &self.notifications_days),
            redacted_fields: Some(words(&self.redacted_fields)),
            version: self.version.parse().ok(),
        };
        if wrong.is_empty() { Ok(patch) } else { Err(Refusal::Invalid(wrong)) }
    }

    /// What was typed, by field.
    pub fn kept(&self) -> Vec<(String, String)> {
        let fields = [
            ("events_days", &self.events_days),
            ("deliveries_days", &self.deliveries_days),
            ("evidence_days", &self.evidence_days),
            ("rejections_days", &self.rejections_days),
            ("gaps_days", &self.gaps_days),
            ("notifications_days", &self.notifications_days),
            ("redacted_fields", &self.redacted_fields),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.chars().take(2_000).collect())).to_vec()
    }
}

/// Words with commas, blanks or line ends between them.
fn words(text: &str) -> Vec<String> {
    text.split([',', '\n', '\r', ' ', '\t']).filter_map(some).collect()
}

fn all<T: FromStr>(wrong: &mut Vec<FieldError>, field: &str, texts: &[String]) -> Vec<T> {
    let mut read = Vec::new();
    for text in texts.iter().filter_map(|text| some(text)) {
        match text.parse() {
            Ok(value) => read.push(value),
            Err(_) => wrong.push(FieldError::new(field, format!("“{text}” is not known here."))),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> EndpointForm {
        EndpointForm { name: " erp ".into(), url: "https://a.example".into(), ..EndpointForm::default() }
    }

    #[test]
    fn an_endpoint_is_read_with_its_filter() {
        let new = EndpointForm {
            kinds: "sync_completed,\r\n po.updated ".into(),
            environments: vec!["sandbox".into()],
            ordered: "on".into(),
            rate_per_second: "50".into(),
            ..form()
        };
        let new = new.read_new().unwrap();
        assert_eq!((new.name.as_str(), new.ordered, new.rate_per_second), ("erp", true, Some(50)));
        assert_eq!(new.filter.kinds, ["sync_completed", "po.updated"]);
        assert_eq!(new.filter.environments, [model::Environment::Sandbox]);
    }

    #[test]
    fn each_wrong_field_has_its_sentence() {
        let form = EndpointForm { customers: "nobody".into(), concurrency: "many".into(), ..EndpointForm::default() };
        let Err(Refusal::Invalid(wrong)) = form.read_new() else { panic!("must be refused") };
        let fields: Vec<_> = wrong.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["name", "url", "customers", "concurrency"]);
    }

    #[test]
    fn who_selects_rows_retries_those_alone() {
        let id = uuid::Uuid::from_u128(7);
        let filter = retry_filter(&format!("kind=delivery&q=x&id={id}"), DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(filter.0.0.into_iter().collect::<Vec<_>>(), [("id".to_owned(), vec![id.to_string()])]);
    }
}
