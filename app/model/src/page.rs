//! Pages of lists, by keyset cursor.

use crate::{FieldError, Refusal};
use serde::{Deserialize, Serialize};

/// Rows a page unless said otherwise.
pub(crate) const DEFAULT_LIMIT: u16 = 50;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageQuery {
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 unless said.
    pub limit: Option<u16>,
}

impl PageQuery {
    /// Reads a query string that may hold `cursor` and `limit` and nothing else.
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut read = Self::default();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            match (&*name, &*value) {
                ("cursor", value) => read.cursor = Some(value.to_owned()),
                ("limit", value) => match read_limit(value) {
                    Ok(limit) => read.limit = Some(limit),
                    Err(message) => errors.push(FieldError { field: name.into_owned(), message }),
                },
                _ => errors.push(FieldError { field: name.into_owned(), message: "this filter is not known".into() }),
            }
        }
        if errors.is_empty() { Ok(read) } else { Err(Refusal::Invalid(errors)) }
    }

    /// Rows a page.
    pub fn limit(&self) -> u16 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }
}

/// Postgres keeps no text with a NUL in it, so nothing can match one.
pub(crate) fn no_nul(value: &str) -> Result<(), String> {
    if value.contains('\0') { Err("this holds a character that no text has".to_owned()) } else { Ok(()) }
}

/// Reads a limit of 1 to 200.
pub(crate) fn read_limit(value: &str) -> Result<u16, String> {
    value
        .parse()
        .ok()
        .filter(|limit| (1..=200).contains(limit))
        .ok_or_else(|| format!("“{value}” is not a number from 1 to 200"))
}

/// Tells an absent field from one that is null: absent is `None`, null is `Some(None)`.
pub(crate) mod double_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(value: &Option<Option<T>>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(to)
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(from).map(Some)
    }
}
