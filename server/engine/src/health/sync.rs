//! A sync that ended, as a piece of evidence tells it.

use super::{Complaint, Proved, RefusedFact};
use crate::webhook::event::{Carried, FailedRun};
use chrono::{DateTime, Utc};
use model::{Ability, EventId, Eye, Operation, SyncKind, SyncOutcome};
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

    /// What it proves of reading records: that they were read, or that just these were refused. Of several kinds a failure does
    /// not say which.
    pub fn proofs(&self, eye: Eye, event: Option<EventId>) -> Vec<Proved> {
        if self.outcome == SyncOutcome::Good {
            let read = |entity: &String| Proved {
                entity: entity.clone(),
                operation: Operation::Read,
                ability: Ability::Yes,
                limit: None,
                at: self.ended_at,
                eye,
                code: None,
                message: None,
                event,
            };
            return self.entities.iter().map(read).collect();
        }
        let complaint = Complaint {
            operation: Some(Operation::Read.code()),
            entities: &self.entities,
            code: self.code.as_deref(),
            status: None,
            message: self.error.as_deref(),
        };
        let refused = RefusedFact::of(&complaint).map(|fact| fact.proved(self.ended_at, eye, event));
        refused.into_iter().collect()
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
        let proofs = |sync: &SyncFact| sync.proofs(Eye::Webhook, None);
        let one = SyncFact::failed(&run(&["vendors"]), at(10), Some("PERMISSION_DENIED"), "no");
        let refused = proofs(&one);
        assert_eq!((refused.len(), refused[0].ability, refused[0].at), (1, Ability::No, at(10)));
        assert_eq!((refused[0].entity.as_str(), refused[0].code.as_deref()), ("vendors", Some("PERMISSION_DENIED")));
        assert_eq!((one.started_at, one.ended_at), (None, at(10)), "no sync begins after its end");
        let two = SyncFact::failed(&run(&["vendors", "assets"]), at(10), Some("PERMISSION_DENIED"), "no");
        assert_eq!(proofs(&two), []);
        assert_eq!(proofs(&SyncFact::failed(&run(&["vendors"]), at(10), Some("TIMEOUT"), "no")), []);
    }
}
