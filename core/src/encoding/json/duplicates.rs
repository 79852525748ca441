//! No object may name a member twice, at any depth (JWS-08).
//!
//! Of two equal names one parser takes the first and another the last, so a token would mean two
//! things. Names are compared as unescaped: `"a\u006cg"` is `"alg"`.

use std::collections::HashSet;
use std::hash::RandomState;

use super::{Json, JsonError, JsonKind, Members};

/// Up to this many names each is compared with all before it, which beats any set for the objects
/// tokens are made of. Above, a set bounds the work; its hasher is keyed at random, so that nobody
/// can choose names that fall into one bucket.
const FEW: usize = 32;

/// Refuses the text if any of its objects has two members of the same name.
pub(super) fn refuse(json: &Json) -> Result<(), JsonError> {
    for node in 0..super::narrow(json.nodes.len()) {
        if let Some(value) = json.value(node)
            && value.kind() == JsonKind::Object
            && let Some(members) = value.as_object()
            && has_duplicate(members)
        {
            return Err(JsonError::DuplicateMember);
        }
    }
    Ok(())
}

fn has_duplicate(members: Members<'_>) -> bool {
    if members.len() > FEW {
        let mut names = HashSet::with_capacity_and_hasher(members.len(), RandomState::new());
        return !members.map(|(name, _)| name).all(|name| names.insert(name));
    }
    let mut tags = [0; FEW];
    for (index, (name, _)) in members.clone().enumerate() {
        let tag = tag(name.as_bytes());
        // Without a branch for each, the compiler compares several at once.
        let alike = tags
            .iter()
            .fold(false, |alike, earlier| alike | (*earlier == tag));
        if alike
            && members
                .clone()
                .take(index)
                .any(|(earlier, _)| earlier == name)
        {
            return true;
        }
        if let Some(slot) = tags.get_mut(index) {
            *slot = tag;
        }
    }
    false
}

/// Equal names have equal tags, and different ones hardly ever.
fn tag(name: &[u8]) -> u32 {
    let len = super::narrow(name.len());
    match (name.first_chunk(), name.last_chunk()) {
        (Some(head), Some(tail)) => {
            let mixed = u32::from_le_bytes(*head).wrapping_mul(0x9E37_79B1);
            (mixed ^ u32::from_le_bytes(*tail)).wrapping_add(len << 27)
        }
        _ => name
            .iter()
            .fold(len, |tag, byte| tag << 8 | u32::from(*byte)),
    }
}
