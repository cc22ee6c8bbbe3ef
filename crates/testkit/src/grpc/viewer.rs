//! A client whose calls a test plays.

use super::origin::with_source;
use super::{Half, Part, fields, half};
use crate::{Authority, soon};
use bytes::Bytes;
use http::{HeaderMap, Request, response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

/// One HTTP/2 connection to a server.
pub struct Viewer {
    sender: SendRequest<Half>,
    base: String,
}

/// A call as the client sees it. Dropped, its stream is reset.
pub struct Asked {
    parts: Option<UnboundedSender<Part>>,
    answering: Option<JoinHandle<hyper::Result<http::Response<Incoming>>>>,
    body: Option<Incoming>,
    trailers: Option<HeaderMap>,
}

impl Viewer {
    /// Without TLS, by prior knowledge; `host` is asked for.
    pub async fn plain(address: SocketAddr, host: &str) -> Self {
        Self::over(connect(address).await, format!("http://{host}")).await
    }

    /// Over TLS to `host` at `address`.
    ///
    /// # Panics
    /// When there is no TLS, or no HTTP/2.
    pub async fn tls(address: SocketAddr, host: &str, authority: &Authority) -> Self {
        let name = ServerName::try_from(host.to_owned()).expect("a host");
        let connector = TlsConnector::from(authority.client(&["h2"]));
        let stream = soon("a TLS handshake", connector.connect(name, connect(address).await)).await.expect("TLS");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Self::over(stream, format!("https://{host}")).await
    }

    async fn over<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: T, base: String) -> Self {
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await.expect("a connection");
        tokio::spawn(connection);
        Self { sender, base }
    }

    /// Begins a call of `path`, with `content-type`, `te` and these fields.
    pub fn call(&self, path: &str, headers: &[(&str, &str)]) -> Asked {
        let (parts, half) = half();
        let mut all = fields(&[("content-type", "application/grpc"), ("te", "trailers")]);
        for (name, value) in &fields(headers) {
            all.insert(name, value.clone());
        }
        let mut request = Request::post(format!("{}{path}", self.base)).body(half).expect("a request");
        *request.headers_mut() = all;
        let mut sender = self.sender.clone();
        let answering = tokio::spawn(async move {
            sender.ready().await?;
            sender.send_request(request).await
        });
        Asked { parts: Some(parts), answering: Some(answering), body: None, trailers: None }
    }
}

impl Asked {
    /// Sends a part.
    pub fn send(&self, bytes: impl Into<Bytes>) {
        let parts = self.parts.as_ref().expect("its half is open");
        let _nobody_reads = parts.send(Ok(Frame::data(bytes.into())));
    }

    /// Ends the client's half.
    pub fn end(&mut self) {
        self.parts = None;
    }

    /// Waits until nobody takes the client's half any more.
    pub async fn until_refused(&self) {
        let parts = self.parts.as_ref().expect("its half is open");
        soon("the end of the half", parts.closed()).await;
    }

    /// The head of the answer.
    ///
    /// # Errors
    /// When the stream was reset before.
    ///
    /// # Panics
    /// When it was given already, or none comes.
    pub async fn head(&mut self) -> Result<response::Parts, String> {
        let answering = self.answering.as_mut().expect("one head");
        let answered = soon("the head of an answer", answering).await.expect("no panic");
        self.answering = None;
        let (head, body) = answered.map_err(|error| with_source(&error))?.into_parts();
        self.body = Some(body);
        Ok(head)
    }

    /// The next part of the answer; `None` at its end, when [`Asked::trailer`] knows what was behind it.
    ///
    /// # Errors
    /// When the stream was reset.
    ///
    /// # Panics
    /// When nothing comes.
    pub async fn next(&mut self) -> Result<Option<Bytes>, String> {
        let body = self.body.as_mut().expect("the head comes first");
        loop {
            match soon("a part of an answer", body.frame()).await {
                None if body.is_end_stream() => return Ok(None),
                None => return Err("reset without an error".to_owned()),
                Some(Err(error)) => return Err(with_source(&error)),
                Some(Ok(frame)) => match frame.into_data() {
                    // The end may come in a frame of its own.
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Ok(Some(data)),
                    Err(frame) => {
                        self.trailers = frame.into_trailers().ok();
                        return Ok(None);
                    }
                },
            }
        }
    }

    /// Reads until so many bytes of the answer are there.
    ///
    /// # Panics
    /// When it ends before.
    pub async fn read_bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            bytes.extend(self.next().await.expect("a whole answer").expect("more of it"));
        }
        bytes
    }

    /// All that is left of the answer.
    ///
    /// # Errors
    /// When the stream was reset.
    pub async fn rest(&mut self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        while let Some(part) = self.next().await? {
            bytes.extend(part);
        }
        Ok(bytes)
    }

    /// The value of a trailer, once the end has come.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        self.trailers.as_ref()?.get(name)?.to_str().ok()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(answering) = &self.answering {
            answering.abort();
        }
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    let socket = soon("a connection", TcpStream::connect(address)).await.expect("somebody listens");
    let _ = socket.set_nodelay(true);
    socket
}
