//! Slack, by an incoming webhook. Its address is a secret: it is in no error, no log and no answer.

use super::{Addresses, Message, Outcome, exchange, of_send};
use crate::http::Client;
use crate::vault::Secret;
use chrono::{DateTime, Utc};
use model::Severity;
use serde_json::{Value, json};

/// Slack takes 150 characters in a header, 3,000 in a section, 50 blocks.
const HEADER: usize = 150;
const SECTION: usize = 2_900;
/// More lines than these are counted: each takes a block.
const LINES: usize = 15;

/// Sends a message.
pub async fn send(
    client: &Client,
    webhook: &Secret,
    message: &Message,
    addresses: &Addresses,
    maybe_repeat: bool,
    now: DateTime<Utc>,
) -> Outcome {
    let request = match client.request(reqwest::Method::POST, webhook.expose()) {
        Ok(request) => request.json(&payload(message, addresses, maybe_repeat)),
        Err(refused) => return of_send(&refused.into()),
    };
    exchange(request, now).await.0
}

/// What Slack calls a payload: blocks, and a text for where there are none.
pub fn payload(message: &Message, addresses: &Addresses, maybe_repeat: bool) -> Value {
    let mark = match message.severity {
        _ if message.firing == 0 => "✅",
        Severity::Critical => "🔴",
        Severity::Warning => "🟠",
        Severity::Info => "🔵",
    };
    let mut blocks = vec![json!({
        "type": "header",
        "text": {"type": "plain_text", "text": cut(&format!("{mark} {}", message.title), HEADER), "emoji": true},
    })];
    for said in [maybe_repeat.then(|| Message::REPEAT.to_owned()), message.instead()].into_iter().flatten() {
        blocks.push(context(&format!("⚠️ {}", escape(&said))));
    }
    blocks.push(section(&escape(&message.summary)));
    for line in message.lines.iter().take(LINES) {
        let mut text = format!("*<{}|{}>*", line.link, escape(&line.name()));
        match line.over_at {
            Some(at) => text.push_str(&format!(" — over since {}", date(at))),
            None => text.push_str(&format!(" — {}\nSince {}", escape(&line.what), date(line.since))),
        }
        if line.over_at.is_none() {
            for (name, said) in [("Why", line.why()), ("Known by", line.proof()), ("Next", line.next_step.clone())] {
                if let Some(said) = said {
                    text.push_str(&format!("\n*{name}:* {}", escape(&said)));
                }
            }
        }
        blocks.push(section(&text));
    }
    let more = message.more + message.lines.len().saturating_sub(LINES);
    if more > 0 {
        blocks.push(context(&format!("… and {more} more")));
    }
    if let Some(note) = &message.note {
        blocks.push(section(&format!("📝 {}", escape(note))));
    }
    let button = |text: &str, url: &str, style: Option<&str>| {
        let mut button = json!({"type": "button", "text": {"type": "plain_text", "text": text}, "url": url});
        if let Some(style) = style {
            button["style"] = json!(style);
        }
        button
    };
    let mut buttons = Vec::new();
    if let Some(url) = &addresses.acknowledge {
        buttons.push(button("Acknowledge", url, Some("primary")));
    }
    if let Some(url) = &addresses.silence {
        buttons.push(button("Silence", url, None));
    }
    buttons.push(button("Open", &message.open, None));
    blocks.push(json!({"type": "actions", "elements": buttons}));
    json!({"text": escape(&message.title), "blocks": blocks, "unfurl_links": false, "unfurl_media": false})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": cut_markup(text, SECTION)}})
}

fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [{"type": "mrkdwn", "text": cut_markup(text, SECTION)}]})
}

/// A time in the reader's own zone, as Slack shows it.
fn date(at: DateTime<Utc>) -> String {
    format!("<!date^{}^{{date_short_pretty}} {{time}}|{}>", at.timestamp(), at.format("%-d %b %H:%M UTC"))
}

/// The three characters that mean something to Slack.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// At most so many UTF-16 units: the strictest way to count characters.
fn cut(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut room = most - 1;
    let fits = |letter: &char| {
        let left = room.checked_sub(letter.len_utf16());
        room = left.unwrap_or(room);
        left.is_some()
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// The same for text with markup in it: what would break off within an entity or a link ends before it.
fn cut_markup(text: &str, most: usize) -> String {
    let mut kept = cut(text, most);
    if kept == text {
        return kept;
    }
    for (opens, closes) in [('<', '>'), ('&', ';')] {
        if let Some(at) = kept.rfind(opens).filter(|at| !kept[*at..].contains(closes)) {
            kept.truncate(at);
            kept.push('…');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn it_fits_says_all_and_escapes() {
        let mut message = sample("team", "https://l.example", DateTime::UNIX_EPOCH);
        message.title = "x".repeat(400);
        message.lines = (0..20).map(|_| message.lines[1].clone()).collect();
        (message.more, message.instead_of) = (7, Some("<mail>".to_owned()));
        let addresses = Addresses { acknowledge: Some("https://l.example/a/1".into()), silence: None };
        let payload = payload(&message, &addresses, true);
        let blocks = payload["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50);
        assert_eq!(blocks[0]["text"]["text"].as_str().unwrap().encode_utf16().count(), HEADER);
        let text = payload.to_string();
        assert!(
            text.contains("Sample &amp; Sons") && text.contains("Possible repeat") && text.contains("&lt;mail&gt;")
        );
        assert!(text.contains("… and 12 more") && text.contains("https://l.example/a/1"));
        for section in blocks.iter().filter(|block| block["type"] == "section") {
            let text = section["text"]["text"].as_str().unwrap();
            assert!(!text.is_empty() && text.chars().count() <= 3_000);
        }
        assert!(!blocks.last().unwrap()["elements"].as_array().unwrap().is_empty(), "Slack refuses empty actions");
    }

    #[test]
    fn what_is_cut_stays_whole_markup() {
        for (text, most, kept) in [
            ("a & b", 9, "a & b"),
            ("🔴🔴🔴", 6, "🔴🔴🔴"),
            ("🔴🔴🔴", 5, "🔴🔴…"),
            ("🔴🔴🔴", 4, "🔴…"),
            ("x".repeat(9).as_str(), 4, "xxx…"),
        ] {
            assert_eq!(cut(text, most), kept);
        }
        for (text, kept) in [
            ("abcdef&amp;&amp;", "abcdef…"),
            ("abc&lt;&gt;xyz", "abc&lt;…"),
            ("a<https://l.example|b>", "a…"),
            ("<b|c> abcdefgh", "<b|c> abc…"),
        ] {
            assert_eq!(cut_markup(text, 10), kept);
        }
    }
}
