//! Two processes over one database, killed without warning at every stage from an alert to what a channel answers: everything is
//! told, and twice only where nobody can know.
//!
//! Nothing in Linewatch knows of these tests. A stage is held from outside: by a lock that the stage waits for, or by a receiver or a
//! mail server that does not answer. A lease is 40 s and cannot be set, so what the dead have leased is aged by as much, as if that
//! time had passed.

mod came;
mod kill;
mod ledger;
mod mailbox;
mod process;
mod receiver;
mod stage;
mod two;

use kill::Victims;
use mailbox::{At, Mood};
use receiver::Answer;
use sqlx::{PgPool, Row as _};
use stage::Stage::{Answered, BackOff, Collecting, Fired, Handing, Pending, Sending, Taken, Touched};
use two::{Two, count};

#[sqlx::test(migrations = "../migrations")]
async fn killed_at_any_stage_everything_is_told_and_twice_only_where_nobody_can_know(pool: PgPool) {
    let channels = [("hook", "webhook"), ("team", "slack"), ("moody", "webhook"), ("slow", "webhook")];
    let mut two = Two::new(pool, &channels).await;
    let (busy, broken) = (Answer::Status(429, Some(1)), Answer::Status(500, None));
    for (channel, answer) in [("team", busy), ("moody", broken), ("slow", Answer::Reset)] {
        two.receiver.will(channel, &[answer]);
    }
    for (stage, victims) in [
        (Touched, Victims::Both),
        (Fired, Victims::One),
        (Pending, Victims::One),
        (Sending("hook"), Victims::One),
        (Fired, Victims::Both),
        (BackOff("moody"), Victims::One),
        (Sending("team"), Victims::Both),
        (Answered("hook"), Victims::One),
        (Touched, Victims::One),
        (Collecting, Victims::One),
        (Answered("team"), Victims::One),
        (Pending, Victims::Both),
        (Answered("hook"), Victims::Both),
        (BackOff("moody"), Victims::Both),
        (Collecting, Victims::Both),
    ] {
        two.kill_at(stage, victims).await;
    }
    // nobody is killed any more; who is told is still not well
    two.receiver.will("slow", &[Answer::Hang]);
    two.receiver.will("team", &[Answer::Reset]);
    two.finish().await;
    ledger::balances(&two).await;
    ledger::tells(&two, 8).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn killed_at_any_word_to_the_mail_server_every_mail_is_taken_and_twice_only_where_nobody_can_know(pool: PgPool) {
    let channels = ["desk", "night", "moody", "gruff"].map(|name| (name, "email"));
    let mut two = Two::new(pool, &channels).await;
    two.mailbox.will(At::Sender, "night", Mood::Says("421 too busy"));
    two.mailbox.will(At::Recipient, "moody", Mood::Says("451 not now"));
    for (stage, victims) in [
        (Handing(At::Connected, ""), Victims::One),
        (Handing(At::Sender, "desk"), Victims::One),
        (Handing(At::Recipient, "night"), Victims::Both),
        (Handing(At::Begin, "desk"), Victims::One),
        (Handing(At::Letter, "night"), Victims::One),
        (Handing(At::End, "desk"), Victims::Both),
        (Taken("night"), Victims::One),
        (Answered("desk"), Victims::One),
        (BackOff("moody"), Victims::Both),
        (Answered("night"), Victims::Both),
    ] {
        two.kill_at(stage, victims).await;
    }
    // nobody is killed any more; the mail server is still not well, and does not always part
    for (at, channel, mood) in [
        (At::Recipient, "gruff", Mood::Says("550 no such person")),
        (At::End, "gruff", Mood::Says("451 not now")),
        (At::Begin, "desk", Mood::Resets),
        (At::End, "night", Mood::Resets),
        (At::Parting, "night", Mood::Hangs),
    ] {
        two.mailbox.will(at, channel, mood);
    }
    two.finish().await;
    refused_for_good_is_sent_by_hand(&two).await;
    ledger::balances(&two).await;
    ledger::tells(&two, 12).await;
}

/// What the server refused rests, and says so, until a person has it sent again.
async fn refused_for_good_is_sent_by_hand(two: &Two) {
    let failed =
        "select n.id::text, n.error_message from notification n where n.state = 'failed' and n.told_in is null";
    let failed = sqlx::query(failed).fetch_all(&two.pool).await.unwrap();
    let [one] = &failed[..] else { panic!("one mail was refused for good, not {}", failed.len()) };
    assert!(one.get::<String, _>(1).contains("550"), "{}", one.get::<String, _>(1));
    let path = format!("/api/v1/notifications/{}/retry", one.get::<String, _>(0));
    assert_eq!(two.processes[0].caller().call("POST", &path).await.status, 202);
    let left = "select count(*) from notification where state <> 'sent'";
    two.until("it is sent", async |db| count(db, left).await == 0).await;
}
