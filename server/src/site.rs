//! The browser's side: pages rendered by `app`, and the files that they need.

mod files;

pub use self::files::{Files, options};

use crate::api::problem::no_such_address;
use crate::auth::Identity;
use crate::wiring::Parts;
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, Request, State};
use axum::http::{HeaderValue, Uri, header, request};
use axum::response::IntoResponse as _;
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::use_context;
use leptos_axum::generate_route_list_with_exclusions_and_ssg_and_context as list_routes;
use leptos_axum::{LeptosRoutes as _, ResponseOptions, file_and_error_handler_with_context};

impl FromRef<Parts> for LeptosOptions {
    fn from_ref(parts: &Parts) -> Self {
        parts.leptos.clone()
    }
}

/// Every page, and every server function that they call.
pub fn pages(parts: &Parts) -> Router<Parts> {
    let (context, options) = (context(parts.clone()), parts.leptos.clone());
    let (routes, _) = list_routes(app::App, None, context.clone());
    Router::new().leptos_routes_with_context(parts, routes, context, move || app::shell(options.clone()))
}

/// The page for addresses that nobody has.
pub fn not_found(parts: &Parts) -> Router<Parts> {
    let page = file_and_error_handler_with_context::<Parts, _>(context(parts.clone()), app::shell);
    let answer = move |uri: Uri, state: State<Parts>, request: Request<Body>| async move {
        if request.method().is_safe() {
            page(uri, state, request).await
        } else {
            no_such_address().await.into_response()
        }
    };
    Router::new().fallback(answer)
}

/// What every render and every server function finds: the desk, who asks, and when.
fn context(parts: Parts) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        let identity =
            use_context::<request::Parts>().and_then(|request| request.extensions.get::<Identity>().cloned());
        let session = app::Session(identity.map(|identity| identity.actor));
        app::provide(parts.backend.clone(), session, parts.clock.now());
        if let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) {
            if let Ok(policy) = HeaderValue::from_str(&policy(&nonce)) {
                response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
            }
            response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        }
    }
}

/// Scripts and styles of ours alone; `wasm-unsafe-eval` is what WebAssembly needs, and lets no script be made of text.
fn policy(nonce: &str) -> String {
    // `cargo leptos watch` reloads pages through a socket on another port.
    let reload = if std::env::var_os("LEPTOS_WATCH").is_some() { " ws://127.0.0.1:* ws://localhost:*" } else { "" };
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; connect-src 'self'{reload}; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
}
