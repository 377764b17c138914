//! A button that copies a text. It shows only where the browser can.

use super::{time::use_clock, toast::use_toasts};
use crate::browser;
use leptos::prelude::*;

/// Copies what `text` says when it is pressed.
#[component]
pub(crate) fn Copy(
    /// What is copied.
    text: impl Fn() -> String + Send + Sync + 'static,
    /// The words on the button.
    #[prop(into)]
    label: String,
    /// What the message calls the copied thing.
    #[prop(into)]
    what: String,
    /// Further classes.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    let (toasts, alive) = (use_toasts(), use_clock());
    let press = move |_| {
        let what = what.clone();
        browser::copy(&text(), move |worked| {
            toasts.say(if worked { format!("{what} copied") } else { "This browser did not allow copying".to_owned() });
        });
    };
    view! {
        <button type="button" class=format!("btn {class}") disabled=move || !alive.is_ticking() on:click=press>
            {label}
        </button>
    }
}
