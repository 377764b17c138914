//! Which connection somebody means who typed a part of its name.

use crate::{SharedBackend, parts::failed_query::Asks};
use model::{Actor, Connection, ConnectionQuery, ConnectionRef, Refusal};

/// So many are looked at.
const LOOKED_AT: u16 = 50;
/// So many are told when it might be any of them.
const MOST: usize = 8;

/// The connection that is asked for, and puts its id into the question; else, where a name was typed, those it may mean.
pub(super) async fn find(
    desk: &SharedBackend,
    actor: &Actor,
    asks: &mut Asks,
) -> Result<(Option<ConnectionRef>, Option<Vec<ConnectionRef>>), Refusal> {
    let Some(about) = asks.about.take() else {
        let Some(id) = asks.query.connection else { return Ok((None, None)) };
        let known = desk.connections_by_id(actor, &[id]).await?;
        return Ok((known.into_iter().next().map(reference), None));
    };
    let words = about.chars().take(200).collect();
    let query = ConnectionQuery { q: Some(words), limit: Some(LOOKED_AT), ..ConnectionQuery::default() };
    let found = desk.connections(actor, query).await?.items.into_iter().map(reference).collect();
    match only(found, &about) {
        Ok(one) => {
            asks.query.connection = Some(one.id);
            Ok((Some(one), None))
        }
        Err(several) => Ok((None, Some(several))),
    }
}

fn reference(connection: Connection) -> ConnectionRef {
    ConnectionRef { id: connection.id, name: connection.name }
}

/// The one there is, or the one that is called exactly so; else the first of them.
fn only(mut found: Vec<ConnectionRef>, about: &str) -> Result<ConnectionRef, Vec<ConnectionRef>> {
    let about = about.trim().to_lowercase();
    let mut same = (0..found.len()).filter(|at| found[*at].name.to_lowercase() == about);
    match (same.next(), same.next(), found.len()) {
        (Some(at), None, _) => Ok(found.swap_remove(at)),
        (None, _, 1) => Ok(found.swap_remove(0)),
        _ => {
            found.truncate(MOST);
            Err(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_meant_only_where_no_other_can_be() {
        let of = |names: &[&str]| -> Vec<ConnectionRef> {
            let id = |n| uuid::Uuid::from_u128(n as u128).into();
            names.iter().enumerate().map(|(n, name)| ConnectionRef { id: id(n), name: (*name).to_owned() }).collect()
        };
        let name = |names: &[&str], about: &str| only(of(names), about).map(|one| one.name).map_err(|all| all.len());
        assert_eq!(name(&["Acme SAP"], "acme"), Ok("Acme SAP".to_owned()));
        assert_eq!(name(&["Acme Nord", "Acme"], " ACME "), Ok("Acme".to_owned()));
        assert_eq!(name(&["Acme", "Acme"], "Acme"), Err(2));
        assert_eq!(name(&[], "Acme"), Err(0));
        assert_eq!(name(&["A"; 20], "x"), Err(MOST));
    }
}
