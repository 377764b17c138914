//! Reads what is said about rules, silences, maintenance, routes and channels, with a sentence for each field that is wrong.

use super::{
    Said,
    read::{seconds, some},
};
use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use model::{
    ChannelKind, ChannelPatch, ChannelSettings, CustomerId, FieldError, GroupBy, NewChannel, NewMaintenance, NewRoute,
    NewRule, Recurrence, Refusal, RouteMatch, RoutePatch, RulePatch, Scope, Severity, When, WhenKind,
};
use std::str::FromStr;

/// Reads field after field, and collects what is wrong.
pub(crate) struct Reader<'a> {
    said: &'a Said,
    wrong: Vec<FieldError>,
}

impl<'a> Reader<'a> {
    /// Of a form.
    pub(crate) fn new(said: &'a Said) -> Self {
        Self { said, wrong: Vec::new() }
    }

    /// What was read, if nothing is wrong.
    pub(crate) fn done<T>(self, read: T) -> Result<T, Refusal> {
        if self.wrong.is_empty() { Ok(read) } else { Err(Refusal::Invalid(self.wrong)) }
    }

    fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.wrong.push(FieldError::new(field, message));
    }

    fn text(&mut self, field: &str, missing: &str) -> String {
        if self.said.one(field).is_empty() {
            self.wrong(field, missing);
        }
        self.said.one(field).to_owned()
    }

    fn number<T: FromStr>(&mut self, field: &str) -> Option<T> {
        let text = some(self.said.one(field))?;
        let read = text.replace(',', ".").parse().ok();
        if read.is_none() {
            self.wrong(field, format!("“{text}” is not a number that fits here."));
        }
        read
    }

    fn word<T: FromStr<Err = String>>(&mut self, field: &str) -> Option<T> {
        let text = some(self.said.one(field))?;
        text.parse().map_err(|message| self.wrong(field, message)).ok()
    }

    fn words<T: FromStr<Err = String>>(&mut self, field: &str) -> Vec<T> {
        let read = |text: &String| text.parse().map_err(|message| FieldError::new(field, message));
        let (good, bad): (Vec<_>, Vec<_>) = self.said.all(field).iter().map(read).partition(Result::is_ok);
        self.wrong.extend(bad.into_iter().filter_map(Result::err));
        good.into_iter().filter_map(Result::ok).collect()
    }

    fn ids<T: FromStr>(&mut self, field: &str) -> Vec<T> {
        self.said.all(field).iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// A duration; “at once” and “never” are none at all.
    fn lasting(&mut self, field: &str) -> Option<i64> {
        let text = some(self.said.one(field))?;
        let read = match text.to_lowercase().as_str() {
            "at once" | "never" | "immediately" => Some(0),
            _ => seconds(&text),
        };
        if read.is_none() {
            self.wrong(field, format!("“{text}” is not a duration. Write it like 45 s, 15 min, 2 h or 1 day."));
        }
        read
    }

    fn list(&self, field: &str) -> Vec<String> {
        let parts = self.said.one(field).split([',', '\n']).map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    fn moment(&mut self, field: &str) -> Option<DateTime<Utc>> {
        let text = some(self.said.one(field))?;
        let read = text.parse().ok().or_else(|| {
            let minutes = text.get(..16)?;
            NaiveDateTime::parse_from_str(minutes, "%Y-%m-%dT%H:%M").ok().map(|at| at.and_utc())
        });
        if read.is_none() {
            self.wrong(field, "Say a date and a time.");
        }
        read
    }

    fn scope(&mut self, customers: Vec<CustomerId>) -> Scope {
        Scope {
            customers,
            tags: self.list("tags"),
            tiers: self.list("tiers"),
            platforms: self.said.all("platforms").to_vec(),
            sources: self.ids("sources"),
            environments: self.words("environments"),
            owners: self.list("owners"),
            except: self.said.one("whom") == "except",
        }
    }
}

/// A rule; `customers` are those that the form names.
pub(crate) fn rule(said: &Said, customers: Vec<CustomerId>) -> Result<NewRule, Refusal> {
    let mut read = Reader::new(said);
    let name = read.text("name", "Give the rule a name: what people will read in a message.");
    let when = when(&mut read);
    let scope = match said.one("whom") {
        "" | "all" => Scope::default(),
        _ => read.scope(customers),
    };
    if scope.is_all() && !matches!(said.one("whom"), "" | "all") {
        read.wrong("whom", "Say which connections: tick or write at least one, or choose all.");
    }
    let rule = NewRule {
        name,
        when,
        scope,
        for_seconds: read.lasting("for_seconds"),
        hold_seconds: read.lasting("hold_seconds"),
        severity: read.word::<Severity>("severity"),
        group_by: read.word::<GroupBy>("group_by"),
        repeat_seconds: read.lasting("repeat_seconds"),
        note: some(said.one("note")),
        enabled: Some(said.one("enabled") != "no"),
    };
    read.done(rule)
}

fn when(read: &mut Reader<'_>) -> When {
    use WhenKind as K;
    let kind = read.word("kind").unwrap_or(K::ConnectionHealth);
    let mut when = When::new(kind);
    if matches!(kind, K::ConnectionHealth | K::ShareOfConnections) {
        when.health = read.words("health");
        if when.health.is_empty() {
            read.wrong("health", "Tick at least one state.");
        }
    }
    if matches!(kind, K::ShareOfConnections | K::FailedWebhooks) {
        match read.said.one("unit") {
            "percent" => when.percent = read.number("amount"),
            _ => when.at_least = read.number("amount"),
        }
    }
    match kind {
        K::ShareOfConnections if read.said.one("amount").is_empty() => {
            read.wrong("amount", "Say how many, or how much of all.");
        }
        K::SyncLate => {
            when.seconds = read.lasting("seconds");
            when.cadences = if when.seconds.is_none() { read.number("cadences") } else { None };
            if when.seconds.is_none() && when.cadences.is_none() {
                read.wrong("cadences", "Say how many cadences, or how long.");
            }
        }
        K::Silence => {
            when.of = read.word("of");
            when.seconds = read.lasting("quiet_seconds");
            if when.seconds.is_none() {
                read.wrong("quiet_seconds", "Say for how long nothing comes.");
            }
        }
        K::FailedWebhooks => {
            when.failures = read.words("failures");
            when.older_than_seconds = read.lasting("older_than_seconds");
            when.window_seconds = read.lasting("window_seconds");
            if when.at_least.is_none() && when.percent.is_none() && when.older_than_seconds.is_none() {
                read.wrong("amount", "Say how many fail, or for how long one rests.");
            }
        }
        K::CredentialAge => {
            when.days = read.number("days");
            when.expires_in_days = read.number("expires_in_days");
            if when.days.is_none() && when.expires_in_days.is_none() {
                read.wrong("days", "Say after how many days, or how long before the end.");
            }
        }
        K::Flapping => {
            when.transitions = read.number("transitions");
            when.window_seconds = read.lasting("window_seconds");
            if when.transitions.is_none() {
                read.wrong("transitions", "Say how many times.");
            }
        }
        _ => {}
    }
    when
}

/// A change of a rule to what the form says.
pub(crate) fn rule_patch(new: NewRule, said: &Said) -> RulePatch {
    RulePatch {
        name: Some(new.name),
        when: Some(new.when),
        scope: Some(new.scope),
        for_seconds: new.for_seconds,
        hold_seconds: new.hold_seconds,
        severity: new.severity,
        group_by: new.group_by,
        repeat_seconds: new.repeat_seconds,
        note: Some(new.note),
        enabled: None,
        version: said.one("version").parse().ok(),
    }
}

/// Until when a silence lasts: so long from now, or until a moment.
pub(crate) fn until(said: &Said, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    let mut read = Reader::new(said);
    let until = match seconds(said.one("until")).filter(|seconds| (60..=90 * 86_400).contains(seconds)) {
        Some(seconds) => Some(now + TimeDelta::seconds(seconds)),
        None => read.moment("until"),
    };
    match until {
        Some(at) if at > now => read.done(at),
        Some(_) => Err(Refusal::invalid("until", "That is over already. Choose a time ahead.")),
        None => Err(Refusal::invalid("until", "Say until when: a date and a time.")),
    }
}

/// Maintenance.
pub(crate) fn maintenance(
    said: &Said,
    customers: Vec<CustomerId>,
    now: DateTime<Utc>,
) -> Result<NewMaintenance, Refusal> {
    let mut read = Reader::new(said);
    let reason = read.text("reason", "Say why, for whoever wonders that nobody was told.");
    let scope = read.scope(customers);
    let starts_at = read.moment("starts_at");
    let ends_at = read.moment("ends_at");
    let recurrence = (said.one("again") == "weekly").then(|| {
        let at = NaiveTime::parse_from_str(said.one("at"), "%H:%M").ok();
        if at.is_none() {
            read.wrong("at", "Say a time of the day, such as 22:00.");
        }
        let seconds = read.lasting("seconds").filter(|seconds| *seconds > 0);
        if seconds.is_none() {
            read.wrong("seconds", "Say for how long, such as 2 h.");
        }
        let weekdays = read.words("weekdays");
        if weekdays.is_empty() {
            read.wrong("weekdays", "Tick at least one day.");
        }
        let time_zone = read.text("time_zone", "Say by which clocks, such as Europe/Berlin.");
        Recurrence { weekdays, at: at.unwrap_or_default(), seconds: seconds.unwrap_or_default(), time_zone }
    });
    if ends_at.is_none() && recurrence.is_none() {
        read.wrong("ends_at", "Say until when.");
    }
    let ends_at = ends_at.unwrap_or(starts_at.unwrap_or(now) + TimeDelta::days(365));
    read.done(NewMaintenance { scope, reason, starts_at, ends_at, recurrence })
}

/// A route.
pub(crate) fn route(said: &Said, customers: Vec<CustomerId>) -> Result<NewRoute, Refusal> {
    let mut read = Reader::new(said);
    let scope = read.scope(customers);
    let new = NewRoute {
        name: read.text("name", "Give the route a name."),
        position: None,
        matching: RouteMatch {
            rule_ids: read.ids("rule_ids"),
            severities: read.words("severities"),
            platforms: scope.platforms,
            customers: scope.customers,
            tags: scope.tags,
            tiers: scope.tiers,
            sources: scope.sources,
            environments: scope.environments,
        },
        goes_on: !said.one("continue").is_empty(),
        channels: read.ids("channels"),
        group_by: read.word("group_by"),
        first_wait_seconds: read.lasting("first_wait_seconds"),
        interval_seconds: read.lasting("interval_seconds"),
        repeat_seconds: read.lasting("repeat_seconds"),
    };
    if new.channels.is_empty() {
        read.wrong("channels", "Tick at least one channel.");
    }
    read.done(new)
}

/// A change of a route to what the form says.
pub(crate) fn route_patch(new: NewRoute, said: &Said) -> RoutePatch {
    RoutePatch {
        name: Some(new.name),
        position: None,
        matching: Some(new.matching),
        goes_on: Some(new.goes_on),
        channels: Some(new.channels),
        group_by: Some(new.group_by),
        first_wait_seconds: new.first_wait_seconds,
        interval_seconds: new.interval_seconds,
        repeat_seconds: Some(new.repeat_seconds),
        version: said.one("version").parse().ok(),
    }
}

/// A channel.
pub(crate) fn channel(said: &Said) -> Result<NewChannel, Refusal> {
    let mut read = Reader::new(said);
    let kind = read.word("kind").unwrap_or(ChannelKind::Email);
    let name = read.text("name", "Give the channel a short name, such as “erp-alerts”.");
    let settings = settings(&read, kind);
    let missing = match kind {
        ChannelKind::Email if settings.to.is_empty() => Some(("to", "Say to whom.")),
        ChannelKind::Slack if settings.webhook_url.is_none() && said.one("id").is_empty() => {
            Some(("webhook_url", "Copy it from Slack: Incoming Webhooks, in the settings of your app."))
        }
        ChannelKind::Webhook if settings.url.is_none() => Some(("url", "Say where to: an https address.")),
        _ => None,
    };
    if let Some((field, message)) = missing {
        read.wrong(field, message);
    }
    let enabled = Some(!said.one("enabled").is_empty());
    read.done(NewChannel { name, kind, settings, fallback_id: said.one("fallback_id").parse().ok(), enabled })
}

fn settings(read: &Reader<'_>, kind: ChannelKind) -> ChannelSettings {
    let of = |one: ChannelKind, field: &str| some(read.said.one(field)).filter(|_| kind == one);
    ChannelSettings {
        to: if kind == ChannelKind::Email { read.list("to") } else { Vec::new() },
        from: of(ChannelKind::Email, "from"),
        webhook_url: of(ChannelKind::Slack, "webhook_url"),
        url: of(ChannelKind::Webhook, "url"),
    }
}

/// A change of a channel to what the form says.
pub(crate) fn channel_patch(new: NewChannel, said: &Said) -> ChannelPatch {
    ChannelPatch {
        name: Some(new.name),
        settings: Some(new.settings),
        fallback_id: Some(new.fallback_id),
        enabled: new.enabled,
        version: said.one("version").parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Health;

    fn said(pairs: &[(&str, &str)]) -> Said {
        Said::from_kept(&pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn a_rule_holds_what_its_kind_needs_and_nothing_else() {
        let form = said(&[
            ("name", "Down"),
            ("kind", "connection_health"),
            ("health", "offline"),
            ("health", "failing"),
            ("transitions", "7"),
            ("whom", "all"),
            ("tags", "gold"),
            ("for_seconds", "at once"),
            ("repeat_seconds", "never"),
        ]);
        let rule = rule(&form, Vec::new()).unwrap();
        assert_eq!(rule.when.health, [Health::Offline, Health::Failing]);
        assert_eq!((rule.when.transitions, rule.for_seconds, rule.repeat_seconds), (None, Some(0), Some(0)));
        assert!(rule.scope.is_all(), "all means all, whatever is still written below");
    }

    #[test]
    fn what_is_missing_is_said_at_its_field() {
        let form = said(&[("kind", "sync_late"), ("whom", "only"), ("for_seconds", "soon")]);
        let Err(Refusal::Invalid(wrong)) = rule(&form, Vec::new()) else { panic!("it is wrong") };
        let fields: Vec<_> = wrong.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["name", "cadences", "whom", "for_seconds"]);
    }

    #[test]
    fn a_silence_ends_after_a_time_or_at_a_moment() {
        let now: DateTime<Utc> = "2026-03-02T14:38:00Z".parse().unwrap();
        for (text, at) in [("4 h", "2026-03-02T18:38:00Z"), ("2026-03-03T08:00", "2026-03-03T08:00:00Z")] {
            assert_eq!(until(&said(&[("until", text)]), now).unwrap(), at.parse::<DateTime<Utc>>().unwrap());
        }
        for text in ["", "soon", "2026-03-01T08:00"] {
            assert!(until(&said(&[("until", text)]), now).is_err(), "{text}");
        }
    }
}
