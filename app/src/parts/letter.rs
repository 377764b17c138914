//! A mail to the customer in plain language, ready to be sent from the person's own mailbox.

use super::{text, time};
use chrono::{DateTime, Utc};
use model::{CauseActor, ConnectionDetail};

/// A link and until when it opens.
pub(crate) type Link<'a> = (&'a str, Option<DateTime<Utc>>);

/// The address that begins the mail; with a link it asks to follow it, without one it is only for what a customer must do.
pub(crate) fn letter(detail: &ConnectionDetail, link: Option<Link<'_>>) -> Option<String> {
    let c = &detail.connection;
    let cause = c.cause.as_ref().filter(|cause| cause.actor == CauseActor::Customer);
    let why = cause.map(|cause| format!(" ({})", cause.code.words().to_lowercase())).unwrap_or_default();
    let system = &c.platform.name;
    let (subject, ask) = match link {
        Some((url, until)) => {
            let until = until.map(|at| format!(" The link works until {}.", time::utc(at))).unwrap_or_default();
            (
                format!("Please connect {system} again"),
                format!(
                    "Please open this link and sign in to {system}. It takes two to five minutes and asks for nothing else.{until}\n\n{url}"
                ),
            )
        }
        None => {
            let what = &cause?.summary;
            (
                format!("{system} refuses access to its data"),
                format!(
                    "This is what {system} says: {what}. Please let us know once it is mended; we then check it at once."
                ),
            )
        }
    };
    let body = format!(
        "Hello,\n\nwe can no longer read data from your {system}{why}. Until this is mended, what we show you stays as it was.\n\n{ask}\n\n\
         If somebody else looks after {system}, please pass this on.\n\nThank you"
    );
    let to = detail.email.as_deref().unwrap_or_default();
    Some(format!("mailto:{}?subject={}&body={}", address(to), text::encode(&subject), text::encode(&body)))
}

/// An address as it may stand in a link: nothing in it can begin the subject or another field.
fn address(email: &str) -> String {
    text::encode(email).replace("%40", "@")
}
