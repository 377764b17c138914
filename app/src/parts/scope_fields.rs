//! For whom: the lists that a rule, maintenance and a route share.

use super::controls::{Controls, choices};
use crate::calls::alerts::{Choices, Known};
use leptos::prelude::*;
use model::Environment;

/// The lists; `words` are those that are written.
pub(crate) fn scope_fields(
    controls: Controls,
    known: &Known,
    environments: bool,
    words: &[(&'static str, &'static str, &'static str)],
) -> AnyView {
    let boxes = |name, legend, of: &Choices| (!of.is_empty()).then(|| controls.boxes(name, legend, of.clone()));
    let all = choices(Environment::ALL, Environment::code, Environment::words);
    let lines: Vec<_> = words
        .iter()
        .map(|(name, label, help)| controls.row(name, label, help, controls.text(name, label, 30, None, None)))
        .collect();
    view! {
        <div class="scope-lists">
            {boxes("platforms", "Systems", &known.platforms)}
            {(known.sources.len() > 1 || !controls.value("sources").is_empty()).then(|| boxes("sources", "Sources", &known.sources))}
            {environments.then(|| controls.boxes("environments", "Environments", all))}
            {controls.row("customers", "Customers", "Their names, one a line.", controls.area("customers", "Customers", 2))}
            {lines}
        </div>
    }
    .into_any()
}

/// Tags and tiers.
pub(crate) const TAGS: [(&str, &str, &str); 2] =
    [("tags", "Tags", "With commas between them; any of them."), ("tiers", "Tiers", "Such as gold, silver.")];

/// Tags, tiers and owners.
pub(crate) const TAGS_AND_OWNERS: [(&str, &str, &str); 3] =
    [TAGS[0], TAGS[1], ("owners", "Owners", "Of connections or customers.")];
