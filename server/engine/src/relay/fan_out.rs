//! Makes deliveries, in the transaction that processes their event: either both are committed or neither.
//!
//! Which endpoints there are is kept in memory and read again when one was added, changed or taken away. Claiming events tells
//! a stamp of that along with them, at no statement more: so what was received after an endpoint was made is never missed,
//! and where there is no endpoint nothing is asked.

use super::matching::{Subject, Target, delivery_id, matches};
use crate::store::{delivery_due, endpoint};
use chrono::{DateTime, Utc};
use model::{Change, ChangeTopic};
use sqlx::PgConnection;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// What is known of the endpoints, as of a stamp.
type Kept = Option<(i64, Arc<[Target]>)>;

/// Knows the endpoints. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct FanOut(Arc<Mutex<Kept>>);

/// An event that is to be forwarded.
#[derive(Clone, Debug)]
pub struct Going {
    /// What it is about.
    pub subject: Subject,
    /// It was tried before, so its deliveries may be there already.
    pub again: bool,
}

impl FanOut {
    /// The endpoints as of this stamp. Zero is that of a Linewatch that never had one.
    pub async fn targets(&self, conn: &mut PgConnection, stamp: i64) -> sqlx::Result<Arc<[Target]>> {
        if stamp == 0 {
            return Ok(Arc::default());
        }
        if let Some((of, targets)) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner)
            && *of == stamp
        {
            return Ok(Arc::clone(targets));
        }
        let targets: Arc<[Target]> = endpoint::targets(conn).await?.into();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((stamp, Arc::clone(&targets)));
        Ok(targets)
    }

    /// Makes the deliveries of these events. Answers what to announce, which wakes the lanes of every process.
    pub async fn add(
        conn: &mut PgConnection,
        targets: &[Target],
        going: &[Going],
        now: DateTime<Utc>,
    ) -> sqlx::Result<Option<Change>> {
        if targets.is_empty() || going.is_empty() {
            return Ok(None);
        }
        let of_connections =
            targets.iter().any(|target| !(target.filter.platforms.is_empty() && target.filter.customers.is_empty()));
        let about = if of_connections {
            let ids: Vec<Uuid> = going.iter().filter_map(|going| Some(going.subject.connection?.0)).collect();
            delivery_due::about(conn, &ids).await?
        } else {
            Default::default()
        };
        let mut made = Vec::new();
        for Going { subject, again } in going {
            let known = subject.connection.and_then(|id| about.get(&id));
            let wanted = targets.iter().filter(|target| matches(&target.filter, subject, known));
            made.extend(wanted.map(|target| delivery_due::NewDelivery {
                id: delivery_id(subject.event, subject.received_at, target.id),
                endpoint: target.id,
                event: subject.event,
                received_at: subject.received_at,
                connection: subject.connection,
                kind: subject.kind.clone(),
                in_order: target.ordered && subject.connection.is_some(),
                again: *again,
            }));
        }
        Ok((delivery_due::add(conn, made, now).await? > 0).then(|| Change::many(ChangeTopic::Delivery)))
    }
}
