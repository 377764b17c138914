//! Previews of rules that look at time and counts, against what really fired; and how long alerts are kept.

use crate::alerts::{Fleet, MINUTE, Now, SOURCE, health};
use crate::world::admin;
use chrono::{DateTime, TimeDelta, Utc};
use engine::clock::{Clock as _, new_id};
use engine::housekeeping;
use model::{
    AlertState, Backend, FailureKind, Health, NewRule, Preview, PreviewWish, RetentionPatch, SilenceOf, When, WhenKind,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sqlx::PgPool;
use uuid::Uuid;

/// What happens is on a grid of twice so many minutes. What ends by the clock alone lies between, for every window is odd on it, and
/// somebody looks then: so never two things happen at one moment.
const GRID: i64 = 10;
/// Makes a time odd on the grid.
const ODD: i64 = GRID * 60;
/// Five days of it.
const STEPS: i64 = 5 * 24 * 60 / GRID;

async fn gap(fleet: &Fleet, n: usize) -> Uuid {
    let id = new_id();
    sqlx::query(
        "insert into gap (id, connection_id, kind, happened_at, found_at, missed_at) values ($1, $2, 'sync_completed', $3 - ('x' || right($1::text, 5))::bit(20)::int * interval '1 microsecond', $3, $3)",
    )
    .bind(id)
    .bind(fleet.ids[n].0)
    .bind(fleet.clock.now())
    .execute(&fleet.pool)
    .await
    .unwrap();
    id
}

async fn run(fleet: &Fleet, sql: &'static str, id: Uuid) {
    sqlx::query(sql).bind(id).bind(fleet.clock.now()).execute(&fleet.pool).await.unwrap();
}

/// An event that could not be processed.
async fn broken_event(fleet: &Fleet) -> Uuid {
    let (id, now) = (new_id(), fleet.clock.now());
    let event = "insert into event (id, received_at, source_id, headers, body) values ($1, $2, $3, '[]', '')";
    sqlx::query(event).bind(id).bind(now).bind(SOURCE).execute(&fleet.pool).await.unwrap();
    let end = "insert into event_end (id, received_at, started_at, duration_ms, state, failed_at, attempts) values ($1, $2, $2, 0, 'failed', $2, \
         jsonb_build_array(jsonb_build_object('started_at', $2, 'outcome', 'failed')))";
    run(fleet, end, id).await;
    id
}

const MEND: &str = "update event_end set state = 'processed', failed_at = null, started_at = $2, \
     attempts = attempts || jsonb_build_object('started_at', $2, 'outcome', 'ok') where id = $1";

/// A webhook was taken at the door.
async fn heard(fleet: &Fleet) {
    let sql = "insert into door_count as kept (source_name, outcome, hour, n, last_at, first_at) \
         values ('makini', 'taken', date_trunc('hour', $1::timestamptz, 'UTC'), 1, $1, $1) \
         on conflict (source_name, outcome, hour) do update set n = kept.n + 1, last_at = excluded.last_at";
    sqlx::query(sql).bind(fleet.clock.now()).execute(&fleet.pool).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_preview_of_time_and_counts_is_what_was(pool: PgPool) {
    let fleet = Fleet::new(pool, 6).await;
    let hours = |n: i64| Some(n * 3_600 + ODD);
    let of_kind = |kind| When::new(kind);
    let failures = |kind| When { failures: vec![kind], ..of_kind(WhenKind::FailedWebhooks) };
    let rules = [
        (When { seconds: hours(5), ..of_kind(WhenKind::SyncLate) }, 3_600, 1_200),
        (When { cadences: Some(2.0001), ..of_kind(WhenKind::SyncLate) }, 0, 0),
        (When { seconds: hours(6), of: Some(SilenceOf::Connection), ..of_kind(WhenKind::Silence) }, 0, 3_600),
        (When { seconds: hours(2), of: Some(SilenceOf::Source), ..of_kind(WhenKind::Silence) }, 1_200, 0),
        (When { at_least: Some(3), window_seconds: hours(4), ..failures(FailureKind::Gap) }, 0, 1_200),
        (When { at_least: Some(2), window_seconds: hours(3), ..failures(FailureKind::Processing) }, 1_200, 0),
        (When { older_than_seconds: hours(4), ..failures(FailureKind::Processing) }, 0, 0),
        (When { transitions: Some(2), window_seconds: hours(4), ..of_kind(WhenKind::Flapping) }, 0, 2_400),
    ];
    heard(&fleet).await;
    let mut made = Vec::new();
    for (n, (when, patience, hold)) in rules.into_iter().enumerate() {
        let set = |new: &mut NewRule| {
            new.name = format!("Rule {n}");
            (new.for_seconds, new.hold_seconds) = (Some(patience), Some(hold));
        };
        made.push(fleet.rule(when, set).await);
    }
    let mut rng = StdRng::seed_from_u64(7);
    let (mut gaps, mut events): (Vec<Uuid>, Vec<Uuid>) = (Vec::new(), Vec::new());
    let states = [Now::Well, Now::Well, Now::Offline, Now::SignIn];
    for step in 0..STEPS {
        fleet.clock.advance(MINUTE * i32::try_from(GRID).unwrap());
        if step % 200 == 0 {
            fleet.room().await;
        }
        // what came to pass by the clock alone, and then what happens now
        fleet.look().await;
        if step % 2 == 0 {
            continue;
        }
        for n in 0..6 {
            if rng.random_ratio(1, 12) {
                fleet.see(&[n], states[rng.random_range(0..states.len())]).await;
            }
        }
        if rng.random_ratio(1, 6) {
            heard(&fleet).await;
        }
        if rng.random_ratio(1, 8) {
            gaps.push(gap(&fleet, rng.random_range(0..6)).await);
        } else if rng.random_ratio(1, 10) && !gaps.is_empty() {
            run(&fleet, "update gap set came_at = $2 where id = $1", gaps.swap_remove(0)).await;
        }
        if rng.random_ratio(1, 10) {
            events.push(broken_event(&fleet).await);
        } else if rng.random_ratio(1, 7) && !events.is_empty() {
            run(&fleet, MEND, events.swap_remove(0)).await;
        }
        fleet.look().await;
    }
    for rule in made {
        assert!(fleet.preview_is_what_was(&rule).await > 0, "{}", rule.sentence);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_secret_has_been_too_old_since_its_day(pool: PgPool) {
    let fleet = Fleet::new(pool, 1).await;
    let made = fleet.clock.now();
    sqlx::query("insert into vault_secret (id, owner, kind, sealed, key_id, hint, created_at) values ($1, $2, 'client_secret', '', '', '', $3)")
        .bind(new_id())
        .bind(SOURCE)
        .bind(made)
        .execute(&fleet.pool)
        .await
        .unwrap();
    fleet.clock.advance(TimeDelta::days(95));
    let when = When { days: Some(90), ..When::new(WhenKind::CredentialAge) };
    let rule = NewRule { for_seconds: Some(0), ..crate::alerts::written(when) };
    let preview: Preview = fleet.desk.preview_rule(&admin(), PreviewWish { rule, days: None }).await.unwrap();
    let told: Vec<_> = preview.firings.iter().map(|firing| (firing.from, firing.to)).collect();
    assert_eq!(told, [(made + TimeDelta::days(90), None)]);
    assert_eq!(preview.caveat.as_deref(), Some("Secrets that were replaced or taken away are not kept."));
}

async fn message(fleet: &Fleet, channel: Uuid, alert: Uuid, state: &str, at: DateTime<Utc>) {
    sqlx::query(
        "insert into notification (id, channel_id, alert_ids, reason, subject, content, state, created_at, due_at) \
         values ($1, $2, array[$3], 'first', '', '{}', $4, $5, case when $4 = 'pending' then $5 end)",
    )
    .bind(new_id())
    .bind(channel)
    .bind(alert)
    .bind(state)
    .bind(at)
    .execute(&fleet.pool)
    .await
    .unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_long_over_goes_with_its_messages_and_nothing_else(pool: PgPool) {
    let fleet = Fleet::new(pool, 4).await;
    let set = |new: &mut NewRule| (new.for_seconds, new.hold_seconds) = (Some(0), Some(0));
    fleet.rule(health(&[Health::Offline]), set).await;
    fleet.see(&[0, 1, 2, 3], Now::Offline).await;
    fleet.look().await;
    let alerts = fleet.told().await;
    let channel = new_id();
    sqlx::query("insert into channel (id, name, kind, settings, created_at) values ($1, 'Ops', 'webhook', '{}', $2)")
        .bind(channel)
        .bind(fleet.clock.now())
        .execute(&fleet.pool)
        .await
        .unwrap();
    fleet.see(&[0, 1, 2], Now::Well).await;
    fleet.look().await;
    let over = fleet.list(&[AlertState::Resolved]).await;
    assert_eq!((alerts.len(), over.len()), (4, 3));
    let firing = fleet.list(&[AlertState::Firing]).await[0].id.0;
    let at = fleet.clock.now();
    message(&fleet, channel, over[0].id.0, "sent", at).await;
    message(&fleet, channel, over[0].id.0, "failed", at).await;
    message(&fleet, channel, over[1].id.0, "pending", at).await;
    message(&fleet, channel, firing, "sent", at).await;
    fleet.told().await;
    // a group that still has to say that it is over
    sqlx::query("insert into alert_group (id, route_id, key, alerts) values ($1, $1, '', array[$2])")
        .bind(new_id())
        .bind(over[2].id.0)
        .execute(&fleet.pool)
        .await
        .unwrap();
    let left = async || -> (i64, i64) {
        sqlx::query_as("select (select count(*) from alert), (select count(*) from notification)")
            .fetch_one(&fleet.pool)
            .await
            .unwrap()
    };
    fleet.clock.advance(TimeDelta::days(364));
    assert!(housekeeping::round(&fleet.pool, fleet.clock.now()).await);
    assert_eq!(left().await, (4, 4));
    fleet.clock.advance(TimeDelta::days(2));
    assert!(housekeeping::round(&fleet.pool, fleet.clock.now()).await);
    assert_eq!(left().await, (3, 2), "what waits, what is to be told and what fires stay");
    sqlx::query("update notification set state = 'sent', due_at = null where state = 'pending'")
        .execute(&fleet.pool)
        .await
        .unwrap();
    sqlx::query("delete from alert_group").execute(&fleet.pool).await.unwrap();
    let patch = RetentionPatch { notifications_days: Some(400), ..RetentionPatch::default() };
    fleet.desk.change_retention(&admin(), patch).await.unwrap();
    assert!(housekeeping::round(&fleet.pool, fleet.clock.now()).await);
    assert_eq!(left().await, (3, 2), "people may keep them for longer");
    fleet.clock.advance(TimeDelta::days(40));
    assert!(housekeeping::round(&fleet.pool, fleet.clock.now()).await);
    assert_eq!(left().await, (1, 1), "what fires stays, however old");
    let pauses: i64 = sqlx::query_scalar("select count(*) from lull").fetch_one(&fleet.pool).await.unwrap();
    assert_eq!(pauses, 0, "pauses are kept as long as evidence");
}
