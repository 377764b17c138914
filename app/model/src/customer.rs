//! Customers: the organisations that own connections, and what we note about them. Saved views.

use crate::{CustomerId, FieldError, Health, Refusal, ViewId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A customer with what is ours on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Its name, as upstream's metadata or its connection has it.
    pub name: String,
    /// How much it matters: a word of our own, such as `gold`.
    pub tier: Option<String>,
    /// Our tags.
    pub tags: Vec<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// How to reach it: an e-mail address, a telephone number, a name.
    pub contact: Option<String>,
    /// A note.
    pub note: Option<String>,
    /// How many connections it has, those that are gone left out.
    pub connections: u64,
    /// The worst health among them; null when it has none.
    pub worst: Option<Health>,
    /// Grows with every change by a person.
    pub version: i64,
    /// When we first saw it.
    pub created_at: DateTime<Utc>,
}

/// What may be changed on a customer. Absent: unchanged; null: taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CustomerPatch {
    /// How much it matters.
    #[serde(default, with = "crate::page::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, max_length = 40))]
    pub tier: Option<Option<String>>,
    /// Our tags: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Who looks after it.
    #[serde(default, with = "crate::page::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, max_length = 100))]
    pub owner: Option<Option<String>>,
    /// How to reach it.
    #[serde(default, with = "crate::page::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, max_length = 200))]
    pub contact: Option<Option<String>>,
    /// A note.
    #[serde(default, with = "crate::page::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, max_length = 5_000))]
    pub note: Option<Option<String>>,
    /// The version that was looked at; a stale one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// A question about customers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerQuery {
    /// Search over the name.
    pub q: Option<String>,
    /// Any of these tags.
    pub tag: Vec<String>,
    /// Any of these tiers.
    pub tier: Vec<String>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 unless said.
    pub limit: Option<u16>,
}

impl CustomerQuery {
    /// Reads a query string. Empty values are none; an unknown name or a wrong value is refused with a sentence.
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut read = Self::default();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            if let Err(message) = read.take(&name, value) {
                errors.push(FieldError { field: name.into_owned(), message });
            }
        }
        if errors.is_empty() { Ok(read) } else { Err(Refusal::Invalid(errors)) }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        crate::page::no_nul(value)?;
        match name {
            "q" if value.chars().count() > 200 => return Err("a search has at most 200 characters".to_owned()),
            "q" => self.q = Some(value.to_owned()),
            "tag" => self.tag.push(value.to_owned()),
            "tier" => self.tier.push(value.to_owned()),
            "cursor" => self.cursor = Some(value.to_owned()),
            "limit" => self.limit = Some(crate::page::read_limit(value)?),
            _ => return Err("this filter is not known".to_owned()),
        }
        Ok(())
    }

    /// Writes it as a query string without `?`; defaults are left out.
    pub fn to_query(&self) -> String {
        let mut to = form_urlencoded::Serializer::new(String::new());
        let one = |name: &'static str, value: &Option<String>| value.clone().map(|value| (name, value));
        let many = |name: &'static str, values: &[String]| values.iter().map(|v| (name, v.clone())).collect::<Vec<_>>();
        to.extend_pairs(one("q", &self.q));
        to.extend_pairs(many("tag", &self.tag));
        to.extend_pairs(many("tier", &self.tier));
        to.extend_pairs(self.limit.map(|limit| ("limit", limit.to_string())));
        to.extend_pairs(one("cursor", &self.cursor));
        to.finish()
    }

    /// Rows a page.
    pub fn limit(&self) -> u16 {
        self.limit.unwrap_or(crate::page::DEFAULT_LIMIT)
    }

    /// The same question, from the first page.
    pub fn first_page(&self) -> Self {
        Self { cursor: None, ..self.clone() }
    }
}

/// A question about connections, kept under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SavedView {
    /// Its id.
    pub id: ViewId,
    /// Its name.
    pub name: String,
    /// The question, as in the address of Connections, without `?`.
    pub query: String,
    /// Whether everybody sees it.
    pub shared: bool,
    /// Who made it.
    pub by: String,
    /// Whether who asks made it.
    pub mine: bool,
    /// How many connections match it now; counted to 10,000.
    pub matching: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A view to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewView {
    /// Its name: 1 to 80 characters.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 80, pattern = r"\S"))]
    pub name: String,
    /// The question, as in the address of Connections, with or without `?`.
    pub query: String,
    /// Whether everybody sees it.
    #[serde(default)]
    pub shared: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_reads_back_what_it_writes() {
        let query = CustomerQuery {
            q: Some("Älder & Søn".to_owned()),
            tag: vec!["a=b".to_owned(), "emea".to_owned()],
            tier: vec!["gold".to_owned()],
            cursor: Some("next".to_owned()),
            limit: Some(100),
        };
        assert_eq!(CustomerQuery::from_query(&query.to_query()), Ok(query.clone()));
        assert_eq!(query.first_page().cursor, None);
        assert!(CustomerQuery::from_query("limit=0").is_err());
    }
}
