//! The file of a table: made once, whole or not at all, and refused when it is another's.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::table::LINE;
use crate::window::{REGIONS, SECONDS};

/// Bytes before the words: a page, so that lines of words are lines of the processor's cache.
pub(crate) const HEADER: usize = 4096;

/// `sealgate`, as this machine orders bytes: a file of another order is none of ours.
const MAGIC: u64 = u64::from_be_bytes(*b"sealgate");
const VERSION: u64 = 1;
/// Bytes of the header that mean something.
const MEANT: usize = 8 * 8;
/// The largest capacity, a million proofs a second: 16 GiB.
const MOST: usize = 1 << 26;
/// Bytes written at a time.
const CHUNK: usize = 1 << 18;

/// Why a table cannot be used. Nothing falls back to less: who cannot open it cannot tell used
/// proofs from new ones.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What is there is not a file, or no table.
    #[error("is no table of used proofs. Remove it, or name another place")]
    Foreign,
    /// Made by another version, or for another capacity.
    #[error(
        "was made by another version. Stop every process that uses it, remove it and start them"
    )]
    Other,
    /// Others than its owner may read or write it.
    #[error("can be read by others. Remove it, or take their rights away (chmod 600)")]
    Exposed,
    /// None, or more than 67,108,864.
    #[error("cannot have this capacity")]
    Capacity,
}

/// What a table's file begins with.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    /// Lines of one region.
    lines: u64,
    pub(crate) seed: [u8; 16],
    /// Words of the whole table.
    pub(crate) words: usize,
    /// Bytes of the whole file.
    bytes: usize,
}

impl Header {
    /// Three words of four are taken at the capacity.
    fn new(capacity: usize, seed: [u8; 16]) -> Option<Self> {
        if capacity == 0 || capacity > MOST {
            return None;
        }
        let lines = (capacity.div_ceil(3) * 4)
            .div_ceil(LINE)
            .next_power_of_two();
        let lines = u64::try_from(lines).ok()?;
        let words = usize::try_from(lines * REGIONS).ok()?.checked_mul(LINE)?;
        let bytes = words.checked_mul(size_of::<u64>())?.checked_add(HEADER)?;
        Some(Self {
            lines,
            seed,
            words,
            bytes,
        })
    }

    fn geometry(&self) -> [u64; 5] {
        [MAGIC, VERSION, SECONDS, REGIONS, self.lines]
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER);
        for word in self.geometry() {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(self.seed);
        bytes.resize(HEADER, 0);
        bytes
    }

    /// What a file says of itself, if it is as this one would be but for the seed.
    fn check(self, bytes: &[u8; MEANT]) -> Result<Self, OpenError> {
        let (own, rest) = (self.geometry(), bytes.as_chunks::<8>().0);
        let mut there = rest.iter().map(|word| u64::from_ne_bytes(*word));
        if there.next() != Some(MAGIC) {
            return Err(OpenError::Foreign);
        }
        if !there.take(own.len() - 1).eq(own.into_iter().skip(1)) {
            return Err(OpenError::Other);
        }
        let seed = bytes
            .get(own.len() * 8..)
            .and_then(|rest| rest.first_chunk());
        let seed = *seed.ok_or(OpenError::Foreign)?;
        Ok(Self { seed, ..self })
    }
}

/// Opens the file, and makes it first where there is none.
pub(crate) fn open(
    path: &Path,
    capacity: usize,
    seed: [u8; 16],
) -> Result<(File, Header), OpenError> {
    let wanted = Header::new(capacity, seed).ok_or(OpenError::Capacity)?;
    if let Some(found) = existing(path, wanted)? {
        return Ok(found);
    }
    // Held until the end of this function, or of this process.
    let lock = private()
        .create(true)
        .truncate(false)
        .open(beside(path, "lock"))?;
    lock.lock()?;
    if existing(path, wanted)?.is_none() {
        make(path, wanted)?;
    }
    existing(path, wanted)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound).into())
}

/// Writes the whole file under another name and gives it this one.
fn make(path: &Path, header: Header) -> io::Result<()> {
    let draft = beside(path, "new");
    match fs::remove_file(&draft) {
        Ok(()) => {} // of a process that died here
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file = private().create_new(true).open(&draft)?;
    let written = fill(&mut file, header).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // A full disk gets its space back; that it was full is what matters.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn fill(file: &mut File, header: Header) -> io::Result<()> {
    file.write_all(&header.to_bytes())?;
    let zeros = vec![0; CHUNK];
    let mut left = header.bytes - HEADER;
    while left > 0 {
        let chunk = zeros.get(..left).unwrap_or(&zeros);
        file.write_all(chunk)?;
        left -= chunk.len();
    }
    // Before the name: after a loss of power a file of this name is a table.
    file.sync_all()
}

/// The file that is there; `None` where there is none.
fn existing(path: &Path, wanted: Header) -> Result<Option<(File, Header)>, OpenError> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err(OpenError::Foreign),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let mut file = private().open(path)?;
    let found = file.metadata()?;
    let mut bytes = [0; MEANT];
    let header = match file.read_exact(&mut bytes) {
        Ok(()) => wanted.check(&bytes)?,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(OpenError::Foreign);
        }
        Err(error) => return Err(error.into()),
    };
    // One that was cut short would kill whoever touches what is missing.
    if u64::try_from(header.bytes) != Ok(found.len()) {
        return Err(OpenError::Foreign);
    }
    if is_exposed(&found) {
        return Err(OpenError::Exposed);
    }
    Ok(Some((file, header)))
}

/// `path` with something added to its last name.
fn beside(path: &Path, added: &str) -> PathBuf {
    path.with_added_extension(added)
}

/// To read and to write, by the owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn is_exposed(found: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 != 0
}

/// Rights are the folder's where files have no mode.
#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}
