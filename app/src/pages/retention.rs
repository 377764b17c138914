//! Settings: how long things are kept, and which fields of payloads are not shown.

use crate::{
    asking::{Got, Latest, Question, ask, screen},
    calls::retention::{ChangeRetention, RetentionView},
    live::Refetch,
    parts::{
        field::{Field, Fields, Line},
        post::Post,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::{Retention, Role};

/// The screen.
#[component]
pub(crate) fn RetentionPage() -> impl IntoView {
    let refetch = Refetch::by_hand();
    screen(ask(|| Question::Retention, refetch), move |latest| full(latest, refetch))
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let query = use_query_map();
    let saved = move || query.with(|query| query.get_str("saved").is_some());
    let change = Post::new(ChangeRetention::PATH, "", move || refetch.nudge());
    let form =
        latest.with_untracked(|got| got.as_ref().and_then(Got::retention).map(|view| form(view, change, latest)));
    view! {
        <Title text="How long things are kept" />
        <nav class="crumbs" aria-label="You are here">
            <a href="/settings">"Settings"</a>
            <span aria-hidden="true">" / "</span>
            <span>"Retention"</span>
        </nav>
        <h1>"How long things are kept."</h1>
        <p class="lede">"In days. What is not resolved stays until it is, however old it grows."</p>
        <p class="note good" role="status" hidden=move || !saved()>"Saved. It takes effect with the next cleaning, within a day."</p>
        {form}
    }
    .into_any()
}

fn form(view: &RetentionView, post: Post, latest: Latest) -> AnyView {
    let fields = Fields { group: "form", post };
    let stored = &view.retention;
    let days = |name: &'static str, label: &'static str, help: &'static str, read: fn(&Retention) -> u16| {
        fields.line(
            Field { name, label, help },
            post.kept(name, read(stored).to_string()),
            Line { required: true, ..Line::default() },
        )
    };
    let opened = stored.version;
    let version = move || {
        latest.with(|got| got.as_ref().and_then(Got::retention).map_or(opened, |v| v.retention.version)).to_string()
    };
    let may = view.role >= Role::Admin;
    let redacted = Field {
        name: "redacted_fields",
        label: "Fields whose values are not shown",
        help: "Names, one a line, in any case. They hold for what comes from now on, and for what is there already. \
               What was hidden when it came stays hidden, also when its name is taken away here; a reveal still shows it, and is written down.",
    };
    let inner = view! {
        <input type="hidden" name="form[version]" value=version />
        <fieldset disabled=!may>
            <legend>"Webhooks"</legend>
            {days("events_days", "Events", "Webhooks received with their payloads; usually 90.", |r| r.events_days)}
            {days("deliveries_days", "Deliveries", "With every attempt; usually 90.", |r| r.deliveries_days)}
            {days("rejections_days", "Requests turned away", "Samples of them; usually 14.", |r| r.rejections_days)}
            {days("gaps_days", "Gaps", "Webhooks that never came; usually 365.", |r| r.gaps_days)}
        </fieldset>
        <fieldset disabled=!may>
            <legend>"All else"</legend>
            {days("evidence_days", "Evidence", "What was seen of connections; usually 90.", |r| r.evidence_days)}
            {days("notifications_days", "Alerts", "Those that are over, with every message about them; usually 365.", |r| r.notifications_days)}
        </fieldset>
        <fieldset disabled=!may>
            <legend>"Payloads"</legend>
            {fields.lines(redacted, post.kept("redacted_fields", stored.redacted_fields.join("\n")), 8, true)}
        </fieldset>
        {post.note()}
        {if may {
            view! { <div class="acts"><button class="btn first" disabled=move || post.busy.get()>"Save"</button></div> }.into_any()
        } else {
            view! { <p class="note">{format!("This is changed by the role “{}”.", Role::Admin.words())}</p> }.into_any()
        }}
    };
    post.form("form wide-form", inner.into_any())
}
