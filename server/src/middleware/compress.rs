//! Compresses what is made for one request: pages and JSON. Not streams of changes, whose events must not wait for more;
//! not files, which are compressed when they are built.

use tower_http::CompressionLevel;
use tower_http::compression::{CompressionLayer, DefaultPredicate};

/// The layer. Level 4: most of the gain, little of the time.
pub fn layer() -> CompressionLayer<DefaultPredicate> {
    CompressionLayer::new().quality(CompressionLevel::Precise(4)).compress_when(DefaultPredicate::new())
}
