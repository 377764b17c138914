//! The foot of the failed list, and what it says when there is none.

use super::{
    failed_query::{Asks, address, to_query},
    text,
};
use crate::calls::failures::FailureListing;
use leptos::prelude::*;
use model::{ConnectionRef, FailureKind, FailureQuery};

/// How many rows, and the way to the others; where gaps are looked at, what no poll can see.
pub(crate) fn foot(listing: &FailureListing, asks: &Asks) -> AnyView {
    let pages = pages(listing, asks);
    if asks.query.kind.as_slice() != [FailureKind::Gap] {
        return pages;
    }
    view! {
        {pages}
        <p class="page-foot">"Which webhooks about single records were lost is found only where "<a href="/settings">"a source"</a>" asks for records; elsewhere it cannot be known."</p>
    }
    .into_any()
}

fn pages(listing: &FailureListing, asks: &Asks) -> AnyView {
    let rows = listing.page.items.len() as u64;
    if asks.grouped || rows == 0 && asks.query.cursor.is_none() {
        return ().into_any();
    }
    let page = |cursor: Option<String>| {
        address(&Asks {
            query: FailureQuery { cursor, ..asks.query.clone() },
            grouped: false,
            about: asks.about.clone(),
        })
    };
    let next = listing.page.next_cursor.clone().map(|cursor| {
        view! { <a class="btn" rel="next" href=page(Some(cursor))>{format!("Next {}", asks.query.limit())}</a> }
            .into_any()
    });
    let first =
        asks.query.cursor.is_some().then(|| view! { <a class="btn quiet" href=page(None)>"First page"</a> }.into_any());
    let csv = to_query(&asks.query);
    view! {
        <nav class="pager" aria-label="Pages">
            <p>{text::counted(rows, "failure", "failures")}" on this page"</p>
            <div class="acts">{first}{next}</div>
        </nav>
        <p class="page-foot">
            <a href=format!("/api/v1/failures?format=csv&{csv}") rel="external" download="failures.csv">"Take this list away as CSV"</a>
        </p>
    }
    .into_any()
}

/// In the place of rows: what would appear.
pub(crate) fn nothing(listing: &FailureListing, asks: &Asks) -> AnyView {
    if let Some(meant) = &listing.meant {
        return which(meant, asks);
    }
    let bare = FailureQuery { kind: asks.query.kind.clone(), limit: asks.query.limit, ..FailureQuery::default() };
    let filtered = asks.query != bare;
    let (title, text) = match (filtered, asks.query.kind.as_slice()) {
        (true, _) => ("Nothing that failed matches", "Failures that fit every filter above would be listed here."),
        (_, [FailureKind::Processing]) => (
            "Every event was processed",
            "An event that could not be understood or stored is listed here, with every attempt and a button to try it again.",
        ),
        (_, [FailureKind::Delivery]) => (
            "Every delivery arrived",
            "An event that did not reach one of your endpoints is listed here from its first failed attempt until it is done.",
        ),
        (_, [FailureKind::Rejection]) => (
            "No request was turned away",
            "Requests at the webhook door with a wrong signature or no JSON are kept here as samples, with the reason.",
        ),
        (_, [FailureKind::Notification]) => (
            "Every message was sent",
            "An alert that a channel did not take is listed here from its first failed try until it is sent.",
        ),
        (_, [FailureKind::Gap]) => (
            "No webhook is missing",
            "What polling saw but no webhook told is listed here. The state of the connection is repaired at once.",
        ),
        _ => (
            "Nothing has failed",
            "Whatever could not be processed, delivered or told, was turned away or never came is listed here, with a button that mends it.",
        ),
    };
    let action = if filtered {
        view! { <a class="btn first" href="/webhooks">"Clear all filters"</a> }.into_any()
    } else {
        view! { <a class="btn first" href="/webhooks/events">"See the events received"</a> }.into_any()
    };
    view! {
        <section class="empty">
            <i class="empty-line" aria-hidden="true"></i>
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="acts">{action}</div>
        </section>
    }
    .into_any()
}

/// In the place of the list: the connections that a part of a name may mean.
fn which(meant: &[ConnectionRef], asks: &Asks) -> AnyView {
    let asks = Asks { about: None, ..asks.clone() };
    let one = |connection: &ConnectionRef| {
        let id = connection.id;
        view! { <li><a href=asks.change(|query| query.connection = Some(id))>{connection.name.clone()}</a></li> }
            .into_any()
    };
    let (title, text) = match meant {
        [] => ("No connection is called so", "Try a part of the customer’s name, of the system or of its key."),
        _ => ("Several connections are called so", "Choose the one whose failures you want to see."),
    };
    view! {
        <section class="empty">
            <i class="empty-line" aria-hidden="true"></i>
            <h2>{title}</h2>
            <p>{text}</p>
            <ul class="plain-list meant">{meant.iter().map(one).collect::<Vec<_>>()}</ul>
            <div class="acts"><a class="btn" href=asks.change(|query| query.connection = None)>"Of any connection"</a></div>
        </section>
    }
    .into_any()
}
