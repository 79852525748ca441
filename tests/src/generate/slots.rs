//! For each kind of proof, a request in which everything else is right: what is put into it
//! decides.

use std::fmt;

use serde_json::{Value, json};

use super::{actor_proofs, canonical, capabilities, possession, proofs, token, with};
use crate::workshop::Key;

/// A place for a proof.
pub struct Slot {
    /// The kind of proof that belongs there.
    pub kind: &'static str,
    /// Its `typ`.
    pub typ: &'static str,
    /// The claims of a good one.
    pub claims: Value,
    /// What another kind there is refused with.
    pub code: &'static str,
    /// Who must have signed it.
    key: Key,
    /// Its header, but for `typ`.
    header: Value,
    request: Box<dyn Fn(&str) -> Value>,
}

impl Slot {
    pub(super) fn new(
        [kind, typ, code]: [&'static str; 3],
        key: Key,
        header: Value,
        claims: Value,
        request: impl Fn(&str) -> Value + 'static,
    ) -> Self {
        let own = json!({ "typ": null, "alg": key.alg() });
        Self {
            kind,
            typ,
            code,
            claims,
            header: with(&header, own),
            key,
            request: Box::new(request),
        }
    }

    /// The request with these claims under this `typ`, signed by whoever must have.
    #[must_use]
    pub fn request(&self, typ: Option<&str>, claims: &Value) -> Value {
        let header = with(&self.header, json!({ "typ": typ }));
        let proof = token(&self.key, &canonical(&header), &canonical(claims));
        (self.request)(&proof)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// One of each kind.
#[must_use]
pub fn slots() -> Vec<Slot> {
    vec![
        possession::slot(),
        proofs::slot(&proofs::WORKLOAD),
        proofs::slot(&proofs::CLIENT),
        capabilities::slot(),
        actor_proofs::slot(),
    ]
}
