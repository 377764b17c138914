//! What must be done by the clock: partitions made ahead of time, and what is too old dropped.
//!
//! Any number of processes may keep house at once: making is done under a lock, dropping by whoever comes first.

use crate::{
    clock::SharedClock,
    store::{
        alert_over, connection_count,
        event_due::{self, Backlog},
        event_key, gap,
        partition::{self, Contents, PARENTS, Partition},
        past, record_event, rejection, retry, session, setting, sign_in, source,
    },
    webhook::accept::KEYS_ARE_KEPT,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::{Connection, PgConnection, PgPool};
use std::{collections::BTreeSet, time::Duration};
use tokio_util::sync::CancellationToken;

/// Partitions are made so many days ahead.
const DAYS_AHEAD: u64 = 7;
/// Hourly counts of the door are kept so long: a preview looks back a month.
pub(crate) const COUNTS_ARE_KEPT: TimeDelta = TimeDelta::days(38);
/// A failed sign-in is forgotten after so long.
const SIGN_INS_ARE_KEPT: TimeDelta = TimeDelta::days(1);
/// Keys dropped in one statement.
const KEYS_AT_ONCE: i64 = 5_000;
/// Alerts, messages and pauses dropped in one statement.
const OVER_AT_ONCE: i64 = 1_000;
/// Dropping a partition gives way to others after so many milliseconds, and is tried again an hour later.
const LOCK_TIMEOUT: u32 = 2_000;
/// Between two rounds.
const ROUND: Duration = Duration::from_secs(3_600);
/// After a round in which something failed.
const ROUND_AGAIN: Duration = Duration::from_secs(60);
/// Between two looks at the backlog.
const GAUGE: Duration = Duration::from_secs(10);

/// Between two foldings of what changed into the counters of connections: until then whoever reads them adds it up.
const FOLD: Duration = Duration::from_secs(5);

/// Keeps house until cancelled: at once, then every hour, and every minute while something fails.
pub async fn run(pool: PgPool, clock: SharedClock, cancel: CancellationToken) {
    let rounds = async {
        loop {
            let wait = if round(&pool, clock.now()).await { ROUND } else { ROUND_AGAIN };
            tokio::time::sleep(wait).await;
        }
    };
    let gauges = async {
        loop {
            gauge(&pool, &clock).await;
            tokio::time::sleep(GAUGE).await;
        }
    };
    let folds = async {
        loop {
            fold(&pool).await;
            tokio::time::sleep(FOLD).await;
        }
    };
    cancel.run_until_cancelled(async { tokio::join!(rounds, gauges, folds) }).await;
}

/// One round; a thing that fails does not keep the others from being done. True if all went well.
pub async fn round(pool: &PgPool, now: DateTime<Utc>) -> bool {
    let mut well = true;
    let mut tell = |what: &str, done: sqlx::Result<u64>| match done {
        Ok(0) => {}
        Ok(n) => tracing::info!(what, n, "kept house: {what} ({n})"),
        Err(error) => {
            well = false;
            metrics::counter!("linewatch_housekeeping_failures_total", "what" => what.to_owned()).increment(1);
            tracing::error!(what, %error, "could not keep house, {what}: {error}");
        }
    };
    tell("made partitions", make_ahead(pool, now).await);
    tell("dropped old partitions", drop_expired(pool, now).await);
    tell("dropped old keys of events", drop_keys(pool, now).await);
    tell("dropped what is past elsewhere", drop_past(pool, now).await);
    tell("dropped alerts that are long over", drop_over(pool, now).await);
    tell("dropped old pauses of connections", drop_pauses(pool, now).await);
    well
}

/// Makes the partitions from yesterday to a week ahead, those that are missing; how many.
pub async fn ensure_partitions(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<usize> {
    let today = now.date_naive();
    let days = today.pred_opt().into_iter().chain(today.iter_days().take(DAYS_AHEAD as usize + 1));
    let wanted: Vec<_> = days.flat_map(|day| PARENTS.map(|parent| Partition { day, parent })).collect();
    partition::make(conn, &wanted).await
}

/// Whether today's and tomorrow's partitions are there. Without today's nothing can be taken at all.
pub async fn partitions_ready(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<bool> {
    Ok(room_until(conn, now).await?.is_some_and(|until| until > now.date_naive()))
}

/// The last day, counted from today without a gap, whose partitions are all there; none when today's are not.
pub async fn room_until(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Option<NaiveDate>> {
    let mut there = Vec::new();
    for parent in PARENTS {
        there.extend(partition::attached(conn, parent).await?);
    }
    let whole = |day: &NaiveDate| PARENTS.iter().all(|parent| there.contains(&Partition { day: *day, parent }));
    Ok(now.date_naive().iter_days().take_while(whole).last())
}

async fn make_ahead(pool: &PgPool, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let mut conn = pool.acquire().await?;
    ensure_partitions(&mut conn, now).await.map(|made| made as u64)
}

/// Drops what is past keeping, a day at a time; how many partitions. A plain DROP would wait behind the slowest reader and hold
/// up the door meanwhile, so each is detached first, on a connection of its own that gives way. What is not resolved is kept in a
/// small partition in the place of the large one, where everybody goes on finding it; for that moment it is not seen.
pub async fn drop_expired(pool: &PgPool, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let mut conn = PgConnection::connect_with(&pool.connect_options()).await?;
    if !partition::may_drop(&mut conn).await? {
        return Ok(0);
    }
    partition::be_patient(&mut conn, LOCK_TIMEOUT).await?;
    let keep = setting::retention(&mut conn).await?;
    let from = |days: u16| (now - TimeDelta::days(i64::from(days))).date_naive();
    let mut dropped = 0;
    // events are kept for deliveries that failed, and go with their ends
    for (parents, kept_from) in [
        (&["evidence"][..], from(keep.evidence_days)),
        (&["delivery"], from(keep.deliveries_days)),
        (&["event_end", "event"], from(keep.events_days)),
    ] {
        dropped += drop_days(&mut conn, parents, kept_from).await?;
    }
    conn.close().await?;
    Ok(dropped)
}

/// The same for tables whose days go together: each is detached in this order, and dropped in the other. Ends go before their
/// events, so that nobody can retry an event that is no longer there; where a slow reader holds up the second, the next round
/// goes on with it.
async fn drop_days(conn: &mut PgConnection, parents: &[&'static str], kept_from: NaiveDate) -> sqlx::Result<u64> {
    let (mut attached, mut detached) = (BTreeSet::new(), BTreeSet::new());
    for parent in parents {
        for half in partition::half_detached(conn, parent).await? {
            partition::finish_detaching(conn, half).await?;
        }
        attached.extend(partition::attached(conn, parent).await?.into_iter().filter(|old| old.day < kept_from));
        for old in partition::detached(conn, parent).await? {
            if old.day < kept_from {
                detached.insert(old);
            } else {
                // things are kept longer since it was detached
                partition::attach(conn, old).await?;
            }
        }
    }
    let mut dropped = 0;
    for day in attached.union(&detached).map(|old| old.day).collect::<BTreeSet<_>>() {
        let of = |parent: &&'static str| Partition { day, parent };
        let busy = parents != ["evidence"] && partition::in_work(conn, day).await?;
        if !busy {
            for old in parents.iter().map(of).filter(|old| attached.contains(old)) {
                let Contents { unresolved, resolved } = partition::contents(conn, old).await?;
                if resolved || !unresolved {
                    partition::detach(conn, old).await?;
                    detached.insert(old);
                }
            }
        }
        // looked at again now that nobody reaches it: a person may have retried something of it a moment ago
        let busy = parents != ["evidence"] && partition::in_work(conn, day).await?;
        for old in parents.iter().rev().map(of).filter(|old| detached.contains(old)) {
            if busy {
                partition::attach(conn, old).await?;
            } else if partition::contents(conn, old).await?.unresolved {
                partition::keep_unresolved(conn, old).await?;
            } else {
                partition::drop_table(conn, old).await?;
                dropped += 1;
            }
        }
    }
    Ok(dropped)
}

/// Drops the keys of events that are too old to come again, a few at a time: the door never waits for it.
async fn drop_keys(pool: &PgPool, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let mut conn = pool.acquire().await?;
    let mut dropped = 0;
    loop {
        let n = event_key::delete_old(&mut conn, now - KEYS_ARE_KEPT, KEYS_AT_ONCE).await?;
        dropped += n;
        if n < KEYS_AT_ONCE as u64 {
            return Ok(dropped);
        }
    }
}

async fn drop_past(pool: &PgPool, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let mut conn = pool.acquire().await?;
    let keep = setting::retention(&mut conn).await?;
    let before = |days: u16| now - TimeDelta::days(i64::from(days));
    Ok(session::delete_expired(&mut conn, now).await?
        + sign_in::delete_forgotten(&mut conn, now - SIGN_INS_ARE_KEPT).await?
        + rejection::delete_counts(&mut conn, now - COUNTS_ARE_KEPT).await?
        + rejection::delete_samples(&mut conn, before(keep.rejections_days)).await?
        + gap::delete_old(&mut conn, before(keep.gaps_days)).await?
        + record_event::delete_old(&mut conn, now - KEYS_ARE_KEPT).await?
        + retry::delete_old(&mut conn, before(keep.deliveries_days)).await?)
}

/// Drops what is over for long enough, a few at a time: messages first, for an alert stays as long as a message about it does.
async fn drop_over(pool: &PgPool, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let mut conn = pool.acquire().await?;
    let before = now - TimeDelta::days(i64::from(setting::retention(&mut conn).await?.notifications_days));
    let mut dropped = 0;
    loop {
        let n = alert_over::delete_notifications(&mut conn, before, OVER_AT_ONCE).await?;
        dropped += n;
        if n < OVER_AT_ONCE as u64 {
            break;
        }
    }
    loop {
        let n = alert_over::delete_alerts(&mut conn, before, OVER_AT_ONCE).await?;
        dropped += n;
        if n < OVER_AT_ONCE as u64 {
            return Ok(dropped);
        }
    }
}

/// Drops what rules are tried out on when it is as old as evidence may be; a preview's month stays.
async fn drop_pauses(pool: &PgPool, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let mut conn = pool.acquire().await?;
    let keep = TimeDelta::days(i64::from(setting::retention(&mut conn).await?.evidence_days));
    let before = now - keep.max(COUNTS_ARE_KEPT);
    let mut dropped = 0;
    loop {
        let n = past::delete_old(&mut conn, before, OVER_AT_ONCE).await?;
        dropped += n;
        if n < OVER_AT_ONCE as u64 {
            return Ok(dropped);
        }
    }
}

async fn fold(pool: &PgPool) {
    let folded: sqlx::Result<u64> = async { connection_count::fold(&mut *pool.acquire().await?).await }.await;
    if let Err(error) = folded {
        metrics::counter!("linewatch_housekeeping_failures_total", "what" => "folded counters").increment(1);
        tracing::warn!(%error, "what changed could not be folded into the counters of connections: {error}");
    }
}

async fn gauge(pool: &PgPool, clock: &SharedClock) {
    let now = clock.now();
    let seconds =
        |since: Option<DateTime<Utc>>| since.map_or(0, |at| (now - at).num_milliseconds().max(0)) as f64 / 1e3;
    let look: sqlx::Result<()> = async {
        let mut conn = pool.acquire().await?;
        let Backlog { count, oldest } = event_due::backlog(&mut conn, now).await?;
        metrics::gauge!("linewatch_event_backlog").set(count as f64);
        metrics::gauge!("linewatch_event_backlog_age_seconds").set(seconds(oldest));
        for source in source::list(&mut conn, None, "").await?.into_iter().filter(|source| source.enabled) {
            let lag = metrics::gauge!("linewatch_poll_lag_seconds", "source" => source.name);
            lag.set(seconds(source.round.next_at.filter(|next| *next < now)));
        }
        Ok(())
    }
    .await;
    if let Err(error) = look {
        tracing::warn!(%error, "the backlog of events and the lag of polling could not be looked at: {error}");
    }
}
