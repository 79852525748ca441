//! Delegation tables: loader refusals 12 and 15 to 18, 22, and what a gate makes of a table.

use super::super::{
    ActorPresence, Delegation, DelegationRules, DenyReach, Format, LoadOptions, Loops, Policy,
    PresenterRule, SelfActor,
};
use super::refusals::{gate, loads, refuses};
use super::{MINIMAL, load, load_as};

/// The minimal document with a table `agents` of these lines, which gate `tools` names.
fn table(lines: &str) -> String {
    format!("{MINIMAL}delegation = \"agents\"\n[delegation.agents]\n{lines}\n")
}

/// The same with one allow rule of these members.
fn rule(members: &str) -> String {
    table(&format!("allow = [{{ {members} }}]"))
}

fn rules(policy: &Policy, gate: usize) -> &DelegationRules {
    policy.rules().gates[gate].delegation.rules().unwrap()
}

const AGENT: &str = "actor = { iss = \"https://login.example.com\", sub = \"agent-a\" }";

#[test]
fn a_table_becomes_the_rules_of_its_gates() {
    let document = rule(AGENT);
    loads(&document, &[]);
    let policy = load(&document).unwrap();
    let agents = rules(&policy, 0);
    assert_eq!(&*agents.name, "agents");
    assert_eq!((agents.max_depth, agents.loops), (5, Loops::DenyAny));
    assert_eq!(agents.actor, ActorPresence::Optional);
    assert_eq!(agents.self_actor, SelfActor::Accept);
    assert_eq!(agents.presenter, PresenterRule::MustBeActor);
    assert_eq!(agents.max_lifetime.unwrap().seconds(), 900);
    assert_eq!(agents.deny_reach, DenyReach::AnyLink);
    assert!(!agents.require_complete && agents.deny.is_empty());
    let summary = policy.summary();
    assert!(
        summary.gates[0]
            .demands
            .contains(&"agents: 5 links, 1 allow".to_owned())
    );

    let rfc = document.replacen("version = 1", "version = 1\npreset = \"rfc\"", 1);
    let policy = load(&rfc).unwrap();
    assert_eq!(rules(&policy, 0).max_lifetime, None);
    assert_eq!(rules(&policy, 0).deny_reach, DenyReach::Outermost);

    let other = table(
        "actor = \"required\"\nmax_depth = 1\nloops = \"allow\"\nself_actor = \"reject\"\n\
         presenter = \"any\"\nmax_lifetime = \"5m\"\nrequire_complete = true\n\
         [[delegation.agents.allow]]\nactor.iss = \"https://login.example.com\"\n\
         [[delegation.agents.deny]]\nactor.sub = [\"b\", \"a\"]",
    );
    let policy = load(&other).unwrap();
    let agents = rules(&policy, 0);
    assert_eq!((agents.max_depth, agents.loops), (1, Loops::Allow));
    assert_eq!(agents.deny.len(), 1);
    let demands = &policy.summary().gates[0].demands;
    let told = "agents: 1 link, actor required, 1 allow, 1 deny";
    assert!(demands.contains(&told.to_owned()), "{demands:?}");
}

#[test]
fn a_rule_holds_at_the_gates_it_names() {
    let jobs = "[gates.jobs]\nprofile = \"access_token\"\naudience = \"https://api.example.com/jobs\"\nissuers = [\"corp\"]\n\
                delegation = \"agents\"\nscope_implies = { w = [\"r\"], r = [\"l\"] }\n";
    let text = format!(
        "{}{jobs}",
        table(&format!(
            "allow = [{{ {AGENT}, gates = [\"jobs\"], scopes_within = [\"w\"] }}, {{ {AGENT} }}]"
        ))
    );
    let policy = load(&text).unwrap();
    assert_eq!(
        (rules(&policy, 0).allow.len(), rules(&policy, 1).allow.len()),
        (1, 2)
    );
    // A ceiling holds all that its scopes imply at the gate.
    let ceiling = rules(&policy, 1).allow[0].scopes_within.as_ref().unwrap();
    assert_eq!(
        ceiling.iter().map(|scope| &**scope).collect::<Vec<_>>(),
        ["l", "r", "w"]
    );
}

#[test]
fn effective_shows_the_defaults_of_a_table_and_loads_again() {
    let document = rule(AGENT);
    let policy = load(&document).unwrap();
    let effective = policy.effective();
    let agents = &effective["delegation"]["agents"];
    assert_eq!(agents["max_lifetime"], "15m");
    assert_eq!(agents["presenter"], "must_be_actor");
    assert_eq!(agents["allow"][0]["explicit_iss"], false);
    let again = load_as(&effective.to_string(), Format::Json, &LoadOptions::new()).unwrap();
    assert_eq!(again.effective(), effective);
    assert_eq!(
        again.rules().gates[0].delegation,
        policy.rules().gates[0].delegation
    );
}

#[test]
fn refusal_12_no_such_table_or_gate() {
    let agentz = rule(AGENT).replace("delegation = \"agents\"", "delegation = \"agentz\"");
    refuses(
        &agentz,
        &["11:14 gates.tools.delegation: no [delegation.agentz]. Did you mean \"agents\"?"],
    );
    refuses(
        &rule(&format!("{AGENT}, gates = [\"toolz\"]")),
        &["13:85 delegation.agents.allow[0].gates[0]: no [gates.toolz]. Did you mean \"tools\"?"],
    );
    refuses(
        &gate("delegation = { allow = [] }"),
        &["11:14 gates.tools.delegation: a table where a string belongs"],
    );
}

#[test]
fn refusal_15_patterns_in_rules() {
    refuses(
        &rule("actor = { iss = \"*\", sub = [\"a\", \"b*\"], sub_profile = \"\" }"),
        &[
            "13:28 delegation.agents.allow[0].actor.iss: \"*\" is not an issuer",
            "13:45 delegation.agents.allow[0].actor.sub[1]: \"b*\" is a pattern. Write each value out: \
             they are compared exactly",
            "13:66 delegation.agents.allow[0].actor.sub_profile: \"\" is not a profile",
        ],
    );
    refuses(
        &rule(&format!(
            "{AGENT}, subject = {{ iss = \" https://a.example\" }}, audience = [\"a\", \"a\"]"
        )),
        &[
            "13:94 delegation.agents.allow[0].subject.iss: \" https://a.example\" begins or ends with a \
             space",
            "13:135 delegation.agents.allow[0].audience[1]: \"a\" is written twice",
        ],
    );
    // Some issuers write a bar in `sub`.
    loads(
        &rule("actor = { iss = \"https://login.example.com\", sub = \"auth0|1\" }"),
        &[],
    );
}

#[test]
fn refusal_16_names_in_rules() {
    refuses(
        &rule("actor = { iss = \"corp\", sub = \"a\" }, audience = \"tools\""),
        &[
            "13:28 delegation.agents.allow[0].actor.iss: \"corp\" is a name. Write \
             \"https://login.example.com\"",
            "13:60 delegation.agents.allow[0].audience: \"tools\" is a name, of [gates.tools]. Write \
             what the tokens have in aud",
        ],
    );
}

#[test]
fn refusal_17_who_acts_must_be_said_exactly() {
    refuses(
        &rule("actor = { sub = \"a\" }"),
        &["13:20 delegation.agents.allow[0].actor: no iss. The exact issuer of the actor."],
    );
    let prefix = |prefix: &str| {
        rule(&format!(
            "actor = {{ iss = \"https://login.example.com\", sub_prefix = \"{prefix}\" }}"
        ))
    };
    refuses(
        &prefix("spiffe://example.com/agents/research"),
        &[
            "13:70 delegation.agents.allow[0].actor.sub_prefix: must end in \"/\", else agents/research matches agents/research-evil",
        ],
    );
    refuses(
        &prefix("spiffe://"),
        &[
            "13:70 delegation.agents.allow[0].actor.sub_prefix: \"spiffe://\" names no host: it would \
           match everybody's",
        ],
    );
    loads(&prefix("spiffe://example.com/agents/"), &[]);
    refuses(
        &rule("actor = { iss = \"https://login.example.com\", sub = \"a\", sub_prefix = \"b/\" }"),
        &[
            "13:81 delegation.agents.allow[0].actor.sub_prefix: sub says it exactly already. Keep one of \
           the two",
        ],
    );
    refuses(
        &rule(
            "actor = { iss = \"https://login.example.com\", sub = [] }, subject = {}, gates = []",
        ),
        &[
            "13:63 delegation.agents.allow[0].actor.sub: empty: the rule could never match",
            "13:79 delegation.agents.allow[0].subject: says nothing: leave it out",
            "13:91 delegation.agents.allow[0].gates: empty: the rule could never match",
        ],
    );
}

#[test]
fn refusal_18_tables_that_mean_something_else() {
    refuses(
        &table("actor = \"required\""),
        &["12:1 delegation.agents: no rule can ever match: write an [[…allow]] rule"],
    );
    let elsewhere = format!("{AGENT}, gates = [\"other\"]");
    let other = "[gates.other]\nprofile = \"access_token\"\naudience = \"x\"\nissuers = [\"corp\"]\n\
                 delegation = \"agents\"\n";
    refuses(
        &format!(
            "{}{other}",
            rule(&elsewhere).replace("allow =", "actor = \"required\"\nallow =")
        ),
        &[
            "11:14 gates.tools.delegation: no rule of delegation.agents holds at this gate, and an actor \
           is required",
        ],
    );
    refuses(
        &format!("{MINIMAL}[delegation.surface]\nallow = [{{ {AGENT} }}]\n"),
        &[
            "11:1 delegation.surface: delegation = \"surface\" at a gate means no table. Give it another \
           name",
        ],
    );
    refuses(
        &table("[[delegation.agents.deny]]\nactor = {}"),
        &[
            "14:9 delegation.agents.deny[0].actor: says nothing, and would refuse everybody. Write \
           delegation = \"forbid\" at the gate",
        ],
    );
}

#[test]
fn refusal_22_depth_and_lifetime() {
    let depth = |depth: i64| table(&format!("max_depth = {depth}\nallow = [{{ {AGENT} }}]"));
    refuses(
        &depth(0),
        &["13:13 delegation.agents.max_depth: at least 1"],
    );
    refuses(
        &depth(33),
        &["13:13 delegation.agents.max_depth: at most 32"],
    );
    loads(&depth(32), &[]);
    refuses(
        &table(&format!("max_lifetime = \"0s\"\nallow = [{{ {AGENT} }}]")),
        &["13:16 delegation.agents.max_lifetime: \"0s\" refuses every token with act"],
    );
}

#[test]
fn what_loads_and_deserves_a_second_look() {
    loads(
        &format!("{MINIMAL}[delegation.agents]\nallow = [{{ {AGENT} }}]\n"),
        &["delegation.agents: no gate uses it"],
    );
    loads(
        &table(""),
        &["delegation.agents: no allow rule: every token with act is refused"],
    );
    let other =
        "[gates.other]\nprofile = \"access_token\"\naudience = \"x\"\nissuers = [\"corp\"]\n";
    loads(
        &format!(
            "{}{other}",
            rule(&format!("{AGENT}, gates = [\"tools\", \"other\"]"))
        ),
        &["delegation.agents.allow[0].gates[1]: gates.other does not use this table"],
    );
}

#[test]
fn what_a_gate_without_a_table_does() {
    let of = |lines: &str| {
        load(&gate(lines)).unwrap().rules().gates[0]
            .delegation
            .rules()
            .is_none()
    };
    assert!(of("") && of("delegation = \"surface\""));
    assert_eq!(
        load(&gate("delegation = \"surface\""))
            .unwrap()
            .rules()
            .gates[0]
            .delegation,
        Delegation::Surface
    );
}
