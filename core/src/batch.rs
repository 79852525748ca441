//! Many tokens at once: one state, one moment, all cores, answers in input order.

use std::hash::BuildHasher;

use rayon::prelude::*;

use crate::error::{Code, Error};
use crate::limits::Limits;
use crate::verifier::{BatchSnapshot, Gate, Grounds, Requirements, Verdict, VerifiedToken};

/// Tokens a worker takes at a time: enough to hide the hand-over, few enough to share evenly.
const CHUNK: usize = 64;

/// The verdicts over a batch, in input order.
#[derive(Debug)]
pub struct Batch {
    verdicts: Vec<Result<VerifiedToken, Error>>,
    snapshot: BatchSnapshot,
    grounds: Grounds,
}

impl Batch {
    /// The tokens of a buffer that has one a line, in order: lines end in `\n` or `\r\n`, the last
    /// one perhaps in neither. An empty line is a token that is none, so that places are line
    /// numbers.
    #[must_use]
    pub fn lines(buffer: &[u8]) -> Vec<&[u8]> {
        if buffer.is_empty() {
            return Vec::new();
        }
        let body = buffer.strip_suffix(b"\n").unwrap_or(buffer);
        let lines = body.split(|byte| *byte == b'\n');
        lines
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .collect()
    }
}

impl Gate {
    /// Verifies many tokens under one state and one moment, on all cores of rayon's current pool.
    /// A token that occurs more than once is verified once; of one that is good once, the first is.
    #[must_use]
    pub fn verify_batch<T: AsRef<[u8]> + Sync>(&self, tokens: &[T]) -> Batch {
        self.verify_batch_with(tokens, &Requirements::NONE)
    }

    /// As [`Gate::verify_batch`], with requirements every token must meet.
    #[must_use]
    pub fn verify_batch_with<T: AsRef<[u8]> + Sync>(
        &self,
        tokens: &[T],
        requirements: &Requirements,
    ) -> Batch {
        self.judge_batch(tokens, requirements, || true).0
    }

    /// As [`Gate::verify_batch_with`], for as long as somebody wants the answer: `wanted` is asked
    /// before each chunk of 64 tokens, and before each token about which a server is asked, on the
    /// threads that verify. `None` once it has said no.
    #[must_use]
    pub fn verify_batch_while<T: AsRef<[u8]> + Sync>(
        &self,
        tokens: &[T],
        requirements: &Requirements,
        wanted: impl Fn() -> bool + Sync,
    ) -> Option<Batch> {
        let (batch, complete) = self.judge_batch(tokens, requirements, wanted);
        complete.then_some(batch)
    }

    /// The verdicts, and whether all of them are there.
    fn judge_batch<T: AsRef<[u8]> + Sync>(
        &self,
        tokens: &[T],
        requirements: &Requirements,
        wanted: impl Fn() -> bool + Sync,
    ) -> (Batch, bool) {
        let Unique {
            tokens: unique,
            occurrences,
        } = Unique::of(tokens);
        let (mut verdicts, snapshot, grounds) =
            self.verify_many(&unique, requirements, CHUNK, wanted);
        let complete = verdicts.len() == unique.len();
        if let Some(occurrences) = occurrences {
            let mut seen = vec![false; verdicts.len()];
            let verdict_at = |index: usize| {
                let again = std::mem::replace(seen.get_mut(index)?, true);
                Some(match verdicts.get(index)? {
                    // Nothing but the token can have been used up: no proof comes with it.
                    Ok(token) if again && token.replay_reach().is_some() => {
                        Err(Error::about(Code::Replayed, "jti"))
                    }
                    verdict => verdict.clone(),
                })
            };
            verdicts = occurrences.into_iter().filter_map(verdict_at).collect();
        }
        let batch = Batch {
            verdicts,
            snapshot,
            grounds,
        };
        (batch, complete)
    }
}

/// The distinct tokens of a batch, and which of them stands at each place of it.
struct Unique<'t> {
    tokens: Vec<&'t [u8]>,
    /// For each place of the batch its token's place in `tokens`; `None` if they are the same.
    occurrences: Option<Vec<usize>>,
}

impl<'t> Unique<'t> {
    /// Sorts by hash, on all cores, and compares neighbours. A table is filled by one core
    /// alone, and its keyed hash took half as long as the HMACs of HS256 tokens. Tokens come from
    /// strangers, but whoever makes hashes collide makes a sort no slower.
    fn of<T: AsRef<[u8]> + Sync>(batch: &'t [T]) -> Self {
        let seed = foldhash::quality::RandomState::default();
        let mut sorted: Vec<Place<'t>> = batch
            .par_iter()
            .enumerate()
            .map(|(place, token)| {
                let token = recognisable(token.as_ref());
                let hash = seed.hash_one(token);
                Place { hash, token, place }
            })
            .collect();
        // Of equal tokens the first place comes first.
        sorted.par_sort_unstable();
        let is_copy = |pair: &[Place<'_>]| matches!(pair, [a, b] if a.is_same_token(b));
        if !sorted.par_windows(2).any(is_copy) {
            return Self {
                tokens: batch
                    .iter()
                    .map(|token| recognisable(token.as_ref()))
                    .collect(),
                occurrences: None,
            };
        }
        let mut tokens = Vec::with_capacity(batch.len());
        let mut occurrences = vec![0; batch.len()];
        for copies in sorted.chunk_by(Place::is_same_token) {
            for copy in copies {
                if let Some(occurrence) = occurrences.get_mut(copy.place) {
                    *occurrence = tokens.len();
                }
            }
            tokens.extend(copies.first().map(|first| first.token));
        }
        Self {
            tokens,
            occurrences: Some(occurrences),
        }
    }
}

/// A token; of one that is longer than any policy allows as much as is too long still, so that
/// nobody has megabytes hashed and compared (JWS-01).
fn recognisable(token: &[u8]) -> &[u8] {
    token.get(..=Limits::CEILING.token_size).unwrap_or(token)
}

/// A place of a batch and the token there, ordered by hash, token and place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place<'t> {
    hash: u64,
    token: &'t [u8],
    place: usize,
}

impl Place<'_> {
    fn is_same_token(&self, other: &Self) -> bool {
        self.hash == other.hash && self.token == other.token
    }
}

impl Batch {
    /// How many tokens there were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.verdicts.len()
    }

    /// Whether there were none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.verdicts.is_empty()
    }

    /// The verdict over the token at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Verdict> {
        self.verdicts
            .get(index)
            .map(|verdict| verdict.clone().into())
    }

    /// The verdicts, borrowed, in input order.
    pub fn results(&self) -> impl ExactSizeIterator<Item = Result<&VerifiedToken, Error>> {
        self.verdicts
            .iter()
            .map(|verdict| verdict.as_ref().map_err(|error| *error))
    }

    /// Under which policy and keys all of them were judged.
    #[must_use]
    pub const fn snapshot(&self) -> &BatchSnapshot {
        &self.snapshot
    }

    /// What all of them were judged under, for whoever reads of the errors.
    #[must_use]
    pub const fn grounds(&self) -> &Grounds {
        &self.grounds
    }

    /// How many were accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.verdicts
            .iter()
            .filter(|verdict| verdict.is_ok())
            .count()
    }

    /// How often each code was given, most frequent first; acceptances are not among them.
    #[must_use]
    pub fn counts(&self) -> Vec<(Code, usize)> {
        let mut counts: Vec<(Code, usize)> = Vec::new();
        for error in self
            .verdicts
            .iter()
            .filter_map(|verdict| verdict.as_ref().err())
        {
            match counts.iter_mut().find(|(code, _)| *code == error.code()) {
                Some((_, count)) => *count += 1,
                None => counts.push((error.code(), 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

impl IntoIterator for Batch {
    type Item = Verdict;
    type IntoIter = std::iter::Map<
        std::vec::IntoIter<Result<VerifiedToken, Error>>,
        fn(Result<VerifiedToken, Error>) -> Verdict,
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.verdicts.into_iter().map(Verdict::from)
    }
}
