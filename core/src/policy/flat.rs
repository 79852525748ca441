//! The smallest policy: one issuer and one gate, both named `default`, from their members in one
//! flat object. Each member goes to the table that has it: issuer, gate, or the document itself.

use super::check;
use super::document::{self, Format, Member, Node, Value};
use super::grammar::{self, Row, Shape};
use super::load::{LoadOptions, Policy};
use super::problem::{PolicyError, Problem};

/// The name of the one issuer and the one gate.
const NAME: &str = "default";

impl Policy {
    /// A policy of one issuer and one gate, both named `default`, from their members and those of
    /// the document as one JSON object: `{"issuer": …, "audience": …, "jwks_file": …}`. `version`
    /// is 1, and `profile` is `access_token` unless it is given.
    ///
    /// ```
    /// use sealgate::{LoadOptions, Policy};
    ///
    /// let members = r#"{ "issuer": "https://login.example.com", "jwks_push": "process",
    ///                    "audience": "https://api.example.com/mcp", "delegation": "surface" }"#;
    /// let policy = Policy::single(members, &LoadOptions::new())?;
    /// assert_eq!(policy.effective()["gates"]["default"]["delegation"], "surface");
    /// # Ok::<(), sealgate::PolicyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// With every problem; each names its member without the tables around it.
    pub fn single(members: &str, options: &LoadOptions) -> Result<Self, PolicyError> {
        let (root, mut problems) = document::read(members.as_bytes(), Format::Json);
        let flat = match root.map(|root| root.value) {
            Some(Value::Table(flat)) => flat,
            Some(_) => {
                let at = document::Position::default();
                problems.push(Problem::new("", at, "the members must be one object"));
                Vec::new()
            }
            None => Vec::new(),
        };
        let policy = if problems.is_empty() {
            Self::check(nest(flat), options, problems, None, |_| Vec::new())
        } else {
            Err(PolicyError::new(problems))
        };
        policy.map_err(|mut error| {
            error.problems.iter_mut().for_each(flatten);
            error
        })
    }
}

fn nest(flat: Vec<Member>) -> Node {
    let (issuer, gate) = (named("issuers"), named("gates"));
    let (issuer_members, rest): (Vec<_>, Vec<_>) = flat
        .into_iter()
        .partition(|member| belongs(issuer, &member.name));
    // `issuers` is for the loader to write: there is only one.
    let (mut gate_members, rest): (Vec<_>, Vec<_>) = rest
        .into_iter()
        .partition(|member| belongs(gate, &member.name) && member.name != "issuers");
    let given = gate_members.iter().any(|member| member.name == "profile");
    if !given {
        gate_members.push(member("profile", Node::text("access_token")));
    }
    gate_members.push(member("issuers", Node::list([Node::text(NAME)])));
    let named = |members| Node::table([(NAME, Node::new(Value::Table(members)))]);
    let mut root = vec![
        member("version", Node::new(Value::Integer(1))),
        member("issuers", named(issuer_members)),
        member("gates", named(gate_members)),
    ];
    root.extend(rest);
    Node::new(Value::Table(root))
}

/// Whether a member is one of these; a misspelt one, whether it is likest to one of them, so that
/// the loader says which.
fn belongs(rows: &[Row], name: &str) -> bool {
    let has = |rows: &[Row], name: &str| rows.iter().any(|row| row.name == name);
    let tables = [named("issuers"), named("gates"), grammar::DOCUMENT];
    if tables.iter().any(|table| has(table, name)) {
        return has(rows, name);
    }
    let known = tables.iter().copied().flatten().map(|row| row.name);
    check::nearest(name, known).is_some_and(|nearest| has(rows, nearest))
}

/// The rows of the document's tables under this name.
fn named(name: &str) -> &'static [Row] {
    let mut rows = grammar::DOCUMENT.iter().filter(|row| row.name == name);
    match rows.next().map(|row| row.shape) {
        Some(Shape::Named(rows)) => rows,
        _ => &[],
    }
}

fn member(name: &str, node: Node) -> Member {
    Member {
        name: name.to_owned(),
        at: node.at,
        node,
    }
}

/// The caller wrote no tables and no lines.
fn flatten(problem: &mut Problem) {
    for table in ["issuers.default", "gates.default"] {
        if let Some(rest) = problem.path.strip_prefix(table) {
            problem.path = rest.trim_start_matches('.').to_owned();
        }
    }
    (problem.line, problem.column) = (0, 0);
}

#[cfg(test)]
mod tests {
    use crate::policy::{LoadOptions, Policy};

    const MEMBERS: &str = r#""issuer":"https://i.example","jwks_push":"process","audience":"a""#;

    #[test]
    fn each_member_finds_its_table() {
        let members = format!("{{{MEMBERS},\"leeway\":\"5s\",\"required_scopes\":[\"r\"]}}");
        let policy = Policy::single(&members, &LoadOptions::new()).unwrap();
        let same = r#"{"version":1,"leeway":"5s",
            "issuers":{"default":{"issuer":"https://i.example","jwks_push":"process"}},
            "gates":{"default":{"profile":"access_token","issuers":["default"],"audience":"a",
                                "required_scopes":["r"]}}}"#;
        let same = Policy::parse(same, crate::policy::Format::Json).unwrap();
        assert_eq!(policy.canonical_json(), same.canonical_json());
    }

    #[test]
    fn a_misspelt_member_is_known_again_whatever_table_has_it() {
        for (wrong, right) in [
            ("audiance", "audience"),
            ("max_livetime", "max_lifetime"),
            ("leway", "leeway"),
        ] {
            let members = format!("{{{MEMBERS},{wrong:?}:1}}");
            let error = Policy::single(&members, &LoadOptions::new()).unwrap_err();
            let text = &error.problems[0].text;
            assert!(
                text.ends_with(&format!("Did you mean {right:?}?")),
                "{text}"
            );
        }
    }

    #[test]
    fn problems_name_the_member_as_it_was_given() {
        let refused = |more: &str| {
            let members = format!("{{{MEMBERS},{more}}}");
            let error = Policy::single(&members, &LoadOptions::new()).unwrap_err();
            let paths = error.problems.into_iter().map(|problem| problem.path);
            paths.collect::<Vec<_>>()
        };
        assert_eq!(refused(r#""algorithms":[]"#), ["algorithms"]);
        assert_eq!(refused(r#""audiance":"a""#), ["audiance"]);
        assert_eq!(refused(r#""nonsense":"a""#), ["nonsense"]);
        assert_eq!(refused(r#""issuers":{}"#), ["issuers"]);
        assert_eq!(refused(r#""jwks":{"keys":[]}"#), [""]);
    }
}
