use proptest::prelude::*;

use super::{Types, within};
use crate::claims::Claims;
use crate::encoding::json::Json;
use crate::limits::Limits;

fn claims(details: &str) -> Claims {
    let text = match details {
        "" => "{}".to_owned(),
        details => format!("{{\"authorization_details\":{details}}}"),
    };
    Claims::locate(Json::parse(text.into(), Limits::DEFAULT.into()).unwrap()).unwrap()
}

fn shrinks(child: &str, parent: &str) -> bool {
    within(&claims(child), &claims(parent), Types::Every)
}

/// Asserts of each pair of child and parent entries whether the child is within the parent.
#[track_caller]
fn check(kind: &str, verdict: bool, pairs: &[(&str, &str)]) {
    for (child, parent) in pairs {
        let [child, parent] = [child, parent].map(|rest| {
            let comma = if rest.is_empty() { "" } else { "," };
            format!("[{{\"type\":\"{kind}\"{comma}{rest}}}]")
        });
        assert_eq!(shrinks(&child, &parent), verdict, "{child} within {parent}");
        // Everything is within itself.
        assert!(shrinks(&parent, &parent), "{parent}");
    }
}

#[test]
fn absent_and_empty_details_grant_nothing() {
    let one = r#"[{"type":"a"}]"#;
    for (child, parent, verdict) in [
        ("", "", true),
        ("", one, true),
        ("[]", one, true),
        (one, one, true),
        (one, "", false),
        (one, "[]", false),
        (r#"[{"type":"b"}]"#, one, false),
    ] {
        assert_eq!(shrinks(child, parent), verdict, "{child} {parent}");
    }
    // Between two domains a type of the child's own is not compared.
    let of_both = |child| within(&claims(child), &claims(one), Types::Shared);
    assert!(of_both(r#"[{"type":"b","actions":["x"]}]"#));
    assert!(!of_both(r#"[{"type":"a","x":1}]"#));
}

#[test]
fn p24_common_fields_only_shrink() {
    check(
        "account",
        true,
        &[
            (r#""actions":["read"]"#, r#""actions":["read","write"]"#),
            (
                r#""actions":["read"],"locations":["https://a"]"#,
                r#""actions":["read"]"#,
            ),
            (r#""actions":[]"#, r#""actions":["read"]"#),
            (r#""identifier":"1""#, r#""identifier":"1""#),
            (r#""identifier":"1""#, ""),
            (r#""limit":1.0"#, r#""limit":1"#),
        ],
    );
    check(
        "account",
        false,
        &[
            ("", r#""locations":["https://a"]"#), // P24: dropped
            (r#""actions":["write"]"#, r#""actions":["read"]"#),
            (r#""actions":["read",1]"#, r#""actions":["read"]"#),
            (r#""actions":"read""#, r#""actions":["read"]"#),
            (r#""identifier":"2""#, r#""identifier":"1""#),
            ("", r#""identifier":"1""#),
            (r#""limit":2"#, r#""limit":1"#),
            ("", r#""limit":1"#),
            (r#""limit":1"#, ""), // nobody knows that it restricts
        ],
    );
}

#[test]
fn p25_two_entries_are_never_put_together() {
    let parent = r#"[{"type":"a","actions":["read"],"locations":["https://x"]},
                     {"type":"a","actions":["write"],"locations":["https://y"]}]"#;
    let child = |action: &str, location: &str| {
        format!(r#"[{{"type":"a","actions":["{action}"],"locations":["{location}"]}}]"#)
    };
    assert!(shrinks(&child("read", "https://x"), parent));
    assert!(shrinks(&child("write", "https://y"), parent));
    assert!(!shrinks(&child("read", "https://y"), parent));
}

fn constrained(constraints: &str) -> String {
    format!(r#""resource":"/pay","constraints":{{{constraints}}}"#)
}

#[track_caller]
fn check_constraints(verdict: bool, pairs: &[(&str, &str)]) {
    for (child, parent) in pairs {
        let pair = (constrained(child), constrained(parent));
        check("mission_resource_access", verdict, &[(&pair.0, &pair.1)]);
    }
}

#[test]
fn p26_to_p28_missions() {
    check_constraints(
        true,
        &[
            (r#""max_amount":"500""#, r#""max_amount":"500.00""#),
            (
                r#""max_amount":"499.99","currency":"EUR""#,
                r#""max_amount":"500","currency":"EUR""#,
            ),
            (r#""max_amount":"1""#, ""),
            (
                r#""max_amount":{"amount":"500","currency":"USD"}"#,
                r#""max_amount":{"currency":"USD","amount":"500.00"}"#,
            ),
            (
                r#""recipient_domain":"mail.example.com""#,
                r#""recipient_domain":"Example.com""#,
            ),
            (
                r#""resource_issued_after":"2027-01-02T00:00:00Z""#,
                r#""resource_issued_after":"2027-01-01T00:00:00Z""#,
            ),
            (
                r#""time_window":{"not_before":"2027-01-02T00:00:00Z","not_after":"2027-01-03T00:00:00Z"}"#,
                r#""time_window":{"not_before":"2027-01-01T00:00:00Z","not_after":"2027-01-03T00:00:00Z"}"#,
            ),
            (
                r#""time_window":{"not_before":"2027-01-02T00:00:00Z","not_after":"2027-01-03T00:00:00Z"}"#,
                r#""time_window":{"not_after":"2027-01-03T01:00:00.0+01:00"}"#,
            ),
            (r#""allowed_tools":["a"]"#, r#""allowed_tools":["a","b"]"#),
            ("", r#""requires_action_approval":false"#),
            (
                r#""requires_action_approval":true"#,
                r#""requires_action_approval":false"#,
            ),
            (r#""unknown":{"a":[1]}"#, r#""unknown":{"a":[1.0]}"#),
        ],
    );
    check_constraints(
        false,
        &[
            (r#""max_amount":"500.01""#, r#""max_amount":"500""#),
            (
                r#""max_amount":{"amount":"1","currency":"BTC"}"#,
                r#""max_amount":{"amount":"500","currency":"USD"}"#,
            ),
            (
                r#""max_amount":{"amount":"501","currency":"USD"}"#,
                r#""max_amount":{"amount":"500","currency":"USD"}"#,
            ),
            (
                r#""max_amount":"1""#,
                r#""max_amount":{"amount":"500","currency":"USD"}"#,
            ),
            (r#""max_amount":"5e2""#, r#""max_amount":"500""#),
            (r#""max_amount":500"#, r#""max_amount":"500""#),
            (
                r#""max_amount":"1","currency":"BTC""#,
                r#""max_amount":"500","currency":"EUR""#,
            ),
            (
                r#""max_amount":"1","currency":"BTC""#,
                r#""max_amount":"500""#,
            ),
            ("", r#""max_amount":"500""#),
            (
                r#""recipient_domain":"badexample.com""#,
                r#""recipient_domain":"example.com""#,
            ),
            (
                r#""recipient_domain":".example.com""#,
                r#""recipient_domain":"example.com""#,
            ),
            (
                r#""recipient_domain":"com""#,
                r#""recipient_domain":"example.com""#,
            ),
            (
                r#""resource_issued_before":"2027-01-02T00:00:00Z""#,
                r#""resource_issued_before":"2027-01-01T00:00:00Z""#,
            ),
            (
                r#""time_window":{"not_before":"2027-01-02T00:00:00Z"}"#,
                r#""time_window":{"not_before":"2027-01-01T00:00:00Z","not_after":"2027-01-03T00:00:00Z"}"#,
            ),
            (r#""tenant":"b""#, r#""tenant":"a""#),
            (
                r#""requires_action_approval":false"#,
                r#""requires_action_approval":true"#,
            ),
            (r#""unknown":2"#, r#""unknown":1"#),
            (r#""unknown":1"#, ""),
        ],
    );
    let prefix = r#""resource":"/pay","resource_match":"prefix""#;
    check(
        "mission_resource_access",
        true,
        &[
            (r#""resource":"/pay/x""#, prefix),
            (r#""resource":"/%70ay/x""#, prefix),
            (r#""resource":"/pay/x","resource_match":"prefix""#, prefix),
            (
                r#""resource":"/pay","actions":["pay.send"]"#,
                r#""resource":"/pay","actions":["pay.*"]"#,
            ),
            (
                r#""resource":"/pay","delegation":{"max_depth":1}"#,
                r#""resource":"/pay","delegation":{"max_depth":2}"#,
            ),
            (
                r#""resource":"/pay""#,
                r#""resource":"/pay","delegation":{"max_depth":2}"#,
            ),
            (
                r#""resource":"/pay","delegation":{"max_depth":1,"allowed_delegates":[{"sub":"a","sub_profile":"ai_agent"}]}"#,
                r#""resource":"/pay","delegation":{"max_depth":2,"allowed_delegates":[{"sub_profile":"ai_agent"}]}"#,
            ),
        ],
    );
    check(
        "mission_resource_access",
        false,
        &[
            (r#""resource":"/payments""#, prefix),
            (r#""resource":"/pay/x""#, r#""resource":"/pay""#),
            (prefix, r#""resource":"/pay""#), // one resource becomes many
            (r#""resource":"/pay","resource_match":"regex""#, prefix),
            (
                r#""resource":"/pay","actions":["pay.*"]"#,
                r#""resource":"/pay","actions":["pay.send"]"#,
            ),
            (
                r#""resource":"/pay","actions":["payments.send"]"#,
                r#""resource":"/pay","actions":["pay.*"]"#,
            ),
            (
                r#""resource":"/pay","actions":["pay."]"#,
                r#""resource":"/pay","actions":["pay.*"]"#,
            ),
            (
                r#""resource":"/pay""#,
                r#""resource":"/pay","actions":["pay.send"]"#,
            ),
            (
                r#""resource":"/pay","delegation":{"max_depth":3}"#,
                r#""resource":"/pay","delegation":{"max_depth":2}"#,
            ),
            (
                r#""resource":"/pay","delegation":{"max_depth":1}"#,
                r#""resource":"/pay""#,
            ),
            (
                r#""resource":"/pay","delegation":{"max_depth":1,"allowed_delegates":[{"sub_profile":"service"}]}"#,
                r#""resource":"/pay","delegation":{"max_depth":2,"allowed_delegates":[{"sub_profile":"ai_agent"}]}"#,
            ),
            (
                r#""resource":"/pay","delegation":{"max_depth":1}"#,
                r#""resource":"/pay","delegation":{"max_depth":2,"allowed_delegates":[]}"#,
            ),
            (r#""resource":"/pay","other":1"#, r#""resource":"/pay""#),
        ],
    );
}

fn argument(constraint: &str) -> String {
    format!(r#""tools":{{"t":{{"x":{constraint}}}}}"#)
}

#[track_caller]
fn check_arguments(verdict: bool, pairs: &[(&str, &str)]) {
    for (child, parent) in pairs {
        let pair = (argument(child), argument(parent));
        check("attenuating_agent_token", verdict, &[(&pair.0, &pair.1)]);
    }
}

#[test]
fn p20_and_p21_arguments_of_tools() {
    let path = r#"{"constraint_type":"exact","value":"/a"}"#;
    let tools = |arguments: &str| format!(r#""tools":{{"t":{{{arguments}}}}}"#);
    let one = tools(&format!(r#""path":{path}"#));
    let two = tools(&format!(r#""path":{path},"mode":{path}"#));
    let free = tools("");
    let other = format!(r#""tools":{{"u":{{"path":{path}}}}}"#);
    let none = r#""tools":{}"#;
    let kind = "attenuating_agent_token";
    check(kind, true, &[(&one, &free), (none, &one)]);
    check(
        kind,
        false,
        &[(&two, &one), (&one, &two), (&free, &one), (&other, &one)],
    );
    let more = format!(r#"{one},"more":1"#);
    check(kind, false, &[(&more, &one), (&one, &more)]);
}

#[test]
fn p22_constraints_only_tighten() {
    let range = |min: &str, max: &str| {
        format!(
            r#"{{"constraint_type":"range","min":1,"max":10,"min_inclusive":{min},"max_inclusive":{max}}}"#
        )
    };
    let (closed, open) = (range("true", "true"), range("false", "false"));
    let wide = r#"{"constraint_type":"range","min":0}"#;
    let exact = r#"{"constraint_type":"exact","value":10}"#;
    let any = r#"{"constraint_type":"wildcard"}"#;
    let few = r#"{"constraint_type":"one_of","values":["a","b"]}"#;
    let fewer = r#"{"constraint_type":"one_of","values":["b"]}"#;
    let a = r#"{"constraint_type":"exact","value":"a"}"#;
    let (not, not_more) = (
        r#"{"constraint_type":"not_one_of","excluded":["a"]}"#,
        r#"{"constraint_type":"not_one_of","excluded":["b","a"]}"#,
    );
    let (with, with_more) = (
        r#"{"constraint_type":"contains","required":["a"]}"#,
        r#"{"constraint_type":"contains","required":["b","a"]}"#,
    );
    let strange = r#"{"constraint_type":"regex","value":".*"}"#;
    check_arguments(
        true,
        &[
            (&open, &closed),
            (&closed, wide),
            (exact, &closed),
            (a, few),
            (fewer, few),
            (not_more, not),
            (with_more, with),
            (few, any),
        ],
    );
    check_arguments(
        false,
        &[
            (&closed, &open),
            (wide, &closed),
            (exact, &open),
            (few, a),
            (few, fewer),
            (not, not_more),
            (with, with_more),
            (a, not),
            (any, few),
            (few, &closed),
            (strange, any),
        ],
    );
    // Even the very same is refused where nobody knows what it allows.
    let [child, parent] = [strange, strange].map(|one| {
        format!(
            r#"[{{"type":"attenuating_agent_token",{}}}]"#,
            argument(one)
        )
    });
    assert!(!shrinks(&child, &parent));
}

#[test]
fn p23_clauses_are_matched_and_not_taken_greedily() {
    let all = |clauses: &[&str]| {
        format!(
            r#"{{"constraint_type":"all","constraints":[{}]}}"#,
            clauses.join(",")
        )
    };
    let any = |clauses: &[&str]| {
        format!(
            r#"{{"constraint_type":"any","constraints":[{}]}}"#,
            clauses.join(",")
        )
    };
    let range =
        |min: i64, max: i64| format!(r#"{{"constraint_type":"range","min":{min},"max":{max}}}"#);
    let (wide, narrow, narrower) = (range(0, 100), range(10, 20), range(12, 15));
    // The wide clause would take the narrower one, which alone is good for the narrow.
    check_arguments(
        true,
        &[
            (&all(&[&narrower, &wide]), &all(&[&wide, &narrow])),
            (&all(&[&narrower, &wide]), &all(&[&narrow])), // it demands more
            (&any(&[&narrower, &narrow]), &any(&[&narrow])),
        ],
    );
    check_arguments(
        false,
        &[
            (&all(&[&wide, &wide]), &all(&[&wide, &narrow])),
            (&all(&[&narrower]), &all(&[&wide, &narrow])),
            (&any(&[&narrower, &wide]), &any(&[&narrow])),
        ],
    );
}

/// An entry of a type that has everything entries have.
fn entries() -> impl Strategy<Value = String> {
    let list = || proptest::collection::btree_set(0..3_u8, 0..3);
    let texts = |name: &str, members: &std::collections::BTreeSet<u8>| {
        let members: Vec<String> = members
            .iter()
            .map(|member| format!("\"{member}\""))
            .collect();
        format!(",\"{name}\":[{}]", members.join(","))
    };
    let general = (
        proptest::option::of(list()),
        proptest::option::of(list()),
        proptest::option::of(0..2_u8),
    )
        .prop_map(move |(actions, locations, identifier)| {
            let actions = actions
                .map(|all| texts("actions", &all))
                .unwrap_or_default();
            let locations = locations
                .map(|all| texts("locations", &all))
                .unwrap_or_default();
            let identifier = identifier
                .map(|id| format!(",\"identifier\":\"{id}\""))
                .unwrap_or_default();
            format!("{{\"type\":\"account\"{actions}{locations}{identifier}}}")
        });
    let constraint = prop_oneof![
        (0..3_u8).prop_map(|value| format!(r#"{{"constraint_type":"exact","value":{value}}}"#)),
        (0..3_u8, 0..3_u8, any::<bool>()).prop_map(|(min, more, closed)| format!(
            r#"{{"constraint_type":"range","min":{min},"max":{},"min_inclusive":{closed}}}"#,
            min + more
        )),
        list().prop_map(|all| format!(
            r#"{{"constraint_type":"one_of","values":{:?}}}"#,
            all.into_iter().collect::<Vec<_>>()
        )),
        list().prop_map(|all| format!(
            r#"{{"constraint_type":"not_one_of","excluded":{:?}}}"#,
            all.into_iter().collect::<Vec<_>>()
        )),
        Just(r#"{"constraint_type":"wildcard"}"#.to_owned()),
    ];
    let clauses = proptest::collection::vec(constraint, 1..3).prop_map(|clauses| {
        format!(
            r#"{{"type":"attenuating_agent_token","tools":{{"t":{{"x":{{"constraint_type":"all","constraints":[{}]}}}}}}}}"#,
            clauses.join(",")
        )
    });
    let mission = (0..3_u8, any::<bool>(), proptest::option::of(0..3_u8)).prop_map(
        |(place, prefix, amount)| {
            let resource = ["/a", "/a/b", "/a/b/c"][usize::from(place)];
            let how = if prefix {
                ",\"resource_match\":\"prefix\""
            } else {
                ""
            };
            let amount =
                amount.map(|amount| format!(",\"constraints\":{{\"max_amount\":\"{amount}.50\"}}"));
            let amount = amount.unwrap_or_default();
            format!(
                "{{\"type\":\"mission_resource_access\",\"resource\":\"{resource}\"{how}{amount}}}"
            )
        },
    );
    prop_oneof![general, clauses, mission]
}

fn details_of_one_type() -> impl Strategy<Value = [String; 3]> {
    let some = || proptest::collection::vec(entries(), 0..3);
    (some(), some(), some())
        .prop_map(|(a, b, c)| [a, b, c].map(|entries| format!("[{}]", entries.join(","))))
}

proptest! {
    /// Attenuation is a partial order: everything is within itself, and what lies within something
    /// within a third lies within that.
    #[test]
    fn attenuation_is_a_partial_order([a, b, c] in details_of_one_type()) {
        prop_assert!(shrinks(&a, &a), "{a}");
        if shrinks(&a, &b) && shrinks(&b, &c) {
            prop_assert!(shrinks(&a, &c), "{a} {b} {c}");
        }
    }

    /// The same of single entries, which are comparable more often.
    #[test]
    fn entries_are_a_partial_order(a in entries(), b in entries(), c in entries()) {
        let [a, b, c] = [a, b, c].map(|entry| format!("[{entry}]"));
        if shrinks(&a, &b) && shrinks(&b, &c) {
            prop_assert!(shrinks(&a, &c), "{a} {b} {c}");
        }
    }
}
