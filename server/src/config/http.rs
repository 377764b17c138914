//! The address we listen at, and the one people use.

use super::Env;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use url::Url;

/// The address we listen at, and the one people use.
#[derive(Clone, Debug)]
pub struct Http {
    /// `LINEWATCH_HTTP_BIND`: the address to listen at; 127.0.0.1 unless said.
    pub bind: IpAddr,
    /// `PORT`: the port to listen at; 3000 unless said, 0 for any that is free.
    pub port: u16,
    /// `LINEWATCH_PUBLIC_URL`: the address that people use. Every link in a message begins with it, cookies are `Secure`
    /// when it is https, and forms from it are believed. Unless said, the address we listen at.
    pub public_url: Option<Url>,
    /// `LINEWATCH_HTTP_TRUSTED_PROXIES`: networks of reverse proxies whose `X-Forwarded-For` is believed. Without it the
    /// brake on guessing passwords sees the proxy instead of the person. Empty unless said.
    pub trusted_proxies: Vec<IpNet>,
    /// `LEPTOS_SITE_ROOT`: where the browser's files are. Unless said: `site` beside the program, else `target/site`.
    pub site_root: Option<PathBuf>,
}

impl Http {
    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>) -> Self {
        Self {
            bind: env.read("LINEWATCH_HTTP_BIND", Ipv4Addr::LOCALHOST.into(), |text| {
                text.parse().map_err(|_| format!("“{text}” is not an address to listen at, such as 127.0.0.1 or ::"))
            }),
            port: env.number("PORT", 3000, 0..=65_535),
            public_url: env.parsed("LINEWATCH_PUBLIC_URL", public_url),
            trusted_proxies: env.list("LINEWATCH_HTTP_TRUSTED_PROXIES", super::outbound::network),
            site_root: env.text("LEPTOS_SITE_ROOT").map(PathBuf::from),
        }
    }

    /// Where to listen.
    pub fn address(&self) -> SocketAddr {
        (self.bind, self.port).into()
    }
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("“{text}” is not a URL such as https://linewatch.example.com"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(format!("“{text}” must begin with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL must not hold a user name or a password".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("“{text}” must end after the host: Linewatch wants a host of its own, not a path"));
    }
    Ok(url)
}
