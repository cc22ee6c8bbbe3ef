//! `[cache]`: the cache's size, and the headers that carry tags.

use http::HeaderName;
use rimward_types::ByteSize;
use std::path::PathBuf;

/// `[cache]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// `memory`: bytes of stored answers, 1 MB or more. Default: 256 MB.
    pub memory: ByteSize,
    /// `disk`: a tier behind memory. Default: none.
    pub disk: Option<Disk>,
    /// `max-object`: the largest answer that is stored, at most a quarter of `memory`, or of `disk` where that is more.
    /// Default: 64 MB, with a disk 1 GB, or a quarter of what there is where that is less.
    pub max_object: ByteSize,
    /// `tag-headers`: response headers that carry tags (`cdn-behaviour.md` section 17), at most 10. Default:
    /// `["surrogate-key", "cache-tag"]`.
    pub tag_headers: Vec<HeaderName>,
}

/// `disk = { path = "cache", size = "20 GB" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// `path`: a folder, relative to the file. It is made when it is not there, and one node has it at a time.
    pub path: PathBuf,
    /// `size`: bytes of all that is kept in it, 16 MB or more.
    pub size: ByteSize,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            memory: ByteSize::mb(256),
            disk: None,
            max_object: ByteSize::mb(64),
            tag_headers: ["surrogate-key", "cache-tag"].map(HeaderName::from_static).to_vec(),
        }
    }
}
