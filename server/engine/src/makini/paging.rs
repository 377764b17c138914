//! Cursors and URLs.

use super::{ErrorClass, UpstreamError};
use serde_json::Value;
use url::form_urlencoded::Serializer;

/// Connections on a page: the most that the API gives.
pub const PAGE_SIZE: u32 = 500;
/// A longer cursor is none.
const MOST_CURSOR: usize = 4_096;

/// Reads the next cursor: none where there is no further page.
pub(super) fn next(value: &Value) -> Result<Option<String>, String> {
    let cursor = match value {
        Value::Null | Value::Bool(false) => return Ok(None),
        Value::String(cursor) => cursor.clone(),
        Value::Number(cursor) => cursor.to_string(),
        _ => return Err("its cursor is no text".to_owned()),
    };
    if cursor.len() > MOST_CURSOR {
        return Err("its cursor is too long".to_owned());
    }
    Ok(Some(cursor).filter(|cursor| !cursor.is_empty()))
}

/// Where a page of the list is.
pub(super) fn list_url(base: &str, path: &str, cursor: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("limit", &PAGE_SIZE.to_string());
    if let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) {
        query.append_pair("cursor", cursor);
    }
    format!("{base}{path}{}{}", if path.contains('?') { '&' } else { '?' }, query.finish())
}

/// Where one connection is. The key is somebody else's text: it must stay one segment of the path.
pub(super) fn one_url(base: &str, path: &str, key: &str) -> Result<String, UpstreamError> {
    // A URL's reader folds such segments away, percent-encoded too.
    if key.is_empty() || key == "." || key == ".." {
        return Err(UpstreamError::new(ErrorClass::NotFound, "This connection's key cannot stand in a URL."));
    }
    let mut segment = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(format!("{base}{}", path.replace("{id}", &segment)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_last_page_has_no_cursor() {
        for none in [json!(null), json!(""), json!(false)] {
            assert_eq!(next(&none), Ok(None), "{none}");
        }
        assert_eq!(next(&json!(7)), Ok(Some("7".into())));
        assert!(next(&json!(["x"])).is_err());
        assert!(next(&json!("x".repeat(5_000))).is_err());
    }

    #[test]
    fn urls_are_built_for_any_path() {
        assert_eq!(list_url("https://a", "/c", None), "https://a/c?limit=500");
        assert_eq!(list_url("https://a", "/c?x=1", Some("a&b=")), "https://a/c?x=1&limit=500&cursor=a%26b%3D");
        assert_eq!(one_url("https://a", "/c/{id}/status", "ä/1?").unwrap(), "https://a/c/%C3%A4%2F1%3F/status");
        assert!(one_url("https://a", "/c/{id}", "..").is_err());
    }

    proptest! {
        #[test]
        fn a_key_stays_one_segment(key: String) {
            if let Ok(url) = one_url("https://a", "/c/{id}/status", &key) {
                let url = url::Url::parse(&url).unwrap();
                prop_assert_eq!(url.path_segments().unwrap().count(), 3);
                prop_assert!(url.query().is_none() && url.fragment().is_none());
            }
        }
    }
}
