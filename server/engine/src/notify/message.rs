//! What is said, whatever says it.

use chrono::{DateTime, Utc};
use model::{AlertId, Eye, Health, NotificationReason, Severity, Subject, SubjectKind};
use serde::{Deserialize, Serialize};

/// More alerts than these are counted, not named.
pub const MOST_LINES: usize = 20;
/// So many names in a title.
const MOST_NAMES: usize = 3;

/// One alert in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which.
    pub alert_id: AlertId,
    /// What it is about.
    pub subject: Subject,
    /// Whose it is.
    pub customer: Option<String>,
    /// The platform's name.
    pub platform: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// How the connection is now.
    pub health: Option<Health>,
    /// What is so, in a sentence.
    pub what: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it was over; none: it fires.
    pub over_at: Option<DateTime<Utc>>,
    /// Why, in words.
    pub cause: Option<String>,
    /// By which eye it is known.
    pub proof_eye: Option<Eye>,
    /// How old that proof is.
    pub proof_at: Option<DateTime<Utc>>,
    /// What to do, from the playbook.
    pub next_step: Option<String>,
    /// The rule's name.
    pub rule: String,
    /// What the rule's author has to say.
    pub note: Option<String>,
    /// Where it is to be seen.
    pub link: String,
}

impl Line {
    /// A name for it: the customer and the system of a connection, else the subject's own.
    pub fn name(&self) -> String {
        match (&self.customer, &self.platform, self.subject.kind) {
            (Some(customer), Some(platform), SubjectKind::Connection) => format!("{customer} {platform}"),
            _ => self.subject.name.clone(),
        }
    }

    /// Why, without what [`Line::what`] says already.
    pub fn why(&self) -> Option<String> {
        let said = |part: &str| self.what.strip_suffix(part).is_some_and(|before| before.ends_with(": "));
        let cause = self.cause.as_deref().filter(|cause| !said(cause))?;
        let why = cause.split_once(": ").filter(|(_, detail)| said(detail)).map_or(cause, |(cause, _)| cause);
        Some(why.to_owned())
    }

    /// How its state is known, in words.
    pub fn proof(&self) -> Option<String> {
        let (eye, at) = self.proof_eye.zip(self.proof_at)?;
        Some(format!("{}, {}", eye.words(), at.format("%-d %b %H:%M UTC")))
    }
}

/// What is said. Kept with the notification; holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// A line that stands alone.
    pub title: String,
    /// How bad the worst is.
    pub severity: Severity,
    /// Why it is told.
    pub reason: NotificationReason,
    /// A sentence on where things stand.
    pub summary: String,
    /// The alerts, at most [`MOST_LINES`], those that fire first.
    pub lines: Vec<Line>,
    /// How many more there are.
    pub more: usize,
    /// How many fire.
    pub firing: usize,
    /// How many are over since the last message.
    pub over: usize,
    /// What the rule's author has to say.
    pub note: Option<String>,
    /// Where all of it is to be seen.
    pub open: String,
    /// When the news came.
    pub at: DateTime<Utc>,
    /// The channel that it takes over for.
    #[serde(default)]
    pub instead_of: Option<String>,
}

/// Addresses in a message that are good for one person and one purpose; made for each try, kept by nobody.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// Leads to the button that takes the alerts.
    pub acknowledge: Option<String>,
    /// Leads to the button that silences them.
    pub silence: Option<String>,
}

impl Message {
    /// A message about these alerts: `firing` and `over` count all, `lines` are the first of them.
    pub fn about(
        reason: NotificationReason,
        lines: Vec<Line>,
        (firing, over): (usize, usize),
        public_url: &str,
        at: DateTime<Utc>,
    ) -> Self {
        let shown: Vec<_> = lines.iter().filter(|line| (firing == 0) == line.over_at.is_some()).collect();
        let severity = shown.iter().map(|line| line.severity).max_by_key(|severity| rank(*severity));
        let severity = severity.unwrap_or(Severity::Info);
        let counted = if firing == 0 { over } else { firing };
        let said = headline(&shown, counted, firing == 0);
        let open = match &lines[..] {
            [only] => only.link.clone(),
            _ => format!("{public_url}/alerts"),
        };
        let notes: Vec<_> = lines.iter().filter_map(|line| line.note.as_ref()).collect();
        let note = notes.first().filter(|first| notes.iter().all(|note| note == *first)).map(|note| (*note).clone());
        Self {
            title: format!("[{}] {said}", label(reason, severity)),
            severity,
            reason,
            summary: summary(reason, firing, over),
            more: (firing + over).saturating_sub(lines.len()),
            lines,
            firing,
            over,
            note,
            open,
            at,
            instead_of: None,
        }
    }

    /// What is said when it may have been said before.
    pub const REPEAT: &'static str =
        "Possible repeat: Linewatch was interrupted while it sent this, and cannot tell whether you have it already.";

    /// What is said when another channel should have.
    pub fn instead(&self) -> Option<String> {
        let channel = self.instead_of.as_ref()?;
        Some(format!("This comes here because the channel “{channel}” does not take messages."))
    }
}

fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 2,
        Severity::Warning => 1,
        Severity::Info => 0,
    }
}

fn label(reason: NotificationReason, severity: Severity) -> &'static str {
    match reason {
        NotificationReason::Resolved => "Over",
        NotificationReason::Test => "Test",
        NotificationReason::SilenceEnds => "Silence ends",
        _ => match severity {
            Severity::Critical => "Critical",
            Severity::Warning => "Warning",
            Severity::Info => "For information",
        },
    }
}

/// What connections of one health are, one and many.
fn verb(health: Health, many: bool) -> &'static str {
    match (health, many) {
        (Health::ReauthorizationRequired, _) => "must sign in again",
        (Health::Offline, false) => "is offline",
        (Health::Offline, true) => "are offline",
        (Health::Failing, false) => "is failing",
        (Health::Failing, true) => "are failing",
        (Health::Late, false) => "is late",
        (Health::Late, true) => "are late",
        (Health::Unstable, false) => "is unstable",
        (Health::Unstable, true) => "are unstable",
        (Health::Unknown, _) => "cannot be seen",
        (Health::FirstSync, false) => "is in its first sync",
        (Health::FirstSync, true) => "are in their first sync",
        (Health::Paused, false) => "is paused",
        (Health::Paused, true) => "are paused",
        (Health::Healthy, false) => "is well",
        (Health::Healthy, true) => "are well",
    }
}

fn headline(lines: &[&Line], counted: usize, over: bool) -> String {
    let [first, ..] = lines else { return "Nothing fires any more".to_owned() };
    let many = counted > 1;
    let shared = |line: &&&Line| line.health == first.health && line.subject.kind == SubjectKind::Connection;
    let health = first.health.filter(|_| lines.iter().all(|line| shared(&line)));
    if !many {
        return match health {
            Some(health) => format!("{} {}", first.name(), verb(health, false)),
            None if over => format!("{}: over", first.name()),
            None if first.what.contains(&first.subject.name) => first.what.clone(),
            None => format!("{}: {}", first.name(), first.what),
        };
    }
    let named: Vec<_> = lines.iter().take(MOST_NAMES).map(|line| line.name()).collect();
    let rest = counted.saturating_sub(named.len());
    let names = if rest > 0 { format!("{} and {rest} more", named.join(", ")) } else { named.join(", ") };
    match health {
        Some(health) => format!("{counted} connections {}: {names}", verb(health, true)),
        None if lines.iter().all(|line| line.subject.kind == SubjectKind::Connection) => {
            format!("{counted} connections {}: {names}", if over { "are well again" } else { "need attention" })
        }
        None => format!("{counted} alerts{}: {names}", if over { " are over" } else { "" }),
    }
}

fn summary(reason: NotificationReason, firing: usize, over: usize) -> String {
    let fires = if firing == 1 { "1 alert fires".to_owned() } else { format!("{firing} alerts fire") };
    match reason {
        NotificationReason::First | NotificationReason::SilenceEnds => format!("{fires}."),
        NotificationReason::Grew if over > 0 => format!("More joined: {fires} now; {over} ended."),
        NotificationReason::Grew => format!("More joined: {fires} now."),
        NotificationReason::Shrank => format!("{over} ended: {fires} still."),
        NotificationReason::Repeated => format!("A reminder: {fires} still, and nobody has taken all of it."),
        NotificationReason::Resolved => "All of it is over.".to_owned(),
        NotificationReason::Digest if over > 0 => format!("Many things happened at once: {fires}, {over} ended."),
        NotificationReason::Digest => format!("Many things happened at once: {fires}."),
        NotificationReason::Test => "This is how a message looks. Nothing is wrong.".to_owned(),
    }
}

/// A message to try a channel with: made up, but complete.
pub fn sample(channel: &str, public_url: &str, now: DateTime<Utc>) -> Message {
    let line = |n: u128, customer: &str, platform: &str| Line {
        alert_id: AlertId(uuid::Uuid::from_u128(n)),
        subject: Subject { kind: SubjectKind::Connection, id: n.to_string(), name: format!("{customer} {platform}") },
        customer: Some(customer.to_owned()),
        platform: Some(platform.to_owned()),
        severity: Severity::Critical,
        health: Some(Health::ReauthorizationRequired),
        what: format!("{customer} {platform} must sign in again"),
        since: now - chrono::TimeDelta::minutes(12),
        over_at: None,
        cause: Some(model::Cause::CredentialsChanged.words().to_owned()),
        proof_eye: Some(Eye::Webhook),
        proof_at: Some(now - chrono::TimeDelta::minutes(12)),
        next_step: Some(model::Cause::CredentialsChanged.play().instruction.to_owned()),
        rule: "Must sign in again".to_owned(),
        note: None,
        link: format!("{public_url}/connections"),
    };
    let lines = vec![line(1, "Example Inc", "SAP"), line(2, "Sample & Sons", "NetSuite")];
    let message = Message::about(NotificationReason::Test, lines, (2, 0), public_url, now);
    Message { note: Some(format!("Sent by hand to try the channel “{channel}”.")), ..message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(n: usize) -> Vec<Line> {
        let sample = sample("a", "https://l.example", DateTime::UNIX_EPOCH).lines;
        (0..n).map(|at| sample[at % 2].clone()).collect()
    }

    fn title(reason: NotificationReason, lines: Vec<Line>, counts: (usize, usize)) -> String {
        Message::about(reason, lines, counts, "https://l.example", DateTime::UNIX_EPOCH).title
    }

    #[test]
    fn a_title_stands_alone() {
        let first = NotificationReason::First;
        assert_eq!(title(first, lines(1), (1, 0)), "[Critical] Example Inc SAP must sign in again");
        let two = "[Critical] 2 connections must sign in again: Example Inc SAP, Sample & Sons NetSuite";
        assert_eq!(title(first, lines(2), (2, 0)), two);
        let many = title(NotificationReason::Digest, lines(20), (40, 0));
        assert!(
            many.starts_with("[Critical] 40 connections must sign in again: ") && many.ends_with(" and 37 more"),
            "{many}"
        );
        let mut over = lines(1);
        (over[0].over_at, over[0].health) = (Some(DateTime::UNIX_EPOCH), Some(Health::Healthy));
        assert_eq!(title(NotificationReason::Resolved, over, (0, 1)), "[Over] Example Inc SAP is well");
    }

    #[test]
    fn nothing_is_said_twice() {
        let why = |what: &str, cause: Option<&str>| {
            let mut line = lines(1).remove(0);
            (line.what, line.cause) = (what.to_owned(), cause.map(str::to_owned));
            line.why()
        };
        let credentials = Some("Credentials changed".to_owned());
        let detail = "Credentials changed: ORA-1: the password has expired";
        assert_eq!(why("Must sign in again: ORA-1: the password has expired", Some(detail)), credentials);
        assert_eq!(why("Must sign in again", Some(detail)), Some(detail.to_owned()));
        assert_eq!(why("Must sign in again: Credentials changed", Some("Credentials changed")), None);
        assert_eq!(why("Must sign in again", Some("Credentials changed")), credentials);
        assert_eq!(
            why("Must sign in again: it has expired", Some("Credentials changed: expired")),
            Some("Credentials changed: expired".to_owned())
        );
        assert_eq!(why("Must sign in again", None), None);
    }

    #[test]
    fn what_is_not_named_is_counted() {
        let message =
            Message::about(NotificationReason::Grew, lines(20), (33, 2), "https://l.example", DateTime::UNIX_EPOCH);
        assert_eq!((message.more, message.firing, message.over), (15, 33, 2));
        let kept: Message = serde_json::from_value(serde_json::json!(message)).unwrap();
        assert_eq!(kept, message);
    }
}
