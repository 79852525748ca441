use proptest::prelude::*;

use super::{Format, Lines, Node, Position, Problem, join, read};

fn problems(text: &str, format: Format) -> Vec<String> {
    let at = |problem: &Problem| format!("{}:{} {problem}", problem.line, problem.column);
    read(text.as_bytes(), format).1.iter().map(at).collect()
}

fn tree(text: &str, format: Format) -> Node {
    let (root, problems) = read(text.as_bytes(), format);
    assert_eq!(problems, []);
    root.unwrap()
}

fn at(line: usize, column: usize) -> Position {
    Position { line, column }
}

#[test]
fn places_are_lines_and_characters() {
    let root = tree(
        "a = 1\n\"ü\" = { 'ä' = [10, 20] }\n[t.u]\nv = 'x'\n",
        Format::Toml,
    );
    assert_eq!(root.locate("a"), at(1, 5));
    assert_eq!(root.locate("\"ü\".\"ä\"[1]"), at(2, 20));
    assert_eq!(root.locate("t.u.v"), at(4, 5));
    assert_eq!(root.locate("t.u.absent"), at(3, 1));
    let root = tree(
        "{\"a\": 1,\r\n \"ü\": [true,\t{\"b\": null}]}",
        Format::Json,
    );
    assert_eq!(root.locate("\"ü\"[1].b"), at(2, 20));
    assert_eq!(root.locate("absent"), at(1, 1));
}

#[test]
fn places_are_right_far_into_a_long_line() {
    let text = format!("{}\n{}x", "é".repeat(700), "é".repeat(1000));
    let lines = Lines::new(&text);
    assert_eq!(lines.position(text.len() - 1), at(2, 1001));
    assert_eq!(lines.position(0), at(1, 1));
    assert_eq!(lines.position(1400), at(1, 701));
    assert_eq!(lines.position(text.len()), at(2, 1002));
}

#[test]
fn json_members_written_twice_are_all_reported() {
    let text = "{\"a\": 1,\n\"b\": {\"c\": 1,\n\"c\": 2},\n\"\\u0061\": {}, \"a\": 3}";
    assert_eq!(
        problems(text, Format::Json),
        [
            "3:1 b.c: written twice (lines 2 and 3)",
            "4:1 a: written twice (lines 1 and 4)",
            "4:15 a: written twice (lines 1 and 4)",
        ]
    );
    assert_eq!(
        problems("{\"a\": {\"b\": 1}, \"b\": 1}", Format::Json),
        [""; 0]
    );
}

#[test]
fn toml_members_and_tables_written_twice_are_all_reported() {
    let text =
        "[gates.a]\nx = 1\nin = { y = 1, y = 2 }\nx = 2\n[gates.b]\nx = 1\n[gates.a]\nz = 1\n";
    assert_eq!(
        problems(text, Format::Toml),
        [
            "3:15 gates.a.in.y: written twice (line 3, columns 8 and 15)",
            "4:1 gates.a.x: written twice (lines 2 and 4)",
            "7:8 gates.a: written twice (lines 1 and 7)",
        ]
    );
    assert_eq!(
        problems("[[a]]\nx = 1\n[[a]]\nx = 1\n[b]\nx = 1\n", Format::Toml),
        [""; 0]
    );
}

#[test]
fn bad_syntax_says_where() {
    let json = |text| problems(text, Format::Json).join("; ");
    assert_eq!(json("{\"a\": }"), "1:7 a: not JSON: a value belongs here");
    assert_eq!(json("{\"a\" 1}"), "1:6 a: not JSON: \":\" belongs here");
    assert_eq!(json("{} {}"), "1:4 not JSON: the document ends before this");
    assert_eq!(
        json("{\"a\": [1 2]}"),
        "1:10 a: not JSON: \",\" or \"]\" belongs here"
    );
    assert_eq!(json("{\"a\": 01}"), "1:7 a: not JSON: this is not a number");
    assert_eq!(
        json("{\"a\": \"\\ud800\"}"),
        "1:7 a: not JSON: this string does not end, or has a wrong escape"
    );
    assert!(
        json("[1e999]").contains("not a number"),
        "{}",
        json("[1e999]")
    );
    for text in [
        "",
        "{",
        "{\"a\"",
        "{a: 1}",
        "[1,]",
        "{\"a\": 1,}",
        "nul",
        "'a'",
        "NaN",
        "\u{a0}1",
    ] {
        assert!(read(text.as_bytes(), Format::Json).0.is_none(), "{text:?}");
    }
    let toml = problems("a = 1\nb = \nc = 2\n", Format::Toml).join("; ");
    assert!(toml.starts_with("2:5 not TOML: "), "{toml}");
    assert_eq!(
        problems("a = 2020-01-01\nb = nan\n", Format::Toml),
        [
            "1:5 a: TOML dates are not durations, nor anything else here. Write a string, as \"30s\"",
            "2:5 b: JSON has no such number"
        ]
    );
}

#[test]
fn depth_is_bounded() {
    for format in [Format::Json, Format::Toml] {
        let nested = |depth: usize| {
            let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            match format {
                Format::Json => format!("{{\"a\":{value}}}"),
                Format::Toml => format!("a = {value}"),
            }
        };
        assert!(problems(&nested(31), format).is_empty());
        assert_eq!(problems(&nested(32), format).len(), 1);
        assert!(!problems(&nested(100_000), format).is_empty());
    }
}

/// Dotted keys nest without a bracket for the parser's own bound to count.
#[test]
fn dotted_keys_do_not_overflow_the_stack() {
    for (before, after) in [("", " = 1"), ("[", "]"), ("a = { ", " = 1 }")] {
        let text = format!("{before}{}b{after}", "a.".repeat(200_000));
        assert_eq!(problems(&text, Format::Toml).len(), 1, "{before}");
    }
}

#[test]
fn encoding_and_size_come_first() {
    let refusal = |text: &[u8]| {
        let (root, problems) = read(text, Format::Toml);
        assert!(root.is_none());
        format!(
            "{}:{} {}",
            problems[0].line, problems[0].column, problems[0]
        )
    };
    assert_eq!(
        refusal(b"\xEF\xBB\xBFa = 1"),
        "1:1 begins with a byte order mark. Save it as UTF-8 without"
    );
    assert_eq!(refusal(b"a = 1\nb = '\xFF'"), "2:6 not UTF-8 from here on");
    assert_eq!(
        refusal(&[b' '; 1024 * 1024 + 1]),
        "1:1 a policy document has at most 1 MiB"
    );
    assert!(read(&[b' '; 1024 * 1024], Format::Toml).0.is_some());
}

#[test]
fn both_forms_have_one_canonical_text() {
    let toml = tree(
        "b = 0x10\na.\"x y\" = ['\\', 1.5, true]\nc = 1e3",
        Format::Toml,
    );
    let json = tree(
        "{\"c\": 1000.0, \"b\": 16, \"a\": {\"x y\": [\"\\\\\", 1.50, true]}}",
        Format::Json,
    );
    assert_eq!(toml.to_canonical_json(), json.to_canonical_json());
    assert_eq!(
        toml.to_canonical_json(),
        r#"{"a":{"x y":["\\",1.5,true]},"b":16,"c":1000.0}"#
    );
}

#[test]
fn paths_quote_what_would_be_ambiguous() {
    assert_eq!(join("", "a"), "a");
    assert_eq!(join("a", "files.read"), "a.\"files.read\"");
    assert_eq!(join("", ""), "\"\"");
}

proptest! {
    #[test]
    fn canonical_text_reads_back_to_itself(value in "[a-z]{0,3}|\\PC{0,8}", number: i64) {
        let node = Node::table([(value.clone(), Node::text(value)), ("n n".to_owned(),
            Node::new(super::Value::Integer(number)))]);
        for text in [node.to_canonical_json(), node.to_pretty_json()] {
            prop_assert_eq!(tree(&text, Format::Json).to_canonical_json(), node.to_canonical_json());
        }
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]{}\",:=.a-c0-9 \n\\\\'-]{0,40}") {
        for format in [Format::Json, Format::Toml] {
            _ = read(text.as_bytes(), format);
        }
    }
}
