//! Webhooks out: events, the schedule of attempts, the signature.

use crate::clock::{self, Moment};
use crate::connection::Profile;
use crate::faults::FaultKind;
use crate::outbox::{Attempt, Delivery, DeliveryStatus, Send};
use crate::script::Prank;
use crate::timers::Job;
use crate::tokens::fresh;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use rand::Rng;
use serde::Serialize;
use serde_json::Value;
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The wait after the first failed attempt, simulated; doubles after each.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// How long attempts go on, simulated.
const WINDOW: Duration = Duration::from_secs(24 * 3600);
/// How many are sent at the same time.
const AT_ONCE: usize = 32;

impl World {
    /// Something happened to a connection: makes the event and its delivery. The story's pranks and the faults decide what
    /// becomes of it on its way. Both dialects tell it in the same words.
    pub(crate) fn emit(&mut self, now: Moment, at: usize, event: &str, data: impl FnOnce(&Profile) -> Value) {
        if self.outbox.url.is_none() {
            self.counters.webhooks_without_url += 1;
            return;
        }
        let connection = &mut self.connections[at];
        // Two events of one connection never share a millisecond: their order can be told from their stamps.
        let stamp = match connection.life.last_event_at {
            Some(last) => now.max(last + Duration::from_millis(1)),
            None => now,
        };
        connection.life.last_event_at = Some(stamp);
        let profile = Arc::clone(&connection.profile);
        let id = fresh("evt_");
        let body = envelope(&id, event, stamp, &profile.id, &data(&profile));
        let prank = self.story.prank(at);
        self.post(now, at, Post { id, event: event.to_owned(), body }, prank);
    }

    /// Records of a connection were inserted or updated. The bare form: no id, no time, no connection.
    pub(crate) fn emit_bare(&mut self, now: Moment, at: usize, event: String, ids: &[Uuid]) {
        if self.outbox.url.is_none() {
            self.counters.webhooks_without_url += 1;
            return;
        }
        let body = bare(&event, ids);
        self.post(now, at, Post { id: fresh("evt_"), event, body }, None);
    }

    fn post(&mut self, now: Moment, at: usize, post: Post, prank: Option<Prank>) {
        let Post { id, event, body } = post;
        let mut delivery = Delivery {
            id,
            event,
            connection_id: self.connections[at].profile.id.clone(),
            status: DeliveryStatus::Pending,
            created_at: now,
            next_attempt_at: None,
            attempts: Vec::new(),
            body: body.into(),
            at,
            failures: 0,
            ticket: 0,
            under_way: 0,
        };
        let target = self.target(at);
        if prank == Some(Prank::Lost) || self.strikes(FaultKind::DropWebhooks, target) {
            delivery.status = DeliveryStatus::Dropped;
            self.counters.webhooks_dropped += 1;
            self.outbox.keep(delivery);
            return;
        }
        let mut due = now;
        if prank == Some(Prank::Late) || self.strikes(FaultKind::ReorderWebhooks, target) {
            due = now + Duration::from_millis(self.dice.random_range(2_000..6_000));
            self.counters.webhooks_delayed += 1;
        }
        delivery.next_attempt_at = Some(due);
        let seq = self.outbox.keep(delivery);
        self.counters.webhooks_queued += 1;
        self.timers.set(due, Job::Deliver { seq, ticket: 0 });
        if prank == Some(Prank::Doubled) || self.strikes(FaultKind::DuplicateWebhooks, target) {
            let again = due + Duration::from_millis(self.dice.random_range(20..1_500));
            self.timers.set(again, Job::Again { seq });
            self.counters.webhooks_duplicated += 1;
        }
    }

    /// Takes as many as may be under way now, signed at this moment.
    pub(crate) fn take_sends(&mut self) -> Vec<Send> {
        let mut sends = Vec::new();
        while self.outbox.under_way < AT_ONCE {
            let url = self.outbox.url.clone().unwrap_or_default();
            if let Some((body, signature)) = self.outbox.strays.pop_front() {
                self.outbox.under_way += 1;
                self.counters.webhooks_badly_signed += 1;
                sends.push(Send { url, body, signature, delivery: None });
                continue;
            }
            let Some((seq, scheduled)) = self.outbox.due.pop_front() else { break };
            let Some(one) = self.outbox.log.get_mut(&seq) else { continue };
            one.under_way += 1;
            let (body, at) = (Arc::clone(&one.body), one.at);
            self.outbox.under_way += 1;
            let mut secret = self.outbox.secret.clone();
            if self.strikes(FaultKind::BadSignature, self.target(at)) {
                secret.push_str("_wrong");
                self.counters.webhooks_badly_signed += 1;
            }
            let signature = sign(&secret, body.as_bytes());
            sends.push(Send { url, body, signature, delivery: Some((seq, scheduled)) });
        }
        sends
    }

    /// An attempt is over: notes it, and plans the next one if there is to be one.
    pub(crate) fn attempted(&mut self, delivery: Option<(u64, bool)>, attempt: Attempt, now: Moment) {
        self.outbox.under_way = self.outbox.under_way.saturating_sub(1);
        self.counters.webhook_attempts += 1;
        let scale = self.scale();
        let Some((seq, scheduled)) = delivery else { return };
        let Some(one) = self.outbox.log.get_mut(&seq) else { return };
        one.under_way = one.under_way.saturating_sub(1);
        let good = attempt.status == Some(200);
        one.attempts.push(attempt);
        if one.status == DeliveryStatus::Delivered {
            return;
        }
        if good {
            one.status = DeliveryStatus::Delivered;
            one.next_attempt_at = None;
            one.ticket += 1;
            self.counters.webhooks_delivered += 1;
        } else if scheduled {
            let wait = scale.real(FIRST_WAIT).saturating_mul(2_u32.saturating_pow(one.failures.min(20)));
            one.failures += 1;
            let due = now + wait;
            let first = one.attempts.first().map_or(now, |first| first.at);
            if due > first + scale.real(WINDOW) {
                one.status = DeliveryStatus::Failed;
                one.next_attempt_at = None;
                self.counters.webhooks_failed += 1;
            } else {
                one.next_attempt_at = Some(due);
                self.timers.set(due, Job::Deliver { seq, ticket: one.ticket });
            }
        }
    }
}

/// An event on its way to the post.
struct Post {
    id: String,
    event: String,
    body: String,
}

/// The body of an event about records.
fn bare(event: &str, ids: &[Uuid]) -> String {
    #[derive(Serialize)]
    struct Bare<'a> {
        event: &'a str,
        body: &'a [Uuid],
    }
    serde_json::to_string(&Bare { event, body: ids }).expect("strings are always JSON")
}

/// The body of an event: compact, in this order.
pub(crate) fn envelope(id: &str, event: &str, stamp: Moment, connection_id: &str, data: &Value) -> String {
    #[derive(Serialize)]
    struct Envelope<'a> {
        id: &'a str,
        event: &'a str,
        #[serde(serialize_with = "clock::write")]
        timestamp: Moment,
        connection_id: &'a str,
        data: &'a Value,
    }
    serde_json::to_string(&Envelope { id, event, timestamp: stamp, connection_id, data })
        .expect("strings and plain values are always JSON")
}

/// `X-Webhook-Signature`: base64 of the HMAC-SHA256 of the very bytes.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_published_one() {
        let body = br#"{"event":"assets.updated","body":["16c69269-0432-4382-b48f-eb3538b4b3d7"]}"#;
        assert_eq!(sign("whsec_test", body), "WAUvFJBnHFhb9e4WuWw66v+rQGkpZJxt+BfcJqPinwY=");
        let id = "16c69269-0432-4382-b48f-eb3538b4b3d7".parse().expect("an id");
        assert_eq!(bare("assets.updated", &[id]).as_bytes(), body, "and so is the bare form");
    }
}
