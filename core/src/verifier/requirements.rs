//! What one call needs beyond what its gate demands of every call.

use std::sync::Arc;

use super::ties::Ties;
use crate::binding::Called;
use crate::claims::is_scope_token;
use crate::delegation::{ApprovedIntent, Arguments, Operation, Presenter};
use crate::error::{Code, Error};
use crate::time::Span;

/// Those of a call that has none, in one place: a constant would be made and dropped at each use.
pub(super) static NO_REQUIREMENTS: Requirements = Requirements::NONE;

/// Per-call requirements: made once per route, borrowed by each call.
///
/// A scope or `acr` that cannot be written in a challenge (RFC 6749 §3.3: visible ASCII without
/// `"` and `\`) makes every call with it fail with `usage`: no token could have it, and the answer
/// could not ask for it.
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    pub(crate) scopes: Vec<Box<str>>,
    pub(crate) acr_values: Vec<Box<str>>,
    pub(crate) max_age: Option<Span>,
    pub(crate) operation: Option<Operation>,
    pub(super) approved: Option<Arc<ApprovedIntent>>,
    /// What the token must belong to; mostly nothing is known of that.
    pub(super) ties: Option<Box<Ties>>,
    /// The caller's `iss` and `sub`.
    presenter: Option<(Box<str>, Box<str>)>,
    /// What of it no token can meet.
    misuse: Option<&'static str>,
}

impl Requirements {
    /// Nothing beyond the gate's own demands.
    pub const NONE: Self = Self {
        scopes: Vec::new(),
        acr_values: Vec::new(),
        max_age: None,
        operation: None,
        approved: None,
        ties: None,
        presenter: None,
        misuse: None,
    };

    /// All of these scopes (RFC 6749 §3.3), by themselves or implied by the gate's hierarchy.
    #[must_use]
    pub fn scopes<I: IntoIterator<Item: Into<Box<str>>>>(scopes: I) -> Self {
        let scopes: Vec<Box<str>> = scopes.into_iter().map(Into::into).collect();
        let misuse = misuse(&scopes, "required_scopes");
        Self {
            scopes,
            misuse,
            ..Self::NONE
        }
    }

    /// One of these authentication context classes as `acr` (RFC 9470).
    #[must_use]
    pub fn with_acr_values<I: IntoIterator<Item: Into<Box<str>>>>(mut self, values: I) -> Self {
        self.acr_values = values.into_iter().map(Into::into).collect();
        let wrong = || misuse(&self.acr_values, "acr_values");
        self.misuse = self.misuse.or_else(wrong);
        self
    }

    /// A user who signed in no longer ago than this, by `auth_time` (RFC 9470, IDT-08); the
    /// policy's leeway is added.
    #[must_use]
    pub const fn with_max_age(mut self, age: Span) -> Self {
        self.max_age = Some(age);
        self
    }

    /// That this may be done: within one entry of the token's `authorization_details` if it has
    /// any, within the bounds of the intent that it or a token before it names, and by a tool that
    /// the actor's rule allows (`operation_denied`); its scope is needed like the others.
    ///
    /// Whatever bounds there are hold; a token without any is bounded by its scopes alone. One that
    /// tells nothing, or an empty text, makes every call fail with `usage`.
    #[must_use]
    pub fn with_operation(mut self, operation: Operation) -> Self {
        let scope = operation.scope.clone();
        let scope: Vec<Box<str>> = scope.into_iter().collect();
        let wrong = misuse(&scope, "operation");
        let wrong = wrong.or_else(|| (!operation.says_something()).then_some("operation"));
        self.misuse = self.misuse.or(wrong);
        let more = scope
            .into_iter()
            .filter(|scope| !self.scopes.contains(scope));
        let more: Vec<Box<str>> = more.collect();
        self.scopes.extend(more);
        self.operation = Some(operation);
        self
    }

    /// That the token is for what was approved, of which the caller holds the whole text: its
    /// mission or intent names the digest of it (`intent_mismatch`). An authority set also bounds
    /// the operation.
    #[must_use]
    pub fn with_approved(mut self, approved: ApprovedIntent) -> Self {
        self.approved = Some(Arc::new(approved));
        self
    }

    /// The workload that calls, as its own credential has proven it to the caller: its SVID, its
    /// certificate, its attestation. Under `presenter = "must_be_actor"` it must be the token's
    /// outermost actor (`actor_presenter_mismatch`). A SPIFFE or WIMSE identifier is the same
    /// workload whoever names it; any other `sub` is compared together with `iss`. A workload
    /// identity token that the gate takes in the request itself (`context.wit`) counts before it.
    #[must_use]
    pub fn with_presenter(mut self, iss: impl Into<Box<str>>, sub: impl Into<Box<str>>) -> Self {
        self.presenter = Some((iss.into(), sub.into()));
        self
    }

    /// That the token is of the sign-in that this `nonce` was sent for (IDT-06): `missing_claim`
    /// without one, `pop_mismatch` with another. A token's `nonce` that nobody asks for is not
    /// looked at.
    #[must_use]
    pub fn with_nonce(mut self, nonce: impl Into<Box<str>>) -> Self {
        self.ties().nonce = Some(nonce.into());
        self
    }

    /// That the token is of this client, as the request has authenticated it: `sub` of a client's
    /// assertion (CA-01) or attestation (ATT-06), `client_id` of any other, such as an identity
    /// assertion grant (IJ-03). `pop_mismatch` for another client's, `missing_claim` for one of
    /// nobody.
    #[must_use]
    pub fn with_client(mut self, client_id: impl Into<Box<str>>) -> Self {
        self.ties().client = Some(client_id.into());
        self
    }

    /// That an ID token was issued together with this access token: its `at_hash` is of it
    /// (`pop_mismatch`; `missing_claim` without one; IDT-07). For a token that is signed by ML-DSA
    /// no hash is defined, and none is taken.
    #[must_use]
    pub fn with_access_token(mut self, token: impl Into<Box<str>>) -> Self {
        self.ties().access_token = Some(token.into());
        self
    }

    /// As [`Requirements::with_access_token`], of an authorization code and `c_hash`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Box<str>>) -> Self {
        self.ties().code = Some(code.into());
        self
    }

    fn ties(&mut self) -> &mut Ties {
        self.ties.get_or_insert_default()
    }

    /// What the call is about to do, as a proof of it can tell.
    #[inline]
    pub(super) fn called(&self) -> Option<Called<'_>> {
        let operation = self.operation.as_ref()?;
        Some(Called {
            tool: operation.tool.as_deref()?,
            arguments: operation.arguments.as_ref().and_then(Arguments::value),
        })
    }

    /// The scopes that a token must have for it, that of the operation among them; those that the
    /// gate demands of every call are beside.
    pub fn needed_scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(|scope| &**scope)
    }

    #[inline]
    pub(super) fn presenter(&self) -> Option<Presenter<'_>> {
        let (iss, sub) = self.presenter.as_ref()?;
        Some(Presenter { iss, sub })
    }

    /// Whether nothing is asked of what a token grants, as of most calls.
    #[inline]
    pub(super) const fn ask_nothing_of_grants(&self) -> bool {
        let Self {
            scopes,
            acr_values,
            max_age,
            operation,
            approved: _,
            ties: _,
            presenter: _,
            misuse: _,
        } = self;
        scopes.is_empty() && acr_values.is_empty() && max_age.is_none() && operation.is_none()
    }

    /// Whether they are ones that a token can meet: every call with others fails with `usage`.
    ///
    /// # Errors
    ///
    /// `usage`, about the argument that is wrong.
    #[inline]
    pub fn check(&self) -> Result<(), Error> {
        match self.misuse {
            Some(what) => Err(Error::about(Code::Usage, what)),
            None => Ok(()),
        }
    }
}

fn misuse(values: &[Box<str>], what: &'static str) -> Option<&'static str> {
    let fits = values.iter().all(|value| is_scope_token(value));
    (!fits).then_some(what)
}
