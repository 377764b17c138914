//! Where Linewatch may send.

use super::Env;
use ipnet::IpNet;
use std::net::IpAddr;

/// Where Linewatch may send.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// `LINEWATCH_OUTBOUND_ALLOW`: networks besides public addresses, such as `10.20.0.0/16, 127.0.0.1`: for upstream,
    /// endpoints and channels alike. Empty unless said.
    pub allow: Vec<IpNet>,
}

impl Outbound {
    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>) -> Self {
        Self { allow: env.list("LINEWATCH_OUTBOUND_ALLOW", network) }
    }
}

/// A network, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| format!("“{text}” is not a network such as 10.20.0.0/16"))
}
