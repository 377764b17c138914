//! Where a cluster lies, whose it is, and that it is ours alone while we use it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf, absolute};

use nix::unistd::{Gid, Uid, User};
use sha2::{Digest as _, Sha256};

use super::Settings;
use super::error::Error;
use super::process::wait_for_orphans;

/// Names the cluster's directory, where that is not the one it lies in.
const ELSEWHERE: &str = "elsewhere";

/// A cluster's directory, locked. The lock goes with this value.
pub(super) struct Place {
    home: PathBuf,
    near: PathBuf,
    /// Whom the server runs as, when it must not run as we do.
    pub(super) user: Option<User>,
    _lock: File,
}

impl Place {
    /// Finds the place for this data directory, makes it if need be, and locks it.
    pub(super) fn take(settings: &Settings) -> Result<Self, Error> {
        let data_dir = absolute(&settings.data_dir).map_err(Error::io("find the data directory"))?;
        make_dirs(&data_dir)?;
        let data_dir = data_dir.canonicalize().map_err(Error::io(format!("find {}", data_dir.display())))?;
        let near = data_dir.join("postgres");
        make_dir(&near, 0o711)?;
        let lock = lock(&near, &data_dir)?;

        let elsewhere = fs::read_to_string(near.join(ELSEWHERE)).ok().map(PathBuf::from);
        let home = elsewhere.clone().unwrap_or_else(|| near.clone());
        let user = whom_to_become(&home.join("data"))?;
        let reachable = user.as_ref().is_none_or(|user| can_reach(user, &home));
        let place = Self { home, near, user, _lock: lock };
        match (reachable, &place.user) {
            (false, Some(user)) if elsewhere.is_some() || place.data().exists() => {
                Err(Error::Unreachable { dir: place.home, user: user.name.clone() })
            }
            (false, _) => place.move_to(&settings.fallback, &data_dir),
            (true, _) => {
                make_dir(&place.home, 0o711)?;
                Ok(place)
            }
        }
    }

    /// Nothing is here yet and the server's user could not come here: goes elsewhere, and notes that for the next time.
    fn move_to(mut self, fallback: &Path, data_dir: &Path) -> Result<Self, Error> {
        let hash = hex::encode(&Sha256::digest(data_dir.as_os_str().as_encoded_bytes())[..8]);
        let far = fallback.join(&hash);
        make_dirs(fallback)?;
        if far.exists() {
            // The data directory was erased, and is new again. What it had here is not ours to throw away, nor to take up.
            let aside = (1..).map(|n| fallback.join(format!("{hash}.old-{n}"))).find(|aside| !aside.exists());
            let aside = aside.unwrap_or_else(|| fallback.join(format!("{hash}.old")));
            fs::rename(&far, &aside).map_err(Error::io(format!("move {} aside", far.display())))?;
            tracing::warn!(data_dir = %data_dir.display(), kept = %aside.display(), "this data directory is new; a database of an earlier one was kept");
        }
        make_dir(&far, 0o711)?;
        if let Some(user) = self.user.as_ref().filter(|user| !can_reach(user, &far)) {
            return Err(Error::Unreachable { dir: far, user: user.name.clone() });
        }
        write(&self.near.join(ELSEWHERE), far.as_os_str().as_encoded_bytes(), 0o600)?;
        self.home = far;
        Ok(self)
    }

    /// The cluster itself; there once it is complete.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// The cluster while it is being made.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.home.join("data.new")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.home.join("socket")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home.join("server.log")
    }

    /// Waits for what an earlier Linewatch may have left here when it was killed.
    pub(super) fn wait_for_orphans(&self) -> Result<(), Error> {
        wait_for_orphans(&self.unfinished())?;
        wait_for_orphans(&self.data())
    }

    /// The version that made the data, if there is any.
    pub(super) fn existing_major(&self) -> Result<Option<u32>, Error> {
        let file = self.data().join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(version) => Ok(version.trim().parse().ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(format!("read {}", file.display()))(error)),
        }
    }

    /// A small thing that was kept with [`Place::keep`].
    pub(super) fn kept(&self, name: &str) -> Result<Option<String>, Error> {
        let file = self.home.join(name);
        match fs::read_to_string(&file) {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(format!("read {}", file.display()))(error)),
        }
    }

    /// Keeps a small thing, for our eyes only.
    pub(super) fn keep(&self, name: &str, text: &str) -> Result<(), Error> {
        write(&self.home.join(name), format!("{text}\n").as_bytes(), 0o600)
    }

    /// Writes a file that the server has to read.
    pub(super) fn publish(&self, name: &str, text: &str) -> Result<PathBuf, Error> {
        let file = self.home.join(name);
        write(&file, text.as_bytes(), 0o644)?;
        Ok(file)
    }

    /// An empty directory that belongs to the server's user.
    pub(super) fn make_empty_for_server(&self, dir: &Path) -> Result<(), Error> {
        remove_dir(dir)?;
        make_dir(dir, 0o700)?;
        let (uid, gid) = match &self.user {
            Some(user) => (user.uid, user.gid),
            None => (Uid::effective(), Gid::effective()),
        };
        std::os::unix::fs::chown(dir, Some(uid.as_raw()), Some(gid.as_raw()))
            .map_err(Error::io(format!("give {} to the server's user", dir.display())))
    }

    /// Makes what was done so far in this directory outlast a power cut.
    pub(super) fn sync(&self) -> Result<(), Error> {
        let synced = File::open(&self.home).and_then(|dir| dir.sync_all());
        synced.map_err(Error::io(format!("write {} to disk", self.home.display())))
    }

    /// Removes everything but the lock.
    pub(super) fn erase(self) -> Result<(), Error> {
        for dir in [self.data(), self.unfinished(), self.socket()] {
            remove_dir(&dir)?;
        }
        for file in ["password", "port", "server.log", "server.log.1", "postgresql.conf", "pg_hba.conf"] {
            remove_file(&self.home.join(file))?;
        }
        if self.home != self.near {
            remove_dir(&self.home)?;
            remove_file(&self.near.join(ELSEWHERE))?;
        }
        Ok(())
    }
}

/// Ourselves (`None`), unless we are root: then the owner of existing data, else `postgres`, else `nobody`.
fn whom_to_become(data: &Path) -> Result<Option<User>, Error> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let found = match fs::metadata(data) {
        Ok(metadata) => User::from_uid(Uid::from_raw(metadata.uid())),
        Err(_) => User::from_name("postgres").and_then(|user| match user {
            Some(user) => Ok(Some(user)),
            None => User::from_name("nobody"),
        }),
    };
    let found = found.map_err(|errno| Error::io("look up the server's user")(errno.into()))?;
    match found {
        Some(user) if !user.uid.is_root() => Ok(Some(user)),
        Some(_) => Err(Error::NoUser { wanted: format!("{} belongs to root", data.display()) }),
        None if data.exists() => Err(Error::NoUser { wanted: format!("the owner of {} has no name", data.display()) }),
        None => Err(Error::NoUser { wanted: "there is neither a user `postgres` nor `nobody`".into() }),
    }
}

/// Whether this user may pass through every directory on the way to `dir`, and through `dir` itself if it exists.
fn can_reach(user: &User, dir: &Path) -> bool {
    dir.ancestors().all(|dir| match fs::metadata(dir) {
        Ok(metadata) if metadata.uid() == user.uid.as_raw() => metadata.mode() & 0o100 != 0,
        Ok(metadata) if metadata.gid() == user.gid.as_raw() => metadata.mode() & 0o010 != 0,
        Ok(metadata) => metadata.mode() & 0o001 != 0,
        Err(error) => error.kind() == ErrorKind::NotFound,
    })
}

/// Opens or makes a file for our eyes only.
pub(super) fn open_to_append(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    give_to_owner(&file, path)?;
    Ok(file)
}

/// Started once as root in a user's own directory, we must leave nothing there that locks the user out.
fn give_to_owner(file: &File, path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(dir) if Uid::effective().is_root() => {
            let owner = fs::metadata(dir)?;
            std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()))
        }
        _ => Ok(()),
    }
}

fn lock(near: &Path, data_dir: &Path) -> Result<File, Error> {
    let path = near.join("lock");
    let doing = || format!("open {}", path.display());
    let file = open_to_append(&path).map_err(Error::io(doing()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { dir: data_dir.into() }),
        Err(TryLockError::Error(error)) => Err(Error::io(format!("lock {}", path.display()))(error)),
    }
}

/// A directory through which others may pass, and the ones above it.
fn make_dirs(dir: &Path) -> Result<(), Error> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(Error::io(format!("make the directory {}", parent.display())))?;
    }
    make_dir(dir, 0o711)
}

/// An existing directory is left as it is; a new one gets this very mode, whatever the umask.
fn make_dir(dir: &Path, mode: u32) -> Result<(), Error> {
    let made = DirBuilder::new().mode(0o700).create(dir).and_then(|()| {
        let opened = File::open(dir)?;
        give_to_owner(&opened, dir)?;
        opened.set_permissions(Permissions::from_mode(mode))
    });
    match made {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        made => made.map_err(Error::io(format!("make the directory {}", dir.display()))),
    }
}

fn remove_dir(dir: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Error::io(format!("remove {}", dir.display()))),
    }
}

fn remove_file(file: &Path) -> Result<(), Error> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Error::io(format!("remove {}", file.display()))),
    }
}

/// Whole or not at all, with this very mode, and never for a moment readable by more people than meant.
fn write(file: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let new = file.with_extension("new");
    remove_file(&new)?;
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).and_then(|mut opened| {
        opened.write_all(bytes)?;
        give_to_owner(&opened, &new)?;
        opened.set_permissions(Permissions::from_mode(mode))?;
        opened.sync_all()?;
        fs::rename(&new, file)
    });
    written.map_err(Error::io(format!("write {}", file.display())))
}
