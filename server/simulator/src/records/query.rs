//! What a list of records is asked for: in the one dialect filters and an order, in the other a window of time.

use super::{Entity, Record, fields};
use crate::error::ApiError;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::Value;
use std::cmp::Ordering;

/// `filter[…]`, `filterMatch` and `sort[…]`.
#[derive(Debug, Default)]
pub(crate) struct Query {
    tests: Vec<Test>,
    any: bool,
    /// By which fields, and whether the greatest comes first.
    order: Vec<(String, bool)>,
}

#[derive(Debug)]
struct Test {
    field: String,
    by: By,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Equal,
    Contains,
    StartsWith,
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Query {
    /// Reads it from a list's query. Names that are no part of it are passed over.
    pub(crate) fn read(entity: Entity, query: &[(String, String)]) -> Result<Self, ApiError> {
        let mut read = Self::default();
        for (name, value) in query {
            if let Some(inner) = inside(name, "filter") {
                let (field, by) = inner.split_once(':').unwrap_or((inner, ""));
                read.tests.push(Test { field: known(entity, field)?, by: By::read(by)?, value: value.clone() });
            } else if let Some(field) = inside(name, "sort") {
                let descending = match value.as_str() {
                    "1" => true,
                    "0" => false,
                    _ => return Err(ApiError::invalid("sort takes 1, the greatest first, or 0")),
                };
                read.order.push((known(entity, field)?, descending));
            } else if name == "filterMatch" {
                read.any = match value.as_str() {
                    "any" => true,
                    "all" => false,
                    _ => return Err(ApiError::invalid("filterMatch takes any or all")),
                };
            }
        }
        Ok(read)
    }

    /// Leaves what passes, in the order that is asked for.
    pub(crate) fn apply(&self, mut records: Vec<(u64, Record)>) -> Vec<(u64, Record)> {
        records.retain(|(_, record)| match self.any && !self.tests.is_empty() {
            true => self.tests.iter().any(|test| test.passes(record)),
            false => self.tests.iter().all(|test| test.passes(record)),
        });
        if !self.order.is_empty() {
            records.sort_by(|(_, one), (_, other)| {
                let by = |(field, descending): &(String, bool)| {
                    let order = compare(&text(&one[field]), &text(&other[field]));
                    if *descending { order.reverse() } else { order }
                };
                self.order.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            });
        }
        records
    }
}

impl By {
    fn read(word: &str) -> Result<Self, ApiError> {
        Ok(match word {
            "" => Self::Equal,
            "contains" => Self::Contains,
            "startsWith" => Self::StartsWith,
            "gt" => Self::Above,
            "gteq" => Self::AtLeast,
            "lt" => Self::Below,
            // So it is printed; it may be a slip.
            "lted" | "lteq" => Self::AtMost,
            _ => return Err(ApiError::invalid(format!("a filter does not take {word}"))),
        })
    }
}

impl Test {
    fn passes(&self, record: &Record) -> bool {
        let found = text(&record[&self.field]);
        let order = || compare(&found, &self.value);
        match self.by {
            By::Equal => found == self.value || (is_ordered(&found) && order().is_eq()),
            By::Contains => found.to_lowercase().contains(&self.value.to_lowercase()),
            By::StartsWith => found.to_lowercase().starts_with(&self.value.to_lowercase()),
            // What is not there is neither more nor less.
            _ if found.is_empty() => false,
            By::Above => order().is_gt(),
            By::AtLeast => order().is_ge(),
            By::Below => order().is_lt(),
            By::AtMost => order().is_le(),
        }
    }
}

/// `modified_after` and its like.
#[derive(Debug, Default)]
pub(crate) struct Window {
    bounds: Vec<(&'static str, bool, DateTime<Utc>)>,
}

impl Window {
    /// Reads it from a list's query. Names that are no part of it are passed over.
    pub(crate) fn read(query: &[(String, String)]) -> Result<Self, ApiError> {
        let mut window = Self::default();
        for (name, value) in query {
            let (field, after) = match name.as_str() {
                "modified_after" => ("updatedAt", true),
                "modified_before" => ("updatedAt", false),
                "created_after" => ("createdAt", true),
                "created_before" => ("createdAt", false),
                _ => continue,
            };
            let bound = moment(value).ok_or_else(|| {
                ApiError::invalid(format!("{name} takes a date, or a moment such as 2025-03-01T12:00:00Z"))
            })?;
            window.bounds.push((field, after, bound));
        }
        Ok(window)
    }

    /// Whether a record lies within.
    pub(crate) fn holds(&self, record: &Record) -> bool {
        self.bounds.iter().all(|(field, after, bound)| {
            let at = record.get(*field).and_then(Value::as_str).and_then(moment);
            at.is_some_and(|at| if *after { at > *bound } else { at < *bound })
        })
    }
}

fn inside<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    name.strip_prefix(word)?.strip_prefix('[')?.strip_suffix(']')
}

fn known(entity: Entity, field: &str) -> Result<String, ApiError> {
    match fields::shape(entity, field) {
        Some(_) => Ok(field.to_owned()),
        None => Err(ApiError::invalid(format!("there is no field {field} in {}", entity.path()))),
    }
}

/// A value as filters see it; nothing is an empty text.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    let date = || Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN).and_utc());
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.with_timezone(&Utc)).or_else(date)
}

fn is_ordered(text: &str) -> bool {
    text.parse::<f64>().is_ok() || moment(text).is_some()
}

/// As moments if both are, else as numbers if both are, else as texts. Keys are texts all the same: they are of one length.
fn compare(one: &str, other: &str) -> Ordering {
    if let (Some(one), Some(other)) = (moment(one), moment(other)) {
        return one.cmp(&other);
    }
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one.total_cmp(&other),
        _ => one.cmp(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn records() -> Vec<(u64, Record)> {
        let of = |place, name: &str, quantity: u32, created: &str| {
            let value = json!({ "name": name, "quantity": quantity, "createdAt": created, "deletedAt": null });
            (place, value.as_object().expect("an object").clone())
        };
        vec![
            of(0, "Ball bearing", 9, "2023-11-07T10:00:00.000Z"),
            of(1, "Ball valve", 100, "2023-11-08T00:00:00.000Z"),
            of(2, "Gasket", 20, "2024-01-01T00:00:00.000Z"),
        ]
    }

    fn asked(query: &[(&str, &str)]) -> Result<Vec<u64>, ApiError> {
        let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let places = Query::read(Entity::Inventories, &query)?.apply(records());
        Ok(places.into_iter().map(|(place, _)| place).collect())
    }

    #[test]
    fn filters_compare_what_is_there() {
        for (query, places) in [
            (vec![("filter[name]", "Gasket")], vec![2]),
            (vec![("filter[name:contains]", "ball")], vec![0, 1]),
            (vec![("filter[name:startsWith]", "Gas")], vec![2]),
            (vec![("filter[quantity:gt]", "9")], vec![1, 2]),
            (vec![("filter[quantity:gteq]", "9"), ("filter[quantity:lt]", "100")], vec![0, 2]),
            (vec![("filter[createdAt:lted]", "2023-11-08")], vec![0, 1]),
            (vec![("filter[createdAt]", "2024-01-01")], vec![2]),
            (vec![("filter[deletedAt]", "")], vec![0, 1, 2]),
            (vec![("filter[deletedAt:gt]", "2020-01-01")], vec![]),
            (vec![("filter[name]", "Gasket"), ("filter[quantity]", "9"), ("filterMatch", "any")], vec![0, 2]),
            (vec![("filter[name]", "Gasket"), ("filter[quantity]", "9"), ("filterMatch", "all")], vec![]),
            (vec![("filterMatch", "any")], vec![0, 1, 2]),
        ] {
            assert_eq!(asked(&query).expect("good"), places, "{query:?}");
        }
    }

    #[test]
    fn the_order_is_by_number_and_by_time() {
        assert_eq!(asked(&[("sort[quantity]", "1")]).expect("good"), [1, 2, 0]);
        assert_eq!(asked(&[("sort[createdAt]", "0")]).expect("good"), [0, 1, 2]);
        assert_eq!(asked(&[("sort[deletedAt]", "0"), ("sort[name]", "1")]).expect("good"), [2, 1, 0]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (name, value) in
            [("filter[colour]", "red"), ("filter[name:like]", "x"), ("sort[name]", "up"), ("filterMatch", "some")]
        {
            assert!(asked(&[(name, value)]).is_err(), "{name}={value}");
        }
        assert!(Window::read(&[("modified_after".to_owned(), "yesterday".to_owned())]).is_err());
    }

    #[test]
    fn a_window_has_two_sides() {
        let query = [("created_after", "2023-11-07"), ("created_before", "2023-11-08T00:00:00Z")];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let window = Window::read(&query).expect("good");
        assert_eq!(records().iter().filter(|(_, record)| window.holds(record)).count(), 1);
    }
}
