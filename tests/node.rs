//! A whole node in the test's own process, without listeners: requests go in at [`rimward_proxy::Proxy::serve`], as the
//! server hands them over. The clock is the test's; every record is kept.

use bytes::Bytes;
use http_body_util::BodyExt;
use rimward_cache::Cache;
use rimward_config::{Limits, MutualTlsSites};
use rimward_hooks::{Back, Engines, Functions, Problem, Stages, Version, Versions};
use rimward_isolate::Isolates;
use rimward_kv::Stores;
use rimward_origin::Origins;
use rimward_proxy::{Arrived, Geo, Live, Parts, Proxy, RecordedBody, Records};
use rimward_sandbox::Sandbox;
use rimward_server::{Handshake, HandshakeFailure, Server, Service};
use rimward_telemetry::{AccessLog, ConnectionLog, Metrics};
use rimward_types::{
    Body, BodyError, ByteSize, Clock, Connection, Interim, RequestHead, ResponseHead, SeededEntropy, SystemClock,
    TestClock, Timestamp,
};
use serde_json::Value;
use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How long a record may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node under test.
pub struct TestNode {
    proxy: Arc<Proxy>,
    /// The node's clock.
    pub clock: TestClock,
    /// Functions that could not be published.
    pub problems: Vec<Problem>,
    records: Mutex<Lines>,
    connections: Mutex<Lines>,
    /// What runs functions, with the stores and versions of this node.
    pub engines: Engines,
    folder: tempfile::TempDir,
}

/// What a viewer got.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Head.
    pub head: ResponseHead,
    /// Body, as text.
    pub body: String,
    /// Body.
    pub bytes: Bytes,
}

impl Answer {
    /// The status as a number.
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// A header's first value; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.head.header(name).unwrap_or_default()
    }
}

/// The engines, started once for the process. Compiled code is shared with other processes and later runs.
///
/// # Panics
/// When they do not start.
pub fn engines() -> Engines {
    static ENGINES: OnceLock<Engines> = OnceLock::new();
    ENGINES
        .get_or_init(|| {
            let folder: PathBuf = std::env::temp_dir().join("rimward-tests-code");
            let isolates = rimward_isolate::Options { verify: true, ..rimward_isolate::Options::new(&folder) };
            let sandbox = rimward_sandbox::Options { code_cache: Some(folder), ..rimward_sandbox::Options::default() };
            Engines {
                isolates: Isolates::start(&isolates).expect("the viewer tier starts"),
                sandbox: Sandbox::start(sandbox).expect("the origin tier starts"),
                // Each node has its own.
                stores: Arc::new(Stores::new("/nowhere")),
                versions: Arc::new(Versions::new("/nowhere")),
                clock: Arc::new(SystemClock),
            }
        })
        .clone()
}

impl TestNode {
    /// A node of `config`, the text of a `rimward.toml`, with `files` beside it.
    ///
    /// # Panics
    /// When the configuration is wrong.
    pub async fn start(config: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).expect("a file");
        }
        let config = parse(config, folder.path());
        Self::of(config, folder).await
    }

    /// A node of a configuration file; its listeners are left out.
    ///
    /// # Panics
    /// When the configuration is wrong.
    pub async fn of_file(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a configuration");
        let config = parse(&text, path.parent().unwrap_or(Path::new(".")));
        Self::of(config, tempfile::tempdir().expect("a folder")).await
    }

    async fn of(mut config: rimward_config::Config, folder: tempfile::TempDir) -> Self {
        unhurried(&mut config);
        let clock = TestClock::at(Timestamp::from_secs(1_800_000_000));
        let engines = Engines {
            stores: Arc::new(Stores::new(folder.path().join("stores"))),
            versions: Arc::new(Versions::new(folder.path().join("functions"))),
            clock: Arc::new(clock.clone()),
            ..engines()
        };
        let (functions, problems) = Functions::publish(&config, &engines, &Functions::default()).await;
        let geo = Geo::read(&config.node.geo, &Geo::default()).expect("databases");
        let (sender, writes) = channel();
        let (connection_sender, connection_writes) = channel();
        let options = rimward_cache::Options { memory: ByteSize::mb(64), ..rimward_cache::Options::default() };
        let proxy = Proxy::new(Parts {
            live: Live::new(config, functions, Arc::new(geo)),
            cache: Cache::new(options, Arc::new(clock.clone())),
            origins: Origins::with_clock(Arc::new(clock.clone())),
            records: Records {
                metrics: Arc::new(Metrics::default()),
                log: AccessLog::writer(Pipe(sender)),
                connections: ConnectionLog::writer(Pipe(connection_sender)),
            },
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SeededEntropy::new(1)),
        });
        let lines = |writes| Mutex::new(Lines { writes, unread: Vec::new() });
        let (records, connections) = (lines(writes), lines(connection_writes));
        Self { proxy, clock, problems, records, connections, engines, folder }
    }

    /// A node with one function, `f`, at viewer-request in front of the demo origin.
    pub async fn with_function(code: &str) -> Self {
        Self::start(
            &format!("{DEMO}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n"),
            &[("f.js", code.as_bytes())],
        )
        .await
    }

    /// Serves `config` from now on; `files` are written first.
    pub async fn reload(&self, config: &str, files: &[(&str, &[u8])]) -> Vec<Problem> {
        for (name, bytes) in files {
            std::fs::write(self.folder.path().join(name), bytes).expect("a file");
        }
        let mut config = parse(config, self.folder.path());
        unhurried(&mut config);
        let live = self.proxy.live();
        let (functions, problems) = Functions::publish(&config, &self.engines, live.functions()).await;
        if !problems.iter().any(|p| p.regression) {
            functions.settle(self.clock.now());
            let geo = Geo::read(&config.node.geo, live.geo()).expect("databases");
            self.proxy.swap(Live::new(config, functions, Arc::new(geo)));
        }
        problems
    }

    /// Starts again with what is on disk; `files` are written first. Gives what cannot be published.
    pub async fn restart(&self, config: &str, files: &[(&str, &[u8])]) -> Vec<Problem> {
        for (name, bytes) in files {
            std::fs::write(self.folder.path().join(name), bytes).expect("a file");
        }
        let mut config = parse(config, self.folder.path());
        unhurried(&mut config);
        let (functions, problems) = Functions::publish(&config, &self.engines, &Functions::default()).await;
        let geo = Geo::read(&config.node.geo, &Geo::default()).expect("databases");
        self.proxy.swap(Live::new(config, functions, Arc::new(geo)));
        problems
    }

    /// Publishes `code` as function `name`, as the admin API does: DEVELOPMENT, then LIVE, then the swap.
    ///
    /// # Panics
    /// When it cannot be published.
    pub async fn publish(&self, name: &str, code: &[u8]) {
        let (version, now) = (Version::of(code), self.clock.now());
        let change = |stages: &mut Stages| {
            stages.update(version.clone(), now);
            stages.publish(version, now);
            Ok::<(), Infallible>(())
        };
        self.engines.versions.change(name, Some(code), change).expect("the disk takes it");
        self.swap(name).await;
    }

    /// Makes `code` DEVELOPMENT of function `name`, as the admin API does.
    ///
    /// # Panics
    /// When the disk does not take it.
    pub fn update(&self, name: &str, code: &[u8]) {
        let (version, now) = (Version::of(code), self.clock.now());
        let change = |stages: &mut Stages| {
            stages.update(version, now);
            Ok::<(), Infallible>(())
        };
        self.engines.versions.change(name, Some(code), change).expect("the disk takes it");
        let live = self.proxy.live();
        let functions =
            live.functions().with_releases(live.config(), &self.engines, name).expect("what is kept is sound");
        self.proxy.swap(Live::new(live.config().clone(), functions, live.geo().clone()));
    }

    /// Lets LIVE be what it was before.
    ///
    /// # Panics
    /// When nothing was published before.
    pub async fn roll_back(&self, name: &str) {
        self.engines.versions.change(name, None, |stages| stages.roll_back(&Back::Previous)).expect("a way back");
        self.swap(name).await;
    }

    async fn swap(&self, name: &str) {
        let live = self.proxy.live();
        let functions = live.functions().with(live.config(), &self.engines, name).await.expect("a function that works");
        self.proxy.swap(Live::new(live.config().clone(), functions, live.geo().clone()));
    }

    /// The proxy.
    pub fn proxy(&self) -> &Arc<Proxy> {
        &self.proxy
    }

    /// Moves the clock on.
    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A GET of `path` without further headers.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path, &[]), Body::Empty).await
    }

    /// A GET of `path` with headers.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request("GET", path, headers), Body::Empty).await
    }

    /// Any request.
    ///
    /// # Panics
    /// When the body ends early.
    pub async fn send(&self, head: RequestHead, body: Body) -> Answer {
        self.try_send(head, body, Interim::default()).await.expect("the body arrives whole")
    }

    /// Any request, with a place for interim answers.
    ///
    /// # Errors
    /// When the body ends early.
    pub async fn try_send(&self, head: RequestHead, body: Body, interim: Interim) -> Result<Answer, BodyError> {
        let connection = Connection::new(([203, 0, 113, 7], 4711).into(), ([127, 0, 0, 1], 80).into(), None);
        let (head, body) = self.proxy.serve(Arc::new(connection), head, body, interim).await;
        let body = body.collect().await?.to_bytes();
        Ok(Answer { head, body: String::from_utf8_lossy(&body).into_owned(), bytes: body })
    }

    /// Any request, from 203.0.113.7; the answer's body is not read yet.
    pub async fn open(&self, head: RequestHead, body: Body) -> (ResponseHead, RecordedBody) {
        let connection = Connection::new(([203, 0, 113, 7], 4711).into(), ([127, 0, 0, 1], 80).into(), None);
        self.proxy.serve(Arc::new(connection), head, body, Interim::default()).await
    }

    /// Listens on a loopback port with `limits`, as the binary does, until the test ends.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn listen(&self, limits: Limits) -> SocketAddr {
        let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        let node = rimward_config::Node { listen, limits, ..Default::default() };
        let server = Server::bind(&node, &MutualTlsSites::none()).expect("a free port");
        let address = server.addresses()[0];
        tokio::spawn(server.run(Arc::new(Site(self.proxy.clone())), std::future::pending()));
        address
    }

    /// Listens for HTTPS as `[node.tls]` of the configuration says, as the binary does, until the test ends.
    ///
    /// # Panics
    /// When there is no free port, or no `[node.tls]`.
    pub async fn listen_https(&self) -> SocketAddr {
        let live = self.proxy.live();
        let node = rimward_config::Node { listen: Vec::new(), ..live.config().node.clone() };
        let server = Server::bind(&node, &live.config().mutual_tls_sites()).expect("a free port");
        let address = server.tls_addresses()[0];
        tokio::spawn(server.run(Arc::new(Site(self.proxy.clone())), std::future::pending()));
        address
    }

    /// The record of the oldest request whose record was not asked for yet.
    ///
    /// # Panics
    /// When none comes.
    pub fn record(&self) -> Value {
        Self::next(&self.records)
    }

    /// The same of connections to distributions with mutual TLS.
    ///
    /// # Panics
    /// When none comes.
    pub fn connection_record(&self) -> Value {
        Self::next(&self.connections)
    }

    fn next(lines: &Mutex<Lines>) -> Value {
        let mut lines = lines.lock().expect("one reader");
        loop {
            if let Some(record) = lines.next() {
                return record;
            }
            let more = lines.writes.recv_timeout(PATIENCE).expect("a record");
            lines.unread.extend(more);
        }
    }

    /// The same for a request that needs this thread to end.
    ///
    /// # Panics
    /// When none comes.
    pub async fn record_in_time(&self) -> Value {
        let began = Instant::now();
        loop {
            {
                let mut lines = self.records.lock().expect("one reader");
                while let Ok(more) = lines.writes.try_recv() {
                    lines.unread.extend(more);
                }
                if let Some(record) = lines.next() {
                    return record;
                }
            }
            assert!(began.elapsed() < PATIENCE, "no record");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// The beginning of a configuration: everything goes to the demo origin. More keys of the behavior may follow.
pub const DEMO: &str = "[origins.app]\nurl = \"builtin:demo\"\n[[distributions]]\ndomains = [\"*\"]\n\
                        [[distributions.behaviors]]\npath = \"*\"\norigin = \"app\"\n";

/// A request for `www.example.com`.
///
/// # Panics
/// When it is none.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> RequestHead {
    let mut head = RequestHead::get(path);
    head.method = method.parse().expect("a method");
    for (name, value) in [("host", "www.example.com")].iter().chain(headers) {
        let name: http::HeaderName = name.parse().expect("a header name");
        head.headers.append(name, value.parse().expect("a header value"));
    }
    head
}

/// Gives viewer functions more time than they have in production: a busy machine must not fail a test. Walls of time
/// are walls at any height.
fn unhurried(config: &mut rimward_config::Config) {
    for function in config.functions.values_mut() {
        if let rimward_config::FunctionKind::Viewer(viewer) = &mut function.kind {
            viewer.timeout = viewer.timeout.max(Duration::from_millis(100));
        }
    }
}

fn parse(text: &str, folder: &Path) -> rimward_config::Config {
    rimward_config::parse(text, folder, "rimward.toml")
        .unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<String>()))
}

/// The proxy as the server's service.
struct Site(Arc<Proxy>);

impl Service for Site {
    async fn call(
        &self,
        connection: Arc<Connection>,
        head: RequestHead,
        body: Body,
        interim: Interim,
    ) -> (ResponseHead, Body) {
        let (head, body) = self.0.serve(connection, head, body, interim).await;
        (head, body.into_body())
    }

    fn begins_call(&self, connection: &Connection, head: &RequestHead) -> bool {
        self.0.begins_call(connection, head)
    }

    async fn handshake(&self, handshake: Handshake) -> bool {
        let Handshake { distribution, peer, local, server_name, certificate, outcome, took } = handshake;
        let outcome = outcome.map_err(HandshakeFailure::as_str);
        self.0.connect(Arrived { distribution, peer, local, server_name, certificate, outcome, handshake: took })
    }
}

/// Records that were written and not asked for yet.
struct Lines {
    writes: Receiver<Vec<u8>>,
    unread: Vec<u8>,
}

impl Lines {
    fn next(&mut self) -> Option<Value> {
        let end = self.unread.iter().position(|b| *b == b'\n')?;
        let line: Vec<u8> = self.unread.drain(..=end).collect();
        Some(serde_json::from_slice(&line).expect("a record is JSON"))
    }
}

struct Pipe(Sender<Vec<u8>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The test may be over.
        let _nobody_reads = self.0.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
