//! A table of connections that is alive: what a row says changes in place, at once; where a row stands, and whether it
//! stands there at all, changes only when the person asks for it.

use super::{row, text, time::use_clock};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{Connection, ConnectionId};
use std::collections::HashMap;

/// The newest answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batch {
    /// What was asked; another question starts a new list.
    pub question: String,
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// The rows as they should stand now.
    pub items: Vec<Connection>,
    /// Rows that were shown and have left.
    pub strays: Vec<Connection>,
}

impl Batch {
    fn find(&self, id: ConnectionId) -> Option<&Connection> {
        self.items.iter().chain(&self.strays).find(|row| row.id == id)
    }
}

/// The rows on the screen, for the next question.
pub(crate) type ShownIds = StoredValue<(String, Vec<ConnectionId>)>;

/// The rows on the screen if they belong to this question.
pub(crate) fn shown_ids(shown: ShownIds, question: &str) -> Vec<ConnectionId> {
    shown.try_get_value().filter(|(other, _)| other == question).map(|(_, ids)| ids).unwrap_or_default()
}

#[derive(Clone, Debug, PartialEq)]
struct Standing {
    question: String,
    round: u32,
    ids: Vec<ConnectionId>,
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    connection: Connection,
    moves: u32,
    gone: bool,
}

/// The table. Must stand inside the `<Transition>` whose resource `batch` reads.
#[component]
pub(crate) fn Rows(
    /// The newest answer; none until there is one.
    batch: Memo<Option<Batch>>,
    /// Told which rows are shown.
    shown: ShownIds,
    /// Whether rows must name their source.
    #[prop(into)]
    many_sources: Signal<bool>,
    /// What the table is.
    caption: &'static str,
) -> impl IntoView {
    let round = RwSignal::new(0u32);
    let standing = Memo::new(move |before: Option<&Option<Standing>>| {
        let round = round.get();
        batch.with(|batch| {
            let batch = batch.as_ref()?;
            match before.and_then(Option::as_ref) {
                Some(before) if before.question == batch.question && before.round == round => Some(before.clone()),
                _ => {
                    let ids = batch.items.iter().map(|row| row.id).collect();
                    Some(Standing { question: batch.question.clone(), round, ids })
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
        batch
            .with(|batch| standing.with(|s| batch.as_ref().zip(s.as_ref()).map_or(0, |(b, s)| moved(&s.ids, &b.items))))
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
                    <LiveRow id batch many_sources />
                </For>
            </tbody>
        </table>
        <p class="faint rows-none" hidden=move || !standing.with(|standing| standing.as_ref().is_some_and(|s| s.ids.is_empty()))>
            "None any more."
        </p>
    }
}

/// One row: looks itself up in every new answer.
#[component]
fn LiveRow(id: ConnectionId, batch: Memo<Option<Batch>>, many_sources: Signal<bool>) -> impl IntoView {
    let clock = use_clock();
    let line = Memo::new(move |before: Option<&Option<Line>>| {
        let before = before.and_then(Option::as_ref);
        batch.with(|batch| match batch.as_ref().and_then(|batch| batch.find(id)) {
            Some(found) => {
                let moves = before.map_or(0, |before| before.moves + u32::from(differs(&before.connection, found)));
                Some(Line { connection: found.clone(), moves, gone: false })
            }
            None => before.map(|before| Line { gone: true, ..before.clone() }),
        })
    });
    let as_of = move || batch.with(|batch| batch.as_ref().map(|batch| batch.as_of));
    move || {
        let now = clock.moment(as_of()?);
        line.with(|line| line.as_ref().map(|l| row::row(&l.connection, l.moves, l.gone, now, many_sources.get())))
    }
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
