//! The origin tier of one node: publishing.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rimward_types::{ByteSize, Clock, Entropy, SystemClock, SystemEntropy};
use wasmtime::component::Component;

use crate::client::{self, Client};
use crate::code::{self, CodeCache, Compiled, Compiler};
use crate::engine::{self, Ticker};
use crate::environment::{self, Identity, Ids};
use crate::failure::Failure;
use crate::flavour::Handlers;
use crate::function::{Function, Lifetime, Terms};
use crate::host;
use crate::instance::Recipe;
use crate::node::{Functions, Instances, Node, Reaper};
use crate::publish::{PublishError, Spec};
use crate::scratch::Scratch;

/// What a sandbox is started with.
pub struct Options {
    /// Folder for compiled code; `None` compiles at every start. It must belong to this user alone.
    pub code_cache: Option<PathBuf>,
    /// The process that compiles; `None` compiles in this one, without limits: for components that are trusted.
    pub compiler: Option<Compiler>,
    /// Folder below which instances get their `/tmp`; the system's own by default.
    pub scratch: PathBuf,
    /// Instances of all functions together.
    pub instances: u32,
    /// Time for code that runs while an instance is made (`lambda-at-edge.md` section 11.1).
    pub init_timeout: Duration,
    /// How long an instance may wait for work.
    pub idle: Duration,
    /// How old an instance may become.
    pub age: Duration,
    /// Region in events' contexts and in `AWS_REGION`.
    pub region: String,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            code_cache: None,
            compiler: None,
            scratch: std::env::temp_dir(),
            instances: 1000,
            init_timeout: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            age: Duration::from_secs(2 * 3600),
            region: "us-east-1".to_owned(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The engine does not work on this machine.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// A folder cannot be used.
    #[error("{what} {path}: {error}")]
    Folder {
        /// What the folder is for.
        what: &'static str,
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The system gives no thread.
    #[error("no thread for the sandbox: {0}")]
    Thread(std::io::Error),
}

/// The origin tier. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Node>);

/// How busy the sandbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Instances that exist.
    pub instances: usize,
    /// Instances that may exist.
    pub limit: usize,
    /// Whether they come from a pool of reserved address space.
    pub pooling: bool,
}

impl Sandbox {
    /// Starts the engine and its tick.
    ///
    /// # Errors
    /// The machine or a folder is unfit.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let fault = |error: &dyn fmt::Display| StartError::Engine(error.to_string());
        let engine::Built { engine, pooling } =
            engine::build(options.instances).map_err(|error| fault(&format!("{error:#}")))?;
        let folder = |what, path: &PathBuf| {
            let path = path.clone();
            move |error| StartError::Folder { what, path, error }
        };
        let code = match &options.code_cache {
            Some(path) => {
                let compatibility = engine::compatibility(&engine);
                Some(CodeCache::open(path, compatibility).map_err(folder("compiled code in", path))?)
            }
            None => None,
        };
        let scratch = Scratch::open(&options.scratch).map_err(folder("scratch files in", &options.scratch))?;
        let linker = host::linker(&engine).map_err(|error| fault(&format!("{error:#}")))?;
        let ticker = Ticker::start(&engine).map_err(StartError::Thread)?;
        let functions: Arc<Functions> = Arc::default();
        let reaper = Reaper::start(functions.clone(), options.idle).map_err(StartError::Thread)?;
        let tls = client::tls(&[]).map_err(|error| fault(&error))?;
        Ok(Self(Arc::new(Node {
            engine,
            linker,
            ticker,
            scratch: Arc::new(scratch),
            code,
            compiler: options.compiler,
            tls,
            clock: options.clock,
            entropy: options.entropy,
            ids: Ids::default(),
            init_timeout: options.init_timeout,
            region: options.region,
            pooling,
            instances: Arc::new(Instances::new(options.instances as usize)),
            functions,
            lifetime: Lifetime { idle: options.idle, age: options.age },
            _reaper: reaper,
            compiling: tokio::sync::Mutex::default(),
        })))
    }

    /// Checks a component, compiles it on another thread, and starts its first instance. Takes up to seconds; nothing
    /// that serves requests waits for it.
    ///
    /// # Errors
    /// Why the function is refused.
    pub async fn publish(&self, spec: Spec) -> Result<Arc<Function>, PublishError> {
        check_limits(&spec)?;
        environment::check(&spec.environment)?;
        spec.secrets.check()?;
        let (component, compiled) = self.compile(&spec).await?;
        let node = &self.0;
        let pre = node.linker.instantiate_pre(&component).map_err(|error| self.import(&component, &error))?;
        let handlers = Handlers::find(&node.engine, &component, &pre)?;
        let tls = match &*spec.authorities {
            [] => node.tls.clone(),
            own => client::tls(own).map_err(|error| PublishError::Authority(error.to_string()))?,
        };
        let identity = Identity::new(&spec, &node.region, node.clock.now(), &*node.entropy);
        let files =
            component.component_type().imports(&node.engine).any(|(name, _)| name.starts_with("wasi:filesystem/"));
        let recipe = Recipe {
            node: node.clone(),
            pre,
            handlers,
            environment: identity.environment(&spec.environment, &node.region),
            identity,
            memory: spec.memory,
            tmp: files.then_some(spec.tmp),
            client: Arc::new(Client::new(spec.network.into(), spec.network_limits, tls)),
            secrets: spec.secrets,
        };
        let terms = Terms {
            name: spec.name,
            version: spec.version,
            timeout: spec.timeout,
            concurrency: spec.concurrency,
            fresh: spec.fresh,
            validation: spec.validation,
            logging: spec.logging,
        };
        let function = Function::new(terms, recipe, compiled);
        function.warm().await.map_err(|failure| match failure {
            Failure::Init(cause) => match *cause {
                Failure::HandlerType(detail) => PublishError::HandlerType(detail),
                cause => PublishError::Start(cause),
            },
            failure => PublishError::Start(failure),
        })?;
        Ok(function)
    }

    /// An id for an invocation: a random UUID.
    pub fn invocation_id(&self) -> String {
        self.0.invocation_id()
    }

    /// How busy it is.
    pub fn usage(&self) -> Usage {
        Usage { instances: self.0.live(), limit: self.0.instances(), pooling: self.0.pooling }
    }

    async fn compile(&self, spec: &Spec) -> Result<(Component, Compiled), PublishError> {
        let _turn = self.0.compiling.lock().await;
        let (node, bytes) = (self.0.clone(), spec.component.clone());
        let compiling = move || code::compile(&node.engine, node.compiler.as_ref(), node.code.as_ref(), &bytes);
        match tokio::task::spawn_blocking(compiling).await {
            Ok(result) => result,
            Err(error) => Err(PublishError::Interrupted(error.to_string())),
        }
    }

    /// Names the import that cannot be given.
    fn import(&self, component: &Component, error: &wasmtime::Error) -> PublishError {
        let detail = format!("{error:#}");
        let named = component.component_type();
        let name =
            named.imports(&self.0.engine).map(|(name, _)| name).find(|name| detail.contains(&format!("`{name}`")));
        match name {
            Some(name) => PublishError::Import { name: name.to_owned(), detail },
            None => PublishError::Invalid(detail),
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("usage", &self.usage()).finish_non_exhaustive()
    }
}

fn check_limits(spec: &Spec) -> Result<(), PublishError> {
    let limit = |fault: &str| Err(PublishError::Limit(fault.to_owned()));
    if spec.memory < ByteSize::mb(1) || spec.memory > ByteSize::mb(4096) {
        return limit("memory must be from 1 MB to 4 GB, where 32-bit WebAssembly ends");
    }
    if spec.concurrency == 0 {
        return limit("concurrency must be at least 1");
    }
    if spec.timeout.is_some_and(|timeout| timeout.is_zero() || timeout.as_secs() > 900) {
        return limit("timeout must be above zero and at most 900 s");
    }
    Ok(())
}
