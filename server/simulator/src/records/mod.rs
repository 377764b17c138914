//! The unified API's records. What a platform holds is drawn anew from the seed and the connection whenever somebody asks; only
//! what was written is kept, in the `ledger`, and saved with the rest of the state: a restart loses nothing, a kill the last
//! second. So fifty thousand connections with two hundred records each cost nothing.
//!
//! Nobody but the API's callers ever changes a record, or who asks for it at the control door. The events that follow a sync name
//! records that are there; they look as they did before.

mod draw;
mod fields;
mod key;
mod ledger;
mod orders;
mod query;
mod shelf;
mod support;
mod tell;
mod things;
mod write;

pub(crate) use ledger::{Kept, Ledger};
pub(crate) use query::{Query, Window};
pub(crate) use shelf::Shelf;
pub(crate) use support::{Update, support};
pub(crate) use write::{Verb, Write};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A record: its fields by name.
pub(crate) type Record = Map<String, Value>;

/// What records are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entity {
    PurchaseOrders,
    WorkOrders,
    Assets,
    Inventories,
}

impl Entity {
    pub(crate) const ALL: [Self; 4] = [Self::PurchaseOrders, Self::WorkOrders, Self::Assets, Self::Inventories];

    /// Its name in paths.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::PurchaseOrders => "purchase-orders",
            Self::WorkOrders => "work-orders",
            Self::Assets => "assets",
            Self::Inventories => "inventories",
        }
    }

    /// Its name in events.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::PurchaseOrders => "purchase_orders",
            Self::WorkOrders => "work_orders",
            Self::Assets => "assets",
            Self::Inventories => "inventories",
        }
    }

    /// One of it, for people.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::PurchaseOrders => "purchase order",
            Self::WorkOrders => "work order",
            Self::Assets => "asset",
            Self::Inventories => "inventory",
        }
    }

    /// The entity of this name in a path.
    pub(crate) fn find(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.path() == path)
    }

    /// Whether its records are drafts first and closed to changes once they are approved.
    pub(crate) fn is_order(self) -> bool {
        matches!(self, Self::PurchaseOrders | Self::WorkOrders)
    }
}
