//! The log: on standard error, so that standard output stays free for answers.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal as _;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Begins to log. Once per process; later calls do nothing.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new(Log::FILTER));
    let pretty = match log.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    let all = tracing_subscriber::registry().with(filter);
    let started = if pretty {
        all.with(lines.with_target(false)).try_init()
    } else {
        all.with(lines.json().flatten_event(true).with_span_list(false)).try_init()
    };
    drop(started);
}
