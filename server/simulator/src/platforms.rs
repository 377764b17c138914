//! The systems on the other side of a connection, with how often they are met and what they say when they refuse.

use rand::Rng;

/// A customer's system.
#[derive(Debug)]
pub(crate) struct Platform {
    /// The name on the wire.
    pub(crate) slug: &'static str,
    /// The name people use.
    pub(crate) name: &'static str,
    /// How often it is met, relative to the others.
    weight: u32,
    /// What it is for; decides which entities its syncs carry.
    pub(crate) kind: Kind,
    /// What it answers to a wrong password.
    pub(crate) refusal: &'static str,
}

/// What a platform is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Enterprise resource planning.
    Erp,
    /// Maintenance management.
    Eam,
    /// Warehouse management.
    Wms,
}

impl Kind {
    /// The same for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Erp => "enterprise resource planning",
            Self::Eam => "maintenance management",
            Self::Wms => "warehouse management",
        }
    }
}

const fn platform(slug: &'static str, name: &'static str, weight: u32, kind: Kind, refusal: &'static str) -> Platform {
    Platform { slug, name, weight, kind, refusal }
}

const SAP: &str = "Name or password is incorrect (repeat logon)";
const ENTRA: &str = "AADSTS50126: invalid username or password";

/// All platforms.
pub(crate) static PLATFORMS: [Platform; 23] = [
    platform("sap-ecc", "SAP ECC", 12, Kind::Erp, SAP),
    platform("sap-s4hana", "SAP S/4HANA", 14, Kind::Erp, SAP),
    platform("sap-business-one", "SAP Business One", 7, Kind::Erp, "Fail to get user information, -304"),
    platform("netsuite", "NetSuite", 13, Kind::Erp, "invalid login attempt"),
    platform("dynamics-365-fo", "Dynamics 365 F&O", 8, Kind::Erp, ENTRA),
    platform("dynamics-365-bc", "Dynamics 365 Business Central", 8, Kind::Erp, ENTRA),
    platform("oracle-fusion", "Oracle Fusion", 6, Kind::Erp, "401 Unauthorized: the account is locked"),
    platform("infor-eam", "Infor EAM", 5, Kind::Eam, "User ID or password is invalid"),
    platform("infor-ln", "Infor LN", 3, Kind::Erp, "the service account's keys were revoked"),
    platform("ifs", "IFS Cloud", 3, Kind::Erp, "invalid_grant: credentials are not valid"),
    platform("maximo", "IBM Maximo", 6, Kind::Eam, "BMXAA7901E: you cannot log in at this time"),
    platform("odoo", "Odoo", 4, Kind::Erp, "Access Denied"),
    platform("acumatica", "Acumatica", 3, Kind::Erp, "invalid credentials, please try again"),
    platform("epicor-kinetic", "Epicor Kinetic", 4, Kind::Erp, "invalid username or password"),
    platform("sage-x3", "Sage X3", 3, Kind::Erp, "incorrect user name or password"),
    platform("sage-intacct", "Sage Intacct", 2, Kind::Erp, "XL03000006: sign-in information is incorrect"),
    platform("upkeep", "UpKeep", 4, Kind::Eam, "the session token is no longer valid"),
    platform("maintainx", "MaintainX", 4, Kind::Eam, "the API key was revoked"),
    platform("emaint", "eMaint", 3, Kind::Eam, "the API key has expired"),
    platform("limble", "Limble", 2, Kind::Eam, "client secret does not match"),
    platform("jd-edwards", "JD Edwards EnterpriseOne", 3, Kind::Erp, "invalid AIS credentials"),
    platform("tecsys-wms", "Tecsys WMS", 2, Kind::Wms, "the user's password has expired"),
    platform("snapfulfil", "SnapFulfil", 1, Kind::Wms, "authentication failed for the API user"),
];

impl Platform {
    /// The entities a sync carries.
    pub(crate) fn entities(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Erp => &["purchase_orders", "vendors", "invoices", "materials"],
            Kind::Eam => &["work_orders", "assets", "materials", "purchase_orders"],
            Kind::Wms => &["inventories", "stock_adjustments", "shipment_orders"],
        }
    }
}

/// The platform of this slug.
pub(crate) fn find(slug: &str) -> Option<&'static Platform> {
    PLATFORMS.iter().find(|platform| platform.slug == slug)
}

/// Any platform, the popular ones more often.
pub(crate) fn any(dice: &mut impl Rng) -> &'static Platform {
    let total: u32 = PLATFORMS.iter().map(|platform| platform.weight).sum();
    let mut left = dice.random_range(0..total);
    for platform in &PLATFORMS {
        if left < platform.weight {
            return platform;
        }
        left -= platform.weight;
    }
    &PLATFORMS[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn slugs_are_unique_and_found() {
        let slugs: HashSet<_> = PLATFORMS.iter().map(|platform| platform.slug).collect();
        assert_eq!(slugs.len(), PLATFORMS.len());
        assert_eq!(find("netsuite").map(|platform| platform.name), Some("NetSuite"));
        assert!(find("fax").is_none());
    }
}
