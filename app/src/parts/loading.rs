//! Shows that a screen is on its way: on a slow line an area's code takes seconds, in which the screen before it stays.

use leptos::prelude::*;

/// How many screens are being loaded.
#[derive(Clone, Copy)]
struct Loading(RwSignal<u32>);

/// A screen is being loaded as long as this lives.
pub(crate) struct UnderWay(Option<Loading>);

/// Puts into the context what the bar shows.
pub(crate) fn provide_loading() {
    provide_context(Loading(RwSignal::new(0)));
}

/// Begins to load a screen.
pub(crate) fn begin() -> UnderWay {
    let loading = use_context::<Loading>();
    if let Some(Loading(count)) = loading {
        count.try_update(|count| *count += 1);
    }
    UnderWay(loading)
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(Loading(count)) = self.0 {
            count.try_update(|count| *count = count.saturating_sub(1));
        }
    }
}

/// A thin bar at the very top; its style lets it wait a moment before it is seen.
#[component]
pub(crate) fn LoadingBar() -> impl IntoView {
    let Loading(count) = expect_context();
    view! {
        <div class="loading" role="progressbar" aria-label="Loading the screen" hidden=move || count.get() == 0></div>
    }
}
