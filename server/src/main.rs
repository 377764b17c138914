//! `linewatch`: parse, run, and end with an honest exit code.

use clap::Parser as _;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let linewatch = server::command::Linewatch::parse();
    linewatch.run().await
}
