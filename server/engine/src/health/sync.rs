//! A sync that ended, as a piece of evidence tells it.

use crate::webhook::event::{Carried, FailedRun};
use chrono::{DateTime, Utc};
use model::{Ability, AbilityProof, SyncKind, SyncOutcome};
use serde::{Deserialize, Serialize};

/// A sync that ended, as the evidence's `facts.sync` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncFact {
    /// How.
    pub outcome: SyncOutcome,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// What it read.
    pub kind: Option<SyncKind>,
    /// How many records it carried.
    pub records: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// Upstream's code for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The kinds of records that it carried, or was to carry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
}

impl SyncFact {
    /// One that ended well.
    pub fn good(started_at: Option<DateTime<Utc>>, ended_at: DateTime<Utc>, carried: &Carried) -> Self {
        Self {
            outcome: SyncOutcome::Good,
            started_at: started_at.filter(|began| *began <= ended_at),
            ended_at,
            kind: carried.kind,
            records: carried.records,
            error: None,
            code: None,
            entities: carried.entities.clone(),
        }
    }

    /// One that ended badly, as was told at this time.
    pub fn failed(run: &FailedRun, at: DateTime<Utc>, code: Option<&str>, error: &str) -> Self {
        Self {
            outcome: SyncOutcome::Failed,
            error: Some(error.to_owned()),
            code: code.map(str::to_owned),
            ..Self::good(run.started_at, run.failed_at.unwrap_or(at).min(at), &run.carried)
        }
    }

    /// One that nobody told, but that must have ended well: data arrived later than was known.
    pub fn noticed(known: Option<DateTime<Utc>>, last_good: Option<DateTime<Utc>>) -> Option<Self> {
        let ended_at = last_good.filter(|at| known.is_some_and(|known| *at > known))?;
        Some(Self::good(None, ended_at, &Carried::default()))
    }

    /// What it proves of reading records: that they were read, or that just these were refused.
    pub fn reading(&self) -> Option<(Ability, AbilityProof)> {
        let refused = || {
            let code = self.code.as_deref().unwrap_or_default().to_ascii_uppercase();
            // of several, it does not say which
            self.entities.len() == 1 && (code.contains("PERMISSION") || code.contains("FORBIDDEN"))
        };
        match self.outcome {
            SyncOutcome::Good => Some((Ability::Yes, AbilityProof::Done)),
            SyncOutcome::Failed => refused().then_some((Ability::No, AbilityProof::Refused)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn only_data_that_is_newer_than_known_makes_a_sync() {
        assert_eq!(SyncFact::noticed(None, Some(at(9))), None, "the first sight tells of no new one");
        assert_eq!(SyncFact::noticed(Some(at(9)), Some(at(9))), None);
        assert_eq!(SyncFact::noticed(Some(at(9)), Some(at(10))).map(|sync| sync.ended_at), Some(at(10)));
    }

    #[test]
    fn a_refusal_is_pinned_on_records_only_where_it_names_them() {
        let run = |entities: &[&str]| FailedRun {
            carried: Carried { entities: entities.iter().map(|&one| one.to_owned()).collect(), ..Carried::default() },
            started_at: Some(at(20)),
            ..FailedRun::default()
        };
        let one = SyncFact::failed(&run(&["vendors"]), at(10), Some("PERMISSION_DENIED"), "no");
        assert_eq!(one.reading(), Some((Ability::No, AbilityProof::Refused)));
        assert_eq!((one.started_at, one.ended_at), (None, at(10)), "no sync begins after its end");
        assert_eq!(
            SyncFact::failed(&run(&["vendors", "assets"]), at(10), Some("PERMISSION_DENIED"), "no").reading(),
            None
        );
        assert_eq!(SyncFact::failed(&run(&["vendors"]), at(10), Some("TIMEOUT"), "no").reading(), None);
    }
}
