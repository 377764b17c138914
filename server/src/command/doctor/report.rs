//! What was found, line by line.

use std::io::Write as _;
use std::process::ExitCode;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    bad: usize,
}

impl Report {
    /// This is as it should be.
    pub fn good(&mut self, what: &str, how: &str) {
        line(&format!("✓ {what}: {how}"));
    }

    /// This is not, and this is how to mend it.
    pub fn bad(&mut self, what: &str, why: &str, mend: &str) {
        self.bad += 1;
        line(&format!("✗ {what}: {}", why.replace('\n', "\n    ")));
        line(&format!("    → {mend}"));
    }

    /// This could not be looked at.
    pub fn unseen(&mut self, what: &str, why: &str) {
        line(&format!("– {what}: not looked at; {why}"));
    }

    /// Takes an answer apart: what it says if it is one, and what to do if it is an error.
    pub fn take<T, E: std::fmt::Display>(&mut self, what: &str, answer: Result<T, E>, mend: &str) -> Option<T> {
        answer.map_err(|error| self.bad(what, &error.to_string(), mend)).ok()
    }

    /// The last line, and the exit code.
    pub fn end(self) -> ExitCode {
        match self.bad {
            0 => line("\nNothing is wrong."),
            1 => line("\nOne thing is wrong."),
            n => line(&format!("\n{n} things are wrong.")),
        }
        if self.bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Standard output may be closed, as by `head`; then there is nobody to tell.
fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
