//! One test a loader refusal (user experience 2.3): its text at its place, and a near miss that
//! loads.

mod gates;
mod introspection;
mod issuers;
mod kinds;
mod stores;

use super::super::{Format, LoadOptions};
use super::{MINIMAL, load, load_as, with};

/// Asserts that a document is refused for exactly these reasons, as `line:column path: text`.
#[track_caller]
pub(super) fn refuses(document: &str, expected: &[&str]) {
    refuses_as(document, Format::Toml, &LoadOptions::new(), expected);
}

#[track_caller]
pub(super) fn refuses_as(document: &str, format: Format, options: &LoadOptions, expected: &[&str]) {
    let Err(problems) = load_as(document, format, options) else {
        panic!("it loads")
    };
    let shown: Vec<String> = problems
        .iter()
        .map(|p| format!("{}:{} {p}", p.line, p.column))
        .collect();
    assert_eq!(shown, expected);
}

/// Asserts that it loads and warns of exactly this.
#[track_caller]
pub(super) fn loads(document: &str, warnings: &[&str]) {
    let policy = load(document).unwrap();
    let shown: Vec<String> = policy.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(shown, warnings);
}

/// The minimal document with further lines in its last table, `[gates.tools]`.
pub(super) fn gate(lines: &str) -> String {
    format!("{MINIMAL}{lines}\n")
}

/// The minimal document with further lines in `[issuers.corp]`.
pub(super) fn issuer(lines: &str) -> String {
    with("[gates.tools]", &format!("{lines}\n[gates.tools]"))
}

/// The line of [`MINIMAL`] with its keys.
pub(super) const JWKS: &str = "jwks = { keys = [{ kty = \"EC\", crv = \"P-256\", kid = \"k1\", x = \"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\", y = \"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\" }] }";

#[test]
fn refusal_1_unknown_members_with_the_nearest_name() {
    refuses(
        &gate("audiance = \"x\"\nzzz = 1"),
        &[
            "11:1 gates.tools.audiance: unknown member. Did you mean \"audience\"?",
            "12:1 gates.tools.zzz: unknown member",
        ],
    );
    refuses(
        &format!("gate = 1\n{MINIMAL}"),
        &["1:1 gate: unknown member. Did you mean \"gates\"?"],
    );
    refuses(
        &gate("[gates.tools.claim_names]\n"),
        &["11:14 gates.tools.claim_names: unknown member"],
    );
    loads(&gate("[annotations]\naudiance = { anything = [1] }"), &[]);
}

#[test]
fn refusal_2_members_written_twice() {
    refuses(
        &gate("issuers = [\"corp\"]"),
        &["11:1 gates.tools.issuers: written twice (lines 10 and 11)"],
    );
    refuses_as(
        "{\"version\": 1, \"version\": 1,\n\"gates\": {}, \"issuers\": {}}",
        Format::Json,
        &LoadOptions::new(),
        &[
            "1:16 version: written twice (line 1, columns 2 and 16)",
            "2:10 gates: empty",
            "2:25 issuers: empty",
        ],
    );
}

#[test]
fn refusal_3_another_version() {
    refuses(
        &with("version = 1\n", ""),
        &["1:1 version: this sealgate reads version 1"],
    );
    refuses(
        &with("version = 1", "version = 2"),
        &["2:11 version: this sealgate reads version 1"],
    );
    refuses(
        &with("version = 1", "version = \"1\""),
        &["2:11 version: this sealgate reads version 1. Write 1 without quotes"],
    );
}

#[test]
fn refusal_4_bare_numbers() {
    refuses(
        &with(
            "version = 1",
            "version = 1\nleeway = 30\ncache.tokens = '1KiB'\nlimits.max_token_size = 16384",
        ),
        &[
            "3:10 leeway: 30 has no unit. Write \"30s\"",
            "4:16 cache.tokens: a string where a whole number belongs",
            "5:25 limits.max_token_size: 16384 has no unit. Write \"16KiB\"",
        ],
    );
    refuses(
        &gate("max_age = '-5m'"),
        &["11:11 gates.tools.max_age: \"-5m\" is negative. Write \"30s\""],
    );
    loads(
        &with(
            "version = 1",
            "version = 1\nleeway = '30s'\ncache.tokens = 0\nlimits.max_token_size = '16KiB'",
        ),
        &[],
    );
}

#[test]
fn what_is_written_in_the_wrong_way_says_how() {
    refuses(
        &gate("delegation = \"surfce\""),
        &["11:14 gates.tools.delegation: no [delegation.surfce]. Did you mean \"surface\"?"],
    );
    refuses(
        &gate("max_age = 2027-01-15"),
        &[
            "11:11 gates.tools.max_age: TOML dates are not durations, nor anything else here. Write \
             a string, as \"30s\"",
        ],
    );
    refuses(
        &gate("max_age = \"1.5m\""),
        &["11:11 gates.tools.max_age: \"1.5m\" is not a whole number. Write \"90s\""],
    );
    refuses(
        &with(
            "profile = \"access_token\"",
            "profile = \"access_token_untyped\"",
        ),
        &[
            "8:11 gates.tools.profile: \"access_token_untyped\" is one way to write access tokens. \
             Write profile = \"access_token\", and \"access_token_untyped\" in the issuer's profiles",
        ],
    );
    // What an unknown member was meant to be is not missed as well.
    refuses(
        &with("audience =", "audiance ="),
        &["9:1 gates.tools.audiance: unknown member. Did you mean \"audience\"?"],
    );
    refuses(
        &gate("[tables]"),
        &["11:2 tables: not available in this version yet"],
    );
}

#[test]
fn members_and_values_that_have_not_landed() {
    refuses(
        &with(JWKS, "jwks_push = \"fleet\""),
        &[
            "6:13 issuers.corp.jwks_push: \"fleet\" would name a store: not available in this \
           version yet. Write \"process\"",
        ],
    );
    loads(&gate("delegation = \"surface\""), &[]);
    loads(
        &gate("sender_constrained = \"external\""),
        &["gates.tools.sender_constrained: somebody else must check the proof"],
    );
}

#[test]
fn refusal_22_ceilings() {
    let top = |line: &str| with("version = 1", &format!("version = 1\n{line}"));
    refuses(&top("leeway = '301s'"), &["3:10 leeway: at most \"300s\""]);
    loads(&top("leeway = '5m'"), &[]);
    refuses(
        &top(
            "limits = { max_token_size = '65KiB', max_json_depth = 257, max_string_size = '0KiB' }",
        ),
        &[
            "3:29 limits.max_token_size: at most \"64KiB\"",
            "3:55 limits.max_json_depth: at most 256",
            "3:78 limits.max_string_size: at least \"1KiB\"",
        ],
    );
    loads(
        &top("limits = { max_token_size = '64KiB', max_json_depth = 256 }"),
        &[],
    );
}

#[test]
fn refusal_26_danger() {
    let danger = format!("{MINIMAL}[danger]\n");
    refuses(
        &danger,
        &["11:1 danger: this document asks for less safety than the program allows"],
    );
    load_as(
        &danger,
        Format::Toml,
        &LoadOptions::new().allow_danger(true),
    )
    .unwrap();
}

#[test]
fn refusal_27_documents_that_cannot_be_read() {
    refuses(
        &format!("\u{feff}{MINIMAL}"),
        &["1:1 begins with a byte order mark. Save it as UTF-8 without"],
    );
    refuses_as(
        MINIMAL,
        Format::Json,
        &LoadOptions::new(),
        &["2:1 not JSON: a value belongs here"],
    );
}

#[test]
fn names_are_safe_as_labels() {
    for name in ["Corp", "1corp", "a.b", "", &"a".repeat(33)] {
        let problems = load(&gate(&format!(
            "[issuers.{name:?}]\nissuer = \"https://b.example\"\njwks_push = \"process\""
        )))
        .unwrap_err();
        assert!(
            problems[0].text.contains("is not a name"),
            "{name:?}: {problems:?}"
        );
    }
}
