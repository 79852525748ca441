//! The exclusivity matrix (JWT-07, standards 29.3): no token of one kind passes as another.
//!
//! For each ordered pair of rows A, B: a good A, signed by a key that is trusted for B, given
//! every claim of B that A bears, is refused as B. Where its bytes alone could not tell, the
//! loader refuses to have both kinds for one issuer and audience, and the audience tells.

use std::collections::BTreeMap;

use sealgate_tests::conformance::answer;
use sealgate_tests::generate::{KINDS, Kind, T, canonical};
use sealgate_tests::workshop::{Hash, Key, b64u, compact};
use serde_json::{Value, json};

const ISSUER: &str = "https://as.example";
const SHARED: &str = "https://shared.example";
const WORKLOAD: &str = "spiffe://td.example/agent-a";

/// One key and one algorithm that every row may use.
fn key() -> Key {
    Key::seeded("ES256", "k1")
}

/// The good claims of a row, with one issuer, subject and audience for all.
fn claims(kind: &Kind, audience: &str) -> Value {
    let mut claims = kind.claims();
    if claims["iss"].is_string() {
        claims["iss"] = ISSUER.into();
    }
    // CA-01 wants the issuer itself; everybody else may have the name of a workload.
    let client = kind.profile == "client_assertion";
    claims["sub"] = if client { ISSUER } else { WORKLOAD }.into();
    claims["aud"] = audience.into();
    claims["iat"] = T.into();
    claims["exp"] = (T + 60).into();
    claims
}

/// Where the one issuer puts registered claims: under their own names, or elsewhere (DIA-04).
const DIALECTS: [&[(&str, &str)]; 2] = [&[], &[("scope", "scp"), ("client_id", "azp")]];

/// A policy in which the one issuer signs these rows, each with a gate of its own.
fn policy(names: &[(&str, &str)], rows: &[(&Kind, &str)]) -> Value {
    let profiles: Vec<&str> = rows.iter().map(|(kind, _)| kind.profile).collect();
    let domain = "spiffe://td.example";
    let issuer = match profiles.as_slice() {
        ["jwt_svid"] => json!(domain),
        rows if rows.contains(&"jwt_svid") => json!([ISSUER, domain]),
        _ => json!(ISSUER),
    };
    let gates: BTreeMap<String, Value> = rows
        .iter()
        .map(|(kind, audience)| {
            let gate = json!({ "profile": kind.gate, "audience": audience, "issuers": ["as"] });
            (format!("gate_{}", kind.profile), gate)
        })
        .collect();
    json!({
        "version": 1,
        "cache": { "tokens": 0 },
        "issuers": { "as": {
            "issuer": issuer,
            "jwks": { "keys": [key().jwk] },
            "algorithms": ["ES256"],
            "profiles": profiles,
            "claim_names": names.iter().copied().collect::<BTreeMap<_, _>>(),
        } },
        "gates": gates,
    })
}

/// `"accepted"`, or the code, of a token of kind `of` at the gate of `at`.
fn judge(policy: &Value, of: &Kind, at: &Kind, claims: &Value) -> String {
    let key = key();
    let typ = of
        .typ
        .map_or_else(String::new, |typ| format!(",\"typ\":\"{typ}\""));
    let token = compact(key.header(&typ), canonical(claims), |input| key.sign(input));
    let answer = answer(&json!({
        "op": "verify", "policy": policy, "now": T, "token": token,
        "gate": format!("gate_{}", at.profile),
    }));
    let code = answer["code"].as_str().unwrap_or("accepted");
    assert!(!["harness", "usage"].contains(&code), "{answer}");
    code.to_owned()
}

/// The good claims of a row in a dialect: both names where it has an alias for one.
fn claims_in(names: &[(&str, &str)], kind: &Kind, audience: &str) -> Value {
    let mut claims = claims(kind, audience);
    for (name, alias) in names {
        if let Some(value) = claims.get(name).cloned() {
            claims[alias] = value;
        }
    }
    claims
}

/// Claims of B that A lacks, put into a good A one by one as long as it stays a good A.
fn disguised(names: &[(&str, &str)], a: &Kind, b: &Kind, audience: &str) -> Value {
    let alone = policy(names, &[(a, audience)]);
    let mut disguised = claims_in(names, a, audience);
    assert_eq!(judge(&alone, a, a, &disguised), "accepted", "{}", a.profile);
    let more = claims_in(names, b, audience);
    for (name, value) in more.as_object().unwrap() {
        if disguised.get(name).is_none() {
            let mut trial = disguised.clone();
            trial[name] = value.clone();
            if judge(&alone, a, a, &trial) == "accepted" {
                disguised = trial;
            }
        }
    }
    disguised
}

fn loads(policy: &Value) -> bool {
    let text = b64u(policy.to_string());
    answer(&json!({ "op": "load_policy", "format": "json", "text": text }))["ok"] == true
}

#[test]
fn no_token_passes_as_another_kind() {
    for names in DIALECTS {
        matrix(names);
    }
}

fn matrix(names: &[(&str, &str)]) {
    let policy = |rows: &[(&Kind, &str)]| policy(names, rows);
    let (mut by_token, mut by_audience) = (BTreeMap::<String, usize>::new(), Vec::new());
    for a in KINDS {
        for b in KINDS {
            if a.profile == b.profile {
                continue;
            }
            let pair = format!("{} as {}", a.profile, b.profile);
            let claims = disguised(names, a, b, SHARED);
            let only_b = policy(&[(b, SHARED)]);
            let code = judge(&only_b, a, b, &claims);
            if code != "accepted" {
                *by_token.entry(code).or_default() += 1;
                continue;
            }
            // Nothing in the token tells: such a policy must not load.
            assert!(!loads(&policy(&[(a, SHARED), (b, SHARED)])), "{pair}");
            assert!(!loads(&policy(&[(b, SHARED), (a, SHARED)])), "{pair}");
            // Each kind has its own audience, and that is what is left.
            let apart = policy(&[(a, "https://a.example"), (b, "https://b.example")]);
            assert!(loads(&apart), "{pair}");
            let claims = disguised(names, a, b, "https://a.example");
            assert_eq!(judge(&apart, a, a, &claims), "accepted", "{pair}");
            assert_eq!(judge(&apart, a, b, &claims), "aud_mismatch", "{pair}");
            // And a token for both audiences is no way round it.
            let mut both = claims;
            both["aud"] = json!(["https://a.example", "https://b.example"]);
            assert_eq!(judge(&apart, a, b, &both), "aud_mismatch", "{pair}");
            by_audience.push(pair);
        }
    }
    let told: usize = by_token.values().sum();
    assert_eq!(told + by_audience.len(), KINDS.len() * (KINDS.len() - 1));
    // The matrix would be idle if one separator did all the work.
    for code in ["typ_mismatch", "forbidden_claim"] {
        assert!(by_token.contains_key(code), "{code}: {by_token:?}");
    }
    assert!(
        by_audience.contains(&"id_token as jwt_custom".to_owned()),
        "{by_audience:?}"
    );
}

#[test]
fn one_issuer_writes_access_tokens_in_one_way() {
    let (typed, untyped) = (
        Kind::named("access_token"),
        Kind::named("access_token_untyped"),
    );
    assert!(loads(&policy(&[], &[(typed, SHARED)])));
    let both = [(typed, "https://a.example"), (untyped, "https://b.example")];
    assert!(!loads(&policy(&[], &both)));
}

/// The row that no gate and no issuer names: a proof comes with a token, and is none.
#[test]
fn no_proof_passes_as_a_token_and_no_token_as_a_proof() {
    let client = Key::seeded("ES256", "client");
    let public: Value = ["crv", "kty", "x", "y"]
        .iter()
        .map(|name| ((*name).to_owned(), client.jwk[*name].clone()))
        .collect();
    let jkt = b64u(Hash::Sha256.digest(canonical(&public).as_bytes()));
    let access = Kind::named("access_token");
    let mut claims = access.claims();
    claims["cnf"] = json!({ "jkt": jkt });
    let token = access.token(&claims);
    let mut policy = access.policy();
    policy["gates"]["g"]["public_url"] = "https://rs.example".into();
    policy["dpop"] = json!({});
    policy["replay"] = json!({ "store": "process" });
    let shown = |typ: Option<&str>, claims: &Value| {
        let typ = typ.map_or_else(String::new, |typ| format!("\"typ\":\"{typ}\","));
        let header = format!("{{{typ}\"alg\":\"ES256\",\"jwk\":{public}}}");
        let proof = compact(header, canonical(claims), |input| client.sign(input));
        let fields = json!([["Authorization", format!("DPoP {token}")], ["DPoP", proof]]);
        let answer = answer(&json!({
            "op": "verify_request", "policy": policy, "now": T, "method": "POST", "uri": "/mcp",
            "headers": fields,
        }));
        answer["code"].as_str().unwrap_or("accepted").to_owned()
    };
    let proof = json!({
        "jti": "p1", "htm": "POST", "htu": "https://rs.example/mcp", "iat": T,
        "ath": b64u(Hash::Sha256.digest(token.as_bytes())),
    });
    assert_eq!(shown(Some("dpop+jwt"), &proof), "accepted");
    for kind in KINDS {
        // Every claim of a proof, under the header of another kind.
        let mut both = kind.claims();
        for (name, value) in proof.as_object().unwrap() {
            both[name] = value.clone();
        }
        assert_eq!(shown(kind.typ, &both), "pop_invalid", "{}", kind.profile);
        // And a good token of that kind, under the header of a proof.
        let key = kind.key();
        let header = key.header(",\"typ\":\"dpop+jwt\"");
        let token = compact(header, canonical(&kind.claims()), |input| key.sign(input));
        let answer = answer(&kind.request(&token));
        assert_eq!(answer["code"], "typ_mismatch", "{}", kind.profile);
    }
}
