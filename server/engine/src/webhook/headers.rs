//! The headers of a webhook that are kept: an allow-list, so that no credential is ever stored by accident.

use model::Mappings;
use reqwest::header::{self, HeaderMap, HeaderName};
use std::borrow::Cow;

/// Headers kept of one request, and bytes of one value.
const MOST: usize = 32;
const LONGEST: usize = 1_000;

/// The headers worth keeping, as a JSON list of pairs: a later forward repeats them as they came.
pub(super) fn kept(headers: &HeaderMap, mappings: Option<&Mappings>) -> String {
    let pairs: Vec<(&str, Cow<'_, str>)> = headers
        .iter()
        .filter(|(name, _)| keeps(name, mappings))
        .take(MOST)
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(&value.as_bytes()[..value.len().min(LONGEST)])))
        .collect();
    serde_json::to_string(&pairs).unwrap_or_else(|_| "[]".to_owned())
}

fn keeps(name: &HeaderName, mappings: Option<&Mappings>) -> bool {
    if [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE].contains(name) {
        return false;
    }
    *name == header::CONTENT_TYPE
        || *name == header::USER_AGENT
        || name.as_str() == "x-request-id"
        || name.as_str().starts_with("x-webhook-")
        || mappings.is_some_and(|mappings| {
            let named = |text: &str| text.eq_ignore_ascii_case(name.as_str());
            named(&mappings.signature_header) || mappings.id_header.as_deref().is_some_and(named)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_never_kept_whatever_a_source_is_set_to() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/json"),
            ("authorization", "Bearer abc"),
            ("cookie", "session=abc"),
            ("x-webhook-signature", "sha256=00"),
            ("x-forwarded-for", "10.0.0.1"),
            ("webhook-id", "evt_1"),
        ] {
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers.insert("x-request-id", header::HeaderValue::from_bytes(b"\xff\xfe").unwrap());
        let mappings = Mappings {
            signature_header: "Authorization".into(),
            id_header: Some("Webhook-Id".into()),
            ..Mappings::default()
        };
        assert_eq!(
            kept(&headers, Some(&mappings)),
            r#"[["content-type","application/json"],["x-webhook-signature","sha256=00"],["webhook-id","evt_1"],["x-request-id","��"]]"#
        );
    }
}
