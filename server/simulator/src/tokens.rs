//! Tokens: pairs for the whole account or, when it was added by request, for a connection; single ones for a connection.

use crate::clock::{Moment, Scale};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(86_400);
/// However fast the time, an access token can be used for this long.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
/// A connection token lives this long, in real time.
pub(crate) const CONNECTION_TOKEN_SECONDS: u64 = 300;
/// More live pairs than this belong to nobody any more; the oldest go.
const MOST_PAIRS: usize = 256;

/// What a bearer token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The whole account.
    Admin,
    /// One connection.
    Connection(usize),
}

/// An access token with its refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) access_until: Moment,
    pub(crate) refresh_until: Moment,
    /// The connection that it opens, and nothing else; nothing of a pair for the account.
    #[serde(default)]
    pub(crate) connection: Option<usize>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ConnectionToken {
    token: String,
    at: usize,
    until: Moment,
}

/// All tokens that are good.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(crate) struct Tokens {
    pairs: Vec<Pair>,
    by_connection: HashMap<usize, ConnectionToken>,
    connection_of: HashMap<String, usize>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    pairs: Vec<Pair>,
    connections: Vec<ConnectionToken>,
}

impl Tokens {
    /// A new pair. Other pairs stay good: several processes may share an account.
    pub(crate) fn grant(&mut self, scale: Scale, now: Moment) -> Pair {
        self.give(None, scale, now)
    }

    /// A new pair for one connection; whatever it had before is dead.
    pub(crate) fn grant_connection(&mut self, at: usize, scale: Scale, now: Moment) -> Pair {
        self.revoke_connection(at);
        self.give(Some(at), scale, now)
    }

    fn give(&mut self, connection: Option<usize>, scale: Scale, now: Moment) -> Pair {
        self.pairs.retain(|pair| pair.refresh_until > now);
        if self.pairs.len() >= MOST_PAIRS {
            self.pairs.remove(0);
        }
        let life = scale.real(30 * DAY).max(SHORTEST_LIFE);
        let refresh_life = scale.real(31 * DAY).max(life + SHORTEST_LIFE);
        let pair = Pair {
            access: fresh("mkat_"),
            refresh: fresh("mkrt_"),
            access_until: now + life,
            refresh_until: now + refresh_life,
            connection,
        };
        self.pairs.push(pair.clone());
        pair
    }

    /// A new pair for a refresh token; the pair it belonged to is dead.
    pub(crate) fn refresh(&mut self, refresh: &str, scale: Scale, now: Moment) -> Option<Pair> {
        let place = self.pairs.iter().position(|pair| pair.refresh == refresh && pair.refresh_until > now)?;
        let old = self.pairs.remove(place);
        Some(self.give(old.connection, scale, now))
    }

    /// A new token for a connection; the one before is dead.
    pub(crate) fn issue(&mut self, at: usize, now: Moment) -> String {
        self.revoke_connection(at);
        let token = fresh("mkct_");
        let until = now + Duration::from_secs(CONNECTION_TOKEN_SECONDS);
        self.connection_of.insert(token.clone(), at);
        self.by_connection.insert(at, ConnectionToken { token: token.clone(), at, until });
        token
    }

    /// Kills a connection's token, and its pair.
    pub(crate) fn revoke_connection(&mut self, at: usize) {
        self.pairs.retain(|pair| pair.connection != Some(at));
        if let Some(old) = self.by_connection.remove(&at) {
            self.connection_of.remove(&old.token);
        }
    }

    /// Whose token this is, if it is good.
    pub(crate) fn holder(&self, token: &str, now: Moment) -> Option<Holder> {
        if let Some(pair) = self.pairs.iter().find(|pair| pair.access == token && pair.access_until > now) {
            return Some(pair.connection.map_or(Holder::Admin, Holder::Connection));
        }
        let at = *self.connection_of.get(token)?;
        (self.by_connection.get(&at)?.until > now).then_some(Holder::Connection(at))
    }
}

impl From<Saved> for Tokens {
    fn from(saved: Saved) -> Self {
        Self {
            pairs: saved.pairs,
            connection_of: saved.connections.iter().map(|one| (one.token.clone(), one.at)).collect(),
            by_connection: saved.connections.into_iter().map(|one| (one.at, one)).collect(),
        }
    }
}

impl From<Tokens> for Saved {
    fn from(tokens: Tokens) -> Self {
        Self { pairs: tokens.pairs, connections: tokens.by_connection.into_values().collect() }
    }
}

/// A name nobody else has: the prefix and 32 hex digits.
pub(crate) fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", Uuid::new_v4().simple())
}

/// `expires_in` of a pair: a Unix time, not a length.
pub(crate) fn expires_in(pair: &Pair) -> i64 {
    pair.access_until.timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn an_access_token_expires_and_its_refresh_token_outlives_it() {
        let now = clock::now();
        let mut tokens = Tokens::default();
        let pair = tokens.grant(Scale(1e9), now);
        assert_eq!(pair.access_until, now + SHORTEST_LIFE, "never shorter than a minute");
        assert_eq!(tokens.holder(&pair.access, now), Some(Holder::Admin));
        let later = now + SHORTEST_LIFE;
        assert_eq!(tokens.holder(&pair.access, later), None);
        let next = tokens.refresh(&pair.refresh, Scale(1e9), later).expect("still good");
        assert_eq!(tokens.holder(&next.access, later), Some(Holder::Admin));
        assert!(tokens.refresh(&next.refresh, Scale(1e9), later + SHORTEST_LIFE * 3).is_none());
        let real = tokens.grant(Scale(1.0), now);
        assert_eq!((real.access_until - now).num_days(), 30);
        assert_eq!((real.refresh_until - now).num_days(), 31);
    }

    #[test]
    fn a_refresh_kills_the_old_pair_and_no_other() {
        let now = clock::now();
        let mut tokens = Tokens::default();
        let (one, other) = (tokens.grant(Scale(60.0), now), tokens.grant(Scale(60.0), now));
        assert!(tokens.refresh(&one.refresh, Scale(60.0), now).is_some());
        assert_eq!(tokens.holder(&one.access, now), None);
        assert!(tokens.refresh(&one.refresh, Scale(60.0), now).is_none());
        assert_eq!(tokens.holder(&other.access, now), Some(Holder::Admin));
    }

    #[test]
    fn a_connection_has_one_token_for_five_minutes() {
        let now = clock::now();
        let mut tokens = Tokens::default();
        let old = tokens.issue(3, now);
        let new = tokens.issue(3, now);
        assert_eq!(tokens.holder(&old, now), None);
        assert_eq!(tokens.holder(&new, now), Some(Holder::Connection(3)));
        assert_eq!(tokens.holder(&new, now + Duration::from_secs(300)), None);
        tokens.revoke_connection(3);
        assert_eq!(tokens.holder(&new, now), None);
    }
}
