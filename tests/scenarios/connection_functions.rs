//! Functions that judge connections (`cloudfront-functions.md` section 13).

use rimward_testkit::{Authority, Client, Identity, Lifetime};
use rimward_tests::TestNode;
use std::net::SocketAddr;

struct Play {
    own: Authority,
    partners: Authority,
    node: TestNode,
    https: SocketAddr,
}

impl Play {
    /// `body`: of the handler. `mode`: of mutual TLS.
    async fn new(mode: &str, body: &str) -> Self {
        let code = format!("import cf from 'cloudfront';\nasync function connectionHandler(connection) {{ {body} }}");
        let (own, partners) = (Authority::new(), Authority::named("Partners"));
        let files = own.sign(&["a.test"]);
        let config = format!(
            "[node.tls]\nlisten = [\"127.0.0.1:0\"]\ncertificates = [{{ cert = {:?}, key = {:?} }}]\n\
             [trust-stores.partners]\nauthorities = {:?}\n\
             [key-value-stores.revoked]\nfile = \"revoked.json\"\n\
             [functions.door]\ncode = \"door.js\"\nkind = \"connection\"\nkey-value-store = \"revoked\"\n\
             [origins.app]\nurl = \"builtin:demo\"\n\
             [[distributions]]\nid = \"A\"\ndomain-name = \"d1.example.net\"\ndomains = [\"a.test\"]\n\
             behaviors = [{{ origin = \"app\" }}]\n\
             mutual-tls = {{ trust-store = \"partners\", mode = \"{mode}\" }}\nconnection-function = \"door\"\n",
            files.cert,
            files.key,
            partners.file(),
        );
        let revoked = br#"{"data":[{"key":"0b:ad","value":"stolen"}]}"#;
        let node = TestNode::start(&config, &[("door.js", code.as_bytes()), ("revoked.json", revoked)]).await;
        let https = node.listen_https().await;
        Self { own, partners, node, https }
    }

    /// The status of a request over a new connection; `None`: there is no such connection.
    async fn status(&self, identity: Option<&Identity>) -> Option<u16> {
        let config = self.own.client_showing(&["http/1.1"], identity);
        let client = Client::https_with(self.https, "a.test", config).await.ok()?;
        Some(client.fetch(client.request("GET", "/", "")).await.ok()?.status().as_u16())
    }

    fn identity(&self, serial: &[u8]) -> Identity {
        self.partners.sign_viewer("device", serial, Lifetime::Now)
    }
}

#[tokio::test]
async fn a_function_sees_the_connection_and_lets_it_in() {
    let play = Play::new(
        "required",
        "const c = connection.clientCertificate.certificates.leaf;\n\
         connection.logCustomData([c.serialNumber, c.issuer, c.subject, c.validity.notBefore, c.validity.notAfter,\n\
           c.sha256Fingerprint.length, connection.clientIp, connection.endpoint, connection.distributionId,\n\
           connection.connectionId.length > 10].join(' '));\n\
         connection.allow();",
    )
    .await;
    assert_eq!(play.node.problems, []);
    assert_eq!(play.status(Some(&play.identity(&[7]))).await, Some(200));
    let record = play.node.connection_record();
    assert_eq!(
        record["connectionLogCustomData"],
        "07 CN=Partners CN=device,O=Viewers 2020-01-02T00:00:00Z 2999-01-01T00:00:00Z 64 127.0.0.1 d1.example.net A true"
    );
    assert_eq!((&record["result"], &record["distribution"]), (&"Success".into(), &"A".into()));
    assert_eq!((&record["server_name"], &record["tls_version"]), (&"a.test".into(), &"TLSv1.3".into()));
    assert_eq!(record["certificate"]["serial"], "07");
    assert_eq!((&record["function"]["function"], &record["function"]["verdict"]), (&"door".into(), &"allowed".into()));
    let metrics = play.node.proxy().records().metrics.to_prometheus();
    assert!(metrics.contains("rimward_mutual_tls_connections_total{result=\"Success\"} 1\n"), "{metrics}");
    let runs = "rimward_function_runs_total{function=\"door\",hook=\"connection\",verdict=\"allowed\"} 1\n";
    assert!(metrics.contains(runs), "{metrics}");
}

/// Denied, neither called, thrown, endless: none of them is let in, and the record says which it was.
#[tokio::test]
async fn a_connection_that_is_not_allowed_is_closed() {
    for (body, result, reason) in [
        ("connection.deny()", "ConnectionFunctionDenied", None),
        ("connection.allow(); connection.deny()", "ConnectionFunctionDenied", None),
        ("", "ConnectionFunctionDenied", None),
        ("connection.allow(); throw new Error('no')", "ConnectionFunctionError", Some("Error: no")),
        ("connection.allow(); await new Promise(() => {})", "ConnectionFunctionError", Some("never settles")),
        ("connection.allow(); for (;;);", "ConnectionFunctionError", Some("ms")),
    ] {
        let play = Play::new("required", body).await;
        assert_eq!(play.status(Some(&play.identity(&[7]))).await, None, "{body}");
        let record = play.node.connection_record();
        assert_eq!(record["result"], result, "{body}");
        let said = record["function"]["reason"].as_str().unwrap_or_default();
        assert!(reason.map_or(said.is_empty(), |reason| said.contains(reason)), "{body}: {said}");
        assert_eq!(record["certificate"]["subject"], "CN=device,O=Viewers");
    }
}

/// What the vendor shows it for: revocation by a key value store.
#[tokio::test]
async fn a_function_revokes_by_its_key_value_store() {
    let body = "const serial = connection.clientCertificate.certificates.leaf.serialNumber;\n\
                if (await cf.kvs().exists(serial)) { connection.logCustomData(await cf.kvs().get(serial)); return connection.deny() }\n\
                connection.allow()";
    let play = Play::new("required", body).await;
    assert_eq!(play.status(Some(&play.identity(&[7]))).await, Some(200));
    assert_eq!(play.node.connection_record()["result"], "Success");
    assert_eq!(play.status(Some(&play.identity(&[0x0b, 0xad]))).await, None);
    let record = play.node.connection_record();
    assert_eq!(
        (&record["result"], &record["connectionLogCustomData"]),
        (&"ConnectionFunctionDenied".into(), &"stolen".into())
    );
}

/// In optional mode it also judges viewers without a certificate; one that is not good never reaches it.
#[tokio::test]
async fn a_viewer_without_certificate_is_judged_and_a_bad_certificate_is_not() {
    let body = "connection.clientCertificate ? connection.deny() : connection.allow()";
    let play = Play::new("optional", body).await;
    assert_eq!(play.status(None).await, Some(200));
    let record = play.node.connection_record();
    assert_eq!((&record["result"], record.get("certificate")), (&"Success".into(), None));
    assert_eq!(play.status(Some(&play.identity(&[7]))).await, None);
    assert_eq!(play.node.connection_record()["result"], "ConnectionFunctionDenied");
    let stranger = Authority::named("Strangers").sign_viewer("who", &[1], Lifetime::Now);
    assert_eq!(play.status(Some(&stranger)).await, None);
    let record = play.node.connection_record();
    assert_eq!((&record["result"], record.get("function")), (&"ClientCertUntrusted".into(), None));
    assert_eq!(record["certificate"]["subject"], "CN=who,O=Viewers", "whose it claims to be");
}

/// It runs once for a connection, however many requests there are; a published version judges the next one.
#[tokio::test]
async fn it_runs_once_for_each_connection_and_can_be_published() {
    let play = Play::new("required", "connection.allow()").await;
    let identity = play.identity(&[7]);
    let config = play.own.client_showing(&["h2"], Some(&identity));
    let client = Client::https_with(play.https, "a.test", config).await.unwrap();
    for _ in 0..3 {
        assert_eq!(client.get("/").await.status(), 200);
    }
    play.node.publish("door", b"function connectionHandler(connection) { connection.deny() }").await;
    assert_eq!(client.get("/").await.status(), 200, "it was let in");
    assert_eq!(play.status(Some(&identity)).await, None);
    assert_eq!(play.node.connection_record()["result"], "Success");
    assert_eq!(play.node.connection_record()["result"], "ConnectionFunctionDenied");
}

#[tokio::test]
async fn a_function_that_does_not_compile_lets_nobody_in() {
    let play = Play::new("required", "connection.allow(").await;
    assert_eq!(play.node.problems.len(), 1);
    assert_eq!(play.status(Some(&play.identity(&[7]))).await, None);
    assert_eq!(play.node.connection_record()["result"], "ConnectionFunctionError");
}
