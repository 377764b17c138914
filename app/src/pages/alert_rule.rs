//! Alerts: one rule, written as a sentence, with what it would have done.

use crate::{
    asking::{Latest, Question, ask, may, screen},
    calls::alerts::{AlertAsk, AlertBody, RuleView, SaveRule},
    live::Refetch,
    parts::{
        alert_tabs::{body, crumbs, first},
        asked::use_asked,
        controls::Controls,
        post::Post,
        rule_foot::{changes, more, switch, switching},
        rule_preview::{Trial, preview},
        rule_sentence::sentence,
        time::use_clock,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{ChangeTopic, Role, Rule};

/// The screen.
#[component]
pub(crate) fn RulePage() -> impl IntoView {
    let (params, address) = (use_params_map(), use_asked());
    let refetch = Refetch::on(&[ChangeTopic::Alert]);
    let question = move || {
        let id = params.with(|params| params.get("id").unwrap_or_default());
        Question::Alerts(AlertAsk::Rule(address.with(|search| format!("{id}?{search}"))))
    };
    screen(ask(question, refetch), move |latest| {
        let view = first(latest, |body| match body {
            AlertBody::Rule(view) => Some(view.clone()),
            _ => None,
        });
        view.map_or_else(|| ().into_any(), |view| full(*view, latest, refetch))
    })
}

/// The rule in the newest answer.
fn stored(latest: Latest) -> Signal<Option<Rule>> {
    Signal::derive(move || {
        latest.with(|got| match got.as_ref()?.alerts().map(|view| &view.body) {
            Some(AlertBody::Rule(view)) => view.rule.clone(),
            _ => None,
        })
    })
}

fn full(view: RuleView, latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let acts = may(latest, Role::Support);
    let id = view.rule.as_ref().map_or_else(|| "new".to_owned(), |rule| rule.id.to_string());
    let address = format!("/alerts/rules/{id}");
    let name = view.rule.as_ref().map_or_else(|| "A new rule".to_owned(), |rule| rule.name.clone());
    let lede = match &view.rule {
        Some(_) => "Change any word of the sentence. Below it stands what the rule would have done.",
        None => "Choose the words of the sentence. Below it stands what the rule would have done.",
    };
    let save = Post::new(SaveRule::PATH, "Rule saved", || ());
    let controls = Controls::new(save, view.form.clone());
    let trial = Trial {
        wish: RwSignal::new(controls.said().to_query()),
        patience: RwSignal::new(controls.value("for_seconds")),
    };
    let rule = stored(latest);
    let opened = view.rule.as_ref().map_or(0, |rule| rule.version);
    let behind = move || rule.with(|rule| rule.as_ref().is_some_and(|rule| rule.version > opened));
    let post = switching(move || refetch.nudge());
    let form = match (acts, &view.rule) {
        (true, _) => sentence(&view, controls, save, trial, address.clone()),
        (false, Some(rule)) => view! { <p class="read-back">{rule.sentence.clone()}</p> }.into_any(),
        (false, None) => view! { <p class="note">"You may look at rules, but not write them."</p> }.into_any(),
    };
    let foot = view.rule.as_ref().map(|stored| {
        let history = body(latest, move |view| match &view.body {
            AlertBody::Rule(rule) => changes(&rule.changes, clock.moment(view.as_of)),
            _ => ().into_any(),
        });
        view! {
            <section aria-labelledby="changes">
                <h2 id="changes">"What was changed"</h2>
                {history}
            </section>
            {acts.then(|| view! { <section aria-label="More">{more(stored)}</section> })}
        }
    });
    view! {
        <Title text=name.clone() />
        {crumbs("/alerts/rules", "Rules", name.clone())}
        <div class="section-head">
            <h1>{name}</h1>
            {(acts && view.rule.is_some()).then(|| switch(rule, post, "btn"))}
        </div>
        {post.note()}
        <p class="lede">{lede}</p>
        <p class="note warn" hidden=move || !behind()>"This rule has been changed since you opened the page. Load it again before you save, or saving is refused."</p>
        {form}
        {preview(trial, acts, address)}
        {foot}
    }
    .into_any()
}
