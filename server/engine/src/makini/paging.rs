//! Cursors, page numbers and URLs.

use super::{ErrorClass, UpstreamError};
use model::Dialect;
use serde_json::Value;
use url::form_urlencoded::Serializer;

/// Connections on a page: the most that the API gives.
pub const PAGE_SIZE: u32 = 500;
/// Things on a numbered page: more than this no API of its kind gives.
const NUMBERED_PAGE_SIZE: u32 = 100;
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
pub(super) fn list_url(dialect: Dialect, base: &str, path: &str, cursor: Option<&str>) -> String {
    match dialect {
        Dialect::Openapi2025 => numbered_url(base, path, number(cursor)),
        Dialect::FaqV1 => {
            let mut query = Serializer::new(String::new());
            query.append_pair("limit", &PAGE_SIZE.to_string());
            if let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) {
                query.append_pair("cursor", cursor);
            }
            with_query(base, path, &query.finish())
        }
    }
}

/// The page that a cursor stands for where pages are numbered: the first for none.
pub(super) fn number(cursor: Option<&str>) -> u64 {
    cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(1)
}

/// Where a numbered page is.
pub(super) fn numbered_url(base: &str, path: &str, page: u64) -> String {
    with_query(base, path, &format!("page={page}&per_page={NUMBERED_PAGE_SIZE}"))
}

fn with_query(base: &str, path: &str, query: &str) -> String {
    format!("{base}{path}{}{query}", if path.contains('?') { '&' } else { '?' })
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
        let list_url = |path, cursor| list_url(Dialect::FaqV1, "https://a", path, cursor);
        assert_eq!(list_url("/c", None), "https://a/c?limit=500");
        assert_eq!(list_url("/c?x=1", Some("a&b=")), "https://a/c?x=1&limit=500&cursor=a%26b%3D");
        let numbered = |path, cursor| super::list_url(Dialect::Openapi2025, "https://a", path, cursor);
        assert_eq!(numbered("/c", None), "https://a/c?page=1&per_page=100");
        assert_eq!(numbered("/c?x=1", Some("7")), "https://a/c?x=1&page=7&per_page=100");
        assert_eq!(numbered("/c", Some("7&x=")), "https://a/c?page=1&per_page=100", "no cursor of ours");
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
