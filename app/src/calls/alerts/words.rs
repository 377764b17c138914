//! What is stored, as forms and sentences say it.

use super::{super::Said, Known};
use crate::parts::text;
use model::{Actor, Backend, CustomerId, Environment, Route, RouteMatch, Rule, Scope};

/// The form of a new rule: what most people want.
pub(super) fn new_rule() -> Said {
    let mut said = Said::default();
    for (name, value) in [
        ("kind", "connection_health"),
        ("health", "reauthorization_required"),
        ("health", "offline"),
        ("whom", "all"),
        ("severity", "warning"),
        ("for_seconds", "15 min"),
        ("hold_seconds", "5 min"),
        ("repeat_seconds", "4 h"),
        ("group_by", "rule"),
    ] {
        said.add(name, value);
    }
    said
}

/// A duration, or the word for none.
pub(super) fn lasting(seconds: i64, none: &str) -> String {
    if seconds == 0 { none.to_owned() } else { text::duration(seconds) }
}

/// The form that changes a rule.
pub(super) async fn rule_form(desk: &dyn Backend, actor: &Actor, rule: &Rule) -> Said {
    let mut said = Said::default();
    let when = &rule.when;
    let numbers = [
        ("amount", when.at_least.map(u64::from).or(when.percent.map(u64::from))),
        ("days", when.days.map(u64::from)),
        ("expires_in_days", when.expires_in_days.map(u64::from)),
        ("transitions", when.transitions.map(u64::from)),
    ];
    let durations = [
        ("seconds", when.seconds),
        ("quiet_seconds", when.seconds),
        ("older_than_seconds", when.older_than_seconds),
        ("window_seconds", when.window_seconds),
    ];
    said.set("id", rule.id.to_string());
    said.set("version", rule.version.to_string());
    said.set("name", &rule.name);
    said.set("kind", when.kind.code());
    when.health.iter().for_each(|health| said.add("health", health.code()));
    when.failures.iter().for_each(|kind| said.add("failures", kind.code()));
    said.set("unit", if when.percent.is_some() { "percent" } else { "number" });
    for (name, number) in numbers {
        said.set(name, number.map(|n| n.to_string()).unwrap_or_default());
    }
    for (name, seconds) in durations {
        said.set(name, seconds.map(text::duration).unwrap_or_default());
    }
    said.set("cadences", when.cadences.map(|n| n.to_string()).unwrap_or_default());
    said.set("of", when.of.map(|of| of.code()).unwrap_or_default());
    said.set("severity", rule.severity.code());
    said.set("for_seconds", lasting(rule.for_seconds, "at once"));
    said.set("hold_seconds", lasting(rule.hold_seconds, "at once"));
    said.set("repeat_seconds", lasting(rule.repeat_seconds, "never"));
    said.set("group_by", rule.group_by.code());
    said.set("note", rule.note.clone().unwrap_or_default());
    said.set("enabled", if rule.enabled { "yes" } else { "no" });
    let whom = match (rule.scope.is_all(), rule.scope.except) {
        (true, _) => "all",
        (false, true) => "except",
        (false, false) => "only",
    };
    said.set("whom", whom);
    say_scope(desk, actor, &rule.scope, &mut said).await;
    said
}

async fn say_scope(desk: &dyn Backend, actor: &Actor, scope: &Scope, said: &mut Said) {
    scope.platforms.iter().for_each(|slug| said.add("platforms", slug));
    scope.sources.iter().for_each(|id| said.add("sources", id.to_string()));
    scope.environments.iter().for_each(|one| said.add("environments", one.code()));
    said.set("tags", scope.tags.join(", "));
    said.set("tiers", scope.tiers.join(", "));
    said.set("owners", scope.owners.join(", "));
    said.set("customers", names(desk, actor, &scope.customers).await.join("\n"));
}

/// The names of customers; of one that is gone, its id.
async fn names(desk: &dyn Backend, actor: &Actor, ids: &[CustomerId]) -> Vec<String> {
    let mut names = Vec::new();
    for id in ids {
        names.push(desk.customer(actor, *id).await.map_or_else(|_| id.to_string(), |customer| customer.name));
    }
    names
}

/// The form of a new route.
pub(super) fn new_route() -> Said {
    let mut said = Said::default();
    said.set("first_wait_seconds", "0 s");
    said.set("interval_seconds", "5 min");
    said
}

/// The form that changes a route.
pub(super) async fn route_form(desk: &dyn Backend, actor: &Actor, route: &Route) -> Said {
    let mut said = Said::default();
    let of = &route.matching;
    said.set("id", route.id.to_string());
    said.set("version", route.version.to_string());
    said.set("name", &route.name);
    of.rule_ids.iter().for_each(|id| said.add("rule_ids", id.to_string()));
    of.severities.iter().for_each(|one| said.add("severities", one.code()));
    route.channels.iter().for_each(|id| said.add("channels", id.to_string()));
    say_scope(desk, actor, &scope_of(of), &mut said).await;
    if route.goes_on {
        said.set("continue", "on");
    }
    said.set("group_by", route.group_by.map(|group| group.code()).unwrap_or_default());
    said.set("first_wait_seconds", text::duration(route.first_wait_seconds));
    said.set("interval_seconds", text::duration(route.interval_seconds));
    said.set("repeat_seconds", route.repeat_seconds.map(|s| lasting(s, "never")).unwrap_or_default());
    said
}

fn scope_of(of: &RouteMatch) -> Scope {
    Scope {
        customers: of.customers.clone(),
        tags: of.tags.clone(),
        tiers: of.tiers.clone(),
        platforms: of.platforms.clone(),
        sources: of.sources.clone(),
        environments: of.environments.clone(),
        owners: Vec::new(),
        except: false,
    }
}

/// Whom a scope means.
pub(super) async fn scope(desk: &dyn Backend, actor: &Actor, scope: &Scope) -> String {
    if scope.is_all() {
        return "everything".to_owned();
    }
    let platforms = desk.platforms(actor).await.unwrap_or_default();
    let sources = desk.sources(actor).await.unwrap_or_default();
    let platform =
        |slug: &String| platforms.iter().find(|p| p.slug == *slug).map_or_else(|| slug.clone(), |p| p.name.clone());
    let source = |id| sources.iter().find(|s| s.id == id).map_or_else(|| id.to_string(), |s| s.name.clone());
    let parts = [
        scope.platforms.iter().map(platform).collect::<Vec<_>>(),
        names(desk, actor, &scope.customers).await,
        scope.sources.iter().map(|id| format!("source {}", source(*id))).collect(),
        scope.environments.iter().map(|one: &Environment| one.words().to_lowercase()).collect(),
        scope.tags.iter().map(|tag| format!("tag {tag}")).collect(),
        scope.tiers.iter().map(|tier| format!("tier {tier}")).collect(),
        scope.owners.iter().map(|owner| format!("those of {owner}")).collect(),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).map(|part| part.join(" or ")).collect();
    let said = parts.join(", and only ");
    if scope.except { format!("everything except {said}") } else { said }
}

/// Which alerts a route takes.
pub(super) async fn matching(desk: &dyn Backend, actor: &Actor, of: &RouteMatch, known: &Known) -> String {
    let severities: Vec<_> = of.severities.iter().map(|one| one.words().to_lowercase()).collect();
    let rules = of.rule_ids.iter().filter_map(|id| known.rules.iter().find(|(known, _)| *known == id.to_string()));
    let rules: Vec<_> = rules.map(|(_, name)| format!("“{name}”")).collect();
    let mut said = match severities.as_slice() {
        [] => "Every alert".to_owned(),
        some => format!("Alerts that are {}", some.join(" or ")),
    };
    if !rules.is_empty() {
        said = format!("{said} of {}", rules.join(" or "));
    }
    let whom = scope_of(of);
    if whom.is_all() { said } else { format!("{said} about {}", scope(desk, actor, &whom).await) }
}
