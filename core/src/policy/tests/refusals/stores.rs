//! `[stores]` and who names them: refusals 11, 12, 22 and 27.

use super::{gate, loads, refuses};

const OFF: &str = "[revocation]\nstore = \"off\"\n";
const OFF_WARNS: &str = "revocation.store: nothing is asked: a revoked token passes until it ends";

/// The minimal document with `[revocation]` through the store `local`, from line 11 on.
fn through(store: &str, revocation: &str) -> String {
    gate(&format!(
        "[stores.local]\n{store}\n[revocation]\nstore = \"local\"\n{revocation}"
    ))
}

const FILE: &str = "kind = \"file\"\npath = \"revocations\"";

#[test]
fn refusal_12_an_unknown_store_with_the_nearest_name() {
    loads(&through(FILE, ""), &[]);
    let other = through(FILE, "").replace("store = \"local\"", "store = \"locla\"");
    refuses(
        &other,
        &["15:9 revocation.store: no [stores.locla]. Did you mean \"local\"?"],
    );
    let word = through(FILE, "").replace("store = \"local\"", "store = \"proces\"");
    refuses(
        &word,
        &["15:9 revocation.store: no [stores.proces]. Did you mean \"process\"?"],
    );
}

#[test]
fn a_store_has_what_its_kind_needs_and_nothing_else() {
    let with = |store: &str| through(store, "");
    refuses(
        &with("kind = \"file\""),
        &["12:8 stores.local.path: needed by a store of kind \"file\""],
    );
    refuses(
        &with("kind = \"file\"\npath = \"\""),
        &["13:8 stores.local.path: empty"],
    );
    let both = format!("{FILE}\nnamespace = \"x\"\nurl = {{ env = \"PATH\" }}");
    refuses(
        &with(&both),
        &[
            "14:13 stores.local.namespace: a store of kind \"file\" has none",
            "15:7 stores.local.url: a store of kind \"file\" has none",
        ],
    );
    refuses(
        &with("kind = \"files\"\npath = \"x\""),
        &["12:8 stores.local.kind: \"files\" is unknown. Did you mean \"file\"?"],
    );
}

#[test]
fn refusal_22_a_bound_that_stores_cannot_keep() {
    loads(&through(FILE, "max_staleness = \"3s\""), &[]);
    refuses(
        &through(FILE, "max_staleness = \"2s\""),
        &["16:17 revocation.max_staleness: at least \"3s\": stores are asked once a second"],
    );
    refuses(
        &through(FILE, "on_stale = \"accept\""),
        &["16:12 revocation.on_stale: \"accept\" is unknown. Did you mean \"accept_marked\"?"],
    );
}

#[test]
fn what_nobody_reads_is_told() {
    loads(
        &gate(&format!("{OFF}[stores.local]\n{FILE}")),
        &[OFF_WARNS, "stores.local: nothing uses it"],
    );
    loads(
        &gate(&format!("{OFF}max_staleness = \"5s\"")),
        &[
            OFF_WARNS,
            "revocation.max_staleness: no store of [stores] is named, so no news can be old",
        ],
    );
}

/// Refusal 27, and 11: the place of a server may have a password in it.
#[test]
fn refusals_11_and_27_of_servers() {
    for (kind, built, schemes) in [
        (
            "redis",
            cfg!(feature = "feed-redis"),
            "redis://, rediss://, valkey://, valkeys://, unix://",
        ),
        ("nats", cfg!(feature = "feed-nats"), "nats://, tls://"),
    ] {
        let lacks = format!("12:8 stores.local.kind: this build has no {kind}");
        let refuses = |store: String, further: &str| {
            let mut expected = vec![further];
            if !built {
                expected.insert(0, &lacks);
            }
            refuses(&through(&store, ""), &expected);
        };
        let server = |lines: &str| format!("kind = \"{kind}\"\n{lines}");
        refuses(
            server("url = { env = \"PATH\" }"),
            &format!("13:7 stores.local.url: what is there begins with none of {schemes}"),
        );
        refuses(
            server("url = { env = \"SEALGATE_TEST_UNSET\" }"),
            "13:7 stores.local.url: environment variable SEALGATE_TEST_UNSET is not set",
        );
        refuses(
            server("url = \"redis://h\""),
            "13:7 stores.local.url: a secret in the document. Write { env = \"NAME\" } or { file = \
             \"path\" }",
        );
    }
}
