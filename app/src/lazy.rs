//! Screens that are loaded when they are first needed.
//!
//! **How a page becomes lazy.** It is written like any other component, named in `screens!` below, and its route in `lib.rs` says
//! `view={Lazy::<Name>::new()}`; the braces must be there. Everything that only this page uses then lies in a file of its own, what
//! several pages use in files that they share, and what the frame around them uses in the main one. So a page is best kept out
//! of what is reached from [`crate::parts::frame`] or [`crate::asking`]. A name without a route breaks the build, and so does
//! `cargo leptos` without `--split`: the page would come from the server and stay dead.

use crate::pages;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

macro_rules! screens {
    ($($(#[$doc:meta])* $name:ident: $screen:path;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        #[lazy_route]
        impl LazyRoute for $name {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> AnyView {
                $screen().into_any()
            }
        }
    )*};
}

screens! {
    /// The start.
    Overview: pages::overview::OverviewPage;
    /// The list.
    Connections: pages::connections::ConnectionsPage;
    /// One of it.
    Connection: pages::connection::ConnectionScreen;
    /// Linewatch itself.
    System: pages::system::SystemPage;
    /// Settings.
    Sources: pages::sources::SourcesPage;
    /// One of them.
    Source: pages::source::SourcePage;
    /// A new one.
    NewSource: pages::source_new::NewSourcePage;
}
