//! Linewatch itself: how it is, and what it cannot see right now.

use crate::words::words;
use crate::{Source, Totals};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// How bad something is, worst first.
    Severity {
        /// Somebody must act now.
        Critical = "critical", "Critical";
        /// Somebody should look.
        Warning = "warning", "Warning";
        /// Good to know.
        Info = "info", "For information";
    }
}

words! {
    /// What can be wrong with Linewatch's own sight.
    ConcernCode {
        /// Rounds of polling over a source fail, or none comes to an end.
        SourceUnseen = "source_unseen", "A source cannot be polled";
        /// Nothing polls and nothing is processed.
        NoWorker = "no_worker", "No process does the work";
        /// Received webhooks wait to be processed.
        Backlog = "backlog", "Webhooks wait to be processed";
        /// Days for which there is no place to store what comes.
        Partitions = "partitions", "No room for the days ahead";
        /// Webhooks of a source are turned away.
        WebhooksRefused = "webhooks_refused", "Webhooks are turned away";
        /// A source has no webhook secret.
        SourceDeaf = "source_deaf", "A source has no webhook secret";
        /// Webhooks of a source came, and come no more.
        WebhooksSilent = "webhooks_silent", "Webhooks have stopped";
        /// The certificate of the public address ends or cannot be read.
        Certificate = "certificate", "The certificate of the public address";
        /// Makini cannot reach the webhook door.
        PublicUrl = "public_url", "Makini cannot send webhooks here";
        /// A source's API has changed its version.
        VersionDrift = "version_drift", "A source speaks another version";
        /// Messages of a channel do not get through.
        ChannelFails = "channel_fails", "Messages do not get through";
        /// An endpoint is not reached; its deliveries wait.
        EndpointUnreached = "endpoint_unreached", "An endpoint does not take its events";
        /// Upstream's clock is far off, or ours is.
        ClockSkew = "clock_skew", "The clocks disagree";
    }
}

/// Something that keeps Linewatch from seeing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Concern {
    /// What kind of thing.
    pub code: ConcernCode,
    /// How bad.
    pub severity: Severity,
    /// What is so, in a sentence.
    pub title: String,
    /// What that means and what to do, in a sentence or two.
    pub detail: String,
    /// Since when, where that is known.
    pub since: Option<DateTime<Utc>>,
    /// The source it is about.
    pub source: Option<crate::SourceId>,
    /// The channel it is about.
    pub channel: Option<crate::ChannelId>,
    /// The endpoint it is about.
    pub endpoint: Option<crate::EndpointId>,
}

/// What every page shows around itself: figures beside the way to each screen, and what Linewatch cannot see right now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pulse {
    /// When this was put together.
    pub at: DateTime<Utc>,
    /// How many connections in each health.
    pub totals: Totals,
    /// How many issues are open: those that nobody has taken.
    pub issues_open: u64,
    /// How many alerts fire that nobody has acknowledged and nothing mutes.
    pub alerts_firing: u64,
    /// How many webhooks rest as failed, processing and deliveries; counted to 1,000.
    pub webhooks_failed: u64,
    /// What Linewatch cannot see right now, worst first.
    pub concerns: Vec<Concern>,
}

/// Webhooks on their way in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Ingest {
    /// Taken in the last 60 seconds.
    pub last_minute: u64,
    /// Waiting to be processed; counted to 100,000.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<DateTime<Utc>>,
}

/// A process of Linewatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Replica {
    /// Its id, new with every start.
    pub id: uuid::Uuid,
    /// Where it runs: host and process id.
    pub name: String,
    /// Which part of the work it does: `all`, `web` or `worker`.
    pub role: String,
    /// Its version.
    pub version: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it last said that it lives; it does so every ten seconds.
    pub seen_at: DateTime<Utc>,
}

/// The certificate of the public address, as last looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Certificate {
    /// When it was looked at.
    pub looked_at: DateTime<Utc>,
    /// When it ends; null where it could not be read.
    pub ends_at: Option<DateTime<Utc>>,
    /// Why it could not be read.
    pub error: Option<String>,
}

/// How Linewatch itself is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct System {
    /// When this was put together.
    pub at: DateTime<Utc>,
    /// The version of the process that answers.
    pub version: String,
    /// The address that people and Makini use.
    pub public_url: String,
    /// What it cannot see right now, worst first.
    pub concerns: Vec<Concern>,
    /// Webhooks on their way in.
    pub ingest: Ingest,
    /// The sources, with their polling and their webhooks.
    pub sources: Vec<Source>,
    /// The processes that live, and those that fell silent within the last hour.
    pub replicas: Vec<Replica>,
    /// The last day for which there is room to store what comes; null when there is none for today.
    pub room_until: Option<NaiveDate>,
    /// The certificate of the public address; null where that is not https, or was not looked at yet.
    pub certificate: Option<Certificate>,
}
