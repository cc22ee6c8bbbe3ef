//! The functions of a configuration, published.

use crate::function::{Function, Tier};
use rimward_config::{Config, FunctionKind, HeaderRules, OriginFunction, Runtime, ViewerFunction};
use rimward_event::{FailureCategory, Strictness};
use rimward_isolate::{Isolates, Limits, PublishError, Source};
use rimward_kv::Store;
use rimward_sandbox::{Grant, Sandbox, Spec};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What runs functions. Started once; it outlives configurations.
#[derive(Clone)]
pub struct Engines {
    /// The viewer tier.
    pub isolates: Isolates,
    /// The origin tier.
    pub sandbox: Sandbox,
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

/// Published functions and loaded key value stores, by name.
#[derive(Default)]
pub struct Functions {
    functions: BTreeMap<Arc<str>, Arc<Function>>,
    stores: BTreeMap<Arc<str>, Arc<Store>>,
}

impl Functions {
    /// Publishes what `config` names. What has not changed since `before` is taken over as it is, so that a reload
    /// costs only what is new. Functions that cannot be published are there too, broken, with their problem.
    pub async fn publish(config: &Config, engines: &Engines, before: &Functions) -> (Self, Vec<Problem>) {
        let mut published = Self::default();
        let mut problems = Vec::new();
        for (name, store) in &config.key_value_stores {
            match Store::load(&store.file) {
                Ok(loaded) => {
                    published.stores.insert(name.clone(), Arc::new(loaded));
                }
                Err(error) => problems.push(Problem {
                    function: name.clone(),
                    file: store.file.clone(),
                    message: format!("key value store: {error}"),
                    hint: None,
                    regression: before.stores.contains_key(name),
                }),
            }
        }
        for (name, function) in &config.functions {
            let made = match &function.kind {
                FunctionKind::Viewer(spec) => published.viewer(name, spec, engines, before),
                FunctionKind::Origin(spec) => origin(name, spec, engines, before).await,
            };
            let function = made.unwrap_or_else(|mut broken| {
                broken.problem.regression = before.get(name).is_some_and(|old| old.broken().is_none());
                let function = broken.function();
                problems.push(broken.problem);
                function
            });
            published.functions.insert(name.clone(), function);
        }
        (published, problems)
    }

    /// A function by name.
    pub fn get(&self, name: &str) -> Option<&Arc<Function>> {
        self.functions.get(name)
    }

    /// All functions.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.functions.values()
    }

    fn viewer(
        &self,
        name: &Arc<str>,
        spec: &ViewerFunction,
        engines: &Engines,
        before: &Functions,
    ) -> Result<Arc<Function>, Broken> {
        let broken =
            |message: String, hint| Broken::new(name, &spec.code, FailureCategory::FunctionThrottled, message, hint);
        let code = read(&spec.code).map_err(|e| broken(e, None))?;
        let kv = match &spec.key_value_store {
            None => None,
            Some(store) => Some(
                self.stores
                    .get(store)
                    .cloned()
                    .ok_or_else(|| broken(format!("its key value store `{store}` could not be loaded"), None))?,
            ),
        };
        let settings = format!("viewer {spec:?} {:?}", kv.as_ref().map(|s| s.meta()));
        let digest = digest(&code, &settings);
        if let Some(same) = unchanged(before, name, &digest) {
            return Ok(same);
        }
        let source = Source {
            name: name.clone(),
            code: &code,
            runtime: match spec.runtime {
                Runtime::V1 => rimward_isolate::Runtime::V1,
                Runtime::V2 => rimward_isolate::Runtime::V2,
            },
            limits: Limits { time: spec.timeout, memory: spec.memory.as_usize(), code: spec.code_limit.as_usize() },
            kv,
        };
        let function = engines.isolates.publish(&source).map_err(|e| broken(text(&e, &spec.code), hint(&e)))?;
        let strictness = match spec.header_rules {
            HeaderRules::Strict => Strictness::Strict,
            HeaderRules::Open => Strictness::Test,
        };
        Ok(Arc::new(Function { name: name.clone(), digest, tier: Tier::Viewer { function, strictness } }))
    }
}

async fn origin(
    name: &Arc<str>,
    spec: &OriginFunction,
    engines: &Engines,
    before: &Functions,
) -> Result<Arc<Function>, Broken> {
    let broken =
        |message: String, hint| Broken::new(name, &spec.component, FailureCategory::LambdaExecution, message, hint);
    let component = read(&spec.component).map_err(|e| broken(e, None))?;
    let digest = digest(&component, &format!("origin {spec:?}"));
    if let Some(same) = unchanged(before, name, &digest) {
        return Ok(same);
    }
    let wanted = Spec {
        memory: spec.memory,
        timeout: spec.timeout,
        network: spec.network.iter().map(|g| Grant { host: g.host.clone(), port: g.port }).collect(),
        environment: spec.environment.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        tmp: spec.tmp,
        concurrency: spec.concurrency,
        fresh: spec.fresh,
        ..Spec::new(name, component)
    };
    let function = engines.sandbox.publish(wanted).await.map_err(|e| broken(e.to_string(), e.hint()))?;
    let tier = Tier::Origin { function, include_body: spec.include_body };
    Ok(Arc::new(Function { name: name.clone(), digest, tier }))
}

struct Broken {
    problem: Problem,
    category: FailureCategory,
}

impl Broken {
    fn new(name: &Arc<str>, file: &Path, category: FailureCategory, message: String, hint: Option<String>) -> Self {
        let file = file.to_owned();
        Self { problem: Problem { function: name.clone(), file, message, hint, regression: false }, category }
    }

    fn function(&self) -> Arc<Function> {
        let tier = Tier::Broken { category: self.category, reason: self.problem.message.clone() };
        // No digest is like this one: a broken function is tried again at each reload.
        Arc::new(Function { name: self.problem.function.clone(), digest: [0; 32], tier })
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
        PublishError::NoHandler => "declare `function handler(event) { ... }`, outside of other functions",
        PublishError::TooSlow { .. } => "top-level code runs once when the function is published; it must be short",
        PublishError::OutOfMemory { .. } => "what the top level keeps counts; move data to a key value store",
        _ => return None,
    };
    Some(hint.to_owned())
}
