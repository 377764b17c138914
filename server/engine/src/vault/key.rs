//! The master key.

use super::Secret;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// The key that every secret is sealed with: 32 bytes. Never printed, wiped when dropped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// What was given is no master key. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "The master key must be 32 bytes, as 44 characters of base64 or 64 hex digits. `openssl rand -base64 32` makes one."
)]
pub struct BadMasterKey;

impl MasterKey {
    /// A new one, from the system's randomness.
    pub fn generate() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        rand::fill(key.as_mut_slice());
        Self(key)
    }

    /// The same key as base64, to be kept somewhere safe.
    pub fn to_text(&self) -> Secret {
        STANDARD.encode(self.0.as_slice()).into()
    }

    /// The first 8 hex digits of its SHA-256: tells keys apart and gives none away.
    pub fn key_id(&self) -> String {
        hex::encode(&Sha256::digest(self.0.as_slice())[..4])
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for MasterKey {
    type Err = BadMasterKey;

    fn from_str(text: &str) -> Result<Self, BadMasterKey> {
        let text = text.trim();
        let bytes = Zeroizing::new(if text.len() == 64 {
            hex::decode(text).map_err(|_| BadMasterKey)?
        } else {
            [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
                .iter()
                .find_map(|alphabet| alphabet.decode(text).ok())
                .ok_or(BadMasterKey)?
        });
        <[u8; 32]>::try_from(bytes.as_slice()).map(|key| Self(Zeroizing::new(key))).map_err(|_| BadMasterKey)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.key_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_base64_and_hex() {
        let key: MasterKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".parse().unwrap();
        assert_eq!(key.key_id(), "630dcd29", "the start of the SHA-256 of those bytes");
        for text in [
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        ] {
            assert_eq!(text.parse::<MasterKey>().unwrap().bytes(), key.bytes());
        }
        assert_eq!(key.to_text().expose(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let other = MasterKey::generate();
        assert_ne!(other.key_id(), MasterKey::generate().key_id());
        assert_eq!(other.to_text().expose().parse::<MasterKey>().unwrap().bytes(), other.bytes());
        assert_eq!(format!("{key:?}"), "MasterKey(630dcd29)");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "secret", "AAEC", &"0".repeat(63), &"g".repeat(64), &"A".repeat(48)] {
            assert_eq!(text.parse::<MasterKey>().unwrap_err(), BadMasterKey, "{text}");
        }
    }
}
