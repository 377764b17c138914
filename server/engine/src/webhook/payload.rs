//! What is found in a payload. Pure.

use serde_json::Value;

/// Whether the payload holds this text, given in lower case, in any case of letters; with a path, whether what lies there does. What is
/// hidden must be hidden already: see [`super::redaction`].
pub fn holds(payload: &str, path: Option<&str>, text: &str) -> bool {
    let Some(path) = path else { return payload.to_lowercase().contains(text) };
    let Ok(json) = serde_json::from_str::<Value>(payload) else { return false };
    let steps: Vec<_> = path.trim_start_matches("$.").split('.').filter(|step| !step.is_empty()).collect();
    lies_there(&json, &steps, text)
}

/// A step is a field's name or a place in a list; where it is neither, any item of a list will do.
fn lies_there(json: &Value, steps: &[&str], text: &str) -> bool {
    let Some((step, rest)) = steps.split_first() else { return says(json, text) };
    match json {
        Value::Object(map) => map.get(*step).is_some_and(|value| lies_there(value, rest, text)),
        Value::Array(items) => match step.parse::<usize>() {
            Ok(n) => items.get(n).is_some_and(|item| lies_there(item, rest, text)),
            Err(_) => items.iter().any(|item| lies_there(item, steps, text)),
        },
        _ => false,
    }
}

fn says(json: &Value, text: &str) -> bool {
    match json {
        Value::String(said) => said.to_lowercase().contains(text),
        other => other.to_string().to_lowercase().contains(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_text_at_a_place() {
        let payload = r#"{"data": {"error": {"code": "Cert_Expired"}, "items": [{"n": 41}, {"n": 142}]}}"#;
        assert!(holds(payload, None, "cert_expired"));
        assert!(holds(payload, Some("data.error.code"), "expired"));
        assert!(holds(payload, Some("$.data.items.1.n"), "42"));
        assert!(holds(payload, Some("data.items.n"), "142"));
        assert!(!holds(payload, Some("data.items.0.n"), "142"));
        assert!(!holds(payload, Some("data.error.message"), "cert"));
        assert!(!holds("data", Some("data"), "data"));
    }
}
