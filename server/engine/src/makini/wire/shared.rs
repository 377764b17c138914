//! What every dialect has in common: signing in, and errors.

use super::lenient;
use crate::{makini::error::tidy, vault::Secret};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

/// Where upstream does not say how long a token lives, it is asked for a new one after this.
const UNSAID_LIFE: TimeDelta = TimeDelta::hours(1);
/// A token that is said to be over already gets this long: rather our clock is wrong.
const LEAST_LIFE: TimeDelta = TimeDelta::seconds(30);

/// What is asked of the token endpoint.
pub(in crate::makini) enum Grant<'a> {
    /// A new pair for the client's credentials.
    ClientCredentials,
    /// A new pair for an old one, which dies.
    Refresh(&'a Secret),
    /// A connection's pair for what Makini Link gave the customer's browser.
    Code {
        /// That, good once and for a short time.
        code: &'a Secret,
        /// Where the browser was sent with it.
        redirect_uri: &'a str,
    },
}

/// A pair of tokens, or a connection's single one.
#[derive(Debug)]
pub(in crate::makini) struct Pair {
    pub access: Secret,
    pub refresh: Option<Secret>,
    pub expires_at: DateTime<Utc>,
}

/// The request's content type and body: JSON for credentials, a form for all else, as the documentation has them.
pub(in crate::makini) fn grant(grant: &Grant<'_>, client_id: &str, client_secret: &Secret) -> (&'static str, Secret) {
    match grant {
        Grant::ClientCredentials => {
            let body = json!({
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": client_secret.expose(),
            });
            ("application/json", body.to_string().into())
        }
        Grant::Refresh(refresh) => {
            let form = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("grant_type", "refresh_token")
                .append_pair("refresh_token", refresh.expose())
                .append_pair("client_id", client_id)
                .append_pair("client_secret", client_secret.expose())
                .finish();
            ("application/x-www-form-urlencoded", form.into())
        }
        Grant::Code { code, redirect_uri } => {
            let form = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("grant_type", "authorization_code")
                .append_pair("code", code.expose())
                .append_pair("redirect_uri", redirect_uri)
                .append_pair("client_id", client_id)
                .append_pair("client_secret", client_secret.expose())
                .finish();
            ("application/x-www-form-urlencoded", form.into())
        }
    }
}

/// Reads a pair, or a connection's token.
pub(in crate::makini) fn pair(body: &[u8], now: DateTime<Utc>) -> Result<Pair, String> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "it is not JSON".to_owned())?;
    let map = object(&value).ok_or("it is not an object")?;
    let secret = |names: &[&str]| {
        let text = Zeroizing::new(lenient::text(lenient::field(map, names)?, 16_384)?);
        // A header has no room for anything else.
        text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| Secret::from(text.as_str()))
    };
    let access = secret(&["access_token", "token"]).ok_or("it holds no access token")?;
    let said = lenient::field(map, &["expires_in", "expires_at"]).and_then(|value| lenient::expiry(value, now));
    let expires_at = match said {
        Some(until) if until > now => until,
        Some(_) => now + LEAST_LIFE,
        None => now + UNSAID_LIFE,
    };
    Ok(Pair { access, refresh: secret(&["refresh_token"]), expires_at })
}

/// An error's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::makini) struct WireError {
    pub code: Option<String>,
    pub message: Option<String>,
    pub request_id: Option<String>,
}

/// Reads an error's body: nested under `error` or flat, OAuth's too. What cannot be read says nothing.
pub(in crate::makini) fn error(body: &[u8]) -> WireError {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return WireError::default() };
    let Some(outer) = value.as_object() else { return WireError::default() };
    let inner = lenient::field(outer, &["error"]);
    let map = inner.and_then(Value::as_object).unwrap_or(outer);
    let text = |names: &[&str]| {
        let found = lenient::field(map, names).or_else(|| lenient::field(outer, names))?;
        lenient::text(found, 4_096).map(|text| tidy(&text)).filter(|text| !text.is_empty())
    };
    let code = text(&["code", "error_code"])
        .or_else(|| inner.and_then(|code| lenient::text(code, 100)).map(|code| tidy(&code)));
    WireError {
        code,
        message: text(&["message", "error_description", "detail", "title"]),
        request_id: text(&["request_id"]),
    }
}

/// The object itself, or the one under `data`.
pub(super) fn object(value: &Value) -> Option<&Map<String, Value>> {
    let map = value.as_object()?;
    Some(map.get("data").and_then(Value::as_object).unwrap_or(map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_pair_is_read_in_every_published_form() {
        let flat =
            pair(br#"{"access_token":"a","refresh_token":"r","token_type":"bearer","expires_in":"1795435200"}"#, now());
        let flat = flat.unwrap();
        assert_eq!((flat.access.expose(), flat.refresh.as_ref().map(Secret::expose)), ("a", Some("r")));
        assert_eq!(flat.expires_at, "2026-11-23T12:00:00Z".parse::<DateTime<Utc>>().unwrap());
        let single = pair(br#"{"data":{"token":"t","expires_in":300}}"#, now()).unwrap();
        assert_eq!((single.access.expose(), single.expires_at - now()), ("t", TimeDelta::seconds(300)));
        assert!(single.refresh.is_none());
        let past = pair(br#"{"access_token":"a","expires_in":1700000000}"#, now()).unwrap();
        assert_eq!(past.expires_at - now(), LEAST_LIFE);
        for broken in
            ["", "[]", "{}", r#"{"access_token":""}"#, r#"{"access_token":"a\nb"}"#, r#"{"access_token":"ä"}"#]
        {
            assert!(pair(broken.as_bytes(), now()).is_err(), "{broken}");
        }
    }

    #[test]
    fn an_error_is_read_nested_and_flat() {
        let nested = error(
            br#"{"error":{"code":"RATE_LIMIT_EXCEEDED","type":"t","message":"slow\ndown","request_id":"req_1"}}"#,
        );
        assert_eq!(nested.code.as_deref(), Some("RATE_LIMIT_EXCEEDED"));
        assert_eq!(nested.message.as_deref(), Some("slow down"));
        assert_eq!(nested.request_id.as_deref(), Some("req_1"));
        let flat = error(br#"{"code":401,"message":"no","requestId":7}"#);
        assert_eq!((flat.code.as_deref(), flat.request_id.as_deref()), (Some("401"), Some("7")));
        let oauth = error(br#"{"error":"invalid_client","error_description":"unknown client"}"#);
        assert_eq!(oauth.code.as_deref(), Some("invalid_client"));
        assert_eq!(oauth.message.as_deref(), Some("unknown client"));
        assert_eq!(error(b"<html>"), WireError::default());
        assert_eq!(error(b"[1]"), WireError::default());
    }

    #[test]
    fn credentials_go_as_json_and_all_else_as_a_form() {
        let (kind, body) = grant(&Grant::ClientCredentials, "id", &"s\"ecret".into());
        assert_eq!(kind, "application/json");
        assert_eq!(serde_json::from_str::<Value>(body.expose()).unwrap()["client_secret"], "s\"ecret");
        let (kind, body) = grant(&Grant::Refresh(&"r&r".into()), "id", &"s".into());
        assert_eq!(kind, "application/x-www-form-urlencoded");
        assert_eq!(body.expose(), "grant_type=refresh_token&refresh_token=r%26r&client_id=id&client_secret=s");
        let code = Grant::Code { code: &"c&c".into(), redirect_uri: "https://l/r/callback" };
        let (kind, body) = grant(&code, "id", &"s".into());
        assert_eq!(kind, "application/x-www-form-urlencoded");
        let expected = "grant_type=authorization_code&code=c%26c&redirect_uri=https%3A%2F%2Fl%2Fr%2Fcallback&client_id=id&client_secret=s";
        assert_eq!(body.expose(), expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = pair(&bytes, now());
            let _ = error(&bytes);
        }
    }
}
