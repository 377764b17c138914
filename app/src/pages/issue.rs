//! One issue: what it is, what to do next, who has it, and what happened to it.

use crate::{
    asking::{self, Got, Latest, Question, ask, may, part, screen},
    calls::issues::IssueStory,
    live::Refetch,
    parts::{
        copy::Copy,
        issue_acts::{acts, note},
        issue_facts::{facts, story, ticket},
        issue_row::{again, headline, health_of},
        mark::mark,
        text,
        time::{Moment, use_clock},
        told::{told, told_of_outage},
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{CauseActor, ChangeTopic, Health, IssueState, Role};

/// The screen.
#[component]
pub(crate) fn IssuePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let refetch = Refetch::when(move |change| match change.topic {
        ChangeTopic::Issue => change.id == "*" || id.with_untracked(|id| *id == change.id),
        topic => topic == ChangeTopic::Connection && !change.quiet,
    });
    screen(ask(move || Question::Issue(id.get()), refetch), move |latest| full(latest, refetch))
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let part = move |draw: fn(&IssueStory, Moment) -> AnyView| {
        part(latest, move |got| match got.issue() {
            Some(story) => draw(story, clock.moment(story.as_of)),
            None => ().into_any(),
        })
    };
    let say = move |say: fn(&IssueStory) -> String| {
        latest.with(|got| got.as_ref().and_then(Got::issue).map(say).unwrap_or_default())
    };
    let text = move || {
        latest.with_untracked(|got| {
            let story = got.as_ref().and_then(Got::issue);
            story.map(|story| ticket(story, clock.moment(story.as_of))).unwrap_or_default()
        })
    };
    let connection = latest.with_untracked(|got| {
        let issue = got.as_ref().and_then(Got::issue).map(|story| &story.issue);
        issue.and_then(|issue| issue.connection.as_ref()).map(|connection| connection.id.to_string())
    });
    // the issue that is an outage: those of connections that are folded into it have their own
    let outage = latest.with_untracked(|got| {
        let issue = got.as_ref().and_then(Got::issue).map(|story| &story.issue);
        issue.filter(|issue| issue.connection.is_none()).and_then(|issue| issue.outage_id).map(|id| id.to_string())
    });
    let acting = may(latest, Role::Support);
    let looking = || {
        let words = format!("Issues are taken, noted upon and resolved by the role “{}”.", Role::Support.words());
        view! { <p class="faint">{words}</p> }
    };
    let id = latest.with_untracked(|got| got.as_ref().and_then(Got::issue).map(|s| s.issue.id.to_string()));
    view! {
        <Title text=asking::title(move || say(|s| format!("#{} {}", s.issue.number, headline(&s.issue)))) />
        <nav class="crumbs" aria-label="You are here">
            <a href="/issues">"Issues"</a>
            <span aria-hidden="true">" / "</span>
            <span>{move || say(|s| format!("#{}", s.issue.number))}</span>
        </nav>
        <div class="cols">
            <div>
                {part(head)}
                <section class="next" aria-labelledby="next-step">
                    {part(next)}
                    {acting.then(|| acts(latest, refetch))}
                    {(!acting).then(looking)}
                    <Copy text=text label="Copy for a ticket" what="Text" class="quiet" />
                </section>
                {connection.map(|id| told(move || id.clone()))}
                {outage.map(told_of_outage)}
                <section aria-labelledby="story">
                    <h2 id="story">"What happened"</h2>
                    {acting.then(|| note(id.unwrap_or_default(), refetch))}
                    {part(|s, now| story(&s.entries, now))}
                </section>
            </div>
            <aside aria-label="Facts">{part(facts)}</aside>
        </div>
    }
    .into_any()
}

/// What, since when, who has it.
fn head(story: &IssueStory, now: Moment) -> AnyView {
    let issue = &story.issue;
    let health = health_of(issue.cause.code);
    let has = match (&issue.assignee, issue.state) {
        (Some(name), _) if *name == story.me => " You have it.".to_owned(),
        (Some(name), _) => format!(" {name} has it."),
        (None, IssueState::Open) => " Nobody has it yet.".to_owned(),
        (None, _) => String::new(),
    };
    let stands = match (issue.state, issue.snooze_until, issue.resolved_at) {
        (IssueState::Snoozed, Some(at), _) => view! { "Snoozed; it wakes "{now.until(at)}"." }.into_any(),
        (IssueState::Resolved, _, Some(at)) => {
            view! { "Resolved "{now.ago(at)}", after it was opened "{now.ago(issue.opened_at)}"." }.into_any()
        }
        (state, ..) => view! { {state.words()}"; opened "{now.ago(issue.opened_at)}"." }.into_any(),
    };
    view! {
        <div class=format!("headline issue {health}") data-issue=issue.id.to_string() data-state=issue.state.code()
            data-connection=issue.connection.as_ref().map(|c| c.id.to_string()) data-health=issue.health.map(Health::code)>
            <h1>{mark(health)}{headline(issue)}"."</h1>
            <p class="lede">{stands}{has}{again(issue.recurrences).map(|words| format!(" {words}."))}</p>
            <p class="proof">{issue.cause.summary.clone()}</p>
        </div>
    }
    .into_any()
}

/// What to do, and where.
fn next(story: &IssueStory, _now: Moment) -> AnyView {
    let issue = &story.issue;
    let (head, step) = match (issue.state, issue.cause.actor) {
        (IssueState::Resolved, _) => {
            ("Nothing to do", "It is over. Should it come again, it opens by itself and counts.")
        }
        (IssueState::Folded, _) => {
            ("It is part of an outage", "The outage stands for it. When that ends and this does not, it opens again.")
        }
        (_, CauseActor::Customer) => ("Next: the customer must act", issue.cause.code.next_step()),
        (_, CauseActor::Us) => ("Next: it is for us to act", issue.cause.code.next_step()),
        (_, CauseActor::Makini) => ("Next: Makini must act", issue.cause.code.next_step()),
        (_, CauseActor::Nobody) => ("Next: wait, nobody has to act yet", issue.cause.code.next_step()),
    };
    let to = match (&issue.connection, &issue.platform) {
        (Some(connection), _) => Some((format!("/connections/{}", connection.id), "Open the connection")),
        (None, Some(platform)) => {
            Some((format!("/connections?platform={}", text::encode(&platform.slug)), "See its connections"))
        }
        (None, None) => Some(("/system".to_owned(), "See System")),
    };
    view! {
        <h2 id="next-step">{head}</h2>
        <p>{step}</p>
        <div class="acts">{to.map(|(href, words)| view! { <a class="btn first" href=href>{words}</a> })}</div>
    }
    .into_any()
}
