//! All SQL: functions on `&mut PgConnection` that return model types, one file a table, checked at compile time.

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

pub mod alert;
pub mod alert_facts;
pub mod alert_group;
pub mod alert_history;
pub mod alert_link;
pub mod alert_list;
pub mod alert_over;
pub mod alert_sweep;
pub mod alert_told;
pub mod alert_touch;
pub mod audit;
pub mod bulk;
pub mod bulk_undo;
pub mod channel;
pub mod connection;
pub mod connection_count;
mod connection_filter;
mod connection_learned;
pub mod connection_list;
pub mod cover;
pub mod customer;
pub mod customer_list;
pub mod delivery;
pub mod delivery_content;
pub mod delivery_due;
pub mod delivery_list;
pub mod door;
pub mod endpoint;
pub mod endpoint_list;
pub mod event;
pub mod event_due;
pub mod event_end;
pub mod event_key;
pub mod event_list;
pub mod event_own;
pub mod evidence;
pub mod failure;
pub mod fleet;
pub mod gap;
pub mod hearing;
pub mod issue;
pub mod issue_list;
pub mod lane;
pub mod maintenance;
pub mod notification;
pub mod notification_again;
pub mod notification_list;
pub mod outage;
pub mod outage_list;
pub mod partition;
pub mod past;
pub mod past_failures;
pub mod person;
pub mod reconnect_link;
pub mod record;
pub mod record_event;
pub mod redaction;
pub mod rejection;
pub mod replica;
pub mod retry;
pub mod route;
pub mod rule;
pub mod schema;
pub mod secret;
pub mod session;
pub mod setting;
pub mod sign_in;
pub mod silence;
pub mod source;
pub mod start;
pub mod sync;
pub mod token;
pub mod transition;
pub mod view;

/// Opens a pool. Waits at most `patience` for the first connection.
pub async fn connect(url: &str, connections: u32, patience: Duration) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("linewatch").options([
        // a forgotten transaction must not hold locks for ever
        ("idle_in_transaction_session_timeout", "60000"),
        ("statement_timeout", "60000"),
        ("timezone", "UTC"),
    ]);
    PgPoolOptions::new().max_connections(connections).acquire_timeout(patience).connect_with(options).await
}

/// How the statements of a lane are planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plans {
    /// As Postgres finds best for what each is asked about.
    AsAsked,
    /// Once for a connection: for statements that find little by an index, where planning takes longer than finding.
    Once,
}

/// A few connections beside the pool, for work that must not wait: nobody else holds them, and as its statements are always the
/// same, they are soon known to each of them. Opened when they are needed.
///
/// What is asked here is found by an index. A table of work is nearly always empty; a plan made then would read all of it, and
/// would still be in use when a million wait.
pub fn lane(pool: &PgPool, connections: u32, plans: Plans) -> PgPool {
    let mut options = (*pool.connect_options()).clone().options([("enable_seqscan", "off"), ("jit", "off")]);
    if plans == Plans::Once {
        options = options.options([("plan_cache_mode", "force_generic_plan")]);
    }
    let patience = pool.options().get_acquire_timeout();
    PgPoolOptions::new().max_connections(connections).acquire_timeout(patience).connect_lazy_with(options)
}

/// Brings the schema up to date, under a lock: any number of processes may start at once.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    MIGRATIONS.run(pool).await
}

/// Gives back every lease. Only for who knows that no other process works on this database: what a killed one left
/// behind need not wait until its leases run out.
pub async fn release_leases(conn: &mut sqlx::PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("update source set lease_until = null, lease_token = null where lease_token is not null")
        .execute(&mut *conn)
        .await?;
    sqlx::query!("update connection set lease_until = null, lease_token = null where lease_token is not null")
        .execute(&mut *conn)
        .await?;
    sqlx::query!("update bulk set lease_until = null, lease_token = null where lease_token is not null")
        .execute(&mut *conn)
        .await?;
    sqlx::query!("update record_ask set lease_until = null, lease_token = null where lease_token is not null")
        .execute(&mut *conn)
        .await?;
    lane::release_all(&mut *conn).await?;
    // what was being sent is sent again, and says that it may be a repeat
    sqlx::query!("update notification set lease_until = null, lease_token = null where lease_token is not null")
        .execute(&mut *conn)
        .await?;
    event_due::release(conn).await
}

/// Takes an advisory lock until the transaction ends. False if another process has it.
pub async fn lock_or_leave(conn: &mut sqlx::PgConnection, key: i64) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!("select pg_try_advisory_xact_lock($1) as \"ours!\"", key).fetch_one(conn).await
}

/// The schema's history.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// Reads a word of the model out of a text column.
pub(crate) fn word<T: FromStr<Err = String>>(text: &str) -> Result<T, sqlx::Error> {
    text.parse().map_err(|message: String| sqlx::Error::Decode(message.into()))
}

/// The same for a column that may be null.
pub(crate) fn maybe_word<T: FromStr<Err = String>>(text: Option<&str>) -> Result<Option<T>, sqlx::Error> {
    text.map(word).transpose()
}

/// Opaque keyset cursors: what the last row was sorted by, as JSON in base64.
pub(crate) mod cursor {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use chrono::{DateTime, Datelike as _, Utc};
    use model::Refusal;
    use serde::{Serialize, de::DeserializeOwned};
    use uuid::Uuid;

    /// Writes a cursor.
    pub(crate) fn write<T: Serialize>(position: &T) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).expect("positions are plain data"))
    }

    /// Reads one back; a damaged one is refused.
    pub(crate) fn read<T: DeserializeOwned>(cursor: &str) -> Result<T, Refusal> {
        URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|json| serde_json::from_slice(&json).ok()).ok_or_else(damaged)
    }

    /// Reads one of a list in the order of time.
    pub(crate) fn read_moment(cursor: &str) -> Result<(DateTime<Utc>, Uuid), Refusal> {
        let (at, id): (DateTime<Utc>, Uuid) = read(cursor)?;
        if fits(at) { Ok((at, id)) } else { Err(damaged()) }
    }

    /// Whether a time lies where Postgres and we write it alike.
    pub(crate) fn fits(at: DateTime<Utc>) -> bool {
        (1..=9_999).contains(&at.year())
    }

    fn damaged() -> Refusal {
        Refusal::invalid("cursor", "this page address is damaged; go back to the first page")
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_cursor_of_no_year_is_damaged() {
            let position = ("2026-11-22T10:00:00Z".parse::<DateTime<Utc>>().unwrap(), Uuid::nil());
            assert_eq!(read_moment(&write(&position)), Ok(position));
            for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                assert_eq!(read_moment(&write(&(at, Uuid::nil()))), Err(damaged()));
            }
        }
    }
}

/// An error of the database, told to nobody but the log; the asker gets a reference to it.
pub(crate) fn internal(error: impl std::fmt::Display) -> model::Refusal {
    let reference = crate::clock::new_id().simple().to_string()[20..].to_owned();
    tracing::error!(reference, %error, "a question could not be answered: {error}");
    model::Refusal::Internal(reference)
}
