//! Does one entry of `authorization_details`, or of an intent's bounds, permit an operation? (CD-05,
//! INTN-04)
//!
//! One entry permits all of it: what two entries grant is never put together. An entry that says
//! more than an operation tells of, as an amount, permits none.

use super::{capability, mission, text, texts, uri};
use crate::delegation::Operation;
use crate::encoding::json::Value;

/// Whether some entry of this array permits it. What is no array permits nothing.
pub(in crate::delegation) fn some_permits(
    entries: Value<'_>,
    operation: &Operation,
    here: Here<'_>,
) -> bool {
    let mut entries = entries.as_array().into_iter().flatten();
    entries.any(|entry| permits(entry, operation, here)) // RAR-05
}

/// By what names this server is known.
#[derive(Clone, Copy)]
pub(in crate::delegation) struct Here<'h> {
    pub(in crate::delegation) audience: &'h [Box<str>],
    pub(in crate::delegation) public_url: Option<&'h str>,
}

impl Here<'_> {
    fn is(self, location: &str) -> bool {
        let mut audience = self.audience.iter();
        audience.any(|own| **own == *location) || self.public_url == Some(location)
    }
}

fn permits(entry: Value<'_>, operation: &Operation, here: Here<'_>) -> bool {
    match text(entry, "type") {
        Some("attenuating_agent_token") => capability::permits(entry, operation),
        Some("mission_resource_access") => mission_access(entry, operation),
        Some(_) => common(entry, operation, here), // RAR-02
        None => false,
    }
}

fn mission_access(entry: Value<'_>, operation: &Operation) -> bool {
    let mut members = entry.as_object().into_iter().flatten();
    members.all(|(name, value)| match name {
        "type" | "resource_match" | "delegation" => true,
        "resource" => {
            let named = value.as_str().zip(operation.resource.as_deref());
            named.is_some_and(|(granted, own)| match mission::is_prefix(entry) {
                Some(true) => uri::is_within(own, granted),
                Some(false) => own == granted,
                None => false,
            })
        }
        "actions" => lists(value, operation.action.as_deref(), mission::covers),
        "constraints" => {
            let mut constraints = value.as_object().into_iter().flatten();
            value.as_object().is_some()
                && constraints.all(|(name, value)| match name {
                    "allowed_tools" => lists(value, operation.tool.as_deref(), str::eq),
                    "requires_action_approval" => value.as_bool() == Some(false),
                    _ => false,
                })
        }
        _ => false,
    }) && entry.get("resource").is_some()
}

/// A type that nobody here knows, by the common fields of RFC 9396 §2.2: what they name, the
/// operation names; and they name something of it.
fn common(entry: Value<'_>, operation: &Operation, here: Here<'_>) -> bool {
    let resource = operation.resource.as_deref();
    let mut members = entry.as_object().into_iter().flatten();
    let permitted = members.all(|(name, value)| match name {
        "type" => true,
        "actions" => lists(value, operation.action.as_deref(), str::eq),
        "identifier" => value.as_str().is_some() && value.as_str() == resource,
        // RAR-04: for this server, or for the very resource where that has an address of its own.
        "locations" => applies(value, resource, here),
        _ => false, // RAR-06
    });
    let says = |name: &str| entry.get(name).is_some();
    permitted && ["actions", "identifier", "locations"].into_iter().any(says)
}

fn applies(locations: Value<'_>, resource: Option<&str>, here: Here<'_>) -> bool {
    let mut locations = texts(locations).into_iter().flatten();
    locations.any(|location| {
        let location = location.as_str();
        location.is_some_and(|location| here.is(location) || resource == Some(location))
    })
}

/// Whether an array of strings has what the operation names.
fn lists(value: Value<'_>, own: Option<&str>, covers: impl Fn(&str, &str) -> bool) -> bool {
    let Some((mut granted, own)) = texts(value).zip(own) else {
        return false;
    };
    granted.any(|granted| granted.as_str().is_some_and(|granted| covers(granted, own)))
}

#[cfg(test)]
mod tests {
    use super::{Here, some_permits};
    use crate::delegation::Operation;
    use crate::encoding::json::Json;
    use crate::limits::Limits;

    fn permits(entries: &str, operation: Operation) -> bool {
        let json = Json::parse(entries.into(), Limits::DEFAULT.into()).unwrap();
        let audience = ["https://here.example".into()];
        let here = Here {
            audience: &audience,
            public_url: Some("https://api.example"),
        };
        some_permits(json.root(), &operation, here)
    }

    fn call(tool: &str) -> Operation {
        Operation::new().tool(tool)
    }

    fn act(resource: &str, action: &str) -> Operation {
        Operation::new().resource(resource).action(action)
    }

    #[test]
    fn common_fields_name_what_is_done() {
        let account = r#"[{"type":"account","actions":["read"],"locations":["https://x.example"]},
                          {"type":"account","actions":["write"],"identifier":"a1","locations":["https://here.example"]},
                          {"type":"account","actions":["close"],"identifier":"a1","locations":["https://x.example"]},
                          {"type":"account","actions":["list"],"locations":["https://api.example"]}]"#;
        assert!(permits(account, act("https://x.example", "read")));
        assert!(permits(account, act("https://x.example", "read").tool("t")));
        assert!(permits(account, act("a1", "write")));
        assert!(permits(account, act("a1", "list")));
        assert!(permits(account, Operation::new().action("list")));
        for other in [
            act("https://x.example", "write"),
            act("https://x.example/", "read"),
            act("a1", "read"),
            act("a1", "close"),
            Operation::new().action("read"),
            Operation::new().resource("https://x.example"),
            call("t"),
        ] {
            assert!(!permits(account, other.clone()), "{other:?}");
        }
        let read = || Operation::new().action("read");
        assert!(permits(r#"[{"type":"a","actions":["read"]}]"#, read()));
        for more in [
            r#"[]"#,
            r#"{}"#,
            r#"[{"type":"a"}]"#,
            r#"[{"actions":["read"]}]"#,
            r#"[{"type":"a","actions":"read"}]"#,
            r#"[{"type":"a","actions":["read",1]}]"#,
            r#"[{"type":"a","actions":["read"],"amount":5}]"#,
            r#"[{"type":"a","actions":["read"],"datatypes":["x"]}]"#,
        ] {
            assert!(!permits(more, read()), "{more}");
        }
    }

    #[test]
    fn a_capability_names_tools() {
        let tools = r#"[{"type":"attenuating_agent_token","tools":{"list":{},"read":{"path":{"constraint_type":"wildcard"}}}}]"#;
        assert!(permits(tools, call("list")));
        assert!(!permits(tools, call("read")), "it tells no arguments");
        let with = |arguments: &str| call("read").arguments(arguments);
        assert!(permits(tools, with(r#"{"path":"/a"}"#)));
        for other in [r#"{}"#, r#"{"path":"/a","mode":"r"}"#, r#"{"file":"/a"}"#] {
            assert!(!permits(tools, with(other)), "{other}");
        }
        assert!(permits(tools, call("list").arguments(r#"{"any":1}"#)));
        assert!(!permits(tools, call("write")));
        assert!(!permits(tools, act("list", "list")));
        assert!(!permits(
            r#"[{"type":"attenuating_agent_token"}]"#,
            call("list")
        ));
    }

    #[test]
    fn a_mission_names_resource_action_and_tools() {
        let entry = |more: &str| {
            format!(r#"[{{"type":"mission_resource_access","resource":"/pay"{more}}}]"#)
        };
        let of = |more: &str, operation: Operation| permits(&entry(more), operation);
        assert!(of("", act("/pay", "x")));
        assert!(!of("", act("/pay/x", "x")));
        assert!(of(r#","resource_match":"prefix""#, act("/pay/x", "x")));
        assert!(!of(r#","resource_match":"regex""#, act("/pay", "x")));
        assert!(!of("", call("t")));
        let family = r#","actions":["invoices.*"]"#;
        assert!(of(family, act("/pay", "invoices.read")));
        assert!(!of(family, act("/pay", "invoices")));
        let tools = r#","constraints":{"allowed_tools":["t"],"requires_action_approval":false}"#;
        assert!(of(tools, act("/pay", "x").tool("t")));
        assert!(!of(tools, act("/pay", "x").tool("u")));
        assert!(!of(tools, act("/pay", "x")));
        for unknown in [
            r#","constraints":{"max_amount":"5"}"#,
            r#","constraints":{"requires_action_approval":true}"#,
            r#","constraints":[]"#,
            r#","else":1"#,
        ] {
            assert!(!of(unknown, act("/pay", "x")), "{unknown}");
        }
        let nowhere = r#"[{"type":"mission_resource_access"}]"#;
        assert!(!permits(nowhere, act("/pay", "x")));
    }
}
