//! Secrets that the document only points at (loader refusal 11).

use zeroize::Zeroizing;

use super::Compiler;
use crate::limits;
use crate::policy::Secret;
use crate::policy::document::{Node, join};
use crate::policy::problem::Problem;
use crate::policy::section::Section;

/// For files: whoever can read the secret can use it.
pub(super) const OPEN_TO_OTHERS: &str = "others can read this secret. Write chmod o-rwx";

impl Compiler<'_> {
    /// The secret that the member `name` points at, or `None` with a problem told.
    pub(super) fn secret(
        &mut self,
        section: &Section<'_>,
        name: &str,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let member = section.member(name)?;
        let secret = match member.node.get("env").and_then(Node::as_text) {
            Some(variable) => {
                let Some(value) = environment(variable) else {
                    let text = format!("environment variable {variable} is not set");
                    self.problems.push(section.problem(name, text));
                    return None;
                };
                value
            }
            None => {
                let within = section.inside(name, &member.node);
                let content = self.file(&within, "file", limits::JWK_SET_SIZE)?;
                if content.open_to_others {
                    let path = join(&section.at(name), "file");
                    let at = within.position("file");
                    self.problems.push(Problem::new(path, at, OPEN_TO_OTHERS));
                    return None;
                }
                content.bytes
            }
        };
        // Editors and `echo` end a file with a line break; no secret is meant to.
        let trimmed = secret
            .strip_suffix(b"\r\n")
            .or_else(|| secret.strip_suffix(b"\n"))
            .unwrap_or(&secret);
        Some(Zeroizing::new(trimmed.to_vec()))
    }

    /// The secret of a member that MACs are made with, which is no shorter than they are.
    pub(super) fn mac_secret(&mut self, section: &Section<'_>, name: &str) -> Option<Secret> {
        let secret = self.secret(section, name)?;
        if secret.len() < Secret::LEAST {
            let text = format!("{} bytes; at least {}", secret.len(), Secret::LEAST);
            self.problems.push(section.problem(name, text));
            return None;
        }
        Some(Secret::new(secret))
    }
}

/// The value of an environment variable; a name that no variable can have is not set.
fn environment(name: &str) -> Option<Zeroizing<Vec<u8>>> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return None;
    }
    std::env::var_os(name).map(|value| Zeroizing::new(value.into_encoded_bytes()))
}
