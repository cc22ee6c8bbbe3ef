//! `rimward serve`: runs a node from its first to its last request.
//!
//! - [`start`]: from a configuration to a node that can serve.
//! - [`node`]: the node that runs, and its reload.
//! - [`admin`], [`functions`]: what the admin API asks of it. [`metrics`]: what is counted outside of requests.
//! - [`invoke`]: Lambda's invoke API on the admin port.
//! - [`site`]: the proxy as the server's service.
//! - [`descriptors`]: how many files the process may open, and what they are for.
//! - [`signals`]: what the system tells the process.
//! - [`banner`]: what people read when it starts. [`curl`]: requests to try with the demo.
//! - [`log`]: the process's own log, and those of requests and connections.
//! - [`overrides`]: what the command line has instead of the configuration.

mod admin;
mod banner;
mod curl;
mod descriptors;
mod functions;
mod invoke;
mod log;
mod metrics;
mod node;
mod overrides;
mod signals;
mod site;
mod start;

use crate::args::Serve;
use crate::exit::{Exit, Stop};
use crate::{configuration, print};
use node::Node;
use overrides::Overrides;
use rimward_proxy::Records;
use signals::Signal;
use site::Site;
use start::Started;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// What the cache's disk gets for what is to be written when the node stops.
const SETTLE: Duration = Duration::from_secs(10);
/// How long tasks that are left over may take when the node has stopped.
const LEFT_OVER: Duration = Duration::from_secs(1);

/// Runs the command until it is told to stop.
///
/// # Errors
/// When the configuration cannot be used or the node cannot start.
pub fn serve(args: &Serve) -> Result<Exit, Stop> {
    log::start();
    let overrides = Overrides { listen: args.listen.clone(), admin: args.admin };
    let mut config = configuration::load(&args.config)?;
    configuration::say_warnings(&config.warnings);
    overrides.apply(&mut config.node);
    let descriptors = descriptors::raise()
        .map_err(|error| Stop::failed(format!("cannot tell how many files may be open: {error}")))?;
    if let Some(warning) = descriptors::fit(&mut config, descriptors) {
        print::warning(&warning);
    }
    let (requests, written) = log::open("access log", &config.node.access_log)?;
    let (connections, connections_written) = log::open("connection log", &config.node.connection_log)?;
    let records = Records { metrics: Arc::default(), log: requests, connections };
    let workers = workers(&config.node);
    let runtime = runtime(workers)?;
    let ended = runtime.block_on(Box::pin(async {
        let environment = start::Environment { file: &args.config, overrides, descriptors, workers };
        let started = start::start(config, environment, records).await?;
        Ok(run(started).await)
    }));
    // Tasks that fetch in the background hold the proxy, and the proxy holds the logs.
    runtime.shutdown_timeout(LEFT_OVER);
    written.wait();
    connections_written.wait();
    ended
}

fn workers(node: &rimward_config::Node) -> usize {
    node.workers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, usize::from)
}

fn runtime(workers: usize) -> Result<Runtime, Stop> {
    let runtime = Builder::new_multi_thread().worker_threads(workers).thread_name("worker").enable_all().build();
    runtime.map_err(|error| Stop::failed(format!("cannot start {workers} threads: {error}")))
}

/// Gives the cache's disk time for what is to be written. What is not done by then is lost, and nothing else.
async fn settle(cache: rimward_cache::Cache) {
    let settling = tokio::task::spawn_blocking(move || cache.settle());
    if tokio::time::timeout(SETTLE, settling).await.is_err() {
        print::warning("the cache's disk is too slow: some answers were not written");
    }
}

/// Serves until a signal says otherwise and all is drained.
async fn run(started: Started) -> Exit {
    let Started { server, admin, queue, node, mut signals } = started;
    let (stop, stopped) = oneshot::channel::<()>();
    let mut stop = Some(stop);
    let site = Arc::new(Site::new(node.proxy().clone()));
    let serving = server.run(site, async {
        // A sender that is gone means the same.
        let _told = stopped.await;
    });
    let mut serving = std::pin::pin!(serving);
    let admin = admin.map(|server| tokio::spawn(admin::serve(server, node.clone(), queue.clone())));
    // It ends with the node; what it was at is on disk, and done by the next one.
    let events = queue.map(|queue| tokio::spawn(queue.serve(node.clone())));
    let cut = loop {
        tokio::select! {
            drained = &mut serving => break drained.cut,
            signal = signals.next() => match signal {
                Signal::Reload => reload(&node),
                Signal::Stop => match stop.take() {
                    Some(stop) => {
                        node.drain();
                        print::say("stopping: requests in flight are finished; once more cuts them");
                        let _gone = stop.send(());
                    }
                    None => {
                        print::say("stopped at once");
                        return Exit::Done;
                    }
                },
            },
        }
    };
    for task in admin.into_iter().chain(events) {
        task.abort();
    }
    settle(node.proxy().cache().clone()).await;
    match cut {
        0 => print::say("stopped: all requests were finished"),
        cut => print::warning(&format!("stopped: {cut} of the requests took too long and were cut")),
    }
    Exit::Done
}

/// Reloads beside the serving, and says how it went.
fn reload(node: &Arc<Node>) {
    let node = node.clone();
    tokio::spawn(async move {
        node.read_again().await.say();
    });
}
