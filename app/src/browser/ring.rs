//! A tone and a desktop notice for new critical problems. Only the tab that reads the stream of changes rings, so that twenty
//! tabs ring once; it does so also while nobody looks at it.

use super::call_method;
use crate::calls::issues::ask_new_problems;
use chrono::{DateTime, TimeDelta, Utc};
use js_sys::{Array, Function, Object, Reflect};
use leptos::prelude::window;
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};

const NAME: &str = "ring";

thread_local! {
    /// What was opened before this moment is no news.
    static SINCE: Cell<Option<DateTime<Utc>>> = const { Cell::new(None) };
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

fn stored() -> Option<JsValue> {
    Reflect::get(&window(), &"localStorage".into()).ok().filter(JsValue::is_object)
}

/// Whether this browser shall ring.
pub(crate) fn ring_wanted() -> bool {
    let value = stored().and_then(|store| call_method(&store, "getItem", &[&NAME.into()]));
    value.and_then(|value| value.as_string()).as_deref() == Some("on")
}

/// From now on it shall, or shall not. Must be called by a click: the browser asks the person whether notices are wanted, and
/// lets sound out.
pub(crate) fn want_ring(on: bool) {
    let Some(store) = stored() else { return };
    if on {
        call_method(&store, "setItem", &[&NAME.into(), &"on".into()]);
        if let Some(notices) = class("Notification") {
            call_method(&notices, "requestPermission", &[]);
        }
        sound();
    } else {
        call_method(&store, "removeItem", &[&NAME.into()]);
    }
}

/// An issue has changed, and this tab reads the stream.
pub(crate) fn heard_issue() {
    let now = super::now();
    // The clocks of server and browser may differ a little; what is told twice has one tag, so it is shown once.
    let since = SINCE.get().or_else(|| now.map(|now| now - TimeDelta::seconds(10)));
    let Some(since) = since.filter(|_| ring_wanted() && !ASKING.replace(true)) else { return };
    leptos::task::spawn_local(async move {
        let problems = ask_new_problems(since).await.unwrap_or_default();
        ASKING.set(false);
        if let Some(first) = problems.first() {
            SINCE.set(super::now());
            sound();
            notice(first, problems.len() - 1);
        }
    });
}

fn class(name: &str) -> Option<Function> {
    Reflect::get(&window(), &name.into()).ok()?.dyn_into().ok()
}

fn notice(first: &str, more: usize) {
    let allowed = class("Notification").filter(|class| {
        Reflect::get(class, &"permission".into()).ok().and_then(|word| word.as_string()).as_deref() == Some("granted")
    });
    let Some(allowed) = allowed else { return };
    let text = if more > 0 {
        format!("And {more} more. See Issues in Linewatch.")
    } else {
        "See Issues in Linewatch.".to_owned()
    };
    let options = Object::new();
    for (name, value) in [("body", text.as_str()), ("tag", "linewatch-issue"), ("icon", "/favicon.svg")] {
        Reflect::set(&options, &name.into(), &value.into()).ok();
    }
    Reflect::construct(&allowed, &Array::of2(&first.into(), &options)).ok();
}

/// A third of a second, not loud.
fn sound() -> Option<()> {
    let context: JsValue = Reflect::construct(&class("AudioContext")?, &Array::new()).ok()?;
    let (tone, volume) = (call_method(&context, "createOscillator", &[])?, call_method(&context, "createGain", &[])?);
    for (of, name, value) in [(&tone, "frequency", 660.0), (&volume, "gain", 0.06)] {
        let parameter = Reflect::get(of, &name.into()).ok()?;
        Reflect::set(&parameter, &"value".into(), &value.into()).ok()?;
    }
    call_method(&tone, "connect", &[&volume]);
    call_method(&volume, "connect", &[&Reflect::get(&context, &"destination".into()).ok()?]);
    call_method(&tone, "start", &[]);
    let now = Reflect::get(&context, &"currentTime".into()).ok()?.as_f64()?;
    call_method(&tone, "stop", &[&(now + 0.3).into()]);
    Some(())
}
