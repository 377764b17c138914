//! Which issues are shown: the sentence, the tabs, the foot of the list, and what it says when there is none.

use super::text;
use crate::calls::issues::{IssueListing, read_query};
use leptos::prelude::*;
use model::{IssueQuery, IssueState};

/// The address of the page that shows what a query asks; the inverse of [`read_query`].
pub(crate) fn address(query: &IssueQuery) -> String {
    let plain = IssueQuery { state: Vec::new(), ..query.clone() }.to_query();
    let usual = read_query(&plain).is_ok_and(|usual| usual.state == query.state);
    let text = match (usual, query.state.is_empty()) {
        (true, _) => plain,
        (false, true) => format!("state=&{plain}").trim_end_matches('&').to_owned(),
        (false, false) => query.to_query(),
    };
    if text.is_empty() { "/issues".to_owned() } else { format!("/issues?{text}") }
}

/// What is so, in a sentence.
pub(crate) fn sentence(listing: &IssueListing) -> String {
    let counts = &listing.counts;
    let open = match counts.open {
        0 => "No issue is open".to_owned(),
        1 => "1 issue is open".to_owned(),
        n => format!("{} issues are open", text::count(n)),
    };
    match counts.waiting {
        0 => format!("{open}."),
        1 => format!("{open}; 1 waits on a customer."),
        n => format!("{open}; {} wait on a customer.", text::count(n)),
    }
}

/// The tabs, each a link, with how many are behind it.
pub(crate) fn tabs(listing: &IssueListing, query: &IssueQuery) -> AnyView {
    let counts = &listing.counts;
    let of = |state| IssueQuery { state: vec![state], ..IssueQuery::default() };
    let mine = read_query("assignee=me").unwrap_or_default();
    let tabs = [
        ("Open", of(IssueState::Open), Some(counts.open)),
        ("Mine", mine, Some(counts.mine)),
        ("Waiting on customer", of(IssueState::WaitingOnCustomer), Some(counts.waiting)),
        ("Snoozed", of(IssueState::Snoozed), Some(counts.snoozed)),
        ("Acknowledged", of(IssueState::Acknowledged), Some(counts.acknowledged)),
        ("Resolved", of(IssueState::Resolved), None),
        ("All", IssueQuery::default(), None),
    ];
    let tabs: Vec<_> = tabs
        .into_iter()
        .map(|(words, tab, count)| {
            let here = (&tab.state, &tab.assignee) == (&query.state, &query.assignee);
            let tab = IssueQuery { connection: query.connection.clone(), limit: query.limit, ..tab };
            view! {
                <li>
                    <a href=address(&tab) aria-current=here.then_some("true")>
                        {words}
                        {count.filter(|_| query.connection.is_empty()).map(|n| view! { " "<b>{text::count(n)}</b> })}
                    </a>
                </li>
            }
            .into_any()
        })
        .collect();
    let one = (!query.connection.is_empty()).then(|| {
        let name = listing.page.items.iter().find_map(|issue| issue.connection.as_ref()).map(|c| c.name.clone());
        let words = name.unwrap_or_else(|| "one connection".to_owned());
        let without = IssueQuery { connection: Vec::new(), cursor: None, ..query.clone() };
        view! {
            <ul class="chips" aria-label="Filters">
                <li><a class="chip" href=address(&without) aria-label=format!("Remove the filter {words}")>{words.clone()}</a></li>
            </ul>
        }
        .into_any()
    });
    view! {
        <ul class="legend tabs" aria-label="Issues by state">{tabs}</ul>
        {one}
    }
    .into_any()
}

/// How many rows, the way to the others, and the list as a file.
pub(crate) fn foot(listing: &IssueListing, query: &IssueQuery) -> AnyView {
    let rows = listing.page.items.len() as u64;
    if rows == 0 && query.cursor.is_none() {
        return ().into_any();
    }
    let next = listing.page.next_cursor.clone().map(|cursor| {
        let next = IssueQuery { cursor: Some(cursor), ..query.clone() };
        view! { <a class="btn" rel="next" href=address(&next)>{format!("Next {}", query.limit())}</a> }.into_any()
    });
    let start = IssueQuery { cursor: None, ..query.clone() };
    let first =
        query.cursor.is_some().then(|| view! { <a class="btn quiet" href=address(&start)>"First page"</a> }.into_any());
    let csv = IssueQuery { limit: None, ..start.clone() }.to_query();
    view! {
        <nav class="pager" aria-label="Pages">
            <p>{text::counted(rows, "issue", "issues")}" on this page"</p>
            <div class="acts">{first}{next}</div>
        </nav>
        <p class="page-foot">
            <a href=format!("/api/v1/issues?format=csv&{csv}") rel="external" download="issues.csv">"Take this list away as CSV"</a>
        </p>
    }
    .into_any()
}

/// In the place of rows: what would appear.
pub(crate) fn nothing(query: &IssueQuery) -> AnyView {
    let (title, text) = match (query.assignee.is_empty(), query.state.as_slice()) {
        (false, _) => {
            ("Nothing is assigned to you", "Issues that you acknowledge, or that somebody gives you, are listed here.")
        }
        (_, [IssueState::Open]) => (
            "No issue is open",
            "When a customer must sign in again, a system stops answering or data stays away, it appears here by itself, with what to do.",
        ),
        (_, [IssueState::WaitingOnCustomer]) => (
            "No issue waits on a customer",
            "Issues in which the customer must act are listed here until the first good sync proves the repair.",
        ),
        (_, [IssueState::Snoozed]) => {
            ("No issue is snoozed", "Issues that sleep until a time are listed here; they wake by themselves.")
        }
        (_, [IssueState::Acknowledged]) => {
            ("No issue is acknowledged", "Issues that somebody has taken are listed here.")
        }
        (_, [IssueState::Resolved]) => {
            ("No issue is resolved yet", "Issues that are over are listed here, newest first.")
        }
        _ => ("No issue", "Issues that fit every filter above would be listed here."),
    };
    let other = if query.state == [IssueState::Open] {
        ("/connections", "See all connections")
    } else {
        ("/issues", "See what is open")
    };
    view! {
        <section class="empty">
            <i class="empty-line" aria-hidden="true"></i>
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="acts"><a class="btn first" href=other.0>{other.1}</a></div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_the_page_reads() {
        for text in [
            "",
            "assignee=me",
            "state=",
            "state=snoozed",
            "state=open&state=resolved",
            "assignee=Tom&state=",
            "limit=100",
        ] {
            let query = read_query(text).unwrap();
            let written = address(&query);
            assert_eq!(
                read_query(written.split_once('?').map_or("", |(_, query)| query)),
                Ok(query),
                "{text} became {written}"
            );
        }
        assert_eq!(address(&read_query("state=open").unwrap()), "/issues");
        assert_eq!(address(&IssueQuery::default()), "/issues?state=");
    }
}
