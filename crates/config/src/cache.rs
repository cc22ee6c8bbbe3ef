//! `[cache]`: the cache's size, and the headers that carry tags.

use http::HeaderName;
use rimward_types::ByteSize;

/// `[cache]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// `memory`: bytes of stored answers, 1 MB or more. Default: 256 MB.
    pub memory: ByteSize,
    /// `max-object`: the largest answer that is stored, at most a quarter of `memory`. Default: 64 MB, or a quarter
    /// of `memory` where that is less.
    pub max_object: ByteSize,
    /// `tag-headers`: response headers that carry tags (`cdn-behaviour.md` section 17), at most 10. Default:
    /// `["surrogate-key", "cache-tag"]`.
    pub tag_headers: Vec<HeaderName>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            memory: ByteSize::mb(256),
            max_object: ByteSize::mb(64),
            tag_headers: ["surrogate-key", "cache-tag"].map(HeaderName::from_static).to_vec(),
        }
    }
}
