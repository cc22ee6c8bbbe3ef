//! Out of the sandbox: granted hosts alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rimward_sandbox::{Grant, NetworkLimits, Secrets, authorities_from_pem};
use rimward_testkit::{Answer, Authority, Origin};
use rimward_types::ByteSize;
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

/// lambda-at-edge.md 11.2.
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

/// lambda-at-edge.md 11.2.
#[tokio::test]
async fn raw_sockets_and_name_lookups_are_refused() {
    let (address, connections) = server().await;
    let function = probe_with(|spec| spec.network = vec![Grant::new("127.0.0.1", address.port())]).await;
    assert_eq!(body(&function, "/socket").await, "access-denied");
    let told = body(&function, "/resolve~localhost").await;
    assert!(told == "access-denied" || told == "permanent-resolver-failure", "{told}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

/// The probe, which may talk to `origin` under the name `localhost`, with these limits.
async fn probe_for(origin: &Origin, limits: NetworkLimits) -> Arc<rimward_sandbox::Function> {
    let port = origin.address().port();
    probe_with(|spec| {
        spec.network = vec![Grant::new("localhost", port), Grant::new("127.0.0.1", port)];
        spec.network_limits = limits;
    })
    .await
}

#[tokio::test]
async fn each_request_is_in_the_record_of_its_call() {
    let origin = Origin::new(|_| Answer::ok("hello")).await;
    let function = probe_for(&origin, NetworkLimits::default()).await;
    let invocation = call(&function, &format!("/fetch~{}/path", origin.address())).await;
    assert_eq!(body_of(&invocation), "200 hello");
    let [sent] = &invocation.calls[..] else { panic!("{:?}", invocation.calls) };
    assert_eq!((&*sent.method, &*sent.authority), ("GET", &*origin.address().to_string()));
    assert_eq!((sent.outcome.clone(), sent.received, sent.sent), (Ok(200), 5, 0));
    assert!(!sent.time.is_zero());
    // What one call did is not in the record of the next.
    assert!(call(&function, "/calls").await.calls.is_empty());
    let refused = call(&function, "/fetch~example.com/secret-path").await;
    assert_eq!(refused.calls[0].outcome, Err("not granted".to_owned()));
    assert_eq!(refused.calls[0].authority, "example.com:80");
}

#[tokio::test]
async fn a_flood_of_requests_ends_at_its_count_and_the_next_call_starts_anew() {
    let origin = Origin::new(|_| Answer::ok("")).await;
    let limits = NetworkLimits { calls: 5, ..NetworkLimits::default() };
    let function = probe_for(&origin, limits).await;
    for calls in [5, 10] {
        let told = body(&function, &format!("/flood~9/{}", origin.address())).await;
        assert!(told.starts_with("5 then") && told.contains("ConnectionLimitReached"), "{told}");
        assert_eq!(origin.calls(), calls);
    }
    let told = body(&function, &format!("/flood~5/{}", origin.address())).await;
    assert_eq!(told, "5 answered");
}

#[tokio::test]
async fn a_burst_of_requests_is_bounded_too() {
    let origin = Origin::new(|_| Answer::ok("")).await;
    let limits = NetworkLimits { calls: 1000, ..NetworkLimits::default() };
    let function = probe_for(&origin, limits).await;
    let told = body(&function, &format!("/burst~64/{}", origin.address())).await;
    assert_eq!(told, "64 of 64 answered");
    // Not more than 64 are on their way at a time; whoever is let out is answered.
    let told = body(&function, &format!("/burst~200/{}", origin.address())).await;
    let (answered, of) = told.split_once(" of ").unwrap();
    assert!((64..200).contains(&answered.parse::<u32>().unwrap()) && of == "200 answered", "{told}");
}

#[tokio::test]
async fn bytes_of_responses_and_of_requests_are_bounded() {
    let origin = Origin::new(|_| Answer::ok("x".repeat(40 << 10))).await;
    let limits = NetworkLimits { bytes: ByteSize::kb(64), ..NetworkLimits::default() };
    let function = probe_for(&origin, limits).await;
    let first = body(&function, &format!("/fetch~{}/", origin.address())).await;
    assert_eq!(first.len(), 4 + (40 << 10));
    let invocation = call(&function, &format!("/flood~3/{}", origin.address())).await;
    assert!(body_of(&invocation).contains("HttpResponseBodySize(Some(65536))"), "{}", body_of(&invocation));
    let told = body(&function, &format!("/upload~200000/{}", origin.address())).await;
    assert!(!told.starts_with("200"), "{told}");
    let told = body(&function, &format!("/upload~16384/{}", origin.address())).await;
    assert!(told.starts_with("200 "), "{told:.40}");
}

#[tokio::test]
async fn a_server_that_trickles_uses_up_the_time_of_its_call_alone() {
    let address = trickling().await;
    let limits = NetworkLimits { time: std::time::Duration::from_millis(200), ..NetworkLimits::default() };
    let function = probe_with(|spec| {
        spec.network = vec![Grant::new("127.0.0.1", address.port())];
        spec.network_limits = limits;
    })
    .await;
    for _ in 0..2 {
        let invocation = call(&function, &format!("/fetch~{address}/")).await;
        let told = body_of(&invocation);
        assert!(told.starts_with("200 then") && told.contains("timeout"), "{told}");
    }
}

/// A server whose answers never end and never stand still.
async fn trickling() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await;
                while stream.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_redirect_is_not_followed_out_of_the_grants() {
    let (outside, connections) = server().await;
    let origin =
        Origin::new(move |_| Answer::new(302, "moved").header("location", &format!("http://{outside}/"))).await;
    let function = probe_for(&origin, NetworkLimits::default()).await;
    assert_eq!(body(&function, &format!("/fetch~{}/", origin.address())).await, "302 moved");
    assert_eq!((origin.calls(), connections.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn tls_is_checked_against_the_name_and_the_authorities_and_its_connection_kept() {
    let authority = Authority::new();
    let origin = Origin::tls(authority.server(&["localhost"]), |_| Answer::ok("secure")).await;
    let port = origin.address().port();
    let pem = std::fs::read(authority.file()).unwrap();
    let trusting = async |pem: Option<Vec<u8>>| {
        probe_with(|spec| {
            spec.network = vec![Grant::new("localhost", port), Grant::new("127.0.0.1", port)];
            spec.authorities = pem.map_or(Vec::new(), |pem| authorities_from_pem(&pem).unwrap());
        })
        .await
    };
    let function = trusting(Some(pem)).await;
    for _ in 0..3 {
        assert_eq!(body(&function, &format!("/fetch-tls~localhost:{port}/")).await, "200 secure");
    }
    assert!(origin.received().iter().all(|request| request.connection == 1));
    // Another name than the certificate's, and an authority that is not trusted.
    let told = body(&function, &format!("/fetch-tls~127.0.0.1:{port}/")).await;
    assert!(told.contains("Tls"), "{told}");
    let told = body(&*trusting(None).await, &format!("/fetch-tls~localhost:{port}/")).await;
    assert!(told.contains("Tls"), "{told}");
    assert_eq!(origin.calls(), 3);
}

#[tokio::test]
async fn a_secret_is_given_by_name_and_stands_nowhere_else() {
    let function = probe_with(|spec| {
        spec.secrets = Secrets::new([("TOKEN".to_owned(), "hunter2-hunter2".to_owned())]);
    })
    .await;
    assert_eq!(body(&function, "/secret~TOKEN").await, "hunter2-hunter2");
    assert_eq!(body(&function, "/secret~OTHER").await, "no secret");
    assert!(!body(&function, "/environment").await.contains("hunter2"));
    assert!(!body(&function, "/context").await.contains("hunter2"));
    // Nor in the log and the error of a function that prints it.
    let invocation = call(&function, "/leak~TOKEN").await;
    assert_eq!(invocation.logs, ["the secret is [secret TOKEN]"]);
    let failed = invocation.result.as_ref().unwrap_err().to_string();
    assert_eq!(failed, "handler failed: Error: [secret TOKEN] was refused");
    assert!(!invocation.log_lines().concat().contains("hunter2"));
}
