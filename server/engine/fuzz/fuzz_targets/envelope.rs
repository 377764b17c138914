//! The outermost fields of a webhook, against serde_json's own tree of the same bytes.
//!
//! The door turns away what is not JSON and trusts the id and the time that it borrows; so what is JSON must be taken,
//! what is not must not be, and every field must be the one that anybody else would read.
#![no_main]

use chrono::{DateTime, Utc};
use engine::clock;
use envelope::Envelope;
use libfuzzer_sys::fuzz_target;
use model::FieldNames;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, value::RawValue};

#[path = "../../src/webhook/envelope.rs"]
mod envelope;

fuzz_target!(|body: &[u8]| {
    let names = FieldNames::default();
    let read = Envelope::read(body, &names);
    let is_json = str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    match &read {
        // A bare number may be too large for any number type, and a bare string may hold half a character.
        Err(error) => assert!(!is_json || !matches!(body.trim_ascii(), [b'{' | b'[', ..]), "JSON, but: {error}"),
        // Keys are read as bytes, so a raw control character in one of them is let through.
        Ok(_) => assert!(is_json || body.iter().any(|byte| *byte < b' '), "this is not JSON"),
    }
    let Ok(envelope) = read else { return };
    let fields = [
        (&names.id, envelope.id),
        (&names.event, envelope.event),
        (&names.timestamp, envelope.timestamp),
        (&names.connection_id, envelope.connection_id),
        (&names.data, envelope.data),
    ];
    let tree = serde_json::from_slice::<Value>(body).ok();
    for (name, field) in fields {
        match &tree {
            Some(Value::Object(tree)) => same(tree, name, field),
            Some(_) => assert!(field.is_none()),
            None => {}
        }
        if let Some(raw) = field {
            text(raw);
            time(raw);
        }
    }
});

/// The field spelled exactly so, if there is one; else one that is alike; a null is none.
fn same(tree: &Map<String, Value>, name: &str, field: Option<&RawValue>) {
    let plain = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
    let field = field.map(|raw| serde_json::from_str::<Value>(raw.get()).expect("a field is JSON"));
    let field = field.unwrap_or(Value::Null);
    if let Some(exact) = tree.get(name) {
        assert_eq!(&field, exact, "{name}");
        return;
    }
    let alike: Vec<_> = tree.iter().filter(|(key, _)| plain(key) == plain(name)).map(|(_, value)| value).collect();
    assert!(if alike.is_empty() { field.is_null() } else { alike.contains(&&field) }, "{name}: {field}, not {alike:?}");
}

fn text(raw: &RawValue) {
    let text = envelope::text(raw);
    match serde_json::from_str::<Value>(raw.get()) {
        Ok(Value::String(string)) => assert_eq!(text.as_deref().unwrap_or_default(), string),
        Ok(Value::Number(_)) => assert_eq!(text.as_deref(), Some(raw.get())),
        Ok(_) => assert_eq!(text, None),
        // half a surrogate pair, or a number that is too large
        Err(_) => assert!(text.is_none_or(|text| !text.is_empty())),
    }
}

/// A time is one that a column can keep, and reads back as itself.
fn time(raw: &RawValue) {
    let Some(time) = envelope::time(raw) else { return };
    assert!((2000..=9999).contains(&time.format("%Y").to_string().parse().unwrap_or(0)), "{time}");
    assert_eq!(clock::whole_micros(time), time);
    let again = serde_json::value::to_raw_value(&time.to_rfc3339()).expect("text is JSON");
    assert_eq!(envelope::time(&again), Some::<DateTime<Utc>>(time));
}
