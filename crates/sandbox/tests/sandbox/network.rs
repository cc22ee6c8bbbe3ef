//! Out of the sandbox: granted hosts alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rimward_sandbox::Grant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{body, body_of, call, probe_with};

/// A server that answers every request with its connection's number.
async fn server() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await;
                }
            });
        }
    });
    (address, connections)
}

#[tokio::test]
async fn a_granted_address_is_reached_and_its_connection_used_again() {
    let (address, connections) = server().await;
    let function = probe_with(|spec| spec.network = vec![Grant::new("127.0.0.1", address.port())]).await;
    for _ in 0..3 {
        assert_eq!(body(&function, &format!("/fetch~{address}/path")).await, "200 hello");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn without_a_grant_nothing_leaves_and_the_log_says_why() {
    let (address, connections) = server().await;
    let function = probe_with(|spec| spec.network = vec![Grant::new("127.0.0.1", 1)]).await;
    let invocation = call(&function, &format!("/fetch~{address}/")).await;
    assert!(body_of(&invocation).contains("HttpRequestDenied"), "{}", body_of(&invocation));
    assert_eq!(invocation.logs, [format!("rimward: network refused: {address} is not granted")]);
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_granted_name_must_not_lead_to_this_machine() {
    let (address, connections) = server().await;
    // A name to the grant, 127.0.0.1 to the resolver: as a name in public DNS could be.
    let function = probe_with(|spec| spec.network = vec![Grant::new("127.1", address.port())]).await;
    let told = body(&function, &format!("/fetch~127.1:{}/", address.port())).await;
    assert!(told.contains("DestinationIpProhibited"), "{told}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_grant_of_localhost_is_meant() {
    let (address, _) = server().await;
    let function = probe_with(|spec| spec.network = vec![Grant::new("localhost", address.port())]).await;
    assert_eq!(body(&function, &format!("/fetch~localhost:{}/", address.port())).await, "200 hello");
}

#[tokio::test]
async fn a_host_in_disguise_is_refused() {
    let (address, connections) = server().await;
    let function = probe_with(|spec| spec.network = vec![Grant::new("api.example.com", address.port())]).await;
    for authority in [format!("api.example.com@{address}"), format!("api.example.com:{}@{address}", address.port())] {
        let told = body(&function, &format!("/fetch~{authority}/")).await;
        assert!(told.contains("HttpRequestUriInvalid") || told.contains("HttpRequestDenied"), "{authority}: {told}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nobody_at_home_is_told_to_the_guest() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let function = probe_with(|spec| spec.network = vec![Grant::new("127.0.0.1", address.port())]).await;
    let told = body(&function, &format!("/fetch~{address}/")).await;
    assert!(told.contains("ConnectionRefused"), "{told}");
}

#[tokio::test]
async fn raw_sockets_and_name_lookups_are_refused() {
    let (address, connections) = server().await;
    let function = probe_with(|spec| spec.network = vec![Grant::new("127.0.0.1", address.port())]).await;
    assert_eq!(body(&function, "/socket").await, "access-denied");
    let told = body(&function, "/resolve~localhost").await;
    assert!(told == "access-denied" || told == "permanent-resolver-failure", "{told}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}
