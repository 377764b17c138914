//! What becomes of a connection's issues. Pure: standing issues, what turned, and a time in; named decisions out.

use chrono::{DateTime, TimeDelta, Utc};
use model::{Cause, Health, IssueState};

/// How long a connection must be well before its issues resolve by themselves, unless it is set otherwise.
pub const RECOVERY_HOLD: TimeDelta = TimeDelta::minutes(5);

/// What is shown of a connection, as its issues see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Something is wrong that somebody should know.
    Bad(Cause),
    /// Nothing is wrong.
    Well,
    /// Not proved either way, by our own blindness or because it is only being connected: opens nothing and ends nothing.
    Unproved,
    /// Gone upstream.
    Gone,
}

impl Outlook {
    /// Of what is shown; none is shown of what is gone.
    pub fn of(shown: Option<(Health, Option<Cause>)>) -> Self {
        let Some((health, cause)) = shown else { return Self::Gone };
        match (health, cause) {
            (Health::ReauthorizationRequired, cause) => Self::Bad(cause.unwrap_or(Cause::CredentialsChanged)),
            (Health::Offline, cause) => Self::Bad(cause.unwrap_or(Cause::PlatformUnreachable)),
            (Health::Failing, cause) => Self::Bad(cause.unwrap_or(Cause::SyncError)),
            (Health::Late, cause) => Self::Bad(cause.unwrap_or(Cause::Late)),
            // whatever it comes from and goes to: one issue for all of it
            (Health::Unstable, _) => Self::Bad(Cause::Flapping),
            (Health::Unknown, Some(cause @ (Cause::UnknownStatus | Cause::Silent))) => Self::Bad(cause),
            (Health::Paused, Some(Cause::NoCredits)) => Self::Bad(Cause::NoCredits),
            (Health::FirstSync, Some(Cause::SlowSync)) => Self::Bad(Cause::SlowSync),
            (Health::Unknown | Health::FirstSync, _) => Self::Unproved,
            (Health::Paused | Health::Healthy, _) => Self::Well,
        }
    }
}

/// An issue as the policy needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is about.
    pub cause: Cause,
    /// Where it stands.
    pub state: IssueState,
    /// Since when its cause is away. Of a resolved one: none when a person resolved it although it was not.
    pub well_since: Option<DateTime<Utc>>,
    /// When it wakes.
    pub snooze_until: Option<DateTime<Utc>>,
}

/// Why an issue is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Its cause stayed away for the hold-down.
    Held,
    /// Its connection is gone upstream.
    Gone,
}

/// What becomes of an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Keep,
    /// There was none; now there is, at once `folded` into the outage that covers its connection.
    Open { folded: bool },
    /// It was over and came again.
    Reopen { folded: bool },
    /// An outage stands for it from now on.
    Fold,
    /// The outage that stood for it is over, and it is not.
    Unfold,
    /// Its cause is away; it resolves when that stays so for the hold-down.
    BeginRecovery,
    /// Its cause is back, or nothing proves any more that it is away.
    StopRecovery,
    /// It slept long enough.
    Wake,
    /// It is over.
    Resolve(Proof),
}

/// What a turn from `before` to `after` makes of the issue of one cause, or of there being none. `covered`: an outage stands
/// for the connection.
pub fn on_turn(
    cause: Cause,
    issue: Option<&Standing>,
    (before, after): (Outlook, Outlook),
    covered: bool,
    now: DateTime<Utc>,
) -> Decision {
    let Some(issue) = issue else {
        return if after == Outlook::Bad(cause) { Decision::Open { folded: covered } } else { Decision::Keep };
    };
    let live = issue.state.is_live();
    match after {
        Outlook::Gone if live => Decision::Resolve(Proof::Gone),
        Outlook::Bad(now_cause) if now_cause == cause => match issue.state {
            // whoever resolved it although it was broken knows that it is; it comes again when it breaks anew
            IssueState::Resolved if issue.well_since.is_none() && before == after => Decision::Keep,
            IssueState::Resolved => Decision::Reopen { folded: covered },
            IssueState::Folded if !covered => Decision::Unfold,
            IssueState::Snoozed if issue.snooze_until.is_none_or(|until| until <= now) => Decision::Wake,
            _ if issue.well_since.is_some() => Decision::StopRecovery,
            _ => Decision::Keep,
        },
        Outlook::Bad(_) | Outlook::Well if live && issue.well_since.is_none() => Decision::BeginRecovery,
        Outlook::Unproved if live && issue.well_since.is_some() => Decision::StopRecovery,
        _ => Decision::Keep,
    }
}

/// What time alone makes of an issue.
pub fn on_time(issue: &Standing, hold: TimeDelta, now: DateTime<Utc>) -> Decision {
    match (issue.state, issue.well_since) {
        (IssueState::Resolved, _) => Decision::Keep,
        (_, Some(since)) if now - since >= hold => Decision::Resolve(Proof::Held),
        (_, Some(_)) => Decision::Keep,
        (IssueState::Snoozed, None) if issue.snooze_until.is_none_or(|until| until <= now) => Decision::Wake,
        _ => Decision::Keep,
    }
}

/// What the beginning and the end of an outage over its connection make of an issue. What a person has taken, or put aside,
/// stays theirs.
pub fn on_outage(issue: &Standing, covered: bool) -> Decision {
    match issue.state {
        IssueState::Open if covered => Decision::Fold,
        IssueState::Folded if !covered && issue.well_since.is_none() => Decision::Unfold,
        _ => Decision::Keep,
    }
}

impl Standing {
    /// A new one, before its first decision.
    pub fn new(cause: Cause) -> Self {
        Self { cause, state: IssueState::Resolved, well_since: None, snooze_until: None }
    }

    /// When time alone may change it.
    pub fn due_at(&self, hold: TimeDelta) -> Option<DateTime<Utc>> {
        match self.state {
            IssueState::Resolved => None,
            _ if self.well_since.is_some() => self.well_since.and_then(|since| since.checked_add_signed(hold)),
            IssueState::Snoozed => self.snooze_until,
            _ => None,
        }
    }

    /// As it stands after a decision.
    #[must_use]
    pub fn after(self, decision: Decision, now: DateTime<Utc>) -> Self {
        let broken = Self { well_since: None, snooze_until: None, ..self };
        match decision {
            Decision::Keep => self,
            Decision::Open { folded: true } | Decision::Reopen { folded: true } => {
                Self { state: IssueState::Folded, ..broken }
            }
            Decision::Open { folded: false } | Decision::Reopen { folded: false } => {
                Self { state: IssueState::Open, ..broken }
            }
            Decision::Fold => Self { state: IssueState::Folded, ..self },
            Decision::Unfold | Decision::Wake => Self { state: IssueState::Open, ..broken },
            Decision::BeginRecovery => Self { well_since: Some(now), ..self },
            Decision::StopRecovery => Self { well_since: None, ..self },
            Decision::Resolve(_) => Self {
                state: IssueState::Resolved,
                well_since: self.well_since.or(Some(now)),
                snooze_until: None,
                ..self
            },
        }
    }
}

#[cfg(test)]
mod tests;
