//! The keys, in a dialog that closes by itself without wasm knowing how.

use leptos::prelude::*;

/// The dialog.
#[component]
pub(crate) fn Help() -> impl IntoView {
    const KEYS: [(&str, &str); 15] = [
        ("/", "Search connections"),
        ("j  k", "Next and previous row"),
        ("Enter", "Open the row"),
        ("x", "Select the row"),
        ("e", "Acknowledge the issue"),
        ("r", "Try what failed again"),
        ("g  o", "Go to the Overview"),
        ("g  c", "Go to Connections"),
        ("g  i", "Go to Issues"),
        ("g  w", "Go to Webhooks"),
        ("g  a", "Go to Alerts"),
        ("g  y", "Go to System"),
        ("g  s", "Go to Settings"),
        ("Ctrl K", "Find anything; ⌘ K on a Mac"),
        ("?", "This help"),
    ];
    let keys: Vec<_> = KEYS
        .iter()
        .map(|(keys, words)| {
            let keys: Vec<_> = keys.split("  ").map(|key| view! { <kbd>{key}</kbd> }.into_any()).collect();
            view! { <dt>{keys}</dt><dd>{*words}</dd> }.into_any()
        })
        .collect();
    view! {
        <dialog id="help" closedby="any" aria-labelledby="help-title">
            <form method="dialog">
                <h2 id="help-title">"Keys"</h2>
                <dl class="keys">{keys}</dl>
                <button class="btn">"Close"</button>
            </form>
        </dialog>
    }
}
