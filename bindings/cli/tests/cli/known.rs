//! `--nonce`, `--access-token`, `--code`, `--client-id` and `--acr`.

use super::{Folder, code, complaint, sealgate, text};

const AT: &str = "1800000000";

/// What the caller knows of a token is asked of it.
#[test]
fn a_token_is_of_what_the_caller_knows() {
    let folder = Folder::new("known");
    let private = folder.keys();
    let policy = folder.write(
        "policy.toml",
        "version = 1\n[issuers.corp]\nissuer = \"https://corp.example\"\nalgorithms = [\"ES256\"]\n\
         jwks_file = \"public.json\"\nprofiles = [\"id_token\"]\n[gates.sign_in]\nprofile = \"id_token\"\n\
         audience = \"client\"\nissuers = [\"corp\"]\n",
    );
    // The examples of OpenID Connect Core A.3 and A.4, whose tokens are signed with SHA-256.
    let (access, code_) = (
        "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk",
    );
    let access = folder.write("access.txt", access);
    let minted = sealgate(
        &[
            "mint",
            "--key",
            &private,
            "--kind",
            "id_token",
            "--iss",
            "https://corp.example",
            "--sub",
            "u1",
            "--aud",
            "client",
            "--now",
            AT,
            "--claim",
            "nonce=\"n1\"",
            "--claim",
            "acr=\"mfa\"",
            "--claim",
            "at_hash=\"77QmUPtjPfzWtF2AnpK9RQ\"",
            "--claim",
            "c_hash=\"LDktKdoQak3Pk0cnXxCltA\"",
        ],
        "",
    );
    assert_eq!(code(&minted), 0, "{}", complaint(&minted));
    let token = folder.write("token.txt", text(&minted));
    let all = [
        "--nonce",
        "n1",
        "--acr",
        "hw",
        "--acr",
        "mfa",
        "--access-token",
        &access,
        "--code",
        code_,
    ];
    let other = folder.write("other.txt", "another");
    for command in ["verify", "explain"] {
        let judged = |known: &[&str]| {
            let own = [command, "-p", &policy, "--now", AT, &token];
            let output = sealgate(&[&own[..], known].concat(), "");
            (code(&output), text(&output) + &complaint(&output))
        };
        let (exit, said) = judged(&all);
        assert_eq!(exit, 0, "{said}");
        for (known, refusal) in [
            (["--nonce", "n2"], "pop_mismatch"),
            (["--access-token", &other], "pop_mismatch"),
            (["--code", "c"], "pop_mismatch"),
            (["--client-id", "client"], "missing_claim"),
            (["--acr", "hw"], "insufficient_user_authentication"),
        ] {
            let (exit, said) = judged(&known);
            assert!(exit == 1 && said.contains(refusal), "{known:?} {said}");
        }
        assert_eq!(judged(&["--access-token", "nowhere.txt"]).0, 2);
    }
}
