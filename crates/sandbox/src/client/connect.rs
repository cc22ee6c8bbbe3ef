//! Connections: resolve, judge the addresses, connect, TLS.

use std::error::Error as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wasmtime_wasi_http::Error;

use crate::network::{Access, Grant, access, is_public};

/// Makes connections to granted hosts.
#[derive(Clone)]
pub(super) struct Connector {
    grants: Arc<[Grant]>,
    tls: TlsConnector,
}

impl Connector {
    pub(super) fn new(grants: Arc<[Grant]>, tls: Arc<rustls::ClientConfig>) -> Self {
        Self { grants, tls: tls.into() }
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<Stream>, Refused> {
        let secure = uri.scheme_str() != Some("http");
        let host = uri.host().ok_or(Refused(Error::HttpRequestUriInvalid))?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let addresses = addresses(&self.grants, host, port).await?;
        let stream = TcpStream::connect(&*addresses).await.map_err(|error| Refused(Error::Connect(error)))?;
        let _ = stream.set_nodelay(true);
        if !secure {
            return Ok(TokioIo::new(Stream::Plain(stream)));
        }
        let name = match host.parse::<IpAddr>() {
            Ok(address) => ServerName::from(address),
            Err(_) => ServerName::try_from(host.to_owned()).map_err(|_| Refused(Error::HttpRequestUriInvalid))?,
        };
        let stream = self.tls.connect(name, stream).await.map_err(|error| Refused(Error::Tls(error)))?;
        Ok(TokioIo::new(Stream::Tls(Box::new(stream))))
    }
}

/// Resolves a host to the addresses that may be connected to. The address that was judged is the one that is used: a
/// second look at DNS could answer otherwise.
async fn addresses(grants: &[Grant], host: &str, port: u16) -> Result<Vec<SocketAddr>, Refused> {
    let access = access(grants, host, port);
    if access == Access::Refused {
        return Err(Refused(Error::HttpRequestDenied));
    }
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.map_err(|error| Refused(Error::DnsError { rcode: Some(error.to_string()), info_code: None }))?;
    let found: Vec<SocketAddr> = found.collect();
    let allowed: Vec<SocketAddr> =
        found.iter().copied().filter(|address| access == Access::Any || is_public(address.ip())).collect();
    match (found.is_empty(), allowed.is_empty()) {
        (true, _) => Err(Refused(Error::DestinationNotFound)),
        (false, true) => Err(Refused(Error::DestinationIpProhibited)),
        (false, false) => Ok(allowed),
    }
}

/// Carries our reason through the client's own error.
#[derive(Debug)]
pub(super) struct Refused(Error);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

/// What the guest is told of a request that failed.
pub(super) fn classify(error: legacy::Error) -> Error {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(Refused(reason)) = cause.downcast_ref() {
            return match reason {
                Error::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
                Error::Connect(error) => Error::Connect(io::Error::new(error.kind(), error.to_string())),
                Error::Tls(error) => Error::Tls(io::Error::new(error.kind(), error.to_string())),
                Error::DnsError { rcode, info_code } => Error::DnsError { rcode: rcode.clone(), info_code: *info_code },
                Error::HttpRequestDenied => Error::HttpRequestDenied,
                Error::HttpRequestUriInvalid => Error::HttpRequestUriInvalid,
                Error::DestinationIpProhibited => Error::DestinationIpProhibited,
                _ => Error::DestinationNotFound,
            };
        }
        source = cause.source();
    }
    Error::InternalError(Some(match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }))
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, Refused>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection, with TLS or without.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_granted_name_does_not_lead_into_our_own_network() {
        // `127.1` is a name to the grant and an address to the resolver.
        let grants = [Grant::new("127.1", 80), Grant::new("localhost", 80), Grant::new("127.0.0.1", 80)];
        for (host, allowed) in [("127.1", false), ("localhost", true), ("127.0.0.1", true), ("127.0.0.2", false)] {
            assert_eq!(addresses(&grants, host, 80).await.is_ok(), allowed, "{host}");
        }
    }
}
