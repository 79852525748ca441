//! Decimal numbers by value and of any size: amounts of money are no floats.

use std::cmp::Ordering;

/// A number: its digits without leading and trailing zeros, and where the point is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: String,
    /// The power of ten of the last digit.
    exponent: i64,
}

impl Decimal {
    /// The value of a text that follows the grammar of JSON numbers; `None` for an exponent that
    /// nothing here can hold.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let exponent = exponent.parse::<i32>().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let trimmed = digits.trim_end_matches('0');
        let zeros = i64::try_from(digits.len() - trimmed.len()).ok()?;
        let places = i64::try_from(fraction.len()).ok()?;
        let digits = trimmed.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        Some(Self {
            negative,
            digits,
            exponent: i64::from(exponent) - places + zeros,
        })
    }

    /// An amount of money, as `500` or `499.95`: no sign, no exponent, 18 places at most.
    pub(crate) fn read_amount(text: &str) -> Option<Self> {
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = match text.split_once('.') {
            Some((whole, places)) => digits(whole) && digits(places) && places.len() <= 18,
            None => digits(text),
        };
        fits.then(|| Self::read(text))?
    }

    /// The power of ten above the first digit.
    fn magnitude(&self) -> i64 {
        let digits = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        self.exponent.saturating_add(digits)
    }

    fn cmp_absolute(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // From the first digit on, a text that ends earlier has zeros there.
            (false, false) => {
                let size = self.magnitude().cmp(&other.magnitude());
                size.then_with(|| self.digits.cmp(&other.digits))
            }
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.cmp_absolute(other),
            (true, true) => other.cmp_absolute(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn numbers_have_an_order() {
        let rising = [
            "-1e300",
            "-10.5",
            "-10",
            "-0.001",
            "0",
            "1e-400",
            "0.00099",
            "0.001",
            "1",
            "1.01",
            "9",
            "9.5",
            "10",
            "100",
            "500",
            "500.01",
            "9007199254740992",
            "9007199254740993",
            "1e300",
        ];
        for (place, one) in rising.iter().enumerate() {
            for (other_place, other) in rising.iter().enumerate() {
                let [one, other] = [one, other].map(|text| Decimal::read(text).unwrap());
                assert_eq!(
                    one.cmp(&other),
                    place.cmp(&other_place),
                    "{one:?} {other:?}"
                );
            }
        }
        assert_eq!(Decimal::read("1e99999999999"), None);
    }

    #[test]
    fn amounts_are_plain() {
        let amount = |text| Decimal::read_amount(text);
        assert_eq!(amount("500.00"), amount("500"));
        assert!(amount("0.000000000000000001").is_some());
        for text in [
            "",
            "5e2",
            "-1",
            "+1",
            "1.",
            ".5",
            "1,5",
            "0.0000000000000000001",
            " 1",
            "1.2.3",
        ] {
            assert_eq!(amount(text), None, "{text:?}");
        }
    }
}
