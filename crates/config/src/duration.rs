//! Times with units: `"500 ms"`, `"5 s"`, `"1 d"`.

use std::time::Duration;

/// Units and their length in microseconds. A year has 365 days.
const UNITS: [(&str, u64); 10] = [
    ("us", 1),
    ("µs", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("min", 60_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
    ("w", 604_800_000_000),
    ("y", 31_536_000_000_000),
];

/// A text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time; write a whole number and a unit, such as \"5 s\" (us, ms, s, min, h, d, w, y)")]
pub struct InvalidDuration(pub String);

/// Reads a time.
///
/// # Errors
/// When `text` is no whole number and unit, or longer than can be counted.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration(text.to_owned());
    let trimmed = text.trim();
    let digits = trimmed.len() - trimmed.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = trimmed.split_at(digits);
    let number: u64 = number.parse().map_err(|_| invalid())?;
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit.trim_start()).ok_or_else(invalid)?;
    number.checked_mul(*scale).map(Duration::from_micros).ok_or_else(invalid)
}

/// Writes a time in its largest whole unit, so that [`parse`] reads it back; parts of a microsecond are left out.
pub fn format(duration: Duration) -> String {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    if micros == 0 {
        return "0 s".to_owned();
    }
    // Weeks, `m` and `µs` are read, but not what a person expects to see.
    let written = |(name, scale): &&(&str, u64)| !["w", "m", "µs"].contains(name) && micros.is_multiple_of(*scale);
    let (name, scale) = UNITS.iter().rev().find(written).copied().unwrap_or(("us", 1));
    format!("{} {name}", micros / scale)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_time_is_a_whole_number_and_a_unit() {
        for (text, micros) in [("500 ms", 500_000), ("5 s", 5_000_000), ("2min", 120_000_000), ("1 d", 86_400_000_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_micros(micros)), "{text}");
        }
        assert_eq!(parse(" 1 y "), Ok(Duration::from_secs(31_536_000)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "5", "s", "-1 s", "1.5 s", "5 parsecs", "1 S", "99999999999999999999 s", "999999999999 y"] {
            assert_eq!(parse(text), Err(InvalidDuration(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_time_is_written_in_its_largest_whole_unit() {
        for text in ["1 y", "2 d", "90 min", "36 h", "61 s", "1500 ms", "7 us", "0 s"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
    }
}
