//! The stand the attacks run at: the fixtures' keys, clock and configurations, on every provider.

use std::path::Path;
use std::sync::Arc;

use sealgate::crypto::{self, CryptoProvider};
use sealgate::{Clock, FixedClock, Format, Gate, LoadOptions, Policy, PolicyError, Verifier};
use sealgate_tests::vectors;
use sealgate_tests::workshop::{Key, compact};
use serde_json::{Value, json};

pub(crate) fn providers() -> [CryptoProvider; 2] {
    [crypto::aws_lc::provider(), crypto::ring::provider()]
}

/// `attacks/fixtures.json`: keys, clock and the base claims.
pub(crate) struct Fixtures {
    keys: Value,
    pub(crate) base: Value,
    pub(crate) t0: i64,
}

impl Fixtures {
    pub(crate) fn read(folder: &Path) -> Self {
        let text = vectors::read(folder, "attacks/fixtures.json");
        Self {
            keys: text["keys"].clone(),
            base: text["conventions"]["BASE"].clone(),
            t0: text["conventions"]["T0"].as_i64().unwrap(),
        }
    }

    pub(crate) fn key(&self, name: &str) -> Key {
        Key::from_jwk(&self.keys[name])
    }

    /// The base claims with one member put in or replaced.
    pub(crate) fn with(&self, name: &str, value: impl Into<Value>) -> String {
        let mut claims = self.base.clone();
        claims[name] = value.into();
        claims.to_string()
    }

    pub(crate) fn without(&self, name: &str) -> String {
        let mut claims = self.base.clone();
        claims.as_object_mut().unwrap().remove(name).unwrap();
        claims.to_string()
    }

    pub(crate) fn payload(&self) -> String {
        self.base.to_string()
    }

    /// A good token by `key`.
    pub(crate) fn token(&self, key: &Key) -> String {
        self.signed(key, self.payload())
    }

    /// A token by `key` over this payload.
    pub(crate) fn signed(&self, key: &Key, payload: impl AsRef<[u8]>) -> String {
        compact(key.header(""), payload, |input| key.sign(input))
    }

    /// The keys of `CFG_A`.
    pub(crate) fn keys_a(&self) -> [Key; 3] {
        ["K_RSA", "K_EC", "K_ED"].map(|name| self.key(name))
    }

    /// `CFG_A`: three public keys, three algorithms, leeway 0.
    pub(crate) fn cfg_a(&self) -> Value {
        let keys = self.keys_a().map(|key| key.jwk);
        config(&keys, &["RS256", "ES256", "Ed25519"])
    }

    /// `CFG_H`: one shared secret.
    pub(crate) fn cfg_h(&self) -> Value {
        config(&[self.key("K_OCT").jwk], &["HS256"])
    }

    pub(crate) fn stand(&self, policy: &Value) -> Stand {
        self.try_stand(policy)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_stand(&self, policy: &Value) -> Result<Stand, PolicyError> {
        let doors = providers()
            .into_iter()
            .filter_map(|provider| Door::open(policy, provider, self.t0).transpose());
        Ok(Stand {
            doors: doors.collect::<Result<_, _>>()?,
        })
    }

    /// `CFG_A` with every provider.
    pub(crate) fn stand_a(&self) -> Stand {
        self.stand(&self.cfg_a())
    }
}

/// The configuration of the fixtures with other keys and algorithms.
pub(crate) fn config(keys: &[Value], algorithms: &[&str]) -> Value {
    json!({
        "version": 1,
        "preset": "rfc",
        "leeway": "0s",
        "cache": { "tokens": 1000 },
        "issuers": { "issuer": {
            "issuer": "https://issuer.example",
            "jwks": { "keys": keys },
            "algorithms": algorithms,
            "profiles": ["jwt_custom"],
        } },
        "gates": { "api": {
            "profile": "jwt_custom",
            "audience": "https://api.example",
            "issuers": ["issuer"],
        } },
    })
}

pub(crate) fn load(policy: &Value) -> Result<Policy, PolicyError> {
    let options = LoadOptions::new().allow_test_keys(true);
    Policy::parse_with(policy.to_string(), Format::Json, &options)
}

/// One provider's verifier of a policy, and its clock.
pub(crate) struct Door {
    pub(crate) verifier: Verifier,
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<FixedClock>,
}

impl Door {
    /// `None` where the policy asks for an algorithm the provider does not have.
    fn open(
        policy: &Value,
        provider: CryptoProvider,
        now: i64,
    ) -> Result<Option<Self>, PolicyError> {
        let asked = policy["issuers"]["issuer"]["algorithms"].as_array();
        let lacks = |name: &Value| {
            sealgate::jwa::Algorithm::from_name(name.as_str().unwrap_or_default())
                .is_some_and(|algorithm| !provider.algorithms.contains(algorithm))
        };
        if asked.is_some_and(|names| names.iter().any(lacks)) {
            return Ok(None);
        }
        let clock = Arc::new(FixedClock::new(now));
        let fixed = Clock::Fixed(Arc::clone(&clock));
        let verifier = Verifier::with_clock(load(policy)?, provider, fixed)?;
        let gate = verifier.gate(&verifier.gates()[0]).unwrap();
        Ok(Some(Self {
            verifier,
            gate,
            clock,
        }))
    }
}

/// One configuration on every provider that can have it: all must agree.
pub(crate) struct Stand {
    pub(crate) doors: Vec<Door>,
}

impl Stand {
    /// `"accepted"`, or the code of the refusal; a refusal twice over is the same.
    pub(crate) fn judge(&self, token: impl AsRef<[u8]>) -> &'static str {
        let token = token.as_ref();
        assert!(!self.doors.is_empty(), "no provider can be asked");
        let codes = self.doors.iter().map(|door| {
            let first = door.gate.judge(token).code();
            assert_eq!(first, door.gate.judge(token).code(), "the second time");
            first
        });
        let codes: Vec<_> = codes.collect();
        let name = String::from_utf8_lossy(&token[..token.len().min(300)]);
        assert!(
            codes.iter().all(|code| *code == codes[0]),
            "{codes:?} {name}"
        );
        codes[0]
    }

    #[track_caller]
    pub(crate) fn accepts(&self, token: impl AsRef<[u8]>) {
        self.gives("accepted", token);
    }

    #[track_caller]
    pub(crate) fn gives(&self, code: &str, token: impl AsRef<[u8]>) {
        let token = token.as_ref();
        let given = self.judge(token);
        let name = String::from_utf8_lossy(&token[..token.len().min(300)]);
        assert_eq!(given, code, "{name}");
    }

    /// Moves every clock.
    pub(crate) fn at(&self, seconds: i64) -> &Self {
        for door in &self.doors {
            door.clock.set(seconds);
        }
        self
    }
}
