//! Sections 10.5 and 11: the modules, through the real isolate.

use super::of_runtime;
use rimward_tests::{DEMO, TestNode};

const V2: &str = "cloudfront-js-2.0";

async fn value(expression: &str) -> String {
    let code = format!(
        "import cf from 'cloudfront';\nvar crypto = require('crypto'), qs = require('querystring');\n\
         function handler(event) {{ try {{ return {{ statusCode: 200, body: String({expression}) }}; }} catch (e) {{ return {{ statusCode: 200, body: String(e) }}; }} }}"
    );
    of_runtime(V2, &code).await.get("/?name=value&abc=xyz&abc=123").await.body
}

/// cloudfront-functions.md section 10.5: `crypto`.
#[tokio::test]
async fn crypto_has_three_digests_and_three_encodings() {
    for (expression, expected) in [
        ("crypto.createHash('md5').update('abc').digest('hex')", "900150983cd24fb0d6963f7d28e17f72"),
        ("crypto.createHash('sha1').update('a').update('bc').digest('base64')", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
        (
            "crypto.createHmac('sha256', 'Jefe').update('what do ya want for nothing?').digest('base64url')",
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM",
        ),
        ("crypto.createHash('sha512')", "TypeError: not supported algorithm: \"sha512\""),
        ("crypto.createHash('md5').update('a').digest('latin1')", "TypeError: Unknown digest encoding: \"latin1\""),
        (
            "(function () { var h = crypto.createHash('md5'); h.digest(); h.digest(); })()",
            "Error: Digest already called",
        ),
    ] {
        assert_eq!(value(expression).await, expected, "{expression}");
    }
}

/// cloudfront-functions.md section 10.5: `querystring`, with the vendor's example.
#[tokio::test]
async fn querystring_makes_an_object_of_text_and_back() {
    for (expression, expected) in [
        ("JSON.stringify(qs.parse(event.request.rawQueryString()))", r#"{"name":"value","abc":["xyz","123"]}"#),
        ("qs.stringify({ name: 'value', abc: ['xyz', '123'] })", "name=value&abc=xyz&abc=123"),
        ("qs.stringify({ a: null, b: undefined, c: true })", "a=&b=&c=true"),
        ("JSON.stringify(qs.decode('a=x+y&b=%zz'))", r#"{"a":"x y","b":"%zz"}"#),
        ("qs.encode({ a: 'b c' }, ';', ':')", "a:b%20c"),
        ("qs.escape('ä&') + qs.unescape('%26')", "%C3%A4%26&"),
    ] {
        assert_eq!(value(expression).await, expected, "{expression}");
    }
}

/// cloudfront-functions.md section 10.5: `Buffer`, as a global and from its module.
#[tokio::test]
async fn a_buffer_has_four_encodings() {
    for (expression, expected) in [
        ("Buffer.from('größe').toString('hex')", "6772c3b6c39f65"),
        ("Buffer.from('-_8', 'base64url').toString('base64')", "+/8="),
        ("Buffer.from('a', 'latin1')", "TypeError: \"latin1\" encoding is not supported"),
        ("require('buffer').Buffer === Buffer", "true"),
        ("Buffer.from([1, 2, 3, 4, 5, 6]).readUIntBE(0, 6)", "1108152157446"),
    ] {
        assert_eq!(value(expression).await, expected, "{expression}");
    }
}

/// cloudfront-functions.md section 11.1: without a store `kvs` fails; there is no way to write.
#[tokio::test]
async fn a_store_is_read_alone() {
    assert!(value("cf.kvs()").await.contains("Error"), "without a store it throws");
    let config = format!(
        "[key-value-stores.s]\nfile = \"s.json\"\n{DEMO}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\nkey-value-store = \"s\"\n"
    );
    let code = b"import cf from 'cloudfront';
        async function handler(event) {
          const kvs = cf.kvs(), other = cf.kvs('an-id');
          const bytes = await kvs.get('json', { format: 'bytes' }), json = await kvs.get('json', { format: 'json' });
          const meta = await kvs.meta();
          let missing = '';
          try { await kvs.get('none'); } catch (e) { missing = String(e); }
          const all = [await kvs.get('text'), await other.get('text', { format: 'string' }), json.a, bytes.length, await kvs.exists('text'),
            await kvs.exists('none'), meta.keyCount, typeof meta.creationDateTime, typeof meta.lastUpdatedDateTime, missing,
            typeof kvs.count + typeof kvs.list + typeof kvs.put + typeof kvs.delete];
          return { statusCode: 200, body: all.join('|') };
        }";
    let store = br#"{"data":[{"key":"text","value":"hello"},{"key":"json","value":"{\"a\":1}"}]}"#;
    let node = TestNode::start(&config, &[("f.js", code), ("s.json", store)]).await;
    let expected =
        "hello|hello|1|7|true|false|2|string|string|Error: key not found: none|undefinedundefinedundefinedundefined";
    assert_eq!(node.get("/").await.body, expected);
}

/// cloudfront-functions.md sections 11.3 and 11.4: one page assigns `request.origin`, one example has another name; neither counts.
#[tokio::test]
async fn names_that_only_one_page_has_do_nothing() {
    assert_eq!(value("typeof cf.overrideRequestOrigin").await, "undefined");
    let code =
        "function handler(event) { event.request.origin = { domainName: 'other.example.com' }; return event.request; }";
    let answer = TestNode::with_function(code).await.get("/echo").await;
    assert_eq!((answer.status(), answer.header("x-demo-origin")), (200, "app"));
}

/// cloudfront-functions.md section 11.6: a distribution without tenants.
#[tokio::test]
async fn a_standard_distribution_has_no_tenant() {
    assert_eq!(value("cf.distributionTenant.id").await, "TypeError: distributionTenant module is not available");
}

/// cloudfront-functions.md section 11.7: both orders of arguments; a wrong key and a changed token are refused.
#[tokio::test]
async fn web_tokens_in_cbor_are_made_and_validated() {
    let make = "cf.cwt.generateToken({ protected: { '1': '5' }, unprotected: {}, payload: { '1': 'me' } }, { coseTag: 'MAC0', key: 'secret' })";
    assert_eq!(value(&format!("cf.cwt.validateToken({make}, {{ key: 'secret' }}).payload['1']")).await, "me");
    let turned = "cf.cwt.generateToken({ coseTag: 'MAC0', key: 'secret', cwtTag: true }, { protected: { '1': '5' }, unprotected: {}, payload: { '1': 'me' } })";
    assert_eq!(value(&format!("cf.cwt.validateToken({turned}, {{ key: 'secret' }}).payload['1']")).await, "me");
    let wrong = value(&format!("cf.cwt.validateToken({make}, {{ key: 'other' }})")).await;
    assert!(wrong.contains("Error"), "{wrong}");
}
