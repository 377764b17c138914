//! What follows from turns and from time: issues open, recover, wake and resolve.

use super::issue::{Decision, Outlook, Proof, on_time, on_turn};
use super::ledger::{Ledger, Told};
use crate::clock::SharedClock;
use crate::live;
use crate::store::cover::{self, Cover};
use crate::store::issue;
use crate::work::Step;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Cause, Change, ConnectionId, Health, SourceId};
use sqlx::{PgConnection, PgPool, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// What the story says of an issue that an outage stands for.
pub(super) const FOLDED: &str = "An outage stands for it; it is not told by itself while that lasts";

/// So many issues at once.
const BATCH: i64 = 500;

/// A connection is shown otherwise than before: by its health, its cause, or what upstream says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Of which.
    pub connection: ConnectionId,
    /// Its platform's slug.
    pub platform: String,
    /// Its source.
    pub source: SourceId,
    /// What was shown; none at first sight, or after it was gone.
    pub before: Option<(Health, Option<Cause>)>,
    /// What is shown now; none when it is gone upstream.
    pub after: Option<(Health, Option<Cause>)>,
    /// What upstream says of the cause.
    pub detail: Option<String>,
    /// What the evidence behind it says.
    pub evidence: Option<String>,
}

/// Opens issues, lets them recover and ends them as their connections turn. Called with the locks of these connections held, in
/// the transaction that turns them; the caller announces what this answers. It costs nothing when nothing can follow, and at
/// most five statements however many turn. How long a connection must be well before its issues resolve is for
/// [`issues_due`], which looks at once at what begins to recover.
pub async fn follow(conn: &mut PgConnection, turns: &[Turn], now: DateTime<Utc>) -> Result<Vec<Change>> {
    // who is first seen well has no issues: a first round over many costs nothing here
    let turns: Vec<_> = turns
        .iter()
        .filter(|turn| turn.before.is_some() || matches!(Outlook::of(turn.after), Outlook::Bad(_)))
        .collect();
    if turns.is_empty() {
        return Ok(Vec::new());
    }
    let covers = cover::covers(conn).await?;
    let ids: Vec<Uuid> = turns.iter().map(|turn| turn.connection.0).collect();
    let mut ledger = Ledger::new(issue::of_connections(conn, &ids).await?, TimeDelta::zero(), now);
    let mut places: HashMap<ConnectionId, Vec<usize>> = HashMap::new();
    for (place, kept) in ledger.issues() {
        places.extend(kept.connection.filter(|id| !places.contains_key(id)).map(|id| (id, Vec::new())));
        if let Some(own) = kept.connection.and_then(|id| places.get_mut(&id)) {
            own.push(place);
        }
    }
    for turn in turns {
        take(&mut ledger, places.entry(turn.connection).or_default(), turn, &covers, now);
    }
    ledger.write(conn).await
}

fn take(ledger: &mut Ledger, places: &mut Vec<usize>, turn: &Turn, covers: &[Cover], now: DateTime<Utc>) {
    // one that comes back was last seen gone
    let before = Outlook::of(turn.before);
    let after = Outlook::of(turn.after);
    let cover = Cover::of(covers, &turn.platform, turn.source);
    let causes: HashMap<Cause, usize> =
        places.iter().filter_map(|place| Some((ledger.issue(*place)?.standing.cause, *place))).collect();
    if let Outlook::Bad(cause) = after
        && !causes.contains_key(&cause)
    {
        let decision = on_turn(cause, None, (before, after), cover.is_some(), now);
        let place = ledger.add(turn.connection, cause);
        places.push(place);
        ledger.enter(place, decision, told(turn, cause, decision, cover));
    }
    for (cause, place) in causes {
        let Some(kept) = ledger.issue(place) else { continue };
        let decision = on_turn(cause, Some(&kept.standing), (before, after), cover.is_some(), now);
        ledger.enter(place, decision, told(turn, cause, decision, cover));
    }
}

fn told<'a>(turn: &'a Turn, cause: Cause, decision: Decision, cover: Option<model::OutageId>) -> Told<'a> {
    let is_cause = Outlook::of(turn.after) == Outlook::Bad(cause);
    let detail = turn.detail.as_deref().filter(|_| is_cause);
    let text = match decision {
        Decision::Resolve(_) => "Gone from Makini; nothing is left to mend".to_owned(),
        Decision::Unfold => BROKEN_AFTER_OUTAGE.to_owned(),
        Decision::Wake => STILL_BROKEN.to_owned(),
        _ => match turn.evidence.as_deref().or(detail) {
            Some(said) => format!("{}: {said}", cause.words()),
            None => cause.words().to_owned(),
        },
    };
    Told { detail, outage: cover, text }
}

/// What the story says when an outage ends and this does not.
pub(super) const BROKEN_AFTER_OUTAGE: &str = "The outage is over, and this is still broken";
/// What it says when a snooze ends.
const STILL_BROKEN: &str = "The snooze ended, and it is still broken";

/// Wakes and resolves what is due. Busy when there may be more.
pub async fn issues_due(pool: &PgPool, clock: &SharedClock, hold: TimeDelta) -> Result<Step> {
    let now = clock.now();
    let mut tx = pool.begin().await?;
    let due = issue::due(&mut tx, now, BATCH).await?;
    if due.is_empty() {
        return Ok(Step::Idle);
    }
    let ids: Vec<Uuid> = due.iter().filter_map(|kept| kept.connection).map(|id| id.0).collect();
    let shown: HashMap<_, _> =
        issue::shown(&mut tx, &ids).await?.into_iter().map(|shown| (shown.connection, shown)).collect();
    let mut ledger = Ledger::new(due.clone(), hold, now);
    for (place, kept) in due.iter().enumerate() {
        let decision = on_time(&kept.standing, hold, now);
        let text = match (decision, kept.standing.well_since) {
            (Decision::Resolve(Proof::Held), Some(since)) => {
                proof(now - since, kept.connection.and_then(|id| shown.get(&id)))
            }
            _ => STILL_BROKEN.to_owned(),
        };
        ledger.enter(place, decision, Told { detail: None, outage: None, text });
    }
    let changes = ledger.write(&mut tx).await?;
    live::announce(&mut tx, &changes).await?;
    tx.commit().await?;
    Ok(Step::Busy)
}

/// Why an issue is over, in words.
fn proof(lasted: TimeDelta, shown: Option<&issue::Shown>) -> String {
    let lasted = span(lasted);
    let Some(shown) = shown else { return format!("Well for {lasted}") };
    if !matches!(Outlook::of(Some((shown.health, None))), Outlook::Well) {
        return format!("It has not come back for {lasted}; now: {}", shown.health.words().to_lowercase());
    }
    match (&shown.evidence, shown.eye) {
        (Some(evidence), Some(eye)) => format!("Well for {lasted}. Proof: {evidence} ({eye})"),
        (Some(evidence), None) => format!("Well for {lasted}. Proof: {evidence}"),
        (None, _) => format!("Well for {lasted}: {}", shown.health.words().to_lowercase()),
    }
}

fn span(lasted: TimeDelta) -> String {
    match lasted.num_seconds() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Eye, IssueState};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    type Shown = Option<(Health, Option<Cause>)>;

    const OFFLINE: Shown = Some((Health::Offline, None));
    const FAILING: Shown = Some((Health::Failing, None));
    const WELL: Shown = Some((Health::Healthy, None));

    fn turn(before: Shown, after: Shown, detail: Option<&str>) -> Turn {
        Turn {
            connection: ConnectionId(Uuid::nil()),
            platform: "sap".to_owned(),
            source: SourceId(Uuid::nil()),
            before,
            after,
            detail: detail.map(str::to_owned),
            evidence: None,
        }
    }

    #[test]
    fn each_cause_has_one_issue_and_recovers_when_another_takes_its_place() {
        let (mut ledger, mut places) = (Ledger::new(Vec::new(), TimeDelta::zero(), at(0)), Vec::new());
        let mut go = |turn: Turn, second: i64| {
            take(&mut ledger, &mut places, &turn, &[], at(second));
            let issue = |place: &usize| ledger.issue(*place).cloned().unwrap();
            places.iter().map(issue).collect::<Vec<_>>()
        };
        let all = go(turn(WELL, OFFLINE, Some("timeout")), 0);
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].standing.cause, all[0].standing.state), (Cause::PlatformUnreachable, IssueState::Open));
        assert_eq!((all[0].detail.as_deref(), all[0].version), (Some("timeout"), 1));
        let told_again = go(turn(OFFLINE, OFFLINE, Some("timeout")), 5);
        assert_eq!(told_again, all, "nothing is new");
        let other_words = go(turn(OFFLINE, OFFLINE, Some("refused")), 6);
        assert_eq!((other_words[0].detail.as_deref(), other_words[0].version), (Some("refused"), 2));
        let two = go(turn(OFFLINE, FAILING, Some("bad data")), 10);
        assert_eq!(two.len(), 2);
        assert!(two[0].standing.well_since.is_some() && two[0].detail.as_deref() == Some("refused"), "not its words");
        assert_eq!((two[1].standing.cause, two[1].standing.well_since), (Cause::SyncError, None));
        let gone = go(turn(FAILING, None, None), 20);
        assert!(gone.iter().all(|issue| issue.standing.state == IssueState::Resolved && issue.resolved_at.is_some()));
        let anew = go(turn(None, OFFLINE, None), 30);
        assert_eq!((anew.len(), anew[0].standing.state, anew[0].resolved_at), (2, IssueState::Open, None));
        assert_eq!(anew[1].standing.state, IssueState::Resolved);
    }

    #[test]
    fn a_story_says_what_was_seen_and_otherwise_the_cause() {
        let text = |turn: &Turn, cause, decision| told(turn, cause, decision, None).text;
        let open = Decision::Open { folded: false };
        let down = turn(WELL, OFFLINE, Some("timeout"));
        let words = Cause::PlatformUnreachable.words();
        assert_eq!(text(&down, Cause::PlatformUnreachable, open), format!("{words}: timeout"));
        let seen = Turn { evidence: Some("the system does not answer".to_owned()), ..down.clone() };
        assert_eq!(text(&seen, Cause::PlatformUnreachable, open), format!("{words}: the system does not answer"));
        assert_eq!(text(&down, Cause::SyncError, open), Cause::SyncError.words(), "what was said was about another");
        assert_eq!(text(&down, Cause::SyncError, Decision::Unfold), BROKEN_AFTER_OUTAGE);
        assert_eq!(text(&down, Cause::SyncError, Decision::Wake), STILL_BROKEN);
        assert!(text(&down, Cause::SyncError, Decision::Resolve(Proof::Gone)).starts_with("Gone from Makini"));
    }

    #[test]
    fn the_proof_of_an_end_says_for_how_long_and_by_what() {
        let shown = |health, evidence: Option<&str>, eye| issue::Shown {
            connection: ConnectionId(Uuid::nil()),
            health,
            evidence: evidence.map(str::to_owned),
            eye,
        };
        let said = |shown| proof(TimeDelta::seconds(300), Some(&shown));
        assert_eq!(proof(TimeDelta::seconds(119), None), "Well for 119 s");
        assert_eq!(proof(TimeDelta::seconds(7_199), None), "Well for 119 min");
        assert_eq!(proof(TimeDelta::seconds(7_200), None), "Well for 2 h");
        assert_eq!(
            said(shown(Health::Healthy, Some("syncs well"), Some(Eye::Poll))),
            "Well for 5 min. Proof: syncs well (poll)"
        );
        assert_eq!(said(shown(Health::Healthy, Some("syncs well"), None)), "Well for 5 min. Proof: syncs well");
        assert_eq!(said(shown(Health::Healthy, None, None)), "Well for 5 min: healthy");
        assert_eq!(
            said(shown(Health::Failing, Some("the sync failed"), None)),
            "It has not come back for 5 min; now: failing"
        );
    }
}
