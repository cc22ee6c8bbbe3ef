//! One request and the head of its answer over one connection.

use crate::error::ErrorKind;
use crate::outgoing::Outgoing;
use crate::pool::Channel;
use crate::websocket::Proof;
use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use rimward_types::Body;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) kind: ErrorKind,
    pub(crate) detail: String,
    /// Whether a byte of the request may have reached the origin.
    pub(crate) sent: bool,
    /// Whether the connection was used before, and no byte of an answer came.
    pub(crate) stale: bool,
    /// The request's fields and body, if nothing was taken from them.
    pub(crate) unsent: Option<(HeaderMap, Body)>,
}

enum End<T> {
    Response(T),
    /// No byte in time.
    Late(ErrorKind),
}

/// Sends `request` and waits for the head of the answer. The time for the first byte runs while the origin is to move:
/// not while the viewer's body is awaited, and anew whenever the origin takes something. `switch`: what allows the origin
/// to switch protocols; the channel's driver is done then, and can be taken apart.
pub(crate) async fn exchange(
    channel: &mut Channel,
    request: Request<Outgoing>,
    switch: Option<&Proof>,
    read_timeout: Duration,
    completion: Option<Instant>,
) -> Result<Response<Incoming>, Failed> {
    let traffic = channel.traffic.clone();
    let read_before = traffic.read.load(Ordering::Relaxed);
    let written_before = traffic.written.load(Ordering::Relaxed);
    traffic.viewer_failed.store(false, Ordering::Relaxed);
    traffic.waits_for_viewer.store(false, Ordering::Relaxed);
    let mut response = pin!(channel.sender.try_send_request(request));
    let driver = &mut channel.driver;
    let mut driven = true;
    let limit = |from: Instant| completion.map_or(from + read_timeout, |end| end.min(from + read_timeout));
    let mut written = written_before;
    let mut timer = pin!(sleep_until(limit(Instant::now())));
    let mut given = None;
    let end = poll_fn(|cx| {
        if driven {
            // The end of the connection shows in the response.
            driven = Pin::new(&mut *driver).poll(cx).is_pending();
        }
        if given.is_none()
            && let Poll::Ready(response) = response.as_mut().poll(cx)
        {
            given = Some(response);
        }
        // With a switch of protocols the driver comes to its end, and what it has read ahead is not its own any more.
        if let Some(response) = given.take_if(|response| !(driven && switches(response))) {
            return Poll::Ready(End::Response(response));
        }
        let now = traffic.written.load(Ordering::Relaxed);
        if now != written {
            // The first write comes at once; moving the timer for it would be in vain.
            if written != written_before {
                timer.as_mut().reset(limit(Instant::now()));
            }
            written = now;
        }
        loop {
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if completion.is_some_and(|end| now >= end) {
                return Poll::Ready(End::Late(ErrorKind::CompletionTimeout));
            }
            if !traffic.waits_for_viewer.load(Ordering::Relaxed) {
                return Poll::Ready(End::Late(ErrorKind::ReadTimeout));
            }
            timer.as_mut().reset(limit(now));
        }
    })
    .await;
    let sent = traffic.written.load(Ordering::Relaxed) != written_before;
    let answered = traffic.read.load(Ordering::Relaxed) != read_before;
    let stale = channel.used && !answered;
    match end {
        End::Response(Ok(response)) => match fault(&response, switch) {
            None => Ok(response),
            Some(fault) => {
                Err(Failed { kind: ErrorKind::Protocol, detail: fault.to_owned(), sent, stale: false, unsent: None })
            }
        },
        End::Response(Err(mut error)) => {
            let unsent = error.take_message().and_then(|request| {
                let (parts, body) = request.into_parts();
                Some((parts.headers, body.into_whole()?))
            });
            let error = error.into_error();
            let failed = traffic.viewer_failed.load(Ordering::Relaxed);
            let kind = if failed { ErrorKind::RequestBody } else { kind_of(&error) };
            Err(Failed { kind, detail: with_source(&error), sent, stale, unsent })
        }
        End::Late(kind) => {
            let limit =
                if kind == ErrorKind::ReadTimeout { format!("{read_timeout:?}") } else { "the time".to_owned() };
            Err(Failed { kind, detail: format!("no answer within {limit}"), sent, stale: false, unsent: None })
        }
    }
}

fn kind_of(error: &hyper::Error) -> ErrorKind {
    if error.is_parse_too_large() {
        ErrorKind::HeadTooLarge
    } else if error.is_parse() {
        ErrorKind::Protocol
    } else if error.is_user() {
        ErrorKind::InvalidRequest
    } else {
        ErrorKind::Closed
    }
}

fn switches<B, E>(response: &Result<Response<B>, E>) -> bool {
    response.as_ref().is_ok_and(|response| response.status() == StatusCode::SWITCHING_PROTOCOLS)
}

/// What the parser lets pass and we do not: framing with two meanings (RFC 9112 section 6.3), and a protocol switch
/// that nobody asked for, or to something else.
fn fault(response: &Response<Incoming>, switch: Option<&Proof>) -> Option<&'static str> {
    let headers = response.headers();
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return match switch {
            None => Some("it switches protocols without being asked"),
            Some(proof) => proof.fault(headers),
        };
    }
    let mut encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let encoding = encodings.next()?;
    if headers.contains_key(header::CONTENT_LENGTH) {
        return Some("it has both Content-Length and Transfer-Encoding");
    }
    let chunked = encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") && encodings.next().is_none();
    (!chunked).then_some("its Transfer-Encoding is not chunked")
}

/// An error with what caused it.
pub(crate) fn with_source(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
