//! Controls that stand in a sentence, or below a label. What was typed before the last refusal goes before what is stored.

use super::post::Post;
use crate::calls::{Said, alerts::Choices};
use leptos::prelude::*;
use model::{FieldError, Refusal};

/// The controls of one form.
#[derive(Clone, Copy)]
pub(crate) struct Controls {
    /// The form.
    pub post: Post,
    said: StoredValue<Said>,
}

/// Words for codes, as [`Choices`].
pub(crate) fn choices<T: Copy>(all: &[T], code: fn(T) -> &'static str, words: fn(T) -> &'static str) -> Choices {
    all.iter().map(|one| (code(*one).to_owned(), words(*one).to_owned())).collect()
}

/// Whether an error is about a field: the desk names it with what stands around it, such as `when.seconds`.
fn about(error: &FieldError, name: &str) -> bool {
    let last = error.field.rsplit('.').next().unwrap_or_default();
    let last = last.split('[').next().unwrap_or_default();
    last == name
        || (name == "amount" && matches!(last, "at_least" | "percent"))
        || matches!((name, last), ("whom", "scope") | ("quiet_seconds", "seconds") | ("until", "ends_at"))
}

impl Controls {
    /// Of a form that begins with what is stored.
    pub(crate) fn new(post: Post, stored: Said) -> Self {
        let kept = post.error.with_untracked(|error| error.as_ref().map(|error| Said::from_kept(&error.kept)));
        Self { post, said: StoredValue::new(kept.filter(|kept| !kept.is_empty()).unwrap_or(stored)) }
    }

    /// What the form says as it opens.
    pub(crate) fn said(self) -> Said {
        self.said.get_value()
    }

    /// What a field says as it opens.
    pub(crate) fn value(self, name: &str) -> String {
        self.said.with_value(|said| said.one(name).to_owned())
    }

    fn wrong(self, name: &'static str) -> impl Fn() -> Option<String> + Copy + Send + Sync + 'static {
        move || {
            self.post.error.with(|error| match error.as_ref().map(|error| &error.refusal) {
                Some(Refusal::Invalid(errors)) => {
                    errors.iter().find(|error| about(error, name)).map(|error| error.message.clone())
                }
                _ => None,
            })
        }
    }

    /// What is wrong with a field.
    pub(crate) fn fault(self, name: &'static str) -> AnyView {
        let wrong = self.wrong(name);
        view! { <span class="wrong" id=format!("s-{name}-wrong") hidden=move || wrong().is_none()>{wrong}</span> }
            .into_any()
    }

    /// A value that is not shown.
    pub(crate) fn hidden(self, name: &'static str) -> AnyView {
        view! { <input type="hidden" name=format!("form[{name}]") value=self.value(name) /> }.into_any()
    }

    /// One of several; `chosen` follows it.
    pub(crate) fn pick(
        self,
        name: &'static str,
        label: &'static str,
        options: Choices,
        chosen: Option<RwSignal<String>>,
    ) -> AnyView {
        let now = self.value(name);
        let option = |(value, words): (String, String)| {
            let selected = value == now;
            view! { <option value=value selected=selected>{words}</option> }.into_any()
        };
        let options: Vec<_> = options.into_iter().map(option).collect();
        let changed = move |event| {
            if let Some(chosen) = chosen {
                chosen.set(event_target_value(&event));
            }
        };
        let wrong = self.wrong(name);
        view! {
            <select class="slot" id=format!("s-{name}") name=format!("form[{name}]") aria-label=label on:change=changed
                aria-invalid=move || wrong().is_some().then_some("true")>
                {options}
            </select>
        }
        .into_any()
    }

    /// A few words, a number or a duration; `list` is the id of what is usual.
    pub(crate) fn text(
        self,
        name: &'static str,
        label: &'static str,
        size: u8,
        list: Option<&'static str>,
        follows: Option<RwSignal<String>>,
    ) -> AnyView {
        let now = self.value(name);
        let wrong = self.wrong(name);
        let invalid = move || wrong().is_some().then_some("true");
        let (id, field, described) = (format!("s-{name}"), format!("form[{name}]"), format!("s-{name}-wrong"));
        // Only what something else changes too is tied to a signal: that would undo what was typed before the page was alive.
        match follows {
            Some(value) => view! {
                <input class="slot" type="text" id=id name=field value=now prop:value=value size=size.to_string() list=list autocomplete="off"
                    aria-label=label aria-invalid=invalid aria-describedby=described on:input=move |event| value.set(event_target_value(&event)) />
            }
            .into_any(),
            None => view! {
                <input class="slot" type="text" id=id name=field value=now size=size.to_string() list=list autocomplete="off"
                    aria-label=label aria-invalid=invalid aria-describedby=described />
            }
            .into_any(),
        }
    }

    /// Several lines.
    pub(crate) fn area(self, name: &'static str, label: &'static str, rows: u8) -> AnyView {
        let wrong = self.wrong(name);
        view! {
            <textarea id=format!("s-{name}") name=format!("form[{name}]") rows=rows.to_string() maxlength="4000" aria-label=label
                aria-invalid=move || wrong().is_some().then_some("true") aria-describedby=format!("s-{name}-wrong")>
                {crate::raw_text(self.value(name))}
            </textarea>
        }
        .into_any()
    }

    /// Any number of several.
    pub(crate) fn boxes(self, name: &'static str, legend: &'static str, options: Choices) -> AnyView {
        let one = |(value, words): (String, String)| {
            let on = self.said.with_value(|said| said.has(name, &value));
            view! { <label class="box"><input type="checkbox" name=format!("form[{name}][]") value=value checked=on />{words}</label> }
                .into_any()
        };
        let all: Vec<_> = options.into_iter().map(one).collect();
        view! { <fieldset class="boxes" id=format!("s-{name}")><legend>{legend}</legend>{all}</fieldset> }.into_any()
    }

    /// A control below its label, with its help and what is wrong with it.
    pub(crate) fn row(self, name: &'static str, label: &'static str, help: &'static str, control: AnyView) -> AnyView {
        view! {
            <div class="field">
                <label for=format!("s-{name}")>{label}</label>
                {control}
                {self.fault(name)}
                <p class="help">{help}</p>
            </div>
        }
        .into_any()
    }
}

/// What is usual for durations, for `list`.
pub(crate) fn usual(id: &'static str, values: &[&'static str]) -> AnyView {
    let options: Vec<_> = values.iter().map(|value| view! { <option value=*value></option> }.into_any()).collect();
    view! { <datalist id=id>{options}</datalist> }.into_any()
}
