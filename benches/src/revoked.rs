//! Tokens with five agents, seen before, while a million handles of others are revoked.

use std::hint::black_box;
use std::path::Path;

use sealgate::jwa::Algorithm;
use sealgate::{Format, Gate, Handle, Policy, Revocation, Verifier};

use crate::scratch::Scratch;
use crate::tokens::{self, AUDIENCE, ISSUER, TURNS};
use crate::{Case, always_yes, delegated, stored};

/// Whether anybody is asked about revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store<'f> {
    /// `[revocation]` is absent.
    Absent,
    /// `store = "process"`.
    Process,
    /// A store of kind `file` in this folder, which all processes of a host share.
    Host(&'f Path),
}

/// A verifier with a cache and one gate, `tools`.
///
/// # Panics
///
/// When the policy is wrong.
#[must_use]
pub fn verifier(store: Store<'_>) -> Verifier {
    let key = tokens::key(Algorithm::Es256);
    let revocation = match store {
        Store::Absent => String::new(),
        Store::Process => r#""revocation":{"store":"process"},"#.to_owned(),
        Store::Host(folder) => format!(
            r#""stores":{{"host":{{"kind":"file","path":{folder:?}}}}},"revocation":{{"store":"host"}},"#
        ),
    };
    let policy = format!(
        r#"{{"version":1,"preset":"rfc",{revocation}
            "issuers":{{"corp":{{"issuer":"{ISSUER}","algorithms":["ES256"],"jwks_push":"process"}}}},
            "gates":{{"tools":{{"profile":"access_token","audience":"{AUDIENCE}","issuers":["corp"],
                "delegation":"surface"}}}}}}"#
    );
    let policy = Policy::parse(policy, Format::Json).expect("a policy");
    let verifier = Verifier::new(policy, always_yes::provider()).expect("a verifier");
    tokens::publish(&verifier, &key);
    verifier
}

/// Revokes so many handles that no token has: one in ten an agent, seven of ten a token.
///
/// # Panics
///
/// When the verifier asks nobody.
pub fn fill(verifier: &Verifier, entries: usize) {
    let revocations = verifier.revocations();
    for n in 0..entries {
        let name = format!("{n:012}");
        let handle = match n % 10 {
            0 => Handle::actor(ISSUER, &name),
            1 => Handle::session(ISSUER, &name),
            2 => Handle::subject(ISSUER, &name),
            _ => Handle::token(ISSUER, &name),
        };
        revocations
            .revoke(&handle, Revocation::all())
            .expect("revoked");
    }
}

/// Tokens of five agents each, no two alike, of which the gate has seen all.
///
/// # Panics
///
/// When the gate refuses one.
#[must_use]
pub fn seen(gate: &Gate) -> Vec<String> {
    let key = tokens::key(Algorithm::Es256);
    let header = tokens::header(Algorithm::Es256);
    let token = |n: usize| {
        let claims = delegated::claims(5)
            .replace("research", &format!("research-{n}"))
            .replace("000000000001", &format!("{n:012}"))
            .replace("user-00000001", &format!("user-{n:08}"));
        tokens::sign(&key, &header, &claims).text
    };
    let tokens: Vec<String> = (0..TURNS).map(token).collect();
    for token in &tokens {
        gate.verify(token).expect("a good token");
    }
    tokens
}

/// Seen before: nobody is asked; nothing was revoked since, in this process or on this host;
/// something was, before every token's turn.
///
/// # Panics
///
/// When a good token is refused.
#[must_use]
pub fn cases(entries: usize) -> Vec<Case> {
    let scratch = Scratch::new();
    stored::write(scratch.path(), ISSUER, entries).expect("a store");
    let [absent, process, host] =
        [Store::Absent, Store::Process, Store::Host(scratch.path())].map(verifier);
    fill(&process, entries);
    let plain = |name: &str, verifier: &Verifier| {
        let gate = verifier.gate("tools").expect("the gate");
        let tokens = seen(&gate);
        let mut turn = 0;
        Case::new(name, move || {
            turn = (turn + 1) % tokens.len();
            black_box(gate.verify(black_box(&tokens[turn])).expect("a good token"));
        })
    };
    let still = plain("nothing revoked since", &process);
    let gate = process.gate("tools").expect("the gate");
    let tokens = seen(&gate);
    let (mut turn, mut revoked) = (0, 0_u64);
    let since = Case::new("something revoked since", move || {
        turn = (turn + 1) % tokens.len();
        if turn == 0 {
            // Once in as many calls as there are tokens: each asks again for all its names.
            revoked += 1;
            let handle = Handle::token(ISSUER, &format!("since-{revoked}"));
            let revocations = process.revocations();
            revocations
                .revoke(&handle, Revocation::all())
                .expect("revoked");
        }
        black_box(gate.verify(black_box(&tokens[turn])).expect("a good token"));
    });
    let mut shared = plain("nothing revoked since, on this host", &host);
    let shared = Case::new(shared.name, move || {
        let _open = &scratch; // the verifier reads there
        (shared.run)();
    });
    vec![plain("[revocation] absent", &absent), still, shared, since]
}
