//! “Why did this go there?”: the stages from an alert to a message, each with what it decided.

use super::{alert_tabs::steering, controls::choices};
use crate::calls::{
    Said,
    alerts::{Choices, RoutesView},
};
use leptos::prelude::*;
use model::{Explanation, Severity, Stage};

/// The words of a stage.
fn stage_words(stage: &str) -> &str {
    match stage {
        "group" => "Group",
        "route" => "Route",
        "outage" => "Outage",
        "maintenance" => "Maintenance",
        "silence" => "Silence",
        "dedup" => "Told already?",
        "channel" => "Channel",
        other => other,
    }
}

fn pick(name: &'static str, label: &'static str, none: &'static str, options: Choices, asked: &Said) -> AnyView {
    let now = asked.one(name).to_owned();
    let option = |(value, words): (String, String)| {
        let selected = value == now;
        view! { <option value=value selected=selected>{words}</option> }.into_any()
    };
    let options: Vec<_> = options.into_iter().map(option).collect();
    view! {
        <div class="field">
            <label for=format!("way-{name}")>{label}</label>
            <select id=format!("way-{name}") name=name><option value="">{none}</option>{options}</select>
        </div>
    }
    .into_any()
}

/// The forms that ask, and the answer.
pub(crate) fn way(view: &RoutesView) -> AnyView {
    let asked = &view.asked;
    let answer = view.way.as_ref().map(|way| match way {
        Ok((way, told)) => stages(way, told),
        Err(why) => view! { <p class="note bad" role="status">{why.clone()}</p> }.into_any(),
    });
    let asks = steering("/alerts/routes");
    let severities = choices(Severity::ALL, Severity::code, Severity::words);
    view! {
        <section aria-labelledby="way">
            <h2 id="way">"Why did this go there?"</h2>
            <p class="muted">"Choose an alert, or try a sample that never happens. Nothing is sent."</p>
            <div class="ways">
                <form method="get" action="/alerts/routes" class="form" on:submit=asks.clone()>
                    {pick("alert", "An alert", "Choose an alert", view.alerts.clone(), asked)}
                    <div class="acts"><button class="btn">"Show its way"</button></div>
                </form>
                <form method="get" action="/alerts/routes" class="form" on:submit=asks>
                    <div class="field">
                        <label for="way-about">"Or a sample about"</label>
                        <input id="way-about" name="about" value=asked.one("about").to_owned() placeholder="A customer, a key" autocomplete="off" />
                    </div>
                    {pick("rule", "by the rule", "Any rule", view.known.rules.clone(), asked)}
                    {pick("severity", "as", "As bad as the rule says", severities, asked)}
                    <div class="acts"><button class="btn">"Try the sample"</button></div>
                </form>
            </div>
            {answer}
        </section>
    }
    .into_any()
}

fn stages(way: &Explanation, told: &[String]) -> AnyView {
    let one = |stage: &Stage| {
        let name = stage.name.clone().map(|name| format!(": {name}"));
        view! {
            <li class=if stage.passes { "ok" } else { "failed" } data-stage=stage.stage.clone()>
                <i class="sign" aria-hidden="true"></i>
                <div>
                    <p class="strong">{stage_words(&stage.stage).to_owned()}{name}</p>
                    <p class="sub">{stage.text.clone()}</p>
                </div>
                <span class="when">{if stage.passes { "goes on" } else { "stops here" }}</span>
            </li>
        }
        .into_any()
    };
    let end = match told {
        [] => "In the end nobody is told.".to_owned(),
        told => format!("In the end it is told by {}.", told.join(", ")),
    };
    view! {
        <ol class="log steps">{way.stages.iter().map(one).collect::<Vec<_>>()}</ol>
        <p class="note" role="status">{end}</p>
    }
    .into_any()
}
