//! Any JSON, as somebody else wrote it. The browser only ever shows it, so to there it crosses as a text, already laid out.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Any JSON. Shown with `{:#}`: laid out over lines.
#[cfg(feature = "ssr")]
pub type Json = serde_json::Value;

/// Any JSON, laid out as a text. Shown with `{:#}`.
#[cfg(not(feature = "ssr"))]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Json(String);

#[cfg(not(feature = "ssr"))]
impl Json {
    /// Whether it is nothing.
    pub fn is_null(&self) -> bool {
        self.0 == "null"
    }
}

#[cfg(not(feature = "ssr"))]
impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// As it is in JSON, as a text in what crosses.
#[cfg(feature = "ssr")]
pub(crate) fn serialize<S: Serializer>(json: &Json, to: S) -> Result<S::Ok, S::Error> {
    if to.is_human_readable() { json.serialize(to) } else { to.collect_str(&format_args!("{json:#}")) }
}

/// As it is in JSON, as a text in what crosses.
#[cfg(feature = "ssr")]
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
    if from.is_human_readable() {
        return Json::deserialize(from);
    }
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

/// As a text.
#[cfg(not(feature = "ssr"))]
pub(crate) fn serialize<S: Serializer>(json: &Json, to: S) -> Result<S::Ok, S::Error> {
    json.0.serialize(to)
}

/// As a text.
#[cfg(not(feature = "ssr"))]
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
    String::deserialize(from).map(Json)
}
