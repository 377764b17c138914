//! The outermost fields of a webhook, borrowed from its bytes: JSON is checked in one pass and no tree is built.
//!
//! The door and the parser read through this one type, so that they cannot disagree about an event's id or time.

use chrono::{DateTime, NaiveDateTime, Utc};
use model::FieldNames;
use serde::{
    Deserializer as _,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// The fields that a source names; a null is as good as none. Of a name that comes twice the last one counts.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    pub id: Option<&'a RawValue>,
    pub event: Option<&'a RawValue>,
    pub timestamp: Option<&'a RawValue>,
    pub connection_id: Option<&'a RawValue>,
    pub data: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Checks that these bytes are JSON and finds its outermost fields; otherwise says where it is not.
    pub fn read(body: &'a [u8], names: &FieldNames) -> Result<Self, String> {
        let text = str::from_utf8(body).map_err(|error| error.to_string())?;
        let names = [&names.id, &names.event, &names.timestamp, &names.connection_id, &names.data];
        let found = fields(text, names.map(String::as_str)).map_err(|error| error.to_string())?;
        let [id, event, timestamp, connection_id, data] = found;
        Ok(Self { id, event, timestamp, connection_id, data })
    }
}

/// Finds the fields of these names in a JSON object, checking all of it; any other JSON has none.
pub(super) fn fields<'a, const N: usize>(
    json: &'a str,
    names: [&str; N],
) -> serde_json::Result<[Option<&'a RawValue>; N]> {
    let mut json = serde_json::Deserializer::from_str(json);
    let slots = json.deserialize_any(Fields(names))?;
    json.end()?;
    Ok(slots.map(|slot| slot.value))
}

/// A field found; one spelled exactly as the source says is not displaced by one that is only alike.
#[derive(Clone, Copy, Default)]
struct Slot<'a> {
    value: Option<&'a RawValue>,
    exact: bool,
}

/// Takes an object's fields of these names and skips everything else.
struct Fields<'n, const N: usize>([&'n str; N]);

impl<const N: usize> Fields<'_, N> {
    fn none<'a, E>() -> Result<[Slot<'a>; N], E> {
        Ok([Slot::default(); N])
    }
}

impl<'de, const N: usize> Visitor<'de> for Fields<'_, N> {
    type Value = [Slot<'de>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut slots = [Slot::default(); N];
        while let Some(found) = map.next_key_seed(WhichOf(&self.0))? {
            let Some((at, exact)) = found else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value::<&RawValue>()?;
            if exact || !slots[at].exact {
                slots[at] = Slot { value: (value.get() != "null").then_some(value), exact };
            }
        }
        Ok(slots)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Self::none()
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Self::none()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Self::none()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Self::none()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Self::none()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Self::none()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Self::none()
    }
}

/// Which of the names a key is, and whether letter for letter. Read as bytes: a key may hold half a surrogate pair.
struct WhichOf<'n>(&'n [&'n str]);

impl<'de> DeserializeSeed<'de> for WhichOf<'_> {
    type Value = Option<(usize, bool)>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_bytes(self)
    }
}

impl Visitor<'_> for WhichOf<'_> {
    type Value = Option<(usize, bool)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<Self::Value, E> {
        let exact = self.0.iter().position(|name| name.as_bytes() == key).map(|at| (at, true));
        Ok(exact.or_else(|| self.0.iter().position(|name| alike(name, key)).map(|at| (at, false))))
    }
}

/// Whether two names differ in nothing but case, dashes and underscores: `connection_id` and `connectionId`.
fn alike(name: &str, key: &[u8]) -> bool {
    fn letters(text: &[u8]) -> impl Iterator<Item = u8> {
        text.iter().filter(|byte| !matches!(byte, b'_' | b'-')).map(u8::to_ascii_lowercase)
    }
    letters(name.as_bytes()).eq(letters(key))
}

/// A string or a number as text; none for what is empty or neither.
pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let raw = raw.get();
    let text = match raw.as_bytes().first()? {
        b'"' => {
            let inner = raw.get(1..raw.len() - 1)?;
            if inner.contains('\\') {
                // half a surrogate pair has no text: then its escapes stand for themselves
                serde_json::from_str(raw).map_or(Cow::Borrowed(inner), Cow::Owned)
            } else {
                Cow::Borrowed(inner)
            }
        }
        b'-' | b'0'..=b'9' => Cow::Borrowed(raw),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A moment: RFC 3339, or seconds, milliseconds or microseconds since 1970.
pub(super) fn time(raw: &RawValue) -> Option<DateTime<Utc>> {
    read_time(&text(raw)?)
}

fn read_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let read = match text.parse::<f64>() {
        Ok(number) => of_number(number, text.parse().ok()),
        Err(_) => DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok().or_else(|| of_naive(text)),
    };
    // what lies before 2000 is some language's zero and not a time; what lies after 9999 fits into no column
    read.filter(|time| (946_684_800..253_402_300_800).contains(&time.timestamp())).map(crate::clock::whole_micros)
}

fn of_number(number: f64, whole: Option<i64>) -> Option<DateTime<Utc>> {
    let micros_each = match number.abs() {
        size if size < 1e11 => 1_000_000,
        size if size < 1e14 => 1_000,
        _ => 1,
    };
    let micros = match whole {
        Some(whole) => whole.checked_mul(micros_each)?,
        None => {
            let micros = number * micros_each as f64;
            micros.is_finite().then_some(micros as i64)?
        }
    };
    DateTime::from_timestamp_micros(micros)
}

/// Without a zone it is taken as UTC.
fn of_naive(text: &str) -> Option<DateTime<Utc>> {
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Envelope<'_>, String> {
        Envelope::read(body.as_bytes(), &FieldNames::default())
    }

    #[test]
    fn fields_are_found_by_name_alike_or_exact_and_the_rest_is_skipped() {
        let envelope = read(r#" {"connectionId": 1, "x": [{"id": 2}], "Id": "loose", "id": "exact", "ID": 3, "data": {"a": 1}, "timestamp": null} "#).unwrap();
        assert_eq!(envelope.id.unwrap().get(), r#""exact""#);
        assert_eq!(envelope.connection_id.unwrap().get(), "1");
        assert_eq!(envelope.data.unwrap().get(), r#"{"a": 1}"#);
        assert!(envelope.timestamp.is_none() && envelope.event.is_none());
    }

    #[test]
    fn everything_that_is_json_is_taken_and_nothing_else() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for json in ["null", "1", "-1.5e3", "true", r#""x""#, "[1,[2]]", "{}", r#"{"id":"\ud800","\udc00":1}"#, &deep] {
            assert!(read(json).is_ok(), "{}", &json[..json.len().min(40)]);
        }
        for text in ["", "{", "{}x", r#"{"id":}"#, "{'id':1}", "NaN", "[1,]", "\u{feff}{}"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(Envelope::read(b"{\"id\":\"\xff\"}", &FieldNames::default()).is_err());
    }

    #[test]
    fn times_are_read_in_every_likely_spelling() {
        let noon = "2026-11-22T12:00:00.25Z".parse::<DateTime<Utc>>().unwrap();
        for text in [
            "2026-11-22T12:00:00.25Z",
            "2026-11-22T14:00:00.250000+02:00",
            "2026-11-22 12:00:00.25",
            "2026-11-22T12:00:00.25",
            "1795348800.25",
            "1795348800250",
            "1795348800250000",
            " 1795348800250 ",
        ] {
            assert_eq!(read_time(text), Some(noon), "{text}");
        }
        for text in
            ["", "0", "-1", "inf", "nan", "1e400", "yesterday", "0001-01-01T00:00:00Z", "+99999-01-01T00:00:00Z"]
        {
            assert_eq!(read_time(text), None, "{text}");
        }
    }
}
