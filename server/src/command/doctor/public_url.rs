//! The address that people use: does it lead here, and for how long is its certificate good?

use super::Report;
use crate::certificate;
use crate::config::Config;
use crate::wiring::base;
use engine::clock::{Clock as _, SystemClock};
use engine::http::{Outbound, Timeouts, read_capped};
use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

const WHAT: &str = "LINEWATCH_PUBLIC_URL";
/// A certificate that ends sooner should have been renewed.
const SOON_DAYS: i64 = 14;

pub async fn look(config: &Config, report: &mut Report) {
    let Some(url) = &config.http.public_url else {
        let why = "it is not set, so links in messages lead to this machine only";
        return report.unseen(WHAT, why);
    };
    if url.scheme() == "https" {
        expiry(url, report).await;
    } else if !is_local(url) {
        let why = "it is not https: passwords and cookies travel in the open";
        report.bad(WHAT, why, "put a reverse proxy with a certificate before Linewatch, and name its address here");
    }
    let mend = "let it lead to where “linewatch serve” listens, and let that run while you look";
    match version(url).await {
        Ok(version) if version == crate::VERSION => {
            report.good(WHAT, &format!("{} leads to Linewatch {version}", base(url)))
        }
        Ok(other) => report.bad(WHAT, &format!("version {other} answers there, not {}", crate::VERSION), mend),
        Err(why) => report.bad(WHAT, &format!("{} does not lead to Linewatch: {why}", base(url)), mend),
    }
}

/// Nothing travels.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The version that answers there. It is our own address, so it may be any.
async fn version(url: &Url) -> Result<String, String> {
    let outbound = Outbound::new(vec![Ipv4Net::default().into(), Ipv6Net::default().into()]);
    let client = outbound.client(Timeouts::default()).map_err(|error| error.to_string())?;
    let request =
        client.request(reqwest::Method::GET, &format!("{}/livez", base(url))).map_err(|error| error.to_string())?;
    let answer = request.send().await.map_err(|error| engine::http::SendError::from(error).to_string())?;
    let status = answer.status();
    let body = read_capped(answer, 4_096).await.map_err(|error| error.to_string())?;
    let said: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    said["version"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("it answers {status}, and not what Linewatch says"))
}

async fn expiry(url: &Url, report: &mut Report) {
    let mend = "renew it; what renews it by itself may have stopped";
    match certificate::ends(url).await {
        Ok(ends) => match (ends - SystemClock.now()).num_days() {
            days if days < 0 => report.bad("Certificate", &format!("it ended at {ends}"), mend),
            days if days < SOON_DAYS => report.bad("Certificate", &format!("it ends in {days} days, at {ends}"), mend),
            days => report.good("Certificate", &format!("good for {days} days")),
        },
        Err(why) => report.unseen("Certificate", &format!("it could not be read: {why}")),
    }
}
