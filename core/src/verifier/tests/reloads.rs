//! What outlives a reload, and what does not.

use super::{A, B, key, other_policy, policy, token, verifier};
use crate::policy::LoadOptions;

#[test]
fn an_error_of_before_a_reload_still_names_its_issuer() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let error = gate.verify(token(&key(1, "k"), B, "")).unwrap_err();
    assert_eq!(gate.advice(&error).issuer_name.as_deref(), Some("b"));

    // The one issuer of this policy stands where the other stood.
    let members = format!(r#""issuer":"{A}","jwks_push":"process""#);
    let without = other_policy(&members, &LoadOptions::new());
    verifier.reload(without).unwrap();
    assert_eq!(gate.advice(&error).issuer_name, None);
    let members = format!(
        r#""issuer":"https://c.example","jwks_push":"process"}},"b":{{"issuer":"{B}","jwks_push":"process""#
    );
    let moved = other_policy(&members, &LoadOptions::new());
    verifier.reload(moved).unwrap();
    assert_eq!(gate.advice(&error).issuer_name.as_deref(), Some("b"));
    verifier.reload(policy("api")).unwrap();
    assert_eq!(gate.advice(&error).issuer_name.as_deref(), Some("b"));
}
