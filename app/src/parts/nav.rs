//! The way to every screen.

use super::{display::Display, live_note::LiveSign, ring::Ring, text};
use crate::{asking::Asked, browser, calls::overview::Pulse};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The side of the frame; a bar at the top of narrow screens.
#[component]
pub(crate) fn Nav(
    /// The figures beside the ways.
    pulse: Asked,
) -> impl IntoView {
    view! {
        <header class="side">
            <a class="brand" href="/" aria-label="Linewatch, Overview">
                <svg viewBox="0 0 20 20" aria-hidden="true">
                    <path d="M1.5 10.5h4l2.2-6 4.4 11 2.2-5h4.2"></path>
                </svg>
                <span>"Linewatch"</span>
            </a>
            <nav aria-label="Main">
                <Transition fallback=|| ()>
                    <Entry href="/" words="Overview" number=move || figure(pulse, |p| p.pulse.totals.attention()) hot=true />
                    <Entry href="/connections" words="Connections" number=move || figure(pulse, |p| p.pulse.totals.all()) />
                    <Entry href="/issues" words="Issues" number=move || figure(pulse, |p| p.pulse.issues_open) hot=true />
                    <Entry href="/webhooks" words="Webhooks" number=move || figure(pulse, |p| p.pulse.webhooks_failed) hot=true />
                    <Entry href="/alerts" words="Alerts" number=move || figure(pulse, |p| p.pulse.alerts_firing) hot=true />
                    <Entry href="/system" words="System" number=move || figure(pulse, |p| p.pulse.concerns.len() as u64) hot=true />
                    <Entry href="/settings" words="Settings" number=String::new />
                </Transition>
            </nav>
            <button type="button" class="find" on:click=|_| browser::open_dialog("palette")>
                <span>"Find anything"</span>
                <kbd aria-hidden="true">"Ctrl K"</kbd>
            </button>
            <div class="foot">
                <LiveSign />
                <Display />
                <Ring />
                <div class="person">
                    <Transition fallback=|| ()>
                        <span class="name">{move || name(pulse)}</span>
                    </Transition>
                    <form method="post" action="/logout">
                        <button class="link">"Sign out"</button>
                    </form>
                </div>
            </div>
        </header>
    }
}

fn figure(pulse: Asked, of: fn(&Pulse) -> u64) -> String {
    pulse.got().as_ref().and_then(|got| got.pulse()).map(of).filter(|n| *n > 0).map(text::count).unwrap_or_default()
}

fn name(pulse: Asked) -> String {
    pulse.got().as_ref().and_then(|got| got.pulse()).map(|pulse| pulse.name.clone()).unwrap_or_default()
}

#[component]
fn Entry(
    href: &'static str,
    words: &'static str,
    number: impl Fn() -> String + Send + Sync + 'static,
    #[prop(optional)] hot: bool,
) -> impl IntoView {
    let path = use_location().pathname;
    let current = move || {
        let here = path
            .with(|path| if href == "/" { path == "/" } else { path == href || path.starts_with(&format!("{href}/")) });
        here.then_some("page")
    };
    view! {
        <a href=href aria-current=current>
            <span>{words}</span>
            // no text at all, or the space that stands for an empty one would be there only until it changes
            <span class=if hot { "n hot" } else { "n" }>{move || Some(number()).filter(|number| !number.is_empty())}</span>
        </a>
    }
}
