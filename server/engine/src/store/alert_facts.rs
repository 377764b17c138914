//! Connections as rules see them.

use super::{maybe_word, word};
use crate::alert::{Facts, Of, Rest};
use chrono::{DateTime, TimeDelta, Utc};
use model::{ConnectionId, CustomerId, Health, Scope, SourceId};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// What happened so long before we knew of an outage belongs to it.
pub const OUTAGE_WINDOW: TimeDelta = TimeDelta::seconds(60);

struct Row {
    id: Uuid,
    name: String,
    customer_id: Uuid,
    tags: Vec<String>,
    tier: Option<String>,
    platform_slug: String,
    source_id: Uuid,
    environment: String,
    owners: Vec<String>,
    health: Option<String>,
    since: DateTime<Utc>,
    cause: Option<String>,
    cause_detail: Option<String>,
    blind: bool,
    covered_since: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Facts {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: ConnectionId(row.id),
            name: row.name,
            of: Of {
                customer: CustomerId(row.customer_id),
                tags: row.tags,
                tier: row.tier,
                platform: row.platform_slug,
                source: SourceId(row.source_id),
                environment: word(&row.environment)?,
                owners: row.owners,
            },
            health: maybe_word(row.health.as_deref())?,
            since: row.since,
            cause: maybe_word(row.cause.as_deref())?,
            detail: row.cause_detail,
            blind: row.blind,
            covered_since: row.covered_since,
        })
    }
}

/// The select behind every read; what follows is the rest of the statement.
macro_rules! facts {
    ($rest:literal, $conn:expr $(, $arg:expr)*) => {
        sqlx::query_as!(
            Row,
            "with lasting as materialized ( \
               select o.kind, o.slug, least(o.started_at, o.opened_at - ($1::double precision * interval '1 second')) as since, \
                 coalesce(i.cause = 'no_proof', false) as blind \
               from outage o left join issue i on i.outage_id = o.id and i.connection_id is null where o.ended_at is null), \
             seen as materialized ( \
               select s.id, s.name, s.environment, \
                 s.enabled and s.round_failing_since is not null or exists (select from lasting o \
                   where o.blind and (o.kind = 'poller' or o.kind = 'source' and o.slug = s.name)) as blind from source s) \
             select c.id, case when u.name = p.name then u.name else u.name || ' · ' || p.name end as \"name!\", c.customer_id, \
             c.tags || u.tags as \"tags!\", u.tier, c.platform_slug, c.source_id, s.environment as \"environment!\", \
             array_remove(array[c.owner, u.owner], null) as \"owners!\", case when c.removed_at is null then c.health end as health, \
             c.since, c.cause, c.cause_detail, s.blind as \"blind!\", \
             (select min(o.since) from lasting o where o.kind = 'poller' or o.kind = 'platform' and o.slug = c.platform_slug \
               or o.kind = 'source' and o.slug = s.name) as covered_since \
             from connection c join customer u on u.id = c.customer_id join platform p on p.slug = c.platform_slug \
             join seen s on s.id = c.source_id " + $rest,
            OUTAGE_WINDOW.as_seconds_f64()
            $(, $arg)*
        )
        .fetch_all($conn)
        .await?
        .into_iter()
        .map(Facts::try_from)
        .collect::<Result<Vec<_>>>()
    };
}

/// These connections, removed ones too.
pub async fn of(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Facts>> {
    facts!("where c.id = any($2)", conn, ids)
}

/// Every connection whose health has one of these ranks.
pub async fn in_ranks(conn: &mut PgConnection, ranks: &[i16]) -> Result<Vec<Facts>> {
    facts!("where c.removed_at is null and c.health_rank = any($2)", conn, ranks)
}

/// Every connection that is there, or was after a moment.
pub async fn there_since(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<Vec<Facts>> {
    facts!("where c.removed_at is null or c.removed_at > $2", conn, since)
}

/// How many connections of a scope are in these healths. What only says that a source cannot be seen counts as not.
pub async fn share(conn: &mut PgConnection, scope: &Scope, ranks: &[i16]) -> Result<Rest> {
    let blindness: Vec<i16> = vec![Health::Unknown.rank(), Health::Late.rank()];
    let row = sqlx::query!(
        "select count(*) as \"total!\", count(*) filter (where c.health_rank = any($8) and not ( \
           c.health_rank = any($9) and s.enabled and s.round_failing_since is not null)) as \"hit!\" \
         from connection c join customer u on u.id = c.customer_id join source s on s.id = c.source_id \
         where c.removed_at is null and ($10 or $11 <> ( \
           (cardinality($1::uuid[]) = 0 or c.customer_id = any($1)) and (cardinality($2::text[]) = 0 or c.tags && $2 or u.tags && $2) \
           and (cardinality($3::text[]) = 0 or coalesce(u.tier = any($3), false)) \
           and (cardinality($4::text[]) = 0 or c.platform_slug = any($4)) \
           and (cardinality($5::uuid[]) = 0 or c.source_id = any($5)) and (cardinality($6::text[]) = 0 or s.environment = any($6)) \
           and (cardinality($7::text[]) = 0 or coalesce(c.owner = any($7), false) or coalesce(u.owner = any($7), false))))",
        &scope.customers.iter().map(|id| id.0).collect::<Vec<_>>(),
        &scope.tags,
        &scope.tiers,
        &scope.platforms,
        &scope.sources.iter().map(|id| id.0).collect::<Vec<_>>(),
        &scope.environments.iter().map(ToString::to_string).collect::<Vec<_>>(),
        &scope.owners,
        ranks,
        &blindness,
        scope.is_all(),
        scope.except
    )
    .fetch_one(conn)
    .await?;
    Ok(Rest { hit: row.hit.unsigned_abs(), total: row.total.unsigned_abs() })
}

/// The sources that cannot be seen right now.
pub async fn blind(conn: &mut PgConnection) -> Result<Vec<SourceId>> {
    let ids = sqlx::query_scalar!(
        "select s.id from source s where s.enabled and s.round_failing_since is not null or exists ( \
           select from outage o join issue i on i.outage_id = o.id and i.connection_id is null \
           where o.ended_at is null and i.cause = 'no_proof' and (o.kind = 'poller' or o.kind = 'source' and o.slug = s.name)) order by s.id"
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(SourceId).collect())
}
