//! Redis and NATS over TLS: who is trusted, what is said where nobody is, and that nothing goes in
//! the clear.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::{ServerConnection, StreamOwned};

use super::authority::{Authority, Shown};
use super::{command, front, says};
use crate::Folder;
use crate::revocations::{ISS, secret, with_a_token};
use crate::servers::{Kind, Server};

const KINDS: [Kind; 2] = [Kind::Redis, Kind::Nats];
const PASSWORD: &str = "s3cret";

/// A policy over the store at this URL, and a token of its issuer.
fn judged(folder: &Folder, kind: Kind, url: &str) -> (String, String) {
    let url = secret(folder, "url", url);
    let kind = format!("{kind:?}").to_lowercase();
    let stores = format!("[stores.fleet]\nkind = \"{kind}\"\nurl = {{ file = \"{url}\" }}");
    with_a_token(folder, &stores)
}

fn url(kind: Kind, host: &str, port: u16) -> String {
    let scheme = if kind == Kind::Nats { "tls" } else { "rediss" };
    format!("{scheme}://{host}:{port}")
}

/// A server that speaks TLS with this certificate, and its port; NATS does so itself.
fn start(kind: Kind, folder: &Folder, shown: &Shown, more: &[&str]) -> Option<(Server, u16)> {
    if kind == Kind::Nats {
        let [certificate, key] = shown.files(folder);
        let mut arguments = vec![
            "--tls".to_owned(),
            format!("--tlscert={certificate}"),
            format!("--tlskey={key}"),
        ];
        arguments.extend(more.iter().map(|more| (*more).to_owned()));
        let server = Server::start_with(kind, arguments)?;
        let port = server.port();
        return Some((server, port));
    }
    let server = Server::start(kind)?;
    let port = front::before(server.port(), &shown.config());
    Some((server, port))
}

#[test]
fn a_revocation_goes_through_a_server_of_a_private_authority() {
    for kind in KINDS {
        let folder = Folder::new(&format!("tls-{kind:?}"));
        let authority = Authority::new();
        let Some((_server, port)) = start(kind, &folder, &authority.certify(), &[]) else {
            continue;
        };
        let file = authority.file(&folder, "ca.pem");
        let trusting = Some(file.as_str());
        let (policy, token) = judged(&folder, kind, &url(kind, "localhost", port));
        says(trusting, 0, &["verify", "-p", &policy], &token);
        let revoke = ["revoke", "-p", &policy, "--subject", ISS, "u1"];
        let said = says(trusting, 0, &revoke, "");
        assert!(said.contains("delivered the store has it"), "{said}");
        let said = says(trusting, 1, &["verify", "-p", &policy], &token);
        assert!(said.contains("revoked"), "{said}");
        says(trusting, 0, &["doctor", "-p", &policy], "");
    }
}

#[test]
fn a_server_that_is_not_trusted_is_not_used_and_it_is_said_what_to_do() {
    for kind in KINDS {
        let folder = Folder::new(&format!("untrusted-{kind:?}"));
        let authority = Authority::new();
        let Some((_server, port)) = start(kind, &folder, &authority.certify(), &[]) else {
            continue;
        };
        let own = authority.file(&folder, "ca.pem");
        let other = Authority::new().file(&folder, "other.pem");
        let (absent, empty) = (folder.path("absent.pem"), folder.write("empty.pem", ""));
        let (policy, token) = judged(&folder, kind, "");
        for (trusting, host, parts) in [
            (
                None,
                "localhost",
                ["no authority that is trusted here", "SSL_CERT_FILE"],
            ),
            (
                Some(&other),
                "localhost",
                ["no authority that is trusted here", "SSL_CERT_FILE"],
            ),
            (Some(&own), "127.0.0.1", ["not valid for name", "localhost"]),
            (Some(&absent), "localhost", ["SSL_CERT_FILE", &absent]),
            (
                Some(&empty),
                "localhost",
                ["SSL_CERT_FILE", "names no certificate"],
            ),
        ] {
            let trusting = trusting.map(String::as_str);
            secret(&folder, "url", &url(kind, host, port));
            let said = says(trusting, 1, &["doctor", "-p", &policy], "");
            for part in parts {
                assert!(said.contains(part), "{part} in {said}");
            }
            assert!(said.contains("✗ reading"), "{said}");
            if trusting.is_none() {
                let said = says(trusting, 3, &["verify", "-p", &policy], &token);
                for part in ["revocation_unavailable", "SSL_CERT_FILE"] {
                    assert!(said.contains(part), "{part} in {said}");
                }
            }
        }
    }
}

/// What a server would learn that does not speak TLS, and, if it is of NATS, says that it need not
/// be.
#[test]
fn nothing_is_said_in_the_clear_where_tls_is_asked_for() {
    for kind in KINDS {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let own = Arc::clone(&heard);
        let port = front::listen(move |mut client| {
            if kind == Kind::Nats {
                client.write_all(info(false, "[]").as_bytes()).unwrap();
            }
            let mut bytes = vec![0; 64 * 1024];
            let size = client.read(&mut bytes).unwrap();
            own.lock().unwrap().push(bytes[..size].to_vec());
            let _ = client.write_all(b"-ERR unknown command\r\n");
        });
        let folder = Folder::new(&format!("clear-{kind:?}"));
        let user = format!("user:{PASSWORD}@localhost");
        let mut url = url(kind, &user, port);
        if kind == Kind::Nats {
            url += &format!(",nats://{user}:{port}");
        }
        let (policy, _) = judged(&folder, kind, &url);
        let said = says(None, 1, &["doctor", "-p", &policy], "");
        assert!(said.contains("does not speak TLS"), "{said}");
        assert!(!said.contains(PASSWORD), "{said}");
        let heard = heard.lock().unwrap();
        assert!(!heard.is_empty());
        for heard in &*heard {
            // The record of a handshake (RFC 8446 §5.1).
            assert_eq!(heard[..2], [22, 3], "{heard:?}");
            let password = PASSWORD.as_bytes();
            assert!(!heard.windows(password.len()).any(|part| part == password));
        }
    }
}

/// Redis itself may say nothing at all to what is no command.
#[test]
fn a_real_server_without_tls_is_told_apart_from_one_that_is_away() {
    let Some(server) = Server::start(Kind::Nats) else {
        return;
    };
    let folder = Folder::new("plain");
    let (policy, _) = judged(
        &folder,
        Kind::Nats,
        &url(Kind::Nats, "localhost", server.port()),
    );
    let said = says(None, 1, &["doctor", "-p", &policy], "");
    assert!(said.contains("does not speak TLS"), "{said}");
}

#[test]
fn redis_that_speaks_tls_is_asked_for_by_another_scheme() {
    let Some(server) = Server::start(Kind::Redis) else {
        return;
    };
    let folder = Folder::new("scheme");
    let port = front::before(server.port(), &Authority::new().certify().config());
    let (policy, _) = judged(&folder, Kind::Redis, &format!("redis://localhost:{port}"));
    let said = says(None, 1, &["doctor", "-p", &policy], "");
    assert!(said.contains("rediss://"), "{said}");
}

#[test]
fn a_server_that_wants_a_certificate_of_ours_is_told_apart() {
    let folder = Folder::new("mutual");
    let authority = Authority::new();
    let file = authority.file(&folder, "ca.pem");
    let verify = ["--tlsverify", &format!("--tlscacert={file}")];
    let Some((_server, port)) = start(Kind::Nats, &folder, &authority.certify(), &verify) else {
        return;
    };
    let (policy, _) = judged(&folder, Kind::Nats, &url(Kind::Nats, "localhost", port));
    let said = says(Some(&file), 1, &["doctor", "-p", &policy], "");
    assert!(
        said.contains("asks its clients for a certificate"),
        "{said}"
    );
}

/// A server of NATS tells of others before TLS, where anybody may have written it: they are not
/// gone to, though each may have a certificate of its own name.
#[test]
fn servers_that_are_told_of_in_the_clear_are_not_gone_to() {
    const TIMES: usize = 8;
    let (came, elsewhere) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&elsewhere);
    let other = front::listen(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let authority = Authority::new();
    let (config, count) = (authority.certify().config(), Arc::clone(&came));
    let port = front::listen(move |mut client: TcpStream| {
        let others = format!("[\"localhost:{other}\"]");
        client.write_all(info(true, &others).as_bytes()).unwrap();
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut client = StreamOwned::new(tls, client);
        let (mut heard, mut bytes) = (String::new(), [0; 4096]);
        while !heard.contains("PING\r\n") {
            match client.read(&mut bytes) {
                Ok(size @ 1..) => heard += &String::from_utf8_lossy(&bytes[..size]),
                _ => return,
            }
        }
        let _ = client.write_all(b"PONG\r\n");
        count.fetch_add(1, Ordering::SeqCst);
    });
    let folder = Folder::new("elsewhere");
    let file = authority.file(&folder, "ca.pem");
    let (policy, _) = judged(&folder, Kind::Nats, &url(Kind::Nats, "localhost", port));
    let mut command = command(Some(&file));
    let mut child = command.args(["doctor", "-p", &policy]).spawn().unwrap();
    while came.load(Ordering::SeqCst) < TIMES && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let _ = child.kill();
    let _ = child.wait();
    assert!(came.load(Ordering::SeqCst) >= TIMES, "it comes back");
    assert_eq!(elsewhere.load(Ordering::SeqCst), 0);
}

/// What a server of NATS says first.
fn info(tls_required: bool, connect_urls: &str) -> String {
    format!(
        "INFO {{\"server_id\":\"x\",\"server_name\":\"x\",\"version\":\"2.11.0\",\"go\":\"go\",\
         \"host\":\"127.0.0.1\",\"port\":4222,\"headers\":true,\"max_payload\":1048576,\
         \"proto\":1,\"client_id\":1,\"jetstream\":true,\"tls_required\":{tls_required},\
         \"connect_urls\":{connect_urls}}}\r\n"
    )
}
