//! ECDSA over short Weierstrass curves with any hash and any nonce: deterministic signatures, and
//! the wrong ones that attacks need.

use super::number::{Modulus, Nat};

/// A curve y² = x³ + ax + b with a base point of prime order.
#[derive(Debug)]
pub struct Curve {
    /// Its `crv` name.
    pub name: &'static str,
    field: Modulus,
    a: Nat,
    /// The order of the base point.
    pub order: Modulus,
    base: (Nat, Nat),
    /// Octets of a coordinate.
    pub size: usize,
}

/// A point in Jacobian coordinates; `z` zero is the point at infinity.
#[derive(Clone)]
struct Point {
    x: Nat,
    y: Nat,
    z: Nat,
}

impl Curve {
    /// The curve with this `crv` name.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let (name, p, three, n, x, y): (&'static str, _, _, _, _, _) = match name {
            "P-256" => (
                "P-256",
                "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF",
                3,
                "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
                "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296",
                "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5",
            ),
            "P-384" => (
                "P-384",
                "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE\
                 FFFFFFFF0000000000000000FFFFFFFF",
                3,
                "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF\
                 581A0DB248B0A77AECEC196ACCC52973",
                "AA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A38\
                 5502F25DBF55296C3A545E3872760AB7",
                "3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C0\
                 0A60B1CE1D7E819D7A431D7C90EA0E5F",
            ),
            "P-521" => (
                "P-521",
                "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\
                 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
                3,
                "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\
                 FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
                "00C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3D\
                 BAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66",
                "011839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E66\
                 2C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650",
            ),
            "secp256k1" => (
                "secp256k1",
                "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F",
                0,
                "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141",
                "79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798",
                "483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8",
            ),
            other => panic!("no curve {other}"),
        };
        let p = Nat::from_hex(p);
        let a = if three == 0 {
            Nat::ZERO
        } else {
            p.minus(&Nat::small(three))
        };
        Self {
            name,
            size: p.bits().div_ceil(8),
            field: Modulus::new(&p),
            a,
            order: Modulus::new(&Nat::from_hex(n)),
            base: (Nat::from_hex(x), Nat::from_hex(y)),
        }
    }

    /// The public point of a private scalar, as its coordinates.
    #[must_use]
    pub fn public(&self, scalar: &Nat) -> (Vec<u8>, Vec<u8>) {
        let (x, y) = self.affine(&self.multiply(scalar));
        (x.to_bytes(self.size), y.to_bytes(self.size))
    }

    /// The field's prime.
    #[must_use]
    pub fn prime(&self) -> &Nat {
        self.field.value()
    }

    /// Signs a message digest; `(r, s)`. The nonce decides everything else, so that the same
    /// input gives the same signature.
    #[must_use]
    pub fn sign(&self, scalar: &Nat, digest: &[u8], nonce: &[u8]) -> (Nat, Nat) {
        let order = &self.order;
        let k = order.reduce(&Nat::from_bytes(nonce));
        let (x, _) = self.affine(&self.multiply(&k));
        let r = order.reduce(&x);
        // SEC 1 §4.1.3: the leftmost bits of the digest.
        let excess = (digest.len() * 8).saturating_sub(order.value().bits());
        let e = order.reduce(&Nat::from_bytes(digest).shifted_right(excess));
        let sum = order.plus(&e, &order.times(&r, &order.reduce(scalar)));
        let s = order.times(&order.inverse(&k), &sum);
        assert!(!r.is_zero() && !s.is_zero(), "another nonce is needed");
        (r, s)
    }

    /// R||S at the curve's length (RFC 7518 §3.4).
    #[must_use]
    pub fn raw(&self, r: &Nat, s: &Nat) -> Vec<u8> {
        [r.to_bytes(self.size), s.to_bytes(self.size)].concat()
    }

    fn multiply(&self, scalar: &Nat) -> Point {
        let base = Point {
            x: self.base.0.clone(),
            y: self.base.1.clone(),
            z: Nat::small(1),
        };
        let mut sum = Point {
            x: Nat::small(1),
            y: Nat::small(1),
            z: Nat::ZERO,
        };
        for position in (0..scalar.bits()).rev() {
            sum = self.double(&sum);
            if scalar.bit(position) {
                sum = self.add(&sum, &base);
            }
        }
        sum
    }

    fn affine(&self, point: &Point) -> (Nat, Nat) {
        let f = &self.field;
        let inverse = f.inverse(&point.z);
        let square = f.times(&inverse, &inverse);
        let cube = f.times(&square, &inverse);
        (f.times(&point.x, &square), f.times(&point.y, &cube))
    }

    fn double(&self, point: &Point) -> Point {
        let f = &self.field;
        let Point { x, y, z } = point;
        let twice = |a: &Nat| f.plus(a, a);
        let yy = f.times(y, y);
        let zz = f.times(z, z);
        let s = twice(&twice(&f.times(x, &yy)));
        let xx = f.times(x, x);
        let m = f.plus(
            &f.plus(&twice(&xx), &xx),
            &f.times(&self.a, &f.times(&zz, &zz)),
        );
        let x3 = f.minus(&f.times(&m, &m), &twice(&s));
        let eighth = twice(&twice(&twice(&f.times(&yy, &yy))));
        let y3 = f.minus(&f.times(&m, &f.minus(&s, &x3)), &eighth);
        let z3 = twice(&f.times(y, z));
        Point {
            x: x3,
            y: y3,
            z: z3,
        }
    }

    fn add(&self, one: &Point, other: &Point) -> Point {
        if one.z.is_zero() {
            return other.clone();
        }
        if other.z.is_zero() {
            return one.clone();
        }
        let f = &self.field;
        let (zz1, zz2) = (f.times(&one.z, &one.z), f.times(&other.z, &other.z));
        let (u1, u2) = (f.times(&one.x, &zz2), f.times(&other.x, &zz1));
        let s1 = f.times(&one.y, &f.times(&other.z, &zz2));
        let s2 = f.times(&other.y, &f.times(&one.z, &zz1));
        let (h, r) = (f.minus(&u2, &u1), f.minus(&s2, &s1));
        if h.is_zero() && r.is_zero() {
            return self.double(one);
        }
        let hh = f.times(&h, &h);
        let hhh = f.times(&h, &hh);
        let v = f.times(&u1, &hh);
        let x = f.minus(&f.minus(&f.times(&r, &r), &hhh), &f.plus(&v, &v));
        let y = f.minus(&f.times(&r, &f.minus(&v, &x)), &f.times(&s1, &hhh));
        let z = f.times(&h, &f.times(&one.z, &other.z));
        Point { x, y, z }
    }
}
