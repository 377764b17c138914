//! How the fleet stands, in a sentence or two.

use super::text;
use leptos::prelude::*;
use model::{Health, Overview};

/// What is so, in a sentence, and how well it is proved, in another.
pub(crate) fn headline(o: &Overview) -> AnyView {
    let (all, attention) = (o.totals.all(), o.totals.attention());
    let waiting = o.totals.of(Health::ReauthorizationRequired);
    let first = match (all, attention) {
        (0, _) => "No connections have been seen yet".to_owned(),
        (1, 0) => "The one connection is well".to_owned(),
        (all, 0) => format!("All {} connections are well", text::count(all)),
        (all, 1) => format!("1 of {} needs attention", text::counted(all, "connection", "connections")),
        (all, n) => format!("{} of {} need attention", text::count(n), text::counted(all, "connection", "connections")),
    };
    let second = (waiting > 0).then(|| {
        let mut names: Vec<_> = o
            .worst
            .iter()
            .filter(|c| c.health == Health::ReauthorizationRequired)
            .map(|c| c.customer.name.clone())
            .collect();
        let complete = names.len() as u64 == waiting;
        names.dedup();
        match (complete, names.as_slice()) {
            (true, [one]) => format!("{one} must sign in again"),
            (true, [one, two]) => format!("{one} and {two} must sign in again"),
            (true, names) => format!("{} customers must sign in again", names.len()),
            (false, _) => format!("{} of them wait for a customer to sign in again", text::count(waiting)),
        }
    });
    let rest: Vec<_> = [
        Health::Offline,
        Health::Failing,
        Health::Late,
        Health::Unstable,
        Health::Unknown,
        Health::FirstSync,
        Health::Paused,
    ]
    .into_iter()
    .filter_map(|health| match o.totals.of(health) {
        0 => None,
        1 => Some(format!("1 {}", text::is(health))),
        n => Some(format!("{} {}", text::count(n), text::are(health))),
    })
    .collect();
    let healthy = format!("{} are healthy", text::count(o.totals.of(Health::Healthy)));
    let states = std::iter::once(healthy).chain(rest).collect::<Vec<_>>().join(", ");
    let proof = o
        .oldest_proof_seconds
        .map(|age| format!(" Nothing shown as known rests on a proof older than {}.", text::span(age)));
    let first_round = "The first round of polling is under way; they appear here by themselves.";
    view! {
        <h1 class="said">{first}"." {second.map(|second| view! { " "<em>{second}"."</em> })}</h1>
        <p class="lede">{if all == 0 { first_round.to_owned() } else { format!("{states}.{}", proof.unwrap_or_default()) }}</p>
    }
    .into_any()
}
