//! `GET /metrics`: Prometheus text. Every name begins with `linewatch_`.

use crate::wiring::Parts;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// Seconds, from a lookup in memory to what a time-out ends.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Begins to count. One recorder serves the whole process, however often it is asked for.
pub fn start() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let handle = HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Fails only when another recorder is installed; ours then stays empty, and that can be seen.
        drop(metrics::set_global_recorder(recorder));
        describe();
        handle
    });
    handle.clone()
}

fn describe() {
    describe_counter!("linewatch_http_requests_total", "Requests answered, by method, route and status.");
    describe_histogram!(
        "linewatch_http_request_seconds",
        Unit::Seconds,
        "Time to the head of an answer, by method and route."
    );
    describe_gauge!("linewatch_change_streams", "Open streams of changes, one a browser.");
    describe_gauge!(
        "linewatch_poll_lag_seconds",
        Unit::Seconds,
        "How long the next round of polling over a source is overdue, by source."
    );
    describe_counter!(
        "linewatch_event_future_stamps_total",
        "Events stamped later than we received them, by source; they count as of their receipt."
    );
    describe_counter!(
        "linewatch_gaps_total",
        "Webhooks that must have come and did not, found and repaired by polling, by kind."
    );
    describe_counter!("linewatch_deliveries_total", "Tries to deliver an event to an endpoint, by outcome.");
    describe_gauge!("linewatch_delivery_backlog", "Deliveries that are due, over all endpoints; counted to 100,000.");
    describe_histogram!(
        "linewatch_delivery_latency_seconds",
        Unit::Seconds,
        "From the receipt of an event to its arrival at an endpoint."
    );
    describe_gauge!("linewatch_endpoint_open", "Endpoints that are not reached, so that their deliveries wait.");
    describe_counter!("linewatch_endpoint_opened_total", "How often an endpoint was given up as not reached.");
    describe_counter!("linewatch_sign_ins_total", "Sign-ins tried, by result.");
    describe_gauge!("linewatch_issues_open", "Issues that nobody has taken.");
    describe_gauge!("linewatch_outages_open", "Outages that last.");
    describe_gauge!("linewatch_alerts_firing", "Alerts that fire.");
    describe_counter!(
        "linewatch_alert_evaluations_total",
        "How often the condition of a rule was looked at for a subject."
    );
    describe_histogram!(
        "linewatch_alert_lag_seconds",
        Unit::Seconds,
        "From a connection's turn to the commit of what it makes of alerts, for the oldest of each look."
    );
    describe_counter!("linewatch_notifications_total", "Tries to send a message, by kind of channel and outcome.");
    describe_histogram!(
        "linewatch_notice_latency_seconds",
        Unit::Seconds,
        "From the news to the channel's answer, of messages that went through."
    );
    describe_gauge!("linewatch_build_info", "Always 1; the version is a label.");
    gauge!("linewatch_build_info", "version" => crate::VERSION).set(1.0);
}

/// `GET /metrics`.
pub async fn handle(State(parts): State<Parts>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], parts.metrics.render())
}
