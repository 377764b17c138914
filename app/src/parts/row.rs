//! One connection as a row; on a narrow screen the same row is a card.

use super::{mark::badge, text, time::Moment};
use leptos::prelude::*;
use model::{Connection, Environment};

/// What marks a row that was changed since it appeared, anew with each change, or that is gone.
pub(crate) fn moved(moves: u32, gone: bool) -> &'static str {
    match (gone, moves) {
        (true, _) => " gone",
        (_, 0) => "",
        (_, n) if n % 2 == 1 => " moved",
        _ => " moved-again",
    }
}

/// A row, with the cell that selects it where rows can be selected.
pub(crate) fn row(
    c: &Connection,
    moved: &str,
    gone: bool,
    now: Moment,
    many_sources: bool,
    pick: Option<AnyView>,
) -> AnyView {
    view! {
        <tr role="row" class=format!("row {}{moved}", c.health) data-connection=c.id.to_string() data-health=c.health.code()>
            {pick}
            <td role="cell" class="c-health">{badge(c.health)}</td>
            <td role="cell" class="c-who">
                <a class="who" href=format!("/connections/{}", c.id) data-row="">
                    {c.customer.name.clone()}
                </a>
                <span class="sub">{under(c, many_sources)}</span>
            </td>
            <td role="cell" class=if c.cause.is_some() || gone { "c-why" } else { "c-why none" }>
                {if gone { "Removed upstream".to_owned() } else { text::why(c) }}
            </td>
            <td role="cell" class="c-sync">{sync(c, now)}</td>
            <td role="cell" class="c-proof">{proof(c, now)}</td>
            <td role="cell" class="c-owner">{c.owner.clone().unwrap_or_else(|| "–".to_owned())}</td>
            <td role="cell" class="c-since">{now.since(c.since)}</td>
        </tr>
    }
    .into_any()
}

/// The head that belongs to [`row`].
pub(crate) fn head(picks: bool) -> AnyView {
    view! {
        <thead role="rowgroup">
            <tr role="row">
                {picks.then(super::picks::head)}
                <th role="columnheader" scope="col" class="c-health">"Health"</th>
                <th role="columnheader" scope="col" class="c-who">"Customer"</th>
                <th role="columnheader" scope="col" class="c-why">"Why"</th>
                <th role="columnheader" scope="col" class="c-sync">"Last good sync"</th>
                <th role="columnheader" scope="col" class="c-proof">"Proof"</th>
                <th role="columnheader" scope="col" class="c-owner">"Owner"</th>
                <th role="columnheader" scope="col" class="c-since">"Since"</th>
            </tr>
        </thead>
    }
    .into_any()
}

/// The platform, and what tells this connection from its siblings.
fn under(c: &Connection, many_sources: bool) -> String {
    let mut words = c.platform.name.clone();
    if let Some(more) = own_name(c) {
        words = format!("{words} · {more}");
    }
    if many_sources {
        words = format!("{words} · {}", c.source.name);
    }
    if c.source.environment == Environment::Sandbox {
        words.push_str(" · sandbox");
    }
    words
}

/// The last good sync against its cadence; of one that is fed in real time, its newest webhook.
fn sync(c: &Connection, now: Moment) -> AnyView {
    if let Some((pulse, at)) = c.real_time.and_then(|pulse| Some((pulse, pulse.last_at?))) {
        // by day and by night its webhooks come differently, so there is no share to draw
        let words = format!("in real time, {}", text::every(pulse.pause_seconds));
        return view! { {now.ago(at)}<span class="sub">{words}</span> }.into_any();
    }
    let Some(at) = c.last_good_sync_at else {
        return view! { <span class="faint">"none yet"</span> }.into_any();
    };
    let (words, share) = match c.cadence_seconds.filter(|seconds| *seconds > 0) {
        Some(cadence) => (text::every(cadence), now.age(at) * 100 / cadence),
        None => ("no cadence known".to_owned(), 0),
    };
    let class = if share > 100 { "due over" } else { "due" };
    view! {
        {now.ago(at)}
        <span class="sub">{words}</span>
        <svg class=class viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true">
            <rect width="100" height="2" class="track"></rect>
            <rect width=share.clamp(0, 100).to_string() height="2"></rect>
        </svg>
    }
    .into_any()
}

/// The newest proof: its eye and its age.
fn proof(c: &Connection, now: Moment) -> AnyView {
    match c.proof {
        Some(proof) => view! {
            {now.ago(proof.at)}
            <span class="sub">"by "{proof.eye.words()}</span>
        }
        .into_any(),
        None => view! { <span class="faint">"none"</span> }.into_any(),
    }
}

/// What a connection's own name says beyond its customer and its platform, such as the site.
fn own_name(c: &Connection) -> Option<&str> {
    let dashes = [' ', '–', '—', '-', '·', ':'];
    let rest = c.name.strip_prefix(c.customer.name.as_str()).unwrap_or(&c.name).trim_start_matches(dashes);
    let rest = rest.strip_prefix(c.platform.name.as_str()).unwrap_or(rest).trim_start_matches(dashes).trim();
    let rest = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest);
    (!rest.is_empty()).then_some(rest)
}
