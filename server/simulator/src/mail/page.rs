//! What people see.

use super::letters::{MOST, Mail};
use crate::clock;
use std::sync::Arc;

/// The look.
pub(super) const STYLE: &str = include_str!("page.css");
/// Looks again while the list is open.
pub(super) const SCRIPT: &str = include_str!("page.js");

/// The list, newest first.
pub(super) fn list(mails: &[Arc<Mail>]) -> String {
    let rows: String = mails
        .iter()
        .map(|mail| {
            format!(
                "<li><a href=\"/read/{}\"><b>{}</b><span>{} → {}</span>{}</a></li>",
                mail.id,
                escape(subject(mail)),
                escape(&mail.from),
                escape(&mail.to.join(", ")),
                when(mail),
            )
        })
        .collect();
    let shown = match mails.len() {
        0 => "<p class=\"empty\">Nothing was caught yet. Send a sample from <i>Alerts › Channels</i>, or wait until something fires.</p>"
            .to_owned(),
        _ => format!("<ol>{rows}</ol>"),
    };
    page(
        "Mail catcher",
        &format!(
            "<main data-live><h1>Mail catcher</h1><p class=\"quiet\">Every e-mail that is sent here ends here: nothing reaches anybody. \
             The newest {MOST} are kept until the end of the demo.</p>{shown}</main><script src=\"/page.js\"></script>"
        ),
    )
}

/// One mail.
pub(super) fn mail(mail: &Mail) -> String {
    let id = mail.id;
    let html = mail.html.as_ref().map_or_else(String::new, |_| {
        format!(
            "<h2>HTML</h2><iframe title=\"The mail as HTML\" src=\"/mails/{id}/html\" \
             sandbox=\"allow-popups allow-popups-to-escape-sandbox\" referrerpolicy=\"no-referrer\"></iframe>"
        )
    });
    let text = mail.text.as_ref().map_or_else(String::new, |text| format!("<h2>Text</h2><pre>{}</pre>", linked(text)));
    let headers: String = mail
        .headers
        .iter()
        .map(|header| format!("<dt>{}</dt><dd>{}</dd>", escape(&header.name), escape(&header.value)))
        .collect();
    page(
        &format!("{} · Mail catcher", escape(subject(mail))),
        &format!(
            "<main><p><a href=\"/\">All mails</a></p><h1>{}</h1><p class=\"quiet\">{} → {}<br>{}</p>{html}{text}\
             <details><summary>Headers</summary><dl>{headers}</dl></details><p><a href=\"/mails/{id}/raw\">As it came</a></p></main>\
             <script src=\"/page.js\"></script>",
            escape(subject(mail)),
            escape(&mail.from),
            escape(&mail.to.join(", ")),
            when(mail),
        ),
    )
}

/// There is nothing here.
pub(super) fn gone() -> String {
    page(
        "Not here",
        &format!(
            "<main><h1>This mail is not here</h1><p>Only the newest {MOST} are kept, until the end of the demo.</p>\
             <p><a href=\"/\">All mails</a></p></main>"
        ),
    )
}

/// A mail's own HTML, such that its links open beside it.
pub(super) fn framed(html: &str) -> String {
    format!("<!DOCTYPE html><base target=\"_blank\">{html}")
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/page.css\"></head>\
         <body>{body}</body></html>"
    )
}

fn subject(mail: &Mail) -> &str {
    if mail.subject.trim().is_empty() { "(no subject)" } else { &mail.subject }
}

fn when(mail: &Mail) -> String {
    let words = mail.at.format("%-d %b %Y, %H:%M:%S UTC");
    format!("<time datetime=\"{}\">{words}</time>", clock::stamp(mail.at))
}

/// Text in which addresses can be followed.
fn linked(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|piece| {
            let word = piece.trim_end();
            let rest = &piece[word.len()..];
            match word.starts_with("http://") || word.starts_with("https://") {
                true => format!("<a href=\"{0}\" target=\"_blank\" rel=\"noopener\">{0}</a>{rest}", escape(word)),
                false => escape(piece),
            }
        })
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::super::session::Letter;
    use super::*;
    use uuid::Uuid;

    #[test]
    fn nothing_of_a_mail_becomes_part_of_the_page() {
        let raw =
            b"From: \"<script>\" <a@b.example>\r\nSubject: <script>alert(1)</script>\r\nX-Odd: <img src=x>\r\n\r\n\
                    See https://l.example/a?b=1&c='2' <script>\r\n";
        let letter = Letter { from: "a@b.example".into(), to: vec!["<i>@c.example".into()], raw: raw.to_vec() };
        let read = Arc::new(Mail::read(letter, Uuid::new_v4(), clock::now()));
        for shown in [list(&[Arc::clone(&read)]), mail(&read)] {
            assert!(!shown.contains("<script>") && !shown.contains("<img") && !shown.contains("<i>@"), "{shown}");
            assert!(shown.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{shown}");
        }
        assert!(
            mail(&read).contains("<a href=\"https://l.example/a?b=1&amp;c=&#39;2&#39;\" target"),
            "{}",
            mail(&read)
        );
    }
}
