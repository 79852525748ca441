//! Commands that fetch, against an issuer on this machine.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::server::{Issuer, Server};
use crate::{Folder, code, complaint, sealgate, text};

const LOCAL: &str = "--allow-loopback-http";

/// A private key in a file, and its public half.
fn key(folder: &Folder, kid: &str) -> (String, Value) {
    let private = folder.path(&format!("{kid}.json"));
    let arguments = ["jwks", "generate", "--kid", kid, "--private", &private];
    let set: Value = serde_json::from_str(&text(&sealgate(&arguments, ""))).unwrap();
    (private, set["keys"][0].clone())
}

fn set(keys: &[&Value]) -> Value {
    json!({ "keys": keys })
}

fn token(private: &str, iss: &str, more: &[&str]) -> String {
    let mint = [
        "mint", "--key", private, "--iss", iss, "--sub", "u1", "--aud", "api",
    ];
    let output = sealgate(&[&mint[..], more].concat(), "");
    assert_eq!(code(&output), 0, "{}", complaint(&output));
    text(&output)
}

/// An address of this machine where nobody listens any more.
fn nobody() -> String {
    Server::new(Box::new(|_| (404, String::new(), String::new()))).url()
}

#[test]
fn an_issuer_and_an_audience_are_enough_to_verify() {
    let folder = Folder::new("discovered");
    let (private, public) = key(&folder, "k1");
    let issuer = Issuer::new(set(&[&public]), "", |_| {});
    let url = issuer.url();
    let rules = ["--issuer", &url, "--audience", "api", LOCAL];
    let good = token(&private, &url, &[]);
    let output = sealgate(&[&["verify"], &rules[..]].concat(), &good);
    assert_eq!((code(&output), complaint(&output)), (0, String::new()));
    let output = sealgate(&[&["explain"], &rules[..]].concat(), &good);
    assert_eq!(code(&output), 0, "{}", complaint(&output));
    // The near miss: without the permission nothing is fetched, and the option is named.
    let output = sealgate(&["verify", "--issuer", &url, "--audience", "api"], &good);
    assert_eq!(code(&output), 2);
    assert!(
        complaint(&output).contains("--issuer: "),
        "{}",
        complaint(&output)
    );
}

#[test]
fn an_issuer_that_cannot_be_reached_leaves_tokens_undecided_and_says_why() {
    let folder = Folder::new("unreached");
    let (private, _) = key(&folder, "k1");
    let url = nobody();
    let rules = ["verify", "--issuer", &url, "--audience", "api", LOCAL];
    let output = sealgate(&rules, token(&private, &url, &[]));
    assert_eq!(code(&output), 3, "{}", text(&output));
    assert!(
        complaint(&output).starts_with("sealgate: no keys of default: "),
        "{}",
        complaint(&output)
    );
}

#[test]
fn keys_are_fetched_by_an_issuer_or_by_their_own_url() {
    let folder = Folder::new("fetch");
    let (_, public) = key(&folder, "k1");
    let odd = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
    let issuer = Issuer::new(
        set(&[&public, &odd]),
        "cache-control: max-age=7200\r\n",
        |_| {},
    );
    for target in [issuer.url(), format!("{}/keys", issuer.url())] {
        let output = sealgate(&["jwks", "fetch", &target, LOCAL], "");
        assert_eq!(code(&output), 0, "{}", complaint(&output));
        let fetched: Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!(fetched, set(&[&public, &odd]));
        let said = complaint(&output);
        for part in [
            "1 usable, 1 not",
            "✓ ES256     EC  k1  ",
            "✗ keys[1]: ",
            "for 2 h 0 min; taken as 1 h",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
        let json = text(&sealgate(&["jwks", "fetch", "--json", &target, LOCAL], ""));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&json["ok"], &json["fresh_seconds"]),
            (&true.into(), &7200.into())
        );
    }
    issuer.publish(set(&[&odd]));
    let output = sealgate(&["jwks", "fetch", &issuer.url(), LOCAL], "");
    assert_eq!(code(&output), 1, "not one can be used");
    let output = sealgate(&["jwks", "fetch", &nobody(), LOCAL], "");
    assert_eq!(code(&output), 3, "{}", complaint(&output));
    // Refused before anything is connected to, with the option that would permit it.
    let before = issuer.server.asked.load(Ordering::SeqCst);
    let output = sealgate(&["jwks", "fetch", &issuer.url()], "");
    assert_eq!(code(&output), 1);
    assert!(complaint(&output).contains(LOCAL), "{}", complaint(&output));
    let inside = format!("https://127.0.0.1:{}", issuer.server.port());
    let output = sealgate(&["jwks", "fetch", &inside], "");
    assert_eq!(code(&output), 1);
    assert!(
        complaint(&output).contains("--allow-host 127.0.0.1"),
        "{}",
        complaint(&output)
    );
    assert_eq!(issuer.server.asked.load(Ordering::SeqCst), before);
}

#[test]
fn a_watch_tells_of_keys_that_appear_and_vanish() {
    let folder = Folder::new("watch");
    let ((_, one), (_, two)) = (key(&folder, "k1"), key(&folder, "k2"));
    let issuer = Issuer::new(set(&[&one]), "", |_| {});
    let url = issuer.url();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sealgate"))
        .args(["jwks", "watch", &url, LOCAL, "--json"])
        .args(["--every", "1s", "--for", "5m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> (String, String) {
        let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        (text("event"), text("key"))
    };
    let pair = |event: &str, key: &str| (event.to_owned(), key.to_owned());
    assert_eq!(next(), pair("appeared", "k1"));
    issuer.publish(set(&[&two]));
    assert_eq!(next(), pair("appeared", "k2"));
    assert_eq!(next(), pair("vanished", "k1"));
    issuer.publish(json!("no set"));
    assert_eq!(next(), pair("failed", ""));
    issuer.publish(set(&[&two]));
    assert_eq!(next(), pair("recovered", ""));
    child.kill().unwrap();
    child.wait().unwrap();
    let ended = sealgate(&["jwks", "watch", &url, LOCAL, "--for", "0s"], "");
    assert_eq!(code(&ended), 0, "{}", complaint(&ended));
    assert!(text(&ended).contains("+ ES256    k2"), "{}", text(&ended));
}

#[test]
fn the_doctor_finds_nothing_wrong_with_a_good_issuer() {
    let folder = Folder::new("doctor");
    let (private, public) = key(&folder, "k1");
    let issuer = Issuer::new(set(&[&public]), "cache-control: max-age=600\r\n", |_| {});
    let url = issuer.url();
    let output = sealgate(&["doctor", &url, LOCAL], "");
    assert_eq!(code(&output), 0, "{}", text(&output));
    for part in [
        "✓ discovery",
        "1 usable, 0 not",
        "✓ algorithms",
        "for 10 min 0 s",
    ] {
        assert!(text(&output).contains(part), "{part} in {}", text(&output));
    }
    let json = text(&sealgate(&["doctor", &url, LOCAL, "--json"], ""));
    let json: Value = serde_json::from_str(&json).unwrap();
    let suggested = json["policy"].as_str().unwrap();
    let suggested = suggested.replace("https://your.api.example", "api");
    let policy = folder.write("policy.toml", suggested);
    let verdict = sealgate(
        &["verify", "-p", &policy, "--allow-danger"],
        token(&private, &url, &[]),
    );
    assert_eq!(
        code(&verdict),
        0,
        "{}{}",
        text(&verdict),
        complaint(&verdict)
    );
    let refused = sealgate(&["policy", "check", &policy], "");
    assert_eq!(code(&refused), 2, "danger is asked for by name");
    let held = sealgate(
        &["doctor", &url, LOCAL, "-p", &policy, "--allow-danger"],
        "",
    );
    assert_eq!(code(&held), 0, "{}", text(&held));
    assert!(
        text(&held).contains("issuers.default fits"),
        "{}",
        text(&held)
    );
}

#[test]
fn the_doctor_says_what_is_wrong_and_where() {
    let folder = Folder::new("ill");
    let (_, public) = key(&folder, "k1");
    let twice = set(&[&public, &public]);
    let late = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    for (keys, fields, edit, part) in [
        (
            set(&[&public]),
            "",
            (|metadata| metadata["issuer"] = "https://other.example".into()) as fn(&mut Value),
            "✗ discovery",
        ),
        (twice, "", |_| {}, "another key has this kid, kty and alg"),
        (set(&[]), "", |_| {}, "✗ keys"),
        (json!([]), "", |_| {}, "✗ keys"),
        (set(&[&public]), late, |_| {}, "✗ clocks"),
    ] {
        let issuer = Issuer::new(keys, fields, edit);
        let output = sealgate(&["doctor", &issuer.url(), LOCAL], "");
        assert_eq!(code(&output), 1, "{part}: {}", text(&output));
        assert!(text(&output).contains(part), "{part} in {}", text(&output));
    }
    let output = sealgate(&["doctor", &nobody(), LOCAL], "");
    assert_eq!(code(&output), 3, "{}", text(&output));
    let policy = folder.write(
        "policy.toml",
        "version = 1\n[issuers.corp]\nissuer = \"https://a.example/\"\njwks_push = \"process\"\n\
         [gates.tools]\nprofile = \"access_token\"\nissuers = [\"corp\"]\naudience = \"api\"\n",
    );
    let issuer = Issuer::new(set(&[&public]), "", |_| {});
    let output = sealgate(&["doctor", &issuer.url(), LOCAL, "-p", &policy], "");
    assert_eq!(code(&output), 1, "{}", text(&output));
    assert!(text(&output).contains("has no issuer"), "{}", text(&output));
    // What answers does not speak TLS.
    let inside = format!("https://127.0.0.1:{}", issuer.server.port());
    let output = sealgate(&["doctor", &inside, "--allow-host", "127.0.0.1"], "");
    assert_ne!(code(&output), 0);
    assert!(text(&output).contains(" TLS "), "{}", text(&output));
}

/// Such an issuer need not publish a key.
#[test]
fn the_doctor_asks_an_issuer_of_opaque_tokens_for_nothing_else() {
    let folder = Folder::new("opaque");
    let (_, public) = key(&folder, "k1");
    let asked = Server::new(Box::new(|_| {
        let fields = "content-type: application/json\r\n".to_owned();
        (200, fields, json!({ "active": false }).to_string())
    }));
    let issuer = Issuer::new(set(&[&public]), "", |metadata| {
        metadata.as_object_mut().unwrap().remove("jwks_uri");
    });
    let secret = folder.write("secret", "of a test");
    let only_ours = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&secret, only_ours).unwrap();
    let url = issuer.url();
    let policy = |keys: &str| {
        let policy = format!(
            "version = 1\n[danger]\nhttp_loopback_issuers = true\n[issuers.corp]\nissuer = \"{url}\"\n\
             algorithms = [\"ES256\"]\n{keys}\n[issuers.corp.introspection]\nclient_id = \"rs\"\n\
             client_secret = {{ file = \"secret\" }}\nendpoint = \"{}/\"\nallow_hosts = [\"127.0.0.1\"]\n\
             [gates.tools]\nprofile = \"access_token\"\nissuers = [\"corp\"]\naudience = \"api\"\n",
            asked.url()
        );
        folder.write("policy.toml", policy)
    };
    let doctor =
        |policy: &str| sealgate(&["doctor", &url, LOCAL, "-p", policy, "--allow-danger"], "");
    let output = doctor(&policy("keys = []"));
    let said = text(&output);
    assert_eq!(code(&output), 0, "{said}{}", complaint(&output));
    assert!(
        said.contains("· discovery") && said.contains("✓ introspection"),
        "{said}"
    );
    // The near miss: whoever's keys are fetched needs a place for them.
    let output = doctor(&policy("discovery = \"auto\""));
    assert_eq!(code(&output), 1, "{}", complaint(&output));
    assert!(text(&output).contains("✗ discovery"), "{}", text(&output));
}

#[test]
fn a_policy_begins_with_what_an_issuer_says_of_itself() {
    let folder = Folder::new("init");
    let (private, public) = key(&folder, "k1");
    let issuer = Issuer::new(set(&[&public]), "", |_| {});
    let url = issuer.url();
    let begun = sealgate(
        &[
            "policy",
            "init",
            "--issuer",
            &url,
            "--audience",
            "api",
            LOCAL,
        ],
        "",
    );
    assert_eq!(code(&begun), 0, "{}", complaint(&begun));
    for part in ["discovery    = \"oidc\"", "algorithms   = [\"ES256\"]"] {
        assert!(text(&begun).contains(part), "{part} in {}", text(&begun));
    }
    // Entra's and Okta's way: other names for claims, and a token that lives for a day.
    let odd = [
        "--typ",
        "JWT",
        "--claim",
        "scp=[\"a\",\"b\"]",
        "--lifetime",
        "24h",
    ];
    let sample = folder.write("sample.txt", token(&private, &url, &odd));
    let begun = sealgate(&["policy", "init", "--token", &sample, LOCAL], "");
    assert_eq!(code(&begun), 0, "{}", complaint(&begun));
    for part in [
        "check this",
        "scope = \"scp\"",
        "max_lifetime = \"24h\"",
        "access_token_untyped",
        "[gates.tools]",
    ] {
        assert!(text(&begun).contains(part), "{part} in {}", text(&begun));
    }
    let said = complaint(&begun);
    assert!(said.contains("scope is taken from scp"), "{said}");
    assert!(said.contains("accepted   u1"), "{said}");
    assert!(said.contains("scopes   a b"), "{said}");
    let wrong = sealgate(
        &[
            "policy",
            "init",
            "--issuer",
            "http://a.example",
            "--audience",
            "api",
        ],
        "",
    );
    assert_eq!(code(&wrong), 1);
    assert!(
        complaint(&wrong).contains("not https"),
        "{}",
        complaint(&wrong)
    );
    let keys = folder.write("keys.json", set(&[&public]).to_string());
    let wrong = sealgate(
        &[
            "policy",
            "init",
            "--issuer",
            "http://a.example",
            "--audience",
            "api",
            "--jwks-file",
            &keys,
        ],
        "",
    );
    assert_eq!(code(&wrong), 2);
    let said = complaint(&wrong);
    assert!(
        said.starts_with("sealgate: --issuer: must be https"),
        "{said}"
    );
}
