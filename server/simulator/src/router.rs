//! Every route on one page, and what is done to every request.

use crate::api::{authorize, deliveries, faq_v1, link, openapi_2025, records, tokens};
use crate::auth;
use crate::control;
use crate::error::ApiError;
use crate::faults::FaultKind;
use crate::options::Dialect;
use crate::shared::Shared;
use crate::tokens::fresh;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use rand::Rng;
use std::time::Duration;

/// The whole simulator.
pub(crate) fn router(shared: Shared) -> Router {
    let dialect = shared.read(|world| world.options.dialect);
    let spoken = match dialect {
        Dialect::FaqV1 => faq_v1(),
        Dialect::Openapi2025 => openapi_2025(),
    };
    let api = Router::new()
        .route("/link/token", post(link::grant))
        .route("/api/system/connections/{id}/token", post(tokens::issue))
        .route("/api/system/webhooks/deliveries/{id}/retry", post(deliveries::retry))
        .merge(spoken)
        .fallback(async || ApiError::not_found("there is nothing at this path"))
        .layer(from_fn_with_state(shared.clone(), suffer))
        .layer(from_fn_with_state(dialect, dress));
    let control = Router::new()
        .route("/connections/{key}/actions", post(control::act))
        .route("/faults", post(control::add_fault).delete(control::end_faults))
        .route("/faults/{id}", delete(control::end_fault))
        .route("/story", post(control::story))
        .route("/state", get(control::state))
        .route("/deliveries", get(control::deliveries))
        .route("/deliveries/{id}/retry", post(control::retry))
        .route("/webhook", put(control::webhook))
        .route("/link", put(control::link))
        .fallback(async || control::Refusal::not_found("there is nothing at this path"))
        .layer(from_fn(control::guard));
    // Makini Link is pages for people: neither dressed as the API nor struck by its faults.
    let link = Router::new().route("/oauth/authorize", get(authorize::show).post(authorize::act));
    Router::new().nest("/_sim", control).merge(link).merge(api).with_state(shared)
}

/// What only the dialect `faq_v1` has, or has in its own way.
fn faq_v1() -> Router<Shared> {
    use faq_v1::{connections, deliveries, records, syncs};
    let list = || get(records::list);
    unified("/api/v1", list)
        .merge(unified("/api/eam", list))
        .merge(unified("/api/erp", list))
        .merge(unified("/api/wms", list))
        .route("/api/v1/connections", get(connections::list))
        .route("/api/v1/connections/{id}", get(connections::show))
        .route("/api/v1/connections/{id}/status", get(connections::status))
        .route("/api/v1/connections/{id}/sync-status", get(syncs::status))
        .route("/api/v1/connections/{id}/syncs", post(syncs::start))
        .route("/api/system/connections/{id}", delete(connections::delete))
        .route("/api/system/platforms", get(openapi_2025::account::platforms))
        .route("/api/system/webhooks/deliveries", get(deliveries::list))
}

/// What only the dialect `openapi_2025` has, or has in its own way.
fn openapi_2025() -> Router<Shared> {
    use openapi_2025::{account, add, connections, current, deliveries, metadata, records};
    let list = || get(records::list);
    unified("/api/eam", list)
        .merge(unified("/api/erp", list))
        .merge(unified("/api/wms", list))
        .route("/api/system/connections", get(connections::list).post(add::add))
        .route("/api/system/connections/{id}", delete(connections::delete))
        .route("/api/system/connections/{id}/metadata", get(metadata::list).post(metadata::add))
        .route("/api/system/client", get(account::client))
        .route("/api/system/platforms", get(account::platforms))
        .route("/api/system/webhooks/deliveries", get(deliveries::list))
        .route("/api/integrations/current", get(current::show).delete(current::delete))
        .route("/api/integrations/sync", post(current::sync))
        .route("/api/integrations/sync/status", get(current::sync_status))
}

/// The records of a connection, below this path; each dialect brings its own list.
fn unified(prefix: &str, list: impl Fn() -> MethodRouter<Shared>) -> Router<Shared> {
    let one = get(records::show).put(records::update).delete(records::delete);
    Router::new()
        .route(&format!("{prefix}/{{entity}}"), list().post(records::create).put(records::update_many))
        .route(&format!("{prefix}/{{entity}}/{{key}}"), one)
        .route(&format!("{prefix}/{{entity}}/{{key}}/status"), put(records::status))
}

/// The key of the connection that a path is about.
pub(crate) fn addressed(path: &str) -> Option<&str> {
    let mut parts = path.split('/').skip_while(|part| *part != "connections");
    parts.nth(1).filter(|key| !key.is_empty())
}

/// Gives every answer the headers of Makini, and every error its body.
async fn dress(State(dialect): State<Dialect>, request: Request, next: Next) -> Response {
    let request_id = fresh("req_");
    let mut answer = next.run(request).await;
    let error = answer.extensions_mut().remove::<ApiError>();
    let error = error.or_else(|| match answer.status() {
        StatusCode::METHOD_NOT_ALLOWED => Some(ApiError::method_not_allowed()),
        // What the framework refuses before it comes to a handler.
        status if status.is_client_error() => Some(ApiError::invalid("the request cannot be read")),
        _ => None,
    });
    if let Some(error) = error {
        answer = error.write(answer, &request_id);
    }
    let headers = answer.headers_mut();
    let version = match dialect {
        Dialect::FaqV1 => "v1",
        Dialect::Openapi2025 => "v4",
    };
    headers.insert(HeaderName::from_static("x-makini-version"), HeaderValue::from_static(version));
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    answer
}

/// Lets the faults that are on have their way with a request.
async fn suffer(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (path, headers) = (request.uri().path(), request.headers());
    let (latency, failure) = shared.note(|world, now| {
        world.counters.requests += 1;
        let target = auth::target(world, path, headers, now);
        let latency = world.faults.worst(FaultKind::LatencyMs, target);
        let failure = if world.all_out() {
            Some(ApiError::unavailable())
        } else if world.strikes(FaultKind::ErrorRate, target) {
            Some(if world.dice.random_bool(0.5) { ApiError::internal() } else { ApiError::unavailable() })
        } else {
            None
        };
        world.counters.requests_failed_by_fault += u64::from(failure.is_some());
        (Duration::from_secs_f64(latency / 1_000.0), failure)
    });
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match failure {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_which_connection_it_is_about() {
        assert_eq!(addressed("/api/v1/connections/09000207611898/status"), Some("09000207611898"));
        assert_eq!(addressed("/api/system/connections/1/token"), Some("1"));
        assert_eq!(addressed("/api/v1/connections"), None);
        assert_eq!(addressed("/link/token"), None);
    }
}
