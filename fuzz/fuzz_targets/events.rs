//! The claims of a Security Event Token that any signature fits: what it revokes is its issuer's,
//! telling it again changes nothing, and a push is answered as the verdict says.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use sealgate::jwk::JwkSet;
use sealgate::{Clock, FixedClock, Format, Policy, Verifier};
use sealgate_fuzz::{HEADER, KEYS, NOW, always_yes, token};

fuzz_target!(|claims: &[u8]| {
    let verifier = verifier();
    let set = token(br#"{"alg":"ES256","kid":"k","typ":"secevent+jwt"}"#, claims);
    let verdict = verifier.gate("signals").unwrap().judge(&set);
    let receiver = verifier.receiver("signals").unwrap();
    let delivery = receiver.push(Some("application/secevent+jwt"), set.as_bytes());
    assert_eq!(delivery.answer.status == 202, verdict.is_accepted());
    let revocations = verifier.revocations();
    let epoch = revocations.epoch();
    if let Ok(token) = verdict.into_result() {
        let applied = revocations.apply(&token).unwrap();
        assert_eq!((applied.receipt.epoch, revocations.epoch()), (epoch, epoch));
        assert_eq!((applied.changes.len(), applied.duplicate), (0, true));
        let delivered = delivery.event.unwrap().changes.len();
        assert!(usize::try_from(epoch).unwrap() <= delivered);
    } else {
        assert_eq!(epoch, 0);
    }
    // Whatever an issuer tells, tokens of another one pass.
    let other = concat!(
        r#"{"iss":"https://other.example","sub":"u1","aud":"https://api.example","sid":"s1","#,
        r#""client_id":"agent-1","iat":1799999900,"exp":1800000900,"jti":"t-1","#,
        r#""act":{"sub":"agent-1"}}"#
    );
    let other = token(HEADER.as_bytes(), other.as_bytes());
    assert!(verifier.gate("door").unwrap().judge(other).is_accepted());
});

fn verifier() -> Verifier {
    let policy = r#"{"version":1,"cache":{"tokens":0},"revocation":{"store":"process"},
        "issuers":{
            "issuer":{"issuer":"https://issuer.example","algorithms":["ES256"],"jwks_push":"process","profiles":["set"]},
            "other":{"issuer":"https://other.example","algorithms":["ES256"],"jwks_push":"process"}},
        "gates":{
            "signals":{"profile":"set","audience":"https://api.example/events","issuers":["issuer"]},
            "door":{"profile":"access_token","audience":"https://api.example","issuers":["other"],"delegation":"surface"}}}"#;
    let policy = Policy::parse(policy, Format::Json).unwrap();
    let clock = Clock::Fixed(Arc::new(FixedClock::new(NOW)));
    let verifier = Verifier::with_clock(policy, always_yes::provider(), clock).unwrap();
    let keys = JwkSet::parse(KEYS.as_bytes()).unwrap();
    for issuer in ["issuer", "other"] {
        verifier.keys().publish(issuer, &keys).unwrap();
    }
    verifier
}
