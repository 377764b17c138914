//! What a form says, whichever fields it has: for forms of many fields, of which most are read by the desk alone.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{SeqAccess, Visitor},
};
use std::{collections::BTreeMap, fmt};

/// The values of each field, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Said(BTreeMap<String, Values>);

/// A field that stands once has one, one with boxes has as many as are ticked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or several")
            }

            fn visit_str<E>(self, text: &str) -> Result<Values, E> {
                Ok(Values(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = all.next_element()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }
        // A browser's form says a text where there is one value; between us it is always a list.
        if from.is_human_readable() { from.deserialize_any(Any) } else { Vec::deserialize(from).map(Values) }
    }
}

impl Said {
    /// The value of a field, trimmed; empty where it says nothing.
    pub fn one(&self, name: &str) -> &str {
        self.0.get(name).and_then(|values| values.0.first()).map_or("", |value| value.trim())
    }

    /// Every value of a field.
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], |values| &values.0)
    }

    /// Whether one of the values of a field is this.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).iter().any(|other| other == value)
    }

    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One value instead of all before.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), Values(vec![value.into()]));
    }

    /// One more value.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.entry(name.to_owned()).or_default().0.push(value.into());
    }

    /// What was typed, by field, as an error keeps it; never a secret. It travels in an address, which must not become too long.
    #[cfg(feature = "ssr")]
    pub fn kept(&self) -> Vec<(String, String)> {
        let pairs = self.0.iter().flat_map(|(name, values)| values.0.iter().map(move |value| (name, value)));
        let pairs = pairs.filter(|(name, _)| *name != "webhook_url");
        pairs.take(120).map(|(name, value)| (name.clone(), value.chars().take(1_000).collect())).collect()
    }

    /// Reads what an error kept.
    pub fn from_kept(kept: &[(String, String)]) -> Self {
        let mut said = Self::default();
        for (name, value) in kept {
            said.add(name, value.clone());
        }
        said
    }

    /// As the form would say it in an address.
    pub fn to_query(&self) -> String {
        use crate::parts::text::encode;
        let one = |(name, values): (&String, &Values)| {
            let pairs = values.0.iter().map(|value| format!("form%5B{}%5D%5B%5D={}", encode(name), encode(value)));
            pairs.collect::<Vec<_>>().join("&")
        };
        self.0.iter().map(one).collect::<Vec<_>>().join("&")
    }

    /// Reads the fields of a form from an address; what else stands there is left out.
    #[cfg(feature = "ssr")]
    pub fn from_query(query: &str) -> Self {
        let mut said = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let field = name.strip_prefix("form[").and_then(|rest| rest.split_once(']'));
            if let Some((field, "" | "[]")) = field {
                said.add(field, value);
            }
        }
        said
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_back_from_its_address_and_from_what_an_error_kept() {
        let mut said = Said::default();
        said.set("name", "Müller & Söhne");
        said.add("platforms", "sap");
        said.add("platforms", "netsuite");
        assert_eq!(Said::from_query(&format!("test=1&{}&__err=x", said.to_query())), said);
        assert_eq!(Said::from_kept(&said.kept()), said);
        assert!(said.has("platforms", "netsuite") && said.one("nothing").is_empty());
    }

    #[test]
    fn a_secret_is_not_kept() {
        let mut said = Said::default();
        said.set("webhook_url", "https://hooks.slack.com/services/T/B/secret");
        assert!(said.kept().is_empty());
    }
}
