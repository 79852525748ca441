//! Tokens from files and standard input, a chunk at a time: one a line, or JSON lines.
//!
//! One thread reads bytes, another finds the tokens in them, and a chunk ends where more would have
//! to be waited for: `tail -f` shows each verdict at once, and a busy pipe makes large chunks.

mod blocks;
mod wrapper;

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::ops::Range;
use std::sync::mpsc;

use blocks::Blocks;

use crate::failure::Failure;

/// Tokens of a chunk: enough for every core to have work, few enough to bound memory.
const CHUNK_TOKENS: usize = 16 * 1024;
/// Bytes after which a chunk ends, however few its tokens.
const CHUNK_BYTES: usize = 16 * 1024 * 1024;
/// No policy allows a longer token; what a line has beyond is not kept, and cannot be accepted.
const LINE: usize = 64 * 1024 + 1;

/// A line that is not blank: the token, or what stands in its place.
struct Line {
    number: usize,
    range: Range<usize>,
    /// Why it is JSON without a token; it is judged as it stands then, and never accepted.
    fault: Option<&'static str>,
}

/// Some consecutive tokens of the input.
#[derive(Default)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    lines: Vec<Line>,
    /// Bytes of input behind this chunk, for progress.
    pub(crate) consumed: u64,
}

impl Chunk {
    /// The tokens, in order.
    pub(crate) fn tokens(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.lines
            .iter()
            .map(|line| &self.bytes[line.range.clone()])
    }

    /// The number of each token's line, from 1.
    pub(crate) fn numbers(&self) -> impl ExactSizeIterator<Item = usize> {
        self.lines.iter().map(|line| line.number)
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= CHUNK_TOKENS || self.bytes.len() >= CHUNK_BYTES
    }

    /// The first line that is JSON without a token, in words, and how many there are.
    fn faults(&self) -> (Option<String>, usize) {
        let mut faults = self.lines.iter().filter_map(|line| {
            let fault = line.fault?;
            Some(format!("line {}: {fault}", line.number))
        });
        (faults.next(), faults.count())
    }
}

/// Where tokens come from.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) size: Option<u64>,
    /// By its name, for a hint.
    pub(crate) can_be_read_again: bool,
    reader: Box<dyn Read + Send>,
}

/// Opens a file; nothing or `-` is standard input.
pub(crate) fn open(path: Option<&str>) -> Result<Source, Failure> {
    let Some(path) = path.filter(|path| *path != "-") else {
        if io::stdin().is_terminal() {
            complain("reading from the terminal; Ctrl-D ends it");
        }
        return Ok(Source {
            name: "standard input".to_owned(),
            size: None,
            can_be_read_again: false,
            reader: Box::new(io::stdin()),
        });
    };
    let file = File::open(path).map_err(|error| Failure::reading(path, &error))?;
    let size = file
        .metadata()
        .ok()
        .filter(std::fs::Metadata::is_file)
        .map(|data| data.len());
    Ok(Source {
        name: path.to_owned(),
        can_be_read_again: size.is_some(),
        size,
        reader: Box::new(file),
    })
}

/// The whole of a small file; `-` is standard input.
pub(crate) fn whole(path: &str) -> Result<Vec<u8>, Failure> {
    let Source {
        name, mut reader, ..
    } = open(Some(path))?;
    let mut text = Vec::new();
    let read = reader.read_to_end(&mut text);
    read.map_err(|error| Failure::reading(&name, &error))?;
    Ok(text)
}

/// The one token of a command that takes one.
pub(crate) fn one(path: Option<&str>) -> Result<Vec<u8>, Failure> {
    let Source { name, reader, .. } = open(path)?;
    let mut reader = io::BufReader::new(reader);
    let mut number = 0;
    let mut chunk = Chunk::default();
    let most = 2;
    while chunk.lines.len() < most {
        let more = read_line(&mut reader, &mut number, &mut chunk);
        if more.map_err(|error| Failure::reading(&name, &error))? == 0 {
            break;
        }
    }
    if let (Some(fault), _) = chunk.faults() {
        complain(&format!("{name}: {fault}"));
    }
    let mut tokens = chunk.tokens();
    match (tokens.next(), tokens.next()) {
        (Some(token), None) => Ok(token.to_vec()),
        (None, _) => Err(Failure::Usage(format!("{name}: no token"))),
        (Some(_), Some(_)) => Err(Failure::Usage(format!(
            "{name}: more than one token; see `sealgate verify`"
        ))),
    }
}

fn complain(text: &str) {
    // Nothing is left to do when even this fails.
    let _ = writeln!(io::stderr(), "sealgate: {text}");
}

/// When the first token is handed on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    AtOnce,
    /// With the second or at the end, which tells whether it is alone.
    Held,
}

/// Hands chunks to `each` while the next one is being read.
pub(crate) fn chunks(
    source: Source,
    first: First,
    mut each: impl FnMut(Chunk, bool) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Source { name, reader, .. } = source;
    let mut reader = Blocks::of(reader);
    let (mut fault, mut faults) = (None, 0);
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel::<io::Result<(Chunk, bool)>>(1);
        scope.spawn(move || {
            let (mut number, mut consumed, mut first) = (0, 0, first);
            loop {
                let next = read_chunk(&mut reader, &mut number, &mut consumed, first);
                first = First::AtOnce;
                let last = !matches!(&next, Ok((_, false)));
                if sender.send(next).is_err() || last {
                    return;
                }
            }
        });
        for next in receiver {
            let (chunk, last) = next.map_err(|error| Failure::reading(&name, &error))?;
            let (one, more) = chunk.faults();
            faults += more + usize::from(one.is_some());
            fault = fault.take().or(one);
            each(chunk, last)?;
        }
        Ok::<_, Failure>(())
    })?;
    if let Some(fault) = fault {
        let others = match faults - 1 {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        complain(&format!("{name}: {fault}{others}"));
    }
    Ok(())
}

/// Lines until a chunk is full, or more would have to be waited for.
fn read_chunk(
    reader: &mut Blocks,
    number: &mut usize,
    consumed: &mut u64,
    first: First,
) -> io::Result<(Chunk, bool)> {
    let mut chunk = Chunk::default();
    let least = if first == First::Held { 2 } else { 1 };
    let mut more = true;
    while more && !chunk.is_full() {
        if chunk.lines.len() >= least && reader.would_wait() {
            break;
        }
        let read = read_line(reader, number, &mut chunk)?;
        *consumed += u64::try_from(read).unwrap_or(0);
        more = read > 0;
    }
    chunk.consumed = *consumed;
    Ok((chunk, !more))
}

/// What some editors put before UTF-8; no part of any token.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Appends the next line unless it is blank, and tells its bytes: none at the end of the input.
fn read_line(reader: &mut dyn BufRead, number: &mut usize, chunk: &mut Chunk) -> io::Result<usize> {
    let start = chunk.bytes.len();
    let limit = u64::try_from(LINE).unwrap_or(u64::MAX);
    let read = (&mut *reader)
        .take(limit)
        .read_until(b'\n', &mut chunk.bytes)?;
    if read == 0 {
        return Ok(0);
    }
    *number += 1;
    let is_cut = read == LINE && chunk.bytes.last() != Some(&b'\n');
    let skipped = if is_cut { skip_line(reader)? } else { 0 };
    let mut line = &chunk.bytes[start..];
    let mut offset = 0;
    if *number == 1 {
        if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
            let text = "it is UTF-16; save it as UTF-8 (PowerShell: Out-File -Encoding utf8)";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        if let Some(rest) = line.strip_prefix(MARK) {
            (line, offset) = (rest, MARK.len());
        }
    }
    // Of a line that was cut nothing is read, lest its beginning be taken for the whole.
    if !is_cut {
        offset += line.len() - line.trim_ascii_start().len();
        line = line.trim_ascii();
    }
    let (mut fault, mut token) = (None, None);
    if !is_cut && matches!(line.first(), Some(b'"' | b'{')) {
        match wrapper::token_of(line) {
            Ok(found) => token = Some(found),
            Err(reason) => fault = Some(reason),
        }
    }
    if line.is_empty() {
        chunk.bytes.truncate(start);
        return Ok(read + skipped);
    }
    let range = match token {
        Some(token) => {
            chunk.bytes.truncate(start);
            chunk.bytes.extend_from_slice(token.as_bytes());
            start..chunk.bytes.len()
        }
        None => {
            let end = start + offset + line.len();
            start + offset..end
        }
    };
    chunk.lines.push(Line {
        number: *number,
        range,
        fault,
    });
    Ok(read + skipped)
}

/// Passes over the rest of a line, and tells its bytes.
fn skip_line(reader: &mut dyn BufRead) -> io::Result<usize> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let (len, end) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(position) => (position + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(len);
        skipped += len;
        if end {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{Blocks, Chunk, First, LINE, read_chunk};

    fn lines(text: &[u8]) -> Vec<(usize, Vec<u8>)> {
        let mut reader = Blocks::of(Box::new(Cursor::new(text.to_vec())));
        let (mut number, mut consumed, mut found) = (0, 0, Vec::new());
        loop {
            let next = read_chunk(&mut reader, &mut number, &mut consumed, First::AtOnce);
            let (chunk, last): (Chunk, bool) = next.unwrap();
            let tokens = chunk.tokens().map(<[u8]>::to_vec);
            found.extend(chunk.numbers().zip(tokens));
            if last {
                break;
            }
        }
        assert_eq!(usize::try_from(consumed).unwrap(), text.len());
        found
    }

    #[test]
    fn lines_json_strings_and_objects_are_tokens() {
        let text = b"a.b.c\r\n\n  \"d.e.f\"\n{\"token\":\"g.h.i\",\"x\":1}\n{\"x\":1}\nlast";
        let tokens: Vec<(usize, &[u8])> = vec![
            (1, b"a.b.c"),
            (3, b"d.e.f"),
            (4, b"g.h.i"),
            (5, b"{\"x\":1}"),
            (6, b"last"),
        ];
        let found = lines(text);
        assert_eq!(
            found
                .iter()
                .map(|(n, t)| (*n, t.as_slice()))
                .collect::<Vec<_>>(),
            tokens
        );
    }

    #[test]
    fn an_endless_line_is_cut_and_the_next_one_found() {
        let text = [vec![b'x'; LINE * 3], b"\nnext\n".to_vec()].concat();
        let found = lines(&text);
        assert_eq!(found[0].1.len(), LINE);
        assert_eq!(found[1], (2, b"next".to_vec()));
    }

    /// What stands behind the cut would otherwise go unseen, and what stands before it be taken
    /// for the whole line.
    #[test]
    fn blanks_cannot_hide_the_rest_of_a_line_behind_the_cut() {
        let blanks = vec![b' '; LINE];
        for line in [
            [b"a.b.c", blanks.as_slice(), b"x\n"].concat(),
            [b"\"a.b.c\"", blanks.as_slice(), b"x\n"].concat(),
            [blanks.as_slice(), b"a.b.c\n"].concat(),
        ] {
            let found = lines(&line);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].1, &line[..LINE], "kept whole, so oversized");
        }
        // The near miss: as many blanks as fit are no part of the token.
        let line = [b"a.b.c", &blanks[..LINE - 6], b"\n"].concat();
        assert_eq!(lines(&line), [(1, b"a.b.c".to_vec())]);
    }

    #[test]
    fn a_mark_before_utf_8_is_no_part_of_a_token_and_utf_16_is_told() {
        assert_eq!(lines(b"\xef\xbb\xbfa.b.c\n"), [(1, b"a.b.c".to_vec())]);
        assert_eq!(
            lines(b"\xef\xbb\xbf {\"token\":\"a.b.c\"}\n"),
            [(1, b"a.b.c".to_vec())]
        );
        // The near miss: anywhere else it belongs to what is judged.
        assert_eq!(lines(b"x\n\xef\xbb\xbfa\n")[1].1, b"\xef\xbb\xbfa");
        for text in [b"\xff\xfea\0", b"\xfe\xff\0a"] {
            let mut reader = Blocks::of(Box::new(Cursor::new(text.to_vec())));
            let read = read_chunk(&mut reader, &mut 0, &mut 0, First::AtOnce);
            assert!(read.is_err_and(|error| error.to_string().contains("UTF-16")));
        }
    }

    /// A reader that has one line, and then waits for a word from the test.
    struct Slow(Option<&'static [u8]>, std::sync::mpsc::Receiver<()>);

    impl std::io::Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some(text) = self.0.take() else {
                let _ = self.1.recv();
                return Ok(0);
            };
            buffer[..text.len()].copy_from_slice(text);
            Ok(text.len())
        }
    }

    #[test]
    fn a_chunk_ends_where_more_would_have_to_be_waited_for() {
        let (end, waiting) = std::sync::mpsc::channel();
        let mut reader = Blocks::of(Box::new(Slow(Some(b"one\ntwo\n"), waiting)));
        let (mut number, mut consumed) = (0, 0);
        let mut next = || read_chunk(&mut reader, &mut number, &mut consumed, First::AtOnce);
        let (chunk, last) = next().unwrap();
        assert_eq!((chunk.tokens().len(), last), (2, false));
        end.send(()).unwrap();
        let (chunk, last) = next().unwrap();
        assert_eq!((chunk.tokens().len(), last), (0, true));
    }
}
