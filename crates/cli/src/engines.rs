//! What runs functions, started when it is needed.

use crate::exit::Stop;
use crate::print;
use rimward_config::{Compile, Config};
use rimward_isolate::{CodeOrigin, Isolates};
use rimward_sandbox::{CompileLimits, Compiler, Sandbox};
use std::cell::OnceCell;
use std::env;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// The engines of a command that runs once. Each is started by its first use.
pub struct Engines {
    state: PathBuf,
    compile: Compile,
    runtime: OnceCell<Runtime>,
    isolates: OnceCell<Isolates>,
    sandbox: OnceCell<Sandbox>,
}

impl Engines {
    /// Engines that keep compiled code where `config` says.
    pub fn new(config: Option<&Config>) -> Self {
        let state = state(config);
        let compile = config.map(|config| config.node.compile).unwrap_or_default();
        Self { state, compile, runtime: OnceCell::new(), isolates: OnceCell::new(), sandbox: OnceCell::new() }
    }

    /// The viewer tier.
    pub fn isolates(&self) -> Result<&Isolates, Stop> {
        init(&self.isolates, || start_isolates(&self.state))
    }

    /// The origin tier.
    pub fn sandbox(&self) -> Result<&Sandbox, Stop> {
        let runtime = self.runtime()?;
        init(&self.sandbox, || {
            let _within = runtime.enter();
            start_sandbox(&self.state, self.compile)
        })
    }

    /// Waits for work of the origin tier.
    pub fn block_on<F: Future>(&self, work: F) -> Result<F::Output, Stop> {
        Ok(self.runtime()?.block_on(work))
    }

    fn runtime(&self) -> Result<&Runtime, Stop> {
        init(&self.runtime, || Runtime::new().map_err(|error| Stop::failed(format!("no threads: {error}"))))
    }
}

fn init<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T, Stop>) -> Result<&T, Stop> {
    if let Some(made) = cell.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

/// The folder for compiled code: `node.state`, else the user's cache folder, else a temporary one of the user's own.
pub fn state(config: Option<&Config>) -> PathBuf {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    config
        .and_then(|config| config.node.state.clone())
        .or_else(|| absolute("XDG_CACHE_HOME").map(|cache| cache.join("rimward")))
        .or_else(|| absolute("HOME").map(|home| home.join(".cache").join("rimward")))
        .unwrap_or_else(|| {
            // Others must not be able to make the folder first: engines look at its owner, and the name tells ours.
            let user = std::fs::metadata("/proc/self").map(|own| own.uid()).unwrap_or_default();
            env::temp_dir().join(format!("rimward-{user}"))
        })
}

/// Where a node keeps what it must not lose: key value stores and published functions. `file` is its configuration.
///
/// `node.state`, or else a folder of this configuration below the user's state folder: two nodes of one user do not meet.
pub fn kept(config: &Config, file: &Path) -> PathBuf {
    if let Some(state) = &config.node.state {
        return state.clone();
    }
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let states = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")));
    let states = states.map_or_else(|| state(None), |states| states.join("rimward"));
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let near = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let digest = rimward_hooks::Version::of(file.as_os_str().as_encoded_bytes());
    states.join(format!("{}-{}", near.unwrap_or_default(), &digest.as_str()[..8]))
}

/// Starts the viewer tier; says so when its engine must be compiled.
pub fn start_isolates(state: &Path) -> Result<Isolates, Stop> {
    let options = rimward_isolate::Options::new(state.join("isolate"));
    let waiting = "compiling the viewer tier's engine, which takes some seconds the first time ...";
    let isolates = print::patiently(waiting, || Isolates::start(&options))
        .map_err(|error| Stop::failed(format!("the viewer tier does not start: {error}")))?;
    if let CodeOrigin::NotStored { reason, .. } = isolates.code_origin() {
        print::warning(&format!("the engine is compiled at every start: {reason}"));
        print::report("hint: give `node.state` a folder that belongs to this user, or set XDG_CACHE_HOME");
    }
    Ok(isolates)
}

/// The hidden command that compiles a component within limits: what this program calls itself with.
pub const COMPILE: &str = "compile-component";

/// Starts the origin tier, which compiles within `limits`. Must be called within a tokio runtime.
pub fn start_sandbox(state: &Path, limits: Compile) -> Result<Sandbox, Stop> {
    // The child runs at the lowest priority: on a busy machine its own time says what a component costs, and the clock does
    // not.
    let wall = limits.time * CompileLimits::PATIENCE;
    let limits = CompileLimits { memory: limits.memory, cpu: limits.time, wall };
    let options = rimward_sandbox::Options {
        code_cache: Some(state.join("sandbox")),
        compiler: Some(Compiler { limits, ..Compiler::this_program(COMPILE) }),
        ..rimward_sandbox::Options::default()
    };
    Sandbox::start(options).map_err(|error| Stop::failed(format!("the origin tier does not start: {error}")))
}
