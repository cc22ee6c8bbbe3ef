//! Ranges of complete responses (RFC 9110 section 14).

use http::HeaderMap;
use http::header::RANGE;
use smallvec::SmallVec;

/// Ranges that one request may ask for; nobody needs more, and each costs a header in the answer (RFC 9110 section 14.2).
const MOST: usize = 32;
/// Ranges with a gap up to this between them are sent as one: a header would take as much (RFC 9110 section 15.3.7.2).
const GAP: u64 = 80;

/// What a request's `Range` comes to, for a representation of known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ranges {
    /// All of it: there is no range, none that is understood, or too many.
    Whole,
    /// One part.
    One(Span),
    /// Several parts, at least two, in ascending order, with gaps between them.
    Several(SmallVec<[Span; 4]>),
    /// None of it exists (416).
    Unsatisfiable,
}

/// Bytes `start..end`: `end` is behind the last and above `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u64,
    /// Behind the last byte.
    pub end: u64,
}

impl Span {
    /// How many bytes it has; never zero.
    pub fn length(self) -> u64 {
        self.end - self.start
    }
}

/// One range of a request, for a length.
enum Asked {
    Satisfiable(Span),
    Unsatisfiable,
}

/// Reads `Range`. Units other than bytes and bad grammar are ignored (RFC 9110 section 14.2).
///
/// Several ranges are put in order and those that overlap or nearly touch become one, so that no byte is sent twice
/// (RFC 9110 section 15.3.7.2). More than [`MOST`] are as if there were none.
pub fn ranges(request: &HeaderMap, length: u64) -> Ranges {
    let mut lines = request.get_all(RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Ranges::Whole };
    parse(line.as_bytes(), length).unwrap_or(Ranges::Whole)
}

/// `None`: it is ignored.
fn parse(text: &[u8], length: u64) -> Option<Ranges> {
    let at = text.iter().position(|&b| b == b'=')?;
    let (unit, set) = (&text[..at], &text[at + 1..]);
    if !unit.trim_ascii().eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let mut spans: SmallVec<[Span; 4]> = SmallVec::new();
    let mut count = 0;
    // Empty members of a list say nothing (RFC 9110 section 5.6.1.2).
    for member in set.split(|&b| b == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty()) {
        count += 1;
        if count > MOST {
            return None;
        }
        if let Asked::Satisfiable(span) = one(member, length)? {
            spans.push(span);
        }
    }
    if count == 0 {
        return None;
    }
    let spans = coalesced(spans);
    Some(match spans[..] {
        [] => Ranges::Unsatisfiable,
        [span] => Ranges::One(span),
        _ => Ranges::Several(spans),
    })
}

/// `first-last`, `first-` or `-suffix`. `None`: it breaks the grammar, and all the ranges with it.
fn one(range: &[u8], length: u64) -> Option<Asked> {
    let dash = range.iter().position(|&b| b == b'-')?;
    let (first, last) = (&range[..dash], &range[dash + 1..]);
    if first.is_empty() {
        return Some(match position(last)? {
            0 => Asked::Unsatisfiable,
            // Satisfiable, and no part of nothing can be told in `Content-Range`: the whole is the answer.
            _ if length == 0 => return None,
            suffix => Asked::Satisfiable(Span { start: length.saturating_sub(suffix), end: length }),
        });
    }
    let start = position(first)?;
    let end = match position(last) {
        Some(last) if last < start => return None,
        Some(last) => length.min(last.saturating_add(1)),
        None if last.is_empty() => length,
        None => return None,
    };
    Some(if start >= length { Asked::Unsatisfiable } else { Asked::Satisfiable(Span { start, end }) })
}

fn coalesced(mut spans: SmallVec<[Span; 4]>) -> SmallVec<[Span; 4]> {
    spans.sort_unstable();
    let mut joined: SmallVec<[Span; 4]> = SmallVec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end.saturating_add(GAP) => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
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

    fn span(start: u64, end: u64) -> Ranges {
        Ranges::One(Span { start, end })
    }

    fn read(text: &str, length: u64) -> Ranges {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_str(text).expect("a header value"));
        ranges(&headers, length)
    }

    #[test]
    fn a_single_range_is_cut_to_the_length() {
        // RFC 9110 section 14.1.2, for 10,000 bytes
        for (text, expected) in [
            ("bytes=0-499", span(0, 500)),
            ("bytes=500-999", span(500, 1000)),
            ("Bytes=0-0", span(0, 1)),
            ("bytes=-500", span(9500, 10_000)),
            ("bytes=9500-", span(9500, 10_000)),
            ("bytes=-20000", span(0, 10_000)),
            ("bytes=9999-99999999999999999999999", span(9999, 10_000)),
            ("bytes=10000-", Ranges::Unsatisfiable),
            ("bytes=99999999999999999999999-", Ranges::Unsatisfiable),
            ("bytes=-0", Ranges::Unsatisfiable),
            ("bytes=5-4", Ranges::Whole),
            ("bytes=", Ranges::Whole),
            ("bytes=,", Ranges::Whole),
            ("bytes=-", Ranges::Whole),
            ("bytes=a-b", Ranges::Whole),
            ("bytes=+1-2", Ranges::Whole),
            ("bytes=1 - 2", Ranges::Whole),
            ("bytes 0-1", Ranges::Whole),
            ("lines=0-1", Ranges::Whole),
        ] {
            assert_eq!(read(text, 10_000), expected, "{text}");
        }
        // RFC 9110 section 14.1.2: a suffix is satisfiable unless it is of no bytes.
        assert_eq!(read("bytes=-5", 0), Ranges::Whole);
        assert_eq!(read("bytes=0-", 0), Ranges::Unsatisfiable);
    }

    #[test]
    fn several_ranges_are_put_in_order_and_joined_where_they_touch() {
        // RFC 9110 section 15.3.7.2, for 10,000 bytes
        let several =
            |spans: &[(u64, u64)]| Ranges::Several(spans.iter().map(|&(start, end)| Span { start, end }).collect());
        for (text, expected) in [
            ("bytes=0-499, 1000-1499", several(&[(0, 500), (1000, 1500)])),
            ("bytes=500-600,,0-0 ,-1", several(&[(0, 1), (500, 601), (9999, 10_000)])),
            // Out of order.
            ("bytes=5000-5001,0-1", several(&[(0, 2), (5000, 5002)])),
            // They overlap, touch, or have less between them than a header.
            ("bytes=0-499,400-700", span(0, 701)),
            ("bytes=0-499,500-700", span(0, 701)),
            ("bytes=0-499,580-700", span(0, 701)),
            ("bytes=0-499,581-700", several(&[(0, 500), (581, 701)])),
            ("bytes=0-,0-,0-,-1", span(0, 10_000)),
            // Those that cannot be had are left out.
            ("bytes=0-1,20000-", span(0, 2)),
            ("bytes=20000-,-0", Ranges::Unsatisfiable),
            // One that breaks the grammar takes the others with it.
            ("bytes=0-1,x", Ranges::Whole),
            ("bytes=0-1,300-200", Ranges::Whole),
        ] {
            assert_eq!(read(text, 10_000), expected, "{text}");
        }
    }

    #[test]
    fn too_many_ranges_are_as_if_there_were_none() {
        // RFC 9110 section 14.2 (CVE-2011-3192)
        let of = |count: u64| (0..count).map(|i| format!("{0}-{0}", i * 200)).collect::<Vec<_>>().join(",");
        assert!(matches!(read(&format!("bytes={}", of(32)), 1 << 20), Ranges::Several(spans) if spans.len() == 32));
        assert_eq!(read(&format!("bytes={}", of(33)), 1 << 20), Ranges::Whole);
    }

    proptest! {
        #[test]
        fn parts_lie_within_the_whole_in_order_and_apart(text in "(bytes=)?[0-9,-]{0,40}", length in any::<u64>()) {
            let spans = match read(&text, length) {
                Ranges::One(span) => vec![span],
                Ranges::Several(spans) => {
                    prop_assert!(spans.len() > 1);
                    spans.to_vec()
                }
                Ranges::Whole | Ranges::Unsatisfiable => vec![],
            };
            for span in &spans {
                prop_assert!(span.start < span.end && span.end <= length);
            }
            for pair in spans.windows(2) {
                prop_assert!(pair[1].start > pair[0].end + GAP);
            }
        }

        #[test]
        fn every_byte_that_is_asked_for_is_in_a_part(
            asked in proptest::collection::vec((0u64..5000, 0u64..300), 1..6), length in 1u64..5000,
        ) {
            let text: Vec<String> = asked.iter().map(|(first, more)| format!("{first}-{}", first + more)).collect();
            let spans = match read(&format!("bytes={}", text.join(",")), length) {
                Ranges::One(span) => vec![span],
                Ranges::Several(spans) => spans.to_vec(),
                Ranges::Unsatisfiable => vec![],
                Ranges::Whole => return Err(TestCaseError::fail("good ranges are not ignored")),
            };
            for (first, more) in asked {
                for byte in [first, first + more].into_iter().filter(|byte| *byte < length) {
                    prop_assert!(spans.iter().any(|span| span.start <= byte && byte < span.end), "{byte} {spans:?}");
                }
            }
        }
    }
}
