//! Outages: many connections that failed together, above their many.

use super::{text, time::Moment};
use leptos::prelude::*;
use model::{Outage, OutageKind};

/// Those that last, each with its ways on; those that are over, quietly.
pub(crate) fn outages(outages: &[Outage], now: Moment) -> AnyView {
    if outages.is_empty() {
        return ().into_any();
    }
    let (over, open): (Vec<_>, Vec<_>) = outages.iter().partition(|outage| outage.ended_at.is_some());
    let open: Vec<_> = open.into_iter().map(|outage| one(outage, now)).collect();
    let over: Vec<_> = over.into_iter().map(|outage| ended(outage, now)).collect();
    view! {
        <section class="outages" aria-labelledby="outages">
            <h2 id="outages" class="sr">"Outages"</h2>
            {open}
            {(!over.is_empty()).then(|| view! { <ul class="ended">{over}</ul> })}
        </section>
    }
    .into_any()
}

/// What is out of order, as a sentence.
fn said(outage: &Outage) -> String {
    let name = &outage.subject.name;
    match outage.subject.kind {
        OutageKind::Platform => format!(
            "{name} is failing for {}",
            text::counted(outage.affected.unsigned_abs(), "connection", "connections")
        ),
        OutageKind::Source => format!("Makini’s side of “{name}” is failing"),
        OutageKind::Poller => "Linewatch cannot poll".to_owned(),
    }
}

/// The connections that it is about.
fn filter(outage: &Outage) -> Option<String> {
    match outage.subject.kind {
        OutageKind::Platform => Some(format!("/connections?platform={}", text::encode(&outage.subject.slug))),
        OutageKind::Source => Some(format!("/connections?source={}", text::encode(&outage.subject.slug))),
        OutageKind::Poller => None,
    }
}

fn issue(outage: &Outage, class: &'static str) -> Option<AnyView> {
    let (id, number) = outage.issue_id.zip(outage.issue_number)?;
    Some(view! { <a class=class href=format!("/issues/{id}")>{format!("Issue #{number}")}</a> }.into_any())
}

/// The way to who was told of it, by what means and when.
fn told(outage: &Outage) -> Option<AnyView> {
    let id = outage.issue_id?;
    Some(view! { <a class="btn quiet" href=format!("/issues/{id}#told")>"Who was told"</a> }.into_any())
}

fn one(outage: &Outage, now: Moment) -> AnyView {
    let still = match (outage.still_broken.unsigned_abs(), outage.affected.unsigned_abs()) {
        (_, 0) => "No connection is known to suffer from it yet.".to_owned(),
        (0, _) => "All of them are well again; it ends when that lasts.".to_owned(),
        (still, all) => format!(
            "{} of {} still broken. Their issues are folded into this one.",
            text::count(still),
            text::count(all)
        ),
    };
    let words = if outage.subject.kind == OutageKind::Poller { "See System" } else { "Show its connections" };
    let href = filter(outage).unwrap_or_else(|| "/system".to_owned());
    view! {
        <article class="banner" data-outage=outage.id.to_string()>
            <div>
                <h3>{said(outage)}" "<span class="sub">"for "{now.since(outage.started_at)}</span></h3>
                <p>{still}</p>
            </div>
            <div class="acts"><a class="btn" href=href>{words}</a>{told(outage)}{issue(outage, "btn quiet")}</div>
        </article>
    }
    .into_any()
}

fn ended(outage: &Outage, now: Moment) -> AnyView {
    let lasted = outage.ended_at.map(|at| text::span((at - outage.started_at).num_seconds())).unwrap_or_default();
    let ended = outage.ended_at.map(|at| now.ago(at));
    view! {
        <li class="faint" data-outage=outage.id.to_string()>
            {outage.subject.name.clone()}": an outage of "{lasted}" ended "{ended}"; "
            {text::counted(outage.affected.unsigned_abs(), "connection was hit. ", "connections were hit. ")}{issue(outage, "")}
        </li>
    }
    .into_any()
}
