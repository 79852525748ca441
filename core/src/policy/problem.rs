//! What is wrong with a policy document, and where: all of it at once, never the first only.

use std::fmt;

use super::document::Position;

/// One thing that keeps a policy document from loading.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The member, as `gates.tools.issuers[1]`; empty for the document as a whole.
    pub path: String,
    /// Line in the document, from 1; 0 where there is no place to point at.
    pub line: usize,
    /// Column in that line, in characters from 1.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub text: String,
}

/// Something that loads and still deserves a second look.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The member, as `gates.tools.sender_constrained`.
    pub path: String,
    /// Line in the document, from 1.
    pub line: usize,
    /// Column in that line, in characters from 1.
    pub column: usize,
    /// What to think about.
    pub text: String,
}

/// A policy document that does not load, with every reason.
///
/// It prints as `sealgate policy check` shows it: one aligned row a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyError {
    /// The file, where the document came from one.
    pub document: Option<String>,
    /// Never empty, in the order of the document.
    pub problems: Vec<Problem>,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, at: Position, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line: at.line,
            column: at.column,
            text: text.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.text)
        } else {
            write!(f, "{}: {}", self.path, self.text)
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.text)
    }
}

impl PolicyError {
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Self {
            document: None,
            problems,
        }
    }

    /// Names the file the document came from.
    pub(super) fn of(self, document: Option<String>) -> Self {
        Self { document, ..self }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let document = self.document.as_deref().unwrap_or("policy");
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{document}   refused   {count} {noun}")?;
        let places: Vec<String> = self.problems.iter().map(place).collect();
        let place_width = places.iter().map(String::len).max().unwrap_or(0);
        let path_width = self
            .problems
            .iter()
            .map(|problem| problem.path.chars().count())
            .max()
            .unwrap_or(0);
        for (problem, place) in self.problems.iter().zip(&places) {
            let Problem { path, text, .. } = problem;
            write!(f, "\n  {place:place_width$}   {path:path_width$}   {text}")?;
        }
        Ok(())
    }
}

fn place(problem: &Problem) -> String {
    if problem.line == 0 {
        "-".to_owned()
    } else {
        format!("{}:{}", problem.line, problem.column)
    }
}

impl std::error::Error for PolicyError {}

#[cfg(test)]
mod tests {
    use super::{PolicyError, Problem};
    use crate::policy::document::Position;

    #[test]
    fn rows_are_aligned_and_in_document_order() {
        let at = |line, column| Position { line, column };
        let error = PolicyError::new(vec![
            Problem::new("leeway", at(22, 12), "30 has no unit. Write \"30s\""),
            Problem::new("gates.tools.audiance", at(4, 1), "unknown member"),
        ])
        .of(Some("broken.toml".to_owned()));
        assert_eq!(
            error.to_string(),
            "broken.toml   refused   2 problems\n  \
             4:1     gates.tools.audiance   unknown member\n  \
             22:12   leeway                 30 has no unit. Write \"30s\""
        );
    }
}
