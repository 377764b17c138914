//! Query strings of lists: what is understood reads back as itself, and what is not is said field by field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{
    AlertQuery, ConnectionQuery, CustomerQuery, DeliveryQuery, EventQuery, FailureQuery, IssueQuery, NewBulk,
    NotificationQuery, PageQuery, Refusal,
};

fuzz_target!(|query: &[u8]| {
    let query = String::from_utf8_lossy(query);
    if let Some(read) = understood(ConnectionQuery::from_query(&query)) {
        assert!((1..=200).contains(&read.limit()));
        assert!(read.q.as_ref().is_none_or(|q| q.chars().count() <= 200));
        let written = read.to_query();
        assert_eq!(ConnectionQuery::from_query(&written).as_ref(), Ok(&read), "{written}");
        let json = serde_json::to_string(&read).expect("a question is plain data");
        assert_eq!(serde_json::from_str::<ConnectionQuery>(&json).ok().as_ref(), Some(&read), "{json}");
        assert_eq!(read.first_page().cursor, None);
    }
    if let Some(read) = understood(CustomerQuery::from_query(&query)) {
        let written = read.to_query();
        assert_eq!(CustomerQuery::from_query(&written).as_ref(), Ok(&read), "{written}");
    }
    let limits = [
        understood(AlertQuery::from_query(&query)).map(|read| read.limit()),
        understood(CustomerQuery::from_query(&query)).map(|read| read.limit()),
        understood(DeliveryQuery::from_query(&query)).map(|read| read.limit()),
        understood(EventQuery::from_query(&query)).map(|read| read.limit()),
        understood(FailureQuery::from_query(&query)).map(|read| read.limit()),
        understood(IssueQuery::from_query(&query)).map(|read| read.limit()),
        understood(NotificationQuery::from_query(&query)).map(|read| read.limit()),
        understood(PageQuery::from_query(&query)).map(|read| read.limit()),
    ];
    assert!(limits.into_iter().flatten().all(|limit| (1..=200).contains(&limit)), "{limits:?}");
    understood(NewBulk::from_query(&query));
});

fn understood<T>(read: Result<T, Refusal>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(Refusal::Invalid(errors)) => {
            assert!(!errors.is_empty() && errors.iter().all(|error| !error.message.is_empty()));
            None
        }
        Err(other) => panic!("not an answer to a question: {other:?}"),
    }
}
