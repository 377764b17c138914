//! A table of connections that is alive: what a row says changes in place, at once; where a row stands, and whether it
//! stands there at all, changes only when the person asks for it.

use super::{held::hold, picks::Picks, row, time::use_clock};
use crate::asking::{Got, Latest, Shown};
use leptos::prelude::*;
use model::Connection;
use uuid::Uuid;

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
    /// Where rows can be selected.
    #[prop(default = None)]
    picks: Option<Picks>,
) -> impl IntoView {
    let held = hold(latest, shown);
    view! {
        {held.pill()}
        <table role="table" class="rows">
            <caption class="sr">{caption}</caption>
            {row::head(picks.is_some())}
            <tbody role="rowgroup">
                <For each=move || held.ids() key=|id| *id let(id)>
                    {live_row(id, latest, many_sources, picks)}
                </For>
            </tbody>
        </table>
        {held.none()}
    }
}

/// One row: looks itself up in every new answer.
fn live_row(id: Uuid, latest: Latest, many_sources: Signal<bool>, picks: Option<Picks>) -> AnyView {
    let clock = use_clock();
    let line = Memo::new(move |before: Option<&Option<Line>>| {
        let before = before.and_then(Option::as_ref);
        latest.with(|got| {
            let batch = got.as_ref()?.batch()?;
            match batch.items.iter().chain(batch.strays).find(|row| row.id.0 == id) {
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
        let pick =
            |c: &Connection| picks.map(|picks| picks.cell("bulk", "id", c.id.to_string(), c.id.0, &c.customer.name));
        line.with(|line| {
            line.as_ref().map(|l| {
                row::row(
                    &l.connection,
                    row::moved(l.moves, l.gone),
                    l.gone,
                    now,
                    many_sources.get(),
                    pick(&l.connection),
                )
            })
        })
    };
    draw.into_any()
}

/// Whether a person would call it a change: a new proof or another good sync is none.
fn differs(before: &Connection, after: &Connection) -> bool {
    (before.health, before.since, before.cause.as_ref().map(|c| c.code), &before.owner)
        != (after.health, after.since, after.cause.as_ref().map(|c| c.code), &after.owner)
}
