//! Reasons not to tell: an outage that tells of it, maintenance, a silence. Pure.

use super::{Facts, admits, admits_any, recurrence};
use chrono::{DateTime, Utc};
use model::{Maintenance, MutedBy, Scope, Silence, SilenceMatch};

/// Why an alert is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Muted<'a> {
    /// An outage tells of it.
    Outage,
    /// Maintenance, and until when this time.
    Maintenance(&'a Maintenance, DateTime<Utc>),
    /// A silence.
    Silence(&'a Silence),
}

impl Muted<'_> {
    /// The same as a word.
    pub fn by(self) -> MutedBy {
        match self {
            Self::Outage => MutedBy::Outage,
            Self::Maintenance(..) => MutedBy::Maintenance,
            Self::Silence(_) => MutedBy::Silence,
        }
    }
}

/// Whether a silence is about this alert.
pub fn silences(wanted: &SilenceMatch, facts: &Facts) -> bool {
    admits(&wanted.rule_ids, Some(&facts.rule))
        && admits(&wanted.severities, Some(&facts.severity))
        && admits(&wanted.alert_ids, Some(&facts.alert))
        && admits(&wanted.connections, facts.connection.as_ref())
        && admits(&wanted.customers, facts.customer.as_ref())
        && admits(&wanted.platforms, facts.platform.as_ref())
        && admits(&wanted.sources, facts.source.as_ref())
        && admits_any(&wanted.tags, &facts.tags)
}

/// Whether a scope is about this alert.
pub fn in_scope(scope: &Scope, facts: &Facts) -> bool {
    let inside = admits(&scope.customers, facts.customer.as_ref())
        && admits_any(&scope.tags, &facts.tags)
        && admits(&scope.tiers, facts.tier.as_ref())
        && admits(&scope.platforms, facts.platform.as_ref())
        && admits(&scope.sources, facts.source.as_ref())
        && admits(&scope.environments, facts.environment.as_ref())
        && admits_any(&scope.owners, &facts.owners);
    inside != (scope.except && !scope.is_all())
}

/// The first reason not to tell, in this order: outage, maintenance, silence.
pub fn muted<'a>(
    facts: &Facts,
    maintenances: &'a [Maintenance],
    quiet: &'a [Silence],
    now: DateTime<Utc>,
) -> Option<Muted<'a>> {
    if facts.muted_by == Some(MutedBy::Outage) {
        return Some(Muted::Outage);
    }
    let works = maintenances.iter().filter(|one| in_scope(&one.scope, facts));
    let mut works = works.filter_map(|one| Some(Muted::Maintenance(one, recurrence::active(one, now)?)));
    let mut quiet = quiet.iter().filter(|one| one.starts_at <= now && now < one.ends_at);
    works.next().or_else(|| quiet.find(|one| silences(&one.matching, facts)).map(Muted::Silence))
}

/// Whether a reason not to tell begins in `(from, to]`, so that what is told now may be muted.
pub fn begins(maintenances: &[Maintenance], quiet: &[Silence], from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
    let within = |at: DateTime<Utc>| from < at && at <= to;
    let begun = |one: &Maintenance| recurrence::next(one, from).is_some_and(within);
    quiet.iter().any(|one| within(one.starts_at)) || maintenances.iter().any(begun)
}

#[cfg(test)]
mod tests {
    use super::super::samples::facts;
    use super::*;
    use chrono::TimeDelta;
    use model::{MaintenanceId, SilenceId};
    use uuid::Uuid;

    fn silence(matching: SilenceMatch, from: i64, to: i64) -> Silence {
        Silence {
            id: SilenceId(Uuid::nil()),
            matching,
            words: String::new(),
            by: "ines".into(),
            reason: "known".into(),
            starts_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(from),
            ends_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(to),
            muting: 0,
        }
    }

    fn maintenance(scope: Scope) -> Maintenance {
        Maintenance {
            id: MaintenanceId(Uuid::nil()),
            scope,
            by: "ines".into(),
            reason: "upgrade".into(),
            starts_at: DateTime::UNIX_EPOCH,
            ends_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(100),
            recurrence: None,
            active: false,
            next_at: None,
            coming: Vec::new(),
        }
    }

    #[test]
    fn the_first_reason_counts_and_each_ends() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let (quiet, works) = ([silence(SilenceMatch::default(), 10, 20)], [maintenance(Scope::default())]);
        let mut one = facts(1);
        let by = |facts: &Facts, works: &[Maintenance], now| muted(facts, works, &quiet, at(now)).map(Muted::by);
        assert_eq!(by(&one, &works, 15), Some(MutedBy::Maintenance));
        assert_eq!(by(&one, &[], 15), Some(MutedBy::Silence));
        assert_eq!((by(&one, &[], 9), by(&one, &[], 20)), (None, None));
        assert_eq!((by(&one, &[], 10), by(&one, &[], 19)), (Some(MutedBy::Silence), Some(MutedBy::Silence)));
        assert_eq!(
            (by(&one, &works, 0), by(&one, &works, 99)),
            (Some(MutedBy::Maintenance), Some(MutedBy::Maintenance))
        );
        let others = [maintenance(Scope { platforms: vec!["netsuite".into()], ..Scope::default() })];
        assert_eq!((by(&one, &others, 15), by(&one, &others, 50)), (Some(MutedBy::Silence), None), "not its platform");
        one.muted_by = Some(MutedBy::Silence);
        assert_eq!(by(&one, &[], 20), None, "what was decided last time is no reason by itself");
        assert_eq!(by(&one, &works, 100), None);
        one.muted_by = Some(MutedBy::Outage);
        assert_eq!(by(&one, &works, 15), Some(MutedBy::Outage));
        assert!(begins(&works, &quiet, at(9), at(10)) && !begins(&works, &quiet, at(10), at(11)));
        assert!(!begins(&[], &quiet, at(8), at(9)) && !begins(&[], &quiet, at(19), at(20)));
        assert!(begins(&works, &[], at(-5), at(0)) && !begins(&works, &[], at(-5), at(-1)));
        assert!(!begins(&works, &[], at(0), at(50)), "it has begun already");
    }

    #[test]
    fn all_but_these_is_the_rest_and_all_but_nothing_is_all() {
        let one = facts(1);
        let mut scope = Scope { platforms: vec!["sap".into()], ..Scope::default() };
        assert!(in_scope(&scope, &one));
        scope.except = true;
        assert!(!in_scope(&scope, &one));
        assert!(in_scope(&Scope { except: true, ..Scope::default() }, &one));
    }
}
