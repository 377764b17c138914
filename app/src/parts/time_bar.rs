//! The states of a connection along a line of time, with the same as a table.

use super::{looking::Looking, mark::badge, text, time::Moment};
use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;
use model::{ConnectionDetail, Health, Page, TimelineItem, TimelineKind};

/// A stretch of one state; none where nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    health: Option<Health>,
}

/// The bar over some days.
pub(crate) fn time_bar(
    detail: &ConnectionDetail,
    recent: &Page<TimelineItem>,
    looking: &Looking,
    now: Moment,
) -> AnyView {
    let days = i64::from(looking.days);
    let stretches = stretches(detail, recent, days, now.now);
    let whole = days * 86_400;
    let healthy: i64 = seconds(stretches.iter().filter(|s| s.health == Some(Health::Healthy)));
    let known: i64 = seconds(stretches.iter().filter(|s| s.health.is_some())).max(1);
    let share = match healthy * 1_000 / known {
        _ if healthy == known => "100 % healthy".to_owned(),
        thousandths => format!("{}.{} % healthy", thousandths / 10, thousandths % 10),
    };
    let begin = now.now - TimeDelta::days(days);
    let pieces: Vec<_> = stretches
        .iter()
        .rev()
        .map(|stretch| {
            let x = (stretch.from - begin).num_seconds() * 1_000 / whole;
            let width = ((stretch.to - begin).num_seconds() * 1_000 / whole - x).max(2);
            let class = stretch.health.map_or("nothing", Health::code);
            view! {
                <rect class=class x=x.to_string() width=width.to_string() height="32">
                    <title>{stretch.health.map_or("Nothing known", Health::words)}</title>
                </rect>
            }
            .into_any()
        })
        .collect();
    let choice = |n: u16, words: &'static str| {
        let address = Looking { days: n, older: None, ..looking.clone() }.address("");
        view! { <a href=address aria-current=(n == looking.days).then_some("true")>{words}</a> }.into_any()
    };
    view! {
        <div class="section-head">
            <h2>"How it has been"</h2>
            <span class="choices">{choice(1, "24 hours")}{choice(7, "7 days")}</span>
        </div>
        <svg class="time-bar" viewBox="0 0 1000 32" preserveAspectRatio="none" role="img" aria-label=format!("{share} over the last {}", if days == 1 { "24 hours" } else { "7 days" })>
            {pieces}
        </svg>
        <div class="axis">
            <span>{if days == 1 { "24 h ago" } else { "7 days ago" }}</span>
            <span>{share.clone()}</span>
            <span>"now"</span>
        </div>
        <details>
            <summary>"As a table"</summary>
            {table(&stretches, now)}
        </details>
    }
    .into_any()
}

fn seconds<'a>(stretches: impl Iterator<Item = &'a Stretch>) -> i64 {
    stretches.map(|stretch| (stretch.to - stretch.from).num_seconds()).sum()
}

/// Newest first. What lies before the oldest item that was loaded is not known here.
fn stretches(detail: &ConnectionDetail, recent: &Page<TimelineItem>, days: i64, now: DateTime<Utc>) -> Vec<Stretch> {
    let begin = now - TimeDelta::days(days);
    let mut out = Vec::new();
    let mut to = now;
    let mut health = if detail.removed_at.is_some() { None } else { Some(detail.connection.health) };
    let transitions = recent.items.iter().filter(|item| item.kind == TimelineKind::Transition);
    for item in transitions.take_while(|item| item.at > begin) {
        out.push(Stretch { from: item.at.min(to), to, health });
        (to, health) = (item.at.min(to), item.from);
    }
    let oldest = recent.items.last().map_or(now, |item| item.at);
    let known_from = match (out.is_empty(), &recent.next_cursor) {
        (true, _) => detail.connection.since.min(oldest),
        (false, Some(_)) => oldest,
        (false, None) => begin,
    };
    let from = known_from.max(begin).min(to);
    out.push(Stretch { from, to, health });
    if from > begin {
        out.push(Stretch { from: begin, to: from, health: None });
    }
    out.retain(|stretch| stretch.from < stretch.to);
    out
}

fn table(stretches: &[Stretch], now: Moment) -> AnyView {
    let rows: Vec<_> = stretches
        .iter()
        .map(|stretch| {
            let state = stretch.health.map_or_else(|| "Nothing known".into_any(), badge);
            view! {
                <tr>
                    <td>{state}</td>
                    <td>{now.ago(stretch.from)}</td>
                    <td class="num">{text::span((stretch.to - stretch.from).num_seconds())}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    view! {
        <table class="plain">
            <thead>
                <tr>
                    <th scope="col">"State"</th>
                    <th scope="col">"From"</th>
                    <th scope="col" class="num">"Lasted"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}
