//! The closed list of claims the engine reads by name; every other claim is the application's.

macro_rules! claims {
    ($($variant:ident $name:literal)+) => {
        /// A claim the engine reads, by its registered name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        #[expect(missing_docs, reason = "each is its registered name; `Claim::name` spells it")]
        pub enum Claim { $($variant,)+ }

        impl Claim {
            /// Every claim of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its position in the list.
            #[expect(clippy::as_conversions, reason = "fewer than 32 claims")]
            pub(crate) const fn index(self) -> usize {
                self as usize
            }

            /// How many there are.
            pub(crate) const COUNT: usize = Self::ALL.len();

            /// The registered name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The claim with exactly this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

claims! {
    Iss "iss"
    Sub "sub"
    Aud "aud"
    Exp "exp"
    Nbf "nbf"
    Iat "iat"
    Jti "jti"
    ClientId "client_id"
    Scope "scope"
    Act "act"
    Cnf "cnf"
    AuthorizationDetails "authorization_details"
    Acr "acr"
    AuthTime "auth_time"
    Azp "azp"
    Sid "sid"
    Nonce "nonce"
    AtHash "at_hash"
    Events "events"
    Status "status"
    Txn "txn"
    ReqWl "req_wl"
    TokenIntrospection "token_introspection"
    DelDepth "del_depth"
}

/// A set of [`Claim`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct ClaimSet(u32);

impl ClaimSet {
    pub(crate) const EMPTY: Self = Self(0);

    const fn bit(claim: Claim) -> u32 {
        1 << claim.index()
    }

    /// The set of these claims.
    pub(crate) const fn of(claims: &[Claim]) -> Self {
        let mut set = 0;
        let mut rest = claims;
        while let [first, tail @ ..] = rest {
            set |= Self::bit(*first);
            rest = tail;
        }
        Self(set)
    }

    pub(crate) const fn insert(&mut self, claim: Claim) {
        self.0 |= Self::bit(claim);
    }

    pub(crate) const fn remove(&mut self, claim: Claim) {
        self.0 &= !Self::bit(claim);
    }

    pub(crate) const fn contains(self, claim: Claim) -> bool {
        self.0 & Self::bit(claim) != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every claim of this set is in `other`.
    pub(crate) const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The claims that are in both.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The claims that are here and not in `other`.
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The first claim, in the order of the list, that is here and not in `other`.
    pub(crate) fn first_outside(self, other: Self) -> Option<Claim> {
        self.without(other).first()
    }

    /// The first claim, in the order of the list, that is in both.
    pub(crate) fn first_shared(self, other: Self) -> Option<Claim> {
        self.and(other).first()
    }

    /// Its claims, in the order of the list.
    pub(crate) fn iter(self) -> impl Iterator<Item = Claim> {
        let mut rest = self;
        std::iter::from_fn(move || {
            let first = rest.first()?;
            rest.remove(first);
            Some(first)
        })
    }

    fn first(self) -> Option<Claim> {
        let index = usize::try_from(self.0.trailing_zeros()).ok()?;
        Claim::ALL.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, ClaimSet};

    #[test]
    fn names_are_found_again() {
        const { assert!(Claim::COUNT <= 32, "a set is 32 bits") };
        for claim in Claim::ALL {
            assert_eq!(Claim::from_name(claim.name()), Some(*claim));
        }
        assert_eq!(Claim::from_name("Iss"), None);
    }

    #[test]
    fn sets_tell_what_is_missing_and_what_is_shared() {
        let required = ClaimSet::of(&[Claim::Iss, Claim::Jti]);
        let mut present = ClaimSet::EMPTY;
        present.insert(Claim::Iss);
        assert_eq!(required.first_outside(present), Some(Claim::Jti));
        assert_eq!(required.first_shared(present), Some(Claim::Iss));
        assert!(present.is_within(required) && !required.is_within(present));
        assert!(required.iter().eq([Claim::Iss, Claim::Jti]));
        assert!(
            ClaimSet::of(Claim::ALL)
                .iter()
                .eq(Claim::ALL.iter().copied())
        );
        assert_eq!(ClaimSet::EMPTY.iter().next(), None);
    }
}
