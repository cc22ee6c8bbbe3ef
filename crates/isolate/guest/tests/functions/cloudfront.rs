//! Module `cloudfront` (`cloudfront-functions.md` section 11).

use rimward_wire::{
    abi::Loaded,
    event::{Event, Request, Response},
    reply::{Origin, OriginCall, Reply},
};

use crate::harness::{Function, TERMS, eval_with};

fn eval(expression: &str) -> String {
    eval_with("import cf from 'cloudfront'; const kvs = cf.kvs('id');", expression)
}

#[test]
fn values_come_as_text_json_or_bytes() {
    assert_eq!(eval("kvs.get('greeting')"), "hello");
    assert_eq!(eval("kvs.get('umlaut', {format: 'string'})"), "größe");
    assert_eq!(eval("kvs.get('flags', {format: 'json'}).then(v => v.n + 1)"), "4");
    assert_eq!(eval("kvs.get('umlaut', {format: 'bytes'}).then(v => Buffer.isBuffer(v) && v.length)"), "7");
    assert_eq!(eval("kvs.get('greeting', {format: 'json'}).catch(e => e.name)"), "SyntaxError");
    assert_eq!(eval("kvs.get('greeting', {format: 'xml'})"), "TypeError: unknown format: \"xml\"");
}

#[test]
fn a_missing_key_rejects_and_names_the_key() {
    assert_eq!(eval("kvs.get('none')"), "Error: key not found: none");
    assert_eq!(eval("(async () => [await kvs.exists('none'), await kvs.exists('flags')].join())()"), "false,true");
}

#[test]
fn meta_tells_dates_and_the_number_of_keys() {
    let expected = concat!(
        r#"{"creationDateTime":"2023-11-14T22:13:20.000Z","#,
        r#""lastUpdatedDateTime":"2023-11-14T22:15:23.456Z","keyCount":3}"#
    );
    assert_eq!(eval("kvs.meta().then(m => JSON.stringify(m))"), expected);
    assert_eq!(eval("[kvs.put, kvs.delete, kvs.list, kvs.count].every(f => f === undefined)"), "true");
}

#[test]
fn without_a_store_kvs_throws() {
    let source = "import cf from 'cloudfront';
        function handler() { try { cf.kvs() } catch (e) { return {statusCode: 200, body: String(e)} } }";
    let (mut function, loaded) = Function::load(source, rimward_guest::engine::Terms { store: false, ..TERMS });
    assert_eq!(loaded, Ok(Loaded::Ready));
    assert_eq!(function.body(&Event::default()), "Error: the function has no key value store");
}

/// The origin helper that a function's body called last.
fn origin_call(body: &str) -> Option<(OriginCall, String)> {
    let source = format!("import cf from 'cloudfront';\nfunction handler(event) {{ {body}; return event.request }}");
    let request = Request { method: "GET", uri: "/", ..Request::default() };
    let reply = Function::new(&source).reply(&Event { request, ..Event::default() });
    let Ok(Reply::Request { origin, .. }) = Reply::read(&reply) else { panic!("{:?}", Reply::read(&reply)) };
    origin.map(|Origin { call, arguments }| (call, arguments.to_owned()))
}

/// Sections 11.2 to 11.5: the host gets the arguments as they are.
#[test]
fn origin_helpers_hand_their_arguments_to_the_host() {
    assert_eq!(origin_call(""), None);
    for (body, call, arguments) in [
        (
            "cf.updateRequestOrigin({ domainName: 'a.example', customHeaders: { 'x-a': '\"1\\n' }, timeouts: { readTimeout: 3 }, f: cf.kvs, u: undefined })",
            OriginCall::Update,
            r#"[{"domainName":"a.example","customHeaders":{"x-a":"\"1\u000a"},"timeouts":{"readTimeout":3}}]"#,
        ),
        ("cf.selectRequestOriginById('one')", OriginCall::Select, r#"["one"]"#),
        ("cf.selectRequestOriginById('one', { sni: null })", OriginCall::Select, r#"["one",{"sni":null}]"#),
        (
            "cf.createRequestOriginGroup({ originIds: ['a', { originId: 'b' }], failoverCriteria: { statusCodes: [500, 1.5] } })",
            OriginCall::Group,
            r#"[{"originIds":["a",{"originId":"b"}],"failoverCriteria":{"statusCodes":[500,1.5]}}]"#,
        ),
        ("cf.updateRequestOrigin()", OriginCall::Update, "[]"),
    ] {
        assert_eq!(origin_call(body), Some((call, arguments.to_owned())), "{body}");
    }
}

/// Section 11.2: a later call takes the place of an earlier one; a call belongs to its event.
#[test]
fn the_last_call_counts_and_the_next_event_begins_without_one() {
    let twice = "cf.selectRequestOriginById('one'); cf.selectRequestOriginById('two')";
    assert_eq!(origin_call(twice), Some((OriginCall::Select, r#"["two"]"#.to_owned())));
    let source = "import cf from 'cloudfront';
        function handler(event) {
            if (event.request.uri === '/a') cf.selectRequestOriginById('a');
            return event.request;
        }";
    let mut function = Function::new(source);
    for (uri, called) in [("/a", true), ("/b", false)] {
        let request = Request { method: "GET", uri, ..Request::default() };
        let reply = function.reply(&Event { request, ..Event::default() });
        let Ok(Reply::Request { origin, .. }) = Reply::read(&reply) else { panic!() };
        assert_eq!(origin.is_some(), called);
    }
}

#[test]
fn origin_helpers_are_refused_outside_of_viewer_request() {
    let source = "import cf from 'cloudfront';
        function handler(event) { cf.updateRequestOrigin({}); return event.response }";
    let event = Event { response: Some(Response { status: 200, ..Response::default() }), ..Event::default() };
    let failed = Function::new(source).failure(&event);
    assert_eq!(failed.message, "Error: updateRequestOrigin can be called in viewer-request functions only");
    let source = "import cf from 'cloudfront'; cf.updateRequestOrigin({});
        function handler(event) { return event.request }";
    let (_, loaded) = Function::load(source, TERMS);
    assert_eq!(loaded, Ok(Loaded::Impure), "the call is repeated in each event");
}

/// Section 11.6.
#[test]
fn the_edge_location_is_what_the_node_says_and_empty_in_viewer_response() {
    assert_eq!(
        eval("JSON.stringify(cf.edgeLocation)"),
        r#"{"name":"FRA","serverIp":"192.0.2.1","region":"eu-central-1"}"#
    );
    let source = "import cf from 'cloudfront';
        function handler(event) { event.response.body = JSON.stringify(cf.edgeLocation); return event.response }";
    let event = Event { response: Some(Response { status: 200, ..Response::default() }), ..Event::default() };
    assert_eq!(Function::new(source).body(&event), "{}");
}

/// Section 11.6: no distribution here has tenants.
#[test]
fn a_distribution_without_tenants_has_no_tenant() {
    let text = "TypeError: distributionTenant module is not available";
    assert_eq!(eval("cf.distributionTenant.id"), text);
    assert_eq!(eval("cf.distributionTenant.parameters.get('a')"), text);
}

/// Section 11.7: both orders of arguments and both namings give the same token; the expected one was made independently, with Python's `hmac`.
#[test]
fn web_tokens_are_generated_and_validated() {
    let make = "(payload => cf.cwt.generateToken({ coseTag: 'MAC0', cwtTag: true, key: 'k' }, payload))";
    let swapped = "(payload => cf.cwt.generateToken(payload, { coseTag: 'MAC0', cwtTag: true, key: 'k' }))";
    let old = "{ protected: { 1: '5' }, unprotected: { 4: 'id' }, payload: { 1: 'iss', 4: 1700000000, x: [true, null, 1.5] } }";
    let new = "{ protectedHeaders: { 1: 5 }, unprotectedHeaders: { 4: 'id' }, payload: { 1: 'iss', 4: 1700000000, x: [true, null, 1.5] } }";
    let token = eval(&format!("{make}({old}).toString('hex')"));
    assert_eq!(token, WEB_TOKEN);
    for other in [format!("{swapped}({old})"), format!("{make}({new})")] {
        assert_eq!(eval(&format!("{other}.toString('hex')")), token, "{other}");
    }
    let read = "(t => JSON.stringify(cf.cwt.validateToken(t, { key: Buffer.from('k') })))";
    assert_eq!(
        eval(&format!("{read}(Buffer.from('{token}', 'hex'))")),
        r#"{"protectedHeaders":{"1":5},"unprotectedHeaders":{"4":"id"},"payload":{"1":"iss","4":1700000000,"x":[true,null,1.5]}}"#
    );
    let untagged = format!("Buffer.from('{token}', 'hex').subarray(2)");
    assert!(eval(&format!("{read}({untagged})")).starts_with('{'), "tag 61 may be left out");
}

const WEB_TOKEN: &str = "d83dd18443a10105a104626964581aa30163697373041a6553f100617883f5f6fb3ff80000000000005820b1a4e332c1f72542f9f65a8b4183d04af1316ed3eeda8aca85be536ee24b52eb";

#[test]
fn web_tokens_that_are_wrong_are_refused() {
    let token = WEB_TOKEN;
    let mut forged = token.to_owned();
    forged.replace_range(token.len() - 2.., if token.ends_with("00") { "01" } else { "00" });
    for (argument, text) in [
        (format!("Buffer.from('{forged}', 'hex')"), "Error: invalid token: the tag does not match"),
        (format!("Buffer.from('{token}', 'hex').subarray(3)"), "Error: invalid token: it has no COSE tag 17 (MAC0)"),
        ("Buffer.from('ff', 'hex')".to_owned(), "Error: invalid token: it is not CBOR"),
        ("Buffer.alloc(1025)".to_owned(), "Error: invalid token: it has more than 1024 bytes"),
        ("'text'".to_owned(), "TypeError: the token must be a Buffer"),
    ] {
        assert_eq!(eval(&format!("cf.cwt.validateToken({argument}, {{ key: 'k' }})")), text, "{argument}");
    }
    let other = format!("cf.cwt.validateToken(Buffer.from('{token}', 'hex'), {{ key: 'other' }})");
    assert_eq!(eval(&other), "Error: invalid token: the tag does not match");
    assert_eq!(eval("cf.cwt.generateToken({ coseTag: 'SIGN1', key: 'k' }, {})"), "TypeError: coseTag must be \"MAC0\"");
}
