//! Whoever calls: follows no redirect and forgets nothing that was answered.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use serde_json::Value;

/// Whoever calls.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    url: String,
    headers: HeaderMap,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Caller {
    pub fn new(url: &str) -> Self {
        engine::http::install_crypto();
        let client = Client::builder().redirect(Policy::none()).no_proxy().tls_certs_only([]).build().unwrap();
        Self { client, url: url.to_owned(), headers: HeaderMap::new() }
    }

    /// The same, with a header on every request.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        self
    }

    /// The same, in a browser's hands.
    pub fn browsing(self) -> Self {
        self.with("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.url)).headers(self.headers.clone())
    }

    pub async fn call(&self, method: &str, path: &str) -> Answer {
        send(self.request(method, path)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path).await
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        send(self.request("POST", path).form(fields)).await
    }

    pub async fn json(&self, method: &str, path: &str, body: Value) -> Answer {
        send(self.request(method, path).json(&body)).await
    }

    pub async fn body(&self, method: &str, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        send(self.request(method, path).header("content-type", content_type).body(body)).await
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// Checks that this is a problem in every part, of this status and kind; the whole of it.
    #[track_caller]
    pub fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:linewatch:problem:{kind}"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{problem}");
        assert!(!problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty());
        problem
    }
}
