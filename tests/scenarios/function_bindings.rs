//! Module `rimward`: environment, secrets, and tokens verified with a key set that the node loads.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rimward_testkit::{Answer, Origin};
use rimward_tests::{DEMO, TestNode};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn function(body: &str, settings: &str) -> (String, String) {
    let config = format!("{DEMO}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n{settings}\n");
    (config, format!("import rimward from 'rimward';\nfunction handler(event) {{ {body} }}"))
}

struct Issuer(Ed25519KeyPair);

impl Issuer {
    fn new() -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self(Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap())
    }

    fn key_set(&self, id: &str) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref());
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{id}","x":"{x}"}}]}}"#)
    }

    fn token(&self, id: &str, claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", part(&format!(r#"{{"alg":"EdDSA","kid":"{id}"}}"#)), part(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.0.sign(signed.as_bytes()).as_ref()))
    }
}

const VERIFY: &str = "try { var t = rimward.verifyJwt(event.request.headers['x-token'].value, { issuer: 'me' });\n\
    return { statusCode: 200, body: t.claims.sub } } catch (e) { return { statusCode: 401, body: String(e) } }";

#[tokio::test]
async fn tokens_are_verified_with_a_key_set_from_a_file() {
    let issuer = Issuer::new();
    let (config, code) = function(VERIFY, "jwks = { file = \"keys.json\" }");
    let keys = issuer.key_set("k");
    let node = TestNode::start(&config, &[("f.js", code.as_bytes()), ("keys.json", keys.as_bytes())]).await;
    // The node's clock says 1,800,000,000.
    let good = issuer.token("k", r#"{"iss":"me","sub":"alice","exp":1800000001}"#);
    let answer = node.get_with("/", &[("x-token", &good)]).await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, "alice"));
    for (token, why) in [
        (Issuer::new().token("k", r#"{"iss":"me"}"#), "Error: invalid token: its signature does not match"),
        (issuer.token("k", r#"{"iss":"me","exp":1800000000}"#), "Error: invalid token: it has expired"),
        (issuer.token("other", r#"{"iss":"me"}"#), "Error: invalid token: there is no key named \"other\""),
    ] {
        let answer = node.get_with("/", &[("x-token", &token)]).await;
        assert_eq!((answer.status(), answer.body.as_str()), (401, why));
    }
}

#[tokio::test]
async fn a_key_set_comes_from_a_url_and_stays_when_the_url_fails_later() {
    let issuer = Issuer::new();
    let (keys, up) = (issuer.key_set("k"), Arc::new(AtomicBool::new(true)));
    let state = up.clone();
    let provider = Origin::new(move |_| match state.load(Ordering::Relaxed) {
        true => Answer::ok(keys.clone()),
        false => Answer::new(500, ""),
    })
    .await;
    let settings = format!("jwks = {{ url = \"{}/keys?v=1\", refresh = \"10 s\" }}", provider.url());
    let (config, code) = function(VERIFY, &settings);
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    assert_eq!(provider.received()[0].target, "/keys?v=1");
    let token = issuer.token("k", r#"{"iss":"me","sub":"bob"}"#);
    assert_eq!(node.get_with("/", &[("x-token", &token)]).await.body, "bob");
    // A reload keeps the set that is loaded, also when its provider is down.
    up.store(false, Ordering::Relaxed);
    assert!(node.reload(&config, &[]).await.is_empty());
    assert_eq!(node.get_with("/", &[("x-token", &token)]).await.body, "bob");
}

#[tokio::test]
async fn a_provider_that_is_down_refuses_tokens_and_not_the_start() {
    let nobody = Origin::nobody().await;
    let (config, code) = function(VERIFY, &format!("jwks = {{ url = \"http://{nobody}/keys\" }}"));
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    assert!(node.problems.is_empty());
    let token = Issuer::new().token("k", r#"{"iss":"me"}"#);
    let answer = node.get_with("/", &[("x-token", &token)]).await;
    assert_eq!(answer.body, "Error: the function has no key set (`jwks`), or it is not loaded yet");
}

#[tokio::test]
async fn a_function_reads_its_environment_and_secrets() {
    let settings = "environment = { STAGE = \"test\" }\nsecrets = { key = { file = \"key.txt\" } }";
    let body = "return { statusCode: 200, body: rimward.environment.STAGE + ' ' + rimward.secret('key') }";
    let (config, code) = function(body, settings);
    let files: [(&str, &[u8]); 2] = [("f.js", code.as_bytes()), ("key.txt", b"s3cret\n")];
    let node = TestNode::start(&config, &files).await;
    assert_eq!(node.get("/").await.body, "test s3cret");
    // A changed secret counts after a reload, though the code and the configuration are the same.
    assert!(node.reload(&config, &[("key.txt", b"other\n")]).await.is_empty());
    assert_eq!(node.get("/").await.body, "test other");
}

#[tokio::test]
async fn a_secret_or_a_key_set_that_is_not_there_is_a_problem_of_its_function() {
    let (config, code) = function("return event.request", "secrets = { key = { env = \"RIMWARD_TEST_NOT_SET\" } }");
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    let text = node.problems[0].message.clone();
    assert!(text.starts_with("secret `key`: the node's environment has no "), "{text}");
    assert_eq!(node.get("/").await.status(), 503);
    let (config, code) = function("return event.request", "jwks = { file = \"keys.json\" }");
    let node = TestNode::start(&config, &[("f.js", code.as_bytes()), ("keys.json", b"{}")]).await;
    let text = node.problems[0].message.clone();
    assert!(text.contains("cannot be used: it is no JSON web key set"), "{text}");
}
