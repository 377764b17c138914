//! The events that were received, as rows, and the address of each list of them.

use super::{
    text::{self, encode},
    time::Moment,
    webhook_words::event_badge,
};
use crate::calls::events::EventListing;
use leptos::prelude::*;
use model::{Event, EventQuery};

/// The address that asks this.
pub(crate) fn address(query: &EventQuery) -> String {
    let mut parts: Vec<(&str, String)> = Vec::new();
    parts.extend(query.webhook_id.iter().map(|id| ("webhook_id", id.clone())));
    parts.extend(query.state.iter().map(|state| ("state", state.to_string())));
    parts.extend(query.kind.iter().map(|kind| ("kind", kind.clone())));
    parts.extend(query.connection.iter().map(|id| ("connection", id.to_string())));
    parts.extend(query.source.iter().map(|source| ("source", source.clone())));
    parts.extend(query.cursor.iter().map(|cursor| ("cursor", cursor.clone())));
    parts.extend(query.limit.iter().map(|limit| ("limit", limit.to_string())));
    let text: Vec<_> = parts.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if text.is_empty() { "/webhooks/events".to_owned() } else { format!("/webhooks/events?{}", text.join("&")) }
}

/// The table, or what would be in it.
pub(crate) fn rows(listing: &EventListing, query: &EventQuery, now: Moment) -> AnyView {
    let page = &listing.page;
    if page.items.is_empty() {
        let words = "Every webhook that Makini sends appears here as soon as it is stored, whatever becomes of it.";
        return view! {
            <section class="empty">
                <i class="empty-line" aria-hidden="true"></i>
                <h2>"No event matches"</h2>
                <p>{words}</p>
                <div class="acts"><a class="btn first" href="/webhooks/events">"Show all"</a></div>
            </section>
        }
        .into_any();
    }
    let rows: Vec<_> = page.items.iter().map(|event| row(event, listing, now)).collect();
    let at = |cursor: Option<String>| address(&EventQuery { cursor, ..query.clone() });
    let next = page.next_cursor.clone().map(|cursor| {
        view! { <a class="btn" rel="next" href=at(Some(cursor))>{format!("Next {}", query.limit())}</a> }.into_any()
    });
    let first =
        query.cursor.is_some().then(|| view! { <a class="btn quiet" href=at(None)>"First page"</a> }.into_any());
    let head = |class: &'static str, words: &'static str| {
        view! { <th role="columnheader" scope="col" class=class>{words}</th> }.into_any()
    };
    view! {
        <table role="table" class="rows issues events">
            <caption class="sr">"Events, newest first"</caption>
            <thead role="rowgroup">
                <tr role="row">{head("c-health", "State")}{head("c-who", "Kind")}{head("c-why", "Connection")}{head("c-owner", "Source")}{head("c-since", "Received")}</tr>
            </thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
        <nav class="pager" aria-label="Pages">
            <p>{text::counted(page.items.len() as u64, "event", "events")}" on this page"</p>
            <div class="acts">{first}{next}</div>
        </nav>
    }
    .into_any()
}

fn row(event: &Event, listing: &EventListing, now: Moment) -> AnyView {
    let name = event.connection_id.and_then(|id| listing.connections.iter().find(|connection| connection.id == id));
    let name = name.map_or_else(|| "–".to_owned(), |connection| connection.name.clone());
    let again = match event.duplicates {
        0 => None,
        1 => Some("came again once".to_owned()),
        n => Some(format!("came again {} times", text::count(n.into()))),
    };
    let maybe = event.maybe_repeat.then(|| "maybe a repeat".to_owned());
    let under: Vec<_> = again.into_iter().chain(maybe).collect();
    view! {
        <tr role="row" class="row issue event" data-event=event.id.to_string() data-state=event.state.code()>
            <td role="cell" class="c-health">{event_badge(event.state)}</td>
            <td role="cell" class="c-who">
                <a class="who" href=format!("/webhooks/events/{}", event.id) data-row="">{event.kind.clone().unwrap_or_else(|| "Without a kind".to_owned())}</a>
                {(!under.is_empty()).then(|| view! { <span class="sub">{under.join(", ")}</span> })}
            </td>
            <td role="cell" class="c-why">{name}</td>
            <td role="cell" class="c-owner">{event.source.clone()}</td>
            <td role="cell" class="c-since">{now.ago(event.received_at)}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        for text in ["", "state=failed&kind=a%26b&source=demo&cursor=x", "webhook_id=evt_7&limit=100"] {
            let query = EventQuery::from_query(text).unwrap();
            let written = address(&query);
            let back = written.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(EventQuery::from_query(back), Ok(query), "{written}");
        }
    }
}
