//! One pass over the text: grammar (RFC 8259 §2 to §7), limits, and the tape.
//!
//! Nothing recurses. While a container is open its node links to the one around it, so the tape is
//! its own stack, and a million brackets cost what the depth limit says (JWS-09).

use super::duplicates::{Names, Sieve};
use super::{Json, JsonError, JsonLimits, Node, narrow, wide};

/// Fills [`Json`] from a text that is shorter than `u32::MAX / 2`.
pub(super) fn scan(source: String, limits: JsonLimits) -> Result<(Json, Names), JsonError> {
    let mut scanner = Scanner {
        text: &source,
        limits,
        // A claims set has a node for every ten bytes or so. The tape grows with what is really
        // there, and no byte makes more than one node.
        nodes: Vec::with_capacity(source.len() / 8 + 4),
        unescaped: String::new(),
        texts: Vec::new(),
        sieve: Sieve::new(),
    };
    scanner.document()?;
    let Scanner {
        nodes,
        unescaped,
        texts,
        sieve,
        ..
    } = scanner;
    Ok((
        Json {
            source,
            unescaped,
            texts,
            nodes,
        },
        sieve.names(),
    ))
}

struct Scanner<'s> {
    text: &'s str,
    limits: JsonLimits,
    nodes: Vec<Node>,
    unescaped: String,
    texts: Vec<(u32, u32)>,
    sieve: Sieve,
}

/// The container being filled.
#[derive(Clone, Copy)]
struct Open {
    node: usize,
    /// The byte that closes it.
    end: u8,
    members: usize,
    /// Where its names start in the sieve.
    names: usize,
}

/// The link of a container with none around it.
const OUTERMOST: u32 = u32::MAX;

// Positions are passed and returned rather than kept in the scanner, and the two functions on every
// member's path are always inlined: so positions stay in registers, which is a fifth of the time.
impl Scanner<'_> {
    /// One value and nothing after it.
    fn document(&mut self) -> Result<(), JsonError> {
        let bytes = self.text.as_bytes();
        let mut open: Option<Open> = None;
        let mut depth = 0_usize;
        let mut at = skip_space(bytes, 0);
        loop {
            // A value starts here.
            at = match bytes.get(at) {
                Some(b'"') => self.string(at)?,
                Some(start @ (b'{' | b'[')) => {
                    depth += 1;
                    if depth > self.limits.depth {
                        return Err(JsonError::TooDeep);
                    }
                    let mut container = self.open(at, *start, open);
                    at = skip_space(bytes, at + 1);
                    if bytes.get(at) != Some(&container.end) {
                        at = self.member(&mut container, at)?;
                        open = Some(container);
                        continue;
                    }
                    open = self.close(container, at + 1);
                    depth -= 1;
                    at + 1
                }
                Some(b'-' | b'0'..=b'9') => self.scalar(at, number(self.text, at)?),
                Some(b't') => self.scalar(at, literal(bytes, at, b"true")?),
                Some(b'f') => self.scalar(at, literal(bytes, at, b"false")?),
                Some(b'n') => self.scalar(at, literal(bytes, at, b"null")?),
                _ => return Err(JsonError::Malformed),
            };
            // A value ended here, and perhaps the containers around it do too.
            loop {
                at = skip_space(bytes, at);
                let Some(container) = &mut open else {
                    return if at == bytes.len() {
                        Ok(())
                    } else {
                        Err(JsonError::Malformed)
                    };
                };
                match bytes.get(at) {
                    Some(b',') => {
                        at = self.member(container, skip_space(bytes, at + 1))?;
                        break;
                    }
                    Some(end) if *end == container.end => {
                        at += 1;
                        open = self.close(*container, at);
                        depth -= 1;
                    }
                    _ => return Err(JsonError::Malformed),
                }
            }
        }
    }

    /// Starts a container, leaving in the tape what is needed to resume the one around it: until
    /// [`Scanner::close`], a container's `next` is the node around it, `end` its place in the sieve
    /// and `extra` its members so far.
    #[inline]
    fn open(&mut self, at: usize, start: u8, outer: Option<Open>) -> Open {
        let next = outer.map_or(OUTERMOST, |outer| narrow(outer.node));
        if let Some(outer) = outer
            && let Some(node) = self.nodes.get_mut(outer.node)
        {
            node.extra = narrow(outer.members);
        }
        let node = self.nodes.len();
        let names = self.sieve.enter();
        self.nodes.push(Node {
            start: narrow(at),
            end: narrow(names),
            next,
            extra: 0,
        });
        Open {
            node,
            end: if start == b'{' { b'}' } else { b']' },
            members: 0,
            names,
        }
    }

    /// Completes a container that ends before `at` and returns the one around it.
    #[inline]
    fn close(&mut self, container: Open, at: usize) -> Option<Open> {
        self.sieve.leave(container.names);
        let after = narrow(self.nodes.len());
        let node = self.nodes.get_mut(container.node)?;
        let outer = node.next;
        node.end = narrow(at);
        node.next = after;
        node.extra = narrow(container.members);
        // The outermost container links to no node.
        let node = self.nodes.get(wide(outer))?;
        let is_object = self.text.as_bytes().get(wide(node.start)) == Some(&b'{');
        let end = if is_object { b'}' } else { b']' };
        Some(Open {
            node: wide(outer),
            end,
            members: wide(node.extra),
            names: wide(node.end),
        })
    }

    /// Counts a member and, in an object, reads its name; returns where its value starts.
    #[inline(always)]
    fn member(&mut self, container: &mut Open, at: usize) -> Result<usize, JsonError> {
        container.members += 1;
        if container.members > self.limits.members {
            return Err(JsonError::TooLarge);
        }
        if container.end == b']' {
            return Ok(at);
        }
        let bytes = self.text.as_bytes();
        if bytes.get(at) != Some(&b'"') {
            return Err(JsonError::Malformed);
        }
        let end = self.string(at)?;
        let name = match (self.nodes.last(), self.texts.last()) {
            (Some(Node { extra: 1.., .. }), Some((from, to))) => {
                self.unescaped.as_bytes().get(wide(*from)..wide(*to))
            }
            _ => bytes.get(at + 1..end - 1),
        };
        self.sieve.add(container.names, name.unwrap_or_default());
        let at = skip_space(bytes, end);
        if bytes.get(at) != Some(&b':') {
            return Err(JsonError::Malformed);
        }
        Ok(skip_space(bytes, at + 1))
    }

    /// Notes a value without members from `start` to `end`, which it returns.
    #[inline]
    fn scalar(&mut self, start: usize, end: usize) -> usize {
        self.leaf(start, end, 0)
    }

    #[inline]
    fn leaf(&mut self, start: usize, end: usize, extra: u32) -> usize {
        let next = narrow(self.nodes.len() + 1);
        self.nodes.push(Node {
            start: narrow(start),
            end: narrow(end),
            next,
            extra,
        });
        end
    }

    /// Reads the string whose opening quote is at `start`; returns where it ends.
    #[inline(always)]
    fn string(&mut self, start: usize) -> Result<usize, JsonError> {
        let bytes = self.text.as_bytes();
        let end = plain(bytes, start + 1);
        match bytes.get(end) {
            Some(b'"') if end - start - 1 <= self.limits.string_size => {
                Ok(self.leaf(start, end + 1, 0))
            }
            Some(b'"') => Err(JsonError::TooLarge),
            Some(b'\\') => self.escaped(start, end),
            _ => Err(JsonError::Malformed),
        }
    }

    /// [`Scanner::string`] for one whose first backslash is at `at`.
    #[inline(never)]
    fn escaped(&mut self, start: usize, mut at: usize) -> Result<usize, JsonError> {
        let bytes = self.text.as_bytes();
        let from = self.unescaped.len();
        let mut copied = start + 1;
        loop {
            self.unescaped
                .push_str(self.text.get(copied..at).ok_or(JsonError::Malformed)?);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let (char, after) = escape(bytes, at + 1).ok_or(JsonError::Malformed)?;
                    self.unescaped.push(char);
                    copied = after;
                    at = plain(bytes, after);
                }
                _ => return Err(JsonError::Malformed),
            }
        }
        if self.unescaped.len() - from > self.limits.string_size {
            return Err(JsonError::TooLarge);
        }
        self.texts
            .push((narrow(from), narrow(self.unescaped.len())));
        Ok(self.leaf(start, at + 1, narrow(self.texts.len())))
    }
}

/// The first position from `at` on that does not hold one of the four kinds of white space.
#[inline]
fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The first position from `at` on that a string cannot hold as it is: a quote, a backslash, a
/// control character or the end of the text.
#[inline(always)]
fn plain(bytes: &[u8], at: usize) -> usize {
    let mut rest = bytes.get(at..).unwrap_or_default();
    while let Some((word, after)) = rest.split_first_chunk() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return bytes.len() - rest.len() + wide(special.trailing_zeros() / 8);
        }
        rest = after;
    }
    let run = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | ..b' '));
    bytes.len() - rest.len() + run.unwrap_or(rest.len())
}

/// The high bit of each byte that ends a plain run.
///
/// Flipping bit 1 puts the quote right above the control characters, so one comparison finds both.
/// A subtraction borrows only from bytes above one that is special, so bits above the lowest may
/// be wrong; the lowest is exact, and 0 means there is none.
#[inline]
const fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let quote_or_control = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    (quote_or_control | backslash) & !word & (ONES * 0x80)
}

/// What the escape after a backslash stands for, and where it ends.
fn escape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let char = match bytes.get(at)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(bytes, at + 1),
        _ => return None,
    };
    Some((char, at + 1))
}

/// The character of one `\u` escape, or of the two that make a surrogate pair. Half a pair is no
/// character (JWS-07).
fn unicode_escape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let first = hex(bytes, at)?;
    let at = at + 4;
    if let Some(char) = char::from_u32(first.into()) {
        return Some((char, at));
    }
    if bytes.get(at..at + 2)? != b"\\u" {
        return None;
    }
    let second = hex(bytes, at + 2)?;
    let char = char::decode_utf16([first, second]).next()?.ok()?;
    Some((char, at + 6))
}

fn hex(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 4)?;
    let value = digits.iter().try_fold(0, |value, digit| {
        Some(value << 4 | char::from(*digit).to_digit(16)?)
    })?;
    u16::try_from(value).ok()
}

#[inline]
fn literal(bytes: &[u8], at: usize, name: &[u8]) -> Result<usize, JsonError> {
    let rest = bytes.get(at..).ok_or(JsonError::Malformed)?;
    rest.starts_with(name)
        .then(|| at + name.len())
        .ok_or(JsonError::Malformed)
}

/// Where the number that starts at `start` ends.
#[inline]
fn number(text: &str, start: usize) -> Result<usize, JsonError> {
    let bytes = text.as_bytes();
    let mut at = start;
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    let has_exponent = matches!(bytes.get(at), Some(b'e' | b'E'));
    if has_exponent {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    // Up to 308 digits are below the largest `f64`.
    if has_exponent || at - start > 308 {
        check_range(text, start, at)?;
    }
    Ok(at)
}

/// At least one digit.
#[inline]
fn digits(bytes: &[u8], start: usize) -> Result<usize, JsonError> {
    let mut at = start;
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    if at == start {
        Err(JsonError::Malformed)
    } else {
        Ok(at)
    }
}

/// A number that overflows is infinite to one reader and an error to another.
#[cold]
fn check_range(text: &str, start: usize, end: usize) -> Result<(), JsonError> {
    let value = text
        .get(start..end)
        .and_then(|text| text.parse::<f64>().ok());
    value
        .filter(|value| value.is_finite())
        .map(|_| ())
        .ok_or(JsonError::Malformed)
}
