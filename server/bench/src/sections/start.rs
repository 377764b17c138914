//! Start to ready, on a database that is there.

use crate::Failure;
use crate::report::{Report, Row};
use crate::seed;
use crate::stats::Spread;
use crate::world::World;

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let connections = world.pick(10_000, 1_000);
    println!(
        "  how: linewatch serve, {connections} connections in the database; from its start until /readyz says 200, asked every 5 ms"
    );
    let linewatch = world.serve("again").await?;
    seed::sources(&linewatch).await?;
    seed::connections(&mut world.postgres.connect("again").await?, 0, connections).await?;
    linewatch.stop().await?;
    let mut times = Vec::new();
    for _ in 0..world.pick(5, 2) {
        let linewatch = world.serve_again("again").await?;
        times.push(linewatch.ready_after.as_secs_f64());
        linewatch.stop().await?;
    }
    report.add(vec![Row::at_most("start_to_ready_s", "s", Spread::of(times), 1.0)]);
    Ok(())
}
