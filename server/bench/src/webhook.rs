//! Webhooks as Makini sends them, signed: HMAC-SHA256 over the raw bytes, in base64, in `X-Webhook-Signature`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// The secret that the bench's source signs with.
pub const SECRET: &str = "whsec_only_for_the_time_of_a_bench";
/// The header of the signature.
pub const SIGNATURE: &str = "x-webhook-signature";
/// The length of the bodies of a load, in bytes.
pub const LENGTH: usize = 600;
/// What a webhook says of a sync that failed.
pub const ERROR: &str = r#"{"error":{"code":"SOURCE_ERROR","message":"The source answered with an error"}}"#;
/// Of so many webhooks of a load one says that a sync failed; the next good one of that connection mends it.
pub const ONE_FAILS_IN: u64 = 100;

/// The HMAC of the bench's secret, keyed once.
pub fn keyed() -> Hmac<Sha256> {
    Hmac::new_from_slice(SECRET.as_bytes()).unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"))
}

/// The signature of these bytes.
pub fn sign(keyed: &Hmac<Sha256>, body: &[u8]) -> String {
    STANDARD.encode(keyed.clone().chain_update(body).finalize().into_bytes())
}

/// The time. A bench measures the world as it is.
#[expect(clippy::disallowed_methods, reason = "webhooks carry the real time; nothing here is judged by a test's clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// What is left to say of a moment: RFC 3339 to the millisecond, in UTC.
fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A webhook of this kind about this connection, ready to be sent.
pub fn about(key: &str, event: &str, data: &str) -> (Bytes, String) {
    let id: u128 = rand::random();
    let body = format!(
        r#"{{"id":"evt_{id:032x}","event":"{event}","timestamp":"{}","connection_id":"{key}","data":{data}}}"#,
        stamp(now())
    );
    let signature = sign(&keyed(), body.as_bytes());
    (body.into(), signature)
}

/// A stream of webhooks about known connections: no two the same, all of one length, signed when they are taken.
pub struct Stream {
    keyed: Hmac<Sha256>,
    keys: Vec<String>,
    run: u64,
    next: AtomicU64,
    /// Whether all go well.
    good: bool,
}

impl Stream {
    /// About these connections, by their keys; there must be one at least.
    pub fn about(keys: Vec<String>) -> Self {
        Self { keyed: keyed(), keys, run: rand::random(), next: AtomicU64::new(0), good: false }
    }

    /// The same, but every sync goes well.
    pub fn of_good_syncs(keys: Vec<String>) -> Self {
        Self { good: true, ..Self::about(keys) }
    }

    /// The next one: body and signature. Its connection is anybody; nearly always its sync went well.
    pub fn take(&self) -> (Bytes, String) {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        // a walk over all numbers that visits them in no order that could be noticed
        let dice = n.wrapping_add(self.run).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let key = &self.keys[(dice >> 20) as usize % self.keys.len()];
        let (at, run) = (stamp(now()), self.run);
        let mut body = String::with_capacity(LENGTH);
        let _ = if !self.good && n % ONE_FAILS_IN == ONE_FAILS_IN - 1 {
            write!(
                body,
                r#"{{"id":"evt_{run:016x}{n:012x}","event":"sync.failed","timestamp":"{at}","connection_id":"{key}","data":{{"started_at":"{at}","error":{{"code":"SOURCE_ERROR","message":"The source answered with an error"}},"trace":""#
            )
        } else {
            write!(
                body,
                r#"{{"id":"evt_{run:016x}{n:012x}","event":"sync.completed","timestamp":"{at}","connection_id":"{key}","data":{{"started_at":"{at}","finished_at":"{at}","records":{},"entities":["assets","vendors","purchase_orders"],"trace":""#,
                dice % 1_000
            )
        };
        let mut noise = dice;
        while body.len() < LENGTH - 3 {
            noise = noise.rotate_left(23).wrapping_mul(0xd6e8_feb8_6659_fd93);
            let _ = write!(body, "{noise:016x}");
        }
        body.truncate(LENGTH - 3);
        body.push_str("\"}}");
        let signature = sign(&self.keyed, body.as_bytes());
        (body.into(), signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_signature_is_the_published_one() {
        let keyed = Hmac::new_from_slice(b"whsec_test").unwrap();
        let body = br#"{"event":"assets.updated","body":["16c69269-0432-4382-b48f-eb3538b4b3d7"]}"#;
        assert_eq!(sign(&keyed, body), "WAUvFJBnHFhb9e4WuWw66v+rQGkpZJxt+BfcJqPinwY=");
    }

    #[test]
    fn every_webhook_is_json_of_one_length_with_an_id_of_its_own() {
        let stream = Stream::about((0..7).map(|n| format!("0900020761{n:04}")).collect());
        let (mut ids, mut keys, mut failed) = (HashSet::new(), HashSet::new(), 0);
        for _ in 0..1_000 {
            let (body, signature) = stream.take();
            assert_eq!((body.len(), signature.len()), (LENGTH, 44));
            let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
            ids.insert(json["id"].as_str().unwrap().to_owned());
            keys.insert(json["connection_id"].as_str().unwrap().to_owned());
            failed += u32::from(json["event"] == "sync.failed");
        }
        assert_eq!((ids.len(), keys.len(), failed), (1_000, 7, 10));
        let (body, _) = about("k", "sync.failed", r#"{"error":{"code":"X"}}"#);
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
    }
}
