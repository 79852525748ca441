//! Every rule of a capability that has landed is cited where the code decides it, or names a test or a
//! vector that shows it, so that none is forgotten. What a module says of itself shows nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Families of rules, the last number of each, and those that are nothing of ours yet.
const RULES: &[(&str, u32, &[u32])] = &[
    ("JWS", 13, &[]),
    ("ALG", 10, &[]),
    ("KEY", 5, &[]),
    ("JWT", 8, &[]),
    ("JWE", 1, &[]),
    ("OKP", 5, &[]),
    ("K1", 1, &[]),
    ("PQ", 5, &[]),
    ("AT", 11, &[]),
    ("IDT", 12, &[]),
    ("LOG", 7, &[]),
    // Exchange requests are a server's of its own: its parameters, its answer.
    ("TX", 13, &[7, 8, 10, 11, 12, 13]),
    ("MTLS", 4, &[]),
    ("DP", 16, &[]),
    ("RAR", 6, &[]),
    ("RI", 2, &[1]), // a parameter of those requests
    // Metadata of resources is published here, and read by nobody.
    ("PRM", 4, &[1, 3]),
    ("ASM", 2, &[2]), // a parameter of an answer to a browser
    ("INT", 6, &[]),
    ("CA", 7, &[7]), // what else a request carries is its server's to see
    ("JBG", 1, &[]),
    ("TXT", 15, &[]),
    ("TXA", 7, &[6]), // wants an inventory of agents
    ("WIT", 5, &[]),
    ("WPT", 10, &[]),
    ("JSV", 8, &[]),
    ("TSL", 13, &[12]), // no list of the past is asked for
    ("SET", 12, &[]),
    ("IJ", 11, &[11]), // nothing here issues refresh tokens
    ("IC", 1, &[]),
    // Headers of the protocol beside the token, and clients, are the adapters'.
    ("MCP", 11, &[6, 7, 8]),
    ("ATT", 12, &[]),
    ("AAT", 8, &[]),
    ("ACT", 10, &[]),
    ("ATN", 15, &[]),
    ("MAY", 7, &[6, 7]), // of exchange requests
    ("CD", 6, &[]),
    ("REV", 11, &[]),
    ("INTN", 7, &[]),
    ("DIA", 5, &[]),
];

/// Where rules are decided and shown.
const PLACES: &[&str] = &[
    "../core/src",
    "../bindings/python/python",
    "../bindings/node/lib",
    "src",
    "tests",
];

/// Rules that a text cites, alone or as the ends of a range: `JWS-05`, `ATN-05 to ATN-10`,
/// `JWS-02 to 06`; and those that name a vector or a test: `"txa-05-vanished"`, `fn set_11_…`.
fn cited(text: &str, found: &mut BTreeSet<(String, u32)>) {
    let is_word = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit();
    for (family, _, _) in RULES {
        let name = family.to_lowercase();
        for begin in [format!("\"{name}-"), format!("fn {name}_")] {
            for (at, _) in text.match_indices(&begin) {
                let rule = number(&text[at + begin.len()..]);
                found.extend(rule.map(|number| ((*family).to_owned(), number)));
            }
        }
    }
    for (family, _, _) in RULES {
        for (at, _) in text.match_indices(&format!("{family}-")) {
            let (before, rest) = (&text[..at], &text[at + family.len() + 1..]);
            let Some(first) = number(rest).filter(|_| !before.ends_with(is_word)) else {
                continue;
            };
            let after = rest[2..].strip_prefix(" to ").unwrap_or_default();
            let after = after.strip_prefix(&format!("{family}-")).unwrap_or(after);
            let last = number(after).unwrap_or(first);
            found.extend((first..=last).map(|number| ((*family).to_owned(), number)));
        }
    }
}

/// Two digits, and no third.
fn number(text: &str) -> Option<u32> {
    let digits = text.get(..2)?;
    let ends = !text[2..].starts_with(|next: char| next.is_ascii_digit());
    digits.parse().ok().filter(|_| ends)
}

fn read(folder: &Path, found: &mut BTreeSet<(String, u32)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let own = path.ends_with("tests/rules.rs");
        if path.is_dir() {
            read(&path, found);
        } else if !own && let Ok(text) = fs::read_to_string(&path) {
            let own = |line: &&str| !line.trim_start().starts_with("//!");
            let lines: Vec<&str> = text.lines().filter(own).collect();
            cited(&lines.join("\n"), found);
        }
    }
}

#[test]
fn every_rule_that_has_landed_is_cited() {
    let mut found = BTreeSet::new();
    for place in PLACES {
        read(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(place),
            &mut found,
        );
    }
    let mut forgotten = Vec::new();
    for (family, last, out) in RULES {
        for number in (1..=*last).filter(|number| !out.contains(number)) {
            if !found.contains(&((*family).to_owned(), number)) {
                forgotten.push(format!("{family}-{number:02}"));
            }
        }
    }
    assert!(
        forgotten.is_empty(),
        "cited nowhere: {}",
        forgotten.join(" ")
    );
}

#[test]
fn ranges_and_single_rules_are_read() {
    let mut found = BTreeSet::new();
    cited(
        "(RAR-01) CD-03, ATN-05 to ATN-07; JWS-02 to 04. XAT-01 AT-123 DP-1 \"txa-05-vanished\" \
         fn set_11_a_state() rset_12",
        &mut found,
    );
    let found: Vec<String> = found
        .iter()
        .map(|(family, number)| format!("{family}-{number}"))
        .collect();
    let expected = [
        "ATN-5", "ATN-6", "ATN-7", "CD-3", "JWS-2", "JWS-3", "JWS-4", "RAR-1", "SET-11", "TXA-5",
    ];
    assert_eq!(found, expected);
}
