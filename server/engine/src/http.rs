//! The only place where HTTP clients are made.
//!
//! Whatever Linewatch sends goes through [`Client::request`]: it ends in bounded time, takes no proxy and follows no
//! redirect, and the address really connected to is checked. Names are checked when they are resolved for the connection
//! (so that a name cannot mean something else a moment later), literal addresses when the request is made, because those
//! never reach a resolver. Errors carry no URL: a Slack hook's URL *is* the secret.

mod address;

use address::{embedded_v4, is_public};
use bytes::{Bytes, BytesMut};
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    error::Error as StdError,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Once},
    time::Duration,
};
use url::{Host, Url};

/// Why nothing is sent to an address. Holds neither URL nor name: either may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    /// It cannot be read as a URL with a host.
    #[error("This is not a URL: {0}. Write it in full, such as https://api.example.com.")]
    NotAUrl(String),
    /// Neither https nor http.
    #[error("Only https can be used, not “{0}”.")]
    Scheme(String),
    /// A user name or a password in the URL would end up in logs.
    #[error("The URL holds a user name or a password. Remove them.")]
    Credentials,
    /// Plain http to where it is not allowed.
    #[error("Plain http is only for networks in LINEWATCH_OUTBOUND_ALLOW. Use https, or add the network there.")]
    Plain,
    /// Not a public address, and not allowed either.
    #[error("{0} is not a public address. If Linewatch may send there, add its network to LINEWATCH_OUTBOUND_ALLOW.")]
    NotPublic(IpAddr),
}

/// Why there is no answer. Holds no URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nothing was sent: the address is not one to which we may.
    #[error(transparent)]
    Refused(#[from] AddressRefused),
    /// It took longer than the time-outs allow.
    #[error("No answer came in time.")]
    TimedOut,
    /// The name means nothing, nobody listens, or the certificate is wrong.
    #[error("No connection could be made: {0}")]
    Connect(String),
    /// It broke off midway.
    #[error("The exchange broke off: {0}")]
    Broken(String),
    /// The answer is larger than this many bytes.
    #[error("The answer is larger than {0} bytes.")]
    TooLarge(usize),
    /// The request could not be made.
    #[error("The request could not be made: {0}")]
    Unsendable(String),
}

impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut deepest: &dyn StdError = &error;
        while let Some(source) = deepest.source() {
            if let Some(refused) = source.downcast_ref::<AddressRefused>() {
                return Self::Refused(refused.clone());
            }
            deepest = source;
        }
        let why = deepest.to_string();
        if error.is_timeout() {
            Self::TimedOut
        } else if error.is_builder() {
            Self::Unsendable(why)
        } else if error.is_connect() || error.is_dns() {
            Self::Connect(why)
        } else {
            Self::Broken(why)
        }
    }
}

/// How long an exchange may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection: name, TCP and TLS.
    pub connect: Duration,
    /// Until the last byte of the answer is read.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(30) }
    }
}

/// Where Linewatch may send: public addresses, and the networks of `LINEWATCH_OUTBOUND_ALLOW`.
#[derive(Clone, Debug)]
pub struct Outbound {
    allow: Arc<[IpNet]>,
    names: Names,
}

/// Who says what names mean.
#[derive(Clone, Debug)]
enum Names {
    /// The machine's resolver.
    System,
    /// A story in which answers change: these, one after the other.
    #[cfg(test)]
    Told(Arc<std::sync::Mutex<std::collections::VecDeque<Vec<IpAddr>>>>),
}

impl Names {
    /// The addresses of a name, unchecked.
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.collect()),
            #[cfg(test)]
            Self::Told(answers) => {
                let next = answers.lock().ok().and_then(|mut answers| answers.pop_front());
                let found = next.ok_or_else(|| io::Error::other("nothing more is told of it"))?;
                Ok(found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect())
            }
        }
    }
}

impl Outbound {
    /// Public addresses and these networks.
    pub fn new(allow: Vec<IpNet>) -> Self {
        Self { allow: allow.into(), names: Names::System }
    }

    /// Reads a URL and refuses what can be refused without resolving its name; names are checked when connecting.
    ///
    /// # Errors
    /// When it is no http or https URL, holds credentials, is plain http where that is not allowed, or names an address
    /// to which we may not send.
    pub fn check_url(&self, text: &str) -> Result<Url, AddressRefused> {
        let url = Url::parse(text).map_err(|error| AddressRefused::NotAUrl(error.to_string()))?;
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            other => return Err(AddressRefused::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressRefused::Credentials);
        }
        match url.host() {
            None => return Err(AddressRefused::NotAUrl("it names no host".to_owned())),
            Some(Host::Ipv4(address)) => self.check_address(address.into(), plain)?,
            Some(Host::Ipv6(address)) => self.check_address(address.into(), plain)?,
            Some(Host::Domain(_)) if plain && self.allow.is_empty() => return Err(AddressRefused::Plain),
            Some(Host::Domain(_)) => {}
        }
        Ok(url)
    }

    /// A client that sends nowhere else. Make few and keep them: each has its own connections.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn client(&self, timeouts: Timeouts) -> Result<Client, SendError> {
        install_crypto();
        let secure = self.builder(timeouts, false).build().or_else(|error| {
            // A machine without certificates can still watch an allowed network over plain http; https then fails by name.
            tracing::warn!(error = %error, "no certificates to check others by: install ca-certificates; https will fail");
            self.builder(timeouts, false).tls_certs_only([]).build()
        })?;
        let plain = self.builder(timeouts, true).tls_certs_only([]).build()?;
        Ok(Client { outbound: self.clone(), secure, plain })
    }

    fn builder(&self, timeouts: Timeouts, plain: bool) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .user_agent(concat!("linewatch/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .https_only(!plain)
            .dns_resolver(Guard { outbound: self.clone(), plain })
    }

    fn check_address(&self, address: IpAddr, plain: bool) -> Result<(), AddressRefused> {
        let embedded = embedded_v4(address);
        if self.allow.iter().any(|network| network.contains(&address) || network.contains(&embedded)) {
            Ok(())
        } else if !is_public(embedded) {
            Err(AddressRefused::NotPublic(address))
        } else if plain {
            Err(AddressRefused::Plain)
        } else {
            Ok(())
        }
    }
}

/// Sends requests, but only to where it may.
#[derive(Clone, Debug)]
pub struct Client {
    outbound: Outbound,
    secure: reqwest::Client,
    plain: reqwest::Client,
}

impl Client {
    /// Begins a request. There is no other way to begin one, so no address goes unchecked.
    ///
    /// # Errors
    /// As [`Outbound::check_url`].
    pub fn request(&self, method: reqwest::Method, url: &str) -> Result<reqwest::RequestBuilder, AddressRefused> {
        let url = self.outbound.check_url(url)?;
        let client = if url.scheme() == "http" { &self.plain } else { &self.secure };
        Ok(client.request(method, url))
    }
}

/// Reads an answer of at most `most` bytes; nothing beyond them is kept.
///
/// # Errors
/// When it is larger, breaks off, or takes too long.
pub async fn read_capped(response: reqwest::Response, most: usize) -> Result<Bytes, SendError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |length| length > most) {
        return Err(SendError::TooLarge(most));
    }
    match read_start(response, most).await? {
        (_, true) => Err(SendError::TooLarge(most)),
        (bytes, false) => Ok(bytes),
    }
}

/// Reads the first `most` bytes of an answer, and says whether there were more.
///
/// # Errors
/// When it breaks off or takes too long before that.
pub async fn read_start(mut response: reqwest::Response, most: usize) -> Result<(Bytes, bool), SendError> {
    let mut read = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        let room = most - read.len();
        if chunk.len() > room {
            read.extend_from_slice(&chunk[..room]);
            return Ok((read.freeze(), true));
        }
        read.extend_from_slice(&chunk);
    }
    Ok((read.freeze(), false))
}

/// Installs the cryptography that TLS uses, once for the whole process.
pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that one is installed already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

/// Resolves names and keeps only the addresses to which we may send.
struct Guard {
    outbound: Outbound,
    plain: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (outbound, plain) = (self.outbound.clone(), self.plain);
        Box::pin(async move {
            let (mut good, mut refused) = (Vec::new(), None);
            for found in outbound.names.lookup(name.as_str()).await? {
                match outbound.check_address(found.ip(), plain) {
                    Ok(()) => good.push(found),
                    Err(error) => refused = Some(error),
                }
            }
            match refused {
                Some(error) if good.is_empty() => Err(error.into()),
                _ => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod ssrf;
#[cfg(test)]
mod tests;
