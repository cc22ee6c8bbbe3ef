//! `[node]` and `[cache]`.

use super::*;

fn networks(texts: &[&str]) -> Networks {
    let mut networks = Networks::default();
    texts.iter().for_each(|text| networks.add(text).unwrap());
    networks
}

#[test]
fn every_setting_of_the_node() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let text = r#"
        [node]
        listen = ["127.0.0.1:80", "[::1]:80"]
        admin = "127.0.0.1:81"
        workers = 3
        state = "state"
        access-log = "access.log"
        connection-log = "stderr"
        location = { name = "FRA", region = "eu-central-1" }
        compile = { memory = "1 GB", time = "1 min" }
        geo = { places = "roots.pem", networks = "site.pem" }
        [node.tls]
        listen = ["127.0.0.1:443"]
        certificates = [{ cert = "site.pem", key = "site.key" }]
        [node.limits]
        url = "4 KB"
        head = "16 KB"
        headers = 64
        connections = 500
        connections-per-address = 0
        requests-per-connection = 1_000
        idle = "2 min"
        head-timeout = "5 s"
        body-idle = "7 s"
        body-rate = "1 KB"
        body-grace = "10 s"
        request-body = "1 MB"
        websockets = 100
        websocket-idle = "1 h"
        grpc-idle = "2 h"
        drain = "0 s"
        [node.acl]
        purge = ["127.0.0.1", "10.0.0.0/8"]
        explain = ["::1"]
        admin = ["10.0.0.0/8"]
        many-connections = ["10.0.0.1"]
        [cache]
        memory = "1 GB"
        max-object = "256 MB"
        tag-headers = ["XKey"]
        disk = { path = "cache", size = "20 GB" }
    "#;
    let config = parse_in(folder.path(), &format!("{text}{}", crate::REST)).unwrap();
    assert_eq!(
        config.node,
        Node {
            listen: vec!["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()],
            admin: Some("127.0.0.1:81".parse().unwrap()),
            workers: std::num::NonZeroUsize::new(3),
            state: Some(path("state")),
            location: Location { name: "FRA".to_owned(), region: "eu-central-1".to_owned() },
            geo: GeoFiles { places: Some(path("roots.pem")), networks: Some(path("site.pem")) },
            compile: Compile { memory: ByteSize::mb(1024), time: Duration::from_secs(60) },
            tls: Some(TlsListen {
                listen: vec!["127.0.0.1:443".parse().unwrap()],
                certificates: vec![Certificate { cert: path("site.pem"), key: path("site.key") }],
            }),
            limits: Limits {
                url: ByteSize::kb(4),
                head: ByteSize::kb(16),
                headers: 64,
                connections: 500,
                connections_per_address: None,
                requests_per_connection: Some(1000),
                idle: Duration::from_secs(120),
                head_timeout: Duration::from_secs(5),
                body_idle: Duration::from_secs(7),
                body_rate: ByteSize::kb(1),
                body_grace: Duration::from_secs(10),
                request_body: ByteSize::mb(1),
                websockets: Some(100),
                websocket_idle: Duration::from_secs(3600),
                grpc_idle: Duration::from_secs(7200),
                drain: Duration::ZERO,
            },
            acl: Acl {
                purge: networks(&["127.0.0.1", "10.0.0.0/8"]),
                explain: networks(&["::1"]),
                admin: networks(&["10.0.0.0/8"]),
                many_connections: networks(&["10.0.0.1"])
            },
            access_log: AccessLog::File(path("access.log")),
            connection_log: AccessLog::Stderr,
        }
    );
    assert_eq!(
        config.cache,
        Cache {
            memory: ByteSize::mb(1024),
            max_object: ByteSize::mb(256),
            disk: Some(Disk { path: path("cache"), size: ByteSize::mb(20 << 10) }),
            tag_headers: vec![HeaderName::from_static("xkey")]
        }
    );
}

#[test]
fn with_tls_alone_there_is_no_listener_without_it() {
    let tls =
        "[node.tls]\nlisten = [\"127.0.0.1:8443\"]\ncertificates = [{ cert = \"site.pem\", key = \"site.key\" }]\n";
    assert!(right(tls).node.listen.is_empty());
    assert_eq!(right(&format!("[node]\nlisten = [\"127.0.0.1:80\"]\n{tls}")).node.listen.len(), 1);
}

#[test]
fn the_largest_object_follows_a_disk() {
    let with = |memory: &str, disk: &str| {
        let disk = format!("[cache]\nmemory = \"{memory}\"\ndisk = {{ path = \"c\", size = \"{disk}\" }}\n");
        right(&disk).cache.max_object
    };
    assert_eq!(with("8 MB", "1 GB"), ByteSize::mb(256));
    assert_eq!(with("8 MB", "1000 GB"), ByteSize::mb(1024));
    assert_eq!(with("1 GB", "16 MB"), ByteSize::mb(64));
}

#[test]
fn the_largest_object_follows_a_small_cache() {
    assert_eq!(right("[cache]\nmemory = \"8 MB\"").cache.max_object, ByteSize::mb(2));
    assert_eq!(right("[cache]\nmemory = \"8 GB\"").cache.max_object, ByteSize::mb(64));
}
