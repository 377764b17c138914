//! Who asks.

use crate::words::words;
use crate::{PersonId, Refusal, TokenId};
use serde::{Deserialize, Serialize};

words! {
    /// What a person or a token may do; each may do what those before it may.
    Role {
        /// Sees everything but payloads and secrets.
        Viewer = "viewer", "Viewer";
        /// Acts on connections, sees payloads.
        Support = "support", "Support";
        /// Changes settings.
        Admin = "admin", "Administrator";
    }
}

/// What kind of asker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum ActorKind {
    /// A person with a session.
    Person(PersonId),
    /// A machine with an API token.
    Token(TokenId),
}

/// Who asks: made by a door from a session or a token, and by nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// A person or a machine.
    #[serde(flatten)]
    pub kind: ActorKind,
    /// How it is called in the audit log.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

impl Actor {
    /// Refuses an actor of a lesser role.
    pub fn must_be(&self, role: Role) -> Result<(), Refusal> {
        if self.role >= role { Ok(()) } else { Err(Refusal::Forbidden(role.words().to_owned())) }
    }
}
