//! `mission_resource_access` (Mission-Bound Authorization drafts): a resource, what may be done to
//! it, and within which constraints (ATN-09).

use super::decimal::Decimal;
use super::{equal, is_subset, text, texts, uri};
use crate::encoding::json::{JsonKind, Value};

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
        known(name)
            || child
                .get(name)
                .is_some_and(|ours| equal::values(ours, theirs))
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

/// Whether an entry is for everything below its resource; `None` for a way to match that nobody here
/// knows.
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
        let ours = child.and_then(|child| child.get(name));
        ours.is_some_and(|ours| narrower(name, ours, theirs))
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
            | "requires_action_approval"
    )
}

/// Whether one value of a constraint allows no more than another. Of one that is not known here,
/// only the very same does.
fn narrower(name: &str, child: Value<'_>, parent: Value<'_>) -> bool {
    let texts = || Some((child.as_str()?, parent.as_str()?));
    match name {
        "max_amount" => {
            let amounts = texts()
                .map(|(own, granted)| (Decimal::read_amount(own), Decimal::read_amount(granted)));
            matches!(amounts, Some((Some(own), Some(granted))) if own <= granted)
        }
        "resource_issued_after" => {
            moments(child, parent).is_some_and(|(own, granted)| own >= granted)
        }
        "resource_issued_before" => {
            moments(child, parent).is_some_and(|(own, granted)| own <= granted)
        }
        "time_window" => {
            let edge = |name: &str| Some(moments(child.get(name)?, parent.get(name)?));
            let from = edge("start")
                .flatten()
                .is_some_and(|(own, granted)| own >= granted);
            from && edge("end")
                .flatten()
                .is_some_and(|(own, granted)| own <= granted)
        }
        "recipient_domain" => texts().is_some_and(|(own, granted)| is_domain_within(own, granted)),
        "data_classification" | "allowed_tools" => is_subset(child, parent),
        "requires_action_approval" => match (child.as_bool(), parent.as_bool()) {
            (Some(own), Some(granted)) => own || !granted,
            _ => false,
        },
        _ => equal::values(child, parent),
    }
}

/// Two moments that compare as texts do: RFC 3339 in UTC, to the second.
fn moments<'a>(child: Value<'a>, parent: Value<'a>) -> Option<(&'a str, &'a str)> {
    let (own, granted) = (child.as_str()?, parent.as_str()?);
    (is_moment(own) && is_moment(granted)).then_some((own, granted))
}

fn is_moment(text: &str) -> bool {
    const FORM: &[u8; 20] = b"0000-00-00T00:00:00Z";
    text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == *form,
        })
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

/// `delegation.max_depth` never grows, and is never brought in.
fn delegation(child: Option<Value<'_>>, parent: Option<Value<'_>>) -> bool {
    let depth = |value: Value<'_>| {
        let mut members = value.as_object()?;
        let only = members.len() == 1;
        let (name, depth) = members.next()?;
        (only && name == "max_depth").then(|| depth.as_number()?.parse::<u32>().ok())?
    };
    match (child, parent) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(own), Some(granted)) => match (depth(own), depth(granted)) {
            (Some(own), Some(granted)) => own <= granted,
            _ => equal::values(own, granted),
        },
    }
}
