//! The world of the demonstration: two issuers, forty agents, and what knocks at the door.
//!
//! Everything comes from seeds, so that `demo token` and `--demo` need no files. The library
//! refuses these keys everywhere else.

use sealgate::crypto::{CryptoProvider, SigningKey};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{JwkSet, KeyError};
use sealgate::mint::{ClaimsBuilder, Minter};
use sealgate::{Clock, Format, LoadOptions, NumericDate, Policy, PolicyError, Span, Verifier};

use crate::gate::Cache;

/// The moment at which everything happens: 2027-01-15T08:00:00Z.
const NOW: i64 = 1_800_000_000;
pub(super) const AGENTS: usize = 40;
pub(super) const GATE: &str = "tools";
/// A second door, through which no agent may pass.
const VAULT: &str = "vault";
const AUDIENCE: &str = "https://api.example.com/mcp";
/// Times the keys are rotated while the tokens are judged.
pub(super) const ROTATIONS: usize = 3;

pub(super) fn clock() -> Clock {
    Clock::fixed(NOW)
}

fn now() -> NumericDate {
    clock().now()
}

/// An issuer: its name in the policy, its `iss`, and its keys.
pub(super) struct Issuer {
    pub(super) name: &'static str,
    iss: &'static str,
    pub(super) algorithm: Algorithm,
}

pub(super) const ISSUERS: [Issuer; 2] = [
    Issuer {
        name: "corp",
        iss: "https://login.example.com",
        algorithm: Algorithm::Es256,
    },
    Issuer {
        name: "lab",
        iss: "https://id.lab.example",
        algorithm: Algorithm::Ed25519,
    },
];

/// What an issuer signs with: always `main`; `side` keys come and go; `withdrawn` is gone.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Main,
    Side(u8),
    Withdrawn,
}

impl Issuer {
    pub(super) fn key(&self, role: Role) -> Result<SigningKey, KeyError> {
        let (mark, kid) = match role {
            Role::Main => (0, format!("{}-main", self.name)),
            Role::Side(number) => (1 + number, format!("{}-side-{number}", self.name)),
            Role::Withdrawn => (255, format!("{}-2025", self.name)),
        };
        let mut seed = [0; 32];
        let text = format!("sealgate demo {}", self.name);
        for (to, from) in seed.iter_mut().zip(text.bytes().chain([mark])) {
            *to = from;
        }
        Ok(SigningKey::from_seed(self.algorithm, &seed)?.with_kid(&kid))
    }

    /// The key set after so many rotations.
    pub(super) fn keys(&self, rotation: u8) -> Result<JwkSet, KeyError> {
        let roles = [Role::Main, Role::Side(rotation)];
        roles
            .into_iter()
            .map(|role| Ok(self.key(role)?.verifying_jwk().clone()))
            .collect()
    }
}

/// The demonstration's verifier with its keys in place.
pub(super) fn verifier(
    clock: Clock,
    provider: CryptoProvider,
    cache: Cache,
) -> Result<Verifier, PolicyError> {
    let tokens = match cache {
        Cache::Own => 1_000_000,
        Cache::Off => 0,
    };
    let issuers: serde_json::Map<String, serde_json::Value> = ISSUERS
        .iter()
        .map(|issuer| {
            let rules = serde_json::json!({
                "issuer": issuer.iss, "jwks_push": "process",
                "algorithms": [issuer.algorithm.name()],
            });
            (issuer.name.to_owned(), rules)
        })
        .collect();
    let gate = |delegation: &str| {
        serde_json::json!({
            "profile": "access_token", "audience": AUDIENCE, "issuers": ["corp", "lab"],
            "required_scopes": ["mcp:use"], "delegation": delegation,
        })
    };
    let document = serde_json::json!({
        "version": 1, "issuers": issuers, "cache": { "tokens": tokens },
        "gates": { GATE: gate("surface"), VAULT: gate("forbid") },
    });
    let options = LoadOptions::new().allow_test_keys(true);
    let policy = Policy::parse_with(document.to_string(), Format::Json, &options)?;
    let verifier = Verifier::with_clock(policy, provider, clock)?;
    for issuer in &ISSUERS {
        // The policy above takes exactly these keys.
        if let Ok(keys) = issuer.keys(0) {
            let _ = verifier.keys().publish(issuer.name, &keys);
        }
    }
    Ok(verifier)
}

/// One row of the table: who knocks, how often, and what must be said.
pub(super) struct Row {
    /// For `demo token NAME`.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    /// Tokens of this row among 400.
    pub(super) weight: usize,
    pub(super) code: &'static str,
    pub(super) gate: &'static str,
    make: fn(&Mints, usize) -> Result<String, KeyError>,
}

#[rustfmt::skip]
pub(super) const ROWS: [Row; 16] = [
    Row { name: "agent",     label: "an agent acting for a person",         weight: 228, code: "accepted",          gate: GATE,  make: agent },
    Row { name: "chain",     label: "a chain of two to five agents",        weight: 60,  code: "accepted",          gate: GATE,  make: chain },
    Row { name: "expired",   label: "yesterday's token",                    weight: 32,  code: "expired",           gate: GATE,  make: expired },
    Row { name: "neighbour", label: "a token for the service next door",    weight: 24,  code: "aud_mismatch",      gate: GATE,  make: neighbour },
    Row { name: "flipped",   label: "one flipped bit",                      weight: 16,  code: "bad_signature",     gate: GATE,  make: flipped },
    Row { name: "withdrawn", label: "signed with a withdrawn key",          weight: 8,   code: "key_not_found",     gate: GATE,  make: withdrawn },
    Row { name: "bound",     label: "a stolen bound token, no proof",       weight: 8,   code: "pop_required",      gate: GATE,  make: bound },
    Row { name: "none",      label: "alg none",                             weight: 3,   code: "alg_not_allowed",   gate: GATE,  make: none },
    Row { name: "confused",  label: "HS256 with the public key",            weight: 3,   code: "alg_not_allowed",   gate: GATE,  make: confused },
    Row { name: "stranger",  label: "an issuer nobody trusts",              weight: 4,   code: "iss_untrusted",     gate: GATE,  make: stranger },
    Row { name: "id-token",  label: "an ID token at the API door",          weight: 4,   code: "typ_mismatch",      gate: GATE,  make: id_token },
    Row { name: "forbidden", label: "an agent where none may act",          weight: 4,   code: "actor_not_allowed", gate: VAULT, make: agent },
    Row { name: "six",       label: "six agents in a row",                  weight: 2,   code: "chain_too_deep",    gate: GATE,  make: six },
    Row { name: "circle",    label: "agents acting in a circle",            weight: 2,   code: "chain_loop",        gate: GATE,  make: circle },
    Row { name: "twice",     label: "two sub claims in one token",          weight: 1,   code: "duplicate_member",  gate: GATE,  make: twice },
    Row { name: "nested",    label: "a hundred nested actors",              weight: 1,   code: "nesting_too_deep",  gate: GATE,  make: nested },
];

impl Row {
    pub(super) fn make(&self, mints: &Mints, number: usize) -> Result<String, KeyError> {
        (self.make)(mints, number)
    }
}

/// A minter for each thing an issuer, or somebody who would like to be one, signs with.
pub(super) struct Mints {
    main: Vec<Minter>,
    withdrawn: Vec<Minter>,
    id_token: Vec<Minter>,
    confused: Vec<Minter>,
}

impl Mints {
    pub(super) fn new() -> Result<Self, KeyError> {
        let each = |make: &dyn Fn(&Issuer) -> Result<Minter, KeyError>| {
            ISSUERS.iter().map(make).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            main: each(&|issuer| Ok(Minter::new(issuer.key(Role::Main)?).with_typ("at+jwt")))?,
            withdrawn: each(&|issuer| {
                Ok(Minter::new(issuer.key(Role::Withdrawn)?).with_typ("at+jwt"))
            })?,
            id_token: each(&|issuer| Ok(Minter::new(issuer.key(Role::Main)?).with_typ("JWT")))?,
            confused: each(&|issuer| {
                let public = issuer.key(Role::Main)?.verifying_jwk().to_json();
                let secret = SigningKey::from_secret(Algorithm::Hs256, public.as_bytes())?;
                let kid = format!("{}-main", issuer.name);
                Ok(Minter::new(secret.with_kid(&kid)).with_typ("at+jwt"))
            })?,
        })
    }
}

fn issuer_of(number: usize) -> (&'static Issuer, usize) {
    let position = number % ISSUERS.len();
    (&ISSUERS[position], position)
}

fn agent_name(number: usize) -> String {
    format!("spiffe://example.com/agents/research/{}", number % AGENTS)
}

/// What every good token has, before actors.
fn claims(number: usize) -> ClaimsBuilder {
    let (issuer, _) = issuer_of(number);
    ClaimsBuilder::new()
        .issuer(issuer.iss)
        .subject(&format!("user-{}", number % 10_007))
        .audience([AUDIENCE, "https://files.example.com"])
        .lifetime(now(), Span::from_seconds(300))
        .jwt_id(&format!("demo-{number}"))
        .client_id(&agent_name(number))
        .scope("mcp:use files.read")
}

/// A good token's claims from this issuer: an agent for a person.
pub(super) fn claims_of(issuer: &Issuer, number: usize) -> ClaimsBuilder {
    claims(number)
        .issuer(issuer.iss)
        .actor(issuer.iss, &agent_name(number))
}

/// A policy for tokens signed with one key, without a cache.
pub(super) fn lone_policy(key: &SigningKey) -> Result<Policy, PolicyError> {
    let jwk: serde_json::Value =
        serde_json::from_str(&key.verifying_jwk().to_json()).unwrap_or_default();
    let document = serde_json::json!({
        "version": 1, "cache": { "tokens": 0 },
        "issuers": { "corp": {
            "issuer": ISSUERS[0].iss, "jwks": { "keys": [jwk] },
            "algorithms": [key.algorithm().name()],
        } },
        "gates": { GATE: {
            "profile": "access_token", "audience": AUDIENCE, "issuers": ["corp"],
            "required_scopes": ["mcp:use"], "delegation": "surface",
        } },
    });
    Policy::parse(document.to_string(), Format::Json)
}

fn delegated(number: usize, actors: usize) -> ClaimsBuilder {
    let (issuer, _) = issuer_of(number);
    (0..actors).fold(claims(number), |claims, link| {
        claims.actor(issuer.iss, &agent_name(number + link))
    })
}

fn mint(mints: &[Minter], number: usize, claims: &ClaimsBuilder) -> Result<String, KeyError> {
    let (_, position) = issuer_of(number);
    mints[position].mint(claims)
}

fn agent(mints: &Mints, number: usize) -> Result<String, KeyError> {
    mint(&mints.main, number, &delegated(number, 1))
}

fn chain(mints: &Mints, number: usize) -> Result<String, KeyError> {
    mint(&mints.main, number, &delegated(number, 2 + number % 4))
}

fn six(mints: &Mints, number: usize) -> Result<String, KeyError> {
    mint(&mints.main, number, &delegated(number, 6))
}

fn circle(mints: &Mints, number: usize) -> Result<String, KeyError> {
    let (issuer, _) = issuer_of(number);
    let claims = delegated(number, 2).actor(issuer.iss, &agent_name(number));
    mint(&mints.main, number, &claims)
}

fn expired(mints: &Mints, number: usize) -> Result<String, KeyError> {
    let yesterday = NumericDate::from_seconds(NOW - 86_400).unwrap_or_else(now);
    let claims = delegated(number, 1).lifetime(yesterday, Span::from_seconds(300));
    mint(&mints.main, number, &claims)
}

fn neighbour(mints: &Mints, number: usize) -> Result<String, KeyError> {
    let claims = delegated(number, 1).audience(["https://api.example.com/billing"]);
    mint(&mints.main, number, &claims)
}

fn flipped(mints: &Mints, number: usize) -> Result<String, KeyError> {
    let mut token = agent(mints, number)?;
    // In the middle of the signature, where every bit of a character counts.
    let place = token.len() - 40;
    let other = if token[place..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    token.replace_range(place..=place, other);
    Ok(token)
}

fn withdrawn(mints: &Mints, number: usize) -> Result<String, KeyError> {
    mint(&mints.withdrawn, number, &delegated(number, 1))
}

fn bound(mints: &Mints, number: usize) -> Result<String, KeyError> {
    let claims = delegated(number, 1).bound_to("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    mint(&mints.main, number, &claims)
}

fn none(mints: &Mints, number: usize) -> Result<String, KeyError> {
    let token = agent(mints, number)?;
    let payload = token.split('.').nth(1).unwrap_or_default();
    // {"alg":"none","typ":"at+jwt"}
    Ok(format!(
        "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}."
    ))
}

fn confused(mints: &Mints, number: usize) -> Result<String, KeyError> {
    mint(&mints.confused, number, &delegated(number, 1))
}

fn stranger(mints: &Mints, number: usize) -> Result<String, KeyError> {
    mint(
        &mints.main,
        number,
        &delegated(number, 1).issuer("https://login.examp1e.com"),
    )
}

fn id_token(mints: &Mints, number: usize) -> Result<String, KeyError> {
    mint(&mints.id_token, number, &claims(number))
}

fn twice(mints: &Mints, number: usize) -> Result<String, KeyError> {
    let (_, position) = issuer_of(number);
    let claims = delegated(number, 1).to_json();
    let claims = claims.replacen('{', r#"{"sub":"admin","#, 1);
    mints.main[position].sign(claims.as_bytes())
}

fn nested(mints: &Mints, number: usize) -> Result<String, KeyError> {
    mint(&mints.main, number, &delegated(number, 100))
}

#[cfg(test)]
mod tests {
    use sealgate::crypto::{aws_lc, published, thumbprint};

    use super::{ISSUERS, ROTATIONS, Role};

    #[test]
    fn the_library_refuses_every_key_of_the_demonstration_elsewhere() {
        let sides = (0..=u8::try_from(ROTATIONS).unwrap()).map(Role::Side);
        for role in [Role::Main, Role::Withdrawn].into_iter().chain(sides) {
            for issuer in &ISSUERS {
                let key = issuer.key(role).unwrap();
                let thumbprint = thumbprint(&aws_lc::provider(), key.verifying_jwk());
                let label = published::label_of(&thumbprint);
                assert_eq!(label, Some("sealgate demo"), "{thumbprint}");
            }
        }
    }
}
