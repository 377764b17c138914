//! How long things are kept, and which fields of payloads are not shown.

use super::{Desk, commit};
use crate::live;
use crate::store::{audit, internal, setting};
use model::{Actor, Change, ChangeTopic, FieldError, Refusal, Retention, RetentionPatch, Role};
use serde_json::json;

/// Days that may be set.
const DAYS: std::ops::RangeInclusive<u16> = 1..=3_650;
/// Names of fields that may be set.
const MOST_FIELDS: usize = 200;

impl Desk {
    pub(super) async fn read_retention(&self, actor: &Actor) -> Result<Retention, Refusal> {
        actor.must_be(Role::Viewer)?;
        setting::retention(&mut *self.conn().await?).await.map_err(internal)
    }

    pub(super) async fn patch_retention(&self, actor: &Actor, patch: RetentionPatch) -> Result<Retention, Refusal> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let before = setting::retention(&mut tx).await.map_err(internal)?;
        let mut new = changed(&before, &patch)?;
        let stale = patch.version.is_some_and(|version| version != before.version);
        let version = match stale {
            true => None,
            false => setting::set_retention(&mut tx, &new, &actor.name, now).await.map_err(internal)?,
        };
        new.version = version.ok_or_else(|| {
            Refusal::Conflict(
                "Somebody changed the retention meanwhile. Load it again, and make your change to what is there now."
                    .to_owned(),
            )
        })?;
        let subject = ("setting", "retention".to_owned());
        audit::write(&mut tx, now, actor, "retention.changed", subject, json!(patch)).await.map_err(internal)?;
        let change = Change::new(ChangeTopic::System, "retention", new.version);
        live::announce(&mut tx, &[change]).await.map_err(internal)?;
        commit(tx).await?;
        Ok(new)
    }
}

/// What it is after the change.
fn changed(before: &Retention, patch: &RetentionPatch) -> Result<Retention, Refusal> {
    let mut errors = Vec::new();
    let mut days = |field: &str, wanted: Option<u16>, now: u16| {
        if wanted.is_some_and(|wanted| !DAYS.contains(&wanted)) {
            errors.push(FieldError::new(field, "from 1 to 3650 days"));
        }
        wanted.unwrap_or(now)
    };
    let mut new = Retention {
        events_days: days("events_days", patch.events_days, before.events_days),
        deliveries_days: days("deliveries_days", patch.deliveries_days, before.deliveries_days),
        evidence_days: days("evidence_days", patch.evidence_days, before.evidence_days),
        rejections_days: days("rejections_days", patch.rejections_days, before.rejections_days),
        gaps_days: days("gaps_days", patch.gaps_days, before.gaps_days),
        notifications_days: days("notifications_days", patch.notifications_days, before.notifications_days),
        redacted_fields: before.redacted_fields.clone(),
        version: before.version,
    };
    if let Some(fields) = &patch.redacted_fields {
        let mut fields: Vec<_> =
            fields.iter().map(|field| field.trim().to_lowercase()).filter(|field| !field.is_empty()).collect();
        fields.sort();
        fields.dedup();
        if fields.len() > MOST_FIELDS {
            errors.push(FieldError::new("redacted_fields", format!("at most {MOST_FIELDS} names")));
        }
        if fields.iter().any(|field| field.chars().count() > 100 || field.contains('\0')) {
            errors.push(FieldError::new("redacted_fields", "a name has at most 100 characters"));
        }
        new.redacted_fields = fields;
    }
    if errors.is_empty() { Ok(new) } else { Err(Refusal::Invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_stays_and_what_is_wrong_is_named() {
        let before = Retention::default();
        let patch = RetentionPatch {
            events_days: Some(3_650),
            redacted_fields: Some(vec![" IBAN".to_owned(), "iban".to_owned(), String::new()]),
            ..RetentionPatch::default()
        };
        let new = changed(&before, &patch).unwrap();
        assert_eq!((new.events_days, new.gaps_days), (3_650, before.gaps_days));
        assert_eq!(new.redacted_fields, ["iban"]);
        let patch = RetentionPatch { events_days: Some(0), gaps_days: Some(3_651), ..RetentionPatch::default() };
        let Err(Refusal::Invalid(errors)) = changed(&before, &patch) else { panic!("must be refused") };
        assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["events_days", "gaps_days"]);
    }
}
