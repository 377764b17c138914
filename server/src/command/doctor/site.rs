//! The browser's files.

use super::Report;
use crate::config::Config;
use crate::site::{Files, options};

pub fn look(config: &Config, report: &mut Report) {
    let options = options(config.http.site_root.as_deref());
    let files = Files::at(&options);
    let root = files.root().display();
    let mend = "build it with “cargo leptos build --release --precompress”, or set LEPTOS_SITE_ROOT to where it is";
    if !files.are_there() {
        report.bad("Site", &format!("there are no files for browsers in {root}"), mend);
    } else if !options.hash_files {
        report.bad("Site", "hash.txt is not beside the program, so pages ask for files by the wrong names", mend);
    } else {
        report.good("Site", &format!("the files for browsers are in {root}"));
    }
}
