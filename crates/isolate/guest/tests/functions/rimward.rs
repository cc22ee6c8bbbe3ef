//! Module `rimward`, an extension.

use rimward_wire::abi::Loaded;

use crate::harness::{Function, TERMS, eval_with};

fn eval(expression: &str) -> String {
    eval_with("import rimward from 'rimward';", expression)
}

/// A token with these parts as JSON, and a signature that the test host takes for right.
fn token(header: &str, payload: &str) -> String {
    let encode = |text: &str| eval(&format!("Buffer.from(`{text}`).toString('base64url')"));
    format!("{}.{}.{}", encode(header), encode(payload), encode("right"))
}

fn verify(header: &str, payload: &str, options: &str) -> String {
    eval(&format!("JSON.stringify(rimward.verifyJwt('{}', {options}))", token(header, payload)))
}

#[test]
fn the_environment_is_an_object_that_cannot_be_changed() {
    assert_eq!(eval("rimward.environment.STAGE"), "test");
    assert_eq!(eval("Object.isFrozen(rimward.environment)"), "true");
    let source = "import rimward from 'rimward'; const stage = rimward.environment.STAGE; function handler() {}";
    assert_eq!(Function::load(source, TERMS).1, Ok(Loaded::Ready), "it may be read at the top level");
}

#[test]
fn secrets_are_read_by_name_and_never_kept_in_the_snapshot() {
    assert_eq!(eval("rimward.secret('token-key')"), "s3cret");
    assert_eq!(eval("rimward.secret('other')"), r#"Error: the function has no secret named "other""#);
    let source = "import rimward from 'rimward'; const key = rimward.secret('token-key'); function handler() {}";
    assert_eq!(Function::load(source, TERMS).1, Ok(Loaded::Impure), "a top level that asks runs in each invocation");
}

#[test]
fn both_ways_lead_to_the_module() {
    assert_eq!(eval("require('rimward') === rimward"), "true");
}

/// RFC 7519 section 7.2; the test's clock says 1,700,000,000.
#[test]
fn a_good_token_gives_its_header_and_claims() {
    let header = r#"{"alg":"RS256","kid":"one"}"#;
    let shown = verify(header, r#"{"sub":"alice","exp":1700000001,"nbf":1700000000}"#, "{}");
    assert_eq!(
        shown,
        r#"{"header":{"alg":"RS256","kid":"one"},"claims":{"sub":"alice","exp":1700000001,"nbf":1700000000}}"#
    );
    let claims = r#"{"iss":"https://id.example","aud":["web","app"]}"#;
    let options = "{ issuer: 'https://id.example', audience: ['app', 'cli'], algorithms: ['RS256', 'ES256'] }";
    assert!(verify(header, claims, options).starts_with('{'));
    assert!(verify(r#"{"alg":"EdDSA","kid":"two"}"#, "{}", "undefined").starts_with('{'));
    assert!(verify(r#"{"alg":"ES256"}"#, "{}", "{}").starts_with('{'), "without a key id all keys are tried");
    assert!(verify(header, r#"{"exp":1699999990,"nbf":1700000005}"#, "{ leeway: 20 }").starts_with('{'));
}

#[test]
fn a_bad_token_says_what_is_wrong_with_it() {
    let good = r#"{"alg":"RS256","kid":"one"}"#;
    for (header, payload, options, what) in [
        (good, r#"{"exp":1700000000}"#, "{}", "it has expired"),
        (good, r#"{"nbf":1700000060}"#, "{}", "it is not valid yet"),
        (good, r#"{"exp":"soon"}"#, "{}", "its claim \"exp\" is not a number"),
        (good, "{}", "{ issuer: 'a' }", "its claim \"iss\" is not the wanted one"),
        (good, r#"{"aud":"web"}"#, "{ audience: 'app' }", "its claim \"aud\" is not the wanted one"),
        (good, r#"{"iss":["a","b"]}"#, "{ issuer: 'a' }", "its claim \"iss\" is not the wanted one"),
        (good, "[]", "{}", "its payload is no object"),
        (good, "x", "{}", "its payload is not JSON"),
        (good, "{}", "{ algorithms: ['ES256'] }", "its algorithm \"RS256\" is not allowed"),
        (r#"{"alg":"none"}"#, "{}", "{}", "its algorithm \"none\" is not allowed"),
        (r#"{"alg":"HS256","kid":"one"}"#, "{}", "{}", "its algorithm \"HS256\" is not allowed"),
        (r#"{"alg":"RS256","kid":"two"}"#, "{}", "{}", "there is no key named \"two\""),
        (r#"{"alg":"RS256","kid":"one","crit":["b64"]}"#, "{}", "{}", "its header has critical extensions"),
    ] {
        assert_eq!(verify(header, payload, options), format!("Error: invalid token: {what}"), "{header} {payload}");
    }
    let cut = |text: &str| eval(&format!("rimward.verifyJwt('{text}')"));
    assert_eq!(cut("a.b"), "Error: invalid token: it has no three parts");
    assert_eq!(cut("!.b.c"), "Error: invalid token: its header is not base64url");
    let forged = format!("{}x", token(good, "{}"));
    assert_eq!(cut(&forged), "Error: invalid token: its signature does not match");
    assert_eq!(
        verify(r#"{"alg":"RS256","kid":"none"}"#, "{}", "{}"),
        "Error: the function has no key set (`jwks`), or it is not loaded yet"
    );
    assert_eq!(eval("rimward.verifyJwt(1)"), "TypeError: the token must be a string");
}
