//! A change on one line, for people.

use sealgate::{Change, HandleKind};

use crate::text::{date, printable};

/// `2027-01-15 08:05:00Z   actor   https://login.example.com   agent-7   all tokens, until lifted`.
pub(super) fn row(change: &Change) -> String {
    let kind = change.handle().kind().name();
    let mut row = format!(
        "{}   {kind:<11}   {}",
        date(change.at().seconds()),
        name(change)
    );
    row += &format!("   {}", effect(change));
    if let Some(reason) = change.reason() {
        row += &format!("   {}", printable(reason));
    }
    row
}

/// The parts of the handle.
fn name(change: &Change) -> String {
    let handle = change.handle();
    let parts = [handle.scope(), handle.value()];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.map(printable).collect::<Vec<_>>().join("   ")
}

/// What it means for tokens.
fn effect(change: &Change) -> String {
    if change.is_lifted() {
        return "lifted".to_owned();
    }
    let until = change.expires();
    let until = until.map_or_else(|| "lifted".to_owned(), |end| date(end.seconds()));
    match change.cutoff() {
        None => format!("all tokens, until {until}"),
        Some(cutoff) => {
            let what = match change.handle().kind() {
                HandleKind::Credential => "of sign-ins",
                _ => "issued",
            };
            let cutoff = date(cutoff.seconds());
            format!("tokens {what} up to {cutoff}, until {until}")
        }
    }
}
