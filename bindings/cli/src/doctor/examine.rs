//! The checks, in the order in which a verifier would stumble.

use sealgate::jwa::Algorithm;
use sealgate::remote::{Client, FetchError, Metadata};
use sealgate::{Clock, Discovery, NumericDate, Policy};
use serde_json::Value;

use super::report::{Report, State};
use crate::failure::UNDECIDED;
use crate::jwks::{Judged, freshness};
use crate::network::{Network, exit_of, host_of, said};
use crate::policy::{Draft, KeysFrom, Named};
use crate::text::{date, span};

/// A certificate that ends sooner is worth a word.
const SOON: i64 = 14 * 86_400;
/// The policy's default leeway: clocks further apart refuse good tokens.
const LEEWAY: i64 = 30;

pub(super) fn examine(issuer: &str, network: &Network, policy: Option<&Policy>) -> Report {
    let mut report = Report::default();
    let table = policy.and_then(|policy| table_of(policy, issuer, &mut report));
    if let Some((name, table)) = &table
        && publishes_nothing(table)
    {
        let text = format!("none: issuers.{name} has keys = [], and is asked about each token");
        report.add("discovery", State::Note, text);
        return report;
    }
    let mut client = network.client();
    for host in hosts_of(table.as_ref()) {
        client = client.allow_host(&host);
    }
    if let (Some(policy), Some((name, _))) = (policy, &table) {
        client = client.trust_as(policy, name);
    }
    let found = client.discover(issuer, Discovery::Auto);
    look_at_certificate(&client, issuer, &mut report);
    let metadata = match found {
        Ok(metadata) => metadata,
        Err(error) => {
            report.add("discovery", state_of(&error), said(&error));
            return report;
        }
    };
    let text = format!("{}, of exactly this issuer", metadata.url);
    report.add("discovery", State::Good, text);
    let judged = look_at_keys(&client, issuer, &metadata, &mut report);
    let Some(judged) = judged else {
        return report;
    };
    compare_algorithms(&metadata, &judged, &mut report);
    if let Some(table) = &table {
        compare_policy(table, issuer, &metadata, &judged, &mut report);
    }
    report.policy = suggest(issuer, network, &metadata, &judged, &mut report);
    report
}

const fn state_of(error: &FetchError) -> State {
    if exit_of(error) == UNDECIDED {
        State::Unreached
    } else {
        State::Wrong
    }
}

/// A handshake of our own, with the very addresses that a fetch may connect to.
fn look_at_certificate(client: &Client, url: &str, report: &mut Report) {
    let (Some(host), Ok(_)) = (host_of(url), client.addresses(url)) else {
        return;
    };
    if !url.starts_with("https://") {
        report.add("TLS", State::Note, "none: plain http, for development only");
        return;
    }
    match client.certificate(url) {
        Ok(seen) => {
            let left = seen.not_after.seconds() - Clock::System.now().seconds();
            let state = if left < SOON {
                State::Note
            } else {
                State::Good
            };
            let text = format!(
                "{}, {} by {}, ends in {} ({})",
                seen.protocol,
                seen.subject,
                seen.authority,
                span(left),
                date(seen.not_after.seconds()),
            );
            report.add("TLS", state, text);
        }
        Err(error) => {
            report.add("TLS", state_of(&error), format!("{host}: {}", said(&error)));
        }
    }
}

fn look_at_keys(
    client: &Client,
    issuer: &str,
    metadata: &Metadata,
    report: &mut Report,
) -> Option<Judged> {
    let url = &metadata.jwks_uri;
    let set = client.key_set(url);
    if host_of(url) != host_of(issuer) {
        look_at_certificate(client, url, report);
    }
    let set = match set {
        Ok(set) => set,
        Err(error) => {
            report.add("keys", state_of(&error), format!("{url}: {}", said(&error)));
            return None;
        }
    };
    let judged = Judged::of(&set.keys);
    let state = if judged.usable.is_empty() {
        State::Wrong
    } else {
        State::Good
    };
    report.add("keys", state, format!("{url}   {}", judged.counts()));
    for key in &judged.unusable {
        let state = if key.spoils_the_set {
            State::Wrong
        } else {
            State::Note
        };
        report.add("", state, key.describe());
    }
    let text = freshness(set.freshness);
    report.add("freshness", State::Good, text);
    let dates = [metadata.date.as_deref(), set.date.as_deref()];
    compare_clocks(dates, report);
    Some(judged)
}

fn compare_clocks(dates: [Option<&str>; 2], report: &mut Report) {
    let mut dates = dates.into_iter().flatten();
    let Some(theirs) = dates.find_map(NumericDate::from_http_date) else {
        report.add("clocks", State::Note, "the issuer does not tell its time");
        return;
    };
    let apart = Clock::System.now().seconds() - theirs.seconds();
    let text = match apart {
        -2..=2 => "agree".to_owned(),
        3.. => format!("ours is {} ahead of the issuer's", span(apart)),
        _ => format!("ours is {} behind the issuer's", span(apart)),
    };
    let state = if apart.abs() > LEEWAY {
        State::Wrong
    } else {
        State::Good
    };
    report.add("clocks", state, text);
}

/// What the metadata announces, beside what the keys are for.
fn compare_algorithms(metadata: &Metadata, judged: &Judged, report: &mut Report) {
    let announced: Vec<&str> = metadata
        .algorithms
        .iter()
        .filter(|(member, _)| member == "id_token_signing_alg_values_supported")
        .flat_map(|(_, names)| names.iter().map(String::as_str))
        .collect();
    let own = judged.usable.iter().filter_map(|key| key.algorithm);
    let unbound = judged.usable.iter().any(|key| key.algorithm.is_none());
    let mut own: Vec<&str> = own.map(Algorithm::name).collect();
    own.sort_unstable();
    own.dedup();
    let mut text = match (own.as_slice(), unbound) {
        ([], _) => "the keys leave theirs to the policy".to_owned(),
        (own, false) => format!("the keys are for {}", own.join(" ")),
        (own, true) => format!(
            "the keys are for {}; one leaves its to the policy",
            own.join(" ")
        ),
    };
    if announced.is_empty() {
        text += "; the metadata announces none for tokens";
        report.add("algorithms", State::Good, text);
        return;
    }
    text += &format!("; announced: {}", announced.join(" "));
    // RFC 9864: some still write EdDSA for Ed25519.
    let is_announced = |name: &str| {
        announced.contains(&name) || (name == "Ed25519" && announced.contains(&"EdDSA"))
    };
    let strange: Vec<&str> = own.into_iter().filter(|name| !is_announced(name)).collect();
    if strange.is_empty() {
        report.add("algorithms", State::Good, text);
    } else {
        text += &format!(". Not announced: {}", strange.join(" "));
        report.add("algorithms", State::Note, text);
    }
    if announced.contains(&"none") {
        let text = "the metadata announces \"none\"; sealgate never takes it";
        report.add("", State::Note, text);
    }
}

/// The issuers that the policy has asked about tokens are asked about one that nobody has issued.
pub(super) fn ask_all(network: &Network, policy: &Policy, report: &mut Report) {
    let document = policy.effective();
    let issuers = document["issuers"].as_object().into_iter().flatten();
    for (name, _) in issuers {
        match network.client().introspect_nothing(policy, name) {
            None => {}
            Some(Ok(())) => {
                let text = format!("{name} answers that a made-up token is not active");
                report.add("introspection", State::Good, text);
            }
            Some(Err(error)) => {
                let text = format!("{name}: {}", said(&error));
                report.add("introspection", state_of(&error), text);
            }
        }
    }
}

/// The policy's table for this issuer, with every default filled in.
fn table_of(policy: &Policy, issuer: &str, report: &mut Report) -> Option<(String, Value)> {
    let document = policy.effective();
    let tables = document["issuers"].as_object()?;
    let names = |table: &Value| match &table["issuer"] {
        Value::Array(several) => several.clone(),
        one => vec![one.clone()],
    };
    let has = |wanted: &str| {
        let mut tables = tables.iter();
        let found = tables.find(|(_, table)| names(table).iter().any(|name| name == wanted))?;
        Some((found.0.clone(), found.1.clone()))
    };
    if let Some(found) = has(issuer) {
        return Some(found);
    }
    let other = match issuer.strip_suffix('/') {
        Some(shorter) => shorter.to_owned(),
        None => format!("{issuer}/"),
    };
    let text = match has(&other) {
        Some((name, _)) => {
            format!("issuers.{name} has {other:?}: one slash apart, and so another issuer")
        }
        None => "the policy has no issuer of exactly this name".to_owned(),
    };
    report.add("policy", State::Wrong, text);
    None
}

/// Whether the policy takes opaque tokens alone of the issuer, whose metadata and keys are then
/// asked for nothing.
fn publishes_nothing(table: &Value) -> bool {
    table["keys"].as_array().is_some_and(Vec::is_empty)
}

/// The hosts that the policy lets its own fetches go to.
fn hosts_of(table: Option<&(String, Value)>) -> Vec<String> {
    let hosts = table.and_then(|(_, table)| table["refresh"]["allow_hosts"].as_array());
    let hosts = hosts.into_iter().flatten();
    hosts
        .filter_map(|host| Some(host.as_str()?.to_owned()))
        .collect()
}

fn compare_policy(
    (name, table): &(String, Value),
    issuer: &str,
    metadata: &Metadata,
    judged: &Judged,
    report: &mut Report,
) {
    let allowed = table["algorithms"].as_array().into_iter().flatten();
    let allowed: Vec<&str> = allowed.filter_map(Value::as_str).collect();
    let missing: Vec<&str> = judged
        .algorithms("")
        .into_iter()
        .filter(|name| !name.is_empty() && !allowed.contains(name))
        .collect();
    let mut is_good = true;
    if !missing.is_empty() {
        let text = format!(
            "issuers.{name}.algorithms lacks {}, which keys are for",
            missing.join(" ")
        );
        report.add("policy", State::Wrong, text);
        is_good = false;
    }
    let by_metadata = table.get("jwks_uri").is_none()
        && ["jwks", "jwks_file", "keys", "jwks_push"]
            .iter()
            .all(|source| table.get(source).is_none());
    let host = host_of(&metadata.jwks_uri).unwrap_or_default();
    let mut hosts = hosts_of(Some(&(name.clone(), table.clone())));
    if hosts.is_empty() {
        hosts.extend(host_of(issuer).map(str::to_owned));
    }
    if by_metadata && !hosts.iter().any(|other| other.eq_ignore_ascii_case(host)) {
        let text = format!(
            "the keys are at {host}, where issuers.{name} does not fetch from: add it to \
             issuers.{name}.refresh.allow_hosts, beside the issuer's own host"
        );
        report.add("policy", State::Wrong, text);
        is_good = false;
    }
    if is_good {
        let text = format!("issuers.{name} fits what was found");
        report.add("policy", State::Good, text);
    }
}

/// A policy for this issuer; it loads.
fn suggest(
    issuer: &str,
    network: &Network,
    metadata: &Metadata,
    judged: &Judged,
    report: &mut Report,
) -> Option<String> {
    let named = |value: &str, comment| Named {
        value: value.to_owned(),
        comment,
    };
    let draft = Draft {
        issuer: named(issuer, "exact `iss`, to the last slash"),
        audience: named("https://your.api.example", "exact `aud`: put your own"),
        keys: KeysFrom::metadata(metadata),
        algorithms: judged.algorithms("RS256"),
        profile: "access_token",
        max_lifetime: None,
        claim_names: Vec::new(),
        has_actor: false,
        network: network.clone(),
    };
    match draft.load() {
        Ok(_) => Some(draft.to_toml()),
        Err(error) => {
            let problems = error.problems.iter().map(|problem| problem.text.as_str());
            let text = problems.collect::<Vec<_>>().join("; ");
            report.add(
                "policy",
                State::Wrong,
                format!("none can be written: {text}"),
            );
            None
        }
    }
}
