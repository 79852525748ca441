//! How things read: times, counts and a stranger's text on a terminal.

use std::io::IsTerminal;

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

/// `in 4 min 12 s` or `48 s ago`.
pub(crate) fn relative(seconds: i64) -> String {
    if seconds < 0 {
        format!("{} ago", span(seconds))
    } else {
        format!("in {}", span(seconds))
    }
}

/// A stranger's text, with everything that could move a cursor or hide itself escaped (JWT-08).
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|character| {
            let hidden = character.is_control()
                || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
            let escaped = hidden.then(|| character.escape_unicode());
            let plain = (!hidden).then_some(character);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// Whether to draw for a person at standard error.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::{date, printable, relative, span, thousands};

    #[test]
    fn numbers_and_times_read_as_people_write_them() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(span(252), "4 min 12 s");
        assert_eq!(span(-90_000), "1 d 1 h");
        assert_eq!(relative(-48), "48 s ago");
        assert_eq!(date(1_800_000_300), "2027-01-15 08:05:00Z");
    }

    #[test]
    fn a_strangers_text_cannot_move_the_cursor() {
        assert_eq!(
            printable("u1\u{1b}[2J\n\u{202e}é"),
            "u1\\u{1b}[2J\\u{a}\\u{202e}é"
        );
    }
}
