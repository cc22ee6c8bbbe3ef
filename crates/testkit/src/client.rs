//! An HTTP client over one connection.

use crate::authority::Authority;
use crate::soon;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

/// One connection to a server. Cheap to share by reference.
pub struct Client {
    sender: Sender,
    authority: String,
    certificate: Option<CertificateDer<'static>>,
}

enum Sender {
    Http1(Mutex<http1::SendRequest<Full<Bytes>>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    /// HTTP/1.1 without TLS.
    pub async fn http1(address: SocketAddr) -> Self {
        let socket = connect(address).await;
        Self { sender: Sender::http1(socket).await, authority: address.to_string(), certificate: None }
    }

    /// HTTP/2 without TLS, by prior knowledge.
    pub async fn http2(address: SocketAddr) -> Self {
        let socket = connect(address).await;
        Self { sender: Sender::http2(socket).await, authority: address.to_string(), certificate: None }
    }

    /// HTTPS to `host` at `address`, in what the server chooses among `alpn` (`h2`, `http/1.1`).
    ///
    /// # Errors
    /// When there is no TLS, or the certificate is not good for `host`.
    pub async fn https(address: SocketAddr, host: &str, authority: &Authority, alpn: &[&str]) -> std::io::Result<Self> {
        Self::https_with(address, host, authority.client(alpn)).await
    }

    /// HTTPS to `host` at `address` as `config` has it.
    ///
    /// # Errors
    /// When there is no TLS. A server that does not like the client's certificate may say so only later.
    pub async fn https_with(address: SocketAddr, host: &str, config: Arc<ClientConfig>) -> std::io::Result<Self> {
        let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
        let connector = TlsConnector::from(config);
        let stream = soon("a TLS handshake", connector.connect(name, connect(address).await)).await?;
        let session = stream.get_ref().1;
        let certificate = session.peer_certificates().and_then(|chain| chain.first()).map(|c| c.clone().into_owned());
        let h2 = session.alpn_protocol() == Some(b"h2");
        let sender = if h2 { Sender::http2(stream).await } else { Sender::http1(stream).await };
        Ok(Self { sender, authority: format!("{host}:{}", address.port()), certificate })
    }

    /// Whether it speaks HTTP/2.
    pub fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// The server's certificate.
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.certificate.as_ref()
    }

    /// A request for `path` at this server, to be changed before it is sent.
    ///
    /// # Panics
    /// When `path` is no path.
    pub fn request(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        let builder = Request::builder().method(method);
        let request = match self.is_http2() {
            true => {
                let scheme = if self.certificate.is_some() { "https" } else { "http" };
                builder.uri(format!("{scheme}://{}{path}", self.authority))
            }
            false => builder.uri(path).header("host", &self.authority),
        };
        request.body(Full::new(body.into())).expect("a valid request")
    }

    /// Sends a request; the body of the response comes as it is read.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        match &self.sender {
            Sender::Http1(sender) => {
                let mut sender = sender.lock().await;
                soon("a ready connection", sender.ready()).await?;
                soon("a response", sender.send_request(request)).await
            }
            Sender::Http2(sender) => {
                let mut sender = sender.clone();
                soon("a ready connection", sender.ready()).await?;
                soon("a response", sender.send_request(request)).await
            }
        }
    }

    /// Sends a request and reads the response whole.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn fetch(&self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Bytes>> {
        let (parts, body) = self.send(request).await?.into_parts();
        let body = soon("a body", body.collect()).await?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }

    /// Gets `path`.
    ///
    /// # Panics
    /// When there is no complete response.
    pub async fn get(&self, path: &str) -> Response<Bytes> {
        self.fetch(self.request("GET", path, "")).await.expect("a complete response")
    }
}

impl Sender {
    async fn http1<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: T) -> Self {
        let (sender, connection) = http1::handshake(TokioIo::new(io)).await.expect("a connection");
        tokio::spawn(connection);
        Sender::Http1(Mutex::new(sender))
    }

    async fn http2<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: T) -> Self {
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await.expect("a connection");
        tokio::spawn(connection);
        Sender::Http2(sender)
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    let socket = soon("a connection", TcpStream::connect(address)).await.expect("somebody listens");
    let _ = socket.set_nodelay(true);
    socket
}
