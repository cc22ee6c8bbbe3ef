//! One request: from the parser to the service and back.

use crate::ALLOWED_METHODS;
use crate::counters::{Counters, add};
use crate::flow::{Flow, InFlight, Verdict};
use crate::framing;
use crate::refusal::{Refusal, Refused};
use crate::request::{self, Bounds};
use crate::service::Service;
use crate::stall;
use crate::switch::{Seat, Switched};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use rimward_config::Limits;
use rimward_types::{Body, BodyError, Connection, Ended, Interim, Passage, RequestHead, ResponseHead};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// Requests of an HTTP/2 connection that are worked on at a time, at most: those of its streams, and what outlives them. Refreshes of
/// what is stale are among it, up to 256 of which wait for an origin that hangs.
const MOST_AT_WORK: usize = 8 * crate::connection::STREAMS as usize;

/// What the requests of one connection share.
pub(crate) struct Session<S> {
    pub(crate) service: Arc<S>,
    pub(crate) connection: Arc<Connection>,
    pub(crate) flow: Arc<Flow>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) counters: Arc<Counters>,
    /// Requests so far, where their number is limited.
    pub(crate) served: AtomicUsize,
}

/// Answers one request. Never fails: whatever goes wrong has a page.
pub(crate) async fn answer<S: Service>(
    session: Arc<Session<S>>,
    request: Request<Incoming>,
) -> Result<Response<Reply>, Infallible> {
    let version = request.version();
    let (in_flight, verdict) = session.flow.begin(version == Version::HTTP_2);
    if in_flight.is_given_up() {
        // The driver ends the connection, and this with it.
        return std::future::pending().await;
    }
    let to_head = request.method() == Method::HEAD;
    let asks = in_flight.asks_to_switch();
    let (seat, admitted) = session.seat(asks, request, verdict);
    let (mut head, mut body) = match admitted {
        Admitted::Request(head, body) if version == Version::HTTP_11 => {
            let answered = session.call(head, body, in_flight.interim()).await;
            in_flight.final_answer().await;
            answered
        }
        Admitted::Request(head, body) => session.call(head, body, Interim::default()).await,
        Admitted::Answer(head, body) => (head, body),
    };
    if asks && session.settle(seat, &mut head, &mut body, &in_flight) {
        return Ok(session.response(head, Body::Empty, version, in_flight));
    }
    if head.status.is_informational() {
        // Neither interim nor, unasked, switching protocols: an answer is final here.
        tracing::error!(status = head.status.as_u16(), "the service gave an interim answer");
        (head, body) = (ResponseHead::new(StatusCode::INTERNAL_SERVER_ERROR), Body::Empty);
    }
    framing::settle(&mut head.headers, head.status, to_head, body.len());
    Ok(session.response(head, body, version, in_flight))
}

enum Admitted {
    Request(RequestHead, Body),
    Answer(ResponseHead, Body),
}

impl<S: Service> Session<S> {
    /// Admits a request; one that asks to switch protocols needs a seat.
    fn seat(&self, asks: bool, request: Request<Incoming>, verdict: Option<Verdict>) -> (Option<Seat>, Admitted) {
        if !asks {
            return (None, self.admit(request, verdict));
        }
        match Seat::take(&self.counters, self.limits.websockets) {
            None => (None, self.refuse(Refusal::TooManyWebSockets, request.version(), b"")),
            seat => (seat, self.admit(request, verdict)),
        }
    }

    /// Settles a switch of protocols that was asked for, and says whether there is one.
    fn settle(&self, seat: Option<Seat>, head: &mut ResponseHead, body: &mut Body, in_flight: &InFlight) -> bool {
        match (std::mem::take(body), seat) {
            // It would be cut soon, and its 101 would say `close`. The viewer asks again, and reaches one that stays.
            (Body::Tunnel(tunnel), Some(_)) if self.flow.is_stopped() => {
                tunnel.end(Passage { ended: Ended::Cut, ..Passage::default() });
                (*head, *body) = self.page(Refusal::Stopping, Version::HTTP_11, b"");
                self.decline(head);
                false
            }
            (Body::Tunnel(tunnel), Some(seat)) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                framing::settle(&mut head.headers, head.status, false, None);
                head.headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
                head.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                self.flow.switch.agree(Switched { tunnel, seat, in_flight: in_flight.hold() });
                true
            }
            (answered, _) => {
                *body = answered;
                self.decline(head);
                false
            }
        }
    }

    fn decline(&self, head: &mut ResponseHead) {
        if self.flow.switch.decline() {
            head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        // The gate goes on, and keeps the times again, when it is asked.
        self.flow.waker.wake();
    }

    fn admit(&self, request: Request<Incoming>, verdict: Option<Verdict>) -> Admitted {
        if let Some(verdict) = verdict {
            return self.refuse(verdict.refusal, verdict.version, &verdict.line);
        }
        // Whoever works for a request of the connection holds it, those included that outlive their viewer.
        if request.version() == Version::HTTP_2 && Arc::strong_count(&self.connection) > MOST_AT_WORK {
            return self.refuse(Refusal::TooMuchWork, Version::HTTP_2, b"");
        }
        if self.flow.is_revoked() {
            return self.refuse(Refusal::TrustChanged, request.version(), b"");
        }
        let (parts, body) = request.into_parts();
        let version = parts.version;
        let head = match request::head(parts, &self.connection, &self.limits) {
            Ok(head) => head,
            Err(refusal) => return self.refuse(refusal, version, b""),
        };
        let call =
            version == Version::HTTP_2 && !body.is_end_stream() && self.service.begins_call(&self.connection, &head);
        let bounds = if call { Bounds::of_call() } else { Bounds::of(&self.limits) };
        let body = match request::body(body, bounds, version, &self.counters) {
            Ok(body) => body,
            Err(refusal) => return self.refuse(refusal, version, b""),
        };
        if head.path == "*" {
            // RFC 9110 section 9.3.7: it asks about the server, not about any site.
            let mut answer = ResponseHead::new(StatusCode::OK);
            answer.headers.insert(header::ALLOW, HeaderValue::from_static(ALLOWED_METHODS));
            return Admitted::Answer(answer, Body::Empty);
        }
        Admitted::Request(head, body)
    }

    fn refuse(&self, refusal: Refusal, version: Version, line: &[u8]) -> Admitted {
        let (head, body) = self.page(refusal, version, line);
        Admitted::Answer(head, body)
    }

    /// The answer to what is refused.
    fn page(&self, refusal: Refusal, version: Version, line: &[u8]) -> (ResponseHead, Body) {
        self.counters.refuse(refusal);
        self.service.refused(&self.connection, &Refused { refusal, version, line })
    }

    async fn call(&self, head: RequestHead, body: Body, interim: Interim) -> (ResponseHead, Body) {
        add(&self.counters.requests);
        // The call itself may panic before it gives a future, so it is made within.
        let answer = async { self.service.call(self.connection.clone(), head, body, interim).await };
        let mut answer = std::pin::pin!(AssertUnwindSafe(answer).catch_unwind());
        let answered = poll_fn(|cx| {
            let polled = answer.as_mut().poll(cx);
            if polled.is_pending() {
                stall::waits_for_us();
            }
            polled
        });
        answered.await.unwrap_or_else(|panic| {
            add(&self.counters.panics);
            tracing::error!(peer = %self.connection.peer, panic = text(&*panic), "the service panicked");
            let mut head = ResponseHead::new(StatusCode::INTERNAL_SERVER_ERROR);
            head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            (head, Body::Empty)
        })
    }

    fn response(&self, head: ResponseHead, body: Body, version: Version, in_flight: InFlight) -> Response<Reply> {
        let largest = if version == Version::HTTP_2 { stall::LARGEST_FRAME } else { usize::MAX };
        let reply = Reply { body, rest: Bytes::new(), largest, counters: self.counters.clone(), in_flight };
        let mut response = Response::new(reply);
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        if version == Version::HTTP_2 {
            return response;
        }
        if let Some(reason) = head.reason
            && let Ok(reason) = ReasonPhrase::try_from(String::from(reason))
        {
            response.extensions_mut().insert(reason);
        }
        if let Some(limit) = self.limits.requests_per_connection
            && head.status != StatusCode::SWITCHING_PROTOCOLS
            && self.served.fetch_add(1, Ordering::Relaxed) + 1 >= limit
        {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

/// A response body on its way out.
pub(crate) struct Reply {
    body: Body,
    /// What is left of a frame that was too large.
    rest: Bytes,
    largest: usize,
    counters: Arc<Counters>,
    in_flight: InFlight,
}

impl Drop for Reply {
    fn drop(&mut self) {
        if http_body::Body::is_end_stream(self) {
            self.in_flight.finish();
        }
    }
}

impl Reply {
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = match &mut self.body {
            Body::Stream(stream) => catch_unwind(AssertUnwindSafe(|| Pin::new(stream).poll_frame(cx))),
            ready => Ok(Pin::new(ready).poll_frame(cx)),
        };
        polled.unwrap_or_else(|panic| {
            add(&self.counters.panics);
            tracing::error!(panic = text(&*panic), "a response body panicked");
            self.body = Body::Empty;
            Poll::Ready(Some(Err(BodyError::Origin("panic".to_owned()))))
        })
    }
}

impl http_body::Body for Reply {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match this.poll_body(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if data.len() > this.largest => this.rest = data,
                    Ok(data) => {
                        stall::moved();
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Poll::Pending => {
                    stall::waits_for_us();
                    return Poll::Pending;
                }
                end => {
                    this.in_flight.finish();
                    return end;
                }
            }
        }
        stall::moved();
        let part = this.rest.split_to(this.largest.min(this.rest.len()));
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.rest.is_empty() {
            return self.body.size_hint();
        }
        // Asked for in the middle of a body by nobody; true all the same.
        self.body.len().map_or_else(SizeHint::default, |len| SizeHint::with_exact(len + self.rest.len() as u64))
    }
}
