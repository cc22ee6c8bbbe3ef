//! What is said of an answer from slices: its head is made of the first slice that is asked for.

use super::{Because, Decision, Explanation};
use crate::cache::Cache;
use crate::key::Key;
use crate::rules::Rules;
use crate::slice::{self, Slice, Slices};
use rimward_types::RequestHead;
use serde::Serialize;
use std::sync::Arc;

/// The slice that an answer from slices begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FirstSlice {
    /// Its place, from 0 on.
    pub index: u64,
    /// What happens to it.
    pub decision: Decision,
    /// What decided.
    pub because: Because,
}

impl Cache {
    /// The slice that would be asked for first, where an explanation comes to slices, with its key and its request.
    pub(super) fn slice_of(
        &self,
        explanation: &Explanation,
        key: &Key,
        request: &RequestHead,
        rules: &Arc<Rules>,
    ) -> Option<(Slice, Key, RequestHead)> {
        let (size, index) = slice::wanted(request, rules).filter(|_| explanation.decision == Decision::Slices)?;
        let slice = Slice { size, index };
        let slices = Slices::new(self, key, request, rules, (size, index));
        Some((slice, key.of_slice(slice), slices.request().clone()))
    }
}

impl Explanation {
    /// Says of the first slice what a viewer sees of it.
    pub(super) fn with_slice(mut self, slice: Option<(u64, Explanation)>) -> Self {
        if let Some((index, of)) = slice {
            self.first_slice = Some(FirstSlice { index, decision: of.decision, because: of.because });
            (self.cache_status, self.stored, self.fetching) = (of.cache_status, of.stored, of.fetching);
            if of.decision == Decision::Refuse {
                (self.decision, self.because) = (of.decision, of.because);
            }
        }
        self
    }
}
