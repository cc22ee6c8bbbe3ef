//! Out of the sandbox.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{ErrorCode, Fields, OutgoingRequest, Scheme};
use wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::{instance_network, ip_name_lookup, tcp_create_socket};

/// `GET http://ARGUMENT`: status and body, or the error.
pub fn fetch(argument: &str) -> String {
    match try_fetch(argument) {
        Ok(answer) => answer,
        Err(error) => format!("{error:?}"),
    }
}

fn try_fetch(argument: &str) -> Result<String, ErrorCode> {
    let (authority, path) = argument.split_once('/').unwrap_or((argument, ""));
    let request = OutgoingRequest::new(Fields::new());
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    request.set_scheme(Some(&Scheme::Http)).map_err(invalid)?;
    request.set_authority(Some(authority)).map_err(invalid)?;
    request.set_path_with_query(Some(&format!("/{path}"))).map_err(invalid)?;
    let future = handle(request, None)?;
    future.subscribe().block();
    let response = match future.get() {
        Some(Ok(response)) => response?,
        _ => return Err(ErrorCode::InternalError(None)),
    };
    let mut body = Vec::new();
    if let Ok(incoming) = response.consume()
        && let Ok(stream) = incoming.stream()
    {
        while let Ok(chunk) = stream.blocking_read(64 << 10) {
            body.extend(chunk);
        }
    }
    Ok(format!("{} {}", response.status(), String::from_utf8_lossy(&body)))
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
