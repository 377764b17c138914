//! Which records of a connection changed. Takes the connection's own token, and costs nothing else: what a record holds is not kept.

use super::{
    Answer, ErrorClass, UpstreamError,
    client::{Inner, answer},
    transport::{Ask, LIST_BYTES},
    wire,
};
use crate::health::record::Record;
use chrono::{DateTime, SecondsFormat, Utc};
use url::form_urlencoded::Serializer;

/// Records of a page: more than this no API of its kind gives.
const PAGE: u32 = 100;
/// More pages than this are not read at once: what is left is read the next time.
const MOST_PAGES: u64 = 5;

/// The records that changed, the oldest change first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordsRead {
    /// Those that could be read. Their times are upstream's.
    pub records: Vec<Record>,
    /// There are more.
    pub more: bool,
}

impl Inner {
    /// What changed after this moment, by upstream's clock.
    pub(super) async fn records(
        &self,
        key: &str,
        entity: &str,
        after: DateTime<Utc>,
    ) -> Result<Answer<RecordsRead>, UpstreamError> {
        let (mut read, mut first) = (RecordsRead::default(), None);
        for page in 1..=MOST_PAGES {
            let ask = Ask::get("changed records", self.records_url(entity, after, page), Some(key), LIST_BYTES);
            let (meta, body) = self.ask_its_own(key, &ask).await?;
            let (records, more) = wire::records(&body, page)?;
            read.records.extend(records);
            first.get_or_insert(meta);
            read.more = more;
            if !more {
                break;
            }
        }
        let meta = first.ok_or_else(|| UpstreamError::new(ErrorClass::Garbage, "No page of records was read."))?;
        Ok(answer(read, meta))
    }

    /// Asks with the connection's own token; with another one if that is dead and ours to replace.
    async fn ask_its_own(
        &self,
        key: &str,
        ask: &Ask<'_>,
    ) -> Result<(super::transport::Meta, bytes::Bytes), UpstreamError> {
        let tries = if self.tokens.are_ours() { 2 } else { 1 };
        let mut refused = UpstreamError::new(
            ErrorClass::Forbidden,
            "Makini tells of records only with the connection's own token, and Linewatch has none for it.",
        );
        for _ in 0..tries {
            let Some(reply) = self.with_own_token(key, ask).await? else { break };
            match reply.body {
                Ok(body) => return Ok((reply.meta, body)),
                // what is wrong with the connection says nothing of what may be read of it once it is well
                Err(error) if error.is_about_connection() => {
                    return Err(UpstreamError { class: ErrorClass::Unreachable, ..error });
                }
                Err(error) if error.class == ErrorClass::Forbidden => refused = error,
                Err(error) => return Err(error),
            }
        }
        Err(refused)
    }

    /// Both ways that are published of asking for what changed; an API passes over what it does not know.
    fn records_url(&self, entity: &str, after: DateTime<Utc>, page: u64) -> String {
        let after = after.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut query = Serializer::new(String::new());
        query
            .append_pair("modified_after", &after)
            .append_pair("filter[updatedAt:gteq]", &after)
            .append_pair("sort[updatedAt]", "0")
            .append_pair("page", &page.to_string())
            .append_pair("per_page", &PAGE.to_string());
        format!("{}/api/{entity}?{}", self.base_url, query.finish())
    }
}
