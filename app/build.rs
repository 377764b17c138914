//! A number for the shape of what crosses between browser and server: for all the source that says it. Both sides are built from
//! the same source, or they refuse each other.

use std::{
    collections::BTreeSet,
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let mut files = BTreeSet::new();
    for place in ["model/src", "src/calls", "src/asking.rs", "src/asking"] {
        println!("cargo::rerun-if-changed={place}");
        collect(Path::new(place), &mut files)?;
    }
    // The very hasher is of no importance, but that its keys are fixed.
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("shape.rs"), format!("{}_u64", hasher.finish()))
}

fn collect(place: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    if place.is_dir() {
        for entry in fs::read_dir(place)? {
            collect(&entry?.path(), files)?;
        }
    } else if place.is_file() {
        files.insert(place.to_owned());
    }
    Ok(())
}
