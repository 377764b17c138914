//! What each kind of evidence says, in one language.

use super::{Complaint, Flow, RefusedFact, SyncFact};
use crate::makini::{Closer, ReportedError, Seen, SyncStatus};
use crate::webhook::event::News;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Authorization, Cause, UpstreamStatus};
use serde_json::json;

/// What evidence says of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowFact {
    /// The flow is this.
    Is(Flow),
    /// The system answers: ends `Offline` and says nothing else.
    Reachable,
}

/// What a piece of evidence says; what it is silent about is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Of dimension 1, and why.
    pub authorization: Option<(Authorization, Option<Cause>)>,
    /// Of dimension 2, and why.
    pub flow: Option<(FlowFact, Option<Cause>)>,
    /// What upstream says about the cause.
    pub detail: Option<String>,
    /// When data last arrived.
    pub last_good_sync_at: Option<DateTime<Utc>>,
    /// Upstream's own cadence, in seconds.
    pub cadence_upstream: Option<i64>,
    /// Whether a sync is under way, where that is told.
    pub busy: Option<bool>,
    /// A sync that ended.
    pub sync: Option<SyncFact>,
    /// It is about the connection's data: that came, and nothing is said of the connection itself.
    pub of_data: bool,
    /// An operation on one kind of record that was refused; says nothing of the connection's state.
    pub refused: Option<Box<RefusedFact>>,
}

impl Facts {
    /// As JSON, for the record.
    pub fn to_json(&self) -> serde_json::Value {
        let mut facts = json!({
            "authorization": self.authorization.map(|(value, _)| value.code()),
            "flow": self.flow.map(|(fact, _)| match fact {
                FlowFact::Is(flow) => flow.code(),
                FlowFact::Reachable => "reachable",
            }),
            "cause": self.cause().map(Cause::code),
            "detail": self.detail,
            "last_good_sync_at": self.last_good_sync_at,
        });
        if let Some(sync) = &self.sync {
            facts["sync"] = json!(sync);
        }
        if let Some(refused) = &self.refused {
            facts["refused"] = json!(refused);
        }
        facts
    }

    fn cause(&self) -> Option<Cause> {
        self.authorization.and_then(|(_, cause)| cause).or_else(|| self.flow.and_then(|(_, cause)| cause))
    }

    /// In a sentence.
    pub fn text(&self) -> String {
        let authorization = self.authorization.filter(|(value, _)| *value != Authorization::Authorized);
        let unproved = matches!(self.flow, Some((FlowFact::Is(Flow::Unknown), Some(Cause::NoProof))));
        let says = match (authorization, self.flow) {
            (Some((value, _)), _) => value.words().to_lowercase(),
            (None, _) if unproved => "nothing is known of its syncs".to_owned(),
            (None, Some((FlowFact::Reachable, _))) => "the system answers".to_owned(),
            (None, Some((FlowFact::Is(flow), _))) => match flow {
                Flow::Good => "syncs well".to_owned(),
                Flow::Failing => "the sync failed".to_owned(),
                Flow::Offline => "the system does not answer".to_owned(),
                Flow::FirstSync => "the first sync is under way".to_owned(),
                Flow::NotConnected => "not connected yet".to_owned(),
                Flow::Paused => "inactive for lack of credits".to_owned(),
                Flow::Unknown => "a status that we do not know".to_owned(),
            },
            (None, None) if self.of_data => "its data came".to_owned(),
            (None, None) if self.authorization.is_some() => "signed in".to_owned(),
            (None, None) => match &self.refused {
                Some(refused) => refused.text(),
                None => "says nothing of its state".to_owned(),
            },
        };
        match &self.detail {
            Some(detail) => format!("{says}: {detail}"),
            None => says,
        }
    }
}

/// What a row of upstream's list says.
pub fn facts_of_seen(seen: &Seen) -> Facts {
    let mut facts = of_status(seen.status, seen.raw_status.as_deref(), seen.reauthorization_required);
    facts.last_good_sync_at = seen.last_good_sync_at;
    facts
}

/// What a closer look says. Nothing when upstream says the connection is gone: that is for [`super::remove`].
pub fn facts_of_closer(closer: &Closer) -> Facts {
    let mut facts = of_status(closer.status, closer.raw_status.as_deref(), closer.reauthorization_required);
    let mut error = closer.error.as_ref();
    if let Some(sync) = &closer.sync {
        facts.last_good_sync_at = sync.last_good_sync_at;
        error = error.or(sync.errors.first());
        facts.busy = match sync.status {
            SyncStatus::InProgress => Some(true),
            SyncStatus::Completed | SyncStatus::Failed => Some(false),
            _ => facts.busy,
        };
        match sync.status {
            SyncStatus::Completed => {
                facts.cadence_upstream = cadence(sync.last_good_sync_at, sync.next_scheduled_at);
            }
            SyncStatus::Failed
                if matches!(facts.flow, Some((FlowFact::Is(Flow::Good), _)))
                    && closer.status == Some(UpstreamStatus::Active) =>
            {
                facts.flow = Some((FlowFact::Is(Flow::Failing), Some(Cause::SyncError)));
            }
            _ => {}
        }
    }
    let unwell = facts.authorization.is_some_and(|(value, _)| value != Authorization::Authorized)
        || matches!(facts.flow, Some((FlowFact::Is(Flow::Failing | Flow::Offline), _)));
    if let Some(error) = error.filter(|_| unwell) {
        if let Some((value, cause)) = &mut facts.authorization
            && *value != Authorization::Authorized
        {
            *cause = Some(auth_cause(error.code.as_deref()).unwrap_or(Cause::CredentialsChanged));
        }
        facts.detail = Some(words_of(error));
    }
    facts
}

/// What a webhook says.
pub fn facts_of_news(news: &News, at: DateTime<Utc>) -> Facts {
    match news {
        News::ReauthorizationRequired { code, message } => Facts {
            authorization: Some((
                Authorization::ReauthorizationRequired,
                Some(auth_cause(code.as_deref()).unwrap_or(Cause::CredentialsChanged)),
            )),
            detail: message.clone(),
            ..Facts::default()
        },
        News::Online => Facts { flow: Some((FlowFact::Reachable, None)), ..Facts::default() },
        News::Offline { message } => Facts {
            flow: Some((FlowFact::Is(Flow::Offline), Some(Cause::PlatformUnreachable))),
            detail: message.clone(),
            ..Facts::default()
        },
        News::SyncCompleted { finished_at, started_at, carried, .. } => Facts {
            authorization: Some((Authorization::Authorized, None)),
            flow: Some((FlowFact::Is(Flow::Good), None)),
            last_good_sync_at: Some(finished_at.unwrap_or(at).min(at)),
            busy: Some(false),
            sync: Some(SyncFact::good(*started_at, finished_at.unwrap_or(at).min(at), carried)),
            ..Facts::default()
        },
        News::SyncFailed { code, message, run } => {
            let (authorization, flow) = match code.as_deref().map(str::to_ascii_uppercase) {
                // a sync that failed because the system does not answer, or refuses us, says that, and no second thing
                Some(code) if code.contains("UNREACHABLE") || code.contains("OFFLINE") => {
                    (None, Some((FlowFact::Is(Flow::Offline), Some(Cause::PlatformUnreachable))))
                }
                Some(code) if code.contains("REAUTH") => {
                    (Some((Authorization::ReauthorizationRequired, Some(Cause::CredentialsChanged))), None)
                }
                _ => (None, Some((FlowFact::Is(Flow::Failing), Some(Cause::SyncError)))),
            };
            let error = ReportedError { code: code.clone(), message: message.clone().unwrap_or_default() };
            let words = words_of(&error);
            let sync = run.as_ref().map(|run| SyncFact::failed(run, at, code.as_deref(), &words));
            Facts { authorization, flow, detail: Some(words), busy: Some(false), sync, ..Facts::default() }
        }
        // it names no dimension: kept on the record, and a check is asked for
        News::SystemError { code, message, told } => {
            let complaint = Complaint {
                operation: told.operation.as_deref(),
                entities: &told.entities,
                code: code.as_deref(),
                status: told.status,
                message: message.as_deref(),
            };
            let detail = message.clone().or_else(|| code.clone());
            Facts { detail, refused: RefusedFact::of(&complaint).map(Box::new), ..Facts::default() }
        }
    }
}

/// What a webhook about a connection's data says.
pub fn facts_of_data() -> Facts {
    Facts { of_data: true, ..Facts::default() }
}

fn of_status(status: Option<UpstreamStatus>, raw: Option<&str>, reauthorization: Option<bool>) -> Facts {
    let flow = |flow, cause| Some((FlowFact::Is(flow), cause));
    let mut facts = Facts::default();
    match status {
        Some(UpstreamStatus::Pending) => facts.flow = flow(Flow::NotConnected, Some(Cause::NotConnectedYet)),
        Some(UpstreamStatus::Synchronizing) => facts.flow = flow(Flow::FirstSync, Some(Cause::ReadingHistory)),
        Some(UpstreamStatus::InProgress) => facts.flow = Some((FlowFact::Reachable, None)),
        Some(UpstreamStatus::Active) => facts.flow = flow(Flow::Good, None),
        Some(UpstreamStatus::Inactive) => facts.flow = flow(Flow::Paused, Some(Cause::NoCredits)),
        Some(UpstreamStatus::Offline) => facts.flow = flow(Flow::Offline, Some(Cause::PlatformUnreachable)),
        Some(UpstreamStatus::Error) => facts.flow = flow(Flow::Failing, Some(Cause::SyncError)),
        Some(UpstreamStatus::Fail | UpstreamStatus::Disconnected) => {}
        None => {
            if let Some(raw) = raw {
                facts.flow = flow(Flow::Unknown, Some(Cause::UnknownStatus));
                facts.detail = Some(format!("Makini says “{}”", raw.chars().take(60).collect::<String>()));
            }
        }
    }
    facts.busy = match status {
        Some(UpstreamStatus::Synchronizing | UpstreamStatus::InProgress) => Some(true),
        Some(UpstreamStatus::Pending) | None => None,
        Some(_) => Some(false),
    };
    facts.authorization = match (status, reauthorization) {
        (Some(UpstreamStatus::Disconnected), _) => Some((Authorization::Revoked, Some(Cause::Revoked))),
        (Some(UpstreamStatus::Fail), _) | (_, Some(true)) => {
            Some((Authorization::ReauthorizationRequired, Some(Cause::CredentialsChanged)))
        }
        // an unfinished connection has nothing to sign in with yet
        (Some(UpstreamStatus::Pending) | None, _) => None,
        (Some(_), _) => Some((Authorization::Authorized, None)),
    };
    // while the customer must sign in again, "the sync failed" is a consequence and not a second cause
    if facts.authorization.is_some_and(|(value, _)| value != Authorization::Authorized)
        && matches!(facts.flow, Some((FlowFact::Is(Flow::Failing | Flow::Good), _)))
    {
        facts.flow = None;
    }
    facts
}

fn auth_cause(code: Option<&str>) -> Option<Cause> {
    let code = code?.to_ascii_uppercase();
    if code.contains("PERMISSION") || code.contains("FORBIDDEN") {
        Some(Cause::PermissionMissing)
    } else if code.contains("REVOKED") {
        Some(Cause::Revoked)
    } else {
        None
    }
}

fn words_of(error: &ReportedError) -> String {
    match (&error.code, error.message.trim()) {
        (Some(code), "") => code.clone(),
        (Some(code), message) => format!("{message} ({code})"),
        (None, "") => "no reason was given".to_owned(),
        (None, message) => message.to_owned(),
    }
}

/// The time from a good sync to the next planned one, when it is a believable cadence: one minute to 31 days.
fn cadence(last: Option<DateTime<Utc>>, next: Option<DateTime<Utc>>) -> Option<i64> {
    let between = next? - last?;
    (TimeDelta::seconds(10)..=TimeDelta::days(31)).contains(&between).then(|| between.num_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::makini::SyncRead;
    use crate::webhook::event::{Carried, FailedRun, Touched};

    fn failed(code: &str) -> Facts {
        let news = News::SyncFailed { code: Some(code.to_owned()), message: Some("it did".to_owned()), run: None };
        facts_of_news(&news, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_failed_sync_says_why_it_failed_and_not_a_second_thing() {
        let offline = failed("SYSTEM_UNREACHABLE");
        assert_eq!(offline.flow, Some((FlowFact::Is(Flow::Offline), Some(Cause::PlatformUnreachable))));
        let refused = failed("REAUTHORIZATION_REQUIRED");
        assert_eq!(refused.authorization.map(|(value, _)| value), Some(Authorization::ReauthorizationRequired));
        assert_eq!(refused.flow, None);
        assert_eq!(failed("SOURCE_ERROR").flow, Some((FlowFact::Is(Flow::Failing), Some(Cause::SyncError))));
    }

    #[test]
    fn an_error_while_the_customer_must_sign_in_is_no_second_cause() {
        let facts = of_status(Some(UpstreamStatus::Error), Some("error"), Some(true));
        assert_eq!(facts.flow, None);
        assert_eq!(
            facts.authorization,
            Some((Authorization::ReauthorizationRequired, Some(Cause::CredentialsChanged)))
        );
    }

    #[test]
    fn each_status_says_what_it_can_of_each_dimension() {
        use Authorization as A;
        use UpstreamStatus as S;
        let is = |flow| Some(FlowFact::Is(flow));
        for (status, reauthorization, authorization, flow, busy) in [
            (Some(S::Pending), None, None, is(Flow::NotConnected), None),
            (Some(S::Synchronizing), None, Some(A::Authorized), is(Flow::FirstSync), Some(true)),
            (Some(S::InProgress), None, Some(A::Authorized), Some(FlowFact::Reachable), Some(true)),
            (Some(S::Active), Some(false), Some(A::Authorized), is(Flow::Good), Some(false)),
            (Some(S::Inactive), None, Some(A::Authorized), is(Flow::Paused), Some(false)),
            (Some(S::Offline), None, Some(A::Authorized), is(Flow::Offline), Some(false)),
            (Some(S::Error), None, Some(A::Authorized), is(Flow::Failing), Some(false)),
            (Some(S::Fail), None, Some(A::ReauthorizationRequired), None, Some(false)),
            (Some(S::Disconnected), Some(true), Some(A::Revoked), None, Some(false)),
            (Some(S::Active), Some(true), Some(A::ReauthorizationRequired), None, Some(false)),
            (Some(S::Offline), Some(true), Some(A::ReauthorizationRequired), is(Flow::Offline), Some(false)),
            (None, None, None, is(Flow::Unknown), None),
        ] {
            let facts = of_status(status, Some("odd"), reauthorization);
            let said = (facts.authorization.map(|(value, _)| value), facts.flow.map(|(fact, _)| fact), facts.busy);
            assert_eq!(said, (authorization, flow, busy), "{status:?} {reauthorization:?}");
        }
        assert_eq!(of_status(None, Some("odd"), None).detail.as_deref(), Some("Makini says “odd”"));
        assert_eq!(of_status(None, None, None), Facts::default());
    }

    fn closer(status: UpstreamStatus, sync: SyncStatus, error: Option<(&str, &str)>) -> Facts {
        let error = error.map(|(code, message)| ReportedError { code: Some(code.into()), message: message.into() });
        let at = |seconds| DateTime::from_timestamp(seconds, 0);
        facts_of_closer(&Closer {
            status: Some(status),
            sync: Some(SyncRead {
                status: sync,
                last_good_sync_at: at(0),
                next_scheduled_at: at(900),
                errors: error.into_iter().collect(),
            }),
            ..Closer::default()
        })
    }

    #[test]
    fn a_closer_look_knows_how_the_last_sync_ended() {
        use UpstreamStatus as S;
        let good = closer(S::Active, SyncStatus::Completed, Some(("OLD", "an old error")));
        assert_eq!(good.flow, Some((FlowFact::Is(Flow::Good), None)));
        assert_eq!((good.cadence_upstream, good.busy, good.detail.as_deref()), (Some(900), Some(false), None));
        let failed = closer(S::Active, SyncStatus::Failed, Some(("TIMEOUT", "too slow")));
        assert_eq!(failed.flow, Some((FlowFact::Is(Flow::Failing), Some(Cause::SyncError))));
        assert_eq!((failed.cadence_upstream, failed.detail.as_deref()), (None, Some("too slow (TIMEOUT)")));
        assert_eq!(failed.authorization, Some((Authorization::Authorized, None)));
        let paused = closer(S::Inactive, SyncStatus::Failed, None);
        assert_eq!(paused.flow, Some((FlowFact::Is(Flow::Paused), Some(Cause::NoCredits))), "its last sync is history");
        let down = closer(S::Offline, SyncStatus::InProgress, Some(("X", "")));
        assert_eq!((down.busy, down.detail.as_deref()), (Some(true), Some("X")));
        assert_eq!(closer(S::InProgress, SyncStatus::Unknown(String::new()), None).busy, Some(true));
    }

    #[test]
    fn who_must_sign_in_has_no_second_trouble_and_a_sync_ends_what_its_status_says() {
        let refused = facts_of_closer(&Closer {
            status: Some(UpstreamStatus::Active),
            reauthorization_required: Some(true),
            sync: Some(SyncRead {
                status: SyncStatus::Failed,
                last_good_sync_at: None,
                next_scheduled_at: None,
                errors: Vec::new(),
            }),
            ..Closer::default()
        });
        assert_eq!(refused.flow, None);
        assert_eq!(closer(UpstreamStatus::Synchronizing, SyncStatus::Completed, None).busy, Some(false));
    }

    #[test]
    fn an_event_says_what_happened_and_when() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let said = |news| facts_of_news(&news, at(40));
        let words = || Some("no".to_owned());
        assert_eq!(said(News::Online).flow, Some((FlowFact::Reachable, None)));
        let offline = said(News::Offline { message: words() });
        assert_eq!(offline.flow, Some((FlowFact::Is(Flow::Offline), Some(Cause::PlatformUnreachable))));
        let refused = said(News::ReauthorizationRequired { code: None, message: words() });
        let error = said(News::SystemError { code: None, message: words(), told: Touched::default() });
        assert_eq!((error.authorization, error.flow), (None, None));
        for facts in [offline, refused, error] {
            assert_eq!(facts.detail, words());
        }
        for (finished_at, ended) in [(None, 40), (Some(at(30)), 30), (Some(at(50)), 40)] {
            let (started_at, summary, carried) = (Some(at(20)), None, Carried::default());
            let synced = said(News::SyncCompleted { finished_at, started_at, summary, carried });
            assert_eq!(synced.authorization, Some((Authorization::Authorized, None)));
            assert_eq!((synced.flow, synced.busy), (Some((FlowFact::Is(Flow::Good), None)), Some(false)));
            assert_eq!(synced.last_good_sync_at, Some(at(ended)), "never later than it came");
            assert_eq!(synced.sync.map(|sync| (sync.started_at, sync.ended_at)), Some((Some(at(20)), at(ended))));
        }
    }

    #[test]
    fn the_code_of_an_error_says_why_the_customer_must_sign_in() {
        for (code, cause) in [
            ("PERMISSION_DENIED", Cause::PermissionMissing),
            ("forbidden", Cause::PermissionMissing),
            ("TOKEN_REVOKED", Cause::Revoked),
            ("INVALID_GRANT", Cause::CredentialsChanged),
        ] {
            let facts = closer(UpstreamStatus::Fail, SyncStatus::Failed, Some((code, "no")));
            assert_eq!(facts.authorization, Some((Authorization::ReauthorizationRequired, Some(cause))), "{code}");
            let news = News::ReauthorizationRequired { code: Some(code.to_owned()), message: None };
            assert_eq!(facts_of_news(&news, DateTime::UNIX_EPOCH).authorization, facts.authorization, "{code}");
        }
    }

    #[test]
    fn evidence_is_said_in_words_and_kept_in_codes() {
        let is = |flow| Facts { flow: Some((FlowFact::Is(flow), None)), ..Facts::default() };
        let signed_in = Facts { authorization: Some((Authorization::Authorized, None)), ..Facts::default() };
        assert_eq!(Facts::default().text(), "says nothing of its state");
        assert_eq!(signed_in.text(), "signed in");
        assert_eq!(Facts { flow: is(Flow::Good).flow, ..signed_in }.text(), "syncs well");
        let unproved = Facts { flow: Some((FlowFact::Is(Flow::Unknown), Some(Cause::NoProof))), ..Facts::default() };
        assert_eq!(
            (unproved.text(), is(Flow::Unknown).text()),
            ("nothing is known of its syncs".into(), "a status that we do not know".into())
        );
        let refused = of_status(Some(UpstreamStatus::Fail), None, None);
        let said = Facts { detail: Some("expired".to_owned()), ..refused };
        assert_eq!(said.text(), "must sign in again: expired");
        let kept = said.to_json();
        assert_eq!(kept["authorization"], "reauthorization_required");
        assert_eq!(
            (&kept["cause"], &kept["detail"], kept.get("sync")),
            (&json!("credentials_changed"), &json!("expired"), None)
        );
        let failed = failed("SOURCE_ERROR");
        assert_eq!((failed.text(), failed.busy), ("the sync failed: it did (SOURCE_ERROR)".to_owned(), Some(false)));
        assert_eq!(failed.to_json()["cause"], "sync_error");
    }

    #[test]
    fn a_failed_run_is_kept_with_its_reason() {
        let news = News::SyncFailed { code: None, message: None, run: Some(FailedRun::default()) };
        let facts = facts_of_news(&news, DateTime::UNIX_EPOCH);
        assert_eq!(facts.detail.as_deref(), Some("no reason was given"));
        assert_eq!(facts.sync.and_then(|sync| sync.error).as_deref(), Some("no reason was given"));
    }

    #[test]
    fn a_cadence_must_be_believable() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0);
        assert_eq!(cadence(at(0), at(900)), Some(900));
        assert_eq!(cadence(at(0), at(5)), None);
        assert_eq!(cadence(at(900), at(0)), None);
        assert_eq!(cadence(None, at(900)), None);
    }
}
