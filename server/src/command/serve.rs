//! `linewatch serve`

use crate::config::Config;
use crate::lifecycle::Lifecycle;
use crate::wiring::{Database, Failure, Role, base, master_key, refuse_demo_secrets, serve};
use clap::Args;
use engine::clock::SystemClock;
use engine::vault::Vault;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The product.
#[derive(Debug, Args)]
pub struct Serve {
    /// Which part of the work this process does
    #[arg(long, value_enum, default_value_t = Role::All)]
    role: Role,
}

impl Serve {
    /// Serves until a signal ends it.
    pub async fn run(self, config: Config) -> Result<ExitCode, Failure> {
        let life = Lifecycle::new()?;
        let listener = listen(config.http.address()).await?;
        let database = Database::open(&config).await?;
        let key = master_key(&config)?;
        refuse_demo_secrets(&database.pool, &Vault::new(key.clone(), Arc::new(SystemClock))).await?;
        let served = serve(&config, self.role, &life, listener, database, key).await?;
        let url = base(&served.public_url);
        tracing::info!(url, role = ?self.role, version = crate::VERSION, "Linewatch serves {url}");
        Ok(served.until_stopped().await)
    }
}

/// Takes the port, before anything is started that would have to be stopped again.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| {
        format!("Linewatch cannot listen on {address}: {error}. Choose another PORT, or stop what has it.").into()
    })
}
