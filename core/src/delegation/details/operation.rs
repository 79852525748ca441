//! Does one entry of `authorization_details`, or of an intent's bounds, permit an operation?
//! (CD-05, INTN-04)
//!
//! One entry permits all of it: what two entries grant is never put together (RAR-05). Whatever an
//! operation names, the entry names too, and silence grants nothing; an entry that says more than
//! an operation tells of, as an amount, permits none.

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

/// What of an operation an entry names as permitted.
#[derive(Clone, Copy, Default)]
struct Named {
    tool: bool,
    resource: bool,
    action: bool,
}

impl Named {
    fn is_all_of(self, operation: &Operation) -> bool {
        let Operation {
            tool,
            resource,
            action,
            scope: _,     // the token's scopes are asked
            arguments: _, // a tool's own: what permits the tool has judged them
        } = operation;
        (self.tool || tool.is_none())
            && (self.resource || resource.is_none())
            && (self.action || action.is_none())
    }
}

fn permits(entry: Value<'_>, operation: &Operation, here: Here<'_>) -> bool {
    let named = match text(entry, "type") {
        Some("attenuating_agent_token") => capability::permits(entry, operation).then_some(Named {
            tool: true,
            ..Named::default()
        }),
        Some("mission_resource_access") => mission_access(entry, operation),
        Some(_) => common(entry, operation, here),
        None => None,
    };
    named.is_some_and(|named| named.is_all_of(operation))
}

/// What a mission's entry names; `None` where the operation is not within it.
fn mission_access(entry: Value<'_>, operation: &Operation) -> Option<Named> {
    let mut named = Named::default();
    for (name, value) in entry.as_object()? {
        let permitted = match name {
            "type" | "resource_match" | "delegation" => true,
            "resource" => {
                let both = value.as_str().zip(operation.resource.as_deref());
                named.resource =
                    both.is_some_and(|(granted, own)| match mission::is_prefix(entry) {
                        Some(true) => uri::is_within(own, granted),
                        Some(false) => own == granted,
                        None => false,
                    });
                named.resource
            }
            "actions" => {
                named.action = lists(value, operation.action.as_deref(), mission::covers);
                named.action
            }
            "constraints" => value.as_object()?.all(|(name, value)| match name {
                "allowed_tools" => {
                    named.tool = lists(value, operation.tool.as_deref(), str::eq);
                    named.tool
                }
                "requires_action_approval" => value.as_bool() == Some(false),
                _ => false,
            }),
            _ => false,
        };
        if !permitted {
            return None;
        }
    }
    named.resource.then_some(named) // a mission's entry is for a resource
}

/// What an entry names of a type that nobody here knows, by the common fields of RFC 9396 §2.2;
/// none of them is for a tool. `None` where the operation is not within it.
fn common(entry: Value<'_>, operation: &Operation, here: Here<'_>) -> Option<Named> {
    let resource = operation.resource.as_deref();
    let mut named = Named::default();
    for (name, value) in entry.as_object()? {
        let permitted = match name {
            "type" => true, // RAR-02: a type alone grants nothing
            "actions" => {
                named.action = lists(value, operation.action.as_deref(), str::eq);
                named.action
            }
            "identifier" => {
                let is_it = value.as_str().is_some() && value.as_str() == resource;
                named.resource |= is_it;
                is_it
            }
            // RAR-04: an entry for this server applies, and names nothing of what is done here; one
            // for the very resource, which has an address of its own, names that.
            "locations" => {
                let has = |is: &dyn Fn(&str) -> bool| {
                    let mut locations = texts(value).into_iter().flatten();
                    locations.any(|location| location.as_str().is_some_and(is))
                };
                let is_it = has(&|location| resource == Some(location));
                named.resource |= is_it;
                is_it || has(&|location| here.is(location))
            }
            _ => false, // RAR-06
        };
        if !permitted {
            return None;
        }
    }
    Some(named)
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
                          {"type":"account","actions":["list"],"locations":["https://api.example"]},
                          {"type":"account","identifier":"a3"}]"#;
        assert!(permits(account, act("https://x.example", "read")));
        assert!(permits(account, act("a1", "write")));
        assert!(permits(account, act("https://api.example", "list")));
        assert!(permits(account, Operation::new().action("list")));
        assert!(permits(account, Operation::new().resource("a3")));
        for other in [
            act("https://x.example", "write"),
            act("https://x.example/", "read"),
            act("https://x.example", "read").tool("t"),
            act("https://here.example", "write"),
            act("a1", "read"),
            act("a1", "close"),
            act("a1", "list"),
            act("a3", "read"),
            Operation::new().action("read"),
            Operation::new().action("list").tool("t"),
            Operation::new().resource("https://x.example"),
            Operation::new().resource("a3").tool("t"),
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

    /// RAR-02, RAR-05: whatever the operation, an entry that is only for this server permits none.
    #[test]
    fn an_entry_for_this_server_names_nothing_done_here() {
        for entries in [
            r#"[{"type":"calendar","locations":["https://here.example"]}]"#,
            r#"[{"type":"calendar","locations":["https://api.example"]}]"#,
        ] {
            for operation in [
                call("rm_rf"),
                Operation::new().action("transfer_money"),
                act("vault-7", "delete"),
                act("https://elsewhere.example", "x"),
                Operation::new().resource("vault-7"),
            ] {
                assert!(!permits(entries, operation.clone()), "{operation:?}");
            }
        }
        let itself = r#"[{"type":"calendar","locations":["https://here.example"]}]"#;
        assert!(permits(
            itself,
            Operation::new().resource("https://here.example")
        ));
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
        assert!(!permits(tools, call("list").action("list")));
        assert!(!permits(tools, call("list").resource("/a")));
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
        let at = |resource: &str| Operation::new().resource(resource);
        assert!(of("", at("/pay")));
        assert!(!of("", at("/pay/x")));
        assert!(!of("", act("/pay", "x")), "it names no action");
        assert!(of(r#","resource_match":"prefix""#, at("/pay/x")));
        assert!(!of(r#","resource_match":"regex""#, at("/pay")));
        assert!(!of("", call("t")));
        let family = r#","actions":["invoices.*"]"#;
        assert!(of(family, act("/pay", "invoices.read")));
        assert!(!of(family, act("/pay", "invoices")));
        assert!(!of(family, at("/pay")));
        assert!(!of(family, act("/pay", "invoices.read").tool("t")));
        let tools = r#","constraints":{"allowed_tools":["t"],"requires_action_approval":false}"#;
        assert!(of(tools, at("/pay").tool("t")));
        assert!(!of(tools, at("/pay").tool("u")));
        assert!(!of(tools, at("/pay")));
        for unknown in [
            r#","constraints":{"max_amount":"5"}"#,
            r#","constraints":{"requires_action_approval":true}"#,
            r#","constraints":[]"#,
            r#","else":1"#,
        ] {
            assert!(!of(unknown, at("/pay")), "{unknown}");
        }
        let nowhere = r#"[{"type":"mission_resource_access","actions":["x"]}]"#;
        assert!(!permits(nowhere, Operation::new().action("x")));
    }
}
