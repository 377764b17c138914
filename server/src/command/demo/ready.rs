//! When the demo is ready, and what it says then.

use super::Story;
use crate::health;
use crate::wiring::{Failure, Parts, Served, base};
use model::{Actor, Source, SourceId};
use serde::Serialize;
use simulator::mail::Catcher;
use simulator::{Options, Running};
use std::io::Write as _;
use std::{path::Path, time::Duration};

/// How long the first round may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What scripts and people need to know. On purpose it holds secrets: they are the demo's alone.
#[derive(Serialize)]
pub struct Ready {
    url: String,
    email: String,
    password: Option<String>,
    api_token: Option<String>,
    simulator_url: String,
    webhook_url: String,
    webhook_secret: String,
    /// Where the mails are that were caught; none with a mail server of one's own.
    mail_url: Option<String>,
}

impl Ready {
    /// What will be said.
    pub fn of(served: &Served, makini: &Running, source: &Source, mail: Option<&Catcher>) -> Self {
        let said = |secret: &Option<engine::vault::Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        Self {
            url: base(&served.public_url),
            email: served.entry.email.clone(),
            password: said(&served.entry.password),
            api_token: said(&served.entry.api_token),
            simulator_url: makini.url(),
            webhook_url: source.webhook_url.clone(),
            webhook_secret: Options::default().webhook_secret,
            mail_url: mail.map(Catcher::url),
        }
    }

    /// Says it.
    pub fn print(&self, json: bool, story: &Story, data_dir: &Path) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        if json {
            writeln!(out, "{}", serde_json::to_string(self)?)?;
        } else {
            let password = self.password.as_deref().unwrap_or("(as you set it)");
            writeln!(
                out,
                "\nLinewatch is ready, and a simulated Makini with {} connections tells it things.\n",
                story.connections
            )?;
            writeln!(out, "    Open      {}", self.url)?;
            writeln!(out, "    Sign in   {}   {password}\n", self.email)?;
            writeln!(
                out,
                "    API       curl -H 'Authorization: Bearer {}' {}/api/v1/connections",
                self.token(),
                self.url
            )?;
            writeln!(out, "    Makini    {}/_sim/state", self.simulator_url)?;
            match &self.mail_url {
                Some(mail) => writeln!(out, "    E-mail    {mail}   (all that it sends is caught there)\n")?,
                None => writeln!(out, "    E-mail    goes out by LINEWATCH_MAIL_URL\n")?,
            }
            writeln!(out, "Ctrl-C ends it; its data stays in {}, and --fresh begins anew.\n", data_dir.display())?;
        }
        Ok(out.flush()?)
    }

    fn token(&self) -> &str {
        self.api_token.as_deref().unwrap_or("…")
    }
}

/// Waits until Linewatch is ready and has listed every connection once.
pub async fn wait(parts: &Parts, actor: &Actor, source: SourceId) -> Result<(), Failure> {
    let began = parts.clock.now();
    let done = async {
        loop {
            let source = parts.backend.source(actor, source).await?;
            let listed = !source.enabled || source.round.good_at.is_some_and(|at| at >= began);
            if listed && health::look(parts).await.ready {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, done)
        .await
        .unwrap_or_else(|_| Err("the first round of polling takes too long".into()))
}
