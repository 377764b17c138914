//! What `linewatch` can be told to do.

mod demo;
mod doctor;
mod migrate;
mod openapi;
mod serve;
mod simulate;

use crate::config::{Config, Purpose};
use crate::telemetry;
use crate::wiring::Failure;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Watches every customer connection that a company runs through Makini.
#[derive(Debug, Parser)]
#[command(name = "linewatch", version, max_term_width = 100)]
pub struct Linewatch {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The product: pages, API, webhooks, polling. Any number of processes over one Postgres
    Serve(serve::Serve),
    /// Everything in one, with a simulated Makini that has a story to tell
    Demo(demo::Demo),
    /// The simulated Makini alone
    Simulate(simulate::Simulate),
    /// Brings the database's schema up to date
    Migrate,
    /// Checks everything that Linewatch needs, and says what is wrong and how to mend it
    Doctor,
    /// Prints the OpenAPI document
    Openapi,
}

impl Linewatch {
    /// Does it, and ends with an honest exit code.
    pub async fn run(self) -> ExitCode {
        match self.try_run().await {
            Ok(code) => code,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }

    async fn try_run(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Serve(serve) => serve.run(configured(Purpose::Product)?).await,
            Command::Demo(demo) => demo.run(configured(Purpose::Demo)?).await,
            Command::Migrate => migrate::run(&configured(Purpose::Schema)?).await,
            Command::Simulate(simulate) => simulate.run().await,
            // What is wrong with the configuration it tells with the rest.
            Command::Doctor => doctor::run(Config::from_env(Purpose::Product)).await,
            Command::Openapi => openapi::run(),
        }
    }
}

/// Reads the configuration and begins to log as it says.
fn configured(purpose: Purpose) -> Result<Config, Failure> {
    let config = Config::from_env(purpose)?;
    telemetry::start(&config.log);
    for name in Config::unknown_names() {
        tracing::warn!(name, "{name} is set, but Linewatch knows no such variable");
    }
    Ok(config)
}
