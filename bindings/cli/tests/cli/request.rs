//! A token with what came with it: `--request`, `-H`, `--method`, `--uri`, `--certificate`.

use sealgate::crypto::SigningKey;
use sealgate::jwa::Algorithm;
use sealgate::mint::{ClaimsBuilder, DpopProof, DpopProver, Minter};
use sealgate::{Clock, Span};

use super::{Folder, code, complaint, sealgate, text};

const URL: &str = "https://api.example.com/mcp";

#[test]
fn a_proof_is_judged_with_the_token_it_came_with() {
    let folder = Folder::new("request");
    let key = SigningKey::generate(Algorithm::Es256)
        .unwrap()
        .with_kid("k");
    let jwk = key.public_jwk().unwrap().to_json();
    folder.write("keys.json", format!("{{\"keys\":[{jwk}]}}"));
    let policy = folder.write(
        "policy.toml",
        "version = 1\n[issuers.a]\nissuer = \"https://a.example\"\njwks_file = \"keys.json\"\n\
         algorithms = [\"ES256\"]\n[gates.tools]\nprofile = \"access_token\"\nissuers = [\"a\"]\n\
         audience = \"https://api.example.com/mcp\"\npublic_url = \"https://api.example.com\"\n\
         [dpop]\n[mtls]\n[replay]\nstore = \"process\"\n",
    );
    let prover = SigningKey::generate(Algorithm::Ed25519).unwrap();
    let (prover, now) = (DpopProver::new(prover).unwrap(), Clock::System.now());
    let claims = ClaimsBuilder::new()
        .issuer("https://a.example")
        .subject("u1")
        .client_id("agent-a")
        .audience([URL])
        .lifetime(now, Span::from_seconds(300))
        .jwt_id("j1")
        .bound_to(&prover.thumbprint());
    let token = Minter::new(key).with_typ("at+jwt").mint(&claims).unwrap();
    let proof = prover
        .prove(&DpopProof::new("POST", URL, now).for_token(&token))
        .unwrap();
    let (token, proof) = (folder.write("token", &token), format!("DPoP: {proof}"));
    let run = |command: &str, more: &[&str]| {
        sealgate(&[&[command, "-p", &policy, &token], more].concat(), "")
    };
    let request = ["-H", &proof, "--method", "POST", "--uri"];
    let to = |uri| [&request[..], &[uri]].concat();
    let good = run("verify", &to("/mcp?x=1"));
    assert_eq!(code(&good), 0, "{}", text(&good));
    assert!(text(&good).contains("yes, by DPoP"));
    let explained = run("explain", &to("/mcp"));
    assert_eq!(code(&explained), 0, "{}", text(&explained));
    assert!(text(&explained).contains("DPoP, one proof, for"));
    let by = |command: &str, tool: &str| {
        run(command, &[&to("/mcp")[..], &["--operation", tool]].concat())
    };
    assert_eq!(code(&by("verify", "tool=read")), 0);
    let explained = by("explain", "tool=read");
    assert!(
        text(&explained).contains("the operation is"),
        "{}",
        text(&explained)
    );
    for wrong in ["tool=", "tool", "args=x"] {
        assert_eq!(code(&by("verify", wrong)), 2, "{wrong}");
    }
    // The gate takes no further tokens.
    let further = format!("access_token={token}");
    assert_eq!(
        code(&run(
            "verify",
            &[&to("/mcp")[..], &["--with", &further]].concat()
        )),
        2
    );
    let elsewhere = run("verify", &[&to("/other")[..], &["--json"]].concat());
    assert_eq!(code(&elsewhere), 1);
    assert!(text(&elsewhere).contains("\"code\":\"pop_invalid\""));
    let elsewhere = run("explain", &to("/other"));
    let line = text(&elsewhere);
    let line: Vec<&str> = line.split_whitespace().collect();
    let line = line.join(" ");
    // Both sides stand in one finding; the rule's ID closes its first line.
    for half in [
        "htu is \"https://api.example.com/mcp\",",
        "expected \"https://api.example.com/other\"",
    ] {
        assert!(line.contains(half), "{line}");
    }
    // Without the proof it is a bearer token, and as one it is refused.
    let alone = run("verify", &["--method", "POST", "--uri", "/mcp"]);
    assert_eq!(code(&alone), 1);
    assert!(
        text(&alone).starts_with("refused   pop_required"),
        "{}",
        text(&alone)
    );
    let certificate = folder.write("client.der", [0x30, 0x00]);
    let other = [
        "--method",
        "GET",
        "--uri",
        "/",
        "--certificate",
        &certificate,
    ];
    assert_eq!(code(&run("verify", &other)), 1);
    for wrong in [
        &["-H", &proof][..],
        &["-H", "DPoP", "--method", "POST", "--uri", "/mcp"],
        &[
            "-H",
            "Authorization: Bearer a.b.c",
            "--method",
            "POST",
            "--uri",
            "/mcp",
        ],
        &[
            "-H",
            "@/nowhere/fields",
            "--method",
            "POST",
            "--uri",
            "/mcp",
        ],
        &[
            "--request",
            "/nowhere/request",
            "--method",
            "POST",
            "--uri",
            "/mcp",
        ],
        &["--method", "POST"],
        &["--method", "POST", "--uri", "/mcp", &token],
    ] {
        let refused = run("verify", wrong);
        assert_eq!(code(&refused), 2, "{wrong:?} {}", complaint(&refused));
    }
}
