//! Figures and states in plain language. Pure, so the server and the browser always say the same.

use model::{Connection, Count, Health, WebhookPulse};

/// A count with thin groups: 1,204.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count and its noun.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A count of a list, which may have stopped: 10,000+.
pub(crate) fn amount(n: Count) -> String {
    match n {
        Count::Exactly(n) => count(n),
        Count::Above => format!("{}+", count(n.at_least())),
    }
}

/// Such a count of connections.
pub(crate) fn connections(n: Count) -> String {
    format!("{} {}", amount(n), if n == Count::Exactly(1) { "connection" } else { "connections" })
}

/// How long something has lasted, as short as it can be said.
pub(crate) fn span(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        ..=59 => format!("{} s", seconds.max(1)),
        60..=3_599 => format!("{minutes} min"),
        3_600..=10_799 if minutes % 60 != 0 => format!("{hours} h {} min", minutes % 60),
        3_600..=172_799 => format!("{hours} h"),
        _ => format!("{days} days"),
    }
}

/// A duration that a person set, exactly, as it may be typed.
pub(crate) fn duration(seconds: i64) -> String {
    let whole = |unit: i64| (seconds % unit == 0).then_some(seconds / unit);
    match (whole(86_400), whole(3_600), whole(60)) {
        _ if seconds <= 0 => format!("{seconds} s"),
        (Some(1), ..) => "1 day".to_owned(),
        (Some(days), ..) => format!("{days} days"),
        (_, Some(hours), _) => format!("{hours} h"),
        (.., Some(minutes)) => format!("{minutes} min"),
        _ => format!("{seconds} s"),
    }
}

/// A cadence: every 15 min, hourly, daily.
pub(crate) fn every(seconds: i64) -> String {
    let seconds = if seconds > 600 { round(seconds) } else { seconds };
    match seconds {
        60 => "every minute".to_owned(),
        3_600 => "every hour".to_owned(),
        86_400 => "daily".to_owned(),
        604_800 => "weekly".to_owned(),
        _ => format!("every {}", duration(seconds)),
    }
}

/// What is known of webhooks: about every 15 min, learned from 96 webhooks.
pub(crate) fn learned(pulse: &WebhookPulse) -> String {
    let webhooks = counted(pulse.webhooks.unsigned_abs(), "webhook", "webhooks");
    format!("about {}, learned from {webhooks}", every(pulse.pause_seconds))
}

/// The same as the cadence of a connection that they feed.
pub(crate) fn real_time(pulse: &WebhookPulse) -> String {
    format!("fed in real time: {}", learned(pulse))
}

/// Learned cadences are crooked; nobody needs to know the seconds.
fn round(seconds: i64) -> i64 {
    let unit = if seconds > 36_000 { 3_600 } else { 60 };
    (seconds + unit / 2) / unit * unit
}

/// How a connection of this health is: “is late”.
pub(crate) fn is(health: Health) -> &'static str {
    match health {
        Health::ReauthorizationRequired => "must sign in again",
        Health::Offline => "is offline",
        Health::Failing => "is failing",
        Health::Late => "is late",
        Health::Unstable => "keeps changing",
        Health::Unknown => "cannot be judged",
        Health::FirstSync => "is in its first sync",
        Health::Paused => "is paused",
        Health::Healthy => "is healthy",
    }
}

/// The same for many.
pub(crate) fn are(health: Health) -> &'static str {
    match health {
        Health::ReauthorizationRequired => "must sign in again",
        Health::Offline => "are offline",
        Health::Failing => "are failing",
        Health::Late => "are late",
        Health::Unstable => "keep changing",
        Health::Unknown => "cannot be judged",
        Health::FirstSync => "are in their first sync",
        Health::Paused => "are paused",
        Health::Healthy => "are healthy",
    }
}

/// The headline of a connection: who, what, and the rest of the sentence.
pub(crate) fn headline(c: &Connection) -> (String, &'static str, String) {
    let (who, platform) = (&c.customer.name, &c.platform.name);
    match c.health {
        Health::ReauthorizationRequired => (who.clone(), is(c.health), format!(" to {platform}.")),
        health if who.ends_with('s') => (format!("{who}’ {platform}"), is(health), ".".to_owned()),
        health => (format!("{who}’s {platform}"), is(health), ".".to_owned()),
    }
}

/// Why, in few words.
pub(crate) fn why(c: &Connection) -> String {
    c.cause.as_ref().map(|cause| cause.code.words().to_owned()).unwrap_or_default()
}

/// Encodes a text for one value in an address.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped() {
        assert_eq!(
            ["0", "999", "1,204", "1,000,000"],
            [count(0), count(999), count(1_204), count(1_000_000)].each_ref().map(String::as_str)
        );
    }

    #[test]
    fn a_count_that_stopped_says_so() {
        assert_eq!(
            [0, 1, 10_000, 10_001].map(|n| connections(Count::stopped(n))),
            ["0 connections", "1 connection", "10,000 connections", "10,000+ connections"]
        );
    }

    #[test]
    fn what_is_learned_of_webhooks_is_said_with_its_grounds() {
        let pulse = WebhookPulse { pause_seconds: 240, webhooks: 212, last_at: None };
        assert_eq!(real_time(&pulse), "fed in real time: about every 4 min, learned from 212 webhooks");
        let one = WebhookPulse { pause_seconds: 86_400, webhooks: 1, last_at: None };
        assert_eq!(learned(&one), "about daily, learned from 1 webhook");
    }

    #[test]
    fn spans_and_cadences_are_short() {
        assert_eq!(
            [4, 840, 8_400, 18_000, 90_000, 1_036_800].map(span),
            ["4 s", "14 min", "2 h 20 min", "5 h", "25 h", "12 days"]
        );
        assert_eq!([900, 3_600, 86_400, 3_571].map(every), ["every 15 min", "every hour", "daily", "every hour"]);
    }
}
