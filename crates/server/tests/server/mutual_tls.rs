//! Viewers that show certificates (`cloudfront-functions.md` section 13).

use crate::stage::{Stage, node, until};
use rimward_config::{MutualTlsSites, Node};
use rimward_server::HandshakeFailure;
use rimward_testkit::{Authority, Client, Identity, Lifetime};
use rimward_types::connection::Mutual;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A server for `a.test`, which asks for certificates, and `b.test`, which does not.
struct Play {
    /// Signs for servers.
    own: Authority,
    /// Signs for viewers.
    partners: Authority,
    stage: Stage,
    certificates: String,
}

impl Play {
    /// `store`: more keys of the trust store. `mutual`: more keys of `mutual-tls`.
    async fn new(store: &str, mutual: &str) -> Self {
        Self::with(Authority::new(), store, mutual).await
    }

    async fn with(partners: Authority, store: &str, mutual: &str) -> Self {
        let own = Authority::new();
        let files = own.sign(&["a.test", "b.test"]);
        let certificates = format!("{{ cert = {:?}, key = {:?} }}", files.cert, files.key);
        let (node, sites) = configuration(&certificates, &partners.file(), store, mutual);
        Self { own, partners, stage: Stage::asking(node, &sites).await, certificates }
    }

    fn reload(&self, authorities: PathBuf, store: &str, mutual: &str) {
        let (node, sites) = configuration(&self.certificates, &authorities, store, mutual);
        self.stage.handle.reload(&node, &sites).unwrap();
    }

    async fn connect(&self, host: &str, alpn: &[&str], identity: Option<&Identity>) -> std::io::Result<Client> {
        let config = self.own.client_showing(alpn, identity);
        Client::https_with(self.stage.tls.unwrap(), host, config).await
    }

    /// The status of a request over a new connection; `None`: there is no such connection.
    async fn status(&self, host: &str, identity: Option<&Identity>) -> Option<u16> {
        let client = self.connect(host, &["http/1.1"], identity).await.ok()?;
        Some(client.fetch(client.request("GET", "/a", "")).await.ok()?.status().as_u16())
    }

    /// How the last handshake for `a.test` failed.
    async fn failure(&self) -> HandshakeFailure {
        until("a handshake to be told", || !self.stage.script.handshakes.lock().unwrap().is_empty()).await;
        self.stage.script.handshakes.lock().unwrap().pop().unwrap().outcome.unwrap_err()
    }

    fn mutual(&self) -> Option<Mutual> {
        let connection = self.stage.script.connections.lock().unwrap().last().unwrap().clone();
        connection.tls.as_ref().unwrap().mutual.clone()
    }
}

fn configuration(
    certificates: &str,
    authorities: &std::path::Path,
    store: &str,
    mutual: &str,
) -> (Node, MutualTlsSites) {
    let text = format!(
        "[node.tls]\nlisten = [\"127.0.0.1:0\"]\ncertificates = [{certificates}]\n\
         [trust-stores.partners]\nauthorities = {authorities:?}\n{store}\n\
         [origins.app]\nurl = \"builtin:demo\"\n\
         [[distributions]]\nid = \"A\"\ndomains = [\"a.test\"]\nbehaviors = [{{ origin = \"app\" }}]\n\
         mutual-tls = {{ trust-store = \"partners\", {mutual} }}\n\
         [[distributions]]\nid = \"B\"\ndomains = [\"b.test\"]\nbehaviors = [{{ origin = \"app\" }}]\n"
    );
    let config = rimward_config::parse(&text, "/".as_ref(), "rimward.toml").unwrap();
    (Node { tls: config.node.tls.clone(), ..node() }, config.mutual_tls_sites())
}

#[tokio::test]
async fn a_good_certificate_is_let_in_and_told() {
    let play = Play::new("", "").await;
    let identity = play.partners.sign_viewer("device", &[7, 8], Lifetime::Now);
    for alpn in ["h2", "http/1.1"] {
        let client = play.connect("a.test", &[alpn], Some(&identity)).await.unwrap();
        assert_eq!(client.get("/a").await.status(), 200);
        let mutual = play.mutual().unwrap();
        let certificate = mutual.certificate.unwrap();
        assert_eq!((&*mutual.distribution, &*certificate.subject), ("A", "CN=device,O=Viewers"));
        assert_eq!(certificate.serial, "07:08");
        let told = play.stage.script.handshakes.lock().unwrap().pop().unwrap();
        assert_eq!((told.server_name.as_deref(), &*told.distribution), (Some("a.test"), "A"));
        assert_eq!(told.certificate, Some(certificate));
        assert!(told.outcome.is_ok());
    }
}

#[tokio::test]
async fn others_are_not_let_in_and_the_reason_is_told() {
    let play = Play::new("", "").await;
    let stranger = Authority::named("Strangers");
    for (identity, failure) in [
        (None, HandshakeFailure::CertificateMissing),
        (Some(stranger.sign_viewer("x", &[1], Lifetime::Now)), HandshakeFailure::CertificateUntrusted),
        (Some(play.partners.sign_viewer("x", &[1], Lifetime::Expired)), HandshakeFailure::CertificateExpired),
        (Some(play.partners.sign_viewer("x", &[1], Lifetime::NotYet)), HandshakeFailure::CertificateNotYetValid),
        (Some(play.partners.sign_for_server("x")), HandshakeFailure::CertificatePurpose),
    ] {
        assert_eq!(play.status("a.test", identity.as_ref()).await, None, "{failure:?}");
        assert_eq!(play.failure().await, failure);
    }
    assert!(play.stage.script.connections.lock().unwrap().is_empty(), "nobody reached the service");
    assert_eq!(play.status("b.test", None).await, Some(200));
    assert_eq!(play.mutual(), None);
    assert!(play.stage.script.handshakes.lock().unwrap().is_empty(), "others are not judged");
}

#[tokio::test]
async fn in_optional_mode_none_is_let_in_but_not_a_bad_one() {
    let play = Play::new("", "mode = \"optional\"").await;
    assert_eq!(play.status("a.test", None).await, Some(200));
    assert_eq!(play.mutual(), Some(Mutual { distribution: "A".into(), certificate: None }));
    let good = play.partners.sign_viewer("x", &[1], Lifetime::Now);
    assert_eq!(play.status("a.test", Some(&good)).await, Some(200));
    assert!(play.mutual().unwrap().certificate.is_some());
    play.stage.script.handshakes.lock().unwrap().clear();
    let bad = Authority::named("Strangers").sign_viewer("x", &[1], Lifetime::Now);
    assert_eq!(play.status("a.test", Some(&bad)).await, None);
    assert_eq!(play.failure().await, HandshakeFailure::CertificateUntrusted);
}

#[tokio::test]
async fn expiry_can_be_ignored_and_nothing_else_is() {
    let play = Play::new("", "ignore-expiry = true").await;
    let expired = play.partners.sign_viewer("x", &[1], Lifetime::Expired);
    assert_eq!(play.status("a.test", Some(&expired)).await, Some(200));
    assert_eq!(play.mutual().unwrap().certificate.unwrap().not_after, "2020-12-31T00:00:00Z");
    play.stage.script.handshakes.lock().unwrap().clear();
    for (identity, failure) in [
        (play.partners.sign_viewer("x", &[1], Lifetime::NotYet), HandshakeFailure::CertificateNotYetValid),
        (
            Authority::named("Strangers").sign_viewer("x", &[1], Lifetime::Expired),
            HandshakeFailure::CertificateUntrusted,
        ),
    ] {
        assert_eq!(play.status("a.test", Some(&identity)).await, None);
        assert_eq!(play.failure().await, failure);
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_not_let_in_even_where_expiry_is_ignored() {
    let partners = Authority::new();
    let [good, revoked] = [1, 2].map(|serial| partners.sign_viewer("x", &[serial], Lifetime::Now));
    let gone = partners.sign_viewer("x", &[3], Lifetime::Expired);
    let store = format!("revocations = [{:?}]", partners.revoke(&[&revoked, &gone]));
    let play = Play::with(partners, &store, "ignore-expiry = true").await;
    assert_eq!(play.status("a.test", Some(&good)).await, Some(200));
    play.stage.script.handshakes.lock().unwrap().clear();
    for identity in [&revoked, &gone] {
        assert_eq!(play.status("a.test", Some(identity)).await, None);
        assert_eq!(play.failure().await, HandshakeFailure::CertificateRevoked);
    }
}

/// cloudfront-functions.md section 13: session resumption is off with mutual TLS.
#[tokio::test]
async fn sessions_are_taken_up_again_only_without_mutual_tls() {
    let play = Play::new("", "").await;
    let identity = play.partners.sign_viewer("x", &[1], Lifetime::Now);
    for (host, resumed) in [("a.test", false), ("b.test", true)] {
        // One configuration keeps its sessions.
        let config = play.own.client_showing(&["http/1.1"], Some(&identity));
        for second in [false, true] {
            let client = Client::https_with(play.stage.tls.unwrap(), host, Arc::clone(&config)).await.unwrap();
            assert_eq!(client.get("/a").await.status(), 200);
            let connection = play.stage.script.connections.lock().unwrap().last().unwrap().clone();
            assert_eq!(connection.tls.as_ref().unwrap().resumed, second && resumed, "{host}");
        }
    }
}

#[tokio::test]
async fn the_service_can_deny_a_connection_before_its_first_request() {
    let play = Play::new("", "").await;
    let identity = play.partners.sign_viewer("x", &[1], Lifetime::Now);
    play.stage.script.admit.store(false, Ordering::Relaxed);
    assert_eq!(play.status("a.test", Some(&identity)).await, None);
    assert!(play.stage.script.connections.lock().unwrap().is_empty());
}

/// A reload drops nobody whose certificate would be judged as before, and has the others connect again.
#[tokio::test]
async fn a_reload_with_another_trust_store_ends_the_connections_that_the_old_one_let_in() {
    let play = Play::new("", "").await;
    let identity = play.partners.sign_viewer("x", &[1], Lifetime::Now);
    let [judged, other] = ["a.test", "b.test"].map(|host| play.connect(host, &["h2"], Some(&identity)));
    let (judged, other) = (judged.await.unwrap(), other.await.unwrap());
    play.reload(play.partners.file(), "", "advertise-names = true");
    assert_eq!(judged.get("/a").await.status(), 200, "the same judgement");
    let judged = Arc::new(judged);
    let waiting = judged.clone();
    let request = tokio::spawn(async move { waiting.get("/wait").await });
    play.stage.started(2).await;
    let next = Authority::new();
    play.reload(next.file(), "", "");
    play.stage.script.release.send_replace(true);
    assert_eq!(request.await.unwrap().status(), 200, "what was in flight is finished");
    assert!(judged.fetch(judged.request("GET", "/a", "")).await.is_err(), "and nothing after it");
    assert_eq!(other.get("/a").await.status(), 200, "who was not judged stays");
    assert_eq!(play.status("a.test", Some(&identity)).await, None);
    let new = next.sign_viewer("x", &[1], Lifetime::Now);
    assert_eq!(play.status("a.test", Some(&new)).await, Some(200));
}

/// Else who was let in by a key that was stolen since could go on with a download, or a WebSocket, for as long as the origin likes.
#[tokio::test]
async fn what_is_in_flight_when_the_trust_store_changes_has_the_time_of_a_drain() {
    let play = Play::new("", "").await;
    let identity = play.partners.sign_viewer("x", &[1], Lifetime::Now);
    let client = play.connect("a.test", &["http/1.1"], Some(&identity)).await.unwrap();
    let request = tokio::spawn(async move { client.fetch(client.request("GET", "/wait", "")).await.map(drop) });
    play.stage.started(1).await;
    let next = Authority::new();
    let (mut node, sites) = configuration(&play.certificates, &next.file(), "", "");
    node.limits.drain = Duration::ZERO;
    play.stage.handle.reload(&node, &sites).unwrap();
    assert!(request.await.unwrap().is_err(), "the time is over, the answer has not begun");
    assert_eq!(play.stage.counters.cut.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_expired_authority_is_dropped_unless_expiry_is_ignored() {
    let partners = Authority::new();
    let current = Authority::named("Partners of today");
    let gone = partners.expired_file();
    let both = std::fs::read_to_string(&gone).unwrap() + &std::fs::read_to_string(current.file()).unwrap();
    std::fs::write(&gone, both).unwrap();
    let play = Play::new("", "").await;
    for (mutual, status) in [("", None), ("ignore-expiry = true", Some(200))] {
        play.reload(gone.clone(), "", mutual);
        let [old, new] = [&partners, &current].map(|by| by.sign_viewer("x", &[1], Lifetime::Now));
        assert_eq!(play.status("a.test", Some(&old)).await, status);
        assert_eq!(play.status("a.test", Some(&new)).await, Some(200));
    }
}

#[tokio::test]
async fn a_trust_store_that_cannot_be_used_is_named_and_the_old_one_stays() {
    let play = Play::new("", "").await;
    let identity = play.partners.sign_viewer("x", &[1], Lifetime::Now);
    let [first, second] = ["first.pem", "second.pem"].map(|name| {
        let list = play.partners.revoke(&[&identity]).with_file_name(name);
        std::fs::rename(list.with_file_name("revoked.pem"), &list).unwrap();
        list
    });
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let listed = |name, text: &str| format!("revocations = [{:?}]", file(name, text));
    for (authorities, store, why) in [
        (file("empty.pem", ""), String::new(), "there is no certificate in it"),
        (file("broken.pem", broken), String::new(), "certificate 1: "),
        // Its holder could sign for everybody.
        (file("viewer.pem", &identity.pem()), String::new(), "certificate 1: it is no authority's"),
        (play.partners.expired_file(), String::new(), "all certificates in it have expired"),
        (play.partners.file(), format!("revocations = [{first:?}, {second:?}]"), "only the first would count"),
        (play.partners.file(), listed("none.pem", "nothing"), "there is no revocation list in it"),
        (play.partners.file(), listed("list.pem", &broken.replace("CERTIFICATE", "X509 CRL")), "list.pem: "),
    ] {
        let (node, sites) = configuration(&play.certificates, &authorities, &store, "");
        let error = play.stage.handle.reload(&node, &sites).unwrap_err().to_string();
        assert!(error.starts_with("cannot use ") && error.contains(why), "{error}");
    }
    assert_eq!(play.status("a.test", Some(&identity)).await, Some(200));
}
