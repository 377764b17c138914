//! A table of issues that is alive: a row changes in place, at once; its place, and whether it stands there at all, only when the
//! person asks for it. Below it, what can be done with those that are selected.

use super::{
    held::hold,
    issue_row,
    picks::Picks,
    post::Post,
    row::moved,
    text,
    time::use_clock,
    toast::{Toasts, use_toasts},
};
use crate::{
    asking::{Asked, Got, Latest, may},
    calls::{bulk::take_back, issues::ChangeIssues},
};
use leptos::{prelude::*, serde_json, server_fn::ServerFn};
use model::{BulkId, BulkUndone, Issue, IssueChanges, Role};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
struct Line {
    issue: Issue,
    moves: u32,
}

/// The table of the issues in an answer.
pub(crate) fn issue_rows(asked: Asked, latest: Latest) -> AnyView {
    let held = hold(latest, asked.shown);
    let picks = may(latest, Role::Support).then(Picks::new);
    view! {
        {picks.map(|picks| act_bar(asked, picks))}
        {held.pill()}
        <table role="table" class="rows issues">
            <caption class="sr">"Issues, newest first"</caption>
            {issue_row::head(picks.is_some())}
            <tbody role="rowgroup">
                <For each=move || held.ids() key=|id| *id let(id)>
                    {live_row(id, latest, picks)}
                </For>
            </tbody>
        </table>
        {held.none()}
    }
    .into_any()
}

/// One row: looks itself up in every new answer.
fn live_row(id: Uuid, latest: Latest, picks: Option<Picks>) -> AnyView {
    let clock = use_clock();
    let line = Memo::new(move |before: Option<&Option<Line>>| {
        let before = before.and_then(Option::as_ref);
        latest.with(|got| {
            let listing = got.as_ref()?.issues()?;
            let found = listing.page.items.iter().chain(&listing.strays).find(|row| row.id.0 == id);
            let Some(found) = found else { return before.cloned() };
            let moves = before.map_or(0, |before| before.moves + u32::from(before.issue.version != found.version));
            Some(Line { issue: found.clone(), moves })
        })
    });
    let as_of = move || latest.with_untracked(|got| got.as_ref().and_then(Got::as_of)).unwrap_or_default();
    let draw = move || {
        let now = clock.moment(as_of());
        line.with(|line| line.as_ref().map(|l| issue_row::row(&l.issue, moved(l.moves, false), now, picks)))
    };
    draw.into_any()
}

/// The form to which every box and button of the rows belongs.
fn act_bar(asked: Asked, picks: Picks) -> AnyView {
    let toasts = use_toasts();
    // What was done is said with the answer, which knows how many and how to take it back.
    let post = Post::new(ChangeIssues::PATH, "", move || asked.refetch.nudge());
    Effect::new(move |_| {
        let answer = post.answer.get();
        if let Ok(changes) = serde_json::from_slice::<IssueChanges>(answer.as_bytes()) {
            picks.clear();
            say(toasts, changes);
        }
    });
    let with = move || match picks.count() as u64 {
        0 => "With those selected".to_owned(),
        n => format!("With the {} selected", text::count(n)),
    };
    let busy = move || post.busy.get();
    let none = move || picks.count() == 0;
    let fields = view! {
        <span class="with" aria-live="polite">{with}</span>
        <label class="sr" for="assign-to">"Assign to"</label>
        <input id="assign-to" class="small" name="form[assignee]" maxlength="100" placeholder="Name" autocomplete="off" />
        <button class="btn small" name="form[act]" value="assign" disabled=busy>"Assign"</button>
        <button class="btn small" name="form[act]" value="acknowledge" disabled=busy>"Acknowledge"</button>
        <button type="button" class="btn small quiet" hidden=none on:click=move |_| picks.clear()>"Select none"</button>
    };
    view! { <div class="act-bar">{post.form_with_id("picked", "bulk-bar", fields.into_any())}{post.note()}</div> }
        .into_any()
}

/// Says what was done, and offers the way back.
fn say(toasts: Toasts, IssueChanges { bulk, changed, refused }: IssueChanges) {
    let mut words = format!("{} changed", text::counted(changed, "issue", "issues"));
    if !refused.is_empty() {
        words = format!("{words}, {} not: {}", refused.len(), refused[0]);
    }
    match bulk {
        Some(bulk) => toasts.offer_undo(words, move || undo(toasts, bulk)),
        None => toasts.say("Nothing to change: they are like that already"),
    }
}

fn undo(toasts: Toasts, bulk: BulkId) {
    leptos::task::spawn_local(async move {
        toasts.say(match take_back(bulk).await {
            Ok(undone) => undone.map_or_else(|| "Taken back".to_owned(), |undone| taken_back(&undone)),
            Err(error) => format!("Not taken back: {error}"),
        });
    });
}

/// What came of taking back, in words.
pub(crate) fn taken_back(undone: &BulkUndone) -> String {
    let left = text::count(undone.left.unsigned_abs());
    match (undone.put_back, undone.left) {
        (_, 0) => "Taken back".to_owned(),
        (0, _) => format!("Not taken back: {left} had been changed meanwhile"),
        (back, _) => {
            format!("{} taken back, {left} left: changed meanwhile", text::count(back.unsigned_abs()))
        }
    }
}
