//! `linewatch simulate`

use crate::config::Log;
use crate::lifecycle::Lifecycle;
use crate::telemetry;
use crate::wiring::Failure;
use clap::{Args, ValueEnum};
use simulator::{Dialect, Options};
use std::net::SocketAddr;
use std::process::ExitCode;

/// The simulated Makini alone.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:4010")]
    listen: SocketAddr,
    #[command(flatten)]
    story: Story,
    /// How much faster than life durations pass; times are always real
    #[arg(long, default_value_t = 60.0)]
    time_scale: f64,
}

/// What a simulated Makini is like.
#[derive(Clone, Debug, Args)]
pub struct Story {
    /// How many connections it has
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub connections: u32,
    /// Same seed, same connections and keys
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// How it speaks: `faq_v1` or `openapi_2025`
    #[arg(long, default_value_t = Dialect::FaqV1)]
    pub dialect: Dialect,
    /// Whether things happen by themselves
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub story: Switch,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// They do.
    On,
    /// They do not.
    Off,
}

impl Story {
    /// The same, as the simulator takes it.
    pub fn options(&self) -> Options {
        Options {
            connections: self.connections as usize,
            seed: self.seed,
            dialect: self.dialect,
            story: self.story == Switch::On,
            ..Options::default()
        }
    }
}

impl Simulate {
    /// Runs it until a signal ends it.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        telemetry::start(&Log::standard());
        let life = Lifecycle::new()?;
        let options = Options { listen: self.listen, time_scale: self.time_scale, ..self.story.options() };
        let known = options.clone();
        let makini = simulator::start(options).await?;
        println!("A simulated Makini with {} connections: {}", self.story.connections, makini.url());
        println!(
            "Client id {}, client secret {}, webhook secret {}",
            known.client_id, known.client_secret, known.webhook_secret
        );
        life.soft.cancelled().await;
        life.finish(makini.shutdown()).await;
        Ok(life.exit_code())
    }
}
