//! An answer that should be a slice.

use super::Times;
use super::lead::{Completed, Lead};
use super::state::Ended;
use crate::policy::admit::Admission;
use crate::slice::{Slice, Told};
use crate::store::Mark;
use http::StatusCode;
use rimward_types::{Body, ResponseHead};

impl Lead {
    /// Stores a slice. Errors are kept, or passed on, in the slice's place.
    pub(super) fn respond_slice(self, slice: Slice, head: ResponseHead, body: Body, times: Times) -> Completed {
        match head.status {
            StatusCode::PARTIAL_CONTENT if Told::of(slice, &head).is_none() => self.unsliced(Mark::Unsliced, None),
            StatusCode::PARTIAL_CONTENT => match self.admission(&self.request, &head, times) {
                Admission::Store(terms) => self.keep(head, body, terms, times.received),
                // Each viewer asks the origin for its own range.
                Admission::Refuse(reason) => self.unsliced(Mark::Uncacheable(Some(reason)), None),
            },
            // The origin knows no ranges, or the condition on them did not hold.
            StatusCode::OK => self.unsliced(Mark::Unsliced, Some(Box::new((head, body, times)))),
            _ => self.keep_or_pass_on(head, body, times),
        }
    }

    /// Those who wait begin again, with the whole.
    fn unsliced(mut self, mark: Mark, whole: Option<Box<(ResponseHead, Body, Times)>>) -> Completed {
        if let Some(key) = self.key.of_whole() {
            self.store.mark(&key, mark);
        }
        self.conclude(Ended::Abandoned);
        Completed::Unsliced { whole }
    }
}
