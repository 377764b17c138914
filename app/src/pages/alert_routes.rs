//! Alerts: the routes, in order, each as a sentence; and why something goes where it goes.

use crate::{
    asking::{Latest, Question, ask, may, screen},
    calls::alerts::{AlertAsk, AlertBody, MoveRoute, RoutesView},
    live::Refetch,
    parts::{
        alert_tabs::{body, tabs},
        asked::use_asked,
        empty::Empty,
        post::Post,
        route_way::way,
        text,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use model::{ChangeTopic, Role, Route, RouteMatch};

/// The screen.
#[component]
pub(crate) fn RoutesPage() -> impl IntoView {
    let address = use_asked();
    let refetch = Refetch::on(&[ChangeTopic::Alert]);
    let asked = ask(move || Question::Alerts(AlertAsk::Routes(address.get())), refetch);
    screen(asked, move |latest| full(latest, refetch))
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let acts = may(latest, Role::Admin);
    let post = Post::new(MoveRoute::PATH, "Moved", move || refetch.nudge());
    let of = move |draw: fn(&RoutesView, bool, Post) -> AnyView| {
        body(latest, move |view| match &view.body {
            AlertBody::Routes(view) => draw(view, acts, post),
            _ => ().into_any(),
        })
    };
    view! {
        <Title text="Routes" />
        {tabs("/alerts/routes")}
        <div class="section-head">
            <h1>"Who is told of what."</h1>
            {acts.then(|| view! { <a class="btn first" href="/alerts/routes/new">"Add a route"</a> })}
        </div>
        <p class="lede">"The first route that fits takes an alert, from the top down."</p>
        {post.note()}
        {of(list)}
        {of(|view, _, _| way(view))}
    }
    .into_any()
}

fn list(view: &RoutesView, acts: bool, post: Post) -> AnyView {
    if view.routes.is_empty() {
        let text = "Without a route nobody is told of anything. A route says which alerts go by which channels.";
        return view! {
            <Empty title="Add the first route" text=text>
                <a class="btn first" href="/alerts/routes/new">"Add a route"</a>
                <a class="btn" href="/alerts/channels">"See the channels"</a>
            </Empty>
        }
        .into_any();
    }
    let last = view.routes.len();
    // whatever stands below a route that takes everything and ends there is never asked
    let end = view.routes.iter().position(|(route, ..)| route.matching == RouteMatch::default() && !route.goes_on);
    let unreached = |i: usize| {
        end.filter(|end| i > *end).map(|end| format!("Never reached: {} takes every alert.", view.routes[end].0.name))
    };
    let one = |(i, (route, takes, tells)): (usize, &(Route, String, String))| {
        let moves = |by: i32, words: &'static str, hidden: bool| {
            let fields = view! {
                <input type="hidden" name="id" value=route.id.to_string() />
                <input type="hidden" name="version" value=route.version.to_string() />
                <button class="btn small" name="position" value=(route.position + by).to_string() disabled=move || hidden || post.busy.get()
                    aria-label=format!("Move {} {}", route.name, words.to_lowercase())>{words}</button>
            };
            post.form("", fields.into_any())
        };
        view! {
            <li data-route=route.id.to_string()>
                <span class="place">{route.position}</span>
                <div class="reason">
                    <h2><a href=format!("/alerts/routes/{}", route.id) data-row="">{route.name.clone()}</a></h2>
                    <p class="read-back">{takes.clone()}" → "<b>{tells.clone()}</b>{ends(route)}</p>
                    {unreached(i).map(|words| view! { <p class="note warn">{words}</p> })}
                </div>
                {acts.then(|| view! { <div class="acts">{moves(-1, "Up", i == 0)}{moves(1, "Down", i + 1 == last)}</div> })}
            </li>
        }
        .into_any()
    };
    view! { <ol class="plain-list routes">{view.routes.iter().enumerate().map(one).collect::<Vec<_>>()}</ol> }
        .into_any()
}

/// The end of the sentence.
fn ends(route: &Route) -> String {
    let mut said = match route.first_wait_seconds {
        0 => ", at once".to_owned(),
        wait => format!(", after {}", text::duration(wait)),
    };
    said = format!("{said}; what joins later is collected for {}", text::duration(route.interval_seconds));
    match route.repeat_seconds {
        Some(0) => said.push_str("; never again while it lasts"),
        Some(repeat) => said = format!("{said}; again every {}", text::duration(repeat)),
        None => {}
    }
    if route.goes_on {
        said.push_str("; then the routes below are asked too");
    }
    said + "."
}
