//! Issuers on loopback whose keys are fetched: one server for all of them, one key.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use sealgate::crypto::{SigningKey, aws_lc};
use sealgate::{Clock, Format, LoadOptions, Policy, Verifier};

use crate::tokens;

/// Serves this set at every path until the process ends; returns the port.
#[must_use]
pub fn serve(key: &SigningKey) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its number").port();
    let set = format!("{{\"keys\":[{}]}}", key.verifying_jwk().to_json());
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{set}",
        set.len()
    );
    let serve = move |stream: TcpStream| {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            line.clear();
        }
        // Whoever hangs up early asks again.
        let _ = reader.into_inner().write_all(answer.as_bytes());
    };
    thread::spawn(move || listener.incoming().flatten().for_each(serve));
    port
}

/// `iss` of the `n`th issuer.
#[must_use]
pub fn issuer(port: u16, n: usize) -> String {
    format!("http://localhost:{port}/{n}")
}

/// A verifier of so many issuers, none of whose keys are fetched yet.
#[must_use]
pub fn verifier(port: u16, issuers: usize) -> Verifier {
    let (mut tables, mut names) = (String::new(), String::new());
    for n in 0..issuers {
        let (comma, iss) = (if n == 0 { "" } else { "," }, issuer(port, n));
        let table = format!("{comma}\"i{n}\":{{\"issuer\":\"{iss}\",\"jwks_uri\":\"{iss}\"}}");
        tables.push_str(&table);
        write!(names, "{comma}\"i{n}\"").expect("a string grows");
    }
    let document = format!(
        r#"{{"version":1,"preset":"rfc","danger":{{"http_loopback_issuers":true}},"cache":{{"tokens":0}},"issuers":{{{tables}}},
        "gates":{{"tools":{{"profile":"access_token","audience":"{}","issuers":[{names}],"delegation":"surface"}}}}}}"#,
        tokens::AUDIENCE
    );
    let options = LoadOptions::new().allow_danger(true).allow_test_keys(true);
    let policy = Policy::parse_with(document, Format::Json, &options).expect("a policy");
    Verifier::with_clock(policy, aws_lc::provider(), Clock::System).expect("a verifier")
}
