//! The client behind `wasi:http/outgoing-handler`: asks for a grant, then looks at the resolved address, and only then
//! connects. Connections are pooled per function. HTTP/1.1, TLS with the web's roots. Redirects are the function's own
//! business: they come to it as they are.
//!
//! - `connect`: from a name to a connection.
//! - `ledger`: what the requests of one invocation may take, and took.
//! - `body`: bodies that are counted and that do not wait for ever.

mod body;
mod connect;
mod ledger;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls_pki_types::CertificateDer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::logs::Logs;
use crate::network::{Access, Grant, NetworkLimits, access};
use body::{Incoming, Outbound};
use connect::Connector;
pub(crate) use ledger::Ledger;
use ledger::{Entry, Spent};

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
    http: legacy::Client<Connector, Outbound>,
    grants: Arc<[Grant]>,
    limits: NetworkLimits,
}

impl Client {
    /// A client that connects under `grants` alone.
    pub(crate) fn new(grants: Arc<[Grant]>, limits: NetworkLimits, tls: Arc<rustls::ClientConfig>) -> Self {
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE)
            .pool_timer(TokioTimer::new())
            .set_host(false)
            .build(Connector::new(grants.clone(), tls));
        Self { http, grants, limits }
    }

    /// An empty ledger for an invocation.
    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        Ledger::new(self.limits)
    }
}

/// TLS as browsers have it: the web's roots and `authorities`, no client certificate.
pub(crate) fn tls(authorities: &[CertificateDer<'static>]) -> Result<Arc<rustls::ClientConfig>, rustls::Error> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    for authority in authorities {
        roots.add(authority.clone())?;
    }
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
    ledger: Arc<Ledger>,
    logs: Logs,
}

impl Outgoing {
    /// The way out through `client`; refusals go to `logs`.
    pub(crate) fn new(client: Arc<Client>, logs: Logs) -> Self {
        let ledger = client.ledger();
        Self { client, in_flight: Arc::new(Semaphore::new(IN_FLIGHT)), ledger, logs }
    }

    /// Starts the next invocation: what was taken before does not count.
    pub(crate) fn begin(&mut self) {
        if !self.ledger.is_untouched() {
            self.ledger = self.client.ledger();
        }
    }

    /// The requests of this invocation.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn admit(&self, request: &Request<WasiBody>) -> Result<(OwnedSemaphorePermit, Entry), Error> {
        let authority = request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?;
        let port = authority.port_u16().unwrap_or(if request.uri().scheme_str() == Some("http") { 80 } else { 443 });
        // Credentials in a URL, and a port that is no number, are how one host is made to look like another.
        let odd = authority.as_str().contains('@') || (authority.port().is_some() && authority.port_u16().is_none());
        if odd || authority.host().is_empty() {
            return Err(Error::HttpRequestUriInvalid);
        }
        let (method, place) = (request.method().as_str(), format!("{}:{port}", authority.host()));
        if access(&self.client.grants, authority.host(), port) == Access::Refused {
            self.ledger.refuse(method, &place, "not granted");
            self.logs.host_line(&format!("network refused: {place} is not granted"));
            return Err(Error::HttpRequestDenied);
        }
        let Ok(permit) = self.in_flight.clone().try_acquire_owned() else {
            self.ledger.refuse(method, &place, "too many requests at a time");
            self.logs.host_line(&format!("network refused: {IN_FLIGHT} requests are on their way already"));
            return Err(Error::ConnectionLimitReached);
        };
        let entry = self.ledger.start(method, &place).map_err(|spent| {
            self.logs.host_line(&format!("network refused: {spent}"));
            told(spent)
        })?;
        Ok((permit, entry))
    }
}

/// What the guest is told when there is nothing left.
fn told(spent: Spent) -> Error {
    match spent {
        Spent::Calls(_) => Error::ConnectionLimitReached,
        Spent::Time(_) => Error::HttpResponseTimeout,
        Spent::Bytes(limit) => Error::HttpResponseBodySize(Some(limit)),
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
            let (permit, entry) = admitted?;
            let entry = Arc::new(entry);
            let place = request.uri().authority().map_or_else(String::new, |authority| authority.as_str().to_owned());
            let options = options.unwrap_or_default();
            let wait = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT)
                + options.first_byte_timeout.unwrap_or(FIRST_BYTE_TIMEOUT);
            let until = (Instant::now() + wait).min(entry.deadline);
            let request = request.map(|body| Outbound::new(body, entry.clone()));
            let answer = match tokio::time::timeout_at(until.into(), client.http.request(request)).await {
                Err(_) if until == entry.deadline => Err(told(entry.out_of_time())),
                Err(_) => Err(Error::ConnectionReadTimeout),
                Ok(Err(error)) => Err(connect::classify(error)),
                Ok(Ok(response)) => Ok(response),
            };
            let response = answer.inspect_err(|error| {
                entry.failed(&error.to_string());
                logs.host_line(&format!("request to {place}: {error}"));
            })?;
            entry.answered(response.status().as_u16());
            let between = options.between_bytes_timeout.unwrap_or(BETWEEN_BYTES_TIMEOUT);
            let body = |incoming| Incoming::new(incoming, between, entry, permit).boxed_unsync();
            Ok((response.map(body), Box::new(async { Ok(()) }) as Finished))
        })
    }
}
