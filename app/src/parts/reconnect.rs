//! Reconnect links: one is made, its address is shown once with a mail to send, and every one is followed to its proof.

use super::{
    copy::Copy,
    hands::Hands,
    letter::letter,
    time::{Moment, use_clock},
};
use crate::{
    asking::{Got, part},
    calls::connections::Story,
};
use leptos::prelude::*;
use model::{LinkState, ReconnectLink, Step};

/// The section.
pub(crate) fn reconnect(hands: Hands) -> AnyView {
    let (latest, clock) = (hands.latest, use_clock());
    let told = |got: &Option<Got>| got.as_ref()?.story()?.made.clone();
    // The address is told once; it stays here as long as the page does.
    let made = RwSignal::new(latest.with_untracked(told));
    Effect::new(move |_| {
        if let Some(url) = latest.with(told) {
            made.set(Some(url));
        }
    });
    let leads = Memo::new(move |_| hands.step());
    let leading = move || leads.get() == Some(Step::Reconnect);
    let list = part(latest, move |got| match got.story() {
        Some(story) => links(&story.links, clock.moment(story.as_of)),
        None => ().into_any(),
    });
    let fresh = move || {
        let url = made.get()?;
        latest.with(|got| got.as_ref().and_then(Got::story).map(|story| shown_once(story, &url)))
    };
    // While its button is the next step above, and there is no link yet, there is nothing to show.
    let bare = move || {
        let any = latest.with(|got| got.as_ref().and_then(Got::story).is_some_and(|story| !story.links.is_empty()));
        leads.with(Option::is_none) || leading() && !any && made.with(Option::is_none)
    };
    // Who may not make one still sees what became of those that were made.
    let unmade =
        move || latest.with(|got| got.as_ref().and_then(Got::story).is_none_or(|story| story.links.is_empty()));
    view! {
        <section aria-labelledby="reconnect" hidden=move || bare() || !hands.may && unmade()>
            <h2 id="reconnect">"Reconnect"</h2>
            {fresh}
            {hands.may.then(|| view! {
                <div hidden=leading>
                    <p class="muted">"A link with which the customer signs in again to this connection, and to nothing else."</p>
                    <div class="acts">{hands.link_button("btn")}</div>
                </div>
            })}
            {move || (!leading()).then(|| hands.link.note())}
            {list}
        </section>
    }
    .into_any()
}

/// The address of the link just made.
fn shown_once(story: &Story, url: &str) -> AnyView {
    let newest = story.links.first();
    let (text, copied) = (url.to_owned(), url.to_owned());
    let mail = letter(&story.detail, Some((url, newest.map(|link| link.expires_at))));
    let words = match &story.detail.email {
        Some(email) => format!("Write to {email}"),
        None => "Write a mail".to_owned(),
    };
    view! {
        <div class="note good made" role="status">
            <p class="strong">"The link is made. Copy or send it now: it is not shown again."</p>
            <div class="address">
                <code>{text}</code>
                <Copy text=move || copied.clone() label="Copy link" what="Link" class="small" />
            </div>
            <div class="acts">{mail.map(|mail| view! { <a class="btn first" href=mail>{words}</a> })}</div>
        </div>
    }
    .into_any()
}

/// Where each link stands; those that are over are closed away.
fn links(all: &[ReconnectLink], now: Moment) -> AnyView {
    let (live, over): (Vec<_>, Vec<_>) =
        all.iter().partition(|link| matches!(link.state, LinkState::Made | LinkState::Opened | LinkState::Done));
    let items = |links: &[&ReconnectLink]| links.iter().map(|link| item(link, now)).collect::<Vec<_>>();
    let before = match over.len() {
        0 => None,
        1 => Some("One link before".to_owned()),
        n => Some(format!("{n} links before")),
    };
    view! {
        {(!live.is_empty()).then(|| view! { <ol class="log links">{items(&live)}</ol> })}
        {before.map(|words| view! {
            <details>
                <summary>{words}</summary>
                <ol class="log links">{items(&over)}</ol>
            </details>
        })}
    }
    .into_any()
}

fn item(link: &ReconnectLink, now: Moment) -> AnyView {
    let step = |words: &'static str, at| view! { <span>{words}" "{now.ago(at)}</span> }.into_any();
    let steps = [
        Some(step("made", link.made_at)),
        link.opened_at.map(|at| step("opened", at)),
        link.done_at.map(|at| step("signed in", at)),
        link.proved_at.map(|at| step("proved", at)),
    ];
    let open = matches!(link.state, LinkState::Made | LinkState::Opened);
    let end = open.then(|| view! { <span>"ends "{now.until(link.expires_at)}</span> }.into_any());
    let refusal = link.refusal.clone().map(|why| view! { <p class="wrong">{why}</p> }.into_any());
    view! {
        <li class="with-mark" data-link=link.state.code()>
            <i class=format!("sign link {}", link.state) aria-hidden="true"></i>
            <div>
                <p class="strong">{link.state.words()}</p>
                <p class="sub steps-of">{steps.into_iter().flatten().collect::<Vec<_>>()}{end}</p>
                {refusal}
            </div>
            <span class="when">"by "{link.made_by.clone()}</span>
        </li>
    }
    .into_any()
}
