//! What is logged, and how.

use super::Env;

/// What is logged, and how. Always to standard error.
#[derive(Clone, Debug)]
pub struct Log {
    /// `LINEWATCH_LOG_FILTER`: what is logged, as `tracing-subscriber` reads it; `info` with quiet libraries unless said.
    pub filter: String,
    /// `LINEWATCH_LOG_FORMAT`: `pretty`, `json`, or `auto`: pretty on a terminal, JSON elsewhere. `auto` unless said.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    /// For eyes.
    Pretty,
    /// For machines: one object a line.
    Json,
}

impl Log {
    /// What is logged unless said.
    pub const FILTER: &str = "info,sqlx=warn,hyper=warn,reqwest=warn,rustls=warn";

    /// As if nothing was set.
    pub fn standard() -> Self {
        Self { filter: Self::FILTER.to_owned(), format: LogFormat::Auto }
    }

    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>) -> Self {
        Self {
            filter: env.read("LINEWATCH_LOG_FILTER", Self::FILTER.to_owned(), |text| {
                let filter = tracing_subscriber::EnvFilter::try_new(text);
                filter.map(|_| text.to_owned()).map_err(|error| format!("“{text}” cannot be read: {error}"))
            }),
            format: env.read("LINEWATCH_LOG_FORMAT", LogFormat::Auto, |text| match text {
                "auto" => Ok(LogFormat::Auto),
                "pretty" => Ok(LogFormat::Pretty),
                "json" => Ok(LogFormat::Json),
                _ => Err(format!("“{text}” is not one of auto, pretty, json")),
            }),
        }
    }
}
