//! One layer a file, from the outside in: [`request_id`], [`access_log`], [`security`], [`panic`], [`timeout`]; then, for
//! everything that asks who is there, [`identify`], [`csrf`], [`limit`] and [`compress`].

pub mod access_log;
pub mod compress;
pub mod csrf;
pub mod identify;
pub mod limit;
pub mod panic;
pub mod request_id;
pub mod security;
pub mod timeout;
