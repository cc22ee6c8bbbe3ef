//! The node that runs, and its reload.

use super::descriptors;
use super::overrides::Overrides;
use crate::configuration;
use crate::print;
use rimward_config::{Config, Diagnostic};
use rimward_hooks::{Engines, Functions, Problem};
use rimward_invoke::Queue;
use rimward_origin::Origins;
use rimward_proxy::{Geo, Live, Proxy};
use rimward_server::{Counters, Handle};
use rimward_types::{Clock, SystemClock, Timestamp};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::Mutex;

/// What a node is made of.
pub struct Setup {
    /// The configuration's file.
    pub file: PathBuf,
    /// What goes before it.
    pub overrides: Overrides,
    /// Files that the process may open.
    pub descriptors: usize,
    /// What runs functions.
    pub engines: Engines,
    /// Connections to origins.
    pub origins: Origins,
    /// Events of the invoke API, where there is an admin API.
    pub queue: Option<Arc<Queue>>,
    /// What answers.
    pub proxy: Arc<Proxy>,
    /// Limits and certificates of the listeners.
    pub server: Handle,
    /// What the listeners count.
    pub counters: Arc<Counters>,
    /// Addresses without TLS.
    pub listen: Vec<SocketAddr>,
    /// Addresses with TLS.
    pub listen_tls: Vec<SocketAddr>,
}

/// A node that runs.
pub struct Node {
    /// Itself, for work that goes on when nobody waits for it any more.
    this: Weak<Node>,
    pub(super) setup: Setup,
    /// When it started.
    pub(super) started: Timestamp,
    /// When the configuration was read.
    loaded: AtomicU64,
    /// How many times it was read.
    generation: AtomicU64,
    draining: AtomicBool,
    /// What needs a restart to change, as it was at the start.
    fixed: Fixed,
    /// One reload or publish after the other.
    pub(super) turn: Mutex<()>,
}

/// How a reload went.
#[derive(Debug)]
pub enum Reloaded {
    /// The new configuration serves.
    Applied {
        /// What is allowed and may surprise.
        warnings: Vec<Diagnostic>,
        /// Functions that did not work before either, or are new and do not work.
        broken: Vec<Problem>,
        /// Settings that have changed and take effect at the next start.
        restart: Vec<&'static str>,
    },
    /// The file is no configuration; the old one serves.
    Invalid(Vec<Diagnostic>),
    /// Functions that worked do not any more; the old configuration serves.
    Regressed(Vec<Problem>),
    /// Something that the configuration names cannot be used; the old one serves.
    Unusable(String),
}

/// Settings that are read at the start alone.
#[derive(Debug, Clone, PartialEq)]
struct Fixed {
    node: rimward_config::Node,
    cache: rimward_config::Cache,
}

impl Node {
    /// A node that serves what `setup.proxy` serves.
    pub fn new(setup: Setup) -> Arc<Self> {
        let fixed = Fixed::of(setup.proxy.live().config());
        let now = SystemClock.now();
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            setup,
            started: now,
            loaded: AtomicU64::new(now.as_millis()),
            generation: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            fixed,
            turn: Mutex::new(()),
        })
    }

    /// Does `work` to its end, whether or not whoever asked for it stays: what is kept and what serves change together.
    ///
    /// # Errors
    /// Why it stopped: the node ends, or there is a mistake in it.
    pub(super) async fn whole<T, F>(&self, work: impl FnOnce(Arc<Node>) -> F) -> Result<T, String>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let node = self.this.upgrade().ok_or("the node ends")?;
        tokio::spawn(work(node)).await.map_err(|error| error.to_string())
    }

    /// What answers.
    pub fn proxy(&self) -> &Arc<Proxy> {
        &self.setup.proxy
    }

    /// When the configuration that serves was read.
    pub fn loaded(&self) -> Timestamp {
        Timestamp::from_millis(self.loaded.load(Ordering::Relaxed))
    }

    /// How many times a configuration was read and served, from 1.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Bytes that the cache may take: those of the start, whatever the configuration says by now.
    pub fn cache_limit(&self) -> u64 {
        self.fixed.cache.memory.as_u64()
    }

    /// Notes that it stops.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether it stops.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Reads everything again, and swaps it when all is well. Requests in flight finish on what they began with.
    pub async fn read_again(&self) -> Reloaded {
        let _turn = self.turn.lock().await;
        // Whatever comes of the configuration: the file may have been moved away (log rotation).
        self.setup.proxy.records().reopen();
        let Setup { file, overrides, engines, origins, proxy, server, .. } = &self.setup;
        let (file, engines, before) = (file.clone(), engines.clone(), proxy.live());
        let (overrides, descriptors) = (overrides.clone(), self.setup.descriptors);
        // Reading and publishing block; the workers have requests to answer.
        let runtime = tokio::runtime::Handle::current();
        let read = tokio::task::spawn_blocking(move || {
            let mut config = rimward_config::load(&file)?;
            overrides.apply(&mut config.node);
            if let Some(warning) = descriptors::fit(&mut config, descriptors) {
                print::warning(&warning);
            }
            let geo = Geo::read(&config.node.geo, before.geo());
            let published = runtime.block_on(Functions::publish(&config, &engines, before.functions()));
            Ok::<_, Vec<Diagnostic>>((config, geo, published))
        });
        let (config, geo, (functions, problems)) = match read.await {
            Ok(Ok(read)) => read,
            Ok(Err(problems)) => return Reloaded::Invalid(problems),
            Err(error) => return Reloaded::Unusable(format!("the reload stopped: {error}")),
        };
        if problems.iter().any(|problem| problem.regression) {
            return Reloaded::Regressed(problems);
        }
        let geo = match geo {
            Ok(geo) => Arc::new(geo),
            Err(error) => return Reloaded::Unusable(error.to_string()),
        };
        for origin in config.origins.values() {
            if let Err(why) = origins.prepare(origin) {
                return Reloaded::Unusable(format!("origin `{}`: {why}", origin.name));
            }
        }
        let (server, node, sites) = (server.clone(), config.node.clone(), config.mutual_tls_sites());
        let listeners = match tokio::task::spawn_blocking(move || server.prepare(&node, &sites)).await {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(error)) => return Reloaded::Unusable(error.to_string()),
            Err(error) => return Reloaded::Unusable(format!("the reload stopped: {error}")),
        };
        let restart = self.fixed.changed(&Fixed::of(&config));
        let warnings = config.warnings.clone();
        functions.settle(SystemClock.now());
        proxy.swap(Live::new(config, functions, geo));
        // After the swap: no viewer is let in by new rules whose function is not there yet.
        listeners.apply();
        self.loaded.store(SystemClock.now().as_millis(), Ordering::Relaxed);
        self.generation.fetch_add(1, Ordering::Relaxed);
        Reloaded::Applied { warnings, broken: problems, restart }
    }
}

impl Fixed {
    fn of(config: &Config) -> Self {
        // The headers that carry tags come with the rules of behaviors, which a reload changes.
        let cache = rimward_config::Cache { tag_headers: Vec::new(), ..config.cache.clone() };
        Self { node: config.node.clone(), cache }
    }

    /// The settings that differ.
    fn changed(&self, new: &Self) -> Vec<&'static str> {
        let tls = |fixed: &Self| fixed.node.tls.as_ref().map(|tls| tls.listen.clone());
        [
            ("node.listen", self.node.listen != new.node.listen),
            ("node.admin", self.node.admin != new.node.admin),
            ("node.tls.listen", tls(self) != tls(new)),
            ("node.workers", self.node.workers != new.node.workers),
            ("node.state", self.node.state != new.node.state),
            ("node.compile", self.node.compile != new.node.compile),
            ("node.access-log", self.node.access_log != new.node.access_log),
            ("node.connection-log", self.node.connection_log != new.node.connection_log),
            ("cache", self.cache != new.cache),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }
}

impl Reloaded {
    /// Says on standard error how it went.
    pub fn say(&self) {
        match self {
            Self::Applied { warnings, broken, restart } => {
                configuration::say_warnings(warnings);
                say_problems(broken);
                if !restart.is_empty() {
                    print::warning(&format!("changed, but only a restart makes it so: {}", restart.join(", ")));
                }
                print::say("reloaded: the new configuration serves");
            }
            Self::Invalid(problems) => {
                configuration::say(problems);
                print::say(KEPT);
            }
            Self::Regressed(problems) => {
                say_problems(problems);
                print::say(KEPT);
            }
            Self::Unusable(why) => {
                print::problem(why, None);
                print::say(KEPT);
            }
        }
    }
}

const KEPT: &str = "not reloaded: the configuration from before keeps serving";

fn say_problems(problems: &[Problem]) {
    for problem in problems {
        print::report(&format!("{problem}\n"));
    }
}
