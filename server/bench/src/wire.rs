//! One connection to a server, kept open: what goes over it is counted in bytes as they are, nothing is unpacked.

use crate::Failure;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// How long one answer may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection, for one request after the other.
pub struct Wire {
    send: SendRequest<Full<Bytes>>,
    host: String,
    /// Sent with every request.
    pub headers: HeaderMap,
}

/// What was answered.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came: compressed, if it came so.
    pub body: Bytes,
    /// From before the request was sent until the last byte was there.
    pub took: Duration,
}

impl Answer {
    /// The answer, if its status is this one.
    pub fn expect(self, status: StatusCode) -> Result<Self, Failure> {
        if self.status == status {
            return Ok(self);
        }
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(500)]).into_owned();
        Err(format!("answered {} instead of {status}: {text}", self.status).into())
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// A header as text; empty if it is not there.
    pub fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Wire {
    /// Opens a connection.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (send, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { send, host: address.to_string(), headers: HeaderMap::new() })
    }

    /// The same, with a header that goes with every request.
    #[must_use]
    pub fn with(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.insert(name, value);
        }
        self
    }

    /// Asks, and waits for the whole answer.
    pub async fn ask(&mut self, method: Method, path: &str, body: Option<(&str, Bytes)>) -> Result<Answer, Failure> {
        let began = Instant::now();
        let whole = async {
            let (head, body) = self.begin(method, path, body).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, Failure>(Answer { status: head.status, headers: head.headers, body, took: began.elapsed() })
        };
        tokio::time::timeout(PATIENCE, whole).await.unwrap_or_else(|_| Err(format!("{path} does not answer").into()))
    }

    /// Asks, and waits for the head of the answer alone: its body may never end.
    pub async fn begin(
        &mut self,
        method: Method,
        path: &str,
        body: Option<(&str, Bytes)>,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.host);
        if let Some((kind, _)) = body {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let mut request = request.body(Full::new(body.map_or_else(Bytes::new, |(_, bytes)| bytes)))?;
        request.headers_mut().extend(self.headers.clone());
        self.send.ready().await?;
        Ok(self.send.send_request(request).await?)
    }

    /// Asks for something that must be there.
    pub async fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        let answer = self.ask(Method::GET, path, None).await?;
        answer.expect(StatusCode::OK).map_err(|error| format!("GET {path}: {error}").into())
    }

    /// Sends JSON and expects JSON, or nothing, back.
    pub async fn send(&mut self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.ask(method, path, Some(("application/json", body.to_string().into()))).await?;
        if !answer.status.is_success() {
            return answer
                .expect(StatusCode::OK)
                .map(|_| Value::Null)
                .map_err(|error| format!("{path}: {error}").into());
        }
        if answer.body.is_empty() { Ok(Value::Null) } else { answer.json() }
    }
}
