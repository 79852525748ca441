//! The layers hold: every `crate::` and `super::` path of the core goes where its module may go,
//! and cryptography, clocks, threads and the network are each named in one place only.
//!
//! `LAYERS` is the table of `manual/architecture`; it changes together with it, in one commit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A module, and what it may import.
const LAYERS: &[(&str, &[&str])] = &[
    // 7 where the edges and the engine meet
    (
        "open",
        &[
            "runtime", "feed", "verifier", "policy", "crypto", "time", "error",
        ],
    ),
    // For programs' own tests, of whatever they meet.
    (
        "testing",
        &[
            "wire",
            "verifier",
            "mint",
            "revocation",
            "delegation",
            "policy",
            "claims",
            "crypto",
            "jwk",
            "jwa",
            "encoding",
            "time",
            "error",
        ],
    ),
    // 6 edges
    (
        "runtime",
        &[
            "remote",
            "verifier",
            "keys",
            "revocation",
            "crypto",
            "sync",
            "time",
            "limits",
            "observe",
            "error",
        ],
    ),
    (
        "remote",
        &[
            "receiver",
            "verifier",
            "policy",
            "keys",
            "jwk",
            "revocation",
            "introspection",
            "encoding",
            "tls",
            "time",
            "limits",
            "observe",
            "error",
        ],
    ),
    (
        "feed",
        &[
            "verifier",
            "policy",
            "revocation",
            "replay",
            "encoding",
            "sync",
            "tls",
            "time",
            "limits",
            "observe",
            "error",
        ],
    ),
    ("tls", &[]),
    // 5 producers
    (
        "exchange",
        &[
            "verifier",
            "mint",
            "delegation",
            "policy",
            "claims",
            "error",
        ],
    ),
    (
        "mint",
        &[
            "crypto",
            "policy",
            "jws",
            "jwa",
            "jwk",
            "claims",
            "delegation",
            "encoding",
            "time",
            "limits",
            "error",
        ],
    ),
    (
        "receiver",
        &["wire", "verifier", "policy", "encoding", "limits", "error"],
    ),
    // 4 engine
    ("wire", &["verifier", "policy", "error"]),
    (
        "batch",
        &["verifier", "crypto", "observe", "limits", "error"],
    ),
    (
        "verifier",
        &[
            "events",
            "revocation",
            "introspection",
            "binding",
            "delegation",
            "keys",
            "cache",
            "replay",
            "observe",
            "policy",
            "crypto",
            "jws",
            "jwk",
            "claims",
            "jwa",
            "encoding",
            "limits",
            "time",
            "sync",
            "error",
        ],
    ),
    // 3 rules, state
    (
        "events",
        &["revocation", "policy", "claims", "encoding", "time"],
    ),
    (
        "revocation",
        &[
            "policy",
            "delegation",
            "crypto",
            "claims",
            "jws",
            "jwk",
            "encoding",
            "sync",
            "time",
            "limits",
            "error",
        ],
    ),
    (
        "binding",
        &[
            "policy", "replay", "crypto", "claims", "jws", "jwk", "jwa", "encoding", "time",
            "limits", "error",
        ],
    ),
    (
        "delegation",
        &[
            "policy", "crypto", "claims", "jws", "jwk", "encoding", "time", "limits", "error",
        ],
    ),
    (
        "keys",
        &["crypto", "jwk", "jwa", "sync", "time", "limits", "error"],
    ),
    ("cache", &["sync", "time", "limits"]),
    ("introspection", &["sync", "time", "limits"]),
    ("replay", &["sync", "time", "limits", "error"]),
    ("observe", &["sync", "time", "limits", "error"]),
    (
        "policy",
        &[
            "claims", "jws", "jwa", "jwk", "encoding", "time", "limits", "error",
        ],
    ),
    // 2 crypto
    (
        "crypto",
        &["jwa", "jwk", "encoding", "sync", "limits", "error"],
    ),
    // 1 formats
    ("jws", &["jwa", "encoding", "limits", "error"]),
    ("jwk", &["jwa", "encoding", "limits", "error"]),
    ("claims", &["encoding", "time", "limits", "error"]),
    ("jwa", &["error"]),
    // 0 ground
    ("encoding", &["limits", "error"]),
    ("limits", &["error"]),
    ("time", &["error"]),
    ("sync", &[]),
    ("error", &[]),
];

/// Crates that only `crypto` may name.
const CRYPTOGRAPHY: [&str; 3] = ["aws_lc_rs", "ring", "subtle"];

/// Crates that only these modules may name. Of `std`, `remote` alone has sockets, and `runtime` and
/// `feed` alone threads.
const NETWORK: [(&str, &[&str]); 7] = [
    ("ureq", &["remote"]),
    ("rustls", &["remote", "tls"]),
    ("rustls_native_certs", &["tls"]),
    ("webpki_roots", &["tls"]),
    ("redis", &["feed"]),
    ("async_nats", &["feed"]),
    ("tokio", &["feed"]),
];

/// The crate that only `replay` may name.
const SHARED: &str = "sealgate_proofs";

/// What only `time` may name.
const CLOCKS: [&str; 2] = ["SystemTime", "Instant"];

/// The source with comments, strings and character literals blanked out.
fn code_of(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &source[at..];
        let end = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(size) = raw_string(rest, at > 0 && is_word(bytes[at - 1])) {
            size
        } else if rest.starts_with('"') {
            quoted(rest, b'"')
        } else if rest.starts_with('\'') && is_character(rest) {
            quoted(rest, b'\'')
        } else {
            let character = rest.chars().next().unwrap();
            code.push(character);
            at += character.len_utf8();
            continue;
        };
        code.push(' ');
        at += end;
    }
    code
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let tail = &rest.as_bytes()[at..];
        match tail {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn raw_string(rest: &str, in_word: bool) -> Option<usize> {
    let tail = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = tail.bytes().take_while(|byte| *byte == b'#').count();
    if in_word || tail.as_bytes().get(hashes) != Some(&b'"') {
        return None;
    }
    let start = rest.len() - tail.len() + hashes + 1;
    let close = format!("\"{}", "#".repeat(hashes));
    let size = rest[start..]
        .find(&close)
        .map(|size| start + size + close.len());
    Some(size.unwrap_or(rest.len()))
}

fn quoted(rest: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if byte == quote {
            return at + 1;
        }
    }
    rest.len()
}

/// A character literal rather than a lifetime.
fn is_character(rest: &str) -> bool {
    let mut characters = rest.chars().skip(1);
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The code without modules of tests.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let Some(start) = code.find(MARK) else {
        return code.to_owned();
    };
    let rest = &code[start + MARK.len()..];
    let body = rest.find(['{', ';']).unwrap();
    let mut end = body + 1;
    if rest.as_bytes()[body] == b'{' {
        let mut depth = 1;
        while depth > 0 {
            depth += match rest.as_bytes()[end] {
                b'{' => 1,
                b'}' => -1,
                _ => 0,
            };
            end += 1;
        }
    }
    format!("{} {}", &code[..start], without_tests(&rest[end..]))
}

/// Every path of the code as its words, use trees unfolded.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let size = if is_word(u8::try_from(first).unwrap_or(b' ')) {
            rest.bytes().take_while(|byte| is_word(*byte)).count()
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..size]);
        rest = rest[size..].trim_start();
    }
    let (mut paths, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let starts_a_path = at == 0 || tokens[at - 1] != "::";
        if starts_a_path && is_word(tokens[at].as_bytes()[0]) {
            at = unfold(&tokens, at, &mut Vec::new(), &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

/// Reads the path at `at`, after `prefix`; returns where it ends.
fn unfold(
    tokens: &[&str],
    mut at: usize,
    prefix: &mut Vec<String>,
    paths: &mut Vec<Vec<String>>,
) -> usize {
    let depth = prefix.len();
    loop {
        match tokens.get(at) {
            Some(&"{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| *token != "}") {
                    at = unfold(tokens, at, prefix, paths);
                    while tokens
                        .get(at)
                        .is_some_and(|token| *token != "," && *token != "}")
                    {
                        at += 1; // `as name`
                    }
                    at += usize::from(tokens.get(at) == Some(&","));
                }
                prefix.truncate(depth);
                return at + 1;
            }
            Some(word) if is_word(word.as_bytes()[0]) || *word == "*" => {
                prefix.push((*word).to_owned());
                at += 1;
            }
            _ => {}
        }
        if tokens.get(at) != Some(&"::") || tokens.get(at + 1) == Some(&"<") {
            paths.push(prefix.clone());
            prefix.truncate(depth);
            return at;
        }
        at += 1;
    }
}

/// What is wrong with one file of the module path `own`, whose first word is its layer's module.
fn violations(own: &[&str], source: &str) -> Vec<String> {
    let code = without_tests(&code_of(source));
    let mut found = Vec::new();
    let Some((layer, may)) = LAYERS.iter().find(|(name, _)| Some(name) == own.first()) else {
        return vec![format!("module {own:?} has no row in the layer table")];
    };
    for path in paths(&code) {
        let mut words = path.iter().map(String::as_str);
        let ups = path.iter().take_while(|word| *word == "super").count();
        let target = match path[0].as_str() {
            "crate" => words.nth(1),
            "super" if ups == own.len() => words.nth(ups),
            "super" => Some(*layer),
            _ => None,
        };
        let allowed = |target: &str| target == *layer || may.contains(&target);
        if let Some(target) = target.filter(|target| !allowed(target)) {
            found.push(format!("{own:?} names {target} ({})", path.join("::")));
        }
        let root = path[0].as_str();
        // A module of the same name shadows the crate.
        let is_crate = path.len() > 1 && !code.contains(&format!("mod {root};"));
        if CRYPTOGRAPHY.contains(&root) && is_crate && *layer != "crypto" {
            found.push(format!("{own:?} names {root}"));
        }
        let users = NETWORK.iter().find(|(name, _)| *name == root);
        let is_network = is_crate && users.is_some_and(|(_, may)| !may.contains(layer));
        let second = path.get(1).map(String::as_str).filter(|_| root == "std");
        let is_thread = second == Some("thread") && !["runtime", "feed"].contains(layer);
        let is_socket = second == Some("net") && *layer != "remote";
        if is_network || is_thread || is_socket {
            found.push(format!("{own:?} names {}", path.join("::")));
        }
        if root == SHARED && *layer != "replay" {
            found.push(format!("{own:?} names {root}"));
        }
        let clock = path.iter().find(|word| CLOCKS.contains(&word.as_str()));
        if let Some(clock) = clock.filter(|_| *layer != "time") {
            found.push(format!("{own:?} names {clock}"));
        }
    }
    found
}

/// The module path of a file under `src`; `None` for files that are tests.
fn module_of(file: &Path) -> Option<Vec<String>> {
    let mut words: Vec<String> = file
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let last = words.pop()?.strip_suffix(".rs")?.to_owned();
    if last != "mod" {
        words.push(last);
    }
    (!words.iter().any(|word| word == "tests")).then_some(words)
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn every_module_keeps_to_its_layer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 60, "{} files are too few", files.len());
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for file in files {
        let Some(module) = module_of(file.strip_prefix(&root).unwrap()) else {
            continue;
        };
        // The root re-exports, and the manual is prose.
        if ["lib", "manual"].contains(&module[0].as_str()) {
            continue;
        }
        let own: Vec<&str> = module.iter().map(String::as_str).collect();
        found.extend(violations(&own, &std::fs::read_to_string(&file).unwrap()));
        seen.insert(module[0].clone());
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    for layer in ["verifier", "policy", "crypto", "jws", "encoding", "error"] {
        assert!(seen.contains(layer), "{layer} was not read");
    }
}

#[test]
fn the_table_has_no_cycle() {
    let position = |name: &str| LAYERS.iter().position(|(row, _)| *row == name).unwrap();
    for (name, may) in LAYERS {
        for other in *may {
            assert_ne!(name, other);
            let back = LAYERS[position(other)].1.contains(name);
            assert!(!back, "{name} and {other} import one another");
        }
    }
}

#[test]
fn a_wrong_import_is_found_wherever_it_hides() {
    for source in [
        "use crate::verifier::Gate;",
        "use crate::{error::Error, verifier};",
        "use crate::{\n    error::{Code, Error},\n    verifier::{self as v, Gate},\n};",
        "fn f() { crate::policy::load() }",
        "fn f() -> Option<crate::cache::Stats> { None }",
        "use super::super::keys::KeySet;",
        "use super::super::{error::Error, keys::KeySet};",
        "use std::time::SystemTime;",
        "fn f() { std::time::Instant::now(); }",
        "use ring::hmac;",
        "use ureq::Agent;",
        "fn f() { rustls::ClientConfig::builder() }",
        "use redis::Client;",
        "use tokio::runtime::Runtime;",
        "async_nats::connect(url)",
        "use std::net::TcpStream;",
        "use std::{fmt, net::UdpSocket};",
        "use std::thread;",
        "fn f() { std::thread::spawn(g); }",
        "fn f() { aws_lc_rs::rand::fill(b) }",
        "#[cfg(test)] mod tests { use crate::policy::Policy; }\nuse crate::keys::KeySet;",
        "fn f<'a>(x: &'a str) { let y = 'x'; crate::batch::go(x) }",
    ] {
        assert!(
            !violations(&["jws", "compact"], source).is_empty(),
            "{source}"
        );
    }
    assert_eq!(violations(&["surprise"], "").len(), 1);
}

#[test]
fn a_right_import_is_not() {
    for source in [
        "use crate::error::{Code, Error};\nuse crate::encoding::{base64url, json::Json};",
        "use super::{Compact, header};\nuse super::super::encoding::json;",
        "// crate::verifier\n/* use crate::policy; /* nested */ crate::keys */",
        "const A: &str = \"crate::verifier\"; const B: &str = r#\"crate::\"policy\"#;",
        "//! See [`crate::Gate`]\n/// and [`crate::verifier`].",
        "#[cfg(test)]\nmod tests { use crate::policy::Policy; fn f() { if x { y } } }",
        "#[cfg(test)]\nmod tests;",
        "fn f() { let string = 1; wiring::go(); let c = '\"'; }",
        "use std::time::Duration;",
    ] {
        assert_eq!(
            violations(&["jws", "compact"], source),
            Vec::<String>::new(),
            "{source}"
        );
    }
}
