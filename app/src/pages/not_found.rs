//! An address that leads nowhere.

use leptos::prelude::*;
use leptos_meta::Title;

/// The screen.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::calls::set_status(true, 404);
    view! {
        <Title text="Not found" />
        <section class="refused">
            <h1>"There is no such page"</h1>
            <p class="lede">"The link may be old or mistyped. What you are looking for can probably be found by the customer’s name."</p>
            <form class="filters" method="get" action="/connections" role="search">
                <div class="search">
                    <input type="search" id="search" name="q" aria-label="Search connections" placeholder="Customer, system, key, tag or request id" />
                    <kbd aria-hidden="true">"/"</kbd>
                </div>
                <button class="btn first">"Search"</button>
            </form>
            <p><a href="/">"Go to the Overview"</a></p>
        </section>
    }
}
