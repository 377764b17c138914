//! The fleet as a whole: totals, and how it stood before.

use super::word;
use chrono::{DateTime, TimeDelta, Utc};
use model::{FleetPoint, Health, Totals};
use sqlx::{PgConnection, Result};
use std::collections::BTreeMap;

/// How many connections in each health now.
pub async fn totals(conn: &mut PgConnection) -> Result<Totals> {
    super::connection_count::fleet(conn).await
}

/// The fleet at regular moments up to `now`, oldest first: exact, by walking the transitions back from today's totals.
pub async fn history(
    conn: &mut PgConnection,
    totals: &Totals,
    now: DateTime<Utc>,
    step: TimeDelta,
    steps: u32,
) -> Result<Vec<FleetPoint>> {
    let from = now - step * i32::try_from(steps).unwrap_or(i32::MAX);
    let step_seconds = step.num_seconds().max(1);
    let rows = sqlx::query!(
        "select (floor(extract(epoch from ($2::timestamptz - at)) / $3::int8))::int8 as \"ago!\", from_health, to_health, count(*) as \"n!\" \
         from transition where at > $1 and at <= $2 group by 1, 2, 3 order by 1",
        from,
        now,
        step_seconds
    )
    .fetch_all(conn)
    .await?;
    let mut rows = rows.into_iter().peekable();
    // signed: within one step a health may be left more often than it was entered since, or the other way round
    let mut then: BTreeMap<Health, i64> =
        totals.0.iter().map(|(health, n)| (*health, i64::try_from(*n).unwrap_or(i64::MAX))).collect();
    let mut points = vec![FleetPoint { at: now, totals: totals.clone() }];
    for ago in 0..i64::from(steps) {
        while let Some(row) = rows.next_if(|row| row.ago <= ago) {
            if let Some(to) = &row.to_health {
                *then.entry(word(to)?).or_default() -= row.n;
            }
            if let Some(from) = &row.from_health {
                *then.entry(word(from)?).or_default() += row.n;
            }
        }
        let back = i32::try_from(ago + 1).unwrap_or(i32::MAX);
        let totals = Totals(then.iter().map(|(health, n)| (*health, u64::try_from(*n).unwrap_or(0))).collect());
        points.push(FleetPoint { at: now - step * back, totals });
    }
    points.reverse();
    Ok(points)
}

/// The oldest proof among connections whose state is shown as known.
pub async fn oldest_proof(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select min(p.proof_at) from connection_proof p join connection c on c.id = p.connection_id \
         where c.removed_at is null and c.health <> 'unknown'"
    )
    .fetch_one(conn)
    .await
}
