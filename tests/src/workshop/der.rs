//! The byte forms in which a public key lies about: DER, PEM, certificates, OpenSSH.

use super::hash::Hash;
use super::key::Key;
use super::number::Nat;

/// One DER value.
#[must_use]
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let size = content.len();
    let mut bytes = vec![tag];
    let long = size.to_be_bytes();
    let long = &long[long.iter().take_while(|byte| **byte == 0).count()..];
    if size < 0x80 {
        bytes.extend(u8::try_from(size));
    } else {
        bytes.push(0x80 | u8::try_from(long.len()).expect("at most 8"));
        bytes.extend(long);
    }
    bytes.extend(content);
    bytes
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(0x30, &parts.concat())
}

/// INTEGER.
#[must_use]
pub fn integer(number: &Nat) -> Vec<u8> {
    // One bit more than the number has, so that it is not negative.
    value(0x02, &number.to_bytes(number.bits() / 8 + 1))
}

fn bit_string(content: &[u8]) -> Vec<u8> {
    value(0x03, &[&[0], content].concat())
}

const RSA_ENCRYPTION: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
const SHA256_WITH_RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
const EC_P256: &[u8] =
    b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";

/// `ECDSA-Sig-Value` (RFC 3279 §2.2.3).
#[must_use]
pub fn ecdsa_signature(r: &Nat, s: &Nat) -> Vec<u8> {
    sequence(&[&integer(r), &integer(s)])
}

/// PKCS#1 `RSAPublicKey`.
#[must_use]
pub fn pkcs1(key: &Key) -> Vec<u8> {
    let number = |name| integer(&Nat::from_bytes(&key.octets(name)));
    sequence(&[&number("n"), &number("e")])
}

/// `SubjectPublicKeyInfo` of an RSA, P-256 or Ed25519 key.
#[must_use]
pub fn spki(key: &Key) -> Vec<u8> {
    let (algorithm, public) = match key.text("kty") {
        "RSA" => (RSA_ENCRYPTION, pkcs1(key)),
        "EC" => (EC_P256, point(key)),
        _ => (ED25519, key.octets("x")),
    };
    sequence(&[&sequence(&[algorithm]), &bit_string(&public)])
}

/// The uncompressed point of an EC key.
#[must_use]
pub fn point(key: &Key) -> Vec<u8> {
    [vec![4], key.octets("x"), key.octets("y")].concat()
}

/// A self-signed certificate of an RSA key.
#[must_use]
pub fn certificate(key: &Key) -> Vec<u8> {
    let name = sequence(&[&value(
        0x31,
        &sequence(&[b"\x06\x03\x55\x04\x03", &value(0x0c, b"as.example")]),
    )]);
    let validity = sequence(&[
        &value(0x17, b"240101000000Z"),
        &value(0x17, b"490101000000Z"),
    ]);
    let algorithm = sequence(&[SHA256_WITH_RSA]);
    let body = sequence(&[
        &value(0xa0, &integer(&Nat::small(2))),
        &integer(&Nat::small(1)),
        &algorithm,
        &name,
        &validity,
        &name,
        &spki(key),
    ]);
    let signature = key.rsa().sign_pkcs1(Hash::Sha256, &body);
    sequence(&[&body, &algorithm, &bit_string(&signature)])
}

/// PEM with lines of 64 characters that end in `end`.
#[must_use]
pub fn pem(label: &str, der: &[u8], end: &str) -> String {
    let text = base64(der);
    let lines = text.as_bytes().chunks(64);
    let lines = lines.map(|line| String::from_utf8_lossy(line).into_owned() + end);
    let lines: String = lines.collect();
    format!("-----BEGIN {label}-----{end}{lines}-----END {label}-----{end}")
}

/// base64 with padding (RFC 4648 §4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    let mut text = super::b64u(bytes).replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// An OpenSSH public key line (RFC 4253 §6.6) of an RSA, P-256 or Ed25519 key.
#[must_use]
pub fn open_ssh(key: &Key) -> String {
    let text = |bytes: &[u8]| {
        let size = u32::try_from(bytes.len()).expect("short").to_be_bytes();
        [size.as_slice(), bytes].concat()
    };
    let mpint = |name| {
        let number = Nat::from_bytes(&key.octets(name));
        text(&number.to_bytes(number.bits() / 8 + 1))
    };
    let (kind, parts) = match key.text("kty") {
        "RSA" => ("ssh-rsa", [mpint("e"), mpint("n")].concat()),
        "EC" => (
            "ecdsa-sha2-nistp256",
            [text(b"nistp256"), text(&point(key))].concat(),
        ),
        _ => ("ssh-ed25519", text(&key.octets("x"))),
    };
    let blob = [text(kind.as_bytes()), parts].concat();
    format!("{kind} {}", base64(&blob))
}
