//! The first half of a rule: when. Each kind of condition has its own words and fields; those of the others are hidden.

use super::controls::{Controls, choices};
use leptos::prelude::*;
use model::{FailureKind, Health, SilenceOf, WhenKind};

/// The kinds, as a person would go on after “When”.
fn begins(kind: WhenKind) -> &'static str {
    match kind {
        WhenKind::ConnectionHealth => "a connection is in a state",
        WhenKind::ShareOfConnections => "many connections are in a state",
        WhenKind::SyncLate => "a sync is late",
        WhenKind::Silence => "nothing comes any more",
        WhenKind::FailedWebhooks => "webhooks fail",
        WhenKind::UpstreamUnwell => "a platform or a source is failing",
        WhenKind::SelfUnwell => "Linewatch itself is unwell",
        WhenKind::CredentialAge => "a secret is old or ends soon",
        WhenKind::Flapping => "a connection is unstable",
    }
}

/// “When …”, with the fields of its kind; `kind` follows what is chosen.
pub(crate) fn when(controls: Controls, kind: RwSignal<String>, choose: AnyView) -> AnyView {
    use WhenKind as K;
    let of = move |kinds: &'static [WhenKind], inner: AnyView| {
        let hidden = move || kind.with(|kind| !kinds.iter().any(|one| one.code() == kind));
        view! { <span class="clause" hidden=hidden>{inner}</span> }.into_any()
    };
    let healths: Vec<_> = Health::ALL.iter().copied().filter(|health| *health != Health::Healthy).collect();
    let units = [("number", "of them"), ("percent", "percent of all")];
    let units = units.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    let text = move |name, label, size, list| controls.text(name, label, size, list, None);
    let amount = view! {
        ": at least "{text("amount", "How many", 4, None)}" "{controls.pick("unit", "Of what", units, None)}{controls.fault("amount")}
    };
    let late = view! {
        ": its last good sync is older than "{text("cadences", "Cadences", 4, None)}" of its cadences"{controls.fault("cadences")}
        ", or than "{text("seconds", "A time instead of cadences", 8, Some("durations"))}{controls.fault("seconds")}
    };
    let webhooks = view! {
        " within "{text("window_seconds", "Within", 8, Some("durations"))}{controls.fault("window_seconds")}
    };
    let rests = view! {
        ", or one has not got through for "{text("older_than_seconds", "Rests for longer than", 8, Some("durations"))}{controls.fault("older_than_seconds")}
    };
    let age = view! {
        ": older than "{text("days", "Days old", 4, None)}" days"{controls.fault("days")}
        ", or ending within "{text("expires_in_days", "Days before it ends", 4, None)}" days"{controls.fault("expires_in_days")}
    };
    let turns = view! {
        ": it turned worse "{text("transitions", "How many times", 3, None)}" times"{controls.fault("transitions")}
    };
    view! {
        <div class="line">
            "When "
            {controls.pick("kind", "When what happens", choices(K::ALL, K::code, begins), Some(kind))}
            {choose}
            {of(&[K::ShareOfConnections, K::FailedWebhooks], amount.into_any())}
            {of(&[K::SyncLate], late.into_any())}
            {silence(controls, kind)}
            {of(&[K::Flapping], turns.into_any())}
            {of(&[K::FailedWebhooks, K::Flapping], webhooks.into_any())}
            {of(&[K::FailedWebhooks], rests.into_any())}
            {of(&[K::CredentialAge], age.into_any())}
            {of(&[K::ConnectionHealth, K::ShareOfConnections], controls.boxes("health", "in any of these states", choices(&healths, Health::code, Health::words)))}
            {of(&[K::ConnectionHealth, K::ShareOfConnections], controls.fault("health"))}
            {of(&[K::FailedWebhooks], controls.boxes("failures", "of any of these kinds; none ticked: processing and deliveries", choices(&webhooks_only(), FailureKind::code, FailureKind::words)))}
        </div>
    }
    .into_any()
}

/// What of the failures is a webhook.
fn webhooks_only() -> Vec<FailureKind> {
    FailureKind::ALL.iter().copied().filter(|kind| *kind != FailureKind::Notification).collect()
}

/// Silence has a duration too, with other words around it; a field stands only once in a form, so it is another one.
fn silence(controls: Controls, kind: RwSignal<String>) -> AnyView {
    let hidden = move || kind.with(|kind| kind != WhenKind::Silence.code());
    view! {
        <span class="clause" hidden=hidden>
            " from "
            {controls.pick("of", "From what", choices(SilenceOf::ALL, SilenceOf::code, SilenceOf::words), None)}
            " for "
            {controls.text("quiet_seconds", "Nothing for", 8, Some("durations"), None)}
            {controls.fault("quiet_seconds")}
        </span>
    }
    .into_any()
}
