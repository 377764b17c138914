//! What else can be done with a rule, and what was changed on it.

use super::{post::Post, time::Moment};
use crate::calls::alerts::{RemoveRule, SwitchRule};
use leptos::{prelude::*, server_fn::ServerFn};
use model::{Rule, RuleChange};

/// The switch of a rule: `rule` follows the newest answer.
pub(crate) fn switch(rule: Signal<Option<Rule>>, post: Post, class: &'static str) -> AnyView {
    let of = move |read: fn(&Rule) -> String| rule.with(|rule| rule.as_ref().map(read).unwrap_or_default());
    let fields = view! {
        <input type="hidden" name="id" value=move || of(|rule| rule.id.to_string()) />
        <input type="hidden" name="version" value=move || of(|rule| rule.version.to_string()) />
        <input type="hidden" name="enabled" value=move || of(|rule| (!rule.enabled).to_string()) />
        <button class=class role="switch" aria-checked=move || of(|rule| rule.enabled.to_string()) aria-label=move || of(|rule| format!("{} is evaluated", rule.name))
            disabled=move || post.busy.get()>
            {move || of(|rule| if rule.enabled { "On".to_owned() } else { "Off".to_owned() })}
        </button>
    };
    post.form("switch", fields.into_any())
}

/// A new form for [`switch`].
pub(crate) fn switching(done: impl Fn() + Send + Sync + 'static) -> Post {
    Post::new(SwitchRule::PATH, "Done", done)
}

/// Duplicate, and remove after a look at what that means.
pub(crate) fn more(rule: &Rule) -> AnyView {
    let remove = Post::new(RemoveRule::PATH, "Rule removed", || ());
    let inner = view! {
        <p>"What fires by it is over at once, and nobody is told by it any more. What it told stays in the log."</p>
        <input type="hidden" name="id" value=rule.id.to_string() />
        <button class="btn danger" disabled=move || remove.busy.get()>"Remove this rule"</button>
    };
    view! {
        <div class="acts">
            <a class="btn" href=format!("/alerts/rules/new?from={}", rule.id)>"Duplicate"</a>
            <a class="btn" href=format!("/alerts/silences/new?rule={}", rule.id)>"Silence it"</a>
            <details class="confirm">
                <summary>"Remove"</summary>
                {remove.form("", inner.into_any())}
            </details>
        </div>
        {remove.note()}
    }
    .into_any()
}

/// What was changed, newest first.
pub(crate) fn changes(all: &[RuleChange], now: Moment) -> AnyView {
    if all.is_empty() {
        return view! { <p class="faint">"Nothing was changed on it yet."</p> }.into_any();
    }
    let one = |change: &RuleChange| {
        view! {
            <li>
                <div>
                    <p>{change.text.clone()}</p>
                    <p class="sub">{change.by.clone()}" · "{change.sentence.clone()}</p>
                </div>
                <span class="when">{now.ago(change.at)}</span>
            </li>
        }
        .into_any()
    };
    view! { <ol class="log">{all.iter().map(one).collect::<Vec<_>>()}</ol> }.into_any()
}
