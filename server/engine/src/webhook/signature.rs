//! Signatures of webhooks: HMAC-SHA256 over the raw bytes, never over JSON written anew.
//!
//! No public text settles how a signature is spelled, so every likely spelling is read: base64 (standard or URL-safe,
//! padded or not) or hex, with or without `sha256=` before it.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, Mac};
use model::SecretId;
use sha2::Sha256;
use std::fmt;

/// The length of a signature in bytes.
const LENGTH: usize = 32;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The live secrets of one source, keyed once so that verifying costs one pass over the bytes.
#[derive(Clone, Default)]
pub struct Secrets(Vec<(SecretId, Hmac<Sha256>)>);

impl Secrets {
    /// Keys these secrets. An empty one is no secret and is left out: anybody could sign with it.
    pub fn new<'s>(secrets: impl IntoIterator<Item = (SecretId, &'s [u8])>) -> Self {
        let keyed = secrets.into_iter().filter(|(_, secret)| !secret.is_empty());
        Self(keyed.filter_map(|(id, secret)| Some((id, Hmac::new_from_slice(secret).ok()?))).collect())
    }

    /// How many are live.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing can be verified.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret with which these bytes were signed, compared in constant time; none if it was none of them.
    pub fn verify(&self, body: &[u8], signature: &[u8]) -> Option<SecretId> {
        let signature = read(signature)?;
        self.0
            .iter()
            .find(|(_, keyed)| keyed.clone().chain_update(body).verify_slice(&signature).is_ok())
            .map(|(id, _)| *id)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

/// Reads a signature in any of its spellings.
fn read(text: &[u8]) -> Option<[u8; LENGTH]> {
    let text = text.trim_ascii();
    let text = match text.split_at_checked(7) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(b"sha256=") => rest.trim_ascii(),
        _ => text,
    };
    if text.len() == 2 * LENGTH {
        let mut signature = [0; LENGTH];
        return hex::decode_to_slice(text, &mut signature).ok().map(|()| signature);
    }
    let engine = if text.iter().any(|byte| matches!(byte, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
    let mut room = [0; LENGTH + 4];
    let length = engine.decode_slice(text, &mut room).ok()?;
    room[..length].try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::new_id;
    use base64::engine::general_purpose;
    use proptest::prelude::*;

    const BODY: &[u8] = br#"{"event":"assets.updated","body":["16c69269-0432-4382-b48f-eb3538b4b3d7"]}"#;
    const BASE64: &str = "WAUvFJBnHFhb9e4WuWw66v+rQGkpZJxt+BfcJqPinwY=";
    const HEX: &str = "58052f1490671c585bf5ee16b96c3aeaffab406929649c6df817dc26a3e29f06";

    fn one(secret: &str) -> (SecretId, Secrets) {
        let id = SecretId(new_id());
        (id, Secrets::new([(id, secret.as_bytes())]))
    }

    fn sign(secret: &[u8], body: &[u8]) -> [u8; LENGTH] {
        Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(body).finalize().into_bytes().into()
    }

    fn spellings(signature: &[u8; LENGTH]) -> Vec<String> {
        let plain = [
            general_purpose::STANDARD.encode(signature),
            general_purpose::STANDARD_NO_PAD.encode(signature),
            general_purpose::URL_SAFE.encode(signature),
            general_purpose::URL_SAFE_NO_PAD.encode(signature),
            hex::encode(signature),
            hex::encode_upper(signature),
        ];
        plain.iter().flat_map(|text| [text.clone(), format!("sha256={text}"), format!(" SHA256={text} ")]).collect()
    }

    #[test]
    fn the_test_vector_verifies() {
        let (id, secrets) = one("whsec_test");
        assert_eq!(secrets.verify(BODY, BASE64.as_bytes()), Some(id));
        assert_eq!(secrets.verify(BODY, HEX.as_bytes()), Some(id));
        assert_eq!(one("whsec_other").1.verify(BODY, HEX.as_bytes()), None);
    }

    #[test]
    fn it_says_which_secret_it_was() {
        let ids = [SecretId(new_id()), SecretId(new_id())];
        let secrets = Secrets::new([(ids[0], b"old".as_slice()), (ids[1], b"new".as_slice())]);
        assert_eq!(secrets.verify(BODY, hex::encode(sign(b"old", BODY)).as_bytes()), Some(ids[0]));
        assert_eq!(secrets.verify(BODY, hex::encode(sign(b"new", BODY)).as_bytes()), Some(ids[1]));
    }

    #[test]
    fn an_empty_secret_is_none() {
        let (_, secrets) = one("");
        assert!(secrets.is_empty());
        assert_eq!(secrets.verify(BODY, hex::encode(sign(b"", BODY)).as_bytes()), None);
    }

    #[test]
    fn nonsense_is_no_signature() {
        let (_, secrets) = one("whsec_test");
        for text in ["", "sha256=", "=", "deadbeef", &HEX[..62], &format!("{HEX}00"), &format!("md5={HEX}"), "ü"] {
            assert_eq!(secrets.verify(BODY, text.as_bytes()), None, "{text}");
        }
        assert!(!format!("{secrets:?}").contains("whsec"));
    }

    proptest! {
        #[test]
        fn every_spelling_verifies(secret in proptest::collection::vec(any::<u8>(), 1..80), body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let id = SecretId(new_id());
            let secrets = Secrets::new([(id, secret.as_slice())]);
            for text in spellings(&sign(&secret, &body)) {
                prop_assert_eq!(secrets.verify(&body, text.as_bytes()), Some(id), "{}", text);
            }
        }

        #[test]
        fn a_flipped_bit_never_verifies(body in proptest::collection::vec(any::<u8>(), 1..300), at in any::<usize>(), bit in 0..8u32) {
            let (_, secrets) = one("whsec_test");
            let good = sign(b"whsec_test", &body);

            let mut forged = good;
            forged[at % LENGTH] ^= 1 << bit;
            for text in spellings(&forged) {
                prop_assert_eq!(secrets.verify(&body, text.as_bytes()), None, "{}", text);
            }

            let mut altered = body;
            let at = at % altered.len();
            altered[at] ^= 1 << bit;
            prop_assert_eq!(secrets.verify(&altered, hex::encode(good).as_bytes()), None);
        }

        #[test]
        fn any_header_is_survived(text in proptest::collection::vec(any::<u8>(), 0..120)) {
            prop_assert_eq!(one("whsec_test").1.verify(BODY, &text), None);
        }
    }
}
