//! Connections that were added by request, beside those that were drawn from the seed.

use crate::clock::Moment;
use crate::connection::{Connection, Life, Profile, Stage};
use crate::platforms::{self, Platform};
use crate::world::World;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// More connections than these would fill the memory.
const MOST: usize = 110_000;
/// Between two good syncs, simulated.
const CADENCE: Duration = Duration::from_secs(30 * 60);
/// The length of the first sync, simulated.
const FIRST_SYNC: Duration = Duration::from_secs(12 * 60);

/// What is said of a new connection.
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) platform: &'static Platform,
}

/// An added connection as it is saved.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Added {
    id: String,
    name: String,
    email: String,
    platform: String,
    volume: u32,
    created_at: Moment,
}

impl World {
    /// Adds a connection and starts its first sync. Nothing when there is no room.
    pub(crate) fn add(&mut self, wanted: Wanted, now: Moment) -> Option<usize> {
        if self.connections.len() >= MOST {
            return None;
        }
        let id = loop {
            let id = format!("0900{:010}", self.dice.random_range(1..10_000_000_000_u64));
            if !self.by_key.contains_key(&id) {
                break id;
            }
        };
        let added = Added {
            id,
            name: wanted.name,
            email: wanted.email,
            platform: wanted.platform.slug.to_owned(),
            volume: self.dice.random_range(4..90),
            created_at: now,
        };
        let at = self.join(added)?;
        let length = self.scale().real(FIRST_SYNC).min(self.cadence(at));
        self.place(at, Stage::FirstSync, now, length);
        Some(at)
    }

    /// Puts an added connection behind the others.
    pub(crate) fn join(&mut self, added: Added) -> Option<usize> {
        let Added { id, name, email, platform, volume, created_at } = added;
        let at = self.connections.len();
        let profile = Profile {
            id: id.clone(),
            name,
            email,
            owner: None,
            site: None,
            region: None,
            platform: platforms::find(&platform)?,
            cadence: CADENCE,
            volume,
            phase: 0.5,
            sandbox: false,
            created_at,
        };
        let (profile, life) = (Arc::new(profile), Life::new(created_at));
        self.connections.push(Connection { profile, life, notes: Arc::default(), turn: 0 });
        self.by_key.insert(id, at);
        self.alive += 1;
        Some(at)
    }

    /// The added connections, as they are saved.
    pub(crate) fn added(&self) -> Vec<Added> {
        let added = self.connections.iter().skip(self.options.connections);
        added
            .map(|Connection { profile, .. }| Added {
                id: profile.id.clone(),
                name: profile.name.clone(),
                email: profile.email.clone(),
                platform: profile.platform.slug.to_owned(),
                volume: profile.volume,
                created_at: profile.created_at,
            })
            .collect()
    }
}
