//! An error as a sentence with a next step.

use crate::{browser, calls::CallError};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{FieldError, Refusal};

/// In the place of a whole screen.
pub(crate) fn refused_screen(error: CallError) -> AnyView {
    #[cfg(feature = "ssr")]
    crate::calls::set_status(true, error.refusal.status());
    if error.refusal == Refusal::Unauthenticated {
        Effect::new(|_| browser::sign_in_again());
    }
    let (title, text, errors) = match &error.refusal {
        Refusal::Invalid(errors) => {
            let one = |error: &FieldError| {
                view! { <li><code>{error.field.clone()}</code>" – "{error.message.clone()}</li> }.into_any()
            };
            let list = errors.iter().map(one).collect::<Vec<_>>();
            let list = view! { <ul class="plain-list">{list}</ul> }.into_any();
            (
                "This address cannot be understood",
                "It asks for something that is not known here:".to_owned(),
                Some(list),
            )
        }
        refusal => (refusal.title(), error.to_string(), None),
    };
    view! {
        <Title text=title />
        <section class="refused">
            <h1>{title}</h1>
            <p class="lede">{text}</p>
            {errors}
            <div class="acts">
                <a class="btn first" href="/">"Go to the Overview"</a>
                <a class="btn" href="/connections">"See all connections"</a>
            </div>
        </section>
    }
    .into_any()
}

/// Beside a form: what could not be done and why.
pub(crate) fn refused_note(error: &CallError) -> AnyView {
    let text = match &error.refusal {
        Refusal::Invalid(errors) if errors.len() == 1 => format!("One field needs another look. {}", errors[0].message),
        Refusal::Invalid(errors) => format!("{} fields need another look.", errors.len()),
        other => other.to_string(),
    };
    view! { <p class="note bad" role="alert">{text}</p> }.into_any()
}
