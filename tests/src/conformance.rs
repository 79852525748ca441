//! The conformance protocol over sealgate's public API: one JSON request, one JSON answer.
//!
//! A request that cannot be understood is answered with `"code": "harness"`, never with a panic;
//! an op whose capability has not landed with `"code": "unsupported_op"`. Byte strings are
//! base64url without padding, times are seconds since the epoch.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sealgate::crypto::{self, CryptoProvider, SignatureJob, Signed};
use sealgate::jwa::{Algorithm, AlgorithmSet};
use sealgate::jwk::{Jwk, JwkSet, KeyError, KeyMaterial};
use sealgate::{
    ApprovedIntent, Blame, Clock, Code, ContextToken, Error, Explanation, FixedClock, Format, Gate,
    Handle, HandleKind, Kind, LoadOptions, NumericDate, Operation, Outcome, Policy, Possession,
    PublishError, Request, Requirements, Revocation, RevokeError, StatusList, VerifiedToken,
    Verifier, verify_jws,
};
use serde_json::{Map, Value, json};

use crate::workshop::{b64u, unb64u};

/// A stateless answer from fresh harnesses over AWS-LC and ring, which must be the same.
///
/// # Panics
///
/// When the two differ, unless a key of the request is of a kind that ring does not have.
#[must_use]
pub fn answer(request: &Value) -> Value {
    let providers = [crypto::aws_lc::provider(), crypto::ring::provider()];
    let [aws_lc, ring] = providers.map(|provider| Harness::new(provider).answer(request));
    // A key that is given as bytes shows its kind in the answer.
    let text = format!("{request}{aws_lc}");
    let has = |kind: &&str| text.contains(&format!("\"{kind}\""));
    if !["P-521", "secp256k1", "AKP"].iter().any(has) {
        assert_eq!(aws_lc, ring, "{request}");
    }
    aws_lc
}

/// What answers requests: a provider, and the verifiers that `open` keeps.
#[derive(Debug)]
pub struct Harness {
    provider: CryptoProvider,
    sessions: BTreeMap<String, Session>,
    /// Whether every verdict is held against its explanation.
    explains: bool,
}

/// A verifier with a clock that requests set.
#[derive(Debug)]
struct Session {
    verifier: Verifier,
    clock: Arc<FixedClock>,
}

/// Why a request has no `ok` answer.
enum Refusal {
    /// sealgate says no.
    Sealgate(Error),
    /// A key is refused.
    Key(KeyError),
    /// The policy document does not load.
    Policy,
    /// sealgate was called for something the policy does not allow.
    Usage,
    /// The request makes no sense.
    Harness(String),
    /// The op is not there yet.
    UnsupportedOp,
}

type Answer = Result<Map<String, Value>, Refusal>;

impl Harness {
    /// A harness over this provider, without sessions.
    #[must_use]
    pub const fn new(provider: CryptoProvider) -> Self {
        Self {
            provider,
            sessions: BTreeMap::new(),
            explains: false,
        }
    }

    /// The same, which also explains every token and request, and panics unless the explanation
    /// says what the verdict does.
    #[must_use]
    pub const fn explaining(provider: CryptoProvider) -> Self {
        Self {
            provider,
            sessions: BTreeMap::new(),
            explains: true,
        }
    }

    /// Answers one line of input.
    #[must_use]
    pub fn answer_line(&mut self, line: &[u8]) -> Value {
        match serde_json::from_slice(line) {
            Ok(request) => self.answer(&request),
            Err(error) => with_id(
                &Value::Null,
                refuse(Refusal::Harness(format!("not JSON: {error}"))),
            ),
        }
    }

    /// Answers one request.
    #[must_use]
    pub fn answer(&mut self, request: &Value) -> Value {
        // A panic is a finding, and must not take the other answers with it.
        let answer = catch_unwind(AssertUnwindSafe(|| self.serve(request)));
        let answer = answer.unwrap_or_else(|_| Err(Refusal::Harness("sealgate panicked".into())));
        with_id(&request["id"], answer.map_or_else(refuse, accept))
    }

    fn serve(&mut self, request: &Value) -> Answer {
        let op = request["op"].as_str();
        match op.ok_or_else(|| Refusal::Harness("no op".to_owned()))? {
            "verify" => self.verify(request),
            "verify_request" => self.verify_request(request),
            "check_outbound" => self.check_outbound(request),
            "verify_batch" => self.verify_batch(request),
            "verify_jws" => self.verify_jws(request),
            "verify_raw" => self.verify_raw(request),
            "load_key" => self.load_key(request),
            "load_jwks" => load_jwks(request),
            "load_policy" => self.load_policy(request),
            "open" => self.open(request),
            "publish_keys" => self.publish_keys(request),
            "revoke" => self.revoke(request),
            "event" => self.event(request),
            "deliver" => self.deliver(request),
            "status_list" => self.status_list(request),
            "close" => self.close(request),
            _ => Err(Refusal::UnsupportedOp),
        }
    }

    fn verify(&self, request: &Value) -> Answer {
        let requirements = requirements(request)?;
        let gate = self.gate(request)?;
        let token = text(request, "token")?;
        if request["context"].is_null() {
            // A question that it begins may have an answer by the verdict, at one and the same
            // verifier.
            let apart = (self.explains && asks(request)).then(|| self.gate(request));
            let apart = apart.transpose()?;
            let explain = || {
                let gate = apart.as_ref().unwrap_or(&gate);
                gate.explain_with(token, &requirements)
            };
            let explained = self.explains.then(explain);
            let verified = gate.verify_with(token, &requirements);
            agree(explained.as_ref(), &verified);
            return verified.map(|token| facts(&token)).map_err(Refusal::from);
        }
        let context = context(request)?;
        let explain = || gate.explain_chain(token, &context, &requirements);
        let explained = self.explains.then(explain);
        let verified = gate.verify_chain(token, &context, &requirements);
        agree(explained.as_ref(), &verified);
        let token = verified?;
        let mut facts = facts(&token);
        facts.insert("lineage".to_owned(), token.lineage().as_str().into());
        Ok(facts)
    }

    fn verify_request(&self, request: &Value) -> Answer {
        let requirements = requirements(request)?;
        let (method, uri) = (text(request, "method")?, text(request, "uri")?);
        let fields = fields(request)?;
        let certificate = match &request["certificate"] {
            Value::Null => None,
            _ => Some(bytes(request, "certificate")?),
        };
        let context = context(request)?;
        let mut shown = Request::new(method, uri).headers(fields).context(&context);
        if let Some(certificate) = &certificate {
            shown = shown.client_certificate(certificate);
        }
        let content = &request["content"];
        if !content.is_null() {
            let token = text(content, "token")?;
            shown = match optional_text(content, "proof")? {
                Some(proof) => shown.content(token, proof),
                None => shown.form(token),
            };
        }
        let gate = self.gate(request)?;
        let explain = || gate.explain_request(&shown, &requirements);
        let explained = self.explains.then(explain);
        let verified = gate.verify_request(&shown, &requirements);
        agree(explained.as_ref(), &verified);
        let token = verified?;
        let mut facts = facts(&token);
        facts.insert("lineage".to_owned(), token.lineage().as_str().into());
        let shown = token.sender_constrained().map(Possession::as_str);
        facts.insert("sender_constrained".to_owned(), shown.into());
        Ok(facts)
    }

    fn check_outbound(&self, request: &Value) -> Answer {
        let gate = self.gate(request)?;
        let inbound = gate.verify(text(request, "token")?)?;
        let outbound = further(&request["outbound"])?;
        gate.check_outbound(&inbound, outbound, text(request, "target")?)?;
        Ok(Map::new())
    }

    fn verify_batch(&self, request: &Value) -> Answer {
        let requirements = requirements(request)?;
        let tokens = texts(request, "tokens")?;
        let batch = self
            .gate(request)?
            .verify_batch_with(&tokens, &requirements);
        let verdicts = batch.results().map(|verdict| match verdict {
            Ok(token) => accept(facts(token)),
            Err(error) => refuse(error.into()),
        });
        let verdicts: Vec<Value> = verdicts.collect();
        Ok(object(json!({ "verdicts": verdicts })))
    }

    fn verify_jws(&self, request: &Value) -> Answer {
        let token = text(request, "token")?;
        let keys = match (&request["jwks"], &request["jwk"]) {
            (set @ Value::Object(_), Value::Null) => JwkSet::parse(set.to_string().as_bytes())?,
            (Value::Null, key @ Value::Object(_)) => {
                let key = Jwk::parse(key.to_string().as_bytes())?;
                std::iter::once(named(key, token)).collect()
            }
            _ => return Err(Refusal::Harness("needs jwks or jwk".to_owned())),
        };
        let algorithms: Option<AlgorithmSet> = texts(request, "algorithms")?
            .into_iter()
            .map(algorithm)
            .collect();
        let algorithms = algorithms.ok_or(Refusal::Usage)?;
        let jws = verify_jws(token, &keys, algorithms, &self.provider)?;
        let header: Value = serde_json::from_str(jws.header())
            .map_err(|_| Refusal::Harness("a header that is not JSON".to_owned()))?;
        Ok(object(
            json!({ "payload": b64u(jws.payload()), "header": header }),
        ))
    }

    fn verify_raw(&self, request: &Value) -> Answer {
        let algorithm = algorithm(text(request, "alg")?);
        let algorithm = algorithm.ok_or_else(|| Error::from(Code::AlgNotAllowed))?;
        let jwk = Jwk::parse(request["jwk"].to_string().as_bytes())?;
        let key = (self.provider.load)(&jwk, algorithm)?;
        let raw = Raw {
            message: bytes(request, "input")?,
            signature: bytes(request, "signature")?,
        };
        let verified = self.provider.verify(SignatureJob::new(&key, raw));
        let verified = verified.map(|_| Map::new());
        verified.ok_or_else(|| Error::from(Code::BadSignature).into())
    }

    fn load_key(&self, request: &Value) -> Answer {
        let data = bytes(request, "data")?;
        let mut jwk = match text(request, "format")? {
            "jwk" => Jwk::parse(&data)?,
            "pem" => Jwk::from_pem(&data)?,
            "der" => Jwk::from_der(&data)?,
            "x509" => Jwk::from_x509_der(&data)?,
            other => return Err(Refusal::Harness(format!("no format {other:?}"))),
        };
        if let Some(name) = optional_text(request, "alg")? {
            let algorithm = algorithm(name);
            let algorithm = algorithm.ok_or_else(|| Error::from(Code::AlgNotAllowed))?;
            jwk = jwk.with_algorithm(algorithm)?;
        }
        // Loaded for real: a provider may refuse what the reader took.
        let unbound = match jwk.material() {
            KeyMaterial::Rsa { .. } => Some(Algorithm::Rs256),
            _ => None,
        };
        if let Some(algorithm) = jwk.algorithm().or(unbound) {
            (self.provider.load)(&jwk, algorithm)?;
        }
        Ok(object(json!({
            "kty": jwk.kty(),
            "alg": jwk.algorithm().map(Algorithm::name),
            "thumbprint": crypto::thumbprint(&self.provider, &jwk),
        })))
    }

    fn load_policy(&self, request: &Value) -> Answer {
        let format = match text(request, "format")? {
            "json" => Format::Json,
            "toml" => Format::Toml,
            other => return Err(Refusal::Harness(format!("no format {other:?}"))),
        };
        let options = LoadOptions::new().allow_test_keys(true);
        let policy = Policy::parse_with(bytes(request, "text")?, format, &options);
        let policy = policy.map_err(|_| Refusal::Policy)?;
        Verifier::new(policy, self.provider).map_err(|_| Refusal::Policy)?;
        Ok(Map::new())
    }

    fn open(&mut self, request: &Value) -> Answer {
        let session = self.session(request)?;
        let name = text(request, "session")?.to_owned();
        self.sessions.insert(name, session);
        Ok(Map::new())
    }

    fn publish_keys(&self, request: &Value) -> Answer {
        let name = text(request, "session")?;
        let session = self.sessions.get(name);
        let session = session.ok_or_else(|| no_session(name))?;
        let set = JwkSet::parse(request["jwks"].to_string().as_bytes())?;
        let receipt = session
            .verifier
            .keys()
            .publish(text(request, "issuer")?, &set)?;
        Ok(object(json!({ "generation": receipt.generation })))
    }

    fn revoke(&self, request: &Value) -> Answer {
        let name = text(request, "session")?;
        let session = self.sessions.get(name);
        let session = session.ok_or_else(|| no_session(name))?;
        if !request["now"].is_null() {
            session.clock.set(now(request)?);
        }
        let cutoff = optional_date(request, "cutoff")?;
        let mut revocation = cutoff.map_or_else(Revocation::all, Revocation::before);
        if let Some(expires) = optional_date(request, "expires")? {
            revocation = revocation.until(expires);
        }
        let revocations = session.verifier.revocations();
        let receipt = revocations.revoke(&handle(&request["handle"])?, revocation)?;
        Ok(object(json!({ "epoch": receipt.epoch })))
    }

    fn event(&self, request: &Value) -> Answer {
        let name = text(request, "session")?;
        let session = self.sessions.get(name);
        let session = session.ok_or_else(|| no_session(name))?;
        session.clock.set(now(request)?);
        let summary = session.verifier.policy().summary();
        let tells = |profile| ["logout_token", "set"].contains(&profile);
        let telling = summary.gates.iter().filter(|gate| tells(gate.profile));
        let telling: Vec<&str> = telling.map(|gate| gate.name.as_str()).collect();
        let gate = match (optional_text(request, "gate")?, telling.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only,
            (None, _) => return Err(Refusal::Usage),
        };
        let gate = session.verifier.gate(gate).map_err(|_| Refusal::Usage)?;
        let token = gate.verify(text(request, "set")?)?;
        let applied = session.verifier.revocations().apply(&token)?;
        Ok(object(json!({
            "entries": applied.changes.len(), "duplicate": applied.duplicate,
        })))
    }

    /// As an issuer pushes a Security Event Token.
    fn deliver(&self, request: &Value) -> Answer {
        let name = text(request, "session")?;
        let session = self.sessions.get(name);
        let session = session.ok_or_else(|| no_session(name))?;
        session.clock.set(now(request)?);
        let receiver = session.verifier.receiver(text(request, "gate")?);
        let mut receiver = receiver.map_err(|_| Refusal::Usage)?;
        if let Some(state) = optional_text(request, "expecting_state")? {
            receiver = receiver.expecting_state(state);
        }
        let set = text(request, "set")?.as_bytes();
        let delivery = receiver.push(Some("application/secevent+jwt"), set);
        let told: Value = serde_json::from_str(&delivery.answer.body).unwrap_or_default();
        Ok(object(json!({
            "status": delivery.answer.status, "err": told["err"],
            "entries": delivery.event.as_ref().map(|event| event.changes.len()),
            "duplicate": delivery.event.map(|event| event.duplicate),
        })))
    }

    fn status_list(&self, request: &Value) -> Answer {
        let list = if request["list"].is_null() {
            let token = self.gate(request)?.verify(text(request, "token")?)?;
            let claims: Value = token.deserialize().map_err(|_| Refusal::Usage)?;
            claims["status_list"].clone()
        } else {
            request["list"].clone()
        };
        let bits = list["bits"].as_u64().unwrap_or(0);
        let list = StatusList::decode(bits, text(&list, "lst")?).map_err(Error::from)?;
        let status = request["index"].as_u64().and_then(|index| list.get(index));
        let status = status.ok_or_else(|| Error::from(Code::ClaimType))?;
        Ok(object(json!({ "status": status })))
    }

    fn close(&mut self, request: &Value) -> Answer {
        let name = text(request, "session")?;
        let session = self.sessions.remove(name);
        session.map(|_| Map::new()).ok_or_else(|| no_session(name))
    }

    /// The gate a request is for: of an open session, or of a verifier of its own.
    fn gate(&self, request: &Value) -> Result<Gate, Refusal> {
        let own;
        let session = match optional_text(request, "session")? {
            Some(name) => {
                let session = self.sessions.get(name);
                let session = session.ok_or_else(|| no_session(name))?;
                session.clock.set(now(request)?);
                session
            }
            None => {
                own = self.session(request)?;
                if request["closed"] == true {
                    own.verifier.close();
                }
                &own
            }
        };
        let gates = session.verifier.gates();
        let name = match (optional_text(request, "gate")?, gates.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only.as_str(),
            (None, _) => return Err(Refusal::Usage),
        };
        Ok(session.verifier.gate(name).map_err(Error::from)?)
    }

    fn session(&self, request: &Value) -> Result<Session, Refusal> {
        let document = &request["policy"];
        if !document.is_object() {
            return Err(Refusal::Harness("policy is not an object".to_owned()));
        }
        let clock = Arc::new(FixedClock::new(now(request)?));
        let options = LoadOptions::new().allow_test_keys(true);
        let policy = Policy::parse_with(document.to_string(), Format::Json, &options);
        let policy = policy.map_err(|_| Refusal::Policy)?;
        let fixed = Clock::Fixed(Arc::clone(&clock));
        let verifier = Verifier::with_clock(policy, self.provider, fixed);
        let verifier = verifier.map_err(|_| Refusal::Policy)?;
        Ok(Session { verifier, clock })
    }
}

/// An explanation ends as the verdict does; every stage of a token that is accepted has passed, and
/// exactly one refuses any other, in so many words.
fn agree(explained: Option<&Explanation>, verified: &Result<VerifiedToken, Error>) {
    let Some(explained) = explained else { return };
    let code =
        |outcome: &Result<VerifiedToken, Error>| outcome.as_ref().err().map(|error| error.code());
    assert_eq!(code(&explained.outcome), code(verified));
    let of = |outcome| {
        explained
            .steps
            .iter()
            .filter(move |step| step.outcome == outcome)
    };
    match code(verified) {
        None => assert_eq!(
            of(Outcome::Passed).count(),
            explained.steps.len(),
            "{:?}",
            explained.steps
        ),
        Some(Code::Usage) => {}
        Some(_) => {
            assert_eq!(of(Outcome::Refused).count(), 1, "{:?}", explained.steps);
            assert!(of(Outcome::Refused).all(|step| !step.note.is_empty()));
            assert!(
                explained
                    .advice
                    .as_ref()
                    .is_some_and(|advice| !advice.hint.is_empty())
            );
        }
    }
}

/// Whether a verdict may begin to ask an authorization server about the token.
fn asks(request: &Value) -> bool {
    let issuers = request["policy"]["issuers"].as_object();
    let mut issuers = issuers.into_iter().flat_map(Map::values);
    issuers.any(|issuer| issuer["introspection"].is_object())
}

/// The further tokens of a request.
fn context(request: &Value) -> Result<Vec<ContextToken<'_>>, Refusal> {
    let tokens = request["context"].as_array().into_iter().flatten();
    tokens.map(further).collect()
}

/// A further token: its kind, and itself.
fn further(value: &Value) -> Result<ContextToken<'_>, Refusal> {
    let kind = Kind::from_name(text(value, "kind")?).ok_or(Refusal::Usage)?;
    Ok(ContextToken::new(kind, text(value, "token")?))
}

fn load_jwks(request: &Value) -> Answer {
    let set = JwkSet::parse(&bytes(request, "text")?)?;
    let skipped = set
        .skipped()
        .iter()
        .map(|key| json!({ "index": key.index, "reason": key.reason.to_string() }));
    let skipped: Vec<Value> = skipped.collect();
    Ok(object(
        json!({ "keys": set.keys().len(), "skipped": skipped }),
    ))
}

/// What a caller learns of an accepted token.
fn facts(token: &VerifiedToken) -> Map<String, Value> {
    let chain = token
        .chain()
        .map(|actor| json!({ "iss": actor.iss(), "sub": actor.sub() }));
    let chain: Vec<Value> = chain.collect();
    object(json!({
        "payload": b64u(token.payload()),
        "subject": token.subject(),
        "issuer": token.issuer(),
        "actor": chain.first(),
        "chain": chain,
        "profile": token.profile().as_str(),
    }))
}

fn accept(mut answer: Map<String, Value>) -> Value {
    answer.insert("ok".to_owned(), true.into());
    Value::Object(answer)
}

fn refuse(refusal: Refusal) -> Value {
    let coded =
        |code: &str, blame: Blame| json!({ "ok": false, "code": code, "blame": blame.as_str() });
    match refusal {
        Refusal::Sealgate(error) => coded(error.code().as_str(), error.blame()),
        Refusal::Key(error) => coded(error.code().as_str(), error.code().blame()),
        Refusal::Policy => coded("policy_invalid", Blame::Misuse),
        Refusal::Usage => coded(Code::Usage.as_str(), Blame::Misuse),
        Refusal::Harness(detail) => json!({ "ok": false, "code": "harness", "detail": detail }),
        Refusal::UnsupportedOp => json!({ "ok": false, "code": "unsupported_op" }),
    }
}

fn with_id(id: &Value, mut answer: Value) -> Value {
    answer["id"] = id.clone();
    answer
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Sealgate(error)
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<PublishError> for Refusal {
    fn from(_: PublishError) -> Self {
        Self::Usage
    }
}

impl From<RevokeError> for Refusal {
    fn from(_: RevokeError) -> Self {
        Self::Usage
    }
}

/// A message and a signature that are no token.
struct Raw {
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed for Raw {
    fn message(&self) -> &[u8] {
        &self.message
    }

    fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// The one key a request is about: without a `kid` it goes by whatever name the token uses.
fn named(key: Jwk, token: &str) -> Jwk {
    let header = token.split('.').next().and_then(unb64u);
    let header: Option<Value> = header.and_then(|header| serde_json::from_slice(&header).ok());
    match header.as_ref().and_then(|header| header["kid"].as_str()) {
        Some(kid) if key.kid().is_none() => key.with_kid(kid),
        _ => key,
    }
}

/// An algorithm by its name; other people's vectors still write `EdDSA` (RFC 9864).
fn algorithm(name: &str) -> Option<Algorithm> {
    Algorithm::from_name(if name == "EdDSA" { "Ed25519" } else { name })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn no_session(name: &str) -> Refusal {
    Refusal::Harness(format!("no session {name:?}"))
}

fn text<'r>(request: &'r Value, name: &str) -> Result<&'r str, Refusal> {
    let text = optional_text(request, name)?;
    text.ok_or_else(|| Refusal::Harness(format!("no {name}")))
}

fn optional_text<'r>(request: &'r Value, name: &str) -> Result<Option<&'r str>, Refusal> {
    match &request[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Refusal::Harness(format!("{name} is not a string"))),
    }
}

fn bytes(request: &Value, name: &str) -> Result<Vec<u8>, Refusal> {
    let bytes = unb64u(text(request, name)?);
    bytes.ok_or_else(|| Refusal::Harness(format!("{name} is not base64url")))
}

fn texts<'r>(request: &'r Value, name: &str) -> Result<Vec<&'r str>, Refusal> {
    let texts = request[name]
        .as_array()
        .and_then(|items| items.iter().map(Value::as_str).collect());
    texts.ok_or_else(|| Refusal::Harness(format!("{name} is not an array of strings")))
}

/// `headers`: pairs of name and value, repeats kept.
fn fields(request: &Value) -> Result<Vec<(&str, &str)>, Refusal> {
    fn pair(field: &Value) -> Option<(&str, &str)> {
        match field.as_array()?.as_slice() {
            [Value::String(name), Value::String(value)] => Some((name, value)),
            _ => None,
        }
    }
    let fields = request["headers"].as_array();
    let fields = fields.and_then(|fields| fields.iter().map(pair).collect());
    fields.ok_or_else(|| Refusal::Harness("headers is not an array of pairs".to_owned()))
}

fn now(request: &Value) -> Result<i64, Refusal> {
    let now = request["now"].as_i64();
    now.ok_or_else(|| Refusal::Harness("now is not a whole number of seconds".to_owned()))
}

fn optional_date(request: &Value, name: &str) -> Result<Option<NumericDate>, Refusal> {
    if request[name].is_null() {
        return Ok(None);
    }
    let date = request[name].as_i64().and_then(NumericDate::from_seconds);
    let wrong = || Refusal::Harness(format!("{name} is not a whole number of seconds"));
    date.map(Some).ok_or_else(wrong)
}

/// `handle`: its kind, and the members that this kind has.
fn handle(value: &Value) -> Result<Handle, Refusal> {
    let name = text(value, "kind")?;
    let kind = HandleKind::from_name(name);
    let kind = kind.ok_or_else(|| Refusal::Harness(format!("no kind {name:?}")))?;
    let part = |name: Option<&'static str>| name.map_or(Ok(""), |name| text(value, name));
    let (scope, own) = kind.parts();
    Ok(Handle::new(kind, part(scope)?, part(own)?))
}

fn requirements(request: &Value) -> Result<Requirements, Refusal> {
    let scopes = match &request["required_scopes"] {
        Value::Null => Requirements::NONE,
        _ => Requirements::scopes(texts(request, "required_scopes")?),
    };
    let requirements = match operation(&request["operation"])? {
        Some(operation) => scopes.with_operation(operation),
        None => scopes,
    };
    let mut requirements = match approved(&request["approved"])? {
        Some(approved) => requirements.with_approved(approved),
        None => requirements,
    };
    if !request["acr_values"].is_null() {
        requirements = requirements.with_acr_values(texts(request, "acr_values")?);
    }
    let presenter = &request["presenter"];
    if !presenter.is_null() {
        let (iss, sub) = (text(presenter, "iss")?, text(presenter, "sub")?);
        requirements = requirements.with_presenter(iss, sub);
    }
    if let Some(nonce) = optional_text(request, "nonce")? {
        requirements = requirements.with_nonce(nonce);
    }
    if let Some(client) = optional_text(request, "client_id")? {
        requirements = requirements.with_client(client);
    }
    if let Some(token) = optional_text(request, "access_token")? {
        requirements = requirements.with_access_token(token);
    }
    if let Some(code) = optional_text(request, "code")? {
        requirements = requirements.with_code(code);
    }
    Ok(requirements)
}

/// `approved`: the whole of what was approved, and by whom.
fn approved(value: &Value) -> Result<Option<ApprovedIntent>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let issuer = text(value, "issuer")?;
    let approved = match (&value["authority_set"], &value["intent"]) {
        (set, Value::Null) => ApprovedIntent::authority_set(issuer, set.to_string()),
        (Value::Null, intent) => ApprovedIntent::intent(issuer, intent.to_string()),
        _ => return Err(Refusal::Harness("approved is one of two".to_owned())),
    };
    Ok(Some(approved?))
}

/// `operation`: what the call is about to do.
fn operation(value: &Value) -> Result<Option<Operation>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let mut operation = Operation::new();
    operation.tool = optional_text(value, "tool")?.map(Box::from);
    operation.resource = optional_text(value, "resource")?.map(Box::from);
    operation.action = optional_text(value, "action")?.map(Box::from);
    operation.scope = optional_text(value, "scope")?.map(Box::from);
    Ok(Some(match &value["arguments"] {
        Value::Null => operation,
        arguments => operation.arguments(arguments.to_string()),
    }))
}
