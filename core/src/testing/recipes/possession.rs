//! Requests that do not prove possession, or prove it with what was used before.

use serde_json::{Value, json};

use super::{Attempt, Bench, ELSEWHERE, never, send};
use crate::claims::Claim;
use crate::encoding::base64url;
use crate::policy::{Carrier, Once, ReplayStore, SenderConstrained};
use crate::testing::NoRefusals;
use crate::testing::draft::{Carrying, Draft, Proof, Token};

const EXTERNAL: &str = "somebody else judges the proofs of this gate's tokens";
const NO_PROOF: &str = "no proof comes with the requests of this gate";

impl Bench<'_> {
    pub(super) fn unproven(&self) -> Result<Attempt, NoRefusals> {
        if self.is_external() {
            let Some(mut draft) = self.with_caller()? else {
                return never(EXTERNAL);
            };
            if let Some((_, proof)) = &mut draft.caller {
                *proof = None;
            }
            return send(draft);
        }
        let mut draft = self.any()?;
        draft.certificate = None;
        if let Carrying::Field {
            proof: Some(_),
            made,
            ..
        } = &mut draft.carrying
        {
            *made = None;
            return send(draft);
        }
        if self.carrier() == Carrier::Content {
            draft.carrying = Carrying::Elsewhere; // the token by itself
            return send(draft);
        }
        if self.row.forbidden.contains(Claim::Cnf) {
            return never("tokens of this kind are bound to no key");
        }
        if self.carrier() == Carrier::Authorization {
            draft.carrying = Carrying::Bearer;
        } else if self.carrier() == Carrier::Form {
            draft.carrying = Carrying::Form(None);
        }
        // Already there in a token that must be bound.
        if !self.row.required.contains(Claim::Cnf) {
            draft
                .token
                .set(Claim::Cnf, json!({ "jkt": self.forge.holder.jkt() }));
        }
        send(draft)
    }

    pub(super) fn proven_by_another(&self) -> Result<Attempt, NoRefusals> {
        if !self.is_external() && self.carrier() == Carrier::Authorization {
            // DP-14: under the scheme of bound tokens, bound to no key.
            let mut draft = self.any()?;
            draft.token.remove(Claim::Cnf);
            draft.carrying = Carrying::Dpop(None);
            return send(draft);
        }
        if self.door.takes_own_proof {
            return self.altered(bind_to_another);
        }
        match self.with_caller()? {
            Some(mut draft) => {
                if let Some((identity, _)) = &mut draft.caller {
                    bind_to_another(identity);
                }
                send(draft)
            }
            None => never(if self.is_external() {
                EXTERNAL
            } else {
                NO_PROOF
            }),
        }
    }

    pub(super) fn proven_wrongly(&self) -> Result<Attempt, NoRefusals> {
        self.proven(|proof| {
            proof.method.push('X');
            proof.target = ELSEWHERE.to_owned();
        })
    }

    pub(super) fn without_nonce(&self) -> Result<Attempt, NoRefusals> {
        let dpop = self.forge.rules().possession.dpop.as_ref();
        if !self.door.takes_dpop || dpop.is_none_or(|dpop| dpop.nonce.is_none()) {
            return never("no proof needs a nonce here");
        }
        self.proven(|proof| proof.nonce = None)
    }

    /// A good request with a proof: it is refused the second time.
    pub(super) fn replayed(&self) -> Result<Attempt, NoRefusals> {
        let replay = self.forge.rules().possession.replay.as_ref();
        if replay.is_none_or(|replay| replay.store == ReplayStore::External) {
            return never("used proofs are not remembered here");
        }
        if let Some(once) = self.door.once {
            let mut draft = self.any()?;
            if let Some(fake) = self.forge.fake(self.good.entry) {
                let name = match once {
                    Once::Jti => Claim::Jti,
                    Once::Txn { .. } => Claim::Txn,
                };
                draft.token.set(name, fake.jti());
            }
            return send(draft);
        }
        let attempt = self.proven(|_| ())?;
        // A caller that must be the actor, and whose identity no fake can give that name.
        if let Attempt::Send(draft) = &attempt
            && draft.caller.is_some()
            && self.forge.opens(draft)?.is_some()
        {
            return never("no fake signs the identity of the actor");
        }
        Ok(attempt)
    }

    /// A good request with a proof, which is changed.
    fn proven(&self, change: impl FnOnce(&mut Proof)) -> Result<Attempt, NoRefusals> {
        let mut draft = self.any()?;
        if self.door.takes_dpop {
            self.forge.bind(&mut draft)?;
        } else if !self.door.takes_own_proof {
            match self.with_caller()? {
                Some(with_caller) => draft = with_caller,
                None => return never(NO_PROOF),
            }
        }
        let of_caller = draft.caller.as_mut().and_then(|(_, proof)| proof.as_mut());
        let own = match &mut draft.carrying {
            Carrying::Dpop(proof) | Carrying::Form(proof) => proof.as_mut(),
            Carrying::Field { made, .. } | Carrying::Content(made) => made.as_mut(),
            Carrying::Bearer | Carrying::Elsewhere => None,
        };
        if let Some(proof) = own.or(of_caller) {
            change(proof);
        }
        send(draft)
    }

    fn is_external(&self) -> bool {
        self.door.sender_constrained == SenderConstrained::External
    }

    /// A good request with the identity of its caller, where the gate takes such and a fake signs
    /// it.
    fn with_caller(&self) -> Result<Option<Draft>, NoRefusals> {
        self.forge.with_caller(self.any()?, self.good.entry)
    }
}

/// To the key that a token names as a whole, and to another.
fn bind_to_another(token: &mut Token) {
    let another = base64url::encode(&[0; 32]);
    if let Some(Value::Object(cnf)) = token.claims.get_mut(Claim::Cnf.name()) {
        cnf.insert("jkt".to_owned(), another.into());
    }
}
