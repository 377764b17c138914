//! `GET /api/v1/connections/{id}/availability`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::{RawQuery, State};
use model::{Availability, ConnectionId, FieldError, Refusal};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// How much of the last 7, 30 or 90 days a connection was up. Unknown is never up; it and what is nobody's fault stand apart.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/availability",
    operation_id = "getConnectionAvailability",
    tag = "connections",
    params(
        ("id" = ConnectionId, Path, description = "Linewatch's id of the connection."),
        ("days" = Option<Days>, Query, description = "7, 30 or 90; 30 unless said."),
    ),
    responses((status = 200, description = "Its availability.", body = Availability), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ConnectionId>,
    RawQuery(query): RawQuery,
) -> Answer<Availability> {
    let days = read(query.as_deref().unwrap_or_default())?;
    Ok(Json(parts.backend.availability(&actor, id, days).await?))
}

/// Over how many days it is told, as the document shows it.
pub struct Days;

impl PartialSchema for Days {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([7, 30, 90])).into()
    }
}

impl ToSchema for Days {}

fn read(query: &str) -> Result<u16, Refusal> {
    let (mut days, mut errors) = (30, Vec::new());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
        match (&*name, value.parse()) {
            ("days", Ok(read)) => days = read,
            ("days", Err(_)) => errors.push(FieldError::new("days", "availability is told over 7, 30 or 90 days")),
            _ => errors.push(FieldError::new(name, "this filter is not known")),
        }
    }
    if errors.is_empty() { Ok(days) } else { Err(Refusal::Invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_thirty_unless_said_and_nothing_else_may_be_said() {
        assert_eq!((read(""), read("days="), read("days=90")), (Ok(30), Ok(30), Ok(90)));
        let Err(Refusal::Invalid(errors)) = read("days=week&hours=3") else { panic!("must be refused") };
        assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["days", "hours"]);
    }
}
