//! One gRPC call, with its attempts (`cdn-behaviour.md` section 21). The node knows nothing of messages: it sends both halves
//! on as they come, and the trailers behind the answer.

use crate::connect::Protocol;
use crate::download::Download;
use crate::error::{ErrorKind, OriginError};
use crate::exchange::with_source;
use crate::fetch::{Message, count};
use crate::fields::remove_hop_by_hop;
use crate::http2_error::Http2Error;
use crate::multiplex::{self, Dial, Seat};
use crate::pace::Pace;
use crate::pool::Pool;
use crate::retry::{Attempt, Next, next};
use crate::upload::{Progress, Upload};
use crate::{Fetched, Shared, Timing};
use http::{HeaderValue, Method, Request, Response, Uri, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;
use rimward_config::Origin;
use rimward_types::{Body, RequestHead, ResponseHead};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often a call is sent again that the origin has not looked at.
const MOST_UNPROCESSED: u32 = 3;
/// Header lines of an answer, at most: as many as one of HTTP/1.1 has.
const MOST_HEADERS: usize = 100;

/// What is asked of an origin.
pub(crate) struct Wanted<'a> {
    /// Comes before the path.
    pub(crate) prefix: &'a str,
    pub(crate) head: RequestHead,
    pub(crate) body: Body,
    /// How long neither side may send anything while the viewer's half is open.
    pub(crate) idle: Duration,
}

/// Why an attempt has no answer.
struct Failed {
    kind: ErrorKind,
    detail: String,
    /// The origin has provably not looked at it.
    unprocessed: bool,
}

pub(crate) async fn call(
    shared: &Shared,
    origin: &Origin,
    pool: Arc<Pool>,
    wanted: Wanted<'_>,
) -> Result<Fetched, OriginError> {
    let Wanted { prefix, head, body, idle } = wanted;
    let began = Instant::now();
    let completion = origin.completion_timeout.map(|limit| began + limit);
    let refused = |(kind, detail)| OriginError { kind, attempts: 0, detail };
    let message = Message::new(origin, prefix, head, &body, None, false).map_err(refused)?;
    let head = http2_head(message, pool.endpoint.tls).map_err(refused)?;
    let pace = Pace { read: origin.read_timeout, idle, completion };
    let progress = Progress::new(body);
    let (mut attempts, mut unprocessed) = (0, 0);
    loop {
        let attempt_began = Instant::now();
        let in_time = completion.is_none_or(|end| attempt_began < end);
        let seat = match seat(shared, origin, &pool, attempts, completion).await {
            Ok(seat) => seat,
            Err((kind, detail)) => {
                count(&shared.counters.connect_failed);
                attempts += 1;
                let attempt = Attempt {
                    kind,
                    method: &Method::POST,
                    sent: false,
                    stale: false,
                    repeatable: true,
                    attempts,
                    allowed: u32::from(origin.attempts),
                };
                if next(attempt) == Next::Fail || !in_time {
                    return Err(OriginError { kind, attempts, detail });
                }
                count(&shared.counters.retried);
                continue;
            }
        };
        let reused = seat.reused;
        count(if reused { &shared.counters.reused } else { &shared.counters.connected });
        let connect = if reused { Duration::ZERO } else { attempt_began.elapsed() };
        let mut request = Request::new(progress.begin());
        (*request.uri_mut(), *request.headers_mut()) = (head.uri().clone(), head.headers().clone());
        (*request.method_mut(), *request.version_mut()) = (head.method().clone(), Version::HTTP_2);
        match ask(&seat, request, &progress, pace).await {
            Ok(response) => {
                let timing = Timing { connect, first_byte: began.elapsed() };
                let (head, body) = receive(response, seat, progress, pace);
                let attempts = attempts + 1;
                return Ok(Fetched {
                    head,
                    body,
                    timing,
                    connection_reused: reused,
                    attempts,
                    signed: false,
                    for_range: false,
                });
            }
            Err(failed)
                if failed.unprocessed && unprocessed < MOST_UNPROCESSED && progress.can_begin_again() && in_time =>
            {
                unprocessed += 1;
                count(&shared.counters.retried);
                tracing::debug!(origin = %origin.name, detail = failed.detail, "the origin has not looked at it: again");
            }
            Err(Failed { kind, detail, .. }) => return Err(OriginError { kind, attempts: attempts + 1, detail }),
        }
    }
}

async fn seat(
    shared: &Shared,
    origin: &Origin,
    pool: &Arc<Pool>,
    attempt: u32,
    completion: Option<Instant>,
) -> Result<Seat, (ErrorKind, String)> {
    let left = completion.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
    let endpoint = &pool.endpoint;
    let tls = match endpoint.tls {
        true => {
            let config = shared.trust.config(origin.ca.as_deref(), &endpoint.certificate_names, Protocol::Http2);
            Some(config.map_err(|reason| (ErrorKind::Tls, reason))?)
        }
        false => None,
    };
    let (limit, keepalive) = (origin.connect_timeout.min(left), origin.keepalive);
    multiplex::seat(pool, Dial { tls, limit, keepalive, attempt }).await
}

/// The request as HTTP/2 has it: `Host` is in the target, and the node takes trailers.
fn http2_head(message: Message, tls: bool) -> Result<Request<()>, (ErrorKind, String)> {
    let Message { method, uri, mut headers, .. } = message;
    let invalid = |why: String| (ErrorKind::InvalidRequest, why);
    let host = headers.remove(header::HOST).ok_or_else(|| invalid("it has no host".to_owned()))?;
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let uri = Uri::builder()
        .scheme(if tls { "https" } else { "http" })
        .authority(host.as_bytes())
        .path_and_query(target)
        .build()
        .map_err(|error| invalid(error.to_string()))?;
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    let mut request = Request::new(());
    (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, headers);
    Ok(request)
}

/// Sends `request` and waits for the head of the answer. Dropped before, the origin's stream is reset.
async fn ask(
    seat: &Seat,
    request: Request<Upload>,
    progress: &Progress,
    pace: Pace,
) -> Result<Response<Incoming>, Failed> {
    let mut sender = seat.sender();
    let mut response = pin!(sender.try_send_request(request));
    let mut timer = pin!(sleep_until(pace.next_look(Instant::now(), progress.standing())));
    let answered = poll_fn(|cx| {
        if let Poll::Ready(response) = response.as_mut().poll(cx) {
            return Poll::Ready(Ok(response));
        }
        while timer.as_mut().poll(cx).is_ready() {
            let (now, standing) = (Instant::now(), progress.standing());
            let (deadline, late) = pace.deadline(standing);
            if now >= deadline {
                return Poll::Ready(Err(late));
            }
            timer.as_mut().reset(pace.next_look(now, standing));
        }
        Poll::Pending
    });
    match answered.await {
        Ok(Ok(response)) => {
            seat.answered();
            progress.keep_no_more();
            if response.headers().len() > MOST_HEADERS {
                let detail = format!("{} header lines", response.headers().len());
                return Err(Failed { kind: ErrorKind::HeadTooLarge, detail, unprocessed: false });
            }
            progress.moves();
            Ok(response)
        }
        Ok(Err(mut error)) => {
            // It never left the node: the connection was about to end.
            let unsent = error.take_message().is_some();
            Err(failure(seat, progress, &error.into_error(), unsent))
        }
        Err(late) => Err(Failed { kind: late.kind(), detail: late.detail(), unprocessed: false }),
    }
}

fn failure(seat: &Seat, progress: &Progress, error: &hyper::Error, unsent: bool) -> Failed {
    let detail = with_source(error);
    let failed = |kind, detail, unprocessed| Failed { kind, detail, unprocessed };
    if progress.viewer_failed() {
        return failed(ErrorKind::RequestBody, detail, false);
    }
    if error.is_user() {
        return failed(ErrorKind::InvalidRequest, detail, false);
    }
    // What never left the node says nothing itself; the connection may.
    let (meaning, detail) = match (unsent, seat.why_over()) {
        (true, Some(why)) => why,
        _ => (Http2Error::of(error), detail),
    };
    if unsent || meaning == Http2Error::Leaving {
        seat.retire();
    }
    match meaning {
        Http2Error::Malformed if !seat.has_answered() => failed(ErrorKind::NotHttp2, detail, false),
        _ if unsent => failed(ErrorKind::Closed, detail, true),
        Http2Error::Refused | Http2Error::Leaving => failed(ErrorKind::Closed, detail, true),
        Http2Error::Reset | Http2Error::Broken => failed(ErrorKind::Closed, detail, false),
        Http2Error::Malformed => failed(ErrorKind::Protocol, detail, false),
    }
}

/// The answer as the node sees it.
fn receive(response: Response<Incoming>, seat: Seat, progress: Progress, pace: Pace) -> (ResponseHead, Body) {
    let (parts, incoming) = response.into_parts();
    let mut headers = parts.headers;
    remove_hop_by_hop(&mut headers);
    let head = ResponseHead { status: parts.status, reason: None, headers };
    if incoming.is_end_stream() {
        // Trailers alone, as gRPC calls it: they are in the head.
        progress.answered();
        return (head, Body::Empty);
    }
    (head, Body::stream(Download::new(incoming, seat, progress, pace)))
}
