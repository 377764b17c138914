//! Believable customers and their connections, all of them drawn from one seed. The first n connections of a seed are the same
//! however many are asked for.

use crate::clock::Moment;
use crate::connection::{Owner, Profile};
use crate::names::{CADENCES, FAMILY, FIRST, GIVEN, MAILBOX, REGIONS, Region, TRADE};
use crate::platforms::{self, Platform};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

struct Customer {
    id: String,
    name: String,
    domain: String,
    region: &'static Region,
}

/// The connections of a seed.
pub(crate) fn draw(seed: u64, count: usize) -> Vec<Arc<Profile>> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut names = HashSet::new();
    let mut keys = HashSet::with_capacity(count);
    let mut number = dice.random_range(10_000..11_000_u32);
    let mut profiles = Vec::with_capacity(count);
    while profiles.len() < count {
        number += dice.random_range(1..40);
        let customer = customer(&mut dice, number, &mut names);
        // Most customers own one connection; some two to four, on different platforms or sites.
        let owned = *[1, 1, 1, 1, 1, 1, 2, 2, 3, 4].choose(&mut dice).unwrap_or(&1);
        let mut systems: Vec<&'static Platform> = Vec::new();
        while systems.len() < owned {
            let platform = platforms::any(&mut dice);
            if systems.iter().all(|other| other.slug != platform.slug) {
                systems.push(platform);
            }
        }
        for platform in systems {
            profiles.push(Arc::new(connection(&mut dice, &customer, platform, &mut keys)));
        }
    }
    profiles.truncate(count);
    profiles
}

fn customer(dice: &mut StdRng, number: u32, names: &mut HashSet<String>) -> Customer {
    let region = REGIONS.choose(dice).unwrap_or(&REGIONS[0]);
    let short = loop {
        let trade = pick(dice, &TRADE);
        let name = match dice.random_range(0..4) {
            0 => format!("{} & {} {trade}", pick(dice, &FAMILY), pick(dice, &FAMILY)),
            1 => format!("{} {trade}", pick(dice, &FAMILY)),
            2 => format!("{} {} {trade}", pick(dice, &FIRST), pick(dice, region.2)),
            _ => format!("{} {trade}", pick(dice, &FIRST)),
        };
        if names.insert(name.clone()) {
            break name;
        }
    };
    let name = format!("{short} {}", pick(dice, region.1));
    Customer { id: format!("C-{number}"), name, domain: format!("{}.example", ascii(&short)), region }
}

fn connection(dice: &mut StdRng, customer: &Customer, platform: &'static Platform, keys: &mut HashSet<u64>) -> Profile {
    let key = loop {
        let key = dice.random_range(1..10_000_000_000_u64);
        if keys.insert(key) {
            break key;
        }
    };
    let site = dice.random_bool(0.55).then(|| pick(dice, customer.region.2).to_owned());
    let name = match &site {
        Some(site) => format!("{} – {} ({site})", customer.name, platform.name),
        None => format!("{} – {}", customer.name, platform.name),
    };
    let mailbox = if dice.random_bool(0.5) {
        pick(dice, &MAILBOX).to_owned()
    } else {
        format!("{}.{}", pick(dice, &GIVEN), ascii(pick(dice, &FAMILY)))
    };
    Profile {
        id: format!("0900{key:010}"),
        name,
        email: format!("{mailbox}@{}", customer.domain),
        owner: Some(Owner { id: customer.id.clone(), name: customer.name.clone() }),
        site,
        region: dice.random_bool(0.7).then_some(customer.region.0),
        platform,
        cadence: Duration::from_secs(60 * CADENCES.choose(dice).copied().unwrap_or(30)),
        volume: dice.random_range(4..90),
        phase: dice.random(),
        // Not drawn: whoever draws once more draws all that follows otherwise.
        sandbox: key % 12 == 5,
        created_at: created(key),
    }
}

/// Some moment in 2023 or 2024.
fn created(key: u64) -> Moment {
    const FIRST: i64 = 1_672_531_200;
    let later = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (2 * 365 * 86_400);
    Moment::from_timestamp(FIRST + i64::try_from(later).unwrap_or_default(), 0).unwrap_or_default()
}

fn pick(dice: &mut StdRng, from: &[&'static str]) -> &'static str {
    from.choose(dice).copied().unwrap_or_default()
}

/// A name as it may stand in a host name.
fn ascii(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' => out.push(letter),
            'ö' | 'ø' => out.push('o'),
            'ä' | 'å' => out.push('a'),
            'ç' => out.push('c'),
            'ü' => out.push('u'),
            _ if out.ends_with('-') || out.is_empty() => {}
            _ => out.push('-'),
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn the_same_seed_draws_the_same_connections() {
        let (one, two) = (draw(7, 300), draw(7, 300));
        assert_eq!(one, two);
        assert_eq!(one[..100], draw(7, 100)[..], "a larger fleet begins with the smaller one");
        assert_ne!(one[0].id, draw(8, 300)[0].id);
    }

    #[test]
    fn the_fleet_is_varied_and_every_key_is_new() {
        let fleet = draw(7, 2_000);
        let keys: HashSet<_> = fleet.iter().map(|profile| &profile.id).collect();
        assert_eq!(keys.len(), fleet.len());
        assert!(fleet.iter().all(|profile| profile.id.len() == 14 && profile.email.ends_with(".example")));
        assert!(fleet.iter().all(|profile| profile.email.is_ascii()), "addresses are plain");
        let mut owned: HashMap<&str, Vec<&str>> = HashMap::new();
        for profile in &fleet {
            owned.entry(&profile.owner.as_ref().expect("drawn with one").id).or_default().push(profile.platform.slug);
        }
        assert!(owned.values().filter(|systems| systems.len() > 1).count() > 100, "some own several");
        assert!(owned.len() > 800, "hundreds of names");
        let platforms: HashSet<_> = fleet.iter().map(|profile| profile.platform.slug).collect();
        assert_eq!(platforms.len(), platforms::PLATFORMS.len());
    }
}
