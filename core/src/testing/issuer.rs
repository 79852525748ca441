//! [`FakeIssuer`]: an issuer whose keys a test holds, the same ones for the same seed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{FakeMembers, seeded_key, signed};
use crate::claims::Claim;
use crate::crypto::{SigningKey, aws_lc};
use crate::encoding::base64url;
use crate::jwa::Algorithm;
use crate::jwk::KeyError;
use crate::time::{Clock, NumericDate, Span};

/// Earlier keys that stay published beside the new one.
const KEPT: usize = 1;

/// What people act through: no name of theirs, since a token whose `sub` is its `client_id` is a
/// client's own (AT-08).
const CLIENT: &str = "client-1";

/// RFC 9068 §2.1.
const ACCESS_TOKEN: &str = "at+jwt";

/// How a fake is made. What is not set: the system's clock, seed 0, `ES256`, and `kid`s that begin
/// with `key`.
#[derive(Clone, Debug)]
pub struct FakeOptions {
    pub(super) clock: Option<Clock>,
    pub(super) seed: u64,
    pub(super) algorithm: Algorithm,
    name: Box<str>,
}

impl FakeOptions {
    /// What there is unless told otherwise.
    #[must_use]
    pub fn new() -> Self {
        Self {
            clock: None,
            seed: 0,
            algorithm: Algorithm::Es256,
            name: "key".into(),
        }
    }

    /// What its tokens or proofs are dated by.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The same seed gives the same keys, in every run and every language; RSA keys are always
    /// fresh.
    ///
    /// With an issuer's name and a small seed anybody can make its keys: a policy that holds such a
    /// key of a seed below 64 is refused, unless it is loaded with
    /// [`allow_test_keys`](crate::LoadOptions::allow_test_keys). Keys that a program publishes are
    /// not looked at.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// What the `kid`s of its keys and the `jti`s of its tokens begin with.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }
}

impl Default for FakeOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// An issuer of tests. Cheap to clone; clones are the same issuer.
#[derive(Clone)]
pub struct FakeIssuer(Arc<Inner>);

struct Inner {
    issuer: Box<str>,
    options: FakeOptions,
    keys: Mutex<Keys>,
}

struct Keys {
    made: u64,
    minted: u64,
    signer: Arc<SigningKey>,
    published: Vec<Arc<SigningKey>>,
}

/// What a token says. The default is an access token (RFC 9068) for the user `u1`, for five
/// minutes.
///
/// From JSON, the members have these names; `lifetime` is `lifetime_millis`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "tests write it, with `..default()`"
)]
pub struct FakeToken {
    /// `sub`.
    pub sub: Option<String>,
    /// `aud`: one as a string, several as an array.
    pub aud: Vec<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// `client_id`. Default: the outermost actor's `sub`, else `client-1`. Of an agent that acts
    /// for itself it is the agent's `sub`.
    pub client_id: Option<String>,
    /// Who acts, outermost first.
    pub act: Vec<FakeActor>,
    /// `cnf.jkt`: the thumbprint of the key it is bound to (RFC 9449 §6).
    pub jkt: Option<String>,
    /// `cnf.x5t#S256` of this: the client certificate, in DER, that it is bound to (RFC 8705 §3).
    pub certificate: Option<Vec<u8>>,
    /// `jti`. Default: one that no token of the issuer had before.
    pub jti: Option<String>,
    /// `iat`, in seconds since 1970. Default: now.
    pub issued_at: Option<i64>,
    /// `nbf`, in seconds since 1970. Default: none.
    pub not_before: Option<i64>,
    /// `exp`, from then.
    #[serde(rename = "lifetime_millis", deserialize_with = "millis")]
    pub lifetime: Span,
    /// Of the header.
    pub typ: Option<String>,
    /// Further claims; they replace those above, and `null` leaves one out.
    pub claims: FakeMembers,
    /// Further header parameters; they replace `typ`, `alg` and `kid`, and `null` leaves one out.
    pub header: FakeMembers,
}

/// One link of `act`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "what identifies an actor is these two"
)]
pub struct FakeActor {
    /// Its issuer; the token's, where it names none.
    #[serde(default)]
    pub iss: Option<String>,
    /// `sub`.
    pub sub: String,
}

fn millis<'d, D: serde::Deserializer<'d>>(deserializer: D) -> Result<Span, D::Error> {
    i64::deserialize(deserializer).map(Span::from_millis)
}

impl Default for FakeToken {
    fn default() -> Self {
        Self {
            sub: Some("u1".to_owned()),
            aud: Vec::new(),
            scope: None,
            client_id: None,
            act: Vec::new(),
            jkt: None,
            certificate: None,
            jti: None,
            issued_at: None,
            not_before: None,
            lifetime: Span::from_seconds(300),
            typ: Some(ACCESS_TOKEN.to_owned()),
            claims: FakeMembers::default(),
            header: FakeMembers::default(),
        }
    }
}

impl FakeIssuer {
    /// An issuer with this `iss` and one key.
    ///
    /// # Errors
    ///
    /// When the system's random source fails.
    pub fn new(issuer: &str, options: FakeOptions) -> Result<Self, KeyError> {
        let signer = Arc::new(key(issuer, &options, 1)?);
        let keys = Keys {
            made: 1,
            minted: 0,
            published: vec![Arc::clone(&signer)],
            signer,
        };
        Ok(Self(Arc::new(Inner {
            issuer: issuer.into(),
            options,
            keys: Mutex::new(keys),
        })))
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.options.algorithm
    }

    /// Its time.
    #[must_use]
    pub fn now(&self) -> NumericDate {
        let own = self.0.options.clock.as_ref();
        own.unwrap_or(&Clock::System).now()
    }

    /// The key it signs with now.
    #[must_use]
    pub fn key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.keys().signer)
    }

    /// The `kid` of the key it signs with now.
    #[must_use]
    pub fn kid(&self) -> String {
        self.keys().signer.kid().unwrap_or_default().to_owned()
    }

    /// Its JWK Set as JSON: the public halves of its keys; of a shared secret, *the secret*.
    #[must_use]
    pub fn jwks(&self) -> String {
        let keys = self.keys();
        let keys = keys.published.iter();
        let keys: Vec<String> = keys.map(|key| key.verifying_jwk().to_json()).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    /// Signs with a new key from now on. So many of the keys before stay in the set: one, unless
    /// told otherwise. Returns the new `kid`. Verifiers know only once the set is published to
    /// them.
    ///
    /// # Errors
    ///
    /// When the system's random source fails.
    pub fn rotate(&self, keep: Option<usize>) -> Result<String, KeyError> {
        let mut keys = self.keys();
        let made = keys.made.saturating_add(1);
        let signer = Arc::new(key(&self.0.issuer, &self.0.options, made)?);
        let old = keys.published.len().saturating_sub(keep.unwrap_or(KEPT));
        keys.made = made;
        keys.published.drain(..old);
        keys.published.push(Arc::clone(&signer));
        let kid = signer.kid().unwrap_or_default().to_owned();
        keys.signer = signer;
        Ok(kid)
    }

    /// Takes a key out of the set; false where it has none of this `kid`. It goes on signing with
    /// it, as whoever stole a key would.
    #[must_use]
    pub fn withdraw(&self, kid: &str) -> bool {
        let mut keys = self.keys();
        let before = keys.published.len();
        keys.published.retain(|key| key.kid() != Some(kid));
        keys.published.len() < before
    }

    /// A token of this issuer, issued now.
    ///
    /// # Errors
    ///
    /// When the system's random source fails.
    pub fn token(&self, token: &FakeToken) -> Result<String, KeyError> {
        let FakeToken {
            sub,
            aud,
            scope,
            client_id,
            act,
            jkt,
            certificate,
            jti,
            issued_at,
            not_before,
            lifetime,
            typ,
            claims,
            header,
        } = token;
        let iat = issued_at.unwrap_or_else(|| self.now().seconds());
        let actor = act.first().map(|actor| actor.sub.as_str());
        let client_id = client_id.as_deref().or(actor).unwrap_or(CLIENT);
        let aud = match aud.as_slice() {
            [] => Value::Null,
            [only] => only.as_str().into(),
            several => several.into(),
        };
        let jti = jti.clone().unwrap_or_else(|| self.jti());
        let own = FakeMembers::from([
            (Claim::Iss.name(), self.issuer().into()),
            (Claim::Sub.name(), text(sub.as_ref())),
            (Claim::Aud.name(), aud),
            (Claim::ClientId.name(), client_id.into()),
            (Claim::Iat.name(), iat.into()),
            (Claim::Nbf.name(), (*not_before).into()),
            (
                Claim::Exp.name(),
                iat.saturating_add(lifetime.seconds()).into(),
            ),
            (Claim::Jti.name(), jti.into()),
            (Claim::Scope.name(), text(scope.as_ref())),
            (Claim::Act.name(), self.chain(act)),
            (
                Claim::Cnf.name(),
                confirmation(jkt.as_deref(), certificate.as_deref()),
            ),
        ]);
        self.sign(&own.merged(claims), &self.header_of(typ.as_deref(), header))
    }

    /// A compact JWS over these very octets under the header of an access token with these changes;
    /// `null` leaves a parameter out.
    ///
    /// # Errors
    ///
    /// When the system's random source fails.
    pub fn sign_with(&self, payload: &[u8], header: &FakeMembers) -> Result<String, KeyError> {
        self.sign(payload, &self.header_of(Some(ACCESS_TOKEN), header))
    }

    /// `alg` and `kid` of the key it signs with now, and `typ`, with these changes.
    fn header_of(&self, typ: Option<&str>, changes: &FakeMembers) -> Vec<u8> {
        let mut own = FakeMembers::from(self.header());
        own.insert("typ", typ);
        own.merged(changes)
    }

    /// A compact JWS over these very octets under this very header, by the key it signs with now.
    ///
    /// # Errors
    ///
    /// When the system's random source fails.
    pub fn sign(&self, payload: &[u8], header: &[u8]) -> Result<String, KeyError> {
        signed(&self.key(), header, payload)
    }

    /// `alg` and `kid` of the key it signs with now.
    #[must_use]
    pub fn header(&self) -> Map<String, Value> {
        let key = self.key();
        let mut header = Map::new();
        header.insert("alg".to_owned(), key.algorithm().name().into());
        header.insert("kid".to_owned(), key.kid().into());
        header
    }

    /// One that no token of this issuer had before.
    pub(super) fn jti(&self) -> String {
        let mut keys = self.keys();
        keys.minted = keys.minted.saturating_add(1);
        format!("{}-{}", self.0.options.name, keys.minted)
    }

    /// `act` of these actors; none of none.
    fn chain(&self, actors: &[FakeActor]) -> Value {
        actors.iter().rev().fold(Value::Null, |inner, actor| {
            let iss = actor.iss.as_deref().unwrap_or_else(|| self.issuer());
            let mut link = json!({ "iss": iss, "sub": actor.sub });
            if let (Value::Object(link), false) = (&mut link, inner.is_null()) {
                link.insert(Claim::Act.name().to_owned(), inner);
            }
            link
        })
    }
}

fn key(issuer: &str, options: &FakeOptions, number: u64) -> Result<SigningKey, KeyError> {
    let key = seeded_key(options.algorithm, issuer, options.seed, number)?;
    Ok(key.with_kid(&format!("{}-{number}", options.name)))
}

/// `cnf` of what a token is bound to; none of nothing.
fn confirmation(jkt: Option<&str>, certificate: Option<&[u8]>) -> Value {
    let hash = |der| base64url::encode(&(aws_lc::provider().sha256)(der));
    let members = [
        ("jkt", jkt.map(str::to_owned)),
        ("x5t#S256", certificate.map(hash)),
    ];
    let members = members.into_iter();
    let members = members.filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    let members: Map<String, Value> = members.collect();
    if members.is_empty() {
        return Value::Null;
    }
    Value::Object(members)
}

fn text(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |text| text.as_str().into())
}

/// Never its keys.
impl fmt::Debug for FakeIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeIssuer").field(&self.0.issuer).finish()
    }
}
