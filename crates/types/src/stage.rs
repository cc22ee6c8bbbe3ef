//! The stages of a function (`cloudfront-functions.md` section 15).

use std::fmt;
use std::str::FromStr;

/// Where a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// What was written last; nobody's requests run it.
    #[default]
    Development,
    /// What requests run.
    Live,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Development => "DEVELOPMENT",
            Stage::Live => "LIVE",
        })
    }
}

impl FromStr for Stage {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "DEVELOPMENT" => Ok(Stage::Development),
            "LIVE" => Ok(Stage::Live),
            _ => Err("a stage is DEVELOPMENT or LIVE"),
        }
    }
}
