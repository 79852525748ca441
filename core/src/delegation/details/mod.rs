//! Did `authorization_details` (RFC 9396) only shrink on the way? (ATN-05 to ATN-10)
//!
//! Each entry must lie within one entry of the same type: what two entries grant is never put
//! together.

mod capability;
mod constraint;
mod mission;
mod operation;
mod uri;

pub(super) use operation::{Here, some_permits};

use crate::claims::{Claim, Claims};
use crate::encoding::json::{Elements, Value};

/// Which types of the child are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Types {
    /// All of them.
    Every,
    /// Those that the parent has too: two domains may have vocabularies of their own.
    Shared,
}

/// Whether every entry of the child lies within one of the parent's. An absent or empty child is
/// within anything (ATN-10); an absent parent grants nothing.
pub(super) fn within(child: &Claims, parent: &Claims, types: Types) -> bool {
    let entries = |claims| entries(claims).into_iter().flatten();
    entries(child).all(|entry| {
        let of_type = || entries(parent).filter(|granted| same_type(entry, *granted));
        let foreign = types == Types::Shared && of_type().next().is_none();
        foreign || of_type().any(|granted| is_within(entry, granted))
    })
}

/// Whether one account of a token grants no more than another one of the same token.
pub(crate) fn details_within(narrow: &Claims, wide: &Claims) -> bool {
    within(narrow, wide, Types::Every)
}

/// Whether every entry of the child lies within one of these, which is all that was granted.
pub(super) fn all_within(child: &Claims, granted: Value<'_>) -> bool {
    entries(child).into_iter().flatten().all(|entry| {
        let mut granted = granted.as_array().into_iter().flatten();
        granted.any(|granted| same_type(entry, granted) && is_within(entry, granted))
    })
}

fn entries<'a>(claims: &'a Claims) -> Option<impl Iterator<Item = Value<'a>>> {
    claims.value(Claim::AuthorizationDetails)?.as_array()
}

fn same_type(one: Value<'_>, other: Value<'_>) -> bool {
    matches!((text(one, "type"), text(other, "type")), (Some(one), Some(other)) if one == other)
}

/// Whether one entry grants no more than another of its type (ATN-06 to ATN-09).
fn is_within(child: Value<'_>, parent: Value<'_>) -> bool {
    let (Some(mut own), Some(mut granted)) = (child.as_object(), parent.as_object()) else {
        return false;
    };
    match text(child, "type") {
        Some("attenuating_agent_token") => return capability::is_within(child, parent),
        Some("mission_resource_access") => return mission::is_within(child, parent),
        _ => {}
    }
    // What the parent has, the child has, and no wider.
    let kept = granted.all(|(name, theirs)| {
        child.get(name).is_some_and(|ours| match name {
            name if is_list(name) => is_subset(ours, theirs),
            _ => ours.same_as(theirs),
        })
    });
    // What it adds must be known to restrict.
    let added = own.all(|(name, value)| {
        let restricts = (is_list(name) && texts(value).is_some()) || name == "identifier";
        parent.get(name).is_some() || restricts
    });
    kept && added
}

/// The common fields that are arrays of strings (RFC 9396 §2.2); absent, they do not restrict.
fn is_list(name: &str) -> bool {
    matches!(name, "locations" | "actions" | "datatypes" | "privileges")
}

/// An array of strings (RAR-03).
fn texts(value: Value<'_>) -> Option<Elements<'_>> {
    let members = value.as_array()?;
    let strings = members.clone().all(|member| member.as_str().is_some());
    strings.then_some(members)
}

fn text<'a>(entry: Value<'a>, name: &str) -> Option<&'a str> {
    entry.get(name)?.as_str()
}

/// Whether every string of one array is in another; false for what is no array of strings.
fn is_subset(child: Value<'_>, parent: Value<'_>) -> bool {
    let (Some(mut child), Some(parent)) = (texts(child), texts(parent)) else {
        return false;
    };
    child.all(|own| {
        let mut granted = parent.clone();
        granted.any(|granted| granted.as_str() == own.as_str())
    })
}

#[cfg(test)]
mod tests;
