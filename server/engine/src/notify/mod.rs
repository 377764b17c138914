//! Messages out: what is said ([`Message`]), how each kind of channel says it, and the sender that keeps at it.
//!
//! A channel ends a try in one of three ways: sent, try again, never. The sender alone decides when.

pub mod email;
mod message;
pub mod sender;
pub mod slack;
pub mod webhook;

pub use email::{MailServer, Tls};
pub use message::{Addresses, Line, MOST_LINES, Message, sample};
pub use sender::Sender;

use chrono::TimeDelta;
use model::AttemptError;

/// How a try to send ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The channel has it.
    Sent {
        /// The HTTP status, where there is one.
        status: Option<u16>,
    },
    /// It may go through later.
    TryAgain {
        /// Not before this, where the channel said so.
        after: Option<TimeDelta>,
        /// The HTTP status, where there is one.
        status: Option<u16>,
        /// What went wrong.
        error: AttemptError,
    },
    /// It never will, as it is.
    Never {
        /// The HTTP status, where there is one.
        status: Option<u16>,
        /// What is wrong.
        error: AttemptError,
    },
}

impl Outcome {
    /// It may go through later.
    fn again(class: &str, message: impl Into<String>) -> Self {
        Self::TryAgain { after: None, status: None, error: error(class, message) }
    }

    /// It never will, as it is.
    fn never(class: &str, message: impl Into<String>) -> Self {
        Self::Never { status: None, error: error(class, message) }
    }

    /// Whether the channel may have it all the same: it was sent, and no answer came back.
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::TryAgain { status: None, error, .. } if matches!(error.class.as_str(), "timeout" | "broken"))
    }

    /// The word in the metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::TryAgain { .. } => "retry",
            Self::Never { .. } => "failed",
        }
    }
}

fn error(class: &str, message: impl Into<String>) -> AttemptError {
    AttemptError { class: class.to_owned(), message: message.into() }
}

/// What an HTTP status means for a message. `said` is the start of the answer.
fn of_status(status: u16, after: Option<TimeDelta>, said: &str) -> Outcome {
    let said: String = said.trim().chars().filter(|letter| !letter.is_control()).take(300).collect();
    let quoted = if said.is_empty() { String::new() } else { format!(": “{said}”") };
    match status {
        200..=299 => Outcome::Sent { status: Some(status) },
        408 | 429 | 500..=599 => {
            let why = if status == 429 { "too many messages for now" } else { "a fault on the other side" };
            let error = error("answer", format!("It answered {status}, {why}{quoted}."));
            Outcome::TryAgain { after, status: Some(status), error }
        }
        300..=399 => {
            let why = "it points elsewhere, and redirects are not followed: enter the address it points to";
            Outcome::Never { status: Some(status), error: error("redirect", format!("It answered {status}: {why}.")) }
        }
        404 | 410 => {
            let why = "there is nothing at this address any more; enter a new one";
            Outcome::Never {
                status: Some(status),
                error: error("gone", format!("It answered {status}{quoted}: {why}.")),
            }
        }
        _ => Outcome::Never { status: Some(status), error: error("answer", format!("It answered {status}{quoted}.")) },
    }
}

/// What a failed exchange means. Errors hold no URL.
fn of_send(failed: &crate::http::SendError) -> Outcome {
    use crate::http::SendError;
    match failed {
        SendError::Refused(refused) => Outcome::never("address", refused.to_string()),
        SendError::Unsendable(_) => Outcome::never("address", failed.to_string()),
        SendError::TimedOut => Outcome::again("timeout", failed.to_string()),
        SendError::Connect(_) => Outcome::again("connect", failed.to_string()),
        SendError::Broken(_) | SendError::TooLarge(_) => Outcome::again("broken", failed.to_string()),
    }
}

/// Sends a request and reads what came of it; at most 4 kB of the answer.
async fn exchange(request: reqwest::RequestBuilder, now: chrono::DateTime<chrono::Utc>) -> (Outcome, String) {
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(failed) if failed.is_connect() && failed.is_timeout() => {
            // nothing was sent, unlike where only the answer is late
            let late = crate::http::SendError::TimedOut.to_string();
            return (Outcome::again("connect", late), String::new());
        }
        Err(failed) => return (of_send(&failed.into()), String::new()),
    };
    let status = answer.status().as_u16();
    let after =
        answer.headers().get(reqwest::header::RETRY_AFTER).and_then(|after| retry_after(after.to_str().ok()?, now));
    // what it said is for people to read; where it breaks off midway, the status counts
    let said = crate::http::read_start(answer, 4_096).await.map(|(bytes, _)| bytes).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    (of_status(status, after, &said), said)
}

/// A `Retry-After`, in seconds or as a date; at most an hour.
fn retry_after(text: &str, now: chrono::DateTime<chrono::Utc>) -> Option<TimeDelta> {
    let wait = match text.trim().parse::<i64>() {
        Ok(seconds) => TimeDelta::try_seconds(seconds)?,
        Err(_) => chrono::DateTime::<chrono::Utc>::from(httpdate::parse_http_date(text.trim()).ok()?) - now,
    };
    Some(wait.clamp(TimeDelta::zero(), TimeDelta::hours(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn what_a_status_means() {
        let code = |status| of_status(status, None, "").code();
        for (statuses, expected) in [
            (&[200, 202, 204][..], "sent"),
            (&[408, 429, 500, 503][..], "retry"),
            (&[301, 400, 401, 403, 404, 410, 422][..], "failed"),
        ] {
            assert!(statuses.iter().all(|status| code(*status) == expected), "{expected}");
        }
        let Outcome::Never { error, .. } = of_status(400, None, " invalid_payload\n") else { panic!() };
        assert_eq!(error.message, "It answered 400: “invalid_payload”.");
    }

    #[test]
    fn only_what_was_sent_and_not_answered_may_have_arrived() {
        for (outcome, may) in [
            (Outcome::again("timeout", ""), true),
            (Outcome::again("broken", ""), true),
            (Outcome::again("connect", ""), false),
            (Outcome::again("secret", ""), false),
            (Outcome::never("broken", ""), false),
            (of_status(503, None, ""), false),
            (of_status(200, None, ""), false),
        ] {
            assert_eq!(outcome.may_have_arrived(), may, "{outcome:?}");
        }
    }

    #[test]
    fn a_wait_is_a_number_or_a_date_and_never_for_ever() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(retry_after("7", now), Some(TimeDelta::seconds(7)));
        assert_eq!(retry_after("99999999", now), Some(TimeDelta::hours(1)));
        assert_eq!(retry_after("-1", now), Some(TimeDelta::zero()));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:00:30 GMT", now), Some(TimeDelta::seconds(30)));
        assert_eq!(retry_after("soon", now), None);
    }
}
