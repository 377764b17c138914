//! Alerts: the rules, each as a sentence.

use crate::{
    asking::{Got, Latest, Question, ask, may, screen},
    calls::alerts::{AlertAsk, AlertBody},
    live::Refetch,
    parts::{
        alert_rows::severity,
        alert_tabs::{body, tabs},
        empty::Empty,
        post::Post,
        rule_foot::{switch, switching},
        text,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{ChangeTopic, Role, Rule, RuleId};

/// The screen.
#[component]
pub(crate) fn RulesPage() -> impl IntoView {
    let refetch = Refetch::on(&[ChangeTopic::Alert]);
    screen(ask(|| Question::Alerts(AlertAsk::Rules), refetch), move |latest| full(latest, refetch))
}

fn rules(got: Option<&Got>) -> &[Rule] {
    match got.and_then(Got::alerts).map(|view| &view.body) {
        Some(AlertBody::Rules(rules)) => rules,
        _ => &[],
    }
}

fn sentence(rules: &[Rule]) -> String {
    let on = rules.iter().filter(|rule| rule.enabled).count();
    match (rules.len(), on) {
        (0, _) => "There is no rule, so nobody is told of anything.".to_owned(),
        (n, on) if n == on => format!("{} watch.", text::counted(n as u64, "rule", "rules")),
        (n, on) => format!("{on} of {n} rules watch."),
    }
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let acts = may(latest, Role::Support);
    let post = switching(move || refetch.nudge());
    let ids = move || latest.with(|got| rules(got.as_ref()).iter().map(|rule| rule.id).collect::<Vec<_>>());
    view! {
        <Title text="Rules" />
        {tabs("/alerts/rules")}
        <div class="section-head">
            <h1>{move || latest.with(|got| sentence(rules(got.as_ref())))}</h1>
            {acts.then(|| view! { <a class="btn first" href="/alerts/rules/new">"Write a rule"</a> })}
        </div>
        {post.note()}
        <ul class="rule-list">
            <For each=ids key=|id| *id let(id)>{one(id, latest, acts, post)}</For>
        </ul>
        {body(latest, move |view| match &view.body {
            AlertBody::Rules(rules) if rules.is_empty() => nothing(acts),
            _ => ().into_any(),
        })}
    }
    .into_any()
}

/// One rule: looks itself up in every new answer.
fn one(id: RuleId, latest: Latest, acts: bool, post: Post) -> AnyView {
    let rule = Memo::new(move |_| latest.with(|got| rules(got.as_ref()).iter().find(|rule| rule.id == id).cloned()));
    let words = move || rule.with(|rule| rule.as_ref().map(described));
    view! {
        <li class=move || if rule.with(|rule| rule.as_ref().is_some_and(|rule| rule.enabled)) { "rule" } else { "rule off" } data-rule=id.to_string()>
            <div>{words}</div>
            {acts.then(|| switch(rule.into(), post, "btn small"))}
        </li>
    }
    .into_any()
}

fn described(rule: &Rule) -> AnyView {
    let firing = (rule.firing > 0).then(|| {
        let words = format!("{} firing", text::count(rule.firing));
        view! { <a class="tag" href=format!("/alerts?rule={}", rule.id)>{words}</a> }.into_any()
    });
    let ours = rule.shipped.is_some().then(|| view! { <span class="tag">"came with Linewatch"</span> });
    view! {
        <h2><a href=format!("/alerts/rules/{}", rule.id) data-row="">{rule.name.clone()}</a>" "{severity(rule.severity)}" "{firing}" "{ours}</h2>
        <p class="read-back">{rule.sentence.clone()}</p>
    }
    .into_any()
}

fn nothing(acts: bool) -> AnyView {
    let text = "A rule says what to tell people of, for whom, and how long it must last. Write one as a sentence; before you save it you see how often it would have told you.";
    view! {
        <Empty title="Write the first rule" text=text>
            {acts.then(|| view! { <a class="btn first" href="/alerts/rules/new">"Write a rule"</a> })}
        </Empty>
    }
    .into_any()
}
