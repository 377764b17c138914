//! Finds PostgreSQL's programs: a directory with `postgres` and `initdb` of a version that we know.

use std::env;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::Error;

/// The major versions that our SQL is written for.
pub(super) const SUPPORTED: RangeInclusive<u32> = 15..=18;

/// One installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    pub(super) major: u32,
}

impl Binaries {
    /// The one the user named; else the one that made the existing data; else the newest.
    pub(super) fn find(named: Option<&Path>, existing: Option<u32>, data_dir: &Path) -> Result<Self, Error> {
        let (places, installed): (Vec<PathBuf>, Vec<Self>) = match named {
            Some(dir) => {
                let here = Self::look(dir).filter(|here| SUPPORTED.contains(&here.major));
                (vec![dir.into()], vec![here.ok_or_else(|| Error::WrongBin { dir: dir.into() })?])
            }
            None => {
                let places = places();
                let installed = places.iter().filter_map(|dir| Self::look(dir)).collect();
                (places, installed)
            }
        };
        if let Some(found) = choose(&installed, existing) {
            return Ok(found.clone());
        }
        let versions = installed.iter().map(|found| found.major.to_string()).collect::<Vec<_>>().join(", ");
        match existing {
            Some(found) if !installed.is_empty() => {
                Err(Error::WrongMajor { data_dir: data_dir.into(), found, installed: versions })
            }
            _ => {
                let places = places.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", ");
                Err(Error::NotFound { looked: format!("/usr/lib/postgresql/*/bin, {places}") })
            }
        }
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn look(dir: &Path) -> Option<Self> {
        let dir = dir.canonicalize().ok()?;
        let postgres = dir.join("postgres");
        if !postgres.is_file() || !dir.join("initdb").is_file() {
            return None;
        }
        let said = Command::new(postgres).arg("--version").output().ok()?;
        Some(Self { dir, major: major(&String::from_utf8_lossy(&said.stdout))? })
    }
}

/// Without data the newest that we know; with data its own version, of which the first found is as good as any.
fn choose(installed: &[Binaries], existing: Option<u32>) -> Option<&Binaries> {
    let known = installed.iter().filter(|found| SUPPORTED.contains(&found.major));
    match existing {
        Some(major) => known.into_iter().find(|found| found.major == major),
        // `rev`: of several of one version the first found wins.
        None => known.rev().max_by_key(|found| found.major),
    }
}

/// Debian's and Red Hat's directories, then `PATH`.
fn places() -> Vec<PathBuf> {
    let debian = entries("/usr/lib/postgresql").map(|version| version.join("bin"));
    let red_hat =
        entries("/usr").filter(|dir| dir.to_string_lossy().starts_with("/usr/pgsql-")).map(|dir| dir.join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    debian.chain(red_hat).chain(env::split_paths(&path).filter(|dir| dir.is_absolute())).collect()
}

fn entries(dir: &str) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15; so is `postgres (PostgreSQL) 15beta2`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(majors: &[u32]) -> Vec<Binaries> {
        majors.iter().map(|&major| Binaries { dir: format!("/{major}").into(), major }).collect()
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta2\n"), Some(18));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn the_newest_known_wins_and_data_keeps_its_own() {
        let all = installed(&[14, 15, 17, 19]);
        assert_eq!(choose(&all, None).map(|found| found.major), Some(17));
        assert_eq!(choose(&all, Some(15)).map(|found| found.major), Some(15));
        assert_eq!(choose(&all, Some(16)), None);
        assert_eq!(choose(&all, Some(14)), None, "older than we know");
        assert_eq!(choose(&installed(&[14, 19]), None), None);
    }
}
