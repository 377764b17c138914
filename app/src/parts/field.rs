//! A labelled field with its help and, when it is wrong, the sentence that says so.

use super::post::Post;
use leptos::prelude::*;

/// What the fields of a form share: what was typed or is stored, and what is wrong.
#[derive(Clone, Copy)]
pub(crate) struct Fields {
    /// Before the field's own name in the form, for example `form`.
    pub group: &'static str,
    /// The form: it knows what is wrong.
    pub post: Post,
}

/// One field.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// A sentence that explains it.
    pub help: &'static str,
}

impl Fields {
    fn parts(&self, field: Field) -> (String, String, impl Fn() -> Option<String> + Copy + Send + Sync + 'static) {
        let id = format!("f-{}", field.name);
        let name = format!("{}[{}]", self.group, field.name);
        let post = self.post;
        let message = move || post.error.with(|error| error.as_ref().and_then(|error| error.about(field.name)));
        (id, name, message)
    }

    fn around(&self, field: Field, control: AnyView) -> AnyView {
        let (id, _, message) = self.parts(field);
        let fine = message;
        view! {
            <div class="field">
                <label for=id.clone()>{field.label}</label>
                {control}
                <p class="wrong" id=format!("{id}-wrong") hidden=move || fine().is_none()>{message}</p>
                <p class="help" id=format!("{id}-help")>{field.help}</p>
            </div>
        }
        .into_any()
    }

    /// A line of text.
    pub(crate) fn line(&self, field: Field, value: impl Into<String>, more: Line) -> AnyView {
        let (id, name, message) = self.parts(field);
        let invalid = move || message().is_some().then_some("true");
        let control = view! {
            <input id=id.clone() name=name value=value.into() type=if more.secret { "password" } else { "text" } required=more.required
                placeholder=more.placeholder autocomplete=if more.secret { "new-password" } else { "off" } spellcheck="false"
                aria-invalid=invalid aria-describedby=format!("{id}-wrong {id}-help") />
        };
        self.around(field, control.into_any())
    }

    /// Several lines of text.
    pub(crate) fn lines(&self, field: Field, value: String, rows: u32, code: bool) -> AnyView {
        let (id, name, message) = self.parts(field);
        let invalid = move || message().is_some().then_some("true");
        let control = view! {
            <textarea id=id.clone() name=name rows=rows.to_string() class=if code { "code" } else { "" } spellcheck=if code { "false" } else { "true" }
                aria-invalid=invalid aria-describedby=format!("{id}-wrong {id}-help")>
                {crate::raw_text(value)}
            </textarea>
        };
        self.around(field, control.into_any())
    }

    /// One of several.
    pub(crate) fn choice(&self, field: Field, value: &str, options: &[(&'static str, &'static str)]) -> AnyView {
        let (id, name, message) = self.parts(field);
        let invalid = move || message().is_some().then_some("true");
        let options: Vec<_> = options
            .iter()
            .map(|(code, words)| view! { <option value=*code selected=*code == value>{*words}</option> }.into_any())
            .collect();
        let control = view! {
            <select id=id.clone() name=name aria-invalid=invalid aria-describedby=format!("{id}-wrong {id}-help")>
                {options}
            </select>
        };
        self.around(field, control.into_any())
    }

    /// Yes or no.
    pub(crate) fn check(&self, field: Field, on: bool) -> AnyView {
        let (id, name, _) = self.parts(field);
        view! {
            <div class="field check">
                <input type="checkbox" id=id.clone() name=name value="on" checked=on aria-describedby=format!("{id}-help") />
                <label for=id.clone()>{field.label}</label>
                <p class="help" id=format!("{id}-help")>{field.help}</p>
            </div>
        }
        .into_any()
    }
}

/// How a line of text behaves.
#[derive(Clone, Copy, Default)]
pub(crate) struct Line {
    /// Not shown while it is typed, never filled in.
    pub secret: bool,
    /// Must be filled in.
    pub required: bool,
    /// An example.
    pub placeholder: &'static str,
}
