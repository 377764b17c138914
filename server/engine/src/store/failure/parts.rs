//! Where failures of each kind lie, all with the same columns.

use model::{FailureKind, FailureQuery};
use sqlx::{Postgres, QueryBuilder};

const PROCESSING: &str = "
    select n.id, n.failed_at as at, n.received_at, n.id as event_id, null::text as source, n.connection_id, null::uuid as endpoint_id,
           null::uuid as channel_id, n.kind as what, coalesce(n.attempts -> -1 -> 'error' ->> 'class', 'unknown') as class,
           coalesce(n.attempts -> -1 -> 'error' ->> 'message', '') as message,
           coalesce(jsonb_array_length(n.attempts), 1) as attempts
    from event_end n where n.failed_at is not null";

const DELIVERY: &str = "
    select n.id, n.failed_at as at, n.received_at, n.event_id, null::text as source, n.connection_id, n.endpoint_id,
           null::uuid as channel_id, n.kind as what, coalesce(n.error_class, 'unknown') as class, coalesce(n.error_message, '') as message, n.tries as attempts
    from delivery n where n.failed_at is not null";

const REJECTION: &str = "
    select n.id, n.received_at as at, n.received_at, null::uuid as event_id, n.source_name as source, null::uuid as connection_id,
           null::uuid as endpoint_id, null::uuid as channel_id, null::text as what, n.reason as class, n.detail as message, 1 as attempts
    from rejection n where true";

const GAP: &str = "
    select n.id, n.missed_at as at, n.missed_at as received_at, null::uuid as event_id,
           (select s.name from connection c join source s on s.id = c.source_id where c.id = n.connection_id) as source,
           n.connection_id, null::uuid as endpoint_id, null::uuid as channel_id, n.kind as what, 'missing' as class,
           case when n.record_id is not null then 'A record changed, and no webhook told of it: probably lost at the sender.'
                when n.kind = 'sync_completed' then 'A poll found a completed sync that no webhook told of.'
                when n.kind = 'reauthorization_required' then 'A poll found that the customer must sign in again; no webhook told of it.'
                else 'A poll found a change that no webhook told of.' end
           || case when n.came_at is null then '' else ' It came later.' end as message, 0 as attempts
    from gap n where n.missed_at is not null";

// A test says itself what came of it, and what is told in a digest fails as the digest.
const NOTIFICATION: &str = "
    select n.id, n.failed_at as at, n.created_at as received_at, null::uuid as event_id, null::text as source,
           (select a.subject_id::uuid from alert a where a.id = n.alert_ids[1] and a.subject_kind = 'connection'
            and cardinality(n.alert_ids) = 1) as connection_id, null::uuid as endpoint_id, n.channel_id, n.subject as what,
           coalesce(n.error_class, 'unknown') as class, coalesce(n.error_message, '') as message,
           jsonb_array_length(n.attempts) as attempts, n.state, n.due_at, n.instead_of
    from notification n where n.failed_at is not null and n.told_in is null and n.reason <> 'test'";

// What rests, by a channel that can send, and of which nobody was told by another: the same as `notification_again::release`.
const TELLABLE: &str = "
    and f.state = 'failed' and exists (select from channel c where c.id = f.channel_id and c.enabled and c.removed_at is null)
    and not exists (select from notification o where o.instead_of = f.id and o.state <> 'failed')
    and not exists (select from notification o where o.id = f.instead_of and o.state <> 'failed')";

/// Pushes `(…) f where …`: what failed of this kind, with every filter but `q`.
pub(super) fn push(sql: &mut QueryBuilder<Postgres>, kind: FailureKind, query: &FailureQuery) {
    sql.push("(");
    sql.push(match kind {
        FailureKind::Processing => PROCESSING,
        FailureKind::Delivery => DELIVERY,
        FailureKind::Rejection => REJECTION,
        FailureKind::Gap => GAP,
        FailureKind::Notification => NOTIFICATION,
    });
    if !query.source.is_empty() {
        // of an event its source is looked up row by row, for a join might read all of them
        sql.push(match kind {
            FailureKind::Processing => {
                " and (select e.source_id from event e where e.received_at = n.received_at and e.id = n.id limit 1)"
            }
            FailureKind::Delivery => {
                " and (select e.source_id from event e where e.received_at = n.received_at and e.id = n.event_id limit 1)"
            }
            FailureKind::Rejection => " and (select s.id from source s where s.name = n.source_name)",
            _ => " and (select c.source_id from connection c where c.id = n.connection_id)",
        });
        sql.push(" = any(array(select id from source where name = any(").push_bind(query.source.clone());
        sql.push(") or id::text = any(").push_bind(query.source.clone()).push(")))");
    }
    if let Some(connection) = query.connection {
        match kind {
            // one message may tell of many
            FailureKind::Notification => sql
                .push(" and n.alert_ids && array(select a.id from alert a where a.subject_kind = 'connection' and a.subject_id = ")
                .push_bind(connection.to_string())
                .push(")"),
            _ => sql.push(" and n.connection_id = ").push_bind(connection.0),
        };
    }
    if let Some(endpoint) = query.endpoint {
        sql.push(" and n.endpoint_id = ").push_bind(endpoint.0);
    }
    sql.push(") f where true");
    if !query.error.is_empty() {
        sql.push(" and f.class = any(").push_bind(query.error.clone()).push(")");
    }
    if let Some(since) = query.since {
        sql.push(" and f.at >= ").push_bind(since);
    }
    if let Some(until) = query.until {
        sql.push(" and f.at < ").push_bind(until);
    }
    if !query.id.is_empty() {
        sql.push(" and f.id = any(").push_bind(query.id.clone()).push(")");
    }
}

/// Pushes `(…) r`: what of it a retry of many tries again, as `id` and `received_at`. False: nothing of this kind, and nothing is
/// pushed.
pub(super) fn push_retryable(sql: &mut QueryBuilder<Postgres>, kind: FailureKind, query: &FailureQuery) -> bool {
    let Some(only) = retryable(kind) else { return false };
    if kind != FailureKind::Notification {
        sql.push("(select f.id, f.received_at from ");
        push(sql, kind, query);
        sql.push(only).push(") r");
        return true;
    }
    // of a message and its copy by another channel one is enough: nobody is told twice
    sql.push("(with m as materialized (select f.id, f.received_at, f.instead_of from ");
    push(sql, kind, query);
    sql.push(only);
    sql.push(") select m.id, m.received_at from m where not exists (select from m o where o.id = m.instead_of)) r");
    true
}

/// What else says that one can be tried again; none: nothing of this kind can.
pub(super) fn retryable(kind: FailureKind) -> Option<&'static str> {
    match kind {
        FailureKind::Processing => Some(""),
        // what was to go to an endpoint that was taken away goes nowhere
        FailureKind::Delivery => {
            Some(" and exists (select from endpoint p where p.id = f.endpoint_id and p.removed_at is null)")
        }
        FailureKind::Notification => Some(TELLABLE),
        FailureKind::Rejection | FailureKind::Gap => None,
    }
}

/// The columns `next_due_at` and `retryable`.
pub(super) fn due_and_retryable(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Processing => {
            "(select min(d.due_at) from event_due d where d.event_id = f.id and d.tries > 0) as next_due_at, true as retryable"
        }
        FailureKind::Delivery => {
            "(select d.due_at from delivery_due d where d.delivery_id = f.id) as next_due_at,
             p.id is not null and p.removed_at is null as retryable"
        }
        FailureKind::Notification => {
            "f.due_at as next_due_at, f.state <> 'sending' and h.enabled and h.removed_at is null as retryable"
        }
        FailureKind::Rejection | FailureKind::Gap => "null::timestamptz as next_due_at, false as retryable",
    }
}
