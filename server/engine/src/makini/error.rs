//! What went wrong, and whether it makes sense to try again.

use crate::{
    http::{AddressRefused, SendError},
    vault::{Secret, VaultError},
};
use std::{fmt, time::Duration};

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// Our own client credentials are refused, or missing.
    Credentials,
    /// Signed in, but not allowed.
    Forbidden,
    /// We asked too often, or would have.
    RateLimited,
    /// Upstream failed (5xx).
    Upstream,
    /// No answer: name, connection, time-out, broken off.
    Unreachable,
    /// An answer, but not one that we can read.
    Garbage,
    /// A larger answer than we read.
    TooLarge,
    /// There is no such thing upstream.
    NotFound,
    /// Upstream failed too often in a row; we pause before asking again.
    CircuitOpen,
    /// We may not send to its address.
    AddressRefused,
    /// The vault did not give what was needed.
    Vault,
}

impl ErrorClass {
    /// A short stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::Upstream => "upstream",
            Self::Unreachable => "unreachable",
            Self::Garbage => "garbage",
            Self::TooLarge => "too_large",
            Self::NotFound => "not_found",
            Self::CircuitOpen => "circuit_open",
            Self::AddressRefused => "address_refused",
            Self::Vault => "vault",
        }
    }

    /// Whether the same question may succeed later without anybody doing anything.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Upstream | Self::Unreachable | Self::Garbage | Self::CircuitOpen)
    }

    /// Whether somebody must mend a setting of ours before it can succeed.
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Credentials | Self::AddressRefused | Self::Vault)
    }

    /// Whether upstream as a whole seems to be down.
    pub const fn is_outage(self) -> bool {
        matches!(self, Self::Upstream | Self::Unreachable | Self::CircuitOpen)
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A question that was not answered. Holds no token, no secret and no URL. It is never evidence against a customer's
/// connection: what upstream says of a connection comes as an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UpstreamError {
    /// Its kind.
    pub class: ErrorClass,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Upstream's own code, such as `RATE_LIMIT_EXCEEDED`.
    pub code: Option<String>,
    /// A sentence; where somebody can do something, it says what.
    pub message: String,
    /// The request's id, which upstream's support asks for.
    pub request_id: Option<String>,
    /// How long to wait at least.
    pub retry_after: Option<Duration>,
    /// Upstream's own words, if it had any.
    pub(super) words: Option<String>,
}

impl UpstreamError {
    /// An error without an answer.
    pub(crate) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self {
            class,
            status: None,
            code: None,
            message: message.into(),
            request_id: None,
            retry_after: None,
            words: None,
        }
    }

    /// Whether the same question may succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        self.class.is_retryable()
    }

    /// Whether upstream's code means that the customer must authorize again.
    pub(super) fn means_reauthorization(&self) -> bool {
        self.code.as_deref().is_some_and(|code| plain(code).contains("reauth"))
    }

    /// Whether upstream's code means that the customer's system does not answer.
    pub(super) fn means_system_unreachable(&self) -> bool {
        self.code.as_deref().is_some_and(|code| matches!(plain(code).as_str(), "systemunreachable" | "systemoffline"))
    }

    /// Whether it is about one connection and says nothing about upstream or us.
    pub(super) fn is_about_connection(&self) -> bool {
        self.means_reauthorization() || self.means_system_unreachable()
    }
}

impl From<AddressRefused> for UpstreamError {
    fn from(error: AddressRefused) -> Self {
        Self::new(ErrorClass::AddressRefused, error.to_string())
    }
}

impl From<SendError> for UpstreamError {
    fn from(error: SendError) -> Self {
        let class = match &error {
            SendError::Refused(_) => ErrorClass::AddressRefused,
            SendError::TooLarge(_) => ErrorClass::TooLarge,
            SendError::Unsendable(_) => ErrorClass::Garbage,
            SendError::TimedOut | SendError::Connect(_) | SendError::Broken(_) => ErrorClass::Unreachable,
        };
        Self::new(class, tidy(&error.to_string()))
    }
}

impl From<VaultError> for UpstreamError {
    fn from(error: VaultError) -> Self {
        Self::new(ErrorClass::Vault, error.to_string())
    }
}

impl From<sqlx::Error> for UpstreamError {
    fn from(error: sqlx::Error) -> Self {
        VaultError::Database(error).into()
    }
}

impl From<&UpstreamError> for model::AttemptError {
    fn from(error: &UpstreamError) -> Self {
        Self { class: error.class.code().to_owned(), message: error.message.clone() }
    }
}

/// Letters and digits, in lower case.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Somebody else's words made fit for a screen and a log: one line, no control characters, at most 500 characters.
pub(super) fn tidy(text: &str) -> String {
    const MOST: usize = 500;
    let mut tidied = String::new();
    // No more than this much of it can matter, however long it is.
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !tidied.is_empty() {
            tidied.push(' ');
        }
        tidied.push_str(word);
        if tidied.len() > 4 * MOST {
            break;
        }
    }
    match tidied.char_indices().nth(MOST) {
        Some((end, _)) => {
            tidied.truncate(end);
            tidied.push('…');
            tidied
        }
        None => tidied,
    }
}

/// The text without any of these secrets: an upstream may repeat what we sent.
pub(super) fn without<'a>(text: &str, secrets: impl IntoIterator<Item = &'a Secret>) -> String {
    secrets
        .into_iter()
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "***"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_others_say_is_made_fit_to_show() {
        assert_eq!(tidy("  one\r\n\ttwo\u{1b}[31mred\0 "), "one two [31mred");
        assert_eq!(tidy(&"ä".repeat(501)), format!("{}…", "ä".repeat(500)));
        assert_eq!(tidy(&"ä".repeat(500)), "ä".repeat(500));
        assert_eq!(without("bad token mkat_1, really", [&"mkat_1".into(), &"".into()]), "bad token ***, really");
    }

    proptest! {
        #[test]
        fn whatever_they_say_stays_short_and_on_one_line(text: String) {
            let tidied = tidy(&text);
            prop_assert!(tidied.chars().count() <= 501);
            prop_assert!(!tidied.chars().any(char::is_control));
        }
    }

    #[test]
    fn codes_about_one_connection_are_recognised() {
        let with =
            |code: &str| UpstreamError { code: Some(code.to_owned()), ..UpstreamError::new(ErrorClass::Upstream, "") };
        assert!(with("REAUTHORIZATION_REQUIRED").means_reauthorization());
        assert!(with("reauth-required").is_about_connection());
        assert!(with("SYSTEM_UNREACHABLE").means_system_unreachable());
        assert!(!with("AUTHENTICATION_FAILED").is_about_connection());
        assert!(!with("SERVICE_UNAVAILABLE").is_about_connection());
    }
}
