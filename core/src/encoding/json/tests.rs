use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Serde;

use super::*;

const LIMITS: JsonLimits = JsonLimits {
    depth: 64,
    string_size: 2048,
    members: 1024,
};

fn parse(text: impl AsRef<[u8]>) -> Result<Json, JsonError> {
    Json::parse(text.as_ref().to_vec(), LIMITS)
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>) -> JsonError {
    let text = text.as_ref();
    match parse(text) {
        Ok(_) => panic!("accepted: {}", String::from_utf8_lossy(text)),
        Err(error) => error,
    }
}

#[track_caller]
fn malformed(texts: &[&str]) {
    for text in texts {
        assert_eq!(refused(text), JsonError::Malformed, "{text:?}");
    }
}

#[track_caller]
fn accepted(texts: &[&str]) {
    for text in texts {
        assert!(parse(text).is_ok(), "{text:?}");
    }
}

/// A value read back through the interface that callers use.
fn to_serde(value: Value<'_>) -> Serde {
    match value.kind() {
        JsonKind::Null => Serde::Null,
        JsonKind::Bool => value.as_bool().unwrap().into(),
        JsonKind::Number => serde_json::from_str(value.as_number().unwrap()).unwrap(),
        JsonKind::String => value.as_str().unwrap().into(),
        JsonKind::Array => value.as_array().unwrap().map(to_serde).collect(),
        JsonKind::Object => value
            .as_object()
            .unwrap()
            .map(|(n, v)| (n, to_serde(v)))
            .collect(),
    }
}

#[test]
fn a_claims_set() {
    let text = r#" { "iss" : "https://issuer.example", "aud": ["a", "b\u002fc"], "exp": 1.5e3,
        "act": {"sub": "agent", "act": {"sub": "\ud83d\ude00"}}, "admin": false, "cnf": {},
        "none": null, "list": [ ] } "#;
    let json = parse(text).unwrap();
    assert_eq!(json.source(), text);

    let root = json.root();
    let names: Vec<_> = root.as_object().unwrap().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["iss", "aud", "exp", "act", "admin", "cnf", "none", "list"]
    );
    assert_eq!(root.as_object().unwrap().len(), 8);
    assert_eq!(root.raw(), text.trim());

    let audiences = root.get("aud").unwrap();
    assert_eq!(audiences.raw(), r#"["a", "b\u002fc"]"#);
    let elements: Vec<_> = audiences.as_array().unwrap().collect();
    assert_eq!(elements[0].as_str(), Some("a"));
    assert_eq!(elements[1].as_str(), Some("b/c"));
    assert_eq!(elements[1].raw(), r#""b\u002fc""#);

    assert_eq!(root.get("exp").unwrap().as_number(), Some("1.5e3"));
    assert_eq!(root.get("admin").unwrap().as_bool(), Some(false));
    assert_eq!(root.get("none").unwrap().kind(), JsonKind::Null);
    assert_eq!(root.get("cnf").unwrap().as_object().unwrap().len(), 0);
    assert_eq!(root.get("list").unwrap().as_array().unwrap().len(), 0);
    let inner = root.get("act").unwrap().get("act").unwrap();
    assert_eq!(inner.get("sub").unwrap().as_str(), Some("😀"));
    assert!(
        root.get("sub").is_none(),
        "a member of `act` is not one of the root"
    );

    let again = json.value(inner.node()).unwrap();
    assert_eq!(again.raw(), inner.raw());
    assert!(json.value(u32::MAX).is_none());
    assert!(json.heap_size() >= text.len());
}

#[test]
fn a_value_has_one_kind() {
    let texts = ["null", "true", "-1", r#""\u0022""#, "[1]", r#"{"a":1}"#];
    let kinds = [
        JsonKind::Null,
        JsonKind::Bool,
        JsonKind::Number,
        JsonKind::String,
        JsonKind::Array,
        JsonKind::Object,
    ];
    for (text, kind) in texts.into_iter().zip(kinds) {
        let json = parse(text).unwrap();
        let value = json.root();
        assert_eq!(value.kind(), kind);
        assert_eq!(value.as_bool().is_some(), kind == JsonKind::Bool);
        assert_eq!(value.as_number().is_some(), kind == JsonKind::Number);
        assert_eq!(value.as_str().is_some(), kind == JsonKind::String);
        assert_eq!(value.as_array().is_some(), kind == JsonKind::Array);
        assert_eq!(value.as_object().is_some(), kind == JsonKind::Object);
        assert_eq!(value.get("a").is_some(), kind == JsonKind::Object);
    }
}

#[test]
fn debug_shows_no_content() {
    let json = parse(r#"{"sub":"alice"}"#).unwrap();
    let shown = format!("{json:?} {:?} {:?}", json.root(), json.root().as_object());
    assert!(shown.contains("Object"), "{shown}");
    assert!(
        !shown.contains("sub") && !shown.contains("alice"),
        "{shown}"
    );
}

#[test]
fn structure() {
    accepted(&[
        "{}",
        "[]",
        "\t[\r\n1 , 2 ]\n",
        r#"{"a":{},"b":[]}"#,
        "[[],[[]],{}]",
        "0",
        r#""""#,
    ]);
    malformed(&[
        "",
        " ",
        "{",
        "[",
        "}",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[,]",
        "[1 2]",
        "[1}",
        "{]",
        "[}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1",
        "{\"a\":",
        "{\"a\"",
        "{'a':1}",
        "[1]]",
        "[]{}",
        "{}}",
        "{\"a\":[}",
        "[{\"a\":1]}",
        "[\u{c}1]",
        "[1]\0",
        "\u{a0}1",
        "[1]//",
        "/**/1",
        "[:]",
        ":",
        ",",
    ]);
}

#[test]
fn literals() {
    accepted(&["true", "false", "null", "[true,false,null]"]);
    malformed(&[
        "tru",
        "truee",
        "True",
        "TRUE",
        "nul",
        "fals",
        "none",
        "NaN",
        "Infinity",
        "undefined",
    ]);
}

#[test]
fn numbers() {
    accepted(&[
        "0",
        "-0",
        "7",
        "-1",
        "10",
        "0.0",
        "-0.5",
        "1.25",
        "1e1",
        "1E+2",
        "1e-2",
        "0e0",
        "0e99999",
        "123456789012345678901234567890",
        "1e308",
        "-1.7976931348623157e308",
        "1e-9999",
    ]);
    malformed(&[
        "-", "+1", "01", "-01", "00", ".5", "1.", "1.e1", "-.5", "1e", "1e+", "1e-", "1.5e",
        "0x10", "1_000", "1e1.5", "--1", "1a", "-a", "0.1.2", "1ee1", "\u{ff11}", "- 1", "1 .5",
    ]);
    assert_eq!(
        parse("[-1.50E+03]")
            .unwrap()
            .root()
            .as_array()
            .unwrap()
            .next()
            .unwrap()
            .raw(),
        "-1.50E+03"
    );
}

#[test]
fn a_number_beyond_every_f64_is_malformed() {
    malformed(&[
        "1e309",
        "-1e309",
        "1e999999999999999999999",
        "[123.456e999]",
    ]);
    let digits = |count: usize| format!("9{}", "0".repeat(count - 1));
    accepted(&[&digits(308), "0.0e999999"]);
    malformed(&[&digits(310), &format!("-{}", digits(310))]);
    accepted(&[
        &format!("1{}", "0".repeat(308)),
        &format!("0.{}", "1".repeat(4000)),
    ]);
}

#[test]
fn escapes() {
    let json = parse(r#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\uD834\uDD1E\u0000é""#).unwrap();
    assert_eq!(json.root().as_str(), Some("\"\\/\u{8}\u{c}\n\r\tAé€𝄞\0é"));
    malformed(&[
        r#""\"#,
        r#""\""#,
        r#""\a""#,
        r#""\x41""#,
        r#""\u""#,
        r#""\u004""#,
        r#""\u00g0""#,
        r#""\u+041""#,
        r#""\U0041""#,
        r#""\'""#,
        r#"["\"]"#,
        "\"\\\u{e9}\"",
        r#""\u004é""#,
        r#""\u"#,
    ]);
}

#[test]
fn jws_07_half_a_surrogate_pair() {
    accepted(&[
        r#""\ud800\udc00""#,
        r#""\uDBFF\uDFFF""#,
        r#""\ud7ff\ue000""#,
    ]);
    malformed(&[
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\udc00\ud800""#,
        r#""\ud800\ud800""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\ud800\u0041""#,
        r#""\ud800\u""#,
        r#""\ud800\udc0""#,
        r#""\ud800\"#,
        r#"{"\ud800":1}"#,
    ]);
}

#[test]
fn jws_07_only_utf_8_without_a_byte_order_mark() {
    accepted(&["\"\u{feff}é\u{10ffff}\""]);
    let texts: [&[u8]; 9] = [
        b"\xEF\xBB\xBF{}",
        b"\"\xFF\"",
        b"\"\xC0\x80\"",
        b"\"\xED\xA0\x80\"",
        b"\"\xF4\x90\x80\x80\"",
        b"\"\xE2\x82\"",
        b"\xFF\xFE[\0]\0",
        b"\0[\0]",
        b"{\"a\":1}\x80",
    ];
    for text in texts {
        assert_eq!(refused(text), JsonError::Malformed, "{text:?}");
    }
}

#[test]
fn jws_07_trailing_bytes() {
    accepted(&["{} \r\n\t"]);
    malformed(&["{}x", "{}{}", "{},", "{}\0", "1 2", "\"\"\"\"", "null null"]);
}

/// The scan looks at eight bytes at once; each kind of byte must be seen at each place of them, and
/// whatever its neighbours are.
#[test]
fn every_byte_at_every_place_of_a_string() {
    for len in [1, 7, 8, 9, 15, 16, 17, 24] {
        for place in 0..len {
            for byte in 0..=127_u8 {
                for filler in [b'#', b'!', b' ', b'[', b']', b'^', b'~', 0x7F] {
                    let mut content = vec![filler; len];
                    content[place] = byte;
                    let text = [b"\"", &content[..], b"\""].concat();
                    let json = parse(&text);
                    let plain = byte >= b' ' && byte != b'"' && byte != b'\\';
                    // A backslash before one of these fillers, or the closing quote, is no escape.
                    assert_eq!(json.is_ok(), plain, "{text:?}");
                    if let Ok(json) = json {
                        assert_eq!(json.root().as_str().map(str::as_bytes), Some(&content[..]));
                    }
                }
            }
            let mut content = "€".repeat(len);
            content.insert(place * 3, '"');
            assert_eq!(refused(format!("\"{content}\"")), JsonError::Malformed);
            content.replace_range(place * 3..place * 3 + 1, "\u{80}");
            assert_eq!(
                parse(format!("\"{content}\"")).unwrap().root().as_str(),
                Some(&*content)
            );
        }
    }
}

#[test]
fn jws_08_duplicate_members() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"":1,"":2}"#,
        r#"{"alg":1,"a\u006cg":2}"#,
        r#"{"\u0061lg":1,"al\u0067":2}"#,
        r#"{"\/":1,"/":2}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"[[[{"x":[{"sub":1,"act":{},"sub":2}]}]]]"#,
        r#"{"a":{"a":{}},"a":1}"#,
        r#"{"act":{"sub":1},"x":[1,{"sub":1}],"act":{}}"#,
        r#"{"client_id":1,"client_id":2}"#,
        r#"{"𝄞":1,"\ud834\udd1e":2}"#,
    ] {
        assert_eq!(refused(text), JsonError::DuplicateMember, "{text}");
    }
    accepted(&[
        r#"{"a":{"a":{"a":1}}}"#,
        r#"[{"a":1},{"a":1}]"#,
        r#"{"sub":1,"act":{"sub":1,"act":{"sub":1}},"x":{"sub":1}}"#,
        r#"{"alg":1,"ALG":2,"alg ":3,"al":4,"":5,"\u0000":6}"#,
        r#"{"a":"a","b":"a"}"#,
        r#"{"a":1,"\\u0061":2}"#,
        // Alike in all that the sieve looks at.
        r#"{"client_one_name":1,"client_two_name":2}"#,
        r#"{"ab-cd":1,"ab+cd":2,"abcd":3}"#,
        // Equal only to those who normalise, which JSON does not.
        r#"{"\u00e9":1,"e\u0301":2}"#,
    ]);
}

/// One pair of equal names at every distance, in objects on both sides of every threshold.
#[test]
fn jws_08_duplicates_in_objects_of_any_size() {
    for count in [2, 3, 15, 16, 17, 18, 63, 64, 65, 66, 200, 1024] {
        let names: Vec<_> = (0..count)
            .map(|index| format!("same-{index:04}-same"))
            .collect();
        let object = |names: &[String]| {
            let members: Vec<_> = names
                .iter()
                .map(|name| format!("\"{name}\":{{\"k\":0}}"))
                .collect();
            format!("{{{}}}", members.join(","))
        };
        accepted(&[&object(&names)]);
        for (first, second) in [
            (0, count - 1),
            (0, 1),
            (count - 2, count - 1),
            (count / 3, count / 2),
        ] {
            let mut names = names.clone();
            if first != second {
                names[second] = names[first].clone();
                assert_eq!(
                    refused(object(&names)),
                    JsonError::DuplicateMember,
                    "{count}"
                );
            }
        }
    }
}

/// Names of inner objects must neither count for the outer one nor push its own out of sight.
#[test]
fn jws_08_a_duplicate_around_a_large_object() {
    let inner: Vec<_> = (0..100).map(|index| format!("\"m{index}\":0")).collect();
    let inner = inner.join(",");
    assert_eq!(
        refused(format!(r#"{{"a":1,"x":{{{inner}}},"a":2}}"#)),
        JsonError::DuplicateMember
    );
    accepted(&[&format!(r#"{{"m1":1,"x":{{{inner}}},"m2":2}}"#)]);
}

#[test]
fn jws_09_depth() {
    let arrays = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}0{}", r#"{"act":"#.repeat(depth), "}".repeat(depth));
    accepted(&[&arrays(64), &objects(64)]);
    // Beside one another, containers are no deeper.
    accepted(&[&format!("[{}]", vec![arrays(63); 100].join(","))]);
    for depth in [65, 10_000, 1_000_000] {
        assert_eq!(refused(arrays(depth)), JsonError::TooDeep);
        assert_eq!(refused(objects(depth)), JsonError::TooDeep);
        assert_eq!(refused("[".repeat(depth)), JsonError::TooDeep);
    }
    let shallow = JsonLimits { depth: 0, ..LIMITS };
    assert!(Json::parse(b"1".to_vec(), shallow).is_ok());
    assert_eq!(
        Json::parse(b"[]".to_vec(), shallow).unwrap_err(),
        JsonError::TooDeep
    );
}

/// No recursion anywhere: a limit far above any stack still only costs memory.
#[test]
fn jws_09_a_million_levels_need_no_stack() {
    let depth = 1_000_000;
    let text = format!(
        "{}{}",
        r#"[{"act":"#.repeat(depth / 2) + "0",
        "}]".repeat(depth / 2)
    );
    let limits = JsonLimits { depth, ..LIMITS };
    let json = Json::parse(text.into_bytes(), limits).unwrap();
    let deepest = json.nodes.len() - 1;
    assert_eq!(json.value(narrow(deepest)).unwrap().raw(), "0");
}

#[test]
fn jwt_08_string_size() {
    let text = |size: usize| format!("\"{}\"", "a".repeat(size));
    accepted(&[&text(2048)]);
    assert_eq!(refused(text(2049)), JsonError::TooLarge);
    // As unescaped: six characters of source are one byte.
    let escaped = |count: usize| format!("\"{}\"", r"\u0061".repeat(count));
    accepted(&[&escaped(2048)]);
    assert_eq!(refused(escaped(2049)), JsonError::TooLarge);
    // And bytes, not characters.
    accepted(&[&format!("\"{}\"", "é".repeat(1024))]);
    assert_eq!(
        refused(format!("\"{}\"", "é".repeat(1025))),
        JsonError::TooLarge
    );
    assert_eq!(
        refused(format!("{{{}:0}}", text(2049))),
        JsonError::TooLarge
    );
    accepted(&[&format!("{{{}:0}}", text(2048))]);
}

#[test]
fn jwt_08_member_counts() {
    let array = |count: usize| format!("[{}]", vec!["0"; count].join(","));
    let object = |count: usize| {
        let members: Vec<_> = (0..count).map(|index| format!("\"{index}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    accepted(&[
        &array(1024),
        &object(1024),
        &format!("[{},{}]", array(1024), object(1024)),
    ]);
    assert_eq!(refused(array(1025)), JsonError::TooLarge);
    assert_eq!(refused(object(1025)), JsonError::TooLarge);
    // The count of a container does not go on in the one around it, nor is it forgotten inside.
    let around = |count: usize| format!("[{}]", vec!["[0,0]"; count].join(","));
    accepted(&[&around(1024)]);
    assert_eq!(refused(around(1025)), JsonError::TooLarge);
}

#[test]
fn the_tape_is_never_longer_than_the_text() {
    for text in ["[[],[],[0,0,0]]", "0", "{\"\":0}", "[0,0,0,0]"] {
        assert!(parse(text).unwrap().nodes.len() <= text.len());
    }
}

#[test]
fn errors_have_their_codes() {
    let code = |error: JsonError| Error::from(error).code();
    assert_eq!(code(JsonError::Malformed), Code::MalformedToken);
    assert_eq!(code(JsonError::DuplicateMember), Code::DuplicateMember);
    assert_eq!(code(JsonError::TooDeep), Code::NestingTooDeep);
    assert_eq!(code(JsonError::TooLarge), Code::Oversized);
}

/// The cases of `nst/JSONTestSuite`, which are not part of this repository.
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn json_test_suite() {
    let Ok(vectors) = std::env::var("SEALGATE_VECTORS") else {
        eprintln!("skipped: SEALGATE_VECTORS does not name a folder of vectors");
        return;
    };
    let folder = std::path::Path::new(&vectors).join("json");
    let mut seen = [0; 3];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let parsed = parse(std::fs::read(&path).unwrap());
        // Large integers are numbers like any other.
        let large_integer = [
            "too_big_neg_int",
            "too_big_pos_int",
            "very_big_negative_int",
        ];
        match name.split_once('_').unwrap() {
            ("y", "object_duplicated_key" | "object_duplicated_key_and_value") => {
                assert_eq!(parsed.unwrap_err(), JsonError::DuplicateMember, "{name}");
            }
            ("y", _) => {
                seen[0] += 1;
                assert!(parsed.is_ok(), "{name}");
            }
            ("i", case) => {
                seen[1] += 1;
                let accept = large_integer.iter().any(|integer| case.ends_with(integer));
                assert_eq!(parsed.is_ok(), accept, "{name}");
            }
            _ => {
                seen[2] += 1;
                assert!(parsed.is_err(), "{name}");
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

/// Text that is nearly JSON: tokens in any order.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "\"\\u0061\"",
        "\"",
        "\\",
        "1",
        "-0.5e1",
        "0",
        "true",
        "false",
        "null",
        " ",
        "\n",
        "é",
        "\"\\ud83d\\ude00\"",
        "{\"a\":1}",
        "[1,2]",
        "{}",
        "[]",
    ]);
    vec(token, 0..14).prop_map(|tokens| tokens.concat())
}

fn values() -> impl Strategy<Value = Serde> {
    let leaf = prop_oneof![
        Just(Serde::Null),
        any::<bool>().prop_map(Serde::from),
        any::<i64>().prop_map(Serde::from),
        any::<f64>().prop_map(Serde::from),
        any::<String>().prop_map(Serde::from),
        "[a-z\\\\\"\\n/]{0,40}".prop_map(Serde::from),
    ];
    leaf.prop_recursive(5, 80, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Serde::from),
            vec(("[a-c\"\\\\é]{0,12}", inner), 0..24)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// The same value in another spelling: every character of a string as an escape.
fn escaped(value: &Serde, out: &mut String) {
    let string = |text: &str, out: &mut String| {
        out.push('"');
        for unit in text.encode_utf16() {
            write!(out, "\\u{unit:04x}").unwrap();
        }
        out.push('"');
    };
    match value {
        Serde::String(text) => string(text, out),
        Serde::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index == 0 { " " } else { " ,\t" });
                escaped(value, out);
            }
            out.push_str("\n]");
        }
        Serde::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                out.push_str(if index == 0 { " " } else { " ,\r" });
                string(name, out);
                out.push_str(" : ");
                escaped(value, out);
            }
            out.push_str(" }");
        }
        Serde::Null | Serde::Bool(_) | Serde::Number(_) => write!(out, "{value}").unwrap(),
    }
}

/// Whether any object of a text names a member twice, as `serde_json` reads it.
fn has_duplicates(text: &[u8]) -> bool {
    struct Check(bool);

    impl<'de> serde::Deserialize<'de> for Check {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Visit)
        }
    }

    struct Visit;

    impl<'de> serde::de::Visitor<'de> for Visit {
        type Value = Check;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }
        fn visit_unit<E>(self) -> Result<Check, E> {
            Ok(Check(false))
        }
        fn visit_bool<E>(self, _: bool) -> Result<Check, E> {
            Ok(Check(false))
        }
        fn visit_i64<E>(self, _: i64) -> Result<Check, E> {
            Ok(Check(false))
        }
        fn visit_u64<E>(self, _: u64) -> Result<Check, E> {
            Ok(Check(false))
        }
        fn visit_f64<E>(self, _: f64) -> Result<Check, E> {
            Ok(Check(false))
        }
        fn visit_str<E>(self, _: &str) -> Result<Check, E> {
            Ok(Check(false))
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Check, A::Error> {
            let mut found = false;
            while let Some(Check(inner)) = seq.next_element()? {
                found |= inner;
            }
            Ok(Check(found))
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Check, A::Error> {
            let (mut found, mut names) = (false, BTreeSet::new());
            while let Some((name, Check(inner))) = map.next_entry::<String, Check>()? {
                found |= inner | !names.insert(name);
            }
            Ok(Check(found))
        }
    }

    serde_json::from_slice::<Check>(text).is_ok_and(|check| check.0)
}

fn agrees_with_serde(text: &[u8]) -> Result<(), TestCaseError> {
    match (parse(text), serde_json::from_slice::<Serde>(text)) {
        (Ok(json), Ok(value)) => {
            prop_assert!(!has_duplicates(text));
            prop_assert_eq!(to_serde(json.root()), value);
        }
        (Err(error), Ok(_)) => {
            prop_assert_eq!(error, JsonError::DuplicateMember);
            prop_assert!(has_duplicates(text));
        }
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => prop_assert!(false, "{error}"),
    }
    Ok(())
}

proptest! {
    #[test]
    fn arbitrary_bytes(text in vec(any::<u8>(), 0..64)) {
        agrees_with_serde(&text)?;
    }

    #[test]
    fn near_json(text in tokens()) {
        agrees_with_serde(text.as_bytes())?;
    }

    #[test]
    fn one_byte_changed(value in values(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = value.to_string().into_bytes();
        let place = place.index(text.len());
        text[place] = byte;
        agrees_with_serde(&text)?;
    }

    #[test]
    fn round_trip(value in values()) {
        let text = value.to_string();
        let json = parse(&text).unwrap();
        prop_assert_eq!(json.source(), &text);
        prop_assert_eq!(&to_serde(json.root()), &serde_json::from_str::<Serde>(&text).unwrap());
        let mut other = String::new();
        escaped(&value, &mut other);
        prop_assert_eq!(to_serde(parse(&other).unwrap().root()), to_serde(json.root()));
    }

    #[test]
    fn raw_stands_for_its_value(value in values()) {
        let mut text = String::new();
        escaped(&value, &mut text);
        let json = parse(&text).unwrap();
        for node in 0..narrow(json.nodes.len()) {
            let value = json.value(node).unwrap();
            prop_assert_eq!(value.node(), node);
            let alone = parse(value.raw()).unwrap();
            prop_assert_eq!(to_serde(alone.root()), to_serde(value));
        }
    }
}
