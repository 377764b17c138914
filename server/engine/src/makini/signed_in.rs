//! What a customer who signed in again has opened: the code from Makini Link becomes a token, and the token tells whose it is.
//!
//! The code is shown to us by a browser, so it proves nothing yet: which connection it opens is asked with the new token
//! itself, before anything is kept.

use super::{
    ErrorClass, UpstreamError,
    client::Upstream,
    error::plain,
    paging,
    transport::{Ask, ONE_BYTES},
    wire,
};
use crate::vault::Secret;
use chrono::{DateTime, Utc};
use model::Dialect;

/// A connection's new token.
#[derive(Clone, Debug)]
pub struct Given {
    /// The token; does not print.
    pub token: Secret,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// Which connection a token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The one that was asked about.
    TheSame,
    /// Another one.
    Another {
        /// Its key, where that is told.
        key: Option<String>,
        /// Its platform, where that is told.
        platform: Option<String>,
    },
}

impl Upstream {
    /// The connection's token for a code from Makini Link. `redirect_uri` is where the browser was sent with it.
    ///
    /// # Errors
    /// See [`ErrorClass`]; a code that is wrong, used or too old is refused with the class of its status, 400 or 401.
    pub async fn exchange(&self, code: &Secret, redirect_uri: &str) -> Result<Given, UpstreamError> {
        let inner = self.inner();
        let pair = inner.sign_in.exchange(&inner.transport, code, redirect_uri).await?;
        Ok(Given { token: pair.access, expires_at: pair.expires_at })
    }

    /// Whether a token opens this connection, on this platform (its slug and its name).
    ///
    /// # Errors
    /// When upstream does not tell.
    pub async fn whose(&self, token: &Secret, key: &str, platform: (&str, &str)) -> Result<Whose, UpstreamError> {
        let inner = self.inner();
        let paths = &inner.mappings.paths;
        let urls = match inner.dialect {
            Dialect::Openapi2025 => vec![format!("{}/api/integrations/current", inner.base_url)],
            // Nobody documents the first one; the second tells no platform, but a key belongs to one platform only.
            Dialect::FaqV1 => vec![
                paging::one_url(&inner.base_url, &format!("{}/{{id}}", paths.connections), key)?,
                paging::one_url(&inner.base_url, &paths.status, key)?,
            ],
        };
        let mut missing = None;
        for url in urls {
            let ask = Ask::get("whose a new token is", url, Some(key), ONE_BYTES);
            match inner.transport.send(&ask, Some(token)).await?.body {
                Ok(body) => {
                    let (found, platforms) = wire::whose(&body)?;
                    return Ok(compare(found, platforms, key, platform));
                }
                // A token that was given out this moment is good: it opens something, but not the connection in the path.
                Err(error) if error.class == ErrorClass::Forbidden && inner.dialect == Dialect::FaqV1 => {
                    return Ok(Whose::Another { key: None, platform: None });
                }
                Err(error) if error.class == ErrorClass::NotFound => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(missing.unwrap_or_else(|| wire::garbage("a connection", "it is nowhere")))
    }
}

/// What is not said is not held against it, but one of the two must be said.
fn compare(found: Option<String>, platforms: Vec<String>, key: &str, (slug, name): (&str, &str)) -> Whose {
    let same_key = found.as_deref() == Some(key);
    let known = [plain(slug), plain(name)];
    let same_platform = platforms.is_empty() || platforms.iter().any(|said| known.contains(&plain(said)));
    if same_key && same_platform {
        Whose::TheSame
    } else {
        Whose::Another { key: found, platform: platforms.into_iter().next_back() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_key_and_platform_must_be_the_same() {
        let sap = ("sap", "SAP S/4HANA");
        let one = |key: &str, platforms: &[&str]| {
            let platforms = platforms.iter().map(|text| (*text).to_owned()).collect();
            compare(Some(key.to_owned()), platforms, "0900", sap)
        };
        assert_eq!(one("0900", &["sap"]), Whose::TheSame);
        assert_eq!(one("0900", &["S4", "Sap S/4Hana"]), Whose::TheSame);
        assert_eq!(one("0900", &[]), Whose::TheSame);
        let other = |key: &str, platform: Option<&str>| Whose::Another {
            key: Some(key.to_owned()),
            platform: platform.map(str::to_owned),
        };
        assert_eq!(one("0901", &["sap"]), other("0901", Some("sap")));
        assert_eq!(one("0900", &["netsuite"]), other("0900", Some("netsuite")));
        assert_eq!(compare(None, Vec::new(), "0900", sap), Whose::Another { key: None, platform: None });
    }
}
