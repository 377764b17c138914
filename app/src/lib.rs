//! The screens of Linewatch. The server renders every page completely; the browser then takes over what is alive.
//!
//! * `pages`: one file a screen; `parts`: what they are made of.
//! * `lazy`: which screens the browser loads only when it needs them, and how a new one becomes so.
//! * `calls`: the questions a page asks, as server functions.
//! * `live`: what changed, said by the server; `browser`: everything that is asked of the browser.
#![recursion_limit = "256"]

mod asking;
mod browser;
mod calls;
mod lazy;
pub mod live;
mod pages;
mod parts;

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{
    Lazy, SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};
use parts::frame::Frame;

/// The desk that answers, as every render and server function finds it in its context.
#[cfg(feature = "ssr")]
pub type SharedBackend = std::sync::Arc<dyn model::Backend>;

/// Who is signed in, as the server's authentication found it; provided with every request.
#[derive(Clone, Debug)]
pub struct Session(pub Option<model::Actor>);

/// The moment of the request by the server's clock; provided with every request, because screens have no clock.
#[derive(Clone, Copy, Debug)]
pub struct AsOf(pub DateTime<Utc>);

/// Gives a render or a server function everything it may count on. Call it in the context closure of every Leptos handler.
#[cfg(feature = "ssr")]
pub fn provide(backend: SharedBackend, session: Session, at: DateTime<Utc>) {
    provide_context(backend);
    provide_context(session);
    provide_context(AsOf(at));
}

/// A text inside an element whose text leptos writes into the page as it is (`title`, `textarea`): there a customer's name
/// could end the element and begin another. In the browser the same text becomes a property, and must stay as it is.
pub(crate) fn raw_text(text: String) -> String {
    if cfg!(feature = "ssr") { text.replace('&', "&amp;").replace('<', "&lt;") } else { text }
}

/// The document around the application.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let look = browser::Look::of_request();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=look.theme data-density=look.density>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#fbfaf7" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#12161d" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="preload" href="/fonts/inter.woff2" r#as="font" type="font/woff2" crossorigin="anonymous" />
                <leptos_meta::HashedStylesheet id="style" options=options.clone() />
                <AutoReload options=options.clone() />
                <HydrationScripts options />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The application: every screen and its address. How a new one gets here: see `lazy`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    parts::time::provide_clock();
    parts::toast::provide_toasts();
    live::provide_live();
    parts::loading::provide_loading();
    let named = |title: String| {
        if title.is_empty() { "Linewatch".to_owned() } else { format!("{} · Linewatch", raw_text(title)) }
    };
    view! {
        <Title formatter=named />
        <Router>
            <Frame>
                <FlatRoutes fallback=pages::not_found::NotFound>
                    <Route path=path!("/login") view=pages::login::Login ssr=SsrMode::Async />
                    <Route path=path!("/") view={Lazy::<lazy::Overview>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/connections") view={Lazy::<lazy::Connections>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/connections/:id") view={Lazy::<lazy::Connection>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/issues") view={Lazy::<lazy::Issues>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/issues/:id") view={Lazy::<lazy::Issue>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/bulk/new") view={Lazy::<lazy::NewBulk>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/bulk/:id") view={Lazy::<lazy::Bulk>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/customers") view={Lazy::<lazy::Customers>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/customers/:id") view={Lazy::<lazy::Customer>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/webhooks") view={Lazy::<lazy::Failed>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/webhooks/retries/new") view={Lazy::<lazy::NewRetry>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/webhooks/retries/:id") view={Lazy::<lazy::Retry>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/webhooks/events") view={Lazy::<lazy::Events>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/webhooks/events/:id") view={Lazy::<lazy::Event>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/webhooks/endpoints") view={Lazy::<lazy::Endpoints>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/webhooks/endpoints/new") view={Lazy::<lazy::NewEndpoint>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/webhooks/endpoints/:id") view={Lazy::<lazy::Endpoint>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts") view={Lazy::<lazy::Alerts>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/rules") view={Lazy::<lazy::Rules>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/rules/:id") view={Lazy::<lazy::Rule>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/silences") view={Lazy::<lazy::Silences>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/silences/new") view={Lazy::<lazy::Silence>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/maintenance/new") view={Lazy::<lazy::Maintenance>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/routes") view={Lazy::<lazy::Routes>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/routes/:id") view={Lazy::<lazy::OneRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/channels") view={Lazy::<lazy::Channels>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/channels/:id") view={Lazy::<lazy::Channel>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/log") view={Lazy::<lazy::Log>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/alerts/log/:id") view={Lazy::<lazy::Notification>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/system") view={Lazy::<lazy::System>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings") view={Lazy::<lazy::Sources>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings/sources/new") view={Lazy::<lazy::NewSource>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings/retention") view={Lazy::<lazy::Retention>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings/sources/:id/deliveries") view={Lazy::<lazy::MakiniDeliveries>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings/sources/:id") view={Lazy::<lazy::Source>::new()} ssr=SsrMode::Async />
                </FlatRoutes>
            </Frame>
        </Router>
    }
}
