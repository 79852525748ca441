//! Revocations that a fleet shares: `feeds redis URL [COUNT]`, `feeds nats URL [COUNT]`.
//!
//! From the call that revokes in one verifier to the first refusal of another one that shares the
//! store, over a server that runs already; and how many a second get through when nobody waits.
#![expect(clippy::print_stdout, reason = "a program that prints tables")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch reads a clock")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use sealgate::crypto::{SigningKey, aws_lc};
use sealgate::jwa::Algorithm;
use sealgate::{Clock, Format, Handle, LoadOptions, Policy, Revocation, Verifier};
use sealgate_benches::tokens;

const LONG: Duration = Duration::from_secs(120);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, url, rest @ ..] = &*arguments else {
        return println!("feeds redis|nats URL [COUNT]");
    };
    let count = rest
        .first()
        .map_or(2_000, |text| text.parse().expect("a count"));
    let key = tokens::key(Algorithm::Es256);
    let folder = std::env::temp_dir().join(format!("sealgate-feeds-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("url");
    std::fs::write(&file, url).expect("a file");
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a file of ours");
    let verifier = || verifier(kind, &key, &folder);
    let (writer, reader) = (verifier(), verifier());
    let token = |subject: usize| {
        let text = tokens::claims(subject);
        tokens::sign(&key, &tokens::header(key.algorithm()), &text).text
    };
    let gate = reader.gate("tools").expect("the gate");
    wait(|| gate.judge(token(0)).code() == "accepted");
    let mut took: Vec<Duration> = (0..count)
        .map(|subject| enforced(&writer, &gate, subject, &token(subject)))
        .collect();
    took.sort();
    let at = |share: usize| took[(took.len() - 1) * share / 1000].as_secs_f64() * 1e3;
    println!("\nPublish to enforced through {kind}, {count} one after another, ms\n");
    println!("| p50 | p90 | p99 | p99.9 |\n|---:|---:|---:|---:|");
    let [p50, p90, p99, p999] = [500, 900, 990, 999].map(at);
    println!("| {p50:.2} | {p90:.2} | {p99:.2} | {p999:.2} |");
    let began = Instant::now();
    for subject in count..2 * count {
        revoke(&writer, subject);
    }
    assert!(writer.revocations().flush(LONG), "all of them delivered");
    let written = began.elapsed();
    let last = token(2 * count - 1);
    wait(|| gate.judge(&last).code() == "revoked");
    let rate =
        |took: Duration| f64::from(u32::try_from(count).expect("a count")) / took.as_secs_f64();
    println!(
        "\nAll at once: {:.0} a second delivered, {:.0} a second enforced",
        rate(written),
        rate(began.elapsed())
    );
    std::fs::remove_dir_all(&folder).expect("the folder");
}

/// From the call to the first refusal.
fn enforced(writer: &Verifier, gate: &sealgate::Gate, subject: usize, token: &str) -> Duration {
    assert_eq!(gate.judge(token).code(), "accepted");
    let began = Instant::now();
    revoke(writer, subject);
    wait(|| gate.judge(token).code() == "revoked");
    began.elapsed()
}

fn revoke(writer: &Verifier, subject: usize) {
    let handle = Handle::subject(tokens::ISSUER, &format!("user-{subject:08}"));
    writer
        .revocations()
        .revoke(&handle, Revocation::all())
        .expect("a handle");
}

/// The reader's thread has the other core, or takes turns on this one.
fn wait(mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < LONG, "it never came");
        std::thread::yield_now();
    }
}

fn verifier(kind: &str, key: &SigningKey, folder: &std::path::Path) -> Verifier {
    let document = format!(
        r#"{{"version":1,"preset":"rfc",
            "issuers":{{"a":{{"issuer":"{}","algorithms":["ES256"],"jwks":{{"keys":[{}]}}}}}},
            "gates":{{"tools":{{"profile":"access_token","audience":"{}","issuers":["a"],"delegation":"surface"}}}},
            "stores":{{"fleet":{{"kind":"{kind}","url":{{"file":"url"}},"namespace":"bench-{}"}}}},
            "revocation":{{"store":"fleet"}}}}"#,
        tokens::ISSUER,
        key.verifying_jwk().to_json(),
        tokens::AUDIENCE,
        std::process::id(),
    );
    let options = LoadOptions::new().allow_test_keys(true).folder(folder);
    let policy = Policy::parse_with(document, Format::Json, &options).expect("a policy");
    Verifier::with_clock(policy, aws_lc::provider(), Clock::System).expect("a verifier")
}
