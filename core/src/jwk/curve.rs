//! Whether coordinates are those of a point on their curve (ALG-07).
//!
//! Providers differ in when they look: some when a key is loaded, some at each signature. Here it
//! is known when the key is read, whatever the provider. Only public numbers are computed with, so
//! nothing needs to be constant-time.

use crate::jwa::Curve;

/// Limbs, the least first; P-521 and a carry fit.
type Number = [u64; 9];

const ZERO: Number = [0; 9];
const ONE: Number = small(1);

/// FIPS 186-5 and SEC 2: y² = x³ + ax + b over the integers modulo p.
struct Weierstrass {
    p: Number,
    /// -3 on the NIST curves.
    a: Number,
    b: Number,
}

#[rustfmt::skip]
const P256: Weierstrass = Weierstrass {
    p: [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001, 0, 0, 0, 0, 0],
    a: [0xffff_ffff_ffff_fffc, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001, 0, 0, 0, 0, 0],
    b: [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7,
        0, 0, 0, 0, 0],
};
#[rustfmt::skip]
const P384: Weierstrass = Weierstrass {
    p: [0x0000_0000_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_fffe, u64::MAX, u64::MAX,
        u64::MAX, 0, 0, 0],
    a: [0x0000_0000_ffff_fffc, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_fffe, u64::MAX, u64::MAX,
        u64::MAX, 0, 0, 0],
    b: [0x2a85_c8ed_d3ec_2aef, 0xc656_398d_8a2e_d19d, 0x0314_088f_5013_875a, 0x181d_9c6e_fe81_4112,
        0x988e_056b_e3f8_2d19, 0xb331_2fa7_e23e_e7e4, 0, 0, 0],
};
#[rustfmt::skip]
const P521: Weierstrass = Weierstrass {
    p: [u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, 0x1ff],
    a: [u64::MAX - 3, u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, 0x1ff],
    b: [0xef45_1fd4_6b50_3f00, 0x3573_df88_3d2c_34f1, 0x1652_c0bd_3bb1_bf07, 0x5619_3951_ec7e_937b,
        0xb8b4_8991_8ef1_09e1, 0xa2da_725b_99b3_15f3, 0x929a_21a0_b685_40ee, 0x953e_b961_8e1c_9a1f,
        0x51],
};
#[rustfmt::skip]
const SECP256K1: Weierstrass = Weierstrass {
    p: [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX, 0, 0, 0, 0, 0],
    a: ZERO,
    b: small(7),
};

/// RFC 8032 §5.1: -x² + y² = 1 + dx²y² modulo 2²⁵⁵ - 19.
const ED25519_P: Number = [
    u64::MAX - 18,
    u64::MAX,
    u64::MAX,
    u64::MAX >> 1,
    0,
    0,
    0,
    0,
    0,
];
#[rustfmt::skip]
const ED25519_D: Number = [0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898,
    0x5203_6cee_2b6f_fe73, 0, 0, 0, 0, 0];

/// Whether (x, y), big-endian and of the curve's length, is on a Weierstrass curve. Neither
/// coordinate may be p or above; the point at infinity has no coordinates.
pub(super) fn has_point(curve: Curve, x: &[u8], y: &[u8]) -> bool {
    let Weierstrass { p, a, b } = match curve {
        Curve::P256 => &P256,
        Curve::P384 => &P384,
        Curve::P521 => &P521,
        Curve::Secp256k1 => &SECP256K1,
        Curve::Ed25519 => return false,
    };
    let (x, y) = (number(x.iter().rev()), number(y.iter().rev()));
    if !is_less(&x, p) || !is_less(&y, p) {
        return false;
    }
    let slope = plus(&times(&x, &x, p), a, p);
    times(&y, &y, p) == plus(&times(&slope, &x, p), b, p)
}

/// Whether an ordinate, little-endian, below p and without its sign bit, is that of a point on
/// Ed25519: x² = (y² - 1) / (dy² + 1) has a root exactly when the product of both has one.
pub(super) fn has_ed25519_ordinate(ordinate: &[u8; 32]) -> bool {
    let p = &ED25519_P;
    let y = number(ordinate.iter());
    let square = times(&y, &y, p);
    let above = plus(&square, &less(p, &ONE), p);
    let below = plus(&times(&square, &ED25519_D, p), &ONE, p);
    is_square(times(&above, &below, p), *p)
}

const fn small(value: u64) -> Number {
    [value, 0, 0, 0, 0, 0, 0, 0, 0]
}

fn number<'b>(octets: impl ExactSizeIterator<Item = &'b u8>) -> Number {
    let mut number = ZERO;
    for (position, octet) in octets.enumerate() {
        if let Some(limb) = number.get_mut(position / 8) {
            *limb |= u64::from(*octet) << (position % 8 * 8);
        }
    }
    number
}

fn is_less(a: &Number, b: &Number) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// a - b, where b is not above a.
fn less(a: &Number, b: &Number) -> Number {
    let (mut difference, mut borrow) = (*a, false);
    for (limb, other) in difference.iter_mut().zip(b) {
        (*limb, borrow) = limb.borrowing_sub(*other, borrow);
    }
    difference
}

/// a + b modulo p, both below p.
fn plus(a: &Number, b: &Number, p: &Number) -> Number {
    let (mut sum, mut carry) = (*a, false);
    for (limb, other) in sum.iter_mut().zip(b) {
        (*limb, carry) = limb.carrying_add(*other, carry);
    }
    if is_less(&sum, p) { sum } else { less(&sum, p) }
}

/// ab modulo p, both below p: doubled and added, a bit at a time.
fn times(a: &Number, b: &Number, p: &Number) -> Number {
    let mut product = ZERO;
    for limb in a.iter().rev().skip_while(|limb| **limb == 0) {
        for bit in (0..u64::BITS).rev() {
            product = plus(&product, &product, p);
            if limb >> bit & 1 == 1 {
                product = plus(&product, b, p);
            }
        }
    }
    product
}

/// Whether `a`, below the prime p, is a square modulo p: Jacobi's symbol by the binary method.
fn is_square(mut a: Number, mut p: Number) -> bool {
    let mut square = true;
    while a != ZERO {
        let [low, ..] = a;
        let [modulus, ..] = p;
        if low % 2 == 0 {
            halve(&mut a);
            square ^= matches!(modulus % 8, 3 | 5);
        } else {
            if is_less(&a, &p) {
                square ^= low % 4 == 3 && modulus % 4 == 3;
                std::mem::swap(&mut a, &mut p);
            }
            a = less(&a, &p);
        }
    }
    // Zero is its own root; otherwise the loop ends with the greatest common divisor, 1, in p.
    square
}

fn halve(a: &mut Number) {
    let mut above = 0;
    for limb in a.iter_mut().rev() {
        (*limb, above) = (*limb >> 1 | above << 63, *limb & 1);
    }
}
