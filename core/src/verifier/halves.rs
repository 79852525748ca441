//! The line of `explain` that refuses: what the token says beside what was expected. It shows claim
//! values.

use super::Requirements;
use super::malformed;
use super::proof;
use super::seen::Seen;
use super::state::Door;
use crate::binding;
use crate::claims::Claim;
use crate::delegation;
use crate::encoding::json::{JsonKind, Value};
use crate::error::{ACTIVE, Code, Error};
use crate::jwa::Algorithm;
use crate::limits::{HEADER_SIZE, KID_SIZE};
use crate::policy::{
    Delegation, DelegationRules, Form, GateRules, IssuerRules, Presence, Profile, Row,
};
use crate::time::NumericDate;

/// Names of one issuer's keys that fit on a line.
const KEYS_SHOWN: usize = 5;
/// Characters of a stranger's value that do.
const VALUE_SHOWN: usize = 200;

pub(super) struct Halves<'a, 't> {
    pub(super) door: Door<'a>,
    pub(super) seen: &'a Seen<'t>,
    pub(super) requirements: &'a Requirements,
    pub(super) now: NumericDate,
    /// What the gate expects, as [`Advice::expected`](super::Advice::expected) has it.
    pub(super) expected: &'a [String],
}

impl Halves<'_, '_> {
    /// The line; `None` where there is nothing to set beside one another.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other codes compare nothing"
    )]
    pub(super) fn line(&self, error: &Error) -> Option<String> {
        let claim = error.claim();
        match error.code() {
            Code::MalformedToken if claim == Some(Claim::AuthorizationDetails.name()) => {
                self.wrong_type(claim?)
            }
            Code::MalformedToken if claim != Some(ACTIVE) => malformed::cause(self.seen.token),
            Code::Oversized => Some(self.oversized(claim)),
            Code::NestingTooDeep => {
                let depth = self.door.rules().limits.json_depth;
                Some(format!(
                    "{}: nested deeper than {depth} (limits.max_json_depth)",
                    self.segment()
                ))
            }
            Code::DuplicateMember => Some(format!("in the {}", self.segment())),
            Code::UnsupportedCrit => self.critical(),
            Code::AlgNotAllowed => Some(self.parameter("alg")),
            Code::TypMismatch => Some(self.parameter("typ")),
            Code::KeyNotFound | Code::KeysRefreshing => self.key(),
            Code::MissingClaim => self.missing(claim),
            Code::ClaimType => self.wrong_type(claim?),
            Code::ForbiddenClaim => self.forbidden(),
            Code::WrongTokenKind => self.wrong_kind(claim),
            Code::AudMismatch if claim == Some("azp") => {
                Some(self.compare(Claim::Azp, &self.door.gate.audience))
            }
            Code::AudMismatch => Some(self.compare(Claim::Aud, &self.door.gate.audience)),
            Code::IssUntrusted => {
                let claim = if claim == Some("sub") {
                    Claim::Sub
                } else {
                    Claim::Iss
                };
                Some(self.compare(claim, self.expected))
            }
            Code::Expired | Code::NotYetValid | Code::IssuedInFuture => self.date(claim?),
            Code::TooOld => self.age(),
            Code::LifetimeTooLong => self.lifetime(),
            Code::ActorMissing => Some(format!(
                "no act, and {}.actor is \"required\"",
                self.delegation()
            )),
            Code::ChainTooDeep => Some(format!(
                "act has {} actors, at most {}",
                self.actors().count(),
                self.gate().delegation.max_depth()
            )),
            Code::ChainLoop => Some(format!("act names {}", self.chain())),
            Code::ActorNotAllowed => Some(self.not_allowed()),
            Code::ActorPresenterMismatch => self.presenter(),
            Code::IntentMismatch => self.tasks(),
            Code::OperationDenied => self.operation(claim?),
            Code::PopInvalid | Code::NonceRequired | Code::Replayed => self.proof(claim?),
            Code::Revoked => Some(self.revoked(claim?)),
            Code::InsufficientScope => Some(self.scope()),
            Code::InsufficientUserAuthentication => self.sign_in(claim?),
            _ => None,
        }
    }

    fn gate(&self) -> &GateRules {
        self.door.gate
    }

    fn row(&self) -> Option<&'static Row> {
        Some(self.seen.source.as_ref()?.profile.row())
    }

    fn issuer(&self) -> Option<&IssuerRules> {
        self.door.issuer(self.seen.source.as_ref()?).ok()
    }

    /// Which segment is at fault, where one of the two did not parse.
    fn segment(&self) -> &'static str {
        if self.seen.header.is_none() {
            "header"
        } else {
            "payload"
        }
    }

    fn oversized(&self, about: Option<&str>) -> String {
        let limits = self.door.rules().limits;
        let token = self.seen.token;
        let header = token.split(|byte| *byte == b'.').next().unwrap_or_default();
        if token.len() > limits.token_size {
            return format!(
                "{} bytes, at most {} (limits.max_token_size)",
                token.len(),
                limits.token_size
            );
        }
        if header.len() > HEADER_SIZE {
            return format!(
                "the header has {} bytes, at most {HEADER_SIZE}",
                header.len()
            );
        }
        if about == Some("kid") {
            return format!("kid has more than {KID_SIZE} bytes");
        }
        format!(
            "{}: a string of more than {} bytes (limits.max_string_size), or more than {} members \
             in one array or object (limits.max_array_members)",
            self.segment(),
            limits.string_size,
            limits.array_members
        )
    }

    fn critical(&self) -> Option<String> {
        let names = self.seen.parameter("crit").and_then(|crit| crit.as_array());
        match names {
            Some(names) => {
                let names: Vec<&str> = names.map(|name| shown(Some(name))).collect();
                Some(format!("crit lists {}", listed(&names, "nothing")))
            }
            None => Some(format!("b64 is {}", shown(self.seen.parameter("b64")))),
        }
    }

    fn parameter(&self, name: &str) -> String {
        let ours = listed(self.expected, "nothing");
        format!(
            "{name} is {}, expected {ours}",
            shown(self.seen.parameter(name))
        )
    }

    fn key(&self) -> Option<String> {
        let source = self.seen.source.as_ref()?;
        let issuer = self.issuer()?;
        let set = self.door.state.keys.set(source.position)?;
        let kids: Vec<String> = set
            .iter()
            .map(|key| {
                key.kid()
                    .map_or_else(|| "one without kid".to_owned(), |kid| format!("{kid:?}"))
            })
            .collect();
        let mut names = kids
            .iter()
            .take(KEYS_SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if let Some(more) = kids.len().checked_sub(KEYS_SHOWN).filter(|more| *more > 0) {
            names += &format!(" and {more} more");
        }
        let kid = shown(self.seen.parameter("kid"));
        Some(format!(
            "kid is {kid}, the keys of {} are {names}",
            issuer.name
        ))
    }

    /// Every claim that is missing, not the first alone.
    fn missing(&self, about: Option<&str>) -> Option<String> {
        if about == Some("kid") {
            return Some(self.headerless());
        }
        let claims = self.seen.claims.as_ref()?;
        let row = match self.row() {
            Some(row) => row,
            None => self.gate().issuers.first()?.profile.row(),
        };
        let required = row.required;
        let gone = Claim::ALL.iter().filter(|claim| {
            let wanted = required.contains(**claim)
                || (**claim == Claim::Iat && self.gate().max_age.is_some());
            wanted && !claims.present().contains(**claim)
        });
        let mut names: Vec<&str> = gone.map(|claim| self.seen.name_of(*claim)).collect();
        for name in row.own_names(Presence::Required) {
            if claims.other(name).is_none() {
                names.push(name);
            }
        }
        let own = self.gate().required_claims.iter();
        let null = |name: &str| {
            let value = claims.json().root().get(name);
            value.is_none_or(|value| value.kind() == JsonKind::Null)
        };
        names.extend(own.map(|name| &**name).filter(|name| null(name)));
        if names.is_empty() {
            return self.missing_inside(row, about?);
        }
        Some(format!("missing: {}", names.join(", ")))
    }

    /// What the rules of single rows miss.
    fn missing_inside(&self, row: &Row, about: &str) -> Option<String> {
        Some(match (row.profile, about) {
            (Profile::LogoutToken, _) => {
                "sub and sid are missing, one of which must be there".to_owned()
            }
            (Profile::IntentToken, "intent") if !self.seen.has(about) => {
                "intent and mission are missing, one of which must be there".to_owned()
            }
            (Profile::IntentToken, _) => {
                format!("{about} lacks id, issuer or its hash")
            }
            (_, "cnf") => "cnf has no jwk, or its jwk no alg".to_owned(),
            (_, "iss") => format!(
                "iss is missing, and gates.{} has more issuers than one, or the token an act",
                self.gate().name
            ),
            _ => format!("missing: {about}"),
        })
    }

    fn headerless(&self) -> String {
        let name = self.row().map_or("this kind", |row| row.name);
        format!("the header has no kid, and that of {name} must")
    }

    fn wrong_type(&self, name: &str) -> Option<String> {
        let Some(claim) = Claim::from_name(name) else {
            return self.wrong_own(name);
        };
        let value = self.seen.claim(claim)?;
        let profile = self.gate().kind.row().profile;
        let belongs = match (claim, profile) {
            (Claim::Sub, Profile::IdToken) if is_text(value) => "ASCII of at most 255 bytes",
            (Claim::Sub, Profile::JwtSvid) if is_text(value) => "a SPIFFE ID",
            (Claim::Sub, Profile::Wit) if is_text(value) => "a workload identifier with a path",
            (Claim::Cnf, _) if value.kind() == JsonKind::Object => {
                "an object with a public key as its jwk, of an algorithm the issuer may use,"
            }
            (Claim::Events, Profile::Set) => "an object of one event, itself an object,",
            (Claim::Exp, Profile::Capability) if value.kind() == JsonKind::Number => {
                "a time after iat"
            }
            (Claim::AuthorizationDetails, Profile::Capability) => {
                "one entry of type attenuating_agent_token with tools and their constraints"
            }
            (Claim::TokenIntrospection, _) if value.kind() == JsonKind::Object => {
                "an object with active, and well-formed claims,"
            }
            _ => definition(claim),
        };
        Some(format!(
            "{} is {} ({}), where {belongs} belongs",
            self.seen.name_of(claim),
            shown(Some(value)),
            kind(value)
        ))
    }

    /// A claim of the kind's own.
    fn wrong_own(&self, name: &str) -> Option<String> {
        let value = self.seen.claims.as_ref()?.other(name)?;
        let own = self.row()?.own.iter().find(|own| own.name == name)?;
        let belongs = match own.form {
            Form::Any => "something else",
            Form::Text => "a string that is not empty",
            Form::Texts => "a string or an array of strings",
            Form::Count => "a whole number, 0 or more,",
            Form::Date => "a number of seconds since 1970",
            Form::Object if value.kind() == JsonKind::Object => "an object with the right members",
            Form::Object => "an object",
            Form::Sha256 => "a SHA-256 hash as base64url",
        };
        let (text, kind) = (shown(Some(value)), kind(value));
        Some(format!(
            "{name} is {text} ({kind}), where {belongs} belongs"
        ))
    }

    fn forbidden(&self) -> Option<String> {
        let (claims, row) = (self.seen.claims.as_ref()?, self.row()?);
        let there = Claim::ALL
            .iter()
            .filter(|claim| row.forbidden.contains(**claim) && claims.written().contains(**claim));
        let mut names: Vec<&str> = there.map(|claim| self.seen.name_of(*claim)).collect();
        for name in row.own_names(Presence::Forbidden) {
            if self.seen.has(name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            return Some(
                "a string in tctx or rctx looks like a token, and must be none".to_owned(),
            );
        }
        Some(format!(
            "has {}, which {} never has",
            names.join(", "),
            row.name
        ))
    }

    fn wrong_kind(&self, about: Option<&str>) -> Option<String> {
        let row = self.row()?;
        match about {
            Some("header") => Some(format!(
                "the header of {} has alg, kid and typ alone",
                row.name
            )),
            Some("del_depth") => Some(format!(
                "del_depth is {}: a child is verified with its parents",
                shown(self.seen.claim(Claim::DelDepth))
            )),
            Some("sub") => Some(format!(
                "sub is {}, iss is {}: they must be one",
                shown(self.seen.claim(Claim::Sub)),
                shown(self.seen.claim(Claim::Iss))
            )),
            Some(_) => None,
            None => {
                let together = Claim::ALL
                    .iter()
                    .filter(|claim| row.forbidden_together.contains(**claim));
                let names: Vec<&str> = together.map(|claim| self.seen.name_of(*claim)).collect();
                Some(format!(
                    "has {} together, which {} never has",
                    names.join(" and "),
                    row.name
                ))
            }
        }
    }

    /// A claim of one value or several beside ours, and where two of them nearly meet.
    fn compare(&self, claim: Claim, ours: &[impl AsRef<str>]) -> String {
        let value = self.seen.claim(claim);
        let theirs: Vec<&str> = match value.and_then(|value| value.as_array()) {
            Some(members) => members.filter_map(|member| member.as_str()).collect(),
            None => value.and_then(|value| value.as_str()).into_iter().collect(),
        };
        let mut line = format!(
            "{} is {}, expected {}",
            self.seen.name_of(claim),
            shown(value),
            listed(ours, "nothing")
        );
        let pairs = theirs
            .iter()
            .flat_map(|theirs| ours.iter().map(move |ours| (*theirs, ours.as_ref())));
        if let Some((theirs, difference)) = pairs
            .clone()
            .find_map(|(theirs, ours)| Some((theirs, nearly(theirs, ours)?)))
        {
            let which = if theirs.len() > VALUE_SHOWN {
                "one of them"
            } else {
                theirs
            };
            line += &format!(": {which:?} has {difference}");
        } else if pairs.clone().any(|(theirs, ours)| theirs == ours) {
            line += ": beside ours it names others";
        }
        line
    }

    fn date(&self, name: &str) -> Option<String> {
        let claim = Claim::from_name(name)?;
        let at = self.seen.claims.as_ref()?.date(claim)?;
        let what = if claim == Claim::Exp {
            "expired"
        } else if claim == Claim::Nbf {
            "valid"
        } else {
            "issued"
        };
        let leeway = self.door.rules().leeway;
        Some(format!(
            "{what} {}, leeway {}",
            self.now.relative(at),
            leeway.in_words()
        ))
    }

    fn age(&self) -> Option<String> {
        let issued = self.seen.claims.as_ref()?.date(Claim::Iat)?;
        let caps = [self.gate().max_age, self.row()?.max_age];
        let cap = caps.into_iter().flatten().min()?;
        let leeway = self.door.rules().leeway;
        Some(format!(
            "issued {}, at most {} old, leeway {}",
            self.now.relative(issued),
            cap.in_words(),
            leeway.in_words()
        ))
    }

    fn lifetime(&self) -> Option<String> {
        let claims = self.seen.claims.as_ref()?;
        let expires = claims.date(Claim::Exp)?;
        let own = self.seen.source.as_ref()?.max_lifetime;
        let cap = self.gate().max_lifetime(own, claims);
        Some(match claims.date(Claim::Iat) {
            Some(issued) if cap.is_some_and(|cap| expires.since(issued) > cap) => format!(
                "lives {} (exp - iat), at most {}",
                expires.since(issued).in_words(),
                cap?.in_words()
            ),
            _ if self.row()?.profile == Profile::IntentToken => {
                "exp is later than the expires_at of what was approved".to_owned()
            }
            Some(_) => return None,
            None => {
                let caps = [cap, self.gate().max_age, self.row()?.max_age];
                format!(
                    "lives {} from now and has no iat, at most {}",
                    expires.since(self.now).in_words(),
                    caps.into_iter().flatten().min()?.in_words()
                )
            }
        })
    }

    fn proof(&self, about: &str) -> Option<String> {
        let rules = self.door.rules();
        let request = self.seen.shown.as_ref()?;
        let form = binding::form(self.gate().kind, &rules.possession)?;
        proof::line(request, about, self.now, form, rules.leeway)
    }

    /// Links of `act`, as far as they are objects.
    fn actors(&self) -> impl Iterator<Item = Value<'_>> {
        let first = self.seen.claim(Claim::Act);
        std::iter::successors(first, |link| link.get("act"))
    }

    /// The `sub` of each link, outermost first, then the subject's.
    fn chain(&self) -> String {
        let links = self.actors().map(|link| shown(link.get("sub")));
        let subject = shown(self.seen.claim(Claim::Sub));
        links.chain([subject]).collect::<Vec<_>>().join(" ← ")
    }

    fn delegation(&self) -> String {
        let rules = self.gate().delegation.rules();
        format!("delegation.{}", rules.map_or("…", |rules| &rules.name))
    }

    fn not_allowed(&self) -> String {
        let gate = self.gate();
        match gate.delegation {
            Delegation::Forbid | Delegation::Surface => format!(
                "act names {}, and gates.{}.delegation is \"forbid\"",
                counted(self.actors().count(), "actor"),
                gate.name
            ),
            Delegation::Enforce(ref rules) => {
                let why = self.misfits(rules).unwrap_or_default();
                let why = if why.is_empty() {
                    "no allow rule".to_owned()
                } else {
                    why.join(", ")
                };
                format!("act names {}; {}: {why}", self.chain(), self.delegation())
            }
        }
    }

    fn misfits(&self, rules: &DelegationRules) -> Option<Vec<String>> {
        let (claims, issuer) = (self.seen.claims.as_ref()?, self.issuer()?);
        let preset = self.door.rules().preset;
        let source = self.seen.source.as_ref()?;
        let kind = source.profile.kind();
        let chain = delegation::read(claims, issuer, kind, preset, rules.max_depth).ok()?;
        let iss = source.issuer(claims, issuer);
        Some(delegation::misfits(&chain, claims, iss, rules))
    }

    fn presenter(&self) -> Option<String> {
        let presenter = self.requirements.presenter()?;
        let actor = self.actors().next()?;
        Some(format!(
            "the caller is {:?} of {:?}, the outermost actor {} of {}",
            presenter.sub,
            presenter.iss,
            shown(actor.get("sub")),
            shown(actor.get("iss"))
        ))
    }

    /// By which of its names the token was revoked. Tasks stand where the gate's pointers say.
    fn revoked(&self, about: &str) -> String {
        let value = match about {
            "act" => self.chain(),
            "kid" => shown(self.seen.parameter("kid")).to_owned(),
            _ => match Claim::from_name(about) {
                Some(claim) => shown(self.seen.claim(claim)).to_owned(),
                None => return self.tasks().unwrap_or_default(),
            },
        };
        format!("{about} is {value}, which was revoked")
    }

    /// The tasks that the token names, beside which another stands or should.
    fn tasks(&self) -> Option<String> {
        let claims = self.seen.claims.as_ref()?;
        let named = delegation::tasks(claims, &self.gate().intent);
        let named: Vec<String> = named
            .map(|(kind, _, id)| format!("{} {id:?}", kind.as_str()))
            .collect();
        Some(match named.as_slice() {
            [] => "the token names no mission, intent or workflow".to_owned(),
            tasks => format!("the token names {}, and not only that", tasks.join(", ")),
        })
    }

    /// What was to be done, beside what bounds it.
    fn operation(&self, about: &str) -> Option<String> {
        let operation = self.requirements.operation.as_ref()?;
        let told = [
            ("tool", &operation.tool),
            ("resource", &operation.resource),
            ("action", &operation.action),
        ];
        let told = told
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.as_deref()?)));
        let told: Vec<String> = told
            .map(|(name, text)| format!("{name} {text:?}"))
            .collect();
        let bounds = match Claim::from_name(about) {
            Some(Claim::AuthorizationDetails) => {
                let details = shown(self.seen.claim(Claim::AuthorizationDetails));
                format!("no entry of authorization_details permits it: {details}")
            }
            Some(Claim::Act) => format!("no rule of {} lets the agent", self.delegation()),
            _ => format!("beyond what was approved ({about})"),
        };
        Some(format!("{}: {bounds}", told.join(", ")))
    }

    fn scope(&self) -> String {
        let value = self.seen.claim(Claim::Scope);
        let needed = super::advice::scopes(self.gate(), self.requirements);
        let claims = self.seen.claims.as_ref();
        let lacks = |scope: &&String| {
            claims.is_none_or(|claims| !super::authority::has_scope(claims, self.gate(), scope))
        };
        let missing: Vec<&str> = needed.iter().filter(lacks).map(String::as_str).collect();
        format!(
            "{} is {}, needed are {}: missing {}",
            self.seen.name_of(Claim::Scope),
            shown(value),
            needed.join(" "),
            missing.join(" ")
        )
    }

    fn sign_in(&self, name: &str) -> Option<String> {
        if name == "acr" {
            let values: Vec<&str> = [&self.gate().acr_values, &self.requirements.acr_values]
                .into_iter()
                .flatten()
                .map(|value| &**value)
                .collect();
            let acr = shown(self.seen.claim(Claim::Acr));
            return Some(format!(
                "acr is {acr}, expected {}",
                listed(&values, "nothing")
            ));
        }
        let at = self.seen.claims.as_ref()?.date(Claim::AuthTime);
        let age = self.requirements.max_age?.in_words();
        Some(match at {
            Some(at) => format!("signed in {}, at most {age} ago", self.now.relative(at)),
            None => format!("auth_time is absent, at most {age} ago"),
        })
    }
}

/// The source text of a value, cut where it is long.
pub(super) fn shown(value: Option<Value<'_>>) -> &str {
    let raw = value.map_or("absent", Value::raw);
    let end = raw.char_indices().nth(VALUE_SHOWN);
    end.map_or(raw, |(end, _)| raw.get(..end).unwrap_or(raw))
}

/// `"a" or "b"`; `nothing` for none.
fn listed(texts: &[impl AsRef<str>], nothing: &str) -> String {
    let quoted = |text: &str| {
        if text.starts_with('"') || Algorithm::from_name(text).is_some() {
            text.to_owned()
        } else {
            format!("{text:?}")
        }
    };
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    match texts.as_slice() {
        [] => nothing.to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// What tells two texts apart that differ in little.
fn nearly(theirs: &str, ours: &str) -> Option<String> {
    if theirs == ours {
        return None;
    }
    if theirs.strip_suffix('/') == Some(ours) {
        return Some("one \"/\" more".to_owned());
    }
    if ours.strip_suffix('/') == Some(theirs) {
        return Some("one \"/\" less".to_owned());
    }
    if theirs.trim() == ours {
        return Some("a space more".to_owned());
    }
    if theirs.eq_ignore_ascii_case(ours) {
        return Some("other letter case".to_owned());
    }
    let (scheme, rest) = theirs.split_once("://")?;
    let (own, own_rest) = ours.split_once("://")?;
    (rest == own_rest).then(|| format!("{scheme} for {own}"))
}

fn is_text(value: Value<'_>) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn kind(value: Value<'_>) -> &'static str {
    match value.kind() {
        JsonKind::Null => "null",
        JsonKind::Bool => "a boolean",
        JsonKind::Number => "a number",
        JsonKind::String => "a string",
        JsonKind::Array => "an array",
        JsonKind::Object => "an object",
    }
}

/// What its definition allows a claim to be.
fn definition(claim: Claim) -> &'static str {
    match claim {
        Claim::Exp | Claim::Nbf | Claim::Iat | Claim::AuthTime => "a number of seconds since 1970",
        Claim::Aud => "a string or an array of strings",
        Claim::Scope => "a string of scopes with one space between",
        Claim::Cnf | Claim::Events | Claim::Status | Claim::Act | Claim::TokenIntrospection => {
            "an object"
        }
        Claim::DelDepth => "a whole number, 0 or more,",
        Claim::AuthorizationDetails => "an array of objects, each with a type",
        Claim::Iss | Claim::Sub | Claim::Jti | Claim::ClientId | Claim::Txn | Claim::ReqWl => {
            "a string that is not empty"
        }
        Claim::Acr | Claim::Azp | Claim::Sid | Claim::Nonce | Claim::AtHash => "a string",
    }
}
