//! `make bench`: Linewatch measured from outside, by its public surface; and what decides, alone; beside what was promised.

mod ceiling;
pub mod chaos;
mod linewatch;
mod load;
mod postgres;
mod process;
mod receiver;
mod report;
mod sections;
mod seed;
mod small;
mod stats;
mod webhook;
mod wire;
mod world;

use clap::{Parser, ValueEnum as _};
use linewatch::Programs;
use report::Report;
use sections::Section;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use world::World;

/// Why something could not be measured, in a sentence.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The most time that all of it may take.
const LIMIT: Duration = Duration::from_secs(45 * 60);
/// The most time of the small form; it takes less than a minute.
const SMALL_LIMIT: Duration = Duration::from_secs(150);

/// Measures Linewatch, and says whether it keeps what was promised.
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
pub struct Bench {
    /// What to measure; everything unless said
    #[arg(value_enum)]
    sections: Vec<Section>,
    /// Ratios alone, less than a minute; fails when one is far off. For CI, and fit for a debug build
    #[arg(long, conflicts_with = "sections")]
    small: bool,
    /// Everything once, short and over few rows, to see that it works: its figures mean nothing and are not written
    #[arg(long)]
    smoke: bool,
    /// Cargo's target directory: the programs, the site and what is written lie there
    #[arg(long, env = "CARGO_TARGET_DIR", default_value = "target")]
    target: PathBuf,
    /// Which of its builds is measured
    #[arg(long, default_value = "release")]
    build: String,
    /// Where Playwright is
    #[arg(long, default_value = "end2end")]
    end2end: PathBuf,
    /// Be the door without database that the door is measured against
    #[arg(long, hide = true)]
    ceiling: Option<SocketAddr>,
}

impl Bench {
    /// Measures; false, if something could not be measured or, in the small form, is far off. A budget that is missed is told
    /// and is no failure: it is a promise, not a test.
    ///
    /// # Errors
    /// When nothing can be measured: a program is not built, or the database does not start.
    pub async fn run(self) -> Result<bool, Failure> {
        if let Some(address) = self.ceiling {
            return ceiling::run(address).await.map(|()| true);
        }
        let target = self.target.canonicalize().map_err(|error| format!("{}: {error}", self.target.display()))?;
        let programs = Programs {
            linewatch: target.join(&self.build).join("linewatch"),
            demo: target.join("debug/linewatch"),
            site: target.join("site"),
        };
        if !programs.linewatch.is_file() {
            return Err(format!("{} is not built", programs.linewatch.display()).into());
        }
        let end2end = self.end2end.canonicalize().unwrap_or(self.end2end.clone());
        let world = World::new(programs, end2end, target.join("bench/tools"), self.smoke).await?;
        let well = tokio::select! {
            well = self.measure(&world, &target) => well,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        };
        world.postgres.stop().await?;
        well
    }

    async fn measure(&self, world: &World, target: &std::path::Path) -> Result<bool, Failure> {
        if self.small {
            return small(world).await;
        }
        let all = if self.sections.is_empty() { Section::value_variants() } else { &self.sections };
        let (mut report, mut well, whole) = (Report::new(), true, Instant::now());
        for section in all {
            let (name, began) = (section.to_possible_value(), Instant::now());
            let name = name.as_ref().map_or("", |name| name.get_name()).to_owned();
            println!("\n▶ {name}");
            report.owner = section.owner();
            if let Err(error) = section.run(world, &mut report, LIMIT.saturating_sub(whole.elapsed())).await {
                well = false;
                println!("✗ {name} could not be measured: {error}");
            }
            world.postgres.clear().await?;
            println!("  {:.0} s", began.elapsed().as_secs_f64());
        }
        if all.len() > 1 {
            report.print();
        }
        if self.smoke {
            println!("A smoke run: these figures mean nothing, and nothing was written.");
        } else {
            report.write(&target.join("bench"))?;
        }
        Ok(well)
    }
}

async fn small(world: &World) -> Result<bool, Failure> {
    let mut report = Report::new();
    let measured = tokio::time::timeout(SMALL_LIMIT, small::run(world, &mut report)).await;
    measured.unwrap_or_else(|_| Err(format!("not done after {} s", SMALL_LIMIT.as_secs()).into()))?;
    Ok(report.rows.iter().all(|row| row.pass))
}
