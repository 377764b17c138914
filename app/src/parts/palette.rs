//! Everything by a few letters: screens at once, connections as the server finds them.

use super::mark::mark;
use crate::{
    browser,
    calls::{self, connections::Hit},
};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use std::time::Duration;

#[derive(Clone, PartialEq)]
struct Item {
    address: String,
    words: String,
    under: String,
    health: Option<model::Health>,
}

const SCREENS: [(&str, &str); 21] = [
    ("/", "Overview"),
    ("/connections", "All connections"),
    ("/connections?health=reauthorization_required", "Who must sign in again"),
    ("/issues", "Open issues"),
    ("/issues?assignee=me", "My issues"),
    ("/customers", "Customers"),
    ("/webhooks", "Webhooks: what failed"),
    ("/webhooks/events", "Webhooks: events received"),
    ("/webhooks/endpoints", "Webhooks: endpoints"),
    ("/webhooks/endpoints/new", "Add an endpoint"),
    ("/alerts", "Alerts: what fires"),
    ("/alerts/rules", "Alerts: rules"),
    ("/alerts/rules/new", "Write a rule"),
    ("/alerts/silences", "Alerts: silences and maintenance"),
    ("/alerts/routes", "Alerts: routes, who is told"),
    ("/alerts/channels", "Alerts: channels"),
    ("/alerts/log", "Alerts: what was told"),
    ("/system", "System: what Linewatch sees"),
    ("/settings", "Settings: sources"),
    ("/settings/sources/new", "Add a source"),
    ("/settings/retention", "Settings: how long things are kept"),
];

/// The dialog.
#[component]
pub(crate) fn Palette() -> impl IntoView {
    let words = RwSignal::new(String::new());
    let hits = RwSignal::new(Vec::<Hit>::new());
    let at = RwSignal::new(0usize);
    let asked = StoredValue::new(0u32);
    let navigate = use_navigate();
    let items = Memo::new(move |_| words.with(|words| hits.with(|hits| items(words, hits))));
    let open = StoredValue::new(move |address: &str| {
        browser::close_dialog("palette");
        navigate(address, NavigateOptions::default());
    });
    let typed = move |event| {
        words.set(event_target_value(&event));
        at.set(0);
        let number = asked.try_update_value(|n| {
            *n += 1;
            *n
        });
        let ask = move || {
            let text = words.get_untracked().trim().to_owned();
            leptos::task::spawn_local(async move {
                let found = if text.is_empty() {
                    Vec::new()
                } else {
                    calls::connections::find_connections(text).await.unwrap_or_default()
                };
                if asked.try_get_value() == number {
                    hits.set(found);
                }
            });
        };
        set_timeout(
            move || {
                if asked.try_get_value() == number {
                    ask()
                }
            },
            Duration::from_millis(120),
        );
    };
    let key = move |event: leptos::ev::KeyboardEvent| {
        let last = items.with(Vec::len).saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = (*at + 1).min(last)),
            "ArrowUp" => at.update(|at| *at = at.saturating_sub(1)),
            "Enter" => {
                if let Some(item) = items.with(|items| items.get(at.get_untracked()).cloned()) {
                    open.with_value(|open| open(&item.address));
                }
            }
            _ => return,
        }
        event.prevent_default();
        browser::scroll_to("#palette [aria-selected=true]");
    };
    // Each time it opens, it opens empty.
    let closed = move |_| {
        asked.update_value(|n| *n += 1);
        words.set(String::new());
        hits.set(Vec::new());
        at.set(0);
    };
    let active = move || format!("found-{}", at.get());
    view! {
        <dialog id="palette" class="palette" closedby="any" aria-label="Find anything" on:close=closed>
            <input type="text" role="combobox" aria-expanded="true" aria-controls="found" aria-activedescendant=active autocomplete="off"
                aria-label="Find a screen or a connection" placeholder="Go to a screen, find a customer…" prop:value=words on:input=typed on:keydown=key />
            <ul id="found" role="listbox" aria-label="Found">
                {move || items.with(|items| items.iter().enumerate().map(|(i, item)| {
                    let address = item.address.clone();
                    let press = move |_| open.with_value(|open| open(&address));
                    let chosen = move || if at.get() == i { "true" } else { "false" };
                    view! {
                        <li id=format!("found-{i}") role="option" aria-selected=chosen on:click=press>
                            {item.health.map(mark)}
                            <span>{item.words.clone()}</span>
                            <span class="sub">{item.under.clone()}</span>
                        </li>
                    }
                    .into_any()
                }).collect::<Vec<_>>())}
            </ul>
            <p class="palette-foot">
                <kbd>"↑"</kbd><kbd>"↓"</kbd>" choose "<kbd>"Enter"</kbd>" open "<kbd>"Esc"</kbd>" close"
            </p>
        </dialog>
    }
}

fn items(words: &str, hits: &[Hit]) -> Vec<Item> {
    let words = words.trim().to_lowercase();
    let screens = SCREENS.iter().filter(|(_, name)| words.is_empty() || name.to_lowercase().contains(&words)).map(
        |(address, name)| Item {
            address: (*address).to_owned(),
            words: (*name).to_owned(),
            under: String::new(),
            health: None,
        },
    );
    let found = hits.iter().map(|hit| Item {
        address: format!("/connections/{}", hit.id),
        words: hit.customer.clone(),
        under: hit.platform.clone(),
        health: Some(hit.health),
    });
    found.chain(screens).collect()
}
