//! The log of webhooks, read leniently: no such API is published.

use super::{items, lenient, shared};
use crate::makini::error::tidy;
use crate::makini::{Outgoing, OutgoingPage, paging};
use serde_json::{Map, Value};

/// Reads a page; `number` is its own where pages are numbered.
pub(super) fn page(body: &[u8], number: Option<u64>) -> Result<OutgoingPage, String> {
    let value = items::whole_answer(body)?;
    let map = shared::object(&value);
    let list = match (&value, map) {
        (Value::Array(list), _) => list,
        (_, Some(map)) => {
            lenient::field(map, &["data", "items", "deliveries"]).and_then(Value::as_array).ok_or("it holds no list")?
        }
        _ => return Err("it is not an object".to_owned()),
    };
    if list.len() > items::MOST_ITEMS {
        return Err(format!("more than {} items on one page", items::MOST_ITEMS));
    }
    let next_cursor = match (map, number) {
        (Some(map), None) => {
            lenient::field(map, &["next_cursor", "nextCursor"]).map(paging::next).transpose()?.flatten()
        }
        (Some(map), Some(number)) => {
            let pagination = lenient::field(map, &["pagination", "meta"]).and_then(Value::as_object).unwrap_or(map);
            let last = lenient::field(pagination, &["total_pages", "last_page"]).and_then(lenient::whole);
            last.filter(|last| u64::try_from(*last).is_ok_and(|last| last > number)).map(|_| (number + 1).to_string())
        }
        (None, _) => None,
    };
    Ok(OutgoingPage { items: list.iter().filter_map(|item| one(item.as_object()?)).collect(), next_cursor })
}

fn one(map: &Map<String, Value>) -> Option<Outgoing> {
    let text = |names: &[&str]| lenient::text(lenient::field(map, names)?, items::MOST_TEXT);
    let time = |names: &[&str]| lenient::time(lenient::field(map, names)?);
    let (attempts, error) = match lenient::field(map, &["attempts", "attempts_count"]) {
        Some(Value::Array(tries)) => {
            let last = tries.last().and_then(Value::as_object);
            (u32::try_from(tries.len()).unwrap_or(u32::MAX), last.and_then(why))
        }
        Some(n) => (lenient::whole(n).and_then(|n| u32::try_from(n).ok()).unwrap_or(0), None),
        None => (0, None),
    };
    Some(Outgoing {
        id: items::key(map, &["id"])?,
        kind: text(&["event", "type", "kind"]).unwrap_or_default(),
        connection_key: items::key(map, &["connection_id", "connection_key"]),
        status: text(&["status", "state"]).unwrap_or_default(),
        created_at: time(&["created_at"]),
        next_attempt_at: time(&["next_attempt_at"]),
        attempts,
        error: error.or_else(|| text(&["error", "last_error"])).map(|error| tidy(&error)),
    })
}

/// Why a try failed: in its own words, else by the status of the answer.
fn why(attempt: &Map<String, Value>) -> Option<String> {
    let said = lenient::field(attempt, &["error", "message"]).and_then(|said| lenient::text(said, items::MOST_TEXT));
    said.or_else(|| {
        let status = lenient::whole(lenient::field(attempt, &["status", "status_code", "response_status"])?)?;
        (!(200..300).contains(&status)).then(|| format!("It was answered {status}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_a_page_in_either_way_of_paging() {
        let item = json!({
            "id": "evt_1", "event": "sync.completed", "connection_id": "c1", "status": "failed",
            "created_at": "2026-11-22T10:00:00Z", "next_attempt_at": null,
            "attempts": [{"status": 500}, {"status": 503, "error": null}],
        });
        let read = page(json!({"data": [item, {"nothing": 1}], "next_cursor": "abc"}).to_string().as_bytes(), None);
        let read = read.unwrap();
        assert_eq!((read.items.len(), read.next_cursor.as_deref()), (1, Some("abc")));
        let one = &read.items[0];
        assert_eq!((one.id.as_str(), one.attempts, one.connection_key.as_deref()), ("evt_1", 2, Some("c1")));
        assert_eq!(one.error.as_deref(), Some("It was answered 503."));

        let numbered = json!({"data": [], "pagination": {"page": 1, "total_pages": 2}}).to_string();
        assert_eq!(page(numbered.as_bytes(), Some(1)).unwrap().next_cursor.as_deref(), Some("2"));
        assert_eq!(page(numbered.as_bytes(), Some(2)).unwrap().next_cursor, None);
        assert!(page(b"\"no\"", None).is_err());
        assert!(page(b"{}", None).is_err());
    }
}
