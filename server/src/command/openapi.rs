//! `linewatch openapi`

use crate::wiring::Failure;
use std::io::Write as _;
use std::process::ExitCode;

/// Prints the OpenAPI document.
pub fn run() -> Result<ExitCode, Failure> {
    std::io::stdout().write_all(crate::api::openapi::text().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
