//! The API's errors: code, type, message and the id of the request.

use crate::clock::{self, Moment};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// A refusal. It travels as an extension of an empty answer; `router::dress` writes its body, because only that knows the
/// id of the request.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    kind: &'static str,
    message: String,
    retry_after: Option<String>,
    allow: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, kind, message: message.into(), retry_after: None, allow: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "invalid_request_error", message)
    }

    pub(crate) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "AUTHENTICATION_FAILED", "authentication_error", message)
    }

    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", "authentication_error", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "invalid_request_error", message)
    }

    /// The request is one that could be, and what it says cannot.
    pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, "invalid_request_error", message)
    }

    /// The platform does not let this be done; these methods it does.
    pub(crate) fn unsupported(message: impl Into<String>, allow: String) -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self { allow: Some(allow), ..Self::new(status, "OPERATION_NOT_SUPPORTED", "invalid_request_error", message) }
    }

    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, "invalid_request_error", message)
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "this path does not take that method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "invalid_request_error", message)
    }

    pub(crate) fn internal() -> Self {
        let message = "something went wrong on our side";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "api_error", message)
    }

    pub(crate) fn unavailable() -> Self {
        let message = "the service is not available at the moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", "api_error", message)
    }

    /// One request too many. Both forms of `Retry-After` that HTTP knows are in use.
    pub(crate) fn too_many(wait: Duration, as_date: bool, now: Moment) -> Self {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        let mut error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "RATE_LIMIT_EXCEEDED",
            "rate_limit_error",
            format!("too many requests: try again in {seconds} s"),
        );
        error.retry_after = Some(if as_date {
            // A date has no fractions: one second more, never one too few.
            clock::http_date(now + wait + Duration::from_secs(1))
        } else {
            seconds.to_string()
        });
        error
    }

    /// The error of one record of many, beside what tells which.
    pub(crate) fn part(&self) -> Value {
        json!({ "code": self.code, "type": self.kind, "message": self.message })
    }

    /// Writes the error into the answer it came with.
    pub(crate) fn write(self, answer: Response, request_id: &str) -> Response {
        let body = json!({
            "error": { "code": self.code, "type": self.kind, "message": self.message, "request_id": request_id }
        });
        let mut written = (self.status, Json(body)).into_response();
        let own = self.allow.and_then(|allow| HeaderValue::from_str(&allow).ok());
        if let Some(allow) = own.or_else(|| answer.headers().get(header::ALLOW).cloned()) {
            written.headers_mut().insert(header::ALLOW, allow);
        }
        if let Some(after) = self.retry_after.and_then(|after| HeaderValue::from_str(&after).ok()) {
            written.headers_mut().insert(header::RETRY_AFTER, after);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            written.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        written
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut answer = self.status.into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}
