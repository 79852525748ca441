//! The built binary as a person runs it: results, exit codes and what rubbish does to it.

mod chain;
mod known;
mod policy;
mod prove;
mod remote;
mod request;
mod revocations;
mod server;
#[path = "../../../../core/src/feed/tests/servers.rs"]
#[allow(
    dead_code,
    clippy::print_stderr,
    reason = "shared with tests that do more to servers"
)]
mod servers;
mod tls;

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

    /// Makes an issuer's keys, `public.json` here and the file that is returned.
    fn keys(&self) -> String {
        let private = self.path("private.json");
        let public = sealgate(&["jwks", "generate", "--private", &private], "").stdout;
        self.write("public.json", public);
        private
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
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealgate"));
    output(command.args(arguments), input)
}

fn output(command: &mut Command, input: impl AsRef<[u8]>) -> Output {
    let mut child = command
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
        ("circle", "chain_loop"),
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

/// So many different good tokens at the door of `sealgate mint`'s own key, and others in between.
#[test]
fn thousands_of_tokens_stream_in_bounded_memory_and_are_counted_exactly() {
    let folder = Folder::new("many");
    let private = folder.path("private.json");
    let public = sealgate(&["jwks", "generate", "--private", &private], "").stdout;
    let public = folder.write("public.json", public);
    let mint = |count: &str, more: &[&str]| {
        let arguments = [
            "mint",
            "--key",
            &private,
            "--iss",
            "https://corp.example",
            "--sub",
            "u1",
            "--aud",
            "api",
            "--now",
            "1800000000",
            "--count",
            count,
        ];
        let output = sealgate(&[&arguments[..], more].concat(), "");
        assert_eq!(code(&output), 0, "{}", complaint(&output));
        text(&output)
    };
    let good = mint("2000", &[]);
    let different: std::collections::BTreeSet<&str> = good.lines().collect();
    assert_eq!(different.len(), 2000);
    let late = mint("500", &["--lifetime", "1s"]);
    // The input is 60 MiB: rubbish that is read and refused, and among it what is accepted.
    let filler = format!("{}\n", "x".repeat(6000)).repeat(10_000);
    let tokens = folder.write("tokens.txt", format!("{good}{filler}{late}"));
    let rules = [
        "verify",
        "--issuer",
        "https://corp.example",
        "--audience",
        "api",
        "--jwks-file",
        &public,
        "--now",
        "1800000100",
        "--summary",
        &tokens,
    ];
    let output = sealgate(&[&rules[..], &["--json"]].concat(), "");
    let summary: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(code(&output), 1);
    assert_eq!(summary["tokens"], 12_500);
    assert_eq!(summary["accepted"], 2_000);
    assert_eq!(summary["refused"], 10_500);
    assert_eq!(
        summary["codes"],
        serde_json::json!({ "malformed_token": 10_000, "expired": 500 })
    );
    let table = text(&sealgate(&rules, ""));
    assert!(table.contains("look closer    sed -n 2001p"), "{table}");
    assert!(table.contains("--now 1800000100"), "{table}");
    if let Some(peak) = table
        .split("   ")
        .find_map(|part| part.trim().strip_suffix(" MiB at most"))
    {
        // Read ahead, two chunks, and what is known of one.
        assert!(peak.parse::<usize>().unwrap() < 128, "{table}");
    }
}

#[test]
fn the_number_of_threads_has_bounds() {
    for (threads, exit) in [("0", 2), ("257", 2), ("100000000", 2), ("2", 1)] {
        let output = sealgate(&["verify", "--demo", "--threads", threads], "x");
        assert_eq!(code(&output), exit, "{threads}");
    }
}

#[test]
fn a_summary_stands_beside_many_verdicts() {
    let many = format!("{}x\n", demo_token("agent"));
    let output = sealgate(&["verify", "--demo"], &many);
    assert_eq!(text(&output).lines().count(), 2);
    let said = complaint(&output);
    assert!(
        said.contains("refused") && said.contains("malformed_token 1"),
        "{said}"
    );
}

/// Each verdict is there before the next token is: `tail -f` shows what happens.
#[test]
fn a_verdict_does_not_wait_for_the_next_token() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sealgate"))
        .args(["verify", "--demo", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(stdout);
    for number in 1..=3 {
        writeln!(stdin, "x").unwrap();
        let verdict: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(verdict["line"], number);
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn text_of_other_encodings_is_read_or_told() {
    let marked = [b"\xef\xbb\xbf", demo_token("agent").as_bytes()].concat();
    assert_eq!(code(&sealgate(&["verify", "--demo"], marked)), 0);
    let wide: Vec<u8> = demo_token("agent")
        .bytes()
        .flat_map(|byte| [byte, 0])
        .collect();
    let output = sealgate(&["verify", "--demo"], [&b"\xff\xfe"[..], &wide].concat());
    assert_eq!(code(&output), 2);
    assert!(
        complaint(&output).contains("UTF-16"),
        "{}",
        complaint(&output)
    );
}

#[test]
fn rubbish_is_refused_and_never_fatal() {
    let good = demo_token("agent").trim().to_owned();
    let rubbish: Vec<Vec<u8>> = vec![
        b"\xff\xfd\x00\x01".to_vec(),
        b"{\"token\":\"a.b.c\",\"token\":\"a.b.c\"}".to_vec(),
        vec![b'.'; 1_000_000],
        vec![b'a'; 1_000_000],
        b"{\"token\": 5}".to_vec(),
        b"\"unfinished".to_vec(),
        b"Bearer a.b.c".to_vec(),
        // Behind so many blanks the rest of the line is cut off; what is left is a good token.
        [good.as_bytes(), &[b' '; 70_000], b"x"].concat(),
        [&[b' '; 70_000], good.as_bytes()].concat(),
    ];
    let near_miss = [good.as_bytes(), &[b' '; 1_000]].concat();
    assert_eq!(code(&sealgate(&["verify", "--demo"], near_miss)), 0);
    for input in rubbish {
        let output = sealgate(&["verify", "--demo", "--json"], &input);
        assert_eq!(code(&output), 1, "{}", complaint(&output));
        let verdict: Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!(verdict["blame"], "rejected");
        let is_json = input.starts_with(b"{") || input.starts_with(b"\"");
        assert_eq!(complaint(&output).contains("line 1: "), is_json);
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
    let output = sealgate(&["inspect", "--json"], "rubbish");
    let json: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(
        (code(&output), &json["code"]),
        (1, &"malformed_token".into())
    );
}

/// Scripts read these by name, and people by eye: the order is that of the documentation.
#[test]
fn verdicts_have_the_documented_members_in_order() {
    for (name, beginning) in [
        (
            "agent",
            r#"{"line":1,"ok":true,"code":"accepted","gate":"tools","profile":"access_token","issuer":"https://id.lab.example","issuer_name":"lab","subject":"user-7","actor":{"iss":"https://id.lab.example","sub":"spiffe://example.com/agents/research/7"},"chain":[{"iss""#,
        ),
        (
            "expired",
            r#"{"line":1,"ok":false,"code":"expired","blame":"rejected","gate":"tools","issuer_name":"lab","claim":"exp","reason":"the token has expired","expected":[],"hint":""#,
        ),
    ] {
        let verdict = text(&sealgate(&["verify", "--demo", "--json"], demo_token(name)));
        assert!(verdict.starts_with(beginning), "{verdict}");
    }
}

#[test]
fn what_a_person_reads_stays_within_eighty_columns() {
    let mut shown = Vec::new();
    for name in ["chain", "neighbour", "bound", "nested"] {
        for verb in ["verify", "explain"] {
            let output = text(&sealgate(&[verb, "--demo"], demo_token(name)));
            // The first line has a code and its reason, which are not broken.
            shown.extend(output.lines().skip(1).map(str::to_owned));
        }
    }
    shown.extend(
        text(&sealgate(&["demo", "--tokens", "400"], ""))
            .lines()
            .map(str::to_owned),
    );
    let folder = Folder::new("columns");
    let set = text(&sealgate(
        &["jwks", "generate", "--kid", &"k".repeat(40)],
        "",
    ));
    let private = folder.write("private.json", set);
    let set = text(&sealgate(&["jwks", "public", &private], ""));
    let set = folder.write("set.json", set);
    let long = "https://a-rather-long-name-of-an-audience.example.com/mcp";
    let rules = [
        "--issuer",
        "https://a.example",
        "--audience",
        long,
        "--jwks-file",
        &set,
    ];
    let policy = text(&sealgate(&[&["policy", "init"], &rules[..]].concat(), ""));
    let policy = folder.write("p.toml", policy);
    for command in [&["policy", "check", &policy][..], &["jwks", "lint", &set]] {
        let output = sealgate(command, "");
        assert_eq!(code(&output), 0, "{}", text(&output));
        // The first and the last line have a path in full.
        let lines = text(&output).replace(&*folder.path(""), "");
        shown.extend(lines.lines().map(str::to_owned));
    }
    let seen = text(&sealgate(&["inspect"], demo_token("chain")));
    shown.extend(seen.lines().map(str::to_owned));
    assert!(shown.len() > 50);
    for line in shown {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_key_set_that_a_policy_would_refuse_does_not_pass_the_linter() {
    let folder = Folder::new("lint");
    let private = folder.path("private.jwks.json");
    let generate = |kid: &str| {
        let _ = std::fs::remove_file(&private);
        let arguments = ["jwks", "generate", "--kid", kid, "--private", &private];
        let set: Value = serde_json::from_str(&text(&sealgate(&arguments, ""))).unwrap();
        set["keys"][0].clone()
    };
    let (one, two, other) = (generate("k1"), generate("k1"), generate("k2"));
    for (keys, exit) in [([&one, &other], 0), ([&one, &two], 1), ([&one, &one], 1)] {
        let set = folder.write("set.json", serde_json::json!({ "keys": keys }).to_string());
        let output = sealgate(&["jwks", "lint", &set], "");
        assert_eq!(code(&output), exit, "{}", text(&output));
        let arguments = [
            "verify",
            "--issuer",
            "https://a.example",
            "--audience",
            "b",
            "--jwks-file",
            &set,
        ];
        let loads = code(&sealgate(&arguments, "x")) != 2;
        assert_eq!(loads, exit == 0, "the linter says what the loader does");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&private).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "others cannot read it");
        let again = sealgate(&["jwks", "generate", "--private", &private], "");
        assert_eq!(code(&again), 2, "a key is never written over");
    }
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
    let published = include_bytes!("../../policy.schema.json");
    assert!(
        schema.stdout == published,
        "write it again: sealgate policy schema > bindings/cli/policy.schema.json"
    );
    let schema: Value = serde_json::from_str(&text(&schema)).unwrap();
    assert!(schema["properties"]["gates"].is_object());
    let completions = sealgate(&["completions", "bash"], "");
    assert!(text(&completions).contains("_sealgate"));
}

#[test]
fn nothing_secret_is_printed_as_if_it_were_public() {
    let folder = Folder::new("secret");
    for (alg, public) in [("HS256", 0), ("ES256", 1)] {
        let private = folder.path(&format!("{alg}.json"));
        let made = sealgate(
            &["jwks", "generate", "--alg", alg, "--private", &private],
            "",
        );
        assert_eq!(code(&made), 0, "{}", complaint(&made));
        let set: Value = serde_json::from_str(&text(&made)).unwrap();
        assert_eq!(set["keys"].as_array().unwrap().len(), public);
        let whole = std::fs::read_to_string(&private).unwrap();
        let secret: Value = serde_json::from_str(&whole).unwrap();
        let secret = &secret["keys"][0];
        let secret = secret["k"]
            .as_str()
            .or_else(|| secret["d"].as_str())
            .unwrap();
        let again = sealgate(&["jwks", "public", &private], "");
        assert_eq!(code(&again), if public == 0 { 2 } else { 0 });
        let piped = sealgate(&["jwks", "public", "-"], &whole);
        assert_eq!(text(&again), text(&piped));
        for output in [&made, &again] {
            assert!(!text(output).contains(secret) && !complaint(output).contains(secret));
        }
        assert_eq!(complaint(&made).contains("no public half"), public == 0);
    }
    let both = sealgate(&["jwks", "generate"], "");
    assert!(complaint(&both).contains("these are private keys"));
}

#[test]
fn several_files_are_judged_as_one_and_told_apart() {
    let folder = Folder::new("several");
    let good = folder.write("good.txt", demo_token("agent"));
    let bad = folder.write("bad.txt", format!("{}x\n", demo_token("agent")));
    let output = sealgate(&["verify", "--demo", "--json", &good, &bad], "");
    assert_eq!(code(&output), 1);
    let rows: Vec<Value> = text(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let place = |row: &Value| (row["file"].clone(), row["line"].clone());
    assert_eq!(place(&rows[0]), (good.as_str().into(), 1.into()));
    assert_eq!(place(&rows[2]), (bad.as_str().into(), 2.into()));
    let hint = &rows[2]["hint"];
    assert!(hint.as_str().is_some_and(|hint| !hint.is_empty()), "{hint}");
    let output = sealgate(&["verify", "--demo", "--summary", &good, &bad], "");
    let table = text(&output);
    assert!(table.contains(&format!("sed -n 2p {bad}")), "{table}");
    assert!(table.starts_with("2 files   3 tokens"), "{table}");
}

#[test]
fn a_measurement_of_nothing_but_refusals_says_so() {
    let output = sealgate(&["bench", "--demo"], "x\ny\n");
    assert_eq!(code(&output), 1);
    assert!(
        complaint(&output).contains("malformed_token 2"),
        "{}",
        complaint(&output)
    );
}

/// The hint names every option that the verdict hung on.
#[test]
fn looking_closer_finds_what_was_refused() {
    let folder = Folder::new("closer");
    let tokens = folder.write("tokens.txt", demo_token("agent").repeat(2));
    let verify = [
        "verify",
        "--demo",
        "--scope",
        "it's",
        "--scope",
        "c",
        "--summary",
        &tokens,
    ];
    let table = text(&sealgate(&verify, ""));
    let options = r"explain --demo --scope 'it'\''s' --scope c";
    assert!(table.contains(options), "{table}");
    let explain = ["explain", "--demo", "--scope", "c", "--json"];
    let explained = text(&sealgate(&explain, demo_token("agent")));
    let explained: Value = serde_json::from_str(&explained).unwrap();
    assert_eq!(explained["code"], "insufficient_scope", "{explained}");
    let verdict = |needs: &[&str]| {
        let call = [&["verify", "--demo"], needs].concat();
        text(&sealgate(&call, demo_token("agent")))
    };
    let scopes = verdict(&["--scope", "c", "--scope", "d"]);
    assert!(
        scopes.contains("\n  expected mcp:use and c and d\n"),
        "{scopes}"
    );
    let acr = verdict(&["--acr", "gold", "--acr", "silver"]);
    assert!(acr.contains("\n  expected gold or silver\n"), "{acr}");
    let explained = sealgate(&["explain", "--demo"], demo_token("agent"));
    assert_eq!(code(&explained), 0, "the near miss");
    let two = sealgate(
        &["explain", "--demo", "--scope", "a b"],
        demo_token("agent"),
    );
    assert_eq!(code(&two), 2, "{}", complaint(&two));
}

/// Each kind is minted under its own `typ`, with the claims it has, and opens a gate for it.
#[test]
fn tokens_of_other_kinds() {
    let folder = Folder::new("kinds");
    let private = folder.path("private.json");
    let made = sealgate(&["jwks", "generate", "--private", &private], "");
    folder.write("public.json", &made.stdout);
    let table = |name: &str, issuer: &str, gate: &str| {
        format!(
            "[issuers.{name}]\nissuer = \"{issuer}\"\njwks_file = \"public.json\"\n\
             algorithms = [\"ES256\"]\nprofiles = [\"{name}\"]\n\
             [gates.{name}]\nprofile = \"{name}\"\nissuers = [\"{name}\"]\n{gate}\n"
        )
    };
    let policy = "version = 1\n".to_owned()
        + &table("set", "https://a.example", "audience = \"r\"")
        + &table(
            "wit",
            "wimse://td.example",
            "sender_constrained = \"external\"",
        )
        + &table("agent_card", "weather", "");
    let policy = folder.write("policy.toml", policy);
    let mint = |more: &[&str]| {
        let base = ["mint", "--key", &private, "--now", "1800000000"];
        sealgate(&[&base[..], more].concat(), "")
    };
    let sub_id = "sub_id={\"format\":\"opaque\",\"id\":\"u1\"}";
    let event = "events={\"https://e.example/revoked\":{}}";
    let set = ["--kind", "set", "--iss", "https://a.example", "--aud", "r"];
    let set = [&set[..], &["--claim", sub_id, "--claim", event]].concat();
    let sub = "wimse://td.example/agent-a";
    let wit = ["--kind", "wit", "--sub", sub, "--holder", &private];
    let card = [
        "--kind",
        "agent_card",
        "--claim",
        "name=\"W\"",
        "--claim",
        "version=\"1\"",
    ];
    for (gate, options) in [("set", &set[..]), ("wit", &wit), ("agent_card", &card)] {
        let token = text(&mint(options));
        let verify = ["verify", "-p", &policy, "-g", gate, "--now", "1800000000"];
        let verdict = sealgate(&verify, &token);
        assert_eq!(code(&verdict), 0, "{}", text(&verdict));
    }
    let seen = text(&sealgate(&["inspect"], text(&mint(&set))));
    assert!(seen.contains("set, by its typ"), "{seen}");
    assert!(!seen.contains("whoever holds"), "{seen}");
    let sample = folder.write("set.txt", mint(&set).stdout);
    let begun = sealgate(&["policy", "init", "--token", &sample], "");
    assert!(
        complaint(&begun).contains("profiles = [\"set\"]"),
        "{}",
        complaint(&begun)
    );
    let less = mint(&["--kind", "set", "--iss", "https://a.example"]);
    assert_eq!(code(&less), 2);
    assert!(
        complaint(&less).contains("--aud: every set has it"),
        "{}",
        complaint(&less)
    );
}
