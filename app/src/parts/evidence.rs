//! How a state is known: the newest proof, and what was seen before it.

use super::{text, time::Moment};
use leptos::prelude::*;
use model::{ConnectionDetail, Evidence, Eye};

/// The newest proof as a sentence, and the evidence under it.
pub(crate) fn evidence(detail: &ConnectionDetail, seen: &[Evidence], now: Moment) -> AnyView {
    let items: Vec<_> = seen.iter().map(|evidence| item(evidence, now)).collect();
    let nothing = "Nothing has been seen of it yet. The next round of polling will look.";
    let seen = view! {
        <p class="proof">{proof(detail, now)}</p>
        {if items.is_empty() {
            view! { <p class="faint">{nothing}</p> }.into_any()
        } else {
            view! { <ol class="log">{items}</ol> }.into_any()
        }}
        {detail.upstream_error.clone().map(|error| view! {
            <p class="quoted"><span class="faint">"Makini’s newest error: "</span><code>{error}</code></p>
        })}
    };
    match detail.records.clone() {
        Some(records) => view! { {seen} <p class="sub">{records}</p> }.into_any(),
        None => seen.into_any(),
    }
}

/// Who said it.
pub(crate) fn said_by(eye: Eye) -> &'static str {
    match eye {
        Eye::Webhook => "Makini told us by webhook",
        Eye::Poll => "Our regular poll saw it",
        Eye::Check => "A check of this connection saw it",
    }
}

fn proof(detail: &ConnectionDetail, now: Moment) -> AnyView {
    let allowance = text::duration(detail.proof_allowance_seconds);
    match detail.connection.proof {
        Some(proof) => {
            let rest = if now.age(proof.at) > detail.proof_allowance_seconds {
                format!(". That is older than the {allowance} for which a proof counts, so the state is not known.")
            } else {
                format!(". A proof counts for {allowance}.")
            };
            view! { {said_by(proof.eye)}" "{now.ago(proof.at)}{rest} }.into_any()
        }
        None => "Nothing proves this state right now, so it is not shown as known.".into_any(),
    }
}

fn item(evidence: &Evidence, now: Moment) -> AnyView {
    let facts = (!evidence.facts.is_null()).then(|| format!("{:#}", evidence.facts));
    view! {
        <li>
            <div>
                <p>{evidence.text.clone()}</p>
                <p class="sub">{format!("{} · {}", evidence.eye.words(), evidence.applied.words())}</p>
                {facts.map(|facts| view! {
                    <details class="facts-of">
                        <summary>"Facts"</summary>
                        <pre tabindex="0">{facts}</pre>
                    </details>
                })}
            </div>
            <span class="when">{now.ago(evidence.at)}</span>
        </li>
    }
    .into_any()
}
