//! The built binary as a person runs it: results, exit codes and what rubbish does to it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder of this test's own that goes when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sealgate-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn sealgate(arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sealgate"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.as_ref().to_vec();
    // A command that refuses its arguments does not read.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn demo_token(name: &str) -> String {
    let output = sealgate(&["demo", "token", name], "");
    assert_eq!(code(&output), 0);
    text(&output)
}

#[test]
fn exit_codes_tell_accepted_refused_usage_and_undecided_apart() {
    let verify = |token: &str| code(&sealgate(&["verify", "--demo"], token));
    assert_eq!(verify(&demo_token("agent")), 0);
    assert_eq!(verify(&demo_token("expired")), 1);
    assert_eq!(verify(""), 2, "no token");
    assert_eq!(code(&sealgate(&["verify"], "x")), 2, "no rules");
    assert_eq!(
        code(&sealgate(&["verify", "--demo", "-g", "nowhere"], "x")),
        2
    );
    assert_eq!(code(&sealgate(&["verify", "-p", "absent.toml"], "x")), 2);
    let folder = Folder::new("undecided");
    let policy = folder.write(
        "policy.toml",
        "version = 1\n[issuers.lab]\nissuer = \"https://id.lab.example\"\njwks_push = \"process\"\n\
         [gates.tools]\nprofile = \"access_token\"\nissuers = [\"lab\"]\n\
         audience = \"https://api.example.com/mcp\"\ndelegation = \"surface\"\n",
    );
    let output = sealgate(&["verify", "-p", &policy], demo_token("chain"));
    assert_eq!(code(&output), 3, "no keys were published");
    assert!(
        text(&output).starts_with("undecided   keys_unavailable"),
        "{}",
        text(&output)
    );
}

#[test]
fn every_kind_of_the_demonstration_is_judged_as_its_row_says() {
    for (name, foretold) in [
        ("agent", "accepted"),
        ("chain", "accepted"),
        ("expired", "expired"),
        ("neighbour", "aud_mismatch"),
        ("flipped", "bad_signature"),
        ("withdrawn", "key_not_found"),
        ("bound", "pop_required"),
        ("none", "alg_not_allowed"),
        ("confused", "alg_not_allowed"),
        ("stranger", "iss_untrusted"),
        ("id-token", "typ_mismatch"),
        ("six", "chain_too_deep"),
        ("twice", "duplicate_member"),
        ("nested", "nesting_too_deep"),
    ] {
        let output = sealgate(&["verify", "--demo", "--json"], demo_token(name));
        let verdict: Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!(verdict["code"], foretold, "{name}");
        let explained = sealgate(&["explain", "--demo", "--json"], demo_token(name));
        let explained: Value = serde_json::from_str(&text(&explained)).unwrap();
        assert_eq!(explained["code"], foretold, "{name}");
        let refused = explained["stages"].as_array().unwrap().iter();
        let refused = refused
            .filter(|stage| stage["outcome"] == "refused")
            .count();
        assert_eq!(refused, usize::from(foretold != "accepted"), "{name}");
    }
}

#[test]
fn one_token_is_described_and_many_are_listed() {
    let described = text(&sealgate(&["verify", "--demo"], demo_token("chain")));
    for part in [
        "accepted   spiffe://",
        "  for  user-",
        "issuer   lab",
        "chain    ",
        "expires  in 5 min",
    ] {
        assert!(described.contains(part), "{part} in {described}");
    }
    let many = format!(
        "{}\r\n\n\"{}\"\n",
        demo_token("agent").trim(),
        demo_token("expired").trim()
    );
    let output = sealgate(&["verify", "--demo", "--json"], many);
    let rows: Vec<Value> = text(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(code(&output), 1);
    assert_eq!(
        (&rows[0]["line"], &rows[0]["ok"]),
        (&1.into(), &true.into())
    );
    assert_eq!(
        (&rows[1]["line"], &rows[1]["code"]),
        (&3.into(), &"expired".into())
    );
    assert_eq!(rows[1]["blame"], "rejected");
    assert_eq!(
        rows[0]["actor"]["sub"],
        "spiffe://example.com/agents/research/7"
    );
}

#[test]
fn a_hundred_thousand_tokens_stream_in_bounded_memory() {
    let folder = Folder::new("many");
    let good = demo_token("agent");
    // Each line differs, so nothing is saved by having seen it before.
    let (head, tail) = good.trim().split_at(good.len() - 20);
    let mut file = std::fs::File::create(folder.path("tokens.txt")).unwrap();
    for number in 0..100_000 {
        writeln!(file, "{head}{number:06}{}", &tail[6..]).unwrap();
    }
    drop(file);
    let output = sealgate(
        &[
            "verify",
            "--demo",
            "--summary",
            "--json",
            &folder.path("tokens.txt"),
        ],
        "",
    );
    let summary: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(summary["tokens"], 100_000);
    assert_eq!(
        summary["refused"],
        100_000 - summary["accepted"].as_u64().unwrap()
    );
    assert_eq!(code(&output), 1);
    let table = sealgate(
        &["verify", "--demo", "--summary", &folder.path("tokens.txt")],
        "",
    );
    let table = text(&table);
    assert!(table.contains("look closer    sed -n 1p"), "{table}");
    if let Some(peak) = table
        .split("   ")
        .find_map(|part| part.trim().strip_suffix(" MiB at most"))
    {
        // The input is 55 MiB: two chunks of it are held, and what is known of one.
        assert!(peak.parse::<usize>().unwrap() < 256, "{table}");
    }
}

#[test]
fn rubbish_is_refused_and_never_fatal() {
    let rubbish: Vec<Vec<u8>> = vec![
        b"\xff\xfe\x00\x01".to_vec(),
        vec![b'.'; 1_000_000],
        vec![b'a'; 1_000_000],
        b"{\"token\": 5}".to_vec(),
        b"\"unfinished".to_vec(),
        b"Bearer a.b.c".to_vec(),
    ];
    for input in rubbish {
        let output = sealgate(&["verify", "--demo", "--json"], &input);
        assert_eq!(code(&output), 1, "{}", complaint(&output));
        let verdict: Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!(verdict["blame"], "rejected");
        assert_eq!(code(&sealgate(&["inspect"], &input)), 1);
        assert_eq!(code(&sealgate(&["explain", "--demo"], &input)), 1);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let many = demo_token("agent").repeat(20_000);
    let mut child = Command::new(env!("CARGO_BIN_EXE_sealgate"))
        .args(["verify", "--demo"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || drop(stdin.write_all(many.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!((code(&output), complaint(&output)), (0, String::new()));
}

#[test]
fn inspect_says_loudly_that_it_verifies_nothing() {
    let output = text(&sealgate(&["inspect"], demo_token("expired")));
    assert!(output.starts_with("UNVERIFIED."), "{output}");
    let output = text(&sealgate(&["inspect", "--json"], demo_token("expired")));
    let json: Value = serde_json::from_str(&output).unwrap();
    assert!(json["sub"].is_null() && json["unverified"]["claims"]["sub"].is_string());
}

#[test]
fn a_policy_is_begun_checked_and_used_with_a_key_and_a_token_of_ones_own() {
    let folder = Folder::new("own");
    let private = folder.path("private.jwks.json");
    let made = sealgate(
        &[
            "jwks",
            "generate",
            "--alg",
            "ES256",
            "--kid",
            "k1",
            "--private",
            &private,
        ],
        "",
    );
    assert_eq!(code(&made), 0, "{}", complaint(&made));
    let public = folder.write("corp.jwks.json", &made.stdout);
    assert!(!text(&made).contains("\"d\":"));
    assert_eq!(code(&sealgate(&["jwks", "lint", &public], "")), 0);
    assert_eq!(
        code(&sealgate(&["jwks", "lint", &private], "")),
        1,
        "private keys are refused"
    );

    let mint = [
        "mint",
        "--key",
        &private,
        "--iss",
        "https://corp.example",
        "--sub",
        "u1",
        "--aud",
        "api",
        "--act",
        "agent-a",
        "--scope",
        "read",
    ];
    let token = text(&sealgate(&mint, ""));
    let sample = folder.write("token.txt", &token);
    let begun = sealgate(
        &[
            "policy",
            "init",
            "--issuer",
            "https://corp.example",
            "--audience",
            "api",
            "--jwks-file",
            &public,
            "--token",
            &sample,
        ],
        "",
    );
    assert_eq!(code(&begun), 0, "{}", complaint(&begun));
    let policy = folder.write("policy.toml", &begun.stdout);
    let checked = sealgate(&["policy", "check", &policy], "");
    assert_eq!(code(&checked), 0, "{}", text(&checked));
    assert!(
        text(&checked).contains("ok   version 1 · agent_strict · sha256:"),
        "{}",
        text(&checked)
    );
    let verdict = sealgate(&["verify", "-p", &policy, "--json"], &token);
    assert!(
        text(&verdict).contains("\"actor\":{\"iss\":\"https://corp.example\",\"sub\":\"agent-a\"}")
    );
    let without = sealgate(
        &[
            "verify",
            "--issuer",
            "https://corp.example",
            "--audience",
            "api",
            "--jwks-file",
            &public,
        ],
        &token,
    );
    assert_eq!(code(&without), 0, "{}", complaint(&without));
    let timed = sealgate(&["bench", "-p", &policy, "--json"], token.repeat(10));
    let timed: Value = serde_json::from_str(&text(&timed)).unwrap();
    assert_eq!(
        (&timed["accepted"], &timed["cold"]["tokens"]),
        (&10.into(), &10.into())
    );
    let later = sealgate(
        &["verify", "-p", &policy, "--now", "2099-01-01T00:00:00Z"],
        &token,
    );
    assert!(
        text(&later).starts_with("refused   expired"),
        "{}",
        text(&later)
    );
}

#[test]
fn a_broken_policy_is_refused_with_every_problem_and_its_place() {
    let folder = Folder::new("broken");
    let policy = folder.write(
        "broken.toml",
        "version = 1\nleeway = 30\n[issuers.a]\nissuer = \"http://a.example\"\njwks_push = \"process\"\n\
         [gates.g]\nprofile = \"access_token\"\naudiance = \"x\"\nissuers = [\"a\"]\n",
    );
    let output = sealgate(&["policy", "check", &policy], "");
    assert_eq!(code(&output), 2);
    let shown = text(&output);
    for part in [
        "2:10",
        "30 has no unit. Write \"30s\"",
        "must be https",
        "Did you mean \"audience\"?",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let json: Value = serde_json::from_str(&text(&sealgate(
        &["policy", "check", "--json", &policy],
        "",
    )))
    .unwrap();
    assert_eq!(json["code"], "policy_invalid");
}

#[test]
fn the_demonstration_holds_no_surprises_and_its_keys_open_no_other_policy() {
    let output = sealgate(&["demo", "--tokens", "2000", "--json"], "");
    let result: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(code(&output), 0, "{result}");
    assert_eq!(
        (&result["tokens"], &result["surprises"]),
        (&2000.into(), &0.into())
    );
    assert_eq!(result["rotation"]["publications"], 3);
    assert_eq!(result["rotation"]["withdrawn_let_in"], 0);
}

#[test]
fn schema_and_completions_print() {
    let schema = sealgate(&["policy", "schema"], "");
    let schema: Value = serde_json::from_str(&text(&schema)).unwrap();
    assert!(schema["properties"]["gates"].is_object());
    let completions = sealgate(&["completions", "bash"], "");
    assert!(text(&completions).contains("_sealgate"));
}
