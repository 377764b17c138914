//! Where Makini Link is, and with what it is asked. Pure.
//!
//! Public are `response_type`, `client_id` and `redirect_uri`; `state` stood in a revision of 2024. How Link knows which
//! connection is to be renewed is not said: the customer chooses the system there. Where an address takes a hint, the source's
//! setting has `{key}` in it.

use super::CALLBACK_PATH;
use model::{Redirect, Source};
use url::Url;

/// Makini Link, where a source says nothing else.
const USUAL: &str = "https://link.makini.io/oauth/authorize";

/// Where the customer is sent. `state` goes along only where Makini Link is to lead back to us.
pub fn authorize_url(source: &Source, key: &str, public_url: &str, state: Option<&str>) -> String {
    let escaped: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    let set = source.authorize_url.as_deref().map(|address| address.replace("{key}", &escaped));
    let usual = || Url::parse(USUAL).unwrap_or_else(|_| unreachable!("a constant"));
    let mut url = set.and_then(|address| Url::parse(&address).ok()).unwrap_or_else(usual);
    let mut query = url.query_pairs_mut();
    query.append_pair("response_type", "code").append_pair("client_id", &source.client_id);
    if source.redirect == Redirect::Ours {
        query.append_pair("redirect_uri", &redirect_uri(public_url));
        if let Some(state) = state {
            query.append_pair("state", state);
        }
    }
    drop(query);
    url.into()
}

/// Where Makini Link leads back to.
pub(super) fn redirect_uri(public_url: &str) -> String {
    format!("{}{CALLBACK_PATH}", public_url.trim_end_matches('/'))
}
