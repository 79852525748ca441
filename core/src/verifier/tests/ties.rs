//! Tokens that must belong to what the caller knows (IDT-06, IDT-07, CA-01, IJ-03, ATT-06).

use super::{NOW, key, signed};
use crate::crypto::{SigningKey, aws_lc};
use crate::encoding::base64url;
use crate::error::Code;
use crate::jwa::Algorithm;
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::Clock;
use crate::verifier::{Gate, Requirements, Verifier};

const ISS: &str = "https://a.example";

fn gate(profile: &str, key: &SigningKey) -> Gate {
    let (jwk, alg) = (key.verifying_jwk().to_json(), key.algorithm());
    // One token may be asked about twice.
    let preset = match profile {
        "client_assertion" | "id_jag" => "rfc",
        _ => "agent_strict",
    };
    let document = format!(
        r#"{{"version":1,"preset":"{preset}",
            "issuers":{{"a":{{"issuer":"{ISS}","algorithms":["{alg}"],"profiles":["{profile}"],
                              "jwks":{{"keys":[{jwk}]}}}}}},
            "gates":{{"g":{{"profile":"{profile}","audience":"rp","issuers":["a"]}}}}}}"#
    );
    let policy = Policy::parse_with(document, Format::Json, &LoadOptions::new()).unwrap();
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(NOW)).unwrap();
    verifier.gate("g").unwrap()
}

fn token(key: &SigningKey, typ: &str, more: &str) -> String {
    let (alg, kid) = (key.algorithm(), key.kid().unwrap());
    let header = format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"{typ}"}}"#);
    let until = NOW + 60;
    let claims = format!(r#"{{{more}"iss":"{ISS}","aud":"rp","iat":{NOW},"exp":{until}}}"#);
    signed(key, &header, &claims)
}

/// The code of a token with these claims, once it is asked for the first time and once it is known.
fn code(gate: &Gate, token: &str, needs: &Requirements) -> Option<Code> {
    let [first, again] = [(); 2].map(|()| gate.verify_with(token, needs).err());
    let code = first.map(|error| error.code());
    assert_eq!(code, again.map(|error| error.code()));
    code
}

#[test]
fn an_id_token_is_of_the_sign_in_that_was_begun() {
    let key = key(1, "k");
    let gate = gate("id_token", &key);
    let of = |more: &str| token(&key, "JWT", &format!(r#"{more}"sub":"u1","#));
    let asked = Requirements::NONE.with_nonce("n1");
    assert_eq!(code(&gate, &of(r#""nonce":"n1","#), &asked), None);
    for (more, refused) in [
        (r#""nonce":"n2","#, Code::PopMismatch),
        ("", Code::MissingClaim),
    ] {
        assert_eq!(code(&gate, &of(more), &asked), Some(refused));
        assert_eq!(code(&gate, &of(more), &Requirements::NONE), None);
    }
    // Asked of the verdict, it is the same question.
    let known = gate.verify(of(r#""nonce":"n1","#)).unwrap();
    let now = crate::time::NumericDate::from_seconds(NOW).unwrap();
    assert!(known.require(&asked, now).is_ok());
    let other = known.require(&Requirements::NONE.with_nonce("n2"), now);
    assert_eq!(other.unwrap_err().code(), Code::PopMismatch);
    let hashed = known.require(&Requirements::NONE.with_code("c"), now);
    assert_eq!(hashed.unwrap_err().code(), Code::Usage);
}

/// The left half of the hash that the algorithm names (OpenID Connect Core §3.1.3.6).
#[test]
fn an_id_token_is_of_what_came_with_it() {
    let provider = aws_lc::provider();
    for (algorithm, bits) in [
        (Algorithm::Es256, Some(256)),
        (Algorithm::Es384, Some(384)),
        (Algorithm::Ed25519, Some(512)),
        (Algorithm::MlDsa44, None),
    ] {
        let key = SigningKey::from_seed(algorithm, &[3; 32])
            .unwrap()
            .with_kid("k");
        let gate = gate("id_token", &key);
        let hash = |text: &str| {
            let hash: Box<[u8]> = match bits {
                Some(bits @ (384 | 512)) => (provider.sha2)(bits, text.as_bytes()).unwrap(),
                Some(_) | None => Box::from((provider.sha256)(text.as_bytes())),
            };
            base64url::encode(&hash[..hash.len() / 2])
        };
        let more = format!(
            r#""at_hash":"{}","c_hash":"{}","sub":"u1","#,
            hash("token"),
            hash("code")
        );
        let token = token(&key, "JWT", &more);
        let good = Requirements::NONE
            .with_access_token("token")
            .with_code("code");
        let refused = bits.is_none().then_some(Code::PopMismatch);
        assert_eq!(code(&gate, &token, &good), refused, "{algorithm}");
        for other in [
            Requirements::NONE.with_access_token("Token"),
            Requirements::NONE.with_code("token"),
        ] {
            assert_eq!(code(&gate, &token, &other), Some(Code::PopMismatch));
        }
    }
    let key = key(1, "k");
    let bare = token(&key, "JWT", r#""sub":"u1","#);
    let asked = Requirements::NONE.with_access_token("token");
    let missing = code(&gate("id_token", &key), &bare, &asked);
    assert_eq!(missing, Some(Code::MissingClaim));
}

#[test]
fn a_credential_is_of_the_client_that_sends_it() {
    let key = key(1, "k");
    let assertion = format!(r#""sub":"{ISS}","jti":"j","#);
    let grant = r#""sub":"u1","client_id":"c1","jti":"j","#;
    for (profile, typ, claims, client) in [
        ("client_assertion", "JWT", assertion.as_str(), ISS),
        ("id_jag", "oauth-id-jag+jwt", grant, "c1"),
    ] {
        let gate = gate(profile, &key);
        let token = token(&key, typ, claims);
        let of = |client: &str| code(&gate, &token, &Requirements::NONE.with_client(client));
        assert_eq!(of(client), None, "{profile}");
        assert_eq!(of("c2"), Some(Code::PopMismatch), "{profile}");
        assert_eq!(of("u1"), Some(Code::PopMismatch), "{profile}");
    }
}

#[test]
fn what_is_known_stays_out_of_logs() {
    let needs = Requirements::NONE
        .with_access_token("s3cret")
        .with_code("s3cret");
    assert!(!format!("{needs:?}").contains("s3cret"));
}
