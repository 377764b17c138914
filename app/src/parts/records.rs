//! Lost webhooks about single records: what is asked for to find them, what that costs and what came of it.

use super::{
    field::{Field, Fields, Line},
    text,
    time::Moment,
};
use leptos::prelude::*;
use model::{Dialect, Source, SourceRecords};

/// The settings; only of a source whose webhooks tell of records.
pub(crate) fn record_fields(fields: Fields, stored: &Source) -> Option<AnyView> {
    let kept = |name: &str, stored: String| fields.post.kept(name, stored);
    let line = |name, label, help, stored: String, placeholder| {
        let more = Line { placeholder, ..Line::default() };
        fields.line(Field { name, label, help }, kept(name, stored), more)
    };
    (stored.dialect == Dialect::Openapi2025).then(|| {
        view! {
            <fieldset>
                <legend>"Lost webhooks about records"</legend>
                <input type="hidden" name=format!("{}[records]", fields.group) value="1" />
                {line("record_entities", "Ask what changed in", "With commas between them, at most 8. What changed and no webhook told of is shown as a gap. Takes each connection’s own token. Empty: nothing is asked, and what was lost cannot be known.", stored.record_entities.join(", "), "eam/assets, erp/purchase-orders")}
                {line("record_minutes", "Each connection at most every, in minutes", "5 to 1440; usually 15.", stored.record_minutes.to_string(), "15")}
                {line("record_connections", "And in that time at most so many connections", "1 to 1000; usually 50. They take turns, evenly spread. Each costs one question for each kind of record.", stored.record_connections.to_string(), "50")}
            </fieldset>
        }
        .into_any()
    })
}

/// What is asked, what it costs, and what cannot be known; none where webhooks do not tell of records.
pub(crate) fn records(source: &Source, now: Moment) -> Option<AnyView> {
    if source.dialect != Dialect::Openapi2025 {
        return None;
    }
    let Some(records) = &source.records else {
        let nothing = view! {
            <p class="sub">"Webhooks about single records are not looked for when they are lost: no poll of states shows them. The settings below can ask for records."</p>
        };
        return Some(nothing.into_any());
    };
    let cost = format!(
        "Asks what changed in {}: about {} an hour.",
        source.record_entities.join(", "),
        text::counted(source.record_questions_an_hour(), "question", "questions"),
    );
    let last = match records.last_at {
        Some(at) => view! { " The last answer came "{now.ago(at)}"." }.into_any(),
        None => " There was no answer yet.".into_any(),
    };
    Some(view! { <p class="sub">{cost}{last}{format!(" {}", known(records))}</p> }.into_any())
}

/// For which kinds a lost webhook is found, and for which it cannot be.
fn known(records: &SourceRecords) -> String {
    let mut said = match records.told.as_slice() {
        [] => "No webhook about a record has come yet, so it cannot be known whether one was lost.".to_owned(),
        told => format!("Lost ones are found of {}; of any other kind it cannot be known.", told.join(", ")),
    };
    if records.refused > 0 {
        let why = records.refusal.as_deref().unwrap_or_default();
        said.push_str(&format!(
            " {} of {} are refused and asked again once a day: {why}",
            text::count(records.refused),
            text::count(records.asked)
        ));
    }
    said
}
