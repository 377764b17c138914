//! `GET /api/v1/notifications`

use crate::api::{csv, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::{AlertId, ChannelId, ConnectionId, Notification, NotificationQuery, NotificationState, Page};

/// What was told, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/notifications",
    operation_id = "listNotifications",
    tag = "notifications",
    params(
        ("state" = Option<Vec<NotificationState>>, Query, description = "Any of these states; repeat the name for several."),
        ("channel" = Option<ChannelId>, Query, description = "To this channel."),
        ("alert" = Option<AlertId>, Query, description = "Of this alert."),
        ("connection" = Option<ConnectionId>, Query, description = "About this connection."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said.", minimum = 1, maximum = 200),
        ("format" = Option<csv::Format>, Query, description = "`csv`: the whole list as CSV, whatever `cursor` and `limit` say; so does `Accept: text/csv`."),
    ),
    responses((status = 200, description = "A page of messages.", content((Page<Notification> = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    let query = NotificationQuery::from_query(&wanted.query)?;
    let ask = move |query| {
        let (parts, actor) = (parts.clone(), actor.clone());
        async move { parts.backend.notifications(&actor, query).await }
    };
    if wanted.csv {
        return csv::answer("notifications", csv::pages(query, ask)).await;
    }
    Ok(Json(ask(query).await?).into_response())
}
