//! Bytes over the wire, as a browser that takes brotli gets them.

use super::kb;
use crate::Failure;
use crate::linewatch::Linewatch;
use crate::report::{Report, Row, shown};
use crate::seed;
use crate::stats::Spread;
use crate::wire::{Answer, Wire};
use crate::world::World;
use http::header;
use std::collections::BTreeSet;

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    println!(
        "  how: bodies of answers as they came, asked for with Accept-Encoding: br; page 1 of Connections signed in, 1,000 rows in \
         the database, 50 shown; the first load: whatever script, wasm, style and font a page names, the heaviest page"
    );
    let linewatch = world.serve("pages").await?;
    seed::sources(&linewatch).await?;
    seed::connections(&mut world.postgres.connect("pages").await?, 0, 1_000).await?;
    let page = page_one(&linewatch).await?;
    report.add(vec![Row::at_most("connections_page_kb", "kB", Spread::of([page]), 25.0)]);
    let mut wire = linewatch.browser().await?;
    let (mut heaviest, mut wasm) = (0.0_f64, 0.0_f64);
    for screen in screens(&linewatch).await? {
        let load = first_load(&mut wire, &screen).await?;
        let all: f64 = load.iter().map(|(_, kb)| kb).sum();
        let said: Vec<_> = load.iter().map(|(file, kb)| format!("{} {}", shown(*kb), ending(file))).collect();
        println!("    {screen}: {} kB ({})", shown(all), said.join(", "));
        heaviest = heaviest.max(all);
        wasm = wasm.max(load.iter().filter(|(file, _)| ending(file) == "wasm").map(|(_, kb)| kb).sum());
    }
    if wasm == 0.0 {
        return Err("no page names any wasm: is the site built?".into());
    }
    report.add(vec![
        Row::at_most("first_load_kb", "kB", Spread::of([heaviest]), 330.0),
        Row::at_most("first_load_wasm_kb", "kB", Spread::of([wasm]), 250.0),
    ]);
    linewatch.stop().await
}

/// Page 1 of Connections in thousands of bytes, compressed, without what it names.
pub async fn page_one(linewatch: &Linewatch) -> Result<f64, Failure> {
    let mut wire = linewatch.browser().await?.with(header::ACCEPT_ENCODING, "br");
    Ok(kb(brotli(wire.get("/connections").await?, "/connections")?.body.len()))
}

/// The screens that there are, and one connection's.
pub async fn screens(linewatch: &Linewatch) -> Result<Vec<String>, Failure> {
    let first = linewatch.api().await?.get("/api/v1/connections?limit=1").await?.json()?;
    let id = first["items"][0]["id"].as_str().ok_or("there is no connection")?;
    let mut screens: Vec<_> = ["/", "/connections", "/settings"].map(str::to_owned).to_vec();
    screens.insert(2, format!("/connections/{id}"));
    // screens of the finished product, as soon as they are there
    let mut wire = linewatch.browser().await?;
    for later in ["/issues", "/webhooks", "/alerts", "/system"] {
        if wire.ask(http::Method::GET, later, None).await?.status == http::StatusCode::OK {
            screens.push(later.to_owned());
        }
    }
    Ok(screens)
}

/// Every file that a page, and its style, names: with its size in thousands of bytes.
async fn first_load(wire: &mut Wire, screen: &str) -> Result<Vec<(String, f64)>, Failure> {
    wire.headers.remove(header::ACCEPT_ENCODING);
    let mut files = named(&String::from_utf8_lossy(&wire.get(screen).await?.body));
    for style in files.iter().filter(|file| ending(file) == "css").cloned().collect::<Vec<_>>() {
        files.extend(named(&String::from_utf8_lossy(&wire.get(&style).await?.body)));
    }
    wire.headers.insert(header::ACCEPT_ENCODING, header::HeaderValue::from_static("br"));
    let mut load = Vec::new();
    for file in files {
        load.push((file.clone(), kb(brotli(wire.get(&file).await?, &file)?.body.len())));
    }
    Ok(load)
}

/// The addresses of scripts, wasm, styles and fonts within a text.
fn named(text: &str) -> BTreeSet<String> {
    let places = text.split(['"', '\'', '(', ')', ' ', '<', '>']);
    places.filter(|place| is_file(place)).map(|place| place.trim_start_matches("..").to_owned()).collect()
}

fn is_file(place: &str) -> bool {
    let ours = ["/pkg/", "/fonts/", "../fonts/"].iter().any(|begin| place.starts_with(begin));
    ours && matches!(ending(place), "js" | "wasm" | "css" | "woff2")
}

fn ending(file: &str) -> &str {
    file.rsplit('.').next().unwrap_or_default()
}

/// The answer, if it came compressed; fonts are so by themselves.
fn brotli(answer: Answer, what: &str) -> Result<Answer, Failure> {
    let packed = answer.header(header::CONTENT_ENCODING) == "br" || what.ends_with(".woff2");
    if packed { Ok(answer) } else { Err(format!("{what} did not come compressed").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_loads_is_found_in_it() {
        let html = r#"<link rel="preload" href="/fonts/inter.woff2"><link rel="modulepreload" href="/pkg/linewatch.Ab_c.js">
            <script>import('/pkg/linewatch.Ab_c.js').then(m => m.default({module_or_path: "/pkg/linewatch.x.wasm"}))</script>
            <a href="/connections">no</a><img src="/favicon.svg"> @font-face{src:url(../fonts/inter.woff2)}"#;
        let found: Vec<_> = named(html).into_iter().collect();
        assert_eq!(found, ["/fonts/inter.woff2", "/pkg/linewatch.Ab_c.js", "/pkg/linewatch.x.wasm"]);
    }
}
