//! The facts of a connection, beside its story.

use super::{copy::Copy, mark::badge_saying, text, time::Moment};
use leptos::prelude::*;
use model::{Authorization, CadenceFrom, ConnectionDetail, DataFlow, Environment, Health};

/// The list of facts.
pub(crate) fn facts(detail: &ConnectionDetail, now: Moment) -> AnyView {
    let c = &detail.connection;
    let row = |name: &'static str, value: AnyView| view! { <dt>{name}</dt><dd>{value}</dd> }.into_any();
    let cadence = match (c.cadence_seconds, c.cadence_from) {
        _ if c.real_time.is_some() => c.real_time.as_ref().map(text::real_time).unwrap_or_default(),
        (Some(seconds), Some(CadenceFrom::Learned)) => {
            let from = detail
                .cadence_samples
                .filter(|n| *n > 0)
                .map(|n| format!(" from {}", text::counted(n.unsigned_abs(), "sync", "syncs")));
            format!("about {}, learned{}", text::every(seconds), from.unwrap_or_default())
        }
        (Some(seconds), Some(from)) => format!("{}, {}", text::every(seconds), from.words()),
        (Some(seconds), None) => text::every(seconds),
        _ => "not known yet".to_owned(),
    };
    let late = detail.late_at.map(|at| {
        let words = match c.data_flow {
            _ if at > now.now && c.real_time.is_some() => "Late without a webhook",
            _ if at > now.now => "Late unless synced",
            DataFlow::Late => "Counted as late since",
            _ if c.real_time.is_some() => "A webhook was due",
            _ => "A sync was due",
        };
        view! { <dt>{words}</dt><dd>{if at > now.now { now.until(at) } else { now.ago(at) }}</dd> }.into_any()
    });
    // of one that they feed the cadence says it
    let webhooks = detail.webhooks.filter(|_| c.real_time.is_none()).map(|pulse| {
        let newest = pulse.last_at.map(|at| view! { ", the newest "{now.ago(at)} });
        view! { <dt>"Webhooks"</dt><dd>{text::learned(&pulse)}{newest}</dd> }.into_any()
    });
    let fed = c.real_time.and_then(|pulse| pulse.last_at).map(|at| row("Last webhook of data", now.ago(at)));
    let source = match c.source.environment {
        Environment::Sandbox => format!("{} (sandbox)", c.source.name),
        Environment::Production => c.source.name.clone(),
    };
    let key = c.key.clone();
    let tags: Vec<_> = c
        .tags
        .iter()
        .map(|tag| {
            view! { <a class="tag" href=format!("/connections?tag={}", text::encode(tag))>{tag.clone()}</a> }.into_any()
        })
        .collect();
    view! {
        <dl class="facts">
            {row("Authorization", authorization(c.authorization))}
            {row("Data flow", data_flow(c.data_flow))}
            {row("Last good sync", c.last_good_sync_at.map_or_else(|| "none yet".into_any(), |at| now.ago(at)))}
            {fed}
            {row("Cadence", cadence.into_any())}
            {late}
            {webhooks}
            {row("Customer", view! { <a href=format!("/customers/{}", c.customer.id)>{c.customer.name.clone()}</a> }.into_any())}
            {row("System", view! { <a href=format!("/connections?platform={}", text::encode(&c.platform.slug))>{c.platform.name.clone()}</a> }.into_any())}
            {row("Source", source.into_any())}
            {row("Owner", c.owner.clone().unwrap_or_else(|| "nobody".to_owned()).into_any())}
            {(!tags.is_empty()).then(|| row("Tags", tags.into_any()))}
            {detail.email.clone().map(|email| row("Contact", view! { <a href=format!("mailto:{email}")>{email.clone()}</a> }.into_any()))}
            {c.raw_status.clone().map(|raw| row("Makini says", view! { <code>{raw}</code> }.into_any()))}
            {row("First seen", now.ago(detail.first_seen_at))}
            <dt>"Key"</dt>
            <dd class="with-copy">
                <code>{c.key.clone()}</code>
                <Copy text=move || key.clone() label="Copy" what="Key" class="small" />
            </dd>
        </dl>
    }
    .into_any()
}

fn authorization(state: Authorization) -> AnyView {
    let health = match state {
        Authorization::Authorized => Health::Healthy,
        Authorization::ReauthorizationRequired | Authorization::Revoked => Health::ReauthorizationRequired,
        Authorization::Unknown => Health::Unknown,
    };
    badge_saying(health, state.words())
}

fn data_flow(state: DataFlow) -> AnyView {
    let health = match state {
        DataFlow::FirstSync => Health::FirstSync,
        DataFlow::Fresh => Health::Healthy,
        DataFlow::Late => Health::Late,
        DataFlow::Failing => Health::Failing,
        DataFlow::Offline => Health::Offline,
        DataFlow::Paused => Health::Paused,
        DataFlow::Unknown => Health::Unknown,
    };
    badge_saying(health, state.words())
}
