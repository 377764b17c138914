//! A real server on a port of its own, a real Postgres, and callers who are somebody.
#![expect(clippy::unwrap_used, reason = "in a test, panicking is how it fails")]

mod caller;
mod changes;
mod channels;
mod demo;
mod doors;
mod endpoints;
mod failures;
mod first;
mod health;
mod input;
mod issues;
mod killed;
mod lists;
mod openapi;
mod pages;
mod reconnect;
mod routes;
mod rules;
mod sign_in;
mod webhooks;
mod world;
