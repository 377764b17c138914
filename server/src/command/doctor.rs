//! `linewatch doctor`: looks at everything that Linewatch needs, and says what is wrong and how to mend it.

mod data_dir;
mod database;
mod mail;
mod public_url;
mod report;
mod secrets;
mod site;
mod sources;

use crate::config::{Config, LogFormat, Problems};
use crate::telemetry;
use crate::wiring::Failure;
use report::Report;
use std::process::ExitCode;

/// Looks at everything; 1 if something is wrong.
pub async fn run(config: Result<Config, Problems>) -> Result<ExitCode, Failure> {
    let mut report = Report::default();
    match config {
        Ok(mut config) => {
            config.log.filter = "error".to_owned();
            config.log.format = LogFormat::Pretty;
            telemetry::start(&config.log);
            report.good("Configuration", "every variable can be read");
            for name in Config::unknown_names() {
                report.bad(
                    "Configuration",
                    &format!("{name} is set, but there is no such variable"),
                    "look for a typing error",
                );
            }
            look(&config, &mut report).await;
        }
        Err(problems) => {
            report.bad("Configuration", &problems.to_string(), "correct these first; the rest was not looked at");
        }
    }
    Ok(report.end())
}

async fn look(config: &Config, report: &mut Report) {
    data_dir::look(config, report);
    site::look(config, report);
    let database = database::look(config, report).await;
    if let Some(database) = &database {
        if let Some(vault) = secrets::look(config, &database.pool, report).await {
            sources::look(config, &database.pool, vault, report).await;
        }
    } else {
        report.unseen("Secrets and sources", "the database could not be looked at");
    }
    mail::look(config, report).await;
    public_url::look(config, report).await;
    if let Some(database) = database {
        database.close().await;
    }
}
