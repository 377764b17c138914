//! E-mail, by the one mail server of the configuration: TLS or STARTTLS, and authentication. Where that server is, its operator
//! says, so the guard of private addresses is not for it.

use super::{Addresses, Message, Outcome};
use crate::vault::Secret;
use chrono::{DateTime, Utc};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use model::{ChannelId, NotificationId};
use std::time::Duration;

mod exchange;
mod text;

pub use text::plain;

/// How long all of it may take: shorter than a message is leased, so that nobody else takes it up meanwhile. The crate itself watches
/// over connecting alone.
const WHOLE: Duration = Duration::from_secs(30);
const LATE: &str = "The mail server did not take it: no answer came in time.";

/// How the way to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte.
    Implicit,
    /// By STARTTLS; without it nothing is sent.
    Required,
    /// Not at all: only for a server on this machine.
    Without,
}

/// The mail server.
#[derive(Clone, Debug)]
pub struct MailServer {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub tls: Tls,
    /// Name and password, where it asks for them.
    pub login: Option<(String, Secret)>,
    /// From whom, where a channel says nothing else.
    pub from: String,
}

/// Where a message goes, and what it belongs to.
pub struct Envelope<'a> {
    /// Its id.
    pub id: NotificationId,
    /// The channel: a list, to mail programs.
    pub channel: (ChannelId, &'a str),
    /// To whom.
    pub to: &'a [String],
    /// From whom, where the channel says so.
    pub from: Option<&'a str>,
    /// What belongs together.
    pub thread: Option<&'a str>,
    /// Whether it begins its thread.
    pub begins: bool,
    /// It may have been sent before.
    pub maybe_repeat: bool,
    /// Where people reach us: its host stands in ids.
    pub public_url: &'a str,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Whether a text is an e-mail address, with or without a name.
pub fn is_address(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok() && !text.chars().any(char::is_control)
}

impl MailServer {
    /// Sends a message.
    pub async fn send(&self, envelope: &Envelope<'_>, message: &Message, addresses: &Addresses) -> Outcome {
        let mail = match self.mail(envelope, message, addresses) {
            Ok(mail) => mail,
            Err(why) => return Outcome::never("address", why),
        };
        match tokio::time::timeout(WHOLE, exchange::hand_in(self, &mail)).await {
            Ok(Ok(())) => Outcome::Sent { status: None },
            Ok(Err(error)) => outcome(&error),
            Err(_) => Outcome::again("timeout", LATE),
        }
    }

    /// Connects and signs in, and sends nothing.
    ///
    /// # Errors
    /// Why that is not possible, in words without the password.
    pub async fn try_out(&self) -> Result<(), String> {
        let asked = async {
            let mut conn = exchange::connect(self).await?;
            let answers = conn.test_connected().await;
            exchange::part(conn);
            Ok(answers)
        };
        match tokio::time::timeout(WHOLE, asked).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("it answers, but not as a mail server does".to_owned()),
            Ok(Err(error)) => Err(words(&error)),
            Err(_) => Err(LATE.to_owned()),
        }
    }

    /// The mail as it goes out: a subject that stands alone, text and HTML, and headers by which a firing and its recovery are one
    /// thread, answers come from nobody's machine, and lists can be sorted.
    fn mail(
        &self,
        envelope: &Envelope<'_>,
        message: &Message,
        addresses: &Addresses,
    ) -> Result<lettre::Message, String> {
        let address = |text: &str| text.parse::<Mailbox>().map_err(|_| format!("“{text}” is not an e-mail address."));
        let host = url::Url::parse(envelope.public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.filter(|host| !host.contains(':')).unwrap_or_else(|| "linewatch.local".to_owned());
        let id = |local: &str| format!("<{local}@{host}>");
        // the first message of a thread is known by the thread, so that those after it can name it
        let own = match envelope.thread {
            Some(thread) if envelope.begins => id(&format!("{thread}.{}", envelope.channel.0)),
            _ => id(&envelope.id.to_string()),
        };
        let mut mail = lettre::Message::builder()
            .from(address(envelope.from.unwrap_or(&self.from))?)
            .subject(message.title.chars().filter(|letter| !letter.is_control()).collect::<String>())
            .date(envelope.now.into())
            .message_id(Some(own));
        for to in envelope.to {
            mail = mail.to(address(to)?);
        }
        if let Some(thread) = envelope.thread.filter(|_| !envelope.begins) {
            let root = id(&format!("{thread}.{}", envelope.channel.0));
            mail = mail.in_reply_to(root.clone()).references(root);
        }
        let name: String = envelope
            .channel
            .1
            .chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || " -_".contains(*letter))
            .collect();
        let list = format!("{} <{}.{host}>", name.trim(), envelope.channel.0);
        for (header, value) in [
            (HeaderName::new_from_ascii_str("List-Id"), list.trim().to_owned()),
            (HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()),
            (HeaderName::new_from_ascii_str("Precedence"), "list".to_owned()),
            (HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"), "All".to_owned()),
        ] {
            mail = mail.raw_header(HeaderValue::new(header, value));
        }
        let plain = text::plain(message, addresses, envelope.maybe_repeat);
        let html = text::html(message, addresses, envelope.maybe_repeat);
        mail.multipart(MultiPart::alternative_plain_html(plain, html))
            .map_err(|error| format!("The mail could not be written: {error}."))
    }
}

/// What a failed exchange means. Where nobody may sign in, the operator mends it; what the server refuses for good stays refused.
fn outcome(error: &lettre::transport::smtp::Error) -> Outcome {
    let code = error.status().map(|code| code.to_string());
    let class = match code.as_deref() {
        Some("530" | "534" | "535" | "538") => return Outcome::again("sign_in", words(error)),
        Some(_) => "answer",
        None if error.is_tls() || is_of_tls(error) => "tls",
        // the crate says it in words alone: nothing was sent yet
        None if error.to_string().starts_with("Connection error") => "connect",
        None if error.is_timeout() => "timeout",
        None if error.is_client() => "connect",
        None => "broken",
    };
    if error.is_permanent() { Outcome::never(class, words(error)) } else { Outcome::again(class, words(error)) }
}

/// Whether TLS failed while it was being agreed upon, which counts as a failure to connect.
fn is_of_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(this) = cause {
        let inner = this.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        cause = this.source();
    }
    false
}

/// The whole of it, down to the first cause.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        cause = deeper.source();
    }
    let said: String = said.chars().filter(|letter| !letter.is_control()).take(500).collect();
    let said = said.replace("Connection error: Connection error: ", "Connection error: ");
    let hint = if said.contains("UnknownIssuer") {
        " Nobody whom this machine trusts has signed its certificate; SSL_CERT_FILE can name a company’s own authorities."
    } else {
        ""
    };
    format!("The mail server did not take it: {said}.{hint}")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn server() -> MailServer {
        MailServer {
            host: "127.0.0.1".into(),
            port: 1,
            tls: Tls::Without,
            login: None,
            from: "Linewatch <l@example.com>".into(),
        }
    }

    fn mail(begins: bool) -> String {
        let to = ["ops@example.com".to_owned(), "Ines <ines@example.com>".to_owned()];
        let now = DateTime::UNIX_EPOCH;
        let envelope = Envelope {
            id: NotificationId(uuid::Uuid::from_u128(1)),
            channel: (ChannelId(uuid::Uuid::from_u128(2)), "Süpport"),
            to: &to,
            from: None,
            thread: Some("t"),
            begins,
            maybe_repeat: true,
            public_url: "https://l.example",
            now,
        };
        let addresses = Addresses { acknowledge: Some("https://l.example/a/1".into()), silence: None };
        let mail = server().mail(&envelope, &sample("a", "https://l.example", now), &addresses).unwrap();
        String::from_utf8(mail.formatted()).unwrap()
    }

    #[test]
    fn a_firing_and_its_recovery_are_one_thread() {
        let (first, next) = (mail(true), mail(false));
        let root = "<t.00000000-0000-0000-0000-000000000002@l.example>";
        assert!(first.contains(&format!("Message-ID: {root}")) && !first.contains("In-Reply-To"), "{first}");
        assert!(
            next.contains(&format!("In-Reply-To: {root}")) && next.contains(&format!("References: {root}")),
            "{next}"
        );
        for header in ["List-Id: ", "Auto-Submitted: auto-generated", "Precedence: list", "multipart/alternative"] {
            assert!(first.contains(header), "{header}: {first}");
        }
    }

    #[test]
    fn an_address_is_one() {
        for (text, is) in [
            ("a@b.example", true),
            ("Ines <a@b.example>", true),
            ("a", false),
            ("a@b.example\r\nBcc: c@d.example", false),
        ] {
            assert_eq!(is_address(text), is, "{text:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = MailServer { port: listener.local_addr().unwrap().port(), ..server() };
        tokio::spawn(async move {
            let kept = listener.accept().await;
            std::future::pending::<()>().await;
            drop(kept);
        });
        let now = DateTime::UNIX_EPOCH;
        let envelope = Envelope {
            id: NotificationId(uuid::Uuid::nil()),
            channel: (ChannelId(uuid::Uuid::nil()), "mail"),
            to: &["ops@example.com".to_owned()],
            from: None,
            thread: None,
            begins: false,
            maybe_repeat: false,
            public_url: "https://l.example",
            now,
        };
        let began = tokio::time::Instant::now();
        let outcome = server.send(&envelope, &sample("a", "https://l.example", now), &Addresses::default()).await;
        assert!(matches!(&outcome, Outcome::TryAgain { error, .. } if error.class == "timeout"), "{outcome:?}");
        assert!(began.elapsed() <= WHOLE + Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn nobody_at_home_is_tried_again() {
        let error = server().try_out().await.unwrap_err();
        assert!(error.starts_with("The mail server did not take it: "), "{error}");
    }

    #[test]
    fn a_handshake_that_fails_is_a_matter_of_tls() {
        let handshake = std::io::Error::other(rustls::Error::General("no certificate".into()));
        assert!(is_of_tls(&handshake) && !is_of_tls(&std::io::Error::other("refused")));
    }
}
