//! The small form, for CI: less than a minute, ratios within one run alone, and bounds so wide that only a gross regression misses
//! them. It says nothing about speed: an absolute time on somebody else's machine would.

use crate::Failure;
use crate::load;
use crate::report::{Report, Row, shown};
use crate::sections::door::{Ceiling, drain};
use crate::sections::pages::page_one;
use crate::sections::stored;
use crate::seed;
use crate::stats::{Spread, ms, percentile_ms};
use crate::wire::Wire;
use crate::world::World;
use std::time::Duration;

/// Measures the ratios.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    report.add(door(world).await?);
    report.add(stored(world).await?);
    report.add(lists(world).await?);
    Ok(())
}

async fn door(world: &World) -> Result<Vec<Row>, Failure> {
    println!(
        "▶ the door: 64 connections beside the same door without database, and beside one connection; then how long it processes"
    );
    let watched = world.watched("door", 300).await?;
    let ceiling = Ceiling::start(world).await?;
    let target = watched.target();
    let second = Duration::from_secs(1);
    let (mut share, mut together, mut behind) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..2 {
        let most = load::closed(&ceiling.target(&target), 64, second).await?.rate();
        let alone = load::closed(&target, 1, second).await?.rate();
        drain(world, "door").await?;
        let many = load::closed(&target, 64, second).await?;
        let drained = drain(world, "door").await?;
        println!(
            "    ceiling {}/s, 64 {}/s, 1 {}/s, processed {} ms later",
            shown(most),
            shown(many.rate()),
            shown(alone),
            shown(ms(drained))
        );
        share.push(many.rate() / most);
        together.push(many.rate() / alone);
        behind.push((many.took + drained).as_secs_f64() / many.took.as_secs_f64());
    }
    watched.linewatch.stop().await?;
    Ok(vec![
        Row::at_least("door_share", "share", Spread::of(share), 0.04),
        Row::at_least("door_64_over_1", "times", Spread::of(together), 2.5),
        Row::at_most("processed_over_sent", "times", Spread::of(behind), 4.0),
    ])
}

async fn stored(world: &World) -> Result<Vec<Row>, Failure> {
    println!("▶ the door: over 100,000 events and keys, beside one over empty tables");
    let linewatch = world.serve("stored").await?;
    seed::sources(&linewatch).await?;
    let mut db = world.postgres.connect("stored").await?;
    seed::connections(&mut db, 0, 1_000).await?;
    seed::events(&mut db, 100_000).await?;
    let share = stored::share(world, &linewatch, "stored", Duration::from_secs(1)).await?;
    linewatch.stop().await?;
    Ok(vec![Row::at_least("door_stored_100k_share", "share", share, 0.5)])
}

async fn lists(world: &World) -> Result<Vec<Row>, Failure> {
    println!("▶ the list: ten times as many rows, how much more time and how many more bytes");
    let linewatch = world.serve("lists").await?;
    seed::sources(&linewatch).await?;
    let mut db = world.postgres.connect("lists").await?;
    let mut api = linewatch.api().await?;
    let mut seen = Vec::new();
    for (from, to) in [(0, 600), (600, 6_000)] {
        seed::connections(&mut db, from, to).await?;
        let list = undisturbed(&mut api, "limit=50").await?;
        let filtered = undisturbed(&mut api, "limit=50&health=healthy&platform=sap").await?;
        let search = undisturbed(&mut api, "limit=50&q=pumps").await?;
        let page = page_one(&linewatch).await?;
        println!(
            "    {to} rows: list {} ms, filtered {} ms, search {} ms, page {} kB",
            shown(list),
            shown(filtered),
            shown(search),
            shown(page)
        );
        seen.push([list, filtered, search, page]);
    }
    linewatch.stop().await?;
    let [few, many] = seen.as_slice() else { return Err("two sizes were asked for".into()) };
    let names = [
        ("list_6000_over_600", 5.0),
        ("filtered_6000_over_600", 5.0),
        ("search_6000_over_600", 6.0),
        ("page_6000_over_600", 1.2),
    ];
    let ratios = names.into_iter().zip(few.iter().zip(many));
    Ok(ratios.map(|((name, most), (few, many))| Row::at_most(name, "times", Spread::of([many / few]), most)).collect())
}

/// The time of the fastest quarter: what else the machine does disturbs that least.
async fn undisturbed(api: &mut Wire, query: &str) -> Result<f64, Failure> {
    let mut times = Vec::new();
    for _ in 0..40 {
        times.push(api.get(&format!("/api/v1/connections?{query}")).await?.took);
    }
    Ok(percentile_ms(&mut times, 0.25))
}
