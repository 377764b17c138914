//! The demo's mail server, which lets nothing out of this machine, and the channel that leads to it.

use super::place;
use crate::config::Config;
use crate::wiring::{Failure, Parts};
use engine::notify::{MailServer, Tls};
use model::{Actor, ChannelKind, ChannelSettings, NewChannel};
use simulator::mail::Catcher;

/// What the channel is called.
const NAME: &str = "Mail catcher";
/// Whom it tells: an address that is nobody's.
const TO: &str = "support@example.com";

/// Starts the catcher and has every e-mail go there; none if a mail server is configured.
pub async fn catch(config: &mut Config) -> Result<Option<Catcher>, Failure> {
    if config.mail.server.is_some() {
        return Ok(None);
    }
    let smtp = place::listen_again(config, "mail-port").await?;
    let page = place::listen_again(config, "mail-page-port").await?;
    let catcher = simulator::mail::start(smtp, page)?;
    let address = catcher.smtp_addr();
    config.mail.server = Some(MailServer {
        host: address.ip().to_string(),
        port: address.port(),
        tls: Tls::Without,
        login: None,
        from: "Linewatch <linewatch@example.com>".to_owned(),
    });
    Ok(Some(catcher))
}

/// Sees to it that there is a channel; the first one gets a route for everything by itself.
pub async fn ensure_channel(parts: &Parts, actor: &Actor) -> Result<(), Failure> {
    if parts.backend.channels(actor).await?.is_empty() {
        let settings = ChannelSettings { to: vec![TO.to_owned()], ..ChannelSettings::default() };
        let new =
            NewChannel { name: NAME.to_owned(), kind: ChannelKind::Email, settings, fallback_id: None, enabled: None };
        parts.backend.add_channel(actor, new).await?;
    }
    Ok(())
}
