//! What can go wrong, each with what to do about it.

use std::io;
use std::path::PathBuf;

use super::binaries::SUPPORTED;

/// Why there is no embedded Postgres. Every message is a sentence that says what to do next.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Error {
    #[error(
        "PostgreSQL {}–{} is not installed (looked in {looked}). Install it (Debian, Ubuntu: `apt-get install postgresql`), \
         name the directory of its programs in LINEWATCH_POSTGRES_BIN, or set DATABASE_URL to use a server that runs already.",
        SUPPORTED.start(),
        SUPPORTED.end()
    )]
    NotFound { looked: String },

    #[error(
        "LINEWATCH_POSTGRES_BIN is {}, where there is no `postgres` with its `initdb` of version {}–{}. \
         Correct it, or unset it to use the best that is found.",
        dir.display(),
        SUPPORTED.start(),
        SUPPORTED.end()
    )]
    WrongBin { dir: PathBuf },

    #[error(
        "The data in {} was made by PostgreSQL {found}, which is not installed (there is {installed}). Install PostgreSQL {found}, \
         name the directory of its programs in LINEWATCH_POSTGRES_BIN, or choose another LINEWATCH_DATA_DIR.",
        data_dir.display()
    )]
    WrongMajor { data_dir: PathBuf, found: u32, installed: String },

    #[error(
        "{} is in use by another Linewatch. To share one Postgres, set DATABASE_URL for all of them; \
         to run two apart, give this one a LINEWATCH_DATA_DIR of its own.",
        dir.display()
    )]
    InUse { dir: PathBuf },

    #[error(
        "Postgres must not run as root, and {user} cannot reach {}. Let others pass through the directories above it \
         (`chmod o+x`), or choose another LINEWATCH_DATA_DIR.",
        dir.display()
    )]
    Unreachable { dir: PathBuf, user: String },

    #[error(
        "Postgres must not run as root, and {wanted}. Install PostgreSQL with its user, start Linewatch as another user, \
         or set DATABASE_URL."
    )]
    NoUser { wanted: String },

    #[error("{step} failed and said:\n{output}\nMend that, or set DATABASE_URL to use a server that runs already.")]
    Init { step: &'static str, output: String },

    #[error(
        "Postgres ended while it was starting. Its last words, from {}:\n{tail}\nMend that, or set DATABASE_URL to use \
         a server that runs already.",
        log.display()
    )]
    Ended { log: PathBuf, tail: String },

    #[error(
        "Postgres was not ready within {seconds} s. Its last words, from {}:\n{tail}\nIf it was recovering, start again: \
         it goes on where it was.",
        log.display()
    )]
    NotReady { seconds: u64, log: PathBuf, tail: String },

    #[error(
        "A Postgres from an earlier run still works on {} and does not end (process {pids}). Look what keeps it, end it \
         with `kill -QUIT`, and start again.",
        data_dir.display()
    )]
    Orphan { data_dir: PathBuf, pids: String },

    #[error("Postgres in {} did not stop, not even by force. Look at its processes with `ps`.", data_dir.display())]
    WontStop { data_dir: PathBuf },

    #[error("Three ports in a row were taken before Postgres could have them. Start again.")]
    NoPort,

    #[error("Could not {doing}: {cause}.")]
    Io { doing: String, cause: io::Error },

    #[error(
        "The thread that runs the embedded Postgres broke down; this is a bug in Linewatch. Its log has the place."
    )]
    Lost,
}

impl Error {
    /// For `map_err`: what we were about to do, in a few words.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |cause| Self::Io { doing, cause }
    }
}
