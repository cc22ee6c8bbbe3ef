//! One request to an origin, with its attempts.

use crate::arriving::{Arriving, Lease};
use crate::connect::{Protocol, connect};
use crate::error::{ErrorKind, OriginError};
use crate::exchange::exchange;
use crate::fields::remove_hop_by_hop;
use crate::gathered::gather;
use crate::outgoing::Outgoing;
use crate::pool::{Channel, Pool};
use crate::retry::{Attempt, Next, next};
use crate::signing::{Signer, is_ambiguous, spell};
use crate::websocket::{self, Proof};
use crate::{Fetched, MakeHead, Shared, Timing};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::ext::ReasonPhrase;
use hyper_util::rt::TokioIo;
use rimward_config::Origin;
use rimward_types::{Body, Interim, RequestHead, ResponseHead};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The largest head of an answer (`cdn-behaviour.md` section 20).
const HEAD_LIMIT: usize = 32 * 1024;
/// The most bytes of an answer that are read ahead of who takes them.
const READ_BUFFER: usize = 64 * 1024;

/// What is asked of an origin.
pub(crate) struct Wanted<'a> {
    /// Comes before the path.
    pub(crate) prefix: &'a str,
    pub(crate) make: MakeHead<'a>,
    pub(crate) body: Body,
    pub(crate) interim: &'a Interim,
    /// Whether it is to go on as a WebSocket.
    pub(crate) websocket: bool,
}

/// The request of an attempt.
pub(crate) struct Message {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// What an origin must answer to switch protocols; `None` where it must not.
    switch: Option<Proof>,
    /// With the node's own keys.
    signed: bool,
}

pub(crate) async fn fetch(
    shared: &Shared,
    origin: &Origin,
    pool: Arc<Pool>,
    wanted: Wanted<'_>,
) -> Result<Fetched, OriginError> {
    let Wanted { prefix, make, body, interim, websocket } = wanted;
    let body = gather(body, &shared.waiting).await.map_err(|error| OriginError {
        kind: ErrorKind::RequestBody,
        attempts: 0,
        detail: error.to_string(),
    })?;
    let began = Instant::now();
    let completion = origin.completion_timeout.map(|limit| began + limit);
    let signer = shared.signer(origin).await?;
    let compose = |body: &Body, attempts| {
        let composed = Message::new(origin, prefix, make(), body, signer.as_ref(), websocket);
        composed.map_err(|(kind, detail)| OriginError { kind, attempts, detail })
    };
    let mut message = compose(&body, 0)?;
    let for_range = message.headers.contains_key(header::RANGE);
    // What is sent is gone; it is made anew for another attempt.
    let mut is_sent = false;
    let mut body = Some(body);
    // Whether or not the origin switches, no other request meets what is left on the connection of a handshake.
    let keepalive = if websocket { Duration::ZERO } else { origin.keepalive };
    let mut fresh = websocket;
    let mut attempts = 0;
    loop {
        let attempt_began = if attempts == 0 { began } else { Instant::now() };
        let leased =
            lease(shared, origin, &pool, Use { keepalive, fresh, tunnel: websocket }, attempts, completion).await;
        let failed = match leased {
            Err((kind, detail)) => {
                attempts += 1;
                let attempt = Attempt {
                    kind,
                    method: &message.method,
                    sent: false,
                    stale: false,
                    repeatable: true,
                    attempts,
                    allowed: u32::from(origin.attempts),
                };
                (next(attempt), kind, detail)
            }
            Ok(mut lease) => {
                let reused = lease.channel.used;
                let connect = if reused { Duration::ZERO } else { attempt_began.elapsed() };
                count(if reused { &shared.counters.reused } else { &shared.counters.connected });
                let empty = body.as_ref().is_some_and(Body::is_empty);
                let outgoing = Outgoing::new(body.take().unwrap_or_default(), lease.channel.traffic.clone());
                let request = message.request(outgoing, interim);
                is_sent = true;
                let asked =
                    exchange(&mut lease.channel, request, message.switch.as_ref(), origin.read_timeout, completion);
                match asked.await {
                    Ok(response) => {
                        let timing = Timing { connect, first_byte: began.elapsed() };
                        let (head, body) = receive(response, lease, origin, completion);
                        let attempts = attempts + 1;
                        let signed = message.signed;
                        let connection_reused = reused;
                        return Ok(Fetched { head, body, timing, connection_reused, attempts, signed, for_range });
                    }
                    Err(failed) => {
                        if !failed.stale {
                            attempts += 1;
                        }
                        if let Some((headers, whole)) = failed.unsent {
                            (message.headers, is_sent) = (headers, false);
                            body = Some(whole);
                        } else if empty {
                            body = Some(Body::Empty);
                        }
                        let attempt = Attempt {
                            kind: failed.kind,
                            method: &message.method,
                            sent: failed.sent,
                            stale: failed.stale,
                            // A handshake is for the viewer who waits, and may begin something at the origin.
                            repeatable: body.is_some() && !(websocket && failed.sent),
                            attempts,
                            allowed: u32::from(origin.attempts),
                        };
                        (next(attempt), failed.kind, failed.detail)
                    }
                }
            }
        };
        let (next, kind, detail) = failed;
        // What the completion time has left is for the answer, not for ever new attempts.
        let in_time = completion.is_none_or(|end| Instant::now() < end);
        match next {
            Next::Again if in_time => {}
            Next::Fresh if in_time => fresh = true,
            _ => return Err(OriginError { kind, attempts: attempts.max(1), detail }),
        }
        if is_sent && let Some(body) = &body {
            (message, is_sent) = (compose(body, attempts)?, false);
        }
        count(&shared.counters.retried);
        tracing::debug!(origin = %origin.name, attempts, %detail, "trying again");
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What a connection is for.
struct Use {
    /// How long it is kept afterwards.
    keepalive: Duration,
    /// Whether it must be a new one.
    fresh: bool,
    /// Whether it may become a tunnel.
    tunnel: bool,
}

/// A connection: a kept one unless `fresh`, else a new one.
async fn lease(
    shared: &Shared,
    origin: &Origin,
    pool: &Arc<Pool>,
    wanted: Use,
    attempt: u32,
    completion: Option<Instant>,
) -> Result<Lease, (ErrorKind, String)> {
    let left = completion.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
    let limit = origin.connect_timeout.min(left);
    let Use { keepalive, fresh, tunnel } = wanted;
    let tunnel = tunnel.then(|| pool.tunnel()).transpose()?;
    let permit = pool.permit(limit).await?;
    let lease = |channel| Lease { channel, pool: pool.clone(), keepalive, permit, tunnel };
    if !fresh && let Some(channel) = pool.take(keepalive) {
        return Ok(lease(channel));
    }
    match open(shared, origin, pool, limit, attempt).await {
        Ok(channel) => Ok(lease(channel)),
        Err(failed) => {
            count(&shared.counters.connect_failed);
            Err(failed)
        }
    }
}

async fn open(
    shared: &Shared,
    origin: &Origin,
    pool: &Pool,
    limit: Duration,
    attempt: u32,
) -> Result<Box<Channel>, (ErrorKind, String)> {
    let endpoint = &pool.endpoint;
    let tls = match endpoint.tls {
        true => {
            let names = &endpoint.certificate_names;
            Some(
                shared
                    .trust
                    .config(origin.ca.as_deref(), names, Protocol::Http1)
                    .map_err(|reason| (ErrorKind::Tls, reason))?,
            )
        }
        false => None,
    };
    let tls = tls.map(|config| (endpoint.sni.as_deref().unwrap_or(&endpoint.host), config));
    let stream = connect(&endpoint.host, endpoint.port, tls, limit, attempt).await?;
    let traffic = stream.traffic.clone();
    let made = http1::Builder::new()
        .title_case_headers(true)
        .max_header_size(HEAD_LIMIT)
        .max_buf_size(READ_BUFFER)
        .handshake(TokioIo::new(stream))
        .await;
    let (sender, driver) = made.map_err(|error| (ErrorKind::Connect, error.to_string()))?;
    Ok(Channel::new(sender, driver, traffic))
}

impl Message {
    pub(crate) fn new(
        origin: &Origin,
        prefix: &str,
        head: RequestHead,
        body: &Body,
        signer: Option<&Signer>,
        websocket: bool,
    ) -> Result<Self, (ErrorKind, String)> {
        let invalid = |why: String| (ErrorKind::InvalidRequest, why);
        let RequestHead { method, path, query, mut headers, .. } = head;
        // A fragment would be dropped silently, and what comes after it with it.
        if !path.starts_with('/') || path.contains(['#', '?']) || query.as_ref().is_some_and(|q| q.contains('#')) {
            return Err(invalid(format!("`{path}` is no path")));
        }
        if matches!(method, Method::CONNECT | Method::TRACE) {
            return Err(invalid(format!("{method} is not for origins")));
        }
        remove_hop_by_hop(&mut headers);
        headers.remove(header::EXPECT);
        headers.remove(header::CONTENT_LENGTH);
        for (name, value) in &origin.headers {
            headers.insert(name, value.clone());
        }
        if !headers.contains_key(header::HOST) {
            let host = HeaderValue::from_str(&origin.host()).map_err(|error| invalid(error.to_string()))?;
            headers.insert(header::HOST, host);
        }
        // RFC 9110 section 8.6: a method that expects a body says that there is none.
        if body.is_empty() && matches!(method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let signer = signer.filter(|signer| signer.applies(&headers));
        if signer.is_some() {
            // A signature holds for a `Host`: one for another than the bucket's would open another bucket.
            let own = origin.overrides.host.clone().unwrap_or_else(|| origin.host());
            if headers.get(header::HOST).is_none_or(|host| host != own.as_str()) {
                return Err((ErrorKind::Credentials, format!("its `Host` is not {own}, the bucket's")));
            }
            if is_ambiguous(&path, !prefix.is_empty()) {
                let why = "an encoded slash, or a dot segment that leads out of the bucket";
                return Err((ErrorKind::AmbiguousPath, why.to_owned()));
            }
        }
        let target = match signer {
            Some(_) => spell(&format!("{prefix}{path}"), query.as_deref()),
            None => target(prefix, &path, query.as_deref()),
        };
        let uri = Uri::from_maybe_shared(Bytes::from(target)).map_err(|error| invalid(format!("`{path}`: {error}")))?;
        if let Some(signer) = signer {
            signer.sign(&method, &uri, &mut headers, body).map_err(|why| (ErrorKind::Credentials, why))?;
        }
        // Behind the signature, which has no part in what belongs to a connection.
        let switch = websocket.then(|| websocket::ask(&mut headers));
        Ok(Self { method, uri, headers, switch, signed: signer.is_some() })
    }

    /// What is sent.
    fn request(&mut self, body: Outgoing, interim: &Interim) -> Request<Outgoing> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = std::mem::take(&mut self.headers);
        if interim.is_wanted() {
            let interim = interim.clone();
            hyper::ext::on_informational(&mut request, move |told| {
                let mut headers = told.headers().clone();
                remove_hop_by_hop(&mut headers);
                interim.send(told.status(), &headers);
            });
        }
        request
    }
}

fn target(prefix: &str, path: &str, query: Option<&str>) -> String {
    let mut target = String::with_capacity(prefix.len() + path.len() + query.map_or(0, |q| q.len() + 1));
    target.push_str(prefix);
    target.push_str(path);
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    target
}

/// The answer as the node sees it.
fn receive(
    response: Response<Incoming>,
    lease: Lease,
    origin: &Origin,
    completion: Option<Instant>,
) -> (ResponseHead, Body) {
    let (parts, incoming) = response.into_parts();
    let mut headers = parts.headers;
    remove_hop_by_hop(&mut headers);
    let reason = parts.extensions.get::<ReasonPhrase>();
    let reason = reason.and_then(|reason| std::str::from_utf8(reason.as_bytes()).ok()).map(Into::into);
    let mut head = ResponseHead { status: parts.status, reason, headers };
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        // RFC 9110 section 8.6: it has none, whatever it says.
        head.headers.remove(header::CONTENT_LENGTH);
        return (head, Body::Tunnel(websocket::tunnel(lease)));
    }
    if incoming.is_end_stream() {
        lease.finish();
        return (head, Body::Empty);
    }
    let read_timeout = origin.read_timeout;
    let lease = Some(lease);
    (head, Body::stream(Arriving { incoming, lease, read_timeout, completion, timer: None, waiting: false }))
}
