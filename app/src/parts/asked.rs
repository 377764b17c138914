//! What the address of a page asks.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The address behind its `?`, without what a refused form leaves in it where there is no wasm: that is for the form, which
/// leptos hands it to.
pub(crate) fn use_asked() -> Memo<String> {
    let search = use_location().search;
    Memo::new(move |_| search.with(|search| without_refusal(search)))
}

fn without_refusal(search: &str) -> String {
    search.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("__")).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::without_refusal;

    #[test]
    fn a_refused_form_asks_for_nothing() {
        assert_eq!(without_refusal("state=&connection=7&__path=%2F_app%2Fx&__err=eyJ9"), "state=&connection=7");
        assert_eq!(without_refusal("__path=%2F_app%2Fx&__err=eyJ9"), "");
    }
}
