//! A mail catcher: takes every mail that is handed in by SMTP, delivers none, and shows them on a page of its own.
//!
//! Only for this machine, as its listeners must be. The newest 200 are kept, in memory, at most 1 MiB each and 32 MiB together.
//!
//! `session` is the conversation, without a socket; `letters` what was caught; `door` the page and its JSON: `GET /mails` answers
//! `{items: [{id, at, from, to [], subject}]}`, newest first, `GET /mails/{id}` the same of one and
//! `headers [{name, value}], text|null, html|null`.

mod door;
mod letters;
mod page;
mod session;

use crate::clock;
use letters::{Letters, Mail};
use session::{GREETING, Session};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{self, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

/// How long one who hands in may be silent.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many may hand in at once; more wait.
const MOST_AT_ONCE: usize = 32;

/// A mail catcher that runs. Dropped, it ends, and what it caught is gone.
#[derive(Debug)]
pub struct Catcher {
    smtp: SocketAddr,
    page: SocketAddr,
    _tasks: [AbortOnDropHandle<()>; 2],
}

/// Catches what is handed in at the one, without TLS and without a password, and shows it at the other.
///
/// # Errors
/// When a listener does not say where it listens.
pub fn start(smtp: TcpListener, page: TcpListener) -> io::Result<Catcher> {
    let (smtp_addr, page_addr) = (smtp.local_addr()?, page.local_addr()?);
    let letters = Letters::default();
    let routes = door::router(letters.clone());
    let shown = tokio::spawn(async move {
        if let Err(error) = axum::serve(page, routes).await {
            tracing::error!(%error, "the page of the mail catcher ended");
        }
    });
    let caught = tokio::spawn(listen(smtp, letters));
    tracing::info!(smtp = %smtp_addr, page = %page_addr, "the mail catcher is up");
    Ok(Catcher {
        smtp: smtp_addr,
        page: page_addr,
        _tasks: [AbortOnDropHandle::new(shown), AbortOnDropHandle::new(caught)],
    })
}

impl Catcher {
    /// Where mails are handed in.
    pub fn smtp_addr(&self) -> SocketAddr {
        self.smtp
    }

    /// Where they are to be seen, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.page)
    }
}

/// Ends with its task, and every conversation with it.
async fn listen(listener: TcpListener, letters: Letters) {
    let room = Arc::new(Semaphore::new(MOST_AT_ONCE));
    let mut sessions = JoinSet::new();
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        while sessions.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let letters = letters.clone();
                sessions.spawn(async move {
                    if let Err(error) = hold(stream, &letters).await {
                        tracing::debug!(%error, "a mail was not handed in to its end");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the mail catcher cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// One conversation, to its end.
async fn hold(mut stream: impl AsyncRead + AsyncWrite + Unpin, letters: &Letters) -> io::Result<()> {
    let mut session = Session::new();
    let mut buffer = vec![0; 16 * 1024];
    stream.write_all(GREETING).await?;
    loop {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await??;
        if read == 0 {
            return Ok(());
        }
        let (mut answer, mut caught) = (Vec::new(), Vec::new());
        let goes_on = session.take(&buffer[..read], &mut answer, &mut caught);
        for letter in caught {
            letters.keep(Mail::read(letter, Uuid::new_v4(), clock::now()));
        }
        stream.write_all(&answer).await?;
        if !goes_on {
            return stream.shutdown().await;
        }
    }
}
