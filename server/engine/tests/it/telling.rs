//! From an alert to a message: told once, in time, by whatever still works.

use axum::{Json, Router, extract::State, http::HeaderMap, response::IntoResponse, routing::post};
use chrono::{DateTime, TimeDelta, Utc};
use engine::clock::{Clock as _, SharedClock, SystemClock, TestClock, new_id};
use engine::desk::Desk;
use engine::http::Outbound;
use engine::live::Live;
use engine::notify::{MailServer, Sender};
use engine::poll::Upstreams;
use engine::tell::{LinkError, Links, Teller};
use engine::vault::{MasterKey, Vault};
use engine::work::Step;
use model::{
    Backend as _, Channel, ChannelHealth, ChannelKind, ChannelPatch, ChannelSettings, GroupBy, NewChannel,
    NewMaintenance, NewSilence, Notification, NotificationQuery, NotificationReason, NotificationState, Recurrence,
    RoutePatch, RouteSample, Weekday,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::world::admin;

mod again;

/// A status, and how long to wait.
type Answer = (u16, Option<&'static str>);

/// What a receiver is to answer next, and what it got.
#[derive(Clone, Default)]
pub struct Receiver {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    got: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl Receiver {
    pub async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let routes = Router::new().route("/hook", post(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        url
    }

    fn will_answer(&self, answers: &[Answer]) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    pub fn last(&self) -> Value {
        self.got.lock().unwrap().last().unwrap().1.clone()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, Json(body): Json<Value>) -> impl IntoResponse {
    let answer = receiver.answers.lock().unwrap().pop_front().unwrap_or((200, None));
    receiver.got.lock().unwrap().push((headers, body));
    let status = axum::http::StatusCode::from_u16(answer.0).unwrap();
    let after = answer.1.map(|after| [("retry-after", after)]);
    (status, after.map(|after| after.into_iter().collect::<Vec<_>>()).map(axum::response::AppendHeaders), "said")
}

/// Everything that tells, over one database, with a clock that stands still.
pub struct Telling {
    pub pool: PgPool,
    pub clock: Arc<TestClock>,
    pub desk: Desk,
    pub sender: Sender,
    pub teller: Teller,
    rule: Uuid,
    _cancel: DropGuard,
}

impl Telling {
    pub async fn new(pool: PgPool) -> Self {
        Self::with_mail(pool, None).await
    }

    /// The same with a mail server.
    pub async fn with_mail(pool: PgPool, mail: Option<MailServer>) -> Self {
        let clock = TestClock::at(SystemClock.now());
        let shared: SharedClock = clock.clone();
        let vault = Vault::new(MasterKey::generate(), Arc::clone(&shared));
        let outbound = Outbound::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let cancel = CancellationToken::new();
        let live = Live::start(&pool, cancel.clone());
        live.ready().await;
        let url = "https://linewatch.example";
        let sender = Sender::new(pool.clone(), Arc::clone(&shared), vault.clone(), &outbound, mail, url);
        let desk = Desk {
            pool: pool.clone(),
            clock: Arc::clone(&shared),
            vault: vault.clone(),
            outbound: outbound.clone(),
            upstreams: Upstreams::new(pool.clone(), Arc::clone(&shared), vault, outbound),
            public_url: url.to_owned(),
            version: "0.0.0",
            certificate: tokio::sync::watch::channel(None).1,
            rounds: Arc::default(),
            checks: Arc::default(),
            events: Arc::default(),
            sender: sender.clone(),
        };
        let teller = Teller::new(pool.clone(), shared, sender.clone());
        let rule = new_id();
        sqlx::query(
            "insert into rule (id, name, condition, scope, for_seconds, hold_seconds, severity, group_by, repeat_seconds, enabled, \
             created_at, updated_at, updated_by) values ($1, 'Must sign in again', '{}', '{}', 0, 0, 'critical', 'rule', 3600, true, \
             now(), now(), 'test')",
        )
        .bind(rule)
        .execute(&pool)
        .await
        .unwrap();
        Self { pool, clock, desk, sender, teller, rule, _cancel: cancel.drop_guard() }
    }

    /// A signed webhook to this receiver.
    pub async fn channel(&self, name: &str, url: &str) -> Channel {
        let settings = ChannelSettings { url: Some(url.to_owned()), ..ChannelSettings::default() };
        let new =
            NewChannel { name: name.into(), kind: ChannelKind::Webhook, settings, fallback_id: None, enabled: None };
        self.desk.add_channel(&admin(), new).await.unwrap()
    }

    /// Slack at this receiver.
    async fn slack(&self, name: &str, url: &str) -> Channel {
        let settings = ChannelSettings { webhook_url: Some(url.to_owned()), ..ChannelSettings::default() };
        let new =
            NewChannel { name: name.into(), kind: ChannelKind::Slack, settings, fallback_id: None, enabled: None };
        self.desk.add_channel(&admin(), new).await.unwrap()
    }

    pub async fn each_by_itself(&self) {
        let route = self.desk.routes(&admin()).await.unwrap().remove(0);
        let patch = RoutePatch { group_by: Some(Some(GroupBy::Subject)), ..RoutePatch::default() };
        self.desk.change_route(&admin(), route.id, patch).await.unwrap();
    }

    pub async fn fire(&self, name: &str) -> Uuid {
        let id = new_id();
        sqlx::query(
            "insert into alert (id, rule_id, subject_kind, subject_id, subject_name, summary, state, since, fired_at, tell_due_at, updated_at) \
             values ($1, $2, 'endpoint', $3, $3, $3 || ' fails', 'firing', $4, $4, $4, $4)",
        )
        .bind(id)
        .bind(self.rule)
        .bind(name)
        .bind(self.clock.now())
        .execute(&self.pool)
        .await
        .unwrap();
        id
    }

    pub async fn resolve(&self, id: Uuid) {
        sqlx::query("update alert set state = 'resolved', resolved_at = $2, tell_due_at = $2 where id = $1")
            .bind(id)
            .bind(self.clock.now())
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// Lets time pass and everything be done that is due by then.
    pub async fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
        self.teller.upkeep().await.unwrap();
        self.sender.take_over().await.unwrap();
        self.settle().await;
    }

    pub async fn settle(&self) {
        for _ in 0..10_000 {
            if self.teller.step().await.unwrap() == Step::Idle && self.sender.step().await.unwrap() == Step::Idle {
                return;
            }
        }
        panic!("there is always something to do");
    }

    /// Every message, oldest first.
    pub async fn told(&self) -> Vec<Notification> {
        let query = NotificationQuery { limit: Some(200), ..NotificationQuery::default() };
        let mut all = self.desk.notifications(&admin(), query).await.unwrap().items;
        all.reverse();
        all
    }

    async fn reasons(&self) -> Vec<NotificationReason> {
        self.told().await.into_iter().map(|told| told.reason).collect()
    }

    pub fn at(&self, seconds: i64) -> DateTime<Utc> {
        self.clock.now() + TimeDelta::seconds(seconds)
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_cause_is_told_at_once_and_its_end_as_well(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    let channel = world.channel("hook", &receiver.start().await).await;
    assert!(channel.secret.as_deref().unwrap().starts_with("whsec_"));
    let route = world.desk.routes(&admin()).await.unwrap().remove(0);
    assert_eq!(
        (route.name.as_str(), route.channels),
        ("Everything", vec![channel.id]),
        "the first channel gets a route"
    );

    let one = world.fire("one").await;
    world.pass(0).await;
    let (headers, body) = receiver.got.lock().unwrap().last().unwrap().clone();
    assert!(headers.contains_key("webhook-id") && headers["webhook-signature"].to_str().unwrap().starts_with("v1,"));
    assert_eq!((&body["data"]["reason"], &body["data"]["firing"]), (&json!("first"), &json!(1)), "{body}");
    let other = world.fire("other").await;
    world.pass(1).await;
    assert_eq!(receiver.count(), 1, "what joins next is collected");
    world.pass(5).await;
    assert_eq!(receiver.last()["data"]["reason"], "grew");
    world.resolve(one).await;
    world.pass(299).await;
    assert_eq!(receiver.count(), 2, "then the interval counts");
    world.pass(10).await;
    assert_eq!(receiver.last()["data"]["reason"], "shrank");
    world.resolve(other).await;
    world.pass(310).await;
    world.pass(10).await;
    assert_eq!(receiver.last()["data"]["reason"], "resolved");
    world.pass(7_200).await;
    use NotificationReason::{First, Grew, Resolved, Shrank};
    assert_eq!(world.reasons().await, [First, Grew, Shrank, Resolved]);
    assert!(world.told().await.iter().all(|told| told.state == NotificationState::Sent && told.attempts.len() == 1));
    let channel = world.desk.channel(&admin(), channel.id).await.unwrap();
    assert_eq!((channel.health, channel.secret), (ChannelHealth::Healthy, None), "the secret is told once");
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_at_once_tell_once(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool.clone()).await, Receiver::default());
    world.channel("hook", &receiver.start().await).await;
    let clock: SharedClock = world.clock.clone();
    let second = Teller::new(pool, clock, world.sender.clone());
    for n in 0..20 {
        world.fire(&n.to_string()).await;
    }
    let (a, b) = tokio::join!(world.teller.step(), second.step());
    a.unwrap();
    b.unwrap();
    let (sender, other) = (world.sender.clone(), world.sender.clone());
    let (a, b) = tokio::join!(sender.step(), other.step());
    a.unwrap();
    b.unwrap();
    world.settle().await;
    assert_eq!((world.told().await.len(), receiver.count()), (1, 1));
    assert_eq!(receiver.last()["data"]["firing"], 20);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_storm_is_one_digest(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    world.channel("hook", &receiver.start().await).await;
    world.each_by_itself().await;
    for n in 0..200 {
        world.fire(&n.to_string()).await;
        if n == 100 {
            world.pass(1).await;
        }
    }
    world.pass(0).await;
    assert_eq!(receiver.count(), 0, "so many at once are collected");
    world.pass(2).await;
    assert_eq!(world.reasons().await, [NotificationReason::Digest]);
    assert_eq!(receiver.last()["data"]["firing"], 200);
    assert_eq!(receiver.last()["data"]["lines"].as_array().unwrap().len(), 20);
    world.pass(60).await;
    world.fire("later").await;
    world.pass(0).await;
    assert_eq!(world.reasons().await, [NotificationReason::Digest, NotificationReason::First]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn slack_that_is_slow_gets_one_for_what_waits(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    receiver.will_answer(&[(429, Some("30"))]);
    let channel = world.slack("team", &receiver.start().await).await;
    assert_eq!(channel.settings.webhook_url, None, "a secret never comes back");
    world.each_by_itself().await;
    world.fire("first").await;
    world.pass(0).await;
    assert_eq!(receiver.count(), 1);
    for n in 0..8 {
        world.fire(&n.to_string()).await;
        world.pass(3).await;
    }
    assert_eq!(receiver.count(), 1, "Retry-After is honoured");
    world.pass(10).await;
    world.pass(2).await;
    assert_eq!(receiver.count(), 3, "the one that was refused, and one digest for the eight");
    let told = world.told().await;
    assert_eq!(told.len(), 10);
    assert!(told.iter().all(|told| told.state == NotificationState::Sent), "nothing is left: {told:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_may_have_been_told_says_so(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    world.channel("hook", &receiver.start().await).await;
    world.fire("one").await;
    world.teller.step().await.unwrap();
    // the process ends between the channel's answer and our note of it
    sqlx::query("update notification set state = 'sending', lease_token = gen_random_uuid(), lease_until = $1")
        .bind(world.at(40))
        .execute(&world.pool)
        .await
        .unwrap();
    world.pass(39).await;
    assert_eq!(receiver.count(), 0, "it may still be under way");
    world.pass(2).await;
    assert_eq!(receiver.last()["data"]["maybe_repeat"], true);
    assert!(world.told().await[0].maybe_repeat);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_test_whose_sender_is_gone_does_not_stay_under_way(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    let channel = world.channel("hook", &receiver.start().await).await;
    let test = world.desk.test_channel(&admin(), channel.id).await.unwrap();
    // the process ends while it sends it
    sqlx::query("update notification set state = 'sending', lease_token = gen_random_uuid(), sent_at = null")
        .execute(&world.pool)
        .await
        .unwrap();
    world.pass(40).await;
    assert_eq!(world.told().await[0].state, NotificationState::Sending, "it may still be under way");
    world.pass(1).await;
    let test = world.desk.notification(&admin(), test.id).await.unwrap();
    assert_eq!((test.state, receiver.count()), (NotificationState::Failed, 1), "nobody sends it again");
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_channel_takes_over_after_two_minutes_once(pool: PgPool) {
    let (world, broken, works) = (Telling::new(pool).await, Receiver::default(), Receiver::default());
    broken.will_answer(&[(500, None); 20]);
    let first = world.channel("broken", &broken.start().await).await;
    let second = world.channel("works", &works.start().await).await;
    let patch = ChannelPatch { fallback_id: Some(Some(second.id)), ..ChannelPatch::default() };
    world.desk.change_channel(&admin(), first.id, patch).await.unwrap();
    let circle = ChannelPatch { fallback_id: Some(Some(first.id)), ..ChannelPatch::default() };
    assert!(world.desk.change_channel(&admin(), second.id, circle).await.is_err());
    world.fire("one").await;
    world.pass(0).await;
    world.pass(110).await;
    assert_eq!(works.count(), 0);
    world.pass(15).await;
    world.pass(30).await;
    world.pass(30).await;
    assert_eq!(works.count(), 1, "once");
    assert_eq!(works.last()["data"]["instead_of"], "broken");
    let failing = world.desk.channel(&admin(), first.id).await.unwrap();
    assert_eq!(failing.health, ChannelHealth::Failing);
    assert!(failing.last_error.unwrap().message.contains("500"));
    broken.answers.lock().unwrap().clear();
    world.pass(3_600).await;
    let told = world.told().await;
    assert!(told.iter().any(|one| one.instead_of.is_some()) && told[0].state == NotificationState::Sent);
    assert_eq!(world.desk.channel(&admin(), first.id).await.unwrap().health, ChannelHealth::Healthy);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_refused_for_good_is_given_up_and_can_be_retried(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    receiver.will_answer(&[(404, None)]);
    let channel = world.channel("hook", &receiver.start().await).await;
    world.fire("one").await;
    world.pass(0).await;
    let failed = world.told().await.remove(0);
    assert_eq!(failed.state, NotificationState::Failed);
    assert!(failed.attempts[0].error.as_ref().unwrap().message.contains("404"), "{failed:?}");
    world.desk.retry_notification(&admin(), failed.id).await.unwrap();
    world.pass(0).await;
    let sent = world.desk.notification(&admin(), failed.id).await.unwrap();
    assert_eq!((sent.state, sent.attempts.len()), (NotificationState::Sent, 2));
    assert_eq!(sent.attempts[1].by.as_deref(), Some("story"));
    assert!(world.desk.retry_notification(&admin(), failed.id).await.is_err(), "it is sent");

    receiver.will_answer(&[(500, None)]);
    let test = world.desk.test_channel(&admin(), channel.id).await.unwrap();
    assert_eq!((test.reason, test.state), (NotificationReason::Test, NotificationState::Failed));
    let test = world.desk.test_channel(&admin(), channel.id).await.unwrap();
    assert_eq!(test.state, NotificationState::Sent);
    assert!(world.desk.remove_channel(&admin(), channel.id).await.is_err(), "a route needs it");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_silence_holds_back_and_what_still_fires_then_is_told(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    world.channel("hook", &receiver.start().await).await;
    let new = |ends| NewSilence {
        matching: model::SilenceMatch::default(),
        reason: "known".into(),
        starts_at: None,
        ends_at: ends,
        dry_run: false,
    };
    let id = world.fire("one").await;
    let preview = world.desk.add_silence(&admin(), NewSilence { dry_run: true, ..new(world.at(60)) }).await.unwrap();
    assert_eq!(preview.muting, 1);
    assert!(world.desk.silences(&admin()).await.unwrap().is_empty(), "a preview keeps nothing");
    world.desk.add_silence(&admin(), new(world.at(7_200))).await.unwrap();
    world.pass(0).await;
    assert_eq!(receiver.count(), 0);
    let sample = RouteSample { alert_id: Some(model::AlertId(id)), ..RouteSample::default() };
    let why = world.desk.explain_route(&admin(), sample).await.unwrap();
    assert!(why.channels.is_empty());
    assert!(
        why.stages.iter().any(|stage| stage.stage == "silence" && !stage.passes && stage.text.contains("known")),
        "{why:?}"
    );
    world.pass(7_200 - 600).await;
    assert_eq!(world.reasons().await, [NotificationReason::SilenceEnds], "a notice before its end");
    world.pass(600).await;
    assert_eq!(world.reasons().await, [NotificationReason::SilenceEnds, NotificationReason::First]);
    world.desk.add_silence(&admin(), new(world.at(7_200))).await.unwrap();
    world.resolve(id).await;
    world.pass(10).await;
    assert_eq!(world.told().await.len(), 2, "the end is held back too");
    let silence = world.desk.silences(&admin()).await.unwrap().remove(0);
    world.desk.end_silence(&admin(), silence.id).await.unwrap();
    world.pass(10).await;
    world.pass(10).await;
    assert_eq!(world.reasons().await.last(), Some(&NotificationReason::Resolved));
}

#[sqlx::test(migrations = "../../migrations")]
async fn maintenance_keeps_to_the_clocks_of_its_place(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    world.channel("hook", &receiver.start().await).await;
    // the night on which the clocks go forward in Berlin: 02:30 does not exist
    world.clock.set("2027-03-27T12:00:00Z".parse().unwrap());
    let new = NewMaintenance {
        scope: model::Scope::default(),
        reason: "nightly".into(),
        starts_at: None,
        ends_at: world.at(30 * 86_400),
        recurrence: Some(Recurrence {
            weekdays: vec![Weekday::Sunday],
            at: "02:30:00".parse().unwrap(),
            seconds: 3_600,
            time_zone: "Europe/Berlin".into(),
        }),
    };
    let kept = world.desk.add_maintenance(&admin(), new).await.unwrap();
    assert_eq!(kept.next_at, Some("2027-03-28T01:00:00Z".parse().unwrap()));
    world.clock.set("2027-03-28T01:10:00Z".parse().unwrap());
    world.fire("one").await;
    world.pass(0).await;
    assert_eq!(receiver.count(), 0);
    world.clock.set("2027-03-28T02:00:00Z".parse().unwrap());
    world.pass(0).await;
    assert_eq!(world.reasons().await, [NotificationReason::First]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_link_takes_the_alerts_once_and_stops_reminders(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool.clone()).await, Receiver::default());
    world.channel("hook", &receiver.start().await).await;
    world.fire("one").await;
    world.pass(0).await;
    world.pass(3_600).await;
    assert_eq!(world.reasons().await, [NotificationReason::First, NotificationReason::Repeated]);
    let url = receiver.last()["data"]["acknowledge"].as_str().unwrap().to_owned();
    let token = url.strip_prefix("https://linewatch.example/a/").unwrap();
    let kept: i64 = sqlx::query_scalar("select count(*) from notification where content::text like '%' || $1 || '%'")
        .bind(token)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(kept, 0, "the token is nowhere");
    let links = Links { pool, clock: world.clock.clone() };
    let link = links.look(token).await.unwrap();
    assert_eq!((link.firing, link.used_by), (1, None));
    let viewer = model::Actor { role: model::Role::Viewer, ..admin() };
    assert!(matches!(links.acknowledge(token, &viewer).await, Err(LinkError::Refused(_))));
    assert_eq!(links.acknowledge(token, &admin()).await.unwrap(), 1);
    assert!(matches!(links.acknowledge(token, &admin()).await, Err(LinkError::Over)));
    assert!(
        matches!(links.silence(token, &admin(), TimeDelta::hours(1)).await, Err(LinkError::Unknown)),
        "one purpose"
    );
    world.pass(3_600).await;
    world.pass(3_600).await;
    assert_eq!(world.told().await.len(), 2, "nobody is reminded any more");
    let silence = receiver.last()["data"]["silence"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    world.clock.advance(TimeDelta::days(7));
    assert!(matches!(links.silence(&silence, &admin(), TimeDelta::hours(1)).await, Err(LinkError::Over)), "too old");
}
