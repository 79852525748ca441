//! KEY-03: https with a private authority, and every way in which a certificate is not good.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sealgate::{Format, LoadOptions, Policy};
use serde_json::{Value, json};

use super::server::{Server, Wrap, ok};
use super::stand::{Stand, policy, set, token, until};

struct Tls(Arc<ServerConfig>);

impl Wrap for Tls {
    type Stream = StreamOwned<ServerConnection, TcpStream>;

    fn wrap(&self, stream: TcpStream) -> Self::Stream {
        StreamOwned::new(ServerConnection::new(Arc::clone(&self.0)).unwrap(), stream)
    }
}

struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { params, key, pem }
    }

    /// A server with a certificate for this name, until this year.
    fn server(&self, name: &str, until_year: i32) -> Server {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until_year, 1, 1);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                key.serialize_der().try_into().unwrap(),
            )
            .unwrap();
        Server::start_with(ok(&set(&["a"])), Tls(Arc::new(config)))
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A document that names the host and, if any, the file of the authority.
fn document(server: &Server, private: bool) -> Value {
    let mut refresh = json!({ "allow_hosts": ["localhost"] });
    if private {
        refresh["ca_file"] = "ca.pem".into();
    }
    let uri = format!("https://localhost:{}/keys", server.port);
    let members = json!({ "jwks_uri": uri, "refresh": refresh });
    let mut document = policy("https://as.example", &members);
    document.as_object_mut().unwrap().remove("danger");
    document
}

fn stand(server: &Server, authority: Option<&Authority>, name: &str) -> Stand {
    let folder = folder(name);
    if let Some(authority) = authority {
        fs::write(folder.join("ca.pem"), &authority.pem).unwrap();
    }
    Stand::open(&document(server, authority.is_some()), &folder)
}

fn error(stand: &Stand) -> String {
    let code = stand.verifier.gate("g").unwrap().judge(token("a")).code();
    assert_eq!(code, "keys_refreshing");
    until("it has failed", || stand.state().last_error)
}

#[test]
fn a_private_authority_is_trusted_where_it_is_named() {
    let authority = Authority::new();
    let server = authority.server("localhost", 3000);
    assert_eq!(
        stand(&server, Some(&authority), "good").says("a"),
        "accepted"
    );
    assert_eq!(server.asked(), 1);
}

#[test]
fn what_is_not_trusted_is_not_read() {
    let (authority, other) = (Authority::new(), Authority::new());
    let good = authority.server("localhost", 3000);
    for (name, server, trusted) in [
        ("public", &good, None),
        ("other", &good, Some(&other)),
        (
            "name",
            &authority.server("elsewhere.example", 3000),
            Some(&authority),
        ),
        (
            "expired",
            &authority.server("localhost", 2001),
            Some(&authority),
        ),
    ] {
        let error = error(&stand(server, trusted, name));
        assert!(error.starts_with("TLS: "), "{name}: {error}");
        assert_eq!(server.asked(), 0, "{name}");
    }
}

#[test]
fn an_authority_that_is_replaced_beneath_its_document_counts() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = authority.server("localhost", 3000);
    let stand = stand(&server, Some(&other), "replaced");
    assert!(error(&stand).starts_with("TLS: "));
    let folder = folder("replaced");
    fs::write(folder.join("ca.pem"), &authority.pem).unwrap();
    let options = LoadOptions::new().allow_test_keys(true).folder(&folder);
    let text = document(&server, true).to_string();
    let policy = Policy::parse_with(text, Format::Json, &options).unwrap();
    stand.verifier.reload(policy).unwrap();
    assert_eq!(stand.says("a"), "accepted");
}

#[test]
fn a_server_without_tls_is_not_spoken_to() {
    let server = Server::start(ok(&set(&["a"])));
    let authority = Authority::new();
    let stand = stand(&server, Some(&authority), "plain");
    assert!(!error(&stand).is_empty());
    assert_eq!(stand.state().generation, 0);
}
