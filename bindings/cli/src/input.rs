//! Tokens from files and standard input, a chunk at a time: one a line, or JSON lines.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::ops::Range;
use std::sync::mpsc;

use crate::failure::Failure;

/// Tokens of a chunk: enough for every core to have work, few enough to bound memory.
const CHUNK_TOKENS: usize = 16 * 1024;
/// Bytes after which a chunk ends, however few its tokens.
const CHUNK_BYTES: usize = 16 * 1024 * 1024;
/// No policy allows a longer token; what a line has beyond is not kept, and cannot be accepted.
const LINE: usize = 64 * 1024 + 1;

/// A line that is not blank.
struct Line {
    number: usize,
    range: Range<usize>,
    /// Whether it went on beyond what was kept.
    is_cut: bool,
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
    pub(crate) fn tokens(&self) -> impl ExactSizeIterator<Item = Cow<'_, [u8]>> {
        self.lines.iter().map(|line| {
            let text = &self.bytes[line.range.clone()];
            // Of a line that was cut nothing is read, lest its beginning be taken for the whole.
            if line.is_cut {
                Cow::Borrowed(text)
            } else {
                token_of(text)
            }
        })
    }

    /// The number of each token's line, from 1.
    pub(crate) fn numbers(&self) -> impl ExactSizeIterator<Item = usize> {
        self.lines.iter().map(|line| line.number)
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= CHUNK_TOKENS || self.bytes.len() >= CHUNK_BYTES
    }
}

/// The token of a line: the line, a JSON string, or the member `token` of a JSON object.
fn token_of(line: &[u8]) -> Cow<'_, [u8]> {
    let json = match line.first() {
        Some(b'"' | b'{') => serde_json::from_slice::<serde_json::Value>(line).ok(),
        _ => None,
    };
    let token = json
        .as_ref()
        .and_then(|json| json.as_str().or_else(|| json.get("token")?.as_str()));
    match token {
        Some(token) => Cow::Owned(token.as_bytes().to_vec()),
        None => Cow::Borrowed(line),
    }
}

/// Where tokens come from.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) size: Option<u64>,
    reader: Box<dyn BufRead + Send>,
}

/// Opens a file; nothing or `-` is standard input.
pub(crate) fn open(path: Option<&str>) -> Result<Source, Failure> {
    let Some(path) = path.filter(|path| *path != "-") else {
        let reader = Box::new(BufReader::with_capacity(1 << 20, io::stdin()));
        return Ok(Source {
            name: "standard input".to_owned(),
            size: None,
            reader,
        });
    };
    let file = File::open(path).map_err(|error| Failure::reading(path, &error))?;
    let size = file
        .metadata()
        .ok()
        .filter(std::fs::Metadata::is_file)
        .map(|data| data.len());
    let reader = Box::new(BufReader::with_capacity(1 << 20, file));
    Ok(Source {
        name: path.to_owned(),
        size,
        reader,
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
    let Source {
        name, mut reader, ..
    } = open(path)?;
    let mut number = 0;
    let mut chunk = Chunk::default();
    let most = 2;
    while chunk.lines.len() < most {
        let more = read_line(&mut reader, &mut number, &mut chunk);
        if more.map_err(|error| Failure::reading(&name, &error))? == 0 {
            break;
        }
    }
    let mut tokens = chunk.tokens();
    match (tokens.next(), tokens.next()) {
        (Some(token), None) => Ok(token.into_owned()),
        (None, _) => Err(Failure::Usage(format!("{name}: no token"))),
        (Some(_), Some(_)) => Err(Failure::Usage(format!(
            "{name}: more than one token; see `sealgate verify`"
        ))),
    }
}

/// Hands chunks to `each` while the next one is being read.
pub(crate) fn chunks(
    source: Source,
    mut each: impl FnMut(Chunk, bool) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Source {
        name, mut reader, ..
    } = source;
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel::<io::Result<(Chunk, bool)>>(1);
        scope.spawn(move || {
            let (mut number, mut consumed) = (0, 0);
            loop {
                let next = read_chunk(&mut reader, &mut number, &mut consumed);
                let last = !matches!(&next, Ok((_, false)));
                if sender.send(next).is_err() || last {
                    return;
                }
            }
        });
        for next in receiver {
            let (chunk, last) = next.map_err(|error| Failure::reading(&name, &error))?;
            each(chunk, last)?;
        }
        Ok(())
    })
}

fn read_chunk(
    reader: &mut dyn BufRead,
    number: &mut usize,
    consumed: &mut u64,
) -> io::Result<(Chunk, bool)> {
    let mut chunk = Chunk::default();
    let mut more = true;
    while more && !chunk.is_full() {
        let read = read_line(reader, number, &mut chunk)?;
        *consumed += u64::try_from(read).unwrap_or(0);
        more = read > 0;
    }
    chunk.consumed = *consumed;
    Ok((chunk, !more))
}

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
    let line = &chunk.bytes[start..];
    let range = if is_cut {
        start..start + read
    } else {
        let blank = line.len() - line.trim_ascii_start().len();
        start + blank..start + blank + line.trim_ascii().len()
    };
    if range.is_empty() {
        chunk.bytes.truncate(start);
    } else {
        let number = *number;
        chunk.lines.push(Line {
            number,
            range,
            is_cut,
        });
    }
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
    use std::borrow::Cow;
    use std::io::Cursor;

    use super::{Chunk, LINE, read_chunk};

    fn lines(text: &[u8]) -> Vec<(usize, Vec<u8>)> {
        let mut reader = Cursor::new(text.to_vec());
        let mut consumed = 0;
        let (chunk, last): (Chunk, bool) = read_chunk(&mut reader, &mut 0, &mut consumed).unwrap();
        assert!(last);
        assert_eq!(usize::try_from(consumed).unwrap(), text.len());
        let tokens = chunk.tokens().map(Cow::into_owned);
        chunk.numbers().zip(tokens).collect()
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
}
