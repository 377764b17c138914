//! The mails that were caught: read once, kept in memory, bounded.

use super::session::Letter;
use crate::clock::{self, Moment};
use mail_parser::{Addr, MessageParser, PartType};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// So many of the newest are kept.
pub(super) const MOST: usize = 200;
/// And so many bytes of them.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// A mail that was caught.
#[derive(Debug, Serialize)]
pub(super) struct Mail {
    pub(super) id: Uuid,
    /// When it came.
    #[serde(serialize_with = "clock::write")]
    pub(super) at: Moment,
    /// From whom, as it says; else as its envelope said.
    pub(super) from: String,
    /// To whom it really went.
    pub(super) to: Vec<String>,
    pub(super) subject: String,
    /// Name and value of each, in order, unfolded and otherwise as they came.
    pub(super) headers: Vec<Header>,
    /// Its plain part, if it has one.
    pub(super) text: Option<String>,
    /// Its HTML part, if it has one.
    pub(super) html: Option<String>,
    #[serde(skip)]
    pub(super) raw: Vec<u8>,
}

/// One header of a mail.
#[derive(Debug, Serialize)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: String,
}

impl Mail {
    /// Reads a letter. What cannot be read is empty; the bytes are kept all the same.
    pub(super) fn read(letter: Letter, id: Uuid, at: Moment) -> Self {
        let Letter { from, to, raw } = letter;
        let mut mail = Self {
            id,
            at,
            from,
            to,
            subject: String::new(),
            headers: Vec::new(),
            text: None,
            html: None,
            raw: Vec::new(),
        };
        if let Some(parsed) = MessageParser::default().parse(&raw).filter(|parsed| !parsed.parts.is_empty()) {
            if let Some(from) = parsed.from().and_then(|from| from.first()) {
                mail.from = address(from);
            }
            mail.subject = parsed.subject().unwrap_or_default().to_owned();
            mail.headers = parsed.headers().iter().map(|header| as_it_came(&raw, header)).collect();
            mail.text = parsed.text_bodies().find_map(|part| match &part.body {
                PartType::Text(text) => Some(text.to_string()),
                _ => None,
            });
            mail.html = parsed.html_bodies().find_map(|part| match &part.body {
                PartType::Html(html) => Some(html.to_string()),
                _ => None,
            });
        }
        Self { raw, ..mail }
    }

    fn bytes(&self) -> usize {
        let part = |part: &Option<String>| part.as_ref().map_or(0, String::len);
        // headers stand in the raw bytes too: at most as large again
        2 * self.raw.len() + part(&self.text) + part(&self.html)
    }
}

fn as_it_came(raw: &[u8], header: &mail_parser::Header<'_>) -> Header {
    let [field, start, end] = [header.offset_field(), header.offset_start(), header.offset_end()].map(|at| at as usize);
    let text = |part: std::ops::Range<usize>| String::from_utf8_lossy(raw.get(part).unwrap_or_default());
    let unfolded = text(start..end).split_whitespace().collect::<Vec<_>>().join(" ");
    Header { name: text(field..start).trim_end_matches(':').trim().to_owned(), value: unfolded }
}

fn address(addr: &Addr<'_>) -> String {
    let address = addr.address().unwrap_or_default();
    addr.name().map_or_else(|| address.to_owned(), |name| format!("{name} <{address}>"))
}

/// The newest mails. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Letters(Arc<Mutex<VecDeque<Arc<Mail>>>>);

impl Letters {
    /// Keeps one more; the oldest give way.
    pub(super) fn keep(&self, mail: Mail) {
        let mut kept = self.lock();
        kept.push_front(Arc::new(mail));
        let mut bytes: usize = kept.iter().map(|mail| mail.bytes()).sum();
        while kept.len() > MOST || (bytes > MOST_BYTES && kept.len() > 1) {
            bytes -= kept.pop_back().map_or(0, |gone| gone.bytes());
        }
    }

    /// All, newest first.
    pub(super) fn all(&self) -> Vec<Arc<Mail>> {
        self.lock().iter().cloned().collect()
    }

    /// The one of this id, if it is still kept.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Mail>> {
        let id: Uuid = id.parse().ok()?;
        self.lock().iter().find(|mail| mail.id == id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Mail>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(raw: &[u8]) -> Mail {
        let letter = Letter { from: "envelope@a.example".into(), to: vec!["b@c.example".into()], raw: raw.to_vec() };
        Mail::read(letter, Uuid::new_v4(), clock::now())
    }

    #[test]
    fn a_mail_is_read_in_both_its_parts() {
        let read = mail(
            b"From: =?utf-8?q?L=C3=ADnewatch?= <l@a.example>\r\nSubject: =?utf-8?b?U8O8ZA==?=\r\nreferences: <1@a>\r\n <2@a>\r\n\
              Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain\r\n\
              --x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<b>r=C3=BCch</b>\r\n--x--\r\n",
        );
        assert_eq!((read.from.as_str(), read.subject.as_str()), ("Línewatch <l@a.example>", "Süd"));
        assert_eq!(read.text.as_deref().map(str::trim), Some("plain"));
        assert_eq!(read.html.as_deref().map(str::trim), Some("<b>rüch</b>"));
        let names: Vec<_> = read.headers.iter().map(|header| header.name.as_str()).collect();
        assert_eq!(names, ["From", "Subject", "references", "Content-Type"]);
        let references = read.headers.iter().find(|header| header.name == "references").unwrap();
        assert_eq!(references.value, "<1@a> <2@a>");
    }

    #[test]
    fn what_cannot_be_read_is_kept_all_the_same() {
        for raw in [&b""[..], b"\r\n", b"no header at all", b"\xff\xfe\x00", b"Subject\r\n\r\n"] {
            let read = mail(raw);
            assert_eq!((read.from.as_str(), read.subject.as_str(), &*read.raw), ("envelope@a.example", "", raw));
        }
        let plain = mail(b"Subject: x\r\n\r\nonly text\r\n");
        assert_eq!((plain.text.as_deref().map(str::trim), plain.html), (Some("only text"), None));
    }

    #[test]
    fn only_the_newest_are_kept() {
        let letters = Letters::default();
        for n in 0..MOST + 5 {
            letters.keep(mail(format!("Subject: {n}\r\n\r\n").as_bytes()));
        }
        let all = letters.all();
        assert_eq!((all.len(), all[0].subject.as_str(), all[MOST - 1].subject.as_str()), (MOST, "204", "5"));
        assert!(letters.find(&all[3].id.to_string()).is_some() && letters.find("3").is_none());

        let large = [b"Subject: large\r\n\r\n".to_vec(), b"x".repeat(1024 * 1024)].concat();
        for _ in 0..40 {
            letters.keep(mail(&large));
        }
        let all = letters.all();
        assert!(all.len() < 20 && all.iter().map(|mail| mail.bytes()).sum::<usize>() <= MOST_BYTES, "{}", all.len());
    }
}
