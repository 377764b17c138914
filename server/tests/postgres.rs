//! The embedded Postgres: its data survives, its process does not.
//!
//! What ends a server is tested with a second process, which is this test binary again, running [`holder`] alone.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use server::postgres::{EmbeddedPostgres, Error, Settings};
use sqlx::{Connection as _, PgConnection, Row as _};
use tempfile::TempDir;

/// Set for the second process: the data directory on which it shall hold a Postgres until it is killed.
const HOLD: &str = "LINEWATCH_TEST_HOLD_POSTGRES";

/// A directory that other users can pass through, unlike those of `tempfile`.
fn open_dir() -> TempDir {
    tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o755)).tempdir().expect("a directory")
}

fn settings(data_dir: &Path) -> Settings {
    Settings {
        data_dir: data_dir.join("linewatch"),
        fsync: false,
        fallback: data_dir.join("var"),
        ..Settings::default()
    }
}

async fn start(settings: &Settings) -> EmbeddedPostgres {
    EmbeddedPostgres::start(settings).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn write_row(url: &str) {
    let mut client = PgConnection::connect(url).await.expect("a connection");
    let sql = "create table if not exists kept (it text); insert into kept values ('kept')";
    sqlx::raw_sql(sql).execute(&mut client).await.expect("a row written");
}

async fn count_rows(url: &str) -> i64 {
    let mut client = PgConnection::connect(url).await.expect("a connection");
    sqlx::query("select count(*) from kept").fetch_one(&mut client).await.expect("a count").get(0)
}

fn postmaster(data_dir: &Path) -> PathBuf {
    let text = std::fs::read_to_string(data_dir.join("postmaster.pid")).expect("a postmaster.pid");
    Path::new("/proc").join(text.lines().next().expect("its first line"))
}

/// Whether it runs. One that has ended may stay in the table until its new parent looks.
fn runs(process: &Path) -> bool {
    std::fs::read_link(process.join("exe")).is_ok()
}

fn root() -> bool {
    std::fs::metadata("/proc/self").expect("ourselves").uid() == 0
}

#[tokio::test]
async fn data_and_address_survive_a_restart() {
    let dir = open_dir();
    let settings = settings(dir.path());
    let first = start(&settings).await;
    let (url, process) = (first.url().to_owned(), postmaster(first.data_dir()));
    write_row(&url).await;
    assert!(
        url.starts_with("postgres://linewatch:") && url.contains("@127.0.0.1:") && url.ends_with("/linewatch"),
        "{url}"
    );
    let password = url.split(&[':', '@'][..]).nth(2).expect("a password");
    assert!(!format!("{first:?}").contains(password));
    first.stop().await.expect("stopped");
    assert!(!runs(&process));

    let second = start(&settings).await;
    assert_eq!(second.url(), url);
    assert_eq!(count_rows(&url).await, 1);
    second.stop().await.expect("stopped");
}

#[tokio::test]
async fn only_its_role_comes_in_and_secrets_are_ours_alone() {
    let dir = open_dir();
    let settings = settings(dir.path());
    let embedded = start(&settings).await;
    let wrong = embedded.url().replace("linewatch:", "linewatch:0");
    assert!(PgConnection::connect(&wrong).await.is_err(), "a wrong password");
    let superuser = embedded.url().replace("linewatch:", "postgres:");
    assert!(PgConnection::connect(&superuser).await.is_err(), "the superuser");

    let mut client = PgConnection::connect(embedded.url()).await.expect("a connection");
    let row = sqlx::query("select current_setting('is_superuser'), current_setting('listen_addresses')");
    let row = row.fetch_one(&mut client).await.expect("settings");
    assert_eq!((row.get(0), row.get(1)), ("off", "127.0.0.1"));
    sqlx::raw_sql("create extension pg_trgm").execute(&mut client).await.expect("pg_trgm");

    let home = embedded.data_dir().parent().expect("a parent");
    for secret in ["password", "port", "server.log", "lock"] {
        let mode = std::fs::metadata(home.join(secret)).expect("a file").mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    assert_eq!(std::fs::metadata(home.join("socket")).expect("a directory").mode() & 0o777, 0o700);
    assert_eq!(std::fs::read_dir(home.join("socket")).expect("a directory").count(), 2, "a socket and its lock");
    if root() {
        assert_ne!(std::fs::metadata(postmaster(embedded.data_dir())).expect("a process").uid(), 0);
    }
    embedded.stop().await.expect("stopped");
}

#[tokio::test]
async fn a_second_linewatch_is_told_what_to_do() {
    let dir = open_dir();
    let settings = settings(dir.path());
    let first = start(&settings).await;
    let error = EmbeddedPostgres::start(&settings).await.expect_err("one at a time");
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    assert!(error.to_string().contains("DATABASE_URL"), "{error}");
    assert!(matches!(EmbeddedPostgres::erase(&settings).await, Err(Error::InUse { .. })));
    first.stop().await.expect("stopped");

    EmbeddedPostgres::erase(&settings).await.expect("erased");
    let fresh = start(&settings).await;
    let mut client = PgConnection::connect(fresh.url()).await.expect("a connection");
    assert!(sqlx::query("select * from kept").execute(&mut client).await.is_err(), "nothing is left");
    fresh.stop().await.expect("stopped");
}

#[tokio::test]
async fn dropping_stops_it_and_its_end_is_noticed() {
    let dir = open_dir();
    let settings = settings(dir.path());
    let embedded = start(&settings).await;
    let process = postmaster(embedded.data_dir());
    drop(embedded);
    until_gone(&process).await;

    let embedded = until_free(&settings).await;
    let pid = postmaster(embedded.data_dir());
    let pid = pid.file_name().expect("a number").to_string_lossy().into_owned();
    assert!(Command::new("kill").args(["-QUIT", &pid]).status().expect("kill").success());
    tokio::time::timeout(Duration::from_secs(5), embedded.ended()).await.expect("noticed");
    embedded.stop().await.expect("nothing to stop");
}

#[tokio::test]
async fn a_lost_password_is_replaced_and_an_unfinished_cluster_made_again() {
    let dir = open_dir();
    let settings = settings(dir.path());
    let home = settings.data_dir.join("postgres");
    std::fs::create_dir_all(home.join("data.new/base")).expect("a cluster that was never finished");
    let first = start(&settings).await;
    let url = first.url().to_owned();
    write_row(&url).await;
    first.stop().await.expect("stopped");

    std::fs::remove_file(home.join("password")).expect("removed");
    let second = start(&settings).await;
    assert_ne!(second.url(), url);
    assert_eq!(count_rows(second.url()).await, 1);
    second.stop().await.expect("stopped");
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let dir = open_dir();
    let mut settings = settings(dir.path());
    settings.bin = Some(dir.path().into());
    let error = EmbeddedPostgres::start(&settings).await.expect_err("no programs there");
    assert!(matches!(error, Error::WrongBin { .. }), "{error}");

    settings.bin = None;
    settings.start_timeout = Duration::ZERO;
    let error = EmbeddedPostgres::start(&settings).await.expect_err("no time");
    assert!(matches!(error, Error::NotReady { .. }), "{error}");

    settings.start_timeout = Settings::default().start_timeout;
    let data = settings.data_dir.join("postgres/data");
    std::fs::write(data.join("PG_VERSION"), "9\n").expect("written");
    let error = EmbeddedPostgres::start(&settings).await.expect_err("too old");
    assert!(matches!(error, Error::WrongMajor { found: 9, .. }), "{error}");
}

#[tokio::test]
async fn a_taken_port_is_left_to_who_has_it() {
    let dir = open_dir();
    let settings = settings(dir.path());
    let first = start(&settings).await;
    let url = first.url().to_owned();
    first.stop().await.expect("stopped");
    let port = url.rsplit([':', '/']).nth(1).expect("a port").to_owned();
    let taken = std::net::TcpListener::bind(format!("127.0.0.1:{port}")).expect("a free port");
    let second = start(&settings).await;
    assert!(!second.url().contains(&port));
    drop(taken);
    second.stop().await.expect("stopped");
}

/// In the terminal Ctrl-C is for Linewatch alone, which then ends its Postgres when nobody needs it any more.
#[tokio::test]
async fn it_has_a_process_group_of_its_own() {
    let dir = open_dir();
    let embedded = start(&settings(dir.path())).await;
    let process = postmaster(embedded.data_dir());
    let stat = std::fs::read_to_string(process.join("stat")).expect("its state");
    let group = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(2)).expect("its group");
    assert_eq!(process.file_name().expect("a number"), group);
    embedded.stop().await.expect("stopped");
}

#[tokio::test]
async fn it_ends_with_a_killed_linewatch_and_recovers() {
    let dir = open_dir();
    killed_and_recovered(&settings(dir.path()), |_| ()).await;
}

/// As root the server runs as somebody else, so there is a change of user before the tie; as an ordinary user there is none.
#[tokio::test]
async fn an_ordinary_user_has_all_that_too() {
    if !root() {
        return; // then every other test here is that test
    }
    let dir = open_dir();
    let settings = settings(dir.path());
    std::fs::create_dir(&settings.data_dir).expect("a directory");
    std::os::unix::fs::chown(&settings.data_dir, Some(NOBODY), Some(NOBODY)).expect("given to nobody");
    // Root finds nobody's data and goes on with it as nobody.
    killed_and_recovered(&settings, |command| {
        command.uid(NOBODY).gid(NOBODY);
    })
    .await;
    assert_eq!(std::fs::metadata(settings.data_dir.join("postgres/data")).expect("data").uid(), NOBODY);
}

const NOBODY: u32 = 65534;

#[tokio::test]
async fn where_its_user_cannot_go_it_lies_elsewhere() {
    if !root() {
        return; // one's own directories are never out of reach
    }
    let dir = open_dir();
    let settings = settings(dir.path());
    std::fs::create_dir(&settings.data_dir).expect("a directory");
    std::fs::set_permissions(&settings.data_dir, PermissionsExt::from_mode(0o700)).expect("closed");
    let first = start(&settings).await;
    assert!(first.data_dir().starts_with(&settings.fallback));
    write_row(first.url()).await;
    first.stop().await.expect("stopped");

    let second = start(&settings).await;
    assert_eq!(count_rows(second.url()).await, 1, "found again");
    second.stop().await.expect("stopped");

    std::fs::remove_dir_all(&settings.data_dir).expect("removed");
    std::fs::create_dir(&settings.data_dir).expect("a directory");
    std::fs::set_permissions(&settings.data_dir, PermissionsExt::from_mode(0o700)).expect("closed");
    let third = start(&settings).await;
    let mut client = PgConnection::connect(third.url()).await.expect("a connection");
    assert!(sqlx::query("select * from kept").execute(&mut client).await.is_err(), "new data directory, new data");
    third.stop().await.expect("stopped");
    EmbeddedPostgres::erase(&settings).await.expect("erased");
    assert_eq!(std::fs::read_dir(&settings.fallback).expect("a directory").count(), 1, "the old one is kept");
}

/// `./.linewatch` is the default: seen from wherever the process is.
#[tokio::test]
async fn a_relative_directory_will_do() {
    let dir = open_dir();
    std::env::set_current_dir(dir.path()).expect("gone there");
    let relative = Settings { data_dir: ".linewatch".into(), ..settings(dir.path()) };
    let embedded = start(&relative).await;
    let lies = dir.path().canonicalize().expect("a path").join(".linewatch/postgres/data");
    assert_eq!(embedded.data_dir(), lies);
    embedded.stop().await.expect("stopped");
}

/// Holds a Postgres in another process, kills that with SIGKILL, and finds the server gone and the data there.
async fn killed_and_recovered(settings: &Settings, how: impl Fn(&mut Command)) {
    let exe = settings.data_dir.with_file_name("holder");
    std::fs::copy(std::env::current_exe().expect("ourselves"), &exe).expect("a copy that everybody can reach");
    for restarted_at_once in [false, true] {
        let mut command = Command::new(&exe);
        command.args(["--exact", "holder", "--nocapture"]).env(HOLD, &settings.data_dir).stdout(Stdio::piped());
        how(&mut command);
        let mut child = Killed(command.spawn().expect("a second process"));
        let lines = BufReader::new(child.0.stdout.take().expect("its words")).lines().map_while(Result::ok);
        let held = lines.filter_map(|line| line.split_once("holding ").map(|it| it.1.to_owned()));
        let held: Vec<String> = held.take(2).collect();
        let [url, data_dir] = &held[..] else { panic!("the second process has no Postgres: {held:?}") };
        let process = postmaster(Path::new(data_dir));
        assert!(runs(&process));
        write_row(url).await;

        child.0.kill().expect("killed");
        child.0.wait().expect("waited for");
        if !restarted_at_once {
            until_gone(&process).await;
        }
        let again = start(settings).await;
        assert!(!runs(&process), "the server ends with its Linewatch");
        assert_eq!(again.url(), url);
        assert_eq!(count_rows(url).await, if restarted_at_once { 2 } else { 1 });
        again.stop().await.expect("stopped");
    }
}

/// A second process that does not outlive a failed test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Not a test by itself: what the second process runs.
#[tokio::test]
async fn holder() {
    let Some(data_dir) = std::env::var_os(HOLD).map(PathBuf::from) else { return };
    let embedded = start(&Settings { data_dir, fsync: false, ..Settings::default() }).await;
    println!("holding {}\nholding {}", embedded.url(), embedded.data_dir().display());
    std::future::pending::<()>().await;
}

async fn until_gone(process: &Path) {
    let began = Instant::now();
    while runs(process) {
        assert!(began.elapsed() < Duration::from_secs(2), "{} is still there", process.display());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The lock is given back just after the server has ended.
async fn until_free(settings: &Settings) -> EmbeddedPostgres {
    let began = Instant::now();
    loop {
        match EmbeddedPostgres::start(settings).await {
            Err(Error::InUse { .. }) if began.elapsed() < Duration::from_secs(2) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            started => return started.unwrap_or_else(|error| panic!("{error}")),
        }
    }
}
