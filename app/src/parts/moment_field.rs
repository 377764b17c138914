//! A date and a time: in the person's zone once the page is alive, in UTC before; what is posted is always a moment.

use super::{
    controls::Controls,
    time::{iso, use_clock},
};
use crate::browser;
use leptos::prelude::*;

/// The field, with its label; the style adds the zone to it.
pub(crate) fn moment_field(controls: Controls, name: &'static str, label: &'static str, help: &'static str) -> AnyView {
    let alive = use_clock();
    let moment = RwSignal::new(controls.value(name));
    let typed = move |event| moment.set(browser::read_local(&event_target_value(&event)).map(iso).unwrap_or_default());
    let posted = move |mine: bool| (alive.is_ticking() == mine).then(|| format!("form[{name}]"));
    let zone = move || if alive.is_ticking() { "in your time" } else { "in UTC" };
    view! {
        <div class="field">
            <label for=format!("s-{name}") data-zone=zone>{label}</label>
            <input type="hidden" name=move || posted(true) value=move || moment.get() />
            <input id=format!("s-{name}") type="datetime-local" name=move || posted(false) value=controls.value(name) on:input=typed aria-describedby=format!("s-{name}-wrong") />
            {controls.fault(name)}
            <p class="help">{help}</p>
        </div>
    }
    .into_any()
}
