//! An answer made from what is stored.

use crate::status::{CacheResult, CacheStatus};
use rimward_types::{Body, ResponseHead};

/// An answer that can be sent: conditions and ranges of the request are applied, `Age` is set.
#[derive(Debug)]
pub struct Hit {
    /// Head.
    pub head: ResponseHead,
    /// Body; empty for HEAD, 304 and 416. It may still be arriving.
    pub body: Body,
    /// For `Cache-Status`.
    pub status: CacheStatus,
    /// For `X-Cache` and the log.
    pub result: CacheResult,
}
