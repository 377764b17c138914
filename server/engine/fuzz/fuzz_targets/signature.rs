//! Signatures: whatever a header says, it verifies exactly when it spells the right bytes, read here once more by hand.
//!
//! An input is a header, a line feed and a body. In the header the bytes 1 to 4 stand for the body's true signature in
//! hex, HEX, base64 and URL-safe base64; a byte 5 and the two after it, a place and a letter, then put that letter there.
//! So what is found lies close to what is right.
#![no_main]

use base64::{Engine as _, engine::general_purpose};
use engine::webhook::signature::Secrets;
use hmac::{Hmac, Mac};
use libfuzzer_sys::fuzz_target;
use model::SecretId;
use sha2::Sha256;
use uuid::Uuid;

const SECRETS: [(SecretId, &[u8]); 3] = [
    (SecretId(Uuid::from_u128(1)), b"whsec_old"),
    (SecretId(Uuid::from_u128(2)), b""),
    (SecretId(Uuid::from_u128(3)), b"whsec_linewatch_demo"),
];

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (header, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let secrets = Secrets::new(SECRETS);
    assert_eq!(secrets.len(), 2, "an empty secret is none");

    for (id, secret) in SECRETS.into_iter().filter(|(_, secret)| !secret.is_empty()) {
        let right = sign(secret, body);
        let header = spell(header, &right);
        let read = by_hand(&header);
        let meant = SECRETS.iter().find(|(_, secret)| !secret.is_empty() && read == Some(sign(secret, body)));
        assert_eq!(secrets.verify(body, &header), meant.map(|(id, _)| *id), "{:?}", String::from_utf8_lossy(&header));
        for right in [hex::encode(right), general_purpose::STANDARD.encode(right)] {
            assert_eq!(secrets.verify(body, right.as_bytes()), Some(id));
        }
    }
});

fn sign(secret: &[u8], body: &[u8]) -> [u8; 32] {
    let keyed = Hmac::<Sha256>::new_from_slice(secret).expect("any length is a key");
    keyed.chain_update(body).finalize().into_bytes().into()
}

fn spell(header: &[u8], right: &[u8; 32]) -> Vec<u8> {
    let mut spelled = Vec::with_capacity(header.len() + 64);
    let mut damage = Vec::new();
    let mut bytes = header.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            1 => spelled.extend(hex::encode(right).into_bytes()),
            2 => spelled.extend(hex::encode_upper(right).into_bytes()),
            3 => spelled.extend(general_purpose::STANDARD.encode(right).into_bytes()),
            4 => spelled.extend(general_purpose::URL_SAFE_NO_PAD.encode(right).into_bytes()),
            5 => damage.extend(bytes.next().copied().zip(bytes.next().copied())),
            other => spelled.push(*other),
        }
    }
    for (place, letter) in damage {
        if let Some(byte) = spelled.get_mut(usize::from(place)) {
            *byte = letter;
        }
    }
    spelled
}

/// Bit by bit, with nothing of what the engine uses: 64 hex digits, or 43 letters of one base64 alphabet whose last two
/// bits are zero, with or without their `=`.
fn by_hand(header: &[u8]) -> Option<[u8; 32]> {
    let text = header.trim_ascii();
    let text = match text.get(..7) {
        Some(prefix) if prefix.eq_ignore_ascii_case(b"sha256=") => text[7..].trim_ascii(),
        _ => text,
    };
    let (text, letter_bits) = match text.len() {
        64 => (text, 4),
        43 => (text, 6),
        44 => (text.strip_suffix(b"=")?, 6),
        _ => return None,
    };
    let url_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let mut bits = Vec::with_capacity(258);
    for byte in text {
        let value = if letter_bits == 4 { hex_digit(*byte)? } else { letter(*byte, url_safe)? };
        bits.extend((0..letter_bits).rev().map(|at| value >> at & 1));
    }
    if bits[256..].contains(&1) {
        return None;
    }
    let mut read = [0; 32];
    for (byte, bits) in read.iter_mut().zip(bits.chunks(8)) {
        *byte = bits.iter().fold(0, |byte, bit| byte << 1 | bit);
    }
    Some(read)
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn letter(byte: u8, url_safe: bool) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' if !url_safe => Some(62),
        b'/' if !url_safe => Some(63),
        b'-' if url_safe => Some(62),
        b'_' if url_safe => Some(63),
        _ => None,
    }
}
