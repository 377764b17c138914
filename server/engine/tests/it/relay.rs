//! Events on their way to the user's own applications.

use crate::door::{Doorway, noon};
use crate::receiver::{Came, Receiver, answer};
use crate::world::admin;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    clock::{Clock as _, SharedClock, new_id},
    desk::Desk,
    http::Outbound,
    poll::Upstreams,
    relay::{MOST, Reconnected, Relay, tell_reconnected},
    store::{self, delivery, lane},
    webhook::process::Processor,
    work::Step,
};
use hmac::{Hmac, Mac};
use model::{
    AttemptOutcome, AttemptTrigger, Backend, ConnectionId, Delivery, DeliveryId, DeliveryQuery, DeliveryState,
    Endpoint, EndpointFilter, EndpointHealth, EndpointPatch, EventQuery, NewEndpoint, Refusal,
};
use sha2::Sha256;
use sqlx::PgPool;
use std::collections::HashSet;
use std::sync::Arc;

/// A Linewatch with one endpoint, whose clock stands until it is moved.
pub struct Story {
    pub door: Doorway,
    pub desk: Desk,
    pub processor: Processor,
    pub relay: Relay,
    pub receiver: Receiver,
    pub endpoint: Endpoint,
}

pub fn new_endpoint(name: &str, url: &str) -> NewEndpoint {
    NewEndpoint {
        name: name.to_owned(),
        url: url.to_owned(),
        filter: EndpointFilter::default(),
        ordered: false,
        enabled: None,
        concurrency: None,
        rate_per_second: None,
        owner: None,
    }
}

impl Story {
    pub async fn begin(pool: &PgPool) -> Self {
        let door = Doorway::open(pool).await;
        let clock: SharedClock = door.clock.clone();
        let outbound = Outbound::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let sender = engine::notify::Sender::new(
            pool.clone(),
            clock.clone(),
            door.vault.clone(),
            &outbound,
            None,
            "https://linewatch.example",
        );
        let desk = Desk {
            sender,
            pool: pool.clone(),
            clock: clock.clone(),
            vault: door.vault.clone(),
            outbound: outbound.clone(),
            upstreams: Upstreams::new(pool.clone(), clock.clone(), door.vault.clone(), outbound.clone()),
            public_url: "https://linewatch.example".to_owned(),
            version: "0.0.0",
            certificate: tokio::sync::watch::channel(None).1,
            rounds: Arc::default(),
            checks: Arc::default(),
            events: Arc::default(),
        };
        let receiver = Receiver::start().await;
        let endpoint = desk.add_endpoint(&admin(), new_endpoint("orders", &receiver.url)).await.unwrap();
        let processor = Processor::new(pool.clone(), clock.clone(), Arc::default());
        let relay = Relay::new(pool.clone(), clock, door.vault.clone(), &outbound);
        Self { door, desk, processor, relay, receiver, endpoint }
    }

    /// An event that no dialect knows: processed without a connection.
    pub async fn hear(&self, id: &str) {
        self.door.post(format!(r#"{{"id":"{id}","event":"odd.thing","n":1.50}}"#)).await.unwrap();
    }

    /// Processes what came, and sends what is due by now.
    pub async fn settle(&self) {
        while self.processor.step().await.unwrap() == Step::Busy {}
        while self.relay.step().await.unwrap() == Step::Busy {}
    }

    pub async fn later(&self, by: TimeDelta) {
        self.door.clock.advance(by);
        self.settle().await;
    }

    pub async fn deliveries(&self) -> Vec<Delivery> {
        let query = DeliveryQuery { limit: Some(200), ..DeliveryQuery::default() };
        self.desk.deliveries(&admin(), query).await.unwrap().items
    }

    pub async fn the_one(&self) -> Delivery {
        let mut all = self.deliveries().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    async fn now(&self) -> Endpoint {
        self.desk.endpoint(&admin(), self.endpoint.id).await.unwrap()
    }

    async fn change(&self, patch: EndpointPatch) -> Endpoint {
        self.desk.change_endpoint(&admin(), self.endpoint.id, patch).await.unwrap()
    }

    async fn switch(&self, on: bool) {
        self.change(EndpointPatch { enabled: Some(on), ..EndpointPatch::default() }).await;
    }
}

/// Checks a signature as the text of Standard Webhooks says it, with nothing of ours.
pub fn verifies(came: &Came, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = format!("{}.{}.{}", came.id(), came.headers["webhook-timestamp"], came.body);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(signed.as_bytes());
    let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    came.headers["webhook-signature"].split(' ').any(|signature| signature == wanted)
}

pub fn classes(delivery: &Delivery) -> Vec<String> {
    let errors = delivery.attempts.iter().filter_map(|sent| sent.attempt.error.as_ref());
    errors.map(|error| error.class.clone()).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_arrives_once_as_it_came_and_signed_with_every_live_secret(pool: PgPool) {
    let story = Story::begin(&pool).await;
    let first = story.endpoint.secret.clone().unwrap();
    story.hear("evt_1").await;
    story.settle().await;
    let came = story.receiver.came();
    assert_eq!(came.len(), 1);
    assert_eq!(came[0].body, r#"{"id":"evt_1","event":"odd.thing","n":1.50}"#, "the original bytes");
    assert!(came[0].headers.contains_key("x-webhook-signature"), "and the original signature: {came:?}");
    assert!(verifies(&came[0], &first));
    let one = story.the_one().await;
    assert_eq!((one.state, one.id.to_string().as_str(), one.due_at), (DeliveryState::Done, came[0].id(), None));
    assert_eq!((one.attempts[0].attempt.status, one.attempts[0].attempt.trigger), (Some(200), AttemptTrigger::Arrival));
    let of_event = DeliveryQuery { event: Some(one.event_id), ..DeliveryQuery::default() };
    assert_eq!(story.desk.deliveries(&admin(), of_event).await.unwrap().items, std::slice::from_ref(&one));
    assert_eq!(story.desk.delivery(&admin(), one.id).await.unwrap(), one);
    assert!(matches!(story.desk.retry_delivery(&admin(), one.id).await, Err(Refusal::Conflict(_))), "it has arrived");
    assert_eq!(story.now().await.secret, None, "told once");

    // processed again, it makes no second delivery
    let event = story.desk.events(&admin(), EventQuery::default()).await.unwrap().items.remove(0);
    story.desk.retry_event(&admin(), event.id).await.unwrap();
    story.settle().await;
    assert_eq!(story.receiver.came().len(), 1);

    // both secrets sign for a day, then one
    let second = story.desk.rotate_endpoint_secret(&admin(), story.endpoint.id).await.unwrap().secret.unwrap();
    story.hear("evt_2").await;
    story.settle().await;
    let came = story.receiver.came().pop().unwrap();
    assert!(verifies(&came, &first) && verifies(&came, &second));
    story.door.clock.advance(TimeDelta::hours(24));
    story.hear("evt_3").await;
    story.settle().await;
    let came = story.receiver.came().pop().unwrap();
    assert!(!verifies(&came, &first) && verifies(&came, &second));
    assert_eq!(story.now().await.secrets.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_fails_is_tried_again_with_the_same_id_when_the_receiver_wants_it(pool: PgPool) {
    let story = Story::begin(&pool).await;
    story.receiver.answers(&[
        answer(500, "", "a fault\0of mine"),
        answer(429, "retry-after: 600\r\n", ""),
        answer(204, "", ""),
    ]);
    story.hear("evt_1").await;
    story.settle().await;
    let one = story.the_one().await;
    assert_eq!((one.state, classes(&one)), (DeliveryState::Pending, vec!["http_500".to_owned()]));
    assert_eq!(one.attempts[0].answer.as_deref(), Some("a fault\u{fffd}of mine"));
    let pause = one.due_at.unwrap() - noon();
    assert!((30..=36).contains(&pause.num_seconds()), "{pause}");
    assert_eq!((story.now().await.health, story.now().await.waiting), (EndpointHealth::Failing, 1));
    story.later(TimeDelta::seconds(29)).await;
    assert_eq!(story.receiver.came().len(), 1, "not yet");
    story.later(TimeDelta::seconds(7)).await;
    let one = story.the_one().await;
    assert_eq!(one.due_at, Some(story.door.clock.now() + TimeDelta::seconds(600)));
    story.later(TimeDelta::seconds(600)).await;
    let one = story.the_one().await;
    assert_eq!((one.state, one.attempts.len(), one.attempts[2].attempt.n), (DeliveryState::Done, 3, 3));
    assert_eq!(one.attempts[1].attempt.trigger, AttemptTrigger::Schedule);
    let ids: HashSet<_> = story.receiver.came().iter().map(|came| came.id().to_owned()).collect();
    assert_eq!((story.receiver.came().len(), ids.len()), (3, 1));
    assert_eq!(story.now().await.health, EndpointHealth::Healthy);
}

#[sqlx::test(migrations = "../../migrations")]
async fn gone_is_gone_until_a_person_retries_it(pool: PgPool) {
    let story = Story::begin(&pool).await;
    story.receiver.always(410);
    story.hear("evt_1").await;
    story.settle().await;
    let one = story.the_one().await;
    assert_eq!((one.state, classes(&one)), (DeliveryState::Failed, vec!["http_410".to_owned()]));
    story.receiver.always(200);
    story.later(TimeDelta::hours(3)).await;
    assert_eq!(story.receiver.came().len(), 1, "it rests");
    let queued = story.desk.retry_delivery(&admin(), one.id).await.unwrap();
    assert_eq!(queued.state, DeliveryState::Pending);
    assert_eq!(
        story.desk.retry_delivery(&admin(), one.id).await.unwrap().state,
        DeliveryState::Pending,
        "twice is once"
    );
    story.settle().await;
    let one = story.the_one().await;
    let last = &one.attempts[1].attempt;
    assert_eq!(
        (one.state, last.trigger, last.by.as_deref()),
        (DeliveryState::Done, AttemptTrigger::Person, Some("story"))
    );
    assert_eq!(story.receiver.came().len(), 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_receiver_dead_for_23_hours_gets_everything_in_the_end(pool: PgPool) {
    let story = Story::begin(&pool).await;
    story.receiver.always(503);
    for n in 0..20 {
        story.hear(&format!("evt_{n}")).await;
    }
    story.settle().await;
    assert_eq!(story.now().await.health, EndpointHealth::Open);
    assert_eq!(story.the_states().await, [DeliveryState::Waiting]);
    let begun = story.door.clock.now();
    while story.door.clock.now() - begun < TimeDelta::hours(23) {
        story.later(TimeDelta::minutes(4)).await;
    }
    let tried = story.receiver.came().len();
    assert!(tried <= 20 * MOST as usize, "{tried}");
    story.receiver.always(200);
    while story.door.clock.now() - begun < TimeDelta::hours(23) + TimeDelta::minutes(55) {
        story.later(TimeDelta::minutes(4)).await;
    }
    let all = story.deliveries().await;
    assert_eq!(all.len(), 20);
    assert!(all.iter().all(|one| one.state == DeliveryState::Done && one.attempts.len() <= MOST as usize), "{all:?}");
    assert_eq!(story.now().await.health, EndpointHealth::Healthy);
    assert_eq!(story.now().await.waiting, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_that_stays_dead_leaves_everything_failed_and_retryable(pool: PgPool) {
    let story = Story::begin(&pool).await;
    story.receiver.always(500);
    for n in 0..12 {
        story.hear(&format!("evt_{n}")).await;
    }
    story.settle().await;
    let begun = story.door.clock.now();
    while story.door.clock.now() - begun < TimeDelta::hours(25) {
        story.later(TimeDelta::minutes(5)).await;
    }
    let all = story.deliveries().await;
    assert!(all.iter().all(|one| one.state == DeliveryState::Failed && one.due_at.is_none()), "{all:?}");
    let sent = all.iter().flat_map(|one| &one.attempts).filter(|sent| sent.attempt.status.is_some());
    assert!(sent.clone().all(|sent| sent.attempt.started_at - noon() < TimeDelta::hours(24)), "none after a day");
    assert!(all.iter().all(|one| one.attempts.len() <= MOST as usize));
    assert!(all.iter().any(|one| classes(one).last().is_some_and(|class| class == "circuit_open")));
    // all at once, as a bulk retry lets go of them
    story.receiver.always(200);
    let ids: Vec<_> = all.iter().map(|one| (one.id.0, one.received_at)).collect();
    let mut conn = pool.acquire().await.unwrap();
    let now = story.door.clock.now();
    let (trigger, by) = (AttemptTrigger::Bulk, "story");
    let released = delivery::release(&mut conn, &ids, trigger, by, None, now).await.unwrap();
    assert_eq!(released.len(), 12);
    lane::probe_now(&mut conn, story.endpoint.id, now).await.unwrap();
    story.settle().await;
    assert!(story.deliveries().await.iter().all(|one| one.state == DeliveryState::Done));
    assert!(delivery::release(&mut conn, &ids, trigger, by, None, now).await.unwrap().is_empty(), "they have arrived");
}

impl Story {
    async fn the_states(&self) -> Vec<DeliveryState> {
        let mut states: Vec<_> = self.deliveries().await.iter().map(|one| one.state).collect();
        states.dedup();
        states
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_it_is_switched_off_everything_waits_and_no_time_passes(pool: PgPool) {
    let story = Story::begin(&pool).await;
    story.receiver.always(500);
    story.hear("evt_1").await;
    story.settle().await;
    let until = story.the_one().await.until.unwrap();
    story.switch(false).await;
    story.receiver.always(200);
    story.door.clock.advance(TimeDelta::hours(20));
    story.hear("evt_2").await;
    story.settle().await;
    story.later(TimeDelta::hours(9)).await;
    assert_eq!(story.receiver.came().len(), 1);
    assert_eq!(story.the_states().await, [DeliveryState::Waiting]);
    assert_eq!((story.now().await.health, story.now().await.waiting), (EndpointHealth::Disabled, 2));
    story.switch(true).await;
    let all = story.deliveries().await;
    assert_eq!(all[1].until, Some(until + TimeDelta::hours(29)), "its clock stood still");
    story.later(TimeDelta::seconds(40)).await;
    assert_eq!(story.the_states().await, [DeliveryState::Done]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn each_of_a_connection_waits_for_the_one_before_and_others_do_not(pool: PgPool) {
    let story = Story::begin(&pool).await;
    story.change(EndpointPatch { ordered: Some(true), ..EndpointPatch::default() }).await;
    for n in 0..6 {
        story.hear(&format!("evt_{n}")).await;
        story.door.clock.advance(TimeDelta::milliseconds(5));
    }
    while story.processor.step().await.unwrap() == Step::Busy {}
    // the even ones are of one connection, the odd ones of another
    let (one, other) = (new_id(), new_id());
    sqlx::query(
        "update delivery_due d set in_order = true, connection_id = case when e.n % 2 = 0 then $1 else $2 end
         from (select id, row_number() over (order by received_at) - 1 as n from event) e where e.id = d.event_id",
    )
    .bind(one)
    .bind(other)
    .execute(&pool)
    .await
    .unwrap();
    story.receiver.answers(&[answer(500, "", ""), answer(200, "", "")]);
    story.settle().await;
    let order = |came: &[Came]| -> Vec<usize> {
        came.iter().map(|came| came.body[11..].split('"').next().unwrap().parse().unwrap()).collect()
    };
    let first = order(&story.receiver.came());
    assert_eq!(first.len(), 4, "one failed and holds its connection: {first:?}");
    story.later(TimeDelta::minutes(1)).await;
    let all = order(&story.receiver.came());
    assert_eq!(all.len(), 7);
    for side in [0, 1] {
        let mut of_one: Vec<_> = all.iter().copied().filter(|n| n % 2 == side).collect();
        of_one.dedup();
        assert!(of_one.is_sorted(), "{all:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_a_dead_process_was_sending_is_sent_again_and_says_so(pool: PgPool) {
    let story = Story::begin(&pool).await;
    story.hear("evt_1").await;
    while story.processor.step().await.unwrap() == Step::Busy {}
    let (mut conn, token, now) = (pool.acquire().await.unwrap(), new_id(), story.door.clock.now());
    lane::lease(&mut conn, story.endpoint.id, token, now, TimeDelta::seconds(15)).await.unwrap().unwrap();
    let claimed = store::delivery_due::claim(&mut conn, story.endpoint.id, token, now, 10).await.unwrap();
    assert_eq!((claimed.len(), story.the_one().await.state), (1, DeliveryState::Running));
    let id = DeliveryId(claimed[0].id);
    assert!(matches!(story.desk.retry_delivery(&admin(), id).await, Err(Refusal::Conflict(_))), "it is being sent");
    story.later(TimeDelta::seconds(10)).await;
    assert!(story.receiver.came().is_empty(), "the lane is somebody's");
    story.later(TimeDelta::seconds(6)).await;
    let one = story.the_one().await;
    assert_eq!((one.state, classes(&one)), (DeliveryState::Pending, vec!["interrupted".to_owned()]));
    assert_eq!(one.attempts[0].attempt.outcome, AttemptOutcome::Retry);
    story.later(TimeDelta::minutes(1)).await;
    assert_eq!((story.the_one().await.state, story.receiver.came().len()), (DeliveryState::Done, 1));
    // the dead one's results count no longer
    let stand = lane::Stand::default();
    assert!(lane::renew(&mut conn, story.endpoint.id, token, now, &stand, now).await.unwrap().is_none());
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_endpoint_gets_what_it_asks_for_and_one_taken_away_gets_nothing(pool: PgPool) {
    let story = Story::begin(&pool).await;
    let kinds = |kind: &str| EndpointFilter { kinds: vec![kind.to_owned()], ..EndpointFilter::default() };
    story.change(EndpointPatch { filter: Some(kinds("odd.thing")), ..EndpointPatch::default() }).await;
    let other = Receiver::start().await;
    let second = NewEndpoint { filter: kinds("other"), ..new_endpoint("second", &other.url) };
    let second = story.desk.add_endpoint(&admin(), second).await.unwrap();
    story.hear("evt_1").await;
    story.settle().await;
    assert_eq!((story.receiver.came().len(), other.came().len()), (1, 0));

    story.receiver.always(500);
    story.door.clock.advance(TimeDelta::seconds(1));
    story.hear("evt_2").await;
    story.settle().await;
    story.desk.remove_endpoint(&admin(), story.endpoint.id).await.unwrap();
    story.receiver.always(200);
    story.hear("evt_3").await;
    story.later(TimeDelta::hours(1)).await;
    assert_eq!(story.receiver.came().len(), 2, "nothing more");
    let all = story.deliveries().await;
    let stands: Vec<_> = all.iter().map(|one| one.state).collect();
    assert_eq!(stands, [DeliveryState::Failed, DeliveryState::Done], "what was is still to be seen");
    assert!(matches!(story.desk.retry_delivery(&admin(), all[0].id).await, Err(Refusal::Conflict(_))));
    let left = story.desk.endpoints(&admin()).await.unwrap();
    assert_eq!(left.iter().map(|endpoint| endpoint.id).collect::<Vec<_>>(), [second.id]);
    let again = story.desk.add_endpoint(&admin(), new_endpoint("orders", &story.receiver.url)).await;
    assert!(again.is_ok(), "its name is free again");
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_is_sent_to_where_it_may_not_go(pool: PgPool) {
    let story = Story::begin(&pool).await;
    let refused = story.desk.add_endpoint(&admin(), new_endpoint("inside", "https://10.0.0.1/in")).await.unwrap_err();
    assert!(matches!(&refused, Refusal::Invalid(errors) if errors[0].field == "url"), "{refused:?}");
    let taken = story.desk.add_endpoint(&admin(), new_endpoint("orders", &story.receiver.url)).await.unwrap_err();
    assert!(matches!(&taken, Refusal::Invalid(errors) if errors[0].field == "name"), "{taken:?}");
    // it was allowed once, and is not any more
    sqlx::query("update endpoint set url = 'https://169.254.169.254/latest'").execute(&pool).await.unwrap();
    story.hear("evt_1").await;
    story.settle().await;
    let one = story.the_one().await;
    assert_eq!((one.state, classes(&one)), (DeliveryState::Pending, vec!["refused_address".to_owned()]));
    let sent = story.desk.test_endpoint(&admin(), story.endpoint.id).await.unwrap();
    assert_eq!(sent.attempt.error.unwrap().class, "refused_address");
    story.change(EndpointPatch { url: Some(story.receiver.url.clone()), ..EndpointPatch::default() }).await;
    let sent = story.desk.test_endpoint(&admin(), story.endpoint.id).await.unwrap();
    assert_eq!((sent.attempt.status, sent.answer.as_deref()), (Some(200), Some("thanks")));
    let came = story.receiver.came();
    assert!(verifies(&came[0], story.endpoint.secret.as_ref().unwrap()));
    assert!(came[0].body.contains(r#""type":"linewatch.test""#), "{came:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_sign_in_is_told_without_its_token(pool: PgPool) {
    let story = Story::begin(&pool).await;
    let source = story.desk.source(&admin(), story.door.source).await.unwrap();
    let (id, now): (ConnectionId, DateTime<Utc>) = (ConnectionId(new_id()), story.door.clock.now());
    let who = Reconnected { id, key: "con_1", customer: "Acme" };
    let mut tx = pool.begin().await.unwrap();
    tell_reconnected(&mut tx, &source, who, now).await.unwrap();
    tx.commit().await.unwrap();
    story.settle().await;
    let came = story.receiver.came();
    let body: serde_json::Value = serde_json::from_str(&came[0].body).unwrap();
    assert_eq!(body["type"], "connection.reconnected");
    assert_eq!((&body["data"]["connection_id"], &body["data"]["customer"]), (&"con_1".into(), &"Acme".into()));
    assert!(verifies(&came[0], story.endpoint.secret.as_ref().unwrap()));
    assert_eq!(came[0].headers["content-type"], "application/json");
    let events = story.desk.events(&admin(), EventQuery::default()).await.unwrap().items;
    assert_eq!((events.len(), events[0].kind.as_deref()), (1, Some("connection.reconnected")));
}
