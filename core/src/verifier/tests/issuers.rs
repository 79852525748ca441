//! Many issuers at one gate: each is found, and none passes for another (KEY-01, KEY-07).

use super::{NOW, key, set, token};
use crate::crypto::aws_lc;
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::Clock;
use crate::verifier::Verifier;

/// More than are searched one by one.
const COUNT: u8 = 6;

fn iss(number: u8) -> String {
    format!("https://issuer{number}.example")
}

#[test]
fn six_issuers_with_one_kid_take_no_tokens_of_one_another() {
    let issuers: Vec<String> = (0..COUNT)
        .map(|number| {
            format!(
                r#""i{number}":{{"issuer":"{}","jwks_push":"process","algorithms":["Ed25519"]}}"#,
                iss(number)
            )
        })
        .collect();
    let names: Vec<String> = (0..COUNT).map(|number| format!("\"i{number}\"")).collect();
    let document = format!(
        r#"{{"version":1,"issuers":{{{}}},
            "gates":{{"api":{{"profile":"access_token","audience":"mcp","issuers":[{}]}}}}}}"#,
        issuers.join(","),
        names.join(",")
    );
    let policy = Policy::parse_with(document, Format::Json, &LoadOptions::new()).unwrap();
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(NOW)).unwrap();
    for number in 0..COUNT {
        let keys = set(&[&key(number + 1, "k")]);
        verifier
            .keys()
            .publish(&format!("i{number}"), &keys)
            .unwrap();
    }
    let gate = verifier.gate("api").unwrap();
    for signer in 0..COUNT {
        for named in 0..COUNT {
            let given = token(&key(signer + 1, "k"), &iss(named), "");
            // Twice: from the cache it is the same issuer's.
            for _ in 0..2 {
                match gate.verify(&given) {
                    Ok(token) => {
                        assert_eq!(signer, named);
                        assert_eq!(token.issuer(), iss(named));
                        assert_eq!(token.issuer_name(), format!("i{named}"));
                    }
                    Err(error) => {
                        assert_ne!(signer, named);
                        assert_eq!(error.code().as_str(), "bad_signature");
                        let advice = gate.advice(&error);
                        assert_eq!(advice.issuer_name, Some(format!("i{named}")));
                    }
                }
            }
        }
    }
    for stranger in [
        iss(COUNT),
        iss(0) + "/",
        iss(0).to_uppercase(),
        String::new(),
    ] {
        let given = token(&key(1, "k"), &stranger, "");
        assert_eq!(gate.judge(&given).code(), "iss_untrusted", "{stranger}");
    }
}
