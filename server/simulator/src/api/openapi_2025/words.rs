//! The words for a connection's state. Makini's documents know two lists of them, and for one of the lists two spellings.

use crate::clock::Moment;
use crate::connection::{Life, Profile, Stage};
use crate::options::Spelling;

/// `status` of a connection in the account's lists: the newest documents' words in lower snake case, and, as those say nothing
/// of what is wrong, beside them `fail` (the customer has to sign in again), `error` and `offline`.
pub(crate) fn status(life: &Life) -> &'static str {
    match life.status() {
        "error" if life.reauthorization_required => "fail",
        other => other,
    }
}

/// `sync_status` of a connection: how its last or running sync goes. Under `fail` the platform refuses the credentials; after
/// `fulldone` everything was synced, after `done` what had changed.
pub(crate) fn sync_status(profile: &Profile, life: &Life, spelling: Spelling) -> &'static str {
    let underscored = match spelling {
        Spelling::Joined => false,
        Spelling::Underscored => true,
        Spelling::Both => profile.id.bytes().last().is_some_and(|digit| digit % 2 == 1),
    };
    let pick = |joined, apart| if underscored { apart } else { joined };
    match progress(life) {
        Progress::NotConnected => "pending",
        Progress::Refused => "fail",
        Progress::Running => pick("inprogress", "in_progress"),
        Progress::Failed => "error",
        Progress::Good if life.last_full => pick("fulldone", "full_done"),
        Progress::Good => "done",
    }
}

/// `sync_updated_at`: since when it is as `sync_status` says. After a good sync that is the moment of its end.
pub(crate) fn sync_updated_at(life: &Life) -> Option<Moment> {
    match progress(life) {
        Progress::NotConnected => None,
        Progress::Running => Some(life.running.map_or(life.updated_at, |run| run.started_at)),
        Progress::Good => life.last_good,
        Progress::Refused | Progress::Failed => Some(life.updated_at),
    }
}

enum Progress {
    NotConnected,
    Refused,
    Running,
    Failed,
    Good,
}

fn progress(life: &Life) -> Progress {
    match () {
        () if life.stage == Stage::Pending => Progress::NotConnected,
        () if life.reauthorization_required => Progress::Refused,
        () if life.running.is_some() => Progress::Running,
        () if life.offline() || life.last_failure.is_some() => Progress::Failed,
        () if life.last_good.is_none() => Progress::Running,
        () => Progress::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::connection::{Failure, Run, SyncKind};
    use crate::customers;

    #[test]
    fn every_state_has_a_word_in_every_list_and_spelling() {
        let now = clock::now();
        let run = Run { kind: SyncKind::Incremental, started_at: now, ends_at: now };
        let well = Life { last_good: Some(now), ..Life::new(now) };
        let profile = &customers::draw(7, 1)[0];
        for (life, listed, joined, underscored) in [
            (well, "active", "done", "done"),
            (Life { last_full: true, ..well }, "active", "fulldone", "full_done"),
            (Life { running: Some(run), ..well }, "in_progress", "inprogress", "in_progress"),
            (
                Life { stage: Stage::FirstSync, running: Some(run), ..well },
                "synchronizing",
                "inprogress",
                "in_progress",
            ),
            (Life { stage: Stage::Pending, last_good: None, ..well }, "pending", "pending", "pending"),
            (Life { stage: Stage::NoCredits, ..well }, "inactive", "done", "done"),
            (Life { reauthorization_required: true, ..well }, "fail", "fail", "fail"),
            (Life { held_offline: true, ..well }, "offline", "error", "error"),
            (Life { last_failure: Some(Failure::Source), ..well }, "error", "error", "error"),
        ] {
            assert_eq!(status(&life), listed);
            assert_eq!(sync_status(profile, &life, Spelling::Joined), joined);
            assert_eq!(sync_status(profile, &life, Spelling::Underscored), underscored);
        }
    }

    #[test]
    fn a_good_sync_is_dated_by_its_end() {
        let now = clock::now();
        let earlier = now - std::time::Duration::from_secs(60);
        let back = Life { last_good: Some(earlier), ..Life::new(now) };
        assert_eq!(sync_updated_at(&back), Some(earlier), "and not by whatever changed since");
        assert_eq!(sync_updated_at(&Life { reauthorization_required: true, ..back }), Some(now));
    }
}
