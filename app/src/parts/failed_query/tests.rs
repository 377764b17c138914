use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-22T15:00:00Z".parse().unwrap()
}

#[test]
fn an_address_reads_back() {
    for text in [
        "",
        "kind=delivery&since=2026-11-22T14%3A05%3A00Z&q=a%20b%26c&path=data.error.code",
        "error=tls&source=demo&limit=100&cursor=abc&group=cause",
        "id=00000000-0000-0000-0000-000000000007",
        "kind=gap&about=Aldermoor%20Paper%20%E2%80%93%20SAP",
    ] {
        let asks = read(text, None).unwrap();
        let written = address(&asks);
        assert_eq!(read(written.split_once('?').map_or("", |(_, query)| query), None), Ok(asks), "{written}");
    }
}

#[test]
fn a_time_of_day_is_of_today() {
    let since = |text| read(text, Some(now())).unwrap().query.since;
    assert_eq!(since("since=14%3A05"), Some("2026-11-22T14:05:00Z".parse().unwrap()));
    assert_eq!(since("since=2026-11-20T09:00"), Some("2026-11-20T09:00:00Z".parse().unwrap()));
    assert!(read("since=25:00", Some(now())).is_err());
}

#[test]
fn who_is_meant_goes_wherever_the_filters_go() {
    let asks = read("kind=gap&about=Alder+moor", None).unwrap();
    assert_eq!(asks.about.as_deref(), Some("Alder moor"));
    assert_eq!(asks.change(|query| query.kind.clear()), "/webhooks?about=Alder%20moor");
    assert_eq!(read("about=", None).unwrap(), Asks::default());
}

#[test]
fn what_is_open_is_not_part_of_the_list() {
    assert_eq!(list_part("kind=gap&open=gap:7&reveal=1&group=cause"), "kind=gap&group=cause");
    assert!(read("open=gap%3A7&reveal=1", None).is_ok());
}
