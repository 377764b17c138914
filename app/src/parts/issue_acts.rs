//! What a person does with an issue: take it, give it away, let it wait or sleep, end it, write something down.

use super::{post::Post, snooze::snooze};
use crate::{
    asking::{Got, Latest},
    calls::issues::{ChangeIssue, IssueStory, NoteIssue},
    live::Refetch,
};
use leptos::{prelude::*, server_fn::ServerFn};
use model::{IssueState, Refusal};
use std::collections::BTreeSet;

/// The actions, each a form of its own.
pub(crate) fn acts(latest: Latest, refetch: Refetch) -> AnyView {
    let post = Post::new(ChangeIssue::PATH, "Done", move || refetch.nudge());
    let conflict = move || post.error.with(|e| e.as_ref().is_some_and(|e| matches!(e.refusal, Refusal::Conflict(_))));
    Effect::new(move |_| {
        if conflict() {
            refetch.nudge();
        }
    });
    let state = Memo::new(move |_| latest.with(|got| got.as_ref().and_then(Got::issue).map(|story| story.issue.state)));
    let is = move |states: &'static [IssueState]| state.get().is_some_and(|state| states.contains(&state));
    let button = move |act: &'static str,
                       words: &'static str,
                       key: Option<&'static str>,
                       fits: &'static [IssueState]| {
        let fields = view! {
            {hidden(latest)}
            <button class="btn" name="form[act]" value=act data-key=key hidden=move || !is(fits) disabled=move || post.busy.get()>{words}</button>
        };
        post.form("", fields.into_any())
    };
    use IssueState::{Acknowledged as A, Folded as F, Open as O, Resolved as R, Snoozed as S, WaitingOnCustomer as W};
    let mine = move || {
        latest.with(|got| got.as_ref().and_then(Got::issue).is_some_and(|s| s.issue.assignee.as_ref() == Some(&s.me)))
    };
    let take = view! {
        {hidden(latest)}
        <button class="btn" name="form[act]" value="take" hidden=move || mine() || is(&[R]) disabled=move || post.busy.get()>"Assign to me"</button>
    };
    let known = move || latest.with(|got| got.as_ref().and_then(Got::issue).map(people).unwrap_or_default());
    let assign = view! {
        {hidden(latest)}
        <label for="assignee">"Assign to"</label>
        <input id="assignee" name="form[assignee]" maxlength="100" autocomplete="off" list="people" placeholder="A name; empty for nobody" value=post.kept("assignee", String::new()) />
        <datalist id="people">
            {move || known().into_iter().map(|name| view! { <option value=name></option> }.into_any()).collect::<Vec<_>>()}
        </datalist>
        <button class="btn" name="form[act]" value="assign" disabled=move || post.busy.get()>"Assign"</button>
    };
    view! {
        <div class="acts">
            {button("acknowledge", "Acknowledge", Some("e"), &[O, W, S])}
            {post.form("", take.into_any())}
            {button("wait", "Waiting on customer", None, &[O, A, S])}
            {button("resolve", "Resolve", None, &[O, A, W, S, F])}
            {button("reopen", "Reopen", None, &[A, W, S, R])}
        </div>
        {post.note()}
        <p class="note" hidden=move || !conflict()>"What you see now is how it stands since then."</p>
        <details class="more" hidden=move || is(&[R])>
            <summary>"Assign or snooze"</summary>
            {post.form("inline-form", assign.into_any())}
            <h3>"Snooze for or until"</h3>
            {snooze(post, hidden, latest)}
        </details>
    }
    .into_any()
}

/// Which issue is meant, and the version of it that is on the screen.
fn hidden(latest: Latest) -> AnyView {
    let say = move |say: fn(&IssueStory) -> String| {
        latest.with(|got| got.as_ref().and_then(Got::issue).map(say).unwrap_or_default())
    };
    view! {
        <input type="hidden" name="form[id]" value=move || say(|story| story.issue.id.to_string()) />
        <input type="hidden" name="form[version]" value=move || say(|story| story.issue.version.to_string()) />
    }
    .into_any()
}

/// Who may have it, as far as this page knows.
fn people(story: &IssueStory) -> Vec<String> {
    let mut people: BTreeSet<String> = story.entries.iter().filter_map(|entry| entry.by.clone()).collect();
    people.insert(story.me.clone());
    people.extend(story.issue.assignee.clone());
    people.extend(story.connection.as_ref().and_then(|detail| detail.connection.owner.clone()));
    people.into_iter().collect()
}

/// The form to write something down.
pub(crate) fn note(id: String, refetch: Refetch) -> AnyView {
    let post = Post::new(NoteIssue::PATH, "Noted", move || refetch.nudge());
    let kept = post.kept("text", String::new());
    let fields = view! {
        <input type="hidden" name="id" value=id />
        <label for="note">"Write something down"</label>
        <textarea id="note" name="text" rows="3" maxlength="4000" required=true data-once="">{crate::raw_text(kept)}</textarea>
        <div class="acts"><button class="btn" disabled=move || post.busy.get()>"Add the note"</button></div>
    };
    view! { {post.form("form note-form", fields.into_any())}{post.note()} }.into_any()
}
