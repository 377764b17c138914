use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const HOLD: TimeDelta = TimeDelta::seconds(300);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn standing(state: IssueState) -> Standing {
    Standing { state, ..Standing::new(Cause::SyncError) }
}

const BAD: Outlook = Outlook::Bad(Cause::SyncError);

#[test]
fn what_opens_an_issue_is_the_table() {
    use Health as H;
    for (health, cause, outlook) in [
        (H::ReauthorizationRequired, Some(Cause::Revoked), Outlook::Bad(Cause::Revoked)),
        (H::Offline, Some(Cause::PlatformUnreachable), Outlook::Bad(Cause::PlatformUnreachable)),
        (H::Failing, None, Outlook::Bad(Cause::SyncError)),
        (H::Late, Some(Cause::Late), Outlook::Bad(Cause::Late)),
        (H::Unstable, Some(Cause::SyncError), Outlook::Bad(Cause::Flapping)),
        (H::Unknown, Some(Cause::UnknownStatus), Outlook::Bad(Cause::UnknownStatus)),
        (H::Unknown, Some(Cause::Silent), Outlook::Bad(Cause::Silent)),
        (H::Unknown, Some(Cause::NoProof), Outlook::Unproved),
        (H::Unknown, None, Outlook::Unproved),
        (H::Paused, Some(Cause::NoCredits), Outlook::Bad(Cause::NoCredits)),
        (H::Paused, None, Outlook::Well),
        (H::FirstSync, Some(Cause::SlowSync), Outlook::Bad(Cause::SlowSync)),
        (H::FirstSync, Some(Cause::ReadingHistory), Outlook::Unproved),
        (H::Healthy, None, Outlook::Well),
    ] {
        assert_eq!(Outlook::of(Some((health, cause))), outlook, "{health} {cause:?}");
    }
    assert_eq!(Outlook::of(None), Outlook::Gone);
}

#[test]
fn who_resolves_what_is_broken_hears_of_it_when_it_breaks_anew() {
    let by_hand = standing(IssueState::Resolved);
    assert_eq!(on_turn(Cause::SyncError, Some(&by_hand), (BAD, BAD), false, at(0)), Decision::Keep);
    let anew = on_turn(Cause::SyncError, Some(&by_hand), (Outlook::Well, BAD), false, at(0));
    assert_eq!(anew, Decision::Reopen { folded: false });
}

#[test]
fn a_snoozed_issue_wakes_only_while_it_is_broken() {
    let asleep = Standing { snooze_until: Some(at(100)), ..standing(IssueState::Snoozed) };
    assert_eq!(on_time(&asleep, HOLD, at(99)), Decision::Keep);
    assert_eq!(on_time(&asleep, HOLD, at(100)), Decision::Wake);
    let recovering = Standing { well_since: Some(at(50)), ..asleep };
    assert_eq!(on_time(&recovering, HOLD, at(100)), Decision::Keep);
    assert_eq!(on_turn(Cause::SyncError, Some(&recovering), (Outlook::Well, BAD), false, at(101)), Decision::Wake);
    assert_eq!(
        on_turn(Cause::SyncError, Some(&recovering), (Outlook::Well, BAD), false, at(99)),
        Decision::StopRecovery
    );
    assert_eq!(on_time(&recovering, HOLD, at(350)), Decision::Resolve(Proof::Held));
}

#[test]
fn what_is_gone_leaves_nothing_to_mend() {
    for state in IssueState::ALL.iter().copied() {
        let gone = on_turn(Cause::SyncError, Some(&standing(state)), (BAD, Outlook::Gone), true, at(0));
        let over = state == IssueState::Resolved;
        assert_eq!(gone, if over { Decision::Keep } else { Decision::Resolve(Proof::Gone) }, "{state}");
    }
}

#[test]
fn our_own_blindness_ends_nothing() {
    let recovering = Standing { well_since: Some(at(0)), ..standing(IssueState::Open) };
    let turn = (Outlook::Well, Outlook::Unproved);
    assert_eq!(on_turn(Cause::SyncError, Some(&recovering), turn, false, at(10)), Decision::StopRecovery);
    let open = standing(IssueState::Open);
    assert_eq!(on_turn(Cause::SyncError, Some(&open), (BAD, Outlook::Unproved), false, at(10)), Decision::Keep);
}

#[test]
fn an_outage_folds_what_nobody_has_taken_and_lets_go_what_is_still_broken() {
    use IssueState as S;
    let well = Some(at(0));
    for (state, well_since, covered, decision) in [
        (S::Open, None, true, Decision::Fold),
        (S::Open, well, true, Decision::Fold),
        (S::Open, None, false, Decision::Keep),
        (S::Folded, None, true, Decision::Keep),
        (S::Folded, None, false, Decision::Unfold),
        (S::Folded, well, false, Decision::Keep),
        (S::Acknowledged, None, true, Decision::Keep),
        (S::WaitingOnCustomer, None, true, Decision::Keep),
        (S::Snoozed, None, true, Decision::Keep),
        (S::Resolved, well, true, Decision::Keep),
    ] {
        let issue = Standing { well_since, ..standing(state) };
        assert_eq!(on_outage(&issue, covered), decision, "{state} {well_since:?} {covered}");
    }
    let folded = standing(S::Folded);
    let told_again = |covered| on_turn(Cause::SyncError, Some(&folded), (BAD, BAD), covered, at(0));
    assert_eq!((told_again(true), told_again(false)), (Decision::Keep, Decision::Unfold), "whatever ended unseen");
    let open = standing(IssueState::Open);
    assert_eq!(on_turn(Cause::SyncError, Some(&open), (BAD, BAD), true, at(0)), Decision::Keep, "nothing turned");
}

#[test]
fn an_issue_stands_where_its_decision_puts_it() {
    use IssueState as S;
    let asleep = Standing { snooze_until: Some(at(100)), well_since: Some(at(50)), ..standing(S::Snoozed) };
    for (decision, state, well_since, snooze_until) in [
        (Decision::Keep, S::Snoozed, Some(at(50)), Some(at(100))),
        (Decision::Open { folded: true }, S::Folded, None, None),
        (Decision::Open { folded: false }, S::Open, None, None),
        (Decision::Reopen { folded: true }, S::Folded, None, None),
        (Decision::Reopen { folded: false }, S::Open, None, None),
        (Decision::Fold, S::Folded, Some(at(50)), Some(at(100))),
        (Decision::Unfold, S::Open, None, None),
        (Decision::Wake, S::Open, None, None),
        (Decision::BeginRecovery, S::Snoozed, Some(at(70)), Some(at(100))),
        (Decision::StopRecovery, S::Snoozed, None, Some(at(100))),
        (Decision::Resolve(Proof::Held), S::Resolved, Some(at(50)), None),
    ] {
        let stands = Standing { state, well_since, snooze_until, ..standing(state) };
        assert_eq!(asleep.after(decision, at(70)), stands, "{decision:?}");
    }
    let gone = standing(S::Open).after(Decision::Resolve(Proof::Gone), at(70));
    assert_eq!((gone.state, gone.well_since), (S::Resolved, Some(at(70))));
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    Turn(Outlook),
    /// The same turn told again.
    Again,
    /// The clock moves, perhaps backwards.
    Clock(i64),
    Outage(bool),
    Person(usize, IssueState),
}

const CAUSES: [Cause; 3] = [Cause::SyncError, Cause::PlatformUnreachable, Cause::Flapping];

fn outlooks() -> impl Strategy<Value = Outlook> {
    prop_oneof![
        4 => prop::sample::select(&CAUSES[..]).prop_map(Outlook::Bad),
        3 => Just(Outlook::Well),
        1 => Just(Outlook::Unproved),
        1 => Just(Outlook::Gone),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    use IssueState as S;
    let states = prop::sample::select(vec![S::Open, S::Acknowledged, S::WaitingOnCustomer, S::Snoozed, S::Resolved]);
    prop_oneof![
        4 => outlooks().prop_map(Step::Turn),
        1 => Just(Step::Again),
        4 => (-100i64..400).prop_map(Step::Clock),
        1 => any::<bool>().prop_map(Step::Outage),
        2 => (0..CAUSES.len(), states).prop_map(|(cause, state)| Step::Person(cause, state)),
    ]
}

/// A connection, its issues, and what an onlooker remembers to hold the policy to.
struct Trial {
    now: DateTime<Utc>,
    shown: (Outlook, Outlook),
    covered: bool,
    issues: BTreeMap<Cause, Standing>,
    /// Since when each cause is continuously away, by the onlooker's own count.
    away_since: BTreeMap<Cause, DateTime<Utc>>,
    /// Resolved by a person while broken, and not broken anew since.
    dismissed: Vec<Cause>,
}

impl Trial {
    fn decide(&mut self, cause: Cause, decision: Decision) -> Result<(), TestCaseError> {
        let before = self.issues.get(&cause).copied();
        match decision {
            Decision::Open { .. } => prop_assert!(before.is_none(), "a second issue of one cause"),
            Decision::Reopen { .. } => prop_assert!(before.is_some_and(|issue| !issue.state.is_live())),
            Decision::Resolve(Proof::Held) => {
                let since = self.away_since.get(&cause).copied();
                prop_assert!(since.is_some_and(|since| self.now - since >= HOLD), "resolved too early: {since:?}");
            }
            Decision::Resolve(Proof::Gone) => prop_assert_eq!(self.shown.1, Outlook::Gone),
            Decision::Keep => {}
            _ => prop_assert!(before.is_some_and(|issue| issue.state.is_live())),
        }
        if decision == Decision::Keep {
            return Ok(());
        }
        let after = before.unwrap_or(Standing::new(cause)).after(decision, self.now);
        prop_assert_eq!(after.cause, cause);
        self.issues.insert(cause, after);
        Ok(())
    }

    fn turn(&mut self, (before, after): (Outlook, Outlook)) -> Result<(), TestCaseError> {
        self.shown = (before, after);
        for cause in CAUSES {
            match after {
                Outlook::Bad(now_cause) if now_cause == cause => {
                    self.away_since.remove(&cause);
                    if before != after {
                        self.dismissed.retain(|dismissed| *dismissed != cause);
                    }
                }
                Outlook::Unproved => {
                    self.away_since.remove(&cause);
                }
                Outlook::Bad(_) | Outlook::Well | Outlook::Gone => {
                    self.away_since.entry(cause).or_insert(self.now);
                }
            }
            let issue = self.issues.get(&cause);
            let decision = on_turn(cause, issue, (before, after), self.covered, self.now);
            prop_assert_eq!(decision, on_turn(cause, issue, (before, after), self.covered, self.now));
            self.decide(cause, decision)?;
        }
        Ok(())
    }

    fn time(&mut self) -> Result<(), TestCaseError> {
        for (cause, issue) in self.issues.clone() {
            self.decide(cause, on_time(&issue, HOLD, self.now))?;
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Turn(after) => self.turn((self.shown.1, after))?,
            Step::Again => self.turn((self.shown.1, self.shown.1))?,
            Step::Clock(seconds) => self.now += TimeDelta::seconds(seconds),
            Step::Outage(covered) => {
                self.covered = covered;
                for (cause, issue) in self.issues.clone() {
                    self.decide(cause, on_outage(&issue, covered))?;
                }
            }
            Step::Person(n, state) => {
                let cause = CAUSES[n];
                if let Some(issue) = self.issues.get_mut(&cause).filter(|issue| issue.state.is_live()) {
                    // nobody takes an issue out of an outage by opening it
                    if (issue.state, state) != (IssueState::Folded, IssueState::Open) {
                        issue.state = state;
                    }
                    issue.snooze_until = (state == IssueState::Snoozed).then(|| self.now + TimeDelta::seconds(200));
                    if state == IssueState::Resolved && issue.well_since.is_none() {
                        self.dismissed.push(cause);
                    }
                }
            }
        }
        self.time()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Any order and repetition of turns, jumps of the clock, outages and people: an issue resolves by itself only after its
    /// cause stayed away for the hold-down; what is broken has exactly one live issue, folded only while an outage lasts; and
    /// in the end, when all is well for long enough, none is left.
    #[test]
    fn what_is_broken_has_one_issue_and_what_is_well_has_none(steps in prop::collection::vec(steps(), 0..60), last in outlooks()) {
        let mut trial = Trial {
            now: at(0),
            shown: (Outlook::Well, Outlook::Well),
            covered: false,
            issues: BTreeMap::new(),
            away_since: CAUSES.iter().map(|cause| (*cause, at(0))).collect(),
            dismissed: Vec::new(),
        };
        for step in steps {
            trial.step(step)?;
        }
        trial.step(Step::Outage(false))?;
        trial.step(Step::Turn(last))?;
        if let Outlook::Bad(cause) = last {
            let live = trial.issues.get(&cause).is_some_and(|issue| issue.state.is_live() && issue.state != IssueState::Folded);
            prop_assert_eq!(live, !trial.dismissed.contains(&cause), "{:?}", trial.issues);
            prop_assert!(trial.issues.iter().all(|(of, issue)| {
                *of == cause || !issue.state.is_live() || issue.well_since.is_some()
            }), "what is not the cause is on its way out: {:?}", trial.issues);
        }
        trial.step(Step::Turn(Outlook::Well))?;
        trial.now = trial.issues.values().filter_map(|issue| issue.due_at(HOLD)).max().unwrap_or(trial.now);
        trial.time()?;
        prop_assert!(trial.issues.values().all(|issue| !issue.state.is_live()), "{:?}", trial.issues);
    }

    /// Nothing happens by time alone before it is due.
    #[test]
    fn time_changes_nothing_before_it_is_due(
        state in prop::sample::select(IssueState::ALL),
        well in prop::option::of(-500i64..0),
        until in 0i64..500,
        later in 0i64..600,
    ) {
        let snooze_until = (state == IssueState::Snoozed).then(|| at(until));
        let issue = Standing { well_since: well.map(at), snooze_until, ..standing(state) };
        let due = issue.due_at(HOLD);
        let decision = on_time(&issue, HOLD, at(later));
        prop_assert_eq!(decision == Decision::Keep, due.is_none_or(|due| due > at(later)));
    }
}
