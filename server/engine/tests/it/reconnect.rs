//! A customer signs in again: from the link to the good sync that proves the repair.

use crate::world::{World, admin, calm};
use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    clock::{SharedClock, TestClock},
    reconnect::{Back, CameBack, Opened, Reconnect},
    store::reconnect_link::{note_good_sync, note_turn},
    vault::SecretKind,
};
use model::{
    Actor, Authorization, Backend, Connection, ConnectionId, LinkState, PageQuery, ReconnectLink, Redirect, Refusal,
    Role, TimelineKind,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{collections::HashMap, sync::Arc};
use url::Url;

/// A world with a connection that must sign in again.
struct Story {
    world: World,
    customers: Reconnect,
    clock: Arc<TestClock>,
    id: ConnectionId,
}

impl Story {
    async fn new(pool: PgPool, dialect: simulator::Dialect, redirect: Redirect) -> Self {
        let options = simulator::Options { connections: 6, dialect, ..calm() };
        let world = World::with_source(pool, options, |new| {
            new.settings.redirect = Some(redirect);
            new.settings.authorize_url = Some(Some(format!("{}/oauth/authorize?connection={{key}}", new.base_url)));
        })
        .await;
        let clock = TestClock::at(world.clock.now());
        let shared: SharedClock = clock.clone();
        let customers = Reconnect {
            pool: world.pool.clone(),
            clock: shared,
            vault: world.desk.vault.clone(),
            upstreams: world.desk.upstreams.clone(),
            public_url: world.desk.public_url.as_str().into(),
            checks: Arc::clone(&world.desk.checks),
        };
        world.round().await;
        let Connection { id, key, .. } = world.connections().await[0].clone();
        world.act(&key, "change_credentials").await;
        world.round().await;
        world.settle().await;
        assert_eq!(world.connection(id).await.connection.authorization, Authorization::ReauthorizationRequired);
        Self { world, customers, clock, id }
    }

    /// The token of a new link.
    async fn make(&self) -> String {
        let link = self.world.desk.make_reconnect_link(&admin(), self.id).await.unwrap();
        let url = link.url.unwrap();
        url.strip_prefix("https://linewatch.example/r/").expect("it begins with the public URL").to_owned()
    }

    async fn newest(&self) -> ReconnectLink {
        self.world.desk.reconnect_links(&admin(), self.id).await.unwrap().remove(0)
    }

    /// What the timeline says of links, oldest first.
    async fn told(&self) -> Vec<String> {
        let page = self.world.desk.timeline(&admin(), self.id, PageQuery::default()).await.unwrap();
        let links = page.items.into_iter().filter(|item| item.kind == TimelineKind::Link);
        let mut told: Vec<_> = links.map(|item| item.text).collect();
        told.reverse();
        told
    }

    async fn open(&self, token: &str) -> Url {
        match self.customers.open(token).await.unwrap().unwrap() {
            Opened::Go(address) => address.parse().unwrap(),
            Opened::Over(shown) => panic!("it is over: {shown:?}"),
        }
    }

    /// What a browser does at Makini Link, and what it brings back; nothing where it is not led back to us.
    async fn at_link(&self, address: &Url, act: &str) -> Option<CameBack> {
        let mut form: HashMap<String, String> = address.query_pairs().into_owned().collect();
        form.insert("act".to_owned(), act.to_owned());
        let mut page = address.clone();
        page.set_query(None);
        let browser =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = browser.post(page).form(&form).send().await.unwrap();
        let place: Url = answer.headers().get("location")?.to_str().unwrap().parse().unwrap();
        assert!(place.as_str().starts_with("https://linewatch.example/r/callback?"), "{place}");
        let mut led: HashMap<String, String> = place.query_pairs().into_owned().collect();
        Some(CameBack { state: led.remove("state").unwrap(), code: led.remove("code").map(Into::into) })
    }

    async fn token_kept(&self) -> Option<String> {
        let mut conn = self.world.pool.acquire().await.unwrap();
        let kept = self.world.desk.vault.newest(&mut conn, self.id.0, SecretKind::ConnectionToken).await.unwrap();
        kept.map(|kept| kept.secret.expose().to_owned())
    }

    async fn sync_ends(&self, at: DateTime<Utc>) -> usize {
        let mut conn = self.world.pool.acquire().await.unwrap();
        note_good_sync(&mut conn, &[(self.id, at)], at).await.unwrap().len()
    }

    async fn turns(&self, at: DateTime<Utc>) -> usize {
        let mut conn = self.world.pool.acquire().await.unwrap();
        note_turn(&mut conn, &[self.id], at).await.unwrap().len()
    }

    fn now(&self) -> DateTime<Utc> {
        self.customers.clock.now()
    }

    /// The customer's side is where the workers are, so that what it asks for is due.
    fn catch_up(&self) {
        self.clock.set(self.world.clock.now());
    }

    fn later(&self, seconds: i64) -> DateTime<Utc> {
        self.clock.advance(TimeDelta::seconds(seconds));
        self.now()
    }
}

async fn from_made_to_proved(pool: PgPool, dialect: simulator::Dialect) {
    let story = Story::new(pool, dialect, Redirect::Ours).await;
    let token = story.make().await;
    assert_eq!(story.newest().await.state, LinkState::Made);
    assert_eq!(story.newest().await.url, None, "told once");
    let shown = story.customers.look(&token).await.unwrap().unwrap();
    assert!(shown.good && !shown.done, "{shown:?}");
    assert_eq!(story.newest().await.state, LinkState::Made, "to look changes nothing");

    story.catch_up();
    let address = story.open(&token).await;
    assert_eq!(story.newest().await.state, LinkState::Opened);
    story.catch_up();
    let came = story.at_link(&address, "sign_in").await.unwrap();
    assert!(matches!(story.customers.come_back(came.clone()).await.unwrap(), Back::Done(_)));
    assert_eq!(story.newest().await.state, LinkState::Done);
    assert!(story.token_kept().await.unwrap().starts_with("mkat_"), "the new token, in the vault");
    story.world.settle().await;
    // in the other dialect the list's own word for the status stands until a round finds another
    if dialect == simulator::Dialect::FaqV1 {
        let shown = story.world.connection(story.id).await.connection;
        assert_eq!(shown.authorization, Authorization::Authorized, "it was asked about at once");
    }

    assert!(matches!(story.customers.come_back(came).await.unwrap(), Back::Unknown), "a state counts once");
    let shown = story.customers.look(&token).await.unwrap().unwrap();
    assert!(shown.done && !shown.good, "{shown:?}");
    assert!(matches!(story.customers.open(&token).await.unwrap(), Some(Opened::Over(_))), "a link counts once");

    assert_eq!(story.sync_ends(story.now() - TimeDelta::minutes(5)).await, 0, "a sync before it proves nothing");
    assert_eq!(story.newest().await.state, LinkState::Done);
    assert_eq!(story.sync_ends(story.later(1)).await, 1);
    assert_eq!(story.sync_ends(story.later(1)).await, 0, "once");
    assert_eq!(story.newest().await.state, LinkState::Proved);
    let expected = [
        "story made a link to sign in again",
        "The customer opened the link",
        "The customer signed in again",
        "A good sync proves that the customer signed in again",
    ];
    assert_eq!(story.told().await, expected);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_link_is_made_opened_done_and_proved(pool: PgPool) {
    from_made_to_proved(pool, simulator::Dialect::FaqV1).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn and_so_it_is_in_the_other_dialect(pool: PgPool) {
    from_made_to_proved(pool, simulator::Dialect::Openapi2025).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_account_is_refused_and_its_token_not_kept(pool: PgPool) {
    for (n, dialect) in [simulator::Dialect::FaqV1, simulator::Dialect::Openapi2025].into_iter().enumerate() {
        sqlx::query("truncate source cascade").execute(&pool).await.unwrap();
        let story = Story::new(pool.clone(), dialect, Redirect::Ours).await;
        let before = story.token_kept().await;
        let token = story.make().await;
        let other = story.world.connections().await.into_iter().find(|one| one.id != story.id).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let door = format!("{}/_sim/link", story.world.makini.url());
        let say = |key: Value| client.put(&door).json(&json!({ "sign_in_as": key })).send();
        assert_eq!(say(json!(other.key)).await.unwrap().status(), 204);
        let came = story.at_link(&story.open(&token).await, "sign_in").await.unwrap();
        let Back::Refused(shown, again) = story.customers.come_back(came).await.unwrap() else { panic!("{n}") };
        assert!(shown.good && !shown.done);
        let link = story.newest().await;
        assert_eq!(link.state, LinkState::Refused);
        assert!(link.refusal.unwrap().contains("something else"));
        assert!(story.told().await.iter().any(|text| text.starts_with("Refused: the customer signed in to")));
        assert_eq!(story.token_kept().await, before, "what was there stays");

        assert_eq!(say(Value::Null).await.unwrap().status(), 204);
        let came = story.at_link(&again.parse().unwrap(), "sign_in").await.unwrap();
        assert!(matches!(story.customers.come_back(came).await.unwrap(), Back::Done(_)), "the right one, after all");
        assert_eq!(story.newest().await.state, LinkState::Done);
        assert_ne!(story.token_kept().await, before);
        assert!(story.newest().await.refusal.is_some(), "what happened stays");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_breaks_off_or_brings_a_wrong_code_may_try_again(pool: PgPool) {
    let story = Story::new(pool, simulator::Dialect::FaqV1, Redirect::Ours).await;
    let token = story.make().await;
    let first = story.open(&token).await;
    let second = story.open(&token).await;
    let stale = story.at_link(&first, "cancel").await.unwrap();
    assert!(
        matches!(story.customers.come_back(stale).await.unwrap(), Back::Unknown),
        "only the newest state leads back"
    );
    let came = story.at_link(&second, "cancel").await.unwrap();
    let Back::BrokenOff(_, again) = story.customers.come_back(came).await.unwrap() else { panic!("not broken off") };
    let again: Url = again.parse().unwrap();
    let state = again.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let forged = CameBack { state, code: Some("mkac_forged".into()) };
    let Back::Unclear(_, again) = story.customers.come_back(forged).await.unwrap() else { panic!("not unclear") };
    assert_eq!(story.newest().await.state, LinkState::Opened);
    let unknown = CameBack { state: "of-nobody".to_owned(), code: Some("mkac_forged".into()) };
    assert!(matches!(story.customers.come_back(unknown).await.unwrap(), Back::Unknown));
    let came = story.at_link(&again.parse().unwrap(), "sign_in").await.unwrap();
    assert!(matches!(story.customers.come_back(came).await.unwrap(), Back::Done(_)));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_link_ends_after_seven_days_or_when_a_newer_one_takes_its_place(pool: PgPool) {
    let story = Story::new(pool, simulator::Dialect::FaqV1, Redirect::Ours).await;
    let (first, second) = (story.make().await, story.make().await);
    assert!(matches!(story.customers.open(&first).await.unwrap(), Some(Opened::Over(_))), "replaced");
    let address = story.open(&second).await;
    let came = story.at_link(&address, "sign_in").await.unwrap();
    story.make().await;
    story.open(&second).await;
    let address = story.open(&second).await;
    assert!(matches!(story.customers.come_back(came).await.unwrap(), Back::Unknown));

    story.clock.advance(TimeDelta::days(7) + TimeDelta::minutes(1));
    assert!(matches!(story.customers.open(&second).await.unwrap(), Some(Opened::Over(_))), "too old");
    let shown = story.customers.look(&second).await.unwrap().unwrap();
    assert!(!shown.good && !shown.done);
    let came = story.at_link(&address, "sign_in").await.unwrap();
    assert!(matches!(story.customers.come_back(came).await.unwrap(), Back::Done(_)), "who had begun may end it");
    assert!(story.customers.open("of-nobody").await.unwrap().is_none());
    assert!(story.customers.look("of-nobody").await.unwrap().is_none());
}

#[sqlx::test(migrations = "../../migrations")]
async fn where_another_application_takes_the_token_a_poll_proves_it(pool: PgPool) {
    let story = Story::new(pool, simulator::Dialect::FaqV1, Redirect::Theirs).await;
    assert_eq!(story.turns(story.later(1)).await, 0);
    let token = story.make().await;
    assert_eq!(story.turns(story.later(1)).await, 0, "nobody has opened it");
    story.later(1);
    let address = story.open(&token).await;
    let asked: HashMap<_, _> = address.query_pairs().collect();
    assert!(!asked.contains_key("redirect_uri") && !asked.contains_key("state"), "{address}");
    assert!(story.at_link(&address, "sign_in").await.is_none());
    assert_eq!(story.newest().await.state, LinkState::Opened);
    assert_eq!(story.sync_ends(story.now()).await, 0, "nothing is done yet");
    assert_eq!(story.turns(story.later(5)).await, 1);
    assert_eq!(story.newest().await.state, LinkState::Done);
    assert_eq!(story.sync_ends(story.later(5)).await, 1);
    assert_eq!(story.newest().await.state, LinkState::Proved);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_issues_of_the_connection_wait_for_the_customer(pool: PgPool) {
    let story = Story::new(pool, simulator::Dialect::FaqV1, Redirect::Ours).await;
    let mut ids = Vec::new();
    // whatever else opens issues does not matter here
    sqlx::query("delete from issue_entry").execute(&story.world.pool).await.unwrap();
    sqlx::query("delete from issue").execute(&story.world.pool).await.unwrap();
    for (n, state) in ["open", "acknowledged", "snoozed", "resolved", "waiting_on_customer"].into_iter().enumerate() {
        let id = engine::clock::new_id();
        sqlx::query(
            "insert into issue (id, connection_id, cause, state, opened_at, openings, snooze_until, updated_at) \
             values ($1, $2, $3, $4, now(), '{}', case when $4 = 'snoozed' then now() end, now())",
        )
        .bind(id)
        .bind(story.id.0)
        .bind(format!("cause {n}"))
        .bind(state)
        .execute(&story.world.pool)
        .await
        .unwrap();
        ids.push(id);
    }
    story.make().await;
    let waiting = story.world.count("issue where state = 'waiting_on_customer' and snooze_until is null").await;
    assert_eq!(waiting, 4);
    assert_eq!(story.world.count("issue where state = 'resolved' and version = 1").await, 1);
    assert_eq!(story.world.count("issue_entry where kind = 'waiting' and by_name = 'story' and version = 2").await, 3);
    assert_eq!(story.world.count("audit where action = 'connection.reconnect_link_made'").await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn not_everybody_makes_a_link_and_not_for_everything(pool: PgPool) {
    let story = Story::new(pool, simulator::Dialect::FaqV1, Redirect::Ours).await;
    let viewer = Actor { role: Role::Viewer, ..admin() };
    let refused = story.world.desk.make_reconnect_link(&viewer, story.id).await;
    assert!(matches!(refused, Err(Refusal::Forbidden(_))), "{refused:?}");
    assert!(story.world.desk.reconnect_links(&viewer, story.id).await.unwrap().is_empty());
    let token = story.make().await;
    sqlx::query("update connection set removed_at = now()").execute(&story.world.pool).await.unwrap();
    let refused = story.world.desk.make_reconnect_link(&admin(), story.id).await;
    assert!(matches!(refused, Err(Refusal::Conflict(_))), "{refused:?}");
    assert!(matches!(story.customers.open(&token).await.unwrap(), Some(Opened::Over(_))));
    let nothing = story.world.desk.make_reconnect_link(&admin(), ConnectionId(uuid::Uuid::nil())).await;
    assert!(matches!(nothing, Err(Refusal::NotFound(_))), "{nothing:?}");
}
