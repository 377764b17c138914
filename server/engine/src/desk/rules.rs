//! Rules, and what they would have done.

use super::{Desk, commit};
use crate::alert::sentence::sentence;
use crate::alert::{normal, try_out};
use crate::clock::new_id;
use crate::live;
use crate::store::{audit, internal, rule};
use chrono::TimeDelta;
use model::{
    Actor, Change, ChangeTopic, NewRule, Preview, PreviewWish, Refusal, Role, Rule, RuleChange, RuleId, RulePatch,
};
use serde_json::json;
use sqlx::{PgConnection, Postgres, Transaction};

mod difference;
mod validate;

/// Over so many days a rule is tried out unless somebody says otherwise.
const DAYS: u16 = 30;

impl Desk {
    pub(super) async fn list_rules(&self, actor: &Actor) -> Result<Vec<Rule>, Refusal> {
        actor.must_be(Role::Viewer)?;
        rule::list(&mut *self.conn().await?, None).await.map_err(internal)
    }

    pub(super) async fn read_rule(&self, actor: &Actor, id: RuleId) -> Result<Rule, Refusal> {
        actor.must_be(Role::Viewer)?;
        one(&mut *self.conn().await?, id).await
    }

    pub(super) async fn read_rule_changes(&self, actor: &Actor, id: RuleId) -> Result<Vec<RuleChange>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        let changes = rule::changes(&mut conn, id).await.map_err(internal)?;
        // what was done to a rule that was taken away stays to be read
        if changes.is_empty() { Err(not_found()) } else { Ok(changes) }
    }

    pub(super) async fn create_rule(&self, actor: &Actor, new: NewRule) -> Result<Rule, Refusal> {
        actor.must_be(Role::Support)?;
        let new = validate::rule(normal(new))?;
        let (id, now) = (RuleId(new_id()), self.clock.now());
        let mut tx = self.begin().await?;
        known(&mut tx, &new).await?;
        if !rule::insert(&mut tx, id, &new, None, &actor.name, now).await.map_err(internal)? {
            return Err(taken(&new.name));
        }
        self.finish_rule(tx, actor, id, &new, ("rule.added", "Made".to_owned(), 1)).await
    }

    pub(super) async fn patch_rule(&self, actor: &Actor, id: RuleId, patch: RulePatch) -> Result<Rule, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let before = one(&mut tx, id).await?;
        if patch.version.is_some_and(|version| version != before.version) {
            return Err(stale(&before));
        }
        let was = rule::as_written(&before);
        let new = validate::rule(merge(was.clone(), patch))?;
        let Some(text) = difference::between(&was, &new) else { return Ok(before) };
        known(&mut tx, &new).await?;
        let saved = rule::save(&mut tx, id, before.version, &new, &actor.name, now).await;
        let version = saved.map_err(|error| match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => taken(&new.name),
            _ => internal(error),
        })?;
        let Some(version) = version else { return Err(stale(&before)) };
        self.finish_rule(tx, actor, id, &new, ("rule.changed", text, version)).await
    }

    pub(super) async fn take_rule_away(&self, actor: &Actor, id: RuleId) -> Result<(), Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let before = one(&mut tx, id).await?;
        let removed = rule::remove(&mut tx, id, &actor.name, now).await.map_err(internal)?;
        let version = removed.ok_or_else(not_found)?;
        let change = RuleChange {
            at: now,
            by: actor.name.clone(),
            text: "Taken away; what fired of it is over".to_owned(),
            sentence: before.sentence,
            version,
        };
        rule::note(&mut tx, id, &change).await.map_err(internal)?;
        audit::write(&mut tx, now, actor, "rule.removed", ("rule", id.to_string()), json!({"name": before.name}))
            .await
            .map_err(internal)?;
        announce(&mut tx, id, version).await?;
        commit(tx).await
    }

    pub(super) async fn try_rule(&self, actor: &Actor, wish: PreviewWish) -> Result<Preview, Refusal> {
        actor.must_be(Role::Viewer)?;
        let days = wish.days.unwrap_or(DAYS);
        if !(1..=DAYS).contains(&days) {
            return Err(Refusal::invalid("days", "between 1 and 30 days"));
        }
        let rule = validate::tried(normal(wish.rule))?;
        let now = self.clock.now();
        let mut conn = self.conn().await?;
        known(&mut conn, &rule).await?;
        let names = rule::names(&mut conn, &[&rule.scope]).await.map_err(internal)?;
        let sentence = sentence(&rule, &names);
        let from = now - TimeDelta::days(i64::from(days));
        try_out(&mut conn, &rule, sentence, from, now).await.map_err(internal)
    }

    /// Writes the history and the audit line, tells everybody, and commits. The alerts follow at once: who evaluates is woken.
    async fn finish_rule(
        &self,
        mut tx: Transaction<'static, Postgres>,
        actor: &Actor,
        id: RuleId,
        new: &NewRule,
        (action, text, version): (&str, String, i64),
    ) -> Result<Rule, Refusal> {
        let now = self.clock.now();
        let rule = one(&mut tx, id).await?;
        let (by, sentence) = (actor.name.clone(), rule.sentence.clone());
        let change = RuleChange { at: now, by, text, sentence, version };
        rule::note(&mut tx, id, &change).await.map_err(internal)?;
        audit::write(&mut tx, now, actor, action, ("rule", id.to_string()), json!(new)).await.map_err(internal)?;
        announce(&mut tx, id, version).await?;
        commit(tx).await?;
        Ok(rule)
    }
}

/// What is absent stays.
fn merge(was: NewRule, patch: RulePatch) -> NewRule {
    NewRule {
        name: patch.name.unwrap_or(was.name),
        when: patch.when.unwrap_or(was.when),
        scope: patch.scope.unwrap_or(was.scope),
        for_seconds: patch.for_seconds.or(was.for_seconds),
        hold_seconds: patch.hold_seconds.or(was.hold_seconds),
        severity: patch.severity.or(was.severity),
        group_by: patch.group_by.or(was.group_by),
        repeat_seconds: patch.repeat_seconds.or(was.repeat_seconds),
        note: patch.note.unwrap_or(was.note),
        enabled: patch.enabled.or(was.enabled),
    }
}

/// Refuses what a scope lists and nobody knows.
async fn known(conn: &mut PgConnection, new: &NewRule) -> Result<(), Refusal> {
    let (customers, platforms, sources) = rule::unknown(conn, &new.scope).await.map_err(internal)?;
    let texts = |list: Vec<String>| list.join(", ");
    validate::unknown([
        ("scope.customers", "customer", texts(customers.iter().map(ToString::to_string).collect())),
        ("scope.platforms", "platform", texts(platforms)),
        ("scope.sources", "source", texts(sources.iter().map(ToString::to_string).collect())),
    ])
}

async fn one(conn: &mut PgConnection, id: RuleId) -> Result<Rule, Refusal> {
    rule::list(conn, Some(id)).await.map_err(internal)?.pop().ok_or_else(not_found)
}

fn not_found() -> Refusal {
    Refusal::NotFound("This rule".to_owned())
}

fn taken(name: &str) -> Refusal {
    Refusal::invalid("name", format!("“{name}” is taken; choose another name"))
}

fn stale(rule: &Rule) -> Refusal {
    Refusal::Conflict(format!(
        "Somebody changed the rule “{}” meanwhile. Load it again, and make your change to what is there now.",
        rule.name
    ))
}

async fn announce(conn: &mut PgConnection, id: RuleId, version: i64) -> Result<(), Refusal> {
    let changes = [Change::new(ChangeTopic::System, id, version), Change::many(ChangeTopic::Alert)];
    live::announce(conn, &changes).await.map_err(internal)
}
