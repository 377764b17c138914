//! Alerts: a new silence – what it mutes now, why, and until when.

use crate::{
    asking::{Latest, Question, ask, may, screen},
    browser,
    calls::{
        Said,
        alerts::{AddSilence, AlertAsk, AlertBody, AlertsView, Choices, SilenceView},
    },
    live::Refetch,
    parts::{
        alert_tabs::{body, crumbs, steering},
        asked::use_asked,
        controls::{Controls, choices},
        moment_field::moment_field,
        post::Post,
        text,
        time::{iso, use_clock},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use model::{ChangeTopic, Role, Severity};

/// The screen.
#[component]
pub(crate) fn SilencePage() -> impl IntoView {
    let address = use_asked();
    let refetch = Refetch::on(&[ChangeTopic::Alert]);
    screen(ask(move || Question::Alerts(AlertAsk::Silence(address.get())), refetch), full)
}

fn full(latest: Latest) -> AnyView {
    let acts = may(latest, Role::Support);
    let of = |view: &AlertsView, draw: fn(&SilenceView) -> AnyView| match &view.body {
        AlertBody::Silence(view) => draw(view),
        _ => ().into_any(),
    };
    view! {
        <Title text="Silence" />
        {crumbs("/alerts/silences", "Silences", "New")}
        <h1>"Silence something for a while."</h1>
        <p class="lede">"What is silenced still fires and is still shown; only nobody is told. Before it ends, that is said."</p>
        {body(latest, move |view| of(view, mutes))}
        {body(latest, move |view| of(view, which))}
        {if acts { form(latest) } else { view! { <p class="note">"You may look at silences, but not add them."</p> }.into_any() }}
    }
    .into_any()
}

/// What it would mute now.
fn mutes(view: &SilenceView) -> AnyView {
    match &view.mutes {
        Ok((words, muting)) => {
            let now = match muting {
                0 => "Right now it would mute nothing.".to_owned(),
                n => format!("Right now it would mute {}.", text::counted(*n, "alert", "alerts")),
            };
            view! { <p class="note" role="status" data-mutes=muting.to_string()><b>{words.clone()}</b>" "{now}</p> }
                .into_any()
        }
        Err(why) => view! { <p class="note warn" role="status">{why.clone()}</p> }.into_any(),
    }
}

/// Other alerts than those: a form that leads to the same page.
fn which(view: &SilenceView) -> AnyView {
    let pick = |name: &'static str, label: &'static str, none: &'static str, all: Choices| {
        let now = view.chosen.one(name).to_owned();
        let option = |(value, words): (String, String)| {
            let selected = value == now;
            view! { <option value=value selected=selected>{words}</option> }.into_any()
        };
        let options: Vec<_> = all.into_iter().map(option).collect();
        view! { <select name=name aria-label=label on:change=|event| browser::submit_form_of(&event)><option value="">{none}</option>{options}</select> }
            .into_any()
    };
    let keeps = |name: &'static str| {
        let one = |value: &String| view! { <input type="hidden" name=name value=value.clone() /> }.into_any();
        view.chosen.all(name).iter().map(one).collect::<Vec<_>>()
    };
    let known = &view.known;
    view! {
        <form method="get" action="/alerts/silences/new" class="filters" on:submit=steering("/alerts/silences/new")>
            {["alert", "connection", "customer", "tag"].map(keeps).into_iter().collect::<Vec<_>>()}
            {pick("rule", "Rule", "Every rule", known.rules.clone())}
            {pick("severity", "How bad", "However bad", choices(Severity::ALL, Severity::code, Severity::words))}
            {pick("platform", "System", "Every system", known.platforms.clone())}
            {pick("source", "Source", "Every source", known.sources.clone())}
            <noscript><button class="btn">"Choose"</button></noscript>
        </form>
    }
    .into_any()
}

/// Why, and until when; each quick end is a button that does it.
fn form(latest: Latest) -> AnyView {
    let alive = use_clock();
    let post = Post::new(AddSilence::PATH, "Silenced", || ());
    let controls = Controls::new(post, Said::default());
    let matching = move || {
        latest.with(|got| match got.as_ref().and_then(|got| got.alerts()).map(|view| &view.body) {
            Some(AlertBody::Silence(view)) => view.matching.clone(),
            _ => String::new(),
        })
    };
    let morning =
        move || if alive.is_ticking() { browser::at_hour(8, None).map(iso).unwrap_or_default() } else { String::new() };
    let quick = move |value: &'static str, words: &'static str| {
        view! { <button class="btn" name="form[until]" value=value disabled=move || post.busy.get()>{words}</button> }
            .into_any()
    };
    let fields = view! {
        <input type="hidden" name="form[matching]" value=matching />
        {controls.row("reason", "Why", "For whoever wonders that nobody was told.", controls.text("reason", "Why", 40, None, None))}
        <div class="field">
            <span class="strong">"For how long"</span>
            <div class="acts">
                {quick("1 h", "1 hour")}
                {quick("4 h", "4 hours")}
                <button class="btn" name="form[until]" value=morning hidden=move || !alive.is_ticking() disabled=move || post.busy.get()>"Until tomorrow 8:00"</button>
            </div>
        </div>
        {post.note()}
    };
    let exact = view! {
        <input type="hidden" name="form[matching]" value=matching />
        {moment_field(controls, "until", "Or until", "At most 90 days ahead.")}
        <div class="field">
            <label for="why-until">"Why"</label>
            <input id="why-until" name="form[reason]" value=controls.value("reason") autocomplete="off" />
        </div>
        <div class="acts"><button class="btn" disabled=move || post.busy.get()>"Silence until then"</button></div>
    };
    view! {
        {post.form("form silence-form", fields.into_any())}
        <details class="more">
            <summary>"Another end"</summary>
            {post.form("form", exact.into_any())}
        </details>
    }
    .into_any()
}
