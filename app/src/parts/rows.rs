//! A table of connections that is alive: what a row says changes in place, at once; where a row stands, and whether it
//! stands there at all, changes only when the person asks for it.

use super::{row, text, time::use_clock};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{Connection, ConnectionId};
use std::collections::HashSet;

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
        batch.with(|batch| standing.with(|s| batch.as_ref().zip(s.as_ref()).map_or(0, |(b, s)| moved(&s.ids, &b.items))))
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

/// How many rows would come, go, or stand elsewhere relative to the rest.
fn moved(shown: &[ConnectionId], now: &[Connection]) -> usize {
    let now: Vec<_> = now.iter().map(|row| row.id).collect();
    let (old, new): (HashSet<_>, HashSet<_>) = (shown.iter().collect(), now.iter().collect());
    let coming = new.difference(&old).count();
    let leaving = old.difference(&new).count();
    let kept_before = shown.iter().filter(|id| new.contains(id));
    let kept_after = now.iter().filter(|id| old.contains(id));
    let displaced = kept_before.zip(kept_after).filter(|(before, after)| before != after).count();
    // A row that comes usually pushes another one off the page; that is one change, not two.
    coming.max(leaving).max(displaced)
}
