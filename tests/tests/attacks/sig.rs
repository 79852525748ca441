//! Attacks on signatures: right key, wrong bytes.

use sealgate_tests::workshop::ecdsa::Curve;
use sealgate_tests::workshop::key::Secret;
use sealgate_tests::workshop::number::Nat;
use sealgate_tests::workshop::rsa::RsaKey;
use sealgate_tests::workshop::{Hash, Key, b64u, der, over, signing_input};
use serde_json::json;

use crate::stand::{Fixtures, Stand, config};

/// A stand that knows one key, and the signing input of a good token.
struct Target {
    key: Key,
    input: String,
    stand: Stand,
}

impl Target {
    fn new(f: &Fixtures, key: Key) -> Self {
        let alg = if key.alg() == "EdDSA" {
            "Ed25519"
        } else {
            key.alg()
        };
        let stand = f.stand(&config(std::slice::from_ref(&key.jwk), &[alg]));
        let input = signing_input(key.header(""), f.payload());
        let target = Self { key, input, stand };
        target.gives("accepted", target.key.sign(target.input.as_bytes()));
        target
    }

    fn seeded(f: &Fixtures, alg: &str) -> Self {
        Self::new(f, Key::seeded(alg, "k"))
    }

    #[track_caller]
    fn gives(&self, code: &str, signature: impl Into<Vec<u8>>) {
        self.stand
            .gives(code, over(self.input.clone(), |_| signature.into()));
    }

    #[track_caller]
    fn refuses(&self, signature: impl Into<Vec<u8>>) {
        self.gives("bad_signature", signature);
    }

    fn curve(&self) -> &Curve {
        match &self.key.secret {
            Secret::Ec(curve, _) => curve,
            _ => panic!("no EC key"),
        }
    }

    fn ecdsa(&self) -> (Nat, Nat) {
        self.key.ecdsa(self.key.alg(), self.input.as_bytes())
    }
}

const ECDSA: [&str; 4] = ["ES256", "ES384", "ES512", "ES256K"];

pub(crate) fn sig_01_psychic_signatures(f: &Fixtures) {
    for alg in ECDSA {
        let target = Target::seeded(f, alg);
        let curve = target.curve();
        let (zero, one) = (Nat::ZERO, Nat::small(1));
        for (r, s) in [(&zero, &zero), (&zero, &one), (&one, &zero), (&one, &one)] {
            target.refuses(curve.raw(r, s));
        }
    }
}

pub(crate) fn sig_02_r_and_s_out_of_range(f: &Fixtures) {
    for alg in ECDSA {
        let target = Target::seeded(f, alg);
        let (curve, (r, s)) = (target.curve(), target.ecdsa());
        let n = curve.order.value();
        // ALG-06: the other square root is as good.
        target.gives("accepted", curve.raw(&r, &n.minus(&s)));
        let less = n.minus(&Nat::small(1));
        let cases = [
            (r.plus(n), s.clone()),
            (r.clone(), s.plus(n)),
            (n.clone(), s.clone()),
            (r.clone(), n.clone()),
            (less.clone(), less),
            (curve.prime().clone(), s.clone()),
            (r.plus(curve.prime()), s.clone()),
        ];
        let fitting = cases
            .iter()
            .filter(|(r, s)| r.bits().max(s.bits()) <= curve.size * 8);
        let mut built = 0;
        for (r, s) in fitting {
            target.refuses(curve.raw(r, s));
            built += 1;
        }
        assert!(built >= 4, "{alg}: {built}");
    }
}

pub(crate) fn sig_03_ecdsa_signatures_of_the_wrong_length(f: &Fixtures) {
    for alg in ECDSA {
        let target = Target::seeded(f, alg);
        let good = target.key.sign(target.input.as_bytes());
        let half = good.len() / 2;
        let (r, s) = good.split_at(half);
        for signature in [
            good[..good.len() - 1].to_vec(),
            good[1..].to_vec(),
            [good.as_slice(), &[0]].concat(),
            [&[0], good.as_slice()].concat(),
            [&[0], r, &[0], s].concat(),
            [good.as_slice(), good.as_slice()].concat(),
            r.to_vec(),
            vec![0],
            Vec::new(),
            good[4..].to_vec(),
        ] {
            target.refuses(signature);
        }
    }
    // A leading zero of r must stay: look for a signature that has one.
    let key = Key::seeded("ES256", "k");
    let stand = f.stand(&config(std::slice::from_ref(&key.jwk), &["ES256"]));
    let with_zero = (0..4096).find_map(|number| {
        let input = signing_input(key.header(""), f.with("n", number));
        let signature = key.sign(input.as_bytes());
        (signature[0] == 0).then_some((input, signature))
    });
    let (input, signature) = with_zero.unwrap();
    stand.accepts(over(input.clone(), |_| signature.clone()));
    stand.gives("bad_signature", over(input, |_| signature[1..].to_vec()));
}

pub(crate) fn sig_04_der_signatures(f: &Fixtures) {
    for alg in ECDSA {
        let target = Target::seeded(f, alg);
        let (r, s) = target.ecdsa();
        target.refuses(der::ecdsa_signature(&r, &s));
        // BER: a length in the long form, and numbers with more zeros than needed.
        let parts = [der::integer(&r), der::integer(&s)].concat();
        let long = [
            &[0x30, 0x82, 0][..],
            &[u8::try_from(parts.len()).unwrap()],
            parts.as_slice(),
        ];
        target.refuses(long.concat());
        let padded = |number: &Nat| der::value(2, &number.to_bytes(target.curve().size + 2));
        target.refuses(der::value(0x30, &[padded(&r), padded(&s)].concat()));
    }
}

pub(crate) fn sig_07_ed25519_malleability(f: &Fixtures) {
    let target = Target::new(f, f.key("K_ED"));
    let good = target.key.sign(target.input.as_bytes());
    let (r, s) = good.split_at(32);
    // RFC 8032 §5.1.7: S must be below the order of the group.
    let order = Nat::from_hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    let mut scalar = Nat::from_bytes(&reversed(s));
    for _ in 0..14 {
        scalar = scalar.plus(&order);
        target.refuses([r, &reversed(&scalar.to_bytes(32))].concat());
    }
    let not_canonical = [&[0xee], [0xff; 30].as_slice(), &[0x7f]].concat();
    for r in [
        vec![0xff; 32],
        not_canonical,
        vec![0; 32],
        [&[1], [0; 31].as_slice()].concat(),
    ] {
        target.refuses([r.as_slice(), s].concat());
        target.refuses([r.as_slice(), &[0; 32]].concat());
    }
    target.refuses(&good[..63]);
    target.refuses([good.as_slice(), &[0]].concat());
}

pub(crate) fn sig_09_pkcs1_encodings(f: &Fixtures) {
    let target = Target::new(f, f.key("K_RSA"));
    let key = target.key.rsa();
    let digest = Hash::Sha256.digest(target.input.as_bytes());
    let info = [Hash::Sha256.digest_info(), digest.clone()].concat();
    let right = key.pkcs1(1, &info);
    target.gives("accepted", key.raw(&right));
    // DigestInfo without the NULL of its parameters.
    let mut bare = vec![0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09];
    bare.extend([
        0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20,
    ]);
    let sha512 = [Hash::Sha512.digest_info(), digest.clone()].concat();
    let sha384 = Hash::Sha384.digest(target.input.as_bytes());
    let mut wrong = vec![
        key.pkcs1(1, &[bare, digest.clone()].concat()),
        key.pkcs1(0, &info),
        key.pkcs1(2, &info),
        key.pkcs1(1, &digest),
        key.pkcs1(1, &sha512),
        key.pkcs1(1, &[Hash::Sha384.digest_info(), sha384].concat()),
        key.pkcs1(1, &[info.as_slice(), &[0; 16]].concat()),
    ];
    // Short padding with garbage behind the hash.
    let padded = [&[0, 1], [0xff; 8].as_slice(), &[0], info.as_slice()].concat();
    let garbage = vec![0x5a; key.size - padded.len()];
    wrong.push([padded, garbage].concat());
    for position in [
        0,
        1,
        2,
        100,
        key.size - info.len() - 1,
        key.size - info.len(),
    ] {
        let mut changed = right.clone();
        changed[position] ^= 1;
        wrong.push(changed);
    }
    for encoded in wrong {
        // What is not below the modulus is no representative at all.
        if encoded[0] == 0 {
            target.refuses(key.raw(&encoded));
        }
    }
    bleichenbacher(f);
}

/// Bleichenbacher 2006: with e = 3 anybody can write a signature whose cube begins like a good
/// encoding and ends in garbage.
fn bleichenbacher(f: &Fixtures) {
    let key = RsaKey::seeded_with(b"sig-09", 3);
    let jwk = json!({
        "kty": "RSA", "kid": "k", "alg": "RS256", "e": "Aw",
        "n": b64u(key.modulus.value().to_bytes(key.size)),
    });
    let size = key.size;
    let secret = Secret::Rsa(Box::new(key));
    let target = Target::new(f, Key { jwk, secret });
    let digest = Hash::Sha256.digest(target.input.as_bytes());
    let head = [
        &[0, 1],
        [0xff; 8].as_slice(),
        &[0],
        &Hash::Sha256.digest_info(),
        &digest,
    ]
    .concat();
    let tail = vec![0xff; size - head.len()];
    let ceiling = Nat::from_bytes(&[head.as_slice(), &tail].concat());
    // The largest cube root not above the ceiling, bit by bit.
    let mut root = vec![0u8; size];
    for bit in 0..size * 8 {
        root[bit / 8] |= 0x80 >> (bit % 8);
        let number = Nat::from_bytes(&root);
        if number.bits() * 3 > ceiling.bits() + 3 || number.times(&number).times(&number) > ceiling
        {
            root[bit / 8] &= !(0x80 >> (bit % 8));
        }
    }
    let number = Nat::from_bytes(&root);
    let cube = number.times(&number).times(&number).to_bytes(size);
    assert_eq!(cube[..head.len()], head, "the forgery begins as it should");
    target.refuses(root);
}

pub(crate) fn sig_10_rsa_representatives_out_of_range(f: &Fixtures) {
    for alg in ["RS256", "PS256"] {
        let mut key = f.key("K_RSA");
        key.jwk["alg"] = alg.into();
        let target = Target::new(f, key);
        let n = target.key.rsa().modulus.value();
        let size = target.key.rsa().size;
        let good = target.key.sign(target.input.as_bytes());
        let one = Nat::small(1);
        for number in [Nat::ZERO, one.clone(), n.minus(&one), n.clone()] {
            target.refuses(number.to_bytes(size));
        }
        let beyond = Nat::from_bytes(&good).plus(n);
        target.refuses(beyond.to_bytes(beyond.bits().div_ceil(8).max(size)));
        for signature in [
            [&[0], good.as_slice()].concat(),
            good[1..].to_vec(),
            good[..size - 1].to_vec(),
            [good.as_slice(), &[0]].concat(),
            [good.as_slice(), good.as_slice()].concat(),
            vec![1],
            Vec::new(),
        ] {
            target.refuses(signature);
        }
    }
}

pub(crate) fn sig_11_pss_salt_and_mask(f: &Fixtures) {
    let mut key = f.key("K_RSA");
    key.jwk["alg"] = "PS256".into();
    let target = Target::new(f, key);
    let sign = |hash, mask, salt: usize| {
        let salt = vec![0x17; salt];
        target
            .key
            .rsa()
            .sign_pss(hash, mask, &salt, target.input.as_bytes())
    };
    let sha256 = Hash::Sha256;
    target.gives("accepted", sign(sha256, sha256, 32));
    for salt in [0, 20, 31, 33, 222] {
        target.refuses(sign(sha256, sha256, salt));
    }
    target.refuses(sign(sha256, Hash::Sha1, 32));
    target.refuses(sign(sha256, Hash::Sha512, 32));
    target.refuses(sign(Hash::Sha384, Hash::Sha384, 48));
    target.refuses(target.key.rsa().sign_pkcs1(sha256, target.input.as_bytes()));
}

pub(crate) fn sig_12_truncated_and_extended_macs(f: &Fixtures) {
    for (alg, size) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let mut key = f.key("K_OCT");
        key.jwk["alg"] = alg.into();
        let target = Target::new(f, key);
        let tag = target.key.sign(target.input.as_bytes());
        assert_eq!(tag.len(), size);
        for cut in [0, 1, 8, 16, size / 2, size - 1] {
            target.refuses(&tag[..cut]);
        }
        target.refuses([tag.as_slice(), &[0]].concat());
        target.refuses([tag.as_slice(), &tag].concat());
        target.refuses(vec![0; size]);
    }
}
