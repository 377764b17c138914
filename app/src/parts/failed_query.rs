//! What the failed list is asked, and the address that says it: the names of the API, and how the list is looked at.

use super::text::encode;
use chrono::{DateTime, NaiveDate, Utc};
use model::{FailureQuery, Refusal};

/// What an address asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asks {
    /// Which failures.
    pub query: FailureQuery,
    /// By cause, not one by one.
    pub grouped: bool,
    /// Part of a name, typed by somebody who means a connection.
    pub about: Option<String>,
}

/// Names in the address that say how the list is looked at, not what is in it.
const OURS: [&str; 3] = ["group", "open", "reveal"];

/// The part of an address that says what is in the list.
pub(crate) fn list_part(address: &str) -> String {
    let keep = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && name != "open" && name != "reveal"
    };
    address.split('&').filter(keep).collect::<Vec<_>>().join("&")
}

/// Reads an address. A time of day is of `now`'s day, in UTC: so browsers write it whose page is not alive.
pub(crate) fn read(address: &str, now: Option<DateTime<Utc>>) -> Result<Asks, Refusal> {
    let mut pairs = Vec::new();
    let (mut grouped, mut about) = (false, None);
    for pair in address.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            "group" => grouped = value == "cause",
            // read as any other text is
            "about" => about = FailureQuery::from_query(&format!("q={value}"))?.q,
            name if OURS.contains(&name) => {}
            "since" | "until" => {
                let plain = value.replace("%3A", ":").replace("%3a", ":");
                let at = now.and_then(|now| moment(&plain, now));
                pairs
                    .push(at.map_or_else(|| pair.to_owned(), |at| format!("{name}={}", encode(&super::time::iso(at)))));
            }
            _ => pairs.push(pair.to_owned()),
        }
    }
    Ok(Asks { query: FailureQuery::from_query(&pairs.join("&"))?, grouped, about })
}

/// A time as a field of a browser writes it, as UTC. Read by hand, so that browsers need not load a reader of all formats.
fn moment(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => {
            let mut parts = date.splitn(3, '-').map(|part| part.parse::<u32>().ok());
            let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
            (NaiveDate::from_ymd_opt(year.try_into().ok()?, month, day)?, time)
        }
        None => (now.date_naive(), text),
    };
    let (hours, minutes) = time.split_once(':').filter(|_| time.len() == 5)?;
    Some(date.and_hms_opt(hours.parse().ok()?, minutes.parse().ok()?, 0)?.and_utc())
}

/// The filters, each with its value; the inverse of [`FailureQuery::from_query`].
pub(crate) fn pairs(query: &FailureQuery) -> Vec<(&'static str, String)> {
    let at = |at: &DateTime<Utc>| super::time::iso(*at);
    let mut all: Vec<(&'static str, String)> = Vec::new();
    all.extend(query.kind.iter().map(|kind| ("kind", kind.to_string())));
    all.extend(query.connection.iter().map(|id| ("connection", id.to_string())));
    all.extend(query.endpoint.iter().map(|id| ("endpoint", id.to_string())));
    all.extend(query.source.iter().map(|source| ("source", source.clone())));
    all.extend(query.error.iter().map(|class| ("error", class.clone())));
    all.extend(query.since.iter().map(|since| ("since", at(since))));
    all.extend(query.until.iter().map(|until| ("until", at(until))));
    all.extend(query.q.iter().map(|q| ("q", q.clone())));
    all.extend(query.path.iter().map(|path| ("path", path.clone())));
    all.extend(query.id.iter().map(|id| ("id", id.to_string())));
    all
}

/// The filters as a query string.
pub(crate) fn to_query(query: &FailureQuery) -> String {
    pairs(query).iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

/// The address of the list.
pub(crate) fn address(asks: &Asks) -> String {
    let mut parts = vec![to_query(&asks.query)];
    parts.extend(asks.query.limit.map(|limit| format!("limit={limit}")));
    parts.extend(asks.query.cursor.iter().map(|cursor| format!("cursor={}", encode(cursor))));
    parts.extend(asks.about.iter().map(|about| format!("about={}", encode(about))));
    parts.extend(asks.grouped.then(|| "group=cause".to_owned()));
    with(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&"))
}

/// The address of the list with this query string.
pub(crate) fn with(query: &str) -> String {
    if query.is_empty() { "/webhooks".to_owned() } else { format!("/webhooks?{query}") }
}

/// The page that counts what would be tried again.
pub(crate) fn retry_address(query: &FailureQuery) -> String {
    format!("/webhooks/retries/new?{}", to_query(query))
}

impl Asks {
    /// The same with other filters, from their first page on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut FailureQuery)) -> String {
        let mut query = FailureQuery { cursor: None, ..self.query.clone() };
        change(&mut query);
        address(&Self { query, ..self.clone() })
    }
}

#[cfg(test)]
mod tests;
