//! What a person's wish makes of an issue. Pure.

use super::{Actor, DateTime, Health, IssueEntryKind, IssuePatch, IssueState, Kept, NewEntry, Refusal, TimeDelta, Utc};
use model::FieldError;

/// Who asks, as an assignee.
pub(super) const ME: &str = "me";
/// The longest sleep.
const LONGEST_SNOOZE: TimeDelta = TimeDelta::days(90);
/// The longest note, in characters.
const LONGEST_NOTE: usize = 4_000;
/// The longest name of an assignee, in characters.
const LONGEST_NAME: usize = 200;

/// An issue as it is to be saved, and what its story says of it.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) kept: Kept,
    pub(super) entries: Vec<NewEntry>,
}

/// Checks a patch by itself, and puts the name of who asks for `me`.
pub(super) fn validate(mut patch: IssuePatch, actor: &Actor, now: DateTime<Utc>) -> Result<IssuePatch, Refusal> {
    let mut errors = Vec::new();
    if patch.state == Some(IssueState::Folded) {
        let message = "nobody folds by hand; say open, acknowledged, waiting_on_customer, snoozed or resolved";
        errors.push(FieldError::new("state", message));
    }
    let wrong = match (patch.state == Some(IssueState::Snoozed), patch.snooze_until) {
        (true, None) => Some("say until when it shall sleep"),
        (false, Some(_)) => Some("this is for the state snoozed only"),
        (true, Some(until)) if until <= now => Some("this must lie in the future"),
        (true, Some(until)) if until - now > LONGEST_SNOOZE => Some("this must lie within the next 90 days"),
        _ => None,
    };
    errors.extend(wrong.map(|message| FieldError::new("snooze_until", message)));
    if let Some(Some(assignee)) = &mut patch.assignee {
        let name = if assignee.trim() == ME { actor.name.clone() } else { assignee.trim().to_owned() };
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            errors.push(FieldError::new("assignee", "this is a name of 1 to 200 characters, “me”, or null for nobody"));
        }
        *assignee = name;
    }
    if errors.is_empty() { Ok(patch) } else { Err(Refusal::Invalid(errors)) }
}

/// Checks the text of a note.
pub(super) fn note(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let fits = (1..=LONGEST_NOTE).contains(&text.chars().count()) && !text.contains('\0');
    if fits { Ok(text.to_owned()) } else { Err(Refusal::invalid("text", "this must have 1 to 4,000 characters")) }
}

/// What a checked patch makes of an issue; none when it is so already. `health`: how its connection is now.
pub(super) fn edit(
    mut kept: Kept,
    patch: &IssuePatch,
    health: Option<Health>,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Option<Edit>, Refusal> {
    let before = kept.standing;
    let state = patch.state.unwrap_or(before.state);
    let assigns = patch.assignee.as_ref().is_some_and(|assignee| *assignee != kept.assignee);
    if before.state == IssueState::Resolved {
        let asks = !matches!(state, IssueState::Resolved | IssueState::Open);
        if asks || patch.assignee.as_ref().is_some_and(Option::is_some) && state == IssueState::Resolved {
            let message = "This issue is resolved already. Reopen it first if there is still something to do.";
            return Err(Refusal::Conflict(message.to_owned()));
        }
    }
    if before.state == IssueState::Folded && patch.state == Some(IssueState::Open) {
        let message = "This issue is part of an outage, which stands for it. It opens by itself if it is still broken when that ends.";
        return Err(Refusal::Conflict(message.to_owned()));
    }
    let sleeps_anew =
        state == IssueState::Snoozed && patch.snooze_until.is_some_and(|at| Some(at) != before.snooze_until);
    let mut told = Vec::new();
    if state != before.state || sleeps_anew {
        told.push(turn(&mut kept, state, patch.snooze_until, health, now));
    }
    if assigns {
        kept.assignee = patch.assignee.clone().flatten();
        told.push((
            IssueEntryKind::Assigned,
            match &kept.assignee {
                Some(name) => format!("Given to {name}"),
                None => "Taken from whoever had it".to_owned(),
            },
        ));
    }
    if told.is_empty() {
        return Ok(None);
    }
    kept.version += 1;
    let (issue, version) = (kept.id, kept.version);
    let entries = told
        .into_iter()
        .map(|(kind, text)| NewEntry { issue, kind, by: Some(actor.name.clone()), text, version })
        .collect();
    Ok(Some(Edit { kept, entries }))
}

fn turn(
    kept: &mut Kept,
    state: IssueState,
    snooze_until: Option<DateTime<Utc>>,
    health: Option<Health>,
    now: DateTime<Utc>,
) -> (IssueEntryKind, String) {
    let was = kept.standing.state;
    let well = kept.standing.well_since.is_some();
    let folded = was == IssueState::Folded && kept.connection.is_some();
    if folded && state != IssueState::Resolved {
        kept.outage = None;
    }
    kept.standing.state = state;
    kept.standing.snooze_until = snooze_until.filter(|_| state == IssueState::Snoozed);
    // one that recovers still resolves when it has, whatever a person makes of it meanwhile
    kept.due_at = if well { kept.due_at } else { kept.standing.snooze_until };
    match state {
        IssueState::Resolved => {
            (kept.resolved_at, kept.due_at) = (Some(now), None);
            let still = health.filter(|health| !well && !matches!(health, Health::Healthy | Health::Paused));
            let text = match still {
                Some(health) => format!(
                    "Resolved by hand, although it is still: {}. It comes again when it breaks anew",
                    health.words().to_lowercase()
                ),
                None => "Resolved by hand".to_owned(),
            };
            (IssueEntryKind::Resolved, text)
        }
        IssueState::Open if was == IssueState::Resolved => {
            // who opens it again wants to see it; only the next turn of its connection ends it by itself
            kept.resolved_at = None;
            kept.standing.well_since = None;
            (IssueEntryKind::Reopened, "Reopened by hand".to_owned())
        }
        IssueState::Acknowledged => (IssueEntryKind::Acknowledged, "Somebody has it in hand".to_owned()),
        IssueState::WaitingOnCustomer => (IssueEntryKind::Waiting, "It is the customer's turn".to_owned()),
        IssueState::Snoozed => {
            let until = kept.standing.snooze_until.map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string());
            (IssueEntryKind::Snoozed, format!("Asleep until {}", until.unwrap_or_default()))
        }
        IssueState::Open | IssueState::Folded => (IssueEntryKind::Open, "Open again".to_owned()),
    }
}

#[cfg(test)]
mod tests;
