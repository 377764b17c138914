//! `linewatch demo`, as the binary does it: what it says, what survives, and what does not.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A running demo, ended with the test.
struct Demo {
    child: Child,
    ready: Value,
    rest: Option<JoinHandle<Vec<String>>>,
}

impl Demo {
    fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        let mut child = command(data_dir).args(["--json", "--port", "0"]).args(arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.next().expect("a ready line").unwrap();
        let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect());
        Self { child, ready: serde_json::from_str(&ready).unwrap(), rest: Some(rest) }
    }

    fn is(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.ready))
    }

    async fn get(&self, path: &str) -> Value {
        let caller = crate::caller::Caller::new(self.is("url"))
            .with("authorization", &format!("Bearer {}", self.is("api_token")));
        caller.get(path).await.json()
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let caller = crate::caller::Caller::new(self.is("url"))
            .with("authorization", &format!("Bearer {}", self.is("api_token")));
        let answer = caller.json(method, path, body).await;
        assert!(matches!(answer.status, 200..=299), "{answer:?}");
        answer.json()
    }

    /// Something happens at a customer's.
    async fn act(&self, key: &Value, action: &str) {
        let makini = crate::caller::Caller::new(self.is("simulator_url"));
        let path = format!("/_sim/connections/{}/actions", key.as_str().unwrap());
        let answer = makini.json("POST", &path, json!({ "action": action })).await;
        assert!(matches!(answer.status, 200..=299), "{answer:?}");
    }

    /// The newest mail of which this is so, as soon as it was caught.
    async fn caught(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let catcher = crate::caller::Caller::new(self.is("mail_url"));
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(40) {
            let list = catcher.get("/mails").await.json();
            for row in list["items"].as_array().unwrap() {
                let mail = catcher.get(&format!("/mails/{}", row["id"].as_str().unwrap())).await.json();
                if is(&mail) {
                    return mail;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{what} was not caught");
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    fn end(mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let rest = self.rest.take().unwrap().join().unwrap();
                assert!(rest.is_empty(), "nothing else on standard output: {rest:?}");
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linewatch"));
    command
        .arg("demo")
        .args(["--connections", "7", "--story", "off"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs(std::env::var_os("LINEWATCH_POSTGRES_BIN").map(|bin| ("LINEWATCH_POSTGRES_BIN", bin)));
    command.env("LINEWATCH_DATA_DIR", data_dir).env("LINEWATCH_LOG_FILTER", "warn");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The postmaster of this demo, as /proc knows it.
fn postmaster(data_dir: &Path) -> PathBuf {
    let pid = std::fs::read_to_string(data_dir.join("postgres/data/postmaster.pid")).expect("a postmaster.pid");
    Path::new("/proc").join(pid.lines().next().unwrap())
}

#[tokio::test]
async fn survives_and_leaves_nothing_behind() {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o755)).tempdir().unwrap();
    let data_dir = dir.path().join("demo");
    let demo = Demo::start(&data_dir, &[]);
    for name in ["url", "email", "password", "api_token", "simulator_url", "webhook_url", "webhook_secret", "mail_url"]
    {
        assert!(!demo.is(name).is_empty());
    }
    let listed = demo.get("/api/v1/connections").await;
    assert_eq!(listed["matching"], 7, "{listed}");
    let sources = demo.get("/api/v1/sources").await;
    assert_eq!((sources["items"].as_array().unwrap().len(), &sources["items"][0]["name"]), (1, &Value::from("demo")));
    for name in [
        ".linewatch-demo",
        "master-key",
        "admin-password",
        "api-token",
        "port",
        "simulator-port",
        "mail-port",
        "mail-page-port",
    ] {
        let mode = std::fs::metadata(data_dir.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }

    // Killed, its Postgres goes too; started again, everything is as it was.
    let (ready, server) = (demo.ready.clone(), postmaster(&data_dir));
    demo.signal("-KILL");
    demo.end();
    let again = Demo::start(&data_dir, &[]);
    assert!(!server.exists(), "the Postgres of a killed demo is gone");
    assert_eq!(again.ready, ready);
    assert_eq!(again.get("/api/v1/connections").await["items"][0]["id"], listed["items"][0]["id"]);

    // Asked to end, it does, and says that all went well.
    let server = postmaster(&data_dir);
    again.signal("-INT");
    assert!(again.end().success());
    assert!(!server.exists());

    let fresh = Demo::start(&data_dir, &["--fresh"]);
    assert_ne!(fresh.is("api_token"), ready["api_token"]);
    assert_ne!(fresh.get("/api/v1/connections").await["items"][0]["id"], listed["items"][0]["id"]);
    fresh.signal("-TERM");
    assert!(fresh.end().success());
}

fn header<'a>(mail: &'a Value, name: &str) -> Option<&'a str> {
    let mut headers = mail["headers"].as_array().unwrap().iter();
    headers.find(|header| header["name"] == name).and_then(|header| header["value"].as_str())
}

#[tokio::test]
async fn what_is_told_by_mail_is_caught() {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o755)).tempdir().unwrap();
    let demo = Demo::start(&dir.path().join("demo"), &[]);
    let channels = demo.get("/api/v1/channels").await;
    let (channel, routes) = (&channels["items"][0], demo.get("/api/v1/routes").await);
    assert_eq!((channels["items"].as_array().unwrap().len(), &channel["kind"]), (1, &json!("email")), "{channels}");
    assert_eq!(routes["items"][0]["channels"], json!([channel["id"]]), "{routes}");

    // A sample says all of it twice, as text and as HTML.
    let path = format!("/api/v1/channels/{}/test", channel["id"].as_str().unwrap());
    assert_eq!(demo.send("POST", &path, json!({})).await["state"], "sent");
    let sample = demo.caught("the sample", |mail| mail["subject"].as_str().unwrap().starts_with("[Test] ")).await;
    assert_eq!(sample["to"], json!(["support@example.com"]));
    for (part, name) in [("text", "Sample & Sons"), ("html", "Sample &amp; Sons")] {
        assert!(sample[part].as_str().unwrap().contains(name), "{sample}");
    }
    assert_eq!(header(&sample, "Auto-Submitted"), Some("auto-generated"), "{sample}");
    assert!(header(&sample, "List-Id").unwrap().starts_with("Mail catcher <"), "{sample}");

    // A firing and its recovery are one thread.
    let rules = demo.get("/api/v1/rules").await;
    let rule = rules["items"].as_array().unwrap().iter().find(|rule| rule["name"] == "A customer must sign in again");
    let path = format!("/api/v1/rules/{}", rule.unwrap()["id"].as_str().unwrap());
    demo.send("PATCH", &path, json!({ "hold_seconds": 0 })).await;
    let victim = demo.get("/api/v1/connections").await["items"][0].clone();
    let link = format!("{}/connections/{}", demo.is("url"), victim["id"].as_str().unwrap());
    let about = |mail: &Value| mail["text"].as_str().unwrap().contains(&link);
    demo.act(&victim["key"], "change_credentials").await;
    let first = demo.caught("the firing", about).await;
    let acknowledge = format!("Acknowledge: {}/a/", demo.is("url"));
    assert!(first["text"].as_str().unwrap().contains(&acknowledge), "{first}");
    let root = header(&first, "Message-ID");
    assert!(root.is_some() && header(&first, "In-Reply-To").is_none(), "{first}");
    demo.act(&victim["key"], "reconnect").await;
    let next = demo.caught("the recovery", |mail| about(mail) && header(mail, "In-Reply-To") == root).await;
    assert_eq!((header(&next, "References"), header(&next, "Message-ID") == root), (root, false), "{next}");
    assert!(next["subject"].as_str().unwrap().starts_with("[Over] "), "{next}");
    demo.signal("-TERM");
    assert!(demo.end().success());
}

#[test]
fn throws_nothing_away_that_is_not_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let precious = dir.path().join("precious");
    std::fs::write(&precious, "not the demo's").unwrap();
    let mut child = command(dir.path()).args(["--port", "0", "--fresh"]).spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("not the demo's"), "{said}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    assert!(precious.exists());
}
