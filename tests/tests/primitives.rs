//! Wycheproof's vectors for each algorithm of the table, through the public API, under every
//! provider: what is labelled valid is accepted, all else refused, and what a provider lacks is an
//! error when the key is loaded.
//!
//! Counts are asserted, so that a file that is not run fails.

use sealgate::crypto::{self, CryptoProvider, SignatureJob, Signed, VerificationKey};
use sealgate::jwa::{Algorithm, Curve};
use sealgate::jwk::{Jwk, KeyError};
use sealgate_tests::workshop::b64u;
use wycheproof::{HashFunction, TestResult, ecdsa, eddsa, mac, mldsa_verify};
use wycheproof::{rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

struct Pair<'a> {
    message: &'a [u8],
    signature: &'a [u8],
}

impl Signed for Pair<'_> {
    fn message(&self) -> &[u8] {
        self.message
    }

    fn signature(&self) -> &[u8] {
        self.signature
    }
}

struct Case {
    id: usize,
    comment: String,
    message: Vec<u8>,
    signature: Vec<u8>,
    good: bool,
}

struct Group {
    key: Result<Jwk, KeyError>,
    /// Whether the key itself may be used.
    loads: bool,
    cases: Vec<Case>,
}

/// Signatures accepted, refused, and never looked at because their key does not load.
#[derive(Debug, Default, PartialEq)]
struct Count {
    accepted: usize,
    refused: usize,
    unloaded: usize,
}

const fn count(accepted: usize, refused: usize, unloaded: usize) -> Count {
    Count {
        accepted,
        refused,
        unloaded,
    }
}

fn verifies(
    provider: &CryptoProvider,
    key: &VerificationKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let pair = Pair { message, signature };
    provider.verify(SignatureJob::new(key, pair)).is_some()
}

/// A case that RFC 7518 lets pass only when it is labelled valid: "acceptable" is Wycheproof's word
/// for encodings that some protocols allow and JOSE does not.
macro_rules! case {
    ($test:expr, $message:expr, $signature:expr, $more:expr) => {
        Case {
            id: $test.tc_id,
            comment: $test.comment.clone(),
            message: $message.to_vec(),
            signature: $signature.to_vec(),
            good: $test.result == TestResult::Valid && $more,
        }
    };
}

/// Runs the groups of one file. A provider without the algorithm refuses each key when it loads.
fn run(provider: &CryptoProvider, algorithm: Algorithm, groups: Vec<Group>) -> Count {
    let mut count = Count::default();
    for group in groups {
        let first = group.cases.first().map(|case| case.id);
        let key = group.key.and_then(|jwk| {
            let again = Jwk::parse(jwk.to_json().as_bytes())?;
            assert_eq!(again.thumbprint_input(), jwk.thumbprint_input());
            (provider.load)(&jwk, algorithm)
        });
        if !provider.algorithms.contains(algorithm) {
            let code = key.unwrap_err().code().as_str();
            let expected = if group.loads {
                "alg_not_allowed"
            } else {
                "weak_key"
            };
            assert_eq!(code, expected, "group of {first:?}");
            count.unloaded += group.cases.len();
            continue;
        }
        let key = match key {
            Ok(key) => key,
            Err(error) => {
                assert!(!group.loads, "group of {first:?}: {error}");
                assert_eq!(error.code().as_str(), "weak_key", "group of {first:?}");
                assert!(group.cases.iter().all(|case| !case.good), "{first:?}");
                count.unloaded += group.cases.len();
                continue;
            }
        };
        assert!(group.loads, "the key of the group of {first:?} loads");
        for case in group.cases {
            let given = verifies(provider, &key, &case.message, &case.signature);
            assert_eq!(
                given, case.good,
                "{algorithm}, tcId {} {}",
                case.id, case.comment
            );
            if given {
                count.accepted += 1;
            } else {
                count.refused += 1;
            }
        }
    }
    count
}

fn ecdsa(provider: &CryptoProvider, name: ecdsa::TestName, algorithm: Algorithm) -> Count {
    let set = ecdsa::TestSet::load(name).unwrap();
    let groups = set.test_groups.into_iter().map(|group| Group {
        key: Jwk::from_der(&group.der),
        loads: true,
        cases: group
            .tests
            .iter()
            .map(|test| case!(test, test.msg, test.sig, true))
            .collect(),
    });
    run(provider, algorithm, groups.collect())
}

fn ed25519(provider: &CryptoProvider) -> Count {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let groups = set.test_groups.into_iter().map(|group| Group {
        key: Jwk::from_der(&group.der),
        loads: true,
        cases: group
            .tests
            .iter()
            .map(|test| case!(test, test.msg, test.sig, true))
            .collect(),
    });
    run(provider, Algorithm::Ed25519, groups.collect())
}

fn rsa_pkcs1(provider: &CryptoProvider, name: pkcs1::TestName, algorithm: Algorithm) -> Count {
    let set = pkcs1::TestSet::load(name).unwrap();
    let groups = set.test_groups.into_iter().map(|group| Group {
        key: Jwk::from_der(&group.der),
        loads: true,
        cases: group
            .tests
            .iter()
            .map(|test| case!(test, test.msg, test.sig, true))
            .collect(),
    });
    run(provider, algorithm, groups.collect())
}

/// ALG-08: PSxxx fixes the hash of the mask and the length of the salt. A signature with others is
/// refused however valid it is, and so is a key whose parameters ask for others.
fn rsa_pss(provider: &CryptoProvider, name: pss::TestName) -> Count {
    let mut sum = Count::default();
    for group in pss::TestSet::load(name).unwrap().test_groups {
        let (algorithm, size) = match group.hash {
            HashFunction::Sha2_256 => (Algorithm::Ps256, 32),
            HashFunction::Sha2_384 => (Algorithm::Ps384, 48),
            HashFunction::Sha2_512 => (Algorithm::Ps512, 64),
            _ => (Algorithm::Ps256, usize::MAX),
        };
        let fits = group.salt_size == size && group.mgf_hash == Some(group.hash);
        // RFC 4055 §1.2: id-RSASSA-PSS with its parameters.
        let bound = group
            .der
            .windows(11)
            .any(|window| window == [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]);
        let key = Jwk::from_der(&group.der);
        let cases: Vec<_> = group
            .tests
            .iter()
            .map(|test| {
                // In a file for another salt, the vector that strays from it to ours.
                let strays = test.comment == format!("s_len changed to {size}");
                let ours = strays && group.mgf_hash == Some(group.hash);
                let mut case = case!(test, test.msg, test.sig, fits);
                case.good |= ours;
                case
            })
            .collect();
        // The salt of the parameters is the least, and a signature's is always the hash's.
        let loads = group.mgf_hash == Some(group.hash) && group.salt_size <= size;
        if bound && !(loads && size != usize::MAX) {
            assert_eq!(key.unwrap_err().code().as_str(), "alg_not_allowed");
            sum.unloaded += cases.len();
            continue;
        }
        if bound {
            let jwk = key.as_ref().unwrap();
            assert_eq!(jwk.algorithm(), Some(algorithm));
            assert!((provider.load)(jwk, Algorithm::Rs256).is_err());
        }
        let group = Group {
            key,
            loads: true,
            cases,
        };
        let part = run(provider, algorithm, vec![group]);
        sum.accepted += part.accepted;
        sum.refused += part.refused;
        sum.unloaded += part.unloaded;
    }
    sum
}

/// RFC 7518 §3.2: the whole MAC, and a key as long as the hash.
fn hmac(provider: &CryptoProvider, name: mac::TestName, algorithm: Algorithm) -> Count {
    let mut groups = Vec::new();
    for group in mac::TestSet::load(name).unwrap().test_groups {
        let whole = group.tag_size == algorithm.hash_bits();
        for test in group.tests {
            let name = algorithm.name();
            let jwk = format!(
                r#"{{"kty":"oct","alg":"{name}","k":"{}"}}"#,
                b64u(&test.key)
            );
            groups.push(Group {
                key: Jwk::parse(jwk.as_bytes()),
                loads: test.key.len() * 8 >= algorithm.hash_bits(),
                cases: vec![case!(
                    test,
                    test.msg,
                    test.tag,
                    whole && test.key.len() * 8 >= algorithm.hash_bits()
                )],
            });
        }
    }
    run(provider, algorithm, groups)
}

/// RFC 9964: the context is empty, so a signature under another is none.
fn ml_dsa(provider: &CryptoProvider, name: mldsa_verify::TestName, algorithm: Algorithm) -> Count {
    let set = mldsa_verify::TestSet::load(name).unwrap();
    let groups = set.test_groups.into_iter().map(|group| {
        let jwk = format!(
            r#"{{"kty":"AKP","alg":"{algorithm}","pub":"{}"}}"#,
            b64u(&group.pubkey)
        );
        let key = Jwk::parse(jwk.as_bytes());
        if let (Ok(jwk), Ok(der)) = (&key, Jwk::from_der(&group.der)) {
            assert_eq!(jwk.thumbprint_input(), der.thumbprint_input());
        }
        Group {
            key,
            loads: Some(group.pubkey.len()) == algorithm.public_size(),
            cases: group
                .tests
                .iter()
                .map(|test| {
                    let empty = test.ctx.as_ref().is_none_or(|context| context.is_empty());
                    case!(test, test.msg, test.sig, empty)
                })
                .collect(),
        }
    });
    run(provider, algorithm, groups.collect())
}

/// The first valid vector of a P1363 file: key, message, signature.
fn good(name: ecdsa::TestName) -> (Jwk, Vec<u8>, Vec<u8>) {
    let set = ecdsa::TestSet::load(name).unwrap();
    let group = &set.test_groups[0];
    let valid = |test: &&ecdsa::Test| test.result == TestResult::Valid;
    let test = group.tests.iter().find(valid).unwrap();
    let jwk = Jwk::from_der(&group.der).unwrap();
    (jwk, test.msg.to_vec(), test.sig.to_vec())
}

const CURVES: [(ecdsa::TestName, Curve); 4] = [
    (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Curve::P256),
    (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Curve::P384),
    (ecdsa::TestName::EcdsaSecp521r1Sha512P1363, Curve::P521),
    (ecdsa::TestName::EcdsaSecp256k1Sha256P1363, Curve::Secp256k1),
];

/// ALG-06, CVE-2022-21449: every combination of zero and the order in r and s, and every length but
/// the right one.
fn degenerate_signatures(provider: &CryptoProvider) {
    for (name, curve) in CURVES {
        if !provider.algorithms.contains(curve.algorithm()) {
            continue;
        }
        let (jwk, message, signature) = good(name);
        let key = (provider.load)(&jwk, curve.algorithm()).unwrap();
        assert!(verifies(provider, &key, &message, &signature));
        let size = curve.coordinate_size();
        let (r, s) = signature.split_at(size);
        let (zeros, ones) = (vec![0; size], vec![0xff; size]);
        for [r, s] in [
            [&zeros[..], &zeros],
            [r, &zeros],
            [&zeros, s],
            [&ones, s],
            [r, &ones],
        ] {
            assert!(!verifies(provider, &key, &message, &[r, s].concat()));
        }
        for wrong in [&signature[1..], &signature[..2 * size - 1], &[]] {
            assert!(!verifies(provider, &key, &message, wrong));
        }
        for wrong in [
            [&[0], &signature[..]].concat(),
            [&signature[..], &[0]].concat(),
        ] {
            assert!(!verifies(provider, &key, &message, &wrong));
        }
    }
}

macro_rules! suite {
    ($provider:ident, [$es512:expr, $es256k:expr], $ml_dsa:expr) => {
        mod $provider {
            use super::*;

            fn provider() -> CryptoProvider {
                crypto::$provider::provider()
            }

            #[test]
            fn ecdsa_p1363() {
                let expected = [count(173, 89, 0), count(193, 87, 0), $es512, $es256k];
                for ((name, curve), expected) in CURVES.into_iter().zip(expected) {
                    let given = ecdsa(&provider(), name, curve.algorithm());
                    assert_eq!(given, expected, "{name:?}");
                }
            }

            #[test]
            fn ed25519_of_rfc_8032() {
                assert_eq!(ed25519(&provider()), count(88, 63, 0));
            }

            #[test]
            fn rsassa_pkcs1_v1_5() {
                for (name, algorithm, expected) in PKCS1 {
                    let given = rsa_pkcs1(&provider(), name, algorithm);
                    assert_eq!(given, expected, "{name:?}");
                }
            }

            #[test]
            fn alg_08_rsassa_pss() {
                for (name, expected) in PSS {
                    assert_eq!(rsa_pss(&provider(), name), expected, "{name:?}");
                }
            }

            #[test]
            fn hmac_whole_tags_only() {
                for (name, algorithm) in [
                    (mac::TestName::HmacSha256, Algorithm::Hs256),
                    (mac::TestName::HmacSha384, Algorithm::Hs384),
                    (mac::TestName::HmacSha512, Algorithm::Hs512),
                ] {
                    assert_eq!(hmac(&provider(), name, algorithm), HMAC, "{name:?}");
                }
            }

            #[test]
            fn ml_dsa_with_empty_context() {
                for ((name, algorithm), expected) in [
                    (mldsa_verify::TestName::MlDsa44Verify, Algorithm::MlDsa44),
                    (mldsa_verify::TestName::MlDsa65Verify, Algorithm::MlDsa65),
                    (mldsa_verify::TestName::MlDsa87Verify, Algorithm::MlDsa87),
                ]
                .into_iter()
                .zip($ml_dsa)
                {
                    assert_eq!(ml_dsa(&provider(), name, algorithm), expected, "{name:?}");
                }
            }

            #[test]
            fn alg_06_degenerate_signatures() {
                degenerate_signatures(&provider());
            }
        }
    };
}

/// The one "acceptable" of each file, a DigestInfo without NULL, is refused (RFC 8017 §9.2).
const PKCS1: [(pkcs1::TestName, Algorithm, Count); 12] = [
    (
        pkcs1::TestName::Rsa2048Sha256,
        Algorithm::Rs256,
        count(9, 250, 0),
    ),
    (
        pkcs1::TestName::Rsa2048Sha384,
        Algorithm::Rs384,
        count(7, 251, 0),
    ),
    (
        pkcs1::TestName::Rsa2048Sha512,
        Algorithm::Rs512,
        count(8, 251, 0),
    ),
    (
        pkcs1::TestName::Rsa3072Sha256,
        Algorithm::Rs256,
        count(8, 251, 0),
    ),
    (
        pkcs1::TestName::Rsa3072Sha384,
        Algorithm::Rs384,
        count(7, 252, 0),
    ),
    (
        pkcs1::TestName::Rsa3072Sha512,
        Algorithm::Rs512,
        count(8, 252, 0),
    ),
    (
        pkcs1::TestName::Rsa4096Sha256,
        Algorithm::Rs256,
        count(7, 251, 0),
    ),
    (
        pkcs1::TestName::Rsa4096Sha384,
        Algorithm::Rs384,
        count(7, 252, 0),
    ),
    (
        pkcs1::TestName::Rsa4096Sha512,
        Algorithm::Rs512,
        count(7, 252, 0),
    ),
    (
        pkcs1::TestName::Rsa8192Sha256,
        Algorithm::Rs256,
        count(7, 251, 0),
    ),
    (
        pkcs1::TestName::Rsa8192Sha384,
        Algorithm::Rs384,
        count(7, 252, 0),
    ),
    (
        pkcs1::TestName::Rsa8192Sha512,
        Algorithm::Rs512,
        count(7, 252, 0),
    ),
];

/// Salts of 0, 20 and 32 octets where the hash has more, and masks by another hash, are refused.
/// Each of the last files holds a few vectors with our parameters among its others.
const PSS: [(pss::TestName, Count); 17] = [
    (
        pss::TestName::RsaPss2048Sha256Mgf1SaltLen32,
        count(63, 45, 0),
    ),
    (
        pss::TestName::RsaPss2048Sha256Mgf1SaltLen32WithParams,
        count(63, 45, 0),
    ),
    (
        pss::TestName::RsaPss2048Sha384Mgf1SaltLen48,
        count(95, 46, 0),
    ),
    (
        pss::TestName::RsaPss3072Sha256Mgf1SaltLen32,
        count(63, 45, 0),
    ),
    (
        pss::TestName::RsaPss3072Sha256Mgf1SaltLen32WithParams,
        count(63, 45, 0),
    ),
    (
        pss::TestName::RsaPss4096Sha256Mgf1SaltLen32,
        count(63, 45, 0),
    ),
    (
        pss::TestName::RsaPss4096Sha384Mgf1SaltLen48,
        count(95, 46, 0),
    ),
    (
        pss::TestName::RsaPss4096Sha512Mgf1SaltLen64,
        count(132, 47, 0),
    ),
    (
        pss::TestName::RsaPss4096Sha512Mgf1SaltLen64WithParams,
        count(132, 47, 0),
    ),
    (
        pss::TestName::RsaPss2048Sha256Mgf1SaltLen0,
        count(1, 102, 0),
    ),
    (
        pss::TestName::RsaPss2048Sha256Mgf1SaltLen0WithParams,
        count(1, 102, 0),
    ),
    (pss::TestName::RsaPss2048Sha256Mgf1Sha1_20, count(0, 108, 0)),
    (
        pss::TestName::RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams,
        count(0, 0, 178),
    ),
    (
        pss::TestName::RsaPss4096Sha512Mgf1SaltLen32,
        count(0, 177, 0),
    ),
    (
        pss::TestName::RsaPss4096Sha512Mgf1SaltLen32WithParams,
        count(0, 177, 0),
    ),
    (pss::TestName::RsaPssmisc, count(3, 147, 0)),
    (pss::TestName::RsaPssmiscWithParams, count(3, 12, 135)),
];

/// Keys shorter than the hash do not load; half tags are refused.
const HMAC: Count = count(30, 138, 6);

suite!(
    aws_lc,
    [count(231, 87, 0), count(167, 85, 0)],
    [count(75, 101, 4), count(77, 129, 4), count(69, 168, 4)]
);
suite!(
    ring,
    [count(0, 0, 318), count(0, 0, 252)],
    [count(0, 0, 180), count(0, 0, 210), count(0, 0, 241)]
);
