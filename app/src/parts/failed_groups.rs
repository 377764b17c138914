//! Failures with the same cause, one an item: how many, why, and both ways on.

use super::{
    failed_query::{Asks, address, retry_address},
    text,
    time::Moment,
    webhook_words::counted_kind,
};
use crate::calls::failures::FailureListing;
use leptos::prelude::*;
use model::{FailureGroup, FailureKind, FailureQuery, Role};

/// The groups, most first.
pub(crate) fn groups(listing: &FailureListing, asks: &Asks, now: Moment) -> AnyView {
    let groups = listing.groups.as_deref().unwrap_or_default();
    let items: Vec<_> = groups.iter().map(|group| item(group, listing.role, asks, now)).collect();
    view! { <ul class="groups">{items}</ul> }.into_any()
}

/// “318 deliveries: certificate expired at erp-hooks”.
fn sentence(group: &FailureGroup) -> (String, String) {
    let place = match (&group.endpoint, &group.channel, &group.source) {
        (Some(endpoint), ..) => format!(" at {}", endpoint.name),
        (None, Some(channel), _) => format!(" by {}", channel.name),
        (None, None, Some(source)) => format!(" from {source}"),
        (None, None, None) => String::new(),
    };
    let message = group.error.message.trim_end_matches('.');
    (counted_kind(group.kind, group.count), format!(": {message}{place}"))
}

fn item(group: &FailureGroup, role: Role, asks: &Asks, now: Moment) -> AnyView {
    let query = FailureQuery {
        kind: vec![group.kind],
        endpoint: group.endpoint.as_ref().map(|endpoint| endpoint.id).or(asks.query.endpoint),
        source: match (&group.source, &group.endpoint) {
            (Some(source), None) => vec![source.clone()],
            _ => asks.query.source.clone(),
        },
        error: vec![group.error.class.clone()],
        cursor: None,
        ..asks.query.clone()
    };
    let (how_many, why) = sentence(group);
    let retry = (group.retryable && role >= Role::Support).then(|| {
        let words = if group.count == 1 {
            "Retry it…".to_owned()
        } else {
            format!("Retry all {}…", text::count(group.count))
        };
        view! { <a class="btn" href=retry_address(&query)>{words}</a> }.into_any()
    });
    let who = match group.kind {
        FailureKind::Delivery => "Whoever runs the endpoint can mend it; then retry.",
        FailureKind::Processing => "Open one to see what could not be understood; then retry.",
        FailureKind::Rejection => {
            "What was turned away cannot be retried here. Makini tries again by itself for 24 hours."
        }
        FailureKind::Gap => "The state of each connection was repaired by polling.",
        FailureKind::Notification => {
            "Look at the channel; then retry. What another channel told in its place is not told again."
        }
    };
    view! {
        <li class="group" data-group=group.kind.code()>
            <div>
                <p><a class="strong" href=address(&Asks { query, grouped: false, about: None })><b>{how_many}</b>{why}</a></p>
                <p class="sub">"first "{now.ago(group.first_at)}", last "{now.ago(group.last_at)}". "{who}</p>
            </div>
            {retry}
        </li>
    }
    .into_any()
}
