//! How well a source can be seen: its polling and its webhooks, in words and figures.

use super::{copy::Copy, records::records, text, time::Moment};
use leptos::prelude::*;
use model::Source;

/// How a source stands: whether it is well, and a sentence.
pub(crate) fn verdict(source: &Source) -> (bool, String) {
    if !source.enabled {
        return (false, "Polling is switched off, so only webhooks are seen.".to_owned());
    }
    if let Some(error) = &source.round.error {
        return (false, format!("Polling fails: {}", error.message));
    }
    if source.webhook_secrets.is_empty() {
        return (false, "Polled well, but it has no webhook secret, so every webhook is refused.".to_owned());
    }
    match source.round.good_at {
        Some(_) => (true, "Seen well, by polling and by webhooks.".to_owned()),
        None => (false, "The first round of polling has not finished yet.".to_owned()),
    }
}

/// Both eyes, side by side.
pub(crate) fn seeing(source: &Source, now: Moment) -> AnyView {
    let eyes = view! {
        <div class="eyes">
            {polling(source, now)} {webhooks(source, now)}
        </div>
    };
    match records(source, now) {
        Some(records) => view! { {eyes} {records} }.into_any(),
        None => eyes.into_any(),
    }
}

fn polling(source: &Source, now: Moment) -> AnyView {
    let round = &source.round;
    let failing = round
        .failing_since
        .map(|since| view! { <dt>"Failing for"</dt><dd class="bad">{now.since(since)}</dd> }.into_any());
    let took = round.duration_ms.map(|ms| view! { <dt>"It took"</dt><dd>{format!("{ms} ms")}</dd> }.into_any());
    let listed = round.listed.map(|n| {
        view! { <dt>"It listed"</dt><dd>{text::counted(n.max(0) as u64, "connection", "connections")}</dd> }.into_any()
    });
    let skew = source.skew_ms.map(|ms| {
        let words = match ms {
            -999..=999 => "agrees with ours".to_owned(),
            1_000.. => format!("{} s ahead of ours", ms / 1_000),
            _ => format!("{} s behind ours", -ms / 1_000),
        };
        view! { <dt>"Makini’s clock"</dt><dd>{words}</dd> }.into_any()
    });
    let version =
        source.api_version.clone().map(|version| view! { <dt>"API version"</dt><dd>{version}</dd> }.into_any());
    view! {
        <section>
            <h3>"Polling"</h3>
            <dl class="facts">
                <dt>"Last good round"</dt>
                <dd>{match round.good_at { Some(at) => now.ago(at), None => "none yet".into_any() }}</dd>
                {failing} {took} {listed}
                <dt>"Next round"</dt>
                <dd>{match round.next_at { Some(at) if source.enabled => now.until(at), _ => "not planned".into_any() }}</dd>
                <dt>"Rate we allow ourselves"</dt>
                <dd>{format!("{} a minute", text::count(source.rate_per_minute.max(0) as u64))}</dd>
                {skew} {version}
            </dl>
        </section>
    }
    .into_any()
}

fn webhooks(source: &Source, now: Moment) -> AnyView {
    let traffic = &source.traffic;
    let turned_away: u64 = traffic.rejections.values().sum();
    let reasons: Vec<_> = traffic
        .rejections
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(reason, n)| view! { <dt class="indent">{reason.words()}</dt><dd>{text::count(*n)}</dd> }.into_any())
        .collect();
    let url = source.webhook_url.clone();
    let copied = url.clone();
    let class = if turned_away > 0 { "bad" } else { "" };
    let last = traffic.last_rejection_at.filter(|_| turned_away > 0);
    view! {
        <section>
            <h3>"Webhooks, last 24 hours"</h3>
            <dl class="facts">
                <dt>"Taken"</dt>
                <dd>{text::count(traffic.events)}</dd>
                <dt>"Newest"</dt>
                <dd>{match traffic.last_event_at { Some(at) => now.ago(at), None => "none yet".into_any() }}</dd>
                <dt>"Turned away"</dt>
                <dd class=class>{text::count(turned_away)}</dd>
                {reasons}
                {last.map(|at| view! { <dt class="indent">"Newest"</dt><dd>{now.ago(at)}</dd> })}
                <dt>"Live secrets"</dt>
                <dd>{source.webhook_secrets.len()}</dd>
            </dl>
            <div class="address">
                <code>{url}</code>
                <Copy text=move || copied.clone() label="Copy" what="Webhook address" class="small" />
            </div>
        </section>
    }
    .into_any()
}
