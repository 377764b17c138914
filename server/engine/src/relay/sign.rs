//! Signatures as Standard Webhooks has them: HMAC-SHA256 over `id.timestamp.body`, one for every live secret.

use crate::vault::{Opened, Secret};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

/// What every secret begins with.
const PREFIX: &str = "whsec_";
/// Its random bytes.
const LENGTH: usize = 32;

/// A new secret.
pub fn fresh_secret() -> Secret {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    rand::fill(&mut *bytes);
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(*bytes)))
}

/// Signs with every secret that is live. Keyed once.
#[derive(Clone, Default)]
pub struct Signer(Vec<(Hmac<Sha256>, Option<DateTime<Utc>>)>);

impl Signer {
    /// Signs with these, each until it expires.
    pub fn new(secrets: &[Opened]) -> Self {
        let keyed = secrets.iter().filter_map(|opened| {
            let text = opened.secret.expose();
            let key = Zeroizing::new(STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).ok()?);
            Some((Hmac::new_from_slice(&key).ok()?, opened.expires_at))
        });
        Self(keyed.collect())
    }

    /// Whether nothing can be signed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The header `webhook-signature`.
    pub fn sign(&self, id: Uuid, now: DateTime<Utc>, body: &[u8]) -> String {
        let before = format!("{id}.{}.", now.timestamp());
        let live = self.0.iter().filter(|(_, expires_at)| expires_at.is_none_or(|at| now < at));
        let signatures = live.map(|(keyed, _)| {
            let signed = keyed.clone().chain_update(&before).chain_update(body).finalize().into_bytes();
            format!("v1,{}", STANDARD.encode(signed))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("secrets", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::new_id;
    use chrono::TimeDelta;
    use model::SecretId;

    fn opened(secret: &str, expires_at: Option<DateTime<Utc>>) -> Opened {
        let created_at = DateTime::UNIX_EPOCH;
        let id = SecretId(new_id());
        Opened { id, secret: secret.into(), hint: String::new(), created_at, expires_at, last_used_at: None }
    }

    /// Reckoned again here, from the text of the specification.
    #[test]
    fn signs_every_live_secret_and_no_other() {
        let now = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let id = Uuid::nil();
        let one = Signer::new(&[opened(secret, None)]).sign(id, now, b"{}");
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()).unwrap();
        mac.update(b"00000000-0000-0000-0000-000000000000.1614265330.{}");
        assert_eq!(one, format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));

        let second = fresh_secret();
        assert!(second.expose().starts_with("whsec_") && STANDARD.decode(&second.expose()[6..]).unwrap().len() == 32);
        let over = [opened(second.expose(), None), opened(secret, Some(now))];
        assert!(!Signer::new(&over).sign(id, now, b"{}").contains(' '), "expired");
        let rotating = [opened(second.expose(), None), opened(secret, Some(now + TimeDelta::hours(1)))];
        let both = Signer::new(&rotating).sign(id, now, b"{}");
        assert!(both.ends_with(&format!(" {one}")) && both.starts_with("v1,"), "{both}");
        assert!(!format!("{:?}", Signer::new(&rotating)).contains("MfKQ"));
    }
}
