//! Where the demo keeps its things: a directory of its own, marked, so that nothing else is ever thrown away.

use crate::command::serve;
use crate::config::Config;
use crate::postgres::EmbeddedPostgres;
use crate::wiring::{Failure, database::embedded_settings};
use engine::people::kept;
use simulator::{Options, Running};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use tokio::net::TcpListener;

/// What marks a directory as the demo's.
const MARK: &str = ".linewatch-demo";

/// Takes the data directory; throws away first what is in it, if the demo is to begin anew.
pub async fn prepare(config: &Config, fresh: bool) -> Result<(), Failure> {
    let dir = &config.data_dir;
    let shown = dir.display();
    let (marked, empty) = (dir.join(MARK).exists(), is_empty(dir)?);
    if !marked && !empty {
        return Err(format!(
            "{shown} holds something that is not the demo's. Choose another LINEWATCH_DATA_DIR for it."
        )
        .into());
    }
    if fresh && marked {
        if config.database.url.is_some() {
            return Err("--fresh does not throw away a database that the demo did not make. Unset DATABASE_URL.".into());
        }
        EmbeddedPostgres::erase(&embedded_settings(config)).await?;
        std::fs::remove_dir_all(dir).map_err(|error| format!("{shown} could not be removed: {error}"))?;
    }
    Ok(kept::write(&dir.join(MARK), "What is in here is the demo's; “linewatch demo --fresh” throws it away.")?)
}

fn is_empty(dir: &Path) -> Result<bool, Failure> {
    match std::fs::read_dir(dir) {
        Ok(mut files) => Ok(files.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(format!("{} cannot be read: {error}", dir.display()).into()),
    }
}

/// Listens at this port; at 0, at the one of last time.
pub async fn listen(config: &Config, port: u16) -> Result<TcpListener, Failure> {
    let at = |port| SocketAddr::from((config.http.bind, port));
    if port != 0 {
        return serve::listen(at(port)).await;
    }
    if let Some(port) = kept_port(&config.data_dir.join("port"))? {
        match TcpListener::bind(at(port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => {
                tracing::warn!(port, %error, "the port of last time is taken, so Linewatch takes another: {error}")
            }
        }
    }
    serve::listen(at(0)).await
}

/// Keeps the port that was picked for the next time; not before the data is known to be ours alone.
pub fn keep_port(config: &Config, asked: u16, listener: &TcpListener) -> Result<(), Failure> {
    if asked == 0 {
        kept::write(&config.data_dir.join("port"), &listener.local_addr()?.port().to_string())?;
    }
    Ok(())
}

/// Starts the simulated Makini, at its port of last time if it can.
pub async fn simulate(config: &Config, options: Options) -> Result<Running, Failure> {
    let file = config.data_dir.join("simulator-port");
    if let Some(port) = kept_port(&file)? {
        match simulator::start(Options { listen: ([127, 0, 0, 1], port).into(), ..options.clone() }).await {
            Err(simulator::Error::Listen { .. }) => {
                tracing::warn!(port, "the simulated Makini's port is taken, so it takes another")
            }
            started => return Ok(started?),
        }
    }
    let makini = simulator::start(Options { listen: ([127, 0, 0, 1], 0).into(), ..options }).await?;
    kept::write(&file, &makini.addr().port().to_string())?;
    Ok(makini)
}

/// Listens on this machine, at the port of last time if it can, which stands in this file of the data directory.
pub async fn listen_again(config: &Config, file: &str) -> Result<TcpListener, Failure> {
    let file = config.data_dir.join(file);
    if let Some(port) = kept_port(&file)? {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => tracing::warn!(port, %error, "a port of last time is taken, so another is: {error}"),
        }
    }
    let listener = serve::listen((Ipv4Addr::LOCALHOST, 0).into()).await?;
    kept::write(&file, &listener.local_addr()?.port().to_string())?;
    Ok(listener)
}

fn kept_port(file: &Path) -> Result<Option<u16>, Failure> {
    Ok(kept::read(file)?.and_then(|port| port.parse().ok()))
}
