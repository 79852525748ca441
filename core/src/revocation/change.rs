//! [`Change`]: one thing that was revoked or lifted, whole, as journals and feeds carry it.

use std::fmt;

use super::entry::{Entry, Told};
use super::handle::{Handle, HandleKind};
use crate::encoding::json::{Json, JsonLimits, Value};
use crate::limits::Limits;
use crate::time::NumericDate;

/// Bytes of a reason; a longer one is cut at a character.
const REASON: usize = 256;
/// Of one line of JSON, and of what stores keep beside it. A part of a handle is as long as a token
/// may have it.
pub(crate) const LIMITS: JsonLimits = JsonLimits {
    depth: 2,
    string_size: Limits::CEILING.string_size,
    members: 16,
};

/// A handle that was revoked or lifted, when, and why.
///
/// Its JSON is one object on one line, with the parts of the handle as tokens name them and dates
/// in seconds:
/// `{"kind":"actor","iss":"https://login.example.com","sub":"agent-7","cutoff":1800000000,`
/// `"expires":1800003600,"reason":"leaked key","at":1800000000}`; what was lifted has
/// `"lifted":true` and no dates but `at`, and what follows from an event `"event":true`.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    handle: Handle,
    fact: Fact,
    reason: Option<Box<str>>,
}

/// What was done to a handle and when, or what holds of it after all that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) what: What,
    pub(crate) at: NumericDate,
    /// It follows from an event, which may have happened long before it was told.
    pub(crate) event: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Revoked {
        cutoff: Option<NumericDate>,
        expires: Option<NumericDate>,
    },
    Lifted,
}

/// What is known of a handle, without what nobody judges by: as engines bring millions of them.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) kind: HandleKind,
    pub(crate) scope: &'a str,
    pub(crate) value: &'a str,
    pub(crate) told: Told,
}

impl Known<'_> {
    pub(crate) fn lifts(&self) -> bool {
        self.told.lifts()
    }

    /// Whether it takes back whatever there is, and counts from when it is told.
    pub(crate) fn lifts_undated(&self) -> bool {
        self.lifts() && self.told.plain().is_some()
    }
}

/// Why a line is no change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeError {
    /// Not a JSON object, or one with two members of one name.
    NotAnObject,
    /// A kind of handle that this version does not know.
    UnknownKind,
    /// A member is missing or of a wrong type: its name.
    Member(&'static str),
    /// A member that such a change does not have: its name.
    UnknownMember(Box<str>),
}

impl Fact {
    /// What is kept in memory of it.
    fn entry(&self) -> Entry {
        match self.what {
            What::Revoked { cutoff, expires } => Entry::new(cutoff, expires),
            What::Lifted => Entry::lifted(self.at),
        }
    }

    pub(crate) fn told(&self) -> Told {
        Told::new(self.entry(), self.at, self.event)
    }

    /// As [`Change::after`].
    pub(crate) fn after(&self, before: Option<Self>, now: NumericDate) -> Option<Self> {
        let known = before.map(|before| before.entry());
        let entry = self.told().after(known, now)?;
        let date = |seconds: Option<i64>| seconds.and_then(NumericDate::from_seconds);
        let (what, at) = match entry.lifted_at() {
            Some(at) => (What::Lifted, date(Some(at)).unwrap_or(self.at)),
            None => {
                let (cutoff, expires) = (date(entry.cutoff()), date(entry.end()));
                let at = before.map_or(self.at, |before| before.at.max(self.at));
                (What::Revoked { cutoff, expires }, at)
            }
        };
        let event = false;
        Some(Self { what, at, event })
    }

    pub(crate) fn can_go(&self, now: NumericDate) -> bool {
        self.entry().can_go(now)
    }
}

impl Change {
    /// Bytes of the longest line of JSON, for whoever reads them: two parts and a reason, each byte
    /// of them escaped as six, and the names of all members.
    pub const LONGEST_LINE: usize = 6 * (2 * LIMITS.string_size + REASON) + 512;

    /// The handle is revoked at that moment: with `cutoff` its tokens issued until then, else all
    /// of them; and forgotten from `expires` on. Of an account that its issuer has disabled it is
    /// always all.
    #[must_use]
    pub const fn revoked(
        handle: Handle,
        cutoff: Option<NumericDate>,
        expires: Option<NumericDate>,
        at: NumericDate,
    ) -> Self {
        // What enables an account is held against when it was disabled (REV-08).
        let cutoff = if matches!(handle.kind(), HandleKind::Disabled) {
            Some(at)
        } else {
            cutoff
        };
        Self::of(handle, What::Revoked { cutoff, expires }, at)
    }

    /// Whatever was revoked of the handle is taken back at that moment.
    #[must_use]
    pub const fn lifted(handle: Handle, at: NumericDate) -> Self {
        Self::of(handle, What::Lifted, at)
    }

    const fn of(handle: Handle, what: What, at: NumericDate) -> Self {
        let event = false;
        Self {
            handle,
            fact: Fact { what, at, event },
            reason: None,
        }
    }

    /// It follows from an event: what was lifted or revoked after it stays so, however late it is
    /// told (REV-08).
    #[must_use]
    pub const fn from_event(mut self) -> Self {
        self.fact.event = true;
        self
    }

    /// As a store tells it that has folded everything there was of the handle.
    #[must_use]
    pub(crate) const fn settled(mut self) -> Self {
        self.fact.event &= self.is_lifted();
        self
    }

    /// What was revoked is forgotten from then on; a lift is remembered as ever.
    #[must_use]
    pub(crate) const fn until(mut self, end: NumericDate) -> Self {
        if let What::Revoked { expires, .. } = &mut self.fact.what {
            *expires = Some(end);
        }
        self
    }

    /// For whoever reads it later; 256 bytes of it are kept. No verdict depends on it.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        let kept = reason.get(..reason.floor_char_boundary(REASON));
        self.reason = kept.filter(|kept| !kept.is_empty()).map(Into::into);
        self
    }

    /// What was revoked or lifted.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Whether it takes back what was revoked before.
    #[must_use]
    pub const fn is_lifted(&self) -> bool {
        matches!(self.fact.what, What::Lifted)
    }

    /// The tokens issued at that moment or before are revoked; `None` for all of them.
    #[must_use]
    pub const fn cutoff(&self) -> Option<NumericDate> {
        match self.fact.what {
            What::Revoked { cutoff, .. } if !matches!(self.handle.kind(), HandleKind::Disabled) => {
                cutoff
            }
            What::Revoked { .. } | What::Lifted => None,
        }
    }

    /// When it is forgotten; `None` for never.
    #[must_use]
    pub const fn expires(&self) -> Option<NumericDate> {
        match self.fact.what {
            What::Revoked { expires, .. } => expires,
            What::Lifted => None,
        }
    }

    /// Why, as far as anybody said.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// When it was revoked or lifted, by the clock of whoever did.
    #[must_use]
    pub const fn at(&self) -> NumericDate {
        self.fact.at
    }

    pub(crate) const fn fact(&self) -> &Fact {
        &self.fact
    }

    /// What is known of the handle once this has come after `before`; `None` where nothing has
    /// changed. Every store folds its log so, and comes to the same as a process that reads it
    /// letter by letter.
    #[cfg(any(test, feature = "feed-redis", feature = "feed-nats"))]
    pub(crate) fn after(&self, before: Option<&Self>, now: NumericDate) -> Option<Self> {
        let fact = self.fact.after(before.map(|before| before.fact), now)?;
        let earlier = before.and_then(|before| before.reason.as_ref());
        Some(Self {
            handle: self.handle.clone(),
            fact,
            reason: self.reason.as_ref().or(earlier).cloned(),
        })
    }

    pub(crate) fn known(&self) -> Known<'_> {
        Known {
            kind: self.handle.kind(),
            scope: self.handle.scope(),
            value: self.handle.value(),
            told: self.fact.told(),
        }
    }

    /// One line of JSON, without a line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut object = serde_json::Map::new();
        let mut put = |name: &str, value: serde_json::Value| {
            object.insert(name.to_owned(), value);
        };
        let kind = self.handle.kind();
        put("kind", kind.name().into());
        let (scope, value) = kind.parts();
        if let Some(name) = scope {
            put(name, self.handle.scope().into());
        }
        if let Some(name) = value {
            put(name, self.handle.value().into());
        }
        match self.fact.what {
            What::Revoked { expires, .. } => {
                if let Some(cutoff) = self.cutoff() {
                    put("cutoff", cutoff.seconds().into());
                }
                if let Some(expires) = expires {
                    put("expires", expires.seconds_up().into());
                }
            }
            What::Lifted => put("lifted", true.into()),
        }
        if let Some(reason) = &self.reason {
            put("reason", (**reason).into());
        }
        put("at", self.fact.at.seconds().into());
        if self.fact.event {
            put("event", true.into());
        }
        serde_json::Value::Object(object).to_string()
    }

    /// What [`Change::to_json`] has written. Members that it does not know are left out.
    ///
    /// # Errors
    ///
    /// For what is not such an object.
    pub fn from_json(line: &[u8]) -> Result<Self, ChangeError> {
        let json = Json::parse(line.to_vec(), LIMITS).map_err(|_| ChangeError::NotAnObject)?;
        Self::read(json.root())
    }

    /// As [`Change::from_json`], of a line that may have been written by hand: a cut-off that is
    /// misspelt would end all tokens, so whatever [`Change::to_json`] would not write is an error.
    ///
    /// # Errors
    ///
    /// Also for a member that such a change does not have.
    pub fn from_json_strictly(line: &[u8]) -> Result<Self, ChangeError> {
        let json = Json::parse(line.to_vec(), LIMITS).map_err(|_| ChangeError::NotAnObject)?;
        let change = Self::read(json.root())?;
        let (scope, value) = change.handle.kind().parts();
        let dates: &[&str] = match (change.is_lifted(), change.handle.kind()) {
            (true, _) => &[],
            (false, HandleKind::Disabled) => &["expires"],
            (false, _) => &["cutoff", "expires"],
        };
        let known = ["kind", "lifted", "reason", "at", "event"];
        let is_known = |name: &str| {
            let parts = [scope, value].into_iter().flatten();
            let known = known.iter().chain(dates).copied();
            known.chain(parts).any(|known| known == name)
        };
        let mut members = json.root().as_object().into_iter().flatten();
        match members.find(|(name, _)| !is_known(name)) {
            None => Ok(change),
            Some((name, _)) => Err(ChangeError::UnknownMember(name.into())),
        }
    }

    fn read(root: Value<'_>) -> Result<Self, ChangeError> {
        root.as_object().ok_or(ChangeError::NotAnObject)?;
        let kind = text(root, "kind")?;
        let kind = HandleKind::from_name(kind).ok_or(ChangeError::UnknownKind)?;
        let part = |name: Option<&'static str>| name.map_or(Ok(""), |name| text(root, name));
        let (scope, value) = kind.parts();
        let handle = Handle::new(kind, part(scope)?, part(value)?);
        let at = date(root, "at")?.ok_or(ChangeError::Member("at"))?;
        let (lifted, event) = (flag(root, "lifted")?, flag(root, "event")?);
        let change = if lifted {
            Self::lifted(handle, at)
        } else {
            Self::revoked(handle, date(root, "cutoff")?, date(root, "expires")?, at)
        };
        let change = if event { change.from_event() } else { change };
        Ok(match root.get("reason") {
            None => change,
            Some(_) => change.because(text(root, "reason")?),
        })
    }
}

fn text<'a>(object: Value<'a>, name: &'static str) -> Result<&'a str, ChangeError> {
    let value = object.get(name).and_then(Value::as_str);
    value.ok_or(ChangeError::Member(name))
}

fn flag(object: Value<'_>, name: &'static str) -> Result<bool, ChangeError> {
    let value = object.get(name).map(|value| value.as_bool());
    value
        .unwrap_or(Some(false))
        .ok_or(ChangeError::Member(name))
}

/// A malformed date is not an absent one.
fn date(object: Value<'_>, name: &'static str) -> Result<Option<NumericDate>, ChangeError> {
    let Some(value) = object.get(name) else {
        return Ok(None);
    };
    let date = value.as_number().and_then(NumericDate::from_json_number);
    date.map(Some).ok_or(ChangeError::Member(name))
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("not a JSON object with each member once"),
            Self::UnknownKind => f.write_str("kind: this version does not know it"),
            Self::Member(name) => write!(f, "{name}: missing, or of another type"),
            Self::UnknownMember(name) => {
                write!(f, "{name:?}: such a change has no member of this name")
            }
        }
    }
}

impl std::error::Error for ChangeError {}

/// Without the handle's parts, which name people and their agents.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("handle", &self.handle)
            .field("fact", &self.fact)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::{Change, ChangeError};
    use crate::revocation::{Handle, HandleKind};
    use crate::time::NumericDate;

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(seconds).unwrap()
    }

    #[test]
    fn a_change_comes_back_from_its_line() {
        for kind in HandleKind::ALL {
            let (scope, value) = kind.parts();
            let part = |name: Option<&str>| name.map_or("", |_| "a \"quoted\" \u{e9}\n line");
            let handle = || Handle::new(kind, part(scope), part(value));
            for change in [
                Change::revoked(handle(), None, None, at(5)),
                Change::revoked(handle(), Some(at(4)), Some(at(9)), at(5)).because("leaked key"),
                Change::lifted(handle(), at(5)).because("found again"),
                Change::lifted(handle(), at(5)).from_event(),
            ] {
                let line = change.to_json();
                assert!(!line.contains('\n'), "{line}");
                let has_cutoff = kind != HandleKind::Disabled && change.cutoff() == Some(at(4));
                assert_eq!(line.contains("cutoff"), has_cutoff, "{line}");
                assert_eq!(Change::from_json(line.as_bytes()).as_ref(), Ok(&change));
            }
        }
    }

    #[test]
    fn what_is_no_change_is_told_apart() {
        let read = |line: &str| Change::from_json(line.as_bytes()).err();
        let good = r#"{"kind":"issuer","iss":"https://a.example","at":5,"new":[1]}"#;
        assert_eq!(read(good), None);
        for (line, error) in [
            ("", ChangeError::NotAnObject),
            ("[]", ChangeError::NotAnObject),
            (
                r#"{"kind":"issuer","kind":"issuer","iss":"x","at":5}"#,
                ChangeError::NotAnObject,
            ),
            (
                r#"{"kind":"planet","iss":"x","at":5}"#,
                ChangeError::UnknownKind,
            ),
            (r#"{"kind":"issuer","at":5}"#, ChangeError::Member("iss")),
            (
                r#"{"kind":"actor","iss":"x","sub":7,"at":5}"#,
                ChangeError::Member("sub"),
            ),
            (r#"{"kind":"issuer","iss":"x"}"#, ChangeError::Member("at")),
            (
                r#"{"kind":"issuer","iss":"x","at":5,"cutoff":"4"}"#,
                ChangeError::Member("cutoff"),
            ),
            (
                r#"{"kind":"issuer","iss":"x","at":5,"cutoff":-4}"#,
                ChangeError::Member("cutoff"),
            ),
            (
                r#"{"kind":"issuer","iss":"x","at":5,"lifted":1}"#,
                ChangeError::Member("lifted"),
            ),
            (
                r#"{"kind":"issuer","iss":"x","at":5,"event":null}"#,
                ChangeError::Member("event"),
            ),
        ] {
            assert_eq!(read(line), Some(error), "{line}");
        }
    }

    #[test]
    fn what_nobody_would_write_is_no_change_where_somebody_may_have_written_it() {
        let lines = HandleKind::ALL.into_iter().flat_map(|kind| {
            let (scope, value) = kind.parts();
            let handle = Handle::new(kind, scope.map_or("", |_| "a"), value.map_or("", |_| "b"));
            let revoked = Change::revoked(handle.clone(), Some(at(4)), Some(at(9)), at(5));
            let told = revoked.clone().because("leaked key").from_event();
            [revoked, told, Change::lifted(handle, at(5)).from_event()]
        });
        for change in lines {
            let line = change.to_json();
            let read = Change::from_json_strictly(line.as_bytes());
            assert_eq!(read.as_ref(), Ok(&change), "{line}");
            let first = line.strip_prefix('{').unwrap();
            let [mut misspelt, unknown] = ["cutof", "new"].map(|name| {
                let line = format!(r#"{{"{name}":1,{first}"#);
                let read = Change::from_json_strictly(line.as_bytes());
                assert_eq!(read, Err(ChangeError::UnknownMember(name.into())), "{line}");
                line
            });
            assert!(Change::from_json(unknown.as_bytes()).is_ok());
            // A date where there is none to be.
            if change.is_lifted() || change.handle().kind() == HandleKind::Disabled {
                misspelt = misspelt.replacen("cutof", "cutoff", 1);
                let read = Change::from_json_strictly(misspelt.as_bytes());
                assert_eq!(read, Err(ChangeError::UnknownMember("cutoff".into())));
            }
        }
    }

    /// As long as a policy lets a token have it.
    #[test]
    fn the_longest_parts_come_back_too() {
        for character in ["s", "\u{1}", "\"", "\u{7f}", "\u{20ac}", "\u{2028}"] {
            let most = crate::limits::Limits::CEILING.string_size;
            let part = character.repeat(most / character.len());
            let change =
                Change::revoked(Handle::actor(&part, &part), Some(at(4)), Some(at(9)), at(5));
            let change = change.because(&part).from_event();
            let line = change.to_json();
            assert!(line.len() <= Change::LONGEST_LINE);
            assert_eq!(Change::from_json(line.as_bytes()), Ok(change));
        }
    }

    #[test]
    fn a_reason_is_cut_where_a_character_ends() {
        let handle = || Handle::issuer("x");
        let change = Change::lifted(handle(), at(5)).because(&"\u{e9}".repeat(200));
        assert_eq!(change.reason().map(str::len), Some(256));
        assert_eq!(Change::lifted(handle(), at(5)).because("").reason(), None);
    }

    #[test]
    fn a_cutoff_is_the_second_it_lies_in() {
        let date = NumericDate::from_json_number("4.5").unwrap();
        let change = Change::revoked(Handle::issuer("x"), Some(date), None, at(5));
        let read = Change::from_json(change.to_json().as_bytes()).unwrap();
        assert_eq!(read.cutoff(), Some(at(4)));
        assert_eq!(read.fact.entry(), change.fact.entry());
    }
}
