//! Proofs of possession in a policy (loader refusals 11 and 19 to 21), each beside a near miss.

use std::io::Write as _;

use super::refusals::{gate, loads, refuses};
use super::{MINIMAL, load};

const PUBLIC: &str = "public_url = \"https://api.example.com\"";
const REPLAY: &str = "[replay]\nstore = \"process\"";
const PROCESS: &str = "replay.store: reaches one process; N workers accept a proof N times";

/// The minimal document whose gate has a public URL and `lines`, with `tables` after it.
pub(super) fn document(lines: &str, tables: &str) -> String {
    format!("{MINIMAL}{PUBLIC}\n{lines}\n{tables}\n")
}

#[test]
fn a_gate_takes_the_proofs_that_the_document_speaks_of() {
    let takes = |lines: &str, tables: &str| {
        let policy = load(&document(lines, tables)).unwrap();
        let gate = &policy.rules().gates[0];
        let demands = policy.summary().gates[0].demands.clone();
        (gate.takes_dpop, gate.takes_mtls, demands[0].clone())
    };
    let (dpop, mtls) = (format!("[dpop]\n{REPLAY}"), "[mtls]");
    let both = format!("{mtls}\n{dpop}");
    let (required, external) = (
        "sender_constrained = \"required\"",
        "sender_constrained = \"external\"",
    );
    for (lines, tables, expected) in [
        ("", "", (false, false, "bound tokens refused")),
        ("", &dpop, (true, false, "DPoP if bound")),
        ("", mtls, (false, true, "mTLS if bound")),
        ("", &both, (true, true, "DPoP or mTLS if bound")),
        (required, &dpop, (true, false, "DPoP required")),
        (required, mtls, (false, true, "mTLS required")),
        (
            external,
            &both,
            (false, false, "possession proven elsewhere"),
        ),
    ] {
        let (dpop, mtls, demand) = takes(lines, tables);
        assert_eq!((dpop, mtls, demand.as_str()), expected, "{lines} {tables}");
    }
}

#[test]
fn defaults_are_those_of_the_reference() {
    let policy = load(&document("", &format!("[dpop]\n{REPLAY}"))).unwrap();
    let effective = policy.effective();
    assert_eq!(effective["dpop"]["max_age"], "60s");
    assert_eq!(effective["dpop"]["nonce"], "off");
    assert_eq!(
        effective["dpop"]["algorithms"].as_array().unwrap().len(),
        13
    );
    assert_eq!(effective["replay"]["on_unavailable"], "refuse");
    assert_eq!(effective.get("mtls"), None);
    let rules = &policy.rules().possession;
    let dpop = rules.dpop.as_ref().unwrap();
    assert_eq!((dpop.max_age.seconds(), dpop.nonce.is_none()), (60, true));
}

#[test]
fn refusal_11_nonce_secrets_are_long_enough_and_elsewhere() {
    let with = |secret: &str| {
        let dpop = format!("[dpop]\nnonce = \"required\"\nnonce_secret = {secret}");
        document("", &format!("{dpop}\n{REPLAY}"))
    };
    refuses(
        &with("{ env = \"SEALGATE_TEST_UNSET\" }"),
        &["15:16 dpop.nonce_secret: environment variable SEALGATE_TEST_UNSET is not set"],
    );
    refuses(
        &with("\"hunter2\""),
        &[
            "15:16 dpop.nonce_secret: a secret in the document. Write { env = \"NAME\" } or \
           { file = \"path\" }",
        ],
    );
    // Set wherever cargo runs tests, and short.
    let short = std::env::var("CARGO_PKG_VERSION_MAJOR").unwrap().len();
    refuses(
        &with("{ env = \"CARGO_PKG_VERSION_MAJOR\" }"),
        &[&format!(
            "15:16 dpop.nonce_secret: {short} bytes; at least 32"
        )],
    );
    loads(&with("{ env = \"PATH\" }"), &[PROCESS]);
    let audit = |secret: &str| document("", &format!("[audit]\nsecret = {secret}"));
    refuses(
        &audit("{ env = \"CARGO_PKG_VERSION_MAJOR\" }"),
        &[&format!("14:10 audit.secret: {short} bytes; at least 32")],
    );
    let none = "13:1 audit: no secret. What references to subjects are made with, at least 32 bytes, \
                the same wherever records are compared; one line break at its end is not part of it.";
    refuses(&document("", "[audit]"), &[none]);
    loads(&audit("{ env = \"PATH\" }"), &[]);
}

#[test]
fn refusal_19_somebody_remembers_used_proofs() {
    let forgotten = "13:1 replay: who remembers used proofs? Write store = \"process\", \"external\" \
                     or a store of [stores] under [replay]";
    refuses(&document("", "[dpop]"), &[forgotten]);
    refuses(
        &document("sender_constrained = \"required\"", "[dpop]"),
        &[forgotten],
    );
    refuses(
        &document("sender_constrained = \"required\"", ""),
        &[
            "12:22 gates.tools.sender_constrained: \"required\", and no proof is taken here. Add \
           [dpop] or [mtls]",
        ],
    );
    refuses(
        &document("", "[dpop]\n[replay]\nstore = \"fleet\""),
        &["15:9 replay.store: no [stores.fleet]"],
    );
    let stored = |store: &str| {
        let replay = format!("[replay]\nstore = \"local\"\n[stores.local]\n{store}");
        document("", &format!("[dpop]\n{replay}"))
    };
    // One that processes share: nothing to warn of, and it is used.
    loads(&stored("kind = \"file\"\npath = \"shared\""), &[]);
    refuses(
        &document("", "[dpop]\n[replay]"),
        &[
            "14:1 replay: no store. Who remembers used proofs: this process, the program, or a store \
           of `[stores]`.",
        ],
    );
    loads(&document("", &format!("[dpop]\n{REPLAY}")), &[PROCESS]);
    // A certificate is not used up.
    loads(
        &document("sender_constrained = \"required\"", "[mtls]"),
        &[],
    );
}

#[test]
fn refusal_20_a_proof_names_a_url() {
    refuses(
        &gate(&format!("[dpop]\n{REPLAY}")),
        &["7:1 gates.tools.public_url: needed for htu; the Host header is the caller's"],
    );
    // Somebody else compares it.
    loads(
        &gate(&format!(
            "sender_constrained = \"external\"\n[dpop]\n{REPLAY}"
        )),
        &[
            "gates.tools.sender_constrained: somebody else must check the proof",
            "dpop: no gate takes proofs",
            PROCESS,
        ],
    );
}

#[test]
fn refusal_21_proofs_are_young_and_nonces_shared() {
    refuses(
        &document("", &format!("[dpop]\nnonce = \"required\"\n{REPLAY}")),
        &["14:9 dpop.nonce_secret: needed when nonce = \"required\""],
    );
    refuses(
        &document("", &format!("[dpop]\nmax_age = \"301s\"\n{REPLAY}")),
        &["14:11 dpop.max_age: at most \"300s\""],
    );
    refuses(
        &document("", &format!("[dpop]\nmax_age = \"0s\"\n{REPLAY}")),
        &["14:11 dpop.max_age: \"0s\" leaves no time for a proof to arrive"],
    );
    loads(
        &document("", &format!("[dpop]\nmax_age = \"5m\"\n{REPLAY}")),
        &[PROCESS],
    );
}

#[test]
fn the_algorithms_of_proofs_are_asymmetric() {
    refuses(
        &document(
            "",
            &format!("[dpop]\nalgorithms = [\"HS256\", \"EdDSA\", \"none\"]\n{REPLAY}"),
        ),
        &[
            "14:15 dpop.algorithms[0]: HS256 proves nothing: two hold its key",
            "14:24 dpop.algorithms[1]: \"EdDSA\" names no curve. Write \"Ed25519\"; legacy_eddsa \
           says whether tokens may say EdDSA",
            "14:33 dpop.algorithms[2]: \"none\" is no signature, and there is no switch for it",
        ],
    );
    refuses(
        &document("", &format!("[dpop]\nalgorithms = []\n{REPLAY}")),
        &["14:14 dpop.algorithms: empty: name at least one"],
    );
    loads(
        &document("", &format!("[dpop]\nalgorithms = [\"ES256\"]\n{REPLAY}")),
        &[PROCESS],
    );
}

#[test]
fn what_nothing_uses_deserves_a_look() {
    loads(
        &gate("[replay]\nstore = \"external\""),
        &[
            "replay: no proof is taken, so none is remembered",
            "replay.store: the program must remember used proofs: prepare, then commit",
        ],
    );
    loads(
        &document(
            "",
            &format!("[dpop]\nnonce_secret = {{ env = \"X\" }}\n{REPLAY}"),
        ),
        &[
            "dpop.nonce_secret: nonce is \"off\": nothing is made with it",
            PROCESS,
        ],
    );
}

fn shown(problems: &[crate::policy::Problem]) -> String {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    texts.join("\n")
}

/// A gate for this kind with `lines`, and `tables` after it.
fn of_kind(kind: &str, lines: &str, tables: &str) -> String {
    let issuer = if kind == "wit" {
        "wimse://td.example"
    } else {
        "https://td.example"
    };
    format!(
        "version = 1\n[issuers.td]\nissuer = {issuer:?}\njwks_push = \"process\"\nprofiles = [{kind:?}]\n\
         [gates.g]\nprofile = {kind:?}\nissuers = [\"td\"]\n{lines}\n{tables}\n"
    )
}

#[test]
fn a_kind_with_proofs_of_its_own_needs_what_judges_and_remembers_them() {
    for kind in ["wit", "client_attestation"] {
        let policy = load(&of_kind(kind, PUBLIC, REPLAY)).unwrap();
        assert!(policy.rules().gates[0].takes_own_proof);
        assert_eq!(policy.summary().gates[0].demands[0], "own proof required");
        let texts = |policy: &crate::policy::Policy| -> Vec<String> {
            policy.warnings().iter().map(ToString::to_string).collect()
        };
        assert_eq!(texts(&policy).last().unwrap(), PROCESS);
        assert!(!texts(&policy).concat().contains("no token opens the gate"));
        let forgotten = load(&of_kind(kind, PUBLIC, "")).unwrap_err();
        assert!(shown(&forgotten).contains("who remembers used proofs?"));
        let unreachable = load(&of_kind(kind, "", "")).unwrap();
        assert!(!unreachable.rules().gates[0].takes_own_proof);
        assert!(
            texts(&unreachable)
                .concat()
                .contains("no token opens the gate")
        );
        let external = "sender_constrained = \"external\"";
        let external = load(&of_kind(kind, external, "")).unwrap();
        assert!(!external.rules().gates[0].takes_own_proof);
    }
}

#[test]
fn the_identity_of_a_caller_comes_beside_a_token_and_is_used_once() {
    let caller = "context = { wit = \"required\" }";
    let with = |lines: &str, tables: &str| {
        let td = "[issuers.td]\nissuer = \"wimse://td.example\"\njwks_push = \"process\"\n\
                  profiles = [\"wit\"]";
        load(&format!("{MINIMAL}{lines}\n{td}\n{tables}\n"))
    };
    let lines = format!("{PUBLIC}\n{caller}");
    assert!(with(&lines, REPLAY).is_ok());
    for (lines, tables, text) in [
        (caller, REPLAY, "needs public_url"),
        (&lines, "", "who remembers used proofs?"),
        (
            &lines,
            "[replay]\nstore = \"external\"",
            "not yet with context.wit",
        ),
    ] {
        let problems = shown(&with(lines, tables).unwrap_err());
        assert!(problems.contains(text), "{problems}");
    }
    let beside = of_kind("wit", &lines, REPLAY);
    let problems = shown(&load(&beside).unwrap_err());
    assert!(problems.contains("only beside tokens"), "{problems}");
}

/// Without a warning: what a whole fleet remembers is used once.
#[cfg(all(unix, feature = "feed-nats"))]
#[test]
fn used_proofs_may_be_in_the_store_of_a_fleet() {
    use std::os::unix::fs::OpenOptionsExt;
    let name = format!("sealgate-{}-replay-url", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut private = std::fs::OpenOptions::new();
    let private = private.create(true).write(true).mode(0o600).open(&path);
    private.unwrap().write_all(b"nats://127.0.0.1").unwrap();
    let store = format!("[stores.fleet]\nkind = \"nats\"\nurl = {{ file = {path:?} }}");
    let outcome = load(&document(
        "",
        &format!("[dpop]\n[replay]\nstore = \"fleet\"\n{store}"),
    ));
    std::fs::remove_file(&path).unwrap();
    let policy = outcome.unwrap();
    let mut warnings = policy.warnings().iter();
    assert!(!warnings.any(|warning| warning.path == "replay.store"));
}
