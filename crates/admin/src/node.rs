//! What the API needs of a node.

use crate::explain::Explain;
use crate::{KeyValues, Purge, StagedFunctions};
use http::StatusCode;
use rimward_config::Networks;
use rimward_types::{Hook, Timestamp};
use serde::{Serialize, Serializer};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

/// A running node.
pub trait Node: KeyValues + StagedFunctions + Send + Sync + 'static {
    /// Who may use the API: `node.acl.admin`, as it is now. Must not wait.
    fn admitted(&self) -> Networks;

    /// What it serves, since when, and how much it holds. Must not wait.
    fn status(&self) -> Status;

    /// Whether requests should be sent to it. Must not wait.
    ///
    /// # Errors
    /// Why not: it starts, it drains.
    fn ready(&self) -> Result<(), NotReady>;

    /// Reads the configuration again and swaps it as a whole; requests in flight finish on the old one. Called by one
    /// caller at a time.
    ///
    /// # Errors
    /// What is wrong, each as a person reads it; then the old configuration keeps serving.
    fn reload(&self) -> impl Future<Output = Result<Reloaded, Vec<String>>> + Send;

    /// Removes stored answers, with [`Purge::soft`] makes them stale, with [`Purge::dry_run`] counts them. May block.
    ///
    /// # Errors
    /// When no distribution serves the host.
    fn purge(&self, purge: &Purge) -> Result<Purged, NotPurged>;

    /// Explains what would become of a request. Nothing is fetched or stored.
    fn explain(&self, explain: Explain) -> impl Future<Output = Explanation> + Send;

    /// Metrics, in Prometheus' text format.
    fn metrics(&self) -> String;

    /// The functions of the configuration.
    fn functions(&self) -> Vec<FunctionInfo>;
}

/// `GET /status`. Times are RFC 3339, sizes bytes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// The node's version.
    pub version: String,
    /// When it started.
    #[serde(serialize_with = "rfc3339")]
    pub started: Timestamp,
    /// Seconds since then.
    pub uptime: u64,
    /// What it runs on.
    pub configuration: ConfigurationStatus,
    /// Listeners without TLS.
    pub listen: Vec<SocketAddr>,
    /// Listeners with TLS.
    pub listen_tls: Vec<SocketAddr>,
    /// Connections of viewers that are open.
    pub connections: u64,
    /// Requests of viewers since it started.
    pub requests: u64,
    /// The cache.
    pub cache: CacheStatus,
    /// The sites, in the order of the configuration.
    pub distributions: Vec<DistributionStatus>,
}

/// The configuration that serves.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConfigurationStatus {
    /// Its file.
    pub file: String,
    /// When it was read.
    #[serde(serialize_with = "rfc3339")]
    pub loaded: Timestamp,
    /// How many times it was read, from 1.
    pub generation: u64,
}

/// What the cache holds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CacheStatus {
    /// Stored answers; each variant counts.
    pub objects: u64,
    /// Bytes of the stored answers.
    pub bytes: u64,
    /// Those of them that evicting would not give back: bodies that arrive, and large ones that viewers read.
    pub held: u64,
    /// Bytes that they may take.
    pub limit: u64,
    /// The disk tier, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskStatus>,
}

/// What the cache has on disk.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DiskStatus {
    /// Stored answers; each variant counts.
    pub objects: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Bytes that they may take.
    pub limit: u64,
    /// Whether what an earlier run has left is still being looked through.
    pub recovering: bool,
    /// Why nothing is written, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<DiskProblem>,
}

/// What is wrong with the disk.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DiskProblem {
    /// What was done, and what the system said.
    pub message: String,
    /// Since when.
    #[serde(serialize_with = "rfc3339")]
    pub since: Timestamp,
}

/// A site.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DistributionStatus {
    /// Its id.
    pub id: Arc<str>,
    /// Its own name.
    pub domain_name: Arc<str>,
    /// Hosts that it serves.
    pub domains: Vec<String>,
    /// Path patterns of its behaviors, in their order.
    pub behaviors: Vec<String>,
}

/// Why a node should get no requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady(pub String);

/// What a reload did.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reloaded {
    /// See [`ConfigurationStatus::generation`].
    pub generation: u64,
    /// Sites that are served now.
    pub distributions: usize,
    /// Functions that are published now.
    pub functions: usize,
    /// What is not as it should be but does not stop the node, such as a function that cannot be published.
    pub warnings: Vec<String>,
    /// Settings that differ from those the node started with and need a restart, such as `node.listen`.
    pub needs_restart: Vec<String>,
}

/// `POST /explain`.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// Everything, for programs.
    pub explanation: serde_json::Value,
    /// The same in lines, for people.
    pub text: String,
}

/// What a purge removed or made stale, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purged {
    /// When it began: what the origin made later is stored again.
    pub at: Timestamp,
    /// Stored answers; each variant counts.
    pub removed: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Fetches in flight whose answers will not be stored, or will be stored as stale.
    pub fetches: u64,
    /// Some of their URLs; the receipt has up to 10.
    pub examples: Vec<String>,
}

/// Nothing was purged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPurged {
    /// No distribution serves the host.
    #[error("no distribution serves `{0}`")]
    UnknownHost(String),
    /// The tag is none; with the reason.
    #[error("`{0}` is no tag: {1}")]
    InvalidTag(String, String),
}

impl NotPurged {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            NotPurged::UnknownHost(_) | NotPurged::InvalidTag(..) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self {
            NotPurged::UnknownHost(_) => "`GET /status` lists the domains that are served",
            NotPurged::InvalidTag(..) => "write one tag, as the origin's header has it between its commas",
        }
    }
}

/// `GET /functions`: one function.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FunctionInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Which tier runs it.
    pub tier: Tier,
    /// Its source or component.
    pub file: String,
    /// What tells this version from others, such as a digest of code and settings.
    pub version: String,
    /// Whether requests run its file, or a version that was published.
    pub source: CodeSource,
    /// Until when it is throttled, because it keeps running past its time limit; `null` when it is not.
    pub throttled_until: Option<String>,
    /// Why it cannot run; `null` when it can.
    pub problem: Option<String>,
    /// Behaviors that use it.
    pub places: Vec<Place>,
}

/// Where the code comes from that requests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeSource {
    /// The file of the configuration.
    File,
    /// A version that was published.
    Published,
}

/// The two tiers of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// JavaScript at viewer hooks.
    Viewer,
    /// Components.
    Origin,
}

/// Where a function runs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    /// The distribution's id.
    pub distribution: Arc<str>,
    /// The behavior's path pattern.
    pub path: String,
    /// The hook.
    #[serde(serialize_with = "hook_name")]
    pub hook: Hook,
}

fn hook_name<S: Serializer>(hook: &Hook, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(hook.as_str())
}

/// A moment as `2026-01-31T12:00:00Z`.
fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&date(*at))
}

/// A moment as text of RFC 3339, such as `2026-01-31T12:00:00Z`.
pub fn date(at: Timestamp) -> String {
    const YEARS_400: u64 = 146_097;
    let (days, second) = (at.as_secs() / 86_400, at.as_secs() % 86_400);
    // The calendar repeats every 400 years. Counted from 1 March, a leap day is the last of its year.
    let days = days + 719_468;
    let (era, day) = (days / YEARS_400, days % YEARS_400);
    let year = (day - day / 1_460 + day / 36_524 - day / (YEARS_400 - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * day + 2) / 153;
    let day = day - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_of_the_gregorian_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(date(Timestamp::from_secs(seconds)), text);
        }
    }
}
