//! Signing in: a plain form.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// The screen.
#[component]
pub(crate) fn Login() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let next = query.get("next").unwrap_or_default();
    let wait = query.get("wait").and_then(|wait| wait.parse::<i64>().ok());
    let trouble = match query.get("error").as_deref() {
        Some("wrong") => {
            Some("That e-mail and password do not go together. Check both; capitals matter in the password.".to_owned())
        }
        Some("throttled") => Some(match wait {
            Some(seconds) => format!("Too many tries. Wait {} and try again.", crate::parts::text::span(seconds)),
            None => "Too many tries. Wait a minute and try again.".to_owned(),
        }),
        Some(_) => Some("Signing in did not work. Try again.".to_owned()),
        None => None,
    };
    let wrong = trouble.is_some().then_some("true");
    view! {
        <Title text="Sign in" />
        <main class="login">
            <div class="login-card">
                <p class="brand">
                    <svg viewBox="0 0 20 20" aria-hidden="true">
                        <path d="M1.5 10.5h4l2.2-6 4.4 11 2.2-5h4.2"></path>
                    </svg>
                    <span>"Linewatch"</span>
                </p>
                <h1>"Sign in"</h1>
                <p class="lede">"See which customers’ connections are well, which are not, and what to do next."</p>
                {trouble.map(|trouble| view! { <p class="note bad" role="alert" id="trouble">{trouble}</p> })}
                <form method="post" action="/login" class="form">
                    <input type="hidden" name="next" value=next />
                    <div class="field">
                        <label for="email">"E-mail"</label>
                        <input id="email" type="email" name="email" autocomplete="username" required=true autofocus=true aria-invalid=wrong />
                    </div>
                    <div class="field">
                        <label for="password">"Password"</label>
                        <input id="password" type="password" name="password" autocomplete="current-password" required=true aria-invalid=wrong />
                    </div>
                    <button class="btn first wide-btn">"Sign in"</button>
                </form>
            </div>
            <p class="faint">"No account, or the password forgotten? Ask whoever runs Linewatch for you."</p>
        </main>
    }
}
