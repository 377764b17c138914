//! What outages stand for, right now.

use super::word;
use model::{OutageId, OutageKind, SourceId};
use sqlx::{PgConnection, Result};

/// An outage that lasts, and what it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    outage: OutageId,
    kind: OutageKind,
    platform: Option<String>,
    source: Option<SourceId>,
}

impl Cover {
    /// The outage that stands for a connection, the narrowest if there are several.
    pub fn of(covers: &[Self], platform: &str, source: SourceId) -> Option<OutageId> {
        covers
            .iter()
            .filter(|cover| match cover.kind {
                OutageKind::Platform => cover.platform.as_deref() == Some(platform),
                OutageKind::Source => cover.source == Some(source),
                OutageKind::Poller => true,
            })
            .min_by_key(|cover| cover.kind)
            .map(|cover| cover.outage)
    }
}

/// Everything that is covered right now.
pub async fn covers(conn: &mut PgConnection) -> Result<Vec<Cover>> {
    let rows = sqlx::query!(
        "select o.id as \"id!\", o.kind as \"kind!\", o.slug as \"slug!\", s.id as \"source_id?\" from outage o left join source s on o.kind = 'source' and s.name = o.slug \
         where o.ended_at is null"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = word(&row.kind)?;
            Ok(Cover {
                outage: OutageId(row.id),
                kind,
                platform: (kind == OutageKind::Platform).then_some(row.slug),
                source: row.source_id.map(SourceId),
            })
        })
        .collect()
}
