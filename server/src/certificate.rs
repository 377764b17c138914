//! When the certificate of the public address ends. Whether it is to be trusted is for a request to tell; here even a wrong
//! one is read.

use chrono::{DateTime, Utc};
use engine::clock::SharedClock;
use model::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, crypto::ring};
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;
use x509_parser::parse_x509_certificate;

const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks of a process that serves.
const EVERY: Duration = Duration::from_secs(6 * 3_600);
/// The same after a look that failed.
const AGAIN: Duration = Duration::from_secs(300);

/// Looks at the certificate of the public address from time to time, until cancelled; not at all if it is not https.
pub async fn watch(
    url: Arc<Url>,
    clock: SharedClock,
    out: watch::Sender<Option<Certificate>>,
    cancel: CancellationToken,
) {
    if url.scheme() != "https" {
        return cancel.cancelled().await;
    }
    let looks = async {
        loop {
            let ended = ends(&url).await;
            let wait = if ended.is_ok() { EVERY } else { AGAIN };
            let error = ended.as_ref().err().map(|error| format!("It could not be read: {error}."));
            out.send_replace(Some(Certificate { looked_at: clock.now(), ends_at: ended.ok(), error }));
            tokio::time::sleep(wait).await;
        }
    };
    cancel.run_until_cancelled(looks).await;
}

/// When the certificate of this https address ends.
pub async fn ends(url: &Url) -> io::Result<DateTime<Utc>> {
    let url = url.clone();
    tokio::task::spawn_blocking(move || shake_hands(&url)).await.map_err(io::Error::other)?
}

fn shake_hands(url: &Url) -> io::Result<DateTime<Utc>> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let address = (host.as_str(), url.port_or_known_default().unwrap_or(443)).to_socket_addrs()?.next();
    let mut stream = TcpStream::connect_timeout(&address.ok_or(io::ErrorKind::NotFound)?, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(JustLooking))
        .with_no_client_auth();
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    connection.complete_io(&mut stream)?;
    let certificates = connection.peer_certificates().unwrap_or_default();
    let first = certificates.first().ok_or_else(|| io::Error::other("it shows none"))?;
    let (_, certificate) = parse_x509_certificate(first).map_err(io::Error::other)?;
    let ends = certificate.validity().not_after.timestamp();
    DateTime::from_timestamp(ends, 0).ok_or_else(|| io::Error::other("its end is no time"))
}

/// Takes every certificate: nothing is sent over this connection, and nothing that it says is believed.
#[derive(Debug)]
struct JustLooking;

impl ServerCertVerifier for JustLooking {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
