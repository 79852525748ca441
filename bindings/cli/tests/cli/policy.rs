//! `sealgate policy`: begun from a key and a token, checked, used, and refused with every problem.

use serde_json::Value;

use super::{Folder, code, complaint, sealgate, text};

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
    let piped = sealgate(&["policy", "check", "-", "--to", "json"], &begun.stdout);
    assert_eq!(code(&piped), 0, "{}", text(&piped));
    let meaning = text(&sealgate(&["policy", "check", "--json", &policy], ""));
    let meaning: Value = serde_json::from_str(&meaning).unwrap();
    let gate = &meaning["gates"][0];
    assert_eq!(
        (&gate["name"], &gate["issuers"][0]["algorithms"]),
        (&"tools".into(), &serde_json::json!(["ES256"]))
    );
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
    // A token that comes again is not new, so it is timed once.
    let timed = sealgate(
        &["bench", "-p", &policy, "--json"],
        format!("{}rubbish\n", token.repeat(10)),
    );
    let timed: Value = serde_json::from_str(&text(&timed)).unwrap();
    assert_eq!(
        (&timed["accepted"], &timed["tokens"]),
        (&1.into(), &2.into())
    );
    let (good, bad) = (&timed["rows"][0], &timed["rows"][1]);
    assert_eq!(
        (&good["alg"], &good["tokens"]),
        (&"ES256".into(), &1.into())
    );
    assert!(good["own_us"].is_f64() && good["seen_before_per_second"].is_f64());
    assert_eq!(
        (&bad["alg"], &bad["accepted"]),
        (&Value::Null, &false.into())
    );
    let with = |more: &[&str]| text(&sealgate(&[&mint[..], more].concat(), ""));
    let judged =
        |token: String, now: &str| text(&sealgate(&["verify", "-p", &policy, "--now", now], token));
    let dated = with(&["--now", "2027-01-15T08:00:00Z", "--lifetime", "1m"]);
    assert!(judged(dated.clone(), "1800000059").starts_with("accepted"));
    assert!(judged(dated, "1800000100").starts_with("refused   expired"));
    let early = with(&["--now", "1800000000", "--nbf", "1800000200"]);
    assert!(judged(early, "1800000000").starts_with("refused   not_yet_valid"));
    let bound = with(&[
        "--now",
        "1800000000",
        "--jkt",
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
    ]);
    assert!(judged(bound, "1800000000").starts_with("refused   pop_required"));
    for (wrong, part) in [
        (["--claim", "act={}"], "use --act"),
        (["--claim", "sub=\"admin\""], "use --sub"),
        (["--claim", "no-value"], "name=JSON"),
        (["--claim", "x=text"], "not JSON"),
        (["--act", ""], "--act"),
        (["--act", "iss,"], "--act"),
        (["--typ", ""], "--typ"),
        (["--jkt", "short"], "43 characters"),
    ] {
        let refused = sealgate(&[&mint[..], &wrong].concat(), "");
        assert_eq!(code(&refused), 2, "{wrong:?}");
        let said = complaint(&refused);
        assert!(said.contains(part), "{part} in {said}");
    }
    let twice = ["--claim", "x=1", "--claim", "x=2"];
    assert_eq!(code(&sealgate(&[&mint[..], &twice].concat(), "")), 2);
    let with_public = mint.map(|argument| {
        if argument == private {
            &*public
        } else {
            argument
        }
    });
    let refused = sealgate(&with_public, "");
    assert!(
        complaint(&refused).contains("a public key"),
        "{}",
        complaint(&refused)
    );
    let rare = [
        "--json",
        "--count",
        "2",
        "--claim",
        "nonce=\"n\"",
        "--claim",
        "azp=\"a\"",
        "--claim",
        "events={}",
    ];
    let rare = with(&rare);
    for line in rare.lines() {
        let token: Value = serde_json::from_str(line).unwrap();
        let seen = sealgate(&["inspect", "--json"], token["token"].as_str().unwrap());
        let claims: Value = serde_json::from_str(&text(&seen)).unwrap();
        let claims = &claims["unverified"]["claims"];
        assert_eq!(
            (&claims["nonce"], &claims["azp"]),
            (&"n".into(), &"a".into())
        );
        assert!(claims["events"].is_object());
    }
    for never in ["-5", "253402300800"] {
        let output = sealgate(&["verify", "-p", &policy, "--now", never], &token);
        assert_eq!(code(&output), 2, "{never}");
    }
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
