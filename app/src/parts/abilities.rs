//! What a connection can do with which records: a table of words, with the limit and the proof of each.

use super::time::Moment;
use leptos::prelude::*;
use model::{Ability, AbilityProof, Capability, Operation};

/// The table, closed by a sentence until somebody wants it.
pub(crate) fn abilities(all: &[Capability], now: Moment) -> AnyView {
    if all.is_empty() {
        let words = "Nothing is known yet of what this system lets us read, create, update or delete.";
        return view! { <p class="faint">{words}</p> }.into_any();
    }
    let mut entities: Vec<&str> = Vec::new();
    for one in all {
        if !entities.contains(&one.entity.as_str()) {
            entities.push(&one.entity);
        }
    }
    let rows: Vec<_> = entities.iter().map(|entity| row(entity, all, now)).collect();
    let heads: Vec<_> =
        Operation::ALL.iter().map(|what| view! { <th scope="col">{what.words()}</th> }.into_any()).collect();
    let limits: Vec<_> = all.iter().filter_map(|one| limit(one, now)).collect();
    view! {
        <details>
            <summary>{format!("{} kinds of records", entities.len())}</summary>
            <div class="wide" tabindex="0" role="region" aria-labelledby="can-do">
                <table class="plain">
                    <thead>
                        <tr>
                            <th scope="col">"Records"</th>
                            {heads}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {(!limits.is_empty()).then(|| view! { <ul class="limits">{limits}</ul> })}
        </details>
    }
    .into_any()
}

fn row(entity: &str, all: &[Capability], now: Moment) -> AnyView {
    let cell = |what: &Operation| {
        let one = all.iter().find(|one| one.entity == entity && one.operation == *what);
        let ability = one.map_or(Ability::Unknown, |one| one.ability);
        let title = one.map(|one| known_by(one, now));
        view! { <td class=format!("can {ability}") title=title>{ability.words()}</td> }.into_any()
    };
    view! {
        <tr>
            <th scope="row">{words_of(entity)}</th>
            {Operation::ALL.iter().map(cell).collect::<Vec<_>>()}
        </tr>
    }
    .into_any()
}

/// What is limited or was refused, in a line that needs no pointer.
fn limit(one: &Capability, now: Moment) -> Option<AnyView> {
    let refused = one.proof == Some(AbilityProof::Refused);
    let told = one.limit.is_some() || one.ability == Ability::Limited || refused;
    told.then(|| {
        let limit = one.limit.clone().unwrap_or_else(|| one.ability.words().to_lowercase());
        let what = one.operation.words().to_lowercase();
        let proof = one.proof.map_or("nothing proves it", AbilityProof::words);
        let eye = one.eye.map(|eye| format!(" ({})", eye.words())).unwrap_or_default();
        let when = one.proved_at.map(|at| view! { ", "{now.ago(at)} }.into_any());
        view! { <li>{format!("{}, {what}: {limit} – {proof}{eye}", words_of(&one.entity))}{when}"."{said(one)}</li> }
            .into_any()
    })
}

/// Upstream's own words for a refusal, and the way to the event that told it.
fn said(one: &Capability) -> AnyView {
    let words = match (&one.message, &one.code) {
        (Some(message), Some(code)) if !message.contains(code.as_str()) => Some(format!("{message} ({code})")),
        (Some(message), _) => Some(message.clone()),
        (None, code) => code.clone(),
    };
    let words = words.map(|words| view! { " Makini said: “"{words}"”." }.into_any());
    let event = one.event_id.map(|id| {
        let name = format!(
            "The event about {}, {}",
            words_of(&one.entity).to_lowercase(),
            one.operation.words().to_lowercase()
        );
        view! { " "<a href=format!("/webhooks/events/{id}") aria-label=name>"The event"</a> }.into_any()
    });
    view! { {words}{event} }.into_any()
}

fn known_by(one: &Capability, now: Moment) -> String {
    let how = one.proof.map_or("nothing proves it", AbilityProof::words);
    let eye = one.eye.map(|eye| format!(" ({})", eye.words())).unwrap_or_default();
    match one.proved_at {
        Some(at) => format!("{how}{eye}, {}", now.exact(at)),
        None => format!("{how}{eye}"),
    }
}

/// `purchase_orders` as people say it.
fn words_of(entity: &str) -> String {
    let mut words = entity.replace(['_', '-'], " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}
