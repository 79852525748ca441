//! The exclusivity matrix (JWT-07, standards 29.3): no token of one kind passes as another.
//!
//! For each ordered pair of rows A, B: a good A, signed by a key that is trusted for B, given
//! every claim of B that A bears, is refused as B. Where its bytes alone could not tell, the
//! loader refuses to have both kinds for one issuer and audience, and the audience tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use sealgate::crypto;
use sealgate_tests::conformance::{Harness, answer};
use sealgate_tests::generate::{KINDS, Kind, T, canonical};
use sealgate_tests::workshop::{Key, b64u, compact};
use serde_json::{Value, json};

const ISSUER: &str = "https://as.example";
const SHARED: &str = "https://shared.example";
const WORKLOAD: &str = "spiffe://td.example/agent-a";

/// One key and one algorithm that every row may use.
fn key() -> &'static Key {
    static KEY: LazyLock<Key> = LazyLock::new(|| Key::seeded("ES256", "k1"));
    &KEY
}

/// Whether kinds that may name an audience do, and their gates ask for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    Somebody,
    Nobody,
}

/// The kinds to which either may happen.
const AIMLESS: [&str; 2] = ["capability", "intent_token"];

/// What a matrix holds fixed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Setting {
    /// Where the one issuer puts registered claims.
    names: &'static [(&'static str, &'static str)],
    aim: Aim,
}

/// Registered names, and no audience but where the kind has one.
const PLAIN: Setting = Setting {
    names: &[],
    aim: Aim::Nobody,
};

impl Setting {
    /// Whether a pair differs from itself under [`PLAIN`].
    fn touches(self, a: &Kind, b: &Kind) -> bool {
        let knows = |kind: &Kind| self.names.iter().any(|(name, _)| kind.knows(name));
        let aimless = |kind: &Kind| AIMLESS.contains(&kind.profile);
        let renamed = self.names.is_empty() || knows(a) || knows(b);
        renamed && (self.aim == Aim::Nobody || aimless(a) || aimless(b))
    }

    fn has_audience(self, kind: &Kind) -> bool {
        kind.audience.is_some() || (self.aim == Aim::Somebody && AIMLESS.contains(&kind.profile))
    }
}

/// The good claims of a row, with one issuer, subject, audience and time for all that have them.
fn claims(setting: Setting, kind: &Kind, audience: &str) -> Value {
    let mut claims = kind.claims();
    if claims["iss"].is_string() {
        claims["iss"] = ISSUER.into();
    }
    if claims["sub"].is_string() {
        // CA-01 wants the issuer itself; everybody else may have the name of a workload.
        let client = kind.profile == "client_assertion";
        claims["sub"] = if client { ISSUER } else { WORKLOAD }.into();
    }
    if setting.has_audience(kind) {
        claims["aud"] = audience.into();
    }
    if kind.profile != "agent_card" {
        claims["iat"] = T.into();
    }
    if kind.ends() {
        claims["exp"] = (T + 60).into();
    }
    claims
}

/// Where the one issuer puts registered claims: under their own names, or elsewhere (DIA-04).
const DIALECTS: [&[(&str, &str)]; 2] = [&[], &[("scope", "scp"), ("client_id", "azp")]];

/// A policy in which the one issuer signs these rows, each with a gate of its own.
fn policy(setting: Setting, rows: &[(&Kind, &str)]) -> Value {
    let profiles: Vec<&str> = rows.iter().map(|(kind, _)| kind.profile).collect();
    let domain = "spiffe://td.example";
    let workloads = profiles
        .iter()
        .filter(|row| ["jwt_svid", "wit"].contains(row));
    let issuer = match workloads.count() {
        0 => json!(ISSUER),
        count if count == profiles.len() => json!(domain),
        _ => json!([ISSUER, domain]),
    };
    let gates: BTreeMap<String, Value> = rows
        .iter()
        .map(|(kind, audience)| {
            let mut gate = kind.gate_members();
            gate["issuers"] = json!(["as"]);
            if setting.has_audience(kind) {
                gate["audience"] = json!(audience);
            }
            (format!("gate_{}", kind.profile), gate)
        })
        .collect();
    let once = rows.iter().any(|(kind, _)| kind.is_used_once());
    let mut policy = json!({
        "version": 1,
        "cache": { "tokens": 0 },
        "issuers": { "as": {
            "issuer": issuer,
            "jwks": { "keys": [key().jwk] },
            "algorithms": ["ES256"],
            "profiles": profiles,
            "claim_names": setting.names.iter().copied().collect::<BTreeMap<_, _>>(),
        } },
        "gates": gates,
    });
    if once {
        policy["replay"] = json!({ "store": "process" });
    }
    policy
}

/// Judges tokens under both providers; verifiers are kept, since the matrix asks each many times.
struct Judge {
    harnesses: [Harness; 2],
    opened: BTreeSet<String>,
    judged: usize,
}

impl Judge {
    fn new() -> Self {
        let providers = [crypto::aws_lc::provider(), crypto::ring::provider()];
        Self {
            harnesses: providers.map(Harness::new),
            opened: BTreeSet::new(),
            judged: 0,
        }
    }

    /// The one answer of both.
    fn ask(&mut self, request: &Value) -> Value {
        let [one, other] = self
            .harnesses
            .each_mut()
            .map(|harness| harness.answer(request));
        assert_eq!(one, other, "{request}");
        one
    }

    /// `"accepted"`, or the code, of a token of kind `of` at the gate of `at`.
    fn judge(&mut self, policy: &Value, of: &Kind, at: &Kind, claims: &Value) -> String {
        let session = policy.to_string();
        if self.opened.insert(session.clone()) {
            let opened = self.ask(&json!({
                "op": "open", "session": session, "policy": policy, "now": T,
            }));
            assert_eq!(opened["ok"], true, "{opened}");
        }
        let key = key();
        let typ = of
            .typ
            .map_or_else(String::new, |typ| format!(",\"typ\":\"{typ}\""));
        // Some are good once, whatever else is in them.
        let mut claims = claims.clone();
        if claims.get("jti").is_some() {
            self.judged += 1;
            claims["jti"] = format!("j{}", self.judged).into();
        }
        let token = compact(key.header(&typ), canonical(&claims), |input| {
            key.sign(input)
        });
        let answer = self.ask(&json!({
            "op": "verify", "session": session, "now": T, "token": token,
            "gate": format!("gate_{}", at.profile),
        }));
        let code = answer["code"].as_str().unwrap_or("accepted");
        assert!(!["harness", "usage"].contains(&code), "{answer}");
        code.to_owned()
    }
}

/// The good claims of a row in a dialect: both names where it has an alias for one.
fn claims_in(setting: Setting, kind: &Kind, audience: &str) -> Value {
    let mut claims = claims(setting, kind, audience);
    for (name, alias) in setting.names {
        if let Some(value) = claims.get(name).cloned() {
            claims[alias] = value;
        }
    }
    claims
}

/// Claims of B that A lacks, put into a good A one by one as long as it stays a good A.
fn disguised(bench: &mut Judge, setting: Setting, a: &Kind, b: &Kind, audience: &str) -> Value {
    let alone = policy(setting, &[(a, audience)]);
    let mut disguised = claims_in(setting, a, audience);
    assert_eq!(
        bench.judge(&alone, a, a, &disguised),
        "accepted",
        "{}",
        a.profile
    );
    let more = claims_in(setting, b, audience);
    // Mostly all of them fit, or none has to be tried alone.
    let mut all = more.clone();
    all.as_object_mut()
        .unwrap()
        .extend(disguised.as_object().unwrap().clone());
    if bench.judge(&alone, a, a, &all) == "accepted" {
        return all;
    }
    for (name, value) in more.as_object().unwrap() {
        if disguised.get(name).is_none() {
            let mut trial = disguised.clone();
            trial[name] = value.clone();
            if bench.judge(&alone, a, a, &trial) == "accepted" {
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

/// JWT-07.
#[test]
fn no_token_passes_as_another_kind() {
    let mut bench = Judge::new();
    for names in DIALECTS {
        for aim in [Aim::Somebody, Aim::Nobody] {
            matrix(&mut bench, Setting { names, aim });
        }
    }
}

fn matrix(bench: &mut Judge, setting: Setting) {
    let policy = |rows: &[(&Kind, &str)]| policy(setting, rows);
    let (mut by_token, mut by_audience) = (BTreeMap::<String, usize>::new(), Vec::new());
    let mut pairs = 0;
    for a in KINDS {
        for b in KINDS {
            if a.profile == b.profile || !setting.touches(a, b) {
                continue;
            }
            pairs += 1;
            let pair = format!("{} as {}", a.profile, b.profile);
            let claims = disguised(bench, setting, a, b, SHARED);
            let only_b = policy(&[(b, SHARED)]);
            let code = bench.judge(&only_b, a, b, &claims);
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
            let claims = disguised(bench, setting, a, b, "https://a.example");
            assert_eq!(bench.judge(&apart, a, a, &claims), "accepted", "{pair}");
            assert_eq!(bench.judge(&apart, a, b, &claims), "aud_mismatch", "{pair}");
            // And a token for both audiences is no way round it.
            let mut both = claims;
            both["aud"] = json!(["https://a.example", "https://b.example"]);
            assert_eq!(bench.judge(&apart, a, b, &both), "aud_mismatch", "{pair}");
            by_audience.push(pair);
        }
    }
    let told: usize = by_token.values().sum();
    assert_eq!(told + by_audience.len(), pairs);
    if setting != PLAIN {
        return;
    }
    assert_eq!(pairs, KINDS.len() * (KINDS.len() - 1));
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
    assert!(loads(&policy(PLAIN, &[(typed, SHARED)])));
    let both = [(typed, "https://a.example"), (untyped, "https://b.example")];
    assert!(!loads(&policy(PLAIN, &both)));
}
