//! Mints, judges and measures.

use std::hint::black_box;
use std::sync::mpsc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use sealgate::crypto::{CryptoProvider, SigningKey, aws_lc};
use sealgate::jwa::Algorithm;
use sealgate::jwk::KeyError;
use sealgate::mint::{ClaimsBuilder, Minter};
use sealgate::{Gate, PolicyError, Verifier};

use super::world::{self, ISSUERS, Mints, ROTATIONS, ROWS, Role};
use crate::always_yes;
use crate::gate::Cache;
use crate::stopwatch::Stopwatch;
use crate::text::is_watched;

/// Tokens of a batch.
const BATCH: usize = 10_000;
/// Tokens an algorithm is timed with.
const SAMPLE: usize = 2_000;

/// What the demonstration can stumble over.
pub(super) enum Problem {
    Key(KeyError),
    Policy(PolicyError),
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

/// Everything the report shows.
pub(super) struct Outcome {
    /// Each row with its tokens and how many were let in.
    pub(super) rows: Vec<(usize, usize)>,
    pub(super) tokens: usize,
    /// The first token whose verdict was not foretold, with what was said.
    pub(super) surprise: Option<(usize, &'static str, &'static str)>,
    pub(super) surprises: usize,
    pub(super) threads: usize,
    pub(super) speeds: Vec<Speed>,
    pub(super) cold: Duration,
    pub(super) cached: Duration,
    /// Our own share of one verification.
    pub(super) share: Duration,
    pub(super) rotation: Rotation,
}

/// How fast tokens of one algorithm verify.
pub(super) struct Speed {
    pub(super) algorithm: Algorithm,
    pub(super) per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

/// What happened while keys were rotated at full speed.
#[derive(Default)]
pub(super) struct Rotation {
    pub(super) publications: usize,
    pub(super) good_refused: usize,
    pub(super) withdrawn_let_in: usize,
}

impl Outcome {
    pub(super) fn is_as_foretold(&self) -> bool {
        self.surprises == 0
            && self.rotation.good_refused == 0
            && self.rotation.withdrawn_let_in == 0
            && self.rotation.publications == ROTATIONS
    }
}

pub(super) fn run(tokens: usize) -> Result<Outcome, Problem> {
    let knocks = mint(tokens)?;
    let verifier = world::verifier(world::clock(), aws_lc::provider(), Cache::Own)?;
    let mut outcome = judge(&verifier, &knocks)?;
    for algorithm in [Algorithm::Es256, Algorithm::Ed25519, Algorithm::Rs256] {
        outcome.speeds.push(time(algorithm)?);
    }
    outcome.share = share()?;
    Ok(outcome)
}

fn bar(verb: &str, tokens: usize, after: &str) -> ProgressBar {
    if !is_watched() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(tokens).unwrap_or(u64::MAX));
    let template = format!("  {verb:<10} {{bar:26}}  {after}");
    match ProgressStyle::with_template(&template) {
        Ok(style) => bar.with_style(style.progress_chars("██ ")),
        Err(_) => bar,
    }
}

/// A token and the row that made it.
type Knock = (usize, String);

fn mint(tokens: usize) -> Result<Vec<Knock>, Problem> {
    let mints = Mints::new()?;
    let total: usize = ROWS.iter().map(|row| row.weight).sum();
    let progress = bar(
        "minting",
        tokens,
        &format!(
            "{{pos}} tokens, {} agents, {} issuers",
            world::AGENTS,
            ISSUERS.len()
        ),
    );
    // A stride that has no factor in common with the total mixes the rows evenly.
    let rows: Vec<usize> = ROWS
        .iter()
        .enumerate()
        .flat_map(|(index, row)| std::iter::repeat_n(index, row.weight))
        .collect();
    let knocks = (0..tokens).into_par_iter().map(|number| {
        let row = rows[number * 123 % total];
        progress.inc(1);
        Ok::<_, KeyError>((row, ROWS[row].make(&mints, number)?))
    });
    let knocks = knocks.collect::<Result<Vec<_>, _>>()?;
    progress.finish();
    Ok(knocks)
}

fn judge(verifier: &Verifier, knocks: &[Knock]) -> Result<Outcome, Problem> {
    let gates: Vec<Gate> = ROWS
        .iter()
        .filter_map(|row| verifier.gate(row.gate).ok())
        .collect();
    let mut outcome = Outcome {
        rows: vec![(0, 0); ROWS.len()],
        tokens: knocks.len(),
        surprise: None,
        surprises: 0,
        threads: rayon::current_num_threads(),
        speeds: Vec::new(),
        cold: Duration::ZERO,
        cached: Duration::ZERO,
        share: Duration::ZERO,
        rotation: Rotation::default(),
    };
    let progress = bar(
        "verifying",
        knocks.len(),
        "while the keys rotate three times",
    );
    // At least three batches between rotations, however few the tokens.
    let size = BATCH.min(knocks.len().div_ceil(4 * ROTATIONS)).max(1);
    // The thread that rotates sleeps until told: it must not take time from those that verify.
    let (go, due) = mpsc::channel();
    std::thread::scope(|scope| {
        let rotation = scope.spawn(move || rotate(verifier, &due));
        let mut rotations = 0;
        let began = Stopwatch::start();
        for (batch, chunk) in knocks.chunks(size).enumerate() {
            for (position, verdict) in verdicts(&gates, chunk) {
                let (row, _) = chunk[position];
                let (count, let_in) = &mut outcome.rows[row];
                *count += 1;
                *let_in += usize::from(verdict == "accepted");
                if verdict != ROWS[row].code {
                    outcome.surprises += 1;
                    let number = batch * size + position;
                    outcome
                        .surprise
                        .get_or_insert((number, ROWS[row].code, verdict));
                }
            }
            let judged = batch * size + chunk.len();
            while rotations < ROTATIONS
                && judged * (ROTATIONS + 1) >= knocks.len() * (rotations + 1)
            {
                rotations += 1;
                // Should its thread be gone, its result tells.
                let _ = go.send(());
            }
            progress.inc(u64::try_from(chunk.len()).unwrap_or(0));
        }
        outcome.cold = began.elapsed();
        drop(go);
        if let Ok(rotated) = rotation.join() {
            outcome.rotation = rotated?;
        }
        Ok::<_, Problem>(())
    })?;
    progress.finish();
    // Once more: only what was accepted is remembered, so only that is timed.
    let good: Vec<&str> = knocks
        .iter()
        .filter(|(row, _)| ROWS[*row].code == "accepted")
        .map(|(_, token)| token.as_str())
        .take(100_000)
        .collect();
    let _warm = gates[0].verify_batch(&good);
    let began = Stopwatch::start();
    for token in &good {
        let _ = black_box(gates[0].verify(black_box(token)));
    }
    let seconds = began.elapsed().as_secs_f64() / good.len().max(1) as f64;
    outcome.cached = Duration::from_secs_f64(seconds);
    Ok(outcome)
}

/// Judges a chunk gate by gate.
fn verdicts(gates: &[Gate], chunk: &[Knock]) -> Vec<(usize, &'static str)> {
    let mut verdicts = Vec::with_capacity(chunk.len());
    for door in ["tools", "vault"] {
        let here: Vec<usize> = (0..chunk.len())
            .filter(|position| ROWS[chunk[*position].0].gate == door)
            .collect();
        let Some(first) = here.first() else { continue };
        let gate = &gates[chunk[*first].0];
        let tokens: Vec<&str> = here
            .iter()
            .map(|position| chunk[*position].1.as_str())
            .collect();
        let batch = gate.verify_batch(&tokens);
        let codes = batch.results().map(|verdict| match verdict {
            Ok(_) => "accepted",
            Err(error) => error.code().as_str(),
        });
        verdicts.extend(here.iter().copied().zip(codes));
    }
    verdicts
}

/// Replaces the side keys of both issuers three times while batches are judged. Before and after
/// each publication a token of a lasting key must pass; after it, one of the key withdrawn must
/// not. Each is begun when `due` says so.
fn rotate(verifier: &Verifier, due: &mpsc::Receiver<()>) -> Result<Rotation, Problem> {
    let mut rotation = Rotation::default();
    let gate = verifier.gate(super::GATE).ok();
    let Some(gate) = gate else {
        return Ok(rotation);
    };
    for number in 1..=ROTATIONS {
        if due.recv().is_err() {
            return Ok(rotation);
        }
        let step = u8::try_from(number).unwrap_or(u8::MAX);
        for issuer in &ISSUERS {
            let token = |role| -> Result<String, KeyError> {
                let minter = Minter::new(issuer.key(role)?).with_typ("at+jwt");
                minter.mint(&probe(issuer))
            };
            let (lasting, withdrawn) = (token(Role::Main)?, token(Role::Side(step - 1))?);
            rotation.good_refused += usize::from(gate.verify(&lasting).is_err());
            rotation.good_refused += usize::from(gate.verify(&withdrawn).is_err());
            if verifier
                .keys()
                .publish(issuer.name, &issuer.keys(step)?)
                .is_err()
            {
                return Ok(rotation);
            }
            for _ in 0..1_000 {
                rotation.good_refused += usize::from(gate.verify(&lasting).is_err());
                rotation.withdrawn_let_in += usize::from(gate.verify(&withdrawn).is_ok());
            }
        }
        rotation.publications += 1;
    }
    Ok(rotation)
}

fn probe(issuer: &world::Issuer) -> ClaimsBuilder {
    world::claims_of(issuer, 0)
}

/// The rate on all threads and the latency on one, every token new.
fn time(algorithm: Algorithm) -> Result<Speed, Problem> {
    let key = SigningKey::generate(algorithm)?.with_kid("speed");
    let gate = lone_gate(&key, aws_lc::provider())?;
    let tokens = tokens_of(key)?;
    let mut single: Vec<Duration> = tokens
        .iter()
        .map(|token| {
            let began = Stopwatch::start();
            let _ = black_box(gate.verify(black_box(token)));
            began.elapsed()
        })
        .collect();
    single.sort_unstable();
    let began = Stopwatch::start();
    let batch = gate.verify_batch(&tokens);
    let seconds = began.elapsed().as_secs_f64();
    let at = |share: usize| {
        single
            .get(single.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    let per_second = batch.accepted() as f64 / seconds;
    Ok(Speed {
        algorithm,
        per_second,
        p50: at(50),
        p99: at(99),
    })
}

fn tokens_of(key: SigningKey) -> Result<Vec<String>, Problem> {
    let minter = Minter::new(key).with_typ("at+jwt");
    let tokens = (0..SAMPLE).into_par_iter().map(|number| {
        let claims = world::claims_of(&ISSUERS[0], number);
        minter.mint(&claims)
    });
    Ok(tokens.collect::<Result<Vec<_>, _>>()?)
}

/// A gate of one key and no cache.
fn lone_gate(key: &SigningKey, provider: CryptoProvider) -> Result<Gate, Problem> {
    let policy = world::lone_policy(key)?;
    let verifier = Verifier::with_clock(policy, provider, world::clock())?;
    verifier
        .gate(super::GATE)
        .map_err(|_| Problem::Key(KeyError::mismatch()))
}

fn share() -> Result<Duration, Problem> {
    let key = SigningKey::generate(Algorithm::Es256)?.with_kid("speed");
    let gate = lone_gate(&key, always_yes::provider())?;
    let tokens = tokens_of(key)?;
    let rounds = (0..9).map(|_| {
        let began = Stopwatch::start();
        for token in &tokens {
            let _ = black_box(gate.verify(black_box(token)));
        }
        began.elapsed()
    });
    let count = u32::try_from(tokens.len()).unwrap_or(1);
    Ok(rounds.min().unwrap_or_default() / count)
}
