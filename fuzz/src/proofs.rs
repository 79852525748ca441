//! A door that takes DPoP proofs, and a token that is bound to a key anybody can write down.

use std::sync::Arc;

use sealgate::{Clock, FixedClock, Format, Gate, Policy, Verifier};
use serde_json::Value;

use crate::{CLAIMS, HEADER, KEYS, NOW, always_yes, naive};

/// The client's key, which is the issuer's too: nobody signs here.
pub fn jwk() -> Value {
    let set: Value = serde_json::from_str(KEYS).unwrap();
    let key = &set["keys"][0];
    serde_json::json!({ "kty": "EC", "crv": "P-256", "x": key["x"], "y": key["y"] })
}

fn hash(text: &str) -> String {
    naive::encode(&(always_yes::provider().sha256)(text.as_bytes()))
}

/// `ath` of a proof for this token.
pub fn ath(token: &str) -> String {
    hash(token)
}

/// A token that is bound to [`jwk`].
pub fn token() -> String {
    let key = jwk();
    let (x, y) = (key["x"].as_str().unwrap(), key["y"].as_str().unwrap());
    let jkt = hash(&format!(
        r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#
    ));
    let claims = CLAIMS.replacen('{', &format!(r#"{{"cnf":{{"jkt":"{jkt}"}},"#), 1);
    crate::token(HEADER.as_bytes(), claims.as_bytes())
}

/// A door that takes proofs and leaves it to the program to remember them.
pub fn gate() -> Gate {
    let policy = r#"{"version":1,"preset":"rfc",
        "issuers":{"issuer":{"issuer":"https://issuer.example","algorithms":["ES256"],
                             "jwks_push":"process"}},
        "gates":{"door":{"profile":"access_token","audience":"https://api.example",
            "issuers":["issuer"],"delegation":"surface","public_url":"https://api.example"}},
        "dpop":{"algorithms":["ES256"]},"replay":{"store":"external"}}"#;
    let policy = Policy::parse(policy, Format::Json).unwrap();
    let clock = Clock::Fixed(Arc::new(FixedClock::new(NOW)));
    let verifier = Verifier::with_clock(policy, always_yes::provider(), clock).unwrap();
    let keys = sealgate::jwk::JwkSet::parse(KEYS.as_bytes()).unwrap();
    verifier.keys().publish("issuer", &keys).unwrap();
    verifier.gate("door").unwrap()
}
