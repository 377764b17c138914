//! The next step, as the playbook has it: what happened, who must act, and the button that does it.

use super::{
    copy::Copy,
    hands::Hands,
    letter::letter,
    post::Post,
    quote,
    time::{Moment, use_clock},
};
use crate::{
    asking::{Got, Latest, part},
    calls::connections::Story,
};
use leptos::prelude::*;
use model::{CauseActor, Role, Step, SyncKind};

/// The card.
pub(crate) fn next_step(hands: Hands) -> AnyView {
    let latest = hands.latest;
    let words = part(latest, |got| got.story().map_or_else(|| ().into_any(), words));
    let step = Memo::new(move |_| hands.step());
    let lead = move || {
        step.get().map(|step| match hands.may {
            true => button(hands, step),
            false => instead(hands, step),
        })
    };
    let facts = part(latest, |got| got.story().map_or_else(|| ().into_any(), quote::facts));
    view! {
        <section class="next" aria-labelledby="next-step">
            {words}
            <div class="acts">
                {lead}
                {copy(latest, "Copy for a ticket", "quiet", quote::ticket)}
            </div>
            {move || step.get().and_then(|step| hands.post(step)).map(Post::note)}
            {facts}
        </section>
    }
    .into_any()
}

/// For who may look only: the places to look at, and who does the rest.
fn instead(hands: Hands, step: Step) -> AnyView {
    match step {
        Step::Reconnect | Step::Check | Step::Sync => {
            let who = format!("“{}” is for the role “{}”.", step.words(), Role::Support.words());
            view! { <p class="faint">{who}</p> }.into_any()
        }
        _ => button(hands, step),
    }
}

/// The button that does it; a place to look at is a link.
fn button(hands: Hands, step: Step) -> AnyView {
    let source = move || {
        let id = |got: &Option<Got>| Some(got.as_ref()?.story()?.detail.connection.source.id);
        let id = hands.latest.with(id);
        id.map_or_else(|| "/settings".to_owned(), |id| format!("/settings/sources/{id}#settings"))
    };
    match step {
        Step::Reconnect => hands.link_button("btn first"),
        Step::Check => view! { {write(hands.latest)} {hands.check_button("btn first")} }.into_any(),
        Step::Sync => hands.sync_button(SyncKind::Incremental, "btn first"),
        Step::MapStatus => view! { <a class="btn first" href=source>{step.words()}</a> }.into_any(),
        Step::OpenSystem => view! { <a class="btn first" href="/system">{step.words()}</a> }.into_any(),
        Step::AskMakini => copy(hands.latest, step.words(), "first", quote::makini),
        Step::Wait => ().into_any(),
    }
}

/// A mail to the customer, where the customer must act and no link is needed for it.
fn write(latest: Latest) -> AnyView {
    part(latest, |got| {
        let Some(detail) = got.story().map(|story| &story.detail) else { return ().into_any() };
        match letter(detail, None) {
            Some(address) => view! { <a class="btn" href=address>"Write to the customer"</a> }.into_any(),
            None => ().into_any(),
        }
    })
}

/// Copies a text about the connection as it is when the button is pressed.
pub(crate) fn copy(
    latest: Latest,
    label: &'static str,
    class: &'static str,
    say: fn(&Story, Moment) -> String,
) -> AnyView {
    let clock = use_clock();
    let text = move || {
        let say = |story: &Story| say(story, clock.moment(story.as_of));
        latest.with_untracked(|got| got.as_ref().and_then(Got::story).map(say).unwrap_or_default())
    };
    view! { <Copy text=text label=label what="Text" class=class /> }.into_any()
}

fn words(story: &Story) -> AnyView {
    let (head, happened, instruction) = if story.detail.removed_at.is_some() {
        ("It is gone upstream", "Nothing is to be done. Its history stays here.", "")
    } else {
        match &story.detail.connection.cause {
            Some(cause) => {
                let play = cause.code.play();
                (head(cause.actor), play.happened, play.instruction)
            }
            None => (
                "Nothing to do",
                "Data arrives as expected. If the customer says otherwise, check now: Linewatch asks Makini at once.",
                "",
            ),
        }
    };
    view! {
        <h2 id="next-step">{head}</h2>
        <p>{happened}</p>
        {(!instruction.is_empty()).then(|| view! { <p class="strong">{instruction}</p> })}
    }
    .into_any()
}

fn head(actor: CauseActor) -> &'static str {
    match actor {
        CauseActor::Customer => "Next: the customer must act",
        CauseActor::Us => "Next: it is for us to act",
        CauseActor::Makini => "Next: Makini must act",
        CauseActor::Nobody => "Next: wait, nobody has to act yet",
    }
}
