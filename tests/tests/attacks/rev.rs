//! Attacks on revocation: other bytes of a revoked token, races, names of other issuers; and what a
//! status list says of each of its tokens.

use std::sync::atomic::{AtomicU64, Ordering};

use sealgate::{Handle, Revocation, StatusList};
use sealgate_tests::vectors;
use sealgate_tests::workshop::{Key, b64u, compact};
use serde_json::{Value, json};

use crate::stand::{Fixtures, Stand, config};

const ISS: &str = "https://issuer.example";

fn revoking(f: &Fixtures) -> Stand {
    let mut policy = f.cfg_a();
    policy["revocation"] = json!({ "store": "process" });
    f.stand(&policy)
}

fn revoke(stand: &Stand, handle: &Handle) {
    for door in &stand.doors {
        let revocations = door.verifier.revocations();
        revocations.revoke(handle, Revocation::all()).unwrap();
    }
}

pub(crate) fn rev_01_other_bytes_of_a_revoked_token(f: &Fixtures) {
    let stand = revoking(f);
    let key = f.key("K_EC");
    let token = f.token(&key);
    stand.accepts(&token);
    revoke(&stand, &Handle::token(ISS, "j-1"));
    stand.gives("revoked", &token);
    // The same claims in other bytes: signed again, spaced, reordered, escaped.
    let spaced = f.payload().replace(',', " ,\n");
    let escaped = f.payload().replace("\"j-1\"", "\"\\u006a-1\"");
    for payload in [f.payload(), spaced, escaped] {
        stand.gives("revoked", f.signed(&key, payload));
    }
    stand.gives("revoked", f.token(&f.key("K_ED")));
    // Other bytes of the token itself are no token.
    for sibling in [
        format!("{token}="),
        format!("{token} "),
        format!("{token}\n"),
        format!("{token}A"),
    ] {
        assert_ne!(stand.judge(&sibling), "accepted");
    }
    stand.accepts(f.signed(&key, f.with("jti", "j-2")));
}

pub(crate) fn rev_03_a_verification_that_starts_after_revoke_has_returned(f: &Fixtures) {
    const ROUNDS: u64 = 2_000;
    let stand = revoking(f);
    let key = f.key("K_ED");
    let tokens: Vec<String> = (0..ROUNDS)
        .map(|round| f.signed(&key, f.with("jti", format!("r{round}"))))
        .collect();
    let door = &stand.doors[0];
    let revoked = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..ROUNDS {
                let handle = Handle::token(ISS, &format!("r{round}"));
                door.verifier
                    .revocations()
                    .revoke(&handle, Revocation::all())
                    .unwrap();
                revoked.store(round + 1, Ordering::SeqCst);
            }
        });
        while revoked.load(Ordering::SeqCst) < ROUNDS {
            let gone = revoked.load(Ordering::SeqCst);
            for round in [0, gone / 2, gone.saturating_sub(1), gone] {
                let Some(token) = usize::try_from(round)
                    .ok()
                    .and_then(|round| tokens.get(round))
                else {
                    continue;
                };
                let verdict = door.gate.judge(token);
                assert!(
                    round >= gone || verdict.code() == "revoked",
                    "{round} of {gone}"
                );
            }
        }
    });
    stand.accepts(f.token(&key));
}

pub(crate) fn rev_04_jti_absent_mistyped_or_of_another_issuer(f: &Fixtures) {
    let stand = revoking(f);
    let key = f.key("K_EC");
    revoke(&stand, &Handle::token(ISS, "1"));
    stand.gives("revoked", f.signed(&key, f.with("jti", "1")));
    stand.gives("claim_type", f.signed(&key, f.with("jti", 1)));
    stand.gives("claim_type", f.signed(&key, f.with("jti", "")));
    stand.gives("claim_type", f.signed(&key, f.with("jti", Value::Null)));
    for other in ["1 ", " 1", "1\u{0}", "\u{ff11}", "01"] {
        stand.accepts(f.signed(&key, f.with("jti", other)));
    }
    // Where it must be there: access tokens.
    let mut policy = config(&[key.jwk.clone()], &["ES256"]);
    policy["revocation"] = json!({ "store": "process" });
    policy["issuers"]["issuer"]["profiles"] = json!(["access_token"]);
    policy["gates"]["api"]["profile"] = "access_token".into();
    let stand = f.stand(&policy);
    let access = |key: &Key, claims: &Value| {
        let header = key.header(",\"typ\":\"at+jwt\"");
        compact(header, claims.to_string(), |input| key.sign(input))
    };
    let mut claims = f.base.clone();
    claims["client_id"] = "c1".into();
    stand.accepts(access(&key, &claims));
    claims.as_object_mut().unwrap().remove("jti");
    stand.gives("missing_claim", access(&key, &claims));
    // REV-03 of the standards: another issuer's "1" is another token.
    let mut policy = f.cfg_a();
    policy["revocation"] = json!({ "store": "process" });
    let mut other = policy["issuers"]["issuer"].clone();
    other["issuer"] = "https://other.example".into();
    policy["issuers"]["other"] = other;
    policy["gates"]["api"]["issuers"] = json!(["issuer", "other"]);
    let stand = f.stand(&policy);
    revoke(&stand, &Handle::token("https://other.example", "j-1"));
    stand.accepts(f.token(&key));
    stand.gives(
        "revoked",
        f.signed(&key, f.with("iss", "https://other.example")),
    );
}

pub(crate) fn stat_01_every_listed_index(_: &Fixtures) {
    let Some(folder) = vectors::folder("the status lists of the draft") else {
        return;
    };
    let lists = vectors::read(&folder, "status-list/vectors.json");
    let mut checked = 0;
    for vector in lists["vectors"].as_array().unwrap() {
        let bits = vector["bits"].as_u64().unwrap();
        let list = StatusList::decode(bits, vector["lst"].as_str().unwrap()).unwrap();
        let entries = vector["entries"].as_u64().unwrap();
        assert!(
            (entries..entries + 8).contains(&list.entries()),
            "{}",
            vector["id"]
        );
        let expected = vector["expected"].as_array().unwrap();
        let expected: Vec<(u64, u8)> = expected
            .iter()
            .map(|one| {
                let status = one["status"].as_u64().unwrap();
                (one["idx"].as_u64().unwrap(), u8::try_from(status).unwrap())
            })
            .collect();
        for (index, status) in &expected {
            assert_eq!(list.get(*index), Some(*status), "{} {index}", vector["id"]);
            checked += 1;
        }
        if let Some(others) = vector["all_other_indices"].as_u64() {
            for index in (0..entries).filter(|index| !expected.iter().any(|(own, _)| own == index))
            {
                assert_eq!(list.get(index).map(u64::from), Some(others));
            }
        }
        assert_eq!(list.get(list.entries()), None);
    }
    assert!(checked > 50, "{checked} are too few");
    // The control of the encoding itself: the same text with another alphabet is no list.
    assert!(StatusList::decode(1, &b64u("eNrbuRgAAhcBXQ")).is_err());
}
