//! Constraints on the argument of a tool (attenuating agent tokens §3.4): what one allows, and when
//! one allows no more than another (AAT-05, AAT-07). Whatever pair is not known to narrow does not,
//! and a constraint that nobody here knows allows nothing.

use super::text;
use crate::encoding::decimal::Decimal;
use crate::encoding::json::Value;

const KIND: &str = "constraint_type";

const VALUES: &str = "values";
const EXCLUDED: &str = "excluded";
const REQUIRED: &str = "required";
const ALLOWED: &str = "allowed";

/// Constraints inside one another, the outermost being the first (AAT-01).
const DEPTH: usize = 32;

/// Whether a constraint allows a value.
pub(super) fn allows(constraint: Value<'_>, value: Value<'_>) -> bool {
    allows_within(constraint, value, DEPTH)
}

fn allows_within(constraint: Value<'_>, value: Value<'_>, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let inner = |clause: Value<'_>| allows_within(clause, value, depth);
    match text(constraint, KIND) {
        Some("wildcard") => true,
        Some("exact") => constraint
            .get("value")
            .is_some_and(|exact| exact.same_as(value)),
        Some("range") => value
            .as_number()
            .and_then(Decimal::read)
            .is_some_and(|number| Range::read(constraint).is_some_and(|range| range.has(&number))),
        Some("one_of") => list(constraint, VALUES).is_some_and(|all| has(all, value)),
        Some("not_one_of") => list(constraint, EXCLUDED).is_some_and(|all| !has(all, value)),
        Some("contains") => all_in(list(constraint, REQUIRED), value.as_array()),
        Some("subset") => all_in(value.as_array(), list(constraint, ALLOWED)),
        // Without clauses they say nothing, and not that everything is well.
        Some("all") => {
            clauses(constraint).is_some_and(|all| !all.is_empty() && all.into_iter().all(inner))
        }
        Some("any") => clauses(constraint).is_some_and(|all| all.into_iter().any(inner)),
        Some(_) | None => false,
    }
}

/// Whether all that one constraint allows, the other allows too.
pub(super) fn is_subsumed(child: Value<'_>, parent: Value<'_>) -> bool {
    let (Some(own), Some(granted)) = (text(child, KIND), text(parent, KIND)) else {
        return false;
    };
    match (own, granted) {
        ("wildcard", "wildcard") => true,
        ("exact", "exact") => same_member(child, parent, "value"),
        ("exact", "one_of") => child
            .get("value")
            .is_some_and(|value| list(parent, VALUES).is_some_and(|all| has(all, value))),
        ("exact", "range") => child
            .get("value")
            .and_then(|value| Decimal::read(value.as_number()?))
            .is_some_and(|value| Range::read(parent).is_some_and(|range| range.has(&value))),
        ("exact", "not_one_of") => child
            .get("value")
            .is_some_and(|value| list(parent, EXCLUDED).is_some_and(|all| !has(all, value))),
        ("range", "range") => match (Range::read(child), Range::read(parent)) {
            (Some(own), Some(granted)) => own.is_within(&granted),
            _ => false,
        },
        ("one_of", "one_of") => all_in(list(child, VALUES), list(parent, VALUES)),
        ("subset", "subset") => all_in(list(child, ALLOWED), list(parent, ALLOWED)),
        // What is excluded, or demanded, may only grow.
        ("not_one_of", "not_one_of") => all_in(list(parent, EXCLUDED), list(child, EXCLUDED)),
        ("contains", "contains") => all_in(list(parent, REQUIRED), list(child, REQUIRED)),
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
    matches!((one.get(name), other.get(name)), (Some(one), Some(other)) if one.same_as(other))
}

fn list<'a>(
    constraint: Value<'a>,
    name: &str,
) -> Option<impl Iterator<Item = Value<'a>> + Clone + use<'a>> {
    constraint.get(name)?.as_array()
}

fn clauses<'a>(constraint: Value<'a>) -> Option<Vec<Value<'a>>> {
    Some(constraint.get("constraints")?.as_array()?.collect())
}

fn has<'a>(mut all: impl Iterator<Item = Value<'a>>, value: Value<'_>) -> bool {
    all.any(|one| one.same_as(value))
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

/// Each clause of the parent has a clause of the child of its own that it subsumes; whatever else
/// the child demands only narrows. Found by augmenting paths, since a greedy choice can end in a
/// dead end (P23).
fn matched(child: Value<'_>, parent: Value<'_>) -> bool {
    let (Some(own), Some(granted)) = (clauses(child), clauses(parent)) else {
        return false;
    };
    if own.len() < granted.len() || own.len() > CLAUSES {
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
