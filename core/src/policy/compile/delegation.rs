//! One `[delegation.X]` table: who may act for whom (loader refusals 15 to 18).

use super::{Compiler, boxed, edges, text, unknown_name};
use crate::policy::check::quoted;
use crate::policy::delegation::{
    ActorPattern, ActorPresence, AllowRule, DelegationRules, DenyReach, Lineage, Loops,
    PresenterRule, SelfActor, SubPattern, SubjectPattern,
};
use crate::policy::edges::Edges;
use crate::policy::section::{Item, Section};
use crate::policy::{Delegation, GateRules};
use crate::time::Span;

/// A table before any gate reads it.
pub(super) struct Table {
    name: Box<str>,
    /// Each allow rule, and the gates it holds at; empty is all that name the table.
    allow: Vec<(AllowRule, Vec<Item>)>,
    rest: Rest,
}

/// What is the same at every gate.
struct Rest {
    actor: ActorPresence,
    max_depth: usize,
    loops: Loops,
    self_actor: SelfActor,
    presenter: PresenterRule,
    max_lifetime: Option<Span>,
    min_lineage: Lineage,
    require_complete: bool,
    deny: Vec<ActorPattern>,
    deny_reach: DenyReach,
    edges: Edges,
}

pub(super) fn compile(name: &str, section: &Section<'_>, compiler: &mut Compiler<'_>) -> Table {
    if let Some(meant) = ["forbid", "surface"].into_iter().find(|word| *word == name) {
        let text = format!("delegation = {meant:?} at a gate means no table. Give it another name");
        compiler.problems.push(section.problem_here(text));
    }
    let max_lifetime = section.duration("max_lifetime");
    if max_lifetime == Some(Span::ZERO) {
        let text = format!("{} refuses every token with act", quoted(Span::ZERO));
        compiler
            .problems
            .push(section.problem("max_lifetime", text));
    }
    let allow = section.list("allow");
    let allow = allow.iter().enumerate();
    let allow: Vec<_> = allow
        .map(|(place, rule)| allow_rule(place, rule, compiler))
        .collect();
    let deny = section.list("deny");
    let deny = deny.iter().map(|rule| deny_rule(rule, compiler)).collect();
    let actor = match section.text("actor").as_deref() {
        Some("required") => ActorPresence::Required,
        _ => ActorPresence::Optional,
    };
    if allow.is_empty() && !compiler.has_problem(section) {
        match actor {
            ActorPresence::Required => {
                let text = "no rule can ever match: write an [[…allow]] rule";
                compiler.problems.push(section.problem_here(text));
            }
            ActorPresence::Optional => {
                let text = "no allow rule: every token with act is refused";
                compiler.warn(section.path.clone(), section.node.at, text);
            }
        }
    }
    Table {
        name: name.into(),
        allow,
        rest: Rest {
            actor,
            max_depth: section
                .count("max_depth")
                .unwrap_or(crate::limits::ACTOR_DEPTH),
            loops: match section.text("loops").as_deref() {
                Some("deny_adjacent") => Loops::DenyAdjacent,
                Some("allow") => Loops::Allow,
                _ => Loops::DenyAny,
            },
            self_actor: match section.text("self_actor").as_deref() {
                Some("reject") => SelfActor::Reject,
                _ => SelfActor::Accept,
            },
            presenter: match section.text("presenter").as_deref() {
                Some("any") => PresenterRule::Any,
                _ => PresenterRule::MustBeActor,
            },
            max_lifetime,
            min_lineage: match section.text("min_lineage").as_deref() {
                Some("correlated") => Lineage::Correlated,
                Some("issuer_attested") => Lineage::IssuerAttested,
                Some("cryptographic") => Lineage::Cryptographic,
                _ => Lineage::Asserted,
            },
            require_complete: section.flag("require_complete"),
            deny,
            deny_reach: DenyReach::of(section.preset()),
            edges: edges::compile(&section.section("edges"), compiler),
        },
    }
}

/// What a gate does with `act`: one of two words, or a table (refusals 12 and 18).
pub(super) fn at_gate(
    section: &Section<'_>,
    gate: &str,
    tables: &[Table],
    implies: &[(Box<str>, Vec<Box<str>>)],
    compiler: &mut Compiler<'_>,
) -> Delegation {
    let written = section.text("delegation");
    let name = match written.as_deref() {
        Some("surface") => return Delegation::Surface,
        None | Some("forbid") => return Delegation::Forbid,
        Some(name) => name,
    };
    let Some(table) = tables.iter().find(|table| *table.name == *name) else {
        let known = tables.iter().map(|table| &*table.name);
        let text = unknown_name("delegation", name, known.chain(["forbid", "surface"]));
        compiler.problems.push(section.problem("delegation", text));
        return Delegation::Forbid;
    };
    let rules = table.rules(gate, implies);
    if rules.allow.is_empty() && rules.actor == ActorPresence::Required && !table.allow.is_empty() {
        let text =
            format!("no rule of delegation.{name} holds at this gate, and an actor is required");
        compiler.problems.push(section.problem("delegation", text));
    }
    Delegation::Enforce(Box::new(rules))
}

/// Tables and rules that no gate asks for.
pub(super) fn warn_unused(
    tables: &[Table],
    gates: &[GateRules],
    document: &Section<'_>,
    compiler: &mut Compiler<'_>,
) {
    for (table, (_, section)) in tables.iter().zip(document.named("delegation")) {
        let users = gates.iter().filter(|gate| {
            let rules = gate.delegation.rules();
            rules.is_some_and(|rules| rules.name == table.name)
        });
        let users: Vec<&str> = users.map(|gate| &*gate.name).collect();
        if users.is_empty() {
            compiler.warn(section.path.clone(), section.node.at, "no gate uses it");
            continue;
        }
        let named = table.allow.iter().flat_map(|(_, gates)| gates);
        let unused = named.filter(|gate| !users.contains(&gate.text.as_str()));
        for gate in unused {
            let text = format!("gates.{} does not use this table", gate.text);
            compiler.warn(&gate.path, gate.at, text);
        }
    }
}

impl Table {
    /// The table as this gate reads it: the rules that hold there, each ceiling with all that the
    /// gate's scopes imply.
    fn rules(&self, gate: &str, implies: &[(Box<str>, Vec<Box<str>>)]) -> DelegationRules {
        let Self { name, allow, rest } = self;
        let Rest {
            actor,
            max_depth,
            loops,
            self_actor,
            presenter,
            max_lifetime,
            min_lineage,
            require_complete,
            deny,
            deny_reach,
            edges,
        } = rest;
        let holds = |gates: &[Item]| gates.is_empty() || gates.iter().any(|item| item.text == gate);
        let rules = allow.iter().filter(|(_, gates)| holds(gates));
        DelegationRules {
            name: name.clone(),
            actor: *actor,
            max_depth: *max_depth,
            loops: *loops,
            self_actor: *self_actor,
            presenter: *presenter,
            max_lifetime: *max_lifetime,
            min_lineage: *min_lineage,
            require_complete: *require_complete,
            allow: rules
                .map(|(rule, _)| rule.clone().closed(implies))
                .collect(),
            deny: deny.clone(),
            deny_reach: *deny_reach,
            edges: edges.clone(),
        }
    }
}

impl AllowRule {
    fn closed(mut self, implies: &[(Box<str>, Vec<Box<str>>)]) -> Self {
        if let Some(scopes) = &mut self.scopes_within {
            let implied = implies.iter().filter(|(scope, _)| scopes.contains(scope));
            let implied: Vec<Box<str>> = implied.flat_map(|(_, implied)| implied.clone()).collect();
            scopes.extend(implied);
            scopes.sort_unstable();
            scopes.dedup();
        }
        self
    }
}

fn allow_rule(
    place: usize,
    section: &Section<'_>,
    compiler: &mut Compiler<'_>,
) -> (AllowRule, Vec<Item>) {
    let actor = actor_pattern(&section.section("actor"), compiler);
    let subject = section.section("subject");
    if section.has("subject") && subject.node.members().is_empty() {
        compiler
            .problems
            .push(section.problem("subject", "says nothing: leave it out"));
    }
    let subject = SubjectPattern {
        iss: values(&subject, "iss", "an issuer", compiler),
        sub_profile: values(&subject, "sub_profile", "a profile", compiler),
    };
    let gates = section.texts("gates");
    refuse_empty(section, "gates", compiler);
    compiler.refuse_repeats(&gates);
    for item in &gates {
        if !compiler.gates.contains(&item.text) {
            let known = compiler.gates.iter().map(String::as_str);
            let text = unknown_name("gates", &item.text, known);
            compiler.refuse(item, text);
        }
    }
    for item in section.texts("audience") {
        if let Some(table) = compiler.table_named(&item.text) {
            let text = format!(
                "{:?} is a name, of [{table}]. Write what the tokens have in aud",
                item.text
            );
            compiler.refuse(&item, text);
        }
    }
    let scopes = section.texts("scopes_within");
    for item in &scopes {
        if let Some(problem) = text::scope(&item.text) {
            compiler.refuse(item, problem);
        }
    }
    compiler.refuse_repeats(&scopes);
    let rule = AllowRule {
        place,
        actor,
        explicit_iss: section.flag("explicit_iss"),
        subject,
        audience: values(section, "audience", "an audience", compiler),
        scopes_within: section.has("scopes_within").then(|| boxed(scopes)),
        tools: values(section, "tool", "a tool", compiler),
    };
    (rule, gates)
}

fn deny_rule(section: &Section<'_>, compiler: &mut Compiler<'_>) -> ActorPattern {
    let actor = section.section("actor");
    if section.has("actor") && actor.node.members().is_empty() {
        let text =
            "says nothing, and would refuse everybody. Write delegation = \"forbid\" at the gate";
        compiler.problems.push(section.problem("actor", text));
    }
    actor_pattern(&actor, compiler)
}

/// Refusals 15 to 17.
fn actor_pattern(section: &Section<'_>, compiler: &mut Compiler<'_>) -> ActorPattern {
    let iss = values(section, "iss", "an issuer", compiler)
        .into_iter()
        .next();
    let subs = section.texts("sub");
    refuse_empty(section, "sub", compiler);
    compiler.refuse_repeats(&subs);
    for item in &subs {
        if let Some(problem) = text::subject(&item.text) {
            compiler.refuse(item, problem);
        }
    }
    let prefix = section.text("sub_prefix");
    let problem = match &prefix {
        Some(_) if section.has("sub") => {
            Some("sub says it exactly already. Keep one of the two".to_owned())
        }
        Some(prefix) => text::subject(prefix).or_else(|| text::prefix(prefix)),
        None => None,
    };
    if let Some(problem) = problem {
        compiler
            .problems
            .push(section.problem("sub_prefix", problem));
    }
    let sub = match (prefix, subs.is_empty()) {
        (Some(prefix), true) => SubPattern::Below(prefix.into()),
        (None, true) => SubPattern::Any,
        (_, false) => {
            let mut subs = boxed(subs);
            subs.sort_unstable();
            SubPattern::OneOf(subs)
        }
    };
    ActorPattern {
        iss,
        sub,
        sub_profile: values(section, "sub_profile", "a profile", compiler),
    }
}

/// Claim values that are compared exactly, each once (refusals 15 and 16).
fn values(
    section: &Section<'_>,
    name: &str,
    what: &str,
    compiler: &mut Compiler<'_>,
) -> Vec<Box<str>> {
    let items = section.texts(name);
    refuse_empty(section, name, compiler);
    compiler.refuse_repeats(&items);
    for item in &items {
        let named = || (name == "iss").then(|| compiler.value_of(&item.text))?;
        if let Some(problem) = text::exact(&item.text, what).or_else(named) {
            compiler.refuse(item, problem);
        }
    }
    boxed(items)
}

fn refuse_empty(section: &Section<'_>, name: &str, compiler: &mut Compiler<'_>) {
    if section.is_empty_list(name) {
        let text = "empty: the rule could never match";
        compiler.problems.push(section.problem(name, text));
    }
}
