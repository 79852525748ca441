//! [`Request`]: what a server was sent, as far as possession of its token is judged by it.
//!
//! Fields are pairs, as they came: a mapping has already lost the second of two. Scheme and host
//! are the policy's `public_url`, whatever the request says of them.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr, memchr2};
use x509_parser::asn1_rs::{FromDer as _, Sequence};

use super::Requirements;
use super::ancestry::ContextToken;
use super::state::Door;
use crate::binding::{Proofs, Scheme, Shown};
use crate::error::{Code, Error};
use crate::limits::FIELD_SIZE;
use crate::policy::{Carrier, HeaderField, Kind};

/// What an error about a request's target is about.
const ABOUT_TARGET: &str = "uri";
/// Bytes of such a target that are shown to people.
const SHOWN: usize = 200;

/// A request with a token in it. It borrows everything and costs nothing to make.
///
/// ```
/// use sealgate::Request;
///
/// let fields = [("Authorization", "DPoP eyJ…"), ("DPoP", "eyJ…"), ("Accept", "*/*")];
/// let request = Request::new("POST", "/mcp?session=1").headers(fields);
/// ```
#[derive(Clone, Copy)]
pub struct Request<'r> {
    method: &'r [u8],
    uri: &'r [u8],
    /// In the order of [`HeaderField::ALL`].
    fields: [Field<'r>; HeaderField::ALL.len()],
    certificate: Option<&'r [u8]>,
    context: &'r [ContextToken<'r>],
    /// A token of the content, and the proof that came with it there.
    content: Option<(&'r [u8], Option<&'r [u8]>)>,
}

/// A field of which there may be one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field<'r> {
    Absent,
    Once(&'r [u8]),
    Repeated,
}

impl<'r> Field<'r> {
    fn add(&mut self, value: &'r [u8]) {
        *self = match self {
            Self::Absent => Self::Once(trim(within(value))),
            Self::Once(_) | Self::Repeated => Self::Repeated,
        };
    }
}

/// As much of a field as may be a credential, so that nobody has megabytes searched for commas.
/// What is cut is too long still (JWS-01).
fn within(value: &[u8]) -> &[u8] {
    value.get(..Request::FIELD_SIZE).unwrap_or(value)
}

impl<'r> Request<'r> {
    /// Bytes of a header field that are looked at. Whoever has to copy a value to hand it over need
    /// copy no more.
    pub const FIELD_SIZE: usize = FIELD_SIZE;

    /// The header fields that are looked at, in lower case, for servers' adapters that would rather
    /// leave the others where they are.
    pub const FIELDS: &'static [&'static str] = &HeaderField::NAMES;

    /// A request with this method and this target: path and query as they were sent, or a whole URL
    /// that lies under the gate's `public_url`. Anything else is refused at a gate that has one, as
    /// `malformed_request`.
    #[must_use]
    pub fn new<M, U>(method: &'r M, uri: &'r U) -> Self
    where
        M: AsRef<[u8]> + ?Sized,
        U: AsRef<[u8]> + ?Sized,
    {
        Self {
            method: method.as_ref(),
            uri: uri.as_ref(),
            fields: [Field::Absent; HeaderField::ALL.len()],
            certificate: None,
            context: &[],
            content: None,
        }
    }

    /// The same with one more header field. Only [`Request::FIELDS`] are looked at, in whatever
    /// letter case.
    #[must_use]
    pub fn header<N, V>(mut self, name: &N, value: &'r V) -> Self
    where
        N: AsRef<[u8]> + ?Sized,
        V: AsRef<[u8]> + ?Sized,
    {
        let name = name.as_ref();
        let known = |field: &HeaderField| name.eq_ignore_ascii_case(field.name().as_bytes());
        let mut slots = HeaderField::ALL.iter().zip(&mut self.fields);
        if let Some((_, slot)) = slots.find(|(field, _)| known(field)) {
            slot.add(value.as_ref());
        }
        self
    }

    /// The same with these header fields, each as it came: two of one name stay two.
    #[must_use]
    pub fn headers<N, V>(self, fields: impl IntoIterator<Item = (N, &'r V)>) -> Self
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]> + ?Sized + 'r,
    {
        let fields = fields.into_iter();
        fields.fold(self, |request, (name, value)| request.header(&name, value))
    }

    /// The same over a connection whose client showed this certificate, in DER. Only what the
    /// server's own TLS says belongs here, never a field that the request carries (MTLS-03).
    #[must_use]
    pub const fn client_certificate(mut self, der: &'r [u8]) -> Self {
        self.certificate = Some(der);
        self
    }

    /// The same with further tokens: those that the request's own token comes from, wherever the
    /// program has found them. Which kinds are taken, the gate's `context` says.
    #[must_use]
    pub const fn context(mut self, tokens: &'r [ContextToken<'r>]) -> Self {
        self.context = tokens;
        self
    }

    /// The same with a capability that came in the content of the request, and the proof of this
    /// call that came with it: the last of `aat_chain`, and `aat_pop`. Those that it was derived
    /// from are [`Request::context`]. What the call is about to do is
    /// [`Requirements::with_operation`], the tool and its arguments as they will be used.
    ///
    /// [`Requirements::with_operation`]: crate::Requirements::with_operation
    #[must_use]
    pub fn content<T, P>(mut self, token: &'r T, proof: &'r P) -> Self
    where
        T: AsRef<[u8]> + ?Sized,
        P: AsRef<[u8]> + ?Sized,
    {
        self.content = Some((token.as_ref(), Some(proof.as_ref())));
        self
    }

    /// The same with a grant that came in the content of the request to an authorization server:
    /// its `assertion` (RFC 7523 §4). Where the grant is bound to a key, the client proves that it
    /// has it in the field `DPoP`, for the URL of the token endpoint (IJ-05).
    #[must_use]
    pub fn form<T: AsRef<[u8]> + ?Sized>(mut self, token: &'r T) -> Self {
        self.content = Some((token.as_ref(), None));
        self
    }

    /// The token of this request, and what came with it (AT-11, DP-01, MCP-03).
    pub(super) fn read(&self, door: Door<'_>) -> Result<Presented<'r>, Error> {
        if self.certificate.is_some_and(|der| !is_der(der)) {
            return Err(Error::about(Code::Usage, "client_certificate"));
        }
        if has_token_in_query(self.uri) {
            return Err(Error::about(Code::TokenInQuery, "access_token"));
        }
        let (scheme, token, proofs) = match (door.gate.kind.carrier(), self.content) {
            (Carrier::Authorization, None) => {
                let (scheme, token) = credentials(self.field(HeaderField::Authorization))?;
                (scheme, token, self.proofs(HeaderField::Dpop))
            }
            (Carrier::Field { token, proof }, None) => {
                let own = proof.map_or(Proofs::None, |proof| self.proofs(proof));
                let (scheme, proofs) = match (own, self.proofs(HeaderField::Dpop)) {
                    (Proofs::None, dpop) if self.may_combine(door) && dpop != Proofs::None => {
                        (Scheme::Combined, dpop)
                    }
                    (own, _) => (Scheme::Field, own),
                };
                (scheme, self.sole(token)?, proofs)
            }
            (Carrier::Content, Some((token, Some(proof)))) => {
                (Scheme::Field, token, Proofs::One(proof))
            }
            (Carrier::Content, None) => return Err(Error::about(Code::NoToken, "aat_chain")),
            (Carrier::Form, Some((token, None))) => {
                (Scheme::Form, token, self.proofs(HeaderField::Dpop))
            }
            (Carrier::Form, None) => return Err(Error::about(Code::NoToken, "assertion")),
            (Carrier::Authorization | Carrier::Field { .. }, Some(_))
            | (Carrier::Content, Some((_, None)))
            | (Carrier::Form, Some((_, Some(_)))) => {
                return Err(Error::about(Code::Usage, "content"));
            }
            (Carrier::None, _) => return Err(Error::about(Code::Usage, "request")),
        };
        let own_field = matches!(door.gate.kind.carrier(), Carrier::Field { .. });
        let mut presented = Presented {
            token,
            scheme,
            proofs,
            method: self.method,
            target: self.target(door, scheme)?,
            certificate: self.certificate,
            access_token: None,
            txn_token: None,
            caller: None,
            context: Cow::Borrowed(self.context),
        };
        if door.gate.caller.is_some() {
            let identity = absent_as_none(self.sole(HeaderField::WorkloadIdentityToken))?;
            let proofs = self.proofs(HeaderField::WorkloadProofToken);
            presented.caller = identity.map(|identity| (identity, proofs));
        }
        if own_field {
            presented.access_token = absent_as_none(
                credentials(self.field(HeaderField::Authorization)).map(|(_, token)| token),
            )?;
        } else if door.gate.caller.is_some() {
            presented.access_token = Some(token);
        }
        if own_field || presented.caller.is_some() {
            presented.txn_token = absent_as_none(self.sole(HeaderField::TxnToken))?;
        }
        // The transaction of a request is told in a field, beside its access token.
        if !own_field && door.context(Kind::TxnToken).is_some() {
            let beside = absent_as_none(self.sole(HeaderField::TxnToken))?;
            let beside = beside.map(|token| ContextToken::new(Kind::TxnToken, token));
            if let Some(beside) = beside {
                presented.context.to_mut().push(beside);
            }
        }
        Ok(presented)
    }

    /// ATT-11: whether a DPoP proof may stand for that of an attested client.
    fn may_combine(&self, door: Door<'_>) -> bool {
        let takes_dpop = door.rules().possession.dpop.is_some();
        door.gate.kind == Kind::ClientAttestation && takes_dpop
    }

    /// The URL of the request, normalised, where something is proven for it. What is no path has to
    /// lie under the gate's `public_url` whatever the token is (D8): it was sent to somebody else.
    fn target(&self, door: Door<'_>, scheme: Scheme) -> Result<Option<String>, Error> {
        let Some(origin) = door.origin() else {
            return Ok(None);
        };
        let is_path = self.uri.first() == Some(&b'/');
        if is_path && scheme == Scheme::Bearer && door.gate.caller.is_none() {
            return Ok(None);
        }
        let uri = std::str::from_utf8(self.uri).ok();
        match uri.and_then(|uri| origin.target(uri)) {
            None if !is_path => Err(Error::about(Code::MalformedRequest, ABOUT_TARGET)),
            target => Ok(target),
        }
    }

    /// Of a request that is refused for where it was sent, that beside where the gate is, for
    /// `explain`.
    pub(super) fn misdirected(&self, door: Door<'_>, error: &Error) -> Option<String> {
        if error.code() != Code::MalformedRequest || error.claim() != Some(ABOUT_TARGET) {
            return None;
        }
        let uri = self.uri.get(..SHOWN).unwrap_or(self.uri);
        let uri = String::from_utf8_lossy(uri);
        let public_url = door.gate.public_url.as_deref()?;
        Some(format!(
            "uri is {uri:?}, expected a path, or a URL under {public_url:?}"
        ))
    }

    fn field(&self, field: HeaderField) -> Field<'r> {
        let mut slots = HeaderField::ALL.iter().zip(self.fields);
        let slot = slots.find(|(one, _)| **one == field);
        slot.map_or(Field::Absent, |(_, slot)| slot)
    }

    fn proofs(&self, field: HeaderField) -> Proofs<'r> {
        match self.field(field) {
            Field::Absent => Proofs::None,
            Field::Once(proof) => Proofs::One(proof),
            Field::Repeated => Proofs::Several,
        }
    }

    /// The one token of a field of its own (WPT-01, ATT-01).
    fn sole(&self, field: HeaderField) -> Result<&'r [u8], Error> {
        let name = field.name();
        match self.field(field) {
            Field::Absent => Err(Error::about(Code::NoToken, name)),
            Field::Once(b"") => Err(Error::about(Code::MalformedRequest, name)),
            Field::Once(token) if memchr(b',', token).is_none() => Ok(token),
            Field::Once(_) | Field::Repeated => Err(Error::about(Code::MultipleCredentials, name)),
        }
    }
}

/// Of a field that need not be there, its token.
fn absent_as_none(token: Result<&[u8], Error>) -> Result<Option<&[u8]>, Error> {
    match token {
        Ok(token) => Ok(Some(token)),
        Err(error) if error.code() == Code::NoToken => Ok(None),
        Err(error) => Err(error),
    }
}

/// The method only: the rest is a stranger's, or a credential.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &String::from_utf8_lossy(self.method))
            .finish_non_exhaustive()
    }
}

/// A request's token and what came with it.
pub(super) struct Presented<'r> {
    pub(super) token: &'r [u8],
    pub(super) context: Cow<'r, [ContextToken<'r>]>,
    scheme: Scheme,
    proofs: Proofs<'r>,
    method: &'r [u8],
    target: Option<String>,
    certificate: Option<&'r [u8]>,
    access_token: Option<&'r [u8]>,
    txn_token: Option<&'r [u8]>,
    /// The identity of the caller beside the token, and its proof.
    caller: Option<(&'r [u8], Proofs<'r>)>,
}

impl Presented<'_> {
    /// What came with the token, for this call.
    pub(super) fn shown_for<'s>(&'s self, requirements: &'s Requirements) -> Shown<'s> {
        Shown {
            called: requirements.called(),
            ..self.shown()
        }
    }

    /// The identity of the caller, and what came with it.
    pub(super) fn caller(&self) -> Option<(&[u8], Shown<'_>)> {
        let (identity, proofs) = self.caller?;
        let shown = Shown {
            scheme: Scheme::Field,
            proofs,
            ..self.shown()
        };
        Some((identity, shown))
    }

    fn shown(&self) -> Shown<'_> {
        Shown {
            scheme: self.scheme,
            proofs: self.proofs,
            method: self.method,
            target: self.target.as_deref(),
            certificate: self.certificate,
            access_token: self.access_token,
            txn_token: self.txn_token,
            called: None,
        }
    }
}

/// Whether these bytes are one DER SEQUENCE to the last, as a certificate is (RFC 5280 §4.1): PEM
/// is not, nor what was cut. What it says is between the server's TLS and the client; here its hash
/// counts.
fn is_der(certificate: &[u8]) -> bool {
    matches!(Sequence::from_der(certificate), Ok(([], _)))
}

/// Scheme and token of `Authorization` (RFC 9110 §11.4, RFC 6750 §2.1, RFC 9449 §7.1). Nobody comes
/// without one (MCP-09).
fn credentials(field: Field<'_>) -> Result<(Scheme, &[u8]), Error> {
    const NAME: &str = "authorization";
    let value = match field {
        Field::Absent => return Err(Error::about(Code::NoToken, NAME)),
        Field::Repeated => return Err(Error::about(Code::MultipleCredentials, NAME)),
        Field::Once(value) => value,
    };
    let end = memchr(b' ', value).unwrap_or(value.len());
    let (scheme, token) = value.split_at_checked(end).unwrap_or((value, b""));
    let scheme = if scheme.eq_ignore_ascii_case(b"bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case(b"dpop") {
        Scheme::Dpop
    } else {
        return Err(Error::about(Code::NoToken, NAME)); // a credential of another kind
    };
    let token = trim(token);
    if memchr(b',', token).is_some() {
        // Two fields that somebody on the way has made one.
        return Err(Error::about(Code::MultipleCredentials, NAME));
    }
    if token.is_empty() || memchr2(b' ', b'\t', token).is_some() {
        return Err(Error::about(Code::MalformedRequest, NAME));
    }
    Ok((scheme, token))
}

/// Whether the query has a parameter `access_token` (RFC 6750 §2.3), however it is escaped.
fn has_token_in_query(uri: &[u8]) -> bool {
    let Some(start) = memchr(b'?', uri) else {
        return false;
    };
    let query = uri.get(start.saturating_add(1)..).unwrap_or_default();
    query.split(|byte| *byte == b'&').any(|parameter| {
        let name = parameter.split(|byte| *byte == b'=').next();
        unescaped(name.unwrap_or_default()).eq(*b"access_token")
    })
}

/// The octets that percent-encoding stands for; what is no escape stands for itself.
fn unescaped(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let digit = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        if let [b'%', high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            rest = after;
            return Some(high << 4 | low);
        }
        let (first, after) = rest.split_first()?;
        rest = after;
        Some(*first)
    })
}

/// Without the space around a field's value (RFC 9110 §5.5).
fn trim(value: &[u8]) -> &[u8] {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !space(byte));
    let end = value.iter().rposition(|byte| !space(byte));
    match (start, end) {
        (Some(start), Some(end)) => value.get(start..=end).unwrap_or_default(),
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, HeaderField, Request, credentials, has_token_in_query};
    use crate::binding::Scheme;
    use crate::error::Code;

    fn read(values: &[&str]) -> Result<(bool, String), Code> {
        let fields = values.iter().map(|value| ("AUTHORIZATION", *value));
        let request = Request::new("GET", "/").headers(fields);
        credentials(request.field(HeaderField::Authorization))
            .map(|(scheme, token)| {
                let token = String::from_utf8(token.to_vec()).unwrap();
                (scheme == Scheme::Dpop, token)
            })
            .map_err(|error| error.code())
    }

    #[test]
    fn one_scheme_and_one_token() {
        let token = |dpop, token: &str| Ok((dpop, token.to_owned()));
        assert_eq!(read(&["Bearer a.b.c"]), token(false, "a.b.c"));
        assert_eq!(read(&[" bEARER   a.b.c \t"]), token(false, "a.b.c"));
        assert_eq!(read(&["DPoP a.b.c"]), token(true, "a.b.c"));
        assert_eq!(read(&["dpop x"]), token(true, "x"));
        for none in [&[][..], &[""], &["Basic abc"], &["a.b.c"], &["BearerX a"]] {
            assert_eq!(read(none), Err(Code::NoToken), "{none:?}");
        }
        for wrong in ["Bearer", "Bearer ", "Bearer a b", "DPoP a\tb"] {
            assert_eq!(read(&[wrong]), Err(Code::MalformedRequest), "{wrong}");
        }
        for two in [
            &["Bearer a", "Bearer a"][..],
            &["Bearer a", "DPoP a"],
            &["Bearer a, Bearer b"],
            &["Bearer a,b"],
        ] {
            assert_eq!(read(two), Err(Code::MultipleCredentials), "{two:?}");
        }
    }

    #[test]
    fn the_fields_that_are_looked_at_are_listed() {
        for (name, field) in Request::FIELDS.iter().zip(HeaderField::ALL) {
            let request = Request::new("GET", "/").header(&name.to_uppercase(), "x");
            assert!(request.field(field) == Field::Once(b"x"), "{name}");
        }
    }

    #[test]
    fn other_fields_are_not_looked_at() {
        let request = Request::new("GET", "/").header("X-Authorization", "Bearer a");
        assert!(request.fields == [Field::Absent; HeaderField::ALL.len()]);
        assert_eq!(format!("{request:?}"), "Request { method: \"GET\", .. }");
    }

    #[test]
    fn a_token_in_the_query_is_found_however_it_is_escaped() {
        for uri in [
            "/?access_token=x",
            "/a?b=1&access_token",
            "/?access%5ftoken=x",
            "https://a.example/?%61ccess_token=x",
        ] {
            assert!(has_token_in_query(uri.as_bytes()), "{uri}");
        }
        for uri in [
            "/access_token=x",
            "/?q=access_token",
            "/?access_tokens=x",
            "/?access_token%=x",
            "/?",
        ] {
            assert!(!has_token_in_query(uri.as_bytes()), "{uri}");
        }
    }
}
