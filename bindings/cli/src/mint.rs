//! `sealgate mint`: a token for a test.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use sealgate::mint::{ClaimsBuilder, Minter};
use sealgate::{Clock, NumericDate, Profile, Span};
use serde_json::{Map, Value, json};

use crate::failure::{ACCEPTED, Failure};
use crate::jwks::{random_id, read_private, read_public};
use crate::text::{parse_span, parse_time};

/// Options of `mint`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Private key: a JWK, the first key of a JWK Set, or PKCS#8 PEM; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    key: String,
    /// The kind of token, as a policy names it: it fixes `typ`, and which of the claims below are
    /// written. Claims of its own go into --claim.
    #[arg(long, value_name = "PROFILE", default_value = "access_token", value_parser = profile)]
    kind: Profile,
    /// `iss`.
    #[arg(long, value_name = "URL")]
    iss: Option<String>,
    /// `sub`.
    #[arg(long)]
    sub: Option<String>,
    /// `aud`; may be repeated.
    #[arg(long)]
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
    #[arg(long, value_name = "THUMBPRINT", value_parser = thumbprint)]
    jkt: Option<String>,
    /// `cnf.jwk`: the key the token is bound to, public or private: a JWK, or the first of a set;
    /// only its public half is written.
    #[arg(long, value_name = "FILE", conflicts_with = "jkt")]
    holder: Option<String>,
    /// `client_id`; where the kind has one, the outermost actor's `sub`, or else `sub`, by default.
    #[arg(long)]
    client_id: Option<String>,
    /// `jti`; random by default.
    #[arg(long, conflicts_with = "count")]
    jti: Option<String>,
    /// How many, one a line, each with a `jti` of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// `scope`.
    #[arg(long)]
    scope: Option<String>,
    /// An actor as `ISS,SUB`, or `SUB` for one of the same issuer; the first is acting now.
    #[arg(long, value_name = "[ISS,]SUB")]
    act: Vec<String>,
    /// `typ` of the header; the kind's by default, and `JWT` where it has none.
    #[arg(long, value_parser = typ)]
    typ: Option<String>,
    /// A further claim as `name=JSON`; may be repeated.
    #[arg(long, value_name = "NAME=JSON")]
    claim: Vec<String>,
    /// JSON lines with the member `token`, as `sealgate verify` reads them.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let key = read_private(&arguments.key)?.into_iter().next();
    let key = key.ok_or_else(|| Failure::Usage(format!("{}: no key", arguments.key)))?;
    let kind = arguments.kind;
    let others = other_claims(&arguments.claim)?;
    let claims = claims(arguments)?;
    let typ = arguments.typ.as_deref().or_else(|| kind.typ());
    // What a card is signed as (A2A-02).
    let plain = if kind == Profile::AgentCard {
        "JOSE"
    } else {
        "JWT"
    };
    let minter = Minter::new(key).with_typ(typ.unwrap_or(plain));
    let mut out = BufWriter::new(io::stdout().lock());
    for _ in 0..arguments.count {
        let jti = match &arguments.jti {
            Some(jti) => jti.clone(),
            None => random_id()?,
        };
        let claims = claims.clone();
        let claims = if forbids(kind, "jti") {
            claims.to_json()
        } else {
            claims.jwt_id(&jti).to_json()
        };
        // It was made a moment ago.
        let mut claims: Map<String, Value> = serde_json::from_str(&claims).unwrap_or_default();
        claims.extend(others.clone());
        let token = minter.sign(Value::Object(claims).to_string().as_bytes());
        let token = token.map_err(|error| Failure::Usage(error.to_string()))?;
        if arguments.json {
            writeln!(out, "{}", json!({ "token": token }))?;
        } else {
            writeln!(out, "{token}")?;
        }
    }
    out.flush()?;
    Ok(ExitCode::from(ACCEPTED))
}

/// The claims that have options of their own, but for `jti`.
fn claims(arguments: &Arguments) -> Result<ClaimsBuilder, Failure> {
    let kind = arguments.kind;
    check(arguments)?;
    let iss = arguments.iss.as_deref().unwrap_or_default();
    let actors: Vec<(&str, &str)> = arguments
        .act
        .iter()
        .map(|actor| actor.split_once(',').unwrap_or((iss, actor)))
        .collect();
    if actors
        .iter()
        .any(|(iss, sub)| iss.is_empty() || sub.is_empty())
    {
        return Err(Failure::usage(
            "--act: write ISS,SUB, or SUB, and neither empty",
        ));
    }
    let client = arguments.client_id.as_deref();
    let acting = || {
        let actor = actors.first().map(|(_, sub)| *sub);
        actor.or(arguments.sub.as_deref())
    };
    let has_client = kind.required_claims().any(|name| name == "client_id");
    let client = client.or_else(|| acting().filter(|_| has_client));
    let issued_at = arguments.now.unwrap_or_else(|| Clock::System.now());
    let mut claims = ClaimsBuilder::new();
    if let Some(iss) = &arguments.iss {
        claims = claims.issuer(iss);
    }
    if let Some(sub) = &arguments.sub {
        claims = claims.subject(sub);
    }
    if !arguments.aud.is_empty() {
        claims = claims.audience(arguments.aud.iter().map(String::as_str));
    }
    if !forbids(kind, "exp") {
        claims = claims.lifetime(issued_at, arguments.lifetime);
    } else if !forbids(kind, "iat") {
        claims = claims.issued_at(issued_at);
    }
    if let Some(client) = client {
        claims = claims.client_id(client);
    }
    if let Some(scope) = &arguments.scope {
        claims = claims.scope(scope);
    }
    if let Some(date) = arguments.nbf {
        claims = claims.not_before(date);
    }
    if let Some(jkt) = &arguments.jkt {
        claims = claims.bound_to(jkt);
    }
    if let Some(holder) = &arguments.holder {
        claims = claims.bound_to_key(&public_key(holder)?);
    }
    for (iss, sub) in actors {
        claims = claims.actor(iss, sub);
    }
    Ok(claims)
}

/// Whether the kind's `iss`, `sub` and `aud` are there. Whatever else is missing or too much may be
/// what the test is about, and `sealgate verify` says it.
fn check(arguments: &Arguments) -> Result<(), Failure> {
    let kind = arguments.kind;
    let given = [
        ("iss", arguments.iss.is_some()),
        ("sub", arguments.sub.is_some()),
        ("aud", !arguments.aud.is_empty()),
    ];
    let lacks = |claim: &&str| given.iter().any(|(name, given)| name == claim && !given);
    match kind.required_claims().find(lacks) {
        Some(claim) => {
            let name = kind.as_str();
            Err(Failure::Usage(format!("--{claim}: every {name} has it")))
        }
        None => Ok(()),
    }
}

fn forbids(kind: Profile, claim: &str) -> bool {
    kind.forbidden_claims().any(|name| name == claim)
}

/// The public half of a key in a file, as a JWK.
fn public_key(path: &str) -> Result<Value, Failure> {
    let public = read_public(path)?.to_json();
    Ok(serde_json::from_str(&public).unwrap_or_default()) // written a moment ago
}

/// Claims that have options of their own, by their names.
const OPTIONS: [(&str, &str); 11] = [
    ("iss", "--iss"),
    ("sub", "--sub"),
    ("aud", "--aud"),
    ("exp", "--lifetime"),
    ("iat", "--now"),
    ("nbf", "--nbf"),
    ("jti", "--jti"),
    ("client_id", "--client-id"),
    ("scope", "--scope"),
    ("act", "--act"),
    ("cnf", "--holder or --jkt"),
];

/// `--claim`: whatever has no option of its own.
fn other_claims(given: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut claims = Map::new();
    for claim in given {
        let (name, value) = claim
            .split_once('=')
            .ok_or_else(|| Failure::Usage(format!("--claim {claim}: write name=JSON")))?;
        if let Some((_, option)) = OPTIONS.iter().find(|(own, _)| *own == name) {
            return Err(Failure::Usage(format!("--claim {name}: use {option}")));
        }
        let value = serde_json::from_str(value).map_err(|_| {
            let text = "the value is not JSON; write text in quotes of its own: name='\"text\"'";
            Failure::Usage(format!("--claim {name}: {text}"))
        })?;
        if claims.insert(name.to_owned(), value).is_some() {
            return Err(Failure::Usage(format!("--claim {name}: given twice")));
        }
    }
    Ok(claims)
}

fn profile(text: &str) -> Result<Profile, String> {
    Profile::from_name(text).ok_or_else(|| {
        let known: Vec<_> = Profile::ALL
            .iter()
            .map(|profile| profile.as_str())
            .collect();
        format!("one of {}", known.join(", "))
    })
}

fn typ(text: &str) -> Result<String, String> {
    match text {
        "" => Err("write one; `JWT` is what no kind of token requires".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn thumbprint(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if text.len() == 43 && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("a SHA-256 thumbprint has 43 characters of base64url; see `sealgate jwks lint`".into())
    }
}
