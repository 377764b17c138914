//! What Linewatch cannot see right now: one by one, and as a banner on every screen.

use super::time::{Moment, use_clock};
use crate::asking::Asked;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use model::{Concern, Refusal, Severity};

/// The banner; the page that lists them all does not need it.
pub(crate) fn banner(pulse: Asked) -> AnyView {
    let (path, clock) = (use_location().pathname, use_clock());
    let draw = move || {
        if path.with(|path| path == "/system") {
            return None;
        }
        let got = pulse.got()?;
        match &got.result {
            Err(error) if matches!(error.refusal, Refusal::Unavailable(_)) => Some(unreachable(error.to_string())),
            _ => {
                let pulse = &got.pulse()?;
                // What is good to know stands on System alone.
                let bad = pulse.pulse.concerns.iter().filter(|concern| concern.severity != Severity::Info);
                let first = bad.clone().next()?;
                Some(bar(first, bad.count() - 1, clock.moment(pulse.pulse.at)))
            }
        }
    };
    view! { <Transition fallback=|| ()>{draw}</Transition> }.into_any()
}

fn unreachable(why: String) -> AnyView {
    view! {
        <section class="banner critical" role="status">
            <div>
                <h2>"Nothing can be shown anew right now"</h2>
                <p>{why}</p>
            </div>
        </section>
    }
    .into_any()
}

fn bar(first: &Concern, more: usize, now: Moment) -> AnyView {
    let more = match more {
        0 => "See System".to_owned(),
        n => format!("See this and {n} more"),
    };
    view! {
        <section class=format!("banner {}", first.severity) role="status">
            {words(first, now)}
            <a class="btn" href="/system">{more}</a>
        </section>
    }
    .into_any()
}

/// All of them, each with the way to mend it.
pub(crate) fn list(concerns: &[Concern], now: Moment) -> AnyView {
    let one = |concern: &Concern| {
        let of = None
            .or_else(|| Some((format!("/settings/sources/{}", concern.source?), "Open the source")))
            .or_else(|| Some((format!("/alerts/channels/{}", concern.channel?), "Open the channel")))
            .or_else(|| Some((format!("/webhooks/endpoints/{}", concern.endpoint?), "Open the endpoint")));
        let way = of.map(|(href, words)| view! { <a class="btn" href=href>{words}</a> });
        view! { <li class=format!("banner {}", concern.severity)>{words(concern, now)}{way}</li> }.into_any()
    };
    view! { <ul class="plain-list concerns">{concerns.iter().map(one).collect::<Vec<_>>()}</ul> }.into_any()
}

fn words(concern: &Concern, now: Moment) -> AnyView {
    let since = concern.since.map(|at| view! { <span class="sub">"for "{now.since(at)}</span> }.into_any());
    let tag = match concern.severity {
        Severity::Critical => view! { <span class="sr">"Critical: "</span> }.into_any(),
        _ => ().into_any(),
    };
    view! {
        <div>
            <h2>{tag}{concern.title.clone()}" "{since}</h2>
            <p>{concern.detail.clone()}</p>
        </div>
    }
    .into_any()
}
