//! Removal.

/// What to remove. URLs are path and, when it is in the key, `?` and query, as cached (after viewer-request).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purge {
    /// Every variant of one URL.
    Url {
        /// Distribution id.
        distribution: String,
        /// Path and query.
        url: String,
    },
    /// Every URL that begins with this (`/images/*` without the star).
    Prefix {
        /// Distribution id.
        distribution: String,
        /// Beginning of path and query.
        prefix: String,
    },
    /// All of one distribution.
    Distribution(String),
    /// Everything.
    All,
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Objects; each variant counts.
    pub objects: u64,
    /// Their bytes, heads included.
    pub bytes: u64,
    /// Fetches in flight whose answers will not be stored.
    pub fills: u64,
}
