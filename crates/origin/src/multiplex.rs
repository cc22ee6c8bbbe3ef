//! HTTP/2 connections to one origin, each shared by many calls.
//!
//! Unlike those of HTTP/1.1 a connection has a task of its own: many use it, and none of them can drive it for the others. It is
//! made in a task, too, so that a viewer who leaves does not take it away from the others who wait for it; while one is made,
//! no other is. Connections count among the origin's `max-connections`, and with WebSockets among the half of them that may
//! stay (`pool.rs`).

use crate::connect::{Failed, H2, connect};
use crate::error::ErrorKind;
use crate::exchange::with_source;
use crate::http2_error::Http2Error;
use crate::pool::{Pool, QUEUE, Waiting};
use crate::stream::{Io, Stream};
use crate::upload::Upload;
use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use rustls::ClientConfig;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, timeout_at};

/// Calls over one connection at a time, where the origin allows as many (RFC 9113 section 6.5.2 advises it to).
const SEATS: usize = 100;
/// What an origin may send of an answer before somebody takes it.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The same of all answers of a connection: viewers that take nothing do not hold up the others.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * SEATS as u32;
/// Bytes of a viewer's half that wait for the socket.
const SEND_BUFFER: usize = 128 * 1024;
/// The largest head of an answer, and trailers (`cdn-behaviour.md` section 20).
const HEAD_LIMIT: u32 = 32 * 1024;
/// After so long without a frame an origin with open calls is asked whether it is there. gRPC servers close connections that ask
/// more often than every 5 minutes.
const PING_INTERVAL: Duration = Duration::from_secs(330);
/// What it gets for an answer.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

type Driver = Connection<TokioIo<Stream>, Upload, TokioExecutor>;

/// The HTTP/2 connections of a pool.
#[derive(Default)]
pub(crate) struct Multiplex {
    links: Mutex<Links>,
    /// A seat became free, or a connection was made or not.
    changed: Notify,
    waiting: AtomicUsize,
    /// A task closes what is kept too long.
    reaped: AtomicBool,
}

#[derive(Default)]
struct Links {
    open: Vec<Arc<Link>>,
    dialing: bool,
    /// How often dialing failed, and how the last time.
    failures: u64,
    last_failure: Option<Failed>,
}

/// A connection.
struct Link {
    sender: SendRequest<Upload>,
    /// Here it is asked how many streams the origin allows.
    driver: Arc<Mutex<Driving>>,
    /// Calls over it; changed under the lock of `Links`.
    seats: AtomicUsize,
    /// Takes no more calls: the origin wants it to end.
    retired: AtomicBool,
    /// Whether a call has sat here.
    used: AtomicBool,
    /// Whether an answer has come over it.
    answered: AtomicBool,
    idle_since: Mutex<Instant>,
}

/// What drives a connection.
enum Driving {
    Driver(Driver),
    /// It is over, and why.
    Over(Option<hyper::Error>),
}

/// Leave for one call over a connection, until dropped.
pub(crate) struct Seat {
    link: Arc<Link>,
    pool: Arc<Pool>,
    keepalive: Duration,
    /// Whether a call was here before.
    pub(crate) reused: bool,
}

/// How to connect.
#[derive(Clone)]
pub(crate) struct Dial {
    /// TLS, where it is not `h2c`.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) limit: Duration,
    pub(crate) keepalive: Duration,
    /// Which of the origin's addresses comes first.
    pub(crate) attempt: u32,
}

/// Waits for a seat: at a connection that is there, or at a new one.
pub(crate) async fn seat(pool: &Arc<Pool>, dial: Dial) -> Result<Seat, Failed> {
    let multiplex = &pool.multiplex;
    if let Some(seat) = take(pool, dial.keepalive) {
        return Ok(seat);
    }
    let busy = || (ErrorKind::Saturated, "all streams of its connections and the queue are taken".to_owned());
    let _place = Waiting::take(&multiplex.waiting, pool.endpoint.max_connections + QUEUE).ok_or_else(busy)?;
    let deadline = Instant::now() + dial.limit;
    let failures = multiplex.links.lock().failures;
    loop {
        let mut changed = pin!(multiplex.changed.notified());
        // From here on no change is missed.
        changed.as_mut().enable();
        if let Some(seat) = take(pool, dial.keepalive) {
            return Ok(seat);
        }
        {
            let mut links = multiplex.links.lock();
            if links.failures != failures
                && let Some(failed) = &links.last_failure
            {
                return Err(failed.clone());
            }
            if !links.dialing {
                match pool.tunnel() {
                    Ok(leave) => {
                        links.dialing = true;
                        tokio::spawn(make(pool.clone(), dial.clone(), leave));
                    }
                    // With no connection there nobody leaves a seat.
                    Err(busy) if links.open.is_empty() => return Err(busy),
                    Err(_) => {}
                }
            }
        }
        if timeout_at(deadline, changed).await.is_err() {
            let dialing = multiplex.links.lock().dialing;
            let kind = if dialing { ErrorKind::ConnectTimeout } else { ErrorKind::Saturated };
            return Err((kind, format!("no stream within {:?}", dial.limit)));
        }
    }
}

/// A seat at a connection that is there. The oldest ones are filled first, so that the others may come to rest.
fn take(pool: &Arc<Pool>, keepalive: Duration) -> Option<Seat> {
    let mut links = pool.multiplex.links.lock();
    links.open.retain(|link| !link.is_over());
    let link = links.open.iter().find(|link| link.seats.load(Ordering::Relaxed) < link.most())?.clone();
    link.seats.fetch_add(1, Ordering::Relaxed);
    let reused = link.used.swap(true, Ordering::Relaxed);
    Some(Seat { link, pool: pool.clone(), keepalive, reused })
}

/// Makes a connection for all who wait.
async fn make(pool: Arc<Pool>, dial: Dial, leave: OwnedSemaphorePermit) {
    // Also when it panics: the next one dials.
    let done = Dialed(&pool);
    let made = open(&pool, dial, leave).await;
    let mut links = pool.multiplex.links.lock();
    match made {
        Ok(link) => links.open.push(link),
        Err(failed) => {
            links.failures += 1;
            links.last_failure = Some(failed);
        }
    }
    drop(links);
    drop(done);
}

struct Dialed<'a>(&'a Pool);

impl Drop for Dialed<'_> {
    fn drop(&mut self) {
        self.0.multiplex.links.lock().dialing = false;
        self.0.multiplex.changed.notify_waiters();
    }
}

async fn open(pool: &Pool, dial: Dial, leave: OwnedSemaphorePermit) -> Result<Arc<Link>, Failed> {
    let endpoint = &pool.endpoint;
    let permit = pool.permit(dial.limit).await?;
    let tls = dial.tls.map(|config| (endpoint.sni.as_deref().unwrap_or(&endpoint.host), config));
    let mut stream = connect(&endpoint.host, endpoint.port, tls, dial.limit, dial.attempt).await?;
    if let Io::Tls(tls) = &stream.io
        && tls.get_ref().1.alpn_protocol() != Some(H2)
    {
        return Err((ErrorKind::NotHttp2, format!("{}: TLS did not agree on h2", endpoint.host)));
    }
    stream.lasting = Some((permit, leave));
    let made = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_max_send_streams(SEATS)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(HEAD_LIMIT)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .handshake(TokioIo::new(stream))
        .await;
    let (sender, driver) = made.map_err(|error| (ErrorKind::NotHttp2, error.to_string()))?;
    let driver = Arc::new(Mutex::new(Driving::Driver(driver)));
    tokio::spawn(drive(driver.clone()));
    Ok(Arc::new(Link {
        sender,
        driver,
        seats: AtomicUsize::new(0),
        retired: AtomicBool::new(false),
        used: AtomicBool::new(false),
        answered: AtomicBool::new(false),
        idle_since: Mutex::new(Instant::now()),
    }))
}

/// Runs until nobody can send over it any more. What is under way goes on: its frames have a task of the HTTP/2 layer's.
async fn drive(driving: Arc<Mutex<Driving>>) {
    poll_fn(|cx| {
        let mut driving = driving.lock();
        let Driving::Driver(driver) = &mut *driving else { return Poll::Ready(()) };
        // Then it is dropped, so that requests that wait in it are given back.
        Pin::new(driver).poll(cx).map(|ended| *driving = Driving::Over(ended.err()))
    })
    .await;
}

// === impl Multiplex ===

impl Multiplex {
    /// Whether there is no connection and nobody waits for one.
    pub(crate) fn is_unused(&self) -> bool {
        let links = self.links.lock();
        links.open.is_empty() && !links.dialing
    }

    /// Connections without a call.
    pub(crate) fn kept(&self) -> usize {
        self.links.lock().open.iter().filter(|link| link.seats.load(Ordering::Relaxed) == 0).count()
    }
}

// === impl Link ===

impl Link {
    fn is_over(&self) -> bool {
        self.retired.load(Ordering::Relaxed) || self.sender.is_closed()
    }

    /// Calls that it takes.
    fn most(&self) -> usize {
        match &*self.driver.lock() {
            Driving::Driver(driver) => driver.current_max_send_streams().min(SEATS),
            Driving::Over(_) => 0,
        }
    }
}

// === impl Seat ===

impl Seat {
    /// What sends the call.
    pub(crate) fn sender(&self) -> SendRequest<Upload> {
        self.link.sender.clone()
    }

    /// Lets nobody else sit here: the origin wants the connection to end.
    pub(crate) fn retire(&self) {
        self.link.retired.store(true, Ordering::Relaxed);
    }

    /// Why the connection takes nothing more, where it is known.
    pub(crate) fn why_over(&self) -> Option<(Http2Error, String)> {
        match &*self.link.driver.lock() {
            Driving::Over(Some(error)) => Some((Http2Error::of(error), with_source(error))),
            _ => None,
        }
    }

    /// An answer came.
    pub(crate) fn answered(&self) {
        self.link.answered.store(true, Ordering::Relaxed);
    }

    /// Whether an answer has ever come over the connection: else the other side may not speak HTTP/2 at all.
    pub(crate) fn has_answered(&self) -> bool {
        self.link.answered.load(Ordering::Relaxed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let multiplex = &self.pool.multiplex;
        let links = multiplex.links.lock();
        let last = self.link.seats.fetch_sub(1, Ordering::Relaxed) == 1;
        if last {
            *self.link.idle_since.lock() = Instant::now();
        }
        drop(links);
        multiplex.changed.notify_one();
        if last && !multiplex.reaped.swap(true, Ordering::AcqRel) {
            tokio::spawn(reap(Arc::downgrade(&self.pool), self.keepalive));
        }
    }
}

/// Closes connections that are without calls too long, until there are none.
async fn reap(pool: Weak<Pool>, keepalive: Duration) {
    loop {
        tokio::time::sleep(keepalive).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut links = pool.multiplex.links.lock();
        links.open.retain(|link| {
            let idle = link.seats.load(Ordering::Relaxed) == 0 && link.idle_since.lock().elapsed() >= keepalive;
            !idle && !link.is_over()
        });
        if links.open.is_empty() {
            // Under the lock, so that who leaves the next seat sees it.
            pool.multiplex.reaped.store(false, Ordering::Release);
            return;
        }
    }
}
