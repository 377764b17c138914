//! A user's application that takes deliveries: as small as HTTP allows, and told what to answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What came.
#[derive(Clone, Debug)]
pub struct Came {
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Came {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }
}

#[derive(Default)]
struct State {
    came: Vec<Came>,
    /// What is answered next; the last one stays.
    answers: Vec<String>,
}

/// A receiver on a port of its own.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    state: Arc<Mutex<State>>,
}

/// A whole answer.
pub fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

impl Receiver {
    /// One that takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let receiver = Self { url, state: Arc::default() };
        receiver.answers(&[answer(200, "", "thanks")]);
        let state = Arc::clone(&receiver.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&state)));
            }
        });
        receiver
    }

    /// Answers these, one after the other, and then the last one for ever.
    pub fn answers(&self, answers: &[String]) {
        self.state.lock().unwrap().answers = answers.iter().rev().cloned().collect();
    }

    /// Answers this status for ever.
    pub fn always(&self, status: u16) {
        self.answers(&[answer(status, "", "")]);
    }

    /// What came by now.
    pub fn came(&self) -> Vec<Came> {
        self.state.lock().unwrap().came.clone()
    }
}

async fn take(stream: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut headers, mut line) = (HashMap::new(), String::new());
    stream.read_line(&mut line).await.ok()?;
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    let answer = {
        let mut state = state.lock().unwrap();
        state.came.push(Came { headers, body: String::from_utf8(body).unwrap() });
        if state.answers.len() > 1 { state.answers.pop() } else { state.answers.last().cloned() }
    };
    stream.write_all(answer?.as_bytes()).await.ok()
}
