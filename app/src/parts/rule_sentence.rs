//! A rule is a sentence whose words are its controls.

use super::{
    controls::{Controls, choices, usual},
    post::Post,
    rule_preview::Trial,
    rule_when::when,
    scope_fields::{TAGS_AND_OWNERS, scope_fields},
};
use crate::{browser, calls::alerts::RuleView};
use leptos::prelude::*;
use model::{GroupBy, Severity};
use std::time::Duration;

/// How long one must pause while typing before the past is asked.
const PAUSE: Duration = Duration::from_millis(350);

/// How its alerts are told together, as the end of “told …”.
fn together(group: GroupBy) -> &'static str {
    match group {
        GroupBy::Rule => "all in one message",
        GroupBy::Subject => "each by itself",
        GroupBy::Platform => "in one message for each system",
        GroupBy::Source => "in one message for each source",
        GroupBy::Customer => "in one message for each customer",
    }
}

fn worst(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical: act now",
        Severity::Warning => "a warning: look soon",
        Severity::Info => "for information",
    }
}

/// The form. `address` is the page itself, which shows the same without wasm.
pub(crate) fn sentence(view: &RuleView, controls: Controls, post: Post, trial: Trial, address: String) -> AnyView {
    let kind = RwSignal::new(controls.value("kind"));
    let whom = RwSignal::new(controls.value("whom"));
    let number = StoredValue::new(0u32);
    // Whatever is changed, the past is asked what it would have meant.
    let look = move || {
        let mine = number.try_update_value(|n| {
            *n += 1;
            *n
        });
        let ask = move || {
            if number.try_get_value() == mine
                && let Some(text) = browser::form_text("#rule")
            {
                trial.wish.set(text);
            }
        };
        set_timeout(ask, PAUSE);
    };
    Effect::new(move |before: Option<()>| {
        trial.patience.track();
        if before.is_some() {
            look();
        }
    });
    let asks = move |words: &'static str, class: &'static str| {
        let address = address.clone();
        view! {
            <noscript><button class=class formmethod="get" formaction=address formnovalidate=true>{words}</button></noscript>
        }
        .into_any()
    };
    let whose = [("all", "all connections"), ("only", "only some"), ("except", "all except some")];
    let whose = whose.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    let open = controls.value("whom") != "all";
    let some = move || whom.with(|whom| whom != "all");
    let save = if view.rule.is_some() { "Save the rule" } else { "Save and switch on" };
    let fields = view! {
        {controls.hidden("id")}
        {controls.hidden("version")}
        {usual("durations", &["5 min", "15 min", "30 min", "1 h", "6 h", "1 day"])}
        {usual("patience", &["at once", "5 min", "15 min", "30 min", "1 h", "2 h"])}
        {usual("repeats", &["never", "30 min", "1 h", "4 h", "1 day"])}
        <div class="field name">
            <label for="s-name">"Name"</label>
            {controls.text("name", "Name", 40, None, None)}
            {controls.fault("name")}
        </div>
        <div class="say">
            {when(controls, kind, asks("Choose", "btn small"))}
            <div class="line">
                "for "
                {controls.pick("whom", "For whom", whose, Some(whom))}
                {controls.fault("whom")}
                <details class="whom" open=open prop:open=some>
                    <summary>"Which ones"</summary>
                    {scope_fields(controls, &view.known, true, &TAGS_AND_OWNERS)}
                </details>
            </div>
            <div class="line">
                "then call it "
                {controls.pick("severity", "How bad it is", choices(Severity::ALL, Severity::code, worst), None)}
                " if it lasts "
                {controls.text("for_seconds", "If it lasts", 8, Some("patience"), Some(trial.patience))}
                {controls.fault("for_seconds")}
                ", and say so again every "
                {controls.text("repeat_seconds", "Again every", 8, Some("repeats"), None)}
                {controls.fault("repeat_seconds")}
                " until somebody takes it. It is over once it has been well for "
                {controls.text("hold_seconds", "Well for", 8, Some("patience"), None)}
                {controls.fault("hold_seconds")}
                ". Tell "
                {controls.pick("group_by", "Told together", choices(GroupBy::ALL, GroupBy::code, together), None)}
                "."
            </div>
        </div>
        <div class="field">
            <label for="s-note">"What to do, for whoever is told"</label>
            {controls.area("note", "What to do, for whoever is told", 2)}
            {controls.fault("note")}
        </div>
        {post.note()}
        <div class="acts">
            <button class="btn first" disabled=move || post.busy.get()>{save}</button>
            {asks("Preview", "btn")}
            <a class="btn quiet" href="/alerts/rules">"Cancel"</a>
        </div>
    };
    view! {
        <div class="rule-editor" on:input=move |_| look() on:change=move |_| look()>
            {post.form_with_id("rule", "form", fields.into_any())}
        </div>
    }
    .into_any()
}
