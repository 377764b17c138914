//! Alerts: reasons not to tell – silences and maintenance, always with author, reason and end.

use crate::{
    asking::{Latest, Question, ask, may, screen},
    calls::alerts::{AlertAsk, AlertBody, AlertsView, EndMaintenance, EndSilence},
    live::Refetch,
    parts::{
        alert_tabs::{body, tabs},
        coming::coming,
        post::Post,
        text,
        time::{Moment, use_clock},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use model::{ChangeTopic, Maintenance, Role, Silence, Weekday};

/// The screen.
#[component]
pub(crate) fn SilencesPage() -> impl IntoView {
    let refetch = Refetch::on(&[ChangeTopic::Alert]);
    screen(ask(|| Question::Alerts(AlertAsk::Silences), refetch), move |latest| full(latest, refetch))
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let acts = may(latest, Role::Support);
    let silence = Post::new(EndSilence::PATH, "The silence is over", move || refetch.nudge());
    let maintenance = Post::new(EndMaintenance::PATH, "The maintenance is over", move || refetch.nudge());
    let end = move |post: Post, id: String| {
        let fields = view! {
            <input type="hidden" name="id" value=id />
            <button class="btn small" disabled=move || post.busy.get()>"End now"</button>
        };
        acts.then(|| post.form("", fields.into_any()))
    };
    let silences = move |view: &AlertsView| match &view.body {
        AlertBody::Silences(silences, _) if silences.is_empty() => {
            view! { <p class="faint">"Nothing is silenced. From an alert a silence is one click away."</p> }.into_any()
        }
        AlertBody::Silences(silences, _) => {
            let now = clock.moment(view.as_of);
            let one = |one: &Silence| silent(one, now, end(silence, one.id.to_string()).into_any());
            view! { <ul class="plain-list">{silences.iter().map(one).collect::<Vec<_>>()}</ul> }.into_any()
        }
        _ => ().into_any(),
    };
    let maintenances = move |view: &AlertsView| match &view.body {
        AlertBody::Silences(_, all) if all.is_empty() => {
            let words =
                "No maintenance is planned. Plan it, and nobody is told of what is meant to be down; checks go on.";
            view! { <p class="faint">{words}</p> }.into_any()
        }
        AlertBody::Silences(_, all) => {
            let now = clock.moment(view.as_of);
            let one = |(one, whom): &(Maintenance, String)| {
                maintained(one, whom, now, end(maintenance, one.id.to_string()).into_any())
            };
            view! { <ul class="plain-list">{all.iter().map(one).collect::<Vec<_>>()}</ul> }.into_any()
        }
        _ => ().into_any(),
    };
    view! {
        <Title text="Silences and maintenance" />
        {tabs("/alerts/silences")}
        <h1>"When nobody is told, and why."</h1>
        <div class="section-head">
            <h2>"Silences"</h2>
            {acts.then(|| view! { <a class="btn" href="/alerts/silences/new">"Silence something"</a> })}
        </div>
        {silence.note()}
        {body(latest, silences)}
        <div class="section-head">
            <h2>"Maintenance"</h2>
            {acts.then(|| view! { <a class="btn" href="/alerts/maintenance/new">"Plan maintenance"</a> })}
        </div>
        {maintenance.note()}
        {body(latest, maintenances)}
    }
    .into_any()
}

fn silent(one: &Silence, now: Moment, end: AnyView) -> AnyView {
    let mutes = match one.muting {
        0 => "mutes nothing now".to_owned(),
        n => format!("mutes {}", text::counted(n, "alert", "alerts")),
    };
    view! {
        <li data-silence=one.id.to_string()>
            <div class="reason">
                <p class="strong">{one.words.clone()}</p>
                <p>{one.reason.clone()}</p>
                <p class="sub">{one.by.clone()}" · ends "{now.until(one.ends_at)}" · "{mutes}</p>
            </div>
            {end}
        </li>
    }
    .into_any()
}

fn maintained(one: &Maintenance, whom: &str, now: Moment, end: AnyView) -> AnyView {
    let again = one.recurrence.as_ref().map(|again| {
        let days: Vec<_> = again.weekdays.iter().map(|day| day.words()).collect();
        let days = if days.len() == Weekday::ALL.len() { "day".to_owned() } else { days.join(", ") };
        let at = again.at.to_string();
        let at = at.get(..5).unwrap_or(&at).to_owned();
        format!("Every {days} at {at}, for {}, by the clocks of {}", text::duration(again.seconds), again.time_zone)
    });
    let when = match (one.active, one.next_at) {
        (true, _) if again.is_none() => view! { "now; ends "{now.until(one.ends_at)} }.into_any(),
        (true, _) => "now".into_any(),
        (false, Some(at)) => view! { "begins "{now.until(at)} }.into_any(),
        (false, None) => "over".into_any(),
    };
    view! {
        <li data-maintenance=one.id.to_string()>
            <div class="reason">
                <p class="strong">{whom.to_owned()}</p>
                <p>{one.reason.clone()}</p>
                {again.map(|again| view! { <p>{again}</p> })}
                {coming(one, now)}
                <p class="sub">{one.by.clone()}" · "{when}</p>
            </div>
            {end}
        </li>
    }
    .into_any()
}
