//! `[functions.NAME]` and `[key-value-stores.NAME]`.

use rimward_types::ByteSize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A function: with `code` a viewer function, with `component` an origin function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name: 1 to 64 letters, digits, `-` and `_` (`cloudfront-functions.md` section 7).
    pub name: Arc<str>,
    /// Which tier it belongs to.
    pub kind: FunctionKind,
}

/// The two tiers of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionKind {
    /// One JavaScript file; viewer hooks.
    Viewer(ViewerFunction),
    /// A WebAssembly component; all four hooks.
    Origin(OriginFunction),
}

/// A function with `code` (`cloudfront-functions.md` section 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewerFunction {
    /// `code`: the JavaScript file, relative to the configuration.
    pub code: PathBuf,
    /// `kind`: `"viewer"` or `"connection"`. Default: viewer.
    pub kind: CodeKind,
    /// `runtime`: `"cloudfront-js-1.0"` or `"cloudfront-js-2.0"`. Default: 2.0.
    pub runtime: Runtime,
    /// `key-value-store`: the store it may read. Default: none.
    pub key_value_store: Option<Arc<str>>,
    /// `timeout`: CPU time of one run, 100 us to 100 ms. Default: 1 ms; 5 ms for connections.
    pub timeout: Duration,
    /// `memory`: what one run may use, 512 KB to 12 MB. Default: 2 MB.
    pub memory: ByteSize,
    /// `code-limit`: the largest source, 1 B to 1 MB. Default: 10 KB.
    pub code_limit: ByteSize,
    /// `header-rules`: `"strict"` (default), or `"open"`: headers that CloudFront restricts may be set, as in its test
    /// operation. Not portable: in production CloudFront answers 502 (`cloudfront-functions.md` section 5).
    pub header_rules: HeaderRules,
    /// `environment`: variables that it sees as `rimward.environment`, `{ STAGE = "test" }`. Default: none. Not portable,
    /// as the two that follow.
    pub environment: BTreeMap<String, String>,
    /// `secrets`: what it may ask for with `rimward.secret(name)`, from files or the node's own environment,
    /// `{ key = { file = "key.txt" }, other = { env = "OTHER" } }`. Default: none.
    pub secrets: BTreeMap<String, SecretSource>,
    /// `jwks`: public keys for `rimward.verifyJwt`, `{ url = "https://id.example.com/jwks.json" }` or
    /// `{ file = "jwks.json" }`. Default: none.
    pub jwks: Option<KeySetSource>,
}

/// What a function with `code` is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CodeKind {
    /// `handler(event)`, at viewer hooks.
    #[default]
    Viewer,
    /// `connectionHandler(connection)`, for new connections to distributions with mutual TLS (`cloudfront-functions.md`
    /// section 13). Runtime 2.0 alone; its `timeout` is 5 ms by default.
    Connection,
}

/// A JSON web key set (RFC 7517), loaded by the node and again while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeySetSource {
    /// Where it is.
    pub place: KeySetPlace,
    /// `refresh`: how often it is loaded again, 10 s to 24 h. Default: 15 min. A token with an unknown key id has it
    /// loaded earlier, 30 s after the last time at the earliest.
    pub refresh: Duration,
}

/// Where a key set is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeySetPlace {
    /// `file`, relative to the configuration.
    File(PathBuf),
    /// `url`: `https`, or `http` of a loopback address.
    Url {
        /// The URL.
        url: String,
        /// `ca`: PEM file of the certificates to trust instead of the public ones.
        ca: Option<PathBuf>,
    },
}

/// A viewer function's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Runtime {
    /// `cloudfront-js-1.0`.
    V1,
    /// `cloudfront-js-2.0`.
    #[default]
    V2,
}

/// A function with `component` (`lambda-at-edge.md` section 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginFunction {
    /// `component`: the WebAssembly component, relative to the configuration.
    pub component: PathBuf,
    /// `limits`: `"classic"`, `"2026"` or `"custom"`, the ceilings that `memory` and `timeout` obey.
    /// Default: `"classic"`.
    pub profile: LimitProfile,
    /// `memory`: all memories of an instance, 1 MB to 4 GB. Default: 128 MB.
    pub memory: ByteSize,
    /// `timeout`: one call, 1 ms to 30 s (custom: 15 min). Default: 5 s at viewer hooks, 30 s at origin hooks.
    pub timeout: Option<Duration>,
    /// `network`: hosts that it may call, `["api.example.com:443", "*.example.org:443"]`. Default: none.
    pub network: Vec<Grant>,
    /// `network-limits`: what the requests of one call to those hosts may take together.
    pub network_limits: NetworkLimits,
    /// `network-ca`: PEM file of certificates to trust at those hosts besides the public ones. Default: none.
    pub network_ca: Option<PathBuf>,
    /// `secrets`: values that it may ask for by name, `{ TOKEN = { env = "TOKEN" } }`. Default: none.
    pub secrets: BTreeMap<String, SecretSource>,
    /// `environment`: variables, `{ QUALITY = "80" }`. Default: none.
    pub environment: BTreeMap<String, String>,
    /// `tmp`: what it may write to `/tmp`, up to 512 MB. Default: 512 MB.
    pub tmp: ByteSize,
    /// `include-body`: whether request hooks see the request's body. Default: false.
    pub include_body: bool,
    /// `concurrency`: calls at a time, 1 to 1,000. Default: 100.
    pub concurrency: usize,
    /// `fresh`: whether every call gets a new instance. Default: false.
    pub fresh: bool,
    /// `validation`: `"strict"`, or `"warn"` to undo what results do to headers that are not theirs. Default: strict.
    pub validation: Validation,
    /// `aliases`: names for published versions in the invoke API, `{ stable = 3 }`. Default: none.
    pub aliases: BTreeMap<String, u64>,
    /// `log-format`: `"text"` or `"json"` (`lambda-at-edge.md` section 11.3). Default: text.
    pub log_format: LogFormat,
    /// `log-level`: lines of the function below it are left out; JSON alone. Default: `"INFO"`.
    pub log_level: LogLevel,
    /// `system-log-level`: lines of the platform below it are left out, `"DEBUG"`, `"INFO"` or `"WARN"`; JSON alone.
    /// Default: `"INFO"`.
    pub system_log_level: LogLevel,
    /// `async`: how events are handled that were sent to it through the invoke API and are not waited for.
    pub asynchronous: Asynchronous,
}

/// How an origin function's log is written (`lambda-at-edge.md` section 11.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LogFormat {
    /// Lines of text, as the vendor's default has them.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A level of a log, from the least to the most important (`lambda-at-edge.md` section 11.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// `TRACE`
    Trace,
    /// `DEBUG`
    Debug,
    /// `INFO`
    #[default]
    Info,
    /// `WARN`
    Warn,
    /// `ERROR`
    Error,
    /// `FATAL`
    Fatal,
}

/// How results of an origin function are held against the rules (`lambda-at-edge.md` section 15 rule 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Validation {
    /// A result that breaks a rule is refused.
    #[default]
    Strict,
    /// What it did to a header that it may not touch is undone, with a line in the log.
    Warn,
}

/// `async` (`lambda-at-edge.md` section 14.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asynchronous {
    /// `retries`: attempts after the first, 0 to 2. Default: 2.
    pub retries: u32,
    /// `max-age`: how old an event may become, 1 min to 6 h. Default: 6 h.
    pub max_age: Duration,
    /// `on-success`: where the record of a success goes. Default: nowhere.
    pub on_success: Option<Destination>,
    /// `on-failure`: where the record of a failure goes. Default: nowhere.
    pub on_failure: Option<Destination>,
}

impl Default for Asynchronous {
    fn default() -> Self {
        Self { retries: 2, max_age: Duration::from_secs(6 * 3600), on_success: None, on_failure: None }
    }
}

/// Where the record of an event goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `function`: another origin function.
    Function(Arc<str>),
    /// `url`: an HTTP endpoint, which gets it with POST.
    Url(String),
    /// `folder`: a folder, in which each record is a file; relative to the configuration.
    Folder(PathBuf),
}

/// Which set of ceilings an origin function obeys (`lambda-at-edge.md` section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LimitProfile {
    /// `classic`: at viewer hooks 128 MB and 5 s, at origin hooks 30 s. What every published function fits.
    #[default]
    Classic,
    /// `2026`: 30 s at every hook, memory as at origin hooks.
    Year2026,
    /// `custom`: the machine's own ceilings.
    Custom,
}

/// A host that an origin function may call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    /// Host in lower case: a name, an IP address (IPv6 without brackets), or `*.example.com` for every name below it.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// `network-limits`: what the outgoing requests of one call may take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkLimits {
    /// `calls`: how many there may be, 1 to 1,000. Default: 50.
    pub calls: u32,
    /// `bytes`: bodies, both ways, up to 4 GB. Default: 64 MB.
    pub bytes: ByteSize,
    /// `time`: from the start of each to the end of its response, added up; up to 15 min. Default: 30 s.
    pub time: Duration,
}

impl Default for NetworkLimits {
    fn default() -> Self {
        Self { calls: 50, bytes: ByteSize::mb(64), time: Duration::from_secs(30) }
    }
}

/// Where the value of a secret is. It is read when the function is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// `file`: the content of a file, without a line end at its end; relative to the configuration.
    File(PathBuf),
    /// `env`: a variable of the node's own environment.
    Environment(String),
}

/// `[key-value-stores.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValueStore {
    /// Its name: 1 to 64 letters, digits, `-` and `_`.
    pub name: Arc<str>,
    /// `file`: pairs that it is made of, `{"data":[{"key":"k","value":"v"}]}`, relative to the configuration. Default:
    /// none, the store begins empty.
    pub file: Option<PathBuf>,
    /// `size`: bytes of keys and values, and of the file, 1 KB to 1 GB. Default: 5 MB
    /// (`cloudfront-functions.md` section 12).
    pub size: ByteSize,
}

/// Whether a viewer function may set the headers that CloudFront restricts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HeaderRules {
    /// No, as in production.
    #[default]
    Strict,
    /// Yes, as in the vendor's test operation.
    Open,
}

impl Function {
    /// The viewer function, if it is one.
    pub fn viewer(&self) -> Option<&ViewerFunction> {
        match &self.kind {
            FunctionKind::Viewer(function) => Some(function),
            FunctionKind::Origin(_) => None,
        }
    }

    /// The origin function, if it is one.
    pub fn origin(&self) -> Option<&OriginFunction> {
        match &self.kind {
            FunctionKind::Origin(function) => Some(function),
            FunctionKind::Viewer(_) => None,
        }
    }
}

impl Runtime {
    /// The name in configuration, such as `cloudfront-js-2.0`.
    pub fn as_str(self) -> &'static str {
        match self {
            Runtime::V1 => "cloudfront-js-1.0",
            Runtime::V2 => "cloudfront-js-2.0",
        }
    }
}

impl ViewerFunction {
    /// A function of `code` with every setting at its default.
    pub fn new(code: PathBuf) -> Self {
        Self {
            code,
            kind: CodeKind::default(),
            runtime: Runtime::default(),
            key_value_store: None,
            timeout: Duration::from_millis(1),
            memory: ByteSize::mb(2),
            code_limit: ByteSize::kb(10),
            header_rules: HeaderRules::default(),
            environment: BTreeMap::new(),
            secrets: BTreeMap::new(),
            jwks: None,
        }
    }

    /// The same for a function of connections.
    pub fn for_connections(code: PathBuf) -> Self {
        // `cloudfront-functions.md` section 13.
        Self { kind: CodeKind::Connection, timeout: Duration::from_millis(5), ..Self::new(code) }
    }
}

impl KeySetSource {
    /// A set at `place` with every setting at its default.
    pub fn new(place: KeySetPlace) -> Self {
        Self { place, refresh: Duration::from_secs(900) }
    }
}

impl std::fmt::Display for KeySetPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
            Self::Url { url, .. } => url.fmt(f),
        }
    }
}

impl OriginFunction {
    /// The largest component (`lambda-at-edge.md` section 8), unless the profile is custom.
    pub const COMPONENT_LIMIT: ByteSize = ByteSize::mb(50);

    /// A function of `component` with every setting at its default.
    pub fn new(component: PathBuf) -> Self {
        Self {
            component,
            profile: LimitProfile::default(),
            memory: ByteSize::mb(128),
            timeout: None,
            network: Vec::new(),
            network_limits: NetworkLimits::default(),
            network_ca: None,
            secrets: BTreeMap::new(),
            environment: BTreeMap::new(),
            tmp: ByteSize::mb(512),
            include_body: false,
            concurrency: 100,
            fresh: false,
            validation: Validation::default(),
            aliases: BTreeMap::new(),
            log_format: LogFormat::default(),
            log_level: LogLevel::default(),
            system_log_level: LogLevel::default(),
            asynchronous: Asynchronous::default(),
        }
    }

    /// How long a call at `hook` may take.
    pub fn timeout_at(&self, hook: rimward_types::Hook) -> Duration {
        self.timeout.unwrap_or(Duration::from_secs(if hook.is_viewer() { 5 } else { 30 }))
    }
}

impl Grant {
    /// Whether it covers `host` (lower case, no brackets) and `port`.
    pub fn covers(&self, host: &str, port: u16) -> bool {
        self.port == port
            && match self.host.strip_prefix('*') {
                // ".example.com": a label must stand before the dot.
                Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
                None => self.host == host,
            }
    }
}
