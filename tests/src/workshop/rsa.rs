//! RSA signatures with any encoding: the right ones of RFC 8017, and the wrong ones that attacks
//! need.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::hash::Hash;
use super::number::{Modulus, Nat};

/// An RSA private key as its two numbers.
#[derive(Clone, Debug)]
pub struct RsaKey {
    /// The modulus.
    pub modulus: Modulus,
    /// The public exponent.
    pub e: Nat,
    d: Nat,
    /// Octets of the modulus.
    pub size: usize,
}

impl RsaKey {
    /// From modulus and exponents.
    #[must_use]
    pub fn new(n: &Nat, e: Nat, d: Nat) -> Self {
        Self {
            modulus: Modulus::new(n),
            e,
            d,
            size: n.bits().div_ceil(8),
        }
    }

    /// A key of 2048 bits that follows from `seed` alone.
    #[must_use]
    pub fn seeded(seed: &[u8]) -> Self {
        Self::seeded_with(seed, 65_537)
    }

    /// The same with another public exponent, which must be prime.
    ///
    /// # Panics
    ///
    /// When it is not.
    #[must_use]
    pub fn seeded_with(seed: &[u8], e: u64) -> Self {
        // Looking for primes takes a second without optimisation.
        static MADE: Mutex<BTreeMap<(Vec<u8>, u64), RsaKey>> = Mutex::new(BTreeMap::new());
        let mut made = MADE.lock().expect("nobody panics with the lock");
        let key = made.entry((seed.to_vec(), e));
        key.or_insert_with(|| Self::search(seed, e)).clone()
    }

    fn search(seed: &[u8], e: u64) -> Self {
        let mut counter: u32 = 0;
        let mut prime = || {
            loop {
                counter += 1;
                if let Some(prime) = prime_from(seed, counter, e) {
                    return prime;
                }
            }
        };
        let (p, q) = (prime(), prime());
        let one = Nat::small(1);
        let totient = p.minus(&one).times(&q.minus(&one));
        // d = (1 + k * totient) / e, with the k that makes the division exact.
        let (_, rest) = totient.divide(e);
        let k = (1..e)
            .find(|k| (1 + k * rest) % e == 0)
            .expect("e is prime and divides neither p - 1 nor q - 1");
        let (d, exact) = totient.times(&Nat::small(k)).plus(&one).divide(e);
        assert_eq!(exact, 0);
        Self::new(&p.times(&q), Nat::small(e), d)
    }

    /// The signature representative of an encoded message: `encoded^d mod n`.
    #[must_use]
    pub fn raw(&self, encoded: &[u8]) -> Vec<u8> {
        let encoded = Nat::from_bytes(encoded);
        self.modulus.power(&encoded, &self.d).to_bytes(self.size)
    }

    /// RSASSA-PKCS1-v1_5.
    #[must_use]
    pub fn sign_pkcs1(&self, hash: Hash, message: &[u8]) -> Vec<u8> {
        let info = [hash.digest_info(), hash.digest(message)].concat();
        self.raw(&self.pkcs1(1, &info))
    }

    /// `00 || type || FF.. || 00 || info`
    #[must_use]
    pub fn pkcs1(&self, block_type: u8, info: &[u8]) -> Vec<u8> {
        let padding = vec![0xff; self.size - 3 - info.len()];
        [&[0, block_type], padding.as_slice(), &[0], info].concat()
    }

    /// RSASSA-PSS with this salt; `mask` is the hash of MGF1 (RFC 8017 §9.1.1).
    #[must_use]
    pub fn sign_pss(&self, hash: Hash, mask: Hash, salt: &[u8], message: &[u8]) -> Vec<u8> {
        let digest = hash.digest(&[&[0; 8], hash.digest(message).as_slice(), salt].concat());
        let mut data = vec![0; self.size - digest.len() - 2 - salt.len()];
        data.push(1);
        data.extend(salt);
        for (byte, pad) in data.iter_mut().zip(mgf1(mask, &digest, self.size)) {
            *byte ^= pad;
        }
        // emBits is modBits - 1: the top bit must be clear.
        data[0] &= 0x7f;
        self.raw(&[data, digest, vec![0xbc]].concat())
    }
}

/// A prime of 1024 bits with both top bits set, if this candidate is one.
fn prime_from(seed: &[u8], counter: u32, e: u64) -> Option<Nat> {
    let block = |part: u8| Hash::Sha512.digest(&[seed, &counter.to_be_bytes(), &[part]].concat());
    let mut bytes = [block(0), block(1)].concat();
    bytes[0] |= 0xc0;
    bytes[127] |= 1;
    let candidate = Nat::from_bytes(&bytes);
    let divides = |prime: u64| candidate.divide(prime).1 == 0;
    let small = (3..2000u64).step_by(2);
    if small.into_iter().any(divides) {
        return None;
    }
    let one = Nat::small(1);
    let less = candidate.minus(&one);
    let modulus = Modulus::new(&candidate);
    // Fermat to three bases: the numbers are ours, not an adversary's.
    let passes = |base| modulus.power(&Nat::small(base), &less) == one;
    ([2, 3, 5].into_iter().all(passes) && less.divide(e).1 != 0).then_some(candidate)
}

fn mgf1(hash: Hash, seed: &[u8], size: usize) -> Vec<u8> {
    (0u32..)
        .flat_map(|counter| hash.digest(&[seed, &counter.to_be_bytes()].concat()))
        .take(size)
        .collect()
}
