//! A page of records: of each no more than which it is and when it changed.

use super::{items, lenient, shared};
use crate::health::record::Record;
use serde_json::{Map, Value};

/// Reads the page of this number, and whether there is another.
pub(super) fn page(body: &[u8], number: u64) -> Result<(Vec<Record>, bool), String> {
    let value = items::whole_answer(body)?;
    let map = value.as_object().ok_or("it is not an object")?;
    let list = lenient::field(map, &["data", "items"]).and_then(Value::as_array).ok_or("it holds no list")?;
    if list.len() > items::MOST_ITEMS {
        return Err(format!("more than {} items on one page", items::MOST_ITEMS));
    }
    let paging = lenient::field(map, &["meta", "pagination"]).and_then(Value::as_object).unwrap_or(map);
    let last = lenient::field(paging, &["last_page", "total_pages"]).and_then(lenient::whole);
    let more = last.is_some_and(|last| u64::try_from(last).is_ok_and(|last| last > number));
    Ok((list.iter().filter_map(|item| one(shared::object(item)?)).collect(), more))
}

/// One without an id or a time of change tells nothing.
fn one(map: &Map<String, Value>) -> Option<Record> {
    let time = |names: &[&str]| lenient::time(lenient::field(map, names)?);
    Some(Record {
        id: items::key(map, &["id", "key"])?,
        created_at: time(&["created_at", "createdAt"]),
        modified_at: time(&["updated_at", "updatedAt"])?,
        deleted_at: time(&["deleted_at", "deletedAt"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keeps_which_it_is_and_when_it_changed() {
        let item = json!({
            "id": "16c69269-0432-4382-b48f-eb3538b4b3d7", "key": "02000000000001", "name": "Pump 1", "createdAt": "2026-11-01T10:00:00Z",
            "updatedAt": "2026-11-22T10:00:00.250Z", "deletedAt": null,
        });
        let body = |page: u64| {
            json!({"data": [item, {"name": "no id"}, 7], "meta": {"current_page": page, "last_page": 2}}).to_string()
        };
        let (records, more) = page(body(1).as_bytes(), 1).unwrap();
        assert_eq!((records.len(), more), (1, true));
        assert_eq!(records[0].id, "16c69269-0432-4382-b48f-eb3538b4b3d7");
        assert_eq!(records[0].modified_at.timestamp_millis() % 1_000, 250);
        assert!(records[0].created_at.is_some() && records[0].deleted_at.is_none());
        assert!(!page(body(2).as_bytes(), 2).unwrap().1);
        assert!(page(b"[]", 1).is_err() && page(b"{}", 1).is_err());
    }
}
