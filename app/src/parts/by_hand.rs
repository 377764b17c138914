//! What Makini and Linewatch do by themselves, done now by a person; a sync that was started is followed to its end.

use super::{hands::Hands, post::Post, syncs, text, time::use_clock};
use crate::asking::{Latest, part};
use chrono::DateTime;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use model::{Step, SyncKind, SyncOutcome};

/// The section.
pub(crate) fn by_hand(hands: Hands, history: Latest) -> AnyView {
    if !hands.may {
        return ().into_any();
    }
    // What leads in the card above is not offered twice.
    let leads = Memo::new(move |_| hands.step());
    let unless = move |step: Step, form: AnyView| {
        view! { <div hidden=move || leads.get() == Some(step)>{form}</div> }.into_any()
    };
    let note = move |step: Step| move || hands.post(step).filter(|_| leads.get() != Some(step)).map(Post::note);
    let gone = move || leads.with(Option::is_none);
    view! {
        <section aria-labelledby="by-hand" hidden=gone>
            <h2 id="by-hand">"By hand"</h2>
            <div class="acts">
                {unless(Step::Check, hands.check_button("btn"))}
                {unless(Step::Sync, hands.sync_button(SyncKind::Incremental, "btn"))}
                {hands.sync_button(SyncKind::Full, "btn quiet")}
            </div>
            <p class="help">"“Everything” reads the whole window again and may take hours; Makini allows one sync at a time."</p>
            {note(Step::Check)}
            {note(Step::Sync)}
            {follow(history)}
        </section>
    }
    .into_any()
}

/// What came of the sync that was started here, as the address remembers it.
fn follow(history: Latest) -> AnyView {
    let (clock, query) = (use_clock(), use_query_map());
    part(history, move |got| {
        let started = query.with(|query| query.get_str("started").and_then(|at| at.parse().ok()));
        let Some((started, history)) = started.and_then(|at| DateTime::from_timestamp(at, 0)).zip(got.history()) else {
            return ().into_any();
        };
        let now = clock.moment(history.as_of);
        let ended = history.syncs.items.iter().rev().find(|sync| sync.ended_at >= started);
        match ended {
            Some(sync) => {
                let class = if sync.outcome == SyncOutcome::Good { "note good" } else { "note bad" };
                let words = match sync.outcome {
                    SyncOutcome::Good => "The sync that was started here has succeeded",
                    SyncOutcome::Failed => "The sync that was started here has failed",
                };
                view! { <p class=class role="status">{words}{syncs::carried(sync)}", "{now.ago(sync.ended_at)}"."</p> }
                    .into_any()
            }
            None => {
                let since = format!("Makini was asked for a sync {} ago. ", text::span(now.age(started)));
                view! { <p class="note" role="status">{since}"When it has ended, it appears here and under Syncs by itself."</p> }.into_any()
            }
        }
    })
}
