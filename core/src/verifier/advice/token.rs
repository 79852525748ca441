//! What to do about a token that is not as this gate takes it: its form, its kind, its claims, its
//! times.

use super::{Context, scopes};
use crate::claims::Claim;
use crate::error;
use crate::policy::{Kind, Profile, TypRule};

impl Context<'_> {
    /// Where to look for who revoked it.
    pub(super) fn revoked(&self) -> String {
        let whose = match self.rules.revocation.shared() {
            Some(_) => "Who revoked what, and why: `sealgate revocations list --match`",
            None => "This process alone remembers who revoked what, as its program has told it",
        };
        format!("{whose}; a new token of the same chain will be refused too.")
    }

    pub(super) fn malformed(&self, about: Option<&str>) -> String {
        match about {
            Some(error::HEADER | error::PAYLOAD) => {
                return "Whoever made the token wrote no JSON object there as RFC 8259 has it: look at it \
                        with `sealgate explain`."
                    .into();
            }
            Some(error::ACTIVE) => {
                return format!(
                    "The introspection endpoint of {} must answer active: true or false (RFC 7662 \
                     §2.2); look at what it answers.",
                    self.name()
                );
            }
            Some(about) => {
                return format!(
                    "Whoever made the token writes {about} in a form its definition does not allow."
                );
            }
            None => {}
        }
        match self.call.seen.map(|seen| seen.token) {
            Some(token) if token.starts_with(b"Bearer ") => {
                "Pass only what follows \"Bearer \".".into()
            }
            Some(_) => {
                "Look at how the token comes here: it was cut, changed, or is no JWT.".into()
            }
            None => "If it begins with \"Bearer \", pass only what follows.".into(),
        }
    }

    pub(super) fn algorithm(&self) -> String {
        let allowed = self.algorithms().join(" ");
        let named = self
            .call
            .seen
            .and_then(|seen| seen.parameter("alg")?.as_str());
        if named.is_some_and(|alg| alg.eq_ignore_ascii_case("none")) {
            return format!(
                "Allowed: {allowed}. There is no switch for none: such a token is signed by nobody."
            );
        }
        format!(
            "Allowed: {allowed}. Add one only if the issuer's metadata announces it; there is no \
             switch for none."
        )
    }

    pub(super) fn kind_of_token(&self) -> String {
        let (gate, name, table) = (&self.gate.name, self.name(), self.table());
        let expected = format!("Expected typ {}.", self.typ().join(" or "));
        match self.gate.kind {
            Kind::JwtCustom | Kind::IntentToken => {
                format!("{expected} gates.{gate}.typ says which.")
            }
            Kind::AccessToken => {
                let typed = self
                    .row
                    .is_none_or(|row| row.profile == Profile::AccessToken);
                let typ = self.call.seen.map(|seen| seen.parameter("typ"));
                let own = typ.flatten().and_then(|typ| typ.as_str());
                if own.is_some_and(is_of_nobody) {
                    return format!(
                        "{expected} This typ is one of {name}'s own: take such tokens at a gate of \
                         profile = \"jwt_custom\" that names it as its typ."
                    );
                }
                if typed {
                    format!(
                        "{expected} If {name} sends its access tokens as JWT, say so: \
                         {table}.profiles = [\"access_token_untyped\"]. If it is an ID token, send \
                         the access token."
                    )
                } else {
                    format!(
                        "{expected} If {name} sends its access tokens as at+jwt, say so: \
                         {table}.profiles = [\"access_token\"]."
                    )
                }
            }
            Kind::IdToken
            | Kind::LogoutToken
            | Kind::ClientAssertion
            | Kind::JwtBearerGrant
            | Kind::JwtSvid
            | Kind::IdJag
            | Kind::ClientAttestation
            | Kind::TxnToken
            | Kind::Wit
            | Kind::Capability
            | Kind::ActorProof
            | Kind::Set
            | Kind::StatusListToken
            | Kind::IntrospectionResponse
            | Kind::AgentCard => {
                format!(
                    "{expected} Gate {gate} takes {} alone.",
                    self.gate.kind.as_str()
                )
            }
        }
    }

    pub(super) fn missing(&self, about: Option<&str>) -> String {
        let table = self.table();
        let alias = match about {
            Some("aud") if self.gate.kind == Kind::AccessToken && self.sees("client_id") => {
                Some("aud = \"client_id\"")
            }
            Some("client_id") if self.sees("azp") => Some("client_id = \"azp\""),
            _ => None,
        };
        let about = about.unwrap_or("what required_claims lists");
        match alias {
            Some(alias) => format!(
                "The issuer must put {about} in; if it writes it elsewhere, say so: \
                 [{table}.claim_names] {alias}."
            ),
            None if matches!(about, "scope" | "client_id" | "aud") => format!(
                "The issuer must put {about} in; for names of its own see [{table}.claim_names]."
            ),
            None => format!("The issuer must put {about} in."),
        }
    }

    pub(super) fn audience(&self) -> String {
        if self.gate.audience.is_empty() {
            return format!(
                "Gate {} has no audience, and so takes tokens that are for nobody in particular. \
                 If this one is for you, write its aud as gates.{}.audience.",
                self.gate.name, self.gate.name
            );
        }
        format!(
            "Gate {} expects {}. Ask the issuer for it with resource= (RFC 8707) or audience=; \
             compare slashes with `sealgate explain`.",
            self.gate.name,
            self.gate.audience.join(" or ")
        )
    }

    pub(super) fn scope(&self) -> String {
        let needed = scopes(self.gate, self.call.requirements).join(" ");
        if self.sees("scp") && !self.sees("scope") && self.reads_scope() {
            return format!(
                "Needed: {needed}. The token has scp and no scope: if that is where the issuer puts \
                 it, say so: [{}.claim_names] scope = \"scp\".",
                self.table()
            );
        }
        if needed.is_empty() {
            return "Step up with exactly what the call needs.".into();
        }
        format!("Needed: {needed}. Step up with exactly these.")
    }

    /// Whether `scope` is read from where it belongs.
    fn reads_scope(&self) -> bool {
        let seen = self.call.seen;
        seen.is_some_and(|seen| seen.name_of(Claim::Scope) == Claim::Scope.name())
    }

    pub(super) fn lifetime(&self) -> String {
        let (name, table) = (self.name(), self.table());
        let rules = self.gate.delegation.rules();
        let delegated = rules.filter(|rules| rules.max_lifetime.is_some() && self.sees("act"));
        let other = delegated.map_or_else(String::new, |rules| {
            format!(
                ", and delegation.{}.max_lifetime, since it has act,",
                rules.name
            )
        });
        format!(
            "Ask {name} for shorter tokens, or raise {table}.max_lifetime{other} as far as the kind \
             of token allows."
        )
    }
}

/// Whether a `typ` is none that a kind of token has.
fn is_of_nobody(typ: &str) -> bool {
    let of = |typ: &str, name: &str| crate::jws::header::typ_is(typ, name);
    let of_a_kind = Profile::ALL.iter().any(|profile| match profile.row().typ {
        TypRule::Required(name) => of(typ, name),
        TypRule::Preferred(name) => of(typ, name) || of(typ, "jwt"),
        TypRule::Untyped(names) => names.iter().any(|name| of(typ, name)),
        TypRule::Named => false,
    });
    !of_a_kind
}
