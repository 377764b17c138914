//! Two processes over one database, killed without warning at every stage from an alert to what a channel answers: everything is
//! told, and twice only where nobody can know.
//!
//! Nothing in Linewatch knows of this test. A stage is held from outside: by a lock that the stage waits for, or by a receiver that
//! does not answer. A lease is 40 s and cannot be set, so what the dead have leased is aged by as much, as if that time had passed.

mod ledger;
mod process;
mod receiver;
mod stage;

use crate::webhooks::sign;
use crate::world::WEBHOOK_SECRET;
use chrono::{DateTime, TimeDelta, Utc};
use engine::clock::{Clock as _, SystemClock};
use process::Linewatch;
use receiver::{Answer, Receiver};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgConnection, PgPool};
use stage::Stage;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::task::AbortOnDropHandle;

/// `serve` refuses to start with the demo's own.
const CLIENT_SECRET: &str = "client-secret-of-those-who-are-killed";
/// Whoever decides about alerts holds this lock, and whoever tells of them that one.
const DECIDES: &str = "select pg_advisory_xact_lock(7815822796511147123)";
const TELLS: &str = "select pg_advisory_xact_lock(7455213600117)";
/// Keeps channels from being taken, and nothing else from being done.
const CHANNELS: &str = "select id from channel for no key update";
/// How long a message is leased.
const LEASE: TimeDelta = TimeDelta::seconds(40);
const CHANNELS_OF: [&str; 4] = ["hook", "team", "moody", "slow"];

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victims {
    /// The one that is at it, or where both are, one of them.
    One,
    /// Both.
    Both,
}

/// Two processes, and everything around them.
struct Two {
    pool: PgPool,
    makini: simulator::Running,
    receiver: Receiver,
    processes: [Linewatch; 2],
    keys: Vec<String>,
    /// How many of them broke.
    broken: usize,
    /// How many of those are well again.
    mended: usize,
    killed_at: Arc<Mutex<DateTime<Utc>>>,
    /// Every process that was.
    killed: BTreeSet<u32>,
    /// What was answered and not committed.
    doubtful: BTreeSet<String>,
    _aging: AbortOnDropHandle<()>,
    _data: tempfile::TempDir,
}

impl Two {
    async fn new(pool: PgPool) -> Self {
        let options = simulator::Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            connections: 24,
            story: false,
            time_scale: 1.0,
            client_secret: CLIENT_SECRET.to_owned(),
            ..simulator::Options::default()
        };
        let makini = simulator::start(options).await.unwrap();
        let key = engine::vault::MasterKey::generate().to_text().expose().to_owned();
        let data = tempfile::tempdir().unwrap();
        let database = pool.connect_options().to_url_lossy().to_string();
        let processes = ["a", "b"].map(|name| Linewatch::new(&database, &key, data.path().join(name)));
        let receiver = Receiver::start().await;
        let killed_at = Arc::new(Mutex::new(DateTime::UNIX_EPOCH));
        let aging = tokio::spawn(age(pool.clone(), receiver.clone(), Arc::clone(&killed_at)));
        let keys = makini.connections().into_iter().map(|connection| connection.key).collect();
        let mut two = Self {
            pool,
            makini,
            receiver,
            processes,
            keys,
            broken: 0,
            mended: 0,
            killed_at,
            killed: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            _aging: AbortOnDropHandle::new(aging),
            _data: data,
        };
        two.processes[0].start();
        two.processes[0].ready().await;
        two.processes[1].start();
        two.furnish().await;
        two.processes[1].ready().await;
        two
    }

    /// One source, one rule, four channels, and a route to all of them.
    async fn furnish(&self) {
        let api = self.processes[0].caller();
        let post = async |path: &str, body: Value| {
            let answer = api.json("POST", path, body).await;
            assert_eq!(answer.status, 201, "{path}: {answer:?}");
            answer.json()
        };
        post(
            "/api/v1/sources",
            json!({"name": "makini", "base_url": self.makini.url(), "client_id": simulator::Options::default().client_id,
                "client_secret": CLIENT_SECRET, "webhook_secret": WEBHOOK_SECRET, "rate_per_minute": 60_000}),
        )
        .await;
        post(
            "/api/v1/rules",
            json!({"name": "Offline", "when": {"kind": "connection_health", "health": ["offline"]}, "for_seconds": 0,
                "hold_seconds": 0, "group_by": "subject", "repeat_seconds": 0}),
        )
        .await;
        let mut channels = Vec::new();
        for name in CHANNELS_OF {
            let url = self.receiver.url(name);
            let body = match name {
                "team" => json!({"name": name, "kind": "slack", "settings": {"webhook_url": url}}),
                _ => json!({"name": name, "kind": "webhook", "settings": {"url": url}}),
            };
            channels.push(post("/api/v1/channels", body).await["id"].clone());
        }
        // the first channel came with a route
        let routes = api.get("/api/v1/routes").await.json();
        let path = format!("/api/v1/routes/{}", routes["items"][0]["id"].as_str().unwrap());
        let route = json!({"channels": channels, "first_wait_seconds": 0, "interval_seconds": 0});
        assert_eq!(api.json("PATCH", &path, route).await.status, 200);
        let listed = "select count(*) from connection where health <> 'unknown'";
        self.until("every connection is seen", async |db| count(db, listed).await == 24).await;
    }

    /// Waits for something that the database knows.
    async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&mut PgConnection) -> bool) {
        let (mut db, began) = (self.pool.acquire().await.unwrap(), Instant::now());
        while !holds(&mut *db).await {
            assert!(began.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The next connection breaks, or the one that broke first is well again: Makini knows it, and says so.
    async fn happen(&mut self, breaks: bool) -> String {
        let (n, action, status) =
            if breaks { (self.broken, "go_offline", "offline") } else { (self.mended, "come_online", "online") };
        *(if breaks { &mut self.broken } else { &mut self.mended }) += 1;
        let key = self.keys[n].clone();
        let client = crate::caller::Caller::new(&self.makini.url());
        let acted = client.json("POST", &format!("/_sim/connections/{key}/actions"), json!({"action": action})).await;
        assert!(acted.status < 300, "{acted:?}");
        let body =
            json!({"id": format!("{action}_{n}"), "event": "connection.status_changed", "timestamp": SystemClock.now(),
            "connection_id": key, "data": {"status": status}})
            .to_string();
        let began = Instant::now();
        loop {
            for process in &self.processes {
                let request = process.caller().request("POST", "/webhooks/makini");
                let request = request.header("content-type", "application/json");
                let request = request.header("x-webhook-signature", sign(body.as_bytes())).body(body.clone());
                if request.send().await.is_ok_and(|answer| answer.status() == 200) {
                    return key;
                }
            }
            assert!(began.elapsed() < Duration::from_secs(20), "nobody takes webhooks");
        }
    }

    /// Lets something happen, kills whoever is at this stage of it, and starts them again.
    async fn kill_at(&mut self, stage: Stage, victims: Victims) {
        if let Stage::Sending(channel) | Stage::Answered(channel) | Stage::BackOff(channel) = stage {
            let waits = "select count(*) from notification n join channel c on c.id = n.channel_id \
                         where n.state in ('pending', 'sending') and c.name = $1";
            self.until("the channel is idle", async |db| of(db, waits, channel).await == 0).await;
        }
        let mut hold = self.pool.begin().await.unwrap();
        match stage {
            Stage::Touched => lock(&mut hold, DECIDES).await,
            Stage::Fired => lock(&mut hold, TELLS).await,
            Stage::Pending => lock(&mut hold, CHANNELS).await,
            Stage::Sending(channel) | Stage::Answered(channel) => self.receiver.will(channel, &[Answer::Hold]),
            // twice: what was still on its way may come first
            Stage::BackOff(channel) => self.receiver.will(channel, &[Answer::Status(503, None); 2]),
            Stage::Collecting => {}
        }
        let came = self.receiver.came().len();
        let key = self.happen(stage != Stage::Collecting).await;
        self.until(&format!("{stage:?}"), async |db| of(db, stage.is_reached(), &key).await > 0).await;
        let mut at_it = None;
        if let Stage::Sending(channel) | Stage::Answered(channel) = stage {
            let began = Instant::now();
            let request = loop {
                let new = self.receiver.came().into_iter().skip(came);
                if let Some(request) = new.into_iter().find(|one| one.channel == channel && one.open) {
                    break request;
                }
                assert!(began.elapsed() < Duration::from_secs(20), "nothing came to “{channel}”");
                tokio::time::sleep(Duration::from_millis(2)).await;
            };
            at_it = request.pid;
            assert!(at_it.is_some_and(|pid| self.processes.iter().any(|one| one.pid() == Some(pid))), "{request:?}");
            if let Stage::Answered(_) = stage {
                // what is being sent cannot be noted as sent
                let mine = "select n.id from notification n join channel c on c.id = n.channel_id \
                            where n.state = 'sending' and c.name = $1 for update of n";
                assert_eq!(sqlx::query(mine).bind(channel).fetch_all(&mut *hold).await.unwrap().len(), 1);
                self.receiver.let_go();
                let waits = "select count(*) from pg_stat_activity where datname = current_database() \
                             and wait_event_type = 'Lock' and query like 'update notification set state%'";
                self.until("the answer is to be noted", async |db| count(db, waits).await > 0).await;
                self.doubtful.insert(request.what);
            }
        }
        let one = match at_it {
            Some(pid) => usize::from(self.processes[1].pid() == Some(pid)),
            None => self.broken % 2,
        };
        for process in match victims {
            Victims::One => &mut self.processes[one..=one],
            Victims::Both => &mut self.processes[..],
        } {
            self.killed.extend(process.pid());
            process.kill();
        }
        *self.killed_at.lock().unwrap() = SystemClock.now();
        hold.rollback().await.unwrap();
        self.processes.iter_mut().for_each(Linewatch::start);
        if victims == Victims::Both {
            futures::future::join_all(self.processes.iter().map(Linewatch::ready)).await;
        }
    }

    /// Until there is nothing left to tell.
    async fn quiet(&self) {
        let left = "select (select count(*) from event_due) + (select count(*) from alert_touch) \
                    + (select count(*) from alert where tell_due_at is not null) \
                    + (select count(*) from alert_group where changed_at is not null) \
                    + (select count(*) from notification where state in ('pending', 'sending'))";
        self.until("everything is told", async |db| count(db, left).await == 0).await;
    }
}

async fn lock(conn: &mut PgConnection, sql: &'static str) {
    sqlx::query(sql).execute(conn).await.unwrap();
}

async fn of(conn: &mut PgConnection, sql: &'static str, whose: &str) -> i64 {
    sqlx::query_scalar(sql).bind(whose).fetch_one(conn).await.unwrap()
}

async fn count(conn: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
}

/// What a process had leased when it was killed is free after the time of a lease. Here, after two seconds in which nobody who
/// lives sends anything by that channel.
async fn age(pool: PgPool, receiver: Receiver, killed_at: Arc<Mutex<DateTime<Utc>>>) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (now, killed_at) = (SystemClock.now(), *killed_at.lock().unwrap());
        let leased_before = killed_at.min(now - TimeDelta::seconds(2));
        let open: Vec<_> = receiver.came().into_iter().filter(|one| one.open).map(|one| one.channel).collect();
        sqlx::query(
            "update notification n set lease_until = n.lease_until - make_interval(secs => $1) from channel c \
             where c.id = n.channel_id and n.state = 'sending' and n.lease_until < $2 and c.name <> all($3)",
        )
        .bind(LEASE.as_seconds_f64())
        .bind(leased_before + LEASE)
        .bind(open)
        .execute(&pool)
        .await
        .unwrap();
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn killed_at_any_stage_everything_is_told_and_twice_only_where_nobody_can_know(pool: PgPool) {
    let mut two = Two::new(pool).await;
    let (busy, broken) = (Answer::Status(429, Some(1)), Answer::Status(500, None));
    for (channel, answer) in [("team", busy), ("moody", broken), ("slow", Answer::Reset)] {
        two.receiver.will(channel, &[answer]);
    }
    use Stage::{Answered, BackOff, Collecting, Fired, Pending, Sending, Touched};
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
    two.happen(true).await;
    let told = "select count(*) from alert_group where told <> '{}' and changed_at is null";
    let still = i64::try_from(two.broken - two.mended).unwrap();
    two.until("every group was told", async |db| count(db, told).await >= still).await;
    while two.mended < two.broken {
        two.happen(false).await;
    }
    two.quiet().await;
    ledger::balances(&two).await;
    ledger::tells(&two).await;
}
