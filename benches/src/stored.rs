//! A store of kind `file`, written by the description in the manual and by nothing of the engine's.

use std::fs;
use std::hash::Hasher;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use siphasher::sip::SipHasher13;

/// Bytes of a block before it is closed.
const BLOCK: usize = 64 * 1024;
/// What the numbers of kinds stand for.
pub const TOKEN: u8 = 0;
/// A session.
pub const SESSION: u8 = 1;
/// Whom tokens are about.
pub const SUBJECT: u8 = 2;
/// An agent.
pub const ACTOR: u8 = 4;

/// The two halves of a store's id.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub u64, pub u64);

impl Id {
    fn checksum(self, parts: &[&[u8]]) -> [u8; 8] {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        parts.iter().for_each(|part| hasher.write(part));
        hasher.finish().to_le_bytes()
    }

    /// A header with these fields.
    #[must_use]
    pub fn header(self, magic: [u8; 8], fields: &[u64]) -> Vec<u8> {
        let mut header = [&magic[..], &1_u32.to_le_bytes(), &[0; 4]].concat();
        for number in [self.0, self.1].iter().chain(fields) {
            header.extend(number.to_le_bytes());
        }
        header.extend(self.checksum(&[&header]));
        header
    }

    /// The frame of a record of the journal, and what it holds.
    #[must_use]
    pub fn record(self, sequence: u64, held: &[u8]) -> Vec<u8> {
        let size = u32::try_from(held.len()).expect("small").to_le_bytes();
        let sequence = sequence.to_le_bytes();
        let checksum = self.checksum(&[&size, &sequence, held]);
        [&size[..], &sequence, &checksum, held].concat()
    }

    /// The frame of a block of the snapshot, and what it holds.
    #[must_use]
    pub fn block(self, place: u64, entries: u32, held: &[u8]) -> Vec<u8> {
        let size = u32::try_from(held.len()).expect("small").to_le_bytes();
        let entries = entries.to_le_bytes();
        let checksum = self.checksum(&[&place.to_le_bytes(), &size, &entries, held]);
        [&size[..], &entries, &checksum, held].concat()
    }

    /// The file `committed`: both places say the same.
    #[must_use]
    pub fn committed(self, first: u64, length: u64, sequence: u64) -> Vec<u8> {
        let mut file = vec![0; 1024];
        for (turn, start) in [(0, 0), (1, 512)] {
            let place = self.header(*b"sgcommt\n", &[turn, first, length, sequence]);
            file[start..start + place.len()].copy_from_slice(&place);
        }
        file
    }
}

/// A number of seven bits a byte.
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Of an entry's flags: it follows from an event.
const EVENT: u8 = 32;

/// Makes a store whose snapshot has so many entries of one issuer: one in ten an agent, seven of
/// ten a token; every other one follows from an event.
///
/// # Errors
///
/// When the folder cannot be made or written.
pub fn write(folder: &Path, issuer: &str, entries: usize) -> io::Result<()> {
    let id = Id(7, 11);
    fs::create_dir(folder)?;
    let upto = entries as u64;
    let mut file = BufWriter::new(fs::File::create(folder.join("snapshot"))?);
    file.write_all(&id.header(*b"sgsnaps\n", &[upto]))?;
    let (mut block, mut held, mut places) = (Vec::new(), 0, 0);
    let tenths = [(TOKEN, 7), (SESSION, 1), (SUBJECT, 1), (ACTOR, 1)];
    for (kind, tenths) in tenths {
        for n in 0..entries * tenths / 10 {
            let mut entry = Vec::with_capacity(96);
            // The same kind and issuer as before, but for the first of a block; no end.
            let same = held > 0 && n > 0;
            entry.push(u8::from(same) | if n % 2 == 0 { 0 } else { EVENT });
            if !same {
                entry.push(kind);
                put_text(&mut entry, issuer);
            }
            put_text(&mut entry, &format!("{n:08x}-0000-4000-8000-{n:012x}"));
            put_number(&mut entry, 1_800_000_000);
            put_number(&mut block, entry.len() as u64);
            block.append(&mut entry);
            held += 1;
            if block.len() >= BLOCK {
                file.write_all(&id.block(places, held, &block))?;
                (held, places) = (0, places + 1);
                block.clear();
            }
        }
    }
    if held > 0 {
        file.write_all(&id.block(places, held, &block))?;
        places += 1;
    }
    let total: usize = tenths.iter().map(|(_, tenths)| entries * tenths / 10).sum();
    file.write_all(&id.block(places, 0, &(total as u64).to_le_bytes()))?;
    file.flush()?;
    let journal = id.header(*b"sgjourn\n", &[upto + 1]);
    let committed = id.committed(upto + 1, journal.len() as u64, upto);
    fs::write(folder.join(format!("journal-{:020}", upto + 1)), journal)?;
    fs::write(folder.join("committed"), committed)
}
