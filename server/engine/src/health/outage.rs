//! When many failures are one outage, and when it is over. Pure: counts, rounds and a time in; verdicts out.

use chrono::{DateTime, TimeDelta, Utc};
use model::OutageKind;
use std::collections::{BTreeMap, BTreeSet};

/// So many failed rounds in a row make an outage of a source …
const ROUNDS: i32 = 3;
/// … and so does failing for so long, however few rounds that were.
const ROUNDS_FAIL_FOR: TimeDelta = TimeDelta::seconds(60);

/// What makes an outage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutagePolicy {
    /// At least so many connections …
    pub at_least: u64,
    /// … and at least this share of them, in percent …
    pub percent: u64,
    /// … failed within this time. Issues opened so long before are folded.
    pub window: TimeDelta,
    /// It is over when fewer are broken than make an outage for so long.
    pub hold: TimeDelta,
}

impl Default for OutagePolicy {
    fn default() -> Self {
        Self { at_least: 5, percent: 30, window: TimeDelta::seconds(60), hold: super::RECOVERY_HOLD }
    }
}

impl OutagePolicy {
    /// Whether so many of so many make one.
    pub fn is_met(&self, failed: u64, total: u64) -> bool {
        failed >= self.at_least.max(1) && failed.saturating_mul(100) >= total.saturating_mul(self.percent)
    }

    /// Whether some cells, of which so many fail of so many, could make one, whenever they began to fail. Cheap to ask: if
    /// several meet the share together, at least one of them does alone.
    pub fn may_be_met(&self, cells: impl Iterator<Item = (u64, u64)>) -> bool {
        let (all, share) = cells.fold((0u64, false), |(all, share), (failing, total)| {
            let meets = failing > 0 && failing.saturating_mul(100) >= total.saturating_mul(self.percent);
            (all.saturating_add(failing), share || meets)
        });
        all >= self.at_least.max(1) && share
    }
}

/// The connections of one platform through one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The platform's slug.
    pub platform: String,
    /// The source's name.
    pub source: String,
    /// How many there are.
    pub total: u64,
    /// How many of them failed within the window and still do.
    pub failed: u64,
    /// When the first of these failed.
    pub first_at: Option<DateTime<Utc>>,
}

/// How the rounds over an enabled source go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// The source's name.
    pub source: String,
    /// Since when they fail; none when the last one was good.
    pub failing_since: Option<DateTime<Utc>>,
    /// How many failed in a row.
    pub attempts: i32,
    /// They fail for a reason of our own: the way out, or what we need to sign in.
    pub way_out: bool,
    /// Our own settings or vault: no source is to blame.
    pub ours: bool,
    /// Since when a round is overdue that nobody begins although a process should.
    pub overdue_since: Option<DateTime<Utc>>,
}

impl Rounds {
    fn has_failed(&self, now: DateTime<Utc>) -> bool {
        self.failing_since.is_some_and(|since| self.attempts >= ROUNDS || now - since >= ROUNDS_FAIL_FOR)
    }
}

/// What an outage is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// What kind of thing.
    pub kind: OutageKind,
    /// A platform's slug, a source's name, or [`POLLER`].
    pub slug: String,
}

/// The slug of our own poller.
pub const POLLER: &str = "poller";

impl Subject {
    fn new(kind: OutageKind, slug: &str) -> Self {
        Self { kind, slug: slug.to_owned() }
    }
}

/// An outage that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// Of what.
    pub subject: Subject,
    /// It began because an API, or the way to it, failed: nothing is seen while it lasts.
    pub blind: bool,
    /// Since when fewer are broken than make an outage.
    pub calm_since: Option<DateTime<Utc>>,
    /// How many of those it has hit are broken.
    pub broken: u64,
    /// How many connections its subject has.
    pub total: u64,
}

/// What becomes of an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is one from now on.
    Begin {
        /// When the first failed.
        started_at: DateTime<Utc>,
        /// See [`Lasting::blind`].
        blind: bool,
    },
    /// It was calm, and is no longer.
    Grow,
    /// Fewer are broken than make an outage; that must last.
    Calm,
    /// It is over.
    End,
}

/// Decides about every subject; those about which there is nothing to say are left out. One cause, one outage: the poller stands
/// for the sources, a source for its platforms, unless it is a single platform that fails.
pub fn decide(
    cells: &[Cell],
    rounds: &[Rounds],
    lasting: &[Lasting],
    policy: &OutagePolicy,
    now: DateTime<Utc>,
) -> BTreeMap<Subject, Verdict> {
    let standing: BTreeSet<&Subject> = lasting.iter().map(|outage| &outage.subject).collect();
    let blind = blind(rounds, &standing, now);
    let mut verdicts: BTreeMap<Subject, Verdict> = BTreeMap::new();
    for outage in lasting {
        if let Some(verdict) = goes_on(outage, blind.contains_key(&outage.subject), policy, now) {
            verdicts.insert(outage.subject.clone(), verdict);
        }
    }
    let poller = Subject::new(OutageKind::Poller, POLLER);
    for (subject, started_at) in &blind {
        let stands_above = *subject != poller && (standing.contains(&poller) || blind.contains_key(&poller));
        if !standing.contains(subject) && !stands_above {
            verdicts.insert(subject.clone(), Verdict::Begin { started_at: *started_at, blind: true });
        }
    }
    let mut left: Vec<&Cell> = cells
        .iter()
        .filter(|cell| !standing.contains(&Subject::new(OutageKind::Platform, &cell.platform)))
        .filter(|cell| !standing.contains(&Subject::new(OutageKind::Source, &cell.source)))
        .collect();
    let sources: BTreeSet<&str> = left.iter().map(|cell| cell.source.as_str()).collect();
    for source in sources {
        let (its, others): (Vec<_>, Vec<_>) = left.iter().partition(|cell| cell.source == source);
        if let Some(started_at) = fails_as_a_whole(&its, policy) {
            let subject = Subject::new(OutageKind::Source, source);
            verdicts.entry(subject).or_insert(Verdict::Begin { started_at, blind: false });
            left = others;
        }
    }
    let platforms: BTreeSet<&str> = left.iter().map(|cell| cell.platform.as_str()).collect();
    for platform in platforms {
        let its: Vec<_> = left.iter().copied().filter(|cell| cell.platform == platform).collect();
        if let Some(started_at) = fails(&its, policy) {
            verdicts.insert(Subject::new(OutageKind::Platform, platform), Verdict::Begin { started_at, blind: false });
        }
    }
    verdicts
}

/// Which sources cannot be seen, or whether none can be and it is us; since when.
fn blind(rounds: &[Rounds], standing: &BTreeSet<&Subject>, now: DateTime<Utc>) -> BTreeMap<Subject, DateTime<Utc>> {
    let failing: Vec<_> = rounds.iter().filter_map(|source| Some((source, source.failing_since?))).collect();
    let poller = Subject::new(OutageKind::Poller, POLLER);
    // that all of several sources are unreachable at once is rather our way out than each of theirs
    let all = !rounds.is_empty() && failing.len() == rounds.len();
    let us = all && (rounds.iter().all(|source| source.ours) || rounds.len() > 1 && rounds.iter().all(|s| s.way_out));
    let known = standing.contains(&poller) || rounds.iter().any(|source| source.has_failed(now));
    let mut blind: BTreeMap<Subject, DateTime<Utc>> = BTreeMap::new();
    let stuck = rounds.iter().map(|source| source.overdue_since).collect::<Option<Vec<_>>>();
    if let Some(since) = stuck.and_then(|since| since.into_iter().min()) {
        blind.insert(poller.clone(), since);
    }
    if let Some(since) = failing.iter().map(|(_, since)| *since).min().filter(|_| us && known) {
        blind.insert(poller, since);
    }
    for (source, since) in failing {
        let subject = Subject::new(OutageKind::Source, &source.source);
        if source.has_failed(now) || standing.contains(&subject) {
            blind.insert(subject, since);
        }
    }
    blind
}

fn goes_on(outage: &Lasting, is_blind: bool, policy: &OutagePolicy, now: DateTime<Utc>) -> Option<Verdict> {
    if is_blind || policy.is_met(outage.broken, outage.total) {
        return outage.calm_since.map(|_| Verdict::Grow);
    }
    if outage.blind {
        return Some(Verdict::End);
    }
    match outage.calm_since {
        None => Some(Verdict::Calm),
        Some(since) if now - since >= policy.hold => Some(Verdict::End),
        Some(_) => None,
    }
}

/// Whether they make an outage together; since when.
fn fails(cells: &[&Cell], policy: &OutagePolicy) -> Option<DateTime<Utc>> {
    let sum = |of: fn(&Cell) -> u64| cells.iter().fold(0u64, |sum, cell| sum.saturating_add(of(cell)));
    let first_at = cells.iter().filter(|cell| cell.failed > 0).filter_map(|cell| cell.first_at).min();
    first_at.filter(|_| policy.is_met(sum(|cell| cell.failed), sum(|cell| cell.total)))
}

/// Whether a source fails as a whole: it would without its worst platform too.
fn fails_as_a_whole(cells: &[&Cell], policy: &OutagePolicy) -> Option<DateTime<Utc>> {
    let worst = cells.iter().map(|cell| (cell.failed, &cell.platform)).max()?.1;
    let others: Vec<_> = cells.iter().copied().filter(|cell| cell.platform != *worst).collect();
    fails(&others, policy)?;
    fails(cells, policy)
}

#[cfg(test)]
mod tests;
