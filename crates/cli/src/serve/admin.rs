//! What the admin API asks of the node.

use super::descriptors;
use super::invoke::AdminPort;
use super::metrics;
use super::node::{Node, Reloaded};
use rimward_admin::node::date;
use rimward_admin::{
    CacheStatus, CodeSource, ConfigurationStatus, DiskProblem, DiskStatus, DistributionStatus, Explain, Explanation,
    FunctionInfo, NotPurged, NotReady, Place, Purge, Purged, Status, Target, Tier,
};
use rimward_cache::tag::{InvalidTag, Tag};
use rimward_config::{Config, Distribution, FunctionKind, Limits, MutualTlsSites, Networks};
use rimward_hooks::releases::LATEST;
use rimward_invoke::Queue;
use rimward_kv::Store;
use rimward_server::{BindError, Server};
use rimward_types::connection::Tls;
use rimward_types::{Clock, Connection, Hook, SystemClock, Timestamp};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Where a request comes to that a node without listeners explains.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// URLs that a purge names.
const EXAMPLES: usize = 10;
/// Bytes of a function's digest that tell its versions apart.
const VERSION: usize = 6;

/// Listens, with the usual limits, connections of its own, and without TLS. Must be called within a tokio runtime.
///
/// # Errors
/// When the address cannot be had.
pub fn bind(address: Option<SocketAddr>) -> Result<Option<Server>, BindError> {
    let limits = Limits { connections: descriptors::ADMIN, ..Limits::default() };
    let listen = |address| rimward_config::Node { listen: vec![address], limits, ..rimward_config::Node::default() };
    address.map(|address| Server::bind(&listen(address), &MutualTlsSites::none())).transpose()
}

/// What to say where others can reach the API at `address`, and none of them is among `admitted`.
pub fn unlisted(address: SocketAddr, admitted: &Networks) -> Option<String> {
    let unlisted = !address.ip().to_canonical().is_loopback() && admitted.is_loopback();
    unlisted.then(|| {
        format!(
            "the admin API listens on {address}, but only this machine may use it, by loopback: \
             list who else may in `admin` of `[node.acl]`"
        )
    })
}

/// Serves the API until the task is aborted: it answers while the node drains.
pub async fn serve(server: Server, node: Arc<Node>, queue: Option<Arc<Queue>>) {
    server.run(Arc::new(AdminPort::new(node, queue)), std::future::pending()).await;
}

impl rimward_admin::KeyValues for Node {
    fn stores(&self) -> Vec<(Arc<str>, Arc<Store>)> {
        let live = self.proxy().live();
        live.functions().stores().map(|(name, store)| (name.clone(), store.clone())).collect()
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }
}

impl rimward_admin::Node for Node {
    fn admitted(&self) -> Networks {
        self.proxy().live().config().node.acl.admin.clone()
    }

    fn status(&self) -> Status {
        let live = self.proxy().live();
        let config = live.config();
        let usage = self.proxy().cache().usage();
        let counters = &self.setup.counters;
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            uptime: SystemClock.now().since(self.started).as_secs(),
            configuration: ConfigurationStatus {
                file: self.setup.file.display().to_string(),
                loaded: self.loaded(),
                generation: self.generation(),
            },
            listen: self.setup.listen.clone(),
            listen_tls: self.setup.listen_tls.clone(),
            connections: counters.open.load(Ordering::Relaxed),
            requests: counters.requests.load(Ordering::Relaxed),
            cache: CacheStatus {
                objects: usage.objects,
                bytes: usage.bytes,
                held: usage.held,
                limit: self.cache_limit(),
                disk: usage.disk.map(disk_status),
            },
            distributions: config
                .distributions
                .iter()
                .map(|distribution| DistributionStatus {
                    id: distribution.id.clone(),
                    domain_name: distribution.domain_name.clone(),
                    domains: distribution.domains.clone(),
                    behaviors: distribution.behaviors.iter().map(|b| b.pattern.as_str().to_owned()).collect(),
                })
                .collect(),
        }
    }

    fn ready(&self) -> Result<(), NotReady> {
        if self.is_draining() { Err(NotReady("the node is stopping".to_owned())) } else { Ok(()) }
    }

    async fn reload(&self) -> Result<rimward_admin::Reloaded, Vec<String>> {
        let reloaded = self.read_again().await;
        // In the process's log too: the caller is not the operator.
        reloaded.say();
        let texts =
            |problems: &[rimward_hooks::Problem]| -> Vec<_> { problems.iter().map(ToString::to_string).collect() };
        match reloaded {
            Reloaded::Applied { warnings, broken, restart } => {
                let live = self.proxy().live();
                Ok(rimward_admin::Reloaded {
                    generation: self.generation(),
                    distributions: live.config().distributions.len(),
                    functions: live.functions().iter().filter(|function| function.broken().is_none()).count(),
                    warnings: warnings.iter().map(ToString::to_string).chain(texts(&broken)).collect(),
                    needs_restart: restart.into_iter().map(str::to_owned).collect(),
                })
            }
            Reloaded::Invalid(problems) => Err(problems.iter().map(ToString::to_string).collect()),
            Reloaded::Regressed(problems) => Err(texts(&problems)),
            Reloaded::Unusable(why) => Err(vec![why]),
        }
    }

    fn purge(&self, purge: &Purge) -> Result<Purged, NotPurged> {
        let live = self.proxy().live();
        let cache = self.proxy().cache();
        let mut purged = Purged { at: SystemClock.now(), ..Purged::default() };
        for what in extents(live.config(), &purge.target)? {
            let (counted, urls) = cache.count(&what, EXAMPLES - purged.examples.len());
            let removed = match (purge.dry_run, purge.soft) {
                (true, _) => counted,
                (false, true) => cache.expire(&what),
                (false, false) => cache.purge(&what),
            };
            purged.removed += removed.objects;
            purged.bytes += removed.bytes;
            purged.fetches += removed.fills;
            purged.examples.extend(urls);
        }
        // What the receipt says is so after a restart too.
        cache.confirm();
        Ok(purged)
    }

    async fn explain(&self, explain: Explain) -> Explanation {
        let local: SocketAddr = self.setup.listen.first().or(self.setup.listen_tls.first()).copied().unwrap_or(NOWHERE);
        let tls = explain.tls.then(|| Tls {
            version: "TLSv1.3",
            cipher: String::new(),
            server_name: None,
            resumed: false,
            fingerprints: None,
            mutual: None,
        });
        // Whoever asks is near the node.
        let connection = Connection::new(SocketAddr::new(local.ip(), 0), local, tls);
        let explained = self.proxy().explain(Arc::new(connection), explain.request).await;
        Explanation { text: explained.to_string(), explanation: serde_json::to_value(&explained).unwrap_or_default() }
    }

    fn metrics(&self) -> String {
        metrics::to_prometheus(&self.setup)
    }

    fn functions(&self) -> Vec<FunctionInfo> {
        let live = self.proxy().live();
        let config = live.config();
        let now = SystemClock.now();
        let info = |function: &Arc<rimward_hooks::Function>| FunctionInfo {
            name: function.name().clone(),
            tier: if function.is_lambda() { Tier::Origin } else { Tier::Viewer },
            file: file(config, function.name()),
            version: function.digest()[..VERSION].iter().map(|byte| format!("{byte:02x}")).collect(),
            source: match (function.version(), function.sandboxed()) {
                (Some((_, Some(_))), _) => CodeSource::Published,
                (_, Some(origin)) if &**origin.version() != LATEST => CodeSource::Published,
                _ => CodeSource::File,
            },
            throttled_until: function.throttled_until(now).map(date),
            problem: function.broken().map(str::to_owned),
            places: places(config, function.name()),
        };
        live.functions().iter().map(info).collect()
    }
}

fn disk_status(usage: rimward_cache::DiskUsage) -> DiskStatus {
    DiskStatus {
        objects: usage.objects,
        bytes: usage.bytes,
        limit: usage.limit,
        recovering: usage.recovering,
        problem: usage.problem.map(|problem| DiskProblem { message: problem.message, since: problem.since }),
    }
}

/// What a purge means to the cache. Distributions have their keys apart, hosts of one distribution do not.
fn extents(config: &Config, target: &Target) -> Result<Vec<rimward_cache::Purge>, NotPurged> {
    let found = |host: &str| config.distribution_for(host).ok_or_else(|| NotPurged::UnknownHost(host.to_owned()));
    let distribution = |host: &str| found(host).map(|distribution| distribution.id.to_string());
    Ok(match target {
        Target::Url { host, path } => {
            let url = with_default_root_object(found(host)?, path);
            vec![rimward_cache::Purge::Url { distribution: distribution(host)?, url }]
        }
        Target::Prefix { host, prefix } => {
            vec![rimward_cache::Purge::Prefix { distribution: distribution(host)?, prefix: prefix.clone() }]
        }
        Target::Tag { tag, host } => {
            let invalid = |why: InvalidTag| NotPurged::InvalidTag(tag.clone(), why.to_string());
            let tag = Tag::try_new(tag).map_err(invalid)?;
            let distributions = match host {
                Some(host) => vec![distribution(host)?],
                None => config.distributions.iter().map(|distribution| distribution.id.to_string()).collect(),
            };
            let of = |distribution| rimward_cache::Purge::Tag { distribution, tag: tag.clone() };
            distributions.into_iter().map(of).collect()
        }
        Target::Host { host } => {
            vec![rimward_cache::Purge::Host { distribution: distribution(host)?, host: host.clone() }]
        }
        Target::Everything => vec![rimward_cache::Purge::All],
    })
}

/// The URL under which the answer to a request for `url` is stored: `/` stands for the default root object.
fn with_default_root_object(distribution: &Distribution, url: &str) -> String {
    let (path, query) = url.find('?').map_or((url, ""), |at| url.split_at(at));
    match &distribution.default_root_object {
        Some(object) if path == "/" => format!("/{}{query}", object.trim_start_matches('/')),
        _ => url.to_owned(),
    }
}

fn file(config: &Config, name: &str) -> String {
    let file = config.functions.get(name).map(|function| match &function.kind {
        FunctionKind::Viewer(settings) => settings.code.display().to_string(),
        FunctionKind::Origin(settings) => settings.component.display().to_string(),
    });
    file.unwrap_or_default()
}

/// Every hook of every behavior that runs the function.
fn places(config: &Config, name: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for distribution in &config.distributions {
        for behavior in &distribution.behaviors {
            for hook in Hook::ALL {
                if behavior.functions(hook).iter().any(|function| &**function == name) {
                    let path = behavior.pattern.as_str().to_owned();
                    places.push(Place { distribution: distribution.id.clone(), path, hook });
                }
            }
        }
    }
    places
}
