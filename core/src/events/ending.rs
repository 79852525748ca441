//! When what an event has revoked can be forgotten (REV-07).

use crate::revocation::{Change, HandleKind};
use crate::time::Span;

/// For so long at least: agents stand inside chains of younger tokens (REV-10), and another service
/// that reads the same store may let its tokens live longer.
const LEAST: Span = Span::from_seconds(24 * 60 * 60);

/// The change, with its end where it has one: `longest` after the event, and the leeway, every
/// token that was issued by then has ended, where the policy bounds that at all.
///
/// A session that has ended issues nothing more, and a token is issued once. What stays, whatever
/// was issued when: an account that is closed, until it is opened, and what was signed in with
/// something stolen, since that may be renewed for ever.
pub(crate) fn ending(change: Change, longest: Option<Span>, leeway: Span) -> Change {
    let kind = change.handle().kind();
    let is_issued_once = matches!(kind, HandleKind::Token | HandleKind::Session);
    let stays = matches!(kind, HandleKind::Disabled | HandleKind::Credential);
    let bounded = is_issued_once || (change.cutoff().is_some() && !stays);
    match longest {
        Some(longest) if bounded => {
            let end = change.at().plus(longest.max(LEAST)).plus(leeway);
            change.until(end)
        }
        Some(_) | None => change,
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::ending;
    use crate::revocation::{Change, Handle};
    use crate::time::{NumericDate, Span};

    #[test]
    fn what_signs_out_ends_and_what_closes_an_account_stays() {
        const T: i64 = 1_800_000_000;
        let at = |seconds| NumericDate::from_seconds(seconds).unwrap();
        let all = |handle| Change::revoked(handle, None, None, at(T)).from_event();
        let until = |handle| Change::revoked(handle, Some(at(T)), None, at(T)).from_event();
        let ends = |change: Change, longest: Option<i64>| {
            let longest = longest.map(Span::from_seconds);
            let change = ending(change, longest, Span::from_seconds(30));
            change.expires().map(|end| end.seconds() - T)
        };
        let day = 24 * 3600;
        for change in [
            all(Handle::token("i", "1")),
            all(Handle::session("i", "1")),
            until(Handle::subject("i", "1")),
            until(Handle::actor("i", "1")),
            until(Handle::client("i", "1")),
        ] {
            assert_eq!(ends(change.clone(), None), None, "nothing bounds it");
            assert_eq!(ends(change.clone(), Some(300)), Some(day + 30));
            assert_eq!(ends(change, Some(day + 9)), Some(day + 39));
        }
        for change in [
            all(Handle::subject("i", "1")),
            all(Handle::actor("i", "1")),
            all(Handle::client("i", "1")),
            all(Handle::disabled("i", "1")),
            until(Handle::credential("i", "1")),
            Change::lifted(Handle::disabled("i", "1"), at(T)).from_event(),
        ] {
            assert_eq!(ending(change.clone(), Some(Span::ZERO), Span::ZERO), change);
        }
    }
}
