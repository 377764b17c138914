//! What a connection can do with which records: what upstream describes, outranked by what was really done or refused. Pure.

use crate::makini::Described;
use chrono::{DateTime, Utc};
use model::{Ability, AbilityProof, Capability, EventId, Eye, Operation};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that was really done with one kind of record, or really refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The kind of record, as in events.
    pub entity: String,
    /// What was done, or was to be.
    pub operation: Operation,
    /// `yes`, `limited` or `no`.
    pub ability: Ability,
    /// The limit in words.
    pub limit: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// Through which eye that was seen.
    pub eye: Eye,
    /// Upstream's code, if it was refused.
    pub code: Option<String>,
    /// Upstream's words, if it was refused.
    pub message: Option<String>,
    /// The event that told it.
    pub event: Option<EventId>,
}

impl Proved {
    /// Which of two counts: the newer one; of the same moment a refusal.
    fn rank(&self) -> impl Ord + '_ {
        let worse = match self.ability {
            Ability::No => 2,
            Ability::Limited => 1,
            Ability::Yes | Ability::Unknown => 0,
        };
        (self.at, worse, self.event.map(|event| event.0), &self.code, &self.message, &self.limit)
    }

    fn proof(&self) -> AbilityProof {
        if self.ability == Ability::Yes { AbilityProof::Done } else { AbilityProof::Refused }
    }
}

/// Every kind of record that anything is known of, with each operation; what nobody told is unknown. `proofs`: in any order.
pub fn capabilities(
    described: &[Described],
    described_at: Option<DateTime<Utc>>,
    proofs: &[Proved],
) -> Vec<Capability> {
    let mut newest: BTreeMap<(&str, &str), &Proved> = BTreeMap::new();
    for proof in proofs {
        let kept = newest.entry((proof.entity.as_str(), proof.operation.code())).or_insert(proof);
        if proof.rank() > kept.rank() {
            *kept = proof;
        }
    }
    let mut entities: BTreeSet<&str> = described.iter().map(|one| one.entity.as_str()).collect();
    entities.extend(newest.keys().map(|(entity, _)| *entity));
    let each = entities.into_iter().flat_map(|entity| Operation::ALL.iter().map(move |operation| (entity, *operation)));
    each.map(|(entity, operation)| {
        let told = described.iter().find(|one| one.entity == entity && one.operation == operation);
        match newest.get(&(entity, operation.code())) {
            Some(proved) => proven(proved, told),
            None => Capability {
                entity: entity.to_owned(),
                operation,
                ability: told.map_or(Ability::Unknown, |told| told.ability),
                limit: told.filter(|told| told.ability == Ability::Limited).and_then(|told| told.limit.clone()),
                proof: told.map(|_| AbilityProof::Described),
                proved_at: told.and(described_at),
                eye: None,
                code: None,
                message: None,
                event_id: None,
            },
        }
    })
    .collect()
}

fn proven(proved: &Proved, told: Option<&Described>) -> Capability {
    // that it was done once does not mean that it can be done with all of them
    let limited = told.filter(|told| told.ability == Ability::Limited);
    let (ability, limit) = match proved.ability {
        Ability::Yes if limited.is_some() => (Ability::Limited, limited.and_then(|told| told.limit.clone())),
        ability => (ability, proved.limit.clone()),
    };
    Capability {
        entity: proved.entity.clone(),
        operation: proved.operation,
        ability,
        limit,
        proof: Some(proved.proof()),
        proved_at: Some(proved.at),
        eye: Some(proved.eye),
        code: proved.code.clone(),
        message: proved.message.clone(),
        event_id: proved.event,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn told(entity: &str, operation: Operation, ability: Ability, limit: Option<&str>) -> Described {
        Described { entity: entity.to_owned(), operation, ability, limit: limit.map(str::to_owned) }
    }

    fn proof(entity: &str, operation: Operation, ability: Ability, seconds: i64) -> Proved {
        Proved {
            entity: entity.to_owned(),
            operation,
            ability,
            limit: (ability == Ability::Limited).then(|| "not after approval".to_owned()),
            at: at(seconds),
            eye: Eye::Webhook,
            code: (ability != Ability::Yes).then(|| "NO".to_owned()),
            message: None,
            event: None,
        }
    }

    fn of(found: &[Capability], entity: &str, operation: Operation) -> Capability {
        found.iter().find(|one| one.entity == entity && one.operation == operation).unwrap().clone()
    }

    #[test]
    fn what_was_done_outranks_what_is_described_and_silence_is_unknown() {
        let described = [
            told("assets", Operation::Read, Ability::No, None),
            told("assets", Operation::Update, Ability::Limited, Some("not after approval")),
        ];
        let done =
            [proof("assets", Operation::Read, Ability::Yes, 9), proof("vendors", Operation::Read, Ability::Yes, 9)];
        let found = capabilities(&described, Some(at(1)), &done);
        assert_eq!(found.len(), 8);
        let read = of(&found, "assets", Operation::Read);
        assert_eq!((read.ability, read.proof, read.proved_at), (Ability::Yes, Some(AbilityProof::Done), Some(at(9))));
        let update = of(&found, "assets", Operation::Update);
        assert_eq!((update.ability, update.limit.as_deref()), (Ability::Limited, Some("not after approval")));
        assert_eq!((update.proof, update.proved_at), (Some(AbilityProof::Described), Some(at(1))));
        let delete = of(&found, "vendors", Operation::Delete);
        assert_eq!((delete.ability, delete.proof, delete.proved_at), (Ability::Unknown, None, None));
        let limited = [told("vendors", Operation::Read, Ability::Limited, Some("only their own"))];
        let found = capabilities(&limited, Some(at(1)), &[proof("vendors", Operation::Read, Ability::Yes, 9)]);
        let read = of(&found, "vendors", Operation::Read);
        assert_eq!((read.ability, read.limit.as_deref()), (Ability::Limited, Some("only their own")));
    }

    #[test]
    fn a_refusal_outranks_the_description_until_the_same_is_done() {
        let described = [told("assets", Operation::Update, Ability::Yes, None)];
        let refused = proof("assets", Operation::Update, Ability::Limited, 5);
        let found =
            of(&capabilities(&described, Some(at(9)), std::slice::from_ref(&refused)), "assets", Operation::Update);
        assert_eq!((found.ability, found.limit.as_deref()), (Ability::Limited, Some("not after approval")));
        assert_eq!((found.proof, found.code.as_deref()), (Some(AbilityProof::Refused), Some("NO")));
        let done = proof("assets", Operation::Update, Ability::Yes, 6);
        let found = of(&capabilities(&described, Some(at(9)), &[done, refused]), "assets", Operation::Update);
        assert_eq!((found.ability, found.limit, found.code), (Ability::Yes, None, None));
    }

    fn operation() -> impl Strategy<Value = Operation> {
        proptest::sample::select(Operation::ALL)
    }

    fn entity() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(vec!["assets", "vendors", "work_orders"])
    }

    proptest! {
        #[test]
        fn the_newest_proof_counts_whatever_came_first(
            described in proptest::collection::vec((entity(), operation(), proptest::sample::select(Ability::ALL)), 0..6),
            proofs in proptest::collection::vec(
                (entity(), operation(), proptest::sample::select(vec![Ability::Yes, Ability::Limited, Ability::No]), 0i64..5),
                0..20,
            ),
            turn in 0usize..20,
        ) {
            let described: Vec<_> = described.into_iter().map(|(e, o, a)| told(e, o, a, None)).collect();
            let proofs: Vec<_> = proofs.into_iter().map(|(e, o, a, s)| proof(e, o, a, s)).collect();
            let found = capabilities(&described, None, &proofs);
            let mut turned = proofs.clone();
            turned.rotate_left(if proofs.is_empty() { 0 } else { turn % proofs.len() });
            prop_assert_eq!(&found, &capabilities(&described, None, &turned));
            for one in &found {
                let same = |entity: &str, operation| entity == one.entity && operation == one.operation;
                let newest = proofs.iter().filter(|p| same(&p.entity, p.operation)).map(|p| p.at).max();
                let told = described.iter().find(|told| same(&told.entity, told.operation));
                match newest {
                    Some(newest) => {
                        prop_assert_eq!(one.proved_at, Some(newest));
                        let refused = proofs.iter().any(|p| {
                            same(&p.entity, p.operation) && p.at == newest && p.ability != Ability::Yes
                        });
                        let known = if refused { AbilityProof::Refused } else { AbilityProof::Done };
                        prop_assert_eq!(one.proof, Some(known));
                        prop_assert!(refused || one.ability != Ability::No, "what was done can be done");
                    }
                    None => {
                        prop_assert_eq!(one.ability, told.map_or(Ability::Unknown, |told| told.ability));
                        prop_assert_eq!(one.proof, told.map(|_| AbilityProof::Described));
                    }
                }
            }
        }
    }
}
