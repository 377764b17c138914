//! `GET /r/callback`: the way back from Makini Link, bound to a link by `state`.

use super::page::{self, Page};
use crate::wiring::Parts;
use axum::extract::{RawQuery, State};
use engine::reconnect::{Back, CameBack};
use url::form_urlencoded;

/// What the browser brings becomes a token, if it is the right one.
pub async fn handle(State(parts): State<Parts>, RawQuery(query): RawQuery) -> Page {
    match parts.reconnect.come_back(read(query.as_deref().unwrap_or_default())).await {
        Ok(Back::Done(shown)) => page::done(&shown),
        Ok(Back::BrokenOff(shown, again)) => page::broken_off(&shown, &again),
        Ok(Back::Unclear(shown, again)) => page::unclear(&shown, &again),
        Ok(Back::Refused(shown, again)) => page::refused(&shown, &again),
        Ok(Back::Unknown) => page::used(),
        Err(error) => page::failed(&error),
    }
}

/// Whatever else is in it; with an error no code counts.
fn read(query: &str) -> CameBack {
    let mut came = CameBack::default();
    let mut error = false;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "state" => came.state = value.into_owned(),
            "code" if !value.is_empty() => came.code = Some(value.into_owned().into()),
            "error" => error = true,
            _ => {}
        }
    }
    CameBack { code: came.code.filter(|_| !error), ..came }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_counts_only_without_an_error() {
        let code = |query: &str| read(query).code.map(|code| code.expose().to_owned());
        assert_eq!(code("state=s&code=a%2Bb").as_deref(), Some("a+b"));
        assert_eq!(code("state=s&code="), None);
        assert_eq!(code("code=a&error=access_denied&state=s"), None);
        assert_eq!(read("code=a&state=s").state, "s");
        assert_eq!(read("").state, "");
    }
}
