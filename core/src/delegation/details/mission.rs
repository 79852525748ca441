//! `mission_resource_access` (Mission-Bound Authorization drafts): a resource, what may be done to
//! it, and within which constraints (ATN-09).

use super::{is_subset, text, texts, uri};
use crate::encoding::decimal::Decimal;
use crate::encoding::json::{JsonKind, Value};
use crate::time::NumericDate;

/// Whether one entry grants no more than another.
pub(super) fn is_within(child: Value<'_>, parent: Value<'_>) -> bool {
    let known = |name: &str| {
        matches!(
            name,
            "type" | "resource" | "resource_match" | "actions" | "constraints" | "delegation"
        )
    };
    let (Some(mut own), Some(mut granted)) = (child.as_object(), parent.as_object()) else {
        return false;
    };
    let others_kept = granted.all(|(name, theirs)| {
        known(name) || child.get(name).is_some_and(|ours| ours.same_as(theirs))
    });
    let nothing_added = own.all(|(name, _)| known(name) || parent.get(name).is_some());
    others_kept
        && nothing_added
        && resource(child, parent)
        && actions(child.get("actions"), parent.get("actions"))
        && constraints(child.get("constraints"), parent.get("constraints"))
        && delegation(child.get("delegation"), parent.get("delegation"))
}

/// Equal, or below where the parent is a prefix.
fn resource(child: Value<'_>, parent: Value<'_>) -> bool {
    let (Some(own), Some(granted)) = (text(child, "resource"), text(parent, "resource")) else {
        return false;
    };
    match (is_prefix(child), is_prefix(parent)) {
        (Some(_), Some(true)) => uri::is_within(own, granted),
        (Some(false), Some(false)) => own == granted,
        _ => false,
    }
}

/// Whether an entry is for everything below its resource; `None` for a way to match that nobody
/// here knows.
pub(super) fn is_prefix(entry: Value<'_>) -> Option<bool> {
    match entry.get("resource_match").map(|value| value.as_str()) {
        None | Some(Some("exact")) => Some(false),
        Some(Some("prefix")) => Some(true),
        Some(_) => None,
    }
}

/// Each action is one of the parent's, or of a family `x.*` of the parent's.
fn actions(child: Option<Value<'_>>, parent: Option<Value<'_>>) -> bool {
    let Some(parent) = parent else {
        return child.is_none_or(|own| texts(own).is_some());
    };
    let (Some(mut own), Some(granted)) = (child.and_then(texts), texts(parent)) else {
        return false;
    };
    own.all(|action| {
        let mut granted = granted.clone().filter_map(|granted| granted.as_str());
        action
            .as_str()
            .is_some_and(|action| granted.any(|granted| covers(granted, action)))
    })
}

/// Whether an action is this one, or of this family `x.*`.
pub(super) fn covers(granted: &str, action: &str) -> bool {
    let below = |family: &str| action.starts_with(family) && action.len() > family.len();
    granted == action
        || granted
            .strip_suffix('*')
            .filter(|f| f.ends_with('.'))
            .is_some_and(below)
}

const APPROVAL: &str = "requires_action_approval";

/// Each constraint of the parent is there and no broader; further ones only restrict.
fn constraints(child: Option<Value<'_>>, parent: Option<Value<'_>>) -> bool {
    let is_object =
        |value: &Option<Value<'_>>| value.is_none_or(|value| value.kind() == JsonKind::Object);
    if !is_object(&child) || !is_object(&parent) {
        return false;
    }
    let mut granted = members(parent);
    let mut own = members(child);
    granted.all(|(name, theirs)| {
        match child.and_then(|child| child.get(name)) {
            Some(ours) => narrower(name, ours, theirs),
            None => name == APPROVAL && theirs.as_bool() == Some(false), // as good as absent
        }
    }) && own.all(|(name, _)| {
        let theirs = parent.and_then(|parent| parent.get(name));
        theirs.is_some() || restricts(name)
    })
}

fn members(value: Option<Value<'_>>) -> impl Iterator<Item = (&str, Value<'_>)> {
    value
        .and_then(|value| value.as_object())
        .into_iter()
        .flatten()
}

/// The constraints that this version knows: each of them only ever takes away.
fn restricts(name: &str) -> bool {
    matches!(
        name,
        "max_amount"
            | "resource_issued_after"
            | "resource_issued_before"
            | "tenant"
            | "recipient_domain"
            | "time_window"
            | "data_classification"
            | "allowed_tools"
            | APPROVAL
    )
}

/// Whether one value of a constraint allows no more than another. Of one that is not known here,
/// only the very same does.
fn narrower(name: &str, child: Value<'_>, parent: Value<'_>) -> bool {
    match name {
        "max_amount" => is_amount_within(child, parent),
        "resource_issued_after" => is_late_enough(Some(child), Some(parent)),
        "resource_issued_before" => is_early_enough(Some(child), Some(parent)),
        "time_window" => {
            let end = |name: &str| (child.get(name), parent.get(name));
            let (begins, ends) = (end("not_before"), end("not_after"));
            is_window(child)
                && is_window(parent)
                && is_late_enough(begins.0, begins.1)
                && is_early_enough(ends.0, ends.1)
        }
        "recipient_domain" => child
            .as_str()
            .zip(parent.as_str())
            .is_some_and(|(own, granted)| is_domain_within(own, granted)),
        "data_classification" | "allowed_tools" => is_subset(child, parent),
        APPROVAL => match (child.as_bool(), parent.as_bool()) {
            (Some(own), Some(granted)) => own || !granted,
            _ => false,
        },
        _ => child.same_as(parent),
    }
}

/// An amount with its currency, or without one where neither has it, by value.
fn is_amount_within(child: Value<'_>, parent: Value<'_>) -> bool {
    let amount = |value: Value<'_>| Decimal::read_amount(value.as_str()?);
    let within = |own, granted| matches!((amount(own), amount(granted)), (Some(own), Some(granted)) if own <= granted);
    let (Some(own), Some(granted)) = (child.as_object(), parent.as_object()) else {
        return within(child, parent);
    };
    let pair = |name| Some((child.get(name)?, parent.get(name)?));
    own.len() == 2
        && granted.len() == 2
        && pair("currency")
            .is_some_and(|(own, granted)| own.as_str().is_some() && own.same_as(granted))
        && pair("amount").is_some_and(|(own, granted)| within(own, granted))
}

/// One end of a window at least; nothing else says when.
fn is_window(value: Value<'_>) -> bool {
    value.as_object().is_some_and(|mut members| {
        members.len() > 0 && members.all(|(name, _)| matches!(name, "not_before" | "not_after"))
    })
}

/// A beginning that is no earlier; none is the earliest of all.
fn is_late_enough(child: Option<Value<'_>>, parent: Option<Value<'_>>) -> bool {
    keeps(child, parent, |own, granted| own >= granted)
}

/// An end that is no later; none is the latest of all.
fn is_early_enough(child: Option<Value<'_>>, parent: Option<Value<'_>>) -> bool {
    keeps(child, parent, |own, granted| own <= granted)
}

/// Whether a moment lies on the right side of the parent's, which it cannot do without.
fn keeps(
    child: Option<Value<'_>>,
    parent: Option<Value<'_>>,
    side: fn(NumericDate, NumericDate) -> bool,
) -> bool {
    match (child, parent) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some(own), None) => moment(own).is_some(),
        (Some(own), Some(granted)) => {
            matches!((moment(own), moment(granted)), (Some(own), Some(granted)) if side(own, granted))
        }
    }
}

/// A moment of RFC 3339, compared as the instant that it is.
fn moment(value: Value<'_>) -> Option<NumericDate> {
    NumericDate::from_rfc3339(value.as_str()?)
}

/// The same domain, or one below it by whole labels.
fn is_domain_within(child: &str, parent: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let (own, granted) = (child.to_ascii_lowercase(), parent.to_ascii_lowercase());
    let below = || {
        own.strip_suffix(&granted)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    own.split('.').all(label) && granted.split('.').all(label) && (own == granted || below())
}

/// How far an entry may be passed on, and to whom, never grows, and is never brought in.
fn delegation(child: Option<Value<'_>>, parent: Option<Value<'_>>) -> bool {
    let depth = |value: Value<'_>| value.get("max_depth")?.as_number()?.parse::<u32>().ok();
    let (child, parent) = match (child, parent) {
        (None, _) => return true,
        (Some(_), None) => return false,
        (Some(own), Some(granted)) => (own, granted),
    };
    let (Some(mut own), Some(mut granted)) = (child.as_object(), parent.as_object()) else {
        return false;
    };
    granted.all(|(name, theirs)| {
        let ours = child.get(name);
        ours.is_some_and(|ours| match name {
            "max_depth" => {
                matches!((depth(child), depth(parent)), (Some(own), Some(granted)) if own <= granted)
            }
            "allowed_delegates" => delegates(ours, theirs),
            _ => ours.same_as(theirs),
        })
    }) && own.all(|(name, value)| {
        let restricts = name == "allowed_delegates" && value.as_array().is_some();
        parent.get(name).is_some() || restricts
    })
}

/// Each delegate is one of the parent's: it has all that describes that one.
fn delegates(child: Value<'_>, parent: Value<'_>) -> bool {
    let (Some(mut own), Some(granted)) = (child.as_array(), parent.as_array()) else {
        return false;
    };
    own.all(|own| {
        let mut granted = granted.clone();
        granted.any(|granted| {
            granted.as_object().is_some_and(|mut members| {
                members.all(|(name, value)| own.get(name).is_some_and(|own| own.same_as(value)))
            })
        })
    })
}
