//! The functions of a configuration, published.
//!
//! - [`origin`]: those of the origin tier, and their versions.

mod origin;

pub use origin::NotReleased;

use crate::bindings;
use crate::function::{Function, Tier};
use crate::key_source::KeySource;
use crate::releases::Releases;
use crate::stages::{Kept, Version};
use crate::throttle::Throttle;
use crate::versions::Versions;
use rimward_config::{
    CodeKind, Config, FunctionKind, HeaderRules, KeySetSource, KeyValueStore, Runtime, ViewerFunction,
};
use rimward_event::{FailureCategory, Strictness};
use rimward_isolate::{Bindings, Entry, Isolates, Limits, PublishError, Source};
use rimward_kv::{Followed, Seed, Store, Stores};
use rimward_sandbox::Sandbox;
use rimward_types::{Clock, Stage, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What runs functions, and what is kept for them. Started once; it outlives configurations.
#[derive(Clone)]
pub struct Engines {
    /// The viewer tier.
    pub isolates: Isolates,
    /// The origin tier.
    pub sandbox: Sandbox,
    /// Key value stores.
    pub stores: Arc<Stores>,
    /// Versions of functions that were published.
    pub versions: Arc<Versions>,
    /// Says when a store was made.
    pub clock: Arc<dyn Clock>,
}

/// A function could not be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its name.
    pub function: Arc<str>,
    /// Its file.
    pub file: PathBuf,
    /// What is wrong, with line, column and excerpt where they are known.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// Whether an earlier version of it works, so that this one would make things worse.
    pub regression: bool,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error: function `{}`: {}", self.function, self.message)?;
        // A place in the code names the file already.
        if !self.message.contains("\n  --> ") {
            write!(f, "\n  --> {}", self.file.display())?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Published functions and open key value stores, by name.
#[derive(Default)]
pub struct Functions {
    functions: BTreeMap<Arc<str>, Arc<Function>>,
    stores: BTreeMap<Arc<str>, Arc<Store>>,
    /// Files of stores that serve already, for [`Functions::settle`].
    seeds: Vec<(Arc<str>, Seed)>,
    key_sources: BTreeMap<KeySetSource, Arc<KeySource>>,
}

impl Functions {
    /// Publishes what `config` names. What has not changed since `before` is taken over as it is, so that a reload
    /// costs only what is new. Functions that cannot be published are there too, broken, with their problem.
    pub async fn publish(config: &Config, engines: &Engines, before: &Functions) -> (Self, Vec<Problem>) {
        let mut published = Self::default();
        let mut problems = Vec::new();
        for (name, store) in &config.key_value_stores {
            if let Err(problem) = published.store(name, store, engines, before) {
                problems.push(problem);
            }
        }
        for (name, function) in &config.functions {
            let made = match &function.kind {
                FunctionKind::Viewer(spec) => match published.bindings(name, spec, config, before).await {
                    Ok(bindings) => published.viewer(name, spec, bindings, engines, before),
                    Err(broken) => Err(broken),
                },
                FunctionKind::Origin(spec) => origin::publish(name, spec, engines, before).await,
            };
            let function = made.unwrap_or_else(|mut broken| {
                broken.problem.regression = before.get(name).is_some_and(|old| old.broken().is_none());
                let (function, problem) = broken.into_function();
                problems.push(problem);
                function
            });
            published.functions.insert(name.clone(), function);
        }
        (published, problems)
    }

    /// The same functions and stores, with `name` published anew from what LIVE is now. Others stay as they are,
    /// whatever became of their files.
    ///
    /// # Errors
    /// When it cannot be published.
    pub async fn with(&self, config: &Config, engines: &Engines, name: &str) -> Result<Self, Problem> {
        let mut with = self.same();
        let Some((name, function)) = config.functions.get_key_value(name) else { return Ok(with) };
        let function = match &function.kind {
            FunctionKind::Viewer(spec) => {
                let bindings = with.bindings(name, spec, config, self).await.map_err(|broken| broken.problem)?;
                let function = with.viewer(name, spec, bindings, engines, self).map_err(|broken| broken.problem)?;
                // Whoever publishes says that the function is mended, even with the same text.
                function.let_run();
                function
            }
            FunctionKind::Origin(spec) => {
                origin::publish(name, spec, engines, self).await.map_err(|broken| broken.problem)?
            }
        };
        with.functions.insert(name.clone(), function);
        Ok(with)
    }

    fn same(&self) -> Self {
        Self {
            functions: self.functions.clone(),
            stores: self.stores.clone(),
            seeds: Vec::new(),
            key_sources: self.key_sources.clone(),
        }
    }

    /// Compiles another text of a viewer function, with the settings, the store and the limits of `name`, and attaches it
    /// to nothing. `None` when there is no such viewer function.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn compile(
        &self,
        config: &Config,
        engines: &Engines,
        name: &str,
        code: &[u8],
    ) -> Option<Result<Arc<rimward_isolate::Function>, Problem>> {
        let (name, function) = config.functions.get_key_value(name)?;
        let spec = function.viewer()?;
        // The place of an error is in what was sent, not in the file of the configuration.
        let file = PathBuf::from(format!("{name}.js"));
        let broken =
            |message, hint| Broken::new(name, &file, FailureCategory::FunctionThrottled, message, hint).problem;
        let kv = match self.kv(spec) {
            Ok(kv) => kv,
            Err(message) => return Some(Err(broken(message, None))),
        };
        let keys = spec.jwks.as_ref().and_then(|source| self.key_sources.get(source)).map(|source| source.keys.clone());
        let bindings = match bindings::read(spec, &config.node.location) {
            Ok(bindings) => Bindings { keys, ..bindings },
            Err(message) => return Some(Err(broken(message, None))),
        };
        let source = source(name, spec, code, kv, bindings);
        Some(engines.isolates.publish(&source).map_err(|error| broken(text(&error, &file), hint(&error))))
    }

    /// Gives stores the pairs of their files, where those have changed. For the moment when these functions take over:
    /// a configuration that is refused changes no store.
    pub fn settle(&self, now: Timestamp) {
        for (name, seed) in &self.seeds {
            let Some(store) = self.stores.get(name) else { continue };
            follow(name, store, seed, now);
        }
    }

    /// A key value store by name.
    pub fn store_named(&self, name: &str) -> Option<&Arc<Store>> {
        self.stores.get(name)
    }

    /// All key value stores, in the order of their names.
    pub fn stores(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<Store>)> {
        self.stores.iter()
    }

    /// A function by name.
    pub fn get(&self, name: &str) -> Option<&Arc<Function>> {
        self.functions.get(name)
    }

    /// All functions.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.functions.values()
    }

    /// Opens a store and looks at its file.
    fn store(
        &mut self,
        name: &Arc<str>,
        spec: &KeyValueStore,
        engines: &Engines,
        before: &Functions,
    ) -> Result<(), Problem> {
        let now = engines.clock.now();
        let serves = before.stores.contains_key(name);
        let problem = |file: PathBuf, message: String, hint: Option<String>| Problem {
            function: name.clone(),
            file,
            message: format!("key value store: {message}"),
            hint,
            regression: serves,
        };
        let store = engines
            .stores
            .open(name, spec.size, now)
            .map_err(|error| problem(error.path.clone(), error.reason.clone(), error.hint.map(str::to_owned)))?;
        let seed = spec.file.as_ref().map(|file| {
            Seed::read(file, spec.size).map_err(|error| problem(file.clone(), error.to_string(), error.hint()))
        });
        match seed {
            // Readers of the configuration that serves would see the change before this one is accepted.
            Some(Ok(seed)) if serves => self.seeds.push((name.clone(), seed)),
            Some(Ok(seed)) => follow(name, &store, &seed, now),
            // A store that was filled before serves what it has.
            Some(Err(problem)) if store.snapshot().pairs().is_empty() => return Err(problem),
            Some(Err(problem)) => {
                self.stores.insert(name.clone(), store);
                return Err(problem);
            }
            None => {}
        }
        self.stores.insert(name.clone(), store);
        Ok(())
    }

    /// The store that a function reads.
    fn kv(&self, spec: &ViewerFunction) -> Result<Option<Arc<Store>>, String> {
        let Some(name) = &spec.key_value_store else { return Ok(None) };
        let store = self.stores.get(name).cloned();
        store.map(Some).ok_or_else(|| format!("its key value store `{name}` could not be loaded"))
    }

    /// What the function may read beside event and store. A key set that is in use already is shared.
    async fn bindings(
        &mut self,
        name: &Arc<str>,
        spec: &ViewerFunction,
        config: &Config,
        before: &Functions,
    ) -> Result<Bindings, Broken> {
        let broken = |message| Broken::new(name, &spec.code, FailureCategory::FunctionThrottled, message, None);
        let keys = match &spec.jwks {
            None => None,
            Some(source) => {
                let known = self.key_sources.get(source).or_else(|| before.key_sources.get(source)).cloned();
                let started = match known {
                    Some(known) => known,
                    None => KeySource::start(source)
                        .await
                        .map_err(|why| broken(format!("its key set {} cannot be used: {why}", source.place)))?,
                };
                self.key_sources.insert(source.clone(), started.clone());
                Some(started.keys.clone())
            }
        };
        let bindings = bindings::read(spec, &config.node.location).map_err(broken)?;
        Ok(Bindings { keys, ..bindings })
    }

    fn viewer(
        &self,
        name: &Arc<str>,
        spec: &ViewerFunction,
        bindings: Bindings,
        engines: &Engines,
        before: &Functions,
    ) -> Result<Arc<Function>, Broken> {
        let broken =
            |message: String, hint| Broken::new(name, &spec.code, FailureCategory::FunctionThrottled, message, hint);
        let stages = engines.versions.stages(name).map_err(|e| broken(e.to_string(), Some(LOST.to_owned())))?;
        let published = engines.versions.code(name, Stage::Live);
        let published = published.map_err(|e| broken(e.to_string(), Some(LOST.to_owned())))?;
        let code = published.map_or_else(|| read(&spec.code).map_err(|e| broken(e, None)), Ok)?;
        let kv = self.kv(spec).map_err(|message| broken(message, None))?;
        // The secrets' content counts too; it goes into the hash and nowhere else.
        let digest = digest(&code, &format!("viewer {spec:?} {:?} {:?}", bindings.location, bindings.secrets));
        if let Some(same) = unchanged(before, name, &digest) {
            return Ok(same);
        }
        let function = engines.isolates.publish(&source(name, spec, &code, kv, bindings)).map_err(|e| {
            let (message, hint) = (text(&e, &spec.code), hint(&e));
            Broken::new(name, &spec.code, category(&e), message, hint)
        })?;
        let strictness = match spec.header_rules {
            HeaderRules::Strict => Strictness::Strict,
            HeaderRules::Open => Strictness::Test,
        };
        let since = stages.at(Stage::Live).map(Kept::since);
        let throttle = Throttle::default();
        let tier = Tier::Viewer { function, strictness, version: Version::of(&code), since, throttle };
        Ok(Arc::new(Function { name: name.clone(), digest, tier }))
    }
}

/// How the engine says that an import leads nowhere.
const NO_MODULE: &str = "Error: Cannot find module";

/// What requests get of a function that could not be published (`cloudfront-functions.md` section 6): a top level that fails would fail
/// in each invocation there, and code that does not compile, for an import that is not there too, is let run in none.
fn category(error: &PublishError) -> FailureCategory {
    match error {
        PublishError::Threw { message, .. } if message.starts_with(NO_MODULE) => FailureCategory::FunctionThrottled,
        PublishError::Threw { .. } | PublishError::TooSlow { .. } | PublishError::OutOfMemory { .. } => {
            FailureCategory::FunctionExecution
        }
        _ => FailureCategory::FunctionThrottled,
    }
}

fn source<'a>(
    name: &Arc<str>,
    spec: &ViewerFunction,
    code: &'a [u8],
    kv: Option<Arc<Store>>,
    bindings: Bindings,
) -> Source<'a> {
    Source {
        name: name.clone(),
        code,
        runtime: match spec.runtime {
            Runtime::V1 => rimward_isolate::Runtime::V1,
            Runtime::V2 => rimward_isolate::Runtime::V2,
        },
        entry: entry(spec.kind),
        limits: Limits { time: spec.timeout, memory: spec.memory.as_usize(), code: spec.code_limit.as_usize() },
        kv,
        bindings: Arc::new(bindings),
    }
}

/// What is called in code of a kind.
pub fn entry(kind: CodeKind) -> Entry {
    match kind {
        CodeKind::Viewer => Entry::Handler,
        CodeKind::Connection => Entry::ConnectionHandler,
    }
}

const LOST: &str = "`rimward functions rollback NAME --to file` lets the file of the configuration serve again";

/// Lets a store have what its file has.
fn follow(name: &str, store: &Store, seed: &Seed, now: Timestamp) {
    match store.follow(seed, now) {
        Ok(Followed::Unchanged | Followed::Replaced) => {}
        Ok(Followed::Kept) => tracing::warn!(
            store = name,
            "the file of the store differs from what it was made of, but the store was written since: it keeps its pairs; \
             `rimward kv import` takes the file's"
        ),
        Err(error) => tracing::error!(store = name, %error, "the store keeps its pairs"),
    }
}

struct Broken {
    problem: Problem,
    category: FailureCategory,
    /// Other versions of an origin function, which may work.
    releases: Option<Releases>,
}

impl Broken {
    fn new(name: &Arc<str>, file: &Path, category: FailureCategory, message: String, hint: Option<String>) -> Self {
        let file = file.to_owned();
        let problem = Problem { function: name.clone(), file, message, hint, regression: false };
        Self { problem, category, releases: None }
    }

    fn into_function(self) -> (Arc<Function>, Problem) {
        let tier =
            Tier::Broken { category: self.category, reason: self.problem.message.clone(), releases: self.releases };
        // No digest is like this one: a broken function is tried again at each reload.
        (Arc::new(Function { name: self.problem.function.clone(), digest: [0; 32], tier }), self.problem)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))
}

fn digest(code: &[u8], settings: &str) -> [u8; 32] {
    Sha256::new().chain_update(settings).chain_update([0]).chain_update(code).finalize().into()
}

fn unchanged(before: &Functions, name: &str, digest: &[u8; 32]) -> Option<Arc<Function>> {
    before.get(name).filter(|old| old.digest == *digest).cloned()
}

/// The message and, where it is known, the line with a caret.
fn text(error: &PublishError, file: &Path) -> String {
    match error.position() {
        None => error.to_string(),
        Some(at) => format!("{error}\n  --> {}:{}:{}\n{at}", file.display(), at.line, at.column),
    }
}

fn hint(error: &PublishError) -> Option<String> {
    let hint = match error {
        PublishError::TooLarge { .. } => {
            "move data to a key value store, or set `code-limit`; CloudFront itself takes no more than 10 KB"
        }
        PublishError::NoHandler(Entry::Handler) => {
            "declare `function handler(event) { ... }`, outside of other functions"
        }
        PublishError::NoHandler(Entry::ConnectionHandler) => {
            "declare `function connectionHandler(connection) { ... }`, outside of other functions"
        }
        PublishError::TooSlow { .. } => "top-level code runs once when the function is published; it must be short",
        PublishError::OutOfMemory { .. } => "what the top level keeps counts; move data to a key value store",
        _ => return None,
    };
    Some(hint.to_owned())
}
