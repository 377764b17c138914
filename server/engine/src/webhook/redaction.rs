//! Which values of a payload are hidden. Pure.
//!
//! What is kept stays as it came, byte for byte: it is what is forwarded, tried again and verified. What is shown of it, and found in it,
//! is without the values of the fields that the rules hide: those of the moment when it came and those of now. So a rule that is added
//! holds for everything, and one that is taken away uncovers nothing that it hid when it came.

use chrono::{DateTime, TimeDelta, Utc};
use std::borrow::Cow;
use std::collections::HashSet;

/// What stands for a value that is not shown, as JSON.
const HIDDEN: &str = "\"•••\"";
/// Around a change of the rules both hold for so long: the clocks of processes differ, and a change counts from when it was made, not
/// from when all knew of it.
const AROUND: TimeDelta = TimeDelta::minutes(1);

/// The rules of now and all before them, oldest first: since when, and the names of the fields.
pub struct Rules(Vec<(DateTime<Utc>, HashSet<String>)>);

impl FromIterator<(DateTime<Utc>, Vec<String>)> for Rules {
    fn from_iter<I: IntoIterator<Item = (DateTime<Utc>, Vec<String>)>>(rules: I) -> Self {
        let names = |fields: Vec<String>| fields.iter().map(|field| field.trim().to_lowercase()).collect();
        Self(rules.into_iter().map(|(since, fields)| (since, names(fields))).collect())
    }
}

impl Rules {
    /// What is hidden of something that came then.
    pub fn at(&self, at: DateTime<Utc>) -> Hidden<'_> {
        self.between(at, at)
    }

    /// What is hidden of something that is made of what came between then and then, both included.
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Hidden<'_> {
        let ends = self.0.iter().skip(1).map(|(since, _)| Some(*since)).chain([None]);
        let held = self.0.iter().enumerate().zip(ends).filter(|((n, (since, _)), end)| match end {
            // the rules of now hold for all
            None => true,
            Some(end) => (*n == 0 || *since <= to + AROUND) && *end >= from - AROUND,
        });
        Hidden(held.map(|((_, (_, fields)), _)| fields).collect())
    }
}

/// What is hidden: each value of a field with one of these names, in any case of letters, wherever it is.
pub struct Hidden<'r>(Vec<&'r HashSet<String>>);

impl Hidden<'_> {
    fn has(&self, name: &str) -> bool {
        let name = name.trim().to_lowercase();
        self.0.iter().any(|fields| fields.contains(&name))
    }

    /// The text without what is hidden; all else as it came, letter for letter.
    ///
    /// It need not be whole: an excerpt of JSON that breaks off is read as far as it goes. In what is no JSON there are no fields.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let bytes = text.as_bytes();
        let (mut shown, mut told, mut at) = (String::new(), 0, 0);
        while let Some(quote) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'"')) {
            let quote = at + quote;
            at = string_end(bytes, quote);
            let colon = blank_end(bytes, at);
            if bytes.get(colon) == Some(&b':') && self.has(&name(&text[quote..at])) {
                let value = blank_end(bytes, colon + 1);
                at = value_end(bytes, value);
                shown.push_str(&text[told..value]);
                shown.push_str(HIDDEN);
                told = at;
            }
        }
        if told == 0 {
            return Cow::Borrowed(text);
        }
        shown.push_str(&text[told..]);
        Cow::Owned(shown)
    }
}

/// What a name within its quotes says.
fn name(quoted: &str) -> Cow<'_, str> {
    let plain = quoted.trim_matches('"');
    if !plain.contains('\\') {
        return Cow::Borrowed(plain);
    }
    serde_json::from_str(quoted).map_or(Cow::Borrowed(plain), Cow::Owned)
}

/// Behind the string that begins with this quote. As everywhere here: behind an ASCII byte, or the end, so that a text can be cut there.
fn string_end(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// Behind the blanks.
fn blank_end(bytes: &[u8], from: usize) -> usize {
    let blanks = bytes.get(from..).map_or(0, |rest| rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count());
    from + blanks
}

/// Behind the value that begins here.
fn value_end(bytes: &[u8], from: usize) -> usize {
    match bytes.get(from) {
        Some(b'"') => string_end(bytes, from),
        Some(b'{' | b'[') => nest_end(bytes, from),
        _ => {
            let rest = bytes.get(from..).unwrap_or_default();
            let length = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']')).unwrap_or(rest.len());
            let blanks = rest[..length].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
            from + length - blanks
        }
    }
}

/// Behind the object or list that begins here, however deep it is.
fn nest_end(bytes: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::payload::holds;
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const NAMES: [&str; 7] = ["password", "Token", "iban", "IBAN", "data", "Ünïcode", "a\"b\\\n"];

    fn second(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(n, 0).unwrap()
    }

    fn only(fields: &[&str]) -> Rules {
        [(second(0), fields.iter().map(|field| (*field).to_owned()).collect())].into_iter().collect()
    }

    fn shown(text: &str, fields: &[&str]) -> String {
        only(fields).at(second(0)).redact(text).into_owned()
    }

    #[test]
    fn hides_fields_by_name_wherever_they_are_and_leaves_the_rest_letter_for_letter() {
        let came = "{ \"id\": 1.50, \"Password\" : \"p\\\"q\", \"data\": [{\"TOKEN\": {\"a\": [\"}\"]}, \"tokens\":2}],\n\"note\": \"password\", \
                    \"password\":null , \"pass\\u0077ord\": -1e5\n}";
        let left = "{ \"id\": 1.50, \"Password\" : \"•••\", \"data\": [{\"TOKEN\": \"•••\", \"tokens\":2}],\n\"note\": \"password\", \
                    \"password\":\"•••\" , \"pass\\u0077ord\": \"•••\"\n}";
        assert_eq!(shown(came, &["password", " Token "]), left);
        assert!(matches!(only(&["iban"]).at(second(0)).redact(came), Cow::Borrowed(all) if all == came));
    }

    #[test]
    fn what_breaks_off_or_lies_deep_is_hidden_too_and_what_is_no_json_stays() {
        assert_eq!(shown(r#"{"a": 1, "token": {"b": "se"#, &["token"]), r#"{"a": 1, "token": "•••""#);
        assert_eq!(shown(r#"{"token": "ab\"#, &["token"]), r#"{"token": "•••""#);
        assert_eq!(shown(r#"{"token"  "#, &["token"]), r#"{"token"  "#);
        let deep = format!("{}{}{}", "[".repeat(1_000), r#"{"token": "s3"}"#, "]".repeat(1_000));
        assert!(!shown(&deep, &["token"]).contains("s3"), "however deep");
        for plain in ["", "token=s", "\"", "{ nonsense", "\"token\"", "€\"€\\€"] {
            assert_eq!(shown(plain, &["token"]), plain);
        }
    }

    #[test]
    fn rules_hold_for_what_came_while_they_did_and_those_of_now_for_all() {
        let rules = [(1_000, "first"), (2_000, "second"), (3_000, "third")];
        let rules: Rules = rules.into_iter().map(|(since, field)| (second(since), vec![field.to_owned()])).collect();
        let hidden = |from, to| {
            let hidden = rules.between(second(from), second(to));
            ["first", "second", "third"].map(|field| hidden.has(field))
        };
        assert_eq!(hidden(0, 0), [true, false, true], "the first held before too");
        assert_eq!(hidden(1_500, 1_500), [true, false, true]);
        assert_eq!(hidden(2_500, 2_500), [false, true, true]);
        assert_eq!(hidden(2_030, 2_030), [true, true, true], "near a change both hold");
        assert_eq!(hidden(1_970, 1_970), [true, true, true], "near a change both hold");
        assert_eq!(hidden(1_500, 2_500), [true, true, true]);
        assert_eq!(hidden(4_000, 4_000), [false, false, true]);
    }

    /// JSON whose every text is another one, so that each is found again.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            4 => Just(Value::from("?")),
            1 => Just(Value::Null),
            1 => any::<i64>().prop_map(Value::from),
            1 => Just(json!("a \"quoted\" \\ }],:")),
        ];
        let name = prop_oneof![proptest::sample::select(NAMES.to_vec()).prop_map(str::to_owned), "[a-z]{1,4}"];
        let json = leaf.prop_recursive(5, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map(name.clone(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        json.prop_map(|mut json| {
            number(&mut json, &mut 0);
            json
        })
    }

    fn number(json: &mut Value, n: &mut u32) {
        match json {
            Value::String(text) if text == "?" => {
                *text = format!("§{n:04}§");
                *n += 1;
            }
            Value::Object(map) => map.values_mut().for_each(|value| number(value, n)),
            Value::Array(items) => items.iter_mut().for_each(|value| number(value, n)),
            _ => {}
        }
    }

    /// The plainest reading of what is hidden; what it hides goes to the list, with where that lies.
    fn hide(json: &mut Value, fields: &[&str], path: &str, hidden: &mut Vec<(String, String)>) {
        match json {
            Value::Object(map) => {
                for (name, value) in map {
                    let path = format!("{path}.{name}");
                    if fields.iter().any(|field| field.to_lowercase() == name.to_lowercase()) {
                        texts(value, &path, hidden);
                        *value = "•••".into();
                    } else {
                        hide(value, fields, &path, hidden);
                    }
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    hide(item, fields, &format!("{path}.{n}"), hidden);
                }
            }
            _ => {}
        }
    }

    fn texts(json: &Value, path: &str, found: &mut Vec<(String, String)>) {
        match json {
            Value::String(text) if text.starts_with('§') => found.push((text.clone(), path.to_owned())),
            Value::Object(map) => map.iter().for_each(|(name, value)| texts(value, &format!("{path}.{name}"), found)),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, item)| texts(item, &format!("{path}.{n}"), found));
            }
            _ => {}
        }
    }

    proptest! {
        /// What was hidden when it came is neither shown nor found after the rules have become any others, and nothing else is hidden.
        #[test]
        fn what_was_hidden_stays_hidden(
            json in json(),
            before in proptest::sample::subsequence(NAMES.to_vec(), 0..5),
            after in proptest::sample::subsequence(NAMES.to_vec(), 0..5),
            pretty: bool,
            cut in 0.0f64..1.0,
        ) {
            let came = if pretty { format!("{json:#}") } else { json.to_string() };
            let of = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
            let rules: Rules = [(second(0), of(&before)), (second(1_000), of(&after))].into_iter().collect();
            let hidden = rules.at(second(100));
            let shown = hidden.redact(&came);

            let (mut expected, mut secret) = (json.clone(), Vec::new());
            hide(&mut expected, &[before, after.clone()].concat(), "$", &mut secret);
            prop_assert_eq!(&serde_json::from_str::<Value>(&shown).unwrap(), &expected);
            for (text, path) in &secret {
                prop_assert!(!holds(&shown, None, text) && !holds(&shown, Some(path.as_str()), text), "{} in {}", text, shown);
            }
            let mut open = Vec::new();
            texts(&expected, "$", &mut open);
            for (text, _) in &open {
                prop_assert!(holds(&shown, None, text), "{} not in {}", text, shown);
            }

            // of what comes later only the new rules count
            let (mut expected, mut uncovered) = (json, Vec::new());
            hide(&mut expected, &after, "$", &mut uncovered);
            let later = rules.at(second(2_000)).redact(&came).into_owned();
            prop_assert_eq!(serde_json::from_str::<Value>(&later).unwrap(), expected);

            // an excerpt shows nothing of it either
            let mut end = (came.len() as f64 * cut) as usize;
            while !came.is_char_boundary(end) {
                end -= 1;
            }
            let excerpt = hidden.redact(&came[..end]);
            for (text, _) in &secret {
                prop_assert!(!excerpt.contains(&text[..6]), "{} in {}", text, excerpt);
            }
        }

        #[test]
        fn any_text_is_survived(text in r#"["\\{}\[\]:, a€]{0,40}"#) {
            let shown = only(&["a", "", "€"]).at(second(0)).redact(&text).into_owned();
            prop_assert!(shown.len() <= text.len() + 11 * text.matches(':').count());
        }
    }
}
