//! The fields of an endpoint, in groups, each with a sentence on what it does and what is usual.

use super::field::{Field, Fields, Line};
use crate::calls::endpoints::Known;
use leptos::prelude::*;
use model::{Endpoint, Environment};

/// The fields for a new endpoint, or for one that exists. What was typed before an error goes before what is stored.
pub(crate) fn endpoint_fields(fields: Fields, stored: Option<&Endpoint>, known: &Known) -> AnyView {
    let kept = |name: &str, stored: String| fields.post.kept(name, stored);
    let field = |name, label, help| Field { name, label, help };
    let of = |read: fn(&Endpoint) -> String, usual: &str| stored.map_or_else(|| usual.to_owned(), read);
    let refused = fields.post.error.with_untracked(Option::is_some);
    let ordered =
        if refused { kept("ordered", String::new()) == "on" } else { stored.is_some_and(|endpoint| endpoint.ordered) };
    let needed = |placeholder| Line { required: true, placeholder, secret: false };
    let usual = Line::default();
    let joined = |read: fn(&Endpoint) -> Vec<String>| kept_list(stored, read);
    let sources = kept("sources", joined(|e| e.filter.sources.iter().map(ToString::to_string).collect()));
    let platforms = kept("platforms", joined(|e| e.filter.platforms.clone()));
    let environments =
        kept("environments", joined(|e| e.filter.environments.iter().map(ToString::to_string).collect()));
    let customers = kept("customers", joined(|e| e.filter.customers.iter().map(ToString::to_string).collect()));
    view! {
        <fieldset>
            <legend>"The endpoint"</legend>
            {fields.line(field("name", "Name", "How it is called on every screen."), kept("name", of(|e| e.name.clone(), "")), needed("erp-hooks"))}
            {fields.line(field("url", "Address", "Where events are posted to. It must answer with 2xx within 10 s."), kept("url", of(|e| e.url.clone(), "")), needed("https://hooks.example.com/makini"))}
            {fields.line(field("owner", "Who is told when it fails", "A name or an address."), kept("owner", of(|e| e.owner.clone().unwrap_or_default(), "")), usual)}
        </fieldset>
        <fieldset>
            <legend>"Which events"</legend>
            {fields.lines(field("kinds", "Kinds", "One a line, as Makini names them, such as connection.sync_completed. Empty: every kind."), kept("kinds", of(|e| e.filter.kinds.join("\n"), "")), 3, true)}
            {boxes("sources", "Sources", &sources, known.sources.iter().map(|(id, name)| (id.to_string(), name.clone())).collect())}
            {boxes("platforms", "Platforms", &platforms, known.platforms.iter().map(|p| (p.slug.clone(), p.name.clone())).collect())}
            {boxes("environments", "Environments", &environments, Environment::ALL.iter().map(|e| (e.code().to_owned(), e.words().to_owned())).collect())}
            <input type="hidden" name=format!("{}[customers]", fields.group) value=customers.clone() />
            {(!customers.is_empty()).then(|| view! { <p class="help">{format!("Only of {} customers, as was set by the API.", customers.split(',').count())}</p> })}
        </fieldset>
        <fieldset>
            <legend>"How"</legend>
            {fields.check(field("ordered", "Keep the order of each connection", "An event is sent only after the one before it of the same connection has ended."), ordered)}
            {fields.line(field("concurrency", "Requests at once, at most", "1 to 100; usually 10."), kept("concurrency", of(|e| e.concurrency.to_string(), "10")), usual)}
            {fields.line(field("rate_per_second", "Requests a second, at most", "1 to 10,000. Empty: no limit."), kept("rate_per_second", of(|e| e.rate_per_second.map(|n| n.to_string()).unwrap_or_default(), "")), usual)}
        </fieldset>
    }
    .into_any()
}

fn kept_list(stored: Option<&Endpoint>, read: fn(&Endpoint) -> Vec<String>) -> String {
    stored.map(|endpoint| read(endpoint).join(",")).unwrap_or_default()
}

/// Any of several; none of them means all. What is chosen but no longer known stays chosen.
fn boxes(name: &'static str, label: &'static str, chosen: &str, known: Vec<(String, String)>) -> AnyView {
    let chosen: Vec<_> = chosen.split(',').filter(|value| !value.is_empty()).collect();
    let strange = chosen.iter().filter(|value| known.iter().all(|(other, _)| other != *value));
    let strange: Vec<_> = strange.map(|value| ((*value).to_owned(), (*value).to_owned())).collect();
    let one = |(value, words): (String, String)| {
        let on = chosen.contains(&value.as_str());
        view! {
            <label class="box">
                <input type="checkbox" name=format!("form[{name}][]") value=value checked=on />
                <span>{words}</span>
            </label>
        }
        .into_any()
    };
    let all: Vec<_> = known.into_iter().chain(strange).map(one).collect();
    let id = format!("f-{name}");
    let of = id.clone();
    view! {
        <div class="field boxes" role="group" aria-labelledby=of>
            <p class="label" id=id>{label}</p>
            <div>{all}</div>
            <p class="help">"None ticked: all."</p>
        </div>
    }
    .into_any()
}
