//! Customers as people and machines see them.

use super::{cursor, internal};
use chrono::{DateTime, Utc};
use model::{Customer, CustomerId, CustomerPatch, CustomerQuery, Health, Page, Refusal};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

struct Row {
    id: Uuid,
    name: String,
    tier: Option<String>,
    tags: Vec<String>,
    owner: Option<String>,
    contact: Option<String>,
    note: Option<String>,
    version: i64,
    created_at: DateTime<Utc>,
    connections: i64,
    worst: Option<i16>,
}

impl From<Row> for Customer {
    fn from(row: Row) -> Self {
        Self {
            id: CustomerId(row.id),
            name: row.name,
            tier: row.tier,
            tags: row.tags,
            owner: row.owner,
            contact: row.contact,
            note: row.note,
            connections: row.connections.unsigned_abs(),
            worst: row.worst.and_then(|rank| Health::ALL.iter().copied().find(|health| health.rank() == rank)),
            version: row.version,
            created_at: row.created_at,
        }
    }
}

/// A page of customers, by name.
pub async fn page(conn: &mut PgConnection, query: &CustomerQuery) -> std::result::Result<Page<Customer>, Refusal> {
    let after: Option<(String, Uuid)> = query.cursor.as_deref().map(cursor::read).transpose()?;
    if after.as_ref().is_some_and(|(name, _)| name.contains('\0')) {
        return Err(Refusal::invalid("cursor", "this page address is damaged; go back to the first page"));
    }
    let (name, id) = after.unzip();
    let sought = query.q.as_deref().map(|q| {
        let escaped = q.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    });
    let limit = i64::from(query.limit());
    let rows = sqlx::query_as!(
        Row,
        "select u.id, u.name, u.tier, u.tags, u.owner, u.contact, u.note, u.version, u.created_at, \
         of_it.n as \"connections!\", of_it.worst as \"worst?\" from customer u cross join lateral ( \
           select count(*) as n, min(c.health_rank) as worst from connection c where c.customer_id = u.id and c.removed_at is null) of_it \
         where ($1::text is null or lower(u.name) like $1) and (cardinality($2::text[]) = 0 or u.tags && $2) \
         and (cardinality($3::text[]) = 0 or u.tier = any($3)) and ($4::text is null or (u.name, u.id) > ($4, $5::uuid)) \
         order by u.name, u.id limit $6",
        sought,
        &query.tag,
        &query.tier,
        name,
        id,
        limit + 1
    )
    .fetch_all(conn)
    .await
    .map_err(internal)?;
    let more = rows.len() as i64 > limit;
    let items: Vec<Customer> = rows.into_iter().take(usize::from(query.limit())).map(Customer::from).collect();
    let next_cursor = items.last().filter(|_| more).map(|last| cursor::write(&(&last.name, last.id)));
    Ok(Page { items, next_cursor })
}

/// One customer.
pub async fn get(conn: &mut PgConnection, id: CustomerId) -> Result<Option<Customer>> {
    let row = sqlx::query_as!(
        Row,
        "select u.id, u.name, u.tier, u.tags, u.owner, u.contact, u.note, u.version, u.created_at, \
         of_it.n as \"connections!\", of_it.worst as \"worst?\" from customer u cross join lateral ( \
           select count(*) as n, min(c.health_rank) as worst from connection c where c.customer_id = u.id and c.removed_at is null) of_it \
         where u.id = $1",
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Customer::from))
}

/// Changes what is ours on a customer. False if there is none in the version that was looked at.
pub async fn change(conn: &mut PgConnection, id: CustomerId, patch: &CustomerPatch) -> Result<bool> {
    let done = sqlx::query!(
        "update customer set tier = case when $2 then $3 else tier end, tags = coalesce($4, tags), \
         owner = case when $5 then $6 else owner end, contact = case when $7 then $8 else contact end, \
         note = case when $9 then $10 else note end, version = version + 1 \
         where id = $1 and ($11::int8 is null or version = $11)",
        id.0,
        patch.tier.is_some(),
        patch.tier.clone().flatten(),
        patch.tags.as_deref(),
        patch.owner.is_some(),
        patch.owner.clone().flatten(),
        patch.contact.is_some(),
        patch.contact.clone().flatten(),
        patch.note.is_some(),
        patch.note.clone().flatten(),
        patch.version
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
