//! Reading what others write: numbers as strings, camel for snake, dates in five spellings.

use crate::clock::whole_micros;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Map, Value};

/// From here on a number of seconds is a moment, not a length: 31 years are no life for a token.
const EPOCH_FROM: i64 = 1_000_000_000;
/// From here on it counts milliseconds.
const MILLIS_FROM: i64 = 1_000_000_000_000;

/// The first of these fields that is there and not null. Names are given in snake case; camel case is understood.
pub(super) fn field<'a>(map: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    let found = |name: &str| map.get(name).filter(|value| !value.is_null());
    names.iter().find_map(|name| found(name).or_else(|| found(&camel(name))))
}

fn camel(snake: &str) -> String {
    let mut camel = String::with_capacity(snake.len());
    let mut raise = false;
    for letter in snake.chars() {
        match letter {
            '_' => raise = true,
            _ if raise => {
                camel.push(letter.to_ascii_uppercase());
                raise = false;
            }
            _ => camel.push(letter),
        }
    }
    camel
}

/// A text or a number, as text: trimmed, cut to `most` characters; none if nothing is left.
pub(super) fn text(value: &Value, most: usize) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let text: String = text.chars().take(most).collect();
    (!text.is_empty()).then_some(text)
}

/// Yes or no, however it is said.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_i64().and_then(|number| match number {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number, as a number or a text.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            number.as_i64().or_else(|| number.as_f64().filter(|number| number.abs() < 9e15).map(|number| number as i64))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A moment: RFC 3339, the same without a zone (UTC then), a day, or seconds or milliseconds since 1970. What lies outside
/// of 1970 to 2999 is a mistake.
pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
    let time = match whole(value) {
        Some(number) if number >= MILLIS_FROM => DateTime::from_timestamp_millis(number),
        Some(number) if number > 0 => DateTime::from_timestamp(number, 0),
        Some(_) => None,
        None => written_time(value.as_str()?.trim()),
    }?;
    (1970..3000).contains(&time.year()).then(|| whole_micros(time))
}

fn written_time(text: &str) -> Option<DateTime<Utc>> {
    let zoned =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    if let Ok(time) = zoned {
        return Some(time.to_utc());
    }
    let naive = |form| NaiveDateTime::parse_from_str(text, form).ok();
    let time = naive("%Y-%m-%dT%H:%M:%S%.f").or_else(|| naive("%Y-%m-%d %H:%M:%S%.f"));
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    time.or_else(day).map(|time| time.and_utc())
}

/// `expires_in`, which upstream writes as a length or as a moment, as a number or as a text.
pub(super) fn expiry(value: &Value, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match whole(value) {
        Some(number) if number >= EPOCH_FROM => time(value),
        Some(number) if number >= 0 => Some(now + chrono::TimeDelta::seconds(number)),
        Some(_) => None,
        None => time(value),
    }
}

/// Takes every NUL out of every text: Postgres keeps none, and one would fail a whole batch.
pub(super) fn clean(value: Value) -> Value {
    let clean_text = |text: String| if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text };
    match value {
        Value::String(text) => Value::String(clean_text(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(clean).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(name, value)| (clean_text(name), clean(value))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_field_is_found_in_both_spellings() {
        let map = json!({ "lastSuccessfulSyncAt": 1, "id": null, "key": "k" });
        let map = map.as_object().unwrap();
        assert_eq!(field(map, &["last_successful_sync_at"]), Some(&json!(1)));
        assert_eq!(field(map, &["id", "key"]), Some(&json!("k")), "null is nothing");
        assert_eq!(field(map, &["name"]), None);
    }

    #[test]
    fn times_come_in_many_spellings() {
        let noon = "2026-11-22T12:00:00Z";
        for value in [
            json!(noon),
            json!("2026-11-22T13:00:00+01:00"),
            json!("2026-11-22T12:00:00.000000Z"),
            json!("2026-11-22T12:00:00"),
            json!("2026-11-22T13:00:00+0100"),
            json!("2026-11-22 12:00:00"),
            json!(1_795_348_800),
            json!("1795348800"),
            json!(1_795_348_800_000_i64),
            json!(1_795_348_800.5),
        ] {
            assert_eq!(time(&value), Some(noon.parse().unwrap()), "{value}");
        }
        assert_eq!(time(&json!("2026-11-22")), Some("2026-11-22T00:00:00Z".parse().unwrap()));
        let nano = time(&json!("2026-11-22T12:00:00.123456789Z")).unwrap();
        assert_eq!(nano.timestamp_subsec_nanos(), 123_456_000, "as Postgres keeps it");
        for nonsense in
            [json!("soon"), json!(""), json!(-1), json!(0), json!(1e300), json!("9999-01-01T00:00:00Z"), json!([])]
        {
            assert_eq!(time(&nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn an_expiry_is_a_length_or_a_moment() {
        let now: DateTime<Utc> = "2024-05-01T00:00:00Z".parse().unwrap();
        let sample: DateTime<Utc> = DateTime::from_timestamp(1_715_674_414, 0).unwrap();
        assert_eq!(expiry(&json!(1_715_674_414), now), Some(sample), "the documentation's sample");
        assert_eq!(expiry(&json!("1715674414"), now), Some(sample));
        assert_eq!(expiry(&json!(1_715_674_414_000_i64), now), Some(sample));
        assert_eq!(expiry(&json!("2024-05-14T08:13:34Z"), now), Some(sample));
        for length in [json!(300), json!("300"), json!(300.0)] {
            assert_eq!(expiry(&length, now), Some(now + chrono::TimeDelta::seconds(300)));
        }
        assert_eq!(expiry(&json!(-5), now), None);
        assert_eq!(expiry(&json!("never"), now), None);
    }

    #[test]
    fn yes_and_no_come_in_many_spellings() {
        for (value, meaning) in [
            (json!(true), Some(true)),
            (json!("True"), Some(true)),
            (json!(1), Some(true)),
            (json!("0"), Some(false)),
            (json!("no"), Some(false)),
            (json!("perhaps"), None),
            (json!(2), None),
        ] {
            assert_eq!(flag(&value), meaning, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_number_is_read_without_a_panic(number: i64, float: f64, digits in "-?[0-9]{1,30}(\\.[0-9]+)?") {
            let now = DateTime::UNIX_EPOCH;
            for value in [json!(number), json!(float), json!(digits)] {
                if let Some(time) = time(&value) {
                    prop_assert!((1970..3000).contains(&time.year()));
                }
                if let Some(until) = expiry(&value, now) {
                    prop_assert!(until >= now && until.year() < 3000);
                }
            }
        }

        #[test]
        fn no_nul_survives(text: String, name: String) {
            let value = clean(json!({ name: [text, "a\0b"] }));
            prop_assert!(!value.to_string().contains("\\u0000"));
        }
    }
}
