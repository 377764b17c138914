//! The questions a page asks and the things it does, as server functions: each translates, asks the desk, and answers.
//! Business lives behind [`model::Backend`], never here.
//!
//! What a script calls says `protocol = Wire`; what a form posts to says nothing, because browsers write forms their own way.
//! Either way an error is JSON, as whoever stands before us at the door writes it too.

pub mod alerts;
pub mod bulk;
pub mod connections;
pub mod customers;
pub mod endpoints;
pub mod events;
pub mod failures;
pub mod history;
pub mod issues;
pub mod overview;
pub mod retention;
pub mod retries;
pub mod sources;
pub mod views;

mod errors;
mod forms;
pub(crate) mod wire;
pub use forms::{
    BulkForm, ConnectionForm, CustomerForm, EndpointForm, IssueForm, IssuesForm, RetentionForm, RetryForm, Said,
    SourceForm, ViewForm,
};
pub use wire::Wire;

use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use model::Refusal;
use serde::{Deserialize, Serialize};

/// Why a call was not answered, with what was typed, so that a form without wasm shows it again. Never holds a secret:
/// without wasm it travels in the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallError {
    /// The refusal.
    pub refusal: Refusal,
    /// What was typed, by field.
    #[serde(default)]
    pub kept: Vec<(String, String)>,
}

impl CallError {
    /// What was typed into a field, if this error kept it.
    pub fn typed(&self, field: &str) -> Option<&str> {
        self.kept.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }

    /// What is wrong with a field.
    pub fn about(&self, field: &str) -> Option<String> {
        let Refusal::Invalid(errors) = &self.refusal else { return None };
        errors.iter().find(|error| error.field == field).map(|error| error.message.clone())
    }

    /// Whether something that was typed is wrong.
    pub fn is_invalid(&self) -> bool {
        matches!(self.refusal, Refusal::Invalid(_))
    }
}

impl From<Refusal> for CallError {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, kept: Vec::new() }
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.refusal.fmt(f)
    }
}

impl std::error::Error for CallError {}

impl FromServerFnError for CallError {
    type Encoder = errors::Json;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => {
                Refusal::Unavailable("Linewatch cannot be reached right now. Check the network and try again.".into())
            }
            ServerFnErrorErr::Args(detail) | ServerFnErrorErr::MissingArg(detail) => {
                Refusal::Conflict(format!("This page is older than the server. Load it again. ({detail})"))
            }
            other => Refusal::Unavailable(format!("The answer could not be read. Load the page again. ({other})")),
        }
        .into()
    }
}

/// The desk and who asks it.
#[cfg(feature = "ssr")]
pub(crate) fn desk() -> Result<(crate::SharedBackend, model::Actor), CallError> {
    use leptos::prelude::use_context;
    let desk = use_context::<crate::SharedBackend>().ok_or_else(|| Refusal::Internal("no desk".into()))?;
    match use_context::<crate::Session>() {
        Some(crate::Session(Some(actor))) => Ok((desk, actor)),
        _ => answer(Err(Refusal::Unauthenticated)),
    }
}

/// The moment of the request.
#[cfg(feature = "ssr")]
pub(crate) fn as_of() -> chrono::DateTime<chrono::Utc> {
    leptos::prelude::use_context::<crate::AsOf>().map_or(chrono::DateTime::UNIX_EPOCH, |as_of| as_of.0)
}

/// What who asks may do; none for who is not signed in.
#[cfg(feature = "ssr")]
pub(crate) fn role() -> Option<model::Role> {
    match leptos::prelude::use_context::<crate::Session>() {
        Some(crate::Session(Some(actor))) => Some(actor.role),
        _ => None,
    }
}

/// Turns the desk's answer into a call's. A call by wasm also gets the right status; a plain form must keep its redirect.
#[cfg(feature = "ssr")]
pub(crate) fn answer<T>(answer: Result<T, Refusal>) -> Result<T, CallError> {
    answer.map_err(|refusal| {
        set_status(false, refusal.status());
        refusal.into()
    })
}

/// Like [`answer`], and keeps what was typed.
#[cfg(feature = "ssr")]
pub(crate) fn answer_form<T>(result: Result<T, Refusal>, kept: Vec<(String, String)>) -> Result<T, CallError> {
    answer(result).map_err(|error| CallError { kept, ..error })
}

/// Sends the person on: 303 for a plain form, a client-side step for wasm.
#[cfg(feature = "ssr")]
pub(crate) fn send_on(address: &str) {
    leptos_axum::redirect(address);
    set_status(true, 303);
}

/// Sets the status of what is being answered, either for plain page loads and forms, or for calls by wasm.
#[cfg(feature = "ssr")]
pub(crate) fn set_status(for_pages: bool, status: u16) {
    use leptos::prelude::use_context;
    let accepts = use_context::<http::request::Parts>().and_then(|parts| {
        parts.headers.get(http::header::ACCEPT)?.to_str().ok().map(|accept| accept.contains("text/html"))
    });
    let status = http::StatusCode::from_u16(status).ok();
    if let (Some(response), Some(status)) = (use_context::<leptos_axum::ResponseOptions>(), status)
        && accepts.unwrap_or(false) == for_pages
    {
        response.set_status(status);
    }
}
