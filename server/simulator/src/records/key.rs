//! Names of records: a key of 14 digits, of which the first two tell what it is of, and an id. Both are made from the place of
//! the record, and a key leads back to the place, so that one record is found without drawing the others.

use super::Entity;
use uuid::{Builder, Uuid};

/// Keys beside the prefix.
const ROOM: u64 = 1_000_000_000_000;
/// Odd, no multiple of five: each place has a key of its own.
const STRIDE: u64 = 618_033_988_751;
/// Times the stride it leaves 1.
const BACK: u64 = inverse(STRIDE);

/// What a key is of: the digits it begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Site = 1,
    Asset = 2,
    WorkOrder = 3,
    Material = 4,
    PurchaseOrder = 5,
    Vendor = 6,
    Location = 7,
    Storeroom = 8,
    Inventory = 10,
    Team = 11,
}

impl From<Entity> for Kind {
    fn from(entity: Entity) -> Self {
        match entity {
            Entity::PurchaseOrders => Self::PurchaseOrder,
            Entity::WorkOrders => Self::WorkOrder,
            Entity::Assets => Self::Asset,
            Entity::Inventories => Self::Inventory,
        }
    }
}

/// The key of the record at this place.
pub(super) fn write(root: u64, kind: Kind, place: u64) -> String {
    let digits = (offset(root, kind) + times(place % ROOM, STRIDE)) % ROOM;
    format!("{:02}{digits:012}", kind as u8)
}

/// The place of the record of this key, were there one.
pub(super) fn read(root: u64, kind: Kind, key: &str) -> Option<u64> {
    let digits = key.strip_prefix(&format!("{:02}", kind as u8))?;
    if digits.len() != 12 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: u64 = digits.parse().ok()?;
    Some(times((digits + ROOM - offset(root, kind)) % ROOM, BACK))
}

/// The id of the record at this place.
pub(super) fn id(root: u64, entity: Entity, place: u64) -> Uuid {
    let half = |salt| u128::from(mix(&[root, Kind::from(entity) as u64, place, salt]));
    Builder::from_random_bytes((half(1) << 64 | half(2)).to_be_bytes()).into_uuid()
}

/// What all of a connection's records are drawn from.
pub(super) fn root(seed: u64, connection: &str) -> u64 {
    connection.bytes().fold(mix(&[seed]), |root, byte| mix(&[root, byte.into()]))
}

/// One number from several, each of them counting.
pub(super) fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9E37_79B9_7F4A_7C15, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

fn offset(root: u64, kind: Kind) -> u64 {
    mix(&[root, kind as u64]) % ROOM
}

const fn times(one: u64, other: u64) -> u64 {
    (one as u128 * other as u128 % ROOM as u128) as u64
}

/// The number that undoes a multiplication in this room, by Euler: φ(10¹²) is 4 · 10¹¹.
const fn inverse(number: u64) -> u64 {
    let (mut result, mut base, mut power) = (1, number, 400_000_000_000_u64 - 1);
    while power > 0 {
        if power % 2 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        power /= 2;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_key_leads_back_to_its_place() {
        let root = root(7, "09000207611898");
        let mut keys = HashSet::new();
        for place in (0..500).chain([1_000_000, 1_049_999]) {
            let key = write(root, Kind::Asset, place);
            assert!(key.len() == 14 && key.starts_with("02"), "{key}");
            assert_eq!(read(root, Kind::Asset, &key), Some(place));
            assert_eq!(read(root, Kind::WorkOrder, &key), None, "it is of an asset");
            assert!(keys.insert(key));
        }
        for wrong in ["", "02", "02abcdefghijkl", "020000000000001", "0200000000000١"] {
            assert_eq!(read(root, Kind::Asset, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn seeds_and_connections_do_not_share() {
        let (one, other) = (root(7, "09000207611898"), root(7, "09000207611899"));
        assert_ne!(id(one, Entity::Assets, 0), id(other, Entity::Assets, 0));
        assert_ne!(id(one, Entity::Assets, 0), id(one, Entity::WorkOrders, 0));
        assert_ne!(root(8, "09000207611898"), one);
    }
}
