//! One stream per browser, not per tab: browsers allow six connections to a host, support staff open twenty tabs.
//! The tab that holds a Web Lock reads the stream and passes every message on through a BroadcastChannel. Where Web
//! Locks are missing (plain HTTP, old browsers), each tab reads its own.

use super::{Link, Live, News};
use crate::browser;
use chrono::{DateTime, TimeDelta, Utc};
use js_sys::{Function, Object, Promise, Reflect};
use leptos::prelude::{GetUntracked, Set, document, set_interval, set_timeout, window};
use model::Refusal;
use std::{cell::RefCell, time::Duration};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, EventSource, EventTarget, MessageEvent};

const NAME: &str = "linewatch-live";
const ADDRESS: &str = "/api/v1/changes";
/// A stream that comes back sooner is not worth a banner.
const PATIENCE: Duration = Duration::from_secs(3);
/// The server says something every 15 s. Two of those missed, and a little more, mean that it is gone without a word.
const SILENCE: TimeDelta = TimeDelta::seconds(35);
/// Between two looks at the clock.
const LOOK: Duration = Duration::from_secs(5);

type Listener = Closure<dyn FnMut(MessageEvent)>;

#[derive(Default)]
struct State {
    live: Option<Live>,
    channel: Option<BroadcastChannel>,
    source: Option<EventSource>,
    listeners: Vec<Listener>,
    /// Lets go of the lock.
    release: Option<Function>,
    /// Leaves the queue for the lock.
    abort: Option<JsValue>,
    leading: bool,
    opened: bool,
    /// When something last came.
    heard: Option<DateTime<Utc>>,
    tries: u32,
    missed: bool,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

fn with<T>(act: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(act)
}

/// Starts for this document; later calls change nothing.
pub(super) fn start(live: Live) {
    if with(|state| state.live.replace(live)).is_some() {
        return;
    }
    join();
    listen(&window(), "pagehide", |_| leave());
    listen(&window(), "pageshow", |event| {
        if Reflect::get(&event, &"persisted".into()).is_ok_and(|persisted| persisted.is_truthy()) {
            join();
            hear(&News::Everything);
        }
    });
    listen(&window(), "offline", |_| lose(browser::now()));
    listen(&window(), "online", |_| {
        if with(|state| state.leading && !state.opened) {
            open();
        }
    });
    set_interval(watch_silence, LOOK);
    listen(&document(), "visibilitychange", |_| {
        if !document().hidden() && with(|state| std::mem::take(&mut state.missed)) {
            hear(&News::Everything);
        }
    });
}

fn listen(target: &EventTarget, name: &str, act: impl FnMut(JsValue) + 'static) {
    let listener = Closure::<dyn FnMut(JsValue)>::new(act);
    target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref()).ok();
    listener.forget();
}

/// Takes part: as a follower at once, as the leader when the lock is ours.
fn join() {
    let channel = BroadcastChannel::new(NAME).ok();
    if let Some(channel) = &channel {
        let heard = Listener::new(|event: MessageEvent| overhear(&event.data().as_string().unwrap_or_default()));
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        heard.forget();
        channel.post_message(&"hello".into()).ok();
    }
    with(|state| state.channel = channel);
    if wait_for_lock().is_none() {
        // Nobody can lead, so nobody should listen to others either.
        if let Some(channel) = with(|state| state.channel.take()) {
            channel.close();
        }
        lead();
    }
}

fn wait_for_lock() -> Option<()> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok().filter(JsValue::is_object)?;
    let held = Closure::once_into_js(move |_: JsValue| {
        lead();
        Promise::new(&mut |resolve, _| with(|state| state.release = Some(resolve)))
    });
    let options = Object::new();
    let controller: Option<JsValue> = Reflect::get(&js_sys::global(), &"AbortController".into())
        .ok()
        .and_then(|class| class.dyn_into::<Function>().ok())
        .and_then(|class| Reflect::construct(&class, &js_sys::Array::new()).ok());
    if let Some(controller) = &controller {
        let signal = Reflect::get(controller, &"signal".into()).unwrap_or_default();
        Reflect::set(&options, &"signal".into(), &signal).ok();
    }
    let promise = browser::call_method(&locks, "request", &[&NAME.into(), &options, &held])?;
    // Leaving the queue rejects the promise; that is no error.
    browser::call_method(&promise, "catch", &[&Closure::once_into_js(|_: JsValue| ())]);
    with(|state| state.abort = controller);
    Some(())
}

fn lead() {
    with(|state| state.leading = true);
    open();
}

/// The page goes away or into the back-forward cache: it must hold nothing.
fn leave() {
    let (channel, release, abort) = with(|state| {
        close(state);
        state.leading = false;
        (state.channel.take(), state.release.take(), state.abort.take())
    });
    if let Some(release) = release {
        release.call0(&JsValue::UNDEFINED).ok();
    } else if let Some(abort) = abort {
        browser::call_method(&abort, "abort", &[]);
    }
    if let Some(channel) = channel {
        channel.close();
    }
}

fn close(state: &mut State) {
    if let Some(source) = state.source.take() {
        source.close();
    }
    state.listeners.clear();
    state.opened = false;
}

fn open() {
    with(close);
    let Ok(source) = EventSource::new(ADDRESS) else { return lose(browser::now()) };
    let on = |name: &str, act: fn(&str)| {
        let listener = Listener::new(move |event: MessageEvent| {
            with(|state| state.heard = browser::now());
            act(&event.data().as_string().unwrap_or_default());
        });
        source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref()).ok();
        listener
    };
    let listeners = vec![
        on("open", |_| {
            with(|state| (state.opened, state.tries) = (true, 0));
            pass_on("live");
            set_link(Link::Live);
            pass_on("reset");
            hear(&News::Everything);
        }),
        on("change", |data| {
            pass_on(data);
            overhear(data);
            // The ring does not ask whether anybody looks.
            if data.contains(r#""topic":"issue""#) {
                browser::heard_issue();
            }
        }),
        on("reset", |_| {
            pass_on("reset");
            hear(&News::Everything);
        }),
        on("heartbeat", |_| ()),
        on("error", |_| lose(browser::now())),
    ];
    with(|state| {
        state.source = Some(source);
        state.listeners = listeners;
    });
}

/// Nothing comes any more and nothing says why: the server hangs, or the way to it is gone.
fn watch_silence() {
    let heard = with(|state| state.heard.filter(|_| state.leading && state.opened));
    let silent = heard.zip(browser::now()).is_some_and(|(heard, now)| now - heard > SILENCE);
    if silent {
        with(close);
        lose(heard);
    }
}

/// The stream broke; what is known stands since then. The browser tries again by itself unless the answer was an error; then
/// it is for us to do.
fn lose(since: Option<DateTime<Utc>>) {
    let (leading, closed, tries) = with(|state| {
        state.opened = false;
        state.tries += 1;
        let closed = state.source.as_ref().is_none_or(|source| source.ready_state() == EventSource::CLOSED);
        (state.leading, closed, state.tries)
    });
    if !leading {
        return;
    }
    set_timeout(
        move || {
            if let Some(since) = since.filter(|_| with(|state| state.leading && !state.opened)) {
                pass_on(&format!("lost {}", since.timestamp_millis()));
                set_link(Link::Lost(since));
            }
        },
        PATIENCE,
    );
    if closed {
        let pause = Duration::from_secs(1 << tries.min(4));
        set_timeout(
            move || {
                if with(|state| state.leading && !state.opened) {
                    open();
                }
            },
            pause,
        );
        leptos::task::spawn_local(async {
            if let Err(error) = crate::calls::overview::ask_pulse().await
                && error.refusal == Refusal::Unauthenticated
            {
                browser::sign_in_again();
            }
        });
    }
}

fn set_link(link: Link) {
    let Some(live) = with(|state| state.live) else { return };
    let keep = matches!((live.link.try_get_untracked(), link), (Some(Link::Lost(_)), Link::Lost(_)));
    if !keep {
        live.link.try_set(link);
    }
}

/// A message from the leader, or a change from our own stream.
fn overhear(message: &str) {
    match message {
        "hello" => {
            if with(|state| state.leading && state.opened) {
                pass_on("live");
            }
        }
        "live" => set_link(Link::Live),
        "reset" => hear(&News::Everything),
        _ => {
            if let Some(since) = message.strip_prefix("lost ") {
                let since = since.parse().ok().and_then(DateTime::from_timestamp_millis);
                set_link(since.map_or(Link::Waiting, Link::Lost));
            } else if let Some(change) = browser::read_change(message) {
                hear(&News::Change(change));
            }
        }
    }
}

fn pass_on(message: &str) {
    with(|state| {
        if let Some(channel) = state.channel.as_ref().filter(|_| state.leading) {
            channel.post_message(&message.into()).ok();
        }
    });
}

/// Tells the page, or remembers that it slept through something.
fn hear(news: &News) {
    if document().hidden() {
        return with(|state| state.missed = true);
    }
    if let Some(live) = with(|state| state.live) {
        live.tell(news);
    }
}
