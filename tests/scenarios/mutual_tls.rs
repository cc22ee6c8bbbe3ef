//! Distributions that ask viewers for certificates (`cloudfront-functions.md` sections 13 and 14).

use rimward_testkit::{Answer as Given, Authority, Client, Identity, Lifetime, Origin};
use rimward_tests::TestNode;
use std::net::SocketAddr;

struct Play {
    own: Authority,
    partners: Authority,
    node: TestNode,
    https: SocketAddr,
    origin: Origin,
}

const FUNCTION: &str = "function handler(event) {\n\
    var h = event.request.headers, seen = Object.keys(h).filter(function (n) { return n.indexOf('-cert-') > 0 });\n\
    h['x-seen'] = { value: seen.sort().map(function (n) { return n.slice(23) + '=' + h[n].value }).join(' ') };\n\
    return event.request;\n}";

impl Play {
    /// `a.test` asks in `mode`, with a behavior of `behavior`; `c.test` asks too, and `b.test` does not.
    async fn new(mode: &str, behavior: &str) -> Self {
        let (own, partners) = (Authority::new(), Authority::named("Partners"));
        let origin = Origin::new(|_| Given::ok("from the origin")).await;
        let files = own.sign(&["a.test", "b.test", "c.test"]);
        let config = format!(
            "[node.tls]\nlisten = [\"127.0.0.1:0\"]\ncertificates = [{{ cert = {:?}, key = {:?} }}]\n\
             [trust-stores.partners]\nauthorities = {:?}\n\
             [functions.f]\ncode = \"f.js\"\n[origins.app]\nurl = \"{}\"\n\
             [[distributions]]\nid = \"A\"\ndomains = [\"a.test\", \"also-a.test\"]\n\
             mutual-tls = {{ trust-store = \"partners\", mode = \"{mode}\" }}\n\
             [[distributions.behaviors]]\norigin = \"app\"\nviewer-request = \"f\"\ncache-policy = \"caching-disabled\"\n{behavior}\n\
             [[distributions]]\nid = \"B\"\ndomains = [\"b.test\"]\n\
             [[distributions.behaviors]]\norigin = \"app\"\nviewer-request = \"f\"\ncache-policy = \"caching-disabled\"\n{behavior}\n\
             [[distributions]]\nid = \"C\"\ndomains = [\"c.test\"]\nbehaviors = [{{ origin = \"app\" }}]\n\
             mutual-tls = {{ trust-store = \"partners\" }}\n",
            files.cert,
            files.key,
            partners.file(),
            origin.url()
        );
        let node = TestNode::start(&config, &[("f.js", FUNCTION.as_bytes())]).await;
        let https = node.listen_https().await;
        Self { own, partners, node, https, origin }
    }

    async fn connect(&self, host: &str, alpn: &str, identity: Option<&Identity>) -> Client {
        Client::https_with(self.https, host, self.own.client_showing(&[alpn], identity)).await.unwrap()
    }

    fn identity(&self) -> Identity {
        self.partners.sign_viewer("device", &[0x4a, 0xff], Lifetime::Now)
    }
}

/// The status of a request for another host than the connection was made for.
async fn status_for(client: &Client, host: &str) -> u16 {
    let mut request = client.request("GET", "/", "");
    if client.is_http2() {
        *request.uri_mut() = format!("https://{host}/").parse().unwrap();
    } else {
        request.headers_mut().insert("host", host.parse().unwrap());
    }
    client.fetch(request).await.unwrap().status().as_u16()
}

/// RFC 9110 section 15.5.20.
#[tokio::test]
async fn a_distribution_that_asks_is_not_reached_over_a_connection_for_another() {
    let play = Play::new("required", "").await;
    let identity = play.identity();
    for alpn in ["h2", "http/1.1"] {
        let plain = play.connect("b.test", alpn, Some(&identity)).await;
        assert_eq!(status_for(&plain, "b.test").await, 200);
        for host in ["a.test", "A.TEST:443", "also-a.test", "c.test"] {
            assert_eq!(status_for(&plain, host).await, 421, "{host}");
        }
        let asked = play.connect("a.test", alpn, Some(&identity)).await;
        // Its own other names, and what asks for nothing.
        for (host, status) in [("a.test", 200), ("also-a.test", 200), ("b.test", 200), ("c.test", 421)] {
            assert_eq!(status_for(&asked, host).await, status, "{host}");
        }
    }
    play.node.record();
    let record = play.node.record();
    assert_eq!((&record["status"], &record["detail"]), (&421.into(), &"InvalidRequestCertificate".into()));
}

#[tokio::test]
async fn it_is_not_reached_without_tls_either() {
    for (policy, status) in [("allow-all", 403), ("https-only", 403), ("redirect-to-https", 301)] {
        let play = Play::new("optional", &format!("viewer-protocol = \"{policy}\"")).await;
        for method in ["GET", "PURGE"] {
            let mut request = rimward_tests::request(method, "/", &[]);
            request.headers.insert("host", "a.test".parse().unwrap());
            let answer = play.node.send(request, rimward_types::Body::Empty).await;
            let expected = if status == 301 && method == "PURGE" { 307 } else { status };
            assert_eq!(answer.status(), expected, "{policy} {method}");
        }
        assert_eq!(play.origin.received().len(), 0);
    }
}

const NAMES: &str = "\"CloudFront-Viewer-Cert-Serial-Number\", \"CloudFront-Viewer-Cert-Issuer\", \"CloudFront-Viewer-Cert-Subject\", \
                     \"CloudFront-Viewer-Cert-Present\", \"CloudFront-Viewer-Cert-Sha256\", \"CloudFront-Viewer-Cert-Validity\", \
                     \"CloudFront-Viewer-Cert-Pem\", \"x-seen\"";

/// cloudfront-functions.md section 14: validity and the certificate itself are for the origin alone.
#[tokio::test]
async fn functions_and_the_origin_are_told_of_the_certificate() {
    let play = Play::new("required", &format!("forward = {{ headers = [{NAMES}] }}")).await;
    let identity = play.identity();
    let client = play.connect("a.test", "http/1.1", Some(&identity)).await;
    let mut request = client.request("GET", "/", "");
    for name in ["subject", "pem", "validity", "other"] {
        request.headers_mut().insert(
            http::HeaderName::from_bytes(format!("cloudfront-viewer-cert-{name}").as_bytes()).unwrap(),
            "spoofed".parse().unwrap(),
        );
    }
    assert_eq!(client.fetch(request).await.unwrap().status(), 200);
    let received = play.origin.received().pop().unwrap();
    let of = |name: &str| received.header(&format!("cloudfront-viewer-cert-{name}")).map(str::to_owned);
    assert_eq!(of("serial-number").as_deref(), Some("4a:ff"));
    assert_eq!(of("issuer").as_deref(), Some("CN=Partners"));
    assert_eq!(of("subject").as_deref(), Some("CN=device,O=Viewers"));
    assert_eq!(of("present").as_deref(), Some("1"));
    assert_eq!(of("validity").as_deref(), Some("NotBefore=2020-01-02T00:00:00Z;NotAfter=2999-01-01T00:00:00Z"));
    assert_eq!(of("other"), None);
    let pem = of("pem").unwrap().replace("%20", " ").replace("%0A", "\n");
    let pem = pem.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    assert_eq!(pem, identity.pem());
    let sha256 = of("sha256").unwrap();
    assert_eq!(sha256.len(), 64);
    let seen = received.header("x-seen").unwrap();
    let expected =
        format!("issuer=CN=Partners present=1 serial-number=4a:ff sha256={sha256} subject=CN=device,O=Viewers");
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn without_a_certificate_that_is_all_they_are_told() {
    let play = Play::new("optional", &format!("forward = {{ headers = [{NAMES}] }}")).await;
    let client = play.connect("a.test", "h2", None).await;
    assert_eq!(client.get("/").await.status(), 200);
    let received = play.origin.received().pop().unwrap();
    let told: Vec<_> = received.headers.iter().filter(|(name, _)| name.to_lowercase().contains("-cert-")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(received.header("cloudfront-viewer-cert-present"), Some("0"));
    assert_eq!(received.header("x-seen"), Some("present=0"));
}

/// What a viewer says of certificates itself reaches nobody, with or without mutual TLS and policies.
#[tokio::test]
async fn a_viewers_own_word_on_certificates_counts_for_nothing() {
    for behavior in ["forward = \"all-viewer\"", ""] {
        let play = Play::new("required", behavior).await;
        let client = play.connect("b.test", "h2", None).await;
        let mut request = client.request("GET", "/", "");
        request.headers_mut().insert("cloudfront-viewer-cert-present", "1".parse().unwrap());
        request.headers_mut().insert("cloudfront-viewer-cert-subject", "CN=root".parse().unwrap());
        assert_eq!(client.fetch(request).await.unwrap().status(), 200);
        let received = play.origin.received().pop().unwrap();
        assert_eq!(received.header("cloudfront-viewer-cert-present"), None);
        assert_eq!(received.header("cloudfront-viewer-cert-subject"), None);
        assert_eq!(received.header("x-seen"), Some(""));
    }
}
