//! Who was told of a problem, by what means and when; or why nobody was.

use super::time::{Moment, use_clock};
use crate::{
    asking::{Question, ask, part},
    live::Refetch,
};
use leptos::prelude::*;
use model::{ChangeTopic, Told};

/// The section on a connection, whose id is given as it is in the address; empty where there is none.
pub(crate) fn told(id: impl Fn() -> String + Send + Sync + 'static) -> AnyView {
    section(move || match id() {
        id if id.is_empty() => Question::Nothing,
        id => Question::Told(id),
    })
}

/// The same on an outage.
pub(crate) fn told_of_outage(id: String) -> AnyView {
    section(move || Question::ToldOfOutage(id.clone()))
}

fn section(question: impl Fn() -> Question + Send + Sync + 'static) -> AnyView {
    let clock = use_clock();
    let asked = ask(question, Refetch::on(&[ChangeTopic::Notification, ChangeTopic::Alert]));
    view! {
        <section aria-labelledby="told" class="told">
            <h2 id="told">"Who was told"</h2>
            <Transition fallback=|| ()>
                {
                    part(asked.latest(), move |got| match got.told() {
                        Some((as_of, told)) => list(told, clock.moment(*as_of)),
                        None => ().into_any(),
                    })
                }
            </Transition>
        </section>
    }
    .into_any()
}

fn list(told: &[Told], now: Moment) -> AnyView {
    if told.is_empty() {
        let words = "Nobody yet: no rule has fired for it. ";
        return view! { <p class="faint">{words}<a href="/alerts/rules">"See the rules"</a></p> }.into_any();
    }
    let one = |told: &Told| {
        let (words, under) = match (&told.channel, told.muted_by) {
            (Some(channel), _) => {
                let state = told.state.map(|state| format!(" · {}", state.words().to_lowercase())).unwrap_or_default();
                let reason = told.reason.map(|reason| reason.words().to_lowercase()).unwrap_or_default();
                (channel.clone(), format!("{}: {reason}{state}", told.rule))
            }
            (None, Some(why)) => ("Nobody".to_owned(), format!("{}: {}", told.rule, why.words().to_lowercase())),
            (None, None) => ("Nobody".to_owned(), format!("{}: no route takes it", told.rule)),
        };
        let words = match told.notification_id {
            Some(id) => view! { <a href=format!("/alerts/log/{id}")>{words}</a> }.into_any(),
            None => words.into_any(),
        };
        view! {
            <li class="with-mark">
                <i class=if told.notification_id.is_some() { "sign issue" } else { "sign" } aria-hidden="true"></i>
                <div><p>{words}</p><p class="sub">{under}</p></div>
                <span class="when">{now.ago(told.at)}</span>
            </li>
        }
        .into_any()
    };
    view! { <ol class="log">{told.iter().take(20).map(one).collect::<Vec<_>>()}</ol> }.into_any()
}
