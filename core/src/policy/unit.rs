//! Durations and sizes: a number and exactly one unit, never a bare number (naming rule N6).

use crate::time::Span;

impl Span {
    /// Reads a duration as policy documents write it: one number and one unit, `"250ms"`, `"30s"`,
    /// `"5m"`, `"1h"`, `"2d"`.
    ///
    /// # Errors
    ///
    /// Why it is none, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse_duration(text)
    }
}

/// Why a text is not a duration or size, as the document's author should read it.
pub(super) fn parse_duration(text: &str) -> Result<Span, String> {
    let (number, unit) = split(text, "30s")?;
    let millis_each = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 3_600 * 1000,
        "d" => 86_400 * 1000,
        _ => return Err(unknown_unit(text, unit, "ms, s, m, h or d", "30s")),
    };
    number
        .checked_mul(millis_each)
        .map(Span::from_millis)
        .ok_or_else(|| format!("{text:?} is too long"))
}

/// Bytes.
pub(super) fn parse_size(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text, "16KiB")?;
    let bytes_each = match unit {
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => return Err(unknown_unit(text, unit, "KiB or MiB", "16KiB")),
    };
    number
        .checked_mul(bytes_each)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| format!("{text:?} is too large"))
}

/// The shortest spelling that is exact: `"30s"`, `"1h"`.
pub(super) fn show_duration(span: Span) -> String {
    let millis = span.millis();
    [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
    ]
    .into_iter()
    .find(|(_, each)| millis != 0 && millis % each == 0)
    .map_or_else(
        || {
            if millis == 0 {
                "0s".to_owned()
            } else {
                format!("{millis}ms")
            }
        },
        |(unit, each)| format!("{}{unit}", millis / each),
    )
}

/// The spelling of a size that is a whole number of KiB.
pub(super) fn show_size(bytes: usize) -> String {
    const MIB: usize = 1024 * 1024;
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{}MiB", bytes / MIB)
    } else {
        format!("{}KiB", bytes / 1024)
    }
}

fn split<'t>(text: &'t str, example: &str) -> Result<(i64, &'t str), String> {
    if text.starts_with('-') {
        return Err(format!("{text:?} is negative. Write {example:?}"));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    if number.is_empty() {
        return Err(format!(
            "{text:?} is not a number with a unit. Write {example:?}"
        ));
    }
    if unit.is_empty() {
        let unit = example.trim_start_matches(|c: char| c.is_ascii_digit());
        return Err(format!("{text:?} has no unit. Write \"{number}{unit}\""));
    }
    if let Some(fraction) = unit.strip_prefix('.') {
        return Err(whole(text, number, fraction, example));
    }
    let number = number
        .parse()
        .map_err(|_| format!("{text:?} is too large"))?;
    Ok((number, unit))
}

/// What to write for a number with a fraction: the same in a smaller unit, where it is exact.
fn whole(text: &str, number: &str, fraction: &str, example: &str) -> String {
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, unit) = fraction.split_at_checked(digits).unwrap_or_default();
    let millis = |whole: &str, unit: &str| parse_duration(&format!("{whole}{unit}")).ok();
    let exact = || {
        let tens = 10_i64.checked_pow(u32::try_from(digits).ok()?)?;
        let parts = millis(&format!("{number}{fraction}"), unit)?.millis();
        (parts % tens == 0).then(|| show_duration(Span::from_millis(parts / tens)))
    };
    let write = exact().unwrap_or_else(|| example.to_owned());
    format!("{text:?} is not a whole number. Write {write:?}")
}

fn unknown_unit(text: &str, unit: &str, known: &str, example: &str) -> String {
    if unit.bytes().any(|byte| byte.is_ascii_digit()) {
        format!("{text:?} has two numbers. Write one number and one unit, as {example:?}")
    } else {
        format!("{text:?} has no unit we know. Write {known}, as {example:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_duration, parse_size, show_duration, show_size};
    use crate::time::Span;

    #[test]
    fn one_number_and_one_unit() {
        assert_eq!(parse_duration("250ms"), Ok(Span::from_millis(250)));
        assert_eq!(parse_duration("0s"), Ok(Span::ZERO));
        assert_eq!(parse_duration("2d"), Ok(Span::from_seconds(172_800)));
        assert_eq!(parse_size("16KiB"), Ok(16 * 1024));
    }

    #[test]
    fn anything_else_says_what_to_write() {
        let text = |text| parse_duration(text).unwrap_err();
        assert_eq!(text("30"), "\"30\" has no unit. Write \"30s\"");
        assert_eq!(text("-5s"), "\"-5s\" is negative. Write \"30s\"");
        assert_eq!(
            text("1h30m"),
            "\"1h30m\" has two numbers. Write one number and one unit, as \"30s\""
        );
        assert_eq!(
            text("1.5m"),
            "\"1.5m\" is not a whole number. Write \"90s\""
        );
        assert_eq!(
            text("0.25s"),
            "\"0.25s\" is not a whole number. Write \"250ms\""
        );
        assert_eq!(
            text("1.5ms"),
            "\"1.5ms\" is not a whole number. Write \"30s\""
        );
        assert_eq!(text("1.m"), "\"1.m\" is not a whole number. Write \"1m\"");
        for bad in [
            "",
            "s",
            "1 s",
            "1S",
            "1.5h",
            "+1s",
            "1ss",
            "9223372036854775807d",
            "١s",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad:?}");
        }
        for bad in ["16KB", "16kib", "1GiB", "16", "9223372036854775807MiB"] {
            assert!(parse_size(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn shown_durations_read_back() {
        for text in ["250ms", "0s", "90s", "5m", "1h", "2d"] {
            assert_eq!(show_duration(parse_duration(text).unwrap()), text);
        }
        assert_eq!(show_size(64 * 1024), "64KiB");
        assert_eq!(show_size(1024 * 1024), "1MiB");
    }
}
