//! Stories told against a real Postgres and the simulator, in one binary.
#![expect(clippy::unwrap_used, reason = "what cannot go on in a test should say where")]

mod alerts;
mod alerts_past;
mod blind;
mod by_hand;
mod counting;
mod day;
mod door;
mod events;
mod failed;
mod feed;
mod gaps;
mod hearing;
mod issues;
mod kills;
mod live;
mod older;
mod partitions;
mod posting;
mod races;
mod receiver;
mod reconnect;
mod redaction;
mod refusals;
mod relay;
mod retries;
mod seeing;
mod storm;
mod telling;
mod upstream;
mod world;
