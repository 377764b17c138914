//! The cookie of a session: unreadable for scripts, not sent along from other sites, and over https only where there is https.

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use engine::vault::Secret;
use std::time::Duration;

/// Its name.
pub const NAME: &str = "linewatch_session";

/// The value that a request brings.
pub fn read(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, value)| value).filter(|value| (1..=200).contains(&value.len()))
}

/// `Set-Cookie` for a new session.
pub fn set(session: &Secret, lasts: Duration, https: bool) -> Option<HeaderValue> {
    header(session.expose(), lasts, https)
}

/// `Set-Cookie` that takes it away.
pub fn clear(https: bool) -> Option<HeaderValue> {
    header("", Duration::ZERO, https)
}

fn header(value: &str, lasts: Duration, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{NAME}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}", lasts.as_secs());
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_found_among_others() {
        let headers = HeaderMap::from_iter([(COOKIE, "theme=dark; linewatch_session=abc; x=y=z".parse().unwrap())]);
        assert_eq!(read(&headers), Some("abc"));
        let headers =
            HeaderMap::from_iter([(COOKIE, "not_linewatch_session=abc; linewatch_session=".parse().unwrap())]);
        assert_eq!(read(&headers), None);
    }
}
