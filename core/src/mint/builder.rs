//! Claims of a token to mint: registered ones by typed setters, others by name.

use std::fmt;

use serde_json::{Map, Value};

use crate::claims::Claim;
use crate::time::{NumericDate, Span};

/// Claims in the making.
///
/// ```
/// use sealgate::NumericDate;
/// use sealgate::mint::ClaimsBuilder;
///
/// let claims = ClaimsBuilder::new()
///     .issuer("https://login.example.com")
///     .audience(["https://api.example.com/mcp"])
///     .expires_at(NumericDate::from_seconds(1_800_000_300).expect("in range"))
///     .claim("tenant", "t1")?;
/// assert_eq!(
///     claims.to_json(),
///     r#"{"aud":"https://api.example.com/mcp","exp":1800000300,"iss":"https://login.example.com","tenant":"t1"}"#,
/// );
/// // What verifiers act upon is set by name and never taken from a caller's data.
/// assert!(claims.claim("act", "agent-a").is_err());
/// # Ok::<(), sealgate::mint::ReservedClaim>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ClaimsBuilder {
    claims: Map<String, Value>,
    /// Outermost first.
    actors: Vec<Map<String, Value>>,
}

/// A claim that only its own setter may write (DIA-05): by its name nothing tells whether the
/// caller's data or the caller chose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedClaim(String);

impl fmt::Display for ReservedClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        write!(
            f,
            "{name}: has a meaning to verifiers; use its own setter, or sign a payload of your own"
        )
    }
}

impl std::error::Error for ReservedClaim {}

impl ClaimsBuilder {
    /// No claims.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn set(mut self, claim: Claim, value: impl Into<Value>) -> Self {
        self.claims.insert(claim.name().to_owned(), value.into());
        self
    }

    /// `iss`.
    #[must_use]
    pub fn issuer(self, iss: &str) -> Self {
        self.set(Claim::Iss, iss)
    }

    /// `sub`.
    #[must_use]
    pub fn subject(self, sub: &str) -> Self {
        self.set(Claim::Sub, sub)
    }

    /// `aud`: a string for one audience, an array for several.
    #[must_use]
    pub fn audience<'a>(self, audiences: impl IntoIterator<Item = &'a str>) -> Self {
        let mut audiences: Vec<Value> = audiences.into_iter().map(Value::from).collect();
        match (audiences.pop(), audiences.is_empty()) {
            (Some(only), true) => self.set(Claim::Aud, only),
            (last, _) => {
                audiences.extend(last);
                self.set(Claim::Aud, audiences)
            }
        }
    }

    /// `iat`, in whole seconds.
    #[must_use]
    pub fn issued_at(self, date: NumericDate) -> Self {
        self.set(Claim::Iat, date.seconds())
    }

    /// `exp`, in whole seconds.
    #[must_use]
    pub fn expires_at(self, date: NumericDate) -> Self {
        self.set(Claim::Exp, date.seconds())
    }

    /// `iat` and `exp`, in whole seconds.
    #[must_use]
    pub fn lifetime(self, issued_at: NumericDate, lifetime: Span) -> Self {
        let iat = issued_at.seconds();
        self.set(Claim::Iat, iat)
            .set(Claim::Exp, iat.saturating_add(lifetime.seconds()))
    }

    /// `nbf`, in whole seconds.
    #[must_use]
    pub fn not_before(self, date: NumericDate) -> Self {
        self.set(Claim::Nbf, date.seconds())
    }

    /// `jti`.
    #[must_use]
    pub fn jwt_id(self, jti: &str) -> Self {
        self.set(Claim::Jti, jti)
    }

    /// `client_id`.
    #[must_use]
    pub fn client_id(self, client_id: &str) -> Self {
        self.set(Claim::ClientId, client_id)
    }

    /// `scope`, separated by spaces.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.set(Claim::Scope, scope)
    }

    /// One more actor (RFC 8693 §4.1). The first call names the outermost, who is acting now; each
    /// further call the one who delegated to the one before.
    ///
    /// ```
    /// use sealgate::mint::ClaimsBuilder;
    ///
    /// let claims = ClaimsBuilder::new().actor("i", "worker").actor("i", "planner");
    /// let act = r#"{"act":{"iss":"i","sub":"planner"},"iss":"i","sub":"worker"}"#;
    /// assert_eq!(claims.to_json(), format!(r#"{{"act":{act}}}"#));
    /// ```
    #[must_use]
    pub fn actor(mut self, iss: &str, sub: &str) -> Self {
        let names = [("iss", iss), ("sub", sub)];
        let members = names.map(|(name, value)| (name.to_owned(), Value::from(value)));
        self.actors.push(members.into_iter().collect());
        self
    }

    /// `cnf` with the thumbprint of the key the token is bound to (RFC 9449 §6.1).
    #[must_use]
    pub fn bound_to(self, jkt: &str) -> Self {
        self.set(Claim::Cnf, serde_json::json!({ "jkt": jkt }))
    }

    /// `cnf` with the whole public key the token is bound to, as a JWK: what workload tokens,
    /// attestations and capabilities have (RFC 7800 §3.2). Give it the public half alone: every
    /// member is written.
    #[must_use]
    pub fn bound_to_key(self, jwk: &Value) -> Self {
        self.set(Claim::Cnf, serde_json::json!({ "jwk": jwk }))
    }

    /// A claim of the application's own.
    ///
    /// # Errors
    ///
    /// When it is one that has a meaning to verifiers.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Result<Self, ReservedClaim> {
        if Claim::from_name(name).is_some() || matches!(name, "may_act" | "mission") {
            return Err(ReservedClaim(name.to_owned()));
        }
        self.claims.insert(name.to_owned(), value.into());
        Ok(self)
    }

    /// The claims as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut claims = self.claims.clone();
        let chain = self
            .actors
            .iter()
            .rev()
            .cloned()
            .reduce(|inner, mut outer| {
                outer.insert(Claim::Act.name().to_owned(), inner.into());
                outer
            });
        if let Some(act) = chain {
            claims.insert(Claim::Act.name().to_owned(), act.into());
        }
        Value::Object(claims).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::ClaimsBuilder;

    #[test]
    fn the_first_actor_is_the_outermost() {
        let claims = ClaimsBuilder::new().actor("i", "b").actor("i", "a");
        let expected = r#"{"act":{"act":{"iss":"i","sub":"a"},"iss":"i","sub":"b"}}"#;
        assert_eq!(claims.to_json(), expected);
    }

    #[test]
    fn claims_with_a_meaning_have_setters_of_their_own() {
        for name in [
            "act",
            "cnf",
            "sub",
            "iss",
            "aud",
            "client_id",
            "txn",
            "may_act",
            "mission",
        ] {
            assert!(ClaimsBuilder::new().claim(name, "x").is_err(), "{name}");
        }
        let claims = ClaimsBuilder::new().claim("tenant", "t1").unwrap();
        assert_eq!(
            claims.audience(["a"]).to_json(),
            r#"{"aud":"a","tenant":"t1"}"#
        );
    }
}
