//! What Linewatch cannot see right now: a pure function of what is known about itself, and a clock.

use super::SILENT_AFTER;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use model::{
    Certificate, ChannelId, Concern, ConcernCode, EndpointId, RejectionReason, Replica, Severity, Source, SourceId,
};
use url::{Host, Url};

/// A source whose newest good round is older than so many of its intervals cannot be seen.
const ROUNDS_MISSED: i64 = 3;
/// … but never sooner than this.
const UNSEEN_AFTER: TimeDelta = TimeDelta::minutes(2);
/// Webhooks that wait longer are worth a look …
const BACKLOG_WARNS: TimeDelta = TimeDelta::seconds(30);
/// … and these are worth a walk.
const BACKLOG_IS_CRITICAL: TimeDelta = TimeDelta::minutes(5);
/// Room is made seven days ahead; so little of it means that nobody makes it any more.
const DAYS_OF_ROOM: i64 = 2;
/// A certificate that ends sooner should have been renewed.
const CERTIFICATE_WARNS: TimeDelta = TimeDelta::days(14);
/// For how long a new version of a source's API is worth knowing.
const DRIFT_IS_NEWS: TimeDelta = TimeDelta::days(7);
/// Clocks that are further apart make lateness a guess.
const SKEW_WARNS: TimeDelta = TimeDelta::seconds(30);

/// A source whose webhooks are missed: polls show what none of them told, or they feed connections and usually come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silent {
    /// Which.
    pub source: SourceId,
    /// How many were missed since the last one came.
    pub missed: u64,
    /// How many of its connections they feed; 0 unless the pause is longer than is usual for the source.
    pub fed: u64,
    /// When the first of these should have come.
    pub since: DateTime<Utc>,
}

/// Something of our own that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What.
    pub which: Which,
    /// Its name.
    pub name: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A channel whose messages do not get through, or an endpoint whose circuit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// A channel.
    Channel(ChannelId),
    /// An endpoint.
    Endpoint(EndpointId),
}

/// So few may be lost on the way; more in a row mean that none comes any more.
const MISSED_IS_SILENT: u64 = 3;

/// What is known of Linewatch itself.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The sources, with their rounds and their webhooks.
    pub sources: &'a [Source],
    /// The processes that said that they live.
    pub replicas: &'a [Replica],
    /// Sources whose webhooks are missed, with none that came since.
    pub silent: &'a [Silent],
    /// Endpoints and channels that fail.
    pub broken: &'a [Broken],
    /// Since when the oldest received webhook waits to be processed.
    pub waiting_since: Option<DateTime<Utc>>,
    /// The last day for which there is room to store what comes.
    pub room_until: Option<NaiveDate>,
    /// The certificate of the public address.
    pub certificate: Option<&'a Certificate>,
    /// The public address.
    pub public_url: &'a str,
}

/// Everything that keeps Linewatch from seeing, worst first.
pub fn concerns(facts: Facts<'_>, now: DateTime<Utc>) -> Vec<Concern> {
    let of_sources = facts.sources.iter().flat_map(|source| of_source(source, facts.public_url, now));
    let stopped = facts.silent.iter().filter_map(|silent| of_silence(silent, facts.sources));
    let mut all: Vec<_> = of_sources
        .chain(stopped)
        .chain(facts.broken.iter().map(of_broken))
        .chain(of_work(facts.replicas, now))
        .chain(of_backlog(facts.waiting_since, now))
        .chain(of_room(facts.room_until, now))
        .chain(facts.certificate.and_then(|certificate| of_certificate(certificate, now)))
        .collect();
    all.sort_by_key(|concern| (concern.severity, concern.code));
    all
}

fn concern(code: ConcernCode, severity: Severity, title: String, detail: impl Into<String>) -> Concern {
    Concern { code, severity, title, detail: detail.into(), since: None, source: None, channel: None, endpoint: None }
}

fn of_source(source: &Source, public_url: &str, now: DateTime<Utc>) -> Vec<Concern> {
    let name = &source.name;
    let of =
        |concern: Concern, since: Option<DateTime<Utc>>, id: SourceId| Concern { since, source: Some(id), ..concern };
    let mut all = Vec::new();
    if let Some((since, why)) = unseen(source, now) {
        let title = format!("Linewatch cannot poll “{name}”");
        let detail = format!(
            "{why} What is shown of its {} connections is what webhooks still say, and turns unknown as its proof ages. It \
             is no fault of the customers.",
            source.connections
        );
        all.push(of(concern(ConcernCode::SourceUnseen, Severity::Critical, title, detail), since, source.id));
    }
    if source.webhook_secrets.is_empty() {
        let title = format!("“{name}” has no webhook secret");
        let detail = "Every webhook is refused, so changes are seen only when they are polled. Add the secret that Makini shows.";
        all.push(of(concern(ConcernCode::SourceDeaf, Severity::Warning, title, detail), None, source.id));
    } else if let Some((since, n)) = refused(source) {
        let title = format!("Webhooks of “{name}” are turned away");
        let detail = format!(
            "{n} in the last 24 hours had a signature of none of its secrets, and none was taken since. The secret was \
             probably changed at Makini: add the new one."
        );
        all.push(of(concern(ConcernCode::WebhooksRefused, Severity::Warning, title, detail), Some(since), source.id));
    }
    if !is_local(&source.base_url) && !is_reachable(public_url) {
        let title = format!("Makini cannot send webhooks of “{name}” here");
        let detail = format!(
            "The public address is {public_url}; Makini needs one that it can reach, over HTTPS. Set LINEWATCH_PUBLIC_URL, \
             and look with “linewatch doctor”."
        );
        all.push(of(concern(ConcernCode::PublicUrl, Severity::Warning, title, detail), None, source.id));
    }
    let drifted = source.api_version_since.filter(|since| now - *since < DRIFT_IS_NEWS);
    if let (Some(since), Some(is), Some(was)) = (drifted, &source.api_version, &source.api_version_before) {
        let title = format!("“{name}” now speaks version {is} of its API; it was {was}");
        let detail = "Linewatch goes on as before. If something looks wrong since then, begin here, and look at the source's mappings.";
        all.push(of(concern(ConcernCode::VersionDrift, Severity::Info, title, detail), Some(since), source.id));
    }
    let skew = source.skew_ms.and_then(TimeDelta::try_milliseconds).unwrap_or_default();
    if skew.abs() > SKEW_WARNS {
        let side = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
        let title = format!("The clock of “{name}” is {} s {side} ours", skew.num_seconds().abs());
        let detail = "Linewatch corrects for it, but lateness is only as sure as the clocks. See that this machine’s clock is set by the network.";
        all.push(of(concern(ConcernCode::ClockSkew, Severity::Warning, title, detail), None, source.id));
    }
    all
}

fn of_silence(silent: &Silent, sources: &[Source]) -> Option<Concern> {
    // one that has no secret, or refuses every webhook, says so already
    let source = sources.iter().find(|source| source.id == silent.source)?;
    if silent.missed < MISSED_IS_SILENT && silent.fed == 0
        || source.webhook_secrets.is_empty()
        || refused(source).is_some()
    {
        return None;
    }
    let title = format!("Webhooks of “{}” have stopped", source.name);
    let mut detail = String::new();
    if silent.missed >= MISSED_IS_SILENT {
        detail.push_str(&format!(
            "Polls have found {} changes that no webhook told, and none has come since. What is shown of them is right, but seen \
             later than it could be. ",
            silent.missed
        ));
    }
    if silent.fed > 0 {
        let connections = if silent.fed == 1 { "connection is" } else { "connections are" };
        detail.push_str(&format!(
            "None has come for far longer than usual. {} {connections} fed in real time, and cannot be judged without. ",
            silent.fed
        ));
    }
    detail.push_str("See that the webhooks at Makini still point here.");
    let concern = concern(ConcernCode::WebhooksSilent, Severity::Warning, title, detail);
    Some(Concern { since: Some(silent.since), source: Some(source.id), ..concern })
}

fn of_broken(broken: &Broken) -> Concern {
    let (name, since) = (&broken.name, Some(broken.since));
    match broken.which {
        Which::Channel(id) => {
            let title = format!("Messages to {name} do not get through");
            let detail = "What should go there waits, or goes to the channel that takes over. See why, and try it out.";
            let concern = concern(ConcernCode::ChannelFails, Severity::Warning, title, detail);
            Concern { since, channel: Some(id), ..concern }
        }
        Which::Endpoint(id) => {
            let title = format!("The endpoint {name} does not take its events");
            let detail = "Its deliveries wait while single ones try whether it is back; after a day each is given up, and can be retried.";
            let concern = concern(ConcernCode::EndpointUnreached, Severity::Warning, title, detail);
            Concern { since, endpoint: Some(id), ..concern }
        }
    }
}

/// Whether a source that should be polled is not, since when, and why.
fn unseen(source: &Source, now: DateTime<Utc>) -> Option<(Option<DateTime<Utc>>, String)> {
    if !source.enabled {
        return None;
    }
    let round = &source.round;
    if let Some(since) = round.failing_since {
        return Some((Some(since), round.error.as_ref().map(|error| error.message.clone()).unwrap_or_default()));
    }
    let patience = TimeDelta::try_seconds(source.poll_interval_seconds.saturating_mul(ROUNDS_MISSED));
    let patience = patience.unwrap_or(UNSEEN_AFTER).max(UNSEEN_AFTER);
    let good_at = round.good_at.filter(|at| now - *at > patience)?;
    Some((Some(good_at), "No round of polling has come to an end since.".to_owned()))
}

/// Whether wrong signatures came after the last right one; how many.
fn refused(source: &Source) -> Option<(DateTime<Utc>, u64)> {
    let traffic = &source.traffic;
    let n = traffic.rejections.get(&RejectionReason::SignatureWrong).copied().filter(|n| *n > 0)?;
    let last = traffic.last_rejection_at?;
    traffic.last_event_at.is_none_or(|taken| taken < last - TimeDelta::minutes(10)).then_some((last, n))
}

fn of_work(replicas: &[Replica], now: DateTime<Utc>) -> Option<Concern> {
    let works = |replica: &&Replica| replica.role != "web" && now - replica.seen_at <= SILENT_AFTER;
    if replicas.iter().any(|replica| works(&replica)) {
        return None;
    }
    let since = replicas.iter().filter(|replica| replica.role != "web").map(|replica| replica.seen_at).max();
    let detail = "Nothing is polled and no webhook is processed; what comes is stored meanwhile. Start “linewatch serve --role worker”.";
    let concern = concern(ConcernCode::NoWorker, Severity::Critical, "No process does the work".to_owned(), detail);
    Some(Concern { since, ..concern })
}

fn of_backlog(waiting_since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Concern> {
    let since = waiting_since.filter(|since| now - *since > BACKLOG_WARNS)?;
    let severity = if now - since > BACKLOG_IS_CRITICAL { Severity::Critical } else { Severity::Warning };
    let title = "Received webhooks wait to be processed".to_owned();
    let detail = "They are safely stored, but what they say is not shown yet. If this lasts, start another worker or see the log.";
    Some(Concern { since: Some(since), ..concern(ConcernCode::Backlog, severity, title, detail) })
}

fn of_room(room_until: Option<NaiveDate>, now: DateTime<Utc>) -> Option<Concern> {
    let days = room_until.map_or(-1, |until| (until - now.date_naive()).num_days());
    let (severity, title) = match days {
        ..0 => (Severity::Critical, "There is no room to store what comes today".to_owned()),
        0..DAYS_OF_ROOM => (Severity::Critical, "Soon there will be no room to store what comes".to_owned()),
        _ => return None,
    };
    let detail =
        "Housekeeping makes the tables of the days ahead, and has not. See the log of a worker for what stops it.";
    Some(concern(ConcernCode::Partitions, severity, title, detail))
}

fn of_certificate(certificate: &Certificate, now: DateTime<Utc>) -> Option<Concern> {
    let (severity, title) = match certificate.ends_at {
        None => (Severity::Warning, "The certificate of the public address could not be read".to_owned()),
        Some(ends) if ends <= now => (Severity::Critical, "The certificate of the public address has ended".to_owned()),
        Some(ends) if ends - now < CERTIFICATE_WARNS => (
            Severity::Warning,
            format!("The certificate of the public address ends in {} days", (ends - now).num_days()),
        ),
        Some(_) => return None,
    };
    let why =
        certificate.error.as_deref().unwrap_or("Without it Makini sends no webhooks and browsers refuse the pages.");
    let detail = format!("{why} Renew it; what renews it by itself may have stopped.");
    Some(concern(ConcernCode::Certificate, severity, title, detail))
}

/// Whether an address leads to this machine only.
fn is_local(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether Makini could send to this address.
fn is_reachable(url: &str) -> bool {
    url.starts_with("https://") && !is_local(url)
}

#[cfg(test)]
mod tests;
