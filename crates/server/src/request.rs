//! From the parser's request to the service's, and the checks that HTTP/2 needs.

use crate::counters::{Counters, add};
use crate::head::{check_path_and_query, is_authority};
use crate::rate::Rate;
use crate::refusal::Refusal;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Version, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use rimward_config::Limits;
use rimward_types::{Body, BodyError, Connection, RequestHead};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Makes the service's head. HTTP/1 heads have passed the gate; HTTP/2 is checked here.
pub(crate) fn head(parts: Parts, connection: &Connection, limits: &Limits) -> Result<RequestHead, Refusal> {
    let Parts { method, uri, version, mut headers, .. } = parts;
    if version == Version::HTTP_2 {
        check_h2(&method, &uri, &headers, limits)?;
        merge_cookies(&mut headers);
    }
    if !headers.contains_key(header::HOST) {
        // HTTP/2 names it in `:authority`; HTTP/1.0 may not name it, and means the address that it came to.
        let host = match uri.authority() {
            Some(authority) => HeaderValue::from_str(authority.as_str()),
            None => HeaderValue::from_str(&connection.local.to_string()),
        };
        headers.insert(header::HOST, host.map_err(|_| Refusal::HostInvalid)?);
    }
    let path = match uri.path() {
        "" => "/".to_owned(),
        path => path.to_owned(),
    };
    let query = uri.query().map(str::to_owned);
    Ok(RequestHead { method, path, query, headers, version })
}

/// What RFC 9113 section 8.3 and our limits ask of an HTTP/2 request beyond what the HTTP/2 layer has seen to.
fn check_h2(method: &Method, uri: &http::Uri, headers: &HeaderMap, limits: &Limits) -> Result<(), Refusal> {
    if matches!(*method, Method::CONNECT | Method::TRACE) {
        return Err(Refusal::Method);
    }
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    if target.len() > limits.url.as_usize() {
        return Err(Refusal::UrlTooLong);
    }
    match target {
        "*" if *method == Method::OPTIONS => {}
        _ if target.starts_with('/') => check_path_and_query(target.as_bytes())?,
        _ => return Err(Refusal::Target),
    }
    if headers.len() > limits.headers {
        return Err(Refusal::TooManyHeaders);
    }
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if headers.values().map(HeaderValue::as_bytes).any(|value| is_space(value.first()) || is_space(value.last())) {
        return Err(Refusal::HeaderSpace);
    }
    if headers.get_all(header::CONTENT_LENGTH).iter().nth(1).is_some() {
        return Err(Refusal::LengthRepeated);
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    match (uri.authority(), hosts.next(), hosts.next()) {
        (_, _, Some(_)) => Err(Refusal::HostRepeated),
        (None, None, _) => Err(Refusal::HostMissing),
        (Some(authority), _, _) if !is_authority(authority.as_str().as_bytes()) => Err(Refusal::HostInvalid),
        (_, Some(host), _) if !is_authority(host.as_bytes()) => Err(Refusal::HostInvalid),
        (Some(authority), Some(host), _) if !authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()) => {
            Err(Refusal::HostMismatch)
        }
        _ => Ok(()),
    }
}

/// HTTP/2 may send each cookie in a field of its own (RFC 9113 section 8.2.3).
fn merge_cookies(headers: &mut HeaderMap) {
    let mut cookies = headers.get_all(header::COOKIE).iter();
    if let (Some(first), Some(second)) = (cookies.next(), cookies.next()) {
        let mut all = first.as_bytes().to_vec();
        for cookie in [second].into_iter().chain(cookies) {
            all.extend_from_slice(b"; ");
            all.extend_from_slice(cookie.as_bytes());
        }
        if let Ok(all) = HeaderValue::from_bytes(&all) {
            headers.insert(header::COOKIE, all);
        }
    }
}

/// What holds for a request's body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes, at most.
    size: u64,
    /// `None`: the service keeps it.
    pace: Option<Pace>,
}

/// How slow a body may be.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Time between two parts.
    idle: Duration,
    /// On average.
    rate: Rate,
}

impl Bounds {
    pub(crate) fn of(limits: &Limits) -> Self {
        let pace = Pace { idle: limits.body_idle, rate: Rate::new(limits) };
        Self { size: limits.request_body.as_u64(), pace: Some(pace) }
    }

    /// See [`Service::begins_call`](crate::Service::begins_call).
    pub(crate) fn of_call() -> Self {
        Self { size: u64::MAX, pace: None }
    }
}

/// Wraps the parser's body: none where there is none, else one that keeps time and size.
pub(crate) fn body(
    incoming: Incoming,
    bounds: Bounds,
    version: Version,
    counters: &Arc<Counters>,
) -> Result<Body, Refusal> {
    if incoming.is_end_stream() {
        return Ok(Body::Empty);
    }
    if incoming.size_hint().lower() > bounds.size {
        return Err(Refusal::BodyTooLarge);
    }
    Ok(Body::stream(Receiving {
        incoming,
        http2: version == Version::HTTP_2,
        bounds,
        left: bounds.size,
        waits_since: None,
        timer: None,
        counters: counters.clone(),
    }))
}

/// A request body on its way in.
struct Receiving {
    incoming: Incoming,
    http2: bool,
    bounds: Bounds,
    left: u64,
    /// Since when the service waits for the viewer.
    waits_since: Option<Instant>,
    /// Runs while the service waits for the viewer.
    timer: Option<Pin<Box<Sleep>>>,
    counters: Arc<Counters>,
}

impl http_body::Body for Receiving {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            match Pin::new(&mut this.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.timer = None;
                    // Trailers are not passed on.
                    let waited = this.waits_since.take().map_or(Duration::ZERO, |since| since.elapsed());
                    let Ok(data) = frame.into_data() else { continue };
                    if let Some(pace) = &mut this.bounds.pace {
                        pace.rate.came(data.len() as u64, waited);
                    }
                    match this.left.checked_sub(data.len() as u64) {
                        Some(left) => this.left = left,
                        None => return Poll::Ready(Some(Err(BodyError::TooLarge(this.bounds.size)))),
                    }
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Poll::Ready(Some(Err(error))) if this.http2 => {
                    let source = Box::new(error);
                    return Poll::Ready(Some(Err(BodyError::Reset { side: "viewer", source })));
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(BodyError::Viewer(reason(&error)))));
                }
                // The parser takes a reset without error for an end; what is made of half a body must not look whole.
                Poll::Ready(None) if this.http2 && !this.incoming.is_end_stream() => {
                    return Poll::Ready(Some(Err(BodyError::Viewer("the stream was reset".to_owned()))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    let Some(Pace { idle, rate }) = this.bounds.pace else { return Poll::Pending };
                    let since = *this.waits_since.get_or_insert_with(Instant::now);
                    let deadline = since + rate.allows().map_or(idle, |allowed| allowed.min(idle));
                    let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
                    return timer.as_mut().poll(cx).map(|()| {
                        add(&this.counters.stalled);
                        Some(Err(BodyError::TimedOut))
                    });
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// An error with what caused it.
fn reason(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
