//! A short message that something was done; read out, and gone by itself.

use leptos::prelude::*;
use std::time::Duration;

/// Where messages are put.
#[derive(Clone, Copy)]
pub(crate) struct Toasts {
    text: RwSignal<String>,
    number: StoredValue<u32>,
}

/// Puts the messages into the context.
pub(crate) fn provide_toasts() {
    provide_context(Toasts { text: RwSignal::new(String::new()), number: StoredValue::new(0) });
}

/// Where messages are put.
pub(crate) fn use_toasts() -> Toasts {
    expect_context()
}

impl Toasts {
    /// Shows a message for a while.
    pub(crate) fn say(self, text: impl Into<String>) {
        let number = self.number.try_update_value(|number| {
            *number += 1;
            *number
        });
        self.text.set(text.into());
        set_timeout(
            move || {
                if self.number.try_get_value() == number {
                    self.text.set(String::new());
                }
            },
            Duration::from_secs(4),
        );
    }
}

/// The place where messages appear.
#[component]
pub(crate) fn Toast() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <div class=move || if toasts.text.with(String::is_empty) { "toast" } else { "toast on" } role="status" aria-live="polite">
            {move || toasts.text.get()}
        </div>
    }
}
