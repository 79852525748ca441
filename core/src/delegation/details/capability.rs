//! `attenuating_agent_token` (AAT-05): tools by name, and for each its arguments with the
//! constraints on them. Whatever pair of constraints is not known to narrow does not.

use super::decimal::Decimal;
use super::{equal, text};
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
        one.as_object().into_iter().flatten().all(|(name, value)| {
            name == "tools"
                || other
                    .get(name)
                    .is_some_and(|other| equal::values(value, other))
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
    same_names
        && granted
            .all(|(name, granted)| child.get(name).is_some_and(|own| is_subsumed(own, granted)))
}

/// Whether all that one constraint allows, the other allows too.
fn is_subsumed(child: Value<'_>, parent: Value<'_>) -> bool {
    const KIND: &str = "constraint_type";
    let (Some(own), Some(granted)) = (text(child, KIND), text(parent, KIND)) else {
        return false;
    };
    match (own, granted) {
        ("wildcard", "wildcard") => true,
        ("exact", "exact") => same_member(child, parent, "value"),
        ("exact", "one_of") => child
            .get("value")
            .is_some_and(|value| values(parent).is_some_and(|all| has(all, value))),
        ("exact", "range") => child
            .get("value")
            .and_then(|value| Decimal::read(value.as_number()?))
            .is_some_and(|value| Range::read(parent).is_some_and(|range| range.has(&value))),
        ("exact", "not_one_of") => child
            .get("value")
            .is_some_and(|value| values(parent).is_some_and(|all| !has(all, value))),
        ("range", "range") => match (Range::read(child), Range::read(parent)) {
            (Some(own), Some(granted)) => own.is_within(&granted),
            _ => false,
        },
        ("one_of", "one_of") | ("subset", "subset") => all_in(values(child), values(parent)),
        // What is excluded, or demanded, may only grow.
        ("not_one_of", "not_one_of") | ("contains", "contains") => {
            all_in(values(parent), values(child))
        }
        ("all", "all") => matched(child, parent),
        // Whatever one of the child's clauses allows, some clause of the parent's allows.
        ("any", "any") => match (clauses(child), clauses(parent)) {
            (Some(own), Some(granted)) => own
                .into_iter()
                .all(|own| granted.iter().any(|granted| is_subsumed(own, *granted))),
            _ => false,
        },
        (_, "wildcard") => is_known(own),
        _ => false,
    }
}

/// A constraint that nobody here knows may allow anything.
fn is_known(kind: &str) -> bool {
    matches!(
        kind,
        "exact" | "range" | "one_of" | "not_one_of" | "contains" | "subset" | "all" | "any"
    )
}

fn same_member(one: Value<'_>, other: Value<'_>, name: &str) -> bool {
    matches!((one.get(name), other.get(name)), (Some(one), Some(other)) if equal::values(one, other))
}

fn values<'a>(constraint: Value<'a>) -> Option<impl Iterator<Item = Value<'a>> + Clone> {
    constraint.get("values")?.as_array()
}

fn clauses<'a>(constraint: Value<'a>) -> Option<Vec<Value<'a>>> {
    Some(constraint.get("constraints")?.as_array()?.collect())
}

fn has<'a>(mut all: impl Iterator<Item = Value<'a>>, value: Value<'_>) -> bool {
    all.any(|one| equal::values(one, value))
}

fn all_in<'a, 'b>(
    few: Option<impl Iterator<Item = Value<'a>>>,
    many: Option<impl Iterator<Item = Value<'b>> + Clone>,
) -> bool {
    match (few, many) {
        (Some(mut few), Some(many)) => few.all(|value| has(many.clone(), value)),
        _ => false,
    }
}

/// Clauses that an `all` may have, so that matching them stays cheap.
const CLAUSES: usize = 16;

/// Each clause of the parent has a clause of the child of its own that it subsumes: a perfect
/// matching, found by augmenting paths, since a greedy choice can end in a dead end (P23).
fn matched(child: Value<'_>, parent: Value<'_>) -> bool {
    let (Some(own), Some(granted)) = (clauses(child), clauses(parent)) else {
        return false;
    };
    if own.len() != granted.len() || own.len() > CLAUSES {
        return false;
    }
    // Each pair is looked at once, however often the search comes by: clauses may hold clauses.
    let row = |granted: &Value<'_>| own.iter().map(|own| is_subsumed(*own, *granted)).collect();
    let fits: Vec<Vec<bool>> = granted.iter().map(row).collect();
    let mut holders: Vec<Option<usize>> = vec![None; own.len()];
    (0..granted.len())
        .all(|clause| augment(clause, &fits, &mut holders, &mut vec![false; own.len()]))
}

/// Finds the parent's `clause` a clause of the child, and others theirs anew where need be.
fn augment(
    clause: usize,
    fits: &[Vec<bool>],
    holders: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    let row = fits.get(clause).map_or(&[][..], Vec::as_slice);
    for (place, fit) in row.iter().enumerate() {
        match tried.get_mut(place) {
            Some(seen) if *fit && !*seen => *seen = true,
            _ => continue,
        }
        let holder = holders.get(place).copied().flatten();
        if holder.is_none_or(|holder| augment(holder, fits, holders, tried)) {
            if let Some(slot) = holders.get_mut(place) {
                *slot = Some(clause);
            }
            return true;
        }
    }
    false
}

/// An interval of numbers; an end that is absent is open to infinity.
struct Range {
    min: Option<(Decimal, bool)>,
    max: Option<(Decimal, bool)>,
}

impl Range {
    fn read(constraint: Value<'_>) -> Option<Self> {
        let end = |name: &str, inclusive: &str| match constraint.get(name) {
            None => Some(None),
            Some(value) => {
                let inclusive = match constraint.get(inclusive) {
                    None => true,
                    Some(value) => value.as_bool()?,
                };
                Some(Some((Decimal::read(value.as_number()?)?, inclusive)))
            }
        };
        Some(Self {
            min: end("min", "min_inclusive")?,
            max: end("max", "max_inclusive")?,
        })
    }

    fn has(&self, value: &Decimal) -> bool {
        let above =
            |(min, inclusive): &(Decimal, bool)| value > min || (*inclusive && value == min);
        let below =
            |(max, inclusive): &(Decimal, bool)| value < max || (*inclusive && value == max);
        self.min.as_ref().is_none_or(above) && self.max.as_ref().is_none_or(below)
    }

    /// Whether both ends lie within; an end that touches must not open.
    fn is_within(&self, other: &Self) -> bool {
        let min = match (&self.min, &other.min) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some((own, inclusive)), Some((granted, granted_inclusive))) => {
                own > granted || (own == granted && (*granted_inclusive || !inclusive))
            }
        };
        let max = match (&self.max, &other.max) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some((own, inclusive)), Some((granted, granted_inclusive))) => {
                own < granted || (own == granted && (*granted_inclusive || !inclusive))
            }
        };
        min && max
    }
}
