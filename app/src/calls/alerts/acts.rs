//! What is done about alerts. Each form posts to one of these.

use super::super::{CallError, Said};
#[cfg(feature = "ssr")]
use super::{
    super::{
        answer, answer_form, as_of, desk,
        forms::read_alerts as read,
        history::{decode, set_cookie},
        send_on,
    },
    find,
};
use leptos::prelude::*;
use model::{AlertId, ChannelId, MaintenanceId, NotificationId, RouteId, RuleId, SilenceId};

/// Takes an alert.
#[server(prefix = "/_app", endpoint = "acknowledge-alert")]
pub async fn acknowledge_alert(id: AlertId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.acknowledge_alert(&actor, id).await).map(drop)
}

/// Adds a rule, or changes the one that the form names.
#[server(prefix = "/_app", endpoint = "save-rule")]
pub async fn save_rule(form: Said) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let customers = answer_form(find::customers(&*desk, &actor, &form).await, form.kept())?;
    let new = answer_form(read::rule(&form, customers), form.kept())?;
    let rule = match form.one("id").parse() {
        Ok(id) => desk.change_rule(&actor, id, read::rule_patch(new, &form)).await,
        Err(_) => desk.add_rule(&actor, new).await,
    };
    let rule = answer_form(rule, form.kept())?;
    send_on(&format!("/alerts/rules/{}?saved={}", rule.id, rule.version));
    Ok(())
}

/// Switches a rule on or off.
#[server(prefix = "/_app", endpoint = "switch-rule")]
pub async fn switch_rule(id: RuleId, version: i64, enabled: bool) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let patch = model::RulePatch { enabled: Some(enabled), version: Some(version), ..Default::default() };
    answer(desk.change_rule(&actor, id, patch).await).map(drop)
}

/// Takes a rule away.
#[server(prefix = "/_app", endpoint = "remove-rule")]
pub async fn remove_rule(id: RuleId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.remove_rule(&actor, id).await)?;
    send_on("/alerts/rules");
    Ok(())
}

/// Adds a silence.
#[server(prefix = "/_app", endpoint = "add-silence")]
pub async fn add_silence(form: Said) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let ends_at = answer_form(read::until(&form, as_of()), form.kept())?;
    let new = model::NewSilence {
        matching: answer_form(find::matching(form.one("matching")), form.kept())?,
        reason: form.one("reason").to_owned(),
        starts_at: None,
        ends_at,
        dry_run: false,
    };
    answer_form(desk.add_silence(&actor, new).await, form.kept())?;
    send_on("/alerts/silences");
    Ok(())
}

/// Ends a silence now.
#[server(prefix = "/_app", endpoint = "end-silence")]
pub async fn end_silence(id: SilenceId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.end_silence(&actor, id).await)
}

/// Adds maintenance.
#[server(prefix = "/_app", endpoint = "add-maintenance")]
pub async fn add_maintenance(form: Said) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let customers = answer_form(find::customers(&*desk, &actor, &form).await, form.kept())?;
    let new = answer_form(read::maintenance(&form, customers, as_of()), form.kept())?;
    answer_form(desk.add_maintenance(&actor, new).await, form.kept())?;
    send_on("/alerts/silences");
    Ok(())
}

/// Ends maintenance now.
#[server(prefix = "/_app", endpoint = "end-maintenance")]
pub async fn end_maintenance(id: MaintenanceId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.end_maintenance(&actor, id).await)
}

/// Adds a route, or changes the one that the form names.
#[server(prefix = "/_app", endpoint = "save-route")]
pub async fn save_route(form: Said) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let customers = answer_form(find::customers(&*desk, &actor, &form).await, form.kept())?;
    let new = answer_form(read::route(&form, customers), form.kept())?;
    let route = match form.one("id").parse() {
        Ok(id) => desk.change_route(&actor, id, read::route_patch(new, &form)).await,
        Err(_) => desk.add_route(&actor, new).await,
    };
    answer_form(route, form.kept())?;
    send_on("/alerts/routes");
    Ok(())
}

/// Gives a route another place.
#[server(prefix = "/_app", endpoint = "move-route")]
pub async fn move_route(id: RouteId, version: i64, position: i32) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let patch = model::RoutePatch { position: Some(position), version: Some(version), ..Default::default() };
    answer(desk.change_route(&actor, id, patch).await).map(drop)
}

/// Takes a route away.
#[server(prefix = "/_app", endpoint = "remove-route")]
pub async fn remove_route(id: RouteId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.remove_route(&actor, id).await)?;
    send_on("/alerts/routes");
    Ok(())
}

/// Adds a channel, or changes the one that the form names. A signing secret is told once, as the address of a link is.
#[server(prefix = "/_app", endpoint = "save-channel")]
pub async fn save_channel(form: Said) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let new = answer_form(read::channel(&form), form.kept())?;
    let channel = match form.one("id").parse() {
        Ok(id) => desk.change_channel(&actor, id, read::channel_patch(new, &form)).await,
        Err(_) => desk.add_channel(&actor, new).await,
    };
    let channel = answer_form(channel, form.kept())?;
    if let Some(secret) = &channel.secret {
        let told = format!("{}.{}", channel.id, crate::parts::text::encode(secret));
        let secure = if find::is_https() { "; Secure" } else { "" };
        set_cookie(&format!("made_secret={told}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict{secure}"));
    }
    send_on(&format!("/alerts/channels/{}?saved={}", channel.id, channel.version));
    Ok(())
}

/// Takes a channel away.
#[server(prefix = "/_app", endpoint = "remove-channel")]
pub async fn remove_channel(id: ChannelId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.remove_channel(&actor, id).await)?;
    send_on("/alerts/channels");
    Ok(())
}

/// Sends a sample; what the other side answered is the refusal where it did not arrive.
#[server(prefix = "/_app", endpoint = "test-channel")]
pub async fn test_channel(id: ChannelId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let sent = answer(desk.test_channel(&actor, id).await)?;
    if sent.state != model::NotificationState::Sent {
        let why = sent.attempts.into_iter().rev().find_map(|attempt| attempt.error);
        let why = why.map_or_else(|| "It waits to be sent.".to_owned(), |error| error.message);
        return answer(Err(model::Refusal::Conflict(format!("The sample did not arrive. {why}"))));
    }
    send_on(&format!("/alerts/channels/{id}?tested={}", as_of().timestamp()));
    Ok(())
}

/// Sends a message that failed again.
#[server(prefix = "/_app", endpoint = "retry-notification")]
pub async fn retry_notification(id: NotificationId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.retry_notification(&actor, id).await).map(drop)
}

/// The signing secret of the channel that was just made; it is not told again.
#[cfg(feature = "ssr")]
pub(super) fn secret_told_once(id: ChannelId) -> Option<String> {
    let parts = use_context::<http::request::Parts>()?;
    let cookies = parts.headers.get(http::header::COOKIE)?.to_str().ok()?;
    let told = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix("made_secret="))?;
    let secret = decode(told.strip_prefix(&format!("{id}."))?)?;
    set_cookie("made_secret=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    Some(secret)
}
