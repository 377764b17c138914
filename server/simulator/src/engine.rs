//! The task that moves the world: does what is due, sends what is to be sent, sleeps until the next thing.

use crate::clock::{self, between};
use crate::outbox::{Attempt, Send};
use crate::shared::Shared;
use reqwest::redirect::Policy;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A receiver has this long to answer, in real time.
const TIME_OUT: Duration = Duration::from_secs(10);
/// Looks at the clock at least this often, in case it was set.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// And at most this often: what falls due in between is done together.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);

/// The client that webhooks go out by.
pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
    // Somebody in the process may have chosen a provider before; theirs is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        reqwest::Client::builder().user_agent("Makini-Webhooks/1").timeout(TIME_OUT).redirect(Policy::none()).no_proxy()
    };
    // A machine without CA certificates can still send to loopback, which is all that a demo needs.
    builder().build().or_else(|_| builder().tls_certs_only([]).build())
}

/// Runs until stopped. What is under way then is cut off; it stays pending and is sent again another time.
pub(crate) async fn run(shared: Shared, client: reqwest::Client, stop: CancellationToken) {
    let mut sending = JoinSet::new();
    loop {
        let (sends, next) = shared.advance();
        for send in sends {
            sending.spawn(deliver(shared.clone(), client.clone(), send));
        }
        let now = clock::now();
        let wait = next.map_or(LONGEST_SLEEP, |due| between(now, due)).clamp(SHORTEST_SLEEP, LONGEST_SLEEP);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shared.woken() => {}
            () = stop.cancelled() => return,
        }
        while sending.try_join_next().is_some() {}
    }
}

async fn deliver(shared: Shared, client: reqwest::Client, send: Send) {
    let (at, started) = (clock::now(), Instant::now());
    let request = client
        .post(&send.url)
        .header("content-type", "application/json")
        .header("x-webhook-signature", &send.signature)
        .body(send.body.as_bytes().to_vec());
    let (status, error) = match request.send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            // Read to its end, so that the connection can be used again.
            let _ = answer.bytes().await;
            (Some(status), (status != 200).then(|| format!("answered {status}, not 200")))
        }
        Err(error) => (None, Some(describe(&error))),
    };
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let attempt = Attempt { at, status, error, duration_ms };
    shared.change(|world, now| world.attempted(send.delivery, attempt, now));
}

fn describe(error: &reqwest::Error) -> String {
    match () {
        () if error.is_timeout() => "no answer within 10 s".to_owned(),
        () if error.is_connect() => "could not connect".to_owned(),
        () if error.is_builder() => "the webhook URL is not one".to_owned(),
        () => "the connection broke".to_owned(),
    }
}
