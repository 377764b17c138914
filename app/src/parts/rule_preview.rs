//! What a rule would have done in the last 30 days, while it is being written.

use super::{
    lanes::lanes,
    refused::refused_note,
    text,
    time::{Moment, use_clock},
};
use crate::{
    asking::{Got, Question, ask},
    calls::alerts::{AlertAsk, AlertBody},
    live::Refetch,
};
use leptos::prelude::*;
use model::{Alternative, Preview};

/// What is asked of the past, and what comes back from it.
#[derive(Clone, Copy)]
pub(crate) struct Trial {
    /// What the form says.
    pub wish: RwSignal<String>,
    /// What it says of patience, which the past can choose too.
    pub patience: RwSignal<String>,
}

/// The section; `address` is the page itself. Who may not write rules only reads what another patience would give.
pub(crate) fn preview(trial: Trial, acts: bool, address: String) -> AnyView {
    let asked = ask(move || Question::Alerts(AlertAsk::Preview(trial.wish.get())), Refetch::by_hand());
    let clock = use_clock();
    let draw = move |got: &Got| match (got.alerts().map(|view| &view.body), &got.result) {
        (Some(AlertBody::Preview(Ok(preview))), _) => shown(
            preview,
            trial.patience,
            acts.then_some(address.as_str()),
            clock.moment(got.as_of().unwrap_or(preview.to)),
        ),
        (Some(AlertBody::Preview(Err(why))), _) => {
            view! { <p class="note warn" role="status">{why.clone()}</p> }.into_any()
        }
        (_, Err(error)) => refused_note(error),
        _ => ().into_any(),
    };
    view! {
        <section class="would" aria-labelledby="would">
            <h2 id="would">"What it would have done"</h2>
            <Transition fallback=|| view! { <p class="faint">"Looking at the last 30 days …"</p> }>
                {
                    let draw = draw.clone();
                    move || asked.got().map(|got| draw(&got))
                }
            </Transition>
        </section>
    }
    .into_any()
}

/// How often, for how many, and how much of it was noise.
fn headline(preview: &Preview) -> String {
    let days = (preview.to - preview.from).num_days().max(1);
    let over = text::counted(days.unsigned_abs(), "day", "days");
    let noise = match preview.noise {
        0 => String::new(),
        1 => "; 1 of these was over within 10 minutes".to_owned(),
        n => format!("; {} of these were over within 10 minutes", text::count(n)),
    };
    match preview.total {
        0 => format!("In the last {over} this would not have fired."),
        total => format!(
            "In the last {over} this would have fired {} for {}{noise}.",
            text::counted(total, "time", "times"),
            text::counted(preview.subjects, "subject", "subjects"),
        ),
    }
}

fn shown(preview: &Preview, patience: RwSignal<String>, address: Option<&str>, now: Moment) -> AnyView {
    let alternatives: Vec<_> =
        preview.alternatives.iter().map(|other| alternative(other, preview.total, patience, address)).collect();
    view! {
        <p class="read-back" data-sentence="">{preview.sentence.clone()}</p>
        <p class="strong" role="status" data-fired=preview.total.to_string()>{headline(preview)}</p>
        {preview.caveat.clone().map(|caveat| view! { <p class="note">{caveat}</p> })}
        {(!preview.firings.is_empty()).then(|| lanes(preview, now))}
        {(!alternatives.is_empty()).then(|| view! {
            <h3>"If it waited longer, or less"</h3>
            <ul class="alternatives">{alternatives}</ul>
        })}
    }
    .into_any()
}

/// Another patience, as a button that chooses it.
fn alternative(other: &Alternative, total: u64, chosen: RwSignal<String>, address: Option<&str>) -> AnyView {
    let patience = if other.for_seconds == 0 { "at once".to_owned() } else { text::duration(other.for_seconds) };
    let missed = match other.missed {
        0 => "none missed that lasted an hour".to_owned(),
        1 => "1 missed that lasted an hour".to_owned(),
        n => format!("{} missed that lasted an hour", text::count(n)),
    };
    let words = format!("{} instead of {}, {missed}", text::count(other.firings), text::count(total));
    let Some(address) = address.map(str::to_owned) else {
        return view! { <li class="alternative"><b>{patience}</b>" "<span>{words}</span></li> }.into_any();
    };
    let (value, wanted) = (patience.clone(), patience.clone());
    let press = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        chosen.set(value.clone());
    };
    view! {
        <li>
            <button class="alternative" form="rule" formmethod="get" formaction=address formnovalidate=true name="form[take]" value=other.for_seconds.to_string()
                aria-pressed=move || if chosen.with(|now| *now == wanted) { "true" } else { "false" } on:click=press>
                <b>{patience}</b>
                " "
                <span>{words}</span>
            </button>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn the_past_is_said_in_a_sentence() {
        let from = DateTime::UNIX_EPOCH;
        let preview = Preview {
            from,
            to: from + TimeDelta::days(30),
            sentence: String::new(),
            total: 41,
            noise: 30,
            subjects: 12,
            firings: Vec::new(),
            alternatives: Vec::new(),
            caveat: None,
        };
        assert_eq!(
            headline(&preview),
            "In the last 30 days this would have fired 41 times for 12 subjects; 30 of these were over within 10 minutes."
        );
        assert_eq!(headline(&Preview { total: 0, ..preview }), "In the last 30 days this would not have fired.");
    }
}
