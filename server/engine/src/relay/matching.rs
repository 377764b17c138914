//! Which events an endpoint gets. Pure.

use chrono::{DateTime, Utc};
use model::{ConnectionId, CustomerId, EndpointFilter, EndpointId, Environment, EventId, SourceId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// An endpoint, as far as it matters which events it gets.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which.
    pub id: EndpointId,
    /// Which events.
    pub filter: EndpointFilter,
    /// Whether the events of a connection arrive in their order.
    pub ordered: bool,
}

/// What an event is about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The event.
    pub event: EventId,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// Its kind, as upstream names it.
    pub kind: Option<String>,
    /// Its source.
    pub source: SourceId,
    /// The source's environment; none if the source is not known any more.
    pub environment: Option<Environment>,
    /// The connection it is about.
    pub connection: Option<ConnectionId>,
}

/// What is known of a connection: its platform's slug and its customer.
pub(super) type About = (String, CustomerId);

/// Whether an endpoint gets an event. Who asks for platforms or customers gets none whose connection is not known.
pub(super) fn matches(filter: &EndpointFilter, subject: &Subject, about: Option<&About>) -> bool {
    let EndpointFilter { kinds, sources, platforms, customers, environments } = filter;
    fn any<T: PartialEq>(wanted: &[T], has: Option<&T>) -> bool {
        wanted.is_empty() || has.is_some_and(|has| wanted.contains(has))
    }
    any(kinds, subject.kind.as_ref())
        && any(sources, Some(&subject.source))
        && any(environments, subject.environment.as_ref())
        && any(platforms, about.map(|about| &about.0))
        && any(customers, about.map(|about| &about.1))
}

/// The id of the delivery of an event to an endpoint: always the same for the same two, so that none is made twice. It was
/// made when the event was received, as far as its time goes.
pub fn delivery_id(event: EventId, received_at: DateTime<Utc>, endpoint: EndpointId) -> Uuid {
    let hash = Sha256::new().chain_update(event.0.as_bytes()).chain_update(endpoint.0.as_bytes()).finalize();
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    let millis = u64::try_from(received_at.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{made_about, new_id};

    fn subject() -> Subject {
        Subject {
            event: EventId(new_id()),
            received_at: DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap(),
            kind: Some("sync.completed".to_owned()),
            source: SourceId(new_id()),
            environment: Some(Environment::Production),
            connection: Some(ConnectionId(new_id())),
        }
    }

    #[test]
    fn an_empty_list_matches_all_and_what_is_not_known_matches_no_list() {
        let subject = subject();
        let about = ("sap".to_owned(), CustomerId(new_id()));
        let all = EndpointFilter::default();
        assert!(matches(&all, &subject, None));
        let this = EndpointFilter {
            kinds: vec!["other".to_owned(), "sync.completed".to_owned()],
            sources: vec![subject.source],
            platforms: vec!["sap".to_owned()],
            customers: vec![about.1],
            environments: vec![Environment::Production],
        };
        assert!(matches(&this, &subject, Some(&about)));
        assert!(!matches(&this, &subject, None), "no connection, no platform");
        assert!(!matches(&this, &Subject { kind: None, ..subject.clone() }, Some(&about)));
        assert!(!matches(&this, &Subject { environment: None, ..subject.clone() }, Some(&about)));
        for wrong in [
            EndpointFilter { kinds: vec!["x".to_owned()], ..all.clone() },
            EndpointFilter { sources: vec![SourceId(new_id())], ..all.clone() },
            EndpointFilter { platforms: vec!["x".to_owned()], ..all.clone() },
            EndpointFilter { customers: vec![CustomerId(new_id())], ..all.clone() },
            EndpointFilter { environments: vec![Environment::Sandbox], ..all },
        ] {
            assert!(!matches(&wrong, &subject, Some(&about)), "{wrong:?}");
        }
    }

    #[test]
    fn the_same_two_have_the_same_id_which_leads_to_the_day() {
        let Subject { event, received_at, .. } = subject();
        let (one, other) = (EndpointId(new_id()), EndpointId(new_id()));
        let id = delivery_id(event, received_at, one);
        assert_eq!(id, delivery_id(event, received_at, one));
        assert_ne!(id, delivery_id(event, received_at, other));
        assert_eq!(id.get_version_num(), 7);
        let (from, to) = made_about(id).unwrap();
        assert!(from <= received_at && received_at <= to);
    }
}
