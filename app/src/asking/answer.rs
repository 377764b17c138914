//! An answer as it crossed: bytes, read when a screen first looks at them. So only the screens that look must know how, and
//! what all of them share knows none of the types.

use crate::calls::{
    CallError,
    wire::{self, Message},
};
use chrono::{DateTime, Utc};
use leptos::{
    server::codee::{Decoder, Encoder},
    server_fn::ServerFn,
};
use model::Role;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Visitor},
};
use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock},
};

/// An answer. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Answer(Arc<Held>);

struct Held {
    /// The whole message; empty where nothing was asked.
    bytes: Vec<u8>,
    /// The value, once it was looked at.
    value: OnceLock<Option<Box<dyn Any + Send + Sync>>>,
}

/// Puts a question to the desk, because here is the server.
#[cfg(feature = "ssr")]
pub(crate) async fn put<F>(question: F) -> Result<Answer, CallError>
where
    F: ServerFn<Error = CallError> + Serialize,
    F::Output: Serialize + Sync + 'static,
{
    let value = question.run_body().await?;
    let bytes = wire::write((crate::calls::as_of(), crate::calls::role()), &value)?;
    Ok(Answer(Arc::new(Held { bytes, value: OnceLock::from(Some(Box::new(value) as Box<_>)) })))
}

/// Puts a question to the server.
#[cfg(not(feature = "ssr"))]
pub(crate) async fn put<F>(question: F) -> Result<Answer, CallError>
where
    F: ServerFn<Error = CallError> + Serialize,
{
    let question = wire::write(wire::ASKED, &question)?;
    let bytes = crate::browser::call(F::PATH.to_owned(), question).await?;
    match Message::open(&bytes) {
        Some(_) => Ok(Answer::from(bytes)),
        None => Err(wire::another_version()),
    }
}

impl Answer {
    /// Where nothing was asked.
    pub(crate) fn nothing() -> Self {
        Self::from(Vec::new())
    }

    /// What was answered. An answer is always read as the type that its question is answered with.
    pub(crate) fn read<T: DeserializeOwned + Send + Sync + 'static>(&self) -> Option<&T> {
        let value = self.0.value.get_or_init(|| {
            let message = Message::open(&self.0.bytes)?;
            let value = postcard::from_bytes::<T>(message.body);
            value.ok().map(|value| Box::new(value) as Box<_>)
        });
        value.as_ref()?.downcast_ref()
    }

    /// What who asked may do.
    pub(crate) fn role(&self) -> Option<Role> {
        Message::open(&self.0.bytes)?.role
    }

    /// The server's clock when it answered.
    pub(crate) fn as_of(&self) -> Option<DateTime<Utc>> {
        Message::open(&self.0.bytes).map(|message| message.at)
    }
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Held { bytes, value: OnceLock::new() }))
    }
}

/// The same value, whenever it was answered.
impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        fn body(answer: &Answer) -> Option<&[u8]> {
            Message::open(&answer.0.bytes).map(|message| message.body)
        }
        Arc::ptr_eq(&self.0, &other.0) || body(self) == body(other)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer of {} bytes", self.0.bytes.len())
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0.bytes)
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Answer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Answer, E> {
                Ok(Answer::from(bytes.to_vec()))
            }
        }
        from.deserialize_bytes(Bytes)
    }
}

/// What a page brings along, in the text of a script. Letters stand for themselves, so that it still compresses as text; any
/// other byte is the letter 256 places on. There is no `<` in it, which could end the script.
pub(crate) struct InPage;

impl<T: Serialize> Encoder<T> for InPage {
    type Error = postcard::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Self::Error> {
        postcard::to_allocvec(value).map(|bytes| to_text(&bytes))
    }
}

impl<T: DeserializeOwned> Decoder<T> for InPage {
    type Error = postcard::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, Self::Error> {
        postcard::from_bytes(&to_bytes(text))
    }
}

fn to_text(bytes: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        b'<' | b'"' | b'\\' => char::from_u32(256 + u32::from(*byte)).unwrap_or_default(),
        b' '..=b'~' => char::from(*byte),
        _ => char::from_u32(256 + u32::from(*byte)).unwrap_or_default(),
    };
    bytes.iter().map(letter).collect()
}

fn to_bytes(text: &str) -> Vec<u8> {
    text.chars().map(|letter| (u32::from(letter) & 255) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_crosses_in_a_page() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = to_text(&bytes);
        assert_eq!(to_bytes(&text), bytes);
        assert!(!text.contains(['<', '"', '\\', '\n', '\0']));
        assert_eq!(format!("{text:?}").trim_matches('"'), text, "nothing in it needs to be escaped");
    }
}
