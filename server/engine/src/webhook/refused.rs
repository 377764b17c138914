//! A webhook that was turned away: why, and what to answer.

use crate::clock::new_id;
use model::RejectionReason;
use std::time::Duration;

/// A webhook that was turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: RejectionReason,
    /// Why, in a sentence.
    pub detail: String,
    /// When it may be sent again.
    pub retry_after: Option<Duration>,
    status: u16,
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRead {
    /// It is larger than [`super::DoorLimits::body`].
    TooLarge,
    /// There is no room for it: [`super::DoorLimits::bytes_in_flight`].
    NoRoom,
    /// It came too slowly.
    TooSlow,
    /// It ended before its end.
    BrokeOff,
}

impl Refused {
    pub(super) fn new(reason: RejectionReason, detail: String) -> Self {
        let status = match reason {
            RejectionReason::SignatureMissing | RejectionReason::SignatureWrong | RejectionReason::NoSecret => 401,
            RejectionReason::NotJson | RejectionReason::NotRead => 400,
            RejectionReason::TooLarge => 413,
            RejectionReason::NoSuchSource => 404,
            RejectionReason::NotStored => 503,
            RejectionReason::IdReused => 200,
        };
        Self { reason, detail, retry_after: None, status }
    }

    pub(super) fn not_stored(detail: String) -> Self {
        // spread over some seconds, so that those who were refused together do not come back together
        let seconds = 1 + (new_id().as_u128() % 5) as u64;
        let retry_after = Some(Duration::from_secs(seconds));
        Self { retry_after, ..Self::new(RejectionReason::NotStored, detail) }
    }

    /// `most` is the limit in bytes.
    pub(super) fn not_read(why: NotRead, most: usize) -> Self {
        let broken = |detail: &str| Self::new(RejectionReason::NotRead, detail.to_owned());
        match why {
            NotRead::TooLarge => Self::new(RejectionReason::TooLarge, format!("The body is larger than {most} bytes.")),
            NotRead::NoRoom => {
                Self::not_stored("Too many webhooks are under way. Send it again in a moment.".to_owned())
            }
            NotRead::TooSlow => Self { status: 408, ..broken("The body took too long to arrive.") },
            NotRead::BrokeOff => broken("The body broke off."),
        }
    }

    pub(super) fn no_such_source(name: &str) -> Self {
        let name: String = name.chars().take(63).collect();
        Self::new(RejectionReason::NoSuchSource, format!("There is no source named “{name}”."))
    }

    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        self.status
    }
}
