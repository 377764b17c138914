//! Which issues are shown: the sentence and the tabs, all of it in the address.

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
