//! `[dpop]`, `[mtls]` and `[replay]`, and what they mean for each gate (loader refusals 11 and 19
//! to 21).

use std::sync::Arc;

use super::Compiler;
use super::issuer::parse_algorithm;
use super::store::UNSTORED;
use crate::jwa::AlgorithmSet;
use crate::policy::problem::Problem;
use crate::policy::profile::Kind;
use crate::policy::section::Section;
use crate::policy::{
    Carrier, DpopRules, OnUnavailable, PossessionRules, ReplayRules, ReplayStore, Rules, Secret,
    SenderConstrained, StorePlace, StoreRules,
};
use crate::time::Span;

pub(super) fn compile(
    document: &Section<'_>,
    stores: &[Arc<StoreRules>],
    compiler: &mut Compiler<'_>,
) -> PossessionRules {
    let dpop = document.has("dpop").then(|| dpop(document, compiler));
    let replay = document.has("replay");
    let attestation = document.section("attestation");
    PossessionRules {
        dpop,
        challenge: made_with(&attestation, "challenge", "challenge_secret", compiler),
        replay: replay.then(|| self::replay(document, stores, compiler)),
    }
}

fn dpop(document: &Section<'_>, compiler: &mut Compiler<'_>) -> DpopRules {
    let section = document.section("dpop");
    if section.is_empty_list("algorithms") {
        let text = "empty: name at least one";
        compiler.problems.push(section.problem("algorithms", text));
    }
    let items = section.texts("algorithms");
    compiler.refuse_repeats(&items);
    let mut algorithms = AlgorithmSet::EMPTY;
    for item in &items {
        match parse_algorithm(&item.text) {
            Err(problem) => compiler.refuse(item, problem),
            Ok(algorithm) if algorithm.is_symmetric() => {
                compiler.refuse(
                    item,
                    format!("{algorithm} proves nothing: two hold its key"),
                );
            }
            Ok(algorithm) => algorithms = algorithms.with(algorithm),
        }
    }
    if section.duration("max_age") == Some(Span::ZERO) {
        let text = "\"0s\" leaves no time for a proof to arrive";
        compiler.problems.push(section.problem("max_age", text));
    }
    DpopRules {
        algorithms,
        algorithms_named: section.has("algorithms"),
        max_age: section.duration("max_age").unwrap_or(Span::ZERO),
        nonce: made_with(&section, "nonce", "nonce_secret", compiler),
    }
}

/// Refusals 11 and 21: a nonce that instances do not share fails at every other one.
fn made_with(
    section: &Section<'_>,
    name: &str,
    secret: &str,
    compiler: &mut Compiler<'_>,
) -> Option<Secret> {
    let required = section.text(name).as_deref() == Some("required");
    if !required {
        if section.has(secret) {
            let at = section.position(secret);
            let text = format!("{name} is \"off\": nothing is made with it");
            compiler.warn(section.at(secret), at, text);
        }
        return None;
    }
    if !section.has(secret) {
        let text = format!("needed when {name} = \"required\"");
        let at = section.position(name);
        let problem = Problem::new(section.at(secret), at, text);
        compiler.problems.push(problem);
        return None;
    }
    compiler.mac_secret(section, secret)
}

fn replay(
    document: &Section<'_>,
    stores: &[Arc<StoreRules>],
    compiler: &mut Compiler<'_>,
) -> ReplayRules {
    let section = document.section("replay");
    let store = match compiler.store(&section, &UNSTORED, document, stores) {
        Some(store) => shared(store),
        None if section.text("store").as_deref() == Some("external") => ReplayStore::External,
        None => ReplayStore::Process,
    };
    let text = match store {
        ReplayStore::Process => Some("reaches one process; N workers accept a proof N times"),
        ReplayStore::External => {
            Some("the program must remember used proofs: prepare, then commit")
        }
        ReplayStore::Host { .. } | ReplayStore::Fleet { .. } => None,
    };
    if let Some(text) = text {
        compiler.warn(section.at("store"), section.position("store"), text);
    }
    ReplayRules {
        store,
        namespace: section.text("namespace").unwrap_or_default().into(),
        on_unavailable: match section.text("on_unavailable").as_deref() {
            Some("accept_marked") => OnUnavailable::AcceptMarked,
            _ => OnUnavailable::Refuse,
        },
    }
}

fn shared(store: Arc<StoreRules>) -> ReplayStore {
    match &store.place {
        StorePlace::File(folder) => ReplayStore::Host {
            folder: folder.clone(),
            store,
        },
        StorePlace::Redis(_) | StorePlace::Nats(_) => ReplayStore::Fleet { store },
    }
}

/// The store that somebody names.
pub(super) fn used(rules: &PossessionRules) -> Option<&Arc<StoreRules>> {
    match &rules.replay.as_ref()?.store {
        ReplayStore::Host { store, .. } | ReplayStore::Fleet { store } => Some(store),
        ReplayStore::Process | ReplayStore::External => None,
    }
}

/// Which proofs each gate takes, and whether it can judge them.
pub(super) fn settle(rules: &mut Rules, document: &Section<'_>, compiler: &mut Compiler<'_>) {
    let (dpop, mtls) = (document.has("dpop"), document.has("mtls"));
    for (gate, (_, section)) in rules.gates.iter_mut().zip(document.named("gates")) {
        let required = gate.sender_constrained == SenderConstrained::Required;
        let here = gate.sender_constrained != SenderConstrained::External;
        let carrier = gate.kind.carrier();
        let judged = here && matches!(carrier, Carrier::Authorization | Carrier::Form);
        let proven = match carrier {
            Carrier::Field { proof, .. } => proof.is_some(),
            Carrier::Content => true,
            Carrier::Authorization | Carrier::Form | Carrier::None => false,
        };
        let own = here && proven;
        gate.takes_own_proof = own && gate.public_url.is_some();
        if own && !gate.takes_own_proof {
            let text = "no public_url, so no proof can be for it, and no token opens the gate";
            compiler.warn(section.path.clone(), section.node.at, text);
        }
        gate.takes_mtls = judged && mtls;
        // Where clients bring access tokens to they bring proofs; elsewhere, if they can call it.
        let called = gate.kind == Kind::AccessToken || gate.public_url.is_some();
        gate.takes_dpop = judged && dpop && called;
        if gate.takes_dpop && !section.has("public_url") {
            let text = "needed for htu; the Host header is the caller's";
            let problem = Problem::new(section.at("public_url"), section.node.at, text);
            compiler.problems.push(problem); // 20
        }
        let takes_proofs = gate.takes_dpop || gate.takes_mtls || gate.takes_own_proof;
        if required && !takes_proofs {
            let text = if own {
                "\"required\", and no proof is taken here. Add public_url"
            } else if judged {
                "\"required\", and no proof is taken here. Add [dpop] or [mtls]"
            } else {
                "only for tokens that clients send with their requests"
            };
            let problem = section.problem("sender_constrained", text);
            compiler.problems.push(problem);
        }
    }
    let takes_dpop = rules.gates.iter().any(|gate| gate.takes_dpop);
    let callers = rules.gates.iter().any(|gate| gate.caller.is_some());
    let takes_own = callers || rules.gates.iter().any(|gate| gate.takes_own_proof);
    let elsewhere = rules.possession.replay.as_ref();
    if callers && elsewhere.is_some_and(|replay| replay.store == ReplayStore::External) {
        let text =
            "\"external\" has one proof a request: not yet with context.wit. Write \"process\"";
        let section = document.section("replay");
        compiler.problems.push(section.problem("store", text));
    }
    let once = rules.gates.iter().any(|gate| gate.once.is_some());
    let remembered = takes_dpop || takes_own;
    if remembered && !document.has("replay") {
        let text = "who remembers used proofs? Write store = \"process\", \"external\" or a store of \
                    [stores] under [replay]";
        let at = document.position(if takes_dpop { "dpop" } else { "gates" });
        let problem = Problem::new("replay", at, text);
        compiler.problems.push(problem); // 19
    }
    let takes_mtls = rules.gates.iter().any(|gate| gate.takes_mtls);
    // ATT-11: a DPoP proof may stand for that of an attested client.
    let mut gates = rules.gates.iter();
    let attested = gates.any(|gate| gate.kind == Kind::ClientAttestation && gate.takes_own_proof);
    let unused = [
        ("dpop", !takes_dpop && !attested, "no gate takes proofs"),
        ("attestation", !attested, "no gate takes attested clients"),
        ("mtls", !takes_mtls, "no gate takes certificates"),
        (
            "replay",
            !dpop && !takes_own && !once,
            "no proof is taken, so none is remembered",
        ),
    ];
    for (name, unused, text) in unused {
        if unused && document.has(name) {
            compiler.warn(document.at(name), document.position(name), text);
        }
    }
}
