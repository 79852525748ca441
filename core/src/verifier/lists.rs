//! Status lists that are fetched: which are due, and what is made of an answer. Fetching itself is
//! not in this layer.

use super::pipeline::Case;
use super::requirements::NO_REQUIREMENTS;
use super::state::{Door, Lookup, State};
use super::{Engine, pipeline};
use crate::claims::count;
use crate::encoding::json::Value;
use crate::error::{Code, Error};
use crate::jws::Compact;
use crate::limits::{Limits, STATUS_TOKEN_SIZE};
use crate::observe::Event;
use crate::policy::{Reach, StatusDoor};
use crate::revocation::{Due, Resolved, StatusList};
use crate::time::{Now, NumericDate, Span};

/// How long a list is good that says neither `ttl` nor `exp`.
const GOOD: Span = Span::from_seconds(60 * 60);
/// The least pause between two fetches of one list, whatever it says.
const LEAST: Span = Span::from_seconds(5);

/// A list to be fetched, and where that may lead.
pub(crate) struct ListFetch {
    pub(crate) due: Due,
    pub(crate) reach: Reach,
}

impl Engine {
    /// Whether status lists are fetched.
    pub(super) fn fetches_lists(&self) -> bool {
        self.state.load().world.rules().revocation.status.is_some()
    }

    /// The lists that are due, at most `most` of them, and how long until the next one is.
    pub(crate) fn begin_lists(&self, most: usize) -> (Vec<ListFetch>, Option<Span>) {
        let state = self.state.load_full();
        let (due, next) = state.status.begin(most);
        let mut fetches = Vec::new();
        for due in due {
            match door(&state, &due) {
                Some(door) => fetches.push(ListFetch {
                    reach: door.reach.clone(),
                    due,
                }),
                None => {
                    let gone = "the policy has no such issuer any more".to_owned();
                    let _ = state.status.settle(&due, Err(gone));
                }
            }
        }
        (fetches, next)
    }

    /// Takes in what a fetch brought: the text of a token, and how long the answer says it is
    /// fresh.
    pub(crate) fn settle_list(&self, due: &Due, brought: Result<(Vec<u8>, Option<Span>), String>) {
        let (state, now) = (self.state.load_full(), Now::of(&self.clock));
        let resolved = brought.and_then(|(text, freshness)| {
            self.resolve(&state, due, text.trim_ascii(), freshness, now)
        });
        let (settled, issuer_name) = (state.status.settle(due, resolved), &*due.issuer);
        self.observers.tell(&match &settled {
            Ok(()) => Event::StatusListFetched { issuer_name },
            Err(reason) => Event::StatusListFailed {
                issuer_name,
                reason,
            },
        });
    }

    /// Lists that a process before this one was fetching are fetched here.
    pub(crate) fn begin_lists_anew(&self) {
        self.state.load().status.begin_anew();
    }

    /// TSL-03 to TSL-08: the token is of the issuer whose tokens refer to it, and is that very
    /// list.
    fn resolve(
        &self,
        state: &State,
        due: &Due,
        token: &[u8],
        freshness: Option<Span>,
        fetched: Now,
    ) -> Result<Resolved, String> {
        let now = fetched.date;
        let door = door(state, due).ok_or("the policy has no such issuer any more")?;
        let issuers = Lookup::new(state.world.rules(), &door.gate.issuers);
        let refused = |error: Error| format!("the list was refused: {error}");
        let limits = Limits {
            token_size: STATUS_TOKEN_SIZE,
            string_size: STATUS_TOKEN_SIZE,
            ..state.world.rules().limits
        };
        let door = state.side_door(&door.gate, &issuers, &limits);
        let door = door.map_err(refused)?;
        let case = Case::bare(&door, &self.provider, now, &NO_REQUIREMENTS);
        let judged = pipeline::verify(door, token, &case, &mut ()).map_err(refused)?;
        let key = signer(&door, token, now).map_err(refused)?;
        let token = pipeline::rehearse(&door, judged, now).map_err(refused)?;
        let claims = token.claims();
        let sub = claims.get("sub").and_then(|sub| sub.as_str());
        if sub != Some(&*due.uri) {
            return Err("the list is another one: its sub is not the uri that tokens give".into());
        }
        let list = read(claims)?;
        let ttl = claims.get("ttl").and_then(count);
        let ttl = ttl.map(|ttl| Span::from_seconds(i64::try_from(ttl).unwrap_or(i64::MAX / 2)));
        let end = token.expires_at().unwrap_or(NumericDate::LAST);
        let until = match (ttl, token.expires_at()) {
            (Some(ttl), _) => now.plus(ttl).min(end),
            (None, Some(end)) => end,
            (None, None) => now.plus(GOOD),
        };
        // Ahead of its end by a fifth; `ttl` and `exp` override what HTTP says (TSL-06).
        let good_for = until.since(now);
        let lifetime = good_for.scaled(4, 5);
        let lifetime = match (ttl, freshness) {
            (None, Some(freshness)) => lifetime.min(freshness),
            _ => lifetime,
        };
        Ok(Resolved {
            list: list.into(),
            key,
            fetched,
            good_for,
            again_after: lifetime.clamp(LEAST, GOOD),
        })
    }
}

impl Engine {
    /// Whether a list of the issuer of this error is on its way for the first time.
    pub(super) fn awaits_list(&self, error: &Error) -> bool {
        let state = self.state.load();
        let position = state.world.blamed(error);
        let issuer = position.and_then(|position| state.world.rules().issuers.get(position));
        issuer.is_some_and(|issuer| {
            let has_key = |key: &str| position.is_some_and(|at| state.keys.has(at, key));
            state.status.awaits(issuer.into(), has_key)
        })
    }
}

/// The thumbprint of the key that verifies a token at a door of one issuer.
fn signer(door: &Door<'_>, token: &[u8], now: NumericDate) -> Result<Box<str>, Error> {
    let internal = || Error::new(Code::Internal);
    let issuer = door.gate.issuers.first().ok_or_else(internal)?;
    let compact = Compact::split(token, door.limits.token_size)?;
    let header = door.headers().parse(compact.header, door.rules().limits)?;
    let algorithm = header.algorithm.ok_or_else(internal)?.algorithm();
    let key = door.key(&door.source(*issuer), algorithm, header.kid(), now)?;
    Ok(key.thumbprint().into())
}

fn read(claims: Value<'_>) -> Result<StatusList, String> {
    let list = claims.get("status_list");
    let bits = list.and_then(|list| list.get("bits")).and_then(count);
    let lst = list.and_then(|list| list.get("lst"));
    let lst = lst.and_then(|lst| lst.as_str());
    let (bits, lst) = bits.zip(lst).ok_or("the list has no bits or no lst")?;
    StatusList::decode(bits, lst).map_err(|error| error.to_string())
}

fn door<'s>(state: &'s State, due: &Due) -> Option<&'s StatusDoor> {
    let rules = state.world.rules();
    let mut issuers = rules.issuers.iter();
    let issuer = issuers.find(|issuer| due.is_of((*issuer).into()))?;
    rules.revocation.status.as_ref()?.door(&issuer.name)
}
