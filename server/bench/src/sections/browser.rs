//! What only a browser can measure: paint, interactive, blocking time, the last step of a change, Lighthouse.

use super::pages;
use crate::Failure;
use crate::linewatch::{EMAIL, Linewatch, PASSWORD};
use crate::process::tied;
use crate::report::{Report, Row};
use crate::seed;
use crate::stats::{Spread, percentile_ms};
use crate::webhook::SECRET;
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

const SCRIPT: &str = include_str!("../../browser.mjs");
/// The last line of versions for Node 20. Only ever fetched for this measurement, so it is in no package.json.
const LIGHTHOUSE: &str = "lighthouse@12.8.2";

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let linewatch = world.serve("browser").await?;
    seed::sources(&linewatch).await?;
    let mut db = world.postgres.connect("browser").await?;
    println!(
        "  how: Debian's Chromium, headless, no throttling, 1360 × 900, nothing cached, signed in, /connections; largest paint and \
         long tasks as the browser reports them; interactive: the page says “Live”, so wasm has taken over and changes arrive"
    );
    let mut before = 0;
    for (connections, name) in [(1_000, "1k"), (world.pick(100_000, 2_000), "100k")] {
        seed::connections(&mut db, before, connections).await?;
        world.postgres.checkpoint().await?;
        before = connections;
        report.add(paint(world, &linewatch, name).await?);
    }
    report.add(lighthouse(world, &linewatch).await?);
    report.add(live(world, &linewatch).await?);
    linewatch.stop().await
}

#[derive(Deserialize)]
struct Painted {
    paint: f64,
    alive: f64,
    blocking: f64,
}

async fn paint(world: &World, linewatch: &Linewatch, name: &str) -> Result<Vec<Row>, Failure> {
    let runs: Vec<Painted> =
        serde_json::from_value(ask(world, linewatch, "paint", json!({ "runs": world.pick(5, 1) })).await?)?;
    let of = |what: fn(&Painted) -> f64| Spread::of(runs.iter().map(what));
    Ok(vec![
        Row::at_most(format!("largest_paint_{name}_ms"), "ms", of(|run| run.paint), 500.0),
        Row::at_most(format!("interactive_{name}_ms"), "ms", of(|run| run.alive), 1_000.0),
        Row::at_most(format!("blocking_{name}_ms"), "ms", of(|run| run.blocking), 50.0),
    ])
}

async fn live(world: &World, linewatch: &Linewatch) -> Result<Vec<Row>, Failure> {
    let samples = world.pick(15, 5);
    println!(
        "  how: an open page of 50 rows, {samples} of them a run changed by a webhook each; from before it is sent until the row \
         in the document has changed; p99 is the worst of {samples}"
    );
    let asked = ask(world, linewatch, "live", json!({ "runs": world.runs(), "samples": samples })).await?;
    let runs: Vec<Vec<f64>> = serde_json::from_value(asked)?;
    let percentile = |share| {
        let times = |run: &Vec<f64>| run.iter().map(|ms| Duration::from_secs_f64(ms / 1e3)).collect::<Vec<_>>();
        Spread::of(runs.iter().map(|run| percentile_ms(&mut times(run), share)))
    };
    Ok(vec![
        Row::at_most("live_page_p50_ms", "ms", percentile(0.5), 60.0),
        Row::at_most("live_page_p99_ms", "ms", percentile(0.99), 250.0),
    ])
}

#[derive(Deserialize)]
struct Score {
    screen: String,
    form: String,
    performance: f64,
    accessibility: f64,
    practices: f64,
    short: Vec<String>,
}

async fn lighthouse(world: &World, linewatch: &Linewatch) -> Result<Vec<Row>, Failure> {
    if !has_lighthouse(&world.tools).await {
        println!("    {LIGHTHOUSE} could not be had from npm, so its rows are missing");
        return Ok(Vec::new());
    }
    println!(
        "  how: {LIGHTHOUSE}, desktop (support staff sit at one), each screen; the row is the worst screen's median; beside it, once \
         each, performance on the pretended slow phone that it assumes unless told"
    );
    let screens = pages::screens(linewatch).await?;
    let asked = ask(world, linewatch, "lighthouse", json!({ "runs": world.runs(), "screens": screens })).await?;
    let scores: Vec<Score> = serde_json::from_value(asked)?;
    let mut screens: BTreeMap<&str, Vec<&Score>> = BTreeMap::new();
    for score in scores.iter().filter(|score| score.form == "desktop") {
        screens.entry(&score.screen).or_default().push(score);
    }
    for (screen, runs) in &screens {
        let of = |what: fn(&Score) -> f64| Spread::of(runs.iter().map(|run| what(run))).value;
        let phone = scores
            .iter()
            .find(|score| score.form == "mobile" && score.screen == *screen)
            .map_or(0.0, |it| it.performance);
        let short = runs.first().map(|run| run.short.join(", ")).unwrap_or_default();
        println!(
            "    {screen}: {} / {} / {} · phone {phone} {short}",
            of(|run| run.performance),
            of(|run| run.accessibility),
            of(|run| run.practices)
        );
    }
    let worst = |what: fn(&Score) -> f64| {
        let medians = screens.values().map(|runs| Spread::of(runs.iter().map(|run| what(run))));
        medians.min_by(|one, other| one.value.total_cmp(&other.value)).unwrap_or(Spread::of([]))
    };
    Ok(vec![
        Row::at_least("lighthouse_performance", "points", worst(|run| run.performance), 98.0),
        Row::at_least("lighthouse_accessibility", "points", worst(|run| run.accessibility), 100.0),
        Row::at_least("lighthouse_best_practices", "points", worst(|run| run.practices), 100.0),
    ])
}

/// Fetches Lighthouse, unless it is there. It brings no browser.
async fn has_lighthouse(tools: &Path) -> bool {
    if tools.join("node_modules/lighthouse/package.json").is_file() {
        return true;
    }
    println!("    fetching {LIGHTHOUSE} from npm into {}", tools.display());
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--no-fund", "--no-audit", "--loglevel=error", "--prefix"])
        .arg(tools)
        .arg(LIGHTHOUSE);
    npm.env("PUPPETEER_SKIP_DOWNLOAD", "1").stdin(Stdio::null()).kill_on_drop(true);
    let fetched = tokio::time::timeout(Duration::from_secs(120), async {
        std::fs::create_dir_all(tools)?;
        npm.output().await
    });
    matches!(fetched.await, Ok(Ok(output)) if output.status.success())
}

/// Lets the script measure one thing.
async fn ask(world: &World, linewatch: &Linewatch, what: &str, more: Value) -> Result<Value, Failure> {
    let script = world.dir().join("browser.mjs");
    std::fs::write(&script, SCRIPT)?;
    let chromium = std::env::var("LINEWATCH_CHROMIUM").ok().filter(|it| !it.is_empty());
    let mut told = json!({
        "what": what, "url": format!("http://{}", linewatch.address), "email": EMAIL, "password": PASSWORD, "secret": SECRET,
        "end2end": world.end2end, "tools": world.tools, "chromium": chromium.unwrap_or("/usr/bin/chromium".to_owned()),
    });
    if let (Some(told), Some(more)) = (told.as_object_mut(), more.as_object()) {
        told.extend(more.clone());
    }
    let mut node = tied("node", "TERM", &[]);
    node.arg(&script).env("BENCH", told.to_string()).stdin(Stdio::null()).kill_on_drop(true);
    let output = node.output().await.map_err(|error| format!("node does not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("{what} in the browser: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(serde_json::from_str(said.lines().last().unwrap_or_default())?)
}
