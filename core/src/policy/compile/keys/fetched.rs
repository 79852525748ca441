//! `discovery`, `jwks_uri` and `refresh`: keys that are fetched, from where and when again (loader
//! refusals 5, 7 and 27; KEY-03, KEY-05).

use std::sync::Arc;

use x509_parser::pem::Pem;

use super::super::text::{self, Loopback};
use crate::jwa::AlgorithmSet;
use crate::limits;
use crate::policy::compile::Compiler;
use crate::policy::section::{Item, Section};
use crate::policy::{Discovery, FetchedKeys, KeyLocation, Profile, Reach, RefreshRules};
use crate::time::Span;

pub(super) fn compile(
    section: &Section<'_>,
    algorithms: AlgorithmSet,
    profiles: &[Profile],
    compiler: &mut Compiler<'_>,
) -> FetchedKeys {
    if !cfg!(feature = "remote") {
        let text = match ["discovery", "jwks_uri"]
            .iter()
            .find(|name| section.has(name))
        {
            Some(_) => "this build cannot fetch keys (no remote)",
            None => {
                "no keys, and this build cannot fetch any (no remote). Write jwks, jwks_file, \
                 keys, or jwks_push = \"process\""
            }
        };
        compiler.problems.push(section.problem_here(text));
    }
    if let Some(hmac) = algorithms.iter().find(|algorithm| algorithm.is_symmetric()) {
        let text = format!(
            "{hmac} with fetched keys: whoever can fetch them could sign. \
             Write keys = [{{ secret = {{ env = \"NAME\" }}, alg = \"{hmac}\" }}]"
        );
        compiler.problems.push(section.problem("algorithms", text));
    }
    let from = location(section, profiles, compiler);
    let refresh = section.section("refresh");
    let (KeyLocation::Discovery(_, start) | KeyLocation::Uri(start)) = &from;
    let reach = reach(&refresh, start, compiler);
    let span = |name| refresh.duration(name).unwrap_or(Span::ZERO);
    let rules = RefreshRules {
        ahead: span("ahead"),
        cooldown: span("cooldown"),
        stale_if_error: span("stale_if_error"),
    };
    if refresh.has("cooldown") && rules.cooldown < Span::from_seconds(1) {
        let text = "at least \"1s\": this is what keeps strangers from making you fetch";
        compiler.problems.push(refresh.problem("cooldown", text));
    }
    FetchedKeys {
        from,
        refresh: rules,
        reach,
    }
}

fn location(
    section: &Section<'_>,
    profiles: &[Profile],
    compiler: &mut Compiler<'_>,
) -> KeyLocation {
    if let Some(uri) = section.text("jwks_uri") {
        if let Some(problem) = text::url(&uri, loopback(compiler)) {
            compiler.problems.push(section.problem("jwks_uri", problem));
        }
        return KeyLocation::Uri(uri.into());
    }
    let discovery = discovery(section);
    let issuers = section.texts("issuer");
    let first = issuers.first().map_or("", |item| item.text.as_str());
    if issuers.len() > 1 {
        let text = "several, and metadata is of one. Write one table each, or jwks_uri";
        compiler.problems.push(section.problem("issuer", text));
    } else if !has_metadata(first) && !first.is_empty() && !profiles.is_empty() {
        let text = "no keys, and an issuer that is no https URL has no metadata to find them \
                        by. Write jwks_uri, jwks, jwks_file, keys or jwks_push";
        compiler.problems.push(section.problem_here(text));
    }
    KeyLocation::Discovery(discovery, first.into())
}

/// Which metadata document the issuer has.
pub(in crate::policy::compile) fn discovery(issuer: &Section<'_>) -> Discovery {
    match issuer.text("discovery").as_deref() {
        Some("oauth") => Discovery::Oauth,
        Some("oidc") => Discovery::Oidc,
        _ => Discovery::Auto,
    }
}

/// Whether an issuer of this name has metadata: it is an https URL.
pub(in crate::policy::compile) fn has_metadata(name: &str) -> bool {
    name.contains("://") && !name.starts_with("spiffe:")
}

pub(in crate::policy::compile) fn loopback(compiler: &Compiler<'_>) -> Loopback {
    if compiler.loopback {
        Loopback::Http
    } else {
        Loopback::Https
    }
}

/// KEY-03: the hosts that the operator wrote, or the one host that is written anyway, that of
/// `start`.
pub(in crate::policy::compile) fn reach(
    refresh: &Section<'_>,
    start: &str,
    compiler: &mut Compiler<'_>,
) -> Reach {
    let own = text::host(start).unwrap_or_default();
    let written = refresh.texts("allow_hosts");
    let named = refresh.has("allow_hosts");
    if refresh.is_empty_list("allow_hosts") {
        let text = "empty: nothing could be fetched";
        compiler.problems.push(refresh.problem("allow_hosts", text));
    }
    compiler.refuse_repeats(&written);
    for item in &written {
        if let Some(problem) = text::host_name(&item.text) {
            compiler.refuse(item, problem);
        }
    }
    let lists = |host: &str| {
        written
            .iter()
            .any(|item| item.text.eq_ignore_ascii_case(host))
    };
    if named && !written.is_empty() && !own.is_empty() && !lists(own) {
        let text = format!("lacks {own:?}, where the fetch begins");
        compiler.problems.push(refresh.problem("allow_hosts", text));
    }
    let hosts = if named {
        written
            .into_iter()
            .map(|Item { text, .. }| text.to_ascii_lowercase().into())
            .collect()
    } else {
        vec![own.to_ascii_lowercase().into()]
    };
    Reach {
        hosts,
        named,
        loopback_http: compiler.loopback,
        authorities: authorities(refresh, compiler),
    }
}

fn authorities(refresh: &Section<'_>, compiler: &mut Compiler<'_>) -> Option<Arc<[Box<[u8]>]>> {
    let content = compiler.file(refresh, "ca_file", limits::JWK_SET_SIZE)?;
    let mut found: Vec<Box<[u8]>> = Vec::new();
    for block in Pem::iter_from_buffer(&content.bytes) {
        match block {
            Ok(block) if block.label == "CERTIFICATE" && block.parse_x509().is_ok() => {
                found.push(block.contents.into());
            }
            Ok(_) | Err(_) => {
                let text = "holds something else than PEM certificates";
                compiler.problems.push(refresh.problem("ca_file", text));
                return None;
            }
        }
    }
    if found.is_empty() {
        let text = "holds no PEM certificate";
        compiler.problems.push(refresh.problem("ca_file", text));
        return None;
    }
    Some(found.into())
}
