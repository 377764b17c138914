//! The way to every screen.

use super::{display::Display, live_note::LiveSign, text};
use crate::{
    browser,
    calls::{self, CallError, overview::Pulse},
    live::Refetch,
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use model::ChangeTopic;

/// The side of the frame; a bar at the top of narrow screens.
#[component]
pub(crate) fn Nav() -> impl IntoView {
    let refetch = Refetch::on(&[ChangeTopic::Connection]);
    let pulse = Resource::new(
        move || refetch.round(),
        move |_| {
            let flight = refetch.depart();
            async move {
                let pulse = calls::overview::ask_pulse().await;
                drop(flight);
                pulse
            }
        },
    );
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
                    <Entry href="/" words="Overview" number=move || figure(pulse, |pulse| pulse.attention) hot=true />
                    <Entry href="/connections" words="Connections" number=move || figure(pulse, |pulse| pulse.connections) />
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

type Answer = Resource<Result<Pulse, CallError>>;

fn figure(pulse: Answer, of: fn(&Pulse) -> u64) -> String {
    match pulse.get() {
        Some(Ok(pulse)) if of(&pulse) > 0 => text::count(of(&pulse)),
        _ => String::new(),
    }
}

fn name(pulse: Answer) -> String {
    pulse.get().and_then(Result::ok).map(|pulse| pulse.name).unwrap_or_default()
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
            <span class=if hot { "n hot" } else { "n" }>{number}</span>
        </a>
    }
}
