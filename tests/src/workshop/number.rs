//! Natural numbers of any size, and arithmetic modulo odd ones: enough for RSA and ECDSA signatures
//! that no library would make.
//!
//! Not constant-time: the keys are throw-away.

use std::cmp::Ordering;

/// A natural number; little-endian limbs without trailing zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nat(Vec<u64>);

impl Nat {
    /// Zero.
    pub const ZERO: Self = Self(Vec::new());

    /// One limb.
    #[must_use]
    pub fn small(value: u64) -> Self {
        Self::from_limbs(vec![value])
    }

    fn from_limbs(mut limbs: Vec<u64>) -> Self {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Self(limbs)
    }

    /// From big-endian bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let limbs = bytes.rchunks(8).map(|chunk| {
            chunk
                .iter()
                .fold(0, |limb, byte| limb << 8 | u64::from(*byte))
        });
        Self::from_limbs(limbs.collect())
    }

    /// From hexadecimal digits.
    #[must_use]
    pub fn from_hex(digits: &str) -> Self {
        let digits = digits.as_bytes();
        let bytes: Vec<u8> = digits
            .rchunks(2)
            .map(|pair| {
                let text = std::str::from_utf8(pair).expect("ASCII");
                u8::from_str_radix(text, 16).expect("hexadecimal")
            })
            .rev()
            .collect();
        Self::from_bytes(&bytes)
    }

    /// As `size` big-endian bytes.
    ///
    /// # Panics
    ///
    /// When it needs more.
    #[must_use]
    pub fn to_bytes(&self, size: usize) -> Vec<u8> {
        assert!(self.bits() <= size * 8, "the number needs more bytes");
        let mut bytes: Vec<u8> = self.0.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        bytes.resize(size, 0);
        bytes.reverse();
        bytes
    }

    /// Bits without leading zeros.
    #[must_use]
    pub fn bits(&self) -> usize {
        let top = self.0.last().map_or(0, |limb| 64 - limb.leading_zeros());
        self.0.len().saturating_sub(1) * 64 + usize::try_from(top).expect("at most 64")
    }

    /// Whether the bit of value 2^position is set.
    #[must_use]
    pub fn bit(&self, position: usize) -> bool {
        let limb = self.0.get(position / 64).copied().unwrap_or(0);
        limb >> (position % 64) & 1 == 1
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let size = self.0.len().max(other.0.len()) + 1;
        let (mut limbs, mut carry) = (Vec::with_capacity(size), false);
        for index in 0..size {
            let limb = |number: &Self| number.0.get(index).copied().unwrap_or(0);
            let (sum, first) = limb(self).overflowing_add(limb(other));
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            limbs.push(sum);
            carry = first || second;
        }
        Self::from_limbs(limbs)
    }

    /// The difference.
    ///
    /// # Panics
    ///
    /// When `other` is larger.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        assert!(*self >= *other, "a negative difference");
        let (mut limbs, mut borrow) = (Vec::with_capacity(self.0.len()), false);
        for (index, limb) in self.0.iter().enumerate() {
            let taken = other.0.get(index).copied().unwrap_or(0);
            let (rest, first) = limb.overflowing_sub(taken);
            let (rest, second) = rest.overflowing_sub(u64::from(borrow));
            limbs.push(rest);
            borrow = first || second;
        }
        Self::from_limbs(limbs)
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let mut limbs = vec![0; self.0.len() + other.0.len()];
        for (shift, a) in self.0.iter().enumerate() {
            let mut carry = 0;
            for (index, b) in other.0.iter().enumerate() {
                let sum = wide(*a) * wide(*b) + wide(limbs[shift + index]) + carry;
                limbs[shift + index] = low(sum);
                carry = sum >> 64;
            }
            limbs[shift + other.0.len()] = low(carry);
        }
        Self::from_limbs(limbs)
    }

    /// Quotient and remainder by one limb.
    #[must_use]
    pub fn divide(&self, by: u64) -> (Self, u64) {
        let (mut limbs, mut rest) = (vec![0; self.0.len()], 0);
        for (index, limb) in self.0.iter().enumerate().rev() {
            let part = wide(rest) << 64 | wide(*limb);
            limbs[index] = low(part / wide(by));
            rest = low(part % wide(by));
        }
        (Self::from_limbs(limbs), rest)
    }

    /// Shifted right by `bits`.
    #[must_use]
    pub fn shifted_right(&self, bits: usize) -> Self {
        let mut limbs: Vec<u64> = self.0.iter().skip(bits / 64).copied().collect();
        let bits = bits % 64;
        if bits > 0 {
            for index in 0..limbs.len() {
                let above = limbs.get(index + 1).copied().unwrap_or(0);
                limbs[index] = limbs[index] >> bits | above << (64 - bits);
            }
        }
        Self::from_limbs(limbs)
    }
}

impl PartialOrd for Nat {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Nat {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = self.0.len().cmp(&other.0.len());
        size.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

fn wide(limb: u64) -> u128 {
    u128::from(limb)
}

fn low(wide: u128) -> u64 {
    wide as u64
}

/// An odd modulus, with Montgomery's constants.
#[derive(Clone, Debug)]
pub struct Modulus {
    n: Nat,
    limbs: Vec<u64>,
    /// -1/n modulo 2^64.
    inverse: u64,
    /// 2^(128 * limbs) modulo n.
    r2: Nat,
}

impl Modulus {
    /// # Panics
    ///
    /// When `n` is even.
    #[must_use]
    pub fn new(n: &Nat) -> Self {
        assert!(n.bit(0), "an even modulus");
        let first = n.0[0];
        let mut inverse: u64 = 1;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(first.wrapping_mul(inverse)));
        }
        let mut modulus = Self {
            n: n.clone(),
            limbs: n.0.clone(),
            inverse: inverse.wrapping_neg(),
            r2: Nat::ZERO,
        };
        let mut r2 = Nat::small(1);
        for _ in 0..128 * n.0.len() {
            r2 = modulus.plus(&r2, &r2);
        }
        modulus.r2 = r2;
        modulus
    }

    /// The modulus itself.
    #[must_use]
    pub fn value(&self) -> &Nat {
        &self.n
    }

    /// `a` modulo n.
    #[must_use]
    pub fn reduce(&self, a: &Nat) -> Nat {
        let mut rest = Nat::ZERO;
        for position in (0..a.bits()).rev() {
            rest = rest.plus(&rest);
            if a.bit(position) {
                rest = rest.plus(&Nat::small(1));
            }
            if rest >= self.n {
                rest = rest.minus(&self.n);
            }
        }
        rest
    }

    /// The sum of two residues.
    #[must_use]
    pub fn plus(&self, a: &Nat, b: &Nat) -> Nat {
        let sum = a.plus(b);
        if sum >= self.n {
            sum.minus(&self.n)
        } else {
            sum
        }
    }

    /// The difference of two residues.
    #[must_use]
    pub fn minus(&self, a: &Nat, b: &Nat) -> Nat {
        if a >= b {
            a.minus(b)
        } else {
            a.plus(&self.n).minus(b)
        }
    }

    /// The product of two residues.
    #[must_use]
    pub fn times(&self, a: &Nat, b: &Nat) -> Nat {
        self.montgomery(&self.montgomery(a, b), &self.r2)
    }

    /// `base` to the power `exponent`.
    #[must_use]
    pub fn power(&self, base: &Nat, exponent: &Nat) -> Nat {
        let base = self.montgomery(&self.reduce(base), &self.r2);
        let mut power = self.montgomery(&Nat::small(1), &self.r2);
        for position in (0..exponent.bits()).rev() {
            power = self.montgomery(&power, &power);
            if exponent.bit(position) {
                power = self.montgomery(&power, &base);
            }
        }
        self.montgomery(&power, &Nat::small(1))
    }

    /// One over `a`, for a prime modulus.
    #[must_use]
    pub fn inverse(&self, a: &Nat) -> Nat {
        self.power(a, &self.n.minus(&Nat::small(2)))
    }

    /// `a * b / 2^(64 * limbs)` modulo n.
    fn montgomery(&self, a: &Nat, b: &Nat) -> Nat {
        let size = self.limbs.len();
        let mut sum = vec![0u64; size + 2];
        for index in 0..size {
            let digit = b.0.get(index).copied().unwrap_or(0);
            add_multiple(&mut sum, &a.0, digit);
            let multiple = sum[0].wrapping_mul(self.inverse);
            add_multiple(&mut sum, &self.limbs, multiple);
            sum.rotate_left(1);
        }
        let sum = Nat::from_limbs(sum);
        if sum >= self.n {
            sum.minus(&self.n)
        } else {
            sum
        }
    }
}

/// `sum += limbs * digit`
///
/// The one loop that matters: it is written so that it is quick without optimisation too.
fn add_multiple(sum: &mut [u64], limbs: &[u64], digit: u64) {
    let (digit, mut carry, mut index) = (digit as u128, 0u128, 0);
    while index < sum.len() {
        let limb = if index < limbs.len() { limbs[index] } else { 0 };
        let total = limb as u128 * digit + sum[index] as u128 + carry;
        sum[index] = total as u64;
        carry = total >> 64;
        index += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Modulus, Nat};

    #[test]
    fn arithmetic_agrees_with_itself() {
        let a = Nat::from_hex("fedcba98765432100123456789abcdef0f1e2d3c4b5a6978");
        let b = Nat::from_hex("123456789abcdef");
        assert_eq!(a.plus(&b).minus(&b), a);
        let (quotient, rest) = a.times(&b).plus(&Nat::small(7)).divide(1_000_003);
        assert_eq!(
            quotient
                .times(&Nat::small(1_000_003))
                .plus(&Nat::small(rest)),
            a.times(&b).plus(&Nat::small(7))
        );
        assert_eq!(Nat::from_bytes(&a.to_bytes(30)), a);
        let prime = Modulus::new(&Nat::from_hex("7fffffffffffffffffffffffffffffff"));
        let x = prime.reduce(&a);
        assert_eq!(prime.times(&x, &prime.inverse(&x)), Nat::small(1));
        assert_eq!(prime.reduce(&a.times(&b)), prime.times(&x, &b));
        assert_eq!(a.shifted_right(70).times(&Nat::small(64)), {
            let cut = a.shifted_right(70);
            cut.plus(&cut.times(&Nat::small(63)))
        });
    }
}
