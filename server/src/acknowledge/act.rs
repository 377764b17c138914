//! `POST /a/{token}`: the button.

use super::page;
use crate::auth::{Identity, next};
use crate::wiring::Parts;
use axum::Extension;
use axum::extract::{Form, OriginalUri, Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::TimeDelta;
use engine::tell::{LinkError, Purpose};
use serde::Deserialize;

/// What the form holds.
#[derive(Debug, Deserialize)]
pub struct Chosen {
    /// For how many hours, of a silence.
    #[serde(default)]
    hours: Option<i64>,
}

/// Takes or silences the alerts; the link is used up. Who is no longer signed in does so first.
pub async fn handle(
    State(parts): State<Parts>,
    identity: Option<Extension<Identity>>,
    OriginalUri(uri): OriginalUri,
    Path(token): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Response {
    let Some(Extension(Identity { actor, .. })) = identity else {
        return Redirect::to(&next::login_for(&uri)).into_response();
    };
    let done = async {
        let link = parts.links.look(&token).await?;
        match link.purpose {
            Purpose::Acknowledge => Ok::<_, LinkError>(page::taken(parts.links.acknowledge(&token, &actor).await?)),
            Purpose::Silence => {
                let hours = TimeDelta::hours(chosen.hours.unwrap_or(1).clamp(1, 7 * 24));
                Ok(page::silenced(&parts.links.silence(&token, &actor, hours).await?))
            }
        }
    };
    match done.await {
        Ok(page) => page.into_response(),
        Err(error) => page::refused(&error).into_response(),
    }
}
