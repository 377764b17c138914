//! Why there is no answer, as `application/problem+json` (RFC 9457); for who looks at it in a browser, as a short page.

use crate::middleware::request_id::asked;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use model::{FieldError, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

/// Why there is no answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem: `urn:linewatch:problem:` and a word that stays.
    #[schema(example = "urn:linewatch:problem:not_found")]
    #[schema(value_type = String)]
    r#type: Box<str>,
    /// The same in words, alike for all of its kind.
    #[schema(value_type = String)]
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened here, and what to do.
    #[schema(value_type = String)]
    detail: Box<str>,
    /// The number of the request, for the log and for support.
    #[schema(value_type = String)]
    request_id: Box<str>,
    /// What is wrong with each field, where the input is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// The same for a server function's caller, which expects the refusal itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    refusal: Option<Box<Refusal>>,
    #[serde(skip)]
    retry_after: u64,
}

impl Problem {
    /// A problem of a kind that is no [`Refusal`].
    pub fn new(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<Box<str>>) -> Self {
        Self {
            r#type: format!("urn:linewatch:problem:{kind}").into(),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            request_id: (*asked().id).into(),
            errors: Vec::new(),
            refusal: None,
            retry_after: 0,
        }
    }

    /// A problem that its status names well enough.
    pub fn about(status: StatusCode, detail: impl Into<Box<str>>) -> Self {
        let title = status.canonical_reason().unwrap_or("Refused");
        Self::new(status, &title.to_lowercase().replace([' ', '-'], "_"), title, detail)
    }

    /// 500, with nothing about the inside.
    pub fn internal() -> Self {
        Refusal::Internal(asked().id.to_string()).into()
    }

    /// 503, and when to come back.
    pub fn unavailable(detail: &str, seconds: u64) -> Self {
        Self::from(Refusal::Unavailable(detail.to_owned())).retry_after(seconds)
    }

    /// With `Retry-After`; 0 is without.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: seconds, ..self }
    }

    /// With what a server function's caller expects.
    pub fn for_calls(self) -> Self {
        Self { refusal: Some(Box::new(Refusal::Unauthenticated)), ..self }
    }

    fn page(&self) -> String {
        let detail = self.detail.replace('&', "&amp;").replace('<', "&lt;");
        let (title, id) = (&self.title, &self.request_id);
        format!(
            "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title} · Linewatch</title><h1>{title}</h1><p>{detail}</p><p>Reference: {id}</p><p><a href=\"/\">Overview</a></p>"
        )
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = match &refusal {
            Refusal::NotFound(_) => "not_found",
            Refusal::Forbidden(_) => "forbidden",
            Refusal::Unauthenticated => "unauthenticated",
            Refusal::Invalid(_) => "invalid",
            Refusal::Conflict(_) => "conflict",
            Refusal::Unavailable(_) => "unavailable",
            Refusal::Internal(_) => "internal",
        };
        let problem = Self::new(status, kind, refusal.title(), refusal.to_string());
        match refusal {
            Refusal::Invalid(errors) => Self { errors, ..problem },
            Refusal::Unavailable(_) => problem.retry_after(5),
            _ => problem,
        }
    }
}

impl From<engine::people::Error> for Problem {
    fn from(error: engine::people::Error) -> Self {
        tracing::error!(%error, "nobody can be identified: {error}");
        Self::unavailable("Linewatch cannot reach its database right now. Try again in a moment.", 5)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = if asked().page {
            (status, Html(self.page())).into_response()
        } else {
            (status, Json(&self)).into_response()
        };
        let headers = response.headers_mut();
        if !asked().page {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        }
        if self.retry_after > 0 {
            headers.insert(header::RETRY_AFTER, self.retry_after.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"linewatch\""));
        }
        response
    }
}

/// For addresses that nobody has.
pub async fn no_such_address() -> Problem {
    Refusal::NotFound("This address".to_owned()).into()
}

/// For methods that an address does not know; which it knows stands in `Allow`.
pub async fn no_such_method() -> Problem {
    let detail = "This address does not know this method. Those it knows stand in the header Allow.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed", detail)
}
