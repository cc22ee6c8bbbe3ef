//! Out of the sandbox.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme, http_error_code,
};
use wasip2::io::streams::StreamError;
use wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::{instance_network, ip_name_lookup, tcp_create_socket};

/// `GET SCHEME://ARGUMENT`: status and body, or the error.
pub fn fetch(argument: &str, scheme: Scheme) -> String {
    match try_fetch(argument, scheme) {
        Ok(answer) => answer,
        Err(error) => format!("{error:?}"),
    }
}

fn request(argument: &str, scheme: Scheme) -> Result<OutgoingRequest, ErrorCode> {
    let (authority, path) = argument.split_once('/').unwrap_or((argument, ""));
    let request = OutgoingRequest::new(Fields::new());
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    request.set_scheme(Some(&scheme)).map_err(invalid)?;
    request.set_authority(Some(authority)).map_err(invalid)?;
    request.set_path_with_query(Some(&format!("/{path}"))).map_err(invalid)?;
    Ok(request)
}

fn try_fetch(argument: &str, scheme: Scheme) -> Result<String, ErrorCode> {
    answer(&handle(request(argument, scheme)?, None)?)
}

fn answer(future: &FutureIncomingResponse) -> Result<String, ErrorCode> {
    future.subscribe().block();
    let response = match future.get() {
        Some(Ok(response)) => response?,
        _ => return Err(ErrorCode::InternalError(None)),
    };
    let mut body = Vec::new();
    if let Ok(incoming) = response.consume()
        && let Ok(stream) = incoming.stream()
    {
        loop {
            match stream.blocking_read(64 << 10) {
                Ok(chunk) => body.extend(chunk),
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(error)) => {
                    return Ok(match http_error_code(&error) {
                        Some(code) => format!("{} then {code:?}", response.status()),
                        None => format!("{} then {}", response.status(), error.to_debug_string()),
                    });
                }
            }
        }
    }
    Ok(format!("{} {}", response.status(), String::from_utf8_lossy(&body)))
}

/// `COUNT/AUTHORITY`: so many requests one after the other; how many were answered, and the first error.
pub fn flood(argument: &str) -> String {
    let (count, authority) = argument.split_once('/').unwrap_or(("0", argument));
    for done in 0..count.parse().unwrap_or_default() {
        if let Err(error) = try_fetch(authority, Scheme::Http) {
            return format!("{done} then {error:?}");
        }
    }
    format!("{count} answered")
}

/// `COUNT/AUTHORITY`: so many requests at once; how many were let out.
pub fn burst(argument: &str) -> String {
    let (count, authority) = argument.split_once('/').unwrap_or(("0", argument));
    let mut futures = Vec::new();
    for _ in 0..count.parse().unwrap_or_default() {
        match request(authority, Scheme::Http).and_then(|request| handle(request, None)) {
            Ok(future) => futures.push(future),
            Err(error) => return format!("{} then {error:?}", futures.len()),
        }
    }
    let answers = futures.iter().filter(|future| answer(future).is_ok());
    format!("{} of {} answered", answers.count(), futures.len())
}

/// `BYTES/AUTHORITY`: a POST of so many bytes.
pub fn upload(argument: &str) -> String {
    let (bytes, authority) = argument.split_once('/').unwrap_or(("0", argument));
    match try_upload(bytes.parse().unwrap_or_default(), authority) {
        Ok(answer) => answer,
        Err(error) => format!("{error:?}"),
    }
}

fn try_upload(bytes: usize, authority: &str) -> Result<String, ErrorCode> {
    let request = request(authority, Scheme::Http)?;
    let internal = |_| ErrorCode::InternalError(None);
    request.set_method(&Method::Post).map_err(internal)?;
    let body = request.body().map_err(internal)?;
    let future = handle(request, None)?;
    let stream = body.write().map_err(internal)?;
    let chunk = [b'x'; 4096];
    for _ in 0..bytes.div_ceil(chunk.len()) {
        // Whoever refuses the body says so in the answer.
        if stream.blocking_write_and_flush(&chunk).is_err() {
            break;
        }
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
    answer(&future)
}

/// Connects with a socket of its own.
pub fn socket() -> String {
    let socket = match tcp_create_socket::create_tcp_socket(IpAddressFamily::Ipv4) {
        Ok(socket) => socket,
        Err(error) => return error.name().to_owned(),
    };
    let address = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 80, address: (127, 0, 0, 1) });
    match socket.start_connect(&instance_network::instance_network(), address) {
        Err(error) => error.name().to_owned(),
        Ok(()) => {
            socket.subscribe().block();
            socket.finish_connect().map_or_else(|error| error.name().to_owned(), |_| "connected".to_owned())
        }
    }
}

/// Asks for a name's addresses.
pub fn resolve(name: &str) -> String {
    let stream = match ip_name_lookup::resolve_addresses(&instance_network::instance_network(), name) {
        Ok(stream) => stream,
        Err(error) => return error.name().to_owned(),
    };
    stream.subscribe().block();
    stream.resolve_next_address().map_or_else(|error| error.name().to_owned(), |_| "resolved".to_owned())
}
