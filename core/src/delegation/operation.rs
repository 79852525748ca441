//! May this very thing be done? (CD-05) What a token permits bounds an operation, and so does the
//! intent it is for.

use super::{Arguments, Member, details, rules, task};
use crate::claims::Claim;
use crate::encoding::json::Json;
use crate::error::{Code, Error};
use crate::policy::{GateRules, TaskKind};

/// What a call is about to do, as far as it can tell: a tool, a resource, an action, the scope that
/// it needs. What it leaves out fits no entry that names it; of what it names, one entry names all.
///
/// ```
/// use sealgate::{Operation, Requirements};
///
/// let operation = Operation::new().tool("read_file").scope("files.read");
/// let requirements = Requirements::NONE.with_operation(operation);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The name of a tool.
    pub tool: Option<Box<str>>,
    /// What it is done to: an `identifier`, a location, the resource of a mission.
    pub resource: Option<Box<str>>,
    /// What is done.
    pub action: Option<Box<str>>,
    /// The scope it needs (RFC 6749 §3.3).
    pub scope: Option<Box<str>>,
    /// What the tool is called with.
    pub(crate) arguments: Option<Arguments>,
}

impl Operation {
    /// One that tells nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tool: None,
            resource: None,
            action: None,
            scope: None,
            arguments: None,
        }
    }

    /// The same by this tool.
    #[must_use]
    pub fn tool(mut self, name: impl Into<Box<str>>) -> Self {
        self.tool = Some(name.into());
        self
    }

    /// The same to this resource.
    #[must_use]
    pub fn resource(mut self, name: impl Into<Box<str>>) -> Self {
        self.resource = Some(name.into());
        self
    }

    /// The same, doing this.
    #[must_use]
    pub fn action(mut self, name: impl Into<Box<str>>) -> Self {
        self.action = Some(name.into());
        self
    }

    /// The same with the need of this scope.
    #[must_use]
    pub fn scope(mut self, name: impl Into<Box<str>>) -> Self {
        self.scope = Some(name.into());
        self
    }

    /// The same with these arguments of the tool: the text of a JSON object, its members the
    /// arguments by name. A capability that binds a tool's arguments permits no operation that does
    /// not tell them (AAT-07). Other text makes every call fail with `usage`.
    ///
    /// ```
    /// use sealgate::Operation;
    ///
    /// let read = Operation::new().tool("read_file").arguments(r#"{"path":"/data/q3.pdf"}"#);
    /// ```
    #[must_use]
    pub fn arguments(mut self, json: impl AsRef<[u8]>) -> Self {
        self.arguments = Some(Arguments::parse(json.as_ref()));
        self
    }

    /// Whether it tells something, nothing of it is empty, and arguments are those of a tool.
    pub(crate) fn says_something(&self) -> bool {
        let Self {
            tool,
            resource,
            action,
            scope,
            arguments,
        } = self;
        let called_with = arguments.as_ref().map(|told| told.value().is_some());
        if called_with.is_some_and(|is_object| !is_object || tool.is_none()) {
            return false;
        }
        let mut told = [tool, resource, action, scope]
            .into_iter()
            .flatten()
            .peekable();
        told.peek().is_some() && told.all(|text| !text.is_empty())
    }

    /// Whether anything but scopes can bound it.
    fn is_only_a_scope(&self) -> bool {
        self.tool.is_none() && self.resource.is_none() && self.action.is_none()
    }
}

/// Judges an operation by the actor's rule, by one entry of `authorization_details` where there are
/// any, and by the bounds of each task that the token or one before it names; `bounds` are the
/// latter's. A token without any of these is bounded by its scopes alone.
pub(crate) fn check_operation(
    operation: &Operation,
    token: &Member<'_>,
    bounds: &[Json],
    gate: &GateRules,
) -> Result<(), Error> {
    if operation.is_only_a_scope() {
        return Ok(());
    }
    let denied = |claim: &'static str| Err(Error::about(Code::OperationDenied, claim));
    let tool = operation.tool.as_deref();
    let by_rule = |table| rules::allow_tool(token.chain, token.claims, token.iss, table, tool);
    if !gate.delegation.rules().is_none_or(by_rule) {
        return denied(Claim::Act.name());
    }
    let here = details::Here {
        audience: &gate.audience,
        public_url: gate.public_url.as_deref(),
    };
    let details = token.claims.value(Claim::AuthorizationDetails);
    if !details.is_none_or(|details| details::some_permits(details, operation, here)) {
        return denied(Claim::AuthorizationDetails.name());
    }
    for (kind, own) in task::bounds(token.claims, &gate.intent) {
        if !details::some_permits(own, operation, here) {
            return denied(kind.as_str());
        }
    }
    let mut earlier = bounds.iter();
    if !earlier.all(|bounds| details::some_permits(bounds.root(), operation, here)) {
        return denied(TaskKind::Intent.as_str());
    }
    Ok(())
}
