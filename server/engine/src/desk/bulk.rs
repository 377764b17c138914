//! Doing one thing with many connections.

use super::{Desk, commit, validate};
use crate::clock::new_id;
use crate::live;
use crate::store::{audit, bulk, internal};
use model::{
    Actor, Bulk, BulkFilter, BulkId, BulkKind, BulkPatch, BulkState, Change, ChangeTopic, ConnectionId,
    ConnectionQuery, FieldError, NewBulk, Refusal, Role,
};
use serde_json::json;
use sqlx::PgConnection;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

impl Desk {
    pub(super) async fn begin_bulk(&self, actor: &Actor, new: NewBulk) -> Result<Bulk, Refusal> {
        actor.must_be(Role::Support)?;
        let new = validate::new_bulk(new)?;
        let (query, ids) = read_filter(&new.filter)?;
        if new.dry_run {
            let total = bulk::count(&mut *self.conn().await?, &query, &ids).await.map_err(internal)?;
            return Ok(preview(new.kind, actor, total));
        }
        let (id, now) = (BulkId(new_id()), self.clock.now());
        let mut tx = self.begin().await?;
        let total = bulk::create(&mut tx, id, actor, &new, (&query, &ids), now).await.map_err(internal)?;
        let detail = json!({"kind": new.kind, "filter": new.filter, "total": total, "assignee": new.assignee});
        audit::write(&mut tx, now, actor, "bulk.started", ("bulk", id.to_string()), detail).await.map_err(internal)?;
        self.finish_bulk(tx, id).await
    }

    pub(super) async fn read_bulk(&self, actor: &Actor, id: BulkId) -> Result<Bulk, Refusal> {
        actor.must_be(Role::Viewer)?;
        Ok(one(&mut *self.conn().await?, id).await?.0)
    }

    pub(super) async fn patch_bulk(&self, actor: &Actor, id: BulkId, patch: BulkPatch) -> Result<Bulk, Refusal> {
        actor.must_be(Role::Support)?;
        if !matches!(patch.state, BulkState::Running | BulkState::Paused) {
            return Err(Refusal::invalid("state", "paused or running; to cancel it, delete it"));
        }
        self.turn_bulk(actor, id, patch.state).await
    }

    pub(super) async fn end_bulk(&self, actor: &Actor, id: BulkId) -> Result<Bulk, Refusal> {
        actor.must_be(Role::Support)?;
        self.turn_bulk(actor, id, BulkState::Cancelled).await
    }

    async fn turn_bulk(&self, actor: &Actor, id: BulkId, to: BulkState) -> Result<Bulk, Refusal> {
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        if bulk::turn(&mut tx, id, to, now).await.map_err(internal)?.is_none() {
            let (bulk, _) = one(&mut tx, id).await?;
            let state = bulk.state.unwrap_or(BulkState::Done).words().to_lowercase();
            return Err(Refusal::Conflict(format!("This has ended: it is {state}. Start it again for what is left.")));
        }
        let detail = json!({"state": to});
        audit::write(&mut tx, now, actor, "bulk.changed", ("bulk", id.to_string()), detail).await.map_err(internal)?;
        self.finish_bulk(tx, id).await
    }

    /// Tells everybody, which wakes the workers too, and commits.
    pub(super) async fn finish_bulk(
        &self,
        mut tx: sqlx::Transaction<'static, sqlx::Postgres>,
        id: BulkId,
    ) -> Result<Bulk, Refusal> {
        let (bulk, version) = one(&mut tx, id).await?;
        live::announce(&mut tx, &[Change::new(ChangeTopic::Retry, id, version)]).await.map_err(internal)?;
        commit(tx).await?;
        Ok(bulk)
    }
}

pub(super) async fn one(conn: &mut PgConnection, id: BulkId) -> Result<(Bulk, i64), Refusal> {
    let found = bulk::get(conn, id).await.map_err(internal)?;
    found.ok_or_else(|| Refusal::NotFound("This bulk operation".to_owned()))
}

fn preview(kind: BulkKind, actor: &Actor, total: i64) -> Bulk {
    Bulk {
        id: None,
        kind,
        state: None,
        total,
        done: 0,
        failed: 0,
        skipped: 0,
        remaining: total,
        by: actor.name.clone(),
        started_at: None,
        ended_at: None,
        failures: Vec::new(),
        undo_until: None,
        undone: None,
    }
}

/// The filter as a question about connections, and the ids that were picked.
fn read_filter(filter: &BulkFilter) -> Result<(ConnectionQuery, Vec<Uuid>), Refusal> {
    let (mut query, mut ids, mut errors) = (Serializer::new(String::new()), Vec::new(), Vec::new());
    for (name, values) in &filter.0 {
        for value in values.iter().filter(|value| !value.trim().is_empty()) {
            match name.as_str() {
                "id" => match value.parse::<ConnectionId>() {
                    Ok(id) => ids.push(id.0),
                    Err(_) => errors.push(FieldError::new("id", format!("“{value}” is not the id of a connection"))),
                },
                "cursor" | "limit" | "sort" => errors.push(FieldError::new(name, "this is of a page, and no filter")),
                _ => drop(query.append_pair(name, value)),
            }
        }
    }
    let read = match ConnectionQuery::from_query(&query.finish()) {
        Ok(read) => read,
        Err(Refusal::Invalid(wrong)) => {
            errors.extend(wrong);
            ConnectionQuery::default()
        }
        Err(other) => return Err(other),
    };
    if errors.is_empty() {
        return Ok((read, ids));
    }
    let within = |error: FieldError| FieldError { field: format!("filter.{}", error.field), ..error };
    Err(Refusal::Invalid(errors.into_iter().map(within).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(json: serde_json::Value) -> BulkFilter {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_filter_is_a_question_and_picked_rows() {
        let id = Uuid::from_u128(7);
        let (query, ids) = read_filter(&filter(json!({"health": ["late", "offline"], "q": "a&b", "id": id}))).unwrap();
        assert_eq!((query.health.len(), query.q.as_deref(), ids), (2, Some("a&b"), vec![id]));
        assert_eq!(read_filter(&filter(json!({"tag": []}))).unwrap(), (ConnectionQuery::default(), Vec::new()));
    }

    #[test]
    fn every_wrong_part_of_a_filter_is_named() {
        let wrong = read_filter(&filter(json!({"health": "fine", "id": ["x"], "limit": "5", "colour": "red"})));
        let Err(Refusal::Invalid(errors)) = wrong else { panic!("must be refused") };
        let mut fields: Vec<_> = errors.into_iter().map(|error| error.field).collect();
        fields.sort();
        assert_eq!(fields, ["filter.colour", "filter.health", "filter.id", "filter.limit"]);
    }
}
