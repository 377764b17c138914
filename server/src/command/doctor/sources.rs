//! Each source's credentials, tried out.

use super::Report;
use crate::config::Config;
use engine::clock::SystemClock;
use engine::http::Outbound;
use engine::poll::Upstreams;
use engine::store;
use engine::vault::{SecretKind, Vault};
use model::Source;
use sqlx::PgPool;
use std::sync::Arc;

pub async fn look(config: &Config, pool: &PgPool, vault: Vault, report: &mut Report) {
    let sources = async { store::source::list(&mut *pool.acquire().await?, None, "").await };
    let Some(sources) = report.take("Sources", sources.await, "see what is said of the database") else { return };
    if sources.is_empty() {
        return report.unseen("Sources", "there are none yet; add one under Settings");
    }
    let outbound = Outbound::new(config.outbound.allow.clone());
    let upstreams = Upstreams::new(pool.clone(), Arc::new(SystemClock), vault.clone(), outbound);
    for source in sources {
        let what = format!("Source “{}”", source.name);
        if !source.enabled {
            report.unseen(&what, "it is switched off");
        } else {
            try_out(&upstreams, &source, &what, report).await;
        }
        if source.enabled && has_no_webhook_secret(pool, &vault, &source).await {
            let mend = "add the secret that Makini shows beside the webhook's address, under Settings";
            report.bad(&what, "it has no webhook secret, so every webhook is refused", mend);
        }
    }
}

async fn try_out(upstreams: &Upstreams, source: &Source, what: &str, report: &mut Report) {
    let mend =
        "correct its address and credentials under Settings; a private network must be in LINEWATCH_OUTBOUND_ALLOW";
    let Some(upstream) = report.take(what, upstreams.of(source), mend) else { return };
    let steps = upstream.test().await;
    match steps.iter().find(|step| !step.ok) {
        Some(step) => report.bad(what, &format!("{}: {}", step.name, step.detail), mend),
        None => report.good(what, &steps.iter().map(|step| step.detail.as_str()).collect::<Vec<_>>().join(" ")),
    }
}

async fn has_no_webhook_secret(pool: &PgPool, vault: &Vault, source: &Source) -> bool {
    let Ok(mut db) = pool.acquire().await else { return false };
    let secrets = vault.get_all(&mut db, source.id.0, SecretKind::WebhookSecret).await;
    secrets.is_ok_and(|secrets| secrets.is_empty())
}
