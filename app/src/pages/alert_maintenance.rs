//! Alerts: new maintenance – for whom, when, once or again and again.

use crate::{
    asking::{Latest, Question, ask, may, screen},
    calls::{
        Said,
        alerts::{AddMaintenance, AlertAsk, AlertBody, Known},
    },
    live::Refetch,
    parts::{
        alert_tabs::{crumbs, first},
        controls::{Controls, choices, usual},
        moment_field::moment_field,
        post::Post,
        scope_fields::scope_fields,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use model::{Role, Weekday};

/// Zones of the tz database in which most people live; any other can be written.
const ZONES: [&str; 30] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Paris",
    "Europe/Madrid",
    "Europe/Lisbon",
    "Europe/Warsaw",
    "Europe/Athens",
    "Europe/Istanbul",
    "Africa/Cairo",
    "Africa/Lagos",
    "Africa/Johannesburg",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Toronto",
    "America/Mexico_City",
    "America/Bogota",
    "America/Sao_Paulo",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Bangkok",
    "Asia/Singapore",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Asia/Seoul",
    "Australia/Perth",
    "Australia/Sydney",
    "Pacific/Auckland",
];

/// The screen.
#[component]
pub(crate) fn MaintenancePage() -> impl IntoView {
    screen(ask(|| Question::Alerts(AlertAsk::Maintenance), Refetch::by_hand()), |latest: Latest| {
        let known = first(latest, |body| match body {
            AlertBody::Maintenance(known) => Some(known.clone()),
            _ => None,
        });
        known.map_or_else(|| ().into_any(), |known| full(&known, may(latest, Role::Support)))
    })
}

fn full(known: &Known, may: bool) -> AnyView {
    let post = Post::new(AddMaintenance::PATH, "Planned", || ());
    let mut usually = Said::default();
    usually.set("again", "once");
    usually.set("time_zone", "Europe/Berlin");
    let controls = Controls::new(post, usually);
    let again = RwSignal::new(controls.value("again"));
    let weekly = move || again.with(|again| again == "weekly");
    let how =
        [("once", "Once"), ("weekly", "Again and again")].map(|(value, words)| (value.to_owned(), words.to_owned()));
    let text = move |name, label, size, list| controls.text(name, label, size, list, None);
    let fields = view! {
        {usual("durations", &["30 min", "1 h", "2 h", "4 h", "8 h"])}
        {usual("zones", &ZONES)}
        <fieldset>
            <legend>"For whom"</legend>
            <p class="help">"Nothing ticked and nothing written means everything."</p>
            {scope_fields(controls, known, false, &[])}
        </fieldset>
        <fieldset>
            <legend>"When"</legend>
            {controls.row("again", "How often", "By the clocks of a place it moves with daylight saving.", controls.pick("again", "How often", how.to_vec(), Some(again)))}
            {moment_field(controls, "starts_at", "From", "Empty: from now on.")}
            {moment_field(controls, "ends_at", "Until", "When it comes again: the last moment; empty: a year ahead.")}
        </fieldset>
        <details class="again" open=again.with_untracked(|again| again == "weekly") prop:open=weekly>
            <summary>"When it comes again"</summary>
            <fieldset>
            <legend class="sr">"When it comes again"</legend>
            {controls.boxes("weekdays", "On these days", choices(Weekday::ALL, Weekday::code, Weekday::words))}
            {controls.fault("weekdays")}
            {controls.row("at", "At", "The time of the day, such as 22:00.", text("at", "At", 8, None))}
            {controls.row("seconds", "For", "At most a day.", text("seconds", "For", 8, Some("durations")))}
            {controls.row("time_zone", "By the clocks of", "A name of the tz database.", text("time_zone", "By the clocks of", 24, Some("zones")))}
            </fieldset>
        </details>
        <fieldset>
            <legend>"Why"</legend>
            {controls.row("reason", "Reason", "For whoever wonders that nobody was told.", text("reason", "Reason", 40, None))}
        </fieldset>
        {post.note()}
        <div class="acts">
            <button class="btn first" disabled=move || post.busy.get()>"Plan the maintenance"</button>
            <a class="btn quiet" href="/alerts/silences">"Cancel"</a>
        </div>
    };
    view! {
        <Title text="Maintenance" />
        {crumbs("/alerts/silences", "Silences & maintenance", "New")}
        <h1>"Plan maintenance."</h1>
        <p class="lede">"Checks go on; only messages wait. In availability it is shown apart."</p>
        {if may { post.form("form wide-form alert-form", fields.into_any()) } else { others() }}
    }
    .into_any()
}

fn others() -> AnyView {
    view! { <p class="note">"You may look at maintenance, but not plan it."</p> }.into_any()
}
