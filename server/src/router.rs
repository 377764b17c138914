//! Every route, on one page.

use crate::api::openapi;
use crate::api::problem::{no_such_address, no_such_method};
use crate::api::v1::{
    alerts, bulk, channels, connections, customers, deliveries, endpoints, events, failures, gaps, issues, maintenance,
    notifications, outages, rejections, retention, retries, routes, rules, silences, sources, system, views,
};
use crate::auth::{guard, login, logout};
use crate::middleware::{access_log, compress, csrf, identify, limit, panic, request_id, security, timeout};
use crate::wiring::Parts;
use crate::{acknowledge, changes, health, metrics, reconnect, site, webhooks};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, delete, get, post};

/// Everything, for who serves the web.
pub fn router(parts: Parts) -> Router {
    let asking = machines().merge(people(&parts)).layer((
        compress::layer(),
        from_fn_with_state(parts.clone(), identify::layer),
        from_fn_with_state(parts.clone(), csrf::layer),
        from_fn(limit::layer),
    ));
    let nobody = site::not_found(&parts)
        .layer((compress::layer(), from_fn_with_state(parts.clone(), identify::layer), from_fn(guard::people)))
        .with_state(parts.clone());
    let (built, others) = (site::Files::of(&parts), site::Files::of(&parts));
    let routes = everybody()
        .route("/webhooks/{source}", post(webhooks::handle))
        .merge(reconnect::routes())
        .route("/pkg/{*file}", get(move |request| built.built(request)))
        .method_not_allowed_fallback(no_such_method)
        .merge(asking)
        .fallback(move |request| others.others(nobody, request));
    dressed(routes, parts)
}

/// What a worker shows of itself.
pub fn worker_router(parts: Parts) -> Router {
    let numbers = Router::new()
        .route("/metrics", get(metrics::handle))
        .layer(from_fn(guard::machines))
        .layer(from_fn_with_state(parts.clone(), identify::layer));
    let routes = everybody().merge(numbers).fallback(no_such_address).method_not_allowed_fallback(no_such_method);
    dressed(routes, parts)
}

/// Open to all.
fn everybody() -> Router<Parts> {
    Router::new().route("/livez", get(health::livez)).route("/readyz", get(health::readyz))
}

/// For who has a token or a session; others are told 401.
fn machines() -> Router<Parts> {
    Router::new()
        .route("/api/v1/connections", get(connections::list::handle))
        .route("/api/v1/connections/{id}", get(connections::get::handle).patch(connections::patch::handle))
        .route("/api/v1/connections/{id}/timeline", get(connections::timeline::handle))
        .route("/api/v1/connections/{id}/evidence", get(connections::evidence::handle))
        .route("/api/v1/connections/{id}/check", post(connections::check::handle))
        .route(
            "/api/v1/connections/{id}/reconnect-links",
            get(connections::links::handle).post(connections::make_link::handle),
        )
        .route("/api/v1/connections/{id}/sync", post(connections::sync::handle))
        .route("/api/v1/connections/{id}/syncs", get(connections::syncs::handle))
        .route("/api/v1/connections/{id}/availability", get(connections::availability::handle))
        .route("/api/v1/connections/{id}/capabilities", get(connections::capabilities::handle))
        .route("/api/v1/connections/{id}/told", get(connections::told::handle))
        .route("/api/v1/bulk", post(bulk::start::handle))
        .route("/api/v1/bulk/{id}", get(bulk::get::handle).patch(bulk::patch::handle).delete(bulk::cancel::handle))
        .route("/api/v1/bulk/{id}/undo", post(bulk::undo::handle))
        .route("/api/v1/customers", get(customers::list::handle))
        .route("/api/v1/customers/{id}", get(customers::get::handle).patch(customers::patch::handle))
        .route("/api/v1/views", get(views::list::handle).post(views::create::handle))
        .route("/api/v1/views/{id}", get(views::get::handle).delete(views::remove::handle))
        .route("/api/v1/events", get(events::list::handle))
        .route("/api/v1/events/{id}", get(events::get::handle))
        .route("/api/v1/events/{id}/retry", post(events::retry::handle))
        .route("/api/v1/endpoints", get(endpoints::list::handle).post(endpoints::create::handle))
        .route(
            "/api/v1/endpoints/{id}",
            get(endpoints::get::handle).patch(endpoints::patch::handle).delete(endpoints::remove::handle),
        )
        .route("/api/v1/endpoints/{id}/secret", post(endpoints::rotate_secret::handle))
        .route("/api/v1/endpoints/{id}/test", post(endpoints::test::handle))
        .route("/api/v1/deliveries", get(deliveries::list::handle))
        .route("/api/v1/deliveries/{id}", get(deliveries::get::handle))
        .route("/api/v1/deliveries/{id}/retry", post(deliveries::retry::handle))
        .route("/api/v1/events/{id}/reveal", post(events::reveal::handle))
        .route("/api/v1/failures", get(failures::list::handle))
        .route("/api/v1/failures/summary", get(failures::summary::handle))
        .route("/api/v1/failures/groups", get(failures::groups::handle))
        .route("/api/v1/rejections/{id}", get(rejections::get::handle))
        .route("/api/v1/gaps/{id}", get(gaps::get::handle))
        .route("/api/v1/retries", post(retries::start::handle))
        .route(
            "/api/v1/retries/{id}",
            get(retries::get::handle).patch(retries::patch::handle).delete(retries::cancel::handle),
        )
        .route("/api/v1/retention", get(retention::get::handle).patch(retention::patch::handle))
        .route("/api/v1/issues", get(issues::list::handle))
        .route("/api/v1/issues/{id}", get(issues::get::handle).patch(issues::patch::handle))
        .route("/api/v1/issues/{id}/notes", get(issues::notes::handle).post(issues::add_note::handle))
        .route("/api/v1/outages", get(outages::list::handle))
        .route("/api/v1/outages/{id}", get(outages::get::handle))
        .route("/api/v1/outages/{id}/told", get(outages::told::handle))
        .route("/api/v1/rules", get(rules::list::handle).post(rules::create::handle))
        .route("/api/v1/rules/preview", post(rules::preview::handle))
        .route("/api/v1/rules/{id}", get(rules::get::handle).patch(rules::patch::handle).delete(rules::remove::handle))
        .route("/api/v1/rules/{id}/changes", get(rules::changes::handle))
        .route("/api/v1/alerts", get(alerts::list::handle))
        .route("/api/v1/alerts/{id}", get(alerts::get::handle))
        .route("/api/v1/alerts/{id}/acknowledge", post(alerts::acknowledge::handle))
        .route("/api/v1/sources", get(sources::list::handle).post(sources::create::handle))
        .route("/api/v1/sources/{id}", get(sources::get::handle).patch(sources::patch::handle))
        .route("/api/v1/sources/{id}/test", post(sources::test::handle))
        .route("/api/v1/sources/{id}/webhook-secrets", post(sources::add_secret::handle))
        .route("/api/v1/sources/{id}/webhook-secrets/{secret}", delete(sources::retire_secret::handle))
        .route("/api/v1/sources/{id}/makini-deliveries", get(sources::makini_deliveries::handle))
        .route("/api/v1/sources/{id}/makini-deliveries/{delivery}/retry", post(sources::retry_makini_delivery::handle))
        .route("/api/v1/routes", get(routes::list::handle).post(routes::create::handle))
        .route("/api/v1/routes/explain", post(routes::explain::handle))
        .route(
            "/api/v1/routes/{id}",
            get(routes::get::handle).patch(routes::patch::handle).delete(routes::remove::handle),
        )
        .route("/api/v1/channels", get(channels::list::handle).post(channels::create::handle))
        .route(
            "/api/v1/channels/{id}",
            get(channels::get::handle).patch(channels::patch::handle).delete(channels::remove::handle),
        )
        .route("/api/v1/channels/{id}/test", post(channels::test::handle))
        .route("/api/v1/notifications", get(notifications::list::handle))
        .route("/api/v1/notifications/{id}", get(notifications::get::handle))
        .route("/api/v1/notifications/{id}/retry", post(notifications::retry::handle))
        .route("/api/v1/silences", get(silences::list::handle).post(silences::create::handle))
        .route("/api/v1/silences/{id}", get(silences::get::handle).delete(silences::remove::handle))
        .route("/api/v1/maintenance", get(maintenance::list::handle).post(maintenance::create::handle))
        .route("/api/v1/maintenance/{id}", get(maintenance::get::handle).delete(maintenance::remove::handle))
        .route("/api/v1/system", get(system::get::handle))
        .route("/api/v1/changes", get(changes::handle))
        .route("/openapi.json", get(openapi::handle))
        .route("/metrics", get(metrics::handle))
        .route("/api", any(no_such_address))
        .route("/api/{*rest}", any(no_such_address))
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(guard::machines))
}

/// For who has a session; others are shown the way to the sign-in page. The pages themselves are listed in `app::App`.
fn people(parts: &Parts) -> Router<Parts> {
    site::pages(parts)
        .route("/login", post(login::handle))
        .route("/logout", post(logout::handle))
        .merge(acknowledge::routes())
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(guard::people))
}

/// What every answer wears, the outermost first. As one layer: each by itself would copy all within it for every request.
fn dressed(routes: Router<Parts>, parts: Parts) -> Router {
    let layers = (
        from_fn(request_id::layer),
        from_fn(access_log::layer),
        from_fn_with_state(parts.clone(), security::layer),
        panic::layer(),
        from_fn(timeout::layer),
    );
    routes.layer(layers).with_state(parts)
}
