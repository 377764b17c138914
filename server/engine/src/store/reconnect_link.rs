//! Links for customers to authorize again: from being made to the good sync that proves the repair. Neither the token in a
//! link's address nor the state that binds the way back is kept, only their hashes.

use crate::clock::new_id;
use chrono::{DateTime, TimeDelta, Utc};
use model::{ConnectionId, IssueId, LinkId, LinkState, ReconnectLink, SourceId};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// SHA-256 of 128 random bits.
pub type Hash = [u8; 32];

/// How long after a link's end somebody who had opened it may still come back from Makini Link.
const LAST_WAY_BACK: TimeDelta = TimeDelta::hours(1);

/// A link to keep.
pub struct NewLink {
    /// Its id.
    pub id: LinkId,
    /// Of which connection.
    pub connection: ConnectionId,
    /// Of the token in its address.
    pub token_hash: Hash,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// Until when it opens.
    pub expires_at: DateTime<Utc>,
}

/// Keeps a link; it takes the place of those of its connection that nobody has opened.
pub async fn make(conn: &mut PgConnection, new: &NewLink) -> Result<()> {
    sqlx::query!(
        "update reconnect_link set replaced_at = $2 where connection_id = $1 and opened_at is null and done_at is null \
         and replaced_at is null and expires_at > $2",
        new.connection.0,
        new.made_at
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into reconnect_link (id, connection_id, token_hash, made_by, made_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
        new.id.0,
        new.connection.0,
        &new.token_hash[..],
        new.made_by,
        new.made_at,
        new.expires_at
    )
    .execute(conn)
    .await
    .map(drop)
}

/// The links of a connection, newest first, at most 100.
pub async fn list(conn: &mut PgConnection, connection: ConnectionId, now: DateTime<Utc>) -> Result<Vec<ReconnectLink>> {
    let rows = sqlx::query!(
        "select id, made_by, made_at, expires_at, opened_at, done_at, proved_at, replaced_at, refusal, refused_at \
         from reconnect_link where connection_id = $1 order by made_at desc, id desc limit 100",
        connection.0
    )
    .fetch_all(conn)
    .await?;
    let links = rows.into_iter().map(|row| {
        let times = Times {
            expires_at: row.expires_at,
            opened_at: row.opened_at,
            done_at: row.done_at,
            proved_at: row.proved_at,
            replaced_at: row.replaced_at,
            refused_at: row.refused_at,
        };
        ReconnectLink {
            id: LinkId(row.id),
            connection_id: connection,
            state: times.state(now),
            url: None,
            made_by: row.made_by,
            made_at: row.made_at,
            expires_at: row.expires_at,
            opened_at: row.opened_at,
            done_at: row.done_at,
            proved_at: row.proved_at,
            refusal: row.refusal,
        }
    });
    Ok(links.collect())
}

/// What happened to a link, and when.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Until when it opens.
    pub expires_at: DateTime<Utc>,
    /// When the customer began.
    pub opened_at: Option<DateTime<Utc>>,
    /// When the customer had authorized again.
    pub done_at: Option<DateTime<Utc>>,
    /// When a good sync proved it.
    pub proved_at: Option<DateTime<Utc>>,
    /// When a newer one took its place.
    pub replaced_at: Option<DateTime<Utc>>,
    /// When what came back was last refused.
    pub refused_at: Option<DateTime<Utc>>,
}

impl Times {
    /// Where it stands.
    pub fn state(&self, now: DateTime<Utc>) -> LinkState {
        match self {
            Self { proved_at: Some(_), .. } => LinkState::Proved,
            Self { done_at: Some(_), .. } => LinkState::Done,
            Self { refused_at: Some(_), .. } => LinkState::Refused,
            Self { replaced_at: Some(_), .. } => LinkState::Expired,
            Self { expires_at, .. } if *expires_at <= now => LinkState::Expired,
            Self { opened_at: Some(_), .. } => LinkState::Opened,
            _ => LinkState::Made,
        }
    }

    /// Whether it still leads to Makini Link.
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.done_at.is_none() && self.replaced_at.is_none() && now < self.expires_at
    }
}

/// A link with what its public side needs to know of its connection.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its id.
    pub id: LinkId,
    /// What happened to it.
    pub times: Times,
    /// Of which connection.
    pub connection: ConnectionId,
    /// The connection's version.
    pub version: i64,
    /// Upstream's identifier of the connection.
    pub key: String,
    /// The connection's source.
    pub source: SourceId,
    /// Whose connection it is.
    pub customer: String,
    /// Its platform: slug and name.
    pub platform: (String, String),
    /// The connection is gone upstream.
    pub removed: bool,
}

/// How a link is found.
enum By<'a> {
    Token(&'a Hash),
    Id(Uuid),
}

async fn known(conn: &mut PgConnection, by: By<'_>) -> Result<Option<Known>> {
    let (token, id) = match by {
        By::Token(hash) => (Some(&hash[..]), None),
        By::Id(id) => (None, Some(id)),
    };
    let row = sqlx::query!(
        "select l.id, l.expires_at, l.opened_at, l.done_at, l.proved_at, l.replaced_at, l.refused_at, l.connection_id, \
         c.version, c.key, c.source_id, u.name as customer, p.slug, p.name as platform, c.removed_at \
         from reconnect_link l join connection c on c.id = l.connection_id join customer u on u.id = c.customer_id \
         join platform p on p.slug = c.platform_slug where l.token_hash = $1 or l.id = $2",
        token,
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Known {
        id: LinkId(row.id),
        times: Times {
            expires_at: row.expires_at,
            opened_at: row.opened_at,
            done_at: row.done_at,
            proved_at: row.proved_at,
            replaced_at: row.replaced_at,
            refused_at: row.refused_at,
        },
        connection: ConnectionId(row.connection_id),
        version: row.version,
        key: row.key,
        source: SourceId(row.source_id),
        customer: row.customer,
        platform: (row.slug, row.platform),
        removed: row.removed_at.is_some(),
    }))
}

/// The link with this token in its address.
pub async fn by_token(conn: &mut PgConnection, token: &Hash) -> Result<Option<Known>> {
    known(conn, By::Token(token)).await
}

/// The customer begins, for the first time or again; only the newest state leads back. False if the link is over.
pub async fn open(conn: &mut PgConnection, id: LinkId, state: Option<&Hash>, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "update reconnect_link set opened_at = coalesce(opened_at, $2), state_hash = $3 \
         where id = $1 and done_at is null and replaced_at is null and expires_at > $2",
        id.0,
        now,
        state.map(|hash| &hash[..])
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses up a state: the link that it leads back to. None if there is none such, any more or yet.
pub async fn take_state(conn: &mut PgConnection, state: &Hash, now: DateTime<Utc>) -> Result<Option<Known>> {
    let id = sqlx::query_scalar!(
        "update reconnect_link set state_hash = null where state_hash = $1 and expires_at > $2 and done_at is null returning id",
        &state[..],
        now - LAST_WAY_BACK
    )
    .fetch_optional(&mut *conn)
    .await?;
    match id {
        Some(id) => known(conn, By::Id(id)).await,
        None => Ok(None),
    }
}

/// Another state, for one more try.
pub async fn renew_state(conn: &mut PgConnection, id: LinkId, state: &Hash) -> Result<()> {
    sqlx::query!("update reconnect_link set state_hash = $2 where id = $1 and done_at is null", id.0, &state[..])
        .execute(conn)
        .await
        .map(drop)
}

/// What came back was refused.
pub async fn refuse(conn: &mut PgConnection, id: LinkId, why: &str, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update reconnect_link set refusal = $2, refused_at = $3 where id = $1", id.0, why, now)
        .execute(conn)
        .await
        .map(drop)
}

/// The customer has authorized again.
pub async fn finish(conn: &mut PgConnection, id: LinkId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update reconnect_link set done_at = coalesce(done_at, $2), state_hash = null where id = $1",
        id.0,
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// These connections were just seen to be authorized: where Makini Link does not lead back to us, that ends their links that
/// were opened before. Says whose links it ended.
pub async fn note_turn(
    conn: &mut PgConnection,
    authorized: &[ConnectionId],
    now: DateTime<Utc>,
) -> Result<Vec<ConnectionId>> {
    let ids: Vec<Uuid> = authorized.iter().map(|id| id.0).collect();
    let ended = sqlx::query_scalar!(
        "update reconnect_link l set done_at = $2 from connection c join source s on s.id = c.source_id \
         where l.connection_id = any($1) and c.id = l.connection_id and s.redirect = 'theirs' and l.opened_at <= $2 \
         and l.done_at is null and l.replaced_at is null and l.expires_at > $3 returning l.connection_id",
        &ids,
        now,
        now - LAST_WAY_BACK
    )
    .fetch_all(conn)
    .await?;
    Ok(ended.into_iter().map(ConnectionId).collect())
}

/// Good syncs, each with the time of its end: the first one after the customer began proves a repair that is done. Says whose.
/// Where the same look tells both, call [`note_turn`] first.
pub async fn note_good_sync(
    conn: &mut PgConnection,
    syncs: &[(ConnectionId, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Result<Vec<ConnectionId>> {
    let (ids, ends): (Vec<Uuid>, Vec<DateTime<Utc>>) = syncs.iter().map(|(id, end)| (id.0, *end)).unzip();
    let proved = sqlx::query_scalar!(
        "update reconnect_link l set proved_at = $3 from unnest($1::uuid[], $2::timestamptz[]) as n (id, ended_at) \
         where l.connection_id = n.id and l.proved_at is null and l.done_at is not null and l.opened_at < n.ended_at \
         returning l.connection_id",
        &ids,
        &ends,
        now
    )
    .fetch_all(conn)
    .await?;
    Ok(proved.into_iter().map(ConnectionId).collect())
}

/// The live issues of a connection wait for the customer from now on, but those that an outage stands for. Says which, each
/// with its version. The end of a snooze no longer counts, that of a recovery hold-down does.
pub async fn issues_wait(
    conn: &mut PgConnection,
    connection: ConnectionId,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Vec<(IssueId, i64)>> {
    let rows = sqlx::query!(
        "update issue set state = 'waiting_on_customer', snooze_until = null, version = version + 1, updated_at = $2, \
         due_at = case when well_since is null then null else due_at end \
         where connection_id = $1 and state in ('open', 'acknowledged', 'snoozed') returning id, version",
        connection.0,
        now
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        sqlx::query!(
            "insert into issue_entry (id, issue_id, at, kind, by_name, text, version) \
             values ($1, $2, $3, 'waiting', $4, 'A link to sign in again was made for the customer', $5)",
            new_id(),
            row.id,
            now,
            by,
            row.version
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(rows.into_iter().map(|row| (IssueId(row.id), row.version)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stands_where_the_farthest_of_its_times_puts_it() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(10);
        let made = Times {
            expires_at: now + TimeDelta::seconds(1),
            opened_at: None,
            done_at: None,
            proved_at: None,
            replaced_at: None,
            refused_at: None,
        };
        let opened = Times { opened_at: Some(now), ..made };
        let refused = Times { refused_at: Some(now), ..opened };
        let done = Times { done_at: Some(now), ..refused };
        for (times, state, good) in [
            (made, LinkState::Made, true),
            (Times { expires_at: now, ..made }, LinkState::Expired, false),
            (Times { replaced_at: Some(now), ..made }, LinkState::Expired, false),
            (opened, LinkState::Opened, true),
            (Times { expires_at: now, ..opened }, LinkState::Expired, false),
            (refused, LinkState::Refused, true),
            (done, LinkState::Done, false),
            (Times { proved_at: Some(now), expires_at: now, ..done }, LinkState::Proved, false),
        ] {
            assert_eq!((times.state(now), times.is_good(now)), (state, good), "{times:?}");
        }
    }
}
