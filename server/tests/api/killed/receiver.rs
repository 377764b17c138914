//! Everybody who is told by HTTP, on one port: does what it is told to with each request, and keeps what came.

use super::came::Log;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A status, and after how many seconds to come again.
    Status(u16, Option<u8>),
    /// The connection breaks off.
    Reset,
    /// Nobody says anything.
    Hang,
    /// Nobody says anything until it is let go, then it is taken.
    Hold,
}

/// Everybody who is told.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    plans: Arc<Mutex<HashMap<String, VecDeque<Answer>>>>,
    log: Log,
    let_go: watch::Sender<u32>,
}

impl Receiver {
    /// Takes everything, until it is told otherwise.
    pub async fn start(log: Log, let_go: watch::Sender<u32>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let receiver = Self { address, plans: Arc::default(), log, let_go };
        let served = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let receiver = served.clone();
                tokio::spawn(async move { receiver.take(stream, peer).await });
            }
        });
        receiver
    }

    pub fn url(&self, channel: &str) -> String {
        format!("http://{}/{channel}", self.address)
    }

    /// What is done with the next requests of a channel; those after them are taken.
    pub fn will(&self, channel: &str, answers: &[Answer]) {
        self.plans.lock().unwrap().entry(channel.to_owned()).or_default().extend(answers);
    }

    async fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let n = self.log.begins(peer).await;
        let told = self.told(n, stream).await.unwrap_or(false);
        self.log.note(n, |came| (came.open, came.held, came.told) = (false, false, told));
    }

    /// Whether it was taken; none where no whole request came.
    async fn told(&self, n: usize, stream: TcpStream) -> Option<bool> {
        let let_go = self.let_go.subscribe();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let channel = line.split(' ').nth(1)?.trim_start_matches('/').to_owned();
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line).await.ok()?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let body: Value = serde_json::from_slice(&body).unwrap();
        let what = body["data"]["id"].as_str().or(body["text"].as_str()).unwrap().to_owned();
        let maybe_repeat = body["data"]["maybe_repeat"] == true || body.to_string().contains("Possible repeat");
        let answer = self.plans.lock().unwrap().get_mut(&channel).and_then(VecDeque::pop_front);
        let answer = answer.unwrap_or(Answer::Status(200, None));
        self.log.note(n, |came| {
            (came.channel, came.what, came.maybe_repeat) = (channel, what, maybe_repeat);
            came.held = answer == Answer::Hold;
        });
        Some(answered(stream, answer, let_go).await)
    }
}

/// Does it; whether the request was taken.
async fn answered(mut stream: BufReader<TcpStream>, answer: Answer, mut let_go: watch::Receiver<u32>) -> bool {
    let (status, after) = match answer {
        Answer::Status(status, after) => (status, after),
        Answer::Reset => {
            drop(stream.get_ref().set_zero_linger());
            return false;
        }
        Answer::Hang => {
            gone(&mut stream).await;
            return false;
        }
        Answer::Hold => tokio::select! {
            () = gone(&mut stream) => return false,
            _ = let_go.changed() => (200, None),
        },
    };
    let after = after.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 2\r\nconnection: close\r\n{after}\r\nok");
    stream.write_all(answer.as_bytes()).await.is_ok() && status == 200
}

/// Until the other side has gone.
pub async fn gone(stream: &mut BufReader<TcpStream>) {
    while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
}
