//! The next step: what to do, as the first button.

use super::{
    copy::Copy,
    post::Post,
    text,
    time::{Moment, use_clock},
};
use crate::{
    asking::{Got, Latest},
    calls::connections::CheckConnection,
    live::Refetch,
};
use leptos::{prelude::*, server_fn::ServerFn};
use model::{CauseActor, ConnectionDetail};

/// The card.
#[component]
pub(crate) fn NextStep(
    /// The connection.
    latest: Latest,
    /// Asks for the connection again.
    refetch: Refetch,
) -> impl IntoView {
    let clock = use_clock();
    let check =
        Post::new(CheckConnection::PATH, "Asked Makini. The answer appears here by itself.", move || refetch.nudge());
    let say = move |say: fn(&ConnectionDetail) -> String| {
        latest.with(|got| got.as_ref().and_then(Got::story).map(|story| say(&story.detail)).unwrap_or_default())
    };
    let checking = Memo::new(move |_| {
        check.busy.get()
            || latest.with(|got| got.as_ref().and_then(Got::story).is_some_and(|story| story.detail.checking))
    });
    let address = move || say(|detail| letter(detail).map(|(_, address)| address).unwrap_or_default());
    let email = move || say(|detail| letter(detail).map(|(email, _)| format!("Write to {email}")).unwrap_or_default());
    let none = Memo::new(move |_| address().is_empty());
    let text = move || {
        latest.with_untracked(|got| {
            let story = got.as_ref().and_then(Got::story);
            story.map(|story| ticket(&story.detail, clock.moment(story.as_of))).unwrap_or_default()
        })
    };
    let fields = view! {
        <input type="hidden" name="id" value=move || say(|detail| detail.connection.id.to_string()) />
        <button class=move || if none.get() { "btn first" } else { "btn" } disabled=move || checking.get()>
            {move || if checking.get() { "Checking…" } else { "Check now" }}
        </button>
    };
    view! {
        <section class="next" aria-labelledby="next-step">
            <h2 id="next-step">{move || say(|detail| step(detail).0)}</h2>
            <p>{move || say(|detail| step(detail).1)}</p>
            <div class="acts">
                <a class="btn first" href=address hidden=move || none.get()>
                    {email}
                </a>
                {check.form("", fields.into_any())}
                <Copy text=text label="Copy for a ticket" what="Text" class="quiet" />
            </div>
            {check.note()}
        </section>
    }
}

fn step(detail: &ConnectionDetail) -> (String, String) {
    if detail.removed_at.is_some() {
        return ("It is gone upstream".into(), "Nothing is to be done. Its history stays here.".into());
    }
    match &detail.connection.cause {
        Some(cause) => {
            let head = match cause.actor {
                CauseActor::Customer => "Next: the customer must act",
                CauseActor::Us => "Next: it is for us to act",
                CauseActor::Makini => "Next: Makini must act",
                CauseActor::Nobody => "Next: wait, nobody has to act yet",
            };
            (head.into(), cause.code.next_step().into())
        }
        None => (
            "Nothing to do".into(),
            "Data arrives as expected. If the customer says otherwise, check now: Linewatch asks Makini at once."
                .into(),
        ),
    }
}

/// A letter to the customer's contact, where it is for the customer to act.
fn letter(detail: &ConnectionDetail) -> Option<(String, String)> {
    let c = &detail.connection;
    let email = detail.email.clone()?;
    let cause = c.cause.as_ref().filter(|cause| cause.actor == CauseActor::Customer)?;
    let subject = format!("Please connect {} again", c.platform.name);
    let body = format!(
        "Hello,\n\nthe connection to your {} has stopped working: {}. No data can be read until somebody with access signs in \
         again. It takes a few minutes.\n\nThank you",
        c.platform.name,
        cause.code.words().to_lowercase(),
    );
    let address = format!("mailto:{email}?subject={}&body={}", text::encode(&subject), text::encode(&body));
    Some((email, address))
}

/// The problem as text, for a ticket.
fn ticket(detail: &ConnectionDetail, now: Moment) -> String {
    let c = &detail.connection;
    let (who, is, rest) = text::headline(c);
    let mut lines = vec![
        format!("{who} {is}{rest}"),
        format!("Since: {} ({})", now.exact(c.since), super::time::ago(now.age(c.since))),
    ];
    if let Some(cause) = &c.cause {
        lines.push(format!("Why: {}. {}", cause.code.words(), cause.summary));
        lines.push(format!("Who must act: {}. {}", cause.actor.words(), cause.code.next_step()));
    }
    match c.proof {
        Some(proof) => lines.push(format!("Known by: {} at {}", proof.eye.words(), now.exact(proof.at))),
        None => lines.push("Known by: nothing proves it right now".to_owned()),
    }
    lines.push(format!("Last good sync: {}", c.last_good_sync_at.map_or("none yet".to_owned(), |at| now.exact(at))));
    lines.extend(detail.upstream_error.as_ref().map(|error| format!("Makini's error: {error}")));
    lines.push(format!(
        "Customer: {} · System: {} · Source: {} · Key: {}",
        c.customer.name, c.platform.name, c.source.name, c.key
    ));
    lines.join("\n")
}
