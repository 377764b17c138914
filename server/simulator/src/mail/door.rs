//! What was caught, over HTTP: pages for people, JSON for tests. It only shows; nothing can be changed here.

use super::letters::{Letters, Mail};
use super::page;
use crate::clock::{self, Moment};
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// Of our own pages: nothing from elsewhere, and no script but the one of the list.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Of a mail's own HTML: no script, no form, nothing loaded; its links open beside it, as in a mail program.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; \
                           img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Everything that can be seen.
pub(super) fn router(letters: Letters) -> Router {
    Router::new()
        .route("/", get(async |State(letters): State<Letters>| Html(page::list(&letters.all()))))
        .route("/read/{id}", get(read))
        .route("/mails", get(list))
        .route("/mails/{id}", get(one))
        .route("/mails/{id}/html", get(html))
        .route("/mails/{id}/raw", get(raw))
        .route("/page.css", get(async || ([(CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE)))
        .route("/page.js", get(async || ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], page::SCRIPT)))
        .fallback(async || gone())
        .layer(from_fn(guard))
        .with_state(letters)
}

/// A mail in the list.
#[derive(Serialize)]
struct Row<'a> {
    id: Uuid,
    #[serde(serialize_with = "clock::write")]
    at: Moment,
    from: &'a str,
    to: &'a [String],
    subject: &'a str,
}

async fn list(State(letters): State<Letters>) -> Response {
    let all = letters.all();
    let row = |mail: &Arc<Mail>| {
        let Mail { id, at, from, to, subject, .. } = &**mail;
        json!(Row { id: *id, at: *at, from, to, subject })
    };
    Json(json!({ "items": all.iter().map(row).collect::<Vec<_>>() })).into_response()
}

async fn one(State(letters): State<Letters>, Path(id): Path<String>) -> Response {
    match letters.find(&id) {
        Some(mail) => Json(&*mail).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "no mail of this id is kept" }))).into_response(),
    }
}

async fn read(State(letters): State<Letters>, Path(id): Path<String>) -> Response {
    letters.find(&id).map_or_else(gone, |mail| Html(page::mail(&mail)).into_response())
}

async fn html(State(letters): State<Letters>, Path(id): Path<String>) -> Response {
    let Some(mail) = letters.find(&id).filter(|mail| mail.html.is_some()) else { return gone() };
    let body = page::framed(mail.html.as_deref().unwrap_or_default());
    ([(CONTENT_SECURITY_POLICY, MAIL_POLICY)], Html(body)).into_response()
}

async fn raw(State(letters): State<Letters>, Path(id): Path<String>) -> Response {
    letters
        .find(&id)
        .map_or_else(gone, |mail| ([(CONTENT_TYPE, "text/plain; charset=utf-8")], mail.raw.clone()).into_response())
}

fn gone() -> Response {
    (StatusCode::NOT_FOUND, Html(page::gone())).into_response()
}

/// Answers only who asks by a name of this machine, so that no name from elsewhere can be made to lead here.
async fn guard(request: Request, next: Next) -> Response {
    if !request.headers().get(HOST).is_some_and(is_here) {
        return (StatusCode::FORBIDDEN, "the mail catcher opens on loopback only").into_response();
    }
    let mut answer = next.run(request).await;
    let always: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in always {
        answer.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    answer
}

fn is_here(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_lead_here() {
        for (host, here) in [
            ("127.0.0.1:4025", true),
            ("localhost", true),
            ("[::1]:4025", true),
            ("evil.example:4025", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(is_here(&HeaderValue::from_static(host)), here, "{host}");
        }
    }
}
