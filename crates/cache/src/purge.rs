//! Removal.

use crate::key;
use crate::rules::KeyRules;
use crate::tag::Tag;
use rimward_types::RequestHead;
use std::ops::AddAssign;

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
    /// Every answer that carries this tag, with all variants of its key.
    Tag {
        /// Distribution id.
        distribution: String,
        /// Tag.
        tag: Tag,
    },
    /// Everything that may be served at this host: answers that are kept for it, and those kept without regard to
    /// the host.
    Host {
        /// Distribution id.
        distribution: String,
        /// Host in lower case, without port.
        host: String,
    },
    /// All of one distribution.
    Distribution(String),
    /// Everything.
    All,
}

impl Purge {
    /// Everything that is stored under the URL of `request`, as far as `rules` keep its query.
    pub fn of_request(distribution: &str, request: &RequestHead, rules: &KeyRules) -> Self {
        let url = key::kept_url(&request.path_and_query(), rules);
        Self::Url { distribution: distribution.to_owned(), url }
    }
}

/// What an answer to an unsafe method has removed, and what is to be removed with it.
#[derive(Debug)]
pub struct Invalidated {
    /// What was stored under the URLs that it makes doubtful.
    pub purged: Purged,
    /// What belongs to the groups that have changed (RFC 9875): to be purged before the answer is sent, as any purge may be of
    /// very much.
    pub groups: Vec<Purge>,
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

impl AddAssign for Purged {
    fn add_assign(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.fills += other.fills;
    }
}
