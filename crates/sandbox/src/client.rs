//! The client behind `wasi:http/outgoing-handler`: asks for a grant, then looks at the resolved address, and only then
//! connects. Connections are pooled per function. HTTP/1.1, TLS with the web's roots.

mod connect;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::logs::Logs;
use crate::network::{Access, Grant, access};
use connect::Connector;

/// Requests in flight per instance; the vendor has 1,024 descriptors per environment, a wasm guest needs few.
const IN_FLIGHT: usize = 64;
/// Idle connections kept per host.
const IDLE: usize = 8;
/// How long they are kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Limits where the guest names none. The call's own limit holds besides.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(30);
const BETWEEN_BYTES_TIMEOUT: Duration = Duration::from_secs(30);

/// One function's connections.
pub(crate) struct Client {
    http: legacy::Client<Connector, WasiBody>,
    grants: Arc<[Grant]>,
}

impl Client {
    /// A client that connects under `grants` alone.
    pub(crate) fn new(grants: Arc<[Grant]>, tls: Arc<rustls::ClientConfig>) -> Self {
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE)
            .pool_timer(TokioTimer::new())
            .set_host(false)
            .build(Connector::new(grants.clone(), tls));
        Self { http, grants }
    }
}

/// TLS as browsers have it: the web's roots, no client certificate.
pub(crate) fn tls() -> Result<Arc<rustls::ClientConfig>, rustls::Error> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// One instance's way out.
pub(crate) struct Outgoing {
    client: Arc<Client>,
    in_flight: Arc<Semaphore>,
    logs: Logs,
}

impl Outgoing {
    /// The way out through `client`; refusals go to `logs`.
    pub(crate) fn new(client: Arc<Client>, logs: Logs) -> Self {
        Self { client, in_flight: Arc::new(Semaphore::new(IN_FLIGHT)), logs }
    }

    fn admit(&self, request: &Request<WasiBody>) -> Result<OwnedSemaphorePermit, Error> {
        let authority = request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?;
        let port = authority.port_u16().unwrap_or(if request.uri().scheme_str() == Some("http") { 80 } else { 443 });
        // Credentials in a URL, and a port that is no number, are how one host is made to look like another.
        let odd = authority.as_str().contains('@') || (authority.port().is_some() && authority.port_u16().is_none());
        if odd || authority.host().is_empty() {
            return Err(Error::HttpRequestUriInvalid);
        }
        if access(&self.client.grants, authority.host(), port) == Access::Refused {
            self.logs.host_line(&format!("network refused: {}:{port} is not granted", authority.host()));
            return Err(Error::HttpRequestDenied);
        }
        self.in_flight.clone().try_acquire_owned().map_err(|_| Error::ConnectionLimitReached)
    }
}

type Finished = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(Response<WasiBody>, Finished), Error>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _finished: Finished,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let admitted = self.admit(&request);
        let (client, logs) = (self.client.clone(), self.logs.clone());
        Box::new(async move {
            let permit = admitted?;
            let uri = request.uri().clone();
            let options = options.unwrap_or_default();
            let wait = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT)
                + options.first_byte_timeout.unwrap_or(FIRST_BYTE_TIMEOUT);
            let answer = match tokio::time::timeout(wait, client.http.request(request)).await {
                Err(_) => Err(Error::ConnectionReadTimeout),
                Ok(Err(error)) => Err(connect::classify(error)),
                Ok(Ok(response)) => Ok(response),
            };
            let response = answer.inspect_err(|error| {
                logs.host_line(&format!("request to {}: {error}", uri.authority().map_or("", |a| a.as_str())));
            })?;
            let between = options.between_bytes_timeout.unwrap_or(BETWEEN_BYTES_TIMEOUT);
            let body = |incoming| Paced::new(incoming, between, permit).boxed_unsync();
            Ok((response.map(body), Box::new(async { Ok(()) }) as Finished))
        })
    }
}

/// A response body that fails when no byte comes for too long, and that counts as in flight until its end.
struct Paced {
    incoming: Incoming,
    between: Duration,
    late: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl Paced {
    fn new(incoming: Incoming, between: Duration, permit: OwnedSemaphorePermit) -> Self {
        Self { incoming, between, late: Box::pin(tokio::time::sleep(between)), _permit: permit }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                let next = Instant::now() + self.between;
                self.late.as_mut().reset(next);
                Poll::Ready(frame.map(|frame| frame.map_err(Error::Hyper)))
            }
            Poll::Pending => self.late.as_mut().poll(cx).map(|()| Some(Err(Error::ConnectionReadTimeout))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
