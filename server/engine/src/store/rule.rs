//! Rules and their history.

use super::word;
use crate::alert::machine::Timer;
use crate::alert::sentence::{Names, sentence};
use crate::alert::{Compiled, Rules};
use chrono::{DateTime, Utc};
use model::{CustomerId, NewRule, Rule, RuleChange, RuleId, Scope, SourceId, When};
use sqlx::{PgConnection, Result, types::Json};
use uuid::Uuid;

struct Row {
    id: Uuid,
    name: String,
    condition: Json<When>,
    scope: Json<Scope>,
    for_seconds: i64,
    hold_seconds: i64,
    severity: String,
    group_by: String,
    repeat_seconds: i64,
    note: Option<String>,
    enabled: bool,
    shipped: Option<String>,
    firing: i64,
    version: i64,
    updated_at: DateTime<Utc>,
    updated_by: String,
}

/// A rule as a person would write it.
pub fn as_written(rule: &Rule) -> NewRule {
    NewRule {
        name: rule.name.clone(),
        when: rule.when.clone(),
        scope: rule.scope.clone(),
        for_seconds: Some(rule.for_seconds),
        hold_seconds: Some(rule.hold_seconds),
        severity: Some(rule.severity),
        group_by: Some(rule.group_by),
        repeat_seconds: Some(rule.repeat_seconds),
        note: rule.note.clone(),
        enabled: Some(rule.enabled),
    }
}

/// Every rule or one of them, worst first and by name. What was taken away is left out.
pub async fn list(conn: &mut PgConnection, only: Option<RuleId>) -> Result<Vec<Rule>> {
    let rows = sqlx::query_as!(
        Row,
        "select r.id, r.name, r.condition as \"condition: Json<When>\", r.scope as \"scope: Json<Scope>\", r.for_seconds, r.hold_seconds, \
         r.severity, r.group_by, r.repeat_seconds, r.note, r.enabled, r.shipped, \
         (select count(*) from alert a where a.rule_id = r.id and a.state = 'firing') as \"firing!\", r.version, r.updated_at, r.updated_by \
         from rule r where r.removed_at is null and ($1::uuid is null or r.id = $1) \
         order by array_position(array['critical', 'warning', 'info'], r.severity), lower(r.name), r.id",
        only.map(|id| id.0)
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut rules = rows
        .into_iter()
        .map(|row| {
            Ok(Rule {
                id: RuleId(row.id),
                name: row.name,
                when: row.condition.0,
                scope: row.scope.0,
                for_seconds: row.for_seconds,
                hold_seconds: row.hold_seconds,
                severity: word(&row.severity)?,
                group_by: word(&row.group_by)?,
                repeat_seconds: row.repeat_seconds,
                note: row.note,
                enabled: row.enabled,
                shipped: row.shipped,
                sentence: String::new(),
                firing: row.firing.unsigned_abs(),
                version: row.version,
                updated_at: row.updated_at,
                updated_by: row.updated_by,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let scopes: Vec<&Scope> = rules.iter().map(|rule| &rule.scope).collect();
    let names = names(conn, &scopes).await?;
    for rule in &mut rules {
        rule.sentence = sentence(&as_written(rule), &names);
    }
    Ok(rules)
}

/// The names of everything that these scopes list; what is not there has none.
pub async fn names(conn: &mut PgConnection, scopes: &[&Scope]) -> Result<Names> {
    let customers: Vec<Uuid> = scopes.iter().flat_map(|scope| &scope.customers).map(|id| id.0).collect();
    let platforms: Vec<String> = scopes.iter().flat_map(|scope| scope.platforms.clone()).collect();
    let sources: Vec<Uuid> = scopes.iter().flat_map(|scope| &scope.sources).map(|id| id.0).collect();
    let mut names = Names::default();
    if customers.is_empty() && platforms.is_empty() && sources.is_empty() {
        return Ok(names);
    }
    let rows = sqlx::query!(
        "select 'c' as \"what!\", id::text as \"id!\", name as \"name!\" from customer where id = any($1) \
         union all select 'p', slug, name from platform where slug = any($2) \
         union all select 's', id::text, name from source where id = any($3)",
        &customers,
        &platforms,
        &sources
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        match (row.what.as_str(), row.id.parse::<Uuid>()) {
            ("c", Ok(id)) => drop(names.customers.insert(CustomerId(id), row.name)),
            ("s", Ok(id)) => drop(names.sources.insert(SourceId(id), row.name)),
            _ => drop(names.platforms.insert(row.id, row.name)),
        }
    }
    Ok(names)
}

/// Adds a rule; it has said all. False when one with its name, or the same shipped one, is there already or was.
pub async fn insert(
    conn: &mut PgConnection,
    id: RuleId,
    new: &NewRule,
    shipped: Option<&str>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "insert into rule (id, name, condition, scope, for_seconds, hold_seconds, severity, group_by, repeat_seconds, note, enabled, \
         shipped, created_at, updated_at, updated_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14) \
         on conflict do nothing",
        id.0,
        new.name,
        Json(&new.when) as _,
        Json(&new.scope) as _,
        new.for_seconds.unwrap_or(0),
        new.hold_seconds.unwrap_or(300),
        new.severity.unwrap_or(model::Severity::Warning).code(),
        new.group_by.unwrap_or(model::GroupBy::Rule).code(),
        new.repeat_seconds.unwrap_or(0),
        new.note,
        new.enabled.unwrap_or(true),
        shipped,
        now,
        by
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a rule that has said all. Answers its new version; none when it is not the version that was read, or taken away.
pub async fn save(
    conn: &mut PgConnection,
    id: RuleId,
    version: i64,
    rule: &NewRule,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        "update rule set name = $3, condition = $4, scope = $5, for_seconds = $6, hold_seconds = $7, severity = $8, group_by = $9, \
         repeat_seconds = $10, note = $11, enabled = $12, updated_at = $13, updated_by = $14, version = version + 1 \
         where id = $1 and version = $2 and removed_at is null returning version",
        id.0,
        version,
        rule.name,
        Json(&rule.when) as _,
        Json(&rule.scope) as _,
        rule.for_seconds.unwrap_or(0),
        rule.hold_seconds.unwrap_or(300),
        rule.severity.unwrap_or(model::Severity::Warning).code(),
        rule.group_by.unwrap_or(model::GroupBy::Rule).code(),
        rule.repeat_seconds.unwrap_or(0),
        rule.note,
        rule.enabled.unwrap_or(true),
        now,
        by
    )
    .fetch_optional(conn)
    .await
}

/// Takes a rule away; its name is free again. Answers its version; none when it is not there.
pub async fn remove(conn: &mut PgConnection, id: RuleId, by: &str, now: DateTime<Utc>) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        "update rule set removed_at = $2, enabled = false, name = name || ' (removed ' || id::text || ')', version = version + 1, \
         updated_at = $2, updated_by = $3 where id = $1 and removed_at is null returning version",
        id.0,
        now,
        by
    )
    .fetch_optional(conn)
    .await
}

/// Writes a line of a rule's history.
pub async fn note(conn: &mut PgConnection, id: RuleId, change: &RuleChange) -> Result<()> {
    sqlx::query!(
        "insert into rule_change (rule_id, version, at, by_name, text, sentence) values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        id.0,
        change.version,
        change.at,
        change.by,
        change.text,
        change.sentence
    )
    .execute(conn)
    .await
    .map(drop)
}

/// The history of a rule, newest first.
pub async fn changes(conn: &mut PgConnection, id: RuleId) -> Result<Vec<RuleChange>> {
    sqlx::query_as!(
        RuleChange,
        "select at, by_name as by, text, sentence, version from rule_change where rule_id = $1 order by version desc limit 1000",
        id.0
    )
    .fetch_all(conn)
    .await
}

/// Which of these are not there: customers, platforms, sources.
pub async fn unknown(conn: &mut PgConnection, scope: &Scope) -> Result<(Vec<CustomerId>, Vec<String>, Vec<SourceId>)> {
    let names = names(conn, &[scope]).await?;
    Ok((
        scope.customers.iter().filter(|id| !names.customers.contains_key(id)).copied().collect(),
        scope.platforms.iter().filter(|slug| !names.platforms.contains_key(*slug)).cloned().collect(),
        scope.sources.iter().filter(|id| !names.sources.contains_key(id)).copied().collect(),
    ))
}

/// Tells one state of all rules from another: rules are never deleted, and every change raises a version.
pub async fn fingerprint(conn: &mut PgConnection) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        "select count(*) as \"n!\", coalesce(sum(version + settled), 0)::bigint as \"versions!\" from rule"
    )
    .fetch_one(conn)
    .await?;
    Ok((row.n, row.versions))
}

/// Every rule that is evaluated, or has to be looked at because it no longer is.
pub async fn compiled(conn: &mut PgConnection) -> Result<Rules> {
    let fingerprint = fingerprint(conn).await?;
    let rows = sqlx::query!(
        "select id, version, settled, condition as \"condition: Json<When>\", scope as \"scope: Json<Scope>\", for_seconds, hold_seconds, \
         enabled and removed_at is null as \"active!\" from rule where enabled and removed_at is null or settled <> version"
    )
    .fetch_all(conn)
    .await?;
    let rule = |id: Uuid, rule: Compiled| (RuleId(id), rule);
    let all = rows.into_iter().map(|row| {
        let timer = Timer::new(row.for_seconds, row.hold_seconds);
        let compiled = Compiled::new(RuleId(row.id), row.version, row.condition.0, row.scope.0, timer);
        rule(row.id, Compiled { active: row.active, settled: row.settled == row.version, ..compiled })
    });
    Ok(Rules { fingerprint, all: all.collect() })
}

/// Notes that all subjects of these rules were looked at under these versions.
pub async fn settle(conn: &mut PgConnection, rules: &[(RuleId, i64)]) -> Result<()> {
    sqlx::query!(
        "update rule r set settled = n.version from unnest($1::uuid[], $2::int8[]) as n (id, version) where r.id = n.id",
        &rules.iter().map(|(id, _)| id.0).collect::<Vec<_>>(),
        &rules.iter().map(|(_, version)| *version).collect::<Vec<_>>()
    )
    .execute(conn)
    .await
    .map(drop)
}
