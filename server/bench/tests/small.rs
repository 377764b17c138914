//! The small form of the bench, as CI runs it: ratios taken in one run, and bounds so wide that only a gross regression misses
//! them. It measures the `linewatch` that was built beside the bench: `make server` builds it.

use std::path::Path;
use std::process::Command;

#[test]
fn no_ratio_is_far_off() {
    let bench = Path::new(env!("CARGO_BIN_EXE_bench"));
    let build = bench.parent().expect("it was built into a directory");
    let target = build.parent().expect("which lies in the target directory");
    let mut small = Command::new(bench);
    small.args(["--small", "--build"]).arg(build.file_name().expect("which has a name")).arg("--target").arg(target);
    let done = small.output().expect("it can be run");
    let (table, why) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{table}\n{why}");
}
