//! The two stages of a function (`cloudfront-functions.md` section 15), its numbered versions (`lambda-at-edge.md`
//! section 13), and how they move. No I/O.
//!
//! Without anything published, both stages are the file that the configuration names. An update changes DEVELOPMENT
//! alone; a publish makes LIVE what DEVELOPMENT is, under the next number; a rollback makes LIVE what it was before, in
//! the end the file again. Numbers are never used again.

use rimward_types::{Stage, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write};

/// Earlier versions of LIVE that are kept, at most.
pub const MAX_EARLIER: usize = 10;
/// Numbered versions that are kept, at most.
pub const MAX_NUMBERED: usize = 11;

/// A source text or a component, by its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

/// A version that the node keeps, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Which.
    pub version: Version,
    /// Milliseconds since the epoch.
    at: u64,
    /// Its number, from 1. What came into DEVELOPMENT has none yet, and neither has what was published before there were
    /// numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
}

/// Where a function stands. `None` is the file of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stages {
    development: Option<Kept>,
    live: Option<Kept>,
    /// What LIVE was before, the last one at the end.
    earlier: Vec<Option<Kept>>,
    /// What was published, by rising number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    numbered: Vec<Kept>,
}

/// What to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// What LIVE was before the last publish.
    Previous,
    /// The file of the configuration.
    File,
    /// A version that is kept, by its number or the beginning of its name.
    To(String),
}

/// There is nothing to go back to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoWayBack {
    /// LIVE is the file, and nothing was published before.
    #[error("nothing was published before: LIVE is the file of the configuration")]
    AtTheFile,
    /// No kept version is called so.
    #[error("no version that is kept has the number `{0}` or begins with it")]
    Unknown(String),
    /// More than one is.
    #[error("more than one version begins with `{0}`")]
    Ambiguous(String),
}

impl Stages {
    /// What a stage is; `None` is the file.
    pub fn at(&self, stage: Stage) -> Option<&Kept> {
        match stage {
            Stage::Development => self.development.as_ref(),
            Stage::Live => self.live.as_ref(),
        }
    }

    /// What LIVE was before, the last one first.
    pub fn earlier(&self) -> impl Iterator<Item = Option<&Kept>> {
        self.earlier.iter().rev().map(Option::as_ref)
    }

    /// Puts a version into DEVELOPMENT.
    pub fn update(&mut self, version: Version, now: Timestamp) {
        self.development = Some(Kept::new(version, now));
    }

    /// The versions that have numbers, the last one first.
    pub fn numbered(&self) -> impl Iterator<Item = &Kept> {
        self.numbered.iter().rev()
    }

    /// Makes LIVE what DEVELOPMENT is; `development` is its version, which the file may have given. It gets the next
    /// number, unless it is what was published last.
    pub fn publish(&mut self, development: Version, now: Timestamp) {
        if self.live.as_ref().is_some_and(|live| live.version == development) {
            return;
        }
        let last = self.numbered.last();
        let number = match last {
            Some(last) if last.version == development => last.number,
            last => Some(last.and_then(|last| last.number).unwrap_or_default() + 1),
        };
        let kept = Kept { number, ..Kept::new(development, now) };
        if last.is_none_or(|last| last.number != number) {
            self.numbered.push(kept.clone());
            let over = self.numbered.len().saturating_sub(MAX_NUMBERED);
            self.numbered.drain(..over);
        }
        self.replace(Some(kept));
    }

    fn replace(&mut self, live: Option<Kept>) {
        let before = std::mem::replace(&mut self.live, live);
        self.earlier.push(before);
        let over = self.earlier.len().saturating_sub(MAX_EARLIER);
        self.earlier.drain(..over);
    }

    /// Makes LIVE what it was before. DEVELOPMENT stays, to be mended.
    ///
    /// # Errors
    /// When there is no such version.
    pub fn roll_back(&mut self, back: &Back) -> Result<(), NoWayBack> {
        match back {
            Back::Previous => self.live = self.earlier.pop().ok_or(NoWayBack::AtTheFile)?,
            Back::File if self.live.is_none() => return Err(NoWayBack::AtTheFile),
            Back::File => {
                self.live = None;
                self.earlier.clear();
            }
            Back::To(text) if self.with_number(text).is_some() => {
                let to = self.with_number(text).cloned();
                match self
                    .earlier
                    .iter()
                    .rposition(|kept| kept.as_ref().map(Kept::number) == to.as_ref().map(Kept::number))
                {
                    Some(at) => {
                        self.live = to;
                        self.earlier.truncate(at);
                    }
                    // It was rolled back from, or is live.
                    None if self.live.as_ref().map(Kept::number) != to.as_ref().map(Kept::number) => self.replace(to),
                    None => {}
                }
            }
            Back::To(start) => {
                let named = |kept: &Option<Kept>| kept.as_ref().is_some_and(|kept| kept.version.0.starts_with(start));
                let mut found = self.earlier.iter().enumerate().rev().filter(|(_, kept)| named(kept));
                let Some((at, kept)) = found.next() else { return self.take_numbered(start) };
                if found.any(|(_, other)| other.as_ref().map(|o| &o.version) != kept.as_ref().map(|k| &k.version)) {
                    return Err(NoWayBack::Ambiguous(start.clone()));
                }
                self.live = kept.clone();
                self.earlier.truncate(at);
            }
        }
        Ok(())
    }

    /// Makes a version LIVE that is kept for its number alone: it was rolled back from.
    fn take_numbered(&mut self, start: &str) -> Result<(), NoWayBack> {
        let mut found = self.numbered.iter().rev().filter(|kept| kept.version.0.starts_with(start));
        let kept = found.next().ok_or_else(|| NoWayBack::Unknown(start.to_owned()))?.clone();
        if found.any(|other| other.version != kept.version) {
            return Err(NoWayBack::Ambiguous(start.to_owned()));
        }
        if self.live.as_ref().map(Kept::number) != Some(kept.number()) {
            self.replace(Some(kept));
        }
        Ok(())
    }

    /// The version whose number a text is.
    fn with_number(&self, text: &str) -> Option<&Kept> {
        let number = text.parse().ok()?;
        self.numbered.iter().find(|kept| kept.number == Some(number))
    }

    /// All versions that are named.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        let all = self.earlier.iter().chain([&self.development, &self.live]);
        all.flatten().chain(&self.numbered).map(|kept| &kept.version)
    }
}

impl Kept {
    fn new(version: Version, now: Timestamp) -> Self {
        Self { version, at: now.as_millis(), number: None }
    }

    /// Its number, where it was published and numbers were given already.
    pub fn number(&self) -> Option<u64> {
        self.number
    }

    /// Since when.
    pub fn since(&self) -> Timestamp {
        Timestamp::from_millis(self.at)
    }
}

impl Version {
    /// The version of a source text.
    pub fn of(code: &[u8]) -> Self {
        Self(hex(&Sha256::digest(code)))
    }

    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ETag of a stage with this version. `since` is when it came there, if it is not the file.
    pub fn etag(&self, stage: Stage, since: Option<Timestamp>) -> String {
        let at = since.map_or(0, Timestamp::as_millis);
        let digest = Sha256::digest(format!("{stage} {} {at}", self.0));
        format!("E{}", hex(&digest[..8]).to_ascii_uppercase())
    }
}

impl TryFrom<String> for Version {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        // It becomes a file's name.
        if text.len() == 64 && text.bytes().all(digits) {
            Ok(Self(text))
        } else {
            Err("a version is 64 hexadecimal digits")
        }
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Cannot fail: a String takes everything.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
