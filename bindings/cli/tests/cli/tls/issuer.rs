//! An issuer inside a company, with a certificate of the company's own authority.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use super::authority::Authority;
use super::{command, ends, front, says};
use crate::server::Server;
use crate::{Folder, sealgate, text};

/// An issuer of these keys over https, which answers that every token is not active; its URL.
fn start(authority: &Authority, keys: Value) -> (Server, String) {
    let base = Arc::new(OnceLock::<String>::new());
    let own = Arc::clone(&base);
    let server = Server::new(Box::new(move |path| {
        let base = own.get().unwrap();
        let body = match path {
            "/.well-known/openid-configuration" => json!({
                "issuer": base, "jwks_uri": format!("{base}/keys"),
                "id_token_signing_alg_values_supported": ["ES256"],
            }),
            "/keys" => keys.clone(),
            "/introspect" => json!({ "active": false }),
            _ => return (404, String::new(), String::new()),
        };
        let fields = "content-type: application/json\r\n".to_owned();
        (200, fields, body.to_string())
    }));
    let port = front::before(server.port(), &authority.certify().config());
    let url = format!("https://localhost:{port}");
    base.set(url.clone()).unwrap();
    (server, url)
}

#[test]
fn an_issuer_of_a_private_authority_is_trusted_where_it_is_named() {
    let folder = Folder::new("private-issuer");
    let private = folder.keys();
    let keys = serde_json::from_str(&std::fs::read_to_string(folder.path("public.json")).unwrap());
    let authority = Authority::new();
    let (_server, url) = start(&authority, keys.unwrap());
    let claims = ["--iss", &url, "--sub", "u1", "--aud", "api"];
    let mint = [&["mint", "--key", &private], claims.as_slice()].concat();
    let token = text(&sealgate(&mint, ""));
    let own = authority.file(&folder, "ca.pem");
    let other = Authority::new().file(&folder, "other.pem");
    let (issuer, allowed) = (["--issuer", &url], ["--allow-host", "localhost"]);
    let verify = [&["verify", "--audience", "api"], &issuer[..], &allowed].concat();
    let doctor = [&["doctor", url.as_str()], &allowed[..]].concat();
    let fetch = [&["jwks", "fetch", url.as_str()], &allowed[..]].concat();
    says(Some(&own), 0, &verify, &token);
    says(Some(&own), 0, &fetch, "");
    let said = says(Some(&own), 0, &doctor, "");
    assert!(said.contains("✓ TLS"), "{said}");
    for trusting in [None, Some(other.as_str())] {
        for (exit, command, input) in [(3, &verify, &*token), (1, &doctor, ""), (1, &fetch, "")] {
            let said = says(trusting, exit, command, input);
            for part in ["no authority that is trusted here", "SSL_CERT_FILE"] {
                assert!(said.contains(part), "{part} in {said}");
            }
        }
        let said = says(trusting, 1, &doctor, "");
        assert!(said.contains("✗ TLS"), "{said}");
    }
    let said = says(Some(&folder.path("absent.pem")), 1, &doctor, "");
    assert!(said.contains("absent.pem"), "{said}");
}

/// Where the policy names the authority, nobody needs to name it to the process; and whoever is
/// asked about tokens is trusted as whoever has the keys is.
#[test]
fn a_policy_names_an_authority_for_one_issuer() {
    let folder = Folder::new("ca-file");
    folder.keys();
    let keys = std::fs::read_to_string(folder.path("public.json")).unwrap();
    let authority = Authority::new();
    let (_server, url) = start(&authority, serde_json::from_str(&keys).unwrap());
    let own = authority.file(&folder, "ca.pem");
    let policy = |name: &str, ca_file: &str| {
        let text = format!(
            "version = 1\n[issuers.corp]\nissuer = \"{url}\"\nalgorithms = [\"ES256\"]\n\
             [issuers.corp.refresh]\nallow_hosts = [\"localhost\"]\n{ca_file}\
             [issuers.corp.introspection]\nendpoint = \"{url}/introspect\"\nclient_id = \"rs\"\n\
             client_secret = {{ env = \"SEALGATE_TEST_SECRET\" }}\n\
             allow_hosts = [\"localhost\"]\n{ca_file}\
             [gates.tools]\nprofile = \"access_token\"\nissuers = [\"corp\"]\naudience = \"api\"\n"
        );
        folder.write(name, text)
    };
    let (with, without) = (
        policy("with.toml", "ca_file = \"ca.pem\"\n"),
        policy("without.toml", ""),
    );
    let doctor = |policy: &str, trusting: Option<&str>, exit: i32| {
        let mut command = command(trusting);
        command.env("SEALGATE_TEST_SECRET", "xyzzy");
        ends(command.args(["doctor", &url, "-p", policy]), exit, "")
    };
    for (policy, trusting) in [(&with, None), (&without, Some(own.as_str()))] {
        let said = doctor(policy, trusting, 0);
        for part in ["✓ TLS", "✓ keys", "✓ introspection"] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
    let said = doctor(&without, None, 1);
    for part in ["✗ TLS", "✗ introspection", "SSL_CERT_FILE"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}
