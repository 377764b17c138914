//! One exchange with the mail server. Word by word, for the crate's own way waits for the answer to its good-bye before it says
//! that a mail was taken: a server that is slow to part would be told the same again and again.

use super::{MailServer, Tls};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, MailBodyParameter, MailParameter};
use std::time::Duration;

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long parting may take; nobody waits for it.
const PARTING: Duration = Duration::from_secs(5);

/// Connects and signs in.
pub(super) async fn connect(server: &MailServer) -> Result<AsyncSmtpConnection, Error> {
    crate::http::install_crypto();
    let secured = || TlsParameters::new(server.host.clone());
    let wrapped = if server.tls == Tls::Implicit { Some(secured()?) } else { None };
    let (to, me) = ((server.host.as_str(), server.port), ClientId::default());
    let mut conn = AsyncSmtpConnection::connect_tokio1(to, Some(PATIENCE), &me, wrapped, None).await?;
    if server.tls == Tls::Required {
        conn.starttls(secured()?, &me).await?;
    }
    if let Some((name, password)) = &server.login {
        let login = Credentials::new(name.clone(), password.expose().to_owned());
        conn.auth(DEFAULT_MECHANISMS, &login).await?;
    }
    Ok(conn)
}

/// Hands a mail in: once the server has answered, that is what came of it.
pub(super) async fn hand_in(server: &MailServer, mail: &lettre::Message) -> Result<(), Error> {
    let mut conn = connect(server).await?;
    let said = say(&mut conn, mail).await;
    part(conn);
    said
}

/// Says good-bye, and waits for no answer.
pub(super) fn part(mut conn: AsyncSmtpConnection) {
    tokio::spawn(async move { tokio::time::timeout(PARTING, conn.abort()).await.is_ok() });
}

async fn say(conn: &mut AsyncSmtpConnection, mail: &lettre::Message) -> Result<(), Error> {
    let (envelope, bytes) = (mail.envelope(), mail.formatted());
    let mut everybody = envelope.from().into_iter().chain(envelope.to());
    // a server that does not know one of them refuses it
    let mut special = Vec::new();
    special.extend((!everybody.all(|address| address.to_string().is_ascii())).then_some(MailParameter::SmtpUtfEight));
    special.extend((!bytes.is_ascii()).then_some(MailParameter::Body(MailBodyParameter::EightBitMime)));
    conn.command(Mail::new(envelope.from().cloned(), special)).await?;
    for to in envelope.to() {
        conn.command(Rcpt::new(to.clone(), Vec::new())).await?;
    }
    conn.command(Data).await?;
    conn.message(&bytes).await.map(drop)
}
