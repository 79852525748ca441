//! The delegation catalogue (standards, Appendix A) and the minimal claim sets (Appendix B): every
//! case has the lines that are it, with the answer it must get.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sealgate_tests::generate::{self, KINDS};
use serde_json::Value;

/// The answer of a line: a code, or `"accepted"`.
const OK: &str = "accepted";

/// A case, the file in `tests/vectors/delegation` (or beside it), and its lines with their answers.
type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const ACT: &str = "delegation/act.jsonl";
const RULES: &str = "delegation/rules.jsonl";
const CHAINS: &str = "delegation/chains.jsonl";
const OFFLINE: &str = "delegation/offline.jsonl";
const EDGES: &str = "delegation/edges.jsonl";
const TASKS: &str = "delegation/tasks.jsonl";
const OPERATIONS: &str = "delegation/operations.jsonl";
const CATALOGUE: &str = "delegation/catalogue.jsonl";
const TRANSACTIONS: &str = "transactions.jsonl";
const PROOFS: &str = "proofs.jsonl";

/// In the order of the catalogue; a case may have lines in several files.
const CASES: &[Case] = &[
    ("D01", RULES, &[("d01-allowed", OK)]),
    ("D02", RULES, &[("d02-only-the-outermost-counts", OK)]),
    (
        "D03",
        RULES,
        &[("d03-an-inner-actor-grants-nothing", "actor_not_allowed")],
    ),
    ("D04", RULES, &[("d04-another-history", OK)]),
    (
        "D05",
        RULES,
        &[("d05-namesake-of-another-issuer", "actor_not_allowed")],
    ),
    (
        "D06",
        ACT,
        &[("d06-required", "actor_malformed"), ("d06-inherited", OK)],
    ),
    (
        "D06",
        RULES,
        &[("d06-inherited-where-explicit", "actor_not_allowed")],
    ),
    (
        "D07",
        ACT,
        &[
            ("d07-malformed-0", "actor_malformed"), // null
            ("d07-malformed-1", "actor_malformed"), // []
            ("d07-malformed-2", "actor_malformed"), // "a"
            ("d07-malformed-3", "actor_malformed"), // {}
            ("d07-malformed-4", "actor_malformed"), // {"sub":""}
            ("d07-malformed-5", "actor_malformed"), // {"sub":1}
        ],
    ),
    ("D08", ACT, &[("d08-other-members", OK)]),
    (
        "D09",
        CATALOGUE,
        &[("d09-by-the-key-of-the-actor", "pop_mismatch")],
    ),
    // Ten thousand links are more bytes than a token may have; a hundred are too deep already.
    (
        "D10",
        ACT,
        &[
            ("d10-five", OK),
            ("d10-six", "chain_too_deep"),
            ("d10-a-hundred", "nesting_too_deep"),
        ],
    ),
    (
        "D11",
        RULES,
        &[
            ("d11-deny_any-agent-a-agent-b-agent-a", "chain_loop"),
            ("d11-deny_adjacent-agent-a-agent-b-agent-a", OK),
            ("d11-allow-agent-a-agent-b-agent-a", OK),
        ],
    ),
    (
        "D12",
        RULES,
        &[("d11-deny_adjacent-agent-a-agent-a", "chain_loop")],
    ),
    ("D13", ACT, &[("d13-itself", OK)]),
    ("D14", ACT, &[("d14-subject", "chain_loop")]),
    (
        "D15",
        RULES,
        &[("d15-client-id-is-no-actor", "actor_missing")],
    ),
    (
        "D16",
        RULES,
        &[("d16-may-act-is-no-actor", "actor_missing")],
    ),
    (
        "D17",
        PROOFS,
        &[
            ("caller/is-the-actor", OK),
            ("caller/is-another", "actor_presenter_mismatch"),
        ],
    ),
    ("D18", CATALOGUE, &[("d18-an-inner-actor", "revoked")]),
    (
        "D19",
        CATALOGUE,
        &[("d19-an-inner-actor-that-is-left-out", OK)],
    ),
    (
        "D20",
        CATALOGUE,
        &[
            ("d20-issued-at-the-cutoff", "revoked"),
            ("d20-issued-after-the-cutoff", OK),
        ],
    ),
    ("D21", RULES, &[("d21-incomplete-0", "chain_incomplete")]),
    ("P01", CHAINS, &[("p01-fewer-scopes", OK)]),
    ("P02", CHAINS, &[("p02-one-more", "attenuation_scope")]),
    ("P03", CHAINS, &[("p03-unknown-here", "attenuation_scope")]),
    (
        "P04",
        CHAINS,
        &[
            ("p04-the-same-end", OK),
            ("p04-a-second-longer", "attenuation_time"),
        ],
    ),
    (
        "P05",
        CHAINS,
        &[("p05-for-another-0", "attenuation_audience")],
    ),
    ("P06", CHAINS, &[("p06-one-actor-more", OK)]),
    (
        "P07",
        CHAINS,
        &[("p07-history-dropped", "chain_link_broken")],
    ),
    (
        "P08",
        CHAINS,
        &[("p08-another-history", "chain_link_broken")],
    ),
    ("P09", CHAINS, &[("p09-another-subject", "subject_changed")]),
    ("P10", CHAINS, &[("p10-expired-since", OK)]),
    ("P10", OFFLINE, &[("p10-parent-expired", "expired")]),
    ("P11", CATALOGUE, &[("p11-the-parent", "revoked")]),
    ("P12", CATALOGUE, &[("p12-outlives-the-access-token", OK)]),
    (
        "P13",
        CATALOGUE,
        &[
            ("p13-another-transaction", "txn_mismatch"),
            ("p13-wider", "attenuation_scope"),
            ("p13-ends-later", OK),
        ],
    ),
    (
        "P14",
        CHAINS,
        &[
            ("id_jag/p14-an-hour-for-five-minutes", OK),
            ("jwt_bearer_grant/p14-an-hour-for-five-minutes", OK),
        ],
    ),
    (
        "P15",
        CHAINS,
        &[("id_jag/p15-another-client", "chain_link_broken")],
    ),
    (
        "P16",
        OFFLINE,
        &[("s3-p16-under-the-broader", "chain_link_broken")],
    ),
    (
        "P17",
        OFFLINE,
        &[("p17-middle-missing", "chain_link_broken")],
    ),
    ("P18", OFFLINE, &[("p18-jti-of-the-root", "chain_loop")]),
    (
        "P19",
        OFFLINE,
        &[
            ("p19-depth-skipped", "chain_too_deep"),
            ("p19-most-raised", "attenuation_details"),
        ],
    ),
    (
        "P20",
        OFFLINE,
        &[("p20-argument-added", "attenuation_details")],
    ),
    ("P21", OFFLINE, &[("p21-free-argument-bound", OK)]),
    (
        "P22",
        OFFLINE,
        &[
            ("p22-end-excluded", OK),
            ("p22-end-included", "attenuation_details"),
        ],
    ),
    ("P23", OFFLINE, &[("p23-all-by-backtracking", OK)]),
    (
        "P24",
        CHAINS,
        &[("p24-locations-dropped", "attenuation_details")],
    ),
    (
        "P25",
        CHAINS,
        &[("p25-of-two-entries", "attenuation_details")],
    ),
    (
        "P26",
        EDGES,
        &[
            ("p26-mission-the-same-amount", OK),
            ("p26-mission-more", "attenuation_details"),
            ("p26-mission-with-an-exponent", "attenuation_details"),
        ],
    ),
    (
        "P27",
        CHAINS,
        &[("p27-below", OK), ("p27-beside", "attenuation_details")],
    ),
    (
        "P28",
        CHAINS,
        &[
            ("p28-below", OK),
            ("p28-beside-0", "attenuation_details"),
            ("p28-encoded", OK),
        ],
    ),
    (
        "C01",
        TRANSACTIONS,
        &[("c01-of-two-transactions", "txn_mismatch")],
    ),
    (
        "C02",
        TASKS,
        &[("c02-namesake-of-another-issuer", "intent_mismatch")],
    ),
    ("C03", TASKS, &[("c03-none", "intent_mismatch")]),
    ("C04", TRANSACTIONS, &[("c04-uncovered", "pop_invalid")]),
    (
        "C05",
        OPERATIONS,
        &[("c05-a-tool-of-the-token-alone", "operation_denied")],
    ),
    (
        "C06",
        CATALOGUE,
        &[("c06-the-very-token", "token_passthrough")],
    ),
    (
        "C07",
        CATALOGUE,
        &[("c07-for-another", "attenuation_audience")],
    ),
    ("C08", TASKS, &[("c08-of-different-kinds", OK)]),
    ("C09", TRANSACTIONS, &[("c09-of-two-namespaces", OK)]),
    // What the catalogue calls `require_lineage` is `min_lineage`, and a chain that has less than
    // that is broken, whether or not a token was revoked that nobody showed.
    (
        "R01",
        CATALOGUE,
        &[
            ("r01-the-leaf-alone", OK),
            ("r01-lineage-required", "chain_link_broken"),
        ],
    ),
    (
        "R02",
        CATALOGUE,
        &[("r02-with-the-parent-there", "revoked")],
    ),
    (
        "R03",
        CATALOGUE,
        &[
            ("r03-of-a-transaction", "revoked"),
            ("r03-of-an-intent", "revoked"),
        ],
    ),
    (
        "R04",
        CATALOGUE,
        &[("r04-the-key-of-the-middle", "revoked")],
    ),
    (
        "R05",
        CATALOGUE,
        &[("r05-the-same-jti-of-another-issuer", OK)],
    ),
    (
        "R06",
        CATALOGUE,
        &[("r06-issued-nobody-knows-when", "revoked")],
    ),
    ("R07", CATALOGUE, &[("r07-remembered", "revoked")]),
    (
        "R08",
        "events.jsonl",
        &[("order/disabled-before", OK), ("order/still-open", OK)],
    ),
    (
        "R09",
        CATALOGUE,
        &[
            ("r09-laundered-behind-another", "revoked"),
            ("r09-a-day-later", OK),
        ],
    ),
    (
        "R10",
        CATALOGUE,
        &[("r10-signed-in-before-it-ended", "revoked")],
    ),
    ("X01", CATALOGUE, &[("x01-again", "replayed")]),
    (
        "X02",
        CATALOGUE,
        &[
            ("x02-an-invalid-proof-first", "pop_invalid"),
            ("x02-then-the-good-one", OK),
        ],
    ),
    (
        "X03",
        CATALOGUE,
        &[
            ("x03-nobody-to-ask", "status_unavailable"),
            ("x03-not-asked-for", OK),
        ],
    ),
    ("S1", CHAINS, &[("s1-another-session", "subject_changed")]),
    (
        "S2",
        CHAINS,
        &[("s2-history-of-another-parent", "chain_link_broken")],
    ),
    (
        "S3",
        OFFLINE,
        &[("s3-p16-under-the-broader", "chain_link_broken")],
    ),
    (
        "S4",
        CHAINS,
        &[("s4-exchanged-by-another", "attenuation_audience")],
    ),
    ("S5", CHAINS, &[("s5-another-transaction", "txn_mismatch")]),
    ("S6", TASKS, &[("s6-another-mission", "intent_mismatch")]),
    (
        "S7",
        CHAINS,
        &[("s7-a-wider-one-of-the-same-actor", "attenuation_scope")],
    ),
];

/// Cases that no line can be, or not alone, and the test in the core's sources that is.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    // Threads at once.
    (
        "X01",
        "verifier/tests/requests.rs",
        "sixty_four_threads_with_one_proof_give_one_accept",
    ),
];

/// The cases there are.
fn catalogue() -> BTreeSet<String> {
    let rows = [("D", 21), ("P", 28), ("C", 9), ("R", 10), ("X", 3)];
    let numbered = rows
        .into_iter()
        .flat_map(|(letter, last)| (1..=last).map(move |number| format!("{letter}{number:02}")));
    let splices = (1..=7).map(|number| format!("S{number}"));
    numbered.chain(splices).collect()
}

/// The answers that the lines of a file expect, by their `id`.
fn answers(name: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(generate::folder().join(name));
    let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
    let answer = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let code = line["expect"]["code"].as_str().unwrap_or(OK);
        (line["id"].as_str().unwrap().to_owned(), code.to_owned())
    };
    text.lines().map(answer).collect()
}

#[test]
fn every_case_of_the_catalogue_has_its_lines() {
    let mut files = BTreeMap::new();
    for (case, file, lines) in CASES {
        let answers = files.entry(*file).or_insert_with(|| answers(file));
        for (id, expected) in *lines {
            let given = answers.get(*id).map(String::as_str);
            assert_eq!(given, Some(*expected), "{case}: {file}: {id}");
        }
    }
    let listed = CASES.iter().map(|(case, ..)| (*case).to_owned());
    assert_eq!(listed.collect::<BTreeSet<String>>(), catalogue());
}

#[test]
fn what_no_line_can_be_has_a_test() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    for (case, file, name) in ELSEWHERE {
        let text = fs::read_to_string(sources.join(file)).unwrap();
        assert!(text.contains(&format!("\nfn {name}()")), "{case}: {name}");
        assert!(catalogue().contains(*case), "{case}");
    }
}

/// Rows of Appendix B that are no row of the profile table, and the line that has their claims.
const PROOF_SETS: &[(&str, &str, &str)] = &[
    ("delegated", RULES, "d02-only-the-outermost-counts"),
    ("dpop_proof", "possession.jsonl", "proof/ES256"),
    ("txn_agent", "kinds.jsonl", "txn_token/with-its-issuer"),
    ("wpt", PROOFS, "wit/good"),
    ("pop", PROOFS, "client_attestation/good"),
    ("child", OFFLINE, "two"),
    ("mission", TASKS, "s6-one-mission"),
];

/// The rows of Appendix B that are.
const PROFILE_SETS: &[&str] = &[
    "access_token",
    "id_token",
    "logout_token",
    "client_assertion",
    "id_jag",
    "txn_token",
    "wit",
    "jwt_svid",
    "client_attestation",
    "set",
    "status_list_token",
    "introspection_response",
    "capability",
];

#[test]
fn every_minimal_claim_set_is_accepted_and_has_its_negative_family() {
    let profiles = answers("profiles.jsonl");
    for profile in PROFILE_SETS {
        let kind = KINDS.iter().find(|kind| kind.profile == *profile);
        let kind = kind.unwrap_or_else(|| panic!("no row {profile}"));
        let of = |name: &str| {
            profiles
                .get(&format!("{profile}/{name}"))
                .map(String::as_str)
        };
        let refused = |prefix: &str, code: &str| {
            let prefix = format!("{profile}/{prefix}");
            let mut lines = profiles.iter();
            lines.any(|(id, given)| id.starts_with(&prefix) && given == code)
        };
        assert_eq!(of("good"), Some(OK), "{profile}");
        for claim in kind.required {
            assert_eq!(
                of(&format!("without-{claim}")),
                Some("missing_claim"),
                "{profile} {claim}"
            );
        }
        for (claim, _) in kind.forbidden {
            assert_eq!(
                of(&format!("with-{claim}")),
                Some("forbidden_claim"),
                "{profile} {claim}"
            );
        }
        for claim in kind.claims().as_object().unwrap().keys() {
            let wrong = format!("{claim}-of-wrong-type-");
            let code = match claim.as_str() {
                "authorization_details" => "malformed_token", // RAR-01
                _ => "claim_type",
            };
            assert!(refused(&wrong, code), "{profile} {claim}");
        }
        let mut codes = vec!["bad_signature", "iss_untrusted"];
        if kind.typ.is_some() {
            codes.push("typ_mismatch");
        }
        if kind.audience.is_some() {
            codes.push("aud_mismatch");
        }
        if kind.ends() {
            codes.push("expired");
        }
        for code in codes {
            assert!(refused("", code), "{profile}: nothing gives {code}");
        }
    }
    for (set, file, id) in PROOF_SETS {
        assert_eq!(
            answers(file).get(*id).map(String::as_str),
            Some(OK),
            "{set}"
        );
    }
}
