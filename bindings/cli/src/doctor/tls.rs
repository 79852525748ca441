//! One TLS handshake, to see a server's certificate or where exactly it fails.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::stopwatch::Stopwatch;

/// What a server showed.
pub(super) struct Certificate {
    pub(super) protocol: &'static str,
    pub(super) subject: String,
    pub(super) authority: String,
    /// When it ends, in seconds since 1970.
    pub(super) not_after: i64,
}

/// Of connecting to one address, and of one read or write.
const STEP: Duration = Duration::from_secs(3);
/// Of the whole handshake.
const TOTAL: Duration = Duration::from_secs(10);

/// Shakes hands with the server of this name at one of these addresses, trusting the public
/// authorities.
pub(super) fn handshake(host: &str, addresses: &[SocketAddr]) -> Result<Certificate, String> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let server = ServerName::try_from(name.to_owned());
    let server = server.map_err(|_| format!("{host} is no name a certificate could have"))?;
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), server);
    let mut connection = connection.map_err(|error| error.to_string())?;
    let mut stream = connect(name, addresses)?;
    shake(&mut connection, &mut stream)?;
    let chain = connection.peer_certificates().unwrap_or_default();
    let first = chain.first().ok_or("the server showed no certificate")?;
    let (_, certificate) = X509Certificate::from_der(first)
        .map_err(|_| "the server's certificate cannot be read".to_owned())?;
    Ok(Certificate {
        protocol: match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS 1.2",
        },
        subject: certificate.subject().to_string(),
        authority: certificate.issuer().to_string(),
        not_after: certificate.validity().not_after.timestamp(),
    })
}

fn connect(host: &str, addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let mut last = format!("no address for {host}");
    for address in addresses {
        match TcpStream::connect_timeout(address, STEP) {
            Ok(stream) => {
                let limited = stream
                    .set_read_timeout(Some(STEP))
                    .and_then(|()| stream.set_write_timeout(Some(STEP)));
                return limited.map(|()| stream).map_err(|error| error.to_string());
            }
            Err(error) => last = format!("no connection to {address}: {error}"),
        }
    }
    Err(last)
}

fn shake(connection: &mut ClientConnection, stream: &mut TcpStream) -> Result<(), String> {
    let explain = |error: std::io::Error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "no answer in time".to_owned(),
        _ => format!("the connection broke: {error}"),
    };
    let began = Stopwatch::start();
    loop {
        while connection.wants_write() {
            connection.write_tls(stream).map_err(explain)?;
        }
        if !connection.is_handshaking() {
            return Ok(());
        }
        if began.elapsed() > TOTAL {
            return Err("the handshake takes too long".to_owned());
        }
        if connection.read_tls(stream).map_err(explain)? == 0 {
            return Err("the server closed the connection".to_owned());
        }
        connection
            .process_new_packets()
            .map_err(|error| error.to_string())?;
    }
}
