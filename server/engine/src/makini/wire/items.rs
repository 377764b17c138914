//! What lists and single answers are made of, in every dialect: items that are read one by one, errors, notes, reasons.

use super::lenient::{clean, field, text};
use crate::makini::{ReportedError, error::tidy};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value, value::RawValue};
use std::fmt;

/// More items than this are no page.
pub(super) const MOST_ITEMS: usize = 10_000;
/// An item of more bytes than this is left out.
const MOST_ITEM_BYTES: usize = 64 * 1024;
/// A key of more characters than this is none.
const MOST_KEY: usize = 200;
/// Other texts are cut.
pub(super) const MOST_TEXT: usize = 500;
/// More errors than these tell nothing more.
const MOST_ERRORS: usize = 20;

/// The items of a page; they stay bytes until each is read by itself.
pub(super) struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counting;
        impl<'de> Visitor<'de> for Counting {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == MOST_ITEMS {
                        while seq.next_element::<IgnoredAny>()?.is_some() {}
                        return Err(A::Error::custom(format!("more than {MOST_ITEMS} items on one page")));
                    }
                    items.push(item);
                }
                Ok(items)
            }
        }
        deserializer.deserialize_seq(Counting).map(Self)
    }
}

impl Items<'_> {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads each; those that cannot be read, or are absurdly large, are counted and left out.
    pub(super) fn read<T>(&self, read: impl Fn(Value) -> Option<T>) -> (Vec<T>, u32) {
        let mut good = Vec::with_capacity(self.0.len());
        let mut undecodable = 0;
        for item in &self.0 {
            let small = Some(item.get()).filter(|text| text.len() <= MOST_ITEM_BYTES);
            match small.and_then(|text| read(clean(serde_json::from_str(text).ok()?))) {
                Some(item) => good.push(item),
                None => undecodable += 1,
            }
        }
        (good, undecodable)
    }
}

/// A connection's key: the first of these fields that holds one.
pub(super) fn key(map: &Map<String, Value>, names: &[&str]) -> Option<String> {
    text(field(map, names)?, MOST_KEY + 1).filter(|key| key.chars().count() <= MOST_KEY)
}

/// What the account's owner has noted: an object, or a list of `{key, value}`.
pub(super) fn notes(value: &Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map.clone(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| Some((text(item.get("key")?, MOST_TEXT)?, item.get("value")?.clone())))
            .collect(),
        _ => Map::new(),
    }
}

/// What is under `error` and `errors`: objects or texts, one or many.
pub(super) fn errors(map: &Map<String, Value>) -> Vec<ReportedError> {
    let one = |value: &Value| match value {
        Value::Object(map) => {
            let part = |names: &[&str]| text(field(map, names)?, 4 * MOST_TEXT).map(|text| tidy(&text));
            let (code, message) = (part(&["code"]), part(&["message", "detail"]));
            let said = message.or_else(|| code.clone())?;
            Some(ReportedError { code, message: said })
        }
        other => Some(ReportedError { code: None, message: tidy(&text(other, 4 * MOST_TEXT)?) }),
    };
    ["error", "errors"]
        .iter()
        .filter_map(|name| field(map, &[name]))
        .flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice))
        .filter_map(one)
        .take(MOST_ERRORS)
        .collect()
}

/// Reads a whole answer as JSON.
pub(super) fn whole_answer(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map(clean).map_err(reason)
}

/// Why JSON could not be read, without repeating any of it.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(super) fn reason(error: serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => format!("it is JSON of another shape (line {}, column {})", error.line(), error.column()),
        Category::Eof => "it ends too early".to_owned(),
        Category::Syntax | Category::Io => "it is not JSON".to_owned(),
    }
}
