//! What is shown of a payload, and what is found in one. Pure.

use serde_json::Value;

/// What stands for a value that is not shown.
const HIDDEN: &str = "•••";

/// The payload without the values of these fields, whose names are compared in any case; as it came, letter for letter, if it has
/// none of them. None if it is not JSON: then nothing in it can be told from anything else.
pub fn redacted(payload: &str, fields: &[String]) -> Option<String> {
    let mut json: Value = serde_json::from_str(payload).ok()?;
    let fields: Vec<_> = fields.iter().map(|field| field.trim().to_lowercase()).collect();
    let changed = hide(&mut json, &fields);
    Some(if changed { json.to_string() } else { payload.to_owned() })
}

/// Hides what is to be hidden; whether there was any.
fn hide(json: &mut Value, fields: &[String]) -> bool {
    let mut changed = false;
    match json {
        Value::Object(map) => {
            for (name, value) in map {
                if fields.contains(&name.to_lowercase()) {
                    *value = Value::String(HIDDEN.to_owned());
                    changed = true;
                } else {
                    changed |= hide(value, fields);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                changed |= hide(item, fields);
            }
        }
        _ => {}
    }
    changed
}

/// Whether the payload holds this text, given in lower case, in any case of letters; with a path, whether what lies there does.
pub fn holds(payload: &[u8], path: Option<&str>, text: &str) -> bool {
    let Some(path) = path else { return String::from_utf8_lossy(payload).to_lowercase().contains(text) };
    let Ok(json) = serde_json::from_slice::<Value>(payload) else { return false };
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
    use proptest::prelude::*;
    use serde_json::json;

    fn fields() -> Vec<String> {
        model::Retention::default().redacted_fields
    }

    #[test]
    fn hides_fields_by_name_wherever_they_are() {
        let payload = json!({"id": 1, "Password": "p", "data": [{"TOKEN": {"a": 1}, "tokens": 2}], "note": "password"});
        let shown: Value = serde_json::from_str(&redacted(&payload.to_string(), &fields()).unwrap()).unwrap();
        assert_eq!(
            shown,
            json!({"id": 1, "Password": "•••", "data": [{"TOKEN": "•••", "tokens": 2}], "note": "password"})
        );
    }

    #[test]
    fn what_has_nothing_to_hide_stays_as_it_came_and_what_is_no_json_is_not_known() {
        let plain = "{ \"b\": 1.50,\n \"a\": [] }";
        assert_eq!(redacted(plain, &fields()).as_deref(), Some(plain));
        assert_eq!(redacted("{ nonsense", &fields()), None);
        assert_eq!(redacted("", &fields()), None);
    }

    #[test]
    fn finds_text_at_a_place() {
        let payload = br#"{"data": {"error": {"code": "Cert_Expired"}, "items": [{"n": 41}, {"n": 142}]}}"#;
        assert!(holds(payload, None, "cert_expired"));
        assert!(holds(payload, Some("data.error.code"), "expired"));
        assert!(holds(payload, Some("$.data.items.1.n"), "42"));
        assert!(holds(payload, Some("data.items.n"), "142"));
        assert!(!holds(payload, Some("data.items.0.n"), "142"));
        assert!(!holds(payload, Some("data.error.message"), "cert"));
        assert!(!holds(b"data", Some("data"), "data"));
    }

    proptest! {
        #[test]
        fn a_hidden_value_is_nowhere(value in "[a-z]{12,20}", deep in 0usize..5) {
            let mut json = json!({"secret": value, "other": "shown"});
            for n in 0..deep {
                json = if n % 2 == 0 { json!([json]) } else { json!({"data": json}) };
            }
            let shown = redacted(&json.to_string(), &fields()).unwrap();
            prop_assert!(!shown.contains(&value));
            prop_assert!(shown.contains("shown"));
        }
    }
}
