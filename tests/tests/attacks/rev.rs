//! Attacks on what was revoked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use sealgate::{Handle, Revocation, RevokeError};
use sealgate_tests::workshop::{Key, b64u, compact, over};
use serde_json::{Value, json};

use crate::enc::{parts, siblings};
use crate::stand::{Fixtures, Stand};

const A: &str = "https://issuer.example";

/// `CFG_A` that remembers what was revoked, with this many tokens in the cache.
fn stand(f: &Fixtures, cached: u32) -> Stand {
    let mut policy = f.cfg_a();
    policy["revocation"] = json!({ "store": "process" });
    policy["cache"]["tokens"] = cached.into();
    f.stand(&policy)
}

fn revoke(stand: &Stand, handle: &Handle) {
    for door in &stand.doors {
        let receipt = door
            .verifier
            .revocations()
            .revoke(handle, Revocation::all());
        assert_eq!(receipt.unwrap().reach, "process");
    }
}

pub(crate) fn rev_01_the_bytes_of_a_token_are_no_name(f: &Fixtures) {
    let (stand, key) = (stand(f, 1000), f.key("K_ED"));
    let token = f.token(&key);
    let other = f.signed(&key, f.with("jti", "j-2"));
    // The same token in other words: its holder can have none of these made, an issuer can.
    let spaced = compact(key.header("") + " ", f.payload(), |input| key.sign(input));
    let reordered = f.signed(&key, format!(" {}", f.payload()));
    for good in [&token, &other, &spaced, &reordered] {
        stand.accepts(good);
    }
    revoke(&stand, &Handle::token(A, "j-1"));
    stand.accepts(&other);
    for revoked in [&token, &spaced, &reordered] {
        stand.gives("revoked", revoked);
    }
    let [header, payload, signature] = parts(&token);
    let spelled = siblings(&signature);
    assert_eq!(spelled.len(), 15);
    let spelled = spelled
        .iter()
        .map(|end| format!("{header}.{payload}.{end}"));
    let padded = ["=", "==", "%3D"].map(|padding| format!("{token}{padding}"));
    let strays = [" ", "\t", "\r\n", "\0", "\u{feff}"];
    let strays = strays.iter().flat_map(|stray| {
        let after = format!("{header}.{stray}{payload}.{signature}");
        [format!("{stray}{token}"), format!("{token}{stray}"), after]
    });
    for sibling in spelled.chain(padded).chain(strays) {
        stand.gives("malformed_token", sibling);
    }
    // ENC-03: a name is compared as it reads, not as it is spelled.
    let escaped = f.payload().replace("\"j-1\"", r#""j\u002d1""#);
    assert_ne!(escaped, f.payload());
    stand.gives("revoked", f.signed(&key, escaped));
    let input = format!("{}.{}", b64u(key.header("")), b64u(f.payload()));
    stand.gives("revoked", over(input, |input| key.sign(input)));
}

pub(crate) fn rev_03_what_starts_after_a_revocation_sees_it(f: &Fixtures) {
    const ROUNDS: usize = 1000;
    let key = f.key("K_ED");
    let tokens: Vec<String> = (0..ROUNDS)
        .map(|round| f.signed(&key, f.with("jti", format!("r-{round}"))))
        .collect();
    for cached in [0, 10_000] {
        for door in stand(f, cached).doors {
            // How many are revoked for certain; and for a control, that they were accepted before.
            let (revoked, over) = (AtomicUsize::new(0), AtomicBool::new(false));
            let seen = AtomicUsize::new(0);
            thread::scope(|scope| {
                for start in 0..3 {
                    let (gate, tokens) = (&door.gate, &tokens);
                    let (revoked, over, seen) = (&revoked, &over, &seen);
                    scope.spawn(move || {
                        for round in (start..ROUNDS).cycle().step_by(7) {
                            let before = revoked.load(Ordering::SeqCst);
                            let code = gate.judge(&tokens[round]).code();
                            match code {
                                "accepted" => assert!(round >= before, "{round} of {before}"),
                                "revoked" => drop(seen.fetch_add(1, Ordering::SeqCst)),
                                other => panic!("{other}"),
                            }
                            if over.load(Ordering::SeqCst) {
                                return;
                            }
                        }
                    });
                }
                for (round, token) in tokens.iter().enumerate() {
                    assert_eq!(door.gate.judge(token).code(), "accepted");
                    let handle = Handle::token(A, &format!("r-{round}"));
                    let revocations = door.verifier.revocations();
                    revocations.revoke(&handle, Revocation::all()).unwrap();
                    assert_eq!(door.gate.judge(token).code(), "revoked");
                    revoked.store(round + 1, Ordering::SeqCst);
                }
                over.store(true, Ordering::SeqCst);
            });
            assert!(seen.into_inner() > 0, "nobody looked meanwhile");
        }
    }
}

pub(crate) fn rev_04_names_are_exact_and_an_issuers_own(f: &Fixtures) {
    let (key, other_key) = (f.key("K_ED"), f.key("K_EC_B"));
    let other = "https://other.example";
    let mut policy = f.cfg_a();
    policy["revocation"] = json!({ "store": "process" });
    policy["issuers"]["other"] = json!({
        "issuer": other, "jwks": { "keys": [other_key.jwk] }, "algorithms": ["ES256"],
        "profiles": ["jwt_custom"],
    });
    policy["gates"]["api"]["issuers"] = json!(["issuer", "other"]);
    let stand = f.stand(&policy);
    let with = |jti: Value| f.signed(&key, f.with("jti", jti));
    let foreign = |key: &Key| {
        let claims = f.payload().replace(A, other);
        f.signed(key, claims)
    };
    let near = ["1 ", "1\0", " 1", "01", "\u{ff11}", "\u{e9}", "e\u{301}"];
    for jti in near.iter().copied().chain(["1", "j-1"]) {
        stand.accepts(with(jti.into()));
    }
    stand.accepts(foreign(&other_key));
    let nameless = f.signed(&key, f.without("jti"));
    stand.accepts(&nameless);
    for name in ["1", "j-1", "e\u{301}"] {
        revoke(&stand, &Handle::token(A, name));
        stand.gives("revoked", with(name.into()));
    }
    // In the one issuer's name, of the one name.
    stand.accepts(foreign(&other_key));
    for jti in near.iter().filter(|jti| **jti != "e\u{301}") {
        stand.accepts(with((*jti).into()));
    }
    // A number is no name, nor is a name of nothing one that can be revoked.
    for jti in [json!(1), json!(true), json!(null), json!(["1"]), json!({})] {
        stand.gives("claim_type", with(jti));
    }
    for door in &stand.doors {
        let nothing = Handle::token(A, "");
        let refused = door
            .verifier
            .revocations()
            .revoke(&nothing, Revocation::all());
        assert!(refused.is_err());
    }
    // Who must be able to revoke single tokens asks for names.
    policy["gates"]["api"]["required_claims"] = json!(["jti"]);
    let strict = f.stand(&policy);
    strict.accepts(with("2".into()));
    strict.gives("missing_claim", &nameless);
}

pub(crate) fn rev_10_a_long_list_costs_what_is_documented(f: &Fixtures) {
    const ENTRIES: usize = 50_000;
    let (key, stand) = (f.key("K_ED"), stand(f, 1000));
    let door = &stand.doors[0];
    let revocations = door.verifier.revocations();
    let empty = revocations.stats().bytes;
    let good = f.token(&key);
    for entry in 0..ENTRIES {
        let handle = Handle::token(A, &format!("x-{entry}"));
        revocations.revoke(&handle, Revocation::all()).unwrap();
        if entry % 5000 == 0 {
            assert_eq!(door.gate.judge(&good).code(), "accepted");
        }
    }
    let stats = revocations.stats();
    assert_eq!(stats.entries, ENTRIES);
    // The manual says some 30 bytes; what is new has tables of a fixed size beside it.
    let each = (stats.bytes - empty) / ENTRIES;
    assert!(each <= 40, "{each} bytes an entry");
    // However long a name is, and none is longer than tokens have it.
    let long = "x".repeat(64 << 10);
    let before = revocations.stats().bytes;
    revocations
        .revoke(&Handle::token(A, &long), Revocation::all())
        .unwrap();
    let longer = Handle::token(A, &format!("{long}x"));
    let refused = revocations.revoke(&longer, Revocation::all());
    assert_eq!(refused, Err(RevokeError::TooLong));
    assert!(revocations.stats().bytes - before < 1 << 16);
    let last = f.signed(&key, f.with("jti", format!("x-{}", ENTRIES - 1)));
    assert_eq!(door.gate.judge(&last).code(), "revoked");
    assert_eq!(door.gate.judge(&good).code(), "accepted");
}

pub(crate) fn rev_11_no_process_is_said_to_speak_for_others(f: &Fixtures) {
    let (key, one) = (f.key("K_ED"), stand(f, 1000));
    let another = stand(f, 1000);
    let token = f.token(&key);
    one.accepts(&token);
    another.accepts(&token);
    revoke(&one, &Handle::token(A, "j-1")); // whose receipt says `process`
    one.gives("revoked", &token);
    another.accepts(&token); // as it would be in another process
    let mut policy = f.cfg_a();
    policy["revocation"] = json!({ "store": "process" });
    let policy = crate::stand::load(&policy).unwrap();
    let mut warnings = policy.warnings().iter();
    let said = warnings.any(|warning| {
        warning.path == "revocation.store" && warning.text.contains("reaches one process")
    });
    assert!(said);
}
