//! One issue: in words, and as a row; on a narrow screen the same row is a card.

use super::{mark::badge_saying, picks::Picks, time::Moment};
use leptos::prelude::*;
use model::{Cause, Health, Issue, IssueState};

/// The shape and colour of a cause: those of the health that it brings.
pub(crate) fn health_of(cause: Cause) -> Health {
    match cause {
        Cause::CredentialsChanged | Cause::PermissionMissing | Cause::Revoked => Health::ReauthorizationRequired,
        Cause::PlatformUnreachable => Health::Offline,
        Cause::SyncError => Health::Failing,
        Cause::SlowSync | Cause::Late | Cause::Silent => Health::Late,
        Cause::Flapping => Health::Unstable,
        Cause::NoProof | Cause::UnknownStatus => Health::Unknown,
        Cause::NoCredits => Health::Paused,
        Cause::NotConnectedYet | Cause::ReadingHistory => Health::FirstSync,
    }
}

/// Whom it hits: the customer, or for an outage the platform.
pub(crate) fn who(issue: &Issue) -> String {
    match (&issue.customer, &issue.connection, &issue.platform) {
        (Some(customer), ..) => customer.name.clone(),
        (None, Some(connection), _) => connection.name.clone(),
        (None, None, Some(platform)) => format!("{} for many", platform.name),
        (None, None, None) => "What Linewatch sees".to_owned(),
    }
}

/// The system, or that it is an outage.
pub(crate) fn system(issue: &Issue) -> String {
    match (&issue.connection, &issue.platform) {
        (Some(_), Some(platform)) => platform.name.clone(),
        (Some(connection), None) => connection.name.clone(),
        (None, _) => "Outage".to_owned(),
    }
}

/// What it is, in one line.
pub(crate) fn headline(issue: &Issue) -> String {
    match (&issue.connection, &issue.platform) {
        (None, _) | (_, None) => format!("{}: {}", who(issue), issue.cause.code.words()),
        (_, Some(platform)) => {
            let who = who(issue);
            let apostrophe = if who.ends_with('s') { "’" } else { "’s" };
            format!("{who}{apostrophe} {}: {}", platform.name, issue.cause.code.words())
        }
    }
}

/// “4th time in 30 days”; nothing the first time.
pub(crate) fn again(recurrences: i64) -> Option<String> {
    let times = recurrences + 1;
    let end = match (times % 10, times % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    (recurrences > 0).then(|| format!("{times}{end} time in 30 days"))
}

/// Where it stands, and until when.
pub(crate) fn state(issue: &Issue, now: Moment) -> AnyView {
    let until = issue.snooze_until.filter(|_| issue.state == IssueState::Snoozed);
    let more = match (until, issue.resolved_at) {
        (Some(at), _) => Some(view! { <span class="sub">"wakes "{now.until(at)}</span> }.into_any()),
        (None, Some(at)) => Some(view! { <span class="sub">{now.ago(at)}</span> }.into_any()),
        _ => None,
    };
    view! { <span class=format!("state {}", issue.state)>{issue.state.words()}</span>{more} }.into_any()
}

/// What upstream says of the cause, whose words stand beside it already.
fn said(issue: &Issue) -> String {
    let rest = issue.cause.summary.strip_prefix(issue.cause.code.words()).unwrap_or(&issue.cause.summary);
    rest.trim_start_matches([':', ' ']).to_owned()
}

/// A row; who may act can select it and take it.
pub(crate) fn row(issue: &Issue, moved: &str, now: Moment, picks: Option<Picks>) -> AnyView {
    let value = format!("{}:{}", issue.id, issue.version);
    let health = health_of(issue.cause.code);
    let (name, id) = (who(issue), issue.connection.as_ref().map(|c| c.id.to_string()));
    let over = if issue.state.is_live() { "" } else { " over" };
    let take = (picks.is_some() && issue.state == IssueState::Open).then(|| {
        view! {
            <button class="btn small quick" form="picked" name="form[only]" value=value.clone() data-key="e" aria-label=format!("Acknowledge #{}", issue.number)>
                "Acknowledge"
            </button>
        }
        .into_any()
    });
    view! {
        <tr role="row" class=format!("row issue {health}{over}{moved}") data-issue=issue.id.to_string() data-state=issue.state.code()
            data-connection=id data-health=issue.health.map(Health::code)>
            {picks.map(|picks| picks.cell("picked", "form[picked][]", value.clone(), issue.id.0, &format!("#{}, {name}", issue.number)))}
            <td role="cell" class="c-health">{badge_saying(health, issue.cause.code.words())}</td>
            <td role="cell" class="c-who">
                <a class="who" href=format!("/issues/{}", issue.id) data-row="">{name.clone()}</a>
                <span class="sub">{format!("#{} · {}", issue.number, system(issue))}</span>
            </td>
            <td role="cell" class="c-why">{said(issue)}</td>
            <td role="cell" class="c-state">{state(issue, now)}{take}</td>
            <td role="cell" class="c-owner">{issue.assignee.clone().unwrap_or_else(|| "–".to_owned())}</td>
            <td role="cell" class="c-since">
                {now.ago(issue.opened_at)}
                {again(issue.recurrences).map(|words| view! { <span class="sub">{words}</span> })}
            </td>
        </tr>
    }
    .into_any()
}

/// The head that belongs to [`row`].
pub(crate) fn head(picks: bool) -> AnyView {
    let one = |class: &'static str, words: &'static str| {
        view! { <th role="columnheader" scope="col" class=class>{words}</th> }.into_any()
    };
    view! {
        <thead role="rowgroup">
            <tr role="row">
                {picks.then(super::picks::head)}
                {one("c-health", "Cause")}
                {one("c-who", "Customer")}
                {one("c-why", "What happened")}
                {one("c-state", "State")}
                {one("c-owner", "Assignee")}
                {one("c-since", "Opened")}
            </tr>
        </thead>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::again;

    #[test]
    fn times_are_counted_as_people_count_them() {
        let said = |n| again(n).unwrap_or_default();
        assert_eq!(again(0), None);
        assert_eq!(
            [1, 2, 3, 10, 20, 111].map(said),
            ["2nd", "3rd", "4th", "11th", "21st", "112th"].map(|n| format!("{n} time in 30 days"))
        );
    }
}
