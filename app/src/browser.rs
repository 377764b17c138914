//! Everything that is asked of the browser, in one place. On the server each of these is inert, so that no view ever
//! has to know where it runs.

#[cfg(not(feature = "hydrate"))]
mod inert;
#[cfg(feature = "hydrate")]
mod json;
#[cfg(feature = "hydrate")]
mod real;
#[cfg(feature = "hydrate")]
mod ring;

#[cfg(not(feature = "hydrate"))]
pub(crate) use inert::*;
#[cfg(feature = "hydrate")]
pub(crate) use json::*;
#[cfg(feature = "hydrate")]
pub(crate) use real::*;
#[cfg(feature = "hydrate")]
pub(crate) use ring::*;

/// A form was taken: where to go next, if anywhere, and what was answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub to: Option<String>,
    pub body: String,
}

/// How a person wants the screens to look; kept in two cookies, so that the server knows before the first paint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// `light`, `dark`; none follows the system.
    pub theme: Option<&'static str>,
    /// `compact`; none is comfortable.
    pub density: Option<&'static str>,
}

impl Look {
    /// Reads it from the text of a cookie header.
    pub(crate) fn read(cookies: &str) -> Self {
        let mut look = Self::default();
        for pair in cookies.split(';') {
            match pair.trim() {
                "theme=light" => look.theme = Some("light"),
                "theme=dark" => look.theme = Some("dark"),
                "density=compact" => look.density = Some("compact"),
                _ => {}
            }
        }
        look
    }

    /// What the request being rendered asks for.
    pub(crate) fn of_request() -> Self {
        #[cfg(feature = "ssr")]
        if let Some(parts) = leptos::prelude::use_context::<http::request::Parts>() {
            let cookies = parts.headers.get(http::header::COOKIE).and_then(|value| value.to_str().ok());
            return Self::read(cookies.unwrap_or_default());
        }
        Self::default()
    }
}
