//! What the page of a connection asks of its past, and what a person does with it by hand.

use super::{CallError, Wire};
#[cfg(feature = "ssr")]
use super::{answer, as_of, desk, send_on};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{Availability, Capability, ConnectionId, Page, Sync, SyncKind};
use serde::{Deserialize, Serialize};

/// A connection's past, and what it can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// A page of its syncs.
    pub syncs: Page<Sync>,
    /// How much of the time it was up.
    pub availability: Availability,
    /// What it can do with which records.
    pub capabilities: Vec<Capability>,
}

/// A connection's past; `days` is what its availability is measured over, `synced` is where its syncs begin.
#[server(prefix = "/_app", endpoint = "history", protocol = Wire)]
pub async fn ask_history(id: ConnectionId, days: u16, synced: Option<String>) -> Result<History, CallError> {
    let (desk, actor) = desk()?;
    let page = model::PageQuery { cursor: synced, limit: Some(20) };
    let syncs = answer(desk.syncs(&actor, id, page).await)?;
    let availability = answer(desk.availability(&actor, id, days).await)?;
    let capabilities = answer(desk.capabilities(&actor, id).await)?;
    Ok(History { as_of: as_of(), syncs, availability, capabilities })
}

/// Starts a sync upstream; its page then follows it.
#[server(prefix = "/_app", endpoint = "start-sync")]
pub async fn start_sync(id: ConnectionId, kind: SyncKind) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.start_sync(&actor, id, model::NewSync { kind: Some(kind) }).await)?;
    send_on(&format!("/connections/{id}?started={}#by-hand", as_of().timestamp()));
    Ok(())
}

/// Makes a link for the customer to authorize again. Its address is told once, by the next answer to this browser: so it
/// needs no wasm, and never stands in an address or a log of ours.
#[server(prefix = "/_app", endpoint = "make-link")]
pub async fn make_link(id: ConnectionId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let link = answer(desk.make_reconnect_link(&actor, id).await)?;
    keep_told("made_link", &id.to_string(), &link.url.unwrap_or_default());
    send_on(&format!("/connections/{id}#reconnect"));
    Ok(())
}

/// The address of the link that was just made for this connection; it is not told again.
#[cfg(feature = "ssr")]
pub(crate) fn told_once(id: ConnectionId) -> Option<String> {
    // Who could plant a cookie could not make the page lead anywhere but to a web page.
    take_told("made_link", &id.to_string()).filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

/// Keeps what the next answer to this browser may tell about `of`, and no other. It leaves the browser as it came.
#[cfg(feature = "ssr")]
pub(crate) fn keep_told(name: &str, of: &str, told: &str) {
    let https = use_context::<http::request::Parts>()
        .is_some_and(|parts| parts.headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes() == b"https"));
    let secure = if https || told.starts_with("https:") { "; Secure" } else { "" };
    let told = crate::parts::text::encode(told);
    set_cookie(&format!("{name}={of}.{told}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict{secure}"));
}

/// What was kept about `of`; it is not told again.
#[cfg(feature = "ssr")]
pub(crate) fn take_told(name: &str, of: &str) -> Option<String> {
    let parts = use_context::<http::request::Parts>()?;
    let cookies = parts.headers.get(http::header::COOKIE)?.to_str().ok()?;
    let mine = |cookie: &str| {
        cookie.trim().strip_prefix(name)?.strip_prefix('=')?.strip_prefix(of)?.strip_prefix('.').map(str::to_owned)
    };
    let told = decode(&cookies.split(';').find_map(mine)?)?;
    set_cookie(&format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"));
    Some(told)
}

#[cfg(feature = "ssr")]
pub(super) fn set_cookie(cookie: &str) {
    let value = http::HeaderValue::from_str(cookie).ok();
    if let (Some(response), Some(value)) = (use_context::<leptos_axum::ResponseOptions>(), value) {
        response.append_header(http::header::SET_COOKIE, value);
    }
}

/// Reads what `text::encode` writes.
#[cfg(feature = "ssr")]
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'%' => {
                let code = std::str::from_utf8(rest.get(..2)?).ok()?;
                rest = &rest[2..];
                u8::from_str_radix(code, 16).ok()?
            }
            plain => *plain,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::decode;
    use crate::parts::text::encode;

    #[test]
    fn an_address_survives_its_cookie() {
        let url = "https://watch.example/r/a_b-c~1?x=ä; y=%41";
        assert!(!encode(url).contains([';', ' ', ',']));
        assert_eq!(decode(&encode(url)).as_deref(), Some(url));
        assert_eq!((decode("%4"), decode("%zz")), (None, None));
    }
}
