//! Every rule of a capability that has landed is shown by what fails when it is broken: a line of
//! `tests/vectors` or a test that bears its name, or those that `rules.txt` has for it. That code
//! or a comment cites it shows nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sealgate_tests::generate;
use serde_json::Value;

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

/// Rules that nothing shows, and why.
const UNSHOWN: &[(&str, &str)] = &[
    (
        "IJ-09",
        "`tenant` must be text; a verdict's subject and a revocation's are `iss` and `sub` alone",
    ),
    (
        "INTN-05",
        "whether an intent is active is asked of nobody: who ends one revokes it",
    ),
];

/// What shows rules whose names it does not bear: a rule and one thing a line.
const SHOWN: &str = include_str!("rules.txt");

/// Where tests are, beside the attacks, whose numbers are another catalogue's.
const TESTS: &[&str] = &["../core/src", "../proofs/src", "../proofs/tests", "tests"];

/// All files of this ending below a folder.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|own| own == ending) {
            found.push(path);
        }
    }
}

/// The lines of the vectors, by name, with what is expected of them.
fn vectors() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = Vec::new();
    files(&generate::folder(), "jsonl", &mut found);
    let mut lines: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for path in found {
        for line in fs::read_to_string(path).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let code = line["expect"]["code"].as_str().unwrap_or("accepted");
            let id = line["id"].as_str().unwrap().to_owned();
            lines.entry(id).or_default().insert(code.to_owned());
        }
    }
    lines
}

/// The tests of this text that run.
fn tests(text: &str) -> BTreeSet<String> {
    let (mut found, mut marked) = (BTreeSet::new(), false);
    for line in text.lines().map(str::trim_start) {
        if let Some(rest) = line.strip_prefix("fn ").filter(|_| marked) {
            found.extend(rest.split(['(', '<']).next().map(str::to_owned));
        }
        let goes_on = line.starts_with("//") || line.starts_with("#[");
        marked = line == "#[test]" || marked && goes_on && !line.starts_with("#[ignore");
    }
    found
}

/// Those that are built of attacks: `"ALG-01" alg::alg_01_…`, a line each.
fn attacks(text: &str) -> BTreeSet<String> {
    let named = |line: &str| {
        let (_, name) = line.trim_start().strip_prefix('"')?.split_once("::")?;
        Some(name.to_owned())
    };
    text.lines().filter_map(named).collect()
}

/// The rule that a line or a test is named after: `txa-05-vanished`, `set_11_a_state`.
fn named_after(name: &str) -> Option<String> {
    let (family, rest) = name.split_at(name.find(['-', '_'])?);
    let family = family.to_uppercase();
    let known = RULES.iter().any(|(known, _, _)| *known == family);
    let (number, after) = rest[1..].split_at_checked(2).filter(|_| known)?;
    let ends = !after.starts_with(|next: char| next.is_ascii_digit());
    let number: u32 = number.parse().ok().filter(|_| ends)?;
    Some(format!("{family}-{number:02}"))
}

/// The rules that have landed.
fn landed() -> BTreeSet<String> {
    let numbers = |(family, last, out): &'static (&str, u32, &[u32])| {
        let landed = (1..=*last).filter(|number| !out.contains(number));
        landed.map(move |number| format!("{family}-{number:02}"))
    };
    RULES.iter().flat_map(numbers).collect()
}

/// The rows of `rules.txt`.
fn shown() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = SHOWN.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        line.split_once(' ')
            .map_or((line, ""), |(rule, by)| (rule, by.trim()))
    })
}

#[test]
fn every_rule_that_has_landed_is_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (lines, mut sources) = (vectors(), Vec::new());
    for place in TESTS {
        files(&root.join(place), "rs", &mut sources);
    }
    let (of_attacks, sources): (Vec<_>, Vec<_>) = sources
        .into_iter()
        .partition(|path| path.starts_with(root.join("tests/attacks")));
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
    let own: BTreeSet<_> = sources.iter().flat_map(|path| tests(&read(path))).collect();
    let attacks: BTreeSet<_> = of_attacks
        .iter()
        .flat_map(|path| attacks(&read(path)))
        .collect();

    let landed = landed();
    let names = lines.keys().chain(&own);
    let mut found: BTreeSet<_> = names.filter_map(|name| named_after(name)).collect();
    for (rule, by) in shown() {
        assert!(landed.contains(rule), "{rule}: is no rule that has landed");
        let is_there = match (by.strip_prefix("fn "), by.split_once(" = ")) {
            (Some(test), _) => own.contains(test) || attacks.contains(test),
            (None, Some((id, code))) => lines.get(id).is_some_and(|codes| codes.contains(code)),
            (None, None) => false,
        };
        assert!(is_there, "{rule}: there is no {by:?}");
        found.insert(rule.to_owned());
    }

    let unshown: BTreeSet<_> = landed.difference(&found).map(String::as_str).collect();
    let listed: BTreeSet<_> = UNSHOWN.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(unshown, listed, "not shown, and listed as such");
}

#[test]
fn names_and_tests_are_read() {
    let read = |names: &[&str]| -> Vec<_> {
        let rules = names.iter().map(|name| named_after(name));
        rules.map(|rule| rule.unwrap_or_default()).collect()
    };
    let names = ["txa-05-vanished", "set_11_a_state", "k1-01-x", "rar-02/x"];
    assert_eq!(read(&names), ["TXA-05", "SET-11", "K1-01", "RAR-02"]);
    let none = [
        "rset_12_x",
        "dp-9",
        "dp-123-x",
        "p01-none",
        "act",
        "xat-01-x",
        "jws_é",
    ];
    assert!(
        read(&none).iter().all(String::is_empty),
        "{:?}",
        read(&none)
    );
    let text = "#[test]\nfn one() {\n// fn two() {}\nfn three() {}\n#[test]\n/// Why.\n#[cfg(x)]\n    \
                fn four(x in any()) {\n#[test]\n#[ignore = \"slow\"]\nfn five() {}";
    assert_eq!(tests(text).into_iter().collect::<Vec<_>>(), ["four", "one"]);
    let text = "use super::x;\n    \"ALG-01\" alg::alg_01_none\n// \"X\" y::z";
    assert_eq!(
        attacks(text).into_iter().collect::<Vec<_>>(),
        ["alg_01_none"]
    );
}
