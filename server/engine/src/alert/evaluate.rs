//! Looks at what changed, and only at that: what was touched, what the clock made due, and rules that were changed.

use super::condition::{Healths, health_holds};
use super::facts::{Facts, Touch};
use super::ledger::{Ledger, Look};
use super::rule::{Compiled, Rules};
use super::scope;
use crate::clock::SharedClock;
use crate::live;
use crate::store::{alert, alert_facts, alert_touch, rule};
use crate::work::Step;
use chrono::{DateTime, Utc};
use model::{ConnectionId, Health, RuleId, SourceId};
use sqlx::{PgConnection, PgPool, Result};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// So many changes at once.
const BATCH: i64 = 10_000;

/// Decides about alerts. Any number of processes may; they take turns. Cheap to clone.
#[derive(Clone)]
pub struct Evaluator(Arc<Shared>);

pub(super) struct Shared {
    pub(super) pool: PgPool,
    pub(super) clock: SharedClock,
    rules: Mutex<Option<Arc<Rules>>>,
    /// Who could not be seen when this process last looked; none before it has.
    pub(super) blind: Mutex<Option<BTreeSet<SourceId>>>,
}

impl Evaluator {
    /// One over this database.
    pub fn new(pool: PgPool, clock: SharedClock) -> Self {
        Self(Arc::new(Shared { pool, clock, rules: Mutex::default(), blind: Mutex::default() }))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }

    /// Every rule as it is now, made ready once for each change of any.
    pub(super) async fn rules(&self, conn: &mut PgConnection) -> Result<Arc<Rules>> {
        let fingerprint = rule::fingerprint(conn).await?;
        let known = self.0.rules.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.fingerprint == fingerprint) {
            return Ok(known);
        }
        let rules = Arc::new(rule::compiled(conn).await?);
        *self.0.rules.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&rules));
        Ok(rules)
    }

    /// One look at what was touched, what is due, and what was changed of rules about single connections. Everything that follows is
    /// in one transaction, with the touches that it takes.
    ///
    /// # Errors
    /// When the database fails; nothing is lost then.
    pub async fn step(&self) -> Result<Step> {
        let Shared { pool, clock, .. } = self.shared();
        {
            let mut conn = pool.acquire().await?;
            if !alert::is_due(&mut conn, clock.now()).await? {
                return Ok(Step::Idle);
            }
        }
        let mut tx = pool.begin().await?;
        alert::lock(&mut tx).await?;
        let now = clock.now();
        let rules = self.rules(&mut tx).await?;
        let touches = alert_touch::take(&mut tx, BATCH).await?;
        let batch = Batch::read(&mut tx, &rules, &touches, now).await?;
        let settled = batch.settled();
        let (write, looks) = batch.decide(&touches, now);
        let changes = alert::write(&mut tx, &write, now).await?;
        if !settled.is_empty() {
            rule::settle(&mut tx, &settled).await?;
        }
        live::announce(&mut tx, &changes).await?;
        tx.commit().await?;
        metrics::counter!("linewatch_alert_evaluations_total").increment(looks);
        if let Some(oldest) = touches.iter().map(|touch| touch.at).min() {
            metrics::histogram!("linewatch_alert_lag_seconds").record((clock.now() - oldest).as_seconds_f64().max(0.0));
        }
        let full = i64::try_from(touches.len()).is_ok_and(|n| n == BATCH);
        Ok(if full { Step::Busy } else { Step::Idle })
    }

    /// Shows how many alerts fire.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn figures(&self) -> Result<Step> {
        let firing = alert::firing(&mut *self.0.pool.acquire().await?).await?;
        #[expect(clippy::cast_precision_loss, reason = "a count of what people look after")]
        metrics::gauge!("linewatch_alerts_firing").set(firing as f64);
        Ok(Step::Idle)
    }
}

/// What one look works on.
pub(super) struct Batch<'a> {
    /// Rules about the health of single connections.
    touched: Vec<&'a Compiled>,
    /// Those and others that are to be looked at anew, or are no more.
    anew: Vec<&'a Compiled>,
    rules: &'a Rules,
    facts: HashMap<ConnectionId, Facts>,
    ledger: Ledger,
    /// The alerts whose time has come by the clock.
    live: HashSet<(RuleId, ConnectionId)>,
}

impl<'a> Batch<'a> {
    async fn read(
        conn: &mut PgConnection,
        rules: &'a Rules,
        touches: &[Touch],
        now: DateTime<Utc>,
    ) -> Result<Batch<'a>> {
        let touched: Vec<_> = rules.all.values().filter(|rule| rule.active && rule.is_touched()).collect();
        let anew: Vec<_> =
            rules.all.values().filter(|rule| !rule.settled && (!rule.active || rule.is_touched())).collect();
        let ids = |rules: &[&Compiled]| rules.iter().map(|rule| rule.id.0).collect::<Vec<Uuid>>();
        let mut seen: Vec<ConnectionId> = touches.iter().map(|touch| touch.connection).collect();
        seen.sort_unstable();
        seen.dedup();
        let mut kept = alert::of_connections(conn, &ids(&touched), &seen, now).await?;
        let mut facts = Vec::new();
        if !anew.is_empty() {
            kept.extend(alert::of_rules(conn, &ids(&anew)).await?);
            let ranks =
                anew.iter().filter(|rule| rule.active).fold(Healths::default(), |all, rule| all.or(rule.healths));
            facts = alert_facts::in_ranks(conn, &ranks.ranks()).await?;
        }
        let live: HashSet<(RuleId, ConnectionId)> =
            kept.iter().filter_map(|kept| Some((kept.rule, kept.subject.id.parse().ok()?))).collect();
        let mut wanted: Vec<Uuid> = seen.iter().map(|id| id.0).chain(live.iter().map(|(_, id)| id.0)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        facts.extend(alert_facts::of(conn, &wanted).await?);
        let facts = facts.into_iter().map(|facts| (facts.id, facts)).collect();
        Ok(Self { touched, anew, rules, facts, ledger: Ledger::new(kept), live })
    }

    fn settled(&self) -> Vec<(RuleId, i64)> {
        self.anew.iter().map(|rule| (rule.id, rule.version)).collect()
    }

    fn decide(mut self, touches: &[Touch], now: DateTime<Utc>) -> (super::Write, u64) {
        for touch in touches {
            let Some(facts) = self.facts.get(&touch.connection) else { continue };
            for rule in &self.touched {
                // most rules wait for something else, and have no alert that could end
                if rule.healths.contains(touch.health) {
                    self.live.insert((rule.id, facts.id));
                } else if !self.live.contains(&(rule.id, facts.id)) {
                    continue;
                }
                see(&mut self.ledger, rule, facts, touch.health, touch.at);
            }
        }
        let live: Vec<_> = self.live.iter().copied().collect();
        for (id, connection) in live {
            if let (Some(rule), Some(facts)) = (self.rules.all.get(&id), self.facts.get(&connection)) {
                pass_time(&mut self.ledger, rule, facts, now);
            }
        }
        for rule in &self.anew {
            look_anew(&mut self.ledger, rule, &self.facts, now);
        }
        let looks = self.ledger.looks;
        let rules = self.rules;
        let zero = super::machine::Timer::new(0, 0);
        (self.ledger.finish(|id| rules.all.get(&id).map_or(zero, |rule| rule.timer)), looks)
    }
}

/// At a moment a connection had a health.
fn see(ledger: &mut Ledger, rule: &Compiled, facts: &Facts, health: Option<Health>, at: DateTime<Utc>) {
    let subject = facts.subject();
    let fires = ledger.course(rule.id, &subject).is_some_and(|course| course.fired_at.is_some());
    let holds = health_holds(rule.healths, health, facts.blind, fires) && scope::matches(&rule.scope, &facts.of);
    let summary = match health.filter(|_| health != facts.health) {
        Some(health) => health.words().to_owned(),
        None => facts.summary(),
    };
    let covered_since = facts.covered_since;
    ledger.see(
        Look { rule: rule.id, timer: rule.timer, subject: &subject, summary: &summary, covered_since },
        at,
        holds,
    );
}

/// The clock has reached now: patience and holds that ended by then have ended.
fn pass_time(ledger: &mut Ledger, rule: &Compiled, facts: &Facts, now: DateTime<Utc>) {
    let subject = facts.subject();
    let Some(course) = ledger.course(rule.id, &subject) else { return };
    let is_due = course.due_at(rule.timer).is_some_and(|due| due <= now);
    let starts = is_due && course.fired_at.is_none();
    if starts && facts.blind && super::condition::is_blindness(facts.health) {
        // that we do not see it is no reason to begin to fire
        return ledger.end(rule.id, &subject, now);
    }
    let summary = facts.summary();
    let covered_since = facts.covered_since;
    ledger.tick(Look { rule: rule.id, timer: rule.timer, subject: &subject, summary: &summary, covered_since }, now);
}

/// A rule was changed: all its subjects are looked at, as if it had always been so. But nothing has fired before it was.
fn look_anew(ledger: &mut Ledger, rule: &Compiled, facts: &HashMap<ConnectionId, Facts>, now: DateTime<Utc>) {
    for subject in ledger.subjects(rule.id) {
        let known = subject.id.parse().ok().and_then(|id: ConnectionId| facts.get(&id));
        match known.filter(|facts| rule.active && scope::matches(&rule.scope, &facts.of)) {
            Some(facts) if rule.is_touched() => see(ledger, rule, facts, facts.health, now),
            _ => ledger.end(rule.id, &subject, now),
        }
    }
    if !rule.active {
        return;
    }
    for facts in holding(rule, facts.values()) {
        if ledger.course(rule.id, &facts.subject()).is_none() {
            see(ledger, rule, facts, facts.health, facts.since.min(now));
            pass_time(ledger, rule, facts, now);
        }
    }
    ledger.fired_not_before(rule.id, now);
    ledger.renew(rule.id);
}

/// The connections for which a rule holds: the pure part of a full pass.
pub fn holding<'f>(
    rule: &'f Compiled,
    facts: impl Iterator<Item = &'f Facts> + 'f,
) -> impl Iterator<Item = &'f Facts> + 'f {
    facts.filter(|facts| {
        health_holds(rule.healths, facts.health, facts.blind, false) && scope::matches(&rule.scope, &facts.of)
    })
}

#[cfg(test)]
mod tests;
