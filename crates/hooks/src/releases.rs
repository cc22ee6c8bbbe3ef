//! Which version of an origin function a qualifier names (`lambda-at-edge.md` sections 13 and 14), and those versions that
//! are called directly beside the one that serves.

use crate::stages::{Kept, Stages, Version};
use rimward_types::Stage;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// What was written last: DEVELOPMENT. The vendor's word for it.
pub const LATEST: &str = "$LATEST";
/// What serves, by the name of its stage.
pub const LIVE: &str = "LIVE";

/// A version that a qualifier names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Release {
    /// The one that serves.
    Serving,
    /// What was written last, and does not serve.
    Latest,
    /// A published one that does not serve.
    Numbered(u64, Version),
}

/// The versions of an origin function.
pub(crate) struct Releases {
    stages: Stages,
    /// Numbers by the names that the configuration has for them.
    aliases: BTreeMap<String, u64>,
    /// Those that were called, published when they were called first.
    pub(crate) made: Mutex<BTreeMap<Release, Arc<rimward_sandbox::Function>>>,
}

impl Releases {
    pub(crate) fn new(stages: Stages, aliases: BTreeMap<String, u64>) -> Self {
        Self { stages, aliases, made: Mutex::default() }
    }

    /// Whether these are versions of the same history as `stages`.
    pub(crate) fn are(&self, stages: &Stages, aliases: &BTreeMap<String, u64>) -> bool {
        self.stages == *stages && self.aliases == *aliases
    }

    /// What a qualifier names: nothing and `$LATEST` what was written last, `LIVE` what serves, a number or a name for one
    /// a published version. `None` when no such version is kept.
    pub(crate) fn find(&self, qualifier: Option<&str>) -> Option<Release> {
        let (live, development) = (self.stages.at(Stage::Live), self.stages.at(Stage::Development));
        let number = match qualifier {
            None | Some(LATEST) if live.is_none() && development.is_none() => return Some(Release::Serving),
            None | Some(LATEST) => return Some(Release::Latest),
            Some(LIVE) => return Some(Release::Serving),
            Some(name) => self.aliases.get(name).copied().or_else(|| name.parse().ok())?,
        };
        if live.and_then(Kept::number) == Some(number) {
            return Some(Release::Serving);
        }
        let kept = self.stages.numbered().find(|kept| kept.number() == Some(number))?;
        Some(Release::Numbered(number, kept.version.clone()))
    }
}

/// How a version is called in contexts, logs and answers: by its number, or `$LATEST` where it has none.
pub(crate) fn label(kept: Option<&Kept>) -> String {
    kept.and_then(Kept::number).map_or_else(|| LATEST.to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::stages::Back;
    use rimward_types::Timestamp;

    fn version(n: u8) -> Version {
        Version::of(&[n])
    }

    fn releases(change: impl FnOnce(&mut Stages)) -> Releases {
        let mut stages = Stages::default();
        change(&mut stages);
        Releases::new(stages, BTreeMap::from([("stable".to_owned(), 1), ("gone".to_owned(), 9)]))
    }

    fn publish(stages: &mut Stages, n: u8) {
        stages.update(version(n), Timestamp::from_secs(1));
        stages.publish(version(n), Timestamp::from_secs(1));
    }

    /// lambda-at-edge.md 14: without a qualifier it is `$LATEST`.
    #[test]
    fn as_long_as_nothing_was_published_the_file_is_everything_but_a_number() {
        let releases = releases(|_| {});
        assert_eq!(label(releases.stages.at(Stage::Live)), "$LATEST");
        for qualifier in [None, Some("$LATEST"), Some("LIVE")] {
            assert_eq!(releases.find(qualifier), Some(Release::Serving), "{qualifier:?}");
        }
        for qualifier in ["1", "0", "stable", "live", "", "-1"] {
            assert_eq!(releases.find(Some(qualifier)), None, "{qualifier}");
        }
    }

    /// lambda-at-edge.md 13 and 14.
    #[test]
    fn a_number_an_alias_and_live_name_published_versions() {
        let releases = releases(|stages| {
            publish(stages, 1);
            publish(stages, 2);
        });
        assert_eq!(label(releases.stages.at(Stage::Live)), "2");
        assert_eq!(releases.find(Some("2")), Some(Release::Serving));
        assert_eq!(releases.find(Some("LIVE")), Some(Release::Serving));
        for qualifier in ["1", "stable"] {
            assert_eq!(releases.find(Some(qualifier)), Some(Release::Numbered(1, version(1))));
        }
        assert_eq!(releases.find(Some("gone")), None);
        assert_eq!(releases.find(None), Some(Release::Latest), "the vendor's word, though it is what serves");
    }

    #[test]
    fn what_was_rolled_back_from_can_still_be_called() {
        let releases = releases(|stages| {
            publish(stages, 1);
            publish(stages, 2);
            stages.roll_back(&Back::Previous).unwrap();
        });
        assert_eq!(releases.find(Some("LIVE")), Some(Release::Serving));
        assert_eq!(releases.find(Some("1")), Some(Release::Serving));
        assert_eq!(releases.find(Some("2")), Some(Release::Numbered(2, version(2))));
        assert_eq!(releases.find(Some("$LATEST")), Some(Release::Latest));
    }

    #[test]
    fn an_update_alone_is_latest_and_does_not_serve() {
        let releases = releases(|stages| stages.update(version(1), Timestamp::from_secs(1)));
        assert_eq!((releases.find(None), releases.find(Some("LIVE"))), (Some(Release::Latest), Some(Release::Serving)));
        assert_eq!(label(releases.stages.at(Stage::Live)), "$LATEST");
    }
}
