//! Several issues taken or handed over at once, so that it can be taken back at once too.

use super::patch::{self, Edit, edit};
use super::{Desk, commit, fresh, not_found};
use crate::clock::new_id;
use crate::live;
use crate::store::bulk_undo::{self, Before};
use crate::store::{audit, internal, issue};
use model::{
    Actor, BulkFilter, BulkId, BulkKind, Change, ChangeTopic, IssueChanges, IssuePatch, IssueState, NewBulk,
    NewIssueChanges, Refusal, Role,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// More than this are for a bulk operation over a filter.
const MOST: usize = 200;

impl Desk {
    pub(in crate::desk) async fn patch_issues(
        &self,
        actor: &Actor,
        new: NewIssueChanges,
    ) -> Result<IssueChanges, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let patch = patch::validate(wish(&new)?, actor, now)?;
        let seen: BTreeMap<Uuid, Option<i64>> = new.issues.iter().map(|one| (one.id.0, one.version)).collect();
        let ids: Vec<Uuid> = seen.keys().copied().collect();
        let mut tx = self.begin().await?;
        let locked = issue::lock(&mut tx, &ids).await.map_err(internal)?;
        let mut refused = vec![not_found().to_string(); ids.len() - locked.len()];
        let (mut edits, mut before) = (Vec::new(), Vec::new());
        for kept in locked {
            let was = kept.clone();
            let looked_at = seen.get(&kept.id.0).copied().flatten();
            let edited = match looked_at {
                Some(version) => fresh(&mut tx, &kept, version, &patch).await,
                None => Ok(()),
            };
            match edited.and_then(|()| edit(kept, &patch, None, actor, now)) {
                Ok(Some(edited)) => {
                    before.push(Before::of(&was, edited.kept.version));
                    edits.push(edited);
                }
                Ok(None) => {}
                Err(Refusal::Conflict(why)) => refused.push(why),
                Err(other) => return Err(other),
            }
        }
        if edits.is_empty() {
            return match refused.into_iter().next() {
                Some(why) => Err(Refusal::Conflict(why)),
                None => Ok(IssueChanges::default()),
            };
        }
        let changed = edits.len() as u64;
        let connections: BTreeSet<Uuid> =
            edits.iter().filter_map(|edit| edit.kept.connection).map(|connection| connection.0).collect();
        let connections: Vec<Uuid> = connections.into_iter().collect();
        let (mut saved, mut entries, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for Edit { kept, entries: told } in edits {
            changes.push(Change::new(ChangeTopic::Issue, kept.id, kept.version));
            saved.push((kept, false));
            entries.extend(told);
        }
        issue::save(&mut tx, &saved, now).await.map_err(internal)?;
        issue::append(&mut tx, &entries, now).await.map_err(internal)?;
        let id = BulkId(new_id());
        let named: Vec<_> = before.iter().map(|before| before.issue.to_string()).collect();
        let detail = json!({"kind": new.kind, "issues": named, "assignee": patch.assignee});
        let wish = NewBulk {
            kind: new.kind,
            filter: BulkFilter(BTreeMap::from([("issue".to_owned(), named)])),
            dry_run: false,
            assignee: patch.assignee.flatten(),
            sync: None,
        };
        bulk_undo::record(&mut tx, id, actor, &wish, (&connections, &before), now).await.map_err(internal)?;
        audit::write(&mut tx, now, actor, "bulk.started", ("bulk", id.to_string()), detail).await.map_err(internal)?;
        live::announce(&mut tx, &changes).await.map_err(internal)?;
        commit(tx).await?;
        Ok(IssueChanges { bulk: Some(id), changed, refused })
    }
}

/// What is to become of each.
fn wish(new: &NewIssueChanges) -> Result<IssuePatch, Refusal> {
    if new.issues.is_empty() || new.issues.len() > MOST {
        return Err(Refusal::invalid("issues", "select 1 to 200 issues"));
    }
    match new.kind {
        BulkKind::Acknowledge => Ok(IssuePatch { state: Some(IssueState::Acknowledged), ..IssuePatch::default() }),
        BulkKind::Assign => Ok(IssuePatch { assignee: Some(new.assignee.clone()), ..IssuePatch::default() }),
        BulkKind::Check | BulkKind::Sync => Err(Refusal::invalid("kind", "acknowledge or assign")),
    }
}
