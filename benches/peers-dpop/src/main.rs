//! `dpop-verifier` beside sealgate and the raw primitive, interleaved. It judges the proof alone;
//! sealgate judges the request with its token.

use std::collections::HashSet;
use std::hint::black_box;
use std::rc::Rc;

use dpop_verifier::{DpopError, DpopVerifier, ReplayContext, ReplayStore};
use sealgate::jwa::Algorithm;
use sealgate_benches::Case;
use sealgate_benches::dpop::{Requests, URL, cases};
use sealgate_benches::interleave::table;

fn main() {
    // Ed25519 it knows by the name of `EdDSA` only, and our client writes RFC 9864's.
    let algorithm = Algorithm::Es256;
    table(
        &format!("A DPoP request, {algorithm}: token seen before, fresh proof"),
        cases(algorithm, &[dpop_verifier]),
    );
}

/// A memory as plain as can be, for one thread and without an end.
#[derive(Default)]
struct Memory(HashSet<[u8; 32]>);

#[async_trait::async_trait]
impl ReplayStore for Memory {
    async fn insert_once(
        &mut self,
        jti: [u8; 32],
        _: ReplayContext<'_>,
    ) -> Result<bool, DpopError> {
        Ok(self.0.insert(jti))
    }
}

fn dpop_verifier(requests: &Rc<Requests>) -> Case {
    let verifier = DpopVerifier::new()
        .with_max_age_seconds(3600)
        .with_future_skew_seconds(30);
    let (all, mut memory, mut turn) = (Rc::clone(requests), Memory::default(), 0);
    Case::new("dpop-verifier 4.4, proof only", move || {
        let proof = all.proofs.get(turn).expect("more proofs than calls");
        turn += 1;
        let token = Some(all.token.as_str());
        let verified = verifier.verify(&mut memory, black_box(proof), URL, "POST", token);
        black_box(pollster::block_on(verified).expect("a good proof"));
    })
}
