//! Counts of a list: exact, or no longer counted because they are many.

use crate::{Health, Totals};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// How many rows; above 10,000 a combined filter or a search may say only that: a number, or the text `10000+`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// More than [`Count::LIMIT`].
    Above,
}

/// What is written for [`Count::Above`].
#[cfg(feature = "ssr")]
const ABOVE: &str = "10000+";

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[cfg(feature = "ssr")]
        if to.is_human_readable() {
            return match self {
                Self::Exactly(n) => to.serialize_u64(*n),
                Self::Above => to.serialize_str(ABOVE),
            };
        }
        match self {
            Self::Exactly(n) => Some(*n),
            Self::Above => None,
        }
        .serialize(to)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[cfg(feature = "ssr")]
        if from.is_human_readable() {
            return match serde_json::Value::deserialize(from)? {
                serde_json::Value::String(text) if text == ABOVE => Ok(Self::Above),
                other => other.as_u64().map(Self::Exactly).ok_or_else(|| serde::de::Error::custom("not a count")),
            };
        }
        Ok(Option::deserialize(from)?.map_or(Self::Above, Self::Exactly))
    }
}

#[cfg(feature = "ssr")]
impl utoipa::PartialSchema for Count {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
        OneOfBuilder::new()
            .description(Some("How many rows; above 10,000 a combined filter or a search may say only that."))
            .item(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)))
            .item(ObjectBuilder::new().schema_type(Type::String).enum_values(Some([ABOVE])))
            .into()
    }
}

#[cfg(feature = "ssr")]
impl utoipa::ToSchema for Count {}

impl Count {
    /// Up to here every count is exact.
    pub const LIMIT: u64 = 10_000;

    /// A count that was stopped as soon as it went past the limit.
    pub fn stopped(n: u64) -> Self {
        if n > Self::LIMIT { Self::Above } else { Self::Exactly(n) }
    }

    /// At least so many: the count where it is exact, else the limit.
    pub fn at_least(self) -> u64 {
        match self {
            Self::Exactly(n) => n,
            Self::Above => Self::LIMIT,
        }
    }
}

impl From<u64> for Count {
    fn from(n: u64) -> Self {
        Self::Exactly(n)
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::Exactly(0), |sum, count| match (sum, count) {
            (Self::Exactly(a), Self::Exactly(b)) => Self::Exactly(a + b),
            _ => Self::Above,
        })
    }
}

/// How many connections of a list in each health; every health is there, zero too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "ssr", schema(as = Totals, value_type = BTreeMap<String, Count>))]
#[serde(transparent)]
pub struct Tally(pub BTreeMap<Health, Count>);

impl From<&Totals> for Tally {
    fn from(totals: &Totals) -> Self {
        Self(totals.0.iter().map(|(health, n)| (*health, Count::Exactly(*n))).collect())
    }
}

impl Tally {
    /// How many in one health.
    pub fn of(&self, health: Health) -> Count {
        self.0.get(&health).copied().unwrap_or(Count::Exactly(0))
    }

    /// How many in any of these healths, each counted once; in all where none is named.
    pub fn of_any(&self, healths: &[Health]) -> Count {
        self.0.iter().filter(|(health, _)| healths.is_empty() || healths.contains(health)).map(|(_, n)| *n).sum()
    }

    /// How many in all.
    pub fn all(&self) -> Count {
        self.of_any(&[])
    }

    /// How many need somebody to look.
    pub fn attention(&self) -> Count {
        self.0.iter().filter(|(health, _)| health.needs_attention()).map(|(_, n)| *n).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_number_or_says_that_it_stopped() {
        for (count, json) in [(Count::stopped(10_000), "10000"), (Count::stopped(10_001), "\"10000+\"")] {
            assert_eq!(serde_json::to_string(&count).unwrap(), json);
            assert_eq!(serde_json::from_str::<Count>(json).unwrap(), count);
        }
        assert_eq!(Count::from(1_000_000), Count::Exactly(1_000_000), "what was counted is said, however many");
    }

    #[test]
    fn a_sum_with_a_stopped_count_is_no_number() {
        let mut tally = Tally::from(&Totals::default());
        tally.0.insert(Health::Late, 7.into());
        tally.0.insert(Health::Failing, 5.into());
        assert_eq!((tally.all(), tally.attention()), (12.into(), 12.into()));
        assert_eq!(tally.of_any(&[Health::Late, Health::Late]), 7.into());
        tally.0.insert(Health::Healthy, Count::stopped(10_001));
        assert_eq!((tally.all(), tally.attention()), (Count::stopped(10_001), 12.into()));
    }
}
