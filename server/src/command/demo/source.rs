//! The demo's one source.

use crate::wiring::{Failure, Parts};
use model::{Actor, Dialect, Environment, NewSource, Redirect, Source, SourcePatch, TokenOwnership};
use simulator::{Options, Running};

/// Its name.
pub const NAME: &str = "demo";

/// Sees to it that there is the one source, and that it points to where the simulated Makini is.
pub async fn ensure(
    parts: &Parts,
    actor: &Actor,
    makini: &Running,
    dialect: simulator::Dialect,
) -> Result<Source, Failure> {
    let dialect: Dialect = dialect.to_string().parse()?;
    let there = parts.backend.sources(actor).await?.into_iter().find(|source| source.name == NAME);
    let Some(source) = there else { return Ok(parts.backend.add_source(actor, new(makini.url(), dialect)).await?) };
    if source.dialect != dialect {
        return Err(format!("the demo was begun with the dialect {}; begin anew with --fresh", source.dialect).into());
    }
    let link = authorize_url(&makini.url());
    if source.base_url == makini.url() && source.authorize_url.as_ref() == Some(&link) {
        return Ok(source);
    }
    let moved = SourcePatch {
        base_url: Some(makini.url()),
        redirect: Some(Redirect::Ours),
        authorize_url: Some(Some(link)),
        ..SourcePatch::default()
    };
    Ok(parts.backend.change_source(actor, source.id, moved).await?)
}

/// The simulated Makini Link takes a hint which connection is meant.
fn authorize_url(base_url: &str) -> String {
    format!("{base_url}/oauth/authorize?connection={{key}}")
}

fn new(base_url: String, dialect: Dialect) -> NewSource {
    let known = Options::default();
    let link = authorize_url(&base_url);
    NewSource {
        name: NAME.to_owned(),
        environment: Environment::Production,
        dialect,
        base_url,
        client_id: known.client_id,
        client_secret: known.client_secret,
        webhook_secret: Some(known.webhook_secret),
        settings: SourcePatch {
            token_ownership: Some(TokenOwnership::Linewatch),
            redirect: Some(Redirect::Ours),
            authorize_url: Some(Some(link)),
            rate_per_minute: Some(60_000),
            poll_interval_seconds: Some(5),
            cadence_seconds: Some(Some(30)),
            late_factor: Some(2.0),
            late_grace_seconds: Some(5),
            proof_allowance_seconds: Some(60),
            ..SourcePatch::default()
        },
    }
}
