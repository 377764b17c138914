//! A mail server with moods: whatever it does, a mail is sent in the end, or it is said why not.

use crate::telling::Telling;
use crate::world::admin;
use engine::notify::{MailServer, Tls};
use model::{Backend as _, ChannelKind, ChannelSettings, NewChannel, NotificationState};
use sqlx::PgPool;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong, when the client says this; `""` is when it comes, `"."` the end of a mail.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Says(&'static str, &'static str),
    Resets(&'static str),
    Leaves(&'static str),
    Hangs(&'static str),
}

/// As much of a mail server as it takes to fail.
#[derive(Clone, Default)]
struct Peer {
    mood: Arc<Mutex<Option<Mood>>>,
    mails: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    async fn start(&self) -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let peer = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let peer = peer.clone();
                tokio::spawn(async move { peer.serve(stream).await });
            }
        });
        let (host, from) = ("127.0.0.1".to_owned(), "Linewatch <linewatch@example.com>".to_owned());
        MailServer { host, port, tls: Tls::Without, login: None, from }
    }

    /// Goes wrong once.
    fn will(&self, mood: Mood) {
        *self.mood.lock().unwrap() = Some(mood);
    }

    fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }

    /// Says the usual and answers true, unless it is in a mood at this word. None: the exchange is over.
    async fn say(&self, stream: &mut BufReader<TcpStream>, word: &str, usual: &str) -> Option<bool> {
        let mood = {
            let mut mood = self.mood.lock().unwrap();
            let at = match *mood {
                Some(Mood::Says(at, _) | Mood::Resets(at) | Mood::Leaves(at) | Mood::Hangs(at)) => Some(at),
                None => None,
            };
            if at == Some(word) { mood.take() } else { None }
        };
        let said = match mood {
            None => usual,
            Some(Mood::Says(_, said)) => said,
            Some(Mood::Leaves(_)) => return None,
            Some(Mood::Hangs(_)) => std::future::pending().await,
            Some(Mood::Resets(_)) => {
                stream.get_ref().set_zero_linger().unwrap();
                return None;
            }
        };
        stream.write_all(format!("{said}\r\n").as_bytes()).await.ok()?;
        Some(said == usual)
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        self.say(&mut stream, "", "220 mail.example").await?;
        let mut line = String::new();
        while stream.read_line(&mut line).await.ok()? > 0 {
            let word = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            line.clear();
            match word.as_str() {
                "EHLO" => {
                    self.say(&mut stream, "EHLO", "250 mail.example").await?;
                }
                "DATA" if self.say(&mut stream, "DATA", "354 go on").await? => {
                    let mut mail = String::new();
                    while !mail.ends_with("\r\n.\r\n") {
                        (stream.read_line(&mut mail).await.ok()? > 0).then_some(())?;
                    }
                    if self.say(&mut stream, ".", "250 taken").await? {
                        self.mails.lock().unwrap().push(mail);
                    }
                }
                "DATA" => {}
                word => {
                    self.say(&mut stream, word, "250 good").await?;
                }
            }
        }
        Some(())
    }
}

async fn world(pool: PgPool) -> (Telling, Peer) {
    let peer = Peer::default();
    let world = Telling::with_mail(pool, Some(peer.start().await)).await;
    let settings = ChannelSettings { to: vec!["ops@example.com".into()], ..ChannelSettings::default() };
    let new = NewChannel { name: "mail".into(), kind: ChannelKind::Email, settings, fallback_id: None, enabled: None };
    world.desk.add_channel(&admin(), new).await.unwrap();
    world.each_by_itself().await;
    (world, peer)
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_mail_is_sent_in_the_end_or_it_is_said_why_not(pool: PgPool) {
    let (world, peer) = world(pool).await;
    // what went wrong, its class, whether it is tried again, and whether the server may have had it
    for (mood, class, again, doubtful) in [
        (Mood::Says("", "421 too busy"), "answer", true, false),
        (Mood::Says("MAIL", "451 not now"), "answer", true, false),
        (Mood::Says("RCPT", "450 greylisted"), "answer", true, false),
        (Mood::Says("RCPT", "550 no such person"), "answer", false, false),
        (Mood::Says("DATA", "452 no room"), "answer", true, false),
        (Mood::Says(".", "554 it looks like spam"), "answer", false, false),
        (Mood::Says(".", "451 not now"), "answer", true, false),
        (Mood::Says("MAIL", "530 sign in first"), "sign_in", true, false),
        (Mood::Resets("RCPT"), "broken", true, true),
        (Mood::Resets("."), "broken", true, true),
        (Mood::Leaves("."), "broken", true, true),
    ] {
        let mails = peer.mails().len();
        peer.will(mood);
        world.fire(&format!("{mood:?}")).await;
        world.pass(60).await;
        let told = world.told().await.pop().unwrap();
        let error = told.attempts[0].error.as_ref().unwrap();
        assert_eq!((told.attempts.len(), error.class.as_str()), (1, class), "{mood:?}: {error:?}");
        assert_eq!((told.state == NotificationState::Pending, told.maybe_repeat), (again, doubtful), "{mood:?}");
        if !again {
            assert_eq!((told.state, peer.mails().len()), (NotificationState::Failed, mails), "{mood:?}");
            world.desk.retry_notification(&admin(), told.id).await.unwrap();
        }
        world.pass(60).await;
        let told = world.desk.notification(&admin(), told.id).await.unwrap();
        assert_eq!((told.state, told.attempts.len()), (NotificationState::Sent, 2), "{mood:?}");
        let mails = peer.mails().split_off(mails);
        assert_eq!(mails.len(), 1, "{mood:?}");
        assert_eq!(mails[0].contains("Possible repeat"), doubtful, "{mood:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_answered_counts_though_the_server_does_not_say_good_bye(pool: PgPool) {
    let (world, peer) = world(pool).await;
    let began = std::time::Instant::now();
    peer.will(Mood::Hangs("QUIT"));
    world.fire("slow to part").await;
    world.pass(60).await;
    let told = world.told().await.pop().unwrap();
    assert_eq!((told.state, told.attempts.len(), told.maybe_repeat), (NotificationState::Sent, 1, false));
    assert_eq!(peer.mails().len(), 1);
    assert!(began.elapsed() < std::time::Duration::from_secs(25), "it waited for a good-bye: {:?}", began.elapsed());
}
