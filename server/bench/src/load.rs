//! The load generator: own connections, kept open, each webhook signed as it is sent.
//!
//! A closed loop sends the next request when the last one is answered: it finds the rate. An open loop sends each request when
//! it is due, whatever became of those before, and counts its time from when it was due: so that a stall is felt by everybody
//! who would have come meanwhile, and not by one.

use crate::Failure;
use crate::webhook::{SIGNATURE, Stream};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections of the open loop: more than are ever busy, unless the door is far behind.
const OPEN_CONNECTIONS: usize = 256;
/// How long after the last request was due the open loop waits for answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where to send, and what.
#[derive(Clone)]
pub struct Target {
    /// A webhook door.
    pub address: SocketAddr,
    /// The door's path.
    pub path: &'static str,
    /// What to send.
    pub stream: Arc<Stream>,
}

/// What a load did.
pub struct Done {
    /// How long each request took: in a closed loop since it was sent, in an open one since it was due.
    pub times: Vec<Duration>,
    /// From the first request to the last answer.
    pub took: Duration,
    /// How late the generator itself sent, at worst: part of `times` in an open loop.
    pub lag: Duration,
}

impl Done {
    /// Requests answered a second.
    #[expect(clippy::cast_precision_loss, reason = "not that many")]
    pub fn rate(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }
}

/// Keeps so many connections busy for so long.
pub async fn closed(target: &Target, connections: usize, lasts: Duration) -> Result<Done, Failure> {
    let mut tasks = JoinSet::new();
    let mut senders = Vec::with_capacity(connections);
    for _ in 0..connections {
        senders.push(Sender::open(target.clone()).await?);
    }
    let began = Instant::now();
    for mut sender in senders {
        tasks.spawn(async move {
            let mut times = Vec::new();
            while began.elapsed() < lasts {
                let sent = Instant::now();
                sender.send().await?;
                times.push(sent.elapsed());
            }
            Ok(times)
        });
    }
    gather(tasks, began, Duration::ZERO).await
}

/// Sends so many a second for so long, each when it is due.
pub async fn open(target: &Target, rate: u32, lasts: Duration) -> Result<Done, Failure> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands")]
    let all = (f64::from(rate) * lasts.as_secs_f64()) as u64;
    let every = Duration::from_secs(1) / rate;
    let (due, next, lag) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut senders = Vec::with_capacity(OPEN_CONNECTIONS);
    for _ in 0..OPEN_CONNECTIONS {
        senders.push(Sender::open(target.clone()).await?);
    }
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for mut sender in senders {
        let (due, next, lag) = (Arc::clone(&due), Arc::clone(&next), Arc::clone(&lag));
        tasks.spawn(async move {
            let mut times = Vec::new();
            // closed, once every request has been handed out
            while let Ok(permit) = due.acquire().await {
                permit.forget();
                let n = next.fetch_add(1, Ordering::Relaxed);
                let was_due = began + every.mul_f64(n as f64);
                let late = u64::try_from(was_due.elapsed().as_micros()).unwrap_or(u64::MAX);
                lag.fetch_max(late, Ordering::Relaxed);
                sender.send().await?;
                times.push(was_due.elapsed());
                if n + 1 == all {
                    due.close();
                }
            }
            Ok(times)
        });
    }
    // A thread of its own: timers of the runtime are good to a millisecond only.
    let pacer = std::thread::spawn(move || {
        let mut handed = 0;
        while handed < all && !due.is_closed() {
            #[expect(clippy::cast_possible_truncation, reason = "bounded by the length of the run")]
            let by_now = ((began.elapsed().as_nanos() / every.as_nanos()) as u64 + 1).min(all);
            due.add_permits(usize::try_from(by_now - handed).unwrap_or(0));
            handed = by_now;
            let next_due = began + every.mul_f64(handed as f64);
            std::thread::sleep(next_due.saturating_duration_since(Instant::now()));
        }
    });
    let done = tokio::time::timeout(lasts + PATIENCE, gather(tasks, began, Duration::ZERO)).await;
    let mut done =
        done.unwrap_or_else(|_| Err(format!("{rate}/s were not answered within {PATIENCE:?} of the last").into()))?;
    drop(pacer.join());
    done.lag = Duration::from_micros(lag.load(Ordering::Relaxed));
    Ok(done)
}

async fn gather(
    mut tasks: JoinSet<Result<Vec<Duration>, Failure>>,
    began: Instant,
    lag: Duration,
) -> Result<Done, Failure> {
    let mut times = Vec::new();
    while let Some(sent) = tasks.join_next().await {
        times.extend(sent??);
    }
    if times.is_empty() {
        return Err("nothing was answered".into());
    }
    Ok(Done { times, took: began.elapsed(), lag })
}

/// Sends just these, each once, over so many connections.
pub async fn send_all(
    address: SocketAddr,
    path: &'static str,
    webhooks: Vec<(Bytes, String)>,
    connections: usize,
) -> Result<(), Failure> {
    let target = Target { address, path, stream: Arc::new(Stream::about(vec![String::new()])) };
    let left = Arc::new(std::sync::Mutex::new(webhooks));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let (mut sender, left) = (Sender::open(target.clone()).await?, Arc::clone(&left));
        tasks.spawn(async move {
            loop {
                let next = left.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
                let Some(next) = next else { return Ok::<_, Failure>(()) };
                sender.send_this(next).await?;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// One connection to a door.
struct Sender {
    send: SendRequest<Full<Bytes>>,
    target: Target,
    host: String,
}

impl Sender {
    async fn open(target: Target) -> Result<Self, Failure> {
        let stream = TcpStream::connect(target.address).await?;
        stream.set_nodelay(true)?;
        let (send, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let host = target.address.to_string();
        Ok(Self { send, target, host })
    }

    /// Sends one webhook. Whatever is not taken as new and durable ends the measurement: a refusal is quickly said.
    async fn send(&mut self) -> Result<(), Failure> {
        self.send_this(self.target.stream.take()).await
    }

    async fn send_this(&mut self, (body, signature): (Bytes, String)) -> Result<(), Failure> {
        let request = Request::post(self.target.path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(SIGNATURE, signature)
            .body(Full::new(body))?;
        self.send.ready().await?;
        let answer = self.send.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        let new = body.windows(17).any(|part| part == br#""duplicate":false"#);
        if status == StatusCode::OK && new {
            return Ok(());
        }
        Err(format!("a webhook was answered {status}: {}", String::from_utf8_lossy(&body)).into())
    }
}
