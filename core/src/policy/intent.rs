//! Where tokens say which task they are for (`gates.X.intent_pointers`, CD-03).

use std::fmt;

/// What a gate makes of the tasks that tokens name.
#[derive(Debug)]
pub(crate) struct IntentRules {
    /// A token of this gate must name a task. Only then is one that comes alone looked at.
    pub(crate) required: bool,
    /// In order; each names a kind.
    pub(crate) pointers: Vec<IntentPointer>,
}

/// One place of a token where the identifier of a task stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IntentPointer {
    pub(crate) kind: TaskKind,
    /// The reference tokens of the JSON pointer (RFC 6901 §3), unescaped; never empty.
    pub(crate) path: Vec<Box<str>>,
}

/// Kinds of tasks. Identifiers of two kinds are never compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskKind {
    /// What a user approved in the mission drafts.
    Mission,
    /// What a user approved, in whatever other form.
    Intent,
    /// A workflow that several agents take part in (`acti`).
    Workflow,
}

impl IntentRules {
    /// Of a door where tasks are not asked about.
    pub(crate) const NONE: Self = Self {
        required: false,
        pointers: Vec::new(),
    };
}

impl TaskKind {
    pub(crate) const ALL: [Self; 3] = [Self::Mission, Self::Intent, Self::Workflow];

    /// The spelling in policy documents and errors.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Mission => "mission",
            Self::Intent => "intent",
            Self::Workflow => "acti",
        }
    }
}

impl IntentPointer {
    /// A JSON pointer to a member; `None` for other text (RFC 6901 §3).
    pub(crate) fn parse(kind: TaskKind, text: &str) -> Option<Self> {
        let path = text.strip_prefix('/')?.split('/').map(unescaped);
        let path = path.collect::<Option<_>>()?;
        Some(Self { kind, path })
    }
}

impl fmt::Display for IntentPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.path {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

/// `~1` is `/` and `~0` is `~`; a `~` before anything else is no escape.
fn unescaped(token: &str) -> Option<Box<str>> {
    let mut parts = token.split('~');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (escape, rest) = part.split_at_checked(1)?;
        text.push(match escape {
            "0" => '~',
            "1" => '/',
            _ => return None,
        });
        text.push_str(rest);
    }
    Some(text.into())
}

#[cfg(test)]
mod tests {
    use super::{IntentPointer, TaskKind};

    #[test]
    fn pointers_are_those_of_rfc_6901() {
        let read = |text: &str| {
            let pointer = IntentPointer::parse(TaskKind::Intent, text)?;
            assert_eq!(pointer.to_string(), text);
            Some(pointer.path.join("|"))
        };
        assert_eq!(read("/acti").as_deref(), Some("acti"));
        assert_eq!(read("/tctx/intent_id").as_deref(), Some("tctx|intent_id"));
        assert_eq!(read("/a~1b/m~0n/~01").as_deref(), Some("a/b|m~n|~1"));
        assert_eq!(read("/").as_deref(), Some(""));
        for wrong in ["", "acti", "#/acti", "/a~", "/a~2", "/~é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
