//! First starts, and starts that are refused.

use crate::world::World;
use engine::clock::SystemClock;
use engine::vault::{MasterKey, Vault};
use model::NewSource;
use serde_json::json;
use server::config::{Config, Purpose};
use server::wiring::{master_key, refuse_demo_secrets};
use sqlx::PgPool;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

#[sqlx::test(migrations = "../migrations")]
async fn the_demos_secrets_are_refused(pool: PgPool) {
    let key = MasterKey::generate();
    let set = [("LINEWATCH_SECRETS_KEY", key.to_text().expose().to_owned())];
    let world = World::with(pool.clone(), &set.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    let vault = Vault::new(key, Arc::new(SystemClock));
    world.source("acme").await;
    refuse_demo_secrets(&pool, &vault).await.expect("secrets of one's own");
    let new: NewSource = serde_json::from_value(json!({
        "name": "copied", "base_url": "https://makini.example.com", "client_id": "client",
        "client_secret": "a-secret-of-ones-own", "webhook_secret": "whsec_linewatch_demo",
    }))
    .unwrap();
    world.parts.backend.add_source(&world.actor().await, new).await.unwrap();
    let refused = refuse_demo_secrets(&pool, &vault).await.unwrap_err().to_string();
    assert!(refused.contains("“copied”"), "{refused}");
    world.stop().await;
}

#[test]
fn a_master_key_is_made_once_and_is_ours_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data").to_str().unwrap().to_owned();
    let config =
        Config::read(Purpose::Product, |name| (name == "LINEWATCH_DATA_DIR").then(|| data_dir.clone())).unwrap();
    let first = master_key(&config).unwrap();
    let file = config.data_dir.join("master-key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(master_key(&config).unwrap().key_id(), first.key_id());
    std::fs::write(&file, "damaged").unwrap();
    assert!(master_key(&config).unwrap_err().to_string().contains("master-key"));
}
