//! What keeps a list calm: which rows stand, and where, changes only when the person asks for it.

use super::text;
use crate::asking::{Got, Latest, Question, Shown};
use leptos::prelude::*;
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
struct Standing {
    question: Question,
    round: u32,
    ids: Vec<Uuid>,
}

/// The rows that stand.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    standing: Memo<Option<Standing>>,
    waiting: Memo<usize>,
    round: RwSignal<u32>,
}

/// Holds the rows of the answers; `shown` is told which they are.
pub(crate) fn hold(latest: Latest, shown: Shown) -> Held {
    let round = RwSignal::new(0u32);
    let standing = Memo::new(move |before: Option<&Option<Standing>>| {
        let round = round.get();
        latest.with(|got| {
            let got = got.as_ref()?;
            match before.and_then(Option::as_ref) {
                Some(before) if before.question == got.question && before.round == round => Some(before.clone()),
                _ => Some(Standing { question: got.question.clone(), round, ids: got.ids()? }),
            }
        })
    });
    Effect::new(move |_| {
        if let Some(standing) = standing.get() {
            shown.try_set_value((standing.question, standing.ids));
        }
    });
    let waiting = Memo::new(move |_| {
        let now = latest.with(|got| got.as_ref().and_then(Got::ids));
        standing.with(|s| now.zip(s.as_ref()).map_or(0, |(now, s)| moved(&s.ids, &now)))
    });
    Held { standing, waiting, round }
}

impl Held {
    /// The rows, in the order in which they stand.
    pub(crate) fn ids(self) -> Vec<Uuid> {
        self.standing.with(|standing| standing.as_ref().map(|s| s.ids.clone()).unwrap_or_default())
    }

    /// Says how much would come, go or move, and does it when it is pressed. Floats above the rows.
    pub(crate) fn pill(self) -> AnyView {
        let Self { waiting, round, .. } = self;
        view! {
            <div class="pill-place" role="status" aria-live="polite">
                <button type="button" class="pill" hidden=move || waiting.get() == 0 on:click=move |_| round.update(|n| *n += 1)>
                    {move || format!("{} changed – show", text::count(waiting.get() as u64))}
                </button>
            </div>
        }
        .into_any()
    }

    /// Says so when no row is left of those that stood.
    pub(crate) fn none(self) -> AnyView {
        let empty = move || self.standing.with(|standing| standing.as_ref().is_some_and(|s| s.ids.is_empty()));
        view! { <p class="faint rows-none" hidden=move || !empty()>"None any more."</p> }.into_any()
    }
}

/// How many rows would come, go, or stand elsewhere among the rest.
fn moved(shown: &[Uuid], now: &[Uuid]) -> usize {
    let places: HashMap<_, _> = now.iter().enumerate().map(|(place, id)| (*id, place)).collect();
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
