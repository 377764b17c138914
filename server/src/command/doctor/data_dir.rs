//! The data directory: ours to write, and its secrets nobody else's to read.

use super::Report;
use crate::config::Config;
use std::os::unix::fs::PermissionsExt as _;

const WHAT: &str = "Data directory";

pub fn look(config: &Config, report: &mut Report) {
    let dir = &config.data_dir;
    let shown = dir.display();
    if !dir.exists() {
        return report.good(WHAT, &format!("{shown} is not there yet; the first start makes it"));
    }
    if let Err(error) = tempfile_in(dir) {
        let mend = format!("give {shown} to the user that runs Linewatch, or choose another LINEWATCH_DATA_DIR");
        return report.bad(WHAT, &format!("{shown} cannot be written: {error}"), &mend);
    }
    let mut open = Vec::new();
    for name in ["master-key", "admin-password", "api-token"] {
        let path = dir.join(name);
        let mode = std::fs::metadata(&path).map(|it| it.permissions().mode() & 0o777);
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            open.push(path.display().to_string());
        }
    }
    if open.is_empty() {
        report.good(WHAT, &format!("{shown} can be written, and its secrets are nobody else's to read"));
    } else {
        report.bad(WHAT, &format!("others may read {}", open.join(", ")), &format!("chmod 600 {}", open.join(" ")));
    }
}

fn tempfile_in(dir: &std::path::Path) -> std::io::Result<()> {
    let path = dir.join(format!(".doctor-{}", std::process::id()));
    std::fs::write(&path, "")?;
    std::fs::remove_file(path)
}
