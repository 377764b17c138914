//! A `linewatch serve` that is killed without warning, and started again.

use crate::caller::Caller;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The API token.
const TOKEN: &str = "lw_a-token-for-those-who-are-killed";

/// One place for a process, with or without one in it.
pub struct Linewatch {
    child: Option<Child>,
    url: String,
    database: String,
    mail: String,
    key: String,
    data: PathBuf,
}

impl Linewatch {
    /// A place over this database, with this mail server.
    pub fn new(database: &str, mail: &str, key: &str, data: PathBuf) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        std::fs::create_dir(&data).unwrap();
        let url = format!("http://127.0.0.1:{port}");
        Self { child: None, url, database: database.to_owned(), mail: mail.to_owned(), key: key.to_owned(), data }
    }

    /// Starts a process, if there is none.
    pub fn start(&mut self) {
        if self.child.is_some() {
            return;
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.data.join("stderr.log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_linewatch"))
            .arg("serve")
            .env("DATABASE_URL", &self.database)
            .env("PORT", self.url.rsplit(':').next().unwrap())
            .env("LINEWATCH_SECRETS_KEY", &self.key)
            .env("LINEWATCH_AUTH_PASSWORD", "a password of this test")
            .env("LINEWATCH_AUTH_API_TOKEN", TOKEN)
            .env("LINEWATCH_DATA_DIR", &self.data)
            .env("LINEWATCH_OUTBOUND_ALLOW", "127.0.0.0/8")
            .env("LINEWATCH_PUBLIC_URL", "http://linewatch.example")
            .env("LINEWATCH_MAIL_URL", &self.mail)
            .env("LINEWATCH_MAIL_FROM", "Linewatch <linewatch@example.com>")
            .env("LINEWATCH_LOG_FILTER", "warn")
            // what breaks here breaks one by one, and is told one by one
            .env("LINEWATCH_OUTAGE_AT_LEAST", "100000")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("linewatch starts"));
    }

    /// Waits until it is ready.
    pub async fn ready(&self) {
        let began = Instant::now();
        while !self.answers("/readyz").await {
            let log = || std::fs::read_to_string(self.data.join("stderr.log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(40), "linewatch did not become ready:\n{}", log());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn answers(&self, path: &str) -> bool {
        let request = self.caller().request("GET", path);
        request.send().await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Ends it without warning, if it runs.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// A machine that asks it.
    pub fn caller(&self) -> Caller {
        Caller::new(&self.url).with("authorization", &format!("Bearer {TOKEN}"))
    }
}

impl Drop for Linewatch {
    fn drop(&mut self) {
        self.kill();
    }
}
