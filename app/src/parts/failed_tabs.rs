//! The failed list: its sentence, its hints, and how many there are of each kind.

use super::{
    failed_query::{Asks, retry_address},
    text,
    time::Moment,
};
use crate::calls::failures::FailureListing;
use leptos::prelude::*;
use model::{FailureHint, FailureKind, Role};

/// What is so, in a sentence.
pub(crate) fn sentence(listing: &FailureListing) -> String {
    if listing.meant.is_some() {
        return "Which connection is meant?".to_owned();
    }
    let untold = of(listing, FailureKind::Notification);
    let webhooks = match listing.summary.counts.values().sum::<u64>() - untold {
        0 => None,
        1 => Some("1 webhook did not get where it should.".to_owned()),
        n => Some(format!("{} webhooks did not get where they should.", text::count(n))),
    };
    let messages = match untold {
        0 => None,
        1 => Some("1 message was not sent.".to_owned()),
        n => Some(format!("{} messages were not sent.", text::count(n))),
    };
    let said: Vec<_> = [webhooks, messages].into_iter().flatten().collect();
    if said.is_empty() { "Nothing has failed.".to_owned() } else { said.join(" ") }
}

fn of(listing: &FailureListing, kind: FailureKind) -> u64 {
    listing.summary.counts.get(&kind).copied().unwrap_or_default()
}

/// The tabs by kind, each a link, with how many are behind it.
pub(crate) fn kinds(listing: &FailureListing, asks: &Asks) -> AnyView {
    let tab = |words: &'static str, kind: Option<FailureKind>, n: u64| {
        let here = asks.query.kind.as_slice() == kind.as_slice();
        let href = asks.change(|query| query.kind = kind.into_iter().collect());
        view! { <li><a href=href aria-current=here.then_some("true")>{words}" "<b>{text::count(n)}</b></a></li> }
            .into_any()
    };
    let kinds = FailureKind::ALL.iter().copied();
    let tabs: Vec<_> = kinds.map(|kind| tab(kind.words(), Some(kind), of(listing, kind))).collect();
    let group = Asks { grouped: !asks.grouped, ..asks.clone() };
    view! {
        <div class="kinds">
            <ul class="legend tabs" aria-label="Failures by kind">
                {tab("All", None, listing.summary.counts.values().sum())}
                {tabs}
            </ul>
            <a class="btn small" href=group.change(|_| ())>{if asks.grouped { "One by one" } else { "Group by cause" }}</a>
        </div>
    }
    .into_any()
}

/// What stands out.
pub(crate) fn hints(listing: &FailureListing, now: Moment) -> AnyView {
    let one = |hint: &FailureHint| {
        let href = format!("/webhooks?kind=rejection&source={}", text::encode(&hint.source_name));
        view! {
            <p class="note warn">
                <b>{hint.source_name.clone()}</b>": "{hint.text.clone()}" "
                <span class="sub">{text::counted(hint.count, "request", "requests")}" since "{now.ago(hint.since)}". "<a href=href>"See them"</a></span>
            </p>
        }
        .into_any()
    };
    listing.summary.hints.iter().map(one).collect::<Vec<_>>().into_any()
}

/// How many of what the filters match can be tried again.
pub(crate) fn retryable(listing: &FailureListing, asks: &Asks) -> u64 {
    let kinds = [FailureKind::Processing, FailureKind::Delivery, FailureKind::Notification];
    let asked = |kind: &FailureKind| asks.query.kind.is_empty() || asks.query.kind.contains(kind);
    kinds.into_iter().filter(asked).map(|kind| of(listing, kind)).sum()
}

/// The button that leads to retrying all that match; the page behind it says how many exactly.
pub(crate) fn retry_all(listing: &FailureListing, asks: &Asks) -> AnyView {
    let n = retryable(listing, asks);
    if n == 0 || listing.role < Role::Support {
        return ().into_any();
    }
    let words = if n == 1 { "Retry it…".to_owned() } else { format!("Retry all {}…", text::count(n)) };
    view! { <a class="btn first" href=retry_address(&asks.query)>{words}</a> }.into_any()
}
