//! Something that is being done with many connections: how far it is, what failed, and how to stop it.

use crate::{
    asking::{self, Got, Latest, Question, ask, may, part, screen},
    calls::bulk::{BulkView, CancelBulk, ChangeBulk, UndoBulk},
    live::Refetch,
    parts::{
        post::Post,
        progress::{failures, head, sentence},
        time::{Moment, use_clock},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{BulkState, ChangeTopic, Role};
use std::time::Duration;

/// The screen.
#[component]
pub(crate) fn BulkPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let refetch = Refetch::when(move |change| {
        change.topic == ChangeTopic::Retry && (change.id == "*" || id.with_untracked(|id| *id == change.id))
    });
    let asked = ask(move || Question::Bulk(id.get()), refetch.every(Duration::from_secs(15)));
    screen(asked, move |latest| full(latest, refetch))
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let part = move |draw: fn(&BulkView, Moment) -> AnyView| {
        part(latest, move |got| match got.bulk() {
            Some(view) => draw(view, clock.moment(view.as_of)),
            None => ().into_any(),
        })
    };
    let state =
        Memo::new(move |_| latest.with(|got| got.as_ref().and_then(Got::bulk).and_then(|view| view.bulk.state)));
    let runs = move || matches!(state.get(), Some(BulkState::Running | BulkState::Paused));
    let id = move || {
        latest.with(|got| {
            got.as_ref().and_then(Got::bulk).and_then(|v| v.bulk.id).map(|id| id.to_string()).unwrap_or_default()
        })
    };
    let change = Post::new(ChangeBulk::PATH, "", move || refetch.nudge());
    let cancel = Post::new(CancelBulk::PATH, "", move || refetch.nudge());
    let pause = move || state.get() != Some(BulkState::Paused);
    let pausing = view! {
        <input type="hidden" name="id" value=id />
        <input type="hidden" name="state" value=move || if pause() { "paused" } else { "running" } />
        <button class="btn" disabled=move || change.busy.get()>{move || if pause() { "Pause" } else { "Resume" }}</button>
    };
    let cancelling = view! {
        <input type="hidden" name="id" value=id />
        <button class="btn danger" disabled=move || cancel.busy.get()>"Cancel the rest"</button>
    };
    let acts = may(latest, Role::Support);
    let undo = Post::new(UndoBulk::PATH, "", move || refetch.nudge());
    let undoable = Memo::new(move |_| {
        let of = |view: &BulkView| view.bulk.undo_until.is_some_and(|until| until > clock.moment(view.as_of).now);
        latest.with(|got| got.as_ref().and_then(Got::bulk).is_some_and(of))
    });
    let undoing = view! {
        <input type="hidden" name="id" value=id />
        <button class="btn" disabled=move || undo.busy.get()>"Take it back"</button>
        <span class="faint">"Issues that have changed since are left as they are."</span>
    };
    let title =
        move || latest.with(|got| got.as_ref().and_then(Got::bulk).map(|v| sentence(&v.bulk)).unwrap_or_default());
    view! {
        <Title text=asking::title(title) />
        {part(head)}
        <div class="acts bulk-acts" hidden=move || !runs()>
            {acts.then(|| change.form("", pausing.into_any()))}
            {acts.then(|| cancel.form("", cancelling.into_any()))}
            <noscript><a class="btn" href="">"See how far it is"</a></noscript>
        </div>
        <div class="acts" hidden=move || !undoable.get()>{acts.then(|| undo.form("acts", undoing.into_any()))}</div>
        {change.note()}
        {cancel.note()}
        {undo.note()}
        {part(failures)}
        <p class="page-foot"><a href="/connections">"See all connections"</a></p>
    }
    .into_any()
}
