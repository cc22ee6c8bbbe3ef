//! From a configuration to a node that can serve.

use super::node::{Node, Setup};
use super::overrides::Overrides;
use super::signals::Signals;
use super::{admin, banner, curl, invoke};
use crate::engines;
use crate::exit::Stop;
use crate::print;
use rimward_cache::{Cache, DiskError, DiskOptions};
use rimward_config::{Config, FunctionKind};
use rimward_hooks::{Engines, Functions, Versions};
use rimward_invoke::Queue;
use rimward_isolate::Isolates;
use rimward_kv::Stores;
use rimward_origin::Origins;
use rimward_proxy::{Geo, Live, Parts, Proxy, Records};
use rimward_server::{BindError, Server};
use rimward_types::{Clock, SystemClock, SystemEntropy};
use std::io;
use std::path::Path;
use std::sync::{Arc, Barrier};

/// A node that listens, and is ready to answer.
pub struct Started {
    /// The listeners.
    pub server: Server,
    /// The admin API's listener, if there is one.
    pub admin: Option<Server>,
    /// Events of the invoke API, where there is an admin API.
    pub queue: Option<Arc<Queue>>,
    /// The rest.
    pub node: Arc<Node>,
    /// The signals from the start on.
    pub signals: Signals,
}

/// What a node runs in, besides its configuration.
pub struct Environment<'a> {
    /// The configuration's file.
    pub file: &'a Path,
    /// What goes before it.
    pub overrides: Overrides,
    /// Files that the process may open.
    pub descriptors: usize,
    /// Threads that serve.
    pub workers: usize,
}

/// Listens, starts the engines, publishes the functions, and says what is served.
///
/// # Errors
/// When an address cannot be had, an engine does not start, or an origin's files cannot be read.
pub async fn start(config: Config, environment: Environment<'_>, records: Records) -> Result<Started, Stop> {
    let Environment { file, overrides, descriptors, workers } = environment;
    let signals = Signals::take()?;
    // First of all: an address that is taken should not be found out after seconds of compiling.
    let server =
        Server::bind(&config.node, &config.mutual_tls_sites()).map_err(|error| bind_error(&error, "--listen"))?;
    let admin = admin::bind(config.node.admin).map_err(|error| bind_error(&error, "--admin"))?;
    let engines = start_engines(&config, file, workers).await?;
    let queue = admin.is_some().then(|| invoke::open_queue(&config, file)).flatten();
    let (functions, problems) = Functions::publish(&config, &engines, &Functions::default()).await;
    for problem in &problems {
        print::report(&format!("{problem}\n"));
    }
    let broken = functions.iter().filter(|function| function.broken().is_some()).count();
    if broken > 0 {
        print::warning(&format!("requests for {} get 503 until mended", print::counted(broken, "function")));
    }
    let origins = Origins::new();
    for origin in config.origins.values() {
        origins.prepare(origin).map_err(|why| Stop::unusable(format!("origin `{}`: {why}", origin.name)))?;
    }
    let geo = Geo::read(&config.node.geo, &Geo::default()).map_err(Stop::unusable)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let cache = open_cache(&config.cache, &clock)?;
    let proxy = Proxy::new(Parts {
        live: Live::new(config, functions, Arc::new(geo)),
        cache,
        origins: origins.clone(),
        records,
        clock,
        entropy: Arc::new(SystemEntropy),
    });
    let live = proxy.live();
    let addresses = banner::Addresses {
        http: server.addresses(),
        https: server.tls_addresses(),
        admin: admin.as_ref().and_then(|server| server.addresses().first().copied()),
    };
    print::say(&banner::banner(file, live.config(), &addresses));
    if let (Some(lines), Some(address)) = (curl::lines(live.config(), addresses.http.first()), addresses.http.first()) {
        print::say(&format!("try, at {address}:\n{lines}"));
    }
    if let Some(address) = addresses.admin
        && let Some(warning) = admin::unlisted(address, &live.config().node.acl.admin)
    {
        print::warning(&warning);
    }
    let node = Node::new(Setup {
        file: file.to_owned(),
        overrides,
        descriptors,
        engines,
        origins,
        queue: queue.clone(),
        proxy,
        server: server.handle(),
        counters: server.counters(),
        listen: server.addresses().to_vec(),
        listen_tls: server.tls_addresses().to_vec(),
    });
    Ok(Started { server, admin, queue, node, signals })
}

/// The cache, with its disk tier where there is one. Blocks until the folder is taken.
fn open_cache(settings: &rimward_config::Cache, clock: &Arc<dyn Clock>) -> Result<Cache, Stop> {
    let disk = settings.disk.as_ref().map(|disk| DiskOptions::new(&disk.path, disk.size));
    let options = rimward_cache::Options {
        memory: settings.memory,
        max_object: settings.max_object,
        disk,
        ..rimward_cache::Options::default()
    };
    Cache::open(options, clock.clone()).map_err(|error| {
        let hint = match error {
            DiskError::InUse(_) => "stop the other node, or give each its own `cache.disk.path`",
            DiskError::Io { .. } => "the node must be able to write there: choose another `cache.disk.path`",
        };
        Stop::failed(&error).hint(hint)
    })
}

/// Says which address cannot be had, and why. `flag` chooses another one.
fn bind_error(error: &BindError, flag: &str) -> Stop {
    let BindError::Listen { source, .. } = error else { return Stop::unusable(error) };
    let stop = Stop::failed(error);
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            stop.hint(format!("another program listens there: stop it, or choose another address with {flag}"))
        }
        io::ErrorKind::PermissionDenied => stop.hint("ports below 1024 are for root and CAP_NET_BIND_SERVICE"),
        io::ErrorKind::AddrNotAvailable => stop.hint("this machine has no such address"),
        _ => stop,
    }
}

/// Starts both engines; the workers are not needed for it, and wait.
async fn start_engines(config: &Config, file: &Path, workers: usize) -> Result<Engines, Stop> {
    let state = engines::state(Some(config));
    let isolates = engines::start_isolates(&state)?;
    let sandbox = engines::start_sandbox(&state, config.node.compile)?;
    let viewer = config.functions.values().any(|function| matches!(function.kind, FunctionKind::Viewer(_)));
    if viewer {
        warm(&isolates, workers).await;
    }
    let kept = engines::kept(config, file);
    Ok(Engines {
        isolates,
        sandbox,
        stores: Arc::new(Stores::new(kept.join("stores"))),
        versions: Arc::new(Versions::new(kept.join("functions"))),
        clock: Arc::new(SystemClock),
    })
}

/// Prepares each worker thread, so that no viewer's request is the first to meet cold caches. The tasks wait for each
/// other, and so each of them has a thread of its own.
async fn warm(isolates: &Isolates, workers: usize) {
    let all = Arc::new(Barrier::new(workers));
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let (all, isolates) = (all.clone(), isolates.clone());
            tokio::spawn(async move {
                all.wait();
                isolates.warm_thread();
            })
        })
        .collect();
    for task in tasks {
        if let Err(error) = task.await {
            tracing::warn!(%error, "a worker could not be warmed up");
        }
    }
}
