//! A table of connections that is alive: what a row says changes in place, at once; where a row stands, and whether it
//! stands there at all, changes only when the person asks for it.

use super::{row, text, time::use_clock};
use crate::asking::{Got, Latest, Question, Shown};
use leptos::prelude::*;
use model::{Connection, ConnectionId};
use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq)]
struct Standing {
    question: Question,
    round: u32,
    ids: Vec<ConnectionId>,
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    connection: Connection,
    moves: u32,
    gone: bool,
}

/// The table of the rows in an answer.
#[component]
pub(crate) fn Rows(
    /// The newest answer.
    latest: Latest,
    /// Told which rows are shown.
    shown: Shown,
    /// Whether rows must name their source.
    #[prop(into)]
    many_sources: Signal<bool>,
    /// What the table is.
    caption: &'static str,
) -> impl IntoView {
    let round = RwSignal::new(0u32);
    let standing = Memo::new(move |before: Option<&Option<Standing>>| {
        let round = round.get();
        latest.with(|got| {
            let got = got.as_ref()?;
            match before.and_then(Option::as_ref) {
                Some(before) if before.question == got.question && before.round == round => Some(before.clone()),
                _ => {
                    let ids = got.batch()?.items.iter().map(|row| row.id).collect();
                    Some(Standing { question: got.question.clone(), round, ids })
                }
            }
        })
    });
    let ids = move || standing.with(|standing| standing.as_ref().map(|s| s.ids.clone()).unwrap_or_default());
    Effect::new(move |_| {
        if let Some(standing) = standing.get() {
            shown.try_set_value((standing.question, standing.ids));
        }
    });
    let waiting = Memo::new(move |_| {
        latest.with(|got| {
            let batch = got.as_ref().and_then(Got::batch);
            standing.with(|s| batch.zip(s.as_ref()).map_or(0, |(batch, s)| moved(&s.ids, batch.items)))
        })
    });
    view! {
        <div class="pill-place" role="status" aria-live="polite">
            <button type="button" class="pill" hidden=move || waiting.get() == 0 on:click=move |_| round.update(|n| *n += 1)>
                {move || format!("{} changed – show", text::count(waiting.get() as u64))}
            </button>
        </div>
        <table role="table" class="rows">
            <caption class="sr">{caption}</caption>
            {row::head()}
            <tbody role="rowgroup">
                <For each=ids key=|id| *id let(id)>
                    {live_row(id, latest, many_sources)}
                </For>
            </tbody>
        </table>
        <p class="faint rows-none" hidden=move || !standing.with(|standing| standing.as_ref().is_some_and(|s| s.ids.is_empty()))>
            "None any more."
        </p>
    }
}

/// One row: looks itself up in every new answer.
fn live_row(id: ConnectionId, latest: Latest, many_sources: Signal<bool>) -> AnyView {
    let clock = use_clock();
    let line = Memo::new(move |before: Option<&Option<Line>>| {
        let before = before.and_then(Option::as_ref);
        latest.with(|got| {
            let batch = got.as_ref()?.batch()?;
            match batch.items.iter().chain(batch.strays).find(|row| row.id == id) {
                Some(found) => {
                    let moves = before.map_or(0, |before| before.moves + u32::from(differs(&before.connection, found)));
                    Some(Line { connection: found.clone(), moves, gone: false })
                }
                None => before.map(|before| Line { gone: true, ..before.clone() }),
            }
        })
    });
    let as_of = move || latest.with_untracked(|got| got.as_ref().and_then(Got::as_of)).unwrap_or_default();
    let draw = move || {
        let now = clock.moment(as_of());
        line.with(|line| line.as_ref().map(|l| row::row(&l.connection, l.moves, l.gone, now, many_sources.get())))
    };
    draw.into_any()
}

/// Whether a person would call it a change: a new proof or another good sync is none.
fn differs(before: &Connection, after: &Connection) -> bool {
    (before.health, before.since, before.cause.as_ref().map(|c| c.code), &before.owner)
        != (after.health, after.since, after.cause.as_ref().map(|c| c.code), &after.owner)
}

/// How many rows would come, go, or stand elsewhere among the rest.
fn moved(shown: &[ConnectionId], now: &[Connection]) -> usize {
    let places: HashMap<_, _> = now.iter().enumerate().map(|(place, row)| (row.id, place)).collect();
    let kept: Vec<_> = shown.iter().filter_map(|id| places.get(id).copied()).collect();
    let (leaving, coming) = (shown.len() - kept.len(), now.len() - kept.len());
    // A row that comes usually pushes another one off the page: that is one change, not two.
    leaving.max(coming) + kept.len() - longest_rising(&kept)
}

/// The length of the longest rising run of places, gaps allowed: so many rows may stay where they are.
fn longest_rising(places: &[usize]) -> usize {
    let mut ends: Vec<usize> = Vec::new();
    for place in places {
        match ends.partition_point(|end| end < place) {
            at if at == ends.len() => ends.push(*place),
            at => ends[at] = *place,
        }
    }
    ends.len()
}

#[cfg(test)]
mod tests {
    use super::longest_rising;

    #[test]
    fn one_row_that_moves_far_is_one_change() {
        assert_eq!(longest_rising(&[0, 1, 5, 2, 3, 4]), 5);
        assert_eq!((longest_rising(&[]), longest_rising(&[2, 1, 0])), (0, 1));
    }
}
