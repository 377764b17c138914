//! A secret in memory.

use std::fmt;
use zeroize::Zeroizing;

/// A text that never prints, and is wiped when it is dropped. It cannot be serialised either.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Every call is a place to look at twice.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its last four characters, to tell it from others; nothing of one so short that they would give it away.
    pub fn hint(&self) -> String {
        let length = self.0.chars().count();
        if length < 12 { String::new() } else { self.0.chars().skip(length - 4).collect() }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// A source's client secret.
    ClientSecret,
    /// What a source signs its webhooks with. There may be several while one takes over from another.
    WebhookSecret,
    /// Our own pair of tokens for a source, as JSON.
    AdminToken,
    /// A connection's token.
    ConnectionToken,
    /// What deliveries to an endpoint are signed with. There are two while one takes over from another.
    EndpointSecret,
    /// What we sign the messages of a channel with.
    ChannelSecret,
    /// The address of a Slack channel's incoming webhook.
    SlackWebhook,
}

impl SecretKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::ClientSecret,
        Self::WebhookSecret,
        Self::AdminToken,
        Self::ConnectionToken,
        Self::EndpointSecret,
        Self::ChannelSecret,
        Self::SlackWebhook,
    ];

    /// The word in the database. It is sealed in: changing it closes every secret of that kind.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ClientSecret => "client_secret",
            Self::WebhookSecret => "webhook_secret",
            Self::AdminToken => "admin_token",
            Self::ConnectionToken => "connection_token",
            Self::EndpointSecret => "endpoint_secret",
            Self::ChannelSecret => "channel_secret",
            Self::SlackWebhook => "slack_webhook",
        }
    }

    /// Whether people tell such secrets apart by their last characters.
    pub(super) const fn has_hint(self) -> bool {
        !matches!(self, Self::AdminToken)
    }
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
