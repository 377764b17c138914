//! Publish, then verify, while everything breaks: two processes of Linewatch over one Postgres take signed webhooks and forward
//! them to applications of every bad manner; each process is killed without warning and started anew, Postgres crashes once and
//! is restarted once, all of it in the middle of the load. In the end every account must balance to the row.
//!
//! Used twice: small as a test, large as a section of the bench.

mod app;
mod ledger;
mod mend;
mod sender;

use crate::Failure;
use crate::linewatch::{Linewatch, Programs};
use crate::postgres::{Postgres, free_port};
use crate::seed;
use crate::world::directory;
use app::App;
use nix::sys::signal::Signal;
use sender::{Posted, Posting, Webhook};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const DATABASE: &str = "chaos";
/// Whom the webhooks are about.
const CONNECTIONS: u32 = 200;

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Webhooks that are posted.
    pub events: usize,
    /// How long what is due may take to arrive, after the last webhook was answered and the applications are mended.
    pub patience: Duration,
    /// The most time that all of it may take.
    pub limit: Duration,
}

impl Plan {
    /// Half a minute of a debug build: what breaks a lane is known 15 s later.
    pub fn small() -> Self {
        Self { events: 300, patience: Duration::from_secs(60), limit: Duration::from_secs(110) }
    }

    /// For a release build.
    pub fn large() -> Self {
        Self { events: 20_000, patience: Duration::from_secs(240), limit: Duration::from_secs(450) }
    }
}

/// Something of which there must be none.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What it counts.
    pub name: &'static str,
    /// How many there are.
    pub found: u64,
    /// Some of them, in words.
    pub such_as: Vec<String>,
}

impl Finding {
    fn of(name: &'static str, all: &[String]) -> Self {
        Self { name, found: all.len() as u64, such_as: all.iter().take(5).cloned().collect() }
    }

    fn count(name: &'static str, found: i64) -> Self {
        Self { name, found: found.unsigned_abs(), such_as: Vec::new() }
    }
}

/// What happens in the middle of a part of the load.
#[derive(Clone, Copy)]
enum Beat {
    /// kill -9 of this process, which is started anew.
    Kill(usize),
    /// Postgres ends so and is started again.
    Postgres(Signal),
}

const BEATS: [Beat; 4] =
    [Beat::Kill(0), Beat::Kill(1), Beat::Postgres(Signal::SIGQUIT), Beat::Postgres(Signal::SIGINT)];

/// The processes of Linewatch, each with a directory of its own.
struct Doors<'p> {
    programs: &'p Programs,
    dirs: [PathBuf; 2],
    database: String,
    running: [Linewatch; 2],
}

impl<'p> Doors<'p> {
    async fn open(programs: &'p Programs, dir: &Path, database: String) -> Result<Self, Failure> {
        let dirs = ["one", "two"].map(|name| dir.join(name));
        for dir in &dirs {
            std::fs::create_dir(dir)?;
        }
        let serve = async |dir: &Path| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
            Linewatch::serve_at(address, programs, dir, &database).await
        };
        let running = [serve(&dirs[0]).await?, serve(&dirs[1]).await?];
        Ok(Self { programs, dirs, database, running })
    }

    fn addresses(&self) -> [SocketAddr; 2] {
        [self.running[0].address, self.running[1].address]
    }

    async fn kill(&mut self, which: usize) -> Result<(), Failure> {
        let door = &mut self.running[which];
        door.process.end(Signal::SIGKILL).await?;
        *door = Linewatch::serve_at(door.address, self.programs, &self.dirs[which], &self.database).await?;
        Ok(())
    }

    /// Those that ended by themselves, with their last words.
    fn fallen(&mut self) -> Vec<String> {
        self.running.iter_mut().filter_map(|door| door.process.must_run().err()).map(|why| why.to_string()).collect()
    }
}

/// Runs it; every account that does not balance is a finding that is not zero. `linewatch` is the binary, `site` where the
/// browser's part lies.
///
/// # Errors
/// When it cannot be run: a program does not start, or does not answer at all.
pub async fn run(linewatch: &Path, site: &Path, plan: Plan) -> Result<Vec<Finding>, Failure> {
    let dir = directory()?;
    let programs = Programs { linewatch: linewatch.into(), demo: linewatch.into(), site: site.into() };
    let mut postgres = Postgres::start(dir.path()).await?;
    let told = tokio::time::timeout(plan.limit, story(&programs, dir.path(), &mut postgres, plan)).await;
    postgres.stop().await?;
    told.unwrap_or_else(|_| Err(format!("not done after {} s", plan.limit.as_secs()).into()))
}

async fn story(programs: &Programs, dir: &Path, postgres: &mut Postgres, plan: Plan) -> Result<Vec<Finding>, Failure> {
    let began = Instant::now();
    postgres.create(DATABASE).await?;
    let mut doors = Doors::open(programs, dir, postgres.url(DATABASE)).await?;
    seed::sources(&doors.running[0]).await?;
    let mut db = postgres.connect(DATABASE).await?;
    seed::connections(&mut db, 0, CONNECTIONS).await?;
    let webhooks = Arc::new(sender::webhooks(plan.events, &ledger::keys(&mut db).await?));
    drop(db);
    let apps = app::all(&mut doors.running[0].api().await?, &webhooks).await?;

    println!("    {:>4.0} s: posting", began.elapsed().as_secs_f64());
    let mut posting = Posting::begin(doors.addresses(), &webhooks);
    let mut fallen = Vec::new();
    for (n, beat) in BEATS.into_iter().enumerate() {
        let part = |parts: usize| plan.events * parts / (2 * (BEATS.len() + 1));
        posting.allow(part(2 * n + 2));
        posting.until(part(2 * n + 1)).await;
        match beat {
            Beat::Kill(which) => doors.kill(which).await?,
            Beat::Postgres(signal) => postgres.restart(signal).await?,
        }
        fallen.extend(doors.fallen());
    }
    posting.allow(plan.events);
    let posted = posting.end().await;
    println!("    {:>4.0} s: all answered, {} tries were not", began.elapsed().as_secs_f64(), posted.tries_lost);

    apps.iter().filter(|app| app.ends_well()).for_each(App::mend);
    let mut db = postgres.connect(DATABASE).await?;
    mend::until_done(&doors.running, &mut db, &apps, plan.patience).await?;
    println!("    {:>4.0} s: settled", began.elapsed().as_secs_f64());
    fallen.extend(doors.fallen());
    findings(&doors, &mut db, &webhooks, &apps, &posted, &fallen).await
}

async fn findings(
    doors: &Doors<'_>,
    db: &mut sqlx::PgConnection,
    webhooks: &[Webhook],
    apps: &[App],
    posted: &Posted,
    fallen: &[String],
) -> Result<Vec<Finding>, Failure> {
    let books = ledger::read(db, posted, apps).await?;
    println!("    {}", books.said);
    let told = ledger::told(&mut doors.running[1].api().await?, webhooks).await?;
    let mut seen = app::Seen::default();
    for app in apps {
        app.compare(&books.deliveries, &mut seen);
    }
    println!("    {} requests reached the applications, {} of them again", seen.came, seen.again);
    let mut untried = books.untried.clone();
    untried.extend(apps.iter().filter(|app| app.came() == 0).map(|app| format!("nothing reached {}", app.name())));
    if posted.tries_lost == 0 {
        untried.push("every webhook was answered at once".to_owned());
    }
    let unanswered = webhooks.len().abs_diff(posted.ids.len()) as u64;
    let unstable: Vec<_> = posted.unstable.iter().chain(&books.unstable).chain(&seen.unstable).cloned().collect();
    Ok(vec![
        Finding { found: unanswered, ..Finding::count("chaos_unanswered", 0) },
        Finding::of("chaos_answers_wrong", &posted.wrong),
        Finding::of("chaos_fell_over", fallen),
        Finding::of("chaos_events_lost", &books.lost),
        Finding::count("chaos_events_doubled", books.doubled),
        Finding::count("chaos_events_not_told", told),
        Finding::of("chaos_ids_unstable", &unstable),
        Finding::count("chaos_ledger_imbalance", books.imbalance),
        Finding::count("chaos_deliveries_lost", books.deliveries_lost),
        Finding::count("chaos_deliveries_doubled", books.deliveries_doubled),
        Finding::count("chaos_deliveries_imbalance", books.deliveries_imbalance),
        Finding::count("chaos_deliveries_not_done", books.not_done),
        Finding::count("chaos_deliveries_unexplained", books.unexplained),
        Finding::count("chaos_attempts_missing", books.attempts_missing),
        Finding::of("chaos_done_but_not_come", &seen.not_come),
        Finding::of("chaos_altered_or_unsigned", &seen.altered),
        Finding::of("chaos_untried", &untried),
    ])
}
