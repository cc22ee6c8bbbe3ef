//! `Age` and its arithmetic (RFC 9111 sections 4.2.3 and 5.1).

use super::directives::Seconds;
use crate::fill::Times;
use http::HeaderMap;
use http::header::AGE;
use rimward_types::Timestamp;
use std::time::Duration;

/// The value of `Age`. Its first member counts; what is no number is as if it were not there (RFC 9111 section 5.1).
pub fn value(headers: &HeaderMap) -> Duration {
    let Some(line) = headers.get(AGE) else { return Duration::ZERO };
    let first = line.as_bytes().split(|&b| b == b',').next().unwrap_or_default();
    Seconds::parse(first.trim_ascii()).given().unwrap_or_default()
}

/// What the age of a response at its receipt is made of (RFC 9111 section 4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Initial {
    /// `age_value`: the `Age` field.
    pub told: Duration,
    /// `apparent_age`: receipt less `Date`.
    pub apparent: Duration,
    /// `response_delay`: receipt less request.
    pub delay: Duration,
}

impl Initial {
    /// `corrected_initial_age`.
    pub fn corrected(self) -> Duration {
        self.apparent.max(self.told.saturating_add(self.delay))
    }
}

/// The age at receipt. `date` is the response's `Date`, or the time of its receipt.
pub fn initial(age_value: Duration, date: Timestamp, times: Times) -> Initial {
    Initial {
        told: age_value,
        // `Date` counts in whole seconds: so does the age that comes from it, or each response would be up to 1 s old at
        // birth. A `Date` ahead of this node's clock adds nothing.
        apparent: Duration::from_secs(times.received.as_secs().saturating_sub(date.as_secs())),
        delay: times.received.since(times.requested),
    }
}

/// `current_age`: what it was at receipt, and the time since. A clock that went back adds nothing.
pub fn current(initial: Duration, received: Timestamp, now: Timestamp) -> Duration {
    initial.saturating_add(now.since(received))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn the_first_member_counts_if_it_is_a_number() {
        // RFC 9111 section 5.1
        for (lines, expected) in [
            (&["7200"][..], 7200),
            (&["abc"], 0),
            (&["-7200"], 0),
            (&["7200.0"], 0),
            (&["7200, 0"], 7200),
            (&["0, 7200"], 0),
            (&["7200", "0"], 7200),
            (&["0", "7200"], 0),
            (&["2147483649"], 1 << 31),
            (&[], 0),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(AGE, HeaderValue::from_static(line));
            }
            assert_eq!(value(&headers), Duration::from_secs(expected), "{lines:?}");
        }
    }

    #[test]
    fn the_greater_of_date_and_age_counts() {
        // RFC 9111 section 4.2.3
        let times = Times { requested: Timestamp::from_secs(1000), received: Timestamp::from_millis(1_003_500) };
        let s = Duration::from_secs;
        let initial = |age, date, times| initial(age, date, times).corrected();
        assert_eq!(initial(s(0), Timestamp::from_secs(990), times), s(13));
        assert_eq!(initial(s(20), Timestamp::from_secs(990), times), Duration::from_millis(23_500));
        assert_eq!(initial(s(0), Timestamp::from_secs(2000), times), Duration::from_millis(3500));
    }

    proptest! {
        #[test]
        fn age_never_falls_while_time_passes(
            age in 0u64..1 << 33, date in any::<u64>(), asked in any::<u64>(), took in any::<u32>(), later in any::<u64>(),
            more in any::<u64>(),
        ) {
            let requested = Timestamp::from_millis(asked);
            let received = requested.plus(Duration::from_millis(u64::from(took)));
            let first = initial(Duration::from_secs(age), Timestamp::from_millis(date), Times { requested, received }).corrected();
            prop_assert!(first >= Duration::from_secs(age));
            let (now, then) = (Timestamp::from_millis(later), Timestamp::from_millis(later.saturating_add(more)));
            prop_assert!(current(first, received, now) >= first);
            prop_assert!(current(first, received, then) >= current(first, received, now));
        }
    }
}
