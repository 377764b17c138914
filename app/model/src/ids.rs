//! Ids: UUIDv7, one type for each thing, so that they cannot be mixed up.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// A connection of ours; upstream's own identifier is its `key`.
    ConnectionId;
    /// The organisation that owns connections.
    CustomerId;
    /// One Makini account that we watch.
    SourceId;
    /// One webhook received.
    EventId;
    /// One thing seen about a connection.
    EvidenceId;
    /// A person who signs in.
    PersonId;
    /// An API token.
    TokenId;
    /// A problem as a thing.
    IssueId;
    /// One issue above many.
    OutageId;
    /// A link for a customer to authorize again.
    LinkId;
    /// Something done with many.
    BulkId;
    /// A saved view.
    ViewId;
    /// One secret in the vault; the secret itself never leaves it.
    SecretId;
    /// An URL of the user's own applications.
    EndpointId;
    /// One event on its way to one endpoint.
    DeliveryId;
    /// A request turned away, kept as a sample.
    RejectionId;
    /// Something whose webhook never came.
    GapId;
    /// Many being tried again.
    RetryId;
    /// What to alert on.
    RuleId;
    /// A rule that fires for a subject.
    AlertId;
    /// By what means people are told.
    ChannelId;
    /// Who is told.
    RouteId;
    /// One message to one channel.
    NotificationId;
    /// Alerts that are not told for a while.
    SilenceId;
    /// A time of work during which nobody is told.
    MaintenanceId;
}
