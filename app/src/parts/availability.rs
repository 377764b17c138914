//! How much of some days a connection was up, with what is unknown and what is neither said apart.

use super::{looking::Looking, text};
use leptos::prelude::*;
use model::Availability;

/// The figure in a sentence, and its parts as a table.
pub(crate) fn availability(up: &Availability, looking: &Looking) -> AnyView {
    let choice = |days: u16| {
        let address = Looking { up: days, ..looking.clone() }.address("availability");
        view! { <a href=address aria-current=(days == up.days).then_some("true")>{format!("{days} days")}</a> }
            .into_any()
    };
    view! {
        <div class="section-head">
            <h2 id="availability">"Availability"</h2>
            <span class="choices">{choice(7)}{choice(30)}{choice(90)}</span>
        </div>
        <p>{sentence(up)}</p>
        <details>
            <summary>"As a table"</summary>
            {table(up)}
        </details>
    }
    .into_any()
}

/// What is so, in words; unknown is never up.
fn sentence(up: &Availability) -> AnyView {
    let first = match up.percent {
        Some(percent) => format!("{} up", percent_words(percent)),
        None => "Nothing is known yet".to_owned(),
    };
    let down = match up.incidents {
        0 if up.down_seconds == 0 => ", never down".to_owned(),
        0 => format!(", down for {} from before that", text::span(up.down_seconds)),
        1 => format!(", down once for {}", text::span(up.down_seconds)),
        n => format!(", down {n} times for {} in all", text::span(up.down_seconds)),
    };
    let down = up.percent.map(|_| down);
    let apart = [
        (up.unknown_seconds, "nobody could know how it was"),
        (up.maintenance_seconds, "it was in maintenance"),
        (up.apart_seconds, "it was in its first sync, paused, or not yet seen"),
    ];
    let apart: Vec<_> = apart
        .into_iter()
        .filter(|(seconds, _)| *seconds > 0)
        .map(|(seconds, words)| format!("for {} {words}", text::span(seconds)))
        .collect();
    let apart = (!apart.is_empty()).then(|| format!(" Left out: {}.", apart.join("; ")));
    view! { <b class="figure">{first}</b>{down}" over the last "{up.days}" days."{apart} }.into_any()
}

/// Never rounded up to a whole that it is not.
fn percent_words(percent: f64) -> String {
    let hundredths = (percent * 100.0).floor() as i64;
    match hundredths {
        10_000.. => "100 %".to_owned(),
        n => format!("{}.{:02} %", n / 100, n % 100),
    }
}

fn table(up: &Availability) -> AnyView {
    let whole =
        (up.up_seconds + up.down_seconds + up.unknown_seconds + up.apart_seconds + up.maintenance_seconds).max(1);
    let row = |words: &'static str, seconds: i64| {
        let share = format!("{}.{} %", seconds * 1_000 / whole / 10, seconds * 1_000 / whole % 10);
        let lasted = if seconds == 0 { "–".to_owned() } else { text::span(seconds) };
        view! { <tr><th scope="row">{words}</th><td class="num">{lasted}</td><td class="num">{share}</td></tr> }
            .into_any()
    };
    view! {
        <div class="wide" tabindex="0" role="region" aria-labelledby="availability">
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col">"How it was"</th>
                        <th scope="col" class="num">"For"</th>
                        <th scope="col" class="num">"Of the time"</th>
                    </tr>
                </thead>
                <tbody>
                    {row("Up", up.up_seconds)}
                    {row("Down", up.down_seconds)}
                    {row("Unknown", up.unknown_seconds)}
                    {row("In maintenance", up.maintenance_seconds)}
                    {row("First sync, paused, or not yet seen", up.apart_seconds)}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::percent_words;

    #[test]
    fn nearly_all_is_not_all() {
        assert_eq!([100.0, 99.999, 98.7, 0.0].map(percent_words), ["100 %", "99.99 %", "98.70 %", "0.00 %"]);
    }
}
