//! The admin API of a running node, as commands ask it.
//!
//! A command has [`Running`] among its arguments, makes a [`Client`] of it, and asks. All that can go wrong becomes a
//! [`Stop`] that says what to do: nobody listens there, it is no admin API, it refuses.

use crate::args::address;
use crate::configuration;
use crate::exit::Stop;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// Where the examples have the admin API, and where a node is looked for that nobody names.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
/// How long a connection may take. The node is near.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take: a purge looks at every stored answer.
const ANSWER: Duration = Duration::from_secs(120);
/// The largest answer that is read, in bytes.
const MOST: usize = 64 << 20;

/// Which node is meant; for a command's arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Running {
    /// Admin API of the node; without it node.admin of the configuration, or 127.0.0.1:8081
    #[arg(long, value_name = "ADDR", value_parser = address, global = true)]
    pub admin: Option<SocketAddr>,
    /// The configuration whose node.admin is meant; without it rimward.toml, where there is one
    #[arg(long, value_name = "FILE", conflicts_with = "admin", global = true)]
    pub config: Option<PathBuf>,
}

/// The admin API of one node.
pub struct Client {
    address: SocketAddr,
    runtime: Runtime,
}

/// A request, where it is more than a JSON text.
pub struct Question<'a> {
    /// Method.
    pub method: Method,
    /// Begins with `/`; with the query.
    pub path: &'a str,
    /// `If-Match`: an ETag, or `*`.
    pub if_match: Option<&'a str>,
    /// Whether the body is JSON.
    pub json: bool,
    /// Body; empty for none.
    pub body: Vec<u8>,
}

/// An answer that is no refusal.
pub struct Told {
    status: StatusCode,
    /// `ETag`, without quotes.
    pub etag: Option<String>,
    /// Body.
    pub bytes: Bytes,
}

/// What the admin API says when it refuses.
#[derive(Deserialize)]
struct Refused {
    error: String,
    hint: Option<String>,
    #[serde(default)]
    diagnostics: Vec<String>,
}

impl Running {
    /// The address that is meant.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn address(&self) -> Result<SocketAddr, Stop> {
        let named = match (&self.admin, &self.config) {
            (Some(address), _) => Some(*address),
            (None, Some(file)) => configuration::load(file)?.node.admin,
            (None, None) if Path::new("rimward.toml").exists() => {
                configuration::load(Path::new("rimward.toml"))?.node.admin
            }
            (None, None) => None,
        };
        Ok(reachable(named.unwrap_or(DEFAULT)))
    }
}

/// A node that listens at every address is reached at loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

impl Client {
    /// For the node that is meant. Nothing is sent yet.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn new(running: &Running) -> Result<Self, Stop> {
        let address = running.address()?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Stop::failed(format!("cannot start: {error}")))?;
        Ok(Self { address, runtime })
    }

    /// Sends a request and gives back the answer's JSON. `path` begins with `/`; a body is sent as JSON.
    ///
    /// # Errors
    /// When no node answers (1), or when it refuses: 400 and 422 are an input that cannot be used (2), all others a
    /// failure (1).
    pub fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Stop> {
        let body_text = body.map(|json| json.to_string().into_bytes()).unwrap_or_default();
        self.tell_json(Question { method, path, if_match: None, json: body.is_some(), body: body_text })
    }

    /// Sends a request and gives back the answer's JSON.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn tell_json(&self, question: Question<'_>) -> Result<Value, Stop> {
        let told = self.tell(question)?;
        serde_json::from_slice(&told.bytes).map_err(|_| self.foreign(told.status))
    }

    /// Sends a request and gives back the answer.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn tell(&self, question: Question<'_>) -> Result<Told, Stop> {
        let told = self.runtime.block_on(self.send(question))?;
        if told.status.is_success() {
            return Ok(told);
        }
        Err(match serde_json::from_slice::<Refused>(&told.bytes) {
            Ok(refused) => refused.into_stop(told.status),
            Err(_) => self.foreign(told.status),
        })
    }

    async fn send(&self, question: Question<'_>) -> Result<Told, Stop> {
        let Question { method, path, if_match, json, body } = question;
        let mut request = Request::new(Full::new(body.into()));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|error| Stop::failed(format!("cannot ask for `{path}`: {error}")))?;
        let headers = request.headers_mut();
        if let Ok(host) = HeaderValue::from_str(&self.address.to_string()) {
            headers.insert(header::HOST, host);
        }
        if json {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(tag) = if_match {
            let tag = HeaderValue::from_str(tag).map_err(|_| Stop::unusable(format!("`{tag}` is no ETag")))?;
            headers.insert(header::IF_MATCH, tag);
        }
        let connect = tokio::time::timeout(CONNECT, TcpStream::connect(self.address));
        let stream = match connect.await {
            Ok(connected) => connected.map_err(|error| self.unreachable(&error))?,
            Err(_) => return Err(self.unreachable(&io::ErrorKind::TimedOut.into())),
        };
        let answer = tokio::time::timeout(ANSWER, exchange(stream, request));
        match answer.await {
            Ok(answered) => answered.map_err(|error| self.broke(&*error)),
            Err(_) => Err(self.broke(&io::Error::from(io::ErrorKind::TimedOut))),
        }
    }

    fn unreachable(&self, error: &io::Error) -> Stop {
        Stop::failed(format!("no node at {}: {error}", self.address)).hint(
            "start one with `rimward serve` and an address for its admin API (`node.admin`), or name it with --admin",
        )
    }

    fn broke(&self, error: &dyn Error) -> Stop {
        let hint = "the node's log says more; `curl` shows whether this is an admin API";
        Stop::failed(format!("the node at {} did not answer: {error}", self.address)).hint(hint)
    }

    fn foreign(&self, status: StatusCode) -> Stop {
        let message = format!("what answers at {} is no admin API: {status} without JSON", self.address);
        Stop::failed(message).hint("name the address of `node.admin`, not one of `node.listen`")
    }
}

async fn exchange(stream: TcpStream, request: Request<Full<Bytes>>) -> Result<Told, Box<dyn Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let bytes = Limited::new(body, MOST).collect().await?.to_bytes();
    connection.abort();
    let etag = head.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    Ok(Told { status: head.status, etag: etag.map(|tag| tag.trim_matches('"').to_owned()), bytes })
}

impl Refused {
    fn into_stop(self, status: StatusCode) -> Stop {
        let message = std::iter::once(self.error).chain(self.diagnostics).collect::<Vec<_>>().join("\n");
        let stop = match status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Stop::unusable(message),
            _ => Stop::failed(message),
        };
        match self.hint {
            Some(hint) => stop.hint(hint),
            None => stop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_listens_everywhere_is_reached_at_loopback() {
        for (bound, reached) in [
            ("0.0.0.0:81", "127.0.0.1:81"),
            ("[::]:81", "[::1]:81"),
            ("10.0.0.1:81", "10.0.0.1:81"),
            ("[::1]:81", "[::1]:81"),
        ] {
            assert_eq!(reachable(bound.parse().unwrap()).to_string(), reached);
        }
    }
}
