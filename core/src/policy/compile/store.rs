//! `[stores.X]`, and who names one.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::server::{flaw_of_nats, flaw_of_redis};
use super::{Compiler, unknown_name};
use crate::policy::document::Node;
use crate::policy::problem::Problem;
use crate::policy::section::Section;
use crate::policy::{StorePlace, StoreRules, StoreServer};

/// Makes a document that names stores one whose revocations and used proofs stay in the process.
pub(in crate::policy) fn share_nothing(root: &mut Node) {
    root.remove("stores");
    for (table, words, others) in [
        ("revocation", ALONE, &["max_staleness", "on_stale"][..]),
        ("replay", UNSTORED, &[]),
    ] {
        let store = root.get(table).and_then(|node| node.get("store"));
        if store
            .and_then(Node::as_text)
            .is_some_and(|store| !words.contains(&store))
            && let Some(table) = root.get_mut(table)
        {
            for name in others {
                table.remove(name);
            }
            table.remove("store");
            table.insert("store", Node::text("process"));
        }
    }
}

/// What `revocation.store` says where it names no store.
pub(super) const ALONE: [&str; 2] = ["off", "process"];
/// What `replay.store` says where it names no store.
pub(super) const UNSTORED: [&str; 2] = ["process", "external"];

/// All stores of the document, in its order.
pub(super) fn compile(document: &Section<'_>, compiler: &mut Compiler<'_>) -> Vec<Arc<StoreRules>> {
    let stores = document.named("stores").into_iter();
    stores
        .filter_map(|(name, section)| {
            let place = place(&section, compiler)?;
            let name = name.into();
            Some(Arc::new(StoreRules { name, place }))
        })
        .collect()
}

fn place(section: &Section<'_>, compiler: &mut Compiler<'_>) -> Option<StorePlace> {
    let kind = section.text("kind")?;
    let (needed, foreign): (_, &[_]) = match &*kind {
        "file" => ("path", &["url", "namespace"]),
        "redis" | "nats" => ("url", &["path"]),
        _ => return None, // told already
    };
    for name in foreign {
        if section.has(name) {
            let text = format!("a store of kind {kind:?} has none");
            compiler.problems.push(section.problem(name, text));
        }
    }
    if !section.has(needed) {
        let text = format!("needed by a store of kind {kind:?}");
        let at = section.position("kind");
        let problem = Problem::new(section.at(needed), at, text);
        compiler.problems.push(problem);
        return None;
    }
    match &*kind {
        "file" => folder(section, compiler).map(StorePlace::File),
        "redis" => {
            built_with("redis", cfg!(feature = "feed-redis"), section, compiler);
            server(section, flaw_of_redis, compiler).map(StorePlace::Redis)
        }
        _ => {
            built_with("nats", cfg!(feature = "feed-nats"), section, compiler);
            server(section, flaw_of_nats, compiler).map(StorePlace::Nats)
        }
    }
}

/// Refusal 27.
fn built_with(kind: &str, built: bool, section: &Section<'_>, compiler: &mut Compiler<'_>) {
    if !built {
        let text = format!("this build has no {kind}");
        compiler.problems.push(section.problem("kind", text));
    }
}

/// Relative to the document's folder. It need not be there yet.
fn folder(section: &Section<'_>, compiler: &mut Compiler<'_>) -> Option<PathBuf> {
    let path = section.text("path")?;
    if path.is_empty() {
        compiler.problems.push(section.problem("path", "empty"));
        return None;
    }
    Some(match &compiler.options.folder {
        Some(folder) => folder.join(path),
        None => PathBuf::from(path),
    })
}

fn server(
    section: &Section<'_>,
    flaw: fn(&str) -> Option<String>,
    compiler: &mut Compiler<'_>,
) -> Option<StoreServer> {
    let url = compiler.secret(section, "url")?;
    let url = std::str::from_utf8(&url)
        .ok()
        .map(|url| Zeroizing::new(url.to_owned()));
    let told = match url {
        Some(url) => flaw(&url).map_or(Ok(url), Err),
        None => Err("what is there is no text".to_owned()),
    };
    let url = match told {
        Ok(url) => url,
        Err(flaw) => {
            compiler.problems.push(section.problem("url", flaw));
            return None;
        }
    };
    let namespace = section.text("namespace")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if namespace.is_empty() || namespace.len() > 64 || !namespace.bytes().all(plain) {
        let text = "1 to 64 letters, digits, \"_\" and \"-\"";
        compiler.problems.push(section.problem("namespace", text));
        return None;
    }
    Some(StoreServer {
        url,
        namespace: namespace.into(),
    })
}

impl Compiler<'_> {
    /// The store that the member `store` names; `None` where it says one of `words`, or with a
    /// problem told.
    pub(super) fn store(
        &mut self,
        section: &Section<'_>,
        words: &[&str],
        document: &Section<'_>,
        stores: &[Arc<StoreRules>],
    ) -> Option<Arc<StoreRules>> {
        let name = section.text("store")?;
        if words.contains(&&*name) {
            return None;
        }
        let named = document.named("stores");
        if !named.iter().any(|(known, _)| *known == name) {
            let known = named.iter().map(|(known, _)| *known);
            let text = unknown_name("stores", &name, known.chain(words.iter().copied()));
            self.problems.push(section.problem("store", text));
        }
        let mut stores = stores.iter();
        stores.find(|store| *store.name == *name).map(Arc::clone)
    }
}

/// A store that nobody names is a mistake more often than not.
pub(super) fn warn_unused(
    document: &Section<'_>,
    used: &[&Arc<StoreRules>],
    compiler: &mut Compiler<'_>,
) {
    for (name, section) in document.named("stores") {
        if !used.iter().any(|store| *store.name == *name) {
            compiler.warn(section.path.clone(), section.node.at, "nothing uses it");
        }
    }
}
