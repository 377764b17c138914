//! What callers send: read strictly, and every mistake told by the name of its field.

use super::problem::Problem;
use crate::middleware::limit;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request};
use http_body_util::{BodyExt as _, LengthLimitError};
use model::{FieldError, Refusal};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use std::str::FromStr;

/// A JSON body. 415 if it is not called JSON, 400 if it is not JSON, 422 if it is not what was asked for; a field that
/// nobody asked for is one too many.
#[derive(Debug)]
pub struct Input<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !called_json(request.headers()) {
            return Err(not_called_json());
        }
        let bytes = whole(request.into_body()).await?;
        read(&bytes).map(Self)
    }
}

/// The same where a body may be absent: then everything takes its default.
#[derive(Debug)]
pub struct Maybe<T>(pub T);

impl<T: DeserializeOwned + Default, S: Sync> FromRequest<S> for Maybe<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let called = called_json(request.headers());
        let bytes = whole(request.into_body()).await?;
        match (bytes.is_empty(), called) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => read(&bytes).map(Self),
            (false, false) => Err(not_called_json()),
        }
    }
}

fn not_called_json() -> Problem {
    let detail = "The body must be JSON, with the header “Content-Type: application/json”.";
    Problem::about(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}

/// The id in the path; one that cannot be an id belongs to nothing.
#[derive(Debug)]
pub struct Id<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await.map(|Path(text)| text).unwrap_or_default();
        text.parse().map(Self).map_err(|_| no_such(&text))
    }
}

/// Two ids in the path.
#[derive(Debug)]
pub struct Ids<A, B>(pub A, pub B);

impl<A: FromStr, B: FromStr, S: Send + Sync> FromRequestParts<S> for Ids<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let (first, second) = path.map(|Path(texts)| texts).unwrap_or_default();
        let ids = (first.parse().map_err(|_| no_such(&first))?, second.parse().map_err(|_| no_such(&second))?);
        Ok(Self(ids.0, ids.1))
    }
}

/// 404 for an id that cannot be one.
fn no_such(id: &str) -> Problem {
    let short: String = id.chars().take(40).collect();
    Refusal::NotFound(format!("“{short}”")).into()
}

fn called_json(headers: &HeaderMap) -> bool {
    let called = headers.get(CONTENT_TYPE).and_then(|called| called.to_str().ok()).unwrap_or_default();
    let essence = called.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

async fn whole(body: Body) -> Result<bytes::Bytes, Problem> {
    let read = body.collect().await.map_err(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            if error.is::<LengthLimitError>() {
                return limit::too_large();
            }
            cause = error.source();
        }
        Problem::about(StatusCode::BAD_REQUEST, "The body broke off.")
    })?;
    Ok(read.to_bytes())
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // A list would do, to serde: its items by the order of the fields. Nobody means that.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => Refusal::invalid("body", "this must be an object").into(),
            Err(error) => not_json(&error),
        });
    }
    let mut track = serde_path_to_error::Track::new();
    let mut unknown = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let value: Result<T, _> = serde_ignored::deserialize(tracked, |path| unknown.push(path.to_string()));
    let value = value.and_then(|value| json.end().map(|()| value)).map_err(|error| match error.classify() {
        Category::Data => {
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
            Refusal::invalid(field(message, track.path().to_string()), message).into()
        }
        _ => not_json(&error),
    })?;
    if unknown.is_empty() {
        return Ok(value);
    }
    let errors = unknown.into_iter().map(|field| FieldError::new(field, "this field is not known")).collect();
    Err(Refusal::Invalid(errors).into())
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::about(StatusCode::BAD_REQUEST, format!("The body is not JSON: {error}."))
}

/// The field that a message is about: the one it names, else the place where reading stopped.
fn field(message: &str, path: String) -> String {
    let named = ["unknown field `", "missing field `", "duplicate field `"];
    let named = named.iter().find_map(|begin| message.strip_prefix(begin)?.split('`').next());
    match named {
        Some(name) if path == "." || path == name => name.to_owned(),
        Some(name) if !path.ends_with(name) => format!("{path}.{name}"),
        _ if path == "." => "body".to_owned(),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{ConnectionPatch, NewSource, SourcePatch};

    fn refused<T: DeserializeOwned + std::fmt::Debug>(body: &str) -> (u64, String) {
        let problem = serde_json::to_value(read::<T>(body.as_bytes()).unwrap_err()).unwrap();
        let field = problem["errors"][0]["field"].as_str().unwrap_or_default();
        (problem["status"].as_u64().unwrap(), field.to_owned())
    }

    #[test]
    fn names_the_field_that_is_wrong() {
        assert_eq!(refused::<ConnectionPatch>(r#"{"colour": 1}"#), (422, "colour".into()));
        assert_eq!(refused::<ConnectionPatch>(r#"{"tags": ["a", 1]}"#), (422, "tags[1]".into()));
        assert_eq!(refused::<SourcePatch>(r#"{"colour": 1}"#), (422, "colour".into()));
        assert_eq!(refused::<SourcePatch>(r#"{"mappings": {"colour": 1}}"#), (422, "mappings.colour".into()));
        assert_eq!(refused::<SourcePatch>(r#"{"environment": "moon"}"#), (422, "environment".into()));
        assert_eq!(refused::<NewSource>(r#"{"name": "a"}"#), (422, "base_url".into()));
        let whole = r#""name": "a", "base_url": "b", "client_id": "c", "client_secret": "d""#;
        assert_eq!(refused::<NewSource>(&format!("{{{whole}, \"colour\": 1}}")), (422, "colour".into()));
    }

    #[test]
    fn what_is_no_json_is_another_mistake() {
        for body in ["", "{", "{} {}", "{\"tags\": [}"] {
            assert_eq!(refused::<ConnectionPatch>(body).0, 400, "{body}");
        }
        assert_eq!(refused::<ConnectionPatch>("[]").0, 422);
    }

    #[test]
    fn json_has_more_than_one_name() {
        for (called, is) in
            [("application/json; charset=utf-8", true), ("application/merge-patch+json", true), ("text/plain", false)]
        {
            assert_eq!(called_json(&HeaderMap::from_iter([(CONTENT_TYPE, called.parse().unwrap())])), is, "{called}");
        }
        assert!(!called_json(&HeaderMap::new()));
    }
}
