//! System: Linewatch's own health, and what it cannot see right now.

use crate::{
    asking::{Question, ask, part, screen},
    live::Refetch,
    parts::{
        concerns, text,
        time::{Moment, use_clock},
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{Certificate, ChangeTopic, Replica, Severity, Source, System};
use std::time::Duration;

/// A process that has said nothing for so many seconds is silent; it says something every ten.
const SILENT: i64 = 45;

/// The screen.
#[component]
pub(crate) fn SystemPage() -> impl IntoView {
    let refetch = Refetch::on(&[ChangeTopic::System]).every(Duration::from_secs(10));
    screen(ask(|| Question::System, refetch), |latest| {
        let clock = use_clock();
        let whole = part(latest, move |got| match got.system() {
            Some(system) => whole(system, clock.moment(system.at)),
            None => ().into_any(),
        });
        view! {
            <Title text="System" />
            {whole}
        }
        .into_any()
    })
}

fn whole(system: &System, now: Moment) -> AnyView {
    let bad = system.concerns.iter().filter(|concern| concern.severity != Severity::Info).count();
    let sentence = match bad {
        0 => "Linewatch sees everything it should.".to_owned(),
        1 => "One thing keeps Linewatch from seeing everything.".to_owned(),
        n => format!("{n} things keep Linewatch from seeing everything."),
    };
    view! {
        <h1>{sentence}</h1>
        {concerns::list(&system.concerns, now)}
        <div class="eyes">
            {coming_in(system, now)}
            {itself(system, now)}
        </div>
        <section aria-labelledby="polling">
            <h2 id="polling">"Polling"</h2>
            {polling(&system.sources, now)}
        </section>
        <section aria-labelledby="processes">
            <h2 id="processes">"Processes"</h2>
            {processes(&system.replicas, now)}
        </section>
    }
    .into_any()
}

fn coming_in(system: &System, now: Moment) -> AnyView {
    let ingest = system.ingest;
    // The hourly counts are written down every few seconds; until then the minute knows more than the day.
    let taken = system.sources.iter().map(|source| source.traffic.events).sum::<u64>().max(ingest.last_minute);
    let refused: u64 = system.sources.iter().flat_map(|source| source.traffic.rejections.values()).sum();
    let newest = system.sources.iter().filter_map(|source| source.traffic.last_event_at).max();
    let waiting = match ingest.waiting {
        100_000.. => "more than 100,000".to_owned(),
        n => text::count(n),
    };
    let oldest =
        ingest.waiting_since.map(|at| view! { <dt>"Oldest waits for"</dt><dd>{now.since(at)}</dd> }.into_any());
    view! {
        <section>
            <h3>"Webhooks in"</h3>
            <dl class="facts">
                <dt>"In the last minute"</dt>
                <dd>{text::count(ingest.last_minute)}</dd>
                <dt>"In the last 24 hours"</dt>
                <dd>{text::count(taken)}</dd>
                <dt>"Newest"</dt>
                <dd>{match newest { Some(at) => now.ago(at), None => "none yet".into_any() }}</dd>
                <dt>"Turned away, last 24 hours"</dt>
                <dd>{text::count(refused)}</dd>
                <dt>"Waiting to be processed"</dt>
                <dd>{waiting}</dd>
                {oldest}
            </dl>
        </section>
    }
    .into_any()
}

fn itself(system: &System, now: Moment) -> AnyView {
    let room = system.room_until.map_or("none, not even for today".to_owned(), |until| {
        let days = (until - now.now.date_naive()).num_days().max(0);
        format!("made until {until}, {} ahead", text::counted(days.unsigned_abs(), "day", "days"))
    });
    view! {
        <section>
            <h3>"Linewatch"</h3>
            <dl class="facts">
                <dt>"Version"</dt>
                <dd>{system.version.clone()}</dd>
                <dt>"Public address"</dt>
                <dd><code>{system.public_url.clone()}</code></dd>
                <dt>"Its certificate"</dt>
                <dd>{certificate(system, now)}</dd>
                <dt>"Room for what comes"</dt>
                <dd>{room}</dd>
            </dl>
        </section>
    }
    .into_any()
}

fn certificate(system: &System, now: Moment) -> AnyView {
    match &system.certificate {
        Some(Certificate { ends_at: Some(ends), .. }) => view! { "ends "{now.until(*ends)} }.into_any(),
        Some(Certificate { error, .. }) => error.clone().unwrap_or_default().into_any(),
        None if system.public_url.starts_with("https:") => "not looked at yet".into_any(),
        None => "none: it is not HTTPS".into_any(),
    }
}

fn polling(sources: &[Source], now: Moment) -> AnyView {
    if sources.is_empty() {
        return view! { <p class="faint">"No source yet, so nothing is polled."</p> }.into_any();
    }
    let row = |source: &Source| {
        let round = &source.round;
        let overdue = round.next_at.map(|next| (now.now - next).num_seconds()).filter(|s| *s > 0 && source.enabled);
        let lag = match (source.enabled, round.failing_since, overdue) {
            (false, ..) => "switched off".into_any(),
            (_, Some(since), _) => view! { <span class="bad">"failing for "{now.since(since)}</span> }.into_any(),
            (_, None, None) => "on time".into_any(),
            (_, None, Some(seconds)) => format!("{} behind", text::span(seconds)).into_any(),
        };
        let skew = source.skew_ms.map_or_else(|| "–".to_owned(), |ms| format!("{:+.1} s", ms as f64 / 1_000.0));
        let count = |n: Option<i64>| n.map_or_else(|| "–".to_owned(), |n| text::count(n.max(0) as u64));
        view! {
            <tr>
                <th scope="row"><a href=format!("/settings/sources/{}", source.id)>{source.name.clone()}</a></th>
                <td>{match round.good_at { Some(at) => now.ago(at), None => "none yet".into_any() }}</td>
                <td>{text::every(source.poll_interval_seconds)}</td>
                <td>{lag}</td>
                <td class="num">{count(round.duration_ms)}" ms"</td>
                <td class="num">{count(round.listed)}</td>
                <td class="num">{skew}</td>
                <td>{source.api_version.clone().unwrap_or_else(|| "–".to_owned())}</td>
            </tr>
        }
        .into_any()
    };
    view! {
        <div class="wide" tabindex="0" role="region" aria-labelledby="polling">
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col">"Source"</th>
                        <th scope="col">"Last good round"</th>
                        <th scope="col">"Planned"</th>
                        <th scope="col">"Lag"</th>
                        <th scope="col" class="num">"Took"</th>
                        <th scope="col" class="num">"Listed"</th>
                        <th scope="col" class="num">"Its clock"</th>
                        <th scope="col">"API version"</th>
                    </tr>
                </thead>
                <tbody>{sources.iter().map(row).collect::<Vec<_>>()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn processes(replicas: &[Replica], now: Moment) -> AnyView {
    let row = |replica: &Replica| {
        let does = match replica.role.as_str() {
            "web" => "pages, API and webhooks",
            "worker" => "polling and processing",
            _ => "everything",
        };
        let silent = now.age(replica.seen_at) > SILENT;
        view! {
            <tr>
                <th scope="row"><code>{replica.name.clone()}</code></th>
                <td>{does}</td>
                <td>{replica.version.clone()}</td>
                <td>{now.ago(replica.started_at)}</td>
                <td class=if silent { "bad" } else { "" }>{silent.then_some("silent since ")}{now.ago(replica.seen_at)}</td>
            </tr>
        }
        .into_any()
    };
    view! {
        <div class="wide" tabindex="0" role="region" aria-labelledby="processes">
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col">"Process"</th>
                        <th scope="col">"Does"</th>
                        <th scope="col">"Version"</th>
                        <th scope="col">"Started"</th>
                        <th scope="col">"Last sign of life"</th>
                    </tr>
                </thead>
                <tbody>{replicas.iter().map(row).collect::<Vec<_>>()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
