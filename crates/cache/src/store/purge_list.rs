//! Purges by which is judged what an earlier run has left on the disk: there may be a million objects, and as many purges,
//! since each unsafe method that succeeds is one. So an object is looked up among them, not held against each.

use super::extent::{Extent, Meant};
use super::tags::tag_name;
use crate::key::{self, Key};
use crate::tag::Tag;
use std::collections::HashMap;

/// Purges that can be looked up; more become one of everything.
const MOST: usize = 200_000;
/// Purges that every object is held against; more become one of everything.
const MOST_OTHERS: usize = 1000;

/// What purges say of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Keep,
    Stale,
    Remove,
}

/// The latest purges of one extent; 0: none.
#[derive(Debug, Clone, Copy, Default)]
struct Latest {
    hard: u64,
    soft: u64,
}

#[derive(Debug, Default)]
pub(crate) struct PurgeList {
    /// By what all keys of a URL begin with.
    urls: HashMap<Box<[u8]>, Latest>,
    /// By the tag's name.
    tags: HashMap<Box<[u8]>, Latest>,
    others: HashMap<Extent, Latest>,
}

impl Latest {
    fn note(&mut self, seq: u64, soft: bool) {
        let latest = if soft { &mut self.soft } else { &mut self.hard };
        *latest = seq.max(*latest);
    }

    /// Of an object with the number `seq`: purges with a higher one mean it.
    fn judge(self, seq: u64) -> Verdict {
        match self {
            Latest { hard, .. } if hard > seq => Verdict::Remove,
            Latest { soft, .. } if soft > seq => Verdict::Stale,
            _ => Verdict::Keep,
        }
    }
}

impl PurgeList {
    /// Adds the purge with the number `seq`.
    pub(crate) fn add(&mut self, seq: u64, extent: &Extent, soft: bool) {
        let latest = match extent {
            Extent::From(prefix) if key::is_exact_url(prefix) => self.urls.entry(prefix.clone()).or_default(),
            // The name tells the distribution, and of slices the object.
            Extent::Tag(_, name) => self.tags.entry(name.clone()).or_default(),
            other => self.others.entry(other.clone()).or_default(),
        };
        latest.note(seq, soft);
        if self.others.len() > MOST_OTHERS || self.urls.len() + self.tags.len() > MOST {
            *self = Self::default();
            self.others.entry(Extent::All).or_default().note(seq, false);
        }
    }

    /// What they say of the object under `key` with the number `seq`.
    pub(crate) fn judge(&self, key: &Key, seq: u64, tags: &[Tag]) -> Verdict {
        let by_url = self.urls.get(key.exact_url());
        let by_tag = tags.iter().filter_map(|tag| self.tags.get(&tag_name(key.distribution_prefix(), tag)));
        let others = self.others.iter().filter(|(extent, _)| extent.means(key, Some(tags)) == Meant::Yes);
        let meant = by_url.into_iter().chain(by_tag).chain(others.map(|(_, latest)| latest));
        meant.map(|latest| latest.judge(seq)).max().unwrap_or(Verdict::Keep)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::purge::Purge;
    use crate::rules::{KeyRules, NameSet};
    use proptest::prelude::*;
    use rimward_types::RequestHead;

    fn key(distribution: &str, url: &str) -> Key {
        let rules = KeyRules { query: NameSet::All, ..KeyRules::default() };
        Key::new(distribution, &RequestHead::get(url), &rules)
    }

    fn purges() -> impl Strategy<Value = Purge> {
        let distribution = "E[12]".boxed();
        let url = "/[ab]{0,2}(\\?[ab])?".boxed();
        prop_oneof![
            (distribution.clone(), url.clone()).prop_map(|(distribution, url)| Purge::Url { distribution, url }),
            (distribution.clone(), url).prop_map(|(distribution, prefix)| Purge::Prefix { distribution, prefix }),
            (distribution.clone(), "[xy]")
                .prop_map(|(distribution, tag)| Purge::Tag { distribution, tag: Tag::try_new(&tag).unwrap() }),
            (distribution.clone(), "[hi]").prop_map(|(distribution, host)| Purge::Host { distribution, host }),
            distribution.prop_map(Purge::Distribution),
            Just(Purge::All),
        ]
    }

    proptest! {
        #[test]
        fn what_is_looked_up_is_what_each_purge_says(
            purges in prop::collection::vec((purges(), any::<bool>(), 1u64..20), 0..8),
            distribution in "E[12]", url in "/[ab]{0,2}(\\?[ab])?", tags in prop::collection::vec("[xy]", 0..2), seq in 0u64..20,
        ) {
            let key = key(&distribution, &url);
            let tags: Vec<Tag> = tags.iter().map(|tag| Tag::try_new(tag).unwrap()).collect();
            let mut list = PurgeList::default();
            let mut expected = Verdict::Keep;
            for (purge, soft, number) in &purges {
                let extent = Extent::of(purge);
                list.add(*number, &extent, *soft);
                if *number > seq && extent.means(&key, Some(&tags)) == Meant::Yes {
                    expected = expected.max(if *soft { Verdict::Stale } else { Verdict::Remove });
                }
            }
            prop_assert_eq!(list.judge(&key, seq, &tags), expected);
        }
    }

    #[test]
    fn too_many_become_one_of_everything() {
        let mut list = PurgeList::default();
        for n in 0..=MOST as u64 {
            list.add(n + 1, &Extent::url("E1", &format!("/{n}")), true);
        }
        assert_eq!((list.urls.len(), list.others.len()), (0, 1));
        assert_eq!(list.judge(&key("E2", "/"), MOST as u64, &[]), Verdict::Remove);
        assert_eq!(list.judge(&key("E2", "/"), MOST as u64 + 1, &[]), Verdict::Keep, "it came after");
    }
}
