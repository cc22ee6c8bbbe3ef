//! HTTP dates (RFC 9110 section 5.6.7), strict where a sloppy date would lengthen a response's life.

use rimward_types::Timestamp;
use std::time::Duration;

const DAY: u64 = 86_400;
const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
const WEEKDAYS: [&[u8]; 7] = [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];

/// Reads a date in one of the three forms. Letters compare without case; anything else must be exact.
/// `now` decides the century of two-digit years (RFC 850 form). Dates before 1970 become the epoch.
pub fn parse(text: &[u8], now: Timestamp) -> Option<Timestamp> {
    let text = text.trim_ascii();
    imf_fixdate(text).or_else(|| rfc850(text, now)).or_else(|| asctime(text))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn imf_fixdate(text: &[u8]) -> Option<Timestamp> {
    if text.len() != 29 || !is_weekday(&text[..3], 3) || !text[25..].eq_ignore_ascii_case(b" GMT") {
        return None;
    }
    if &text[3..5] != b", " || text[7] != b' ' || text[11] != b' ' || text[16] != b' ' {
        return None;
    }
    instant(number(&text[12..16])?, month(&text[8..11])?, number(&text[5..7])?, time(&text[17..25])?)
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`.
fn rfc850(text: &[u8], now: Timestamp) -> Option<Timestamp> {
    let comma = text.iter().position(|&b| b == b',')?;
    let (weekday, rest) = text.split_at(comma);
    if !WEEKDAYS.iter().any(|name| name.eq_ignore_ascii_case(weekday)) || rest.len() != 24 {
        return None;
    }
    if &rest[..2] != b", " || rest[4] != b'-' || rest[8] != b'-' || rest[11] != b' ' {
        return None;
    }
    if !rest[20..].eq_ignore_ascii_case(b" GMT") {
        return None;
    }
    let (month, day, time) = (month(&rest[5..8])?, number(&rest[2..4])?, time(&rest[12..20])?);
    let year = number(&rest[9..11])?;
    // A date more than 50 years ahead is the most recent year in the past with these digits.
    let this_year = 1970 + now.as_secs() / 31_556_952;
    let mut year = this_year - this_year % 100 + year;
    if year > this_year + 50 {
        year -= 100;
    }
    instant(year, month, day, time)
}

/// `Sun Nov  6 08:49:37 1994`.
fn asctime(text: &[u8]) -> Option<Timestamp> {
    if text.len() != 24 || !is_weekday(&text[..3], 3) {
        return None;
    }
    if text[3] != b' ' || text[7] != b' ' || text[10] != b' ' || text[19] != b' ' {
        return None;
    }
    let day = if text[8] == b' ' { number(&text[9..10])? } else { number(&text[8..10])? };
    instant(number(&text[20..24])?, month(&text[4..7])?, day, time(&text[11..19])?)
}

fn is_weekday(text: &[u8], letters: usize) -> bool {
    WEEKDAYS.iter().any(|name| name[..letters].eq_ignore_ascii_case(text))
}

fn month(text: &[u8]) -> Option<u64> {
    MONTHS.iter().position(|name| name.eq_ignore_ascii_case(text)).map(|i| i as u64 + 1)
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0')))
}

/// `08:49:37` in seconds; 60 is a leap second.
fn time(text: &[u8]) -> Option<u64> {
    let (h, m, s) = (number(&text[..2])?, number(&text[3..5])?, number(&text[6..8])?);
    (text[2] == b':' && text[5] == b':' && h < 24 && m < 60 && s <= 60).then_some(h * 3600 + m * 60 + s)
}

/// The moment of a civil date in the Gregorian calendar.
fn instant(year: u64, month: u64, day: u64, seconds: u64) -> Option<Timestamp> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day == 0 || day > length {
        return None;
    }
    if year < 1970 {
        return Some(Timestamp::from_secs(0));
    }
    // Years are counted from March, so that the leap day is the last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + (day - 1);
    Some(Timestamp::from_secs((days - 719_468) * DAY + seconds))
}

/// Writes a date as IMF-fixdate.
pub fn format(at: Timestamp) -> String {
    // The formatter panics past the year 9999.
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    let at = Timestamp::from_secs(at.as_secs().min(LAST.as_secs()));
    httpdate::fmt_http_date(at.as_system_time())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_secs(1_750_000_000);

    #[test]
    fn the_three_forms_name_the_same_moment() {
        // RFC 9110 section 5.6.7
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse(text.as_bytes(), NOW), Some(Timestamp::from_secs(784_111_777)), "{text}");
        }
    }

    #[test]
    fn letters_compare_without_case_and_far_dates_are_read() {
        for text in ["tHU, 18 AuG 2050 02:01:18 gMT", "Thu, 18 Aug 2286 02:01:18 GMT", "Tue, 19 Jan 2038 14:14:08 GMT"]
        {
            assert!(parse(text.as_bytes(), NOW).is_some_and(|t| t > NOW), "{text}");
        }
    }

    #[test]
    fn sloppy_dates_are_no_dates() {
        for text in [
            "0",
            "",
            "Thu, 18 Aug 2050 02:01:18 UTC",
            "Thu, 18 Aug 2050 02:01:18 AEST",
            "Thu, 18 Aug 50 02:01:18 GMT",
            "Thu 18 Aug 2050 02:01:18 GMT",
            "Thu, 18  Aug  2050 02:01:18 GMT",
            "Thu, 18-Aug-2050 02:01:18 GMT",
            "Thu, 18 Aug 2050 02.01.18 GMT",
            "Thu, 18 Aug 2050 2:01:18 GMT",
            "Thu, 31 Feb 2050 02:01:18 GMT",
            "Thu, 18 Aug 2050 24:01:18 GMT",
            "Thu, 18 Aug 2050 02:01:18",
        ] {
            assert_eq!(parse(text.as_bytes(), NOW), None, "{text}");
        }
    }

    #[test]
    fn a_two_digit_year_is_at_most_fifty_years_ahead() {
        // RFC 9110 section 5.6.7: NOW is in 2025.
        let at = |text: &str| parse(text.as_bytes(), NOW).unwrap();
        assert!(at("Thursday, 18-Aug-50 02:01:18 GMT") > NOW);
        assert!(at("Thursday, 18-Aug-94 02:01:18 GMT") < NOW);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(text in proptest::collection::vec(any::<u8>(), 0..40), now in any::<u32>()) {
            parse(&text, Timestamp::from_secs(u64::from(now)));
        }

        #[test]
        fn a_formatted_date_is_read_back(seconds in 0u64..253_402_300_800) {
            let at = Timestamp::from_secs(seconds);
            prop_assert_eq!(parse(format(at).as_bytes(), NOW), Some(at));
        }
    }
}
