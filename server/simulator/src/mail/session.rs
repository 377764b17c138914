//! One conversation by SMTP, without a socket: bytes in, answers and letters out. The grammar is that of `smtp-proto`.

use smtp_proto::request::receiver::{DataReceiver, DummyDataReceiver, RequestReceiver};
use smtp_proto::{
    EXT_8BIT_MIME, EXT_ENHANCED_STATUS_CODES, EXT_PIPELINING, EXT_SIZE, EXT_SMTP_UTF8, EhloResponse, Error, Request,
    Response,
};

/// The largest letter that is taken, in bytes.
pub(super) const LARGEST: usize = 1024 * 1024;
/// The most recipients of a letter.
const MOST_RECIPIENTS: usize = 100;
/// Who has said so much that makes no sense, speaks something else.
const MOST_ERRORS: usize = 20;
/// What is said first.
pub(super) const GREETING: &[u8] = b"220 localhost ESMTP, the mail catcher\r\n";

/// What was handed in: from whom and to whom by its envelope, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) raw: Vec<u8>,
}

/// One conversation.
pub(super) struct Session {
    phase: Phase,
    from: Option<String>,
    to: Vec<String>,
    errors: usize,
}

enum Phase {
    Commands(RequestReceiver),
    Body(DataReceiver, Vec<u8>),
    /// The rest of a letter that is too large: read on, so that the answer is read too.
    TooLarge(DummyDataReceiver),
}

impl Session {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Commands(RequestReceiver::default()), from: None, to: Vec::new(), errors: 0 }
    }

    /// Takes what came, in whatever pieces; false ends the conversation, after what stands in `answer` was said.
    pub(super) fn take(&mut self, bytes: &[u8], answer: &mut Vec<u8>, letters: &mut Vec<Letter>) -> bool {
        let mut bytes = bytes.iter();
        while !bytes.as_slice().is_empty() {
            match &mut self.phase {
                Phase::Commands(receiver) => match receiver.ingest(&mut bytes).map(Request::into_owned) {
                    Ok(Request::Quit) => {
                        say(answer, 221, [2, 0, 0], "Bye");
                        return false;
                    }
                    Ok(request) => self.obey(request, answer),
                    Err(Error::NeedsMoreData { .. }) => break,
                    Err(error) => {
                        self.errors += 1;
                        say(answer, 500, [5, 5, 2], &error.to_string());
                        if self.errors >= MOST_ERRORS {
                            return false;
                        }
                    }
                },
                Phase::Body(receiver, raw) => {
                    let done = receiver.ingest(&mut bytes, raw);
                    let fits = raw.len() <= LARGEST;
                    match (done, fits) {
                        (true, true) => {
                            let raw = std::mem::take(raw);
                            letters.push(Letter {
                                from: self.from.take().unwrap_or_default(),
                                to: std::mem::take(&mut self.to),
                                raw,
                            });
                            self.begin();
                            say(answer, 250, [2, 6, 0], "Caught");
                        }
                        (true, false) => self.refuse(answer),
                        (false, true) => {}
                        (false, false) => self.phase = Phase::TooLarge(DummyDataReceiver::new_data(receiver)),
                    }
                }
                Phase::TooLarge(receiver) => {
                    if receiver.ingest(&mut bytes) {
                        self.refuse(answer);
                    }
                }
            }
        }
        true
    }

    fn obey(&mut self, request: Request<String>, answer: &mut Vec<u8>) {
        match request {
            Request::Ehlo { .. } => {
                self.begin();
                let known = EhloResponse {
                    capabilities: EXT_8BIT_MIME | EXT_ENHANCED_STATUS_CODES | EXT_PIPELINING | EXT_SIZE | EXT_SMTP_UTF8,
                    size: LARGEST,
                    ..EhloResponse::new("localhost")
                };
                let _ = known.write(answer);
            }
            Request::Helo { .. } => {
                self.begin();
                say(answer, 250, [2, 0, 0], "localhost");
            }
            Request::Mail { from } if from.size > LARGEST => say(answer, 552, [5, 3, 4], TOO_LARGE),
            Request::Mail { from } => {
                self.to.clear();
                self.from = Some(from.address);
                say(answer, 250, [2, 1, 0], "OK");
            }
            Request::Rcpt { .. } if self.from.is_none() => say(answer, 503, [5, 5, 1], "First MAIL"),
            Request::Rcpt { .. } if self.to.len() >= MOST_RECIPIENTS => {
                say(answer, 452, [4, 5, 3], "Too many recipients")
            }
            Request::Rcpt { to } => {
                self.to.push(to.address);
                say(answer, 250, [2, 1, 5], "OK");
            }
            Request::Data if self.to.is_empty() => say(answer, 503, [5, 5, 1], "First MAIL and RCPT"),
            Request::Data => {
                self.phase = Phase::Body(DataReceiver::new(), Vec::new());
                answer.extend_from_slice(b"354 Go on; a line with a full stop alone ends it\r\n");
            }
            Request::Rset => {
                self.begin();
                say(answer, 250, [2, 0, 0], "OK");
            }
            Request::Noop { .. } => say(answer, 250, [2, 0, 0], "OK"),
            Request::Vrfy { .. } => say(answer, 252, [2, 5, 0], "Whoever it is, it is caught"),
            other => say(answer, 502, [5, 5, 1], &format!("{} is not known here", other.name())),
        }
    }

    /// Forgets the letter that was begun.
    fn begin(&mut self) {
        (self.from, self.to) = (None, Vec::new());
        self.phase = Phase::Commands(RequestReceiver::default());
    }

    fn refuse(&mut self, answer: &mut Vec<u8>) {
        self.begin();
        say(answer, 552, [5, 3, 4], TOO_LARGE);
    }
}

const TOO_LARGE: &str = "Letters of up to 1 MiB are caught";

/// Writes into memory, which cannot fail.
fn say(answer: &mut Vec<u8>, code: u16, [class, subject, detail]: [u8; 3], words: &str) {
    let _ = Response::new(code, class, subject, detail, words).write(answer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All that is said and caught when these pieces come.
    fn hold<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, Vec<Letter>, bool) {
        let (mut session, mut answer, mut letters) = (Session::new(), Vec::new(), Vec::new());
        let goes_on = pieces.into_iter().all(|piece| session.take(piece, &mut answer, &mut letters));
        (String::from_utf8(answer).unwrap(), letters, goes_on)
    }

    const TWO: &[u8] = b"EHLO here\r\nMAIL FROM:<a@b.example> SIZE=40\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<e@d.example>\r\nDATA\r\n\
        Subject: One\r\n\r\n..dotted\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: Two\r\n\r\nBody\r\n.\r\nQUIT\r\n";

    #[test]
    fn letters_are_caught_one_after_the_other() {
        let (said, letters, goes_on) = hold([TWO]);
        assert!(!goes_on && said.ends_with("221 2.0.0 Bye\r\n"), "{said}");
        assert!(said.contains("250-SIZE 1048576") || said.contains("250 SIZE 1048576"), "{said}");
        assert!(!said.contains("AUTH") && !said.contains("STARTTLS"), "{said}");
        assert_eq!(letters[0].to, ["c@d.example", "e@d.example"]);
        assert_eq!(letters[0].raw, b"Subject: One\r\n\r\n.dotted\r\n");
        assert_eq!((letters[1].from.as_str(), letters[1].raw.as_slice()), ("", &b"Subject: Two\r\n\r\nBody\r\n"[..]));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words() {
        for (lines, said) in [
            ("RCPT TO:<a@b.example>\r\n", "503 5.5.1"),
            ("DATA\r\n", "503 5.5.1"),
            ("MAIL FROM:<a@b.example>\r\nDATA\r\n", "250 2.1.0 OK\r\n503 5.5.1"),
            ("MAIL FROM:<a@b.example> SIZE=1048577\r\n", "552 5.3.4"),
            ("STARTTLS\r\n", "502 5.5.1"),
            ("HELP\r\n", "502 5.5.1"),
            ("GET / HTTP/1.1\r\n", "500 5.5.2"),
            ("NOOP\r\nRSET\r\n", "250 2.0.0 OK\r\n250 2.0.0 OK"),
        ] {
            let (answer, letters, goes_on) = hold([lines.as_bytes()]);
            assert!(answer.starts_with(said) && letters.is_empty() && goes_on, "{lines:?}: {answer}");
        }
        let (answer, _, goes_on) = hold(std::iter::repeat_n(&b"GET / HTTP/1.1\r\n"[..], 30));
        assert_eq!((answer.lines().count(), goes_on), (MOST_ERRORS, false));
    }

    #[test]
    fn what_is_too_large_is_read_to_its_end_and_refused() {
        let line = [b"x".repeat(998), b"\r\n".to_vec()].concat();
        let begun = &b"MAIL FROM:<a@b.example>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n"[..];
        let ended = &b".\r\nNOOP\r\n"[..];
        let (answer, letters, _) =
            hold(std::iter::once(begun).chain(std::iter::repeat_n(&line[..], 1_100)).chain([ended]));
        assert!(
            letters.is_empty() && answer.ends_with("552 5.3.4 Letters of up to 1 MiB are caught\r\n250 2.0.0 OK\r\n")
        );
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(cuts in prop::collection::btree_set(1..TWO.len(), 0..12)) {
            let edges: Vec<usize> = [0].into_iter().chain(cuts).chain([TWO.len()]).collect();
            let pieces = edges.windows(2).map(|edge| &TWO[edge[0]..edge[1]]);
            prop_assert_eq!(hold(pieces), hold([TWO]));
        }

        #[test]
        fn nothing_that_comes_breaks_it(bytes in prop::collection::vec(any::<u8>(), 0..600), size in 1..64usize) {
            hold(bytes.chunks(size));
        }
    }
}
