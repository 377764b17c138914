//! How calls cross between browser and server: a head of a few bytes, then the value field after field, without names
//! (postcard). What JSON would need for that is a third of everything that a browser had to load.
//!
//! Nothing in such bytes says what they are, so each message begins with the shape of what crosses, as both sides were built. A
//! page that is older than the server is told so and never misreads.

#[cfg(feature = "ssr")]
mod plain;

use super::CallError;
use chrono::{DateTime, Utc};
use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::{Bytes, Protocol, client::Client, request::Req, response::TryRes, server::Server},
};
use model::Role;
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;

/// All that crosses, as a number; see `build.rs`.
const SHAPE: u64 = include!(concat!(env!("OUT_DIR"), "/shape.rs"));
/// The shape, and when the server answered: milliseconds since 1970; zero in a question. Each of eight bytes, the lowest first.
/// Then a byte for what who asked may do: the place of the role among all, from one on; zero in a question.
const HEAD: usize = 17;
/// Where the time begins, and where the role stands.
const TIME: usize = 8;
const ROLE: usize = 16;

/// The protocol of every server function that is called by a script: `#[server(…, protocol = Wire)]`. Forms need none.
pub struct Wire;

/// A message from the other side, with its head.
pub(crate) struct Message<'a> {
    /// When it was answered.
    pub at: DateTime<Utc>,
    /// What who asked may do.
    pub role: Option<Role>,
    /// The value.
    pub body: &'a [u8],
}

/// What the head of a question says: neither a time nor a role.
pub(crate) const ASKED: (DateTime<Utc>, Option<Role>) = (DateTime::UNIX_EPOCH, None);

/// Writes a message: when it is answered, and what who asked may do.
pub(crate) fn write<T: Serialize>(head: (DateTime<Utc>, Option<Role>), value: &T) -> Result<Vec<u8>, CallError> {
    #[cfg(feature = "ssr")]
    let body = plain::to_vec(value);
    #[cfg(not(feature = "ssr"))]
    let body = postcard::to_allocvec(value);
    let body = body.map_err(|error| wrong(ServerFnErrorErr::Serialization(error.to_string())))?;
    Ok(with_head(head, &body))
}

fn with_head((at, role): (DateTime<Utc>, Option<Role>), body: &[u8]) -> Vec<u8> {
    let place = role.and_then(|role| Role::ALL.iter().position(|one| *one == role));
    let place = place.and_then(|place| u8::try_from(place + 1).ok()).unwrap_or(0);
    let head = [SHAPE.to_le_bytes(), at.timestamp_millis().to_le_bytes()];
    [head.as_flattened(), &[place], body].concat()
}

impl<'a> Message<'a> {
    /// Reads the head; none if the other side was built otherwise.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Self> {
        let (head, body) = bytes.split_at_checked(HEAD)?;
        let (shape, at, place) = (head.get(..TIME)?, head.get(TIME..ROLE)?, *head.get(ROLE)?);
        let at = DateTime::from_timestamp_millis(i64::from_le_bytes(at.try_into().ok()?))?;
        let role = usize::from(place).checked_sub(1).and_then(|place| Role::ALL.get(place)).copied();
        (shape == SHAPE.to_le_bytes()).then_some(Self { at, role, body })
    }
}

/// Reads the value of a message.
fn read<T: DeserializeOwned>(bytes: &[u8], failed: fn(String) -> ServerFnErrorErr) -> Result<T, CallError> {
    let message = Message::open(bytes).ok_or_else(|| wrong(failed("another version".to_owned())))?;
    postcard::from_bytes(message.body).map_err(|error| wrong(failed(error.to_string())))
}

/// What a page is told whose server was built otherwise.
#[cfg(not(feature = "ssr"))]
pub(crate) fn another_version() -> CallError {
    wrong(ServerFnErrorErr::Deserialization("another version".to_owned()))
}

fn wrong(error: ServerFnErrorErr) -> CallError {
    CallError::from_server_fn_error(error)
}

impl<I, O, C, S> Protocol<I, O, C, S, CallError> for Wire
where
    I: Serialize + DeserializeOwned + Send,
    O: Serialize + DeserializeOwned + Send,
    C: Client<CallError>,
    S: Server<CallError>,
{
    const METHOD: http::Method = http::Method::POST;

    async fn run_server<F, Fut>(request: S::Request, answer: F) -> Result<S::Response, CallError>
    where
        F: Fn(I) -> Fut + Send,
        Fut: Future<Output = Result<O, CallError>> + Send,
    {
        let question = request.try_into_bytes().await?;
        let output = answer(read(&question, ServerFnErrorErr::Args)?).await?;
        #[cfg(feature = "ssr")]
        let head = (super::as_of(), super::role());
        #[cfg(not(feature = "ssr"))]
        let head = ASKED;
        S::Response::try_from_bytes("application/octet-stream", Bytes::from(write(head, &output)?))
    }

    async fn run_client(path: &str, input: I) -> Result<O, CallError> {
        let question = write(ASKED, &input);
        let answer = crate::browser::call(path.to_owned(), question?).await?;
        read(&answer, ServerFnErrorErr::Deserialization)
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_back_with_its_time_and_role() {
        let at = DateTime::from_timestamp_millis(1_789_000_000_123).unwrap();
        for role in Role::ALL.iter().copied().map(Some).chain([None]) {
            let bytes = write((at, role), &0u8).unwrap();
            assert_eq!(Message::open(&bytes).unwrap().role, role);
        }
        let bytes = write((at, None), &("Müller <x>", 7u8, Some(-1i64))).unwrap();
        assert_eq!(Message::open(&bytes).unwrap().at, at);
        let back: (String, u8, Option<i64>) = read(&bytes, ServerFnErrorErr::Args).unwrap();
        assert_eq!(back, ("Müller <x>".to_owned(), 7, Some(-1)));
    }

    #[test]
    fn another_shape_is_refused_and_says_that_the_page_is_old() {
        let mut bytes = write(ASKED, &1u8).unwrap();
        bytes[0] ^= 1;
        let error = read::<u8>(&bytes, ServerFnErrorErr::Args).unwrap_err();
        assert!(error.to_string().contains("This page is older than the server"), "{error}");
        assert!(Message::open(&bytes[..9]).is_none());
    }
}
