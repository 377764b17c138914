//! `linewatch demo`: embedded Postgres, a simulated Makini with a story to tell, a mail catcher, and Linewatch, in one process.

mod mail;
mod place;
mod ready;
mod source;

use super::simulate::Story;
use crate::config::Config;
use crate::lifecycle::Lifecycle;
use crate::wiring::{Database, Failure, Role, Served, base, local_url, master_key, serve};
use clap::Args;
use ipnet::IpNet;
use model::{Actor, Refusal};
use simulator::mail::Catcher;
use simulator::{Options, Running};
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;

/// Everything in one.
#[derive(Debug, Args)]
pub struct Demo {
    /// Where Linewatch listens; 0 picks once per data directory [env: PORT] [default: 3000]
    #[arg(long)]
    port: Option<u16>,
    #[command(flatten)]
    story: Story,
    /// Prints one line of JSON when it is ready, and nothing else, on standard output
    #[arg(long)]
    json: bool,
    /// Begins anew: what the demo kept is thrown away first
    #[arg(long)]
    fresh: bool,
}

impl Demo {
    /// Runs until a signal ends it. Nothing that it started outlives it.
    pub async fn run(self, mut config: Config) -> Result<ExitCode, Failure> {
        let life = Lifecycle::new()?;
        place::prepare(&config, self.fresh).await?;
        // Everything that the demo talks to is on this machine.
        config
            .outbound
            .allow
            .extend(["127.0.0.0/8", "::1/128"].into_iter().filter_map(|network| network.parse::<IpNet>().ok()));
        let port = self.port.unwrap_or(config.http.port);
        let listener = place::listen(&config, port).await?;
        let database = Database::open(&config).await?;
        place::keep_port(&config, port, &listener)?;
        let makini = self.simulate(&config, &listener).await?;
        let mail = mail::catch(&mut config).await?;
        let key = master_key(&config)?;
        let served = serve(&config, Role::All, &life, listener, database, key).await?;
        match self.get_ready(&life, &served, &makini, mail.as_ref()).await {
            Ok(Some(ready)) => ready.print(self.json, &self.story, &config.data_dir)?,
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "the demo cannot be made ready: {error}");
                life.fail();
            }
        }
        let simulated = async {
            life.soft.cancelled().await;
            makini.shutdown().await;
        };
        let (code, ()) = tokio::join!(served.until_stopped(), simulated);
        Ok(code)
    }

    async fn simulate(&self, config: &Config, listener: &TcpListener) -> Result<Running, Failure> {
        let webhooks = format!("{}/webhooks/{}", base(&local_url(listener.local_addr()?)), source::NAME);
        let options = Options {
            time_scale: 60.0,
            webhook_url: Some(webhooks),
            data_dir: Some(config.data_dir.join("simulator")),
            sync_backoff_max: Duration::from_secs(30),
            max_cadence: Duration::from_secs(30 * 60),
            rate_per_minute: 60_000,
            ..self.story.options()
        };
        place::simulate(config, options).await
    }

    /// Adds the source, and the channel to the mail catcher where there is one, and waits for the first round; none if a signal came first.
    async fn get_ready(
        &self,
        life: &Lifecycle,
        served: &Served,
        makini: &Running,
        mail: Option<&Catcher>,
    ) -> Result<Option<ready::Ready>, Failure> {
        let actor = actor(served).await?;
        let source = source::ensure(&served.parts, &actor, makini, self.story.dialect).await?;
        if mail.is_some() {
            mail::ensure_channel(&served.parts, &actor).await?;
        }
        let ready = ready::Ready::of(served, makini, &source, mail);
        let waited = ready::wait(&served.parts, &actor, source.id);
        Ok(life.soft.run_until_cancelled(waited).await.transpose()?.map(|()| ready))
    }
}

/// Who does what the demo does.
async fn actor(served: &Served) -> Result<Actor, Failure> {
    let lost = "The demo's API token is not in its data directory any more. Begin anew with --fresh.";
    let token = served.entry.api_token.as_ref().ok_or(lost)?;
    Ok(served.parts.people.bearer(token.expose()).await?.ok_or(Refusal::Unauthenticated)?)
}
