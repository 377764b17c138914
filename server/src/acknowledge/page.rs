//! The pages, in plain words.

use crate::reconnect::page::{Page, escape, page};
use axum::http::StatusCode;
use engine::tell::{Link, LinkError, Purpose};
use model::{Refusal, Silence};

const BACK: &str = "<p><a href=\"/alerts\">See all alerts</a></p>";

/// The page before anything is done: the one button. Of a link that is over, the button does nothing and it is said why.
pub fn ready(link: &Link) -> Page {
    let title = match link.purpose {
        Purpose::Acknowledge => "Acknowledge these alerts",
        Purpose::Silence => "Silence these alerts",
    };
    if let Some(by) = &link.used_by {
        let said = format!("{} has used this link already.", escape(by));
        return over(title, &said);
    }
    if link.expired {
        return over(title, "This link is too old: links work for a week. Use that of a newer message.");
    }
    if link.firing == 0 {
        return over(title, "Nothing of it fires any more.");
    }
    let names: String = link.names.iter().map(|name| format!("<li>{}</li>", escape(name))).collect();
    let more = match link.firing.saturating_sub(link.names.len()) {
        0 => String::new(),
        more => format!("<p>… and {more} more.</p>"),
    };
    let (said, form) = match link.purpose {
        Purpose::Acknowledge => {
            let said = "You say that you have seen to it. Nobody is reminded of these alerts while they fire.";
            (said, "<button>Acknowledge</button>".to_owned())
        }
        Purpose::Silence => {
            let said = "Nobody is told of these alerts for a while. What still fires after it is told.";
            let hours: String = [(1, "an hour"), (4, "4 hours"), (24, "a day"), (72, "3 days")]
                .iter()
                .map(|(hours, words)| format!("<option value=\"{hours}\">{words}</option>"))
                .collect();
            (
                said,
                format!(
                    "<p><label>For <select name=\"hours\">{hours}</select></label></p><p><button>Silence</button></p>"
                ),
            )
        }
    };
    let body = format!("<p>{said}</p><ul>{names}</ul>{more}<form method=\"post\">{form}</form>");
    page(StatusCode::OK, title, body)
}

/// They are somebody's now.
pub fn taken(count: usize) -> Page {
    let said = match count {
        0 => "Somebody has them already, or they are over.".to_owned(),
        1 => "One alert is yours now. Nobody is reminded of it while it fires.".to_owned(),
        n => format!("{n} alerts are yours now. Nobody is reminded of them while they fire."),
    };
    page(StatusCode::OK, "Acknowledged", format!("<p>{said}</p>{BACK}"))
}

/// They are silenced.
pub fn silenced(silence: &Silence) -> Page {
    let until = silence.ends_at.format("%-d %B %Y, %H:%M UTC");
    page(StatusCode::OK, "Silenced", format!("<p>Nobody is told of these alerts until {until}.</p>{BACK}"))
}

/// It cannot be done.
pub fn refused(error: &LinkError) -> Page {
    match error {
        LinkError::Unknown => {
            let said = "Perhaps a part of it is missing. Copy the whole link from the message into your browser's address bar.";
            page(StatusCode::NOT_FOUND, "This link is not known", format!("<p>{said}</p>{BACK}"))
        }
        LinkError::Over => {
            over("This link no longer works", "It was used already, or is too old. Use that of a newer message.")
        }
        LinkError::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            page(status, Refusal::title(refusal), format!("<p>{}</p>{BACK}", escape(&refusal.to_string())))
        }
    }
}

fn over(title: &str, said: &str) -> Page {
    let body = format!("<p>{said}</p><p><button disabled>Done</button></p>{BACK}");
    page(StatusCode::GONE, title, body)
}
