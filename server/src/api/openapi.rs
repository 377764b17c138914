//! `GET /openapi.json`: OpenAPI 3.1 of all of `/api/v1`; what is not in it is not public. Committed as `server/openapi.json`.

mod tidy;

use super::{problem::Problem, v1};
use axum::Json;
use serde_json::{Value, json};
use std::sync::LazyLock;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoResponses, Modify, OpenApi};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Linewatch",
        description = "Watches every customer connection that a company runs through Makini. Times are RFC 3339 in UTC, ids \
            UUIDv7. Lists page by cursor. Unknown fields in input are refused. Every answer carries `X-Request-Id` and \
            `X-Linewatch-Version`; errors are `application/problem+json`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        v1::connections::list::handle,
        v1::connections::get::handle,
        v1::connections::patch::handle,
        v1::connections::check::handle,
        v1::connections::timeline::handle,
        v1::connections::evidence::handle,
        v1::connections::links::handle,
        v1::connections::make_link::handle,
        v1::connections::sync::handle,
        v1::connections::syncs::handle,
        v1::connections::availability::handle,
        v1::connections::capabilities::handle,
        v1::connections::told::handle,
        v1::bulk::start::handle,
        v1::bulk::get::handle,
        v1::bulk::patch::handle,
        v1::bulk::cancel::handle,
        v1::bulk::undo::handle,
        v1::customers::list::handle,
        v1::customers::get::handle,
        v1::customers::patch::handle,
        v1::views::list::handle,
        v1::views::get::handle,
        v1::views::create::handle,
        v1::views::remove::handle,
        v1::events::list::handle,
        v1::events::get::handle,
        v1::events::retry::handle,
        v1::endpoints::list::handle,
        v1::endpoints::create::handle,
        v1::endpoints::get::handle,
        v1::endpoints::patch::handle,
        v1::endpoints::remove::handle,
        v1::endpoints::rotate_secret::handle,
        v1::endpoints::test::handle,
        v1::deliveries::list::handle,
        v1::deliveries::get::handle,
        v1::deliveries::retry::handle,
        v1::events::reveal::handle,
        v1::failures::list::handle,
        v1::failures::summary::handle,
        v1::failures::groups::handle,
        v1::rejections::get::handle,
        v1::gaps::get::handle,
        v1::retries::start::handle,
        v1::retries::get::handle,
        v1::retries::patch::handle,
        v1::retries::cancel::handle,
        v1::retention::get::handle,
        v1::retention::patch::handle,
        v1::issues::list::handle,
        v1::issues::get::handle,
        v1::issues::patch::handle,
        v1::issues::notes::handle,
        v1::issues::add_note::handle,
        v1::outages::list::handle,
        v1::outages::get::handle,
        v1::outages::told::handle,
        v1::rules::list::handle,
        v1::rules::create::handle,
        v1::rules::preview::handle,
        v1::rules::get::handle,
        v1::rules::patch::handle,
        v1::rules::remove::handle,
        v1::rules::changes::handle,
        v1::alerts::list::handle,
        v1::alerts::get::handle,
        v1::alerts::acknowledge::handle,
        v1::sources::list::handle,
        v1::sources::create::handle,
        v1::sources::get::handle,
        v1::sources::patch::handle,
        v1::sources::test::handle,
        v1::sources::add_secret::handle,
        v1::sources::retire_secret::handle,
        v1::sources::makini_deliveries::handle,
        v1::sources::retry_makini_delivery::handle,
        v1::routes::list::handle,
        v1::routes::get::handle,
        v1::routes::create::handle,
        v1::routes::patch::handle,
        v1::routes::remove::handle,
        v1::routes::explain::handle,
        v1::channels::list::handle,
        v1::channels::get::handle,
        v1::channels::create::handle,
        v1::channels::patch::handle,
        v1::channels::remove::handle,
        v1::channels::test::handle,
        v1::notifications::list::handle,
        v1::notifications::get::handle,
        v1::notifications::retry::handle,
        v1::silences::list::handle,
        v1::silences::get::handle,
        v1::silences::create::handle,
        v1::silences::remove::handle,
        v1::maintenance::list::handle,
        v1::maintenance::get::handle,
        v1::maintenance::create::handle,
        v1::maintenance::remove::handle,
        v1::system::get::handle,
        crate::changes::handle,
    ),
    components(schemas(Problem, super::csv::Format, v1::connections::availability::Days)),
    tags(
        (name = "connections", description = "Customers' links to their systems."),
        (name = "bulk", description = "One thing done with many connections."),
        (name = "customers", description = "The organisations that own connections."),
        (name = "views", description = "Questions about connections, kept under names."),
        (name = "events", description = "Webhooks received from Makini."),
        (name = "endpoints", description = "Where events are forwarded."),
        (name = "deliveries", description = "Events on their way to endpoints."),
        (name = "failures", description = "Everything that failed, with what was turned away and what never came."),
        (name = "retries", description = "Many things tried again."),
        (name = "issues", description = "Problems as things that people take, wait for and end."),
        (name = "outages", description = "One issue above many."),
        (name = "rules", description = "What to alert on, with a preview over the past."),
        (name = "alerts", description = "Rules that fire for somebody."),
        (name = "sources", description = "Makini accounts that are watched."),
        (name = "routes", description = "Who is told."),
        (name = "channels", description = "By what means people are told."),
        (name = "notifications", description = "What was told."),
        (name = "silences", description = "Alerts that are not told for a while."),
        (name = "maintenance", description = "Times of work during which nobody is told."),
        (name = "system", description = "Linewatch itself."),
        (name = "changes", description = "What changed, said at once."),
    ),
    security(("token" = []), ("session" = [])),
    modifiers(&Schemes),
)]
pub struct Api;

/// How to show who one is.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API token.")).build();
        let session =
            ApiKeyValue::with_description(crate::auth::cookie::NAME, "The session of a person who signed in.");
        components.add_security_scheme("token", SecurityScheme::Http(token));
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    }
}

/// Why any question may be refused.
#[derive(IntoResponses)]
pub enum Refusals {
    /// Neither a token nor a session that is valid.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// The role does not allow it, or another site caused the request.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is no such thing.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// Something else happened meanwhile.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// The input is wrong; `errors` says where.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
    /// A fault in Linewatch.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Not possible right now; `Retry-After` says when.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Why a question with a body may be refused besides.
#[derive(IntoResponses)]
pub enum InputRefusals {
    /// Not JSON.
    #[response(status = 400, content_type = "application/problem+json")]
    NotJson(Problem),
    /// Over 1 MiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// Not called JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    NotCalledJson(Problem),
}

/// The document: what the derives make, tidied.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| tidy::tidied(json!(Api::openapi())));

/// The document as it is committed: pretty, with the line's end that editors want.
pub fn text() -> String {
    format!("{:#}\n", *DOCUMENT)
}

/// `GET /openapi.json`.
pub async fn handle() -> Json<&'static Value> {
    Json(&DOCUMENT)
}
