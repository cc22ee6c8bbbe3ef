//! The configuration of a node: `rimward.toml`, read, checked, and ready to serve from.
//!
//! - [`node`]: listeners, TLS, limits, access log. [`acl`]: who may do what.
//! - [`cache`]: the cache's size.
//! - [`function`]: viewer and origin functions, key value stores.
//! - [`origin`]: origins and origin groups. [`bucket`]: origins that are buckets.
//! - [`policy`]: cache policies and what is forwarded.
//! - [`response_headers`]: response headers policies, with [`cors`]: which origins they allow.
//! - [`distribution`]: distributions, behaviors, which one a request belongs to.
//! - [`pattern`], [`path`], [`host`]: path patterns, paths made normal for matching, host matching.
//! - [`duration`]: times with units.
//! - [`manifest`]: `function.toml`, a folder's function.
//! - [`place`]: where a key of a file stands.
//! - [`diagnostic`]: what is wrong with a file, where, and how to mend it.
//! - `read`: from TOML to the types above. One file per section.
//!
//! A value of these types that came from [`load`] or [`parse`] is right: names lead somewhere, numbers are in
//! their ranges, files exist.

pub mod acl;
pub mod bucket;
pub mod cache;
pub mod cors;
pub mod diagnostic;
pub mod distribution;
pub mod duration;
pub mod function;
pub mod geo;
pub mod host;
pub mod manifest;
pub mod mutual_tls;
pub mod node;
pub mod origin;
pub mod path;
pub mod pattern;
pub mod place;
pub mod policy;
mod read;
pub mod response_headers;

pub use acl::{Acl, Networks};
pub use bucket::{Bucket, BucketAccess, CredentialsSource, SigningBehavior};
pub use cache::{Cache, Disk};
pub use cors::{AllowedOrigin, InvalidAllowedOrigin, OriginPort};
pub use diagnostic::{Diagnostic, Severity};
pub use distribution::{
    AmbiguousPath, Behavior, BehaviorHooks, Distribution, ErrorPage, MethodSet, Target, ViewerProtocol,
};
pub use function::{
    Asynchronous, CodeKind, Destination, Function, FunctionKind, Grant, HeaderRules, KeySetPlace, KeySetSource,
    KeyValueStore, LimitProfile, LogFormat, LogLevel, NetworkLimits, OriginFunction, Runtime, SecretSource, Validation,
    ViewerFunction,
};
pub use geo::{GeoFiles, GeoRestriction};
pub use manifest::Manifest;
pub use mutual_tls::{MutualTls, MutualTlsMode, MutualTlsSite, MutualTlsSites, TrustStore};
pub use node::{AccessLog, Certificate, Compile, Limits, Location, Node, TlsListen};
pub use origin::{InvalidUrl, Origin, OriginGroup, OriginUrl, Overrides};
pub use path::normalize;
pub use pattern::PathPattern;
pub use place::{Places, Step};
pub use policy::{CachePolicy, Forward, ForwardHeaders, NameSet, Profile, Unkeyed};
pub use read::{load, load_manifest, parse, parse_manifest};
pub use response_headers::{AllowedHeaders, Cors, PolicyHeader, ResponseHeadersPolicy, Share};

use std::collections::BTreeMap;
use std::sync::Arc;

/// A checked configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `[node]`: where it listens, its limits.
    pub node: Node,
    /// `[cache]`: the cache's size.
    pub cache: Cache,
    /// `[functions.NAME]`.
    pub functions: BTreeMap<Arc<str>, Function>,
    /// `[key-value-stores.NAME]`.
    pub key_value_stores: BTreeMap<Arc<str>, KeyValueStore>,
    /// `[origins.NAME]`.
    pub origins: BTreeMap<Arc<str>, Arc<Origin>>,
    /// `[origin-groups.NAME]`.
    pub origin_groups: BTreeMap<Arc<str>, Arc<OriginGroup>>,
    /// `[trust-stores.NAME]`.
    pub trust_stores: BTreeMap<Arc<str>, Arc<TrustStore>>,
    /// `[cache-policies.NAME]`, and the built-in ones under their names.
    pub cache_policies: BTreeMap<Arc<str>, Arc<CachePolicy>>,
    /// `[response-headers-policies.NAME]`, and the built-in ones under their names.
    pub response_headers_policies: BTreeMap<Arc<str>, Arc<ResponseHeadersPolicy>>,
    /// `[[distributions]]`, in the order of the file.
    pub distributions: Vec<Distribution>,
    /// What is allowed and may surprise, in the order of the file. For who starts or checks the node.
    pub warnings: Vec<Diagnostic>,
    hosts: host::Hosts,
}

impl Config {
    /// The distribution that serves `host` (no port, lower case, as `RequestHead::host` gives it). An exact domain
    /// goes before `*.example.com`, a longer wildcard before a shorter one, and `*` is last. `None`: answer 403
    /// (`cdn-behaviour.md` section 2, step 2).
    pub fn distribution_for(&self, host: &str) -> Option<&Distribution> {
        self.hosts.find(host).and_then(|index| self.distributions.get(index))
    }

    /// Which distributions ask viewers for certificates.
    pub fn mutual_tls_sites(&self) -> MutualTlsSites {
        let site = |distribution: &Distribution| {
            let settings = distribution.mutual_tls.clone()?;
            let function = distribution.connection_function.clone();
            Some(MutualTlsSite { distribution: distribution.id.clone(), settings, function })
        };
        MutualTlsSites::new(self.hosts.clone(), self.distributions.iter().map(site).collect())
    }
}
