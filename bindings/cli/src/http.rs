//! A request as it goes over the wire (RFC 9112): read from a file, or written for one.

use std::io::{self, Write};

use serde_json::Value;

use crate::failure::Failure;
use crate::input;

/// A field: its name, and its value without the space around it.
pub(crate) type Field = (String, Vec<u8>);

/// A request, as far as a gate looks at it.
#[derive(Default)]
pub(crate) struct Message {
    pub(crate) method: String,
    /// Path and query, or a whole URL.
    pub(crate) target: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) capabilities: Option<Capabilities>,
}

/// The content of a request that brings a capability: `{"aat_chain": ["…"], "aat_pop": "…"}`.
pub(crate) struct Capabilities {
    /// Root first; never none.
    pub(crate) chain: Vec<String>,
    pub(crate) proof: String,
}

impl Message {
    /// The request in a file; `-` is standard input.
    pub(crate) fn read(path: &str) -> Result<Self, Failure> {
        let text = input::whole(path)?;
        let refuse = |text: String| Failure::Usage(format!("{path}: {text}"));
        let mut rest = text.as_slice();
        let first = line(&mut rest).unwrap_or_default();
        let first = std::str::from_utf8(first).unwrap_or_default();
        let parts: Vec<&str> = first.split(' ').collect();
        let (method, target) = match parts[..] {
            [method, target, version]
                if !method.is_empty() && !target.is_empty() && version.starts_with("HTTP/") =>
            {
                (method, target)
            }
            _ => {
                return Err(refuse(
                    "line 1 of a request is METHOD, path and HTTP/1.1".to_owned(),
                ));
            }
        };
        let mut fields = Vec::new();
        for number in 2.. {
            match line(&mut rest) {
                None | Some(b"") => break,
                Some(line) => {
                    let field = field(line);
                    fields.push(field.map_err(|text| refuse(format!("line {number}: {text}")))?);
                }
            }
        }
        Ok(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            fields,
            capabilities: Capabilities::in_content(rest),
        })
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{} {} HTTP/1.1\r\n", self.method, self.target)?;
        let mut write_field = |name: &str, value: &[u8]| {
            write!(out, "{name}: ")?;
            out.write_all(value)?;
            out.write_all(b"\r\n")
        };
        for (name, value) in &self.fields {
            write_field(name, value)?;
        }
        let content = self.capabilities.as_ref().map(Capabilities::to_json);
        if let Some(content) = &content {
            write_field("Content-Type", b"application/json")?;
            write_field("Content-Length", content.len().to_string().as_bytes())?;
        }
        out.write_all(b"\r\n")?;
        out.write_all(content.unwrap_or_default().as_bytes())
    }

    /// The value of the first field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_slice())
    }
}

impl Capabilities {
    /// Those of the content, if it has any; other content is none of ours.
    fn in_content(content: &[u8]) -> Option<Self> {
        let content: Value = serde_json::from_slice(content).ok()?;
        let proof = content.get("aat_pop")?.as_str()?.to_owned();
        let chain = content.get("aat_chain")?.as_array()?.iter();
        let chain: Vec<String> = chain
            .map(|token| token.as_str().map(str::to_owned))
            .collect::<Option<_>>()?;
        (!chain.is_empty()).then_some(Self { chain, proof })
    }

    fn to_json(&self) -> String {
        serde_json::json!({ "aat_chain": self.chain, "aat_pop": self.proof }).to_string()
    }
}

/// The fields that `-H` stands for: one, or with `@FILE` every line of a file.
pub(crate) fn fields(written: &[String]) -> Result<Vec<Field>, Failure> {
    let mut fields = Vec::new();
    for one in written {
        let Some(path) = one.strip_prefix('@') else {
            let field = field(one.as_bytes());
            fields.push(field.map_err(|text| Failure::Usage(format!("-H {one}: {text}")))?);
            continue;
        };
        let text = input::whole(path)?;
        let mut rest = text.as_slice();
        while let Some(line) = line(&mut rest).filter(|line| !line.is_empty()) {
            let field = field(line);
            fields.push(field.map_err(|text| Failure::Usage(format!("{path}: {text}")))?);
        }
    }
    Ok(fields)
}

/// The next line without its end; `None` after the last.
fn line<'t>(rest: &mut &'t [u8]) -> Option<&'t [u8]> {
    if rest.is_empty() {
        return None;
    }
    let end = rest.iter().position(|byte| *byte == b'\n');
    let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = after.get(1..).unwrap_or_default();
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// `Name: value`. A value on two lines is not taken (RFC 9112 §5.2): whoever reads it otherwise
/// sees another request.
fn field(line: &[u8]) -> Result<Field, String> {
    let wrong = || "a field is Name: value, on one line".to_owned();
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .ok_or_else(wrong)?;
    let (name, value) = line.split_at(colon);
    let name = std::str::from_utf8(name).map_err(|_| wrong())?;
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(wrong());
    }
    Ok((name.to_owned(), value[1..].trim_ascii().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, Message, field, line};

    #[test]
    fn fields_are_names_and_values_on_one_line() {
        let read = |text: &str| field(text.as_bytes()).ok();
        let pair = |name: &str, value: &str| Some((name.to_owned(), value.as_bytes().to_vec()));
        assert_eq!(read("DPoP: a.b.c"), pair("DPoP", "a.b.c"));
        assert_eq!(
            read("Host:rs.example:8443 "),
            pair("Host", "rs.example:8443")
        );
        assert_eq!(read("Empty:"), pair("Empty", ""));
        for wrong in ["", "a", ": x", " folded: x", "a b: x", "a : x"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn lines_end_either_way() {
        let mut rest = &b"a\r\nb\n\nc"[..];
        let lines: Vec<&[u8]> = std::iter::from_fn(|| line(&mut rest)).collect();
        assert_eq!(lines, [&b"a"[..], b"b", b"", b"c"]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let message = Message {
            method: "POST".to_owned(),
            target: "/mcp?a=b".to_owned(),
            fields: vec![("Host".to_owned(), b"rs.example".to_vec())],
            capabilities: Some(Capabilities {
                chain: vec!["r.r.r".to_owned(), "c.c.c".to_owned()],
                proof: "p.p.p".to_owned(),
            }),
        };
        let path = std::env::temp_dir().join(format!("sealgate-http-{}", std::process::id()));
        let mut written = Vec::new();
        message.write(&mut written).unwrap();
        std::fs::write(&path, written).unwrap();
        let read = Message::read(path.to_str().unwrap());
        std::fs::remove_file(&path).unwrap();
        let Ok(read) = read else {
            panic!("it is not read")
        };
        assert_eq!((read.method, read.target), (message.method, message.target));
        assert_eq!(read.fields[0], message.fields[0]);
        let capabilities = read.capabilities.unwrap();
        assert_eq!(capabilities.chain, ["r.r.r", "c.c.c"]);
        assert_eq!(capabilities.proof, "p.p.p");
    }
}
