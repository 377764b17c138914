//! The keyboard: `/` search, `j` `k` rows, `x` selects one, `e` acknowledges it, `r` retries it, `?` help, Ctrl or Cmd and K for everything, `g` then a letter to go somewhere.

use crate::browser;
use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// Listens for the life of the page.
pub(crate) fn listen() {
    let navigate = use_navigate();
    let going = StoredValue::new(false);
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let handle = window_event_listener(ev::keydown, move |event| {
            if (event.meta_key() || event.ctrl_key()) && event.key() == "k" {
                event.prevent_default();
                return browser::open_dialog("palette");
            }
            if event.alt_key()
                || event.meta_key()
                || event.ctrl_key()
                || browser::is_typing(&event)
                || browser::dialog_is_open()
            {
                return;
            }
            let went = std::mem::take(&mut *going.write_value());
            let taken = match (went, event.key().as_str()) {
                (true, "o") => to(&navigate, "/"),
                (true, "c") => to(&navigate, "/connections"),
                (true, "i") => to(&navigate, "/issues"),
                (true, "w") => to(&navigate, "/webhooks"),
                (true, "a") => to(&navigate, "/alerts"),
                (true, "y") => to(&navigate, "/system"),
                (true, "s") => to(&navigate, "/settings"),
                (_, "g") => {
                    going.set_value(true);
                    true
                }
                (_, "/") => {
                    if !browser::focus("#search") {
                        browser::open_dialog("palette");
                    }
                    true
                }
                (_, "j") => browser::step_rows(1),
                (_, "k") => browser::step_rows(-1),
                (_, "x") => browser::press_here("[data-key=x]"),
                (_, "e") => browser::press_here("[data-key=e]:not([hidden])"),
                (_, "r") => browser::press_here("[data-key=r]:not([hidden])"),
                (_, "?") => {
                    browser::open_dialog("help");
                    true
                }
                _ => false,
            };
            if taken {
                event.prevent_default();
            }
        });
        on_cleanup(move || handle.remove());
    });
}

fn to(navigate: &impl Fn(&str, NavigateOptions), address: &str) -> bool {
    navigate(address, NavigateOptions::default());
    true
}
