//! A mail's two bodies. Both say all of it; the HTML needs no picture and no style sheet.

use crate::notify::{Addresses, Line, Message};
use model::Severity;

/// As text.
pub fn plain(message: &Message, addresses: &Addresses, maybe_repeat: bool) -> String {
    let mut text = Vec::new();
    text.extend(maybe_repeat.then(|| Message::REPEAT.to_owned()));
    text.extend(message.instead());
    text.push(message.summary.clone());
    text.push(String::new());
    for line in &message.lines {
        text.push(format!("* {}", line.name()));
        text.extend(facts(line).into_iter().map(|(name, said)| format!("  {name}: {said}")));
        text.push(format!("  {}", line.link));
        text.push(String::new());
    }
    if message.more > 0 {
        text.push(format!("… and {} more.\n", message.more));
    }
    if let Some(note) = &message.note {
        text.push(format!("Note: {note}\n"));
    }
    for (name, url) in links(message, addresses) {
        text.push(format!("{name}: {url}"));
    }
    text.join("\r\n")
}

/// As HTML.
pub fn html(message: &Message, addresses: &Addresses, maybe_repeat: bool) -> String {
    let colour = match message.severity {
        _ if message.firing == 0 => "#1a7f4b",
        Severity::Critical => "#b3261e",
        Severity::Warning => "#a15c00",
        Severity::Info => "#1c5fa8",
    };
    let mut body = format!(
        "<p style=\"margin:0 0 12px;font-size:18px;font-weight:600;border-left:4px solid {colour};padding-left:10px\">{}</p>",
        escape(&message.title)
    );
    for said in [maybe_repeat.then(|| Message::REPEAT.to_owned()), message.instead()].into_iter().flatten() {
        body.push_str(&format!("<p style=\"color:#5b6072\">{}</p>", escape(&said)));
    }
    body.push_str(&format!("<p>{}</p>", escape(&message.summary)));
    for line in &message.lines {
        body.push_str(&format!(
            "<p style=\"margin:14px 0 0\"><a href=\"{}\" style=\"font-weight:600\">{}</a>",
            escape(&line.link),
            escape(&line.name())
        ));
        for (name, said) in facts(line) {
            body.push_str(&format!("<br><span style=\"color:#5b6072\">{name}:</span> {}", escape(&said)));
        }
        body.push_str("</p>");
    }
    if message.more > 0 {
        body.push_str(&format!("<p>… and {} more.</p>", message.more));
    }
    if let Some(note) = &message.note {
        body.push_str(&format!("<p style=\"background:#f3f2ec;padding:8px 10px\">{}</p>", escape(note)));
    }
    body.push_str("<p style=\"margin-top:20px\">");
    for (name, url) in links(message, addresses) {
        body.push_str(&format!(
            "<a href=\"{}\" style=\"display:inline-block;margin:0 8px 8px 0;padding:9px 16px;border:1px solid #1c5fa8;border-radius:6px;\
             text-decoration:none;color:#1c5fa8\">{name}</a>",
            escape(url)
        ));
    }
    body.push_str("</p>");
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"></head><body style=\"font:15px/1.5 system-ui,sans-serif;color:#1c2030;\
         max-width:640px\">{body}</body></html>"
    )
}

fn facts(line: &Line) -> Vec<(&'static str, String)> {
    let time = |at: chrono::DateTime<chrono::Utc>| at.format("%-d %b %Y %H:%M UTC").to_string();
    if let Some(at) = line.over_at {
        return vec![("Over since", time(at)), ("It began", time(line.since))];
    }
    let mut facts = vec![("What", line.what.clone()), ("Since", time(line.since))];
    facts.extend(line.why().map(|why| ("Why", why)));
    facts.extend(line.proof().map(|proof| ("Known by", proof)));
    facts.extend(line.next_step.clone().map(|step| ("Next", step)));
    facts
}

fn links<'a>(message: &'a Message, addresses: &'a Addresses) -> Vec<(&'static str, &'a str)> {
    let one = |name, url: &'a Option<String>| url.as_deref().map(|url| (name, url));
    let mut links: Vec<_> = [one("Acknowledge", &addresses.acknowledge), one("Silence", &addresses.silence)]
        .into_iter()
        .flatten()
        .collect();
    links.push(("Open in Linewatch", &message.open));
    links
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn both_say_all_of_it() {
        let message = crate::notify::sample("a", "https://l.example", DateTime::UNIX_EPOCH);
        let addresses = Addresses { acknowledge: Some("https://l.example/a/1".into()), silence: None };
        for (body, name) in [
            (plain(&message, &addresses, true), "Sample & Sons NetSuite"),
            (html(&message, &addresses, true), "Sample &amp; Sons NetSuite"),
        ] {
            for part in [
                name,
                "Possible repeat",
                "https://l.example/a/1",
                "Ask the customer to connect again",
                "Open in Linewatch",
            ] {
                assert!(body.contains(part), "{part}: {body}");
            }
        }
    }
}
