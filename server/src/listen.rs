//! Accepts connections and answers on them, until it is time to stop.
//!
//! What `axum::serve` does, with two things more: who does not send a request in time is cut off, so that idle and slow
//! connections cannot be collected against us; and a hard stop ends what a soft one waits for.

use crate::lifecycle::Lifecycle;
use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use std::{net::SocketAddr, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

/// How long a connection may wait for its next request: longer than load balancers keep theirs, which is a minute.
const IDLE: Duration = Duration::from_secs(75);
/// Bytes of one connection that may be read before anybody asks for them: room for the largest head, and no more.
const READ_AHEAD: usize = 64 << 10;

/// Serves until the soft stop, then until every request under way is answered.
pub async fn serve(listener: TcpListener, router: Router, life: Lifecycle) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = life.soft.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, watcher, hard) = (router.clone(), graceful.watcher(), life.hard.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = hard.cancelled() => {}
                        () = answer(stream, peer, router, watcher) => {}
                    }
                });
            }
            Err(error) => {
                // Most often no file descriptor is left: others have to end first.
                tracing::warn!(%error, "a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn answer(stream: TcpStream, peer: SocketAddr, router: Router, watcher: Watcher) {
    let _ = stream.set_nodelay(true);
    let service = router.map_request(move |request: axum::http::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(READ_AHEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, "a connection broke off: {error}");
    }
}
