//! Where to go after signing in: back to where the link pointed, but never to another site.

use axum::http::Uri;
use url::form_urlencoded::byte_serialize;

/// A path of ours, or the Overview. `//host` and `/\host` mean another site to a browser, and so may what it removes before
/// it looks: tabs and line ends.
pub fn local(next: &str) -> &str {
    let mut rest = next.chars();
    let ours = rest.next() == Some('/') && !matches!(rest.next(), Some('/' | '\\'));
    if ours && next.len() <= 2_000 && next.bytes().all(|byte| byte.is_ascii_graphic()) { next } else { "/" }
}

/// The sign-in page that comes back to this address.
pub fn login_for(uri: &Uri) -> String {
    let here = uri.path_and_query().map_or("/", |it| it.as_str());
    login_with(local(here))
}

/// The sign-in page that comes back to this path.
pub fn login_with(next: &str) -> String {
    format!("/login?next={}", byte_serialize(next.as_bytes()).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ours_are_kept() {
        for kept in ["/", "/connections?health=late&q=a%20b", "/a//b", "/login"] {
            assert_eq!(local(kept), kept);
        }
        for other in [
            "",
            "connections",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/\n",
            "/a b",
        ] {
            assert_eq!(local(other), "/", "{other:?}");
        }
    }

    #[test]
    fn comes_back_with_its_query() {
        assert_eq!(
            login_for(&"/connections?q=a&health=late".parse().unwrap()),
            "/login?next=%2Fconnections%3Fq%3Da%26health%3Dlate"
        );
    }
}
