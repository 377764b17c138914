//! A Linewatch that is measured: the binary itself, told everything by its environment, asked over HTTP.

use crate::Failure;
use crate::postgres::free_port;
use crate::process::{Process, tied};
use crate::webhook::SECRET;
use crate::wire::Wire;
use base64::Engine as _;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// How long it may take to become ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// Whom the bench signs in as, and with what.
pub const EMAIL: &str = "bench@localhost";
/// The password.
pub const PASSWORD: &str = "only for the time of a bench";
const TOKEN: &str = "lw_bench_0123456789abcdef";
/// The name of the source that sends webhooks.
pub const SOURCE: &str = "bench";

/// The programs that are measured.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The binary.
    pub linewatch: PathBuf,
    /// The binary that `make demo` runs.
    pub demo: PathBuf,
    /// The built site.
    pub site: PathBuf,
}

/// A running `linewatch serve`.
pub struct Linewatch {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start until `/readyz` said 200.
    pub ready_after: Duration,
}

impl Linewatch {
    /// Starts one on this database and waits until it is ready. Its log goes to a file in `dir`, as it is by default.
    pub async fn serve(programs: &Programs, dir: &Path, database_url: &str) -> Result<Self, Failure> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Self::serve_at(address, programs, dir, database_url).await
    }

    /// The same at an address where nobody listens.
    pub async fn serve_at(
        address: SocketAddr,
        programs: &Programs,
        dir: &Path,
        database_url: &str,
    ) -> Result<Self, Failure> {
        let mut command = tied(&programs.linewatch, "TERM", &[]);
        command.arg("serve").envs([("DATABASE_URL", database_url), ("PORT", &address.port().to_string())]);
        command.env("LINEWATCH_DATA_DIR", dir.join("data")).env("LEPTOS_SITE_ROOT", &programs.site);
        command.env("LINEWATCH_SECRETS_KEY", base64::engine::general_purpose::STANDARD.encode([7_u8; 32]));
        command.env("LINEWATCH_OUTBOUND_ALLOW", "127.0.0.0/8");
        command.env("LINEWATCH_AUTH_EMAIL", EMAIL).env("LINEWATCH_AUTH_PASSWORD", PASSWORD);
        command.env("LINEWATCH_AUTH_API_TOKEN", TOKEN).stdout(Stdio::null());
        let began = Instant::now();
        let mut process = Process::start("linewatch serve", command, &dir.join("linewatch.log"))?;
        while !is_ready(address).await {
            process.must_run()?;
            if began.elapsed() > PATIENCE {
                let words = process.last_words();
                return Err(format!("linewatch serve was not ready after {} s.\n{words}", PATIENCE.as_secs()).into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(Self { process, address, ready_after: began.elapsed() })
    }

    /// A connection that asks as a machine does, with the API token.
    pub async fn api(&self) -> Result<Wire, Failure> {
        Ok(Wire::open(self.address).await?.with(header::AUTHORIZATION, &format!("Bearer {TOKEN}")))
    }

    /// A connection that asks as a browser does, signed in.
    pub async fn browser(&self) -> Result<Wire, Failure> {
        let mut wire = Wire::open(self.address).await?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("email", EMAIL)
            .append_pair("password", PASSWORD)
            .finish();
        let form = Some(("application/x-www-form-urlencoded", Bytes::from(form)));
        let answer = wire.ask(Method::POST, "/login", form).await?.expect(StatusCode::SEE_OTHER)?;
        let cookies = answer.headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
        let cookies: Vec<_> = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
        Ok(wire.with(header::COOKIE, &cookies.join("; ")).with(header::ACCEPT, "text/html"))
    }

    /// Adds a source; `settings` are those of the API.
    pub async fn add_source(&self, name: &str, base_url: &str, settings: Value) -> Result<Value, Failure> {
        let mut source = json!({
            "name": name, "base_url": base_url, "client_id": "linewatch-demo", "client_secret": "only-for-the-time-of-a-bench",
            "webhook_secret": SECRET, "token_ownership": "linewatch",
        });
        if let (Some(source), Some(settings)) = (source.as_object_mut(), settings.as_object()) {
            source.extend(settings.clone());
        }
        self.api().await?.send(Method::POST, "/api/v1/sources", &source).await
    }

    /// Ends it in order.
    pub async fn stop(self) -> Result<(), Failure> {
        self.process.stop(Signal::SIGTERM).await
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut wire) = Wire::open(address).await else { return false };
    wire.ask(Method::GET, "/readyz", None).await.is_ok_and(|answer| answer.status == StatusCode::OK)
}

/// A running `linewatch simulate`: a pretend Makini in which nothing happens by itself.
pub struct Simulator {
    /// The process; it ends with this.
    _process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Simulator {
    /// Starts one with so many connections, whose durations pass as in life.
    pub async fn start(programs: &Programs, dir: &Path, connections: u32) -> Result<Self, Failure> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = tied(&programs.linewatch, "TERM", &[]);
        command.arg("simulate").arg("--listen").arg(address.to_string());
        command.args(["--story", "off", "--time-scale", "1", "--connections", &connections.to_string()]);
        command.stdout(Stdio::piped());
        let mut process = Process::start("linewatch simulate", command, &dir.join("simulator.log"))?;
        let mut lines = BufReader::new(process.stdout()?).lines();
        let said = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        if !matches!(said, Ok(Ok(Some(_)))) {
            return Err(format!("linewatch simulate is not ready.\n{}", process.last_words()).into());
        }
        // it says another line, and must find somebody who hears it
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { _process: process, address })
    }

    /// Adds it as a source: with its own client's secret, which everybody knows, so that this Linewatch cannot be started again.
    pub async fn is_source_of(&self, linewatch: &Linewatch, mut settings: Value) -> Result<Value, Failure> {
        settings["client_secret"] = json!("linewatch-demo-secret");
        settings["rate_per_minute"] = json!(60_000);
        linewatch.add_source(SOURCE, &format!("http://{}", self.address), settings).await
    }
}
