//! The next step: what to do, as the first button.

use super::{copy::Copy, refused::refused_note, text, time::Moment, toast::use_toasts};
use crate::{calls::connections::CheckConnection, live::Refetch};
use leptos::prelude::*;
use model::{CauseActor, ConnectionDetail};

/// The card. `detail` is the connection as it is now.
#[component]
pub(crate) fn NextStep(
    /// The connection.
    #[prop(into)]
    detail: Signal<ConnectionDetail>,
    /// Now.
    #[prop(into)]
    now: Signal<Moment>,
    /// Asks for the connection again.
    refetch: Refetch,
) -> impl IntoView {
    let check = ServerAction::<CheckConnection>::new();
    let toasts = use_toasts();
    Effect::new(move |_| {
        if let Some(Ok(())) = check.value().get() {
            toasts.say("Asked Makini. The answer appears here by itself.");
            refetch.nudge();
        }
    });
    let checking = move || check.pending().get() || detail.with(|detail| detail.checking);
    let words = move || detail.with(step);
    let write = move || {
        detail
            .with(letter)
            .map(|(email, address)| view! { <a class="btn first" href=address>{format!("Write to {email}")}</a> })
    };
    let id = move || detail.with(|detail| detail.connection.id.to_string());
    let class = move || if detail.with(letter).is_some() { "btn" } else { "btn first" };
    view! {
        <section class="next" aria-labelledby="next-step">
            <h2 id="next-step">{move || words().0}</h2>
            <p>{move || words().1}</p>
            <div class="acts">
                {write}
                <ActionForm action=check>
                    <input type="hidden" name="id" value=id />
                    <button class=class disabled=checking>{move || if checking() { "Checking…" } else { "Check now" }}</button>
                </ActionForm>
                <Copy text=move || detail.with(|detail| ticket(detail, now.get_untracked())) label="Copy for a ticket" what="Text" class="quiet" />
            </div>
            {move || check.value().get().and_then(Result::err).map(|error| refused_note(&error))}
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
