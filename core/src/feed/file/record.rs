//! What the files say of a handle, and the records of the journal.
//!
//! An entry is a byte of flags; the kind and whose it is, unless they are those of the entry
//! before; its value; the moment of the change; and what the flags name of a cut-off, an end and a
//! reason: all dates in seconds since 1970, a cut-off and an end rounded up. A record of the
//! journal is the size of what it holds, its sequence, a checksum over all of it, and then who
//! wrote it, the how manieth of theirs it is, and an entry.

use super::bytes::{Cursor, StoreId, put_number, put_sized};
use crate::feed::Letter;
use crate::revocation::{Change, Fact, Handle, HandleKind, Known, What};
use crate::time::NumericDate;

/// The kind and whose it is stand in the entry before; only snapshots say so.
const SAME: u8 = 1;
const LIFTED: u8 = 2;
const CUTOFF: u8 = 4;
const EXPIRES: u8 = 8;
const REASON: u8 = 16;
const EVENT: u8 = 32;
const FLAGS: u8 = SAME | LIFTED | CUTOFF | EXPIRES | REASON | EVENT;

/// Bytes that a record or an entry may have: more than any token could carry.
pub(super) const LARGEST: usize = 16 << 20;

/// Of a record, before what it holds: size, sequence, checksum.
pub(super) const FRAME: usize = 4 + 8 + 8;

/// What is known of a handle, borrowed from wherever it is written.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) kind: HandleKind,
    pub(super) scope: &'a str,
    pub(super) value: &'a str,
    pub(super) fact: Fact,
    pub(super) reason: Option<&'a str>,
}

/// What an entry may leave out when the one before has it too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Whose<'a> {
    pub(super) kind: u8,
    pub(super) scope: &'a str,
}

impl<'a> Item<'a> {
    pub(super) fn of(change: &'a Change) -> Self {
        let handle = change.handle();
        Self {
            kind: handle.kind(),
            scope: handle.scope(),
            value: handle.value(),
            fact: *change.fact(),
            reason: change.reason(),
        }
    }

    /// What files are sorted by.
    pub(super) fn key(&self) -> (u8, &'a str, &'a str) {
        (self.kind.number(), self.scope, self.value)
    }

    pub(super) fn whose(&self) -> Whose<'a> {
        Whose {
            kind: self.kind.number(),
            scope: self.scope,
        }
    }

    /// What is known of the handle when this follows on `before`. The moment of a change counts as
    /// the moment at which it is made, so that it comes to the same whoever reads it and when.
    pub(super) fn after(self, before: Self) -> Self {
        match self.fact.after(Some(before.fact), self.fact.at) {
            Some(fact) => Self {
                fact,
                reason: self.reason.or(before.reason),
                ..self
            },
            None => before,
        }
    }

    pub(super) fn known(&self) -> Known<'a> {
        Known {
            kind: self.kind,
            scope: self.scope,
            value: self.value,
            told: self.fact.told(),
        }
    }

    pub(super) fn to_change(self) -> Change {
        let handle = Handle::new(self.kind, self.scope, self.value);
        let Fact { what, at, event } = self.fact;
        let change = match what {
            What::Revoked { cutoff, expires } => Change::revoked(handle, cutoff, expires, at),
            What::Lifted => Change::lifted(handle, at),
        };
        let change = if event { change.from_event() } else { change };
        change.because(self.reason.unwrap_or_default())
    }

    /// Writes it as an entry, after one of `before`.
    pub(super) fn put(&self, before: Option<Whose<'_>>, out: &mut Vec<u8>) {
        let Fact { what, at, event } = self.fact;
        let (cutoff, expires, lifted) = match what {
            What::Revoked { cutoff, expires } => (cutoff, expires, false),
            What::Lifted => (None, None, true),
        };
        let same = before == Some(self.whose());
        let flags = [
            (same, SAME),
            (lifted, LIFTED),
            (cutoff.is_some(), CUTOFF),
            (expires.is_some(), EXPIRES),
            (self.reason.is_some(), REASON),
            (event, EVENT),
        ];
        out.push(
            flags
                .map(|(set, flag)| if set { flag } else { 0 })
                .iter()
                .sum(),
        );
        if !same {
            out.push(self.kind.number());
            put_sized(out, self.scope.as_bytes());
        }
        put_sized(out, self.value.as_bytes());
        let at = Some(at.seconds());
        let cutoff = cutoff.map(NumericDate::seconds);
        let expires = expires.map(NumericDate::seconds_up);
        for seconds in [at, cutoff, expires].into_iter().flatten() {
            put_number(out, u64::try_from(seconds).unwrap_or(0));
        }
        if let Some(reason) = self.reason {
            put_sized(out, reason.as_bytes());
        }
    }

    /// Reads an entry that is all of `bytes`, after one of `before`, which it moves on; `None`
    /// where a version after this one wrote something that this one does not know.
    pub(super) fn read(bytes: &'a [u8], before: &mut Option<Whose<'a>>) -> Option<Self> {
        let mut cursor = Cursor(bytes);
        let flags = cursor.byte()?;
        if flags & SAME == 0 {
            // Whatever else it is: the next one may refer to it.
            *before = None;
            let kind = cursor.byte()?;
            let scope = cursor.text()?;
            *before = Some(Whose { kind, scope });
        }
        let Whose { kind, scope } = (*before)?;
        let value = cursor.text()?;
        let at = read_date(&mut cursor)?;
        let mut date = |flag| match flags & flag {
            0 => Some(None),
            _ => read_date(&mut cursor).map(Some),
        };
        let (cutoff, expires) = (date(CUTOFF)?, date(EXPIRES)?);
        let reason = match flags & REASON {
            0 => None,
            _ => Some(cursor.text()?),
        };
        let known = flags & !FLAGS == 0 && cursor.0.is_empty();
        Some(Self {
            kind: HandleKind::from_number(kind).filter(|_| known)?,
            scope,
            value,
            fact: Fact {
                what: match flags & LIFTED {
                    0 => What::Revoked { cutoff, expires },
                    _ => What::Lifted,
                },
                at,
                event: flags & EVENT != 0,
            },
            reason,
        })
    }
}

fn read_date(cursor: &mut Cursor<'_>) -> Option<NumericDate> {
    NumericDate::from_seconds(i64::try_from(cursor.number()?).ok()?)
}

/// Appends a record of the journal.
pub(super) fn put_record(id: StoreId, sequence: u64, letter: &Letter, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME]);
    let Letter {
        origin,
        number,
        change,
    } = letter;
    out.extend_from_slice(&origin.to_le_bytes());
    put_number(out, *number);
    Item::of(change).put(None, out);
    let Some((_, record)) = out.split_at_mut_checked(start) else {
        return;
    };
    if let Some((frame, held)) = record.split_first_chunk_mut::<FRAME>() {
        *frame = seal(id, sequence, held);
    }
}

/// The frame of a record that holds this.
pub(super) fn seal(id: StoreId, sequence: u64, held: &[u8]) -> [u8; FRAME] {
    let size = u32::try_from(held.len()).unwrap_or(u32::MAX).to_le_bytes();
    let sequence = sequence.to_le_bytes();
    let checksum = id.checksum(&[&size, &sequence, held]).to_le_bytes();
    let mut frame = [0; FRAME];
    let parts = size.into_iter().chain(sequence).chain(checksum);
    frame
        .iter_mut()
        .zip(parts)
        .for_each(|(to, from)| *to = from);
    frame
}

/// What bytes of a journal begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// A record: what it holds.
    Whole(&'a [u8]),
    /// Perhaps a record, of so many bytes in all.
    Wants(usize),
    /// No record of this sequence.
    Torn,
}

/// Looks for the record of that sequence.
pub(super) fn read_record(id: StoreId, sequence: u64, bytes: &[u8]) -> Record<'_> {
    let mut cursor = Cursor(bytes);
    let Some(frame) = cursor.array::<FRAME>() else {
        return Record::Wants(FRAME);
    };
    let size = Cursor(&frame)
        .u32()
        .and_then(|size| usize::try_from(size).ok());
    let Some(size) = size.filter(|size| *size <= LARGEST) else {
        return Record::Torn;
    };
    let Some(held) = cursor.take(size) else {
        return Record::Wants(FRAME + size);
    };
    if frame == seal(id, sequence, held) {
        Record::Whole(held)
    } else {
        Record::Torn
    }
}

/// The entry that a record holds, as bytes, after who wrote it.
pub(super) fn entry_of(held: &[u8]) -> Option<(u64, u64, &[u8])> {
    let mut cursor = Cursor(held);
    Some((cursor.u64()?, cursor.number()?, cursor.0))
}

/// What a record holds; `None` where this version does not know how to read it.
pub(super) fn read_letter(held: &[u8]) -> Option<Letter> {
    let (origin, number, entry) = entry_of(held)?;
    let change = Item::read(entry, &mut None)?.to_change();
    Some(Letter {
        origin,
        number,
        change,
    })
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::{Item, LARGEST, Record, put_record, read_letter, read_record};
    use crate::feed::Letter;
    use crate::feed::file::bytes::StoreId;
    use crate::revocation::{Change, Handle, HandleKind};
    use crate::time::NumericDate;

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(seconds).unwrap()
    }

    fn changes() -> Vec<Change> {
        let mut changes = Vec::new();
        for kind in HandleKind::ALL {
            let (scope, value) = kind.parts();
            let part = |name: Option<&str>| name.map_or("", |_| "https://\u{e9}.example/\n\0");
            let handle = || Handle::new(kind, part(scope), part(value));
            changes.extend([
                Change::revoked(handle(), None, None, at(0)),
                Change::revoked(handle(), Some(at(4)), None, at(5)).because("leaked key"),
                Change::revoked(handle(), None, Some(NumericDate::LAST), at(5)),
                Change::lifted(handle(), at(1_800_000_000)).because(&"long ".repeat(50)),
                Change::lifted(handle(), at(5)).from_event(),
            ]);
        }
        changes
    }

    #[test]
    fn a_letter_comes_back_from_its_record_and_no_changed_byte_goes_unseen() {
        let id = StoreId::draw();
        for (number, change) in (1..).zip(changes()) {
            let letter = Letter {
                origin: 7,
                number,
                change,
            };
            let mut bytes = Vec::new();
            put_record(id, 90, &letter, &mut bytes);
            let Record::Whole(held) = read_record(id, 90, &bytes) else {
                panic!("whole")
            };
            let read = read_letter(held).unwrap();
            // Dates are whole seconds.
            assert_eq!(read.change.to_json(), letter.change.to_json());
            assert_eq!((read.origin, read.number), (7, number));
            assert_eq!(read_record(id, 91, &bytes), Record::Torn);
            assert_eq!(read_record(StoreId::draw(), 90, &bytes), Record::Torn);
            for at in 0..bytes.len() {
                let wanted = read_record(id, 90, &bytes[..at]);
                assert!(matches!(wanted, Record::Wants(size) if size > at && size <= bytes.len()));
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (at % 8);
                assert!(
                    !matches!(read_record(id, 90, &changed), Record::Whole(_)),
                    "{at}"
                );
            }
        }
        let huge = u32::try_from(LARGEST + 1).unwrap().to_le_bytes();
        assert_eq!(
            read_record(id, 1, &[&huge[..], &[0; 16]].concat()),
            Record::Torn
        );
    }

    #[test]
    fn an_entry_says_whose_it_is_only_when_that_changes() {
        let mut written = Vec::new();
        let (mut before, mut sizes) = (None, Vec::new());
        let all = changes();
        for change in &all {
            let item = Item::of(change);
            let start = written.len();
            item.put(before, &mut written);
            before = Some(item.whose());
            sizes.push(start..written.len());
        }
        let mut before = None;
        for (change, size) in all.iter().zip(sizes) {
            let read = Item::read(&written[size], &mut before).unwrap();
            assert_eq!(read.to_change().to_json(), change.to_json());
        }
    }

    #[test]
    fn what_a_later_version_wrote_is_left_out_and_its_neighbours_are_read() {
        let change = Change::revoked(Handle::token("https://a.example", "1"), None, None, at(5));
        let item = Item::of(&change);
        let mut whole = Vec::new();
        item.put(None, &mut whole);
        let mut same = Vec::new();
        item.put(Some(item.whose()), &mut same);
        assert!(same.len() < whole.len());
        assert!(
            Item::read(&same, &mut None).is_none(),
            "the same as nothing"
        );
        for (place, value) in [(0, 0x40), (0, 0x80), (1, 200)] {
            let mut later = whole.clone();
            later[place] = value;
            let mut before = None;
            assert!(Item::read(&later, &mut before).is_none());
            let next = Item::read(&same, &mut before);
            assert_eq!(
                next.is_some(),
                place == 0,
                "of a kind that nobody knows yet"
            );
        }
        let longer = [&whole[..], b"?"].concat();
        assert!(Item::read(&longer, &mut None).is_none());
        for size in 0..whole.len() {
            assert!(Item::read(&whole[..size], &mut None).is_none());
        }
    }

    #[test]
    fn a_revocation_adds_to_one_before_it_and_takes_over_why() {
        let handle = || Handle::issuer("https://a.example");
        let revoked = |cutoff: Option<i64>, expires: Option<i64>, seconds| {
            Change::revoked(handle(), cutoff.map(at), expires.map(at), at(seconds))
        };
        let after =
            |later: &Change, earlier: &Change| Item::of(later).after(Item::of(earlier)).to_change();
        let early = revoked(Some(10), Some(100), 10).because("early");
        let sum = after(&revoked(Some(5), None, 20), &early);
        assert_eq!(sum, revoked(Some(10), None, 20).because("early"));
        let sum = after(&revoked(None, Some(50), 20).because("late"), &early);
        assert_eq!(sum, revoked(None, Some(100), 20).because("late"));
        // By then the earlier one has ended, whenever that is read.
        let sum = after(&revoked(Some(5), None, 100), &early);
        assert_eq!(sum, revoked(Some(5), None, 100).because("early"));
        let lifted = Change::lifted(handle(), at(20)).because("found");
        assert_eq!(after(&lifted, &early), lifted);
        // An event from before a lift comes too late.
        let late = revoked(None, None, 19).from_event();
        assert_eq!(after(&late, &lifted), lifted);
        let sum = after(&revoked(None, None, 19), &lifted);
        assert_eq!(sum.fact().what, revoked(None, None, 0).fact().what);
    }
}
