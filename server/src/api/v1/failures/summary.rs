//! `GET /api/v1/failures/summary`

use crate::api::{openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::{RawQuery, State};
use model::{ConnectionId, EndpointId, FailureKind, FailureQuery, FailureSummary};

/// How many failures match, by kind, and what stands out. `counts` apply every filter but `kind`.
#[utoipa::path(
    get,
    path = "/api/v1/failures/summary",
    operation_id = "sumFailures",
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
    responses((status = 200, description = "Counts and hints.", body = FailureSummary), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    RawQuery(query): RawQuery,
) -> Answer<FailureSummary> {
    let query = FailureQuery::from_query(query.as_deref().unwrap_or_default())?;
    Ok(Json(parts.backend.failure_summary(&actor, query).await?))
}
