//! [`Held`]: what an engine without a log of its own keeps of one handle, and how a letter changes it.
//!
//! Its JSON is that of the [`Change`] which follows from all letters so far, with two members more:
//! `"by":["00c0ffee00c0ffee:17"]`, who wrote it of late, and `"written":1800000000`.

use crate::encoding::json::Json;
use crate::revocation::{CHANGE_LIMITS, Change, ChangeError};
use crate::time::{NumericDate, Span};

use super::Letter;

/// For so long after it has ended an entry is kept, so that no clock that is wrong by hours forgets
/// it early.
const ENDED: Span = Span::from_seconds(24 * 60 * 60);
/// For so long after it was written a lift is kept: whoever was away hears of it, and no event from
/// before is taken any more (REV-08).
const LIFTED: Span = Span::from_seconds(8 * 24 * 60 * 60);

/// Writers of one handle that are remembered. Who is the ninth in a row while the first one's
/// connection breaks makes it write a second time.
const WRITERS: usize = 8;

/// The number of the last letter about the handle, where the engine has added it to a state: none
/// is 0, as of a letter before all others.
#[cfg(feature = "feed-redis")]
pub(super) fn number_of(state: &[u8]) -> u64 {
    let json = Json::parse(state.to_vec(), CHANGE_LIMITS).ok();
    let number = json.and_then(|json| json.root().get("number")?.as_number()?.parse().ok());
    number.unwrap_or(0)
}

/// A process that wrote, and its last letter about the handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) origin: u64,
    pub(super) number: u64,
}

/// The state of one handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) change: Change,
    /// The latest first.
    pub(super) by: Vec<Stamp>,
    /// When, by the engine's clock.
    written: NumericDate,
}

impl Held {
    /// What is held after a letter. One that came before, because its writer did not hear that it
    /// had arrived, changes nothing: a lift that is sent twice must not undo a revocation that
    /// somebody else wrote in between.
    pub(super) fn after(before: Option<Self>, letter: &Letter, now: NumericDate) -> Self {
        let stamp = letter.stamp();
        if let Some(before) = before.as_ref().filter(|before| before.has_heard(stamp)) {
            return before.clone();
        }
        let mut by = vec![stamp];
        let known = before.as_ref();
        let others = known.into_iter().flat_map(|before| &before.by);
        let others = others.filter(|by| by.origin != stamp.origin);
        by.extend(others.take(WRITERS - 1));
        let after = letter.change.after(known.map(|before| &before.change), now);
        // What changes nothing is written all the same: its writer waits for it to come back.
        let unchanged = || before.map_or_else(|| letter.change.clone(), |before| before.change);
        Self {
            change: after.unwrap_or_else(unchanged),
            by,
            written: now,
        }
    }

    /// Whether it follows from this letter already.
    pub(super) fn has_heard(&self, stamp: Stamp) -> bool {
        let mut by = self.by.iter();
        by.any(|by| by.origin == stamp.origin && by.number >= stamp.number)
    }

    /// From when on nobody needs to be told; `None` for never.
    pub(super) fn forgotten_at(&self) -> Option<NumericDate> {
        if self.change.is_lifted() {
            return Some(self.written.max(self.change.at()).plus(LIFTED));
        }
        self.change.expires().map(|end| end.plus(ENDED))
    }

    pub(super) fn to_json(&self) -> String {
        let mut json = self.change.to_json();
        // An object with members: the last one is followed by these.
        json.pop();
        json.push_str(",\"by\":[");
        for (index, by) in self.by.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            json.push_str(&format!("{comma}\"{}\"", by.to_text()));
        }
        json.push_str(&format!("],\"written\":{}}}", self.written.seconds()));
        json
    }

    /// What [`Held::to_json`] has written.
    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, ChangeError> {
        let change = Change::from_json(bytes)?;
        let json =
            Json::parse(bytes.to_vec(), CHANGE_LIMITS).map_err(|_| ChangeError::NotAnObject)?;
        let by = json.root().get("by").and_then(|by| by.as_array());
        let by = by.ok_or(ChangeError::Member("by"))?;
        let by = by.map(|by| by.as_str().and_then(Stamp::from_text));
        let by: Option<Vec<Stamp>> = by.collect();
        let written = json.root().get("written").and_then(|date| date.as_number());
        let written = written.and_then(NumericDate::from_json_number);
        Ok(Self {
            change,
            by: by.ok_or(ChangeError::Member("by"))?,
            written: written.ok_or(ChangeError::Member("written"))?,
        })
    }
}

impl Stamp {
    /// `00c0ffee00c0ffee:17`: numbers of 64 bits get through no server's scripts unharmed.
    pub(super) fn to_text(self) -> String {
        format!("{:016x}:{}", self.origin, self.number)
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (origin, number) = text.split_once(':')?;
        Some(Self {
            origin: u64::from_str_radix(origin, 16).ok()?,
            number: number.parse().ok()?,
        })
    }
}

impl Letter {
    pub(super) const fn stamp(&self) -> Stamp {
        Stamp {
            origin: self.origin,
            number: self.number,
        }
    }
}

/// What the state of a handle is filed under: no two handles have the same.
pub(super) fn name_of(change: &Change) -> String {
    let handle = change.handle();
    // The length first: no scope and value run into one another.
    format!(
        "{}:{}:{}{}",
        handle.kind().name(),
        handle.scope().len(),
        handle.scope(),
        handle.value()
    )
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::{Held, Letter};
    use crate::limits::Limits;
    use crate::revocation::{Change, Handle};
    use crate::time::NumericDate;

    /// As long as a policy lets a token have it.
    #[test]
    fn the_longest_parts_come_back_from_a_state() {
        let part = "s".repeat(Limits::CEILING.string_size);
        let now = NumericDate::from_seconds(5).unwrap();
        let letter = Letter {
            origin: 1,
            number: 1,
            change: Change::revoked(Handle::actor(&part, &part), None, None, now),
        };
        let held = Held::after(None, &letter, now);
        assert_eq!(Held::from_json(held.to_json().as_bytes()), Ok(held));
    }
}
