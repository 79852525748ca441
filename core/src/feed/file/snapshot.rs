//! The snapshot: all that is known up to a sequence, sorted, each handle once.
//!
//! Behind a header come blocks of entries, each with its size, how many entries it has, and a
//! checksum over these, its place among the blocks and what it holds. A block without entries is
//! the last: it holds how many there were in all. A snapshot is written under another name and
//! renamed, so one that is not whole was damaged later.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::bytes::{Cursor, StoreId, put_sized, seal, sealed_size, unseal};
use super::disk;
use super::folder::create;
use super::record::{Item, LARGEST, Whose};
use super::trouble::{broken, failed, flawed};
use crate::feed::FeedError;

const MAGIC: [u8; 8] = *b"sgsnaps\n";
const HEADER: usize = sealed_size(1);
/// Bytes of a block before it is closed.
const BLOCK: usize = 64 * 1024;
/// Of a block, before what it holds: size, entries, checksum.
const FRAME: usize = 4 + 4 + 8;

/// The frame of a block that holds this.
fn frame(id: StoreId, place: u64, entries: u32, held: &[u8]) -> [u8; FRAME] {
    let size = u32::try_from(held.len()).unwrap_or(u32::MAX).to_le_bytes();
    let entries = entries.to_le_bytes();
    let checksum = id.checksum(&[&place.to_le_bytes(), &size, &entries, held]);
    let mut frame = [0; FRAME];
    let parts = size
        .into_iter()
        .chain(entries)
        .chain(checksum.to_le_bytes());
    frame
        .iter_mut()
        .zip(parts)
        .for_each(|(to, from)| *to = from);
    frame
}

/// Reads a snapshot from its beginning to its end.
pub(super) struct Snapshot {
    file: BufReader<File>,
    path: PathBuf,
    id: StoreId,
    /// Everything up to that sequence is in it.
    pub(super) upto: u64,
    /// Entries that a version after this one wrote.
    pub(super) unreadable: u64,
}

impl Snapshot {
    /// Opens it; `None` where there is none.
    pub(super) fn open(path: PathBuf, id: StoreId) -> Result<Option<Self>, FeedError> {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("opening", &path, &error)),
        };
        let mut file = BufReader::with_capacity(4 * BLOCK, file);
        let mut header = [0; HEADER];
        read(&mut file, &path, &mut header)?;
        let (of, [upto]) = unseal(MAGIC, &header).map_err(|flaw| flawed(&path, flaw))?;
        if of != id {
            return Err(broken(&path, "it belongs to another store"));
        }
        Ok(Some(Self {
            file,
            path,
            id,
            upto,
            unreadable: 0,
        }))
    }

    /// All entries, in their order.
    pub(super) fn each(
        &mut self,
        take: &mut dyn FnMut(Item<'_>) -> Result<(), FeedError>,
    ) -> Result<(), FeedError> {
        let mut block = Vec::new();
        let mut total = 0;
        for place in 0.. {
            let entries = self.read_block(place, &mut block)?;
            if entries == 0 {
                break;
            }
            total += u64::from(entries);
            let mut cursor = Cursor(&block);
            let mut whose = None;
            for _ in 0..entries {
                let entry = cursor.sized();
                let entry =
                    entry.ok_or_else(|| broken(&self.path, "a block is not what it says"))?;
                match Item::read(entry, &mut whose) {
                    Some(item) => take(item)?,
                    None => self.unreadable += 1,
                }
            }
        }
        let mut rest = [0; 1];
        let end = self.file.read(&mut rest);
        let end = end.map_err(|error| failed("reading", &self.path, &error))?;
        if end != 0 || Cursor(&block).u64() != Some(total) {
            return Err(broken(&self.path, "it does not end where it says"));
        }
        Ok(())
    }

    /// What the next block holds, and how many entries that is.
    fn read_block(&mut self, place: u64, block: &mut Vec<u8>) -> Result<u32, FeedError> {
        let mut own = [0; FRAME];
        read(&mut self.file, &self.path, &mut own)?;
        let mut cursor = Cursor(&own);
        let (size, entries) = (cursor.u32().unwrap_or(0), cursor.u32().unwrap_or(0));
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let damaged = || broken(&self.path, &format!("block {place} is damaged"));
        if size > 2 * LARGEST {
            return Err(damaged());
        }
        block.resize(size, 0);
        read(&mut self.file, &self.path, block)?;
        if own != frame(self.id, place, entries, block) {
            return Err(damaged());
        }
        Ok(entries)
    }
}

fn read(file: &mut impl Read, path: &Path, bytes: &mut [u8]) -> Result<(), FeedError> {
    file.read_exact(bytes).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            broken(path, "it ends too early")
        } else {
            failed("reading", path, &error)
        }
    })
}

/// Writes a snapshot. Nobody sees it before it is whole and has been renamed.
pub(super) struct Draft {
    file: BufWriter<File>,
    path: PathBuf,
    id: StoreId,
    block: Vec<u8>,
    entry: Vec<u8>,
    /// Of the block.
    entries: u32,
    total: u64,
    place: u64,
    /// The last scope that was written, and its kind.
    whose: Option<(u8, String)>,
}

impl Draft {
    pub(super) fn begin(path: PathBuf, id: StoreId, upto: u64) -> Result<Self, FeedError> {
        let begun = create(&path).and_then(|mut file| {
            file.set_len(0)?;
            file.write_all(&seal(MAGIC, id, [upto]))?;
            Ok(file)
        });
        let file = begun.map_err(|error| failed("beginning", &path, &error))?;
        Ok(Self {
            file: BufWriter::with_capacity(4 * BLOCK, file),
            path,
            id,
            block: Vec::new(),
            entry: Vec::new(),
            entries: 0,
            total: 0,
            place: 0,
            whose: None,
        })
    }

    /// The next entry in order.
    pub(super) fn put(&mut self, item: Item<'_>) -> Result<(), FeedError> {
        let before = self
            .whose
            .as_ref()
            .map(|(kind, scope)| Whose { kind: *kind, scope });
        self.entry.clear();
        item.put(before, &mut self.entry);
        if before != Some(item.whose()) {
            let Whose { kind, scope } = item.whose();
            self.whose = Some((kind, scope.to_owned()));
        }
        put_sized(&mut self.block, &self.entry);
        self.entries += 1;
        if self.block.len() >= BLOCK {
            self.close_block()?;
        }
        Ok(())
    }

    fn close_block(&mut self) -> Result<(), FeedError> {
        let frame = frame(self.id, self.place, self.entries, &self.block);
        let written = self.file.write_all(&frame);
        let written = written.and_then(|()| self.file.write_all(&self.block));
        written.map_err(|error| failed("writing", &self.path, &error))?;
        self.total += u64::from(self.entries);
        self.place += 1;
        self.entries = 0;
        self.block.clear();
        self.whose = None;
        Ok(())
    }

    /// Writes all of it to the disk.
    pub(super) fn finish(mut self) -> Result<(), FeedError> {
        if self.entries > 0 {
            self.close_block()?;
        }
        self.block.extend_from_slice(&self.total.to_le_bytes());
        self.close_block()?;
        let synced = self
            .file
            .flush()
            .and_then(|()| disk::sync(self.file.get_ref(), &self.path));
        synced.map_err(|error| failed("writing", &self.path, &error))
    }
}

/// Bytes of the snapshot; 0 where there is none.
pub(super) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
