//! Finds what each screen of alerts shows.

use super::{
    super::{Said, forms::read_alerts as read},
    AlertAsk, AlertBody, Choices, Known, RoutesView, RuleView, SilenceView,
    acts::secret_told_once,
    words,
};
use chrono::{DateTime, TimeDelta, Utc};
use model::{
    Actor, AlertQuery, AlertState, Backend, ConnectionQuery, CustomerId, CustomerQuery, NewSilence, NotificationQuery,
    PreviewWish, Refusal, RouteSample, SilenceMatch,
};

/// The pairs of an address, as a form would have said them.
fn pairs(query: &str) -> Said {
    let mut said = Said::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
        said.add(&name, value);
    }
    said
}

fn read_id<T: std::str::FromStr>(id: &str, what: &str) -> Result<T, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound(what.to_owned()))
}

/// Whether the page that posts was loaded by https, as its browser says.
pub(super) fn is_https() -> bool {
    let parts = leptos::prelude::use_context::<http::request::Parts>();
    let origin = parts.and_then(|parts| parts.headers.get(http::header::ORIGIN).cloned());
    origin.is_some_and(|origin| origin.as_bytes().starts_with(b"https:"))
}

/// What a screen shows.
pub(super) async fn body(
    desk: &dyn Backend,
    actor: &Actor,
    ask: AlertAsk,
    now: DateTime<Utc>,
) -> Result<AlertBody, Refusal> {
    let split = |at: &str| {
        let (id, query) = at.split_once('?').unwrap_or((at, ""));
        (id.to_owned(), query.to_owned())
    };
    Ok(match ask {
        AlertAsk::Firing(query) => {
            let mut page = desk.alerts(actor, AlertQuery::from_query(&query)?).await?;
            let place =
                |state| AlertState::ALL.iter().position(|other| *other == state).map_or(0, |n| [1, 0, 2][n % 3]);
            page.items.sort_by_key(|a| (place(a.state), a.severity, std::cmp::Reverse(a.since)));
            AlertBody::Firing(page, pairs(&query))
        }
        AlertAsk::Rules => AlertBody::Rules(desk.rules(actor).await?),
        AlertAsk::Rule(at) => {
            let (id, query) = split(&at);
            AlertBody::Rule(Box::new(rule(desk, actor, &id, &query).await?))
        }
        AlertAsk::Preview(query) => AlertBody::Preview(preview(desk, actor, &query).await),
        AlertAsk::Silences => {
            let maintenances = desk.maintenances(actor).await?;
            let mut said = Vec::new();
            for one in maintenances {
                let whom = words::scope(desk, actor, &one.scope).await;
                said.push((one, whom));
            }
            AlertBody::Silences(desk.silences(actor).await?, said)
        }
        AlertAsk::Silence(query) => AlertBody::Silence(silence(desk, actor, query, now).await?),
        AlertAsk::Maintenance => AlertBody::Maintenance(known(desk, actor).await?),
        AlertAsk::Routes(query) => AlertBody::Routes(routes(desk, actor, pairs(&query)).await?),
        AlertAsk::Route(at) => {
            let (id, _) = split(&at);
            let route = if id == "new" { None } else { Some(desk.route(actor, read_id(&id, "This route")?).await?) };
            let form = match &route {
                Some(route) => words::route_form(desk, actor, route).await,
                None => words::new_route(),
            };
            AlertBody::Route(route, form, known(desk, actor).await?)
        }
        AlertAsk::Channels => AlertBody::Channels(desk.channels(actor).await?),
        AlertAsk::Channel(at) => {
            let (id, _) = split(&at);
            let channel =
                if id == "new" { None } else { Some(desk.channel(actor, read_id(&id, "This channel")?).await?) };
            let secret = channel.as_ref().and_then(|channel| secret_told_once(channel.id));
            AlertBody::Channel(channel, known(desk, actor).await?, secret)
        }
        AlertAsk::Log(query) => {
            let page = desk.notifications(actor, NotificationQuery::from_query(&query)?).await?;
            AlertBody::Log(page, pairs(&query), known(desk, actor).await?.channels)
        }
        AlertAsk::Notification(id) => {
            let found = desk.notification(actor, read_id(&id, "This message")?).await?;
            let mut alerts = Vec::new();
            for id in found.alert_ids.iter().take(20) {
                alerts.extend(desk.alert(actor, *id).await.ok());
            }
            AlertBody::Notification(Box::new(found), alerts)
        }
    })
}

async fn known(desk: &dyn Backend, actor: &Actor) -> Result<Known, Refusal> {
    let platforms = desk.platforms(actor).await?.into_iter().map(|p| (p.slug, p.name)).collect();
    let sources = desk.sources(actor).await?.into_iter().map(|s| (s.id.to_string(), s.name)).collect();
    let rules = desk.rules(actor).await?.into_iter().map(|r| (r.id.to_string(), r.name)).collect();
    let channels = desk.channels(actor).await?.into_iter();
    let channels = channels.map(|c| (c.id.to_string(), format!("{} ({})", c.name, c.kind.words()))).collect();
    Ok(Known { platforms, sources, rules, channels })
}

/// A rule with its form: as an address says it, as the rule that it copies, as it is stored, or as is usual.
async fn rule(desk: &dyn Backend, actor: &Actor, id: &str, query: &str) -> Result<RuleView, Refusal> {
    let rule = if id == "new" { None } else { Some(desk.rule(actor, read_id(id, "This rule")?).await?) };
    let mut said = Said::from_query(query);
    // Without wasm another patience is chosen by a button.
    if let Ok(seconds) = said.one("take").parse::<i64>() {
        said.set("for_seconds", words::lasting(seconds, "at once"));
    }
    let from = pairs(query).one("from").to_owned();
    let form = match (&rule, from.parse()) {
        _ if !said.is_empty() => said,
        (Some(rule), _) => words::rule_form(desk, actor, rule).await,
        (None, Ok(from)) => {
            let from = desk.rule(actor, from).await?;
            let mut form = words::rule_form(desk, actor, &from).await;
            form.set("name", format!("{} (copy)", from.name));
            form.set("id", "");
            form
        }
        (None, Err(_)) => words::new_rule(),
    };
    let changes = match &rule {
        Some(rule) => desk.rule_changes(actor, rule.id).await?,
        None => Vec::new(),
    };
    Ok(RuleView { rule, form, known: known(desk, actor).await?, changes })
}

async fn preview(desk: &dyn Backend, actor: &Actor, query: &str) -> Result<model::Preview, String> {
    let mut said = Said::from_query(query);
    if said.one("name").is_empty() {
        said.set("name", "A new rule");
    }
    let sentence = |refusal: Refusal| match refusal {
        Refusal::Invalid(errors) => errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    let named = customers(desk, actor, &said).await.map_err(sentence)?;
    let rule = read::rule(&said, named).map_err(sentence)?;
    desk.preview_rule(actor, PreviewWish { rule, days: Some(30) }).await.map_err(sentence)
}

/// The customers that a form names, each on a line of its own.
pub(super) async fn customers(desk: &dyn Backend, actor: &Actor, said: &Said) -> Result<Vec<CustomerId>, Refusal> {
    let mut found = Vec::new();
    for name in said.one("customers").lines().map(str::trim).filter(|name| !name.is_empty()).take(200) {
        if let Ok(id) = name.parse() {
            found.push(id);
            continue;
        }
        let query = CustomerQuery { q: Some(name.to_owned()), limit: Some(200), ..Default::default() };
        let page = desk.customers(actor, query).await?;
        let same = page.items.into_iter().find(|customer| customer.name.to_lowercase() == name.to_lowercase());
        let Some(customer) = same else {
            return Err(Refusal::invalid("customers", format!("No customer is called “{name}”. One name a line.")));
        };
        found.push(customer.id);
    }
    Ok(found)
}

/// Which alerts an address means; wrong ids mean that the page is old.
pub(super) fn matching(query: &str) -> Result<SilenceMatch, Refusal> {
    let said = pairs(query);
    let old = || Refusal::invalid("matching", "This page is older than the server. Load it again.");
    fn all<T: std::str::FromStr>(said: &Said, name: &str) -> Result<Vec<T>, T::Err> {
        said.all(name).iter().map(|text| text.parse()).collect()
    }
    Ok(SilenceMatch {
        rule_ids: all(&said, "rule").map_err(|_| old())?,
        severities: all(&said, "severity").map_err(|_: String| old())?,
        alert_ids: all(&said, "alert").map_err(|_| old())?,
        connections: all(&said, "connection").map_err(|_| old())?,
        customers: all(&said, "customer").map_err(|_| old())?,
        platforms: said.all("platform").to_vec(),
        sources: all(&said, "source").map_err(|_| old())?,
        tags: said.all("tag").to_vec(),
    })
}

async fn silence(desk: &dyn Backend, actor: &Actor, query: String, now: DateTime<Utc>) -> Result<SilenceView, Refusal> {
    let new = NewSilence {
        matching: matching(&query)?,
        reason: "Preview".to_owned(),
        starts_at: None,
        ends_at: now + TimeDelta::hours(1),
        dry_run: true,
    };
    let mutes = desk.add_silence(actor, new).await.map(|silence| (silence.words, silence.muting));
    let mutes = mutes.map_err(|refusal| refusal.to_string());
    Ok(SilenceView { chosen: pairs(&query), matching: query, mutes, known: known(desk, actor).await? })
}

async fn routes(desk: &dyn Backend, actor: &Actor, asked: Said) -> Result<RoutesView, Refusal> {
    let known = known(desk, actor).await?;
    let names = |ids: &[model::ChannelId]| -> Vec<String> {
        let of = |id: &model::ChannelId| known.channels.iter().find(|(known, _)| *known == id.to_string());
        ids.iter().filter_map(of).map(|(_, name)| name.clone()).collect()
    };
    let mut routes = Vec::new();
    for route in desk.routes(actor).await? {
        let takes = words::matching(desk, actor, &route.matching, &known).await;
        let tells = names(&route.channels).join(", ");
        routes.push((route, takes, tells));
    }
    let alerts = desk.alerts(actor, AlertQuery::default()).await?.items.into_iter();
    let way = match sample(desk, actor, &asked).await {
        Ok(None) => None,
        Ok(Some(sample)) => match desk.explain_route(actor, sample).await {
            Ok(way) => {
                let told = names(&way.channels);
                Some(Ok((way, told)))
            }
            Err(refusal) => Some(Err(refusal.to_string())),
        },
        Err(refusal) => Some(Err(refusal.to_string())),
    };
    let alerts: Choices = alerts.map(|a| (a.id.to_string(), format!("{}: {}", a.subject.name, a.rule))).collect();
    Ok(RoutesView { routes, alerts, known, asked, way })
}

/// The alert or the sample that is asked about, if one is.
async fn sample(desk: &dyn Backend, actor: &Actor, asked: &Said) -> Result<Option<RouteSample>, Refusal> {
    if let Ok(alert) = asked.one("alert").parse() {
        return Ok(Some(RouteSample { alert_id: Some(alert), ..Default::default() }));
    }
    let words = asked.one("about");
    if words.is_empty() {
        return Ok(None);
    }
    let connection_id = match words.parse() {
        Ok(id) => id,
        Err(_) => {
            let query = ConnectionQuery { q: Some(words.to_owned()), limit: Some(1), ..Default::default() };
            let found = desk.connections(actor, query).await?.items.into_iter().next();
            found.ok_or_else(|| Refusal::Conflict(format!("No connection is found by “{words}”.")))?.id
        }
    };
    Ok(Some(RouteSample {
        alert_id: None,
        connection_id: Some(connection_id),
        rule_id: asked.one("rule").parse().ok(),
        severity: asked.one("severity").parse().ok(),
    }))
}
