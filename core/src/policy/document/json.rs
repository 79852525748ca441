//! The JSON form of a policy document (RFC 8259): a reader that keeps places and goes on after a
//! duplicate member, so that every one of them is reported with both its lines.

use std::collections::BTreeMap;

use super::{DEPTH, Lines, Member, Node, Position, Value, item_path, join, written_twice};
use crate::policy::problem::Problem;

/// Reads one JSON value and nothing after it.
pub(in crate::policy) fn read(text: &str) -> (Option<Node>, Vec<Problem>) {
    let mut reader = Reader {
        text,
        lines: Lines::new(text),
        offset: 0,
        depth: 0,
        problems: Vec::new(),
    };
    let read = reader.value("").and_then(|root| {
        reader.skip_space();
        if reader.rest().is_empty() {
            Ok(root)
        } else {
            Err(reader.fault("", "the document ends before this"))
        }
    });
    match read {
        Ok(root) => (Some(root), reader.problems),
        Err(problem) => {
            reader.problems.push(problem);
            (None, reader.problems)
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    lines: Lines<'t>,
    offset: usize,
    depth: usize,
    problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn here(&self) -> Position {
        self.lines.position(self.offset)
    }

    fn fault(&self, path: &str, expected: &str) -> Problem {
        Problem::new(path, self.here(), format!("not JSON: {expected}"))
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.offset += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Takes `symbol` and the space before it, if it comes next.
    fn take(&mut self, symbol: char) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(symbol);
        if found {
            self.offset += symbol.len_utf8();
        }
        found
    }

    fn value(&mut self, path: &str) -> Result<Node, Problem> {
        self.skip_space();
        let at = self.here();
        let value = match self.rest().bytes().next() {
            Some(b'{') => self.nested(path, Self::table)?,
            Some(b'[') => self.nested(path, Self::list)?,
            Some(b'"') => Value::Text(self.string(path)?),
            Some(b'-' | b'0'..=b'9') => self.number(path)?,
            _ => self.literal(path)?,
        };
        Ok(Node { at, value })
    }

    fn nested(
        &mut self,
        path: &str,
        read: fn(&mut Self, &str) -> Result<Value, Problem>,
    ) -> Result<Value, Problem> {
        if self.depth == DEPTH {
            return Err(Problem::new(
                path,
                self.here(),
                format!("more than {DEPTH} levels deep"),
            ));
        }
        self.depth += 1;
        self.offset += 1;
        let value = read(self, path)?;
        self.depth -= 1;
        Ok(value)
    }

    fn table(&mut self, path: &str) -> Result<Value, Problem> {
        let mut members = Vec::new();
        let mut seen = BTreeMap::new();
        if self.take('}') {
            return Ok(Value::Table(members));
        }
        loop {
            self.skip_space();
            let at = self.here();
            if !self.rest().starts_with('"') {
                return Err(self.fault(path, "a member name in quotes belongs here"));
            }
            let name = self.string(path)?;
            let inner = join(path, &name);
            if !self.take(':') {
                return Err(self.fault(&inner, "\":\" belongs here"));
            }
            let node = self.value(&inner)?;
            if let Some(first) = seen.get(&name) {
                self.problems.push(written_twice(inner, *first, at));
            } else {
                seen.insert(name.clone(), at);
                members.push(Member { name, at, node });
            }
            if self.take('}') {
                return Ok(Value::Table(members));
            }
            if !self.take(',') {
                return Err(self.fault(path, "\",\" or \"}\" belongs here"));
            }
        }
    }

    fn list(&mut self, path: &str) -> Result<Value, Problem> {
        let mut items = Vec::new();
        if self.take(']') {
            return Ok(Value::List(items));
        }
        loop {
            let item = self.value(&item_path(path, items.len()))?;
            items.push(item);
            if self.take(']') {
                return Ok(Value::List(items));
            }
            if !self.take(',') {
                return Err(self.fault(path, "\",\" or \"]\" belongs here"));
            }
        }
    }

    fn string(&mut self, path: &str) -> Result<String, Problem> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        let text = end.and_then(|end| rest.get(..end + 2));
        let Some(string) = text.and_then(|text| serde_json::from_str(text).ok()) else {
            return Err(self.fault(path, "this string does not end, or has a wrong escape"));
        };
        self.offset += text.map_or(0, str::len);
        Ok(string)
    }

    fn number(&mut self, path: &str) -> Result<Value, Problem> {
        let rest = self.rest();
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        // serde_json accepts exactly the grammar of RFC 8259 §6.
        let number = serde_json::from_str::<serde_json::Number>(text).ok();
        let value = number.and_then(|number| {
            let whole = number.as_i64().map(Value::Integer);
            whole.or_else(|| {
                number
                    .as_f64()
                    .filter(|float| float.is_finite())
                    .map(Value::Float)
            })
        });
        let Some(value) = value else {
            return Err(self.fault(path, "this is not a number"));
        };
        self.offset += text.len();
        Ok(value)
    }

    fn literal(&mut self, path: &str) -> Result<Value, Problem> {
        let literals = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ];
        for (text, value) in literals {
            if self.rest().starts_with(text) {
                self.offset += text.len();
                return Ok(value);
            }
        }
        Err(self.fault(path, "a value belongs here"))
    }
}
