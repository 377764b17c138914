//! What came to those who are told, by whatever means, in the order in which it began to come.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What came.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// The channel; empty as long as that is not said.
    pub channel: String,
    /// The process that sent it.
    pub pid: Option<u32>,
    /// Of a webhook its id, of Slack its title, of a mail its Message-ID; empty as long as that has not come.
    pub what: String,
    /// Of a mail: the one that it answers.
    pub answers: Option<String>,
    /// It says that it may be a repeat.
    pub maybe_repeat: bool,
    /// It is under way.
    pub open: bool,
    /// It is held until it is let go.
    pub held: bool,
    /// It was taken.
    pub told: bool,
}

/// All of it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Came>>>);

impl Log {
    /// One more, under way, from whoever has this port; its number.
    pub async fn begins(&self, peer: SocketAddr) -> usize {
        // the kernel's table is read while it changes
        let mut pid = owner(peer.port());
        for _ in 0..50 {
            if pid.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            pid = owner(peer.port());
        }
        let mut all = self.0.lock().unwrap();
        all.push(Came { pid, open: true, ..Came::default() });
        all.len() - 1
    }

    /// More is known of it.
    pub fn note(&self, n: usize, change: impl FnOnce(&mut Came)) {
        change(&mut self.0.lock().unwrap()[n]);
    }

    /// What came by now.
    pub fn all(&self) -> Vec<Came> {
        self.0.lock().unwrap().clone()
    }
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
