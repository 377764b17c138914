//! Endpoints as they are shown.

use super::secret;
use chrono::{DateTime, Utc};
use model::{AttemptError, Endpoint, EndpointFilter, EndpointHealth, EndpointId};
use sqlx::{PgConnection, Result, types::Json};

/// Every endpoint, by name, or one of them; without those that were taken away.
pub async fn list(conn: &mut PgConnection, only: Option<EndpointId>, now: DateTime<Utc>) -> Result<Vec<Endpoint>> {
    let rows = sqlx::query!(
        r#"select e.id, e.name, e.url, e.filter as "filter: Json<EndpointFilter>", e.ordered, e.enabled, e.concurrency,
                  e.rate_per_second, e.owner, e.version, e.created_at, l.open_since, l.last_ok_at,
                  l.last_error as "last_error: Json<AttemptError>",
                  (select count(*) from delivery_due d where d.endpoint_id = e.id) as "waiting!"
           from endpoint e join endpoint_lane l on l.endpoint_id = e.id
           where e.removed_at is null and ($1::uuid is null or e.id = $1) order by e.name, e.id"#,
        only.map(|id| id.0),
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut endpoints: Vec<Endpoint> = rows
        .into_iter()
        .map(|row| Endpoint {
            id: EndpointId(row.id),
            name: row.name,
            url: row.url,
            filter: row.filter.0,
            ordered: row.ordered,
            enabled: row.enabled,
            concurrency: u16::try_from(row.concurrency).unwrap_or(1),
            rate_per_second: row.rate_per_second.and_then(|rate| u32::try_from(rate).ok()),
            owner: row.owner,
            health: match (row.enabled, row.open_since, &row.last_error) {
                (false, ..) => EndpointHealth::Disabled,
                (_, Some(_), _) => EndpointHealth::Open,
                (.., Some(_)) => EndpointHealth::Failing,
                _ => EndpointHealth::Healthy,
            },
            last_error: row.last_error.map(|error| error.0),
            last_ok_at: row.last_ok_at,
            open_since: row.open_since,
            waiting: u64::try_from(row.waiting).unwrap_or(0),
            secrets: Vec::new(),
            secret: None,
            version: row.version,
            created_at: row.created_at,
        })
        .collect();
    let ids: Vec<_> = endpoints.iter().map(|endpoint| endpoint.id).collect();
    let secrets = secret::endpoint_secrets(conn, &ids, now).await?;
    for endpoint in &mut endpoints {
        let own = secrets.iter().filter(|(owner, _)| *owner == endpoint.id);
        endpoint.secrets = own.map(|(_, secret)| secret.clone()).collect();
    }
    Ok(endpoints)
}
