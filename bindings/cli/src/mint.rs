//! `sealgate mint`: a token for a test.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use sealgate::mint::{ClaimsBuilder, Minter};
use sealgate::{Clock, NumericDate, Span};
use serde_json::Value;

use crate::failure::{ACCEPTED, Failure};
use crate::jwks::read_private;
use crate::text::{parse_span, parse_time};

/// Options of `mint`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Private key: a JWK, the first key of a JWK Set, or PKCS#8 PEM.
    #[arg(long, value_name = "FILE")]
    key: String,
    /// `iss`.
    #[arg(long, value_name = "URL")]
    iss: String,
    /// `sub`.
    #[arg(long)]
    sub: String,
    /// `aud`; may be repeated.
    #[arg(long, required = true)]
    aud: Vec<String>,
    /// `exp` less `iat`.
    #[arg(long, default_value = "5m", value_parser = parse_span)]
    lifetime: Span,
    /// Issue as of this time: seconds since 1970, or 2027-01-15T08:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_negative_numbers = true)]
    now: Option<NumericDate>,
    /// `nbf`, as `--now`; none by default.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_negative_numbers = true)]
    nbf: Option<NumericDate>,
    /// `cnf.jkt`: the thumbprint of the key the token is bound to.
    #[arg(long, value_name = "THUMBPRINT")]
    jkt: Option<String>,
    /// `client_id`; the outermost actor's `sub`, or else `sub`, by default.
    #[arg(long)]
    client_id: Option<String>,
    /// `jti`; random by default.
    #[arg(long)]
    jti: Option<String>,
    /// `scope`.
    #[arg(long)]
    scope: Option<String>,
    /// An actor as `ISS,SUB`, or `SUB` for one of the same issuer; the first is acting now.
    #[arg(long, value_name = "[ISS,]SUB")]
    act: Vec<String>,
    /// `typ` of the header.
    #[arg(long, default_value = "at+jwt")]
    typ: String,
    /// A further claim as `name=JSON`; may be repeated.
    #[arg(long, value_name = "NAME=JSON")]
    claim: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let key = read_private(&arguments.key)?.into_iter().next();
    let key = key.ok_or_else(|| Failure::Usage(format!("{}: no key", arguments.key)))?;
    let actors: Vec<(&str, &str)> = arguments
        .act
        .iter()
        .map(|actor| actor.split_once(',').unwrap_or((&arguments.iss, actor)))
        .collect();
    let client = arguments.client_id.as_deref();
    let client = client
        .or_else(|| actors.first().map(|(_, sub)| *sub))
        .unwrap_or(&arguments.sub);
    let jti = match &arguments.jti {
        Some(jti) => jti.clone(),
        None => random_id()?,
    };
    let issued_at = arguments.now.unwrap_or_else(|| Clock::System.now());
    let mut claims = ClaimsBuilder::new()
        .issuer(&arguments.iss)
        .subject(&arguments.sub)
        .audience(arguments.aud.iter().map(String::as_str))
        .lifetime(issued_at, arguments.lifetime)
        .client_id(client)
        .jwt_id(&jti);
    if let Some(scope) = &arguments.scope {
        claims = claims.scope(scope);
    }
    if let Some(date) = arguments.nbf {
        claims = claims.not_before(date);
    }
    if let Some(jkt) = &arguments.jkt {
        claims = claims.bound_to(jkt);
    }
    for (iss, sub) in actors {
        claims = claims.actor(iss, sub);
    }
    for claim in &arguments.claim {
        let (name, value) = claim
            .split_once('=')
            .ok_or_else(|| Failure::Usage(format!("--claim {claim}: write name=JSON")))?;
        let value: Value = serde_json::from_str(value)
            .map_err(|_| Failure::Usage(format!("--claim {name}: the value is not JSON")))?;
        let added = claims.claim(name, value);
        claims = added.map_err(|error| Failure::Usage(format!("--claim {error}")))?;
    }
    let minter = Minter::new(key).with_typ(arguments.typ.as_str());
    let token = minter
        .mint(&claims)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    writeln!(io::stdout(), "{token}")?;
    Ok(ExitCode::from(ACCEPTED))
}

/// 128 random bits, from a key nobody keeps.
fn random_id() -> Result<String, Failure> {
    use sealgate::crypto::{self, SigningKey, aws_lc};
    let key = SigningKey::generate(sealgate::jwa::Algorithm::Hs256);
    let key = key.map_err(|error| Failure::Usage(error.to_string()))?;
    let id = crypto::thumbprint(&aws_lc::provider(), key.public_jwk());
    Ok(id.chars().take(22).collect())
}
