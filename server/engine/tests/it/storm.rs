//! Everything fails at once: everybody is told of all of it, in a few messages.

use crate::alerts::{Fleet, MINUTE, Now, health};
use crate::telling::Receiver;
use crate::world::admin;
use chrono::TimeDelta;
use engine::tell::Teller;
use engine::work::Step;
use model::{Backend as _, ChannelKind, ChannelSettings, GroupBy, Health, NewChannel, NotificationReason};
use sqlx::PgPool;

const CONNECTIONS: usize = 5_000;

/// Each customer is a group of its own: the worst that a storm can be.
#[sqlx::test(migrations = "../../migrations")]
async fn five_thousand_fail_within_a_second_and_everything_is_told_in_ten_messages(pool: PgPool) {
    let (fleet, receiver) = (Fleet::new(pool, CONNECTIONS).await, Receiver::default());
    let rule = fleet
        .rule(health(&[Health::ReauthorizationRequired]), |new| {
            (new.for_seconds, new.hold_seconds, new.group_by) = (Some(0), Some(0), Some(GroupBy::Customer));
        })
        .await;
    let settings = ChannelSettings { url: Some(receiver.start().await), ..ChannelSettings::default() };
    let hook =
        NewChannel { name: "hook".into(), kind: ChannelKind::Webhook, settings, fallback_id: None, enabled: None };
    fleet.desk.add_channel(&admin(), hook).await.unwrap();
    let sender = fleet.desk.sender.clone();
    let teller = Teller::new(fleet.pool.clone(), fleet.clock.clone(), sender.clone());
    let tell =
        async || while teller.step().await.unwrap() == Step::Busy || sender.step().await.unwrap() == Step::Busy {};

    let all: Vec<usize> = (0..CONNECTIONS).collect();
    for part in all.chunks(CONNECTIONS / 10) {
        fleet.see(part, Now::SignIn).await;
        fleet.alerts.step().await.unwrap();
        tell().await;
        fleet.clock.advance(TimeDelta::milliseconds(100));
    }
    // somebody looks now and then
    for _ in 0..10 {
        fleet.alerts.step().await.unwrap();
        tell().await;
        fleet.clock.advance(TimeDelta::milliseconds(500));
    }
    let told: i64 = sqlx::query_scalar(
        "select count(distinct a) from notification n, unnest(n.alert_ids) a where n.state = 'sent' and n.reason in ('first', 'digest')",
    )
    .fetch_one(&fleet.pool)
    .await
    .unwrap();
    let known: i64 = sqlx::query_scalar("select count(distinct a) from alert_group, unnest(told) a")
        .fetch_one(&fleet.pool)
        .await
        .unwrap();
    let firing = fleet.desk.rule(&admin(), rule.id).await.unwrap().firing;
    assert_eq!((firing, told, known), (5_000, 5_000, 5_000), "all fire, and all were told");
    assert!((1..=10).contains(&receiver.count()), "{} messages", receiver.count());
    assert_eq!(receiver.last()["data"]["reason"], NotificationReason::Digest.code());
    fleet.clock.advance(MINUTE);
    let before = receiver.count();
    tell().await;
    assert_eq!(receiver.count(), before, "nothing is told twice");
}
