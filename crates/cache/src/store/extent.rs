//! Which keys a purge means.

use crate::key::{self, Key};
use crate::purge::Purge;
use crate::store::tags::tag_name;
use crate::tag::Tag;
use serde::{Deserialize, Serialize};

/// Which keys are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Extent {
    /// Those that begin so.
    From(Box<[u8]>),
    /// Those that begin so and are for this host, or for any.
    Host(Box<[u8]>, Box<str>),
    /// Those that begin so and have a response with the tag of this name.
    Tag(Box<[u8]>, Box<[u8]>),
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
            Purge::Prefix { distribution, prefix } => Extent::From(key::url_prefix(distribution, prefix)[..].into()),
            Purge::Tag { distribution, tag } => {
                let prefix = key::distribution_prefix(distribution);
                let name = tag_name(&prefix, tag);
                Extent::Tag(prefix[..].into(), name)
            }
            Purge::Host { distribution, host } => {
                Extent::Host(key::distribution_prefix(distribution)[..].into(), host.to_ascii_lowercase().into())
            }
            Purge::Distribution(distribution) => Extent::From(key::distribution_prefix(distribution)[..].into()),
            Purge::All => Extent::All,
        }
    }

    /// One URL, with all its keys.
    pub(crate) fn url(distribution: &str, url: &str) -> Self {
        Extent::From(key::exact_url_prefix(distribution, url)[..].into())
    }

    /// The slices under `key` that were cut from one representation, whose tag is `generation`.
    pub(crate) fn slices(key: &Key, generation: &Tag) -> Self {
        Extent::Tag(key.slice_prefix(), tag_name(key.distribution_prefix(), generation))
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

    /// As [`Extent::admits`], for a key that was found by its beginning or by its tag: to look at it costs more than all else
    /// where there are very many.
    pub(crate) fn admits_found(&self, key: &Key) -> bool {
        match self {
            Extent::Host(..) => self.admits(key),
            Extent::From(_) | Extent::Tag(..) | Extent::All => true,
        }
    }

    /// Whether a response under `key` is meant; `tags` are its own, once its head has come.
    pub(crate) fn means(&self, key: &Key, tags: Option<&[Tag]>) -> Meant {
        if !self.admits(key) {
            return Meant::No;
        }
        match (self, tags) {
            (Extent::Tag(_, name), Some(tags)) => {
                let is_tagged = tags.iter().any(|tag| *tag_name(key.distribution_prefix(), tag) == **name);
                if is_tagged { Meant::Yes } else { Meant::No }
            }
            (Extent::Tag(..), None) => Meant::Perhaps,
            _ => Meant::Yes,
        }
    }
}
