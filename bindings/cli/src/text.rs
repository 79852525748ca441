//! How things read: times, counts and a stranger's text on a terminal.

use std::io::{self, IsTerminal, Write};

use sealgate::{NumericDate, Span};

/// `1,234,567`.
pub(crate) fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `4 min 12 s`, without a sign.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    match (
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, ..) => format!("{d} d {h} h"),
    }
}

/// `2027-01-15 08:05:00Z`.
pub(crate) fn date(seconds: i64) -> String {
    let date = jiff::Timestamp::from_second(seconds).map(|date| date.to_string());
    date.unwrap_or_default().replace('T', " ")
}

/// `in 4 min 12 s`, `now` or `48 s ago`.
pub(crate) fn relative(seconds: i64) -> String {
    match seconds {
        ..0 => format!("{} ago", span(seconds)),
        0 => "now".to_owned(),
        1.. => format!("in {}", span(seconds)),
    }
}

/// A stranger's text, with everything that could move a cursor or hide itself escaped (JWT-08).
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|character| {
            let hidden = character.is_control()
                || matches!(character, '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
            let escaped = hidden.then(|| character.escape_unicode());
            let plain = (!hidden).then_some(character);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// Columns of a line for a person.
pub(crate) const WIDTH: usize = 80;

/// Text that stands to the right of a label and stays there when it is wrapped.
pub(crate) struct Columns {
    indent: usize,
}

impl Columns {
    /// Text that begins where this label ends.
    pub(crate) fn after(label: &str) -> Self {
        Self {
            indent: label.chars().count(),
        }
    }

    /// Writes the label and the text, broken at spaces; a longer word keeps its line to itself.
    pub(crate) fn write(&self, out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
        let mut line = String::from(label);
        let mut column = label.chars().count();
        let mut is_empty = true;
        // Not at every white space: runs of it are kept where they do not end a line.
        for word in text.split(' ') {
            let width = word.chars().count();
            if !is_empty && column + 1 + width > WIDTH {
                writeln!(out, "{}", line.trim_end())?;
                line = " ".repeat(self.indent);
                column = self.indent;
                is_empty = true;
                if word.is_empty() {
                    continue;
                }
            }
            if !is_empty {
                line.push(' ');
                column += 1;
            }
            line.push_str(word);
            column += width;
            is_empty = false;
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// An argument as a shell takes it.
pub(crate) fn quoted(argument: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !argument.is_empty() && argument.bytes().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", printable(argument).replace('\'', r"'\''"))
}

/// Whether to draw for a person at standard error.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// One scope (RFC 6749 §3.3).
pub(crate) fn parse_scope(text: &str) -> Result<String, String> {
    let fits = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    if !text.is_empty() && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("one scope, without spaces; give the option once for each".to_owned())
    }
}

/// A span written with one unit, as in policies: `5m`.
pub(crate) fn parse_span(text: &str) -> Result<Span, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("write a number and one unit: 30s, 5m, 1h or 2d".to_owned()),
    };
    let count: i64 = count.parse().map_err(|_| "too long".to_owned())?;
    Ok(Span::from_seconds(count.saturating_mul(seconds)))
}

/// A time as `--now` takes it. One that no token could carry is refused here: it would make every
/// token expired, or none.
pub(crate) fn parse_time(text: &str) -> Result<NumericDate, String> {
    let date = || text.parse().map(jiff::Timestamp::as_second);
    let seconds = text
        .parse()
        .or_else(|_| date())
        .map_err(|_| "write seconds since 1970, or 2027-01-15T08:00:00Z")?;
    NumericDate::from_seconds(seconds)
        .ok_or_else(|| "must lie between the years 1970 and 9999".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{
        Columns, date, parse_span, parse_time, printable, quoted, relative, span, thousands,
    };

    #[test]
    fn numbers_and_times_read_as_people_write_them() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(span(252), "4 min 12 s");
        assert_eq!(span(-90_000), "1 d 1 h");
        assert_eq!(relative(-48), "48 s ago");
        assert_eq!(relative(0), "now");
        assert_eq!(date(1_800_000_300), "2027-01-15 08:05:00Z");
    }

    #[test]
    fn a_strangers_text_cannot_move_the_cursor() {
        assert_eq!(
            printable("u1\u{1b}[2J\n\u{202e}é"),
            "u1\\u{1b}[2J\\u{a}\\u{202e}é"
        );
    }

    #[test]
    fn long_text_stays_in_its_columns() {
        let mut out = Vec::new();
        let text = format!("{} end", "word ".repeat(20).trim_end());
        let columns = Columns::after("  label  ");
        columns.write(&mut out, "  label  ", &text).unwrap();
        columns.write(&mut out, "", &"x".repeat(100)).unwrap();
        let out = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("  label  word") && lines[0].len() <= 80);
        assert!(lines[1].starts_with("         word") && lines[1].ends_with("word end"));
        assert_eq!(lines[2].len(), 100, "a word is never broken");
    }

    #[test]
    fn a_hint_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("dir/tokens-1.txt"), "dir/tokens-1.txt");
        assert_eq!(quoted("a b;c"), "'a b;c'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_span_has_one_unit() {
        assert_eq!(parse_span("5m").unwrap().seconds(), 300);
        for text in ["5", "m", "5m30s", "-5m", "1e3s"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_seconds_or_a_date_within_what_tokens_can_carry() {
        for text in [
            "1800000000",
            "2027-01-15T08:00:00Z",
            "2027-01-15T09:00:00+01:00",
        ] {
            assert_eq!(parse_time(text).unwrap().seconds(), 1_800_000_000, "{text}");
        }
        for text in ["-5", "253402300800", "soon", ""] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
