//! The simulator, met as its clients meet it: over HTTP, on a real port.

mod actions;
mod api;
mod faults;
mod link;
mod mail;
mod openapi;
mod openapi_webhooks;
mod reading;
mod restart;
mod story;
mod support;
mod tokens;
mod webhooks;
mod writing;
