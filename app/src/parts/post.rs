//! A form that does something: plain without wasm; with it, posted behind the scenes, so that the page stays.
//! One piece of code for all of them – what a form does is said by its address and its fields.

use super::{refused::refused_note, toast::use_toasts};
use crate::{browser, calls::CallError};
use leptos::{prelude::*, server_fn::error::ServerFnUrlError};
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// Goes to another screen.
type Go = Box<dyn Fn(&str) + Send + Sync>;

/// A form's state.
#[derive(Clone, Copy)]
pub(crate) struct Post {
    path: &'static str,
    /// Under way.
    pub busy: RwSignal<bool>,
    /// What was answered the last time, as JSON; only with wasm.
    pub answer: RwSignal<String>,
    /// What came of the last time, if it was refused.
    pub error: RwSignal<Option<CallError>>,
    done: StoredValue<Box<dyn Fn() + Send + Sync>>,
    navigate: StoredValue<Go>,
}

impl Post {
    /// A form for the server function at `path`; `done` runs when it was accepted, and `said` is told.
    pub(crate) fn new(path: &'static str, said: &'static str, done: impl Fn() + Send + Sync + 'static) -> Self {
        let (toasts, navigate) = (use_toasts(), use_navigate());
        // Without wasm an error comes back in the address.
        let before = use_context::<leptos::server::ServerActionError>()
            .filter(|error| error.path() == path)
            .map(|error| ServerFnUrlError::<CallError>::decode_err(error.err()));
        let done = move || {
            if !said.is_empty() {
                toasts.say(said);
            }
            done();
        };
        Self {
            path,
            busy: RwSignal::new(false),
            answer: RwSignal::new(String::new()),
            error: RwSignal::new(before),
            done: StoredValue::new(Box::new(done)),
            navigate: StoredValue::new(Box::new(move |to| navigate(to, NavigateOptions::default()))),
        }
    }

    /// The form around its fields.
    pub(crate) fn form(self, class: &'static str, fields: AnyView) -> AnyView {
        self.draw(None, class, fields)
    }

    /// The same, for controls that stand elsewhere on the page and belong to it by its id.
    pub(crate) fn form_with_id(self, id: &'static str, class: &'static str, fields: AnyView) -> AnyView {
        self.draw(Some(id), class, fields)
    }

    fn draw(self, id: Option<&'static str>, class: &'static str, fields: AnyView) -> AnyView {
        let submit = move |event: leptos::ev::SubmitEvent| {
            self.busy.set(browser::submit(&event, self.path, move |result| self.answered(result)));
        };
        view! {
            <form id=id method="post" action=self.path class=class on:submit=submit>
                {fields}
            </form>
        }
        .into_any()
    }

    fn answered(self, result: Result<browser::Taken, CallError>) {
        self.busy.try_set(false);
        match result {
            Ok(browser::Taken { to, body }) => {
                self.error.try_set(None);
                self.answer.try_set(body);
                self.done.try_with_value(|done| done());
                if let Some(to) = to {
                    self.navigate.try_with_value(|navigate| navigate(&to));
                }
            }
            Err(error) => {
                let wrong = error.is_invalid();
                self.error.try_set(Some(error));
                if wrong {
                    request_animation_frame(|| {
                        browser::focus("[aria-invalid=true]");
                    });
                }
            }
        }
    }

    /// What was refused, beside the form.
    pub(crate) fn note(self) -> AnyView {
        (move || self.error.with(|error| error.as_ref().map(refused_note))).into_any()
    }

    /// What was typed before the last refusal, or else what is stored.
    pub(crate) fn kept(self, field: &str, stored: String) -> String {
        self.error
            .with_untracked(|error| error.as_ref().and_then(|error| error.typed(field)).map_or(stored, str::to_owned))
    }
}
