//! `cursor` and `limit`. A cursor names the last thing seen, not a distance from the start, so that what is deleted in
//! between moves nothing.

use crate::error::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

const DEFAULT: usize = 100;
const MOST: usize = 500;

/// The query of a list, as it came.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Paging {
    cursor: Option<String>,
    limit: Option<String>,
}

impl Paging {
    /// From a query that has more in it.
    pub(crate) fn new(cursor: Option<String>, limit: Option<String>) -> Self {
        Self { cursor, limit }
    }

    /// How many are wanted.
    pub(crate) fn limit(&self) -> Result<usize, ApiError> {
        match self.limit.as_deref() {
            None => Ok(DEFAULT),
            Some(text) => match text.parse() {
                Ok(limit) if (1..=MOST).contains(&limit) => Ok(limit),
                _ => Err(ApiError::invalid(format!("limit takes a number from 1 to {MOST}"))),
            },
        }
    }

    /// After which one to go on.
    pub(crate) fn after(&self) -> Result<Option<u64>, ApiError> {
        match self.cursor.as_deref() {
            None | Some("") => Ok(None),
            Some(cursor) => read(cursor).map(Some).ok_or_else(|| ApiError::invalid("this cursor is not one of ours")),
        }
    }
}

/// The cursor that goes on after this one.
pub(crate) fn write(last: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{last}"))
}

fn read(cursor: &str) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("after:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_foreign_ones_are_refused() {
        assert_eq!(read(&write(41)), Some(41));
        assert_eq!(read("41"), None);
        assert_eq!(read("%%%"), None);
        let of = |limit: &str| Paging { cursor: None, limit: Some(limit.to_owned()) }.limit().ok();
        assert_eq!(of("500"), Some(500));
        assert_eq!((of("0"), of("501"), of("many"), of("-1")), (None, None, None, None));
    }
}
