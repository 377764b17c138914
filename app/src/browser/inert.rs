//! The server's side: nothing to ask, nothing to do.

use super::{Look, Taken};
use chrono::{DateTime, Utc};

pub(crate) fn now() -> Option<DateTime<Utc>> {
    None
}

pub(crate) fn local_time(_at: DateTime<Utc>) -> Option<String> {
    None
}

pub(crate) fn look() -> Look {
    Look::default()
}

pub(crate) fn set_look(_look: &Look) {}

pub(crate) fn copy(_text: &str, _then: impl Fn(bool) + 'static) {}

pub(crate) fn focus(_selector: &str) -> bool {
    false
}

pub(crate) fn go(_address: &str) {}

pub(crate) fn sign_in_again() {}

pub(crate) fn form_query(_event: &leptos::ev::SubmitEvent) -> Option<String> {
    None
}

/// Nobody calls the server from the server; the protocol wants a browser's side all the same.
pub(crate) async fn call(_address: String, _message: Vec<u8>) -> Result<Vec<u8>, crate::calls::CallError> {
    Err(model::Refusal::Unavailable("The server does not call itself.".to_owned()).into())
}

pub(crate) fn form_text(_selector: &str) -> Option<String> {
    None
}

pub(crate) fn open_dialog(_id: &str) {}

pub(crate) fn close_dialog(_id: &str) {}

pub(crate) fn is_looked_at() -> bool {
    false
}

pub(crate) fn dialog_is_open() -> bool {
    false
}

pub(crate) fn is_typing(_event: &leptos::ev::KeyboardEvent) -> bool {
    false
}

pub(crate) fn step_rows(_by: i32) -> bool {
    false
}

pub(crate) fn press_here(_selector: &str) -> bool {
    false
}

pub(crate) fn at_hour(_hour: u32, _weekday: Option<u32>) -> Option<DateTime<Utc>> {
    None
}

pub(crate) fn read_local(_text: &str) -> Option<DateTime<Utc>> {
    None
}

pub(crate) fn ring_wanted() -> bool {
    false
}

pub(crate) fn want_ring(_on: bool) {}

pub(crate) fn scroll_to(_selector: &str) {}

pub(crate) fn submit_form_of(_event: &leptos::ev::Event) {}

pub(crate) fn submit_form_at(_selector: &str) {}

pub(crate) fn set_value_unless_focused(_selector: &str, _value: &str) {}

pub(crate) fn submit(
    _event: &leptos::ev::SubmitEvent,
    _address: &str,
    _then: impl Fn(Result<Taken, crate::calls::CallError>) + 'static,
) -> bool {
    false
}

pub(crate) fn today_at(_text: &str) -> Option<DateTime<Utc>> {
    None
}
