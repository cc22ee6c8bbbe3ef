//! HTTPS: certificates, their choice, ALPN, reload.

use crate::stage::{SHORT, Stage, count, limits, node, until};
use rimward_config::{Certificate, Limits, MutualTlsSites, Node, TlsListen};
use rimward_server::{BindError, Server};
use rimward_testkit::{Authority, Client, PemFiles, Raw};
use std::net::SocketAddr;

fn certificate(files: PemFiles) -> Certificate {
    Certificate { cert: files.cert, key: files.key }
}

#[tokio::test]
async fn alpn_chooses_the_protocol() {
    let authority = Authority::new();
    let stage = Stage::https(vec![certificate(authority.sign(&["a.test"]))]).await;
    let address = stage.tls.unwrap();
    for (alpn, h2) in [(&["h2", "http/1.1"][..], true), (&["http/1.1"], false), (&[], false)] {
        let client = Client::https(address, "a.test", &authority, alpn).await.unwrap();
        assert_eq!(client.is_http2(), h2);
        assert_eq!(client.get("/a").await.status(), 200);
    }
    let connection = stage.script.connections.lock().unwrap()[0].clone();
    let tls = connection.tls.clone().unwrap();
    assert_eq!((tls.version, tls.server_name.as_deref()), ("TLSv1.3", Some("a.test")));
    assert!(tls.cipher.starts_with("TLS_"), "{}", tls.cipher);
    assert_eq!(connection.scheme(), "https");
}

/// cloudfront-functions.md section 14.
#[tokio::test]
async fn a_viewers_tls_library_has_its_fingerprints() {
    let authority = Authority::new();
    let stage = Stage::https(vec![certificate(authority.sign(&["a.test"]))]).await;
    for alpn in [&["h2"][..], &["http/1.1"], &[]] {
        let client = Client::https(stage.tls.unwrap(), "a.test", &authority, alpn).await.unwrap();
        assert_eq!(client.get("/a").await.status(), 200);
        let connection = stage.script.connections.lock().unwrap().last().unwrap().clone();
        let of = connection.tls.as_ref().unwrap().fingerprints.clone().unwrap();
        let expected = match alpn {
            [] => "00",
            ["h2"] => "h2",
            _ => "h1",
        };
        let (what, digests) = of.ja4.split_once('_').unwrap();
        assert!(what.starts_with("t13d") && what.ends_with(expected), "{}", of.ja4);
        assert_eq!((of.ja3.len(), digests.len()), (32, 25));
    }
}

#[tokio::test]
async fn the_certificate_is_chosen_by_the_name_asked_for() {
    let authority = Authority::new();
    let names = [&["a.test"][..], &["b.test", "*.c.test"]];
    let stage = Stage::https(names.iter().map(|n| certificate(authority.sign(n))).collect()).await;
    let address = stage.tls.unwrap();
    for host in ["a.test", "b.test", "x.c.test"] {
        assert!(Client::https(address, host, &authority, &[]).await.is_ok(), "{host}");
    }
    // The first one is for the others; their clients do not like it.
    assert!(Client::https(address, "d.test", &authority, &[]).await.is_err());
}

#[tokio::test]
async fn a_reload_takes_a_new_certificate_and_keeps_the_old_one_when_it_is_bad() {
    let authority = Authority::new();
    let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    let with = |certificates| Node { tls: Some(TlsListen { listen: listen.clone(), certificates }), ..node() };
    let none = MutualTlsSites::none();
    let stage = Stage::on(with(vec![certificate(authority.sign(&["a.test"]))])).await;
    let address = stage.tls.unwrap();
    let before = Client::https(address, "a.test", &authority, &[]).await.unwrap();
    stage.handle.reload(&with(vec![certificate(authority.sign(&["b.test"]))]), &none).unwrap();
    assert!(Client::https(address, "b.test", &authority, &[]).await.is_ok());
    let mut mixed = authority.sign(&["c.test"]);
    mixed.key = authority.sign(&["d.test"]).key;
    let error = stage.handle.reload(&with(vec![certificate(mixed)]), &none).unwrap_err();
    assert!(error.to_string().contains("it is not the key of"), "{error}");
    assert!(Client::https(address, "b.test", &authority, &[]).await.is_ok());
    assert_eq!(before.get("/a").await.status(), 200);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_in_time_ends() {
    let authority = Authority::new();
    let tls = TlsListen {
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        certificates: vec![certificate(authority.sign(&["a.test"]))],
    };
    let stage = Stage::on(Node { tls: Some(tls), limits: Limits { head_timeout: SHORT, ..limits() }, ..node() }).await;
    assert!(Raw::connect(stage.tls.unwrap()).await.is_closed().await);
    let mut raw = Raw::connect(stage.tls.unwrap()).await;
    raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.rest().await;
    until("both to be counted", || count(&stage.counters.handshakes_failed) == 2).await;
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let none = MutualTlsSites::none();
    let missing = Certificate { cert: "/nowhere/a.pem".into(), key: "/nowhere/a.key".into() };
    let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    let with = |certificates| Node { tls: Some(TlsListen { listen: listen.clone(), certificates }), ..node() };
    assert!(
        matches!(Server::bind(&with(vec![missing]), &none), Err(BindError::Certificate { path, .. }) if path.ends_with("a.pem"))
    );
    assert!(matches!(Server::bind(&with(vec![]), &none), Err(BindError::NoCertificate)));
    let taken = Server::bind(&node(), &none).unwrap();
    let again = Node { listen: taken.addresses().to_vec(), ..node() };
    assert!(
        matches!(Server::bind(&again, &none), Err(BindError::Listen { address, .. }) if address == taken.addresses()[0])
    );
}
