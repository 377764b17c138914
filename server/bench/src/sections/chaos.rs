//! Nothing is lost: see [`crate::chaos`].

use crate::Failure;
use crate::chaos::{self, Plan};
use crate::report::{Report, Row};
use crate::stats::Spread;
use crate::world::World;

/// Runs it once: what must be zero, must be it every time.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let plan = world.pick(Plan::large(), Plan::small());
    println!(
        "  how: {} webhooks to two processes over one Postgres, sent until they are answered, and forwarded to 14 applications, of \
         which most misbehave; each process killed and Postgres crashed and restarted meanwhile; then the applications are mended, \
         what failed is retried, and everything is counted",
        plan.events
    );
    let found = chaos::run(&world.programs.linewatch, &world.programs.site, plan).await?;
    for finding in &found {
        finding.such_as.iter().for_each(|one| println!("    {}: {one}", finding.name));
    }
    #[expect(clippy::cast_precision_loss, reason = "counts that should be zero")]
    let row = |one: &chaos::Finding| Row::at_most(one.name, "rows", Spread::of([one.found as f64]), 0.0);
    report.add(found.iter().map(row).collect());
    Ok(())
}
