//! `GET /api/v1/failures/groups`

use crate::api::{openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::{RawQuery, State};
use model::{ConnectionId, EndpointId, FailureGroup, FailureKind, FailureQuery, Page};

/// Failures by cause, most first; at most 100, always on one page.
#[utoipa::path(
    get,
    path = "/api/v1/failures/groups",
    operation_id = "groupFailures",
    tag = "failures",
    params(
        ("kind" = Option<Vec<FailureKind>>, Query, description = "Any of these kinds; repeat the name for several."),
        ("connection" = Option<ConnectionId>, Query, description = "Of this connection."),
        ("endpoint" = Option<EndpointId>, Query, description = "On the way to this endpoint."),
        ("source" = Option<Vec<String>>, Query, description = "Of any of these sources, by id or name."),
        ("error" = Option<Vec<String>>, Query, description = "With any of these classes of error."),
        ("since" = Option<DateTime<Utc>>, Query, description = "First failed at or after this."),
        ("until" = Option<DateTime<Utc>>, Query, description = "First failed before this."),
        ("q" = Option<String>, Query, description = "With this text in the error or in what is shown of the payload: hidden values are not found. For who may see payloads."),
        ("path" = Option<String>, Query, description = "With `q` at this place of the payload, such as `data.error.code`."),
        ("id" = Option<Vec<Uuid>>, Query, description = "These things alone."),
    ),
    responses((status = 200, description = "The causes.", body = Page<FailureGroup>), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    RawQuery(query): RawQuery,
) -> Answer<Page<FailureGroup>> {
    let query = FailureQuery::from_query(query.as_deref().unwrap_or_default())?;
    let items = parts.backend.failure_groups(&actor, query).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
