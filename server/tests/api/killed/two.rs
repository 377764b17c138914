//! Two processes over one database, and everything around them.

use super::came::Log;
use super::mailbox::Mailbox;
use super::process::Linewatch;
use super::receiver::Receiver;
use crate::webhooks::sign;
use crate::world::WEBHOOK_SECRET;
use chrono::{DateTime, TimeDelta, Utc};
use engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgConnection, PgPool};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// `serve` refuses to start with the demo's own.
const CLIENT_SECRET: &str = "client-secret-of-those-who-are-killed";
/// How long a message is leased.
const LEASE: TimeDelta = TimeDelta::seconds(40);

/// Two processes, and everything around them.
pub struct Two {
    /// The database.
    pub pool: PgPool,
    makini: simulator::Running,
    pub receiver: Receiver,
    pub mailbox: Mailbox,
    /// What came to either.
    pub log: Log,
    pub let_go: watch::Sender<u32>,
    pub processes: [Linewatch; 2],
    keys: Vec<String>,
    /// How many of them broke.
    pub broken: usize,
    /// How many of those are well again.
    pub mended: usize,
    pub killed_at: Arc<Mutex<DateTime<Utc>>>,
    /// Every process that was.
    pub killed: BTreeSet<u32>,
    /// What was answered and not committed.
    pub doubtful: BTreeSet<String>,
    _aging: AbortOnDropHandle<()>,
    _data: tempfile::TempDir,
}

impl Two {
    /// Starts both, with a rule and these channels, each of a kind.
    pub async fn new(pool: PgPool, channels: &[(&str, &str)]) -> Self {
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
        let (log, let_go) = (Log::default(), watch::Sender::new(0));
        let receiver = Receiver::start(log.clone(), let_go.clone()).await;
        let mailbox = Mailbox::start(log.clone(), let_go.clone()).await;
        let mail = mailbox.url();
        let processes = ["a", "b"].map(|name| Linewatch::new(&database, &mail, &key, data.path().join(name)));
        let killed_at = Arc::new(Mutex::new(DateTime::UNIX_EPOCH));
        let aging = tokio::spawn(age(pool.clone(), log.clone(), Arc::clone(&killed_at)));
        let keys = makini.connections().into_iter().map(|connection| connection.key).collect();
        let mut two = Self {
            pool,
            makini,
            receiver,
            mailbox,
            log,
            let_go,
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
        two.furnish(channels).await;
        two.processes[1].ready().await;
        two
    }

    /// One source, one rule, the channels, and a route to all of them.
    async fn furnish(&self, wanted: &[(&str, &str)]) {
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
        for (name, kind) in wanted {
            let url = self.receiver.url(name);
            let settings = match *kind {
                "email" => json!({"to": ["support@example.com"], "from": format!("{name}@example.com")}),
                "slack" => json!({"webhook_url": url}),
                _ => json!({"url": url}),
            };
            let body = json!({"name": name, "kind": kind, "settings": settings});
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
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&mut PgConnection) -> bool) {
        let (mut db, began) = (self.pool.acquire().await.unwrap(), Instant::now());
        while !holds(&mut *db).await {
            assert!(began.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The next connection breaks, or the one that broke first is well again: Makini knows it, and says so.
    pub async fn happen(&mut self, breaks: bool) -> String {
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

    /// Nobody is killed any more: one more breaks, then all are mended, until there is nothing left to tell.
    pub async fn finish(&mut self) {
        self.happen(true).await;
        let told = "select count(*) from alert_group where told <> '{}' and changed_at is null";
        let still = i64::try_from(self.broken - self.mended).unwrap();
        self.until("every group was told", async |db| count(db, told).await >= still).await;
        while self.mended < self.broken {
            self.happen(false).await;
        }
        self.quiet().await;
    }

    async fn quiet(&self) {
        let left = "select (select count(*) from event_due) + (select count(*) from alert_touch) \
                    + (select count(*) from alert where tell_due_at is not null) \
                    + (select count(*) from alert_group where changed_at is not null) \
                    + (select count(*) from notification where state in ('pending', 'sending'))";
        self.until("everything is told", async |db| count(db, left).await == 0).await;
    }
}

pub async fn of(conn: &mut PgConnection, sql: &'static str, whose: &str) -> i64 {
    sqlx::query_scalar(sql).bind(whose).fetch_one(conn).await.unwrap()
}

pub async fn count(conn: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
}

/// What a process had leased when it was killed is free after the time of a lease. Here, after two seconds in which nobody who
/// lives sends anything by that channel.
async fn age(pool: PgPool, log: Log, killed_at: Arc<Mutex<DateTime<Utc>>>) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (now, killed_at) = (SystemClock.now(), *killed_at.lock().unwrap());
        let leased_before = killed_at.min(now - TimeDelta::seconds(2));
        let open: Vec<_> = log.all().into_iter().filter(|one| one.open).map(|one| one.channel).collect();
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
