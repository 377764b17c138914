//! Rules whose condition time alone can change, or that look at many together: looked at now and then, and at once where it is
//! cheap and something changed.

use super::evaluate::{Evaluator, Shared};
use super::facts::Holding;
use super::holding::holding;
use super::ledger::{Ledger, Look};
use super::rule::Compiled;
use crate::live;
use crate::store::{alert, alert_facts, alert_touch, rule, source};
use crate::work::Step;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Result};
use std::collections::{BTreeSet, HashMap};
use std::sync::PoisonError;
use uuid::Uuid;

impl Evaluator {
    /// One look at rules that nothing touches: all of them, or only those that are worth it at once and those that were changed.
    /// Outages mute and let go on the way. What holds is read first, and decided on in a short transaction.
    ///
    /// # Errors
    /// When the database fails; the next look makes up for it.
    pub async fn sweep(&self, all: bool) -> Result<Step> {
        let Shared { pool, clock, .. } = self.shared();
        let mut conn = pool.acquire().await?;
        self.look_for_sight(&mut conn).await?;
        let rules = self.rules(&mut conn).await?;
        let swept: Vec<&Compiled> = rules
            .all
            .values()
            .filter(|rule| rule.active && !rule.is_touched() && (all || rule.is_prompt() || !rule.settled))
            .collect();
        let (mut found, now) = (Vec::new(), clock.now());
        for rule in &swept {
            found.push(holding(&mut conn, rule, now).await?);
        }
        drop(conn);
        let mut tx = pool.begin().await?;
        alert::lock(&mut tx).await?;
        if rule::fingerprint(&mut tx).await? != rules.fingerprint {
            // what was read is of rules that are no more: once again
            return Ok(Step::Busy);
        }
        let now = clock.now();
        let ids: Vec<Uuid> = swept.iter().map(|rule| rule.id.0).collect();
        let mut ledger = Ledger::new(alert::of_rules(&mut tx, &ids).await?);
        for (rule, holding) in swept.iter().zip(&found) {
            reconcile(&mut ledger, rule, holding, now);
        }
        metrics::counter!("linewatch_alert_evaluations_total").increment(ledger.looks);
        let timers: HashMap<_, _> = swept.iter().map(|rule| (rule.id, rule.timer)).collect();
        let zero = super::machine::Timer::new(0, 0);
        let write = ledger.finish(|id| timers.get(&id).copied().unwrap_or(zero));
        let mut changes = alert::write(&mut tx, &write, now).await?;
        changes.extend(alert::cover(&mut tx, alert_facts::OUTAGE_WINDOW, now).await?);
        let settled: Vec<_> = swept.iter().filter(|rule| !rule.settled).map(|rule| (rule.id, rule.version)).collect();
        if !settled.is_empty() {
            rule::settle(&mut tx, &settled).await?;
        }
        live::announce(&mut tx, &changes).await?;
        tx.commit().await?;
        Ok(Step::Idle)
    }

    /// When a source can be seen again, what is still unknown or late of it counts from now on.
    async fn look_for_sight(&self, conn: &mut PgConnection) -> Result<()> {
        let Shared { clock, blind, .. } = self.shared();
        let now: BTreeSet<_> = alert_facts::blind(conn).await?.into_iter().collect();
        let before = blind.lock().unwrap_or_else(PoisonError::into_inner).replace(now.clone());
        let seen_again: Vec<_> = match before {
            Some(before) => before.difference(&now).copied().collect(),
            // what came to pass before this process looked is not known: all that can be seen is looked at
            None => source::policies(conn).await?.into_keys().filter(|id| !now.contains(id)).collect(),
        };
        if !seen_again.is_empty() {
            alert_touch::seen_again(conn, &seen_again, clock.now()).await?;
        }
        Ok(())
    }
}

/// Brings the alerts of a rule in line with for whom it holds now.
pub(super) fn reconcile(ledger: &mut Ledger, rule: &Compiled, holding: &[Holding], now: DateTime<Utc>) {
    let mut gone = ledger.subjects(rule.id);
    for one in holding {
        // when it began is known better than when we looked; what the ledger knows of a later moment stands
        let at = one.since.unwrap_or(now).min(now);
        let (subject, summary, covered_since) = (&one.subject, one.summary.as_str(), one.covered_since);
        let look = Look { rule: rule.id, timer: rule.timer, subject, summary, covered_since };
        // a hold that had ended by then has ended, and what begins anew while nothing is seen does not
        ledger.tick(look, at);
        let fires = ledger.course(rule.id, subject).is_some_and(|course| course.fired_at.is_some());
        if one.blind && !fires {
            continue;
        }
        gone.retain(|subject| (subject.kind, &subject.id) != (one.subject.kind, &one.subject.id));
        ledger.see(look, at, true);
        ledger.tick(look, now);
    }
    for subject in gone {
        match ledger.course(rule.id, &subject) {
            // when it ceased to hold is not known: what has not fired by then does not
            Some(course) if course.fired_at.is_none() => ledger.end(rule.id, &subject, now),
            _ => {
                let subject = &subject;
                let look = Look { rule: rule.id, timer: rule.timer, subject, summary: "", covered_since: None };
                ledger.see(look, now, false);
            }
        }
    }
    if !rule.settled {
        ledger.fired_not_before(rule.id, now);
        ledger.renew(rule.id);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Write;
    use super::super::facts::Kept;
    use super::super::machine::{Course, Timer};
    use super::*;
    use model::{AlertId, RuleId, Scope, Subject, SubjectKind, When, WhenKind};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn subject() -> Subject {
        Subject { kind: SubjectKind::Fleet, id: "connections".to_owned(), name: "Connections together".to_owned() }
    }

    /// A rule with a minute of patience and half of one to hold.
    fn look(settled: bool, fired_at: Option<Option<i64>>, since: Option<i64>, now: i64) -> Write {
        let (id, timer) = (RuleId(Uuid::nil()), Timer::new(60, 30));
        let kept = fired_at.map(|fired_at| Kept {
            id: AlertId(Uuid::nil()),
            rule: id,
            subject: subject(),
            summary: String::new(),
            course: Course { since: at(0), fired_at: fired_at.map(at), well_since: None },
            version: 1,
        });
        let rule = Compiled::new(id, 0, When::new(WhenKind::ShareOfConnections), Scope::default(), timer);
        let summary = String::new();
        let holding = since.map(|since| Holding {
            subject: subject(),
            summary,
            since: Some(at(since)),
            blind: false,
            covered_since: None,
        });
        let mut ledger = Ledger::new(kept.into_iter().collect());
        let holding: Vec<_> = holding.into_iter().collect();
        reconcile(&mut ledger, &Compiled { settled, ..rule }, &holding, at(now));
        ledger.finish(|_| timer)
    }

    #[test]
    fn when_it_ceased_between_two_looks_it_has_not_fired_in_between() {
        let dropped = look(true, Some(None), None, 1_000);
        assert_eq!((dropped.turned.len(), dropped.ended.len()), (0, 1), "nobody knows that it held for long enough");
        let recovers = look(true, Some(Some(60)), None, 1_000);
        assert_eq!(recovers.turned[0].course.well_since, Some(at(1_000)), "what fired is held");
        assert_eq!(recovers.turned[0].resolved_at, None);
    }

    #[test]
    fn what_holds_has_fired_when_it_would_have_but_not_before_its_rule_was_changed() {
        for (settled, fired) in [(true, 260), (false, 1_000)] {
            let write = look(settled, None, Some(200), 1_000);
            assert_eq!(write.started[0].course.fired_at, Some(at(fired)), "settled: {settled}");
        }
        let unchanged = look(true, Some(Some(60)), Some(0), 1_000);
        assert_eq!(unchanged, Write::default());
        let renewed = look(false, Some(Some(60)), Some(0), 1_000);
        assert_eq!((renewed.turned.len(), renewed.turned[0].tell), (1, false), "its times may have changed");
    }
}
