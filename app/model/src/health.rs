//! The state of a connection in two dimensions, its headline, and why.

use crate::words::words;

words! {
    /// Dimension 1: may we still sign in to the customer's system?
    Authorization {
        /// Proved to work.
        Authorized = "authorized", "Signed in";
        /// The customer must authorize again.
        ReauthorizationRequired = "reauthorization_required", "Must sign in again";
        /// Taken away on purpose.
        Revoked = "revoked", "Revoked";
        /// Not proved either way, or the proof is too old.
        Unknown = "unknown", "Unknown";
    }
}

words! {
    /// Dimension 2: does data arrive?
    DataFlow {
        /// The first sync, which reads weeks of history, is not finished.
        FirstSync = "first_sync", "First sync";
        /// The last good sync is as young as the cadence asks.
        Fresh = "fresh", "Fresh";
        /// The last good sync is older than the cadence allows, or the usual webhooks have stopped.
        Late = "late", "Late";
        /// The last sync failed.
        Failing = "failing", "Failing";
        /// The customer's system does not answer.
        Offline = "offline", "Offline";
        /// Stopped upstream, for example for lack of credits.
        Paused = "paused", "Paused";
        /// Not known, or no longer proved.
        Unknown = "unknown", "Unknown";
    }
}

words! {
    /// The headline, worst first. A pure function of both dimensions.
    Health {
        /// The customer must act.
        ReauthorizationRequired = "reauthorization_required", "Must sign in again";
        /// The customer's system does not answer.
        Offline = "offline", "Offline";
        /// Syncs fail.
        Failing = "failing", "Failing";
        /// No good sync for longer than the cadence allows.
        Late = "late", "Late";
        /// Changes its health again and again.
        Unstable = "unstable", "Unstable";
        /// Not known, or no longer proved. Never counted as healthy.
        Unknown = "unknown", "Unknown";
        /// Reading its history for the first time.
        FirstSync = "first_sync", "First sync";
        /// Stopped on purpose.
        Paused = "paused", "Paused";
        /// Proved to work.
        Healthy = "healthy", "Healthy";
    }
}

impl Health {
    /// Place in "worst first": 0 is worst.
    pub fn rank(self) -> i16 {
        self as i16
    }

    /// Whether somebody should look at it.
    pub fn needs_attention(self) -> bool {
        self < Self::FirstSync
    }
}

words! {
    /// The eye through which something was seen.
    Eye {
        /// Upstream told us.
        Webhook = "webhook", "webhook";
        /// We asked, as we do regularly.
        Poll = "poll", "poll";
        /// We asked about this one: a person wanted it, or something had to be confirmed.
        Check = "check", "check";
    }
}

words! {
    /// Why a connection is as it is.
    Cause {
        /// The credentials no longer work.
        CredentialsChanged = "credentials_changed", "Password changed at the source";
        /// Signed in, but not allowed to read.
        PermissionMissing = "permission_missing", "A permission is missing";
        /// Access was taken away.
        Revoked = "revoked", "Access was revoked";
        /// The customer's system does not answer.
        PlatformUnreachable = "platform_unreachable", "The system does not answer";
        /// A sync ended with an error.
        SyncError = "sync_error", "The last sync failed";
        /// A sync takes far longer than usual.
        SlowSync = "slow_sync", "A sync takes unusually long";
        /// No good sync for longer than the cadence allows.
        Late = "late", "No good sync for too long";
        /// Events that normally come do not.
        Silent = "silent", "Its usual webhooks have stopped";
        /// Good and bad follow each other.
        Flapping = "flapping", "It goes down and comes back again and again";
        /// Nothing proves the state any more.
        NoProof = "no_proof", "Nothing has proved its state lately";
        /// A status that we do not know.
        UnknownStatus = "unknown_status", "Makini reports a status we do not know";
        /// Too few credits in the Makini account.
        NoCredits = "no_credits", "Inactive for lack of credits";
        /// The customer has not finished connecting.
        NotConnectedYet = "not_connected_yet", "Not connected yet";
        /// The history is being read.
        ReadingHistory = "reading_history", "Reading its history";
    }
}

words! {
    /// Who must act.
    Actor {
        /// Our support staff.
        Us = "us", "us";
        /// The customer.
        Customer = "customer", "the customer";
        /// Makini.
        Makini = "makini", "Makini";
        /// Nobody yet.
        Nobody = "nobody", "nobody yet";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_is_what_serde_writes() {
        for health in Health::ALL {
            assert_eq!(health.code().parse(), Ok(*health));
            assert_eq!(serde_json::to_value(health).unwrap(), serde_json::json!(health.code()));
        }
        assert!("fine".parse::<Health>().unwrap_err().contains("is not one of reauthorization_required"));
    }

    #[test]
    fn worst_comes_first_and_unknown_is_never_well() {
        assert!(Health::ReauthorizationRequired.rank() < Health::Healthy.rank());
        assert!(Health::Unknown.needs_attention());
        assert!(!Health::FirstSync.needs_attention() && !Health::Paused.needs_attention());
    }
}
