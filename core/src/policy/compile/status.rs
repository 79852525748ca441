//! `revocation.status_lists`: whose status lists are asked, and where they may be fetched from
//! (TSL-03, TSL-13).

use super::{Compiler, context, text};
use crate::policy::profile::Kind;
use crate::policy::section::Section;
use crate::policy::{IssuerRules, Reach, StatusDoor, StatusRules};
use crate::time::Span;

const NAME: &str = "status_lists";

pub(super) fn compile(
    document: &Section<'_>,
    revocation: &Section<'_>,
    issuers: &[IssuerRules],
    compiler: &mut Compiler<'_>,
) -> Option<StatusRules> {
    if !revocation.has(NAME) {
        return None;
    }
    let section = revocation.section(NAME);
    if !cfg!(feature = "remote") {
        let text = "this build cannot fetch status lists (no remote)";
        compiler.problems.push(section.problem_here(text));
    }
    if section.duration("max_age") == Some(Span::ZERO) {
        let text = "\"0s\" refuses every list";
        compiler.problems.push(section.problem("max_age", text));
    }
    let hosts = hosts(&section, compiler);
    let all = context::door(document, NAME, Kind::StatusListToken, issuers);
    if all.issuers.is_empty() {
        let text = "no issuer has status_list_token in its profiles, so no list could be trusted";
        compiler.problems.push(section.problem_here(text));
    }
    let door = |position: usize| {
        let issuer = issuers.get(position)?;
        // An issuer's lists are its own, and nobody else's.
        let mut gate = context::door(document, NAME, Kind::StatusListToken, issuers);
        gate.issuers.retain(|entry| entry.position == position);
        gate.max_age = section.duration("max_age");
        let own = || issuer.issuers.iter().filter_map(|iss| text::host(iss));
        Some(StatusDoor {
            issuer: issuer.name.clone(),
            gate,
            reach: Reach {
                named: hosts.is_some(),
                hosts: hosts.clone().unwrap_or_else(|| {
                    own().map(|host| host.to_ascii_lowercase().into()).collect()
                }),
                loopback_http: compiler.loopback,
                authorities: None,
            },
        })
    };
    Some(StatusRules {
        doors: all
            .issuers
            .iter()
            .filter_map(|entry| door(entry.position))
            .collect(),
        accept_marked: section.text("on_unavailable").as_deref() == Some("accept_marked"),
    })
}

/// The hosts that are written down; `None` where those of the issuers stand for them.
fn hosts(section: &Section<'_>, compiler: &mut Compiler<'_>) -> Option<Vec<Box<str>>> {
    if section.is_empty_list("allow_hosts") {
        let text = "empty: nothing could be fetched";
        compiler.problems.push(section.problem("allow_hosts", text));
    }
    let written = section.texts("allow_hosts");
    compiler.refuse_repeats(&written);
    for item in &written {
        if let Some(problem) = text::host_name(&item.text) {
            compiler.refuse(item, problem);
        }
    }
    let hosts = written
        .into_iter()
        .map(|item| item.text.to_ascii_lowercase().into());
    section.has("allow_hosts").then(|| hosts.collect())
}
