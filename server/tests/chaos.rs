//! Publish, then verify, while processes are killed, Postgres is restarted and applications misbehave: the small form of what
//! `make bench` does with 20,000 webhooks.

use bench::chaos::{self, Finding, Plan};
use std::path::{Path, PathBuf};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_breaks_nothing_is_lost_and_every_account_balances_to_the_row() {
    let site = std::env::var_os("LEPTOS_SITE_ROOT").map_or_else(|| "target/site".into(), PathBuf::from);
    let linewatch = Path::new(env!("CARGO_BIN_EXE_linewatch"));
    let all = chaos::run(linewatch, &site, Plan::small()).await.expect("it can be run");
    let wrong: Vec<&Finding> = all.iter().filter(|finding| finding.found > 0).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
