//! What a lane sends, and what becomes of that.

use super::{Lane, Queued, Sending};
use crate::relay::circuit::Turned;
use crate::relay::send::{Letter, Tried};
use crate::relay::{LIFE, schedule, turn};
use crate::store::delivery::Ended;
use crate::store::delivery_due::Due;
use chrono::{DateTime, Utc};
use model::{Attempt, AttemptOutcome, Sent};
use std::sync::Arc;
use tokio::time::Instant;

impl Lane {
    /// Begins as many sends as may be under way. Says when the next may go, if only the rate holds it back.
    pub(super) fn send_more(&mut self, now: Instant) -> Option<Instant> {
        let time = self.tools.clock.now();
        let allowed = self.circuit.allows(time, self.settings.concurrency);
        while self.sends.len() < allowed {
            let Some(queued) = self.queue.pop_front() else { break };
            if time - queued.due.begun_at >= LIFE {
                let tried = Tried::unsent(time, "too_late", "Not tried within 24 hours");
                self.end(queued.due, tried);
                continue;
            }
            if let Err(at) = self.pace.take(now, self.settings.rate_per_second) {
                self.queue.push_front(queued);
                return Some(at);
            }
            let probe = self.circuit.open().is_some();
            self.under_way.insert(queued.due.id);
            self.sends.push(self.send(queued, probe));
        }
        None
    }

    fn send(&self, queued: Queued, probe: bool) -> Sending {
        let (tools, signer, url) = (self.tools.clone(), self.signer.clone(), self.settings.url.clone());
        Box::pin(async move {
            let Queued { due, content } = queued;
            let gone = |at| Tried::unsent(at, "event_gone", "The event is no longer kept");
            let Some(content) = content else {
                let tried = gone(tools.clock.now());
                return (due, probe, tried);
            };
            let (body, _room) = match content.body {
                Some(body) => (body, None),
                None => {
                    let room = Arc::clone(&tools.large).acquire_owned().await.ok();
                    match turn::large_body(&tools.pool, &due).await {
                        Ok(Some(body)) => (body, room),
                        Ok(None) => {
                            let tried = gone(tools.clock.now());
                            return (due, probe, tried);
                        }
                        Err(error) => {
                            tracing::warn!(%error, "an event could not be read to be forwarded: {error}");
                            let why = "Linewatch could not read the event";
                            let tried = Tried::unsent(tools.clock.now(), "unread", why);
                            return (due, probe, tried);
                        }
                    }
                }
            };
            let letter = Letter { id: due.id, headers: content.headers, body: body.into() };
            let tried = tools.postman.send(&url, &signer, &letter).await;
            (due, probe, tried)
        })
    }

    /// Notes what came of a send, and what that says of the endpoint.
    pub(super) fn note(&mut self, (due, probe, tried): (Due, bool, Tried)) {
        let now = self.tools.clock.now();
        self.sent += 1;
        self.under_way.remove(&due.id);
        if self.settings.ordered {
            // the next of its connection may go
            (self.woken, self.look_at) = (true, Instant::now());
        }
        let turned = match &tried.error {
            None => {
                self.stand.last_ok_at = Some(now);
                self.stand.last_error = None;
                self.circuit.arrived()
            }
            // no fault of the endpoint's
            Some(error) if ["event_gone", "unread"].contains(&error.class.as_str()) => Turned::Nothing,
            Some(error) => {
                self.stand.last_error = Some(error.clone());
                self.circuit.failed(now, probe, rand::random())
            }
        };
        let endpoint = &self.settings.name;
        match turned {
            Turned::Opened => {
                let why = self.stand.last_error.as_ref().map(|error| &error.message);
                metrics::counter!("linewatch_endpoint_opened_total").increment(1);
                tracing::warn!(endpoint, why, "the endpoint “{endpoint}” is not reached; its deliveries wait");
            }
            Turned::Closed => tracing::info!(endpoint, "the endpoint “{endpoint}” is reached again"),
            Turned::Nothing => {}
        }
        self.end(due, tried);
    }

    /// What becomes of a delivery after a try.
    pub(super) fn end(&mut self, due: Due, tried: Tried) {
        let now = self.tools.clock.now();
        let ended = conclude(due, tried, now);
        count(&ended, now);
        self.ended.push(ended);
    }
}

/// What becomes of a delivery after a try: it has arrived, is tried again by its schedule, or has failed.
pub(in crate::relay) fn conclude(due: Due, tried: Tried, now: DateTime<Utc>) -> Ended {
    let failed = u32::try_from(due.attempt).unwrap_or(0) + 1;
    let again_at = match &tried.error {
        None => None,
        Some(error) if tried.is_gone() || error.class == "event_gone" => None,
        Some(_) => schedule::again(due.begun_at, now, failed, tried.wished, rand::random()),
    };
    let outcome = match (&tried.error, again_at) {
        (None, _) => AttemptOutcome::Ok,
        (Some(_), Some(_)) => AttemptOutcome::Retry,
        (Some(_), None) => AttemptOutcome::Failed,
    };
    let attempt = Attempt {
        n: u32::try_from(due.tries).unwrap_or(0) + 1,
        trigger: due.trigger,
        by: due.by_name.clone(),
        started_at: tried.started_at,
        duration_ms: u32::try_from(tried.took.as_millis()).unwrap_or(u32::MAX),
        outcome,
        status: tried.status,
        error: tried.error,
    };
    Ended { due, sent: Sent { attempt, answer: tried.answer }, again_at }
}

/// Shows what came of a try.
pub(in crate::relay) fn count(ended: &Ended, now: DateTime<Utc>) {
    let outcome = ended.sent.attempt.outcome;
    metrics::counter!("linewatch_deliveries_total", "outcome" => outcome.code()).increment(1);
    if outcome == AttemptOutcome::Ok {
        let since = (now - ended.due.received_at).to_std().unwrap_or_default();
        metrics::histogram!("linewatch_delivery_latency_seconds").record(since.as_secs_f64());
    }
}
