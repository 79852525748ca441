//! DPoP requests whose proofs are new each time, and who remembers them: the program, which is
//! asked nothing here; this process; or a table that all processes of the host share.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use sealgate::crypto::SigningKey;
use sealgate::jwa::Algorithm;
use sealgate::mint::{ClaimsBuilder, DpopProver, Minter};
use sealgate::{
    Clock, FixedClock, Format, Gate, NumericDate, Policy, ReplayAnswer, Request, Requirements,
    Span, Verifier,
};

use crate::scratch::Scratch;
use crate::tokens::{self, AUDIENCE, ISSUER, encode, now};
use crate::{Case, always_yes};

/// How long a proof could be used again, here: a minute, and leeway.
const LIFE: Duration = Duration::from_secs(90);

/// Requests after which a table of 128 MiB has no page that was never touched.
const TOUCHES: usize = 100_000;

/// Who remembers used proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    Program,
    Process,
    Host,
}

/// Requests that come at one pace, so that the number of proofs that are remembered stays.
struct Stream {
    gate: Gate,
    memory: Memory,
    clock: Arc<FixedClock>,
    pace: Span,
    authorization: String,
    header: String,
    claims: String,
    sent: u64,
    /// Where the host's table is.
    _scratch: Scratch,
}

/// A whole request before a provider that says yes: nobody remembers its proof; the process does,
/// and the host, each among few others and among so many.
///
/// # Panics
///
/// When a request is refused.
#[must_use]
pub fn cases(entries: usize) -> Vec<Case> {
    let case = |memory, name: &str, others: usize| {
        let mut stream = Stream::new(memory, others);
        // Until as many have come as are remembered, the first have ended, and every page of a
        // table was touched: the first touch of one costs more than everything else.
        (0..(others + others / 8).max(TOUCHES)).for_each(|_| stream.next());
        Case::new(name, move || stream.next())
    };
    let few = 1_000;
    vec![
        case(Memory::Program, "the program", few),
        case(Memory::Process, "the process, few", few),
        case(Memory::Process, "the process, many", entries),
        case(Memory::Host, "the host, few", few),
        case(Memory::Host, "the host, many", entries),
    ]
}

impl Stream {
    /// With so many proofs alive at a time.
    fn new(memory: Memory, alive: usize) -> Self {
        let clock = Arc::new(FixedClock::new(now()));
        let scratch = Scratch::new();
        let folder = scratch.path();
        let issuer = tokens::key(Algorithm::Es256);
        let store = match memory {
            Memory::Program => "external",
            Memory::Process => "process",
            Memory::Host => "host",
        };
        let policy = format!(
            r#"{{"version":1,"preset":"rfc","stores":{{"host":{{"kind":"file","path":{folder:?}}}}},
                "issuers":{{"corp":{{"issuer":"{ISSUER}","algorithms":["ES256"],"jwks_push":"process"}}}},
                "gates":{{"tools":{{"profile":"access_token","audience":"{AUDIENCE}",
                    "issuers":["corp"],"delegation":"surface","public_url":"https://api.example.com"}}}},
                "dpop":{{"max_age":"60s"}},"replay":{{"store":"{store}"}}}}"#
        );
        let policy = Policy::parse(policy, Format::Json).expect("a policy");
        let provider = always_yes::provider_with(sha256);
        let verifier = Verifier::with_clock(policy, provider, Clock::Fixed(Arc::clone(&clock)));
        let verifier = verifier.expect("a verifier");
        tokens::publish(&verifier, &issuer);
        let client = SigningKey::from_seed(Algorithm::Es256, &[9; 32]).expect("a key");
        let jwk = client.verifying_jwk().to_json();
        let prover = DpopProver::new(client).expect("a public key");
        let claims = ClaimsBuilder::new()
            .issuer(ISSUER)
            .subject("user-00000001")
            .client_id("agent-runner-eu-1")
            .audience([AUDIENCE])
            .jwt_id("8d41c2f6-9c05-4b6a-8e17-000000000001")
            .scope("mcp:use files.read files.write")
            .lifetime(
                NumericDate::from_seconds(now()).expect("now"),
                Span::from_seconds(23 * 3600),
            )
            .bound_to(&prover.thumbprint());
        let token = Minter::new(issuer).with_typ("at+jwt").mint(&claims);
        let token = token.expect("a token");
        let ath = encode(&sha256(token.as_bytes()));
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#);
        let alive = u32::try_from(alive).expect("a count");
        Self {
            gate: verifier.gate("tools").expect("the gate"),
            memory,
            clock,
            pace: (LIFE / alive).into(),
            authorization: format!("DPoP {token}"),
            header: encode(header.as_bytes()),
            claims: format!(r#"{{"htm":"POST","htu":"{AUDIENCE}","ath":"{ath}""#),
            sent: 0,
            _scratch: scratch,
        }
    }

    fn next(&mut self) {
        self.clock.advance(self.pace);
        self.sent += 1;
        let (iat, jti) = (self.clock.now().seconds(), self.sent);
        let claims = format!(r#"{},"iat":{iat},"jti":"{jti:032}"}}"#, self.claims);
        let claims = encode(claims.as_bytes());
        let signature = encode(&[1; 64]);
        let proof = format!("{}.{claims}.{signature}", self.header);
        let request = Request::new("POST", "/mcp")
            .header("host", "api.example.com")
            .header("authorization", &self.authorization)
            .header("dpop", &proof);
        let verdict = if self.memory == Memory::Program {
            let pending = self.gate.prepare(&request, &Requirements::NONE);
            pending.and_then(|pending| pending.commit(ReplayAnswer::Fresh))
        } else {
            self.gate.verify_request(&request, &Requirements::NONE)
        };
        black_box(verdict.expect("a proof that was not used before"));
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest(&SHA256, bytes);
    digest.as_ref().try_into().expect("32 bytes")
}
