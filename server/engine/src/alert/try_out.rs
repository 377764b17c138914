//! Reads the past for a rule that is tried out, and replays it.

use super::condition::{health_holds, many};
use super::holding;
use super::machine::Timer;
use super::preview::{Replay, Seen};
use super::rule::Compiled;
use super::{caveat, replay};
use crate::store::{alert_history, alert_sweep};
use chrono::{DateTime, Utc};
use model::{Health, NewRule, OutageKind, Preview, RuleId, Subject, SubjectKind, WhenKind};
use sqlx::{PgConnection, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// What a rule, which has said all, would have done from a moment until now.
///
/// # Errors
/// When the database fails.
pub async fn try_out(
    conn: &mut PgConnection,
    rule: &NewRule,
    sentence: String,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Preview> {
    let (own, hold) = (rule.for_seconds.unwrap_or(0), rule.hold_seconds.unwrap_or(0));
    let compiled = Compiled::new(RuleId(Uuid::nil()), 0, rule.when.clone(), rule.scope.clone(), Timer::new(own, hold));
    let mut replay = Replay::new(from, now, own, hold);
    let (conn, rule, window) = (&mut *conn, &compiled, (from, now));
    match rule.when.kind {
        WhenKind::ConnectionHealth | WhenKind::ShareOfConnections => {
            connections(conn, rule, &mut replay, window).await?;
        }
        WhenKind::Flapping => replay::turning(conn, rule, &mut replay, window).await?,
        WhenKind::SyncLate | WhenKind::Silence => replay::pauses(conn, rule, &mut replay, window).await?,
        WhenKind::FailedWebhooks => replay::failed(conn, rule, &mut replay, window).await?,
        WhenKind::UpstreamUnwell => upstream(conn, rule, &mut replay, from).await?,
        WhenKind::SelfUnwell => ourselves(conn, rule, &mut replay, from, now).await?,
        WhenKind::CredentialAge => right_now(conn, rule, &mut replay, now).await?,
    }
    Ok(replay.preview(sentence, caveat::of(rule)))
}

async fn connections(
    conn: &mut PgConnection,
    rule: &Compiled,
    replay: &mut Replay,
    (from, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<()> {
    let facts = replay::in_scope(conn, rule, from).await?;
    let blind = replay::blindness(conn, from).await?;
    let ids: Vec<Uuid> = facts.keys().map(|id| id.0).collect();
    let mut together: Vec<(DateTime<Utc>, i64, i64)> = Vec::new();
    alert_history::turns(conn, &ids, from, now, |id, turns| {
        let Some(facts) = facts.get(&id) else { return };
        match rule.when.kind {
            WhenKind::ShareOfConnections => together.extend(shares(rule, turns)),
            _ => {
                let blind = blind.get(&facts.of.source).map_or(&[][..], Vec::as_slice);
                replay.take(&healths(rule, turns, blind, now), || facts.subject());
            }
        }
    })
    .await?;
    if rule.when.kind == WhenKind::ShareOfConnections {
        replay.take(&summed(rule, together), || Subject {
            kind: SubjectKind::Fleet,
            id: "connections".to_owned(),
            name: "Connections together".to_owned(),
        });
    }
    Ok(())
}

/// The turns of a connection as a rule sees them; when its source can be seen again, what is still so counts from then on.
fn healths(
    rule: &Compiled,
    turns: &[(DateTime<Utc>, Option<Health>)],
    blind: &[(DateTime<Utc>, Option<DateTime<Utc>>)],
    now: DateTime<Utc>,
) -> Vec<Seen> {
    let is_blind = |at: DateTime<Utc>| blind.iter().any(|(from, to)| *from <= at && to.is_none_or(|end| at < end));
    let seen = |at: DateTime<Utc>, health: Option<Health>| Seen {
        at,
        holds: health_holds(rule.healths, health, is_blind(at), false),
        goes_on: health_holds(rule.healths, health, is_blind(at), true),
    };
    let mut all: Vec<Seen> = turns.iter().map(|(at, health)| seen(*at, *health)).collect();
    if blind.is_empty() {
        return all;
    }
    for end in blind.iter().filter_map(|(_, end)| *end).filter(|end| *end <= now) {
        if let Some((_, health)) = turns.iter().rev().find(|(at, _)| *at <= end) {
            all.push(seen(end, *health));
        }
    }
    all.sort_by_key(|seen| seen.at);
    all
}

/// How a connection changes how many are hit, and how many there are.
fn shares(rule: &Compiled, turns: &[(DateTime<Utc>, Option<Health>)]) -> Vec<(DateTime<Utc>, i64, i64)> {
    let (mut was_hit, mut was_there) = (0, 0);
    let mut all = Vec::new();
    for (at, health) in turns {
        let (hit, there) = (i64::from(rule.healths.contains(*health)), i64::from(health.is_some()));
        if (hit, there) != (was_hit, was_there) {
            all.push((*at, hit - was_hit, there - was_there));
            (was_hit, was_there) = (hit, there);
        }
    }
    all
}

fn summed(rule: &Compiled, mut turns: Vec<(DateTime<Utc>, i64, i64)>) -> Vec<Seen> {
    turns.sort_unstable_by_key(|turn| turn.0);
    let (mut hit, mut total) = (0i64, 0i64);
    let mut all: Vec<Seen> = Vec::new();
    for (at, more_hit, more) in turns {
        (hit, total) = (hit + more_hit, total + more);
        let holds = many(&rule.when, hit.max(0).unsigned_abs(), total.max(0).unsigned_abs());
        match all.last_mut() {
            // of one moment only what came of it counts
            Some(last) if last.at == at => *last = Seen::new(at, holds),
            _ => all.push(Seen::new(at, holds)),
        }
    }
    all
}

async fn upstream(conn: &mut PgConnection, rule: &Compiled, replay: &mut Replay, from: DateTime<Utc>) -> Result<()> {
    let mut own: HashMap<Subject, Vec<Seen>> = HashMap::new();
    for outage in alert_sweep::outages(conn, from).await? {
        if let Some(subject) = holding::of_outage(rule, &outage) {
            let seen = own.entry(subject).or_default();
            seen.push(Seen::new(outage.from, true));
            seen.extend(outage.to.map(|end| Seen::new(end, false)));
        }
    }
    for (subject, seen) in own {
        replay.take(&seen, || subject.clone());
    }
    Ok(())
}

async fn ourselves(
    conn: &mut PgConnection,
    rule: &Compiled,
    replay: &mut Replay,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut own: HashMap<Subject, Vec<Seen>> = HashMap::new();
    for outage in
        alert_sweep::outages(conn, from).await?.into_iter().filter(|outage| outage.blind && outage.to.is_some())
    {
        let (kind, id) = match (outage.kind, outage.source) {
            (OutageKind::Source, Some((id, _))) => (SubjectKind::Source, id.to_string()),
            _ => (SubjectKind::Linewatch, holding::POLLER.to_owned()),
        };
        let name = if kind == SubjectKind::Source { outage.name } else { "Polling".to_owned() };
        let seen = own.entry(Subject { kind, id, name }).or_default();
        seen.push(Seen::new(outage.from, true));
        seen.extend(outage.to.map(|end| Seen::new(end, false)));
    }
    for found in holding::holding(conn, rule, now).await? {
        own.entry(found.subject).or_default().push(Seen::new(found.since.unwrap_or(now).min(now), true));
    }
    for (subject, mut seen) in own {
        seen.sort_by_key(|seen| seen.at);
        replay.take(&seen, || subject.clone());
    }
    Ok(())
}

/// What is so now and has been since a known time: of secrets those that are there tell all that is kept.
async fn right_now(conn: &mut PgConnection, rule: &Compiled, replay: &mut Replay, now: DateTime<Utc>) -> Result<()> {
    for found in holding::holding(conn, rule, now).await?.into_iter().filter(|found| !found.blind) {
        let since = found.since.unwrap_or(now).min(now);
        replay.take(&[Seen::new(since, true)], || found.subject.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Scope, When};
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn rule(when: When) -> Compiled {
        let when = When { health: vec![Health::Offline, Health::Unknown], ..when };
        Compiled::new(RuleId(Uuid::nil()), 0, when, Scope::default(), Timer::new(0, 0))
    }

    #[test]
    fn what_is_so_while_nobody_sees_it_counts_from_when_it_is_seen_again() {
        let rule = rule(When::new(WhenKind::ConnectionHealth));
        let turns = [(at(0), Some(Health::Healthy)), (at(20), Some(Health::Unknown))];
        let seen = |blind: &[(i64, Option<i64>)], now| {
            let blind: Vec<_> = blind.iter().map(|(from, to)| (at(*from), to.map(at))).collect();
            healths(&rule, &turns, &blind, at(now))
        };
        let of = |second, holds, goes_on| Seen { at: at(second), holds, goes_on };
        let (well, ill) = (of(0, false, false), of(20, true, true));
        let unseen = of(20, false, true);
        assert_eq!(seen(&[], 99), [well, ill]);
        assert_eq!(seen(&[(10, Some(50))], 99), [well, unseen, of(50, true, true)]);
        assert_eq!(seen(&[(10, Some(50))], 50), [well, unseen, of(50, true, true)]);
        assert_eq!(seen(&[(10, Some(50))], 49), [well, unseen], "not yet");
        assert_eq!(seen(&[(20, None)], 99), [well, unseen]);
        assert_eq!(seen(&[(21, None)], 99), [well, ill], "it was seen to begin");
        assert_eq!(seen(&[(5, Some(10))], 99), [well, of(10, false, false), ill]);
        assert_eq!(seen(&[(5, Some(20))], 99)[1..], [ill, ill], "seen again at that very moment");
    }

    proptest! {
        #[test]
        fn how_many_are_hit_is_what_counting_at_every_second_says(
            stories in prop::collection::vec(
                prop::collection::vec((0i64..20, prop::option::of(prop::sample::select(Health::ALL))), 0..8),
                1..5,
            ),
            percent in 1u8..100,
        ) {
            let rule = rule(When { percent: Some(percent), ..When::new(WhenKind::ShareOfConnections) });
            let stories: Vec<Vec<_>> = stories
                .into_iter()
                .map(|story| {
                    let mut second = 0;
                    story.into_iter().map(|(gap, health)| { second += gap; (at(second), health) }).collect()
                })
                .collect();
            let seen = summed(&rule, stories.iter().flat_map(|story| shares(&rule, story)).collect());
            prop_assert!(seen.windows(2).all(|pair| pair[0].at < pair[1].at), "of one moment only what came of it");
            for second in 0..200 {
                let now: Vec<Health> = stories
                    .iter()
                    .filter_map(|story| story.iter().rev().find(|(from, _)| *from <= at(second)).and_then(|(_, health)| *health))
                    .collect();
                let hit = now.iter().filter(|health| matches!(health, Health::Offline | Health::Unknown)).count() as u64;
                let held = seen.iter().rev().find(|seen| seen.at <= at(second)).is_some_and(|seen| seen.holds);
                let share = hit > 0 && hit * 100 >= now.len() as u64 * u64::from(percent);
                prop_assert_eq!(held, share, "at {}: {} of {}", second, hit, now.len());
            }
        }
    }
}
