//! Codes that Makini Link gives a browser for a client: single-use, short-lived, for one connection and one way back.

use crate::clock::Moment;
use crate::tokens::fresh;
use std::collections::HashMap;
use std::time::Duration;

/// How long a code is good, in real time.
const LIFE: Duration = Duration::from_secs(60);
/// More than these are nobody's any more.
const MOST: usize = 1_000;

#[derive(Debug)]
struct Code {
    at: usize,
    redirect_uri: String,
    until: Moment,
}

/// All codes that are good, and what the control door has said of the next sign-ins. Neither survives a restart.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    good: HashMap<String, Code>,
    /// Whatever connection is asked for or chosen, the customer signs in to this one.
    pub(crate) sign_in_as: Option<usize>,
}

impl Codes {
    /// A code for a connection that was just signed in to.
    pub(crate) fn give(&mut self, at: usize, redirect_uri: &str, now: Moment) -> String {
        if self.good.len() >= MOST {
            self.good.retain(|_, code| code.until > now);
        }
        let code = fresh("mkac_");
        if self.good.len() < MOST {
            let redirect_uri = redirect_uri.to_owned();
            self.good.insert(code.clone(), Code { at, redirect_uri, until: now + LIFE });
        }
        code
    }

    /// The connection that a code is for. It is used up, also by whoever names another way back.
    pub(crate) fn take(&mut self, code: &str, redirect_uri: Option<&str>, now: Moment) -> Option<usize> {
        let code = self.good.remove(code)?;
        (code.until > now && redirect_uri == Some(code.redirect_uri.as_str())).then_some(code.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_code_is_good_once_for_a_minute_and_for_its_way_back() {
        let now = clock::now();
        let mut codes = Codes::default();
        let mut give = || codes.give(3, "https://a/r", now);
        let (good, late, stolen) = (give(), give(), give());
        assert_eq!(codes.take(&good, Some("https://a/r"), now), Some(3));
        assert_eq!(codes.take(&good, Some("https://a/r"), now), None, "once");
        assert_eq!(codes.take(&late, Some("https://a/r"), now + LIFE), None, "for a minute");
        assert_eq!(codes.take(&stolen, Some("https://b/r"), now), None, "for its way back");
        assert_eq!(codes.take(&stolen, Some("https://a/r"), now), None, "and used up by that");
    }
}
