//! Which keys a purge means.

use crate::key::{self, Key};
use crate::object::Face;
use crate::purge::Purge;
use crate::store::tags::tag_name;
use smallvec::SmallVec;

/// Which keys are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Those that begin so.
    From(SmallVec<[u8; 128]>),
    /// Those that begin so and are for this host, or for any.
    Host(SmallVec<[u8; 128]>, Box<str>),
    /// Those that begin so and have a response with the tag of this name.
    Tag(SmallVec<[u8; 128]>, Box<[u8]>),
    /// All.
    All,
}

/// Whether a fetch is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    Yes,
    No,
    /// Its head will tell.
    Perhaps,
}

impl Extent {
    pub(crate) fn of(what: &Purge) -> Self {
        match what {
            Purge::Url { distribution, url } => Extent::url(distribution, url),
            Purge::Prefix { distribution, prefix } => Extent::From(key::url_prefix(distribution, prefix)),
            Purge::Tag { distribution, tag } => {
                let prefix = key::distribution_prefix(distribution);
                let name = tag_name(&prefix, tag);
                Extent::Tag(prefix, name)
            }
            Purge::Host { distribution, host } => {
                Extent::Host(key::distribution_prefix(distribution), host.to_ascii_lowercase().into())
            }
            Purge::Distribution(distribution) => Extent::From(key::distribution_prefix(distribution)),
            Purge::All => Extent::All,
        }
    }

    /// One URL, with all its keys.
    pub(crate) fn url(distribution: &str, url: &str) -> Self {
        Extent::From(key::exact_url_prefix(distribution, url))
    }

    /// What every key that is meant begins with.
    pub(crate) fn prefix(&self) -> &[u8] {
        match self {
            Extent::From(prefix) | Extent::Host(prefix, _) | Extent::Tag(prefix, _) => prefix,
            Extent::All => &[],
        }
    }

    /// Whether `key` is meant, as far as the key alone can tell.
    pub(crate) fn admits(&self, key: &Key) -> bool {
        key.as_bytes().starts_with(self.prefix())
            && match self {
                Extent::Host(_, host) => key.host().is_none_or(|own| own == **host),
                Extent::From(_) | Extent::Tag(..) | Extent::All => true,
            }
    }

    /// Whether the fetch of `key` is meant; `face` is its head, once it has come.
    pub(crate) fn means(&self, key: &Key, face: Option<&Face>) -> Meant {
        if !self.admits(key) {
            return Meant::No;
        }
        match (self, face) {
            (Extent::Tag(prefix, name), Some(face)) => {
                let is_tagged = face.tags.iter().any(|tag| *tag_name(prefix, tag) == **name);
                if is_tagged { Meant::Yes } else { Meant::No }
            }
            (Extent::Tag(..), None) => Meant::Perhaps,
            _ => Meant::Yes,
        }
    }
}
