//! Errors cross as JSON: the guard at the door and a form without wasm write and read them as well. The browser reads it by its own
//! means, so that no other reader of JSON has to be loaded.

use super::CallError;
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};

/// An error as JSON.
pub struct Json;

impl ContentType for Json {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for Json {
    const FORMAT_TYPE: Format = Format::Text;
}

#[cfg(feature = "ssr")]
impl Encodes<CallError> for Json {
    type Error = serde_json::Error;

    fn encode(error: &CallError) -> Result<Bytes, Self::Error> {
        serde_json::to_vec(error).map(Bytes::from)
    }
}

#[cfg(feature = "ssr")]
impl Decodes<CallError> for Json {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<CallError, Self::Error> {
        serde_json::from_slice(&bytes)
    }
}

/// A browser sends no errors; the trait wants it said.
#[cfg(not(feature = "ssr"))]
impl Encodes<CallError> for Json {
    type Error = &'static str;

    fn encode(_: &CallError) -> Result<Bytes, Self::Error> {
        Err("only a server answers with errors")
    }
}

#[cfg(not(feature = "ssr"))]
impl Decodes<CallError> for Json {
    type Error = &'static str;

    fn decode(bytes: Bytes) -> Result<CallError, Self::Error> {
        crate::browser::read_error(&String::from_utf8_lossy(&bytes)).ok_or("not an error as it should be")
    }
}
