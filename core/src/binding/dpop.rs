//! DPoP proofs (RFC 9449 §4.3, DP-01 to DP-13): is this proof made by the token's key, for this
//! token, this method and this URL, just now?
//!
//! A proof is a stranger's JWT with a stranger's key in it. Its shape, its algorithm and its key
//! are judged before a signature is: a proof by a key that is not the token's costs no signature.

use std::sync::Arc;

use super::proof::{Form, Unproven, date, invalid, jti, text};
use super::target;
use super::{Judge, Possession, Proven, Scheme, Shown, Thumbprint, UsedProof};
use crate::crypto;
use crate::encoding::base64url;
use crate::encoding::json::Value;
use crate::error::{Code, Error};
use crate::jwa::Algorithm;
use crate::jwk::Jwk;
use crate::jws::SignatureBuffer;
use crate::policy::DpopRules;
use crate::time::NumericDate;

pub(super) const FORM: Form = Form {
    field: "dpop",   // DP-02
    typ: "dpop+jwt", // DP-04
};

/// Judges one proof by a key with all of these thumbprints, for this token.
pub(super) fn verify(
    judge: &Judge<'_>,
    rules: &DpopRules,
    proof: &[u8],
    shown: &Shown<'_>,
    token: &[u8],
    expected: [Option<Thumbprint>; 2],
) -> Result<Proven, Error> {
    let mut buffer = SignatureBuffer::new();
    let proof = Unproven::read(judge, proof, &FORM, &mut buffer)?;
    let (jwk, algorithm) = key(judge, rules, &proof)?;
    let thumbprint = crypto::thumbprint_octets(judge.provider, &jwk);
    if expected.iter().flatten().any(|own| *own != thumbprint) {
        return Err(Error::about(Code::PopMismatch, "jwk")); // DP-12
    }
    let claims = proof.claims(judge, &jwk, algorithm)?; // DP-06
    let claims = claims.root();
    let jti = jti(claims)?; // DP-03
    if text(claims, "htm")?.as_bytes() != shown.method {
        return Err(invalid("htm")); // DP-08
    }
    let htu = target::normalise(text(claims, "htu")?);
    if htu.is_none() || htu.as_deref() != shown.target {
        return Err(invalid("htu")); // DP-09
    }
    let (issued_at, until) = window(judge, rules, claims)?;
    // A grant and an attestation are no access tokens, of which there is none yet (RFC 9449 §5).
    let of_access = !matches!(shown.scheme, Scheme::Form | Scheme::Combined);
    let of_token = || base64url::encode(&(judge.provider.sha256)(token));
    if of_access && text(claims, "ath")? != of_token() {
        return Err(invalid("ath")); // DP-12
    }
    let next_nonce = nonce(judge, shown, claims)?;
    Ok(Proven {
        how: Possession::Dpop,
        used: UsedProof::new(judge, &thumbprint, jti, issued_at, until),
        next_nonce,
    })
}

/// The key that comes with the proof, and the algorithm it is used with (DP-05, DP-07).
fn key(
    judge: &Judge<'_>,
    rules: &DpopRules,
    proof: &Unproven<'_>,
) -> Result<(Jwk, Algorithm), Error> {
    let algorithm = proof.algorithm()?;
    if !rules.algorithms.contains(algorithm) {
        return Err(invalid("alg"));
    }
    let jwk = proof.header.json().root().get("jwk");
    // Symmetric keys fit none of the algorithms there can be.
    let jwk = jwk.and_then(|jwk| Jwk::of_bearer(jwk).ok());
    let jwk = jwk.ok_or_else(|| invalid("jwk"))?;
    jwk.check_fits(algorithm).map_err(|_| invalid("jwk"))?;
    if !judge.provider.algorithms.contains(algorithm) {
        return Err(invalid("alg"));
    }
    Ok((jwk, algorithm))
}

/// The proof's `iat`, which must be of now, and the last moment at which it is (DP-11).
fn window(
    judge: &Judge<'_>,
    rules: &DpopRules,
    claims: Value<'_>,
) -> Result<(NumericDate, NumericDate), Error> {
    let issued_at = date(claims, "iat")?;
    let until = issued_at.plus(rules.max_age).plus(judge.rules.leeway);
    if issued_at > judge.now.plus(judge.rules.leeway) || judge.now > until {
        return Err(invalid("iat"));
    }
    Ok((issued_at, until))
}

/// DP-10: where a nonce is required, no proof passes without one that is ours and still good. In
/// place of an attested client's own proof it is the challenge (ATT-11).
fn nonce(
    judge: &Judge<'_>,
    shown: &Shown<'_>,
    claims: Value<'_>,
) -> Result<Option<Arc<str>>, Error> {
    let nonces = match shown.scheme {
        Scheme::Combined => judge.challenges(),
        Scheme::Bearer | Scheme::Dpop | Scheme::Field | Scheme::Form => judge.nonces(),
    };
    let given = claims.get("nonce").and_then(|value| value.as_str());
    nonces.map_or(Ok(None), |nonces| nonces.check(given, "nonce", judge.now))
}

#[cfg(test)]
#[cfg(feature = "aws-lc-rs")]
mod tests {
    use super::{Judge, Shown, verify};
    use crate::binding::{Proofs, Scheme, Thumbprint};
    use crate::crypto::aws_lc;
    use crate::encoding::base64url;
    use crate::error::Code;
    use crate::policy::{Format, Policy};
    use crate::time::NumericDate;

    /// RFC 9449 §7.1: the proof of figure 12 with its access token, which is no JWT.
    const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6\
        Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpi\
        VFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1\
        MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXN\
        vdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0N\
        BcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxS\
        YoMxhAJpLjA";
    const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    const IAT: i64 = 1_562_262_618;

    fn judge(token: &str, method: &str, url: &str, jkt: Thumbprint, now: i64) -> Option<Code> {
        let policy = Policy::parse(
            r#"{"version":1,"leeway":"0s",
                "issuers":{"a":{"issuer":"https://a.example","jwks_push":"process"}},
                "gates":{"g":{"profile":"access_token","audience":"https://resource.example.org/",
                    "issuers":["a"],"public_url":"https://resource.example.org"}},
                "dpop":{},"replay":{"store":"process"}}"#,
            Format::Json,
        );
        let (policy, provider) = (policy.unwrap(), aws_lc::provider());
        let rules = policy.rules();
        let judge = Judge {
            provider: &provider,
            gate: &rules.gates[0],
            rules,
            now: NumericDate::from_seconds(now).unwrap(),
        };
        let shown = Shown {
            scheme: Scheme::Dpop,
            proofs: Proofs::One(PROOF.as_bytes()),
            method: method.as_bytes(),
            target: Some(url),
            ..Shown::NOTHING
        };
        let dpop = rules.possession.dpop.as_ref().unwrap();
        let expected = [Some(jkt), None];
        let outcome = verify(
            &judge,
            dpop,
            PROOF.as_bytes(),
            &shown,
            token.as_bytes(),
            expected,
        );
        outcome.err().map(|error| error.code())
    }

    #[test]
    fn the_example_of_rfc_9449() {
        let mut jkt = [0; 32];
        base64url::decode_slice(JKT.as_bytes(), &mut jkt).unwrap();
        let url = "https://resource.example.org/protectedresource";
        assert_eq!(judge(TOKEN, "GET", url, jkt, IAT), None);
        assert_eq!(judge(TOKEN, "GET", url, jkt, IAT + 60), None);
        for wrong in [
            judge("another", "GET", url, jkt, IAT),
            judge(TOKEN, "POST", url, jkt, IAT),
            judge(TOKEN, "GET", "https://resource.example.org/", jkt, IAT),
            judge(TOKEN, "GET", url, jkt, IAT + 61),
            judge(TOKEN, "GET", url, jkt, IAT - 1),
        ] {
            assert_eq!(wrong, Some(Code::PopInvalid));
        }
        assert_eq!(
            judge(TOKEN, "GET", url, [0; 32], IAT),
            Some(Code::PopMismatch)
        );
    }
}
