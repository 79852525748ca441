//! Possession (RFC 7800 `cnf`): does the presenter hold the key the token is bound to?
//!
//! [`Confirmation`] is what the token says, [`Shown`] what came with it, and [`Judge::confirm`]
//! compares them. Its evidence names the proof that was used; [`UsedProof`] turns into evidence
//! that it was used for the first time.

mod attestation;
mod capability;
mod confirmation;
mod dpop;
mod nonce;
mod once;
mod proof;
mod target;
mod workload;

use std::sync::Arc;

use confirmation::{Keys, Thumbprint};

pub(crate) use confirmation::Confirmation;
pub(crate) use nonce::Nonces;
pub(crate) use target::Origin;

use crate::claims::{Claim, Claims};
use crate::crypto::CryptoProvider;
use crate::encoding::base64url;
use crate::encoding::json::Value;
use crate::error::{Code, Error};
use crate::jwa::Algorithm;
use crate::jwk::Jwk;
use crate::policy::{
    self, Carrier, GateRules, Kind, OnUnavailable, PossessionRules, ReplayRules, Rules,
    SenderConstrained, Waiver,
};
use crate::replay::{FirstUse, Memory, ReplayKey, Unanswered};
use crate::time::{NumericDate, Span};

/// How possession of a token's key was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Possession {
    /// By a DPoP proof (RFC 9449).
    Dpop,
    /// By the client certificate of the connection (RFC 8705).
    Mtls,
    /// By a workload proof token beside a workload identity token (WIMSE).
    Wpt,
    /// By the proof of an attested client's instance beside its attestation.
    ClientAttestationPop,
    /// By the proof of one call of one tool beside a capability (attenuating agent tokens).
    CapabilityPop,
    /// Somebody else checked the proof: the operator said so.
    External,
}

impl Possession {
    /// The stable spelling, the same in every language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dpop => "dpop",
            Self::Mtls => "mtls",
            Self::Wpt => "wpt",
            Self::ClientAttestationPop => "client_attestation_pop",
            Self::CapabilityPop => "capability_pop",
            Self::External => "external",
        }
    }
}

/// How far it reaches that a proof was used for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayReach {
    /// This process: others were not asked.
    Process,
    /// All processes of this host that share the store.
    Host,
    /// All hosts that share the store.
    Fleet,
    /// As far as the program's own store does.
    External,
}

impl ReplayReach {
    /// The stable spelling, the same in every language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Host => "host",
            Self::Fleet => "fleet",
            Self::External => "external",
        }
    }
}

/// What a program's own store of used proofs says of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum ReplayAnswer {
    /// It was not there, and is now.
    Fresh,
    /// It was there.
    Seen,
    /// The store did not answer.
    Unavailable,
}

/// How a token came: the scheme of `Authorization`, or a field of its kind's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// RFC 6750 §2.1.
    Bearer,
    /// RFC 9449 §7.1.
    Dpop,
    /// A field of its kind's own, with its proof in another (WIMSE, attested clients); or the
    /// content, with both (capabilities).
    Field,
    /// A parameter of the content, whose proof is a DPoP proof without a token in it (RFC 9449 §5).
    Form,
    /// A field of its kind's own, with a DPoP proof by its key in place of the kind's own (ATT-11).
    Combined,
}

/// The fields of a request that carry a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proofs<'r> {
    None,
    One(&'r [u8]),
    Several,
}

/// What a token came with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'r> {
    pub(crate) scheme: Scheme,
    pub(crate) proofs: Proofs<'r>,
    pub(crate) method: &'r [u8],
    /// The request's URL, normalised; `None` where the gate has no public one.
    pub(crate) target: Option<&'r str>,
    /// The client certificate of the connection, DER.
    pub(crate) certificate: Option<&'r [u8]>,
    /// The access token of a request whose token came in a field of its own.
    pub(crate) access_token: Option<&'r [u8]>,
    /// Its transaction token.
    pub(crate) txn_token: Option<&'r [u8]>,
    /// The call that it asks for.
    pub(crate) called: Option<Called<'r>>,
}

/// A call of a tool.
#[derive(Clone, Copy)]
pub(crate) struct Called<'r> {
    pub(crate) tool: &'r str,
    /// An object; `None` where nobody told.
    pub(crate) arguments: Option<Value<'r>>,
}

impl std::fmt::Debug for Called<'_> {
    /// What a tool is called with stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Called").finish_non_exhaustive()
    }
}

impl Shown<'_> {
    /// A token alone.
    pub(crate) const NOTHING: Self = Self {
        scheme: Scheme::Bearer,
        proofs: Proofs::None,
        method: b"",
        target: None,
        certificate: None,
        access_token: None,
        txn_token: None,
        called: None,
    };
}

/// What possession is judged by.
pub(crate) struct Judge<'s> {
    pub(crate) provider: &'s CryptoProvider,
    pub(crate) gate: &'s GateRules,
    pub(crate) rules: &'s Rules,
    pub(crate) now: NumericDate,
}

/// Evidence that the presenter holds the key, or need not. It is small: most tokens have no proof.
#[derive(Debug)]
pub(crate) struct PossessionConfirmed {
    by: By,
}

#[derive(Debug)]
enum By {
    Waiver(Waiver<policy::Possession>, Option<Possession>),
    Certificate,
    Proof(Box<Proven>),
}

/// What a proof that holds leaves behind.
#[derive(Debug)]
struct Proven {
    how: Possession,
    used: UsedProof,
    /// A nonce to give the client for its next proof.
    next_nonce: Option<Arc<str>>,
}

/// The public key that a token names as a whole.
struct Holder<'t> {
    value: Value<'t>,
    jwk: Jwk,
    thumbprint: Thumbprint,
}

/// How possession was shown, once replay is settled.
pub(crate) struct Possessed {
    /// `None` for a bearer token (JSV-08).
    pub(crate) how: Option<Possession>,
    /// How far it reaches that the proof was used for the first time.
    pub(crate) reach: Option<ReplayReach>,
    /// A nonce to give the client for its next proof.
    pub(crate) next_nonce: Option<Arc<str>>,
}

/// A proof that holds, and has not been looked up yet.
#[derive(Debug)]
pub(crate) struct UsedProof {
    key: ReplayKey,
    /// A time that the proof says, whatever the policy: processes of two policies must look for it
    /// in one place.
    made_at: NumericDate,
    /// One guard remembers proofs of every kind and forgets them by when they were made, so that
    /// this is counted back from their end, the same for all.
    issued_at: NumericDate,
    until: NumericDate,
    /// Whether what is seen again is remembered for so much longer (TXT-13).
    extends: bool,
}

/// Evidence that a proof was used for the first time, or that the policy leaves it to somebody
/// else.
#[derive(Debug)]
pub(crate) struct NotReplayed {
    reach: Option<ReplayReach>,
}

/// Of the proofs that a gate for this kind takes: their `typ`, and how long they may be used, from
/// `iat` or up to `exp`.
pub(crate) fn form(kind: Kind, rules: &PossessionRules) -> Option<(&'static str, Span)> {
    match kind.carrier() {
        Carrier::Authorization | Carrier::Form => {
            Some((dpop::FORM.typ, rules.dpop.as_ref()?.max_age))
        }
        Carrier::Field { .. } if kind == Kind::Wit => {
            Some((workload::FORM.typ, workload::MOST_AHEAD))
        }
        Carrier::Field { proof, .. } => {
            proof.map(|_| (attestation::FORM.typ, attestation::MOST_OLD))
        }
        Carrier::Content => Some((capability::FORM.typ, capability::WINDOW)),
        Carrier::None => None,
    }
}

impl<'s> Judge<'s> {
    /// Whether what was shown proves possession of what the token is bound to, for every member of
    /// its `cnf` (AT-09). A bearer token pays for no more than being one.
    #[inline]
    pub(crate) fn confirm(
        &self,
        confirmation: &Confirmation,
        claims: &Claims,
        shown: &Shown<'_>,
        token: &[u8],
    ) -> Result<PossessionConfirmed, Error> {
        let bound = !matches!(confirmation, Confirmation::Unbound);
        if !bound && shown.scheme == Scheme::Dpop && !self.is_external() {
            return Err(Error::about(Code::PopMismatch, Claim::Cnf.name())); // DP-14
        }
        if let Some(waiver) = self.gate.waive_possession(bound) {
            let how = bound.then_some(Possession::External);
            return Ok(By::Waiver(waiver, how).into());
        }
        match shown.scheme {
            Scheme::Bearer => self.bearer(confirmation, shown),
            Scheme::Dpop => self.dpop(confirmation, shown, token),
            Scheme::Form => match confirmation {
                Confirmation::Bound(keys) if keys.jkt.is_none() && keys.jwk.is_none() => {
                    self.bearer(confirmation, shown)
                }
                Confirmation::Bound(_)
                | Confirmation::Unbound
                | Confirmation::Unknown
                | Confirmation::Malformed => self.dpop(confirmation, shown, token), // IJ-05
            },
            Scheme::Field | Scheme::Combined => self.of_its_own(confirmation, claims, shown, token),
        }
    }

    fn is_external(&self) -> bool {
        self.gate.sender_constrained == SenderConstrained::External
    }

    /// Under `Bearer` only a certificate proves anything (DP-14, AT-10, MTLS-01).
    fn bearer(
        &self,
        confirmation: &Confirmation,
        shown: &Shown<'_>,
    ) -> Result<PossessionConfirmed, Error> {
        match (confirmation, shown.certificate) {
            (Confirmation::Malformed, Some(_)) if self.gate.takes_mtls => Err(malformed()),
            (Confirmation::Bound(keys), _) if keys.jkt.is_none() && keys.jwk.is_none() => {
                self.certificate(keys, shown)?;
                Ok(By::Certificate.into())
            }
            (Confirmation::Bound(_), _) => Err(required(match self.gate.kind.carrier() {
                Carrier::Field { .. } | Carrier::Content => Lacking::Proof,
                Carrier::Authorization | Carrier::Form | Carrier::None => Lacking::Dpop,
            })),
            (Confirmation::Unknown | Confirmation::Malformed, _) => Err(required(Lacking::Known)),
            (Confirmation::Unbound, _) => Err(required(Lacking::Binding)),
        }
    }

    fn dpop(
        &self,
        confirmation: &Confirmation,
        shown: &Shown<'_>,
        token: &[u8],
    ) -> Result<PossessionConfirmed, Error> {
        let Some(rules) = self
            .rules
            .possession
            .dpop
            .as_ref()
            .filter(|_| self.gate.takes_dpop)
        else {
            return Err(required(Lacking::Dpop));
        };
        let keys = match confirmation {
            Confirmation::Bound(keys) => keys,
            Confirmation::Malformed => return Err(malformed()),
            Confirmation::Unbound => return Err(required(Lacking::Binding)),
            Confirmation::Unknown => return Err(required(Lacking::Known)),
        };
        if keys.jkt.is_none() && keys.jwk.is_none() {
            return Err(Error::about(Code::PopMismatch, Claim::Cnf.name())); // DP-14
        }
        if keys.certificate.is_some() {
            self.certificate(keys, shown)?;
        }
        let proof = match shown.proofs {
            Proofs::One(proof) => proof,
            // What is not there is not invalid: RFC 9449 §4.3 begins with "not more than one".
            Proofs::None => return Err(required(Lacking::Dpop)),
            Proofs::Several => return Err(Error::about(Code::PopInvalid, "dpop")), // DP-01
        };
        let expected = [keys.jkt, keys.jwk];
        let proven = dpop::verify(self, rules, proof, shown, token, expected)?;
        Ok(By::Proof(Box::new(proven)).into())
    }

    /// A token that came with the proof of its own kind, by the key it names (WIT-05, ATT-07).
    fn of_its_own(
        &self,
        confirmation: &Confirmation,
        claims: &Claims,
        shown: &Shown<'_>,
        token: &[u8],
    ) -> Result<PossessionConfirmed, Error> {
        let proof = match shown.proofs {
            Proofs::One(proof) if self.gate.takes_own_proof => proof,
            Proofs::None | Proofs::One(_) => return Err(required(Lacking::Proof)),
            Proofs::Several => return Err(Error::about(Code::PopInvalid, "proof")), // WPT-01, ATT-01
        };
        let keys = match confirmation {
            Confirmation::Bound(keys) => keys,
            Confirmation::Malformed => return Err(malformed()),
            Confirmation::Unbound => return Err(required(Lacking::Binding)),
            Confirmation::Unknown => return Err(required(Lacking::Known)),
        };
        let holder = Holder::of(claims, keys).ok_or_else(|| required(Lacking::Binding))?;
        if keys.jkt.is_some_and(|jkt| jkt != holder.thumbprint) {
            return Err(Error::about(Code::PopMismatch, Claim::Cnf.name()));
        }
        if keys.certificate.is_some() {
            self.certificate(keys, shown)?;
        }
        let combined = self.rules.possession.dpop.as_ref();
        let combined = combined.filter(|_| shown.scheme == Scheme::Combined);
        let proven = if let Some(rules) = combined {
            let expected = [keys.jkt, Some(holder.thumbprint)];
            dpop::verify(self, rules, proof, shown, token, expected)
        } else if self.gate.kind == Kind::Capability {
            capability::verify(self, proof, &holder, claims, shown, token)
        } else if self.gate.kind == Kind::Wit {
            workload::verify(self, proof, &holder, shown, token)
        } else {
            attestation::verify(self, proof, &holder)
        };
        Ok(By::Proof(Box::new(proven?)).into())
    }

    /// MTLS-01, MTLS-02, MTLS-04: the thumbprint of the very DER of the connection's certificate.
    fn certificate(&self, keys: &Keys, shown: &Shown<'_>) -> Result<(), Error> {
        let given = shown.certificate.filter(|_| self.gate.takes_mtls);
        let (Some(expected), Some(given)) = (keys.certificate, given) else {
            return Err(required(Lacking::Certificate));
        };
        if (self.provider.sha256)(given) != expected {
            return Err(Error::about(Code::PopMismatch, Claim::Cnf.name()));
        }
        Ok(())
    }

    /// The challenges that proofs of attested clients must carry; `None` where they need none.
    pub(crate) fn challenges(&self) -> Option<Nonces<'s>> {
        let secret = self.rules.possession.challenge.as_ref()?;
        Some(Nonces::challenges(self.provider, secret))
    }

    /// The nonces that proofs must carry; `None` where they need none.
    pub(crate) fn nonces(&self) -> Option<Nonces<'s>> {
        let secret = self.rules.possession.dpop.as_ref()?.nonce.as_ref()?;
        Some(Nonces::new(self.provider, secret))
    }
}

/// What would prove possession and is not there.
#[derive(Clone, Copy)]
enum Lacking {
    /// A key that the token is bound to.
    Binding,
    /// One of a kind that can be proven here: `cnf` has others, or none.
    Known,
    /// The scheme DPoP, and a proof under it.
    Dpop,
    /// The certificate of the connection.
    Certificate,
    /// A proof of the token's own kind.
    Proof,
}

/// It is about what is lacking, so that advice can say what to do.
#[cold]
fn required(lacking: Lacking) -> Error {
    let about = match lacking {
        Lacking::Binding => Claim::Cnf.name(),
        Lacking::Known => "jkt",
        Lacking::Dpop => "dpop",
        Lacking::Certificate => "x5t#S256",
        Lacking::Proof => "proof",
    };
    Error::about(Code::PopRequired, about)
}

#[cold]
fn malformed() -> Error {
    Error::about(Code::MalformedToken, Claim::Cnf.name())
}

impl From<By> for PossessionConfirmed {
    fn from(by: By) -> Self {
        Self { by }
    }
}

impl PossessionConfirmed {
    /// How it was shown; `None` for a bearer token.
    pub(crate) const fn how(&self) -> Option<Possession> {
        match self.by {
            By::Waiver(_, how) => how,
            By::Certificate => Some(Possession::Mtls),
            By::Proof(ref proven) => Some(proven.how),
        }
    }

    /// The proof that was used.
    pub(crate) fn used(&self) -> Option<&UsedProof> {
        match &self.by {
            By::Proof(proven) => Some(&proven.used),
            By::Waiver(..) | By::Certificate => None,
        }
    }

    /// Settles whether the proof, if there is one, was used before.
    #[inline]
    pub(crate) fn settle(
        self,
        look_up: impl FnOnce(UsedProof) -> Result<NotReplayed, Error>,
    ) -> Result<Possessed, Error> {
        let how = self.how();
        let (reach, next_nonce) = match self.by {
            By::Proof(proven) => {
                let Proven {
                    how: _,
                    used,
                    next_nonce,
                } = *proven;
                (look_up(used)?.reach(), next_nonce)
            }
            By::Waiver(..) | By::Certificate => (None, None),
        };
        Ok(Possessed {
            how,
            reach,
            next_nonce,
        })
    }
}

impl Proven {
    /// A proof by a token's own key, made about then, which holds until then.
    fn new(
        judge: &Judge<'_>,
        holder: &Holder<'_>,
        jti: &str,
        made_at: NumericDate,
        until: NumericDate,
    ) -> Self {
        let kind = judge.gate.kind;
        Self {
            how: if kind == Kind::Capability {
                Possession::CapabilityPop
            } else if kind == Kind::Wit {
                Possession::Wpt
            } else {
                Possession::ClientAttestationPop
            },
            used: UsedProof::new(judge, &holder.thumbprint, jti, made_at, until),
            next_nonce: None,
        }
    }
}

impl<'t> Holder<'t> {
    fn of(claims: &'t Claims, keys: &Keys) -> Option<Self> {
        let value = claims.value(Claim::Cnf)?.get("jwk")?;
        Some(Self {
            value,
            jwk: Jwk::of_bearer(value).ok()?,
            thumbprint: keys.jwk?,
        })
    }

    /// The algorithm of a proof, if the key may be used with it: never a symmetric one.
    fn fitting(&self, judge: &Judge<'_>, algorithm: Algorithm) -> Result<Algorithm, Error> {
        let usable = !algorithm.is_symmetric() && judge.provider.algorithms.contains(algorithm);
        if !usable || self.jwk.check_fits(algorithm).is_err() {
            return Err(Error::about(Code::PopInvalid, "alg"));
        }
        Ok(algorithm)
    }
}

impl NotReplayed {
    /// How far it reaches; `None`: nobody was asked.
    pub(crate) const fn reach(&self) -> Option<ReplayReach> {
        self.reach
    }
}

impl UsedProof {
    fn new(
        judge: &Judge<'_>,
        thumbprint: &Thumbprint,
        jti: &str,
        made_at: NumericDate,
        until: NumericDate,
    ) -> Self {
        let window = judge.rules.possession.window();
        Self {
            key: proof::replay_key(judge, thumbprint, jti),
            made_at,
            issued_at: until.minus(judge.rules.leeway).minus(window),
            until,
            extends: false,
        }
    }

    /// What the proof is remembered by.
    pub(crate) const fn key(&self) -> &ReplayKey {
        &self.key
    }

    /// The last moment at which it could be used again.
    pub(crate) const fn until(&self) -> NumericDate {
        self.until
    }

    /// Looks it up among those that are remembered, and remembers it.
    pub(crate) fn commit(
        self,
        memory: Memory<'_>,
        rules: &ReplayRules,
        now: NumericDate,
    ) -> Result<NotReplayed, Error> {
        let (_, reach): (FirstUse, _) = match memory {
            Memory::Process(guard) => {
                let first = guard.insert(self.key, self.issued_at, self.until, now)?;
                (first, ReplayReach::Process)
            }
            Memory::Host(table) => {
                let first = table.insert(&self.key, self.made_at, self.until, now)?;
                (first, ReplayReach::Host)
            }
            Memory::Fleet(store) => {
                let key = base64url::encode(&self.key);
                let answer = match store.insert(&key, self.until, now) {
                    Ok(true) => ReplayAnswer::Fresh,
                    Ok(false) => {
                        if self.extends {
                            let life = self.until.since(self.made_at);
                            store.extend(&key, now.plus(life), now);
                        }
                        ReplayAnswer::Seen
                    }
                    Err(Unanswered { .. }) => ReplayAnswer::Unavailable,
                };
                return settled(answer, ReplayReach::Fleet, rules);
            }
        };
        Ok(NotReplayed { reach: Some(reach) })
    }

    /// What [`UsedProof::commit`] would say, without using it up: for explaining only.
    pub(crate) fn rehearse(
        self,
        memory: Memory<'_>,
        now: NumericDate,
    ) -> Result<NotReplayed, Error> {
        let seen = match memory {
            Memory::Process(guard) => guard.has_seen(&self.key, self.issued_at),
            Memory::Host(table) => table.has_seen(&self.key, self.made_at, self.until, now),
            // Nobody waits for a server to be told why.
            Memory::Fleet(_) => false,
        };
        if seen {
            return Err(Error::about(Code::Replayed, "jti"));
        }
        Ok(NotReplayed { reach: None })
    }

    /// Takes the word of the program's own store for it.
    pub(crate) fn answered(
        self,
        answer: ReplayAnswer,
        rules: &ReplayRules,
    ) -> Result<NotReplayed, Error> {
        settled(answer, ReplayReach::External, rules)
    }

    /// Leaves it to somebody who has not been asked: the operator said `external`.
    pub(crate) fn left_to_others(self) -> NotReplayed {
        NotReplayed { reach: None }
    }
}

/// What a store's answer means, which reaches so far.
fn settled(
    answer: ReplayAnswer,
    reach: ReplayReach,
    rules: &ReplayRules,
) -> Result<NotReplayed, Error> {
    let reach = match (answer, rules.on_unavailable) {
        (ReplayAnswer::Fresh, _) => Some(reach),
        (ReplayAnswer::Seen, _) => return Err(Error::about(Code::Replayed, "jti")),
        (ReplayAnswer::Unavailable, OnUnavailable::AcceptMarked) => None,
        (ReplayAnswer::Unavailable, OnUnavailable::Refuse) => {
            return Err(Error::about(Code::ReplayUnavailable, "jti"));
        }
    };
    Ok(NotReplayed { reach })
}
