//! Who may pass a door. Whether they may do what they ask is for the desk.

pub mod cookie;
pub mod guard;
pub mod login;
pub mod logout;
pub mod next;

use crate::api::problem::Problem;
use crate::wiring::Parts;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::{HeaderMap, request};
use engine::vault::Secret;
use model::{Actor, Refusal};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Who asks, and how we know.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who.
    pub actor: Actor,
    /// How we know.
    pub via: Via,
}

/// How we know who asks.
#[derive(Clone, Debug)]
pub enum Via {
    /// By the cookie of a session.
    Session(Secret),
    /// By an API token.
    Bearer(Secret),
}

impl Via {
    /// Whether it still opens anything. Asking does not make a session last longer.
    pub async fn lives(&self, parts: &Parts) -> Result<bool, engine::people::Error> {
        match self {
            Self::Session(cookie) => parts.people.session_lives(cookie.expose()).await,
            Self::Bearer(token) => Ok(parts.people.bearer(token.expose()).await?.is_some()),
        }
    }
}

/// Whoever asks, signed in. In a handler's signature it cannot be forgotten.
#[derive(Clone, Debug)]
pub struct Caller(pub Actor);

impl FromRequestParts<Parts> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(request: &mut request::Parts, parts: &Parts) -> Result<Self, Problem> {
        let identity = Identity::from_request_parts(request, parts).await?;
        Ok(Self(identity.actor))
    }
}

impl FromRequestParts<Parts> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(request: &mut request::Parts, _: &Parts) -> Result<Self, Problem> {
        request.extensions.get::<Self>().cloned().ok_or_else(|| Refusal::Unauthenticated.into())
    }
}

/// The network address of whoever asks; behind a trusted proxy, what it says.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

impl FromRequestParts<Parts> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(request: &mut request::Parts, parts: &Parts) -> Result<Self, Infallible> {
        let peer =
            request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let peer = peer.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let trusted = |address: &IpAddr| parts.trusted_proxies.iter().any(|network| network.contains(address));
        Ok(Self(if trusted(&peer) { forwarded(&request.headers, trusted).unwrap_or(peer) } else { peer }))
    }
}

/// The last address in `X-Forwarded-For` that is not a trusted proxy's: those before it were written by anybody.
fn forwarded(headers: &HeaderMap, trusted: impl Fn(&IpAddr) -> bool) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let said: Vec<_> =
        lines.flat_map(|line| line.split(',')).map(|address| address.trim().parse::<IpAddr>().ok()).collect();
    said.into_iter().rev().map_while(|address| address.map(|it| it.to_canonical())).find(|address| !trusted(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), text.parse().unwrap())]);
            forwarded(&headers, |address| address.to_string().starts_with("10.")).map(|address| address.to_string())
        };
        assert_eq!(of("203.0.113.9, 198.51.100.7, 10.0.0.2").as_deref(), Some("198.51.100.7"));
        assert_eq!(of("203.0.113.9, nonsense, 10.0.0.2"), None);
        assert_eq!(of("::ffff:192.0.2.1").as_deref(), Some("192.0.2.1"));
    }
}
