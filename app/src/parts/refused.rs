//! An error as a sentence with a next step.

use crate::{browser, calls::CallError};
use leptos::prelude::*;
use leptos_meta::Title;
use model::Refusal;

/// In the place of a whole screen.
pub(crate) fn refused_screen(error: CallError) -> AnyView {
    #[cfg(feature = "ssr")]
    crate::calls::set_status(true, error.refusal.status());
    if error.refusal == Refusal::Unauthenticated {
        Effect::new(|_| browser::sign_in_again());
    }
    let title = error.refusal.title();
    view! {
        <Title text=title />
        <section class="refused">
            <h1>{title}</h1>
            <p class="lede">{error.to_string()}</p>
            <div class="acts">
                <a class="btn first" href="/">"Go to the Overview"</a>
                <a class="btn" href="/connections">"See all connections"</a>
            </div>
        </section>
    }
    .into_any()
}

/// Brings the person to the first field that is wrong, whenever there is one.
pub(crate) fn focus_wrong(error: impl Fn() -> Option<CallError> + 'static) {
    Effect::new(move |_| {
        if error().is_some_and(|error| matches!(error.refusal, Refusal::Invalid(_))) {
            request_animation_frame(|| {
                browser::focus("[aria-invalid=true]");
            });
        }
    });
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
