//! What a function is made of, and why it may be refused.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rimward_types::ByteSize;
use rustls_pki_types::CertificateDer;

use crate::code::{CompileFailure, Mistaken};
use crate::failure::Failure;
use crate::logging::Logging;
use crate::network::{Grant, NetworkLimits};
use crate::secrets::Secrets;

/// A function to publish.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Name.
    pub name: Arc<str>,
    /// Version, such as `1`; `$LATEST` for one that was not published.
    pub version: Arc<str>,
    /// The component's bytes.
    pub component: Bytes,
    /// All linear memories of one instance together.
    pub memory: ByteSize,
    /// Time for one call. `None`: 5 s at viewer hooks, 30 s at origin hooks (`lambda-at-edge.md` section 8).
    pub timeout: Option<Duration>,
    /// Hosts that the function may talk to.
    pub network: Vec<Grant>,
    /// What the requests of one call to those hosts may take.
    pub network_limits: NetworkLimits,
    /// Authorities whose certificates are taken from those hosts, besides the web's own.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Values that it may ask for by name.
    pub secrets: Secrets,
    /// Environment variables besides the reserved ones.
    pub environment: Vec<(String, String)>,
    /// Bytes that files below `/tmp` may take, per instance.
    pub tmp: ByteSize,
    /// Calls at the same time; more are throttled.
    pub concurrency: usize,
    /// A new instance for every call.
    pub fresh: bool,
    /// How results are held against the rules.
    pub validation: Validation,
    /// What its log looks like.
    pub logging: Logging,
}

/// How a result is held against the rules (`lambda-at-edge.md` section 15 rule 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Validation {
    /// A result that breaks a rule is refused.
    #[default]
    Strict,
    /// What a function did to a header that it may not touch is undone, with a line in the log.
    Warn,
}

impl Spec {
    /// A function with the defaults: 128 MB, the hook's own timeout, no network, 512 MB of `/tmp`, 100 calls at a time.
    pub fn new(name: &str, component: impl Into<Bytes>) -> Self {
        Self {
            name: name.into(),
            version: "$LATEST".into(),
            component: component.into(),
            memory: ByteSize::mb(128),
            timeout: None,
            network: Vec::new(),
            network_limits: NetworkLimits::default(),
            authorities: Vec::new(),
            secrets: Secrets::default(),
            environment: Vec::new(),
            tmp: ByteSize::mb(512),
            concurrency: 100,
            fresh: false,
            validation: Validation::default(),
            logging: Logging::default(),
        }
    }
}

/// Why a function is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The bytes are something else.
    #[error("no WebAssembly component: {}", .0.what())]
    NotAComponent(Mistaken),
    /// The component is too large.
    #[error("the component has {size} bytes; at most {limit} are allowed")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit.
        limit: ByteSize,
    },
    /// The component breaks a rule of WebAssembly, is damaged, or uses a proposal that the engine lacks.
    #[error("the component is invalid: {0}")]
    Invalid(String),
    /// The component could not be compiled within the limits of that, or the compiler does not work.
    #[error("{0}")]
    Compile(CompileFailure),
    /// The component needs something that the node does not give.
    #[error("the component imports `{name}`, which is not granted to functions")]
    Import {
        /// The import's name.
        name: String,
        /// What the engine says.
        detail: String,
    },
    /// The component exports none of the flavours.
    #[error("the component exports no handler{}", found(.exports))]
    NoHandler {
        /// What it does export.
        exports: Vec<String>,
    },
    /// An export has the right name and the wrong type.
    #[error("the handler has the wrong type: {0}")]
    HandlerType(String),
    /// An environment variable's name is reserved or malformed (`lambda-at-edge.md` sections 11.2, 14.2).
    #[error("the environment variable `{0}` is reserved or malformed")]
    Environment(String),
    /// A certificate of an authority cannot be used.
    #[error("an authority's certificate cannot be used: {0}")]
    Authority(String),
    /// A limit is out of range.
    #[error("{0}")]
    Limit(String),
    /// The first instance could not be started.
    #[error("the function does not start: {0}")]
    Start(Failure),
    /// The thread that compiles is gone.
    #[error("compilation was interrupted: {0}")]
    Interrupted(String),
}

impl PublishError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            PublishError::NotAComponent(mistaken) => Some(mistaken.hint().to_owned()),
            PublishError::Import { name, .. } if name.starts_with("wasi:http/") => {
                Some("functions have `wasi:http/outgoing-handler` 0.2, for the hosts in `network`".to_owned())
            }
            PublishError::Import { .. } => Some(
                "functions have WASI 0.2: cli, clocks, random, filesystem (`/tmp`), http/outgoing-handler".to_owned(),
            ),
            PublishError::NoHandler { .. } | PublishError::HandlerType(_) => Some(
                "export `rimward:edge/lambda@1.0.0`, `rimward:edge/request-hook@1.0.0` or \
                 `rimward:edge/response-hook@1.0.0` (crates/sandbox/wit/edge.wit)"
                    .to_owned(),
            ),
            PublishError::Environment(_) => {
                Some("names are letters, digits and `_`, start with a letter and not with `AWS_`".to_owned())
            }
            PublishError::Compile(CompileFailure::Start(_)) => {
                Some("the node starts its own program again to compile; it must be allowed to".to_owned())
            }
            PublishError::Compile(_) => {
                Some("make the component smaller; no single function of it should be huge".to_owned())
            }
            _ => None,
        }
    }
}

fn found(exports: &[String]) -> String {
    match exports {
        [] => "; it exports nothing".to_owned(),
        names => format!("; it exports {}", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")),
    }
}
