//! `sealgate prove`: a request with the proof that its token's key is held, for a test.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use sealgate::crypto::{SigningKey, aws_lc};
use sealgate::jwk::KeyError;
use sealgate::mint::{DpopProof, DpopProver, Minter};
use sealgate::{Clock, Kind, NumericDate};
use serde_json::{Value, json};

use crate::failure::{ACCEPTED, Failure};
use crate::http::{self, Capabilities, Message};
use crate::input;
use crate::jwks::{random_id, read_private};
use crate::needs::OperationArguments;
use crate::request::parse_further;
use crate::text::parse_time;

/// Options of `prove`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// How possession is proven, as verdicts name it.
    #[arg(long, value_enum, default_value = "dpop")]
    kind: How,
    /// Private key that the token is bound to: a JWK, the first key of a JWK Set, or PKCS#8 PEM.
    #[arg(long, value_name = "FILE")]
    key: String,
    /// Where the request goes: a whole URL.
    #[arg(long)]
    url: String,
    /// The method of the request.
    #[arg(long, default_value = "POST")]
    method: String,
    /// What the server is called in a proof that is for a server and not for one URL: its
    /// public_url; by default scheme and host of --url.
    #[arg(long, value_name = "URL")]
    aud: Option<String>,
    /// The nonce that the server gave (DPoP).
    #[arg(long)]
    nonce: Option<String>,
    /// A further field of the request, or @FILE with one a line; a workload's proof covers the
    /// tokens in Authorization and Txn-Token.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    header: Vec<String>,
    #[command(flatten)]
    operation: OperationArguments,
    /// A capability that the token was derived from: `capability=parent.txt`, the root first; may
    /// be repeated.
    #[arg(long = "with", value_name = "KIND=FILE", value_parser = parse_further)]
    further: Vec<(Kind, String)>,
    /// Made at this time: seconds since 1970, or 2027-01-15T08:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_negative_numbers = true)]
    now: Option<NumericDate>,
    /// `jti` of the proof; random by default.
    #[arg(long)]
    jti: Option<String>,
    /// The token; `-` or nothing is standard input.
    file: Option<String>,
}

/// How possession is proven.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum How {
    /// By a DPoP proof beside an access token (RFC 9449).
    Dpop,
    /// By a workload proof token beside a workload identity token (WIMSE).
    Wpt,
    /// By an attested client's instance beside its attestation.
    ClientAttestationPop,
    /// By the holder of a capability, for one call of one tool.
    CapabilityPop,
}

/// Seconds that a workload's proof may be used for.
const LIFETIME: i64 = 60;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let key = read_private(&arguments.key)?.into_iter().next();
    let key = key.ok_or_else(|| Failure::Usage(format!("{}: no key", arguments.key)))?;
    let (origin, target) = split(&arguments.url)?;
    let token = String::from_utf8(input::one(arguments.file.as_deref())?);
    let token = token.map_err(|_| Failure::usage("the token is not text"))?;
    let host = origin.split("://").nth(1).unwrap_or_default();
    let mut fields = vec![("Host".to_owned(), host.as_bytes().to_vec())];
    fields.extend(http::fields(&arguments.header)?);
    let call = Call {
        arguments,
        key,
        token,
        now: arguments.now.unwrap_or_else(|| Clock::System.now()),
        jti: match &arguments.jti {
            Some(jti) => jti.clone(),
            None => random_id()?,
        },
        aud: arguments.aud.as_deref().unwrap_or(origin),
        message: Message {
            method: arguments.method.clone(),
            target: target.to_owned(),
            fields,
            capabilities: None,
        },
    };
    let message = match arguments.kind {
        How::Dpop => call.dpop()?,
        How::Wpt => call.workload()?,
        How::ClientAttestationPop => call.client()?,
        How::CapabilityPop => call.capability()?,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    message.write(&mut out)?;
    out.flush()?;
    Ok(ExitCode::from(ACCEPTED))
}

/// Everything that a proof may speak of.
struct Call<'a> {
    arguments: &'a Arguments,
    key: SigningKey,
    token: String,
    now: NumericDate,
    jti: String,
    aud: &'a str,
    message: Message,
}

impl Call<'_> {
    fn dpop(self) -> Result<Message, Failure> {
        let Self {
            arguments,
            mut message,
            ..
        } = self;
        let prover = DpopProver::new(self.key).map_err(refuse)?;
        let proof = DpopProof::new(&arguments.method, &arguments.url, self.now)
            .for_token(&self.token)
            .with_jwt_id(&self.jti);
        let proof = match &arguments.nonce {
            Some(nonce) => proof.with_nonce(nonce),
            None => proof,
        };
        let proof = prover.prove(&proof).map_err(refuse)?;
        message.fields.push(("DPoP".to_owned(), proof.into_bytes()));
        message.authorize(self.token.as_bytes())?;
        Ok(message)
    }

    fn workload(self) -> Result<Message, Failure> {
        let url = self.arguments.url.split(['?', '#']).next();
        let mut claims = json!({
            "aud": url, "exp": self.now.seconds() + LIFETIME, "jti": self.jti,
            "wth": hash(self.token.as_bytes()),
        });
        let credentials = self.message.field("authorization");
        let access = credentials.and_then(|value| value.splitn(2, |byte| *byte == b' ').nth(1));
        for (claim, token) in [("ath", access), ("tth", self.message.field("txn-token"))] {
            if let Some(token) = token {
                claims[claim] = hash(token).into();
            }
        }
        let fields = ["Workload-Identity-Token", "Workload-Proof-Token"];
        self.with_fields(fields, "wpt+jwt", &claims)
    }

    fn client(self) -> Result<Message, Failure> {
        let claims = json!({ "aud": self.aud, "iat": self.now.seconds(), "jti": self.jti });
        let fields = ["OAuth-Client-Attestation", "OAuth-Client-Attestation-PoP"];
        self.with_fields(fields, "oauth-client-attestation-pop+jwt", &claims)
    }

    /// The token in one field, the proof of it in the other.
    fn with_fields(
        self,
        [own, beside]: [&str; 2],
        typ: &str,
        claims: &Value,
    ) -> Result<Message, Failure> {
        let proof = sign(self.key, typ, claims)?;
        let mut message = self.message;
        message
            .fields
            .push((own.to_owned(), self.token.into_bytes()));
        message.fields.push((beside.to_owned(), proof.into_bytes()));
        Ok(message)
    }

    fn capability(self) -> Result<Message, Failure> {
        let (Some(tool), told) = self.arguments.operation.called() else {
            return Err(Failure::usage(
                "a capability is used for one call: give --operation tool=…",
            ));
        };
        let told: Value = serde_json::from_str(told.unwrap_or("{}"))
            .map_err(|_| Failure::usage("--operation arguments: not JSON"))?;
        let unverified = sealgate::inspect(&self.token)
            .map_err(|error| Failure::Usage(format!("the token: {error}")))?;
        let own: Value = serde_json::from_str(unverified.claims()).unwrap_or_default();
        let claims = json!({
            "aat_id": own["jti"], "aat_tool": tool, "hta": told, "aat_aud": self.aud,
            "iat": self.now.seconds(), "jti": self.jti,
        });
        let proof = sign(self.key, "aat-pop+jwt", &claims)?;
        let mut chain = Vec::new();
        for (_, file) in &self.arguments.further {
            let parent = String::from_utf8(input::one(Some(file))?);
            chain.push(parent.map_err(|_| Failure::Usage(format!("{file}: not text")))?);
        }
        chain.push(self.token);
        let mut message = self.message;
        message.capabilities = Some(Capabilities { chain, proof });
        Ok(message)
    }
}

fn sign(key: SigningKey, typ: &str, claims: &Value) -> Result<String, Failure> {
    let proof = Minter::new(key)
        .with_typ(typ)
        .sign(claims.to_string().as_bytes());
    proof.map_err(refuse)
}

fn refuse(error: KeyError) -> Failure {
    Failure::Usage(error.to_string())
}

fn hash(token: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string((aws_lc::provider().sha256)(token))
}

/// Scheme and host of a URL, and the path and query behind them.
fn split(url: &str) -> Result<(&str, &str), Failure> {
    let wrong = || Failure::Usage(format!("--url {url}: write https://host/path"));
    let (_, rest) = url.split_once("://").ok_or_else(wrong)?;
    let start = url.len() - rest.len();
    let path = rest.find('/').map(|at| url.split_at(start + at));
    let (origin, target) = path.unwrap_or((url, "/"));
    if origin.len() == start || origin.contains(['?', '#']) {
        return Err(wrong());
    }
    let target = target.split('#').next().unwrap_or_default();
    Ok((origin, target))
}
