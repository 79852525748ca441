//! One TLS handshake by hand, to see a server's certificate or where exactly it fails.

use std::io::{Error, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ProtocolVersion, RootCertStore};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::FetchError;
use super::fetch::Deadline;
use crate::limits::FETCH_CONNECT;
use crate::policy::Reach;
use crate::time::NumericDate;
use crate::tls::{self, Authorities};

/// What a server has shown that is trusted here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerCertificate {
    /// `TLS 1.3` or `TLS 1.2`.
    pub protocol: &'static str,
    /// Whose certificate it is.
    pub subject: String,
    /// Who has issued it.
    pub authority: String,
    /// When it ends.
    pub not_after: NumericDate,
}

/// Shakes hands with the server of this name at one of these addresses.
pub(super) fn handshake(
    host: &str,
    addresses: &[SocketAddr],
    reach: &Reach,
) -> Result<ServerCertificate, FetchError> {
    let deadline = Deadline::start();
    let name = host.trim_matches(['[', ']']).to_owned();
    let server = ServerName::try_from(name);
    let server = server.map_err(|_| FetchError::BadUrl(host.to_owned()))?;
    let config = tls::config(roots(reach)?).map_err(FetchError::Tls)?;
    let connection = ClientConnection::new(Arc::new(config), server);
    let mut connection =
        connection.map_err(|error| FetchError::Tls(tls::advise(&error, tls::OF_ISSUER)))?;
    let mut stream = connect(addresses)?;
    shake(&mut connection, &mut stream, deadline)?;
    read(&connection)
}

/// A read at a time, so that the deadline holds whatever the server sends.
fn shake(
    connection: &mut ClientConnection,
    stream: &mut TcpStream,
    deadline: Deadline,
) -> Result<(), FetchError> {
    let explain = |error: Error| {
        if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) {
            FetchError::Timeout("the TLS handshake")
        } else {
            FetchError::Network(error.to_string())
        }
    };
    loop {
        let step = Some(deadline.left()?.min(FETCH_CONNECT));
        let limited = stream.set_read_timeout(step);
        let limited = limited.and_then(|()| stream.set_write_timeout(step));
        limited.map_err(explain)?;
        while connection.wants_write() {
            connection.write_tls(stream).map_err(explain)?;
        }
        if !connection.is_handshaking() {
            return Ok(());
        }
        if connection.read_tls(stream).map_err(explain)? == 0 {
            let text = "the server closed the connection".to_owned();
            return Err(FetchError::Network(text));
        }
        let read = connection.process_new_packets();
        read.map_err(|error| FetchError::Tls(tls::advise(&error, tls::OF_ISSUER)))?;
    }
}

fn roots(reach: &Reach) -> Result<RootCertStore, FetchError> {
    let Some(own) = &reach.authorities else {
        return Ok(Authorities::get().map_err(FetchError::Tls)?.roots());
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(own.iter().map(|der| der.to_vec().into()));
    Ok(roots)
}

fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, FetchError> {
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(address, FETCH_CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(format!("no connection to {address}: {error}")),
        }
    }
    Err(FetchError::Network(last.unwrap_or_default()))
}

fn read(connection: &ClientConnection) -> Result<ServerCertificate, FetchError> {
    let chain = connection.peer_certificates().unwrap_or_default();
    let unreadable = || FetchError::Tls("the server's certificate cannot be read".to_owned());
    let first = chain.first().ok_or_else(unreadable)?;
    let (_, certificate) = X509Certificate::from_der(first).map_err(|_| unreadable())?;
    let not_after = certificate.validity().not_after.timestamp();
    Ok(ServerCertificate {
        protocol: match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS 1.2",
        },
        subject: certificate.subject().to_string(),
        authority: certificate.issuer().to_string(),
        not_after: NumericDate::from_seconds(not_after).unwrap_or(NumericDate::LAST),
    })
}
