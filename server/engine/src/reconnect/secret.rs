//! The two secrets of a link: the token in its address, and the state that binds the way back.

use crate::store::reconnect_link::Hash;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// Where Makini Link leads back to, below the public address.
pub const CALLBACK_PATH: &str = "/r/callback";

/// 128 random bits as 22 characters.
pub fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// What is kept of it.
pub fn hash_of(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// A link's address.
pub fn link_url(public_url: &str, token: &str) -> String {
    format!("{}/r/{token}", public_url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike_and_each_stands_in_an_address() {
        let (one, other) = (fresh(), fresh());
        assert_ne!(one, other);
        assert_ne!(hash_of(&one), hash_of(&other));
        assert_eq!(one.len(), 22, "128 bits");
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{one}");
        assert_eq!(link_url("https://l.example/", "abc"), "https://l.example/r/abc");
    }
}
