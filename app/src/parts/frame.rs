//! What stands around every screen.

use super::{help::Help, keys, live_note::LostBanner, nav::Nav, palette::Palette, toast::Toast};
use crate::{browser, live::use_live};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

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
    view! {
        <a class="skip" href="#main" rel="external">"Skip to the content"</a>
        <div class="frame">
            <Nav />
            <main id="main" tabindex="-1">
                <LostBanner />
                {children()}
            </main>
        </div>
        <Palette />
        <Help />
        <Toast />
    }
    .into_any()
}
