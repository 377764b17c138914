//! What a person does once the applications are well again: retries one to see, then all.

use super::app::App;
use super::ledger::{self, Waiting};
use crate::Failure;
use crate::linewatch::Linewatch;
use crate::wire::Wire;
use http::{Method, StatusCode};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(300);

/// Waits until every event was processed at least once and all that goes to applications that are well is done. Does what a
/// person would for it; gives up after a while, and leaves it to the ledger to tell what is missing.
pub async fn until_done(
    doors: &[Linewatch; 2],
    db: &mut PgConnection,
    apps: &[App],
    patience: Duration,
) -> Result<(), Failure> {
    let well: Vec<String> = apps.iter().filter(|app| app.ends_well()).map(|app| app.endpoint().to_owned()).collect();
    let (began, mut retries) = (Instant::now(), HashMap::<String, String>::new());
    while began.elapsed() < patience {
        let waiting = ledger::waiting(db, &well).await?;
        if waiting.is_empty() && ledger::unprocessed(db).await? == 0 {
            return Ok(());
        }
        for (n, at) in waiting.iter().enumerate() {
            // either process answers for both
            let mut api = doors[n % 2].api().await?;
            if at.later > 0 {
                retry(&mut api, at, &mut retries).await?;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

async fn retry(api: &mut Wire, at: &Waiting, retries: &mut HashMap<String, String>) -> Result<(), Failure> {
    if at.open {
        let path = format!("/api/v1/deliveries/{}/retry", at.one);
        let answer = api.ask(Method::POST, &path, None).await?;
        // it may be on its way by now
        return if answer.status == StatusCode::CONFLICT || answer.status.is_success() {
            Ok(())
        } else {
            Err(format!("{path} answered {}", answer.status).into())
        };
    }
    if let Some(id) = retries.get(&at.endpoint) {
        let before = api.get(&format!("/api/v1/retries/{id}")).await?.json()?;
        if before["state"] != "done" {
            return Ok(());
        }
    }
    let wish = json!({ "filter": { "kind": ["delivery"], "endpoint": at.endpoint }, "rate": 10_000 });
    let begun = api.send(Method::POST, "/api/v1/retries", &wish).await?;
    let id = begun["id"].as_str().ok_or_else(|| format!("a retry without id: {begun}"))?;
    retries.insert(at.endpoint.clone(), id.to_owned());
    Ok(())
}
