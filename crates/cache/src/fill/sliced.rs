//! An answer that should be a slice.

use super::Times;
use super::lead::{Completed, Lead};
use super::state::{Ended, Fill};
use crate::policy::admit::Admission;
use crate::slice::{Slice, Told};
use crate::status::Forward;
use crate::store::Mark;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, StatusCode};
use rimward_types::{Body, RequestHead, ResponseHead};
use std::sync::Arc;

/// The whole, which has come in place of a slice. Others wait for it already; dropping it lets one of them fetch.
#[derive(Debug)]
pub struct Whole {
    lead: Lead,
    head: ResponseHead,
    body: Body,
    times: Times,
}

impl Whole {
    /// As [`Lead::respond`] for a fetch of the whole: `viewer` gets what it asks for; without one the answer is all of it.
    pub fn respond(mut self, viewer: Option<&RequestHead>) -> Completed {
        if let Some(viewer) = viewer {
            self.lead.request = Arc::new(viewer.clone());
        }
        self.lead.respond(self.head, self.body, self.times)
    }
}

impl Lead {
    /// Stores a slice. Errors are kept, or passed on, in the slice's place.
    pub(super) fn respond_slice(self, slice: Slice, head: ResponseHead, body: Body, times: Times) -> Completed {
        match head.status {
            StatusCode::PARTIAL_CONTENT => self.respond_partial(slice, head, body, times),
            // The origin knows no ranges, or the condition on them did not hold.
            StatusCode::OK => {
                let lead = self.into_whole();
                Completed::Unsliced { whole: lead.map(|lead| Box::new(Whole { lead, head, body, times })) }
            }
            _ => self.keep_or_pass_on(head, body, times),
        }
    }

    fn respond_partial(self, slice: Slice, mut head: ResponseHead, body: Body, times: Times) -> Completed {
        let length = Told::of(slice, &head).map(|told| told.length_of(slice));
        let Some(length) = length.filter(|length| may_be(*length, &head, &body)) else {
            return self.unsliced(Mark::Unsliced);
        };
        // What streams is held to it as well.
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        let terms = match self.admission(&self.request, &head, times) {
            Admission::Store(terms) => terms,
            // Each viewer asks the origin for its own range.
            Admission::Refuse(reason) => return self.unsliced(Mark::Uncacheable(Some(reason))),
        };
        let (store, whole) = (self.store.clone(), self.key.of_whole());
        match self.keep(head, body, terms, times.received) {
            // There is no place for it, and without one it is no answer to a viewer.
            Completed::NotStored { .. } => {
                if let Some(whole) = whole {
                    store.mark(&whole, Mark::Unsliced);
                }
                Completed::Unsliced { whole: None }
            }
            kept => kept,
        }
    }

    /// Those who wait begin again, with the whole.
    fn unsliced(mut self, mark: Mark) -> Completed {
        self.end_slices(mark);
        Completed::Unsliced { whole: None }
    }

    fn end_slices(&mut self, mark: Mark) {
        if let Some(key) = self.key.of_whole() {
            self.store.mark(&key, mark);
            // The origin has something else now than what they were cut from.
            self.store.purge_slices(&key);
        }
        self.conclude(Ended::Abandoned);
    }

    /// Makes the fetch of a slice one of the whole, which has come. Those who wait for the slice find it.
    fn into_whole(mut self) -> Option<Lead> {
        let key = Arc::new(self.key.of_whole()?);
        let fill = Fill::new(self.request.clone(), false, self.fill.number);
        self.store.shard(&key).register(&key, &fill);
        // Purges since the slice was asked for mean what has come. One that begins from here on strikes the new fetch. One
        // that is under way may be past its shard. One that has ended has struck the fetch of the slice, or has left its
        // doubts there: hence this order.
        let is_purged = self.store.is_purging()
            || !self.store.is_listed(&self.key, &self.fill)
            || !fill.doubt_as_much_as(&self.fill);
        if is_purged {
            self.store.release(&key, &fill);
        } else {
            fill.let_join();
        }
        let lead = Lead {
            store: self.store.clone(),
            key,
            rules: self.rules.clone(),
            request: self.request.clone(),
            fill,
            stored: None,
            others: Vec::new(),
            why: Forward::UriMiss,
            is_plain: false,
            id: self.id,
            is_background: self.is_background,
            done: false,
        };
        self.end_slices(Mark::Unsliced);
        Some(lead)
    }
}

/// Whether a body may have `length` bytes, as far as is known before it has come.
fn may_be(length: u64, head: &ResponseHead, body: &Body) -> bool {
    let told = HeaderValue::from(length);
    body.len().is_none_or(|actual| actual == length)
        && head.headers.get_all(CONTENT_LENGTH).iter().all(|value| *value == told)
}

#[cfg(test)]
mod tests {
    use crate::cache::{Begin, Cache, Options};
    use crate::fill::{Completed, Times};
    use crate::key::Key;
    use crate::rules::Rules;
    use http::header::{CACHE_CONTROL, RANGE};
    use http::{HeaderValue, StatusCode};
    use rimward_types::{ByteSize, RequestHead, ResponseHead, TestClock, Timestamp};
    use std::sync::Arc;

    /// Whether the whole that comes in place of a slice is stored, with a purge under way or without.
    fn is_stored(is_purging: bool) -> bool {
        let start = Timestamp::from_secs(1_750_000_000);
        let cache = Cache::new(Options::default(), Arc::new(TestClock::at(start)));
        let rules = Arc::new(Rules { slice: Some(ByteSize::kb(64)), ..Rules::default() });
        let mut request = RequestHead::get("/film");
        request.headers.insert(RANGE, HeaderValue::from_static("bytes=0-9"));
        let key = Key::new("E1", &request, &rules.key);
        let Begin::Slices(slices) = cache.begin(&key, &request, &rules) else { panic!("not in slices") };
        let Begin::Lead(lead) = slices.begin(0) else { panic!("it need not be fetched") };
        let _purging = is_purging.then(|| cache.store().begin_purge());
        let mut head = ResponseHead::new(StatusCode::OK);
        head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        let times = Times { requested: start, received: start };
        let Completed::Unsliced { whole: Some(whole) } = lead.respond(head, "film".into(), times) else {
            panic!("it is the whole")
        };
        whole.respond(Some(&request));
        matches!(cache.begin(&key, &request, &rules), Begin::Hit(_))
    }

    #[test]
    fn a_purge_under_way_may_have_missed_a_fetch_that_moves_to_another_shard() {
        assert!(is_stored(false));
        assert!(!is_stored(true));
    }
}
