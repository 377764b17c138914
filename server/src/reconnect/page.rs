//! The pages, in plain words. They say nothing but what the customer knows anyway.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use engine::reconnect::{Error, Shown};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// Their style, inlined: one request is the whole page, and no script or file of ours is asked for.
const STYLE: &str = include_str!("../../../style/public.css");
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(Sha256::digest(STYLE)));

/// A page.
#[derive(Debug)]
pub struct Page {
    status: StatusCode,
    title: String,
    /// HTML.
    body: String,
    /// Where its form may lead besides to us.
    leads_to: String,
}

/// The page before Makini Link: the one button.
pub fn ready(shown: &Shown) -> Page {
    let (system, until) = (escape(&shown.system), shown.expires_at.format("%-d %B %Y"));
    let body = format!(
        "{}<p>The connection to your {system} has to be renewed: please sign in to it once more. Until then, data from it cannot \
         be kept up to date.</p><p>It takes a few minutes. You are led to Makini Link, where somebody who may sign in to your \
         {system} does so. Your password is not shown to us.</p>\
         <form method=\"post\"><button>Continue to sign in</button></form>\
         <p class=\"small\">This link is meant for you alone and works until {until}.</p>",
        whose(shown)
    );
    let title = format!("Sign in to {} again", shown.system);
    Page { leads_to: shown.link_origin.clone(), ..page(StatusCode::OK, title, body) }
}

/// The link is used, too old, or another one took its place.
pub fn over(shown: &Shown) -> Page {
    let (title, said) = if shown.done {
        let said = "Somebody has signed in again with this link. You need not do anything more.";
        ("This is already done", said)
    } else {
        let said = "It is too old, or a newer one was sent to you. Please use the newest one, or ask whoever sent it to you for another.";
        ("This link no longer works", said)
    };
    let disabled = "<p><button disabled>Continue to sign in</button></p>";
    page(StatusCode::GONE, title, format!("{}<p>{said}</p>{disabled}", whose(shown)))
}

/// No such link.
pub fn unknown() -> Page {
    let said = "Perhaps a part of it is missing. Please copy the whole link from the message into your browser's address bar, or ask whoever sent it to you for another.";
    page(StatusCode::NOT_FOUND, "This link is not known", format!("<p>{said}</p>"))
}

/// Signed in again.
pub fn done(shown: &Shown) -> Page {
    let system = escape(&shown.system);
    let said = format!(
        "<p>You have signed in to {system}. Its data will be up to date again soon. You may close this page.</p>"
    );
    page(StatusCode::OK, "Thank you", whose(shown) + &said)
}

/// Broken off at Makini Link.
pub fn broken_off(shown: &Shown, again: &str) -> Page {
    let said = "<p>The sign-in was not finished, and nothing was changed. You can try again now, or later with the link in the message.</p>";
    page(StatusCode::BAD_REQUEST, "You are not signed in yet", whose(shown) + said + &link(again))
}

/// Makini could not say.
pub fn unclear(shown: &Shown, again: &str) -> Page {
    let said = "<p>Something went wrong on the way back, and it is not your fault. Please sign in once more, now or in a few minutes.</p>";
    page(StatusCode::SERVICE_UNAVAILABLE, "That could not be finished", whose(shown) + said + &link(again))
}

/// Signed in to something else.
pub fn refused(shown: &Shown, again: &str) -> Page {
    let system = escape(&shown.system);
    let said = format!(
        "<p>You have signed in to another account or system than the one that has to be renewed, so it was not accepted. Please \
         sign in to your {system}, with the account that was used before.</p>"
    );
    page(StatusCode::CONFLICT, "That was another account", whose(shown) + &said + &link(again))
}

/// The way back is used or too old.
pub fn used() -> Page {
    let said = "If you have seen “Thank you” before, all is done. Otherwise open the link in the message again.";
    page(StatusCode::GONE, "This sign-in is over", format!("<p>{said}</p>"))
}

/// Our fault.
pub fn failed(error: &Error) -> Page {
    tracing::error!(%error, "a customer could not be served: {error}");
    let said = "This is our fault, and it passes. Please open the link in the message again in a few minutes.";
    page(StatusCode::SERVICE_UNAVAILABLE, "Not possible right now", format!("<p>{said}</p>"))
}

/// A small page of ours; its body is HTML.
pub fn page(status: StatusCode, title: impl Into<String>, body: String) -> Page {
    Page { status, title: title.into(), body, leads_to: String::new() }
}

fn whose(shown: &Shown) -> String {
    format!("<p class=\"who\">{} · {}</p>", escape(&shown.customer), escape(&shown.system))
}

fn link(again: &str) -> String {
    format!("<p><a class=\"button\" rel=\"noreferrer\" href=\"{}\">Try again</a></p>", escape(again))
}

/// A text in HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let title = escape(&self.title);
        let html = format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, \
             initial-scale=1\"><meta name=\"robots\" content=\"noindex, nofollow\"><title>{title}</title><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1>{}</main></body></html>",
            self.body
        );
        // Browsers hold a form's redirects to the policy too, so it names Makini Link.
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
            *STYLE_HASH, self.leads_to
        );
        let headers = [
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::REFERRER_POLICY, "no-referrer".to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
            (HeaderName::from_static("x-robots-tag"), "noindex, nofollow".to_owned()),
        ];
        (self.status, headers, Html(html)).into_response()
    }
}
