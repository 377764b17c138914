//! A mail server: takes mails, word by word as SMTP has it, does what it is told to at any word, and keeps what came.
//!
//! A channel is known by the sender that it names. What was handed in to its end and not answered, because the other side had gone,
//! is thrown away, unless it was told to keep it: mail servers do either.

use super::came::Log;
use super::receiver::gone;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Where a conversation is: what the mail server would say now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Somebody came, and is to be greeted. Nobody knows yet from which channel.
    Connected,
    /// The sender was named.
    Sender,
    /// A recipient was named.
    Recipient,
    /// Somebody wants to hand in a mail, and is to be told to go on.
    Begin,
    /// They were told to go on, and nothing is read.
    Letter,
    /// The last dot has come.
    End,
    /// Somebody says good-bye.
    Parting,
}

/// What is done at a word, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// This is said.
    Says(&'static str),
    /// The connection breaks off.
    Resets,
    /// Nothing is said until it is let go, then the usual.
    Holds,
    /// The mail is taken, and nothing is said of it.
    Keeps,
    /// Nothing is said.
    Hangs,
}

/// At a word, of a channel, this is done once.
type Plan = (At, &'static str, Mood);

/// A mail server.
#[derive(Clone)]
pub struct Mailbox {
    address: SocketAddr,
    plans: Arc<Mutex<VecDeque<Plan>>>,
    log: Log,
    let_go: watch::Sender<u32>,
}

/// One conversation.
struct Talk<'a> {
    mailbox: &'a Mailbox,
    stream: BufReader<TcpStream>,
    let_go: watch::Receiver<u32>,
    n: usize,
    channel: String,
}

impl Mailbox {
    /// Takes everything, until it is told otherwise.
    pub async fn start(log: Log, let_go: watch::Sender<u32>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mailbox = Self { address, plans: Arc::default(), log, let_go };
        let served = mailbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let mailbox = served.clone();
                tokio::spawn(async move { mailbox.take(stream, peer).await });
            }
        });
        mailbox
    }

    /// For `LINEWATCH_MAIL_URL`.
    pub fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.address)
    }

    /// What is done when a mail of a channel comes to this word; `""` where the channel is not known yet.
    pub fn will(&self, at: At, channel: &'static str, mood: Mood) {
        self.plans.lock().unwrap().push_back((at, channel, mood));
    }

    async fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let let_go = self.let_go.subscribe();
        let n = self.log.begins(peer).await;
        let stream = BufReader::new(stream);
        let over = Talk { mailbox: self, stream, let_go, n, channel: String::new() }.hold().await;
        debug_assert!(over.is_none(), "a conversation has an end");
        self.log.note(n, |came| (came.open, came.held) = (false, false));
    }
}

impl Talk<'_> {
    /// To its end, which is none.
    async fn hold(mut self) -> Option<()> {
        self.say(At::Connected, "220 mail.example").await?;
        let mut line = String::new();
        loop {
            line.clear();
            (self.stream.read_line(&mut line).await.ok()? > 0).then_some(())?;
            match line.get(..4).unwrap_or_default() {
                "MAIL" => {
                    line.split(['<', '@']).nth(1)?.clone_into(&mut self.channel);
                    self.mailbox.log.note(self.n, |came| came.channel.clone_from(&self.channel));
                    self.say(At::Sender, "250 good").await?;
                }
                "RCPT" => {
                    self.say(At::Recipient, "250 good").await?;
                }
                "DATA" => {
                    if self.say(At::Begin, "354 go on").await? && self.may_go_on(At::Letter).await?.is_none() {
                        self.letter().await?;
                    }
                }
                "QUIT" => {
                    self.say(At::Parting, "221 bye").await?;
                    return None;
                }
                _ => self.stream.write_all(b"250 mail.example\r\n").await.ok()?,
            }
        }
    }

    async fn letter(&mut self) -> Option<()> {
        let mut mail = String::new();
        while !mail.ends_with("\r\n.\r\n") {
            (self.stream.read_line(&mut mail).await.ok()? > 0).then_some(())?;
        }
        let unfolded = mail.replace("\r\n ", " ");
        let header = |name: &str| {
            let value =
                unfolded.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(name))?;
            Some(value.trim().trim_matches(['<', '>']).to_owned())
        };
        let what = header("Message-ID:").expect("every mail has its id");
        let answers = header("In-Reply-To:");
        let maybe_repeat = mail.contains("Possible repeat");
        self.mailbox.log.note(self.n, |came| {
            (came.what, came.answers, came.maybe_repeat) = (what, answers, maybe_repeat);
        });
        if self.say(At::End, "250 taken").await? {
            self.mailbox.log.note(self.n, |came| came.told = true);
        }
        Some(())
    }

    /// Says the usual, unless something else is to be done here; whether it did. None: the conversation is over.
    async fn say(&mut self, at: At, usual: &'static str) -> Option<bool> {
        let said = self.may_go_on(at).await?.unwrap_or(usual);
        self.stream.write_all(format!("{said}\r\n").as_bytes()).await.ok()?;
        Some(said == usual)
    }

    /// Does what is to be done here, up to what is to be said instead of the usual. None: the conversation is over.
    async fn may_go_on(&mut self, at: At) -> Option<Option<&'static str>> {
        let mood = {
            let mut plans = self.mailbox.plans.lock().unwrap();
            let here = plans.iter().position(|(word, channel, _)| *word == at && *channel == self.channel);
            here.and_then(|here| plans.remove(here)).map(|(_, _, mood)| mood)
        };
        let (log, n) = (&self.mailbox.log, self.n);
        match mood {
            None => Some(None),
            Some(Mood::Says(said)) => Some(Some(said)),
            Some(Mood::Resets) => {
                drop(self.stream.get_ref().set_zero_linger());
                None
            }
            Some(Mood::Holds) => {
                log.note(n, |came| came.held = true);
                tokio::select! {
                    () = gone(&mut self.stream) => return None,
                    _ = self.let_go.changed() => {}
                }
                log.note(n, |came| came.held = false);
                Some(None)
            }
            Some(mood) => {
                log.note(n, |came| {
                    (came.held, came.told) = (mood == Mood::Keeps, came.told || mood == Mood::Keeps);
                });
                gone(&mut self.stream).await;
                None
            }
        }
    }
}
