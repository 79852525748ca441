//! `sealgate revoke`, `sealgate revocations` and `doctor` for stores: what one command writes, the
//! next one reads.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use sealgate::HandleKind;
use serde_json::Value;

use super::servers::{Kind, Server};
use super::{Folder, code, complaint, sealgate, text};

pub(crate) const ISS: &str = "https://corp.example";

/// A policy whose revocations are where `stores` says.
fn policy(folder: &Folder, name: &str, stores: &str, store: &str) -> String {
    folder.write(
        name,
        format!(
            "version = 1\n[issuers.corp]\nissuer = \"{ISS}\"\njwks_push = \"process\"\n\
             [gates.tools]\nprofile = \"access_token\"\nissuers = [\"corp\"]\n\
             audience = \"https://api.example.com/mcp\"\ndelegation = \"surface\"\n\
             public_url = \"https://api.example.com\"\n\
             {stores}\n[revocation]\nstore = \"{store}\"\n"
        ),
    )
}

fn in_folder(folder: &Folder, name: &str) -> String {
    let stores = format!("[stores.here]\nkind = \"file\"\npath = \"{name}\"");
    policy(folder, &format!("{name}.toml"), &stores, "here")
}

/// A command that must end with this code; what it says on standard output and standard error.
fn run(exit: i32, arguments: &[&str], policy: &str, input: &str) -> (String, String) {
    let output = sealgate(&[arguments, &["-p", policy]].concat(), input);
    let (said, complained) = (text(&output), complaint(&output));
    assert_eq!(code(&output), exit, "{arguments:?}: {said}{complained}");
    (said, complained)
}

fn revoke(policy: &str, arguments: &[&str]) -> String {
    run(0, &[&["revoke"], arguments].concat(), policy, "").0
}

fn list(policy: &str, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["revocations", "list", "--json"], arguments].concat();
    let (lines, _) = run(0, &arguments, policy, "");
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The values of the handles that are listed, in alphabetical order.
fn values(policy: &str, part: &str) -> Vec<String> {
    let listed = list(policy, &[]);
    let values = listed.iter().filter_map(|line| line[part].as_str());
    let mut values: Vec<String> = values.map(str::to_owned).collect();
    values.sort_unstable();
    values
}

#[test]
fn what_is_revoked_is_listed_until_it_is_lifted() {
    let folder = Folder::new("revoke");
    let policy = in_folder(&folder, "store");
    let said = revoke(
        &policy,
        &["--actor", ISS, "agent-7", "--reason", "leaked key"],
    );
    assert!(
        said.contains("revoked    actor   https://corp.example   agent-7"),
        "{said}"
    );
    assert!(
        said.contains("every process of this host that reads store \"here\""),
        "{said}"
    );
    assert!(said.contains("delivered  the store has it"), "{said}");
    revoke(&policy, &["--subject", ISS, "u1", "--cutoff", "now"]);
    let ends = [
        "--expires",
        "2090-01-01T00:00:00Z",
        "--cutoff",
        "1800000000",
    ];
    revoke(
        &policy,
        &[&["--session", ISS, "s1"], ends.as_slice()].concat(),
    );
    let (table, count) = run(0, &["revocations", "list"], &policy, "");
    assert_eq!(
        (table.lines().count(), count.as_str()),
        (3, "3 of 3 revoked\n")
    );
    for part in [
        "agent-7   all tokens, until lifted   leaked key",
        "s1   tokens issued up to 2027-01-15 08:00:00Z, until 2090-01-01 00:00:00Z",
        "u1   tokens issued up to 20",
    ] {
        assert!(table.contains(part), "{part} in {table}");
    }
    for (filter, found) in [
        (["--match", "leaked"], "actor"),
        (["--match", "u1"], "subject"),
        (["--kind", "session"], "session"),
    ] {
        let listed = list(&policy, &filter);
        assert_eq!(listed.len(), 1, "{filter:?}");
        assert_eq!(listed[0]["kind"], found);
    }
    revoke(&policy, &["--actor", ISS, "agent-7", "--lift"]);
    assert_eq!(values(&policy, "sub"), ["u1"]);
}

#[test]
fn every_kind_of_handle_has_its_option() {
    let folder = Folder::new("kinds");
    let policy = in_folder(&folder, "store");
    for (option, parts) in [
        ("actor", vec![ISS, "x"]),
        ("subject", vec![ISS, "x"]),
        ("client", vec![ISS, "x"]),
        ("session", vec![ISS, "x"]),
        ("token", vec![ISS, "-x"]),
        ("txn", vec!["td.example", "x"]),
        (
            "holder-key",
            vec!["-ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"],
        ),
        ("signing-key", vec![ISS, "x"]),
        ("issuer", vec![ISS]),
        ("workflow", vec![ISS, "x"]),
        ("intent", vec![ISS, "x"]),
        ("account", vec![ISS, "x"]),
        ("credential", vec![ISS, "x"]),
        ("disabled", vec![ISS, "x"]),
    ] {
        let flag = format!("--{option}");
        if option == "disabled" {
            let line = format!(r#"{{"kind":"disabled","iss":"{ISS}","sub":"x","at":1800000000}}"#);
            run(0, &["revocations", "import"], &policy, &line);
        } else {
            revoke(&policy, &[&[flag.as_str()], parts.as_slice()].concat());
        }
        let kind = option.replace('-', "_");
        let listed = list(&policy, &["--kind", &kind]);
        let line = listed[0].as_object().unwrap();
        for part in parts {
            assert!(
                line.values().any(|value| value == part),
                "{option}: {line:?}"
            );
        }
    }
    let listed = list(&policy, &[]);
    let kinds: Vec<&str> = listed
        .iter()
        .filter_map(|line| line["kind"].as_str())
        .collect();
    let sorted: Vec<&str> = HandleKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(kinds, sorted, "in the order of their kinds");
}

#[test]
fn what_would_revoke_nothing_is_a_usage_error() {
    let folder = Folder::new("usage");
    let shared = in_folder(&folder, "store");
    for (arguments, hint) in [
        (vec!["--actor", "corp", "agent-7"], "write the iss"),
        (
            vec!["--subject", "https://corp.example/", "u1"],
            "to the last slash",
        ),
        (vec!["--subject", "u1", ISS], "to the last slash"),
        (vec!["--subject", ISS, ""], "empty"),
        (vec!["--holder-key", "short"], "43 characters"),
        (
            vec!["--subject", ISS, "u1", "--expires", "1700000000"],
            "before now",
        ),
        (vec!["--actor", ISS, "--lift"], "an option where a part"),
        (vec!["--actor", ISS], "unexpected argument"),
        (
            vec!["--actor", ISS, "a", "--issuer", ISS],
            "cannot be used with",
        ),
        (
            vec!["--actor", ISS, "a", "--lift", "--reason", "x"],
            "cannot be used with",
        ),
        (vec![], "--actor <ISS> <SUB>"),
    ] {
        let arguments = [&["revoke"], arguments.as_slice()].concat();
        let (_, complained) = run(2, &arguments, &shared, "");
        assert!(complained.contains(hint), "{arguments:?}: {complained}");
    }
    for alone in ["process", "off"] {
        let policy = policy(&folder, "alone.toml", "", alone);
        for arguments in [
            &["revoke", "--actor", ISS, "agent-7"][..],
            &["revocations", "list"],
        ] {
            let (_, complained) = run(2, arguments, &policy, "");
            assert!(complained.contains("kind = \"file\""), "{complained}");
            assert!(complained.contains(&format!("\"{alone}\"")), "{complained}");
        }
        let (said, _) = run(0, &["doctor"], &policy, "");
        assert!(said.starts_with(&format!("{policy}   good")), "{said}");
    }
}

#[test]
fn an_export_is_imported_whole_or_not_at_all() {
    let folder = Folder::new("export");
    let (first, second) = (in_folder(&folder, "first"), in_folder(&folder, "second"));
    revoke(&first, &["--actor", ISS, "a", "--reason", "leaked key"]);
    revoke(&first, &["--actor", ISS, "b"]);
    revoke(&first, &["--actor", ISS, "c"]);
    revoke(&first, &["--actor", ISS, "c", "--lift"]);
    let (export, count) = run(0, &["revocations", "export"], &first, "");
    assert_eq!(
        (export.lines().count(), count.as_str()),
        (3, "3 exported\n")
    );

    let bad = format!(
        "{export}\n{{\"kind\":\"planet\"}}\n{{\"kind\":\"actor\",\"iss\":\"\",\"sub\":\"x\",\"at\":1}}\n{}\n",
        "x".repeat(2_000_000)
    );
    let (_, complained) = run(2, &["revocations", "import"], &second, &bad);
    for line in [
        "line 5: kind: this version",
        "line 6: a part of the handle is empty",
        "line 7: longer than",
        "nothing was imported: 3 of 6 lines",
    ] {
        assert!(complained.contains(line), "{line} in {complained}");
    }
    let (_, complained) = run(2, &["revocations", "list"], &second, "");
    assert!(complained.contains("there is no store"), "{complained}");
    let import = ["revocations", "import"];
    let (_, complained) = run(2, &import, &second, &"no change\n".repeat(1_500));
    assert_eq!(complained.lines().count(), 20 + 2, "{complained}");
    assert!(
        complained.contains("and 1,480 more bad lines"),
        "{complained}"
    );

    let skip = ["revocations", "import", "--skip-bad"];
    let (said, _) = run(1, &skip, &second, &bad);
    assert!(said.contains("3 imported into store \"here\""), "{said}");
    assert_eq!(values(&second, "sub"), ["a", "b"]);
    let (again, _) = run(0, &["revocations", "import"], &second, &export);
    assert!(again.contains("3 imported"), "{again}");
    assert_eq!(list(&second, &["--match", "leaked"]).len(), 1);
    // A backup of what was brought back is that backup.
    assert_eq!(run(0, &["revocations", "export"], &second, "").0, export);
}

/// What is misspelt would end more than it says, or nothing.
#[test]
fn an_import_is_held_against_the_policy_as_what_is_revoked_is() {
    let folder = Folder::new("import");
    let policy = in_folder(&folder, "store");
    let line = |iss: &str, more: &str| {
        format!("{{\"kind\":\"actor\",\"iss\":\"{iss}\",\"sub\":\"x\",\"at\":1700000000{more}}}\n")
    };
    for (bad, why) in [
        (line(ISS, ",\"cutof\":1700000000"), "\"cutof\""),
        (line(ISS, ",\"expire\":5"), "\"expire\""),
        (line(ISS, ",\"lifted\":true,\"cutoff\":5"), "\"cutoff\""),
        (line("corp", ""), "write the iss"),
        (
            "{\"kind\":\"holder_key\",\"jkt\":\"short\",\"at\":1}\n".to_owned(),
            "43 characters",
        ),
    ] {
        let lines = line(ISS, "") + &bad;
        let (_, complained) = run(2, &["revocations", "import"], &policy, &lines);
        assert!(complained.contains("line 2: "), "{complained}");
        assert!(complained.contains(why), "{complained}");
    }
    // Services that share a store may trust others.
    let foreign = line(ISS, "") + &subject_of("https://other.example");
    let (said, complained) = run(0, &["revocations", "import"], &policy, &foreign);
    assert!(said.contains("2 imported"), "{said}");
    assert!(complained.contains("1 are of issuers"), "{complained}");
}

fn subject_of(iss: &str) -> String {
    format!("{{\"kind\":\"subject\",\"iss\":\"{iss}\",\"sub\":\"x\",\"at\":1700000000}}\n")
}

#[test]
fn a_backup_undoes_nothing_that_happened_after_it() {
    let folder = Folder::new("backup");
    let policy = in_folder(&folder, "store");
    revoke(&policy, &["--actor", ISS, "revoked-since"]);
    revoke(&policy, &["--actor", ISS, "lifted-since"]);
    revoke(&policy, &["--actor", ISS, "lifted-since", "--lift"]);
    let before = |name: &str, more: &str| {
        format!(
            "{{\"kind\":\"actor\",\"iss\":\"{ISS}\",\"sub\":\"{name}\",\"at\":1700000000{more}}}\n"
        )
    };
    let backup = [
        before("revoked-since", ",\"lifted\":true"),
        before("lifted-since", ""),
        before("lost", ""),
    ];
    let (said, _) = run(0, &["revocations", "import"], &policy, &backup.concat());
    assert!(said.contains("1 lifts left out"), "{said}");
    assert_eq!(values(&policy, "sub"), ["lost", "revoked-since"]);
}

/// A command that goes on until this ends, and is following.
struct Tail(Child, BufReader<std::process::ChildStdout>);

impl Tail {
    fn begin(policy: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealgate"))
            .args(["revocations", "tail", "--json", "-p", policy])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        assert!(said.starts_with("following store"), "{said}");
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A file that nobody else may read.
pub(crate) fn secret(folder: &Folder, name: &str, text: &str) -> String {
    let path = folder.write(name, text);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    path
}

/// A policy over the store `fleet` with keys of its own, and a token that it accepts.
pub(crate) fn with_a_token(folder: &Folder, stores: &str) -> (String, String) {
    let private = folder.path("private.json");
    let generate = [
        "jwks",
        "generate",
        "--alg",
        "ES256",
        "--kid",
        "k1",
        "--private",
        &private,
    ];
    let public = sealgate(&generate, "");
    folder.write("public.json", &public.stdout);
    let more = format!("{stores}\n[revocation]\nstore = \"fleet\"\n");
    let policy = folder.write(
        "judged.toml",
        format!(
            "version = 1\n[issuers.corp]\nissuer = \"{ISS}\"\njwks_file = \"public.json\"\n\
             [gates.tools]\nprofile = \"access_token\"\nissuers = [\"corp\"]\naudience = \"api\"\n{more}"
        ),
    );
    let claims = [
        "--iss", ISS, "--sub", "u1", "--aud", "api", "--scope", "read",
    ];
    let minted = sealgate(
        &[&["mint", "--key", &private], claims.as_slice()].concat(),
        "",
    );
    assert_eq!(code(&minted), 0, "{}", complaint(&minted));
    (policy, text(&minted))
}

/// What all engines do alike, through one policy.
fn works_at_a_store(policy: &str, reach: &str) {
    let (_, _) = run(0, &["revocations", "import"], policy, "");
    let mut tail = Tail::begin(policy);
    let said = revoke(policy, &["--actor", ISS, "a", "--reason", "leaked key"]);
    assert!(said.contains(reach), "{said}");
    let told = tail.next();
    assert_eq!(
        (&told["sub"], &told["reason"]),
        (&"a".into(), &"leaked key".into())
    );
    revoke(policy, &["--actor", ISS, "a", "--lift"]);
    assert_eq!(tail.next()["lifted"], true, "told once, then the next");
    revoke(policy, &["--actor", ISS, "b"]);
    assert_eq!(tail.next()["sub"], "b");
    assert_eq!(values(policy, "sub"), ["b"]);
    let (export, _) = run(0, &["revocations", "export"], policy, "");
    assert_eq!(export.lines().count(), 2, "{export}");
    let (said, _) = run(0, &["doctor"], policy, "");
    for part in ["1 revoked, 1 lifted", "✓ news", "✓ writing", "undelivered"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_folder_is_followed_and_examined() {
    let folder = Folder::new("followed");
    works_at_a_store(&in_folder(&folder, "store"), "every process of this host");
}

#[test]
fn a_server_is_followed_and_examined() {
    for kind in [Kind::Redis, Kind::Nats] {
        let Some(mut server) = Server::start(kind) else {
            continue;
        };
        let (folder, name) = (Folder::new(&format!("{kind:?}")), format!("{kind:?}"));
        let url = secret(&folder, "url", &server.url());
        let stores = format!(
            "[stores.fleet]\nkind = \"{}\"\nurl = {{ file = \"{url}\" }}\nnamespace = \"test\"",
            name.to_lowercase()
        );
        let policy = policy(&folder, "policy.toml", &stores, "fleet");
        works_at_a_store(&policy, "every process, on all hosts");
        // Judged by what the store says, which is waited for.
        let (judged, token) = with_a_token(&folder, &stores);
        run(0, &["verify"], &judged, &token);
        revoke(&judged, &["--subject", ISS, "u1"]);
        let (said, _) = run(1, &["explain"], &judged, &token);
        assert!(said.contains("`sealgate revocations list"), "{said}");
        let (said, _) = run(0, &["doctor", "--json"], &policy, "");
        let report: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(report["store"], "store \"fleet\"");
        let clock = report["checks"].as_array().unwrap().iter();
        let clock = clock.filter(|check| check["check"] == "clock");
        let states: Vec<&Value> = clock.map(|check| &check["state"]).collect();
        assert_eq!(states, [if kind == Kind::Redis { "good" } else { "note" }]);
        // Where nothing but used proofs is there.
        let proofs =
            format!("{stores}\n[dpop]\nalgorithms = [\"ES256\"]\n[replay]\nstore = \"fleet\"");
        let alone = self::policy(&folder, "alone.toml", &proofs, "process");
        let (said, _) = run(0, &["doctor"], &alone, "");
        for part in [
            "used proofs are in store \"fleet\"",
            "✓ replay",
            "taken once",
            " clock",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
        if kind == Kind::Nats {
            let taken = server.url().replace("nats:", "redis:");
            let stores = format!(
                "[stores.fleet]\nkind = \"redis\"\nurl = {{ file = \"{}\" }}",
                secret(&folder, "other", &taken)
            );
            let other = self::policy(&folder, "other.toml", &stores, "fleet");
            let (said, _) = run(1, &["doctor"], &other, "");
            assert!(said.contains("what answers there"), "{said}");
        } else {
            is_ill(&server, &policy, &alone);
        }
        server.kill();
        let (said, complained) = run(3, &["verify"], &judged, &token);
        assert!(said.contains("revocation_unavailable"), "{said}");
        assert!(
            complained.contains("no news of store \"fleet\": "),
            "{complained}"
        );
        let (said, _) = run(3, &["doctor"], &alone, "");
        assert!(said.contains("? replay"), "{said}");
        let (said, _) = run(3, &["doctor"], &policy, "");
        assert!(said.contains("? reading"), "{said}");
        let (_, complained) = run(3, &["revocations", "list"], &policy, "");
        assert!(complained.contains("store \"fleet\""), "{complained}");
        let (_, complained) = run(3, &["revoke", "--actor", ISS, "c"], &policy, "");
        assert!(
            complained.contains("is not known to have it"),
            "{complained}"
        );
    }
}

/// A Redis that answers and is of no use. `policy` has revocations there, and `alone` used proofs.
fn is_ill(server: &Server, policy: &str, alone: &str) {
    server.say("REPLICAOF 127.0.0.1 1");
    let (said, _) = run(1, &["doctor"], policy, "");
    assert!(
        said.contains("✗ writing") && said.contains("name its primary"),
        "{said}"
    );
    let (said, _) = run(1, &["doctor"], alone, "");
    assert!(
        said.contains("✗ replay") && said.contains("something is wrong"),
        "{said}"
    );
    let (_, complained) = run(2, &["revoke", "--actor", ISS, "c"], policy, "");
    assert!(
        complained.contains("again when that is mended"),
        "{complained}"
    );
    server.say("REPLICAOF NO ONE");
    for (evicts, revocations, proofs) in [("volatile-lru", 0, 1), ("allkeys-lru", 1, 1)] {
        server.say(&format!("CONFIG SET maxmemory-policy {evicts}"));
        for (policy, exit) in [(policy, revocations), (alone, proofs)] {
            let (said, _) = run(exit, &["doctor"], policy, "");
            assert_eq!(said.contains("✗ memory"), exit == 1, "{evicts} {said}");
        }
    }
    server.say("CONFIG SET maxmemory-policy noeviction");
    let (said, _) = run(0, &["doctor"], policy, "");
    assert!(said.contains("✓ memory"), "{said}");
}

#[test]
fn what_no_client_takes_for_a_server_is_told_by_the_loader() {
    let folder = Folder::new("url");
    for (path, exit) in [("0", 0), ("notadb", 2)] {
        let url = secret(
            &folder,
            "url",
            &format!("redis://:s3cret@127.0.0.1:1/{path}"),
        );
        let stores = format!("[stores.fleet]\nkind = \"redis\"\nurl = {{ file = \"{url}\" }}");
        let policy = policy(&folder, "policy.toml", &stores, "fleet");
        let output = sealgate(&["policy", "check", &policy], "");
        let said = text(&output) + &complaint(&output);
        assert_eq!(code(&output), exit, "{said}");
        assert_eq!(said.contains("stores.fleet.url"), exit == 2, "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn a_line_of_an_export_is_imported_however_long_it_is() {
    let folder = Folder::new("longest");
    let (first, second) = (in_folder(&folder, "first"), in_folder(&folder, "second"));
    // Six bytes each in a line.
    let long = "\u{1}".repeat(64 * 1024);
    revoke(&first, &["--actor", ISS, &long]);
    let (export, _) = run(0, &["revocations", "export"], &first, "");
    assert!(export.len() > 6 * 64 * 1024);
    run(0, &["revocations", "import"], &second, &export);
    assert_eq!(values(&second, "sub"), [long.as_str()]);
    let longer = "x".repeat(64 * 1024 + 1);
    let (_, complained) = run(2, &["revoke", "--actor", ISS, &longer], &first, "");
    assert!(complained.contains("longer than any token"), "{complained}");
}

#[test]
fn a_store_of_used_proofs_alone_is_examined_too() {
    let folder = Folder::new("proofs");
    let stores = "[stores.here]\nkind = \"file\"\npath = \"store\"\n[stores.there]\nkind = \"file\"\n\
                  path = \"proofs\"\n[dpop]\nalgorithms = [\"ES256\"]\n[replay]\nstore = \"there\"";
    for store in ["here", "process"] {
        let policy = policy(&folder, "policy.toml", stores, store);
        if store == "here" {
            revoke(&policy, &["--actor", ISS, "a"]);
        }
        let (said, _) = run(0, &["doctor"], &policy, "");
        assert!(
            said.contains("used proofs are in store \"there\": file"),
            "{said}"
        );
        assert!(said.contains("there is no table yet"), "{said}");
    }
    assert!(
        !std::path::Path::new(&folder.path("proofs")).exists(),
        "nothing was made"
    );
    let policy = policy(&folder, "policy.toml", stores, "process");
    let loaded = sealgate::Policy::load(&policy).unwrap();
    drop(sealgate::Verifier::new(loaded, sealgate::crypto::aws_lc::provider()).unwrap());
    let (said, _) = run(0, &["doctor"], &policy, "");
    assert!(
        said.contains("✓ replay") && said.contains("taken once"),
        "{said}"
    );
    assert!(said.starts_with("store \"there\""), "{said}");
    std::fs::write(folder.path("proofs/proofs"), "rubbish").unwrap();
    let (said, _) = run(1, &["doctor"], &policy, "");
    assert!(said.contains("✗ replay"), "{said}");
}

#[test]
fn a_damaged_store_is_named_with_what_to_do() {
    let folder = Folder::new("damaged");
    let policy = in_folder(&folder, "store");
    revoke(&policy, &["--actor", ISS, "a"]);
    std::fs::write(folder.path("store/committed"), "rubbish").unwrap();
    let (said, _) = run(1, &["doctor"], &policy, "");
    assert!(said.contains("✗ reading"), "{said}");
    assert!(said.contains("move the folder"), "{said}");
    let (_, complained) = run(2, &["revocations", "list"], &policy, "");
    assert!(complained.contains("committed"), "{complained}");
    let (_, complained) = run(2, &["revoke", "--actor", ISS, "b"], &policy, "");
    assert!(
        complained.contains("again when that is mended"),
        "{complained}"
    );
    let nothing = sealgate(&["doctor"], "");
    assert_eq!(code(&nothing), 2, "nothing to examine");
    let complained = complaint(&nothing);
    assert!(complained.contains("--policy FILE"), "{complained}");
}
