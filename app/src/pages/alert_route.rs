//! Alerts: one route – which alerts, by which channels, how they are told together.

use crate::{
    asking::{Latest, Question, ask, may, screen},
    calls::{
        Said,
        alerts::{AlertAsk, AlertBody, Known, RemoveRoute, SaveRoute},
    },
    live::Refetch,
    parts::{
        alert_tabs::{crumbs, first},
        controls::{Controls, choices, usual},
        field::{Field, Fields},
        post::Post,
        scope_fields::{TAGS, scope_fields},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{GroupBy, Role, Route, Severity};

/// The screen.
#[component]
pub(crate) fn RoutePage() -> impl IntoView {
    let params = use_params_map();
    let id = move || params.with(|params| params.get("id").unwrap_or_default());
    screen(ask(move || Question::Alerts(AlertAsk::Route(id())), Refetch::by_hand()), |latest| {
        let found = first(latest, |body| match body {
            AlertBody::Route(route, form, known) => Some((route.clone(), form.clone(), known.clone())),
            _ => None,
        });
        found.map_or_else(|| ().into_any(), |(route, form, known)| full(latest, route, form, &known))
    })
}

fn full(latest: Latest, route: Option<Route>, form: Said, known: &Known) -> AnyView {
    let acts = may(latest, Role::Admin);
    let name = route.as_ref().map_or_else(|| "A new route".to_owned(), |route| route.name.clone());
    view! {
        <Title text=name.clone() />
        {crumbs("/alerts/routes", "Routes", name.clone())}
        <h1>{name}</h1>
        {if acts { settings(form, known) } else { view! { <p class="note">"You may look at routes, but not change them."</p> }.into_any() }}
        {acts.then(|| route.as_ref().map(remove))}
    }
    .into_any()
}

fn settings(form: Said, known: &Known) -> AnyView {
    let post = Post::new(SaveRoute::PATH, "Route saved", || ());
    let controls = Controls::new(post, form);
    let text = move |name, label, size, list| controls.text(name, label, size, list, None);
    let mut groups = vec![(String::new(), "As the rule says".to_owned())];
    groups.extend(choices(GroupBy::ALL, GroupBy::code, GroupBy::words));
    let goes_on = Field {
        name: "continue",
        label: "Ask the routes below too",
        help: "Usually not: then the first route that fits is the only one.",
    };
    let no_channel = known.channels.is_empty().then(|| {
        view! { <p class="note warn">"There is no channel yet. "<a href="/alerts/channels/new">"Add one first"</a></p> }
    });
    let fields = view! {
        {controls.hidden("id")}
        {controls.hidden("version")}
        {usual("durations", &["0 s", "30 s", "5 min", "15 min", "1 h", "4 h"])}
        <fieldset>
            <legend>"Name"</legend>
            {controls.row("name", "Name", "Such as “SAP team, day and night”.", text("name", "Name", 40, None))}
        </fieldset>
        <fieldset>
            <legend>"Which alerts"</legend>
            <p class="help">"Nothing ticked and nothing written means every alert."</p>
            {controls.boxes("severities", "How bad", choices(Severity::ALL, Severity::code, Severity::words))}
            {(!known.rules.is_empty()).then(|| controls.boxes("rule_ids", "Rules", known.rules.clone()))}
            {scope_fields(controls, known, true, &TAGS)}
        </fieldset>
        <fieldset>
            <legend>"By which channels"</legend>
            {no_channel}
            {controls.boxes("channels", "Channels", known.channels.clone())}
            {controls.fault("channels")}
            {Fields { group: "form", post }.check(goes_on, !controls.value("continue").is_empty())}
        </fieldset>
        <fieldset>
            <legend>"How they are told"</legend>
            {controls.row("group_by", "Told together", "Usually the rule says it.", controls.pick("group_by", "Told together", groups, None))}
            {controls.row("first_wait_seconds", "The first message waits", "For others that come at the same time; usually 0 s.", text("first_wait_seconds", "The first message waits", 8, Some("durations")))}
            {controls.row("interval_seconds", "What joins later is collected for", "Usually 5 min.", text("interval_seconds", "What joins later is collected for", 8, Some("durations")))}
            {controls.row("repeat_seconds", "Again every", "While it lasts and nobody has taken it; empty: as the rule says; never.", text("repeat_seconds", "Again every", 8, Some("durations")))}
        </fieldset>
        {post.note()}
        <div class="acts">
            <button class="btn first" disabled=move || post.busy.get()>"Save the route"</button>
            <a class="btn quiet" href="/alerts/routes">"Cancel"</a>
        </div>
    };
    post.form("form wide-form alert-form", fields.into_any())
}

fn remove(route: &Route) -> AnyView {
    let post = Post::new(RemoveRoute::PATH, "Route removed", || ());
    let fields = view! {
        <p>"Alerts that it took go to the routes below it, or to nobody."</p>
        <input type="hidden" name="id" value=route.id.to_string() />
        <button class="btn danger" disabled=move || post.busy.get()>"Remove this route"</button>
    };
    view! {
        <section aria-label="Remove">
            <details class="confirm"><summary>"Remove"</summary>{post.form("", fields.into_any())}</details>
            {post.note()}
        </section>
    }
    .into_any()
}
