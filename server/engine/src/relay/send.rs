//! One try: the original bytes with the original headers that matter, signed, to the endpoint, and what was answered.

use super::sign::Signer;
use crate::clock::SharedClock;
use crate::http::{self, Client, Outbound, SendError, Timeouts};
use chrono::{DateTime, TimeDelta, Utc};
use model::AttemptError;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// An exchange takes no longer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// Until there is a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Of an answer, so many bytes are kept …
const KEPT: usize = 1_000;
/// … of what comes so soon after its head. It has arrived or not by then.
const BODY: Duration = Duration::from_secs(1);
/// Our own; what came under these names is not passed on.
const OURS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// What is sent.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Its id: in every try the same.
    pub id: Uuid,
    /// The headers that came with it.
    pub headers: Vec<(String, String)>,
    /// Its bytes.
    pub body: bytes::Bytes,
}

/// What came of a try.
#[derive(Clone, Debug)]
pub struct Tried {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub took: Duration,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The beginning of the answer.
    pub answer: Option<String>,
    /// Why it did not arrive; none: it did.
    pub error: Option<AttemptError>,
    /// How long the receiver wants not to be asked.
    pub wished: Option<TimeDelta>,
}

impl Tried {
    /// Whether the receiver wants no more of it, ever.
    pub fn is_gone(&self) -> bool {
        self.status == Some(StatusCode::GONE.as_u16())
    }

    /// Something that failed before it was sent.
    pub(super) fn unsent(at: DateTime<Utc>, class: &str, message: &str) -> Self {
        let error = Some(AttemptError { class: class.to_owned(), message: message.to_owned() });
        Self { started_at: at, took: Duration::ZERO, status: None, answer: None, error, wished: None }
    }
}

/// Sends. Cheap to clone.
#[derive(Clone)]
pub struct Postman {
    /// Where TLS cannot be set up, every try says so.
    client: Result<Client, SendError>,
    clock: SharedClock,
}

impl Postman {
    /// One that sends to where it may.
    pub fn new(outbound: &Outbound, clock: SharedClock) -> Self {
        Self { client: outbound.client(Timeouts { connect: CONNECT, total: TIMEOUT }), clock }
    }

    /// Tries once.
    pub async fn send(&self, url: &str, signer: &Signer, letter: &Letter) -> Tried {
        let (started_at, began) = (self.clock.now(), Instant::now());
        let answered = self.exchange(url, signer, letter, started_at).await;
        let took = began.elapsed();
        let (status, answer, error, wished) = match answered {
            Err(error) => (None, None, Some(said(&error)), None),
            Ok(Answered { status, text, wished }) => (Some(status.as_u16()), text, refusal(status), wished),
        };
        Tried { started_at, took, status, answer, error, wished }
    }

    async fn exchange(
        &self,
        url: &str,
        signer: &Signer,
        letter: &Letter,
        now: DateTime<Utc>,
    ) -> Result<Answered, SendError> {
        let headers = headers(letter, now, &signer.sign(letter.id, now, &letter.body))?;
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let request = client.request(Method::POST, url)?.headers(headers).body(letter.body.clone());
        let response = request.send().await?;
        let status = response.status();
        let wished = response.headers().get(header::RETRY_AFTER).and_then(|value| wished(value, now));
        let read = tokio::time::timeout(BODY, http::read_start(response, KEPT)).await;
        // its head said all that counts: what breaks off after it is only not shown
        let text = read.ok().and_then(Result::ok).map(|(bytes, _)| text(&bytes)).filter(|text| !text.is_empty());
        Ok(Answered { status, text, wished })
    }
}

struct Answered {
    status: StatusCode,
    text: Option<String>,
    wished: Option<TimeDelta>,
}

/// Makini's own headers that matter, as they came, and ours.
fn headers(letter: &Letter, now: DateTime<Utc>, signature: &str) -> Result<HeaderMap, SendError> {
    let mut headers = HeaderMap::with_capacity(letter.headers.len() + OURS.len());
    for (name, value) in &letter.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes()))
            && passes(&name)
        {
            headers.append(name, value);
        }
    }
    let [id, timestamp, signed] = OURS.map(HeaderName::from_static);
    let unsendable = |_| SendError::Unsendable("a header cannot be written".to_owned());
    headers.insert(id, HeaderValue::from_str(&letter.id.to_string()).map_err(unsendable)?);
    headers.insert(timestamp, HeaderValue::from(now.timestamp()));
    headers.insert(signed, HeaderValue::from_str(signature).map_err(unsendable)?);
    Ok(headers)
}

/// What was kept is worth passing on, but for who sent it and what only this hop means.
fn passes(name: &HeaderName) -> bool {
    let hop = [header::USER_AGENT, header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION];
    !hop.contains(name) && !OURS.contains(&name.as_str())
}

/// `Retry-After`: seconds, or a date.
fn wished(value: &HeaderValue, now: DateTime<Utc>) -> Option<TimeDelta> {
    let value = value.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(TimeDelta::seconds(value.parse().unwrap_or(86_400).min(86_400)));
    }
    let until = DateTime::<Utc>::from(httpdate::parse_http_date(value).ok()?);
    Some((until - now).max(TimeDelta::zero()))
}

/// Text that any column takes.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

fn refusal(status: StatusCode) -> Option<AttemptError> {
    if status.is_success() {
        return None;
    }
    let more = match status.as_u16() {
        300..=399 => "; redirects are not followed",
        410 => ": it wants no more of this",
        _ => "",
    };
    let code = status.as_u16();
    Some(AttemptError { class: format!("http_{code}"), message: format!("Answered {code}{more}") })
}

/// Errors in words, with stable classes. None holds the URL.
fn said(error: &SendError) -> AttemptError {
    let (class, message) = match error {
        SendError::Refused(refused) => ("refused_address", refused.to_string()),
        SendError::TimedOut => ("timed_out", format!("No answer came within {} seconds", TIMEOUT.as_secs())),
        SendError::Connect(why) if is_of_certificates(why) => {
            ("certificate", format!("Its certificate is not good: {why}"))
        }
        SendError::Connect(why) => ("connect", format!("No connection could be made: {why}")),
        SendError::Broken(why) if is_of_certificates(why) => {
            ("certificate", format!("Its certificate is not good: {why}"))
        }
        SendError::Broken(why) => ("broke_off", format!("The exchange broke off: {why}")),
        SendError::TooLarge(_) | SendError::Unsendable(_) => ("unsendable", error.to_string()),
    };
    AttemptError { class: class.to_owned(), message: message.replace('\0', "\u{fffd}") }
}

fn is_of_certificates(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    ["certificate", "unknownissuer", "notvalidforname"].iter().any(|sign| why.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makinis_headers_go_along_and_ours_are_ours() {
        let kept = [
            ("content-type", "application/json"),
            ("x-webhook-signature", "abc"),
            ("x-request-id", "r"),
            ("user-agent", "Makini"),
            ("webhook-id", "theirs"),
            ("bad header", "x"),
        ];
        let letter = Letter {
            id: Uuid::nil(),
            headers: kept.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: bytes::Bytes::new(),
        };
        let headers = headers(&letter, DateTime::UNIX_EPOCH, "v1,x v1,y").unwrap();
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let wanted = [
            "content-type",
            "webhook-id",
            "webhook-signature",
            "webhook-timestamp",
            "x-request-id",
            "x-webhook-signature",
        ];
        assert_eq!(names, wanted);
        assert_eq!(headers["webhook-id"], Uuid::nil().to_string());
        assert_eq!(headers["webhook-timestamp"], "0");
    }

    #[test]
    fn errors_have_stable_classes_and_no_url() {
        let class = |error: SendError| said(&error).class;
        assert_eq!(class(SendError::TimedOut), "timed_out");
        assert_eq!(class(SendError::Connect("Connection refused".into())), "connect");
        assert_eq!(class(SendError::Connect("invalid peer certificate: UnknownIssuer".into())), "certificate");
        assert_eq!(class(SendError::Broken("connection reset".into())), "broke_off");
        for (status, class, message) in [
            (500, "http_500", "Answered 500"),
            (302, "http_302", "Answered 302; redirects are not followed"),
            (410, "http_410", "Answered 410: it wants no more of this"),
        ] {
            let error = refusal(StatusCode::from_u16(status).unwrap()).unwrap();
            assert_eq!((error.class.as_str(), error.message.as_str()), (class, message));
        }
        assert_eq!(refusal(StatusCode::NO_CONTENT), None);
    }

    #[test]
    fn a_wish_is_seconds_or_a_date() {
        let now: DateTime<Utc> = "1994-11-06T08:49:07Z".parse().unwrap();
        for (value, seconds) in [
            ("120", Some(120)),
            ("99999999999999999999", Some(86_400)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
            ("", None),
        ] {
            let found = wished(&HeaderValue::from_static(value), now);
            assert_eq!(found.map(|wish| wish.num_seconds()), seconds, "{value}");
        }
    }
}
