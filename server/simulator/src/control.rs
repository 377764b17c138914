//! The control door, `/_sim`: who stands at the machine itself may do anything, nobody else may do anything.

use crate::actions::Action;
use crate::connection::Seen;
use crate::faults::{BadScope, FaultKind, Shown};
use crate::outbox::{Delivery, DeliveryStatus, NoRetry};
use crate::shared::Shared;
use crate::view::{ConnectionState, DeliveryView};
use crate::world::Counters;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A status and a sentence. Nothing was changed.
#[derive(Debug)]
pub(crate) struct Refusal(StatusCode, String);

impl Refusal {
    pub(crate) fn not_found(sentence: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, sentence.into())
    }

    fn unprocessable(sentence: impl Into<String>) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, sentence.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

/// Lets in who comes from this machine, and not on behalf of a page from elsewhere in this machine's browser.
pub(crate) async fn guard(ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request, next: Next) -> Response {
    let from_here = request.headers().get(ORIGIN).is_none_or(is_local);
    if !peer.ip().to_canonical().is_loopback() || !from_here {
        return Refusal(StatusCode::FORBIDDEN, "the control door opens on loopback only".to_owned()).into_response();
    }
    let answer = next.run(request).await;
    let sentence = match answer.status() {
        // The route adds `Allow` to whatever comes out of here.
        StatusCode::METHOD_NOT_ALLOWED => "this path does not take that method",
        // What the framework refuses before it comes to a handler.
        status if status.is_client_error() && !is_json(&answer) => "the request cannot be read",
        _ => return answer,
    };
    Refusal(answer.status(), sentence.to_owned()).into_response()
}

fn is_local(origin: &HeaderValue) -> bool {
    let url = origin.to_str().ok().and_then(|origin| reqwest::Url::parse(origin).ok());
    let host = url.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn is_json(answer: &Response) -> bool {
    answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// 400 for what is no JSON, 422 for JSON that says something else.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| match error.is_data() {
        true => Refusal::unprocessable(format!("the body does not fit: {error}")),
        false => Refusal(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}")),
    })
}

fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Refusal> {
    query.map(|Query(query)| query).map_err(|error| Refusal(StatusCode::BAD_REQUEST, error.body_text()))
}

/// `POST /_sim/connections/{key}/actions`
pub(crate) async fn act(
    State(shared): State<Shared>,
    Path(key): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ask {
        action: Action,
    }
    let Ask { action } = parse(&body)?;
    shared.change(|world, now| {
        let at = world.find(&key).ok_or_else(|| Refusal::not_found(format!("there is no connection {key}")))?;
        world.act(at, action, now).map_err(Refusal::unprocessable)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /_sim/faults`
pub(crate) async fn add_fault(State(shared): State<Shared>, body: Bytes) -> Result<(StatusCode, Json<Shown>), Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ask {
        fault: FaultKind,
        value: Option<f64>,
        scope: Option<String>,
        for_seconds: Option<f64>,
    }
    let ask: Ask = parse(&body)?;
    let value = match (ask.value, ask.fault) {
        (Some(value), _) => value,
        (None, FaultKind::Outage) => 1.0,
        (None, _) => return Err(Refusal::unprocessable("value is missing")),
    };
    ask.fault.check(value).map_err(Refusal::unprocessable)?;
    let lasts = match ask.for_seconds {
        None => None,
        Some(seconds) if seconds > 0.0 && seconds <= 1e9 => Some(Duration::from_secs_f64(seconds)),
        Some(_) => return Err(Refusal::unprocessable("for_seconds takes a number above 0")),
    };
    let shown = shared.change(|world, now| {
        let text = ask.scope.as_deref().unwrap_or("all");
        let scope = world.scope(text).map_err(|bad| match bad {
            BadScope::Form => Refusal::unprocessable("scope is all, platform:<slug> or connection:<key>"),
            BadScope::Unknown => Refusal::not_found(format!("there is no {}", text.replace(':', " "))),
        })?;
        Ok(world.add_fault(ask.fault, value, scope, lasts, now))
    })?;
    Ok((StatusCode::CREATED, Json(shown)))
}

/// `DELETE /_sim/faults`
pub(crate) async fn end_faults(State(shared): State<Shared>) -> StatusCode {
    shared.change(|world, now| world.end_faults(now));
    StatusCode::NO_CONTENT
}

/// `DELETE /_sim/faults/{id}`
pub(crate) async fn end_fault(State(shared): State<Shared>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    let ended = id.parse().is_ok_and(|id| shared.change(|world, now| world.end_fault(id, now)));
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::not_found(format!("there is no fault {id}"))) }
}

/// `POST /_sim/story`
pub(crate) async fn story(State(shared): State<Shared>, body: Bytes) -> Result<StatusCode, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ask {
        running: bool,
    }
    let Ask { running } = parse(&body)?;
    shared.change(|world, now| if running { world.start_story(now) } else { world.stop_story(now) });
    Ok(StatusCode::NO_CONTENT)
}

/// Which connections.
#[derive(Debug, Deserialize)]
pub(crate) struct StateFilter {
    key: Option<String>,
    limit: Option<usize>,
}

/// `GET /_sim/state`
pub(crate) async fn state(
    State(shared): State<Shared>,
    filter: Result<Query<StateFilter>, QueryRejection>,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Answer {
        dialect: String,
        seed: u64,
        story: bool,
        time_scale: f64,
        webhook_url: Option<String>,
        total: usize,
        connections: Vec<ConnectionState>,
        faults: Vec<Shown>,
        counters: Counters,
    }
    let filter = query(filter)?;
    let (mut answer, seen): (Answer, Vec<Seen>) = shared.read(|world| {
        let wanted = match &filter.key {
            None => world.alive_from(0).take(filter.limit.unwrap_or(usize::MAX)).collect(),
            Some(key) => {
                let found = world.find(key);
                vec![found.ok_or_else(|| Refusal::not_found(format!("there is no connection {key}")))?]
            }
        };
        let answer = Answer {
            dialect: world.options.dialect.to_string(),
            seed: world.options.seed,
            story: world.story.running,
            time_scale: world.options.time_scale,
            webhook_url: world.outbox.url.clone(),
            total: world.alive,
            connections: Vec::new(),
            faults: world.faults.list.iter().map(|fault| world.shown(fault)).collect(),
            counters: world.counters.clone(),
        };
        Ok((answer, wanted.into_iter().map(|at| world.seen(at)).collect()))
    })?;
    answer.connections = seen.iter().map(ConnectionState::from).collect();
    Ok(Json(answer).into_response())
}

/// Which deliveries.
#[derive(Debug, Deserialize)]
pub(crate) struct DeliveryFilter {
    status: Option<DeliveryStatus>,
    connection: Option<String>,
    limit: Option<usize>,
}

/// `GET /_sim/deliveries`, newest first.
pub(crate) async fn deliveries(
    State(shared): State<Shared>,
    filter: Result<Query<DeliveryFilter>, QueryRejection>,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Answer {
        items: Vec<DeliveryView>,
    }
    let filter = query(filter)?;
    let wanted = |one: &&Delivery| {
        filter.status.is_none_or(|status| status == one.status)
            && filter.connection.as_ref().is_none_or(|key| *key == one.connection_id)
    };
    let limit = filter.limit.unwrap_or(200);
    let found: Vec<Delivery> =
        shared.read(|world| world.outbox.log.values().rev().filter(wanted).take(limit).cloned().collect());
    Ok(Json(Answer { items: found.into_iter().map(DeliveryView::from).collect() }).into_response())
}

/// `POST /_sim/deliveries/{id}/retry`
pub(crate) async fn retry(State(shared): State<Shared>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    shared.change(|world, now| match world.outbox.retry(&id, now) {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(NoRetry::Unknown) => Err(Refusal::not_found(format!("there is no delivery {id}"))),
        Err(NoRetry::UnderWay) => Err(Refusal::unprocessable("this delivery is being sent at the moment")),
    })
}

/// `PUT /_sim/webhook`: without a secret it stays as it is; without a URL nothing is sent any more.
pub(crate) async fn webhook(State(shared): State<Shared>, body: Bytes) -> Result<StatusCode, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ask {
        url: Option<String>,
        secret: Option<String>,
    }
    let ask: Ask = parse(&body)?;
    if let Some(url) = &ask.url {
        let good = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !good {
            return Err(Refusal::unprocessable("url takes an http or https URL"));
        }
    }
    shared.change(|world, _| {
        world.outbox.url = ask.url;
        if let Some(secret) = ask.secret {
            world.outbox.secret = secret;
        }
    });
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /_sim/link`: from now on whoever signs in at Makini Link signs in to this connection, whichever they were asked to;
/// with null, to the one they choose.
pub(crate) async fn link(State(shared): State<Shared>, body: Bytes) -> Result<StatusCode, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ask {
        sign_in_as: Option<String>,
    }
    let Ask { sign_in_as } = parse(&body)?;
    shared.change(|world, _| {
        let found = sign_in_as
            .map(|key| world.find(&key).ok_or_else(|| Refusal::not_found(format!("there is no connection {key}"))));
        world.codes.sign_in_as = found.transpose()?;
        Ok(StatusCode::NO_CONTENT)
    })
}

#[cfg(test)]
mod tests {
    use crate::shared::Shared;
    use crate::world::World;
    use crate::{Options, clock, router};
    use axum::body::Body;
    use axum::extract::ConnectInfo;
    use axum::http::{Request, StatusCode};
    use std::net::SocketAddr;
    use tower::ServiceExt;

    async fn knock(peer: &str, origin: Option<&str>) -> StatusCode {
        let now = clock::now();
        let world = World::new(Options { connections: 1, story: false, ..Options::default() }, now);
        let peer: SocketAddr = peer.parse().unwrap();
        let mut request = Request::get("/_sim/state").extension(ConnectInfo(peer));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let app = router::router(Shared::new(world));
        app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn the_door_opens_on_loopback_only() {
        assert_eq!(knock("127.0.0.1:50000", None).await, StatusCode::OK);
        assert_eq!(knock("[::1]:50000", None).await, StatusCode::OK);
        assert_eq!(knock("[::ffff:127.0.0.1]:50000", None).await, StatusCode::OK);
        assert_eq!(knock("192.0.2.7:50000", None).await, StatusCode::FORBIDDEN);
        assert_eq!(knock("[::ffff:192.0.2.7]:50000", None).await, StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn a_page_from_elsewhere_is_not_let_in() {
        assert_eq!(knock("127.0.0.1:50000", Some("http://127.0.0.1:3000")).await, StatusCode::OK);
        assert_eq!(knock("127.0.0.1:50000", Some("http://localhost:3000")).await, StatusCode::OK);
        assert_eq!(knock("127.0.0.1:50000", Some("https://elsewhere.example")).await, StatusCode::FORBIDDEN);
        assert_eq!(knock("127.0.0.1:50000", Some("null")).await, StatusCode::FORBIDDEN);
    }
}
