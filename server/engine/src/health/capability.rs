//! What a connection can do with which records: what upstream describes, outranked by what was really done or refused. Pure.

use super::SyncFact;
use crate::makini::Described;
use chrono::{DateTime, Utc};
use model::{Ability, AbilityProof, Capability, Operation};
use std::collections::{BTreeMap, BTreeSet};

/// Every kind of record that anything is known of, with each operation; what nobody told is unknown. `syncs`: newest first.
pub fn capabilities(
    described: &[Described],
    described_at: Option<DateTime<Utc>>,
    syncs: &[SyncFact],
) -> Vec<Capability> {
    let mut proved: BTreeMap<&str, (Ability, AbilityProof, DateTime<Utc>)> = BTreeMap::new();
    for sync in syncs {
        let Some((ability, proof)) = sync.reading() else { continue };
        for entity in &sync.entities {
            proved.entry(entity).or_insert((ability, proof, sync.ended_at));
        }
    }
    let mut entities: BTreeSet<&str> = described.iter().map(|one| one.entity.as_str()).collect();
    entities.extend(proved.keys());
    let each = entities.into_iter().flat_map(|entity| Operation::ALL.iter().map(move |operation| (entity, *operation)));
    each.map(|(entity, operation)| {
        let told = described.iter().find(|one| one.entity == entity && one.operation == operation);
        let proved = proved.get(entity).filter(|_| operation == Operation::Read);
        let ability = match (proved, told) {
            // that something was read does not mean that all of it may be
            (Some((Ability::Yes, ..)), Some(told)) if told.ability == Ability::Limited => Ability::Limited,
            (Some((ability, ..)), _) => *ability,
            (None, Some(told)) => told.ability,
            (None, None) => Ability::Unknown,
        };
        Capability {
            entity: entity.to_owned(),
            operation,
            ability,
            limit: told.and_then(|told| told.limit.clone()).filter(|_| ability == Ability::Limited),
            proof: proved.map(|(_, proof, _)| *proof).or_else(|| told.map(|_| AbilityProof::Described)),
            proved_at: proved.map(|(.., at)| *at).or_else(|| told.and(described_at)),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::event::Carried;

    #[test]
    fn what_was_done_outranks_what_is_described_and_silence_is_unknown() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let one = |entity: &str, operation, ability, limit: Option<&str>| Described {
            entity: entity.to_owned(),
            operation,
            ability,
            limit: limit.map(str::to_owned),
        };
        let described = [
            one("assets", Operation::Read, Ability::No, None),
            one("assets", Operation::Update, Ability::Limited, Some("not after approval")),
        ];
        let carried = Carried { entities: vec!["assets".into(), "vendors".into()], ..Carried::default() };
        let found = capabilities(&described, Some(at(1)), &[SyncFact::good(None, at(9), &carried)]);
        assert_eq!(found.len(), 8);
        let of = |entity: &str, operation| {
            found.iter().find(|one| one.entity == entity && one.operation == operation).unwrap()
        };
        let read = of("assets", Operation::Read);
        assert_eq!((read.ability, read.proof, read.proved_at), (Ability::Yes, Some(AbilityProof::Done), Some(at(9))));
        let update = of("assets", Operation::Update);
        assert_eq!((update.ability, update.limit.as_deref()), (Ability::Limited, Some("not after approval")));
        assert_eq!((update.proof, update.proved_at), (Some(AbilityProof::Described), Some(at(1))));
        let delete = of("vendors", Operation::Delete);
        assert_eq!((delete.ability, delete.proof, delete.proved_at), (Ability::Unknown, None, None));
        let limited = [one("vendors", Operation::Read, Ability::Limited, Some("only their own"))];
        let found = capabilities(&limited, Some(at(1)), &[SyncFact::good(None, at(9), &carried)]);
        let read = found.iter().find(|one| one.entity == "vendors" && one.operation == Operation::Read).unwrap();
        assert_eq!((read.ability, read.limit.as_deref()), (Ability::Limited, Some("only their own")));
    }
}
