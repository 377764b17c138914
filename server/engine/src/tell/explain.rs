//! The stages in sentences: why an alert goes where it goes. Pure; decides by the same functions that tell.

use super::{Facts, group, mute, route};
use chrono::{DateTime, TimeDelta, Utc};
use model::{AlertState, Channel, ChannelHealth, Explanation, Maintenance, Route, RouteId, Silence, Stage};
use std::collections::BTreeSet;

/// What is there.
pub struct Known<'a> {
    /// The routes, in order.
    pub routes: &'a [Route],
    /// Maintenance that is not over.
    pub maintenances: &'a [Maintenance],
    /// Silences that are not over.
    pub silences: &'a [Silence],
    /// The channels.
    pub channels: &'a [Channel],
    /// The routes that have told of this alert already.
    pub told: BTreeSet<RouteId>,
}

fn stage(stage: &str, name: Option<&str>, passes: bool, text: impl Into<String>) -> Stage {
    Stage { stage: stage.to_owned(), name: name.map(str::to_owned), passes, text: text.into() }
}

/// Says what each stage decides, and who is told in the end.
pub fn explain(facts: &Facts, known: &Known<'_>, now: DateTime<Utc>) -> Explanation {
    let takers = route::takers(known.routes, facts);
    let mut stages = routed(facts, known, &takers);
    for route in &takers {
        let by = route.group_by.unwrap_or(facts.group_by).words().to_lowercase();
        let text = format!("It is told together with others {by}: {}.", when(route));
        stages.push(stage("group", Some(&route.name), true, text));
    }
    let muted = mute::muted(facts, known.maintenances, known.silences, now);
    stages.extend(mutes(muted));
    let fires = facts.state == AlertState::Firing;
    let mut channels = BTreeSet::new();
    for route in takers {
        let told = known.told.contains(&route.id);
        let (passes, text) = match (fires, told) {
            (false, _) => (false, "It does not fire now, so there is nothing new to tell."),
            (true, true) => (false, "It was told already; it is told again when something changes, or as a reminder."),
            (true, false) => (true, "It was not told yet."),
        };
        stages.push(stage("dedup", Some(&route.name), passes, text));
        for channel in known.channels.iter().filter(|channel| route.channels.contains(&channel.id)) {
            let (passes, text) = match (channel.enabled, channel.health) {
                (false, _) => (false, "This channel is switched off."),
                (true, ChannelHealth::Failing) => {
                    (true, "This channel fails now; messages wait, and its fallback takes over after two minutes.")
                }
                (true, _) => (true, "It is sent there."),
            };
            stages.push(stage("channel", Some(&channel.name), passes, text));
            if passes && muted.is_none() {
                channels.insert(channel.id);
            }
        }
    }
    Explanation { stages, channels: channels.into_iter().collect() }
}

fn routed(facts: &Facts, known: &Known<'_>, takers: &[&Route]) -> Vec<Stage> {
    let mut stages = Vec::new();
    for route in known.routes {
        let asked = takers.last().is_none_or(|last| route.position <= last.position || last.goes_on);
        let takes = takers.iter().any(|taker| taker.id == route.id);
        let text = match (takes, asked) {
            (true, _) if route.channels.is_empty() => {
                "It matches, and has no channel: nobody is told by it.".to_owned()
            }
            (true, _) if route.goes_on => "It matches, and the routes after it are asked too.".to_owned(),
            (true, _) => "It matches, and no route after it is asked.".to_owned(),
            (false, true) => mismatch(route, facts),
            (false, false) => continue,
        };
        stages.push(stage("route", Some(&route.name), takes, text));
    }
    if takers.is_empty() {
        let text = if known.routes.is_empty() {
            "There is no route, so nobody is told."
        } else {
            "No route matches, so nobody is told."
        };
        stages.push(stage("route", None, false, text));
    }
    stages
}

/// The first list that does not let the alert through.
fn mismatch(route: &Route, facts: &Facts) -> String {
    use model::RouteMatch;
    let wanted = &route.matching;
    let one = |part: RouteMatch| !route::matches(&part, facts);
    let none = RouteMatch::default;
    let what = if one(RouteMatch { rule_ids: wanted.rule_ids.clone(), ..none() }) {
        "its rules"
    } else if one(RouteMatch { severities: wanted.severities.clone(), ..none() }) {
        "its severities"
    } else if one(RouteMatch { platforms: wanted.platforms.clone(), ..none() }) {
        "its platforms"
    } else if one(RouteMatch { customers: wanted.customers.clone(), ..none() }) {
        "its customers"
    } else if one(RouteMatch { tags: wanted.tags.clone(), ..none() }) {
        "its tags"
    } else if one(RouteMatch { tiers: wanted.tiers.clone(), ..none() }) {
        "its tiers"
    } else if one(RouteMatch { sources: wanted.sources.clone(), ..none() }) {
        "its sources"
    } else {
        "its environments"
    };
    format!("It does not match: the alert is not in {what}.")
}

fn when(route: &Route) -> String {
    let first = match route.first_wait_seconds {
        0 => "the first message at once".to_owned(),
        seconds => format!("the first message after {seconds} seconds"),
    };
    let next = group::COLLECTED.num_seconds();
    let interval = TimeDelta::seconds(route.interval_seconds).num_seconds();
    format!("{first}, what joins next after {next} seconds, the rest at most every {interval} seconds")
}

fn mutes(muted: Option<mute::Muted<'_>>) -> Vec<Stage> {
    let until = |at: DateTime<Utc>| at.format("%-d %b %H:%M UTC");
    let (mut outage, mut work, mut silence) = (
        stage("outage", None, true, "No outage tells of it."),
        stage("maintenance", None, true, "There is no maintenance for it now."),
        stage("silence", None, true, "No silence is about it."),
    );
    match muted {
        Some(mute::Muted::Outage) => {
            outage = stage("outage", None, false, "An outage tells of it; it is not told by itself.")
        }
        Some(mute::Muted::Maintenance(one, end)) => {
            let text = format!("Maintenance by {} ({}) until {}.", one.by, one.reason, until(end));
            work = stage("maintenance", Some(&one.reason), false, text);
        }
        Some(mute::Muted::Silence(one)) => {
            let text = format!("Silenced by {} ({}) until {}.", one.by, one.reason, until(one.ends_at));
            silence = stage("silence", Some(&one.reason), false, text);
        }
        None => {}
    }
    vec![outage, work, silence]
}

#[cfg(test)]
mod tests {
    use super::super::{route::tests::route, samples::facts};
    use super::*;
    use model::RouteMatch;

    #[test]
    fn it_says_why_nobody_is_told() {
        let known = Known { routes: &[], maintenances: &[], silences: &[], channels: &[], told: BTreeSet::new() };
        let explained = explain(&facts(1), &known, DateTime::UNIX_EPOCH);
        assert!(explained.channels.is_empty());
        assert_eq!(explained.stages[0].text, "There is no route, so nobody is told.");
    }

    #[test]
    fn it_names_the_list_that_does_not_match() {
        let routes = [
            route(1, RouteMatch { platforms: vec!["netsuite".into()], ..RouteMatch::default() }, false),
            route(2, RouteMatch::default(), false),
            route(3, RouteMatch::default(), false),
        ];
        let known = Known { routes: &routes, maintenances: &[], silences: &[], channels: &[], told: BTreeSet::new() };
        let explained = explain(&facts(1), &known, DateTime::UNIX_EPOCH);
        let routes: Vec<_> = explained.stages.iter().filter(|stage| stage.stage == "route").collect();
        assert_eq!(routes.len(), 2, "the third is not asked: {routes:?}");
        assert!(!routes[0].passes && routes[0].text.contains("its platforms") && routes[1].passes);
    }
}
