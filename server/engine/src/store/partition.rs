//! Partitions: one a UTC day, made standing alone and then attached, detached and then dropped.
//!
//! The only SQL that is put together at run time besides lists: names of tables cannot be parameters. They are made here
//! from [`PARENTS`] and a date, from nothing else.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// The tables with partitions by the day of `received_at`.
pub const PARENTS: [&str; 4] = ["event", "event_end", "evidence", "delivery"];
/// Holds off every other process that makes partitions; until the end of the transaction.
const MAKING: i64 = 0x6c77_7061_7274_0001;
/// Holds off every other process that drops partitions; until the end of the session.
const DROPPING: i64 = 0x6c77_7061_7274_0002;

/// A partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The day that it holds.
    pub day: NaiveDate,
    /// Which table it is a part of.
    pub parent: &'static str,
}

impl Partition {
    /// Its name as a table.
    pub fn name(&self) -> String {
        format!("{}_{}", self.parent, self.day.format("%Y%m%d"))
    }

    fn parse(parent: &'static str, name: &str) -> Option<Self> {
        let day = name.strip_prefix(parent)?.strip_prefix('_')?;
        let partition = Self { day: NaiveDate::parse_from_str(day, "%Y%m%d").ok()?, parent };
        // dates are read leniently; only what we would have named so is ours
        (partition.name() == name).then_some(partition)
    }
}

/// The partitions that a table has.
pub async fn attached(conn: &mut PgConnection, parent: &'static str) -> sqlx::Result<Vec<Partition>> {
    let names = sqlx::query_scalar!(
        r#"select relname as "name!" from pg_inherits join pg_class on pg_class.oid = inhrelid
           where inhparent = $1::text::regclass and not inhdetachpending"#,
        parent,
    );
    Ok(read(parent, names.fetch_all(conn).await?))
}

/// Those whose detaching was cut short: no row goes into them any more, but they still hang on.
pub async fn half_detached(conn: &mut PgConnection, parent: &'static str) -> sqlx::Result<Vec<Partition>> {
    let names = sqlx::query_scalar!(
        r#"select relname as "name!" from pg_inherits join pg_class on pg_class.oid = inhrelid
           where inhparent = $1::text::regclass and inhdetachpending"#,
        parent,
    );
    Ok(read(parent, names.fetch_all(conn).await?))
}

/// Those that are detached and wait to be dropped.
pub async fn detached(conn: &mut PgConnection, parent: &'static str) -> sqlx::Result<Vec<Partition>> {
    let names = sqlx::query_scalar!(
        r#"select relname as "name!" from pg_class
           where relnamespace = (select relnamespace from pg_class where oid = $1::text::regclass)
             and relkind = 'r' and not relispartition and relname ~ ('^' || $1 || '_[0-9]{8}$')"#,
        parent,
    );
    Ok(read(parent, names.fetch_all(conn).await?))
}

fn read(parent: &'static str, names: Vec<String>) -> Vec<Partition> {
    let mut all: Vec<_> = names.iter().filter_map(|name| Partition::parse(parent, name)).collect();
    all.sort_unstable();
    all
}

/// Makes those of these partitions that are missing; how many those were. Any number of processes may do so at once.
pub async fn make(conn: &mut PgConnection, wanted: &[Partition]) -> sqlx::Result<usize> {
    if missing(conn, wanted).await?.is_empty() {
        return Ok(0);
    }
    let mut transaction = conn.begin().await?;
    sqlx::query!("select pg_advisory_xact_lock($1)", MAKING).execute(&mut *transaction).await?;
    let missing = missing(&mut transaction, wanted).await?;
    for partition in &missing {
        let (parent, name) = (partition.parent, partition.name());
        // made alone first: attaching an empty table holds up nobody who writes to the others
        execute(&mut transaction, format!("create table {name} (like {parent} including all)")).await?;
        attach(&mut transaction, *partition).await?;
    }
    transaction.commit().await?;
    Ok(missing.len())
}

async fn missing(conn: &mut PgConnection, wanted: &[Partition]) -> sqlx::Result<Vec<Partition>> {
    let mut missing = wanted.to_vec();
    for parent in PARENTS {
        let there = attached(conn, parent).await?;
        missing.retain(|partition| !there.contains(partition));
    }
    Ok(missing)
}

/// Attaches a table that stands alone.
pub async fn attach(conn: &mut PgConnection, partition: Partition) -> sqlx::Result<()> {
    let Partition { parent, day } = partition;
    let next = day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    let bounds = format!("from ('{day} 00:00:00+00') to ('{next} 00:00:00+00')");
    execute(conn, format!("alter table {parent} attach partition {} for values {bounds}", partition.name())).await
}

/// Whether this process alone drops partitions, until its session ends.
pub async fn may_drop(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "locked!""#, DROPPING).fetch_one(conn).await
}

/// Waits at most so long for a lock, for the rest of the session.
pub async fn be_patient(conn: &mut PgConnection, milliseconds: u32) -> sqlx::Result<()> {
    execute(conn, format!("set lock_timeout = {milliseconds}")).await
}

/// Detaches a partition without holding up anybody. Not within a transaction. Cut short, it is [`half_detached`].
pub async fn detach(conn: &mut PgConnection, partition: Partition) -> sqlx::Result<()> {
    execute(conn, format!("alter table {} detach partition {} concurrently", partition.parent, partition.name())).await
}

/// Ends a detaching that was cut short.
pub async fn finish_detaching(conn: &mut PgConnection, partition: Partition) -> sqlx::Result<()> {
    execute(conn, format!("alter table {} detach partition {} finalize", partition.parent, partition.name())).await
}

/// Drops a table that is detached.
pub async fn drop_table(conn: &mut PgConnection, partition: Partition) -> sqlx::Result<()> {
    execute(conn, format!("drop table {}", partition.name())).await
}

/// Whether something of that day is still to be done: an event to process, a delivery to send. While it is, its day stays as it
/// is, for what is being worked on must not go from under the work.
pub async fn in_work(conn: &mut PgConnection, day: NaiveDate) -> sqlx::Result<bool> {
    let (from, to) = bounds(day);
    sqlx::query_scalar!(
        r#"select exists (select from event_due where received_at >= $1 and received_at < $2)
               or exists (select from delivery_due where received_at >= $1 and received_at < $2) as "busy!""#,
        from,
        to,
    )
    .fetch_one(conn)
    .await
}

fn bounds(day: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
    let next = day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    (day.and_time(NaiveTime::MIN).and_utc(), next.and_time(NaiveTime::MIN).and_utc())
}

/// What a partition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Rows that are kept until they are resolved.
    pub unresolved: bool,
    /// Others.
    pub resolved: bool,
}

/// Deliveries that failed and could still be sent: what was to go to an endpoint that was taken away goes nowhere.
const FAILED: &str =
    "failed_at is not null and endpoint_id not in (select id from endpoint where removed_at is not null)";

/// Asks for the ids of what is not resolved: deliveries that failed; events that failed, or that such a delivery would send once
/// more. Ids, because they are few and found by an index: what a day holds is not read to know what of it stays.
fn unresolved(partition: Partition, ends: bool) -> String {
    let (name, (from, to)) = (partition.name(), bounds(partition.day));
    let sent = format!(
        "select event_id as id from delivery where {FAILED} and received_at >= '{}' and received_at < '{}'",
        from.to_rfc3339(),
        to.to_rfc3339()
    );
    match partition.parent {
        "delivery" => format!("select id from {name} where {FAILED}"),
        "event_end" => format!("select id from {name} where failed_at is not null union {sent}"),
        "event" if ends => {
            let ends = Partition { parent: "event_end", ..partition }.name();
            format!("select id from {ends} where failed_at is not null union {sent}")
        }
        "event" => sent,
        _ => "select null::uuid as id where false".to_owned(),
    }
}

async fn is_there(conn: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select to_regclass($1::text) is not null as "there!""#, name).fetch_one(conn).await
}

async fn unresolved_now(conn: &mut PgConnection, partition: Partition) -> sqlx::Result<String> {
    let ends = Partition { parent: "event_end", ..partition }.name();
    Ok(unresolved(partition, is_there(conn, &ends).await?))
}

/// What a partition holds, attached or not.
pub async fn contents(conn: &mut PgConnection, partition: Partition) -> sqlx::Result<Contents> {
    let (name, ids) = (partition.name(), unresolved_now(conn, partition).await?);
    let sql = format!(
        "with stays as materialized ({ids}) \
         select exists (select from {name} where id in (select id from stays)) as unresolved, \
                exists (select from {name} d where not exists (select from stays where stays.id = d.id)) as resolved"
    );
    let (unresolved, resolved) = sqlx::query_as(AssertSqlSafe(sql)).fetch_one(conn).await?;
    Ok(Contents { unresolved, resolved })
}

/// Puts a table with what is not resolved in the place of one that is detached, which is dropped. All of it at once, or nothing.
pub async fn keep_unresolved(conn: &mut PgConnection, partition: Partition) -> sqlx::Result<()> {
    let (name, parent, ids) = (partition.name(), partition.parent, unresolved_now(conn, partition).await?);
    let mut transaction = conn.begin().await?;
    execute(&mut transaction, format!("create table {name}_kept (like {parent} including all)")).await?;
    execute(&mut transaction, format!("insert into {name}_kept select * from {name} where id in ({ids})")).await?;
    execute(&mut transaction, format!("drop table {name}")).await?;
    execute(&mut transaction, format!("alter table {name}_kept rename to {name}")).await?;
    attach(&mut transaction, partition).await?;
    transaction.commit().await
}

async fn execute(conn: &mut PgConnection, sql: String) -> sqlx::Result<()> {
    conn.execute(AssertSqlSafe(sql)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_day_and_nothing_else_is_taken_for_one() {
        let partition = Partition { day: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(), parent: "event" };
        assert_eq!(partition.name(), "event_20261122");
        assert_eq!(Partition::parse("event", "event_20261122"), Some(partition));
        for name in ["event_key", "event_2026112", "evidence_20261122", "event_20261322", "event"] {
            assert_eq!(Partition::parse("event", name), None, "{name}");
        }
    }
}
