//! `attenuating_agent_token` (AAT-05, AAT-07): tools by name, and for each its arguments with the
//! constraints on them.

use super::constraint;
use crate::delegation::{Arguments, Operation};
use crate::encoding::json::Value;

/// Whether one entry grants no more than another: each tool is one of the parent's, with arguments
/// no freer.
pub(super) fn is_within(child: Value<'_>, parent: Value<'_>) -> bool {
    let (Some(own), Some(granted)) = (child.get("tools"), parent.get("tools")) else {
        return false;
    };
    let Some(mut tools) = own.as_object() else {
        return false;
    };
    let same_rest = |one: Value<'_>, other: Value<'_>| {
        let mut members = one.as_object().into_iter().flatten();
        members.all(|(name, value)| {
            name == "tools" || other.get(name).is_some_and(|other| value.same_as(other))
        })
    };
    same_rest(child, parent)
        && same_rest(parent, child)
        && tools.all(|(name, own)| granted.get(name).is_some_and(|granted| tool(own, granted)))
}

/// A tool whose arguments the parent leaves free may be bound; one that it binds keeps exactly
/// its arguments (closed world).
fn tool(child: Value<'_>, parent: Value<'_>) -> bool {
    let (Some(own), Some(mut granted)) = (child.as_object(), parent.as_object()) else {
        return false;
    };
    if granted.len() == 0 {
        return true;
    }
    let same_names = own.len() == granted.len();
    let narrower = |own, granted| constraint::is_subsumed(own, granted);
    same_names
        && granted.all(|(name, granted)| child.get(name).is_some_and(|own| narrower(own, granted)))
}

/// Whether an entry permits an operation: its tool is there, and where the tool's arguments are
/// bound, the operation tells exactly those, each as its constraint allows (AAT-07).
pub(super) fn permits(entry: Value<'_>, operation: &Operation) -> bool {
    let mut members = entry.as_object().into_iter().flatten();
    let known = members.all(|(name, _)| matches!(name, "type" | "tools"));
    let tools = entry.get("tools").filter(|_| known);
    let tool = tools.zip(operation.tool.as_deref());
    let tool = tool.and_then(|(tools, name)| tools.get(name));
    let Some(mut bound) = tool.and_then(|tool| tool.as_object()) else {
        return false;
    };
    if bound.len() == 0 {
        return true;
    }
    let told = operation.arguments.as_ref().and_then(Arguments::value);
    let Some((told, names)) = told.and_then(|told| Some((told, told.as_object()?))) else {
        return false; // an operation that tells none has none that is allowed
    };
    names.len() == bound.len()
        && bound.all(|(name, bound)| {
            told.get(name)
                .is_some_and(|value| constraint::allows(bound, value))
        })
}
