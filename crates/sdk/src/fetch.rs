//! Requests to servers, through the node's own client: granted hosts alone, HTTP and HTTPS, redirects not followed.

use http::{Request, Response};
use std::fmt;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError(String);

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FetchError {}

/// Sends a request and waits for the whole answer.
///
/// # Errors
/// The host is not granted, there is no connection, the answer broke off, or the call is not in a component.
pub fn fetch(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
    let what = request.uri().to_string();
    send(request).map_err(|error| FetchError(format!("{what}: {error}")))
}

#[cfg(not(target_family = "wasm"))]
fn send(_: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String> {
    Err("there is a network in a component alone".to_owned())
}

#[cfg(target_family = "wasm")]
fn send(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String> {
    use wasip2::http::outgoing_handler::handle;
    use wasip2::http::types::{ErrorCode, Fields, IncomingResponse, OutgoingBody, OutgoingRequest};
    use wasip2::io::streams::StreamError;

    /// The most that one write may have.
    const WRITE: usize = 4096;
    const READ: u64 = 64 << 10;

    let (parts, body) = request.into_parts();
    let lines: Vec<(String, Vec<u8>)> =
        parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let fields = Fields::from_list(&lines).map_err(|error| format!("headers: {error:?}"))?;
    let outgoing = OutgoingRequest::new(fields);
    let refused = |part: &'static str| move |()| format!("{part} cannot be sent");
    outgoing.set_method(&method(&parts.method)).map_err(refused("the method"))?;
    outgoing.set_scheme(Some(&scheme(&parts.uri)?)).map_err(refused("the scheme"))?;
    let authority = parts.uri.authority().ok_or("the URI has no host")?;
    outgoing.set_authority(Some(authority.as_str())).map_err(refused("the host"))?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    outgoing.set_path_with_query(Some(path)).map_err(refused("the path"))?;

    let code = |error: ErrorCode| format!("{error:?}");
    let sink = outgoing.body().map_err(refused("the body"))?;
    let pending = handle(outgoing, None).map_err(code)?;
    if !body.is_empty() {
        let stream = sink.write().map_err(refused("the body"))?;
        for chunk in body.chunks(WRITE) {
            stream.blocking_write_and_flush(chunk).map_err(|error| format!("the body: {error:?}"))?;
        }
    }
    OutgoingBody::finish(sink, None).map_err(code)?;
    pending.subscribe().block();
    let answer: IncomingResponse = match pending.get() {
        Some(Ok(answer)) => answer.map_err(code)?,
        _ => return Err("no answer".to_owned()),
    };

    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers().entries() {
        response = response.header(name, value);
    }
    let incoming = answer.consume().map_err(refused("the answer"))?;
    let stream = incoming.stream().map_err(refused("the answer"))?;
    let mut whole = Vec::new();
    loop {
        match stream.blocking_read(READ) {
            Ok(chunk) => whole.extend(chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
    }
    response.body(whole).map_err(|error| error.to_string())
}

#[cfg(target_family = "wasm")]
fn method(method: &http::Method) -> wasip2::http::types::Method {
    use wasip2::http::types::Method;
    match method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

#[cfg(target_family = "wasm")]
fn scheme(uri: &http::Uri) -> Result<wasip2::http::types::Scheme, String> {
    use wasip2::http::types::Scheme;
    match uri.scheme_str() {
        Some("https") => Ok(Scheme::Https),
        Some("http") => Ok(Scheme::Http),
        _ => Err("the URI must begin with http:// or https://".to_owned()),
    }
}
