//! What can be measured, each alone or one after the other. Every section says how it measures.

pub mod alerts;
pub mod browser;
pub mod chaos;
pub mod demo;
pub mod door;
mod failed;
pub mod health;
pub mod lists;
pub mod live;
pub mod pages;
pub mod poll;
mod pure;
pub mod start;
pub mod stored;
pub mod webhooks;

use crate::Failure;
use crate::report::Report;
use crate::world::World;
use clap::ValueEnum;
use std::pin::pin;
use std::time::Duration;

/// A section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Section {
    /// The webhook door: its share of the ceiling, its times, processing, memory under load
    Door,
    /// From a webhook to the change in an open page
    Live,
    /// Connections and search, over many rows
    Lists,
    /// Bytes over the wire
    Pages,
    /// Paint, interactive, blocking time, Lighthouse
    Browser,
    /// A round of polling over 10,000 connections, and memory when idle
    Poll,
    /// Start to ready
    Start,
    /// `linewatch demo`, again
    Demo,
    /// Outages and availability
    Health,
    /// Deliveries, retries of many, the failed list, the door over what is stored, retention
    Webhooks,
    /// Nothing is lost while processes are killed, receivers misbehave and Postgres is restarted
    Chaos,
    /// From a webhook to Slack, a storm, previews of rules
    Alerts,
}

impl Section {
    /// The most time it may take, on a machine that has something else to do as well.
    fn limit(self) -> Duration {
        let minutes = match self {
            Self::Lists => 9,
            Self::Browser => 7,
            Self::Door | Self::Alerts => 5,
            Self::Webhooks => 19,
            Self::Chaos => 8,
            Self::Live | Self::Poll | Self::Health => 4,
            Self::Demo => 3,
            Self::Pages | Self::Start => 1,
        };
        Duration::from_secs(minutes * 60)
    }

    /// Whose promise it measures: the name of the file that it is written to.
    pub fn owner(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Webhooks | Self::Chaos => "webhooks",
            Self::Alerts => "alerts",
            _ => "main-job",
        }
    }

    /// Measures it, and reports each figure as soon as it has it: those stay, whatever comes after.
    pub async fn run(self, world: &World, report: &mut Report, left: Duration) -> Result<(), Failure> {
        let measured = async {
            match self {
                Self::Door => door::run(world, report).await,
                Self::Live => live::run(world, report).await,
                Self::Lists => lists::run(world, report).await,
                Self::Pages => pages::run(world, report).await,
                Self::Browser => browser::run(world, report).await,
                Self::Poll => poll::run(world, report).await,
                Self::Start => start::run(world, report).await,
                Self::Demo => demo::run(world, report).await,
                Self::Health => health::run(world, report).await,
                Self::Webhooks => webhooks::run(world, report).await,
                Self::Chaos => chaos::run(world, report).await,
                Self::Alerts => alerts::run(world, report).await,
            }
        };
        let limit = self.limit().min(left);
        tokio::time::timeout(limit, measured)
            .await
            .unwrap_or_else(|_| Err(format!("not done after {} s", limit.as_secs()).into()))
    }
}

/// Does something, and looks at something else every so often meanwhile.
pub async fn watching<T, S>(
    doing: impl Future<Output = Result<T, Failure>>,
    every: Duration,
    mut look: impl AsyncFnMut() -> Result<S, Failure>,
) -> Result<(T, Vec<S>), Failure> {
    let (mut doing, mut tick, mut seen) = (pin!(doing), tokio::time::interval(every), Vec::new());
    loop {
        tokio::select! {
            done = &mut doing => return Ok((done?, seen)),
            _ = tick.tick() => seen.push(look().await?),
        }
    }
}

/// Bytes in millions.
#[expect(clippy::cast_precision_loss, reason = "some hundred millions")]
pub fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Bytes in thousands.
#[expect(clippy::cast_precision_loss, reason = "some millions")]
pub fn kb(bytes: usize) -> f64 {
    bytes as f64 / 1e3
}
