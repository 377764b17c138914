//! What the webhook door takes, and how long it lets anybody wait.

use std::time::Duration;

/// How much the door takes.
#[derive(Clone, Copy, Debug)]
pub struct DoorLimits {
    /// Bytes of one body.
    pub body: usize,
    /// Bytes of all bodies that are being read or wait to be stored.
    pub bytes_in_flight: usize,
    /// Rows of one batch.
    pub batch_rows: usize,
    /// How long one statement may take before its callers are refused.
    pub patience: Duration,
    /// How long anybody waits for an answer once a body is whole: upstream waits ten seconds.
    pub answer_within: Duration,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            bytes_in_flight: 64 << 20,
            batch_rows: 512,
            patience: Duration::from_secs(4),
            answer_within: Duration::from_secs(8),
        }
    }
}
