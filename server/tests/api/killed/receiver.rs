//! Everybody who is told, on one port: does what it is told to with each request, knows which process sent it, and keeps what came.

use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
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

/// What came.
#[derive(Clone, Debug)]
pub struct Came {
    /// The path's last part: the channel.
    pub channel: String,
    /// The process that sent it.
    pub pid: Option<u32>,
    /// Of a webhook its id, of Slack its title.
    pub what: String,
    /// It says that it may be a repeat.
    pub maybe_repeat: bool,
    /// It is under way.
    pub open: bool,
    /// It was answered 200.
    pub told: bool,
}

#[derive(Default)]
struct State {
    plans: HashMap<String, VecDeque<Answer>>,
    came: Vec<Came>,
}

/// Everybody who is told.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    let_go: watch::Sender<u32>,
}

impl Receiver {
    /// Takes everything, until it is told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let receiver = Self { address, state: Arc::default(), let_go: watch::Sender::new(0) };
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
        self.state().plans.entry(channel.to_owned()).or_default().extend(answers);
    }

    /// Lets go what is held.
    pub fn let_go(&self) {
        self.let_go.send_modify(|times| *times += 1);
    }

    /// What came by now.
    pub fn came(&self) -> Vec<Came> {
        self.state().came.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn take(&self, stream: TcpStream, peer: SocketAddr) -> Option<()> {
        let let_go = self.let_go.subscribe();
        // the kernel's table is read while it changes
        let mut pid = owner(peer.port());
        for _ in 0..50 {
            if pid.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            pid = owner(peer.port());
        }
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
        let (n, answer) = {
            let mut state = self.state();
            let answer = state.plans.get_mut(&channel).and_then(VecDeque::pop_front);
            state.came.push(Came { channel, pid, what, maybe_repeat, open: true, told: false });
            (state.came.len() - 1, answer.unwrap_or(Answer::Status(200, None)))
        };
        let told = answered(stream, answer, let_go).await;
        let mut state = self.state();
        (state.came[n].open, state.came[n].told) = (false, told);
        Some(())
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
async fn gone(stream: &mut BufReader<TcpStream>) {
    while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
}

/// The process that has this port of its own, as /proc knows it.
fn owner(port: u16) -> Option<u32> {
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let local = format!("0100007F:{port:04X}");
    let inode = table.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // what is over, and only waits, belongs to nobody
        let inode = fields.get(9).filter(|inode| **inode != "0")?;
        (fields.get(1) == Some(&local.as_str())).then(|| (*inode).to_owned())
    })?;
    let socket = format!("socket:[{inode}]");
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| {
        let files = std::fs::read_dir(format!("/proc/{pid}/fd"));
        files.is_ok_and(|files| {
            files.flatten().any(|file| std::fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == &*socket))
        })
    })
}
