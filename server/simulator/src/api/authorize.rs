//! Makini Link, `/oauth/authorize`: where a customer signs in to their system, in a browser.
//!
//! Public are the address, `response_type`, `client_id` and `redirect_uri`; `state` stood in a revision of 2024. How Link knows
//! which connection is renewed is not said; chosen here: the customer picks it, and `connection` in the address picks it for
//! them. Any http or https address may be led back to; without one the customer stays here.

use crate::actions::Action;
use crate::shared::Shared;
use crate::world::World;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use reqwest::Url;
use serde::Deserialize;

/// More connections than these are not offered beside the one that was asked for.
const MOST_OFFERED: usize = 200;

/// What a client asks for, in the address; in the form it comes again, with what the customer did.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ask {
    response_type: String,
    client_id: String,
    redirect_uri: Option<String>,
    state: Option<String>,
    connection: Option<String>,
    /// `sign_in` or `cancel`; only in the form.
    act: Option<String>,
}

/// What is wrong, in a sentence, for who looks at it. Where the way back is not to be trusted, nobody is led back.
type Refusal = (StatusCode, Html<String>);

/// `GET /oauth/authorize`: the page. Changes nothing.
pub(crate) async fn show(
    State(shared): State<Shared>,
    ask: Result<Query<Ask>, QueryRejection>,
) -> Result<Html<String>, Refusal> {
    let Query(ask) = ask.map_err(|error| refusal(error.body_text()))?;
    shared.read(|world| {
        check(world, &ask)?;
        Ok(Html(sign_in_page(world, &ask)))
    })
}

/// `POST /oauth/authorize`: the customer signs in, or breaks off.
pub(crate) async fn act(
    State(shared): State<Shared>,
    ask: Result<Form<Ask>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(ask) = ask.map_err(|error| refusal(error.body_text()))?;
    let way_back = shared.read(|world| check(world, &ask))?;
    if ask.act.as_deref() == Some("cancel") {
        let said = [("error", "access_denied"), ("error_description", "the customer broke off")];
        return Ok(lead_back(way_back, &said, ask.state.as_deref(), "Nothing was changed."));
    }
    let code = shared.change(|world, now| {
        let chosen = ask.connection.as_deref().and_then(|key| world.find(key));
        let at = world.codes.sign_in_as.or(chosen).ok_or_else(|| refusal("Choose one of your systems."))?;
        world.act(at, Action::Reconnect, now).map_err(refusal)?;
        Ok::<_, Refusal>(ask.redirect_uri.as_deref().map(|uri| world.codes.give(at, uri, now)).unwrap_or_default())
    })?;
    Ok(lead_back(way_back, &[("code", &code)], ask.state.as_deref(), "You are signed in. You may close this page."))
}

/// Where to lead back to.
fn check(world: &World, ask: &Ask) -> Result<Option<Url>, Refusal> {
    if ask.client_id != world.options.client_id {
        return Err(refusal("No client has this client_id."));
    }
    if ask.response_type != "code" {
        return Err(refusal("response_type must be code."));
    }
    let Some(text) = &ask.redirect_uri else { return Ok(None) };
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.map(Some).ok_or_else(|| refusal("redirect_uri must be an http or https address."))
}

fn lead_back(way_back: Option<Url>, said: &[(&str, &str)], state: Option<&str>, here: &str) -> Response {
    let Some(mut url) = way_back else { return Html(page("Makini Link", &format!("<p>{here}</p>"))).into_response() };
    url.query_pairs_mut().extend_pairs(said).extend_pairs(state.map(|state| ("state", state)));
    (StatusCode::SEE_OTHER, [(header::LOCATION, String::from(url))]).into_response()
}

fn sign_in_page(world: &World, ask: &Ask) -> String {
    let asked = ask.connection.as_deref().and_then(|key| world.find(key));
    let offered = asked.into_iter().chain(world.alive_from(0).filter(|at| Some(*at) != asked)).take(MOST_OFFERED);
    let options: String = offered
        .map(|at| {
            let profile = &world.connections[at].profile;
            let (key, name, system) = (escape(&profile.id), escape(&profile.name), escape(profile.platform.name));
            format!("<option value=\"{key}\">{system} – {name}</option>")
        })
        .collect();
    let hidden = |name: &str, value: Option<&str>| {
        let value = value.map(escape);
        value.map(|value| format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")).unwrap_or_default()
    };
    let kept = [
        hidden("response_type", Some(&ask.response_type)),
        hidden("client_id", Some(&ask.client_id)),
        hidden("redirect_uri", ask.redirect_uri.as_deref()),
        hidden("state", ask.state.as_deref()),
    ];
    page(
        "Sign in to your system",
        &format!(
            "<p><b>{}</b> asks to read your system.</p><form method=\"post\" action=\"/oauth/authorize\">{}\
             <p><label>System<br><select name=\"connection\">{options}</select></label></p>\
             <p><button name=\"act\" value=\"sign_in\">Sign in</button> <button name=\"act\" value=\"cancel\">Cancel</button></p></form>\
             <p><small>This is a simulated Makini Link: no password is asked for.</small></p>",
            escape(&ask.client_id),
            kept.concat(),
        ),
    )
}

fn refusal(sentence: impl AsRef<str>) -> Refusal {
    let said = format!("<p role=\"alert\">{}</p>", escape(sentence.as_ref()));
    (StatusCode::BAD_REQUEST, Html(page("This does not work", &said)))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Makini Link (simulated)</title><style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui;\
         max-width:32rem;margin:15vh auto;padding:0 1rem}}button,select{{font:inherit;padding:.4rem .8rem;max-width:100%}}</style>\
         <h1>{title}</h1>{body}</html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
