//! The browser's side.

use super::{Look, Taken};
use crate::calls::CallError;
use chrono::{DateTime, Utc};
use js_sys::{Array, Date, Function, Object, Promise, Reflect, Uint8Array};
use leptos::prelude::{FromServerFnError, ServerFnErrorErr, document, window};
use send_wrapper::SendWrapper;
use std::{future::Future, pin::Pin};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlDialogElement, HtmlElement, HtmlFormElement};

pub(crate) fn now() -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(Date::now() as i64)
}

thread_local! {
    /// One formatter for the life of the page: making one costs far more than using it.
    static FORMAT: Option<Function> = {
        let options = Object::new();
        for (name, value) in [("dateStyle", "medium"), ("timeStyle", "long")] {
            Reflect::set(&options, &name.into(), &value.into()).ok();
        }
        Some(js_sys::Intl::DateTimeFormat::new(&Array::new(), &options).format())
    };
}

/// The exact time in the person's zone and words.
pub(crate) fn local_time(at: DateTime<Utc>) -> Option<String> {
    let date = Date::new(&JsValue::from_f64(at.timestamp_millis() as f64));
    FORMAT.with(|format| format.as_ref()?.call1(&JsValue::UNDEFINED, &date).ok()?.as_string())
}

fn html_document() -> web_sys::HtmlDocument {
    document().unchecked_into()
}

pub(crate) fn look() -> Look {
    Look::read(&html_document().cookie().unwrap_or_default())
}

pub(crate) fn set_look(look: &Look) {
    let root = document().document_element();
    for (name, value) in [("theme", look.theme), ("density", look.density)] {
        let life = if value.is_some() { 34_560_000 } else { 0 };
        let text = format!("{name}={}; Path=/; Max-Age={life}; SameSite=Lax", value.unwrap_or_default());
        html_document().set_cookie(&text).ok();
        if let Some(root) = &root {
            match value {
                Some(value) => root.set_attribute(&format!("data-{name}"), value).ok(),
                None => root.remove_attribute(&format!("data-{name}")).ok(),
            };
        }
    }
}

/// Copies a text and tells whether it worked.
pub(crate) fn copy(text: &str, then: impl Fn(bool) + 'static) {
    let promise = Reflect::get(&window().navigator(), &"clipboard".into())
        .and_then(|clipboard| {
            let write: Function = Reflect::get(&clipboard, &"writeText".into())?.dyn_into()?;
            write.call1(&clipboard, &text.into())
        })
        .and_then(JsCast::dyn_into::<Promise>);
    let Ok(promise) = promise else { return then(false) };
    let then = std::rc::Rc::new(then);
    let good = std::rc::Rc::clone(&then);
    let good = Closure::once_into_js(move |_: JsValue| good(true));
    let bad = Closure::once_into_js(move |_: JsValue| then(false));
    call_method(&promise, "then", &[&good, &bad]);
}

/// Calls a method by its name; what is missing in this browser is none.
pub(crate) fn call_method(on: &JsValue, name: &str, arguments: &[&JsValue]) -> Option<JsValue> {
    let method: Function = Reflect::get(on, &name.into()).ok()?.dyn_into().ok()?;
    let list = Array::new();
    for argument in arguments {
        list.push(argument);
    }
    method.apply(on, &list).ok()
}

fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok()??.dyn_into().ok()
}

/// Moves the focus; false where there is no such element.
pub(crate) fn focus(selector: &str) -> bool {
    find(selector).is_some_and(|element| element.focus().is_ok())
}

/// Loads another document.
pub(crate) fn go(address: &str) {
    window().location().set_href(address).ok();
}

/// The session has ended: signs in again and comes back here.
pub(crate) fn sign_in_again() {
    let location = window().location();
    let here = format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
    let here: String = js_sys::encode_uri_component(&here).into();
    go(&format!("/login?next={here}"));
}

/// What a form says, as a query string; with the name of the button that was pressed.
pub(crate) fn form_query(event: &leptos::ev::SubmitEvent) -> Option<String> {
    let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
    let data = web_sys::FormData::new_with_form(&form).ok()?;
    let button = Reflect::get(event, &"submitter".into()).ok().filter(JsValue::is_object);
    let said = |name: &str| button.as_ref().and_then(|b| Reflect::get(b, &name.into()).ok()?.as_string());
    if let (Some(name), Some(value)) = (said("name").filter(|name| !name.is_empty()), said("value")) {
        data.append_with_str(&name, &value).ok();
    }
    let pairs = web_sys::UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?;
    pairs.to_string().as_string()
}

/// What the form that a selector finds says now, as a query string.
pub(crate) fn form_text(selector: &str) -> Option<String> {
    let form: HtmlFormElement = document().query_selector(selector).ok()??.dyn_into().ok()?;
    let data = web_sys::FormData::new_with_form(&form).ok()?;
    web_sys::UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?.to_string().as_string()
}

fn dialog(id: &str) -> Option<HtmlDialogElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Opens a dialog above everything.
pub(crate) fn open_dialog(id: &str) {
    if let Some(dialog) = dialog(id).filter(|dialog| !dialog.open()) {
        dialog.show_modal().ok();
    }
}

/// Closes a dialog.
pub(crate) fn close_dialog(id: &str) {
    if let Some(dialog) = dialog(id).filter(HtmlDialogElement::open) {
        dialog.close();
    }
}

/// Whether the page is in front of somebody.
pub(crate) fn is_looked_at() -> bool {
    !document().hidden()
}

/// Whether any dialog is open.
pub(crate) fn dialog_is_open() -> bool {
    find("dialog[open]").is_some()
}

/// Whether a key belongs to what is being typed, or to a control that uses it itself.
pub(crate) fn is_typing(event: &leptos::ev::KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|element| element.closest("input, textarea, select, [contenteditable]").ok().flatten().is_some())
}

/// Moves the focus along the rows of the list; false where there is none.
pub(crate) fn step_rows(by: i32) -> bool {
    let Ok(rows) = document().query_selector_all("[data-row]") else { return false };
    let active = document().active_element();
    let here = (0..rows.length()).find(|i| rows.item(*i).as_ref() == active.as_deref());
    let next = match here {
        Some(here) => (here as i32 + by).clamp(0, rows.length() as i32 - 1),
        None => 0,
    };
    let Some(row) = rows.item(next as u32).and_then(|row| row.dyn_into::<HtmlElement>().ok()) else { return false };
    row.focus().is_ok()
}

/// Presses what the row in focus has under a key, or else what the screen has; false where there is nothing.
pub(crate) fn press_here(selector: &str) -> bool {
    let row = document().active_element().and_then(|active| active.closest("tr").ok().flatten());
    let found = match row {
        Some(row) => row.query_selector(selector),
        None => document().query_selector(&format!("main {selector}:not(tr *)")),
    };
    match found.ok().flatten().and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        Some(element) => {
            element.click();
            true
        }
        None => false,
    }
}

/// The next time that it is so late where the person is, from tomorrow on; on that day of the week (0 is Sunday), if one is said.
pub(crate) fn at_hour(hour: u32, weekday: Option<u32>) -> Option<DateTime<Utc>> {
    let date = Date::new_0();
    let ahead = weekday.map_or(1, |day| match (day + 7 - date.get_day()) % 7 {
        0 => 7,
        days => days,
    });
    date.set_date(date.get_date() + ahead);
    date.set_hours(hour);
    date.set_minutes(0);
    date.set_seconds(0);
    DateTime::from_timestamp(date.get_time() as i64 / 1_000, 0)
}

/// A date and a time as a browser's field writes them, in the person's zone.
pub(crate) fn read_local(text: &str) -> Option<DateTime<Utc>> {
    let time = Date::new(&text.into()).get_time();
    if time.is_nan() { None } else { DateTime::from_timestamp_millis(time as i64) }
}

/// A time of day such as `14:05`, today, in the person's zone.
pub(crate) fn today_at(text: &str) -> Option<DateTime<Utc>> {
    let (hours, minutes) = text.split_once(':')?;
    let date = Date::new_0();
    date.set_hours(hours.parse().ok()?);
    date.set_minutes(minutes.parse().ok()?);
    date.set_seconds(0);
    DateTime::from_timestamp(date.get_time() as i64 / 1_000, 0)
}

/// Brings an element into view.
pub(crate) fn scroll_to(selector: &str) {
    if let Some(element) = find(selector) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Submits the form that a control belongs to, as its button would.
pub(crate) fn submit_form_of(event: &leptos::ev::Event) {
    submit_form_around(event.target().and_then(|target| target.dyn_into().ok()));
}

/// The same, for a control that is found by a selector.
pub(crate) fn submit_form_at(selector: &str) {
    submit_form_around(find(selector).map(Into::into));
}

fn submit_form_around(control: Option<web_sys::Element>) {
    let form = control.and_then(|element| element.closest("form").ok().flatten());
    if let Some(form) = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) {
        form.request_submit().ok();
    }
}

/// Writes into a field that nobody is typing into.
pub(crate) fn set_value_unless_focused(selector: &str, value: &str) {
    let Some(input) = find(selector).and_then(|element| element.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
        return;
    };
    if document().active_element().as_ref() != Some(input.as_ref()) {
        input.set_value(value);
    }
}

/// Posts a form behind the scenes and tells what came of it, or why not. False where the browser
/// must do it itself. Secrets do not stay in their fields once they were taken.
pub(crate) fn submit(
    event: &leptos::ev::SubmitEvent,
    address: &str,
    then: impl Fn(Result<Taken, CallError>) + 'static,
) -> bool {
    let Some(body) = form_query(event) else { return false };
    event.prevent_default();
    let sent = post(address, "application/x-www-form-urlencoded", &body.into());
    let form = event.target();
    leptos::task::spawn_local(async move {
        let answer = read_answer(sent).await;
        if answer.is_ok() {
            forget_secrets(form);
        }
        then(answer);
    });
    true
}

/// Nor does what must not be sent twice, such as a note.
fn forget_secrets(form: Option<web_sys::EventTarget>) {
    let form: Option<web_sys::Element> = form.and_then(|form| form.dyn_into().ok());
    let Some(Ok(fields)) = form.map(|form| form.query_selector_all("input[type=password], [data-once]")) else {
        return;
    };
    for i in 0..fields.length() {
        if let Some(field) = fields.item(i) {
            Reflect::set(&field, &"value".into(), &"".into()).ok();
        }
    }
}

fn post(address: &str, kind: &str, body: &JsValue) -> Promise {
    let request = web_sys::RequestInit::new();
    request.set_method("POST");
    request.set_body(body);
    let headers = Object::new();
    for (name, value) in [("Content-Type", kind), ("Accept", "application/json")] {
        Reflect::set(&headers, &name.into(), &value.into()).ok();
    }
    request.set_headers(&headers);
    window().fetch_with_str_and_init(address, &request)
}

fn unreachable() -> CallError {
    CallError::from_server_fn_error(ServerFnErrorErr::Request(String::new()))
}

async fn text_of(response: &web_sys::Response) -> Result<String, CallError> {
    let text = response.text().map_err(|_| unreachable())?;
    Ok(JsFuture::from(text).await.ok().and_then(|text| text.as_string()).unwrap_or_default())
}

async fn response_to(sent: Promise) -> Result<web_sys::Response, CallError> {
    let response = JsFuture::from(sent).await.ok().and_then(|response| response.dyn_into::<web_sys::Response>().ok());
    let response = response.ok_or_else(unreachable)?;
    if response.ok() { Ok(response) } else { Err(CallError::de(text_of(&response).await?.into_bytes().into())) }
}

async fn read_answer(sent: Promise) -> Result<Taken, CallError> {
    let response = response_to(sent).await?;
    let moved = response.headers().has("serverfnredirect").unwrap_or_default();
    let to = response.headers().get("location").ok().flatten().filter(|_| moved);
    Ok(Taken { to, body: text_of(&response).await? })
}

/// Calls the server with a message and answers the message that came back.
pub(crate) fn call(
    address: String,
    message: Vec<u8>,
) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, CallError>> + Send>> {
    Box::pin(SendWrapper::new(async move {
        let body = Uint8Array::from(message.as_slice());
        let response = response_to(post(&address, "application/octet-stream", &body)).await?;
        let bytes = response.array_buffer().map_err(|_| unreachable())?;
        let bytes = JsFuture::from(bytes).await.map_err(|_| unreachable())?;
        Ok(Uint8Array::new(&bytes).to_vec())
    }))
}
