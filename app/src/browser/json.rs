//! What comes as JSON, read by the browser's own means: errors and changes. Both are small, and a reader of our own is not.

use crate::calls::CallError;
use js_sys::{Array, JSON, Reflect};
use model::{Change, FieldError, Refusal};
use wasm_bindgen::JsValue;

fn get(value: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(value, &name.into()).ok().filter(|value| !value.is_undefined())
}

fn text(value: &JsValue, name: &str) -> Option<String> {
    get(value, name)?.as_string()
}

/// An error as a server function or the guard before it writes it.
pub(crate) fn read_error(json: &str) -> Option<CallError> {
    let error = JSON::parse(json).ok()?;
    let refusal = refusal(&get(&error, "refusal")?)?;
    let kept = get(&error, "kept").map(|kept| Array::from(&kept)).unwrap_or_default();
    let pair = |pair: JsValue| {
        let pair = Array::from(&pair);
        Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
    };
    Some(CallError { refusal, kept: kept.iter().filter_map(pair).collect() })
}

/// A refusal that is a word and a text.
type WithText = (&'static str, fn(String) -> Refusal);

fn refusal(value: &JsValue) -> Option<Refusal> {
    if let Some(word) = value.as_string() {
        return (word == "unauthenticated").then_some(Refusal::Unauthenticated);
    }
    let with_text: [WithText; 5] = [
        ("not_found", Refusal::NotFound),
        ("forbidden", Refusal::Forbidden),
        ("conflict", Refusal::Conflict),
        ("unavailable", Refusal::Unavailable),
        ("internal", Refusal::Internal),
    ];
    if let Some(refusal) = with_text.iter().find_map(|(name, make)| text(value, name).map(make)) {
        return Some(refusal);
    }
    let field = |error: JsValue| Some(FieldError::new(text(&error, "field")?, text(&error, "message")?));
    get(value, "invalid").map(|errors| Refusal::Invalid(Array::from(&errors).iter().filter_map(field).collect()))
}

/// A change as the stream says it.
pub(crate) fn read_change(json: &str) -> Option<Change> {
    let change = JSON::parse(json).ok()?;
    Some(Change {
        topic: text(&change, "topic")?.parse().ok()?,
        id: text(&change, "id")?,
        version: get(&change, "version")?.as_f64()? as i64,
        quiet: get(&change, "quiet").is_some_and(|quiet| quiet.is_truthy()),
    })
}
