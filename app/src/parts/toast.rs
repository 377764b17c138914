//! A short message that something was done; read out, and gone by itself.

use leptos::prelude::*;
use std::time::Duration;

/// Where messages are put.
#[derive(Clone, Copy)]
pub(crate) struct Toasts {
    text: RwSignal<String>,
    /// What takes back what was done.
    undo: RwSignal<Option<Undo>>,
    number: StoredValue<u32>,
}

/// Takes something back.
type Undo = std::sync::Arc<dyn Fn() + Send + Sync>;

/// Puts the messages into the context.
pub(crate) fn provide_toasts() {
    provide_context(Toasts {
        text: RwSignal::new(String::new()),
        undo: RwSignal::new(None),
        number: StoredValue::new(0),
    });
}

/// Where messages are put.
pub(crate) fn use_toasts() -> Toasts {
    expect_context()
}

impl Toasts {
    /// Shows a message for a while.
    pub(crate) fn say(self, text: impl Into<String>) {
        self.show(text.into(), None, Duration::from_secs(4));
    }

    /// Shows a message with a way back, for a longer while.
    pub(crate) fn offer_undo(self, text: String, undo: impl Fn() + Send + Sync + 'static) {
        self.show(text, Some(std::sync::Arc::new(undo)), Duration::from_secs(10));
    }

    fn show(self, text: String, undo: Option<Undo>, time: Duration) {
        let number = self.number.try_update_value(|number| {
            *number += 1;
            *number
        });
        self.text.set(text);
        self.undo.set(undo);
        set_timeout(
            move || {
                if self.number.try_get_value() == number {
                    self.text.set(String::new());
                    self.undo.set(None);
                }
            },
            time,
        );
    }
}

/// The place where messages appear.
#[component]
pub(crate) fn Toast() -> impl IntoView {
    let toasts = use_toasts();
    let press = move |_| {
        toasts.text.set(String::new());
        if let Some(undo) = toasts.undo.try_update(Option::take).flatten() {
            undo();
        }
    };
    view! {
        <div class=move || if toasts.text.with(String::is_empty) { "toast" } else { "toast on" } role="status" aria-live="polite">
            <span>{move || toasts.text.get()}</span>
            <button type="button" class="link" hidden=move || toasts.undo.with(Option::is_none) on:click=press>"Undo"</button>
        </div>
    }
}
