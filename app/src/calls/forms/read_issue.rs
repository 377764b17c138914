//! Reads what is to be done with issues, and with many connections.

use super::{BulkForm, IssueForm, IssuesForm};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use model::{BulkKind, IssueId, IssuePatch, IssueSeen, IssueState, NewBulk, NewIssueChanges, Refusal};

impl IssueForm {
    /// Reads it; `now` is what an hour is counted from, `me` is who asks.
    pub fn read(&self, now: DateTime<Utc>, me: &str) -> Result<(IssueId, IssuePatch), Refusal> {
        let id = self.id.parse().map_err(|_| Refusal::NotFound("This issue".into()))?;
        let mut patch = act(&self.act, &self.assignee, me)?;
        if patch.state == Some(IssueState::Snoozed) {
            patch.snooze_until = Some(moment(&self.until, now)?);
        }
        patch.version = self.version.parse().ok();
        Ok((id, patch))
    }

    /// What was typed, by field.
    pub fn kept(&self) -> Vec<(String, String)> {
        vec![("assignee".to_owned(), self.assignee.clone())]
    }
}

impl IssuesForm {
    /// Reads it: which issues, and what is to be done with them.
    pub fn read(&self) -> Result<NewIssueChanges, Refusal> {
        let (picked, word) = match self.only.as_str() {
            "" => (self.picked.as_slice(), self.act.as_str()),
            _ => (std::slice::from_ref(&self.only), "acknowledge"),
        };
        if picked.is_empty() {
            return Err(Refusal::invalid("picked", "Select the issues first: the box at the beginning of each row."));
        }
        let kind = match word {
            "acknowledge" => BulkKind::Acknowledge,
            "assign" => BulkKind::Assign,
            _ => return Err(Refusal::invalid("act", "It does not say what to do.")),
        };
        let one = |text: &String| {
            let (id, version) = text.split_once(':')?;
            Some(IssueSeen { id: id.parse().ok()?, version: version.parse().ok() })
        };
        let issues: Option<Vec<_>> = picked.iter().take(200).map(one).collect();
        let issues =
            issues.ok_or_else(|| Refusal::invalid("picked", "This page is older than the server. Load it again."))?;
        let assignee = Some(self.assignee.trim()).filter(|name| kind == BulkKind::Assign && !name.is_empty());
        Ok(NewIssueChanges { kind, issues, assignee: assignee.map(str::to_owned) })
    }
}

impl BulkForm {
    /// Reads it.
    pub fn read(&self) -> Result<NewBulk, Refusal> {
        let mut new = NewBulk::from_query(&self.wish)?;
        let assignee = self.assignee.trim();
        new.assignee = (new.kind == BulkKind::Assign && !assignee.is_empty()).then(|| assignee.to_owned());
        Ok(new)
    }

    /// What was typed, by field.
    pub fn kept(&self) -> Vec<(String, String)> {
        vec![("assignee".to_owned(), self.assignee.clone())]
    }
}

fn act(word: &str, assignee: &str, me: &str) -> Result<IssuePatch, Refusal> {
    let state = |state| IssuePatch { state: Some(state), ..IssuePatch::default() };
    Ok(match word {
        "acknowledge" => state(IssueState::Acknowledged),
        "wait" => state(IssueState::WaitingOnCustomer),
        "snooze" => state(IssueState::Snoozed),
        "resolve" => state(IssueState::Resolved),
        "reopen" => state(IssueState::Open),
        "take" => IssuePatch { assignee: Some(Some(me.to_owned())), ..IssuePatch::default() },
        "assign" => {
            let assignee = Some(assignee.trim()).filter(|name| !name.is_empty()).map(str::to_owned);
            IssuePatch { assignee: Some(assignee), ..IssuePatch::default() }
        }
        _ => return Err(Refusal::invalid("act", "It does not say what to do.")),
    })
}

fn moment(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    let text = text.trim();
    let read = match text {
        "1h" => Some(now + TimeDelta::hours(1)),
        _ => text.parse().ok().or_else(|| {
            let minutes = text.get(..16)?;
            NaiveDateTime::parse_from_str(minutes, "%Y-%m-%dT%H:%M").ok().map(|at| at.and_utc())
        }),
    };
    match read {
        Some(at) if at > now => Ok(at),
        Some(_) => Err(Refusal::invalid("until", "That is over already. Choose a time ahead.")),
        None => Err(Refusal::invalid("until", "Say until when: a date and a time.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-02T14:38:00Z".parse().unwrap()
    }

    #[test]
    fn a_snooze_is_an_hour_a_moment_or_what_the_browsers_field_says() {
        for (text, at) in [
            ("1h", "2026-03-02T15:38:00Z"),
            ("2026-03-03T08:00:00Z", "2026-03-03T08:00:00Z"),
            ("2026-03-03T09:30", "2026-03-03T09:30:00Z"),
        ] {
            let form = IssueForm {
                id: uuid(),
                act: "snooze".into(),
                until: text.into(),
                version: "3".into(),
                ..Default::default()
            };
            let (_, patch) = form.read(now(), "Ines").unwrap();
            assert_eq!(patch.snooze_until, Some(at.parse().unwrap()), "{text}");
            assert_eq!(patch.version, Some(3));
        }
        for text in ["", "soon", "2026-03-02T14:37"] {
            let form = IssueForm { id: uuid(), act: "snooze".into(), until: text.into(), ..Default::default() };
            assert!(matches!(form.read(now(), "Ines"), Err(Refusal::Invalid(_))), "{text}");
        }
    }

    #[test]
    fn the_button_of_a_row_means_that_row_alone() {
        let form = IssuesForm {
            picked: vec![format!("{}:1", uuid()), format!("{}:2", uuid())],
            only: format!("{}:7", uuid()),
            ..Default::default()
        };
        let all = form.read().unwrap();
        assert_eq!((all.kind, all.issues.len(), all.issues[0].version), (BulkKind::Acknowledge, 1, Some(7)));
        assert!(IssuesForm::default().read().is_err(), "nothing is selected");
    }

    fn uuid() -> String {
        "00000000-0000-0000-0000-000000000001".to_owned()
    }
}
