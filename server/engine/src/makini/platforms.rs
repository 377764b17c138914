//! The platforms' names, where the list of connections has only a word for each.
//!
//! Asked for when a word comes that is not known yet, read no further than needed, and kept as long as the client. Where they
//! cannot be had, the word itself names the platform: nothing waits for a name.

use super::{
    Seen, UpstreamError,
    client::Inner,
    paging,
    transport::{Ask, LIST_BYTES},
    wire::{
        garbage,
        openapi_2025::{self, PlatformsPage},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A word that upstream's list does not hold is not looked for again so soon.
const AGAIN: TimeDelta = TimeDelta::hours(1);
/// More pages than this are not read.
const MOST_PAGES: u64 = 100;
/// More names than this are not kept.
const MOST_NAMES: usize = 20_000;

/// What is known of them.
#[derive(Default)]
pub(super) struct Platforms(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Slug and name, by either.
    by_word: HashMap<String, (String, String)>,
    /// When words were last looked for in vain.
    in_vain_at: Option<DateTime<Utc>>,
}

impl Known {
    fn of(&self, word: &str) -> Option<&(String, String)> {
        self.by_word.get(&spelled(word))
    }

    fn learn(&mut self, platform: (String, String)) {
        if self.by_word.len() < MOST_NAMES {
            let (slug, name) = (spelled(&platform.0), spelled(&platform.1));
            self.by_word.insert(slug, platform.clone());
            self.by_word.entry(name).or_insert(platform);
        }
    }
}

fn spelled(word: &str) -> String {
    word.trim().to_lowercase()
}

impl Platforms {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The words that are not known, if it is time to ask for them.
    fn wanted(&self, seen: &[Seen], now: DateTime<Utc>) -> HashSet<String> {
        let known = self.known();
        if known.in_vain_at.is_some_and(|at| now - at < AGAIN) {
            return HashSet::new();
        }
        let named = seen.iter().filter(|seen| seen.platform_slug != "unknown").map(|seen| &seen.platform_name);
        named.filter(|word| known.of(word).is_none()).cloned().collect()
    }
}

impl Inner {
    /// Gives the platforms of these connections their slugs and names.
    pub(super) async fn name_platforms(&self, seen: &mut [Seen]) {
        let now = self.transport.clock.now();
        let mut wanted = self.platforms.wanted(seen, now);
        if !wanted.is_empty() {
            if let Err(error) = self.read_platforms(&mut wanted).await {
                let (source, class) = (self.sign_in.source, error.class.code());
                tracing::info!(%source, class, "upstream does not name its platforms; their words stand for them: {error}");
            }
            if !wanted.is_empty() {
                self.platforms.known().in_vain_at = Some(now);
            }
        }
        let known = self.platforms.known();
        for seen in seen {
            if let Some((slug, name)) = known.of(&seen.platform_name) {
                (seen.platform_slug, seen.platform_name) = (slug.clone(), name.clone());
            }
        }
    }

    /// Reads on until nothing is wanted any more; what is left was not there.
    async fn read_platforms(&self, wanted: &mut HashSet<String>) -> Result<(), UpstreamError> {
        let mut page = 1;
        loop {
            let url = paging::numbered_url(&self.base_url, openapi_2025::PLATFORMS, page);
            let (reply, _) = self.as_account(&Ask::get("a page of platforms", url, None, LIST_BYTES), true).await?;
            let read = openapi_2025::platforms(&reply.body?, page);
            let PlatformsPage { some, next } = read.map_err(|why| garbage("a list of platforms", &why))?;
            let mut known = self.platforms.known();
            some.into_iter().for_each(|platform| known.learn(platform));
            wanted.retain(|word| known.of(word).is_none());
            match next {
                Some(next) if !wanted.is_empty() && next <= MOST_PAGES => page = next,
                _ => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::makini::wire;
    use model::{Dialect, Mappings};

    #[test]
    fn a_platform_is_known_by_its_slug_and_by_its_name_in_any_case() {
        let mut known = Known::default();
        known.learn(("INFOR-E".into(), "Infor EAM".into()));
        known.learn(("other".into(), "infor-e".into()));
        for word in ["infor-e", " INFOR-E ", "Infor EAM"] {
            assert_eq!(known.of(word).map(|(slug, _)| slug.as_str()), Some("INFOR-E"), "{word}");
        }
        assert_eq!(known.of("SAP"), None);
    }

    #[test]
    fn what_upstream_does_not_name_is_not_asked_for_with_every_page() {
        let body = br#"{"data": [{"key": "k", "integration_name": "Homegrown"}, {"key": "nameless"}]}"#;
        let seen = wire::list(Dialect::Openapi2025, body, &Mappings::default(), None).unwrap().seen;
        let (platforms, now) = (Platforms::default(), DateTime::UNIX_EPOCH);
        assert_eq!(platforms.wanted(&seen, now), HashSet::from(["Homegrown".to_owned()]));
        platforms.known().in_vain_at = Some(now);
        assert!(platforms.wanted(&seen, now + TimeDelta::minutes(59)).is_empty());
        assert!(!platforms.wanted(&seen, now + AGAIN).is_empty());
        platforms.known().learn(("homegrown".into(), "Home-grown".into()));
        assert!(platforms.wanted(&seen, now + AGAIN).is_empty());
    }
}
