//! A proof of possession that any signature fits: header, claims and the URL it is sent to, one a
//! line. What is accepted says, to a reader of another kind, what RFC 9449 §4.3 asks for.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealgate::{Code, Gate, Request, Requirements};
use sealgate_fuzz::{NOW, proofs, token};
use serde_json::Value;

static GATE: LazyLock<Gate> = LazyLock::new(proofs::gate);
static TOKEN: LazyLock<String> = LazyLock::new(proofs::token);

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let [header, claims, uri] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let uri = if uri.is_empty() { b"/mcp" } else { uri };
    let proof = token(header, claims);
    let authorization = format!("DPoP {}", *TOKEN);
    let fields = [("Authorization", authorization.as_str()), ("DPoP", &proof)];
    let request = Request::new("POST", uri).headers(fields);
    let verdict = GATE.judge_request(&request, &Requirements::NONE);
    // The same again: nothing is used up where the program remembers.
    let explained = GATE.explain_request(&request, &Requirements::NONE);
    let again = explained
        .outcome
        .map_or_else(|error| error.code().as_str(), |_| "accepted");
    assert_eq!(again, verdict.code());
    let Ok(accepted) = verdict.into_result() else {
        assert!(Code::from_name(again).is_some());
        return;
    };
    assert_eq!(
        accepted.sender_constrained(),
        Some(sealgate::Possession::Dpop)
    );
    let json = |bytes| serde_json::from_slice::<Value>(bytes).expect("JSON to others too");
    let (header, claims) = (json(header), json(claims));
    let typ = header["typ"].as_str().unwrap().to_ascii_lowercase();
    assert_eq!(typ.strip_prefix("application/").unwrap_or(&typ), "dpop+jwt");
    assert_eq!(header["alg"], "ES256");
    assert_eq!(header["jwk"]["x"], proofs::jwk()["x"]);
    assert!(header["jwk"].get("d").is_none());
    assert_eq!(claims["htm"], "POST");
    assert_eq!(claims["ath"], proofs::ath(&TOKEN));
    let jti = claims["jti"].as_str().unwrap();
    assert!((1..=256).contains(&jti.len()));
    let iat = claims["iat"].as_f64().unwrap();
    let now = u32::try_from(NOW).map(f64::from).unwrap();
    assert!((now - 90.0..=now + 30.0).contains(&iat), "{iat}");
    let htu = claims["htu"].as_str().unwrap().to_ascii_lowercase();
    let host = htu.strip_prefix("https://api.example").expect("our host");
    assert!(
        host.is_empty() || host.starts_with(['/', ':', '?', '#']),
        "{host}"
    );
});
