//! Makini's own log of webhooks, and sending one again. An optional route: where upstream has none, that is `NotFound`.

use super::{
    Answer, UpstreamError,
    client::{Inner, answer},
    paging,
    transport::{Ask, LIST_BYTES, ONE_BYTES},
    wire,
};
use chrono::{DateTime, Utc};
use model::Dialect;
use reqwest::Method;
use url::form_urlencoded::Serializer;

/// Rows of a page that every dialect gives.
const MOST_A_PAGE: u16 = 100;
const LIST: &str = "/api/system/webhooks/deliveries";
const RETRY: &str = "/api/system/webhooks/deliveries/{id}/retry";

/// A webhook as its sender sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Upstream's id of it.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The connection it is about.
    pub connection_key: Option<String>,
    /// Where it stands.
    pub status: String,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it is tried next.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed: one line.
    pub error: Option<String>,
}

/// A page of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingPage {
    /// What could be read.
    pub items: Vec<Outgoing>,
    /// Where the next page begins; none: this was the last.
    pub next_cursor: Option<String>,
}

impl Inner {
    pub(super) async fn deliveries(
        &self,
        status: &str,
        cursor: Option<&str>,
        limit: u16,
    ) -> Result<Answer<OutgoingPage>, UpstreamError> {
        let url = self.log_url(status, cursor, limit.min(MOST_A_PAGE));
        let ask = Ask::get("a page of Makini's own deliveries", url, None, LIST_BYTES);
        let (reply, _) = self.as_account(&ask, true).await?;
        let number = (self.dialect == Dialect::Openapi2025).then(|| paging::number(cursor));
        Ok(answer(wire::deliveries(&reply.body?, number)?, reply.meta))
    }

    fn log_url(&self, status: &str, cursor: Option<&str>, limit: u16) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("status", status);
        match self.dialect {
            Dialect::FaqV1 => {
                query.append_pair("limit", &limit.to_string()).extend_pairs(cursor.map(|cursor| ("cursor", cursor)));
            }
            Dialect::Openapi2025 => {
                query.append_pair("page", &paging::number(cursor).to_string());
                query.append_pair("per_page", &limit.to_string());
            }
        }
        format!("{}{LIST}?{}", self.base_url, query.finish())
    }

    pub(super) async fn retry_delivery(&self, id: &str) -> Result<(), UpstreamError> {
        let url = paging::one_url(&self.base_url, RETRY, id)?;
        let ask = Ask {
            what: "a webhook once more",
            method: Method::POST,
            url,
            key: None,
            most: ONE_BYTES,
            body: None,
            secrets: Vec::new(),
        };
        let (reply, _) = self.as_account(&ask, true).await?;
        reply.body.map(drop)
    }
}
