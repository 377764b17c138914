//! Issues: who takes them, for how long they sleep, and what is written on them.

use super::{Desk, commit};
use crate::live;
use crate::store::issue::{self, Kept, NewEntry};
use crate::store::{audit, internal, issue_list};
use chrono::{DateTime, TimeDelta, Utc};
use model::{
    Actor, Change, ChangeTopic, Health, Issue, IssueCounts, IssueEntry, IssueEntryKind, IssueId, IssuePatch,
    IssueQuery, IssueState, NewNote, Page, Refusal, Role,
};
use serde_json::json;
use sqlx::PgConnection;

mod patch;
mod together;

use patch::{Edit, edit};

impl Desk {
    pub(super) async fn list_issues(&self, actor: &Actor, mut query: IssueQuery) -> Result<Page<Issue>, Refusal> {
        actor.must_be(Role::Viewer)?;
        for assignee in query.assignee.iter_mut().filter(|assignee| *assignee == patch::ME) {
            assignee.clone_from(&actor.name);
        }
        issue_list::list(&mut *self.conn().await?, &query).await
    }

    pub(super) async fn count_issues(&self, actor: &Actor) -> Result<IssueCounts, Refusal> {
        actor.must_be(Role::Viewer)?;
        issue_list::counts(&mut *self.conn().await?, &actor.name).await.map_err(internal)
    }

    pub(super) async fn read_issue(&self, actor: &Actor, id: IssueId) -> Result<Issue, Refusal> {
        actor.must_be(Role::Viewer)?;
        one(&mut *self.conn().await?, id).await
    }

    pub(super) async fn read_issue_entries(&self, actor: &Actor, id: IssueId) -> Result<Vec<IssueEntry>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        one(&mut conn, id).await?;
        issue_list::entries(&mut conn, id).await.map_err(internal)
    }

    pub(super) async fn patch_issue(&self, actor: &Actor, id: IssueId, patch: IssuePatch) -> Result<Issue, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let patch = patch::validate(patch, actor, now)?;
        let mut tx = self.begin().await?;
        let kept = issue::lock(&mut tx, &[id.0]).await.map_err(internal)?.pop().ok_or_else(not_found)?;
        if let Some(version) = patch.version {
            fresh(&mut tx, &kept, version, &patch).await?;
        }
        let health = one(&mut tx, id).await?.health;
        let Some(Edit { kept, entries }) = edit(kept, &patch, health, actor, now)? else {
            return one(&mut tx, id).await;
        };
        issue::save(&mut tx, &[(kept, false)], now).await.map_err(internal)?;
        issue::append(&mut tx, &entries, now).await.map_err(internal)?;
        audit::write(&mut tx, now, actor, "issue.changed", ("issue", id.to_string()), json!(patch))
            .await
            .map_err(internal)?;
        let issue = one(&mut tx, id).await?;
        announce(&mut tx, &issue).await?;
        commit(tx).await?;
        Ok(issue)
    }

    pub(super) async fn add_note(&self, actor: &Actor, id: IssueId, note: NewNote) -> Result<IssueEntry, Refusal> {
        actor.must_be(Role::Support)?;
        let text = patch::note(&note.text)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let kept = issue::lock(&mut tx, &[id.0]).await.map_err(internal)?.pop().ok_or_else(not_found)?;
        // a note changes nothing of the issue, so it makes nobody's version stale
        let (kind, by, version) = (IssueEntryKind::Note, Some(actor.name.clone()), kept.version);
        let entry = NewEntry { issue: id, kind, by: by.clone(), text: text.clone(), version };
        issue::append(&mut tx, &[entry], now).await.map_err(internal)?;
        audit::write(&mut tx, now, actor, "issue.noted", ("issue", id.to_string()), json!({"text": text}))
            .await
            .map_err(internal)?;
        let issue = one(&mut tx, id).await?;
        announce(&mut tx, &issue).await?;
        commit(tx).await?;
        Ok(IssueEntry { at: now, kind, by, text })
    }
}

/// Refuses a version that is not the newest. But who resolves wins over who took it, or gave it to somebody, meanwhile.
async fn fresh(conn: &mut PgConnection, kept: &Kept, version: i64, patch: &IssuePatch) -> Result<(), Refusal> {
    if version == kept.version {
        return Ok(());
    }
    let only_taken = [IssueEntryKind::Acknowledged, IssueEntryKind::Assigned, IssueEntryKind::Note];
    let resolves = patch.state == Some(IssueState::Resolved) && version < kept.version;
    if resolves && issue::only_since(conn, kept.id, version, &only_taken).await.map_err(internal)? {
        return Ok(());
    }
    Err(Refusal::Conflict(format!(
        "This issue has changed meanwhile; it is now “{}”. Load it again, and decide on what is there now.",
        kept.standing.state.words().to_lowercase()
    )))
}

async fn one(conn: &mut PgConnection, id: IssueId) -> Result<Issue, Refusal> {
    issue_list::get(conn, id).await.map_err(internal)?.ok_or_else(not_found)
}

fn not_found() -> Refusal {
    Refusal::NotFound("This issue".to_owned())
}

async fn announce(conn: &mut PgConnection, issue: &Issue) -> Result<(), Refusal> {
    live::announce(conn, &[Change::new(ChangeTopic::Issue, issue.id, issue.version)]).await.map_err(internal)
}
