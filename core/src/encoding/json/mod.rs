//! JSON as a flat tape over its own text: strict, bounded, read once (RFC 8259; JWS-07, JWS-08,
//! JWS-09, JWT-08).
//!
//! A general-purpose reader keeps the last of two equal members, recurses as deep as a stranger
//! likes and copies every string. This one refuses duplicates at any depth, keeps its place in the
//! tape instead of on the stack, and copies only strings that have escapes. Numbers are checked
//! against the grammar and kept as text: what a number means is for the claim that holds it.

mod duplicates;
mod equal;
mod scan;

use std::fmt;

use self::duplicates::Names;
use crate::error::{Code, Error};
use crate::limits::Limits;

/// What one JSON text may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonLimits {
    /// Containers inside one another; the outermost is the first.
    pub(crate) depth: usize,
    /// Bytes of a string or member name, as unescaped.
    pub(crate) string_size: usize,
    /// Members of one array or object.
    pub(crate) members: usize,
}

impl From<Limits> for JsonLimits {
    fn from(limits: Limits) -> Self {
        Self {
            depth: limits.json_depth,
            string_size: limits.string_size,
            members: limits.array_members,
        }
    }
}

/// Why a JSON text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Not JSON, not UTF-8, or a number too large to be one.
    Malformed,
    /// An object names a member twice.
    DuplicateMember,
    /// Deeper than the limit.
    TooDeep,
    /// A string or container larger than its limit, or a text too large to index.
    TooLarge,
}

impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        Self::new(match error {
            JsonError::Malformed => Code::MalformedToken,
            JsonError::DuplicateMember => Code::DuplicateMember,
            JsonError::TooDeep => Code::NestingTooDeep,
            JsonError::TooLarge => Code::Oversized,
        })
    }
}

/// A checked JSON text, owned, with an index of its values.
pub(crate) struct Json {
    source: String,
    /// Every value and member name in source order; never empty.
    nodes: Vec<Node>,
    /// Most texts have none, and every kept token has room for what is here.
    unescaped: Option<Box<Unescaped>>,
}

/// The strings that have escapes.
struct Unescaped {
    /// What they say, one after another.
    text: String,
    /// Where each of them lies in it.
    spans: Vec<(u32, u32)>,
}

/// One value or member name. What kind it is, its first byte in the source tells.
#[derive(Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    /// The node after this value and everything inside it.
    next: u32,
    /// Of a container: how many members. Of a string: 0 if its text stands in the source as it is,
    /// else its place among the [`Unescaped`], counted from 1.
    extra: u32,
}

/// The six kinds of RFC 8259 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed by the standard")]
pub enum JsonKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Json {
    /// Checks the whole text and indexes it. The root may be a value of any kind.
    pub(crate) fn parse(bytes: Vec<u8>, limits: JsonLimits) -> Result<Self, JsonError> {
        // Spans are 32 bits, and unescaping never lengthens a text.
        if u32::try_from(bytes.len()).map_or(true, |len| len > u32::MAX / 2) {
            return Err(JsonError::TooLarge);
        }
        let source = String::from_utf8(bytes).map_err(|_| JsonError::Malformed)?;
        let (json, names) = scan::scan(source, limits)?;
        if names == Names::Unsure {
            duplicates::refuse(&json)?;
        }
        Ok(json)
    }

    /// The outermost value.
    pub(crate) const fn root(&self) -> Value<'_> {
        Value {
            json: self,
            node: 0,
        }
    }

    /// The text exactly as given.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The value with this [`Value::node`].
    pub(crate) fn value(&self, node: u32) -> Option<Value<'_>> {
        self.nodes
            .get(wide(node))
            .map(|_| Value { json: self, node })
    }

    /// What kind of value a node is, its first byte tells.
    #[inline]
    fn first_byte(&self, node: Node) -> Option<u8> {
        self.source.as_bytes().get(wide(node.start)).copied()
    }

    /// The text, unescaped, of a node that is a string or a member name.
    #[inline]
    fn string(&self, node: Node) -> Option<&str> {
        if node.extra == 0 {
            // Between the quotes, which both are there.
            return self
                .source
                .get(wide(node.start) + 1..wide(node.end).saturating_sub(1));
        }
        let unescaped = self.unescaped.as_deref()?;
        unescaped.get(*unescaped.spans.get(wide(node.extra) - 1)?)
    }

    /// Bytes held on the heap.
    pub(crate) fn heap_size(&self) -> usize {
        let unescaped = self.unescaped.as_deref().map_or(0, |unescaped| {
            size_of::<Unescaped>()
                + unescaped.text.capacity()
                + unescaped.spans.capacity() * size_of::<(u32, u32)>()
        });
        self.source.capacity() + self.nodes.capacity() * size_of::<Node>() + unescaped
    }
}

impl Unescaped {
    fn get(&self, (start, end): (u32, u32)) -> Option<&str> {
        self.text.get(wide(start)..wide(end))
    }
}

/// Sizes only: the content is a stranger's, or a secret.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Json")
            .field("bytes", &self.source.len())
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

/// A value of a JSON text that was read strictly: no object in it has the same member twice, and
/// every number is within the range of an `f64`.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    json: &'a Json,
    node: u32,
}

impl<'a> Value<'a> {
    /// The kind of this value.
    #[must_use]
    pub fn kind(self) -> JsonKind {
        match self.json.first_byte(self.span()) {
            Some(b'{') => JsonKind::Object,
            Some(b'[') => JsonKind::Array,
            Some(b'"') => JsonKind::String,
            Some(b't' | b'f') => JsonKind::Bool,
            Some(b'-' | b'0'..=b'9') => JsonKind::Number,
            _ => JsonKind::Null,
        }
    }

    /// The number under which `Json::value` finds this value again.
    pub(crate) const fn node(self) -> u32 {
        self.node
    }

    /// The source text of this value; that of a string has its quotes.
    #[must_use]
    pub fn raw(self) -> &'a str {
        let Node { start, end, .. } = self.span();
        self.json
            .source
            .get(wide(start)..wide(end))
            .unwrap_or_default()
    }

    /// Whether two values say the same, however they are written: members in any order, numbers by
    /// value (ATN-08).
    pub(crate) fn same_as(self, other: Value<'_>) -> bool {
        equal::values(self, other)
    }

    /// The text of a string, unescaped.
    #[must_use]
    #[inline]
    pub fn as_str(self) -> Option<&'a str> {
        let node = self.span();
        match self.json.first_byte(node) {
            Some(b'"') => self.json.string(node),
            _ => None,
        }
    }

    /// Whether a boolean is `true`.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.raw() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The text of a number. It follows the grammar and is within the range of an `f64`.
    #[must_use]
    #[inline]
    pub fn as_number(self) -> Option<&'a str> {
        match self.json.first_byte(self.span()) {
            Some(b'-' | b'0'..=b'9') => Some(self.raw()),
            _ => None,
        }
    }

    /// The values of an array.
    #[must_use]
    pub fn as_array(self) -> Option<Elements<'a>> {
        let Self { json, node } = self;
        (self.kind() == JsonKind::Array).then(|| Elements {
            json,
            node: node.saturating_add(1),
            left: self.span().extra,
        })
    }

    /// The members of an object, in source order.
    #[must_use]
    pub fn as_object(self) -> Option<Members<'a>> {
        let Self { json, node } = self;
        (self.kind() == JsonKind::Object).then(|| Members {
            json,
            node: node.saturating_add(1),
            left: self.span().extra,
        })
    }

    /// The member of an object with this name. Looks at one after another.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Self> {
        self.as_object()?
            .find_map(|(found, value)| (found == name).then_some(value))
    }

    fn span(self) -> Node {
        // A `Value` is only made for a node that exists.
        self.json
            .nodes
            .get(wide(self.node))
            .copied()
            .unwrap_or(Node::NONE)
    }
}

/// The kind only: the content is a stranger's, or a secret.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

/// The values of an array, from [`Value::as_array`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    json: &'a Json,
    node: u32,
    left: u32,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.left = self.left.checked_sub(1)?;
        let value = Value {
            json: self.json,
            node: self.node,
        };
        self.node = value.span().next;
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (wide(self.left), Some(wide(self.left)))
    }
}

impl ExactSizeIterator for Elements<'_> {}

/// The members of an object, from [`Value::as_object`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    json: &'a Json,
    node: u32,
    left: u32,
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<(&'a str, Value<'a>)> {
        self.left = self.left.checked_sub(1)?;
        // Behind every name stands its value.
        let nodes = self.json.nodes.get(wide(self.node)..)?;
        let [name, value, ..] = nodes else {
            return None;
        };
        let name = self.json.string(*name).unwrap_or_default();
        let member = Value {
            json: self.json,
            node: self.node + 1,
        };
        self.node = value.next;
        Some((name, member))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (wide(self.left), Some(wide(self.left)))
    }
}

impl ExactSizeIterator for Members<'_> {}

impl Node {
    /// Stands for nothing; only here so that no path can panic.
    const NONE: Self = Self {
        start: 0,
        end: 0,
        next: 0,
        extra: 0,
    };
}

/// An index as `usize`; lossless wherever a `Vec` can hold what it counts.
fn wide(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// A position as `u32`; lossless because [`Json::parse`] refuses texts it would not be for.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "as it says; this is done three times for every node"
)]
const fn narrow(position: usize) -> u32 {
    position as u32
}

#[cfg(test)]
mod tests;
