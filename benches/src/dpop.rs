//! A DPoP request: a bound access token that is seen again and again, with a fresh proof each time
//! (RFC 9449 §7). Beside it, what nobody can do without: one verification under a key that came
//! with the proof, and so is parsed anew.

use std::hint::black_box;
use std::rc::Rc;

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use sealgate::crypto::{SigningKey, aws_lc};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{JwkSet, KeyMaterial};
use sealgate::mint::{ClaimsBuilder, DpopProof, DpopProver, Minter};
use sealgate::{Clock, Format, NumericDate, Policy, Request, Requirements, Span, Verifier};

use crate::Case;
use crate::tokens::now;

/// Requests that are made before the clock starts: a proof is used once.
const REQUESTS: usize = 20_000;

/// Where the requests go.
pub const URL: &str = "https://api.example.com/mcp";

/// A token and the proofs that come with it.
#[derive(Debug)]
pub struct Requests {
    /// The client's key.
    pub client: SigningKey,
    /// The issuer's key.
    issuer: SigningKey,
    /// The bound access token.
    pub token: String,
    /// One proof a request.
    pub proofs: Vec<String>,
    /// Their signatures as decoded.
    signatures: Vec<Vec<u8>>,
}

impl Requests {
    /// Requests of a client whose key is of this algorithm.
    ///
    /// # Panics
    ///
    /// When AWS-LC does not sign.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Rc<Self> {
        let client = SigningKey::from_seed(algorithm, &[9; 32]).expect("a key");
        let prover = SigningKey::from_seed(algorithm, &[9; 32]).expect("a key");
        let prover = DpopProver::new(prover).expect("a public key");
        let issuer = || {
            let key = SigningKey::from_seed(Algorithm::Es256, &[7; 32]);
            key.expect("a key").with_kid("k1")
        };
        let moment = NumericDate::from_seconds(now()).expect("now");
        let claims = ClaimsBuilder::new()
            .issuer("https://login.example.com")
            .subject("user-00000001")
            .client_id("agent-runner-eu-1")
            .audience([URL])
            .jwt_id("8d41c2f6-9c05-4b6a-8e17-000000000001")
            .scope("mcp:use files.read files.write")
            .lifetime(moment, Span::from_seconds(3600))
            .actor("https://agents.example.com", "agents/researcher-7")
            .bound_to(&prover.thumbprint());
        let minter = Minter::new(issuer()).with_typ("at+jwt");
        let token = minter.mint(&claims).expect("a token");
        let proof = DpopProof::new("POST", URL, moment).for_token(&token);
        let proofs = (0..REQUESTS).map(|_| prover.prove(&proof).expect("a proof"));
        let proofs: Vec<String> = proofs.collect();
        let signatures = proofs.iter().map(|proof| {
            let (_, signature) = proof.rsplit_once('.').expect("three segments");
            decode(signature)
        });
        Rc::new(Self {
            client,
            issuer: issuer(),
            signatures: signatures.collect(),
            proofs,
            token,
        })
    }

    /// Calls `run` with one proof after another.
    fn in_turn(self: &Rc<Self>, mut run: impl FnMut(&str) + 'static) -> impl FnMut() + 'static {
        let (all, mut turn) = (Rc::clone(self), 0);
        move || {
            let proof = all.proofs.get(turn).expect("more proofs than calls");
            turn += 1;
            run(proof);
        }
    }
}

/// base64url without padding.
fn decode(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
        }
    }
    bytes
}

/// The signature alone, under a key of bytes.
fn raw(requests: &Rc<Requests>) -> Case {
    let key = requests.client.verifying_jwk();
    let (algorithm, bytes): (&'static dyn VerificationAlgorithm, Vec<u8>) = match key.material() {
        KeyMaterial::Ec { x, y, .. } => (
            &signature::ECDSA_P256_SHA256_FIXED,
            [&[4], x.as_slice(), y.as_slice()].concat(),
        ),
        KeyMaterial::Okp { x, .. } => (&signature::ED25519, x.clone()),
        _ => unreachable!("a kind of key that is not timed"),
    };
    let (all, mut turn) = (Rc::clone(requests), 0);
    Case::new("raw, unparsed key", move || {
        turn = (turn + 1) % all.proofs.len();
        let (proof, signature) = (&all.proofs[turn], &all.signatures[turn]);
        let input = proof.rsplit_once('.').map_or("", |(input, _)| input);
        let key = UnparsedPublicKey::new(algorithm, black_box(&bytes));
        let good = key.verify(black_box(input.as_bytes()), black_box(signature));
        assert!(good.is_ok(), "a good signature");
    })
}

/// A whole request: fields, cached token, proof, replay.
fn sealgate(requests: &Rc<Requests>) -> Case {
    let document = r#"{"version":1,
        "issuers":{"corp":{"issuer":"https://login.example.com","algorithms":["ES256"],
                           "jwks_push":"process"}},
        "gates":{"tools":{"profile":"access_token","audience":"https://api.example.com/mcp",
                          "issuers":["corp"],"delegation":"surface",
                          "public_url":"https://api.example.com"}},
        "dpop":{},"replay":{"store":"process"}}"#;
    let policy = Policy::parse(document, Format::Json).expect("a policy");
    // The proofs stay young, however long the benches take.
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(now()));
    let verifier = verifier.expect("a verifier");
    let set: JwkSet = [requests.issuer.verifying_jwk().clone()]
        .into_iter()
        .collect();
    verifier.keys().publish("corp", &set).expect("published");
    let gate = verifier.gate("tools").expect("the gate");
    let authorization = format!("DPoP {}", requests.token);
    let run = requests.in_turn(move |proof| {
        let request = Request::new("POST", "/mcp")
            .header("host", "api.example.com")
            .header("authorization", black_box(&authorization))
            .header("dpop", black_box(proof))
            .header("content-type", "application/json");
        let verified = gate.verify_request(&request, &Requirements::NONE);
        black_box(verified.expect("a good request"));
    });
    Case::new("sealgate, whole request", run)
}

/// A further contestant.
pub type Peer = fn(&Rc<Requests>) -> Case;

/// The contestants over one algorithm; the raw primitive is the first.
#[must_use]
pub fn cases(algorithm: Algorithm, peers: &[Peer]) -> Vec<Case> {
    let requests = Requests::new(algorithm);
    let ours = [raw(&requests), sealgate(&requests)];
    let peers = peers.iter().map(|peer| peer(&requests));
    ours.into_iter().chain(peers).collect()
}
