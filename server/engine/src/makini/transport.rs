//! One exchange with upstream: wait for the budget, send, read, measure, and say what it was.

use super::{
    ErrorClass, UpstreamError,
    budget::{Budget, Outcome, Turn},
    error::{tidy, without},
    retry_after,
    wire::{self, WireError},
};
use crate::{
    clock::{SharedClock, whole_micros},
    http::{self, SendError},
    vault::Secret,
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use model::SourceId;
use reqwest::{Method, Response, header};
use std::time::{Duration, Instant};

/// Answers longer than these are refused; of errors only the beginning is read.
pub(super) const LIST_BYTES: usize = 16 * 1024 * 1024;
pub(super) const ONE_BYTES: usize = 64 * 1024;
const ERROR_BYTES: usize = 4 * 1024;

/// What is asked.
pub(super) struct Ask<'a> {
    /// A word for logs.
    pub what: &'static str,
    pub method: Method,
    pub url: String,
    /// The connection it is about, if it is about one.
    pub key: Option<&'a str>,
    /// The most bytes of a good answer.
    pub most: usize,
    /// Content type and body.
    pub body: Option<(&'static str, Secret)>,
    /// What else in the request must not come back in an error.
    pub secrets: Vec<Secret>,
}

impl<'a> Ask<'a> {
    /// A plain question.
    pub(super) fn get(what: &'static str, url: String, key: Option<&'a str>, most: usize) -> Self {
        Self { what, method: Method::GET, url, key, most, body: None, secrets: Vec::new() }
    }
}

/// When and how an answer came.
#[derive(Clone, Debug)]
pub(super) struct Meta {
    pub sent_at: DateTime<Utc>,
    pub received_at: DateTime<Utc>,
    pub upstream_date: Option<DateTime<Utc>>,
    pub api_version: Option<String>,
    pub request_id: Option<String>,
}

/// An answer: a good one's body, or what upstream complains of.
pub(super) struct Reply {
    pub meta: Meta,
    pub body: Result<Bytes, UpstreamError>,
}

/// The way to one upstream.
pub(super) struct Transport {
    pub client: http::Client,
    pub budget: Budget,
    pub clock: SharedClock,
    pub source: SourceId,
    pub version_header: String,
}

impl Transport {
    /// Asks once.
    ///
    /// # Errors
    /// Only when there is no answer at all; complaints are in the reply.
    pub(super) async fn send(&self, ask: &Ask<'_>, bearer: Option<&Secret>) -> Result<Reply, UpstreamError> {
        let request = self.request(ask, bearer)?;
        self.budget.enter(ask.key).await.inspect_err(|error| self.count(error.class.code()))?;
        let (sent_at, begin) = (self.clock.now(), Instant::now());
        let exchanged = self.exchange(request, sent_at, ask, bearer).await;
        let took = begin.elapsed();

        let error = exchanged.as_ref().map_or_else(Some, |reply| reply.body.as_ref().err());
        let outcome = error.map_or("ok", |error| error.class.code());
        self.count(outcome);
        metrics::histogram!("linewatch_upstream_request_seconds", "source" => self.source.to_string()).record(took);
        self.settle(error, ask.key);
        tracing::debug!(
            source = %self.source,
            what = ask.what,
            outcome,
            status = error.and_then(|error| error.status),
            took_ms = took.as_millis() as u64,
            "asked upstream for {}: {outcome}",
            ask.what,
        );
        exchanged
    }

    fn request(&self, ask: &Ask<'_>, bearer: Option<&Secret>) -> Result<reqwest::RequestBuilder, UpstreamError> {
        let mut request = self.client.request(ask.method.clone(), &ask.url)?.header(header::ACCEPT, "application/json");
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer.expose());
        }
        if let Some((kind, body)) = &ask.body {
            request = request.header(header::CONTENT_TYPE, *kind).body(body.expose().to_owned());
        }
        Ok(request)
    }

    async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
        sent_at: DateTime<Utc>,
        ask: &Ask<'_>,
        bearer: Option<&Secret>,
    ) -> Result<Reply, UpstreamError> {
        let response = request.send().await.map_err(SendError::from)?;
        let status = response.status();
        let mut meta = self.meta(&response, sent_at);
        let body = if status.is_success() {
            Ok(http::read_capped(response, ask.most).await?)
        } else {
            let wait = header_text(&response, header::RETRY_AFTER.as_str());
            let wait = wait.and_then(|value| retry_after::parse(&value, meta.upstream_date.unwrap_or(sent_at)));
            // The status says enough where the body cannot be read.
            let start = http::read_start(response, ERROR_BYTES).await.map(|(start, _)| start).unwrap_or_default();
            // Before anything is cut, so that no half of a secret is left over.
            let start = without(&String::from_utf8_lossy(&start), ask.secrets.iter().chain(bearer));
            let said = wire::error(start.as_bytes());
            meta.request_id = meta.request_id.or_else(|| said.request_id.clone());
            Err(complaint(status.as_u16(), said, wait, meta.request_id.clone(), ask.secrets.iter().chain(bearer)))
        };
        meta.received_at = self.clock.now();
        Ok(Reply { meta, body })
    }

    fn meta(&self, response: &Response, sent_at: DateTime<Utc>) -> Meta {
        let date = header_text(response, header::DATE.as_str());
        let date = date.and_then(|date| httpdate::parse_http_date(&date).ok());
        Meta {
            sent_at,
            received_at: sent_at,
            upstream_date: date.map(|date| whole_micros(date.into())),
            api_version: header_text(response, &self.version_header).map(|text| text.chars().take(100).collect()),
            request_id: header_text(response, "x-request-id").map(|text| text.chars().take(200).collect()),
        }
    }

    /// What follows for the budget.
    fn settle(&self, error: Option<&UpstreamError>, key: Option<&str>) {
        let outcome = match error {
            // Of one connection's system, in an exchange about that connection: upstream itself is well.
            Some(error) if key.is_some() && error.is_about_connection() => Outcome::Answered,
            Some(error) => match error.class {
                ErrorClass::Upstream | ErrorClass::Unreachable => Outcome::Failed,
                ErrorClass::AddressRefused => Outcome::Unsent,
                _ if error.status.is_none() && error.class == ErrorClass::Garbage => Outcome::Unsent,
                _ => Outcome::Answered,
            },
            None => Outcome::Answered,
        };
        match self.budget.report(outcome) {
            Turn::None => {}
            Turn::Opened(until, faults) => tracing::warn!(
                source = %self.source, %until, faults,
                "upstream failed {faults} times in a row; it is left alone until {until}: {}",
                error.map_or("", |error| &error.message),
            ),
            Turn::Closed => tracing::info!(source = %self.source, "upstream answers again; requests go on"),
        }
        match error {
            Some(error) if error.class == ErrorClass::RateLimited => {
                let pause = self.budget.pause(key, error.retry_after);
                let seconds = pause.as_secs();
                tracing::warn!(
                    source = %self.source, key, seconds,
                    "upstream says that we ask too often; pausing for {seconds} s",
                );
            }
            Some(error) if outcome == Outcome::Failed && error.retry_after.is_some() => {
                self.budget.pause(None, error.retry_after);
            }
            _ => self.budget.content(),
        }
    }

    fn count(&self, outcome: &'static str) {
        let source = self.source.to_string();
        metrics::counter!("linewatch_upstream_requests_total", "source" => source, "outcome" => outcome).increment(1);
    }
}

fn header_text(response: &Response, name: &str) -> Option<String> {
    let text = tidy(response.headers().get(name)?.to_str().ok()?);
    (!text.is_empty()).then_some(text)
}

/// What an answer that is no success means.
fn complaint<'a>(
    status: u16,
    said: WireError,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    secrets: impl Iterator<Item = &'a Secret> + Clone,
) -> UpstreamError {
    let (class, sentence) = match status {
        300..=399 => {
            (ErrorClass::Garbage, "Makini answers with a redirect, which is not followed. Check the base URL.")
        }
        401 => (ErrorClass::Credentials, "Makini does not accept the token."),
        403 => (ErrorClass::Forbidden, "Makini does not allow this."),
        404 | 410 => (ErrorClass::NotFound, "Makini has nothing at this path. Check the base URL and the paths."),
        429 => (ErrorClass::RateLimited, "Makini says that Linewatch asks too often."),
        500.. => (ErrorClass::Upstream, "Makini failed."),
        _ => (ErrorClass::Garbage, "Makini does not understand the request."),
    };
    let clean = |text: String| without(&text, secrets.clone());
    let (code, words) = (said.code.map(clean), said.message.map(clean));
    let mut message = format!("{sentence} It answered {status}");
    if let Some(code) = &code {
        message.push_str(&format!(" {code}"));
    }
    match &words {
        Some(words) => message.push_str(&format!(": {words}")),
        None => message.push('.'),
    }
    UpstreamError { class, status: Some(status), code, message: tidy(&message), request_id, retry_after, words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_say_what_they_are_and_hold_no_secret() {
        let said = WireError {
            code: Some("AUTHENTICATION_FAILED".into()),
            message: Some("the token mkat_123 is wrong".into()),
            request_id: None,
        };
        let secret = Secret::from("mkat_123");
        let error = complaint(401, said, None, Some("req_1".into()), [&secret].into_iter());
        assert_eq!(
            error.message,
            "Makini does not accept the token. It answered 401 AUTHENTICATION_FAILED: the token *** is wrong"
        );
        assert_eq!((error.class, error.request_id.as_deref()), (ErrorClass::Credentials, Some("req_1")));
        for (status, class) in [
            (302, ErrorClass::Garbage),
            (400, ErrorClass::Garbage),
            (403, ErrorClass::Forbidden),
            (404, ErrorClass::NotFound),
            (429, ErrorClass::RateLimited),
            (500, ErrorClass::Upstream),
            (503, ErrorClass::Upstream),
            (599, ErrorClass::Upstream),
        ] {
            let error = complaint(status, WireError::default(), None, None, std::iter::empty());
            assert_eq!((error.class, error.status), (class, Some(status)), "{status}");
            assert!(error.message.ends_with(&format!("{status}.")), "{}", error.message);
        }
    }
}
