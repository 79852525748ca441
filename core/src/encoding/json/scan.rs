//! One pass over the text: grammar (RFC 8259 §2 to §7), limits, and the tape.
//!
//! Nothing recurses. While a container is open its node links to the one around it, so the tape is
//! its own stack, and a million brackets cost what the depth limit says (JWS-09).

use super::duplicates::{Names, Sieve};
use super::{Json, JsonError, JsonLimits, Node, Unescaped, narrow, wide};

/// Fills [`Json`] from a text that is shorter than `u32::MAX / 2`.
pub(super) fn scan(source: String, limits: JsonLimits) -> Result<(Json, Names), JsonError> {
    let mut scanner = Scanner {
        text: &source,
        limits,
        // A claims set has a node for every twelve bytes or so. The tape grows with what is really
        // there, and no byte makes more than one node.
        nodes: Vec::with_capacity(source.len() / 12 + 4),
        unescaped: Unescaped {
            text: String::new(),
            spans: Vec::new(),
        },
        sieve: Sieve::new(),
        depth: 0,
        open: Open::NONE,
    };
    scanner.document()?;
    let Scanner {
        nodes,
        unescaped,
        sieve,
        ..
    } = scanner;
    let unescaped = (!unescaped.spans.is_empty()).then(|| Box::new(unescaped));
    Ok((
        Json {
            source,
            nodes,
            unescaped,
        },
        sieve.names(),
    ))
}

struct Scanner<'s> {
    text: &'s str,
    limits: JsonLimits,
    nodes: Vec<Node>,
    unescaped: Unescaped,
    sieve: Sieve,
    /// Containers that are open.
    depth: usize,
    /// The innermost of them; before the first, what means nothing.
    open: Open,
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

/// What [`Scanner::value`] leaves to be read.
enum After<'s> {
    Value(&'s [u8]),
    Opening(&'s [u8]),
}

impl Open {
    const NONE: Self = Self {
        node: 0,
        end: 0,
        members: 0,
        names: 0,
    };
}

// What is still to be read is passed and returned rather than kept in the scanner, and the two
// functions on every member's path are always inlined: so it stays in registers, which is a fifth
// of the time. It is a slice rather than a position, so that looking at a byte and stepping over it
// is one check of bounds.
impl<'s> Scanner<'s> {
    /// One value and nothing after it.
    fn document(&mut self) -> Result<(), JsonError> {
        let mut rest = skip_space(self.text.as_bytes());
        loop {
            rest = match self.value(rest)? {
                // Into a container: its first member is next.
                After::Opening(inside) => inside,
                After::Value(after) => match self.separator(after)? {
                    Some(member) => member,
                    None => return Ok(()),
                },
            };
            rest = self.member(rest)?;
        }
    }

    /// A value, but of a container with members only its opening.
    #[inline(always)]
    fn value(&mut self, rest: &'s [u8]) -> Result<After<'s>, JsonError> {
        Ok(After::Value(match rest {
            [b'"', text @ ..] => self.string(text)?.1,
            [start @ (b'{' | b'['), inside @ ..] => {
                self.open(rest, *start)?;
                match skip_space(inside) {
                    [end, after @ ..] if *end == self.open.end => {
                        self.close(after);
                        after
                    }
                    inside => return Ok(After::Opening(inside)),
                }
            }
            [b'-' | b'0'..=b'9', ..] => self.scalar(rest, number(rest)?),
            [b't', ..] => self.scalar(rest, literal(rest, b"true")?),
            [b'f', ..] => self.scalar(rest, literal(rest, b"false")?),
            [b'n', ..] => self.scalar(rest, literal(rest, b"null")?),
            _ => return Err(JsonError::Malformed),
        }))
    }

    /// What stands between a value and the next member of whatever container is still open, closing
    /// those that end here; `None` at the end of the text.
    #[inline(always)]
    fn separator(&mut self, mut rest: &'s [u8]) -> Result<Option<&'s [u8]>, JsonError> {
        loop {
            rest = skip_space(rest);
            match rest {
                [] if self.depth == 0 => return Ok(None),
                _ if self.depth == 0 => return Err(JsonError::Malformed),
                [b',', after @ ..] => return Ok(Some(skip_space(after))),
                [end, after @ ..] if *end == self.open.end => {
                    self.close(after);
                    rest = after;
                }
                _ => return Err(JsonError::Malformed),
            }
        }
    }

    /// The position in the text at which `rest` starts.
    #[inline]
    fn position(&self, rest: &[u8]) -> usize {
        self.text.len() - rest.len()
    }

    /// Starts a container, leaving in the tape what is needed to resume the one around it: until
    /// [`Scanner::close`], a container's `next` is the node around it, `end` its place in the sieve
    /// and `extra` its members so far.
    #[inline]
    fn open(&mut self, at: &[u8], start: u8) -> Result<(), JsonError> {
        if self.depth >= self.limits.depth {
            return Err(JsonError::TooDeep);
        }
        if self.depth > 0
            && let Some(node) = self.nodes.get_mut(self.open.node)
        {
            node.extra = narrow(self.open.members);
        }
        self.depth += 1;
        let around = narrow(self.open.node);
        let names = self.sieve.enter();
        self.open = Open {
            node: self.nodes.len(),
            end: if start == b'{' { b'}' } else { b']' },
            members: 0,
            names,
        };
        self.nodes.push(Node {
            start: narrow(self.position(at)),
            end: narrow(names),
            next: around,
            extra: 0,
        });
        Ok(())
    }

    /// Completes the container that ends before `after` and resumes the one around it.
    #[inline]
    fn close(&mut self, after: &[u8]) {
        self.sieve.leave(self.open.names);
        self.depth -= 1;
        let end = narrow(self.position(after));
        let next = narrow(self.nodes.len());
        let Some(node) = self.nodes.get_mut(self.open.node) else {
            return;
        };
        let around = wide(node.next);
        node.end = end;
        node.next = next;
        node.extra = narrow(self.open.members);
        if self.depth == 0 {
            return;
        }
        if let Some(node) = self.nodes.get(around) {
            let is_object = self.text.as_bytes().get(wide(node.start)) == Some(&b'{');
            self.open = Open {
                node: around,
                end: if is_object { b'}' } else { b']' },
                members: wide(node.extra),
                names: wide(node.end),
            };
        }
    }

    /// Counts a member and, in an object, reads its name; returns its value and what follows.
    #[inline(always)]
    fn member(&mut self, rest: &'s [u8]) -> Result<&'s [u8], JsonError> {
        self.open.members += 1;
        if self.open.members > self.limits.members {
            return Err(JsonError::TooLarge);
        }
        if self.open.end == b']' {
            return Ok(rest);
        }
        let [b'"', text @ ..] = rest else {
            return Err(JsonError::Malformed);
        };
        let (raw, rest) = self.string(text)?;
        let name = match (self.unescaped.spans.last(), self.nodes.last()) {
            (Some(span), Some(Node { extra: 1.., .. })) => {
                self.unescaped.get(*span).unwrap_or_default().as_bytes()
            }
            _ => raw,
        };
        self.sieve.add(self.open.node, name);
        match skip_space(rest) {
            [b':', value @ ..] => Ok(skip_space(value)),
            _ => Err(JsonError::Malformed),
        }
    }

    /// Notes a value without members, from `at` to `after`, which it returns.
    #[inline]
    fn scalar(&mut self, at: &[u8], after: &'s [u8]) -> &'s [u8] {
        self.leaf(self.position(at), self.position(after), 0);
        after
    }

    #[inline]
    fn leaf(&mut self, start: usize, end: usize, extra: u32) {
        let next = narrow(self.nodes.len() + 1);
        self.nodes.push(Node {
            start: narrow(start),
            end: narrow(end),
            next,
            extra,
        });
    }

    /// Reads a string from after its opening quote; returns what stands between its quotes, and
    /// what follows it.
    #[inline(always)]
    fn string(&mut self, text: &'s [u8]) -> Result<(&'s [u8], &'s [u8]), JsonError> {
        let run = plain(text);
        let (raw, rest) = text.split_at_checked(run).ok_or(JsonError::Malformed)?;
        match rest {
            [b'"', after @ ..] if run <= self.limits.string_size => {
                self.leaf(self.position(text) - 1, self.position(after), 0);
                Ok((raw, after))
            }
            [b'"', ..] => Err(JsonError::TooLarge),
            [b'\\', ..] => self.escaped(text, rest),
            _ => Err(JsonError::Malformed),
        }
    }

    /// [`Scanner::string`] for one whose first backslash is where `rest` starts.
    #[inline(never)]
    fn escaped(
        &mut self,
        text: &'s [u8],
        rest: &'s [u8],
    ) -> Result<(&'s [u8], &'s [u8]), JsonError> {
        let bytes = self.text.as_bytes();
        let start = self.position(text);
        let mut at = self.position(rest);
        let from = self.unescaped.text.len();
        let mut copied = start;
        loop {
            let unescaped = &mut self.unescaped.text;
            unescaped.push_str(self.text.get(copied..at).ok_or(JsonError::Malformed)?);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let (char, after) = escape(bytes, at + 1).ok_or(JsonError::Malformed)?;
                    unescaped.push(char);
                    copied = after;
                    at = after + plain(bytes.get(after..).unwrap_or_default());
                }
                _ => return Err(JsonError::Malformed),
            }
        }
        if self.unescaped.text.len() - from > self.limits.string_size {
            return Err(JsonError::TooLarge);
        }
        let span = (narrow(from), narrow(self.unescaped.text.len()));
        self.unescaped.spans.push(span);
        self.leaf(start - 1, at + 1, narrow(self.unescaped.spans.len()));
        let raw = bytes.get(start..at).zip(bytes.get(at + 1..));
        raw.ok_or(JsonError::Malformed)
    }
}

/// From the first byte on that is not one of the four kinds of white space. Tokens have none.
#[inline(always)]
fn skip_space(text: &[u8]) -> &[u8] {
    match text {
        [..=b' ', ..] => skip_some_space(text),
        _ => text,
    }
}

#[inline(never)]
fn skip_some_space(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = text {
        text = rest;
    }
    text
}

/// How many bytes a string can hold as they are: up to a quote, a backslash, a control character or
/// the end of the text.
///
/// One word tells for a name or a short value; behind it, blocks of two words take less than one
/// word does, but only tell whether the end is among them.
#[inline(always)]
fn plain(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some((word, after)) = rest.split_first_chunk() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return text.len() - rest.len() + wide(special.trailing_zeros() / 8);
        }
        rest = skip_plain_blocks(after);
    }
    let run = rest.iter().position(|byte| is_special(*byte));
    text.len() - rest.len() + run.unwrap_or(rest.len())
}

/// From the first block of 16 bytes on that has a byte which ends a plain run.
#[inline(always)]
fn skip_plain_blocks(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let Some((block, after)) = rest.split_first_chunk::<16>() {
        // Without a branch for each, the compiler compares all at once.
        let is_plain = !block
            .iter()
            .fold(false, |any, byte| any | is_special(*byte));
        if !is_plain {
            break;
        }
        rest = after;
    }
    rest
}

/// Whether a byte ends a plain run.
#[inline]
const fn is_special(byte: u8) -> bool {
    // As in `special`: flipping bit 1 puts the quote right above the control characters.
    ((byte ^ 2) <= b' ') | (byte == b'\\')
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

/// What follows a literal.
#[inline]
fn literal<'s>(text: &'s [u8], name: &[u8]) -> Result<&'s [u8], JsonError> {
    text.strip_prefix(name).ok_or(JsonError::Malformed)
}

/// What follows a number.
#[inline]
fn number(text: &[u8]) -> Result<&[u8], JsonError> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let mut rest = match unsigned {
        [b'0', rest @ ..] => rest,
        _ => digits(unsigned)?,
    };
    if let [b'.', fraction @ ..] = rest {
        rest = digits(fraction)?;
    }
    let mut has_exponent = false;
    if let [b'e' | b'E', exponent @ ..] = rest {
        has_exponent = true;
        rest = match exponent {
            [b'+' | b'-', exponent @ ..] => digits(exponent)?,
            _ => digits(exponent)?,
        };
    }
    // Up to 308 digits are below the largest `f64`.
    let len = text.len() - rest.len();
    if has_exponent || len > 308 {
        check_range(text.get(..len).unwrap_or_default())?;
    }
    Ok(rest)
}

/// What follows at least one digit.
#[inline]
fn digits(text: &[u8]) -> Result<&[u8], JsonError> {
    let mut rest = text;
    while let [b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    if rest.len() == text.len() {
        Err(JsonError::Malformed)
    } else {
        Ok(rest)
    }
}

/// A number that overflows is infinite to one reader and an error to another.
#[cold]
fn check_range(number: &[u8]) -> Result<(), JsonError> {
    let number = str::from_utf8(number).ok();
    let value = number.and_then(|number| number.parse::<f64>().ok());
    value
        .filter(|value| value.is_finite())
        .map(|_| ())
        .ok_or(JsonError::Malformed)
}
