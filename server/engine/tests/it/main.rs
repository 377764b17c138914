//! Stories told against a real Postgres and the simulator, in one binary.

mod hearing;

mod seeing;

mod world;
mod door;
mod events;
mod live;
mod partitions;

mod upstream;
