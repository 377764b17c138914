//! Somebody who is sent to: counts what arrives, notes when, and answers what it is told to.

use crate::Failure;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// One request that arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// How long after the moment that its body names in `timestamp`; zero where it names none.
    pub after: Duration,
}

/// A server on loopback. Ends with this.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _serving: AbortOnDropHandle<()>,
}

struct Shared {
    answers: AtomicU16,
    arrivals: Mutex<Vec<Arrival>>,
}

impl Receiver {
    /// Starts one that answers 200.
    pub async fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let shared = Arc::new(Shared { answers: AtomicU16::new(200), arrivals: Mutex::default() });
        let router = Router::new().fallback(take).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, shared, _serving: AbortOnDropHandle::new(serving) })
    }

    /// How many requests arrived.
    pub fn count(&self) -> usize {
        self.shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What arrived since it was last asked.
    pub fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut self.shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers with this status from now on.
    pub fn answer(&self, status: u16) {
        self.shared.answers.store(status, Ordering::Relaxed);
    }

    /// Waits until so many have arrived.
    pub async fn until(&self, count: usize, patience: Duration) -> Result<(), Failure> {
        let began = Instant::now();
        while self.count() < count {
            if began.elapsed() > patience {
                return Err(format!("{} of {count} arrived within {} s", self.count(), patience.as_secs()).into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

async fn take(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    let after = stamp(&body).unwrap_or_default();
    let arrival = Arrival { at: Instant::now(), after };
    shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(arrival);
    StatusCode::from_u16(shared.answers.load(Ordering::Relaxed)).unwrap_or(StatusCode::OK)
}

/// How long ago the moment was that a body names, to the millisecond.
fn stamp(body: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(body).ok()?;
    let at = text.split_once(r#""timestamp":""#)?.1.split_once('"')?.0;
    let at: chrono::DateTime<chrono::Utc> = at.parse().ok()?;
    (crate::webhook::now() - at).to_std().ok()
}
