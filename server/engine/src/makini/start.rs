//! Starting a sync because somebody wants it, in each dialect.

use super::{
    ErrorClass, UpstreamError,
    client::Inner,
    error::plain,
    paging,
    transport::{Ask, ONE_BYTES, Reply},
};
use model::{Dialect, SyncKind};
use reqwest::Method;
use serde_json::json;

/// Where `faq_v1` starts one.
const OF_ONE: &str = "/api/v1/connections/{id}/syncs";
/// Where `openapi_2025` starts one, of the connection whose token it is.
const OF_THE_TOKEN: &str = "/api/integrations/sync";

/// What came of the wish to start a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncStart {
    /// It was started.
    Started,
    /// One is under way already.
    UnderWay,
    /// Upstream refuses, and says why.
    Refused(String),
    /// It takes the connection's own token, which is not ours to issue.
    NotOurs,
}

impl Inner {
    pub(super) async fn start_sync(&self, key: &str, kind: SyncKind) -> Result<SyncStart, UpstreamError> {
        let reply = match self.dialect {
            Dialect::FaqV1 => {
                let url = paging::one_url(&self.base_url, OF_ONE, key)?;
                Some(self.put(key, &ask(key, url, kind)).await?)
            }
            Dialect::Openapi2025 if self.tokens.are_ours() => self.start_with_own_token(key, kind).await?,
            Dialect::Openapi2025 => None,
        };
        match reply.map(|reply| reply.body) {
            None => Ok(SyncStart::NotOurs),
            Some(Ok(_)) => Ok(SyncStart::Started),
            Some(Err(error)) => outcome(error),
        }
    }

    async fn start_with_own_token(&self, key: &str, kind: SyncKind) -> Result<Option<Reply>, UpstreamError> {
        let ask = ask(key, format!("{}{OF_THE_TOKEN}", self.base_url), kind);
        let first = self.with_own_token(key, &ask).await?;
        // the customer who signs in again kills the token that we had: it is forgotten by now, and a new one is issued
        match &first {
            Some(Reply { body: Err(error), .. }) if error.status == Some(401) && !error.is_about_connection() => {
                self.with_own_token(key, &ask).await
            }
            _ => Ok(first),
        }
    }
}

fn ask(key: &str, url: String, kind: SyncKind) -> Ask<'_> {
    Ask {
        what: "a sync",
        method: Method::POST,
        url,
        key: Some(key),
        most: ONE_BYTES,
        body: Some(("application/json", json!({ "type": kind.code() }).to_string().into())),
        secrets: Vec::new(),
    }
}

/// What upstream says against it is an answer; that it says nothing, or nothing of this, stays an error.
fn outcome(error: UpstreamError) -> Result<SyncStart, UpstreamError> {
    let code = error.code.as_deref().map(plain).unwrap_or_default();
    if error.status == Some(409) || code.contains("inprogress") {
        return Ok(SyncStart::UnderWay);
    }
    let words = || error.words.clone().unwrap_or_else(|| error.message.clone());
    match error.class {
        _ if error.is_about_connection() => Ok(SyncStart::Refused(words())),
        ErrorClass::NotFound => Ok(SyncStart::Refused(words())),
        ErrorClass::Forbidden | ErrorClass::Garbage if matches!(error.status, Some(400 | 403 | 422)) => {
            Ok(SyncStart::Refused(words()))
        }
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(class: ErrorClass, status: u16, code: &str) -> Result<SyncStart, UpstreamError> {
        let error = UpstreamError::new(class, "a sentence");
        outcome(UpstreamError { status: Some(status), code: Some(code.into()), words: Some("because".into()), ..error })
    }

    #[test]
    fn what_upstream_says_against_it_is_told_apart_from_its_failures() {
        assert_eq!(said(ErrorClass::Garbage, 409, "SYNC_IN_PROGRESS"), Ok(SyncStart::UnderWay));
        let refused = Ok(SyncStart::Refused("because".to_owned()));
        assert_eq!(said(ErrorClass::Credentials, 401, "REAUTHORIZATION_REQUIRED"), refused);
        assert_eq!(said(ErrorClass::Upstream, 503, "SYSTEM_UNREACHABLE"), refused);
        assert_eq!(said(ErrorClass::Garbage, 400, "INVALID_REQUEST"), refused);
        assert!(said(ErrorClass::Upstream, 503, "SERVICE_UNAVAILABLE").is_err());
        assert!(said(ErrorClass::RateLimited, 429, "RATE_LIMIT_EXCEEDED").is_err());
    }
}
