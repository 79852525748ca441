//! [`Misfit`]: claims that do not fit an application's own type.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::claims::Claim;
use crate::error::{Code, Error};

/// The claims do not fit the type they were asked for as: `claim_type`, named where it is known.
///
/// It holds a claim's name and no value; what serde says of a misfit may hold one.
#[derive(Clone, PartialEq, Eq)]
pub struct Misfit {
    claim: Option<String>,
}

impl Misfit {
    /// Always [`Code::ClaimType`].
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::ClaimType
    }

    /// The claim that is missing or of another type.
    #[must_use]
    pub fn claim(&self) -> Option<&str> {
        self.claim.as_deref()
    }
}

/// Reads a payload as `T`.
pub(super) fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Misfit> {
    let mut reader = serde_json::Deserializer::from_slice(payload);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| Misfit {
        claim: match error.path().iter().next() {
            Some(Segment::Map { key }) => Some(key.clone()),
            Some(Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown) | None => {
                missing(&error.inner().to_string())
            }
        },
    })
}

/// The field that the type has and the claims have not: a name of the program's, not of the token.
fn missing(text: &str) -> Option<String> {
    let (name, _) = text.strip_prefix("missing field `")?.split_once('`')?;
    Some(name.to_owned())
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code();
        write!(f, "{}: {}", code.as_str(), code.reason())?;
        match &self.claim {
            Some(claim) => write!(f, " ({})", claim.escape_debug()),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Misfit({self})")
    }
}

impl std::error::Error for Misfit {}

impl From<Misfit> for Error {
    /// Keeps the claim where it is a registered one.
    fn from(misfit: Misfit) -> Self {
        match misfit.claim().and_then(Claim::from_name) {
            Some(claim) => Self::about(misfit.code(), claim.name()),
            None => Self::new(misfit.code()),
        }
    }
}
