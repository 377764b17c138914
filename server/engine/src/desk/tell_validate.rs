//! What may be saved of routes, channels, silences and maintenance. Pure.

use crate::http::Outbound;
use crate::notify::email::is_address;
use crate::tell::recurrence;
use crate::vault::Secret;
use chrono::{DateTime, TimeDelta, Utc};
use model::{
    Channel, ChannelKind, ChannelPatch, ChannelSettings, FieldError, NewChannel, NewMaintenance, NewRoute, NewSilence,
    Refusal, Route, RoutePatch, SilenceMatch,
};

const DAY: i64 = 86_400;

#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn check(&mut self, field: &str, holds: bool, message: &str) {
        if !holds {
            self.0.push(FieldError::new(field, message));
        }
    }

    fn name(&mut self, name: &mut String) {
        *name = name.trim().to_owned();
        self.check("name", !name.is_empty(), "give it a name");
        self.check("name", name.chars().count() <= 80 && !name.chars().any(char::is_control), "at most 80 characters");
    }

    fn reason(&mut self, reason: &mut String) {
        *reason = reason.trim().to_owned();
        self.check("reason", !reason.is_empty(), "say why, so that others know");
        self.check("reason", reason.chars().count() <= 500 && !reason.contains('\0'), "at most 500 characters");
    }

    fn done(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.0)) }
    }
}

fn waits(errors: &mut Errors, first: Option<i64>, interval: Option<i64>, repeat: Option<i64>) {
    let within = |value: Option<i64>, most: i64| value.is_none_or(|value| (0..=most).contains(&value));
    errors.check("first_wait_seconds", within(first, 3_600), "between 0 seconds and one hour");
    errors.check("interval_seconds", within(interval, DAY), "between 0 seconds and one day");
    errors.check("repeat_seconds", within(repeat, 30 * DAY), "0 for never, else at most 30 days");
    errors.check(
        "repeat_seconds",
        repeat.is_none_or(|repeat| repeat == 0 || repeat >= 60),
        "at least a minute, or 0 for never",
    );
}

fn texts(errors: &mut Errors, lists: &[&[String]]) {
    let fits = |text: &String| text.chars().count() <= 200 && !text.contains('\0');
    let holds = lists.iter().all(|list| list.len() <= 200 && list.iter().all(fits));
    errors.check("match", holds, "a list holds at most 200 texts of 200 characters");
}

/// A route, tidied.
pub(super) fn new_route(mut new: NewRoute) -> Result<NewRoute, Refusal> {
    let mut errors = Errors::default();
    errors.name(&mut new.name);
    errors.check("position", new.position.is_none_or(|position| position >= 1), "the first place is 1");
    errors.check("channels", new.channels.len() <= 20, "at most 20 channels");
    waits(&mut errors, new.first_wait_seconds, new.interval_seconds, new.repeat_seconds);
    texts(&mut errors, &[&new.matching.platforms, &new.matching.tags, &new.matching.tiers]);
    errors.done()?;
    dedup(&mut new.channels);
    Ok(new)
}

/// Changes a route as a person wants it; its place apart.
pub(super) fn route_patch(route: &mut Route, patch: RoutePatch) -> Result<(), Refusal> {
    let mut errors = Errors::default();
    errors.check("position", patch.position.is_none_or(|position| position >= 1), "the first place is 1");
    waits(&mut errors, patch.first_wait_seconds, patch.interval_seconds, patch.repeat_seconds.flatten());
    if let Some(name) = patch.name {
        route.name = name;
        errors.name(&mut route.name);
    }
    if let Some(channels) = patch.channels {
        route.channels = channels;
        errors.check("channels", route.channels.len() <= 20, "at most 20 channels");
        dedup(&mut route.channels);
    }
    if let Some(matching) = patch.matching {
        texts(&mut errors, &[&matching.platforms, &matching.tags, &matching.tiers]);
        route.matching = matching;
    }
    errors.done()?;
    route.goes_on = patch.goes_on.unwrap_or(route.goes_on);
    route.group_by = patch.group_by.unwrap_or(route.group_by);
    route.first_wait_seconds = patch.first_wait_seconds.unwrap_or(route.first_wait_seconds);
    route.interval_seconds = patch.interval_seconds.unwrap_or(route.interval_seconds);
    route.repeat_seconds = patch.repeat_seconds.unwrap_or(route.repeat_seconds);
    Ok(())
}

fn dedup<T: PartialEq>(list: &mut Vec<T>) {
    let mut kept = Vec::with_capacity(list.len());
    for one in list.drain(..) {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    *list = kept;
}

/// A channel, tidied; and a Slack channel's address, which is a secret.
pub(super) fn new_channel(outbound: &Outbound, mut new: NewChannel) -> Result<(NewChannel, Option<Secret>), Refusal> {
    let mut errors = Errors::default();
    errors.name(&mut new.name);
    let slack = new.settings.webhook_url.take().filter(|address| !address.trim().is_empty());
    errors.check(
        "settings.webhook_url",
        new.kind != ChannelKind::Slack || slack.is_some(),
        "paste the address of an incoming webhook: Slack shows it when you add the app “Incoming WebHooks”",
    );
    let slack = settings(&mut errors, outbound, new.kind, &mut new.settings, slack);
    errors.done()?;
    Ok((new, slack))
}

/// Changes a channel as a person wants it; answers a new address of Slack.
pub(super) fn channel_patch(
    outbound: &Outbound,
    channel: &mut Channel,
    patch: ChannelPatch,
) -> Result<Option<Secret>, Refusal> {
    let mut errors = Errors::default();
    let mut address = None;
    if let Some(name) = patch.name {
        channel.name = name;
        errors.name(&mut channel.name);
    }
    if let Some(mut wanted) = patch.settings {
        let slack = wanted.webhook_url.take().filter(|address| !address.trim().is_empty());
        address = settings(&mut errors, outbound, channel.kind, &mut wanted, slack);
        channel.settings = wanted;
    }
    errors.done()?;
    channel.enabled = patch.enabled.unwrap_or(channel.enabled);
    Ok(address)
}

/// Checks what a kind of channel needs and that there is nothing else.
fn settings(
    errors: &mut Errors,
    outbound: &Outbound,
    kind: ChannelKind,
    settings: &mut ChannelSettings,
    slack: Option<String>,
) -> Option<Secret> {
    for to in &mut settings.to {
        *to = to.trim().to_owned();
    }
    settings.from = settings.from.take().map(|from| from.trim().to_owned()).filter(|from| !from.is_empty());
    let only = |errors: &mut Errors, field: &str, absent: bool, of: &str| {
        errors.check(&format!("settings.{field}"), absent, &format!("only a channel of the kind “{of}” has this"));
    };
    let email = kind == ChannelKind::Email;
    only(errors, "to", email || settings.to.is_empty(), "email");
    only(errors, "from", email || settings.from.is_none(), "email");
    only(errors, "url", kind == ChannelKind::Webhook || settings.url.is_none(), "webhook");
    only(errors, "webhook_url", kind == ChannelKind::Slack || slack.is_none(), "slack");
    if email {
        errors.check("settings.to", (1..=50).contains(&settings.to.len()), "1 to 50 addresses");
        for address in settings.to.iter().filter(|address| !is_address(address)) {
            errors.check("settings.to", false, &format!("“{address}” is not an e-mail address"));
        }
        let from = settings.from.as_deref().is_none_or(is_address);
        errors.check("settings.from", from, "this is not an e-mail address");
    }
    if kind == ChannelKind::Webhook {
        match settings.url.as_deref().map(|url| outbound.check_url(url.trim())) {
            None => errors.check("url", false, "say where to"),
            Some(Err(refused)) => errors.check("url", false, &refused.to_string()),
            Some(Ok(url)) => settings.url = Some(url.into()),
        }
    }
    let address = slack?;
    match outbound.check_url(address.trim()) {
        Err(refused) => errors.check("url", false, &refused.to_string()),
        Ok(_) => errors.check("settings.webhook_url", address.len() <= 500, "at most 500 characters"),
    }
    Some(Secret::new(address.trim()))
}

/// A silence, tidied.
pub(super) fn new_silence(mut new: NewSilence, now: DateTime<Utc>) -> Result<NewSilence, Refusal> {
    let mut errors = Errors::default();
    errors.reason(&mut new.reason);
    let starts = new.starts_at.unwrap_or(now);
    errors.check("ends_at", new.ends_at > starts.max(now), "it must end after it begins, and after now");
    errors.check(
        "ends_at",
        new.ends_at - now <= TimeDelta::days(90),
        "at most 90 days from now; make another one then",
    );
    texts(&mut errors, &[&new.matching.platforms, &new.matching.tags]);
    errors.done()?;
    Ok(new)
}

/// Maintenance, tidied.
pub(super) fn new_maintenance(mut new: NewMaintenance, now: DateTime<Utc>) -> Result<NewMaintenance, Refusal> {
    let mut errors = Errors::default();
    errors.reason(&mut new.reason);
    let starts = new.starts_at.unwrap_or(now);
    errors.check("ends_at", new.ends_at > starts.max(now), "it must end after it begins, and after now");
    errors.check("ends_at", new.ends_at - now <= TimeDelta::days(366), "at most 366 days from now");
    errors.check("starts_at", starts > now - TimeDelta::days(366), "not so far back");
    texts(&mut errors, &[&new.scope.platforms, &new.scope.tags, &new.scope.tiers, &new.scope.owners]);
    if let Some(recurrence) = &mut new.recurrence {
        recurrence.weekdays.sort();
        recurrence.weekdays.dedup();
        errors.check("recurrence.weekdays", !recurrence.weekdays.is_empty(), "on one day at least");
        errors.check("recurrence.seconds", (60..=DAY).contains(&recurrence.seconds), "between one minute and one day");
        let zone = recurrence::zone(&recurrence.time_zone).is_some();
        errors.check("recurrence.time_zone", zone, "a name of the tz database, such as Europe/Berlin");
    }
    errors.done()?;
    Ok(new)
}

/// A silence's match in words.
pub(super) fn silence_words(matching: &SilenceMatch) -> String {
    let mut parts = Vec::new();
    let mut count = |n: usize, one: &str, many: &str| match n {
        0 => {}
        1 => parts.push(format!("one {one}")),
        n => parts.push(format!("{n} {many}")),
    };
    count(matching.alert_ids.len(), "alert", "alerts");
    count(matching.rule_ids.len(), "rule", "rules");
    count(matching.connections.len(), "connection", "connections");
    count(matching.customers.len(), "customer", "customers");
    count(matching.sources.len(), "source", "sources");
    if !matching.severities.is_empty() {
        let words: Vec<_> = matching.severities.iter().map(|severity| severity.words().to_lowercase()).collect();
        parts.push(format!("severity {}", words.join(" or ")));
    }
    if !matching.platforms.is_empty() {
        parts.push(format!("platform {}", matching.platforms.join(" or ")));
    }
    if !matching.tags.is_empty() {
        parts.push(format!("tag {}", matching.tags.join(" or ")));
    }
    if parts.is_empty() { "every alert".to_owned() } else { format!("alerts of {}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<T>(answer: Result<T, Refusal>) -> Vec<String> {
        match answer {
            Err(Refusal::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
            _ => Vec::new(),
        }
    }

    fn channel(kind: ChannelKind, settings: ChannelSettings) -> NewChannel {
        NewChannel { name: " Team ".into(), kind, settings, fallback_id: None, enabled: None }
    }

    #[test]
    fn a_channel_has_what_its_kind_needs_and_nothing_else() {
        let outbound = Outbound::new(Vec::new());
        let check = |kind, settings| fields(new_channel(&outbound, channel(kind, settings)));
        let url = |url: &str| ChannelSettings { url: Some(url.into()), ..ChannelSettings::default() };
        assert_eq!(check(ChannelKind::Webhook, url("https://hooks.example.com/a")), [""; 0]);
        assert_eq!(check(ChannelKind::Webhook, url("https://127.0.0.1/")), ["url"]);
        assert_eq!(check(ChannelKind::Webhook, ChannelSettings::default()), ["url"]);
        assert_eq!(check(ChannelKind::Slack, ChannelSettings::default()), ["settings.webhook_url"]);
        assert_eq!(
            check(ChannelKind::Slack, url("https://hooks.example.com/a")),
            ["settings.webhook_url", "settings.url"]
        );
        let to = ChannelSettings { to: vec!["nobody".into()], ..ChannelSettings::default() };
        assert_eq!(check(ChannelKind::Email, to), ["settings.to"]);
        let slack =
            ChannelSettings { webhook_url: Some(" https://hooks.slack.com/x ".into()), ..ChannelSettings::default() };
        let (kept, secret) = new_channel(&outbound, channel(ChannelKind::Slack, slack)).unwrap();
        assert_eq!((kept.name.as_str(), kept.settings.webhook_url), ("Team", None));
        assert_eq!(secret.unwrap().expose(), "https://hooks.slack.com/x");
    }

    #[test]
    fn a_silence_has_a_reason_and_an_end() {
        let now = DateTime::UNIX_EPOCH;
        let new = |reason: &str, ends: i64| NewSilence {
            matching: SilenceMatch::default(),
            reason: reason.into(),
            starts_at: None,
            ends_at: now + TimeDelta::seconds(ends),
            dry_run: false,
        };
        assert_eq!(fields(new_silence(new(" ", 0), now)), ["reason", "ends_at"]);
        assert_eq!(fields(new_silence(new("known", 91 * DAY), now)), ["ends_at"]);
        assert!(new_silence(new("known", 60), now).is_ok());
        assert_eq!(silence_words(&SilenceMatch::default()), "every alert");
    }
}
