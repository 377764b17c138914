//! What becomes of many alerts, gathered and written in a few statements. Pure.

use super::facts::Kept;
use super::machine::{Course, Happened, Timer, step, tick};
use crate::clock::new_id;
use chrono::{DateTime, Utc};
use model::{AlertId, RuleId, Subject, SubjectKind};
use std::collections::HashMap;

/// An alert that is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its id.
    pub id: AlertId,
    /// Its rule.
    pub rule: RuleId,
    /// About whom.
    pub subject: Subject,
    /// What is so.
    pub summary: String,
    /// Where it stands.
    pub course: Course,
    /// When it is over, if it is already.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When the clock alone changes it.
    pub due_at: Option<DateTime<Utc>>,
    /// An outage tells of it.
    pub covered: bool,
    /// It fires, or has.
    pub tell: bool,
}

/// An alert that was there and is so from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// Which.
    pub id: AlertId,
    /// What is so.
    pub summary: String,
    /// Where it stands.
    pub course: Course,
    /// When it is over, if it is.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When the clock alone changes it.
    pub due_at: Option<DateTime<Utc>>,
    /// An outage tells of it: it fires from now on, and would have to be told.
    pub covered: bool,
    /// It began to fire, or is over.
    pub tell: bool,
    /// Its version afterwards.
    pub version: i64,
}

/// An alert that was pending and is over: no history.
pub type Ended = AlertId;

/// What is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Write {
    /// New ones.
    pub started: Vec<Started>,
    /// Changed ones.
    pub turned: Vec<Turned>,
    /// Those that never fired.
    pub ended: Vec<Ended>,
}

/// An alert on its way through a batch.
struct Draft {
    id: AlertId,
    rule: RuleId,
    stored: Option<i64>,
    subject: Subject,
    summary: String,
    course: Course,
    changed: bool,
    tell: bool,
    covered: bool,
}

/// Alerts of a batch. Each pair of a rule and a subject has at most one that is not over.
#[derive(Default)]
pub struct Ledger {
    live: HashMap<(RuleId, SubjectKind, String), Draft>,
    write: Write,
    /// How often a condition was looked at.
    pub looks: u64,
}

/// What is known of a subject at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The rule.
    pub rule: RuleId,
    /// Its times.
    pub timer: Timer,
    /// The subject.
    pub subject: &'a Subject,
    /// What is so.
    pub summary: &'a str,
    /// An outage stands for what happened to it since then.
    pub covered_since: Option<DateTime<Utc>>,
}

impl Ledger {
    /// With the alerts that are not over.
    pub fn new(kept: Vec<Kept>) -> Self {
        let draft = |kept: Kept| {
            let key = (kept.rule, kept.subject.kind, kept.subject.id.clone());
            let draft = Draft {
                id: kept.id,
                rule: kept.rule,
                stored: Some(kept.version),
                subject: kept.subject,
                summary: kept.summary,
                course: kept.course,
                changed: false,
                tell: false,
                covered: false,
            };
            (key, draft)
        };
        Self { live: kept.into_iter().map(draft).collect(), ..Self::default() }
    }

    /// The alert of a rule about a subject, if it is not over.
    pub fn course(&self, rule: RuleId, subject: &Subject) -> Option<Course> {
        self.live.get(&(rule, subject.kind, subject.id.clone())).map(|draft| draft.course)
    }

    /// The subjects of a rule's alerts that are not over.
    pub fn subjects(&self, rule: RuleId) -> Vec<Subject> {
        self.live.iter().filter(|(key, _)| key.0 == rule).map(|(_, draft)| draft.subject.clone()).collect()
    }

    /// Every rule with alerts that are not over.
    pub fn rules(&self) -> Vec<RuleId> {
        let mut rules: Vec<_> = self.live.keys().map(|key| key.0).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// It was seen at a moment whether the condition holds.
    pub fn see(&mut self, look: Look<'_>, at: DateTime<Utc>, holds: bool) {
        self.looks += 1;
        self.go(look, |course, log| step(course, look.timer, at, holds, log));
        if holds && let Some(draft) = self.live.get_mut(&key(look)) {
            draft.changed |= draft.summary != look.summary;
            look.summary.clone_into(&mut draft.summary);
        }
    }

    /// The clock has reached a moment.
    pub fn tick(&mut self, look: Look<'_>, now: DateTime<Utc>) {
        self.go(look, |course, log| tick(course, look.timer, now, log));
    }

    /// It is over at once, whatever its hold: its rule is no more, or no longer about it.
    pub fn end(&mut self, rule: RuleId, subject: &Subject, now: DateTime<Utc>) {
        let timer = Timer::new(0, 0);
        let look = Look { rule, timer, subject, summary: "", covered_since: None };
        self.go(look, |course, log| {
            let course = course?;
            if course.fired_at.is_some() {
                log(Happened::Resolved(course, now.max(course.since)));
            } else {
                log(Happened::Dropped);
            }
            None
        });
    }

    /// Writes all alerts of a rule down, for its times may have changed and with them what waits by the clock.
    pub fn renew(&mut self, rule: RuleId) {
        self.live.iter_mut().filter(|(key, _)| key.0 == rule).for_each(|(_, draft)| draft.changed = true);
    }

    /// What a rule that was just changed made fire has fired now, and not when it would have.
    pub fn fired_not_before(&mut self, rule: RuleId, now: DateTime<Utc>) {
        for (key, draft) in &mut self.live {
            if key.0 == rule && draft.tell {
                draft.course.fired_at = draft.course.fired_at.map(|at| at.max(now));
            }
        }
    }

    fn go(&mut self, look: Look<'_>, run: impl FnOnce(Option<Course>, &mut dyn FnMut(Happened)) -> Option<Course>) {
        let key = key(look);
        let mut draft = self.live.remove(&key);
        let mut happened = Vec::new();
        run(draft.as_ref().map(|draft| draft.course), &mut |what| happened.push(what));
        for what in happened {
            draft = self.take(draft, look, what);
        }
        if let Some(draft) = draft {
            self.live.insert(key, draft);
        }
    }

    fn take(&mut self, draft: Option<Draft>, look: Look<'_>, what: Happened) -> Option<Draft> {
        if let Happened::Began(course) = what {
            return Some(Draft {
                id: AlertId(new_id()),
                rule: look.rule,
                stored: None,
                subject: look.subject.clone(),
                summary: look.summary.to_owned(),
                course,
                changed: true,
                tell: false,
                covered: false,
            });
        }
        let mut draft = draft?;
        draft.changed = true;
        match what {
            Happened::Began(course) | Happened::Recovering(course) | Happened::Back(course) => draft.course = course,
            Happened::Fired(course) => {
                draft.course = course;
                draft.tell = true;
                draft.covered = look.covered_since.is_some_and(|since| course.since >= since);
            }
            Happened::Dropped => {
                self.write.ended.extend(draft.stored.map(|_| draft.id));
                return None;
            }
            Happened::Resolved(course, at) => {
                draft.course = course;
                draft.tell = true;
                self.put(draft, Some(at), look.timer);
                return None;
            }
        }
        Some(draft)
    }

    fn put(&mut self, draft: Draft, resolved_at: Option<DateTime<Utc>>, timer: Timer) {
        let due_at = draft.course.due_at(timer).filter(|_| resolved_at.is_none());
        let Draft { id, summary, course, covered, tell, .. } = draft;
        match draft.stored {
            Some(version) => {
                let version = version + 1;
                self.write.turned.push(Turned { id, summary, course, resolved_at, due_at, covered, tell, version });
            }
            None => {
                let (rule, subject) = (draft.rule, draft.subject);
                let new = Started { id, rule, subject, summary, course, resolved_at, due_at, covered, tell };
                self.write.started.push(new);
            }
        }
    }

    /// What is to be written, with the times of each rule.
    pub fn finish(mut self, timer: impl Fn(RuleId) -> Timer) -> Write {
        let live = std::mem::take(&mut self.live);
        for draft in live.into_values().filter(|draft| draft.changed) {
            let timer = timer(draft.rule);
            self.put(draft, None, timer);
        }
        self.write
    }
}

fn key(look: Look<'_>) -> (RuleId, SubjectKind, String) {
    (look.rule, look.subject.kind, look.subject.id.clone())
}

#[cfg(test)]
mod tests;
