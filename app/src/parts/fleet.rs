//! The fleet over 24 hours: everything that is not healthy, stacked, worst at the bottom; with the same as a table.

use super::{text, time};
use leptos::prelude::*;
use model::{FleetPoint, Health};

/// The plot, in tenths of what the eye can tell.
const WIDTH: i64 = 9_600;
const HEIGHT: i64 = 1_200;

/// The chart and its table.
pub(crate) fn fleet(points: &[FleetPoint]) -> AnyView {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return ().into_any() };
    if points.len() < 2 {
        let text = "The chart begins once Linewatch has watched for a while.";
        return view! { <p class="faint">{text}</p> }.into_any();
    }
    let shown: Vec<Health> = Health::ALL
        .iter()
        .copied()
        .filter(|health| *health != Health::Healthy && points.iter().any(|point| point.totals.of(*health) > 0))
        .collect();
    let top = nice(points.iter().map(|point| unwell(point, &shown)).max().unwrap_or(0));
    let span = (last.at - first.at).num_seconds().max(1);
    let x = |point: &FleetPoint| (point.at - first.at).num_seconds() * WIDTH / span;
    let y = |n: u64| HEIGHT - n as i64 * HEIGHT / top as i64;
    let areas: Vec<_> = shown
        .iter()
        .enumerate()
        .map(|(i, health)| {
            let below = |point: &FleetPoint| unwell(point, &shown[..i]);
            let above = |point: &FleetPoint| unwell(point, &shown[..=i]);
            let path = area(points, &x, |point| y(above(point)), |point| y(below(point)));
            view! { <path class=health.code() d=path></path> }.into_any()
        })
        .collect();
    let peak = points.iter().map(|point| unwell(point, &shown)).max().unwrap_or(0);
    let words = format!("Connections that were not healthy over the last 24 hours, at most {peak} at once");
    view! {
        <figure class="fleet">
            <div class="plot">
                <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=words>
                    <defs>
                        <pattern id="hatch" width="60" height="60" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                            <rect width="24" height="60"></rect>
                        </pattern>
                    </defs>
                    <path class="grid" d=format!("M0 5H{WIDTH}M0 {}H{WIDTH}", HEIGHT / 2)></path>
                    {areas}
                    <path class="ground" d=format!("M0 {HEIGHT}H{WIDTH}")></path>
                </svg>
                <span class="top">{text::count(top)}</span>
                {top.is_multiple_of(2).then(|| view! { <span class="mid">{text::count(top / 2)}</span> })}
            </div>
            <div class="axis" aria-hidden="true">
                <span>{format!("{} ago", text::span(span))}</span>
                <span>{format!("{} ago", text::span(span / 2))}</span>
                <span>"now"</span>
            </div>
            <figcaption>
                <ul class="key">
                    {shown.iter().map(|health| view! { <li>{super::mark::badge(*health)}</li> }.into_any()).collect::<Vec<_>>()}
                </ul>
                <details>
                    <summary>"As a table"</summary>
                    {table(points, &shown)}
                </details>
            </figcaption>
        </figure>
    }
    .into_any()
}

fn unwell(point: &FleetPoint, healths: &[Health]) -> u64 {
    healths.iter().map(|health| point.totals.of(*health)).sum()
}

/// The next figure that is easy to read.
fn nice(n: u64) -> u64 {
    let mut unit = 1;
    loop {
        for step in [2, 4, 6, 10] {
            if n <= step * unit {
                return step * unit;
            }
        }
        unit *= 10;
    }
}

/// A stepped area: a state holds until the next point says otherwise.
fn area(
    points: &[FleetPoint],
    x: &impl Fn(&FleetPoint) -> i64,
    above: impl Fn(&FleetPoint) -> i64,
    below: impl Fn(&FleetPoint) -> i64,
) -> String {
    let mut path = String::new();
    let mut last = None;
    for point in points {
        let (x, y) = (x(point), above(point));
        match last {
            None => path.push_str(&format!("M{x} {y}")),
            Some(before) if before != y => path.push_str(&format!("H{x}V{y}")),
            Some(_) => {}
        }
        last = Some(y);
    }
    path.push_str(&format!("H{WIDTH}"));
    let mut last = None;
    for (i, point) in points.iter().enumerate().rev() {
        let y = below(point);
        let until = points.get(i + 1).map_or(WIDTH, x);
        if last != Some(y) {
            path.push_str(&format!("H{until}V{y}"));
        }
        last = Some(y);
    }
    path.push_str("H0Z");
    path
}

fn table(points: &[FleetPoint], shown: &[Health]) -> AnyView {
    let step = points.len().div_ceil(24);
    let row = |point: &FleetPoint| {
        let cells: Vec<_> = shown
            .iter()
            .map(|h| view! { <td class="num">{text::count(point.totals.of(*h))}</td> }.into_any())
            .collect();
        view! {
            <tr>
                <th scope="row">{time::utc(point.at)}</th>
                {cells}
                <td class="num">{text::count(point.totals.of(Health::Healthy))}</td>
            </tr>
        }
        .into_any()
    };
    let rows: Vec<_> = points.iter().rev().step_by(step).map(row).collect();
    let heads: Vec<_> =
        shown.iter().map(|h| view! { <th scope="col" class="num">{h.words()}</th> }.into_any()).collect();
    view! {
        <div class="wide" tabindex="0" role="region" aria-label="The fleet over the last 24 hours">
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col">"When"</th>
                        {heads}
                        <th scope="col" class="num">{Health::Healthy.words()}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
