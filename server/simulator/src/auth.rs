//! Who asks, and how often they may.

use crate::clock::Moment;
use crate::error::ApiError;
use crate::faults::{FaultKind, Target};
use crate::limits::Bucket;
use crate::router::addressed;
use crate::shared::Shared;
use crate::tokens::Holder;
use crate::world::World;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use std::time::Duration;

/// The limit of a connection's token, requests a minute.
const CONNECTION_RATE: u32 = 60;

/// Somebody with a good token who asks no more often than they may. A handler that takes no caller is open to all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller(Holder);

impl Caller {
    /// Only the account itself may do this.
    pub(crate) fn admin(self) -> Result<(), ApiError> {
        match self.0 {
            Holder::Admin => Ok(()),
            Holder::Connection(_) => Err(ApiError::denied("this takes an Admin API token, not a connection's")),
        }
    }

    /// The connection that the token was given out for.
    pub(crate) fn own(self, world: &World) -> Result<usize, ApiError> {
        let Holder::Connection(at) = self.0 else {
            return Err(ApiError::denied("this takes a connection's own token, not an Admin API token"));
        };
        let connection = &world.connections[at];
        if connection.life.deleted { Err(no_connection(&connection.profile.id)) } else { Ok(at) }
    }

    /// The connection of this key, for the account and for the connection itself.
    pub(crate) fn connection(self, world: &World, key: &str) -> Result<usize, ApiError> {
        let found = world.find(key);
        match (self.0, found) {
            (Holder::Connection(own), at) if at != Some(own) => {
                Err(ApiError::denied("this token belongs to another connection"))
            }
            (_, Some(at)) => Ok(at),
            (_, None) => Err(no_connection(key)),
        }
    }
}

/// 404 for a connection.
pub(crate) fn no_connection(key: &str) -> ApiError {
    ApiError::not_found(format!("there is no connection {key}"))
}

/// The bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What a request is about: the connection in its path, else the one whose token it comes with.
pub(crate) fn target(world: &World, path: &str, headers: &HeaderMap, now: Moment) -> Target {
    let named = || world.find(addressed(path)?);
    let own = || match world.tokens.holder(bearer(headers)?, now)? {
        Holder::Connection(at) => Some(at),
        Holder::Admin => None,
    };
    named().or_else(own).map(|at| world.target(at)).unwrap_or_default()
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers).ok_or_else(|| ApiError::unauthenticated("a bearer token is missing"))?;
        let path = parts.uri.path();
        shared.note(|world, now| {
            let holder = world.tokens.holder(token, now);
            let holder = holder.ok_or_else(|| ApiError::unauthenticated("the token is wrong, expired or revoked"))?;
            let target = target(world, path, &parts.headers, now);
            if let Err(wait) = within_limits(world, holder, token, target, now) {
                let as_date = world.counters.rate_limited % 2 == 1;
                world.counters.rate_limited += 1;
                return Err(ApiError::too_many(wait, as_date, now));
            }
            Ok(Self(holder))
        })
    }
}

/// Counts the request against its token's limit and against those of the faults that are about it.
fn within_limits(world: &mut World, holder: Holder, token: &str, target: Target, now: Moment) -> Result<(), Duration> {
    let usual = match holder {
        Holder::Admin => world.options.rate_per_minute,
        Holder::Connection(_) => CONNECTION_RATE,
    };
    let mut limit = usual;
    let mut narrow = Vec::new();
    for fault in world.faults.about(FaultKind::RateLimit, target) {
        let value = fault.value as u32;
        match fault.scope {
            crate::faults::Scope::All => limit = limit.min(value),
            _ => narrow.push((fault.id, value)),
        }
    }
    world.limits.take(Bucket::Token(token.to_owned()), limit, now)?;
    for (id, value) in narrow {
        world.limits.take(Bucket::Fault(id), value, now)?;
    }
    Ok(())
}
