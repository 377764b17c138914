//! What stands around every screen.

use super::{
    concerns, help::Help, keys, live_note::LostBanner, loading::LoadingBar, nav::Nav, palette::Palette, toast::Toast,
};
use crate::{
    asking::{Question, ask},
    browser,
    live::{Refetch, use_live},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use model::ChangeTopic;
use std::time::Duration;

/// Some of what Linewatch cannot see comes with time alone, and nobody announces it; of webhooks too many are announced.
const PULSE: Duration = Duration::from_secs(15);

/// The frame. The page to sign in stands alone.
#[component]
pub(crate) fn Frame(
    /// The screens.
    children: Children,
) -> impl IntoView {
    let path = use_location().pathname;
    if path.get_untracked() == "/login" {
        return children().into_any();
    }
    use_live().start();
    keys::listen();
    Effect::new(move |before: Option<String>| {
        let path = path.get();
        if before.is_some_and(|before| before != path) {
            browser::focus("#main");
        }
        path
    });
    let interest = |change: &model::Change| match change.topic {
        ChangeTopic::Connection => !change.quiet,
        topic => matches!(topic, ChangeTopic::System | ChangeTopic::Issue | ChangeTopic::Alert),
    };
    let pulse = ask(|| Question::Pulse, Refetch::when(interest).every(PULSE));
    view! {
        <LoadingBar />
        <a class="skip" href="#main" rel="external">"Skip to the content"</a>
        <div class="frame">
            <Nav pulse />
            <main id="main" tabindex="-1">
                <LostBanner />
                {concerns::banner(pulse)}
                {children()}
            </main>
        </div>
        <Palette />
        <Help />
        <Toast />
    }
    .into_any()
}
