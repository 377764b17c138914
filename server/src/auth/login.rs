//! `POST /login`: the sign-in form.

use super::{Address, Identity, Via, cookie, guard::accepts_html, next};
use crate::api::problem::Problem;
use crate::wiring::Parts;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header::SET_COOKIE};
use axum::response::{IntoResponse as _, Redirect, Response};
use engine::people::SignInRefused;
use metrics::counter;
use serde::Deserialize;

/// What the form holds.
#[derive(Deserialize)]
pub struct SignIn {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// Opens a session and goes to where the link pointed; or back to the form, with the reason.
pub async fn handle(
    State(parts): State<Parts>,
    before: Option<axum::Extension<Identity>>,
    Address(address): Address,
    headers: HeaderMap,
    form: Result<Form<SignIn>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = form.map_err(|rejection| Problem::about(rejection.status(), rejection.body_text()))?;
    let next = next::local(&form.next);
    let session = match parts.people.sign_in(&form.email, &form.password, address).await {
        Ok(session) => session,
        Err(refused) => return refuse(refused, next, accepts_html(&headers)),
    };
    counter!("linewatch_sign_ins_total", "result" => "ok").increment(1);
    if let Some(axum::Extension(Identity { via: Via::Session(old), .. })) = before {
        parts.people.sign_out(old.expose()).await?;
    }
    let lasts = (session.ends_at - parts.clock.now()).to_std().unwrap_or_default();
    let mut response = Redirect::to(next).into_response();
    response
        .headers_mut()
        .extend(cookie::set(&session.cookie, lasts, parts.is_https()).map(|cookie| (SET_COOKIE, cookie)));
    Ok(response)
}

fn refuse(refused: SignInRefused, next: &str, page: bool) -> Result<Response, Problem> {
    let (result, status, wait) = match &refused {
        SignInRefused::Wrong => ("wrong", StatusCode::UNAUTHORIZED, 0),
        SignInRefused::Throttled { wait } => ("throttled", StatusCode::TOO_MANY_REQUESTS, wait.as_secs()),
        SignInRefused::Failed(_) => ("failed", StatusCode::SERVICE_UNAVAILABLE, 0),
    };
    counter!("linewatch_sign_ins_total", "result" => result).increment(1);
    match refused {
        SignInRefused::Failed(error) => Err(error.into()),
        _ if page => {
            let wait = if wait > 0 { format!("&wait={wait}") } else { String::new() };
            Ok(Redirect::to(&format!("{}&error={result}{wait}", next::login_with(next))).into_response())
        }
        said => Err(Problem::new(status, result, "Not signed in", said.to_string()).retry_after(wait)),
    }
}
