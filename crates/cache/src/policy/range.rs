//! Ranges of complete responses (RFC 9110 section 14).

use http::HeaderMap;
use http::header::RANGE;

/// What a request's `Range` comes to, for a representation of known length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it: there is no range, none that is understood, or several.
    Whole,
    /// Bytes `start..end`; `end` is behind the last.
    Bytes {
        /// First byte.
        start: u64,
        /// Behind the last byte; above `start`.
        end: u64,
    },
    /// None of it exists (416).
    Unsatisfiable,
}

/// Reads `Range`. Units other than bytes and bad grammar are ignored (RFC 9110 section 14.2). Several ranges are
/// answered with the whole, as any server may.
pub fn part(request: &HeaderMap, length: u64) -> Part {
    let mut lines = request.get_all(RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Part::Whole };
    parse(line.as_bytes(), length)
}

fn parse(text: &[u8], length: u64) -> Part {
    let Some((unit, set)) = text.iter().position(|&b| b == b'=').map(|at| (&text[..at], &text[at + 1..])) else {
        return Part::Whole;
    };
    if !unit.trim_ascii().eq_ignore_ascii_case(b"bytes") || set.contains(&b',') {
        return Part::Whole;
    }
    let set = set.trim_ascii();
    let Some(dash) = set.iter().position(|&b| b == b'-') else { return Part::Whole };
    let (first, last) = (&set[..dash], &set[dash + 1..]);
    if first.is_empty() {
        return match position(last) {
            None => Part::Whole,
            Some(_) if length == 0 => Part::Unsatisfiable,
            Some(0) => Part::Unsatisfiable,
            Some(suffix) => Part::Bytes { start: length.saturating_sub(suffix), end: length },
        };
    }
    let Some(start) = position(first) else { return Part::Whole };
    let end = match position(last) {
        Some(last) if last < start => return Part::Whole,
        Some(last) => length.min(last.saturating_add(1)),
        None if last.is_empty() => length,
        None => return Part::Whole,
    };
    if start >= length { Part::Unsatisfiable } else { Part::Bytes { start, end } }
}

/// Digits alone; a number past the largest counts as the largest.
fn position(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits
        .iter()
        .try_fold(0u64, |n, b| b.is_ascii_digit().then(|| n.saturating_mul(10).saturating_add(u64::from(b - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn a_single_range_is_cut_to_the_length() {
        // RFC 9110 section 14.1.2, for 10,000 bytes
        let bytes = |start, end| Part::Bytes { start, end };
        for (text, expected) in [
            ("bytes=0-499", bytes(0, 500)),
            ("bytes=500-999", bytes(500, 1000)),
            ("Bytes=0-0", bytes(0, 1)),
            ("bytes=-500", bytes(9500, 10_000)),
            ("bytes=9500-", bytes(9500, 10_000)),
            ("bytes=-20000", bytes(0, 10_000)),
            ("bytes=9999-99999999999999999999999", bytes(9999, 10_000)),
            ("bytes=10000-", Part::Unsatisfiable),
            ("bytes=99999999999999999999999-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=5-4", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes 0-1", Part::Whole),
            ("lines=0-1", Part::Whole),
        ] {
            assert_eq!(parse(text.as_bytes(), 10_000), expected, "{text}");
        }
        assert_eq!(parse(b"bytes=-5", 0), Part::Unsatisfiable);
        assert_eq!(parse(b"bytes=0-", 0), Part::Unsatisfiable);
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_whole(text in "(bytes=)?[0-9,-]{0,24}", length in any::<u64>()) {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_str(&text).expect("a header value"));
            if let Part::Bytes { start, end } = part(&headers, length) {
                prop_assert!(start < end && end <= length);
            }
        }
    }
}
