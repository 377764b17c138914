//! A signed webhook, after Standard Webhooks: <https://www.standardwebhooks.com>.

use super::{Addresses, Message, Outcome, exchange, of_send};
use crate::http::Client;
use crate::vault::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use model::NotificationId;
use serde_json::{Value, json};
use sha2::Sha256;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// A new secret: 32 random bytes in base64, after `whsec_`.
pub fn fresh_secret() -> Secret {
    Secret::from(format!("{PREFIX}{}", STANDARD.encode(rand::random::<[u8; 32]>())))
}

/// What is sent, and with what it is signed.
pub struct Signed<'a> {
    /// Its id: the same at every try.
    pub id: NotificationId,
    /// What it says.
    pub message: &'a Message,
    /// Its links.
    pub addresses: &'a Addresses,
    /// It may have been sent before.
    pub maybe_repeat: bool,
    /// The channel's secret.
    pub secret: &'a Secret,
}

/// Sends a message.
pub async fn send(client: &Client, url: &str, signed: &Signed<'_>, now: DateTime<Utc>) -> Outcome {
    let body = body(signed).to_string();
    let Some(signature) = signature(signed.secret, &signed.id.to_string(), now, &body) else {
        return Outcome::never("secret", "The signing secret of this channel is damaged. Make the channel anew.");
    };
    let request = match client.request(reqwest::Method::POST, url) {
        Ok(request) => request,
        Err(refused) => return of_send(&refused.into()),
    };
    let request = request
        .header("content-type", "application/json")
        .header("webhook-id", signed.id.to_string())
        .header("webhook-timestamp", now.timestamp().to_string())
        .header("webhook-signature", signature)
        .body(body);
    exchange(request, now).await.0
}

/// The message as JSON.
pub fn body(signed: &Signed<'_>) -> Value {
    let mut data = json!(signed.message);
    data["id"] = json!(signed.id);
    data["maybe_repeat"] = json!(signed.maybe_repeat);
    data["acknowledge"] = json!(signed.addresses.acknowledge);
    data["silence"] = json!(signed.addresses.silence);
    json!({"type": "linewatch.notification", "timestamp": signed.message.at, "data": data})
}

/// `v1,` and the HMAC over id, time and body; none for a secret that is none.
fn signature(secret: &Secret, id: &str, at: DateTime<Utc>, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.expose().strip_prefix(PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{}.{body}", at.timestamp()).as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_specification_does() {
        let secret = Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, r#"{"test": 2432232314}"#);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(signature(&Secret::from("whsec_?"), "a", at, ""), None);
        assert!(signature(&fresh_secret(), "a", at, "").is_some());
    }
}
