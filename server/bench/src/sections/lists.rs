//! Connections and search, over more and more rows.

use crate::Failure;
use crate::report::{Report, Row, shown};
use crate::seed;
use crate::stats::{Spread, percentile_ms};
use crate::wire::Wire;
use crate::world::World;
use sqlx::PgConnection;
use std::time::{Duration, Instant};

/// Questions of one shape in one run, at most.
const QUESTIONS: usize = 40;
/// And at least, however long they take.
const LEAST: usize = 10;
/// How long they may take together.
const WHILE: Duration = Duration::from_secs(2);

/// How many rows, how that is said, and what is promised: one filter at most, several, search.
struct Size {
    rows: u32,
    name: &'static str,
    list: f64,
    combined: Option<f64>,
    search: Option<f64>,
}

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let sizes = [
        Size { rows: world.pick(10_000, 1_000), name: "10k", list: 4.0, combined: None, search: None },
        Size { rows: world.pick(100_000, 2_000), name: "100k", list: 8.0, combined: None, search: Some(15.0) },
        Size { rows: world.pick(1_000_000, 3_000), name: "1m", list: 25.0, combined: Some(100.0), search: Some(60.0) },
    ];
    println!(
        "  how: GET /api/v1/connections, 50 rows, worst first, totals; one connection, one question after the other, from sending \
         to the last byte on loopback, so a little more than the server's own time; the row is the slowest shape's p95"
    );
    let linewatch = world.serve("lists").await?;
    seed::sources(&linewatch).await?;
    let mut db = world.postgres.connect("lists").await?;
    let mut before = 0;
    for size in sizes {
        let began = Instant::now();
        seed::connections(&mut db, before, size.rows).await?;
        world.postgres.checkpoint().await?;
        println!("    {} rows, made in {:.0} s", size.rows, began.elapsed().as_secs_f64());
        before = size.rows;
        let mut api = linewatch.api().await?;
        at(world, report, &mut api, &mut db, &size).await?;
    }
    linewatch.stop().await
}

async fn at(
    world: &World,
    report: &mut Report,
    api: &mut Wire,
    db: &mut PgConnection,
    size: &Size,
) -> Result<(), Failure> {
    let customer = "select id::text from customer order by id limit 1 offset 7";
    let customer: String = sqlx::query_scalar(customer).fetch_one(&mut *db).await?;
    let one = ["", "health=failing", "health=healthy", "platform=sap", "source=second", "tag=vip"].map(str::to_owned);
    let one = one.into_iter().chain([format!("customer={customer}")]).map(|query| vec![query]).collect();
    let several =
        ["platform=sap&health=healthy", "source=second&tag=vip&platform=sap", "tag=emea&health=failing&health=late"];
    let several = several.into_iter().map(|query| vec![query.to_owned()]).collect();
    let kinds = [
        ("connections_p95", one, Some(size.list)),
        ("connections_combined_p95", several, size.combined),
        ("search_p95", searches(db).await?, size.search),
    ];
    for (kind, shapes, budget) in kinds {
        let name = format!("{kind}_{}_ms", size.name);
        let times = slowest(world, api, &name, &shapes).await?;
        report.add(budget.map(|budget| Row::at_most(name, "ms", times, budget)).into_iter().collect());
    }
    Ok(())
}

/// Three ways to type a customer's name, forty names each: its first word, the four letters in the middle of that, both words.
async fn searches(db: &mut PgConnection) -> Result<Vec<Vec<String>>, Failure> {
    let names: Vec<String> =
        sqlx::query_scalar("select name from customer order by md5(id::text) limit 40").fetch_all(db).await?;
    let query = |text: &str| form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
    let word = |name: &str| name.split(' ').next().unwrap_or_default().to_owned();
    Ok(vec![
        names.iter().map(|name| query(&word(name))).collect(),
        names.iter().map(|name| query(&word(name).chars().skip(1).take(4).collect::<String>())).collect(),
        names.iter().map(|name| query(name)).collect(),
    ])
}

/// The p95 of the slowest of several shapes of question. Each shape is asked in turn, with other values each time.
async fn slowest(world: &World, api: &mut Wire, name: &str, shapes: &[Vec<String>]) -> Result<Spread, Failure> {
    let mut runs = Vec::new();
    let mut told = vec![Vec::new(); shapes.len()];
    for _ in 0..world.runs() {
        let mut slowest = 0.0_f64;
        for (shape, told) in shapes.iter().zip(&mut told) {
            let p95 = p95(api, shape).await?;
            told.push(p95);
            slowest = slowest.max(p95);
        }
        runs.push(slowest);
    }
    let said = shapes.iter().zip(told).map(|(shape, runs)| {
        let first = shape.first().filter(|query| !query.is_empty()).map_or("no filter", String::as_str);
        format!("{first:.45} {}", shown(Spread::of(runs).value))
    });
    println!("    {name}: {}", said.collect::<Vec<_>>().join(" · "));
    Ok(Spread::of(runs))
}

async fn p95(api: &mut Wire, shape: &[String]) -> Result<f64, Failure> {
    let (began, mut times) = (Instant::now(), Vec::new());
    for query in shape.iter().cycle().take(QUESTIONS + 2) {
        let answer = api.get(&format!("/api/v1/connections?{query}")).await?;
        if !answer.body.starts_with(b"{\"items\":[{") {
            return Err(format!("nothing was found with {query}").into());
        }
        times.push(answer.took);
        if times.len() >= LEAST + 2 && began.elapsed() > WHILE {
            break;
        }
    }
    // the first two make Postgres plan, and wake what sleeps
    Ok(percentile_ms(&mut times[2..], 0.95))
}
